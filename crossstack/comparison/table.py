"""The comparison itself: numbers per pair, pattern, view and metric, and the table for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from ..analyse.paper import IR_DROP
from ..pdk import Tech
from ..solve.network.network import Network
from ..solve.network.reduced import reduced
from ..solve.study.theory import Parts, row_resistance_for, stack_reduction
from .cases import Pair, Pattern, Proved
from .drops import METRICS, VIEWS, Floats, Views, series_parts, solve_view, views

VIEW_TEXT = {
    "wires": "wires only: drawn wires, contacts and vias, also those of the mode switches",
    "all": "all series parts: mode switches and select transistors too",
    "kelvin": "Kelvin: lines regulated at the array's edge, so mode switches are cancelled",
    "array": "array wires: Kelvin, and select transistors at 0 ohm",
}
#: of a layout without mode switches
BARE_TEXT = {
    "wires": "wires only: drawn wires, contacts and vias of the array",
    "all": "all series parts of the array: select transistors too",
}
_METRIC_TEXT = {
    "worst_device": "worst device",
    "mean_device": "mean device",
    "worst_column": "worst column",
}


@dataclass(frozen=True)
class RatioPoint:
    """The reduction at one r_row / r_col: of the solved arrays, and by first-order theory."""

    ratio: float
    reduction: float
    theory: float


@dataclass(frozen=True, eq=False)
class Compared:
    """One pair, solved.

    Attributes:
        pair: what was compared.
        stacked, planar: the proved layouts.
        results: pattern key -> (views of the stacked, views of the planar layout).
        theory: view -> metric -> reduction by first-order theory, from the parts measured on
            either extracted network.
        parts: side -> view -> series parts in ohm.
    """

    pair: Pair
    stacked: Proved
    planar: Proved
    results: dict[str, tuple[Views, Views]]
    theory: dict[str, dict[str, float]]
    parts: dict[str, dict[str, dict[str, float]]]

    def reduction(self, pattern: str, view: str, metric: str) -> float:
        """Return 1 - stacked / planar."""
        stacked, planar = self.results[pattern]
        return 1.0 - _value(stacked, view, metric) / _value(planar, view, metric)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield one row per pattern, view and metric."""
        for pattern, (stacked, planar) in self.results.items():
            for view in VIEWS:
                for metric in METRICS:
                    yield {
                        "pair": self.pair.key,
                        "pattern": pattern,
                        "view": view,
                        "metric": metric,
                        "planar": _value(planar, view, metric),
                        "stacked": _value(stacked, view, metric),
                        "reduction": self.reduction(pattern, view, metric),
                        "theory": self.theory[view][metric] if pattern == "all on" else None,
                        "paper": IR_DROP,
                    }

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain numbers."""
        return {
            "key": self.pair.key,
            "text": self.pair.text,
            "stacked": self.stacked.to_json(),
            "planar": self.planar.to_json(),
            "series_parts_ohm": self.parts,
            "kcl_residual": max(v.kcl_residual for both in self.results.values() for v in both),
            "rows": list(self.rows()),
        }


def _value(found: Views, view: str, metric: str) -> float:
    return float(getattr(found.errors[view], metric))


def compare_pair(
    pair: Pair, stacked: Proved, planar: Proved, found: list[Pattern], tech: Tech
) -> Compared:
    """Solve both layouts of a pair on the same patterns and ask the theory."""
    results = {
        p.key: (
            views(stacked.network, tech, p.conductances, p.inputs),
            views(planar.network, tech, *p.planar()),
        )
        for p in found
    }
    n, m = pair.stacked.rows, pair.stacked.cols
    theory: dict[str, dict[str, float]] = {}
    parts: dict[str, dict[str, dict[str, float]]] = {"stacked": {}, "planar": {}}
    for view in VIEWS:
        own = [series_parts(stacked.network, tech, view, tier) for tier in (0, 1)]
        base = series_parts(planar.network, tech, view)
        for letter, tier_parts in zip("BT", own, strict=True):
            parts["stacked"][f"{view}, {letter}"] = dict(vars(tier_parts))
        parts["planar"][view] = dict(vars(base))
        theory[view] = dict(vars(stack_reduction(n, m, own, base)))
    return Compared(pair, stacked, planar, results, theory, parts)


def ratio_sweep(
    compared: Compared, pattern: Pattern, tech: Tech, view: str, ratios: tuple[float, ...]
) -> list[RatioPoint]:
    """Return the reduction of the worst device over r_row / r_col.

    The middle electrode of the extracted networks is scaled; everything else stays as drawn.
    """
    drawn = compared.parts["stacked"][f"{view}, B"]
    n, m = compared.pair.stacked.rows, compared.pair.stacked.cols
    column = tech.roles.layer("middle_electrode")
    rows = []
    for ratio in ratios:
        factor = drawn["row"] / (ratio * drawn["col"]) if drawn["col"] else 1.0
        stacked, planar = (
            _scaled(p.network, column, factor) for p in (compared.stacked, compared.planar)
        )
        drops = (
            _worst(stacked, tech, pattern.conductances, pattern.inputs, view),
            _worst(planar, tech, *pattern.planar(), view),
        )
        own = [series_parts(stacked, tech, view, tier) for tier in (0, 1)]
        theory = stack_reduction(n, m, own, series_parts(planar, tech, view))
        rows.append(RatioPoint(ratio, 1.0 - drops[0] / drops[1], theory.worst_device))
    return rows


def crossing(rows: Iterable[tuple[float, float]], target: float) -> float | None:
    """Return where a swept reduction passes `target`; None if it never does.

    Args:
        rows: (what is swept, reduction) of each point.
        target: reduction that is looked for.
    """
    for (a, at_a), (b, at_b) in pairwise(rows):
        low, high = at_a - target, at_b - target
        if low * high <= 0 and low != high:
            share = low / (low - high)
            return float(np.exp(np.log(a) + share * (np.log(b) - np.log(a))))
    return None


def bare_wire_ratio(rows: int, cols: int) -> float:
    """Return r_row / r_col at which theory gives the paper's 22 % for bare wires, worst device."""
    found = row_resistance_for(IR_DROP, rows, cols, Parts(0.0, 1.0))
    return float(found.worst_device)


def _worst(network: Network, tech: Tech, conductances: Floats, inputs: Floats, view: str) -> float:
    small = reduced(network).network  # of which only the devices' voltages are read
    solution, _ = solve_view(small, tech, conductances, inputs, view)
    ideal = np.broadcast_to(inputs[:, :, None], conductances.shape)
    return float(np.nanmax(np.abs(ideal - solution.device_voltages) / ideal))


def _scaled(network: Network, layer: str, factor: float) -> Network:
    """Return the network with the resistance of one film multiplied."""
    index = network.layers.index(layer)
    ohm = np.where(network.resistor_layer == index, network.resistor_ohm * factor,
                   network.resistor_ohm)  # fmt: skip
    return replace(network, resistor_ohm=ohm)


def table_lines(done: list[Compared]) -> Iterator[str]:
    """Yield the comparison as a Markdown table, one block per pair."""
    for c in done:
        a, b = c.stacked.to_json(), c.planar.to_json()
        yield f"### {a['name']} against {b['name']} ({c.pair.text})"
        yield ""
        yield (
            f"Array area {a['array_area_um2']:.0f} against {b['array_area_um2']:.0f} um2, "
            f"{a['inputs_per_1000_um2_of_array']:.1f} against "
            f"{b['inputs_per_1000_um2_of_array']:.1f} inputs per 1000 um2; with mode switches "
            f"{a['macro_area_um2']:.0f} against {b['macro_area_um2']:.0f} um2."
        )
        yield ""
        yield "| pattern | counted | metric | planar | stacked | reduction | theory | paper |"
        yield "|---|---|---|---|---|---|---|---|"
        for row in c.rows():
            theory = "" if row["theory"] is None else f"{row['theory']:.1%}"
            yield (
                f"| {row['pattern']} | {row['view']} | {_METRIC_TEXT[row['metric']]} "
                f"| {row['planar']:.2%} | {row['stacked']:.2%} | {row['reduction']:.1%} "
                f"| {theory} | {row['paper']:.0%} |"
            )
        yield ""
