"""Studies of an extracted network that go through all columns: programming and sensitivity."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from . import analysis
from .errors import ConfigError
from .solve.network import BOTTOM, TIER_NAMES, TOP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .console import Console
    from .pdk import Tech
    from .solve.network import Network

    Floats = NDArray[np.float64]


def programming(
    network: Network,
    tech: Tech,
    what: analysis.Stimulus,
    needed_v: float,
    console: Console,
    *,
    write_voltage: float | None = None,
) -> list[dict[str, Any]]:
    """Write every column of either tier while the other one reads; say which cells get too little.

    Args:
        network: an extracted array or macro with select transistors.
        tech: the transistors' models; each slot has them where they work in it.
        what: devices and read voltages.
        needed_v: voltage that a device needs to switch, V.
        console: where progress goes.
        write_voltage: between a written row and the write rail, V; None for the technology's.

    Returns:
        One entry per written tier, as `ProgrammingReport.to_json` plus the voltage applied.

    Raises:
        ConfigError: if the network has no deep-net mode, or nothing could be reached.
    """
    from .solve.programming import programming_check

    reason = analysis.refusal(network, "deep-net")
    if reason is not None:
        raise ConfigError(reason)
    volts = tech.memristor.v_write_v if write_voltage is None else write_voltage
    if not needed_v > 0:
        raise ConfigError(f"--programming is {needed_v:g} V, allowed: above 0")
    reports = []
    for read in (BOTTOM, TOP):
        options: dict[str, Any] = {"read_tier": read, "write_voltage": volts}
        with console.step(f"write {TIER_NAMES[1 - read]} tier") as step:
            found = programming_check(
                network,
                what.conductances,
                what.inputs,
                needed=needed_v,
                series=_at_work(network, tech, what, options),
                progress=partial(step, "columns"),
                **options,
            )
        reports.append({**found.to_json(), "applied_V": volts})
    return reports


def _at_work(
    network: Network, tech: Tech, what: analysis.Stimulus, options: dict[str, Any]
) -> Callable[[int], dict[str, Any]]:
    """Return a function that gives the transistors' resistances for each written column."""
    last: list[Floats] = []

    def series(column: int) -> dict[str, Any]:
        start = last.pop() if last else None
        last.append(
            analysis.mode_ohm(
                network, tech, what, "deep-net", start=start, write_column=column, **options
            )
        )
        return {"switch_ohm": last[0]}

    return series


def programming_lines(reports: list[dict[str, Any]]) -> list[str]:
    """Return a line per written tier."""
    lines = []
    for r in reports:
        below = r["cells_below"]
        verdict = "every cell gets it" if not below else f"{len(below)} cells get less"
        some = ", ".join(f"({i}, {j})" for i, j in below[:4])
        more = f": row, column {some}" + (", ..." if len(below) > 4 else "") if below else ""
        lines.append(
            f"write {r['tier']:<7} {r['applied_V']:g} V applied, {r['needed_V']:g} V needed: "
            f"{verdict}{more}; lowest {r['lowest_V']:.4f} V, other cells at most "
            f"{r['largest_disturb_V']:.2e} V"
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
    from .solve.variation import sheet_sensitivity

    with console.step("sensitivity"):
        ohm = analysis.mode_ohm(network, tech, what, mode, **options)
        return sheet_sensitivity(
            network, what.conductances, what.inputs, mode=mode, series={"switch_ohm": ohm},
            **options,
        )  # fmt: skip


def sensitivity_lines(found: dict[str, Floats]) -> list[str]:
    """Return a line per layer that matters, the strongest first."""
    rows = [
        (float(np.nanmean(v)), float(v[np.nanargmax(np.abs(v))]), layer)
        for layer, v in found.items()
        if np.isfinite(v).any() and np.nanmax(np.abs(v)) > 0
    ]
    lines = [f"{'layer':<14}{'mean column':>14}{'worst column':>14}   (% current per % resistance)"]
    lines += [
        f"{layer:<14}{mean:>14.5f}{worst:>14.5f}"
        for mean, worst, layer in sorted(rows, key=lambda row: -abs(row[1]))
    ]
    return lines
