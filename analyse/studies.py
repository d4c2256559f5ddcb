"""Studies of an extracted network that go through all columns: programming and sensitivity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.errors import ConfigError
from ..base.names import TIER_NAMES
from ..solve.modes.mode import ArrayKind
from ..solve.modes.modes import LEAST_WRITE_V, POLARITIES, read_tiers, writing_mode
from . import analysis
from .operating import Laws, mode_ohm, write_way

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..pdk import Tech
    from ..solve.network.network import Network
    from ..solve.study.programming import ProgrammingReport
    from .progress import Console

    Floats = NDArray[np.float64]


#: cells that are named; --json holds all
CELLS_SHOWN = 4


@dataclass(frozen=True, eq=False)
class Programmed:
    """A whole write of one tier in one polarity.

    Attributes:
        report: what every device gets.
        polarity: "set" or "reset".
        applied_v: between a written row and the write rail, V.
        needed_source: who says what a device needs.
    """

    report: ProgrammingReport
    polarity: str
    applied_v: float
    needed_source: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            **self.report.to_json(),
            "polarity": self.polarity,
            "applied_V": self.applied_v,
            "needed_source": self.needed_source,
        }


def programming(
    network: Network,
    tech: Tech,
    what: analysis.Stimulus,
    needed_v: float | None,
    console: Console,
    *,
    write_voltage: float | None = None,
    laws: Laws | None = None,
) -> list[Programmed]:
    """Write every column of every tier; say which cells get too little. A second tier reads.

    Args:
        network: an extracted array or macro with select transistors.
        tech: the transistors' models; each slot has them where they work in it.
        what: devices and read voltages.
        needed_v: voltage that a device needs to switch, V; None for what it declares.
        console: where progress goes.
        write_voltage: between a written row and the write rail, V; None for the technology's, in
            either polarity.
        laws: what memristors follow; None for the technology's.

    Returns:
        One entry per written tier and polarity.

    Raises:
        ConfigError: if the network can be written in no mode, or nothing could be reached.
    """
    from ..solve.study.programming import programming_check

    kind = ArrayKind.of(network)
    reason = analysis.refusal(network, writing_mode(kind).name)
    if reason is not None:
        raise ConfigError(reason)
    laws = Laws.of(tech) if laws is None else laws
    if needed_v is not None and not needed_v >= LEAST_WRITE_V:
        raise ConfigError(f"--programming is {needed_v:g} V, allowed: {LEAST_WRITE_V:g} V or more")
    reports = []
    for read, polarity in product(read_tiers(kind), POLARITIES):
        way = write_way(tech, polarity, write_voltage)
        options: dict[str, Any] = {"read_tier": read, **way}
        with console.step(f"{polarity} {TIER_NAMES[1 - read]} tier") as step:
            found = programming_check(
                network,
                what.conductances,
                what.inputs,
                needed=tech.memristor.needed_v(polarity) if needed_v is None else needed_v,
                write_rows=tech.memristor.write_rows,
                series=_at_work(network, tech, what, {**options, **laws.options}),
                **laws.options,
                progress=partial(step, "columns"),
                **options,
            )
        source = tech.memristor.needed_source if needed_v is None else "asked"
        reports.append(Programmed(found, polarity, abs(way["write_voltage"]), source))
    return reports


def _at_work(
    network: Network, tech: Tech, what: analysis.Stimulus, options: dict[str, Any]
) -> Callable[[int, int], dict[str, Any]]:
    """Return a function that gives the transistors' resistances for each column and turn."""
    last: list[Floats] = []
    mode = writing_mode(ArrayKind.of(network)).name

    def series(column: int, turn: int) -> dict[str, Any]:
        start = last.pop() if last else None
        slot: dict[str, Any] = {"write_column": column, "write_turn": turn}
        slot["write_rows"] = tech.memristor.write_rows
        last.append(mode_ohm(network, tech, what, mode, start=start, **slot, **options))
        return {"switch_ohm": last[0]}

    return series


def programming_lines(reports: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line per written tier and polarity, of what `Programmed.to_json` gives."""
    lines = []
    for r in reports:
        below = r["cells_below"]
        verdict = "every cell gets it"
        if below:
            some = ", ".join(f"({i}, {j})" for i, j in below[:CELLS_SHOWN])
            more = ", ..." if len(below) > CELLS_SHOWN else ""
            verdict = f"{len(below)} cells get less, at row and column {some}{more}"
        lines.append(
            f"{r['polarity']} of the {r['tier']} tier with {r['applied_V']:g} V, "
            f"{r['needed_V']:g} V needed: "
            f"{verdict}; lowest {r['lowest_V']:.4f} V, other cells at most "
            f"{r['largest_disturb_V']:.4f} V"
        )
    return lines


def sensitivity(
    network: Network,
    tech: Tech,
    what: analysis.Stimulus,
    mode: str,
    console: Console,
    **options: Any,
) -> dict[str, Floats]:
    """Return how each column's current answers to the resistance of each layer, % per %."""
    from ..solve.study.variation import sheet_sensitivity

    with console.step("sensitivity"):
        ohm = mode_ohm(network, tech, what, mode, **options)
        return sheet_sensitivity(
            network, what.conductances, what.inputs, mode=mode, series={"switch_ohm": ohm},
            **options,
        )  # fmt: skip


def sensitivity_json(found: dict[str, Floats]) -> dict[str, list[float | None]]:
    """Return plain values; None for columns without current."""
    return {
        layer: [None if np.isnan(v) else float(v) for v in values]
        for layer, values in found.items()
    }


def sensitivity_rows(found: Mapping[str, Sequence[float | None] | Floats]) -> list[dict[str, Any]]:
    """Return layer, mean and worst column of each layer that matters, the strongest first."""
    rows = []
    for layer, given in found.items():
        values = np.array(given, dtype=np.float64)
        if not np.isfinite(values).any() or not np.nanmax(np.abs(values)) > 0:
            continue
        worst = float(values[np.nanargmax(np.abs(values))])
        rows.append({"layer": layer, "mean": float(np.nanmean(values)), "worst": worst})
    return sorted(rows, key=lambda row: -abs(row["worst"]))


def sensitivity_lines(found: dict[str, Floats]) -> list[str]:
    """Return a line per layer that matters, the strongest first."""
    head = f"{'layer':<14}{'mean column':>14}{'worst column':>14}   (% current per % resistance)"
    return [
        head,
        *(
            f"{row['layer']:<14}{row['mean']:>14.5f}{row['worst']:>14.5f}"
            for row in sensitivity_rows(found)
        ),
    ]
