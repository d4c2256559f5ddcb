"""The reduction over what decides it: series resistance and row wire, both against column wire.

The paper says neither its cell nor its resistances, so no one array can be held against its 22 %.
The map shows the reduction for both baselines over (R_series / r_col, r_row / r_col), each point
solved exactly, and where the drawn arrays stand on it. There every device of both arrays has the
same in series; the drawn top tier has a taller stack of vias than the planar cell, and so saves
less.
"""

from __future__ import annotations

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


def landscape(done: list[Compared], r_on_ohm: float) -> dict[str, Any]:
    """Return the maps of every baseline of the hybrid array, and the drawn arrays.

    Args:
        done: the compared pairs; the first one's column wire sets the scale of r_col.
        r_on_ohm: of a device, which is on.
    """
    col = done[0].parts["stacked"]["array, B"]["col"]
    if not col:
        return {"not_run": "the array is too small to tell its wires from their ends"}
    maps = {
        c.pair.key: {
            "text": c.pair.text,
            "planar": [c.pair.planar.rows, c.pair.planar.cols],
            "stacked": [c.pair.stacked.rows, c.pair.stacked.cols],
            **_map(c, r_on_ohm, col),
        }
        for c in done
        if c.pair.key in ("planar", "square")
    }
    return {
        "counted": COUNTED,
        "r_on_over_col": r_on_ohm / col,
        "series_over_col": list(SERIES),
        "row_over_col": list(RATIO),
        "paper": IR_DROP,
        "maps": maps,
        "drawn": [point for c in done for point in _drawn(c, r_on_ohm)],
    }


def _map(compared: Compared, r_on: float, col: float) -> dict[str, Any]:
    """Return losses and reduction, one row per r_row / r_col."""
    stacked, planar = compared.pair.stacked, compared.pair.planar
    losses = {
        "loss_stacked": _losses(2, stacked.rows, stacked.cols, r_on, col),
        "loss_planar": _losses(1, planar.rows, planar.cols, r_on, col),
    }
    saved = 1.0 - losses["loss_stacked"] / losses["loss_planar"]
    return {"reduction": saved.tolist(), **{key: found.tolist() for key, found in losses.items()}}


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


def _drawn(compared: Compared, r_on: float) -> list[dict[str, Any]]:
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
            {
                "pair": compared.pair.key,
                "name": spec.top_name,
                "view": view,
                "series_over_col": ends / parts["col"],
                "row_over_col": parts["row"] / parts["col"],
                "reduction": worst["reduction"],
                "on_map": 1.0 - losses[0] / losses[1],
                "loss_planar": worst["planar"],
                "loss_stacked": worst["stacked"],
            }
        )
    return points
