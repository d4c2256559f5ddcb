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


def fold(cell: db.Cell, row: db.Vector, column: db.Vector) -> int:
    """Place the copies of the one cell that a cell holds anew, in arrays of rows and columns.

    Args:
        cell: it places copies of one cell, none turned, all on one lattice.
        row: from a copy to the next along a row, in dbu.
        column: from a row to the next.

    Returns:
        how many places have a copy; KLayout's fill tool gives one in twenty of them two.
    """
    places = _places(cell)
    if not len(places):
        return 0
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
    return int(mask.sum())


def _places(cell: db.Cell) -> NDArray[np.int64]:
    """Return the origins of all copies that a cell places."""
    found = []
    for inst in cell.each_inst():
        at, a, b = inst.trans.disp, inst.a, inst.b
        found.append((at.x, at.y, a.x, a.y, max(inst.na, 1), b.x, b.y, max(inst.nb, 1)))
    arrays = np.array(found, dtype=np.int64).reshape(-1, 8)
    counts = arrays[:, 4] * arrays[:, 7]
    each = np.repeat(arrays, counts, axis=0)
    number = np.arange(len(each)) - np.repeat(np.cumsum(counts) - counts, counts)
    i, j = (number % each[:, 4])[:, None], (number // each[:, 4])[:, None]
    places: NDArray[np.int64] = each[:, :2] + i * each[:, 2:4] + j * each[:, 5:7]
    return places


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
