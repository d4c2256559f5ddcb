"""Waivers: violations that somebody answers for, until a date."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ..base.documents import read_yaml
from ..base.errors import ConfigError, ParameterError, shortened
from .report import DrcReport, Violation

_KEYS = {"rule", "cell", "box", "reason", "expires"}


@dataclass(frozen=True)
class Waiver:
    """One waiver; it needs a cell or a box, and covers markers that match all it names.

    Attributes:
        rule: rule name or glob.
        reason: why the violation is accepted.
        expires: last day on which it counts.
        cell: name or glob of the cell that holds the marker; None for any.
        box: (x1, y1, x2, y2) in um of the top cell that contains the marker; None for any.
    """

    rule: str
    reason: str
    expires: date
    cell: str | None = None
    box: tuple[float, float, float, float] | None = None

    def covers(self, violation: Violation) -> bool:
        """Return True if the waiver matches a violation, whatever the date."""
        if not fnmatchcase(violation.rule, self.rule):
            return False
        if self.cell is not None and not fnmatchcase(violation.cell, self.cell):
            return False
        if self.box is None:
            return True
        x1, y1, x2, y2 = violation.box
        return x1 >= self.box[0] and y1 >= self.box[1] and x2 <= self.box[2] and y2 <= self.box[3]

    def __str__(self) -> str:
        place = f"cell {self.cell}" if self.box is None else f"box {list(self.box)}"
        return f"{self.rule} in {place} ({self.reason})"


def load_waivers(path: Path) -> tuple[Waiver, ...]:
    """Read waivers from YAML: a list under ``waivers``, one mapping each.

    Raises:
        FileError: if the file cannot be read.
        ConfigError: if it is not YAML, or an entry is incomplete or has an unknown key; the
            message names file and line.
    """
    found = read_yaml(path)
    data = found.values
    rows = data.get("waivers") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        raise ConfigError(f"{path} holds no list of waivers (waivers: [...])")
    if len(data) > 1:
        other = next(key for key in data if key != "waivers")
        line = found.lines[other]
        raise ConfigError(f"{path}, line {line}: no such key {shortened(other)} (known: waivers)")
    return tuple(_placed(path, found.lines, row, f"waivers[{i}]") for i, row in enumerate(rows))


def _placed(path: Path, lines: Mapping[str, int], row: Any, name: str) -> Waiver:
    """Return a waiver; an error names file and line."""
    try:
        return _waiver(row, name)
    except ParameterError as error:
        line = lines.get(error.name, lines.get(name, 1))
        raise ConfigError(f"{path}, line {line}: {error}") from None


def _waiver(row: Any, name: str) -> Waiver:
    if not isinstance(row, dict):
        raise ParameterError(name, row, f"a mapping with {', '.join(sorted(_KEYS))}")
    for key in row:
        if key not in _KEYS:
            raise ParameterError(f"{name}.{key}", row[key], f"one of {', '.join(sorted(_KEYS))}")
    for key in ("rule", "reason"):
        if not isinstance(row.get(key), str) or not row[key].strip():
            raise ParameterError(f"{name}.{key}", row.get(key), "a text that is not empty")
    expires = _date(row.get("expires"))
    if expires is None:
        raise ParameterError(f"{name}.expires", row.get("expires"), "a date, as 2027-01-31")
    cell, box = row.get("cell"), row.get("box")
    if cell is None and box is None:
        raise ParameterError(name, row["rule"], "a waiver with a cell or a box")
    if cell is not None and not isinstance(cell, str):
        raise ParameterError(f"{name}.cell", cell, "a cell name or glob")
    return Waiver(row["rule"], row["reason"], expires, cell, _box(box, f"{name}.box"))


def _date(value: Any) -> date | None:
    """Return a day written as 2027-01-31; None of anything else."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:  # no such day
        return None


def _box(value: Any, name: str) -> tuple[float, float, float, float] | None:
    if value is None:
        return None
    numbers = isinstance(value, list) and all(
        isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in value
    )
    if not numbers or len(value) != 4 or value[0] >= value[2] or value[1] >= value[3]:
        raise ParameterError(name, value, "[x1, y1, x2, y2] in um with x1 < x2 and y1 < y2")
    return (float(value[0]), float(value[1]), float(value[2]), float(value[3]))


def apply_waivers(report: DrcReport, waivers: Iterable[Waiver], today: date) -> DrcReport:
    """Return the report with covered violations set apart.

    Expired waivers cover nothing; they and waivers that nothing needed are noted in
    `waiver_notes`, so that the list can be kept short and true.
    """
    waivers = tuple(waivers)
    alive = [w for w in waivers if w.expires >= today]
    notes = [f"expired on {w.expires}: {w}" for w in waivers if w.expires < today]
    used: set[Waiver] = set()
    open_: list[Violation] = []
    waived: list[Violation] = []
    for violation in report.violations:
        matching = [w for w in alive if w.covers(violation)]
        used.update(matching)
        (waived if matching else open_).append(violation)
    notes += [f"not used: {w}" for w in alive if w not in used]
    return replace(report, violations=tuple(open_), waived=tuple(waived), waiver_notes=tuple(notes))
