"""Shape x {oracle, ours, formula, others}: what is compared, and what passes."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PUBLISHED = Path(__file__).with_name("published.csv")
#: ours: the engine on the oracle's scene; tiles: the layout, extracted
WAYS = ("ours", "tiles", "formula", "magic", "kpex")
HEADS = ("shape", "C of", "field, fF", "ours", "by tiles", "formula", "Magic", "klayout-pex")
#: what a self capacitance and a coupling may be off by
SELF, COUPLING = 0.05, 0.10
#: couplings below this share of the smaller self capacitance are not compared
LEAST = 0.05
#: values closer than this are one by symmetry, and compared once
_ALIKE = 0.002


@dataclass(frozen=True)
class Row:
    """One capacitance of a shape, in F; NaN where there is none.

    Attributes:
        shape: its name.
        net: whose.
        other: to whom; "" for all that the net sees.
        oracle: of the field.
        found: way -> value, see `WAYS`.
    """

    shape: str
    net: str
    other: str
    oracle: float
    found: dict[str, float] = field(default_factory=dict)

    @property
    def what(self) -> str:
        """Name of the capacitance."""
        return f"{self.net}-{self.other}" if self.other else self.net

    def error(self, way: str) -> float:
        """Return a way's error, relative; NaN without a value."""
        return self.found.get(way, math.nan) / self.oracle - 1.0

    def faults(self, way: str = "ours") -> list[str]:
        """Say why a way does not pass; a missing value does not."""
        error, allowed = self.error(way), COUPLING if self.other else SELF
        if math.isnan(error):
            return ["no value"]
        found = [f"off by {100 * error:+.1f} %"] if not abs(error) <= allowed else []
        closer = (peer for peer in ("magic", "kpex") if abs(self.error(peer)) < abs(error))
        return [*found, *(f"{peer} is closer" for peer in closer)]


def rows(shape: str, nets: tuple[str, ...], whole: Floats) -> Iterator[Row]:
    """Yield what is compared of a shape: selves and couplings that count, those alike once.

    Args:
        shape: its name.
        nets: order of the matrix.
        whole: Maxwell matrix of the whole shape in F.
    """
    seen: list[tuple[bool, float]] = []

    def new(coupled: bool, value: float) -> bool:
        alike = any(c == coupled and abs(v / value - 1) < _ALIKE for c, v in seen)
        seen.append((coupled, value))
        return not alike

    own = np.diag(whole)
    for k, net in enumerate(nets):
        if new(False, own[k]):
            yield Row(shape, net, "", float(own[k]))
    for k, net in enumerate(nets):
        for m in range(k + 1, len(nets)):
            value = -float(whole[k, m])
            if value > LEAST * min(own[k], own[m]) and new(True, value):
                yield Row(shape, net, nets[m], value)


def published(path: Path = PUBLISHED) -> dict[tuple[str, str, str], dict[str, float]]:
    """Return (shape, net, other) -> way -> F, as others publish it."""
    lines = [x for x in path.read_text(encoding="utf-8").splitlines() if not x.startswith("#")]
    return {
        (row["shape"], row["net"], row["other"]): {
            way: 1e-15 * float(row[f"{way}_ff"]) for way in ("magic", "kpex") if row[f"{way}_ff"]
        }
        for row in csv.DictReader(lines)
    }


def markdown(table: Iterable[Row]) -> Iterator[str]:
    """Yield the table: values of the oracle, errors of the others."""
    yield "| " + " | ".join(HEADS) + " |"
    yield "|---" * len(HEADS) + "|"
    last = ""
    for row in table:
        errors = (row.error(way) for way in WAYS)
        cells = ["-" if math.isnan(e) else f"{100 * e:+.1f} %" for e in errors]
        name = row.shape if row.shape != last else ""
        last = row.shape
        what = f"`{row.what}`" if "[" in row.what else row.what  # else Markdown finds a link in it
        yield f"| {name} | {what} | {1e15 * row.oracle:.4g} | " + " | ".join(cells) + " |"


def summary(table: list[Row]) -> Iterator[str]:
    """Yield how each way does, and which rows of ours fail."""
    for way in WAYS:
        errors = {kind: [abs(r.error(way)) for r in table if bool(r.other) == kind
                         and not math.isnan(r.error(way))] for kind in (False, True)}  # fmt: skip
        if not any(errors.values()):
            continue
        words = [
            f"{name} {sum(e > limit for e in found)} of {len(found)} beyond {100 * limit:.0f} %,"
            f" median {100 * float(np.median(found)):.1f} %, largest {100 * max(found):.1f} %"
            for name, limit, found in (("selves", SELF, errors[False]),
                                       ("couplings", COUPLING, errors[True])) if found
        ]  # fmt: skip
        yield f"{way}: " + "; ".join(words)
    for way in ("ours", "tiles"):
        has = [r for r in table if not math.isnan(r.error(way))] if way == "tiles" else table
        failed = [(r, r.faults(way)) for r in has if r.faults(way)]
        yield f"{way}: {len(failed)} of {len(has)} rows fail"
        for row, faults in failed:
            yield f"  {row.shape}, {row.what}: {', '.join(faults)}"
