"""First-order theory of the IR drop, to check solvers and layouts against.

Uniform devices, all inputs on, rows driven from one end or both, columns sensed at one end, one
wire segment between driver and first cell and one between last cell and sense. Every
device then draws the same current I, and a drop is I times the resistances below
(derived in docs/design.md section 5; exact in the limit of small drops).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...base.errors import InputError


@dataclass(frozen=True)
class Parts:
    """The series resistances of an array, in ohm.

    Attributes:
        row: wire of a row line per cell.
        col: wire of a column line per cell.
        drive: between a row's source and its line.
        sense: between a column's line and virtual ground.
        cell: in series with every single device (select transistor, via stack).
    """

    row: float
    col: float
    drive: float = 0.0
    sense: float = 0.0
    cell: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (np.isfinite(value) and value >= 0):
                raise InputError(f"{name} is {value} ohm, allowed: finite, >= 0")


@dataclass(frozen=True)
class Drops:
    """Resistance that one device's current sees, in ohm; times G it is the relative error.

    Attributes:
        worst_device: of the device far from driver and sense end.
        mean_device: mean over all devices, which is also the mean column error.
        worst_column: mean over the devices of the column farthest from the drivers.
    """

    worst_device: float
    mean_device: float
    worst_column: float


def first_order(
    tiers: int, rows: int, cols: int, parts: Parts, *, both_ends: bool = False
) -> Drops:
    """Drops of an array whose column nodes each collect one device per tier.

    Args:
        tiers: 1 planar, 2 stacked with a shared column line.
        rows: rows of each tier (a planar array has as many rows as inputs).
        cols: columns.
        parts: series resistances.
        both_ends: True for rows that are driven from both ends.

    Returns:
        The three drops.

    Raises:
        InputError: if a count is not positive.
    """
    for name, value in (("tiers", tiers), ("rows", rows), ("cols", cols)):
        if value < 1:
            raise InputError(f"{name} is {value}, allowed: >= 1")
    far_row, mean_row = (_both_ends if both_ends else _one_end)(cols, parts)
    far_col = parts.col * tiers * rows * (rows + 1) / 2
    mean_col = parts.col * tiers * (rows + 1) * (2 * rows + 1) / 6
    ends = tiers * rows * parts.sense + parts.cell
    return Drops(
        worst_device=far_row + far_col + ends,
        mean_device=mean_row + mean_col + ends,
        worst_column=far_row + mean_col + ends,
    )


def _one_end(cols: int, parts: Parts) -> tuple[float, float]:
    """Return the largest and the mean drop along a row with its source in front of it."""
    source = cols * parts.drive
    return (
        source + parts.row * cols * (cols + 1) / 2,
        source + parts.row * (cols + 1) * (2 * cols + 1) / 6,
    )


def _both_ends(cols: int, parts: Parts) -> tuple[float, float]:
    """Return the same of a row between two sources."""
    to_west = parts.drive + parts.row * np.arange(1, cols + 1)
    to_east = to_west[::-1]
    whole = 2 * parts.drive + parts.row * (cols + 1)
    if not whole:
        return 0.0, 0.0
    # what a device's current leaves at every place, over all devices
    before = np.cumsum(to_west)
    drops = (to_east * before + to_west * (before[::-1] - to_east)) / whole
    return float(drops.max()), float(drops.mean())


def reduction(rows: int, cols: int, parts: Parts) -> Drops:
    """Share of the drop that stacking saves: N x M x 2 against planar 2N x M x 1.

    Args:
        rows: N, rows of each tier of the stacked array.
        cols: M, columns of both.
        parts: series resistances of both.

    Returns:
        1 - stacked / planar for each of the three drops; nan where the planar drop is 0.
    """
    planar, stacked = first_order(1, 2 * rows, cols, parts), first_order(2, rows, cols, parts)
    return Drops(*(_saved(getattr(planar, k), getattr(stacked, k)) for k in vars(planar)))


def stack_reduction(rows: int, cols: int, tiers: Sequence[Parts], planar: Parts) -> Drops:
    """Share of the drop that stacking saves, for tiers and a baseline with parts of their own.

    Args:
        rows: N, rows of each tier of the stacked array.
        cols: M, columns of both.
        tiers: series resistances of every tier.
        planar: series resistances of the planar array with all rows in one tier.

    Returns:
        1 - stacked / planar for each of the three drops; nan where the planar drop is 0.
    """
    drops = [first_order(len(tiers), rows, cols, parts) for parts in tiers]
    reference = first_order(1, len(tiers) * rows, cols, planar)
    mean = {k: sum(getattr(d, k) for d in drops) / len(drops) for k in vars(reference)}
    # the worst device is one of one tier; a column sums over all
    mean["worst_device"] = max(d.worst_device for d in drops)
    return Drops(**{k: _saved(getattr(reference, k), v) for k, v in mean.items()})


def _saved(planar: float, stacked: float) -> float:
    return 1.0 - stacked / planar if planar else float("nan")


def row_resistance_for(target: float, rows: int, cols: int, parts: Parts) -> Drops:
    """Row wire per cell at which stacking saves exactly `target`, all else as in `parts`.

    Args:
        target: share saved, between 0 and 1, e.g. 0.22.
        rows: N of the stacked array.
        cols: columns.
        parts: series resistances; `row` is not read.

    Returns:
        Row resistance in ohm per cell for each of the three drops; negative where even
        ideal rows save less than the target.

    Raises:
        InputError: if `target` is not between 0 and 1.
    """
    if not 0 < target < 1:
        raise InputError(f"target is {target}, allowed: between 0 and 1")
    bare = Parts(0.0, parts.col, parts.drive, parts.sense, parts.cell)
    planar, stacked = first_order(1, 2 * rows, cols, bare), first_order(2, rows, cols, bare)
    per_ohm = first_order(1, 2 * rows, cols, Parts(1.0, 0.0))
    return Drops(
        *(
            ((getattr(planar, k) - getattr(stacked, k)) / target - getattr(planar, k))
            / getattr(per_ohm, k)
            for k in vars(planar)
        )
    )
