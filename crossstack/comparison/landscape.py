"""The reduction over what decides it: series resistance and row wire, both against column wire.

The paper says neither its cell nor its resistances, so no one array can be held against its 22 %.
The map shows the reduction for both baselines over (R_series / r_col, r_row / r_col), each point
solved exactly, and where the drawn arrays stand on it. There every device of both arrays has the
same in series; the drawn top tier has a taller stack of vias than the planar cell, and so saves
less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..analyse.paper import IR_DROP
from ..solve.crossbar.crossbar import solve_crossbar
from .drops import VIEWS
from .table import Compared

#: R_series / r_col and r_row / r_col of the map
SERIES = tuple(float(v) for v in np.logspace(-1, 4, 16))
RATIO = tuple(float(v) for v in np.logspace(-2, 2, 13))
COUNTED = (
    "worst device, every device on, equal wires along each line; R_series is what a device has in "
    "series beside row and column wire: cell, and the ends of its lines times what they carry"
)


@dataclass(frozen=True)
class ReductionMap:
    """The reduction against one baseline over the grid; each table has one row per r_row / r_col.

    Attributes:
        text: the baseline, in words.
        planar, stacked: rows and columns of either array.
        reduction, loss_stacked, loss_planar: fractions.
    """

    text: str
    planar: tuple[int, int]
    stacked: tuple[int, int]
    reduction: list[list[float]]
    loss_stacked: list[list[float]]
    loss_planar: list[list[float]]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**vars(self), "planar": list(self.planar), "stacked": list(self.stacked)}


@dataclass(frozen=True)
class DrawnPoint:
    """Where a drawn pair stands on the map, in one way of counting.

    Attributes:
        pair, name, view: the pair, its stacked array and the way of counting.
        series_over_col, row_over_col: its place.
        reduction: what was solved.
        on_map: what equal parts for every device would give.
        loss_planar, loss_stacked: of the worst device, fractions.
    """

    pair: str
    name: str
    view: str
    series_over_col: float
    row_over_col: float
    reduction: float
    on_map: float
    loss_planar: float
    loss_stacked: float


@dataclass(frozen=True)
class Landscape:
    """The reduction over what decides it.

    Attributes:
        maps: baseline -> its map.
        drawn: the drawn arrays.
        r_on_over_col: a device's resistance over that of the column wire per cell.
        not_run: why there is no map; empty if there is.
    """

    maps: Mapping[str, ReductionMap] = field(default_factory=dict)
    drawn: tuple[DrawnPoint, ...] = ()
    r_on_over_col: float = float("nan")
    not_run: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        if self.not_run:
            return {"not_run": self.not_run}
        return {
            "counted": COUNTED,
            "r_on_over_col": self.r_on_over_col,
            "series_over_col": list(SERIES),
            "row_over_col": list(RATIO),
            "paper": IR_DROP,
            "maps": {key: each.to_json() for key, each in self.maps.items()},
            "drawn": [dict(vars(point)) for point in self.drawn],
        }


def landscape(done: list[Compared], r_on_ohm: float) -> Landscape:
    """Return the maps of every baseline of the hybrid array, and the drawn arrays.

    Args:
        done: the compared pairs; the first one's column wire sets the scale of r_col.
        r_on_ohm: of a device, which is on.
    """
    col = done[0].parts["stacked"]["array, B"]["col"]
    if not col:
        return Landscape(not_run="the array is too small to tell its wires from their ends")
    maps = {c.pair.key: _map(c, r_on_ohm, col) for c in done if c.pair.key in ("planar", "square")}
    drawn = tuple(point for c in done for point in _drawn(c, r_on_ohm))
    return Landscape(maps, drawn, r_on_ohm / col)


def _map(compared: Compared, r_on: float, col: float) -> ReductionMap:
    """Return losses and reduction, one row per r_row / r_col."""
    stacked, planar = compared.pair.stacked, compared.pair.planar
    ours = _losses(2, stacked.rows, stacked.cols, r_on, col)
    theirs = _losses(1, planar.rows, planar.cols, r_on, col)
    return ReductionMap(
        compared.pair.text,
        (planar.rows, planar.cols),
        (stacked.rows, stacked.cols),
        (1.0 - ours / theirs).tolist(),
        ours.tolist(),
        theirs.tolist(),
    )


def _losses(tiers: int, rows: int, cols: int, r_on: float, col: float) -> Any:
    """Return the worst device's loss over the grid, shape (RATIO, SERIES)."""
    return np.array(
        [
            [worst_loss(tiers, rows, cols, r_on, (ratio * col, col, series * col))
             for series in SERIES]
            for ratio in RATIO
        ]
    )  # fmt: skip


def worst_loss(
    tiers: int, rows: int, cols: int, r_on: float, parts: tuple[float, float, float]
) -> float:
    """Return the part of its voltage that the worst device of an array loses.

    Args:
        tiers: 1, or 2 that share their columns.
        rows: of each tier.
        cols: columns.
        r_on: of every device, ohm.
        parts: row wire and column wire per cell, and in series with every device, ohm.
    """
    row, col, series = parts
    found = solve_crossbar(
        np.full((tiers, rows, cols), 1.0 / (r_on + series)),
        np.ones((tiers, rows)),
        row_segments=row,
        column_segments=col,
    )
    return float(1.0 - r_on * np.min(found.device_currents))


def _drawn(compared: Compared, r_on: float) -> list[DrawnPoint]:
    """Return where a drawn pair stands, in every way of counting that shows its wires."""
    spec, base, points = compared.pair.stacked, compared.pair.planar, []
    for view in VIEWS:
        parts = compared.parts["stacked"][f"{view}, B"]
        if not parts["row"] or not parts["col"]:
            continue
        ends = spec.cols * parts["drive"] + 2 * spec.rows * parts["sense"] + parts["cell"]
        rows = {
            r["metric"]: r for r in compared.rows() if (r["pattern"], r["view"]) == ("all on", view)
        }
        worst = rows["worst_device"]
        equal = (parts["row"], parts["col"], ends)
        losses = [
            worst_loss(2, spec.rows, spec.cols, r_on, equal),
            worst_loss(1, base.rows, base.cols, r_on, equal),
        ]
        points.append(
            DrawnPoint(
                pair=compared.pair.key,
                name=spec.top_name,
                view=view,
                series_over_col=ends / parts["col"],
                row_over_col=parts["row"] / parts["col"],
                reduction=worst["reduction"],
                on_map=1.0 - losses[0] / losses[1],
                loss_planar=worst["planar"],
                loss_stacked=worst["stacked"],
            )
        )
    return points
