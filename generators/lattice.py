"""Copies of a cell on a lattice as few arrays.

KLayout's fill tool places squares as short rows. Every program that reads a die looks at each
placement, so rows of one width above each other become one array.
"""

from __future__ import annotations

from collections.abc import Iterator

import klayout.db as db
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def fold(cell: db.Cell, row: db.Vector, column: db.Vector) -> None:
    """Place the copies of the one cell that a cell holds anew, in arrays of rows and columns.

    Args:
        cell: it places copies of one cell, none turned, all on one lattice.
        row: from a copy to the next along a row, in dbu.
        column: from a row to the next.
    """
    places = _places(cell)
    if not len(places):
        return
    child = next(cell.each_inst()).cell_index
    origin = places[0]
    off, det = places - origin, row.x * column.y - row.y * column.x
    i = (off[:, 0] * column.y - off[:, 1] * column.x) // det
    j = (off[:, 1] * row.x - off[:, 0] * row.y) // det
    first = (int(i.min()), int(j.min()))
    mask = np.zeros((int(j.max()) - first[1] + 1, int(i.max()) - first[0] + 1), dtype=bool)
    mask[j - first[1], i - first[0]] = True
    cell.clear_insts()
    corner = db.Vector(*map(int, origin)) + row * first[0] + column * first[1]
    for at_i, at_j, ni, nj in _blocks(mask):
        place = db.Trans(corner + row * at_i + column * at_j)
        cell.insert(db.CellInstArray(child, place, row, column, ni, nj))


def _places(cell: db.Cell) -> NDArray[np.int64]:
    """Return the origins of all copies that a cell places."""
    found = [np.zeros((0, 2), dtype=np.int64)]
    for inst in cell.each_inst():
        at = np.array([[inst.trans.disp.x, inst.trans.disp.y]], dtype=np.int64)
        for step, count in ((inst.a, inst.na), (inst.b, inst.nb)):
            if count > 1:
                steps = np.arange(count)[:, None, None] * np.array([step.x, step.y])
                at = (at[None] + steps).reshape(-1, 2)
        found.append(at)
    return np.concatenate(found)


def _blocks(mask: Mask) -> Iterator[tuple[int, int, int, int]]:
    """Yield blocks (column, row, columns, rows) that cover what a mask holds, each place once.

    A block goes on as long as the next row holds its whole width; what it leaves of that row
    starts blocks of its own.
    """
    begun: dict[tuple[int, int], int] = {}
    for j, full in enumerate([*mask, np.zeros(mask.shape[1], dtype=bool)]):
        row = full.copy()
        before = np.concatenate([[0], np.cumsum(row)])
        going: dict[tuple[int, int], int] = {}
        for (low, high), start in begun.items():
            if before[high] - before[low] == high - low:
                going[low, high] = start
                row[low:high] = False
            else:
                yield low, start, high - low, j - start
        ends = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(np.int8), [0]])))
        for low, high in ends.reshape(-1, 2).tolist():
            going[low, high] = j
        begun = going
