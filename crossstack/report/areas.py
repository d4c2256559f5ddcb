"""Layers of very many shapes: the areas that they cover."""

from __future__ import annotations

import klayout.db as db
import numpy as np

#: polygons of one layer that a page can hold and a browser can still move
MAX_POLYGONS = 6_000
#: cells along the longer side of a layout, for layers of more polygons than that
_GRID = 500


def areas(region: db.Region, window: db.Box) -> tuple[db.Region, bool]:
    """Return a region of few polygons: of very many, the areas that they cover.

    Returns:
        the region, and whether its shapes were joined.
    """
    if region.count() <= MAX_POLYGONS:
        return region, False
    step = step_of(window)
    covered = np.zeros((window.height() // step + 2, window.width() // step + 2), dtype=np.int32)
    for piece in region.decompose_trapezoids_to_region().each():
        box = piece.bbox()
        low, left = (box.bottom - window.bottom) // step, (box.left - window.left) // step
        high, right = (box.top - window.bottom) // step + 1, (box.right - window.left) // step + 1
        # corners of a box in a table whose running sums say what is covered
        covered[low, left] += 1
        covered[high, right] += 1
        covered[low, right] -= 1
        covered[high, left] -= 1
    full = np.diff(np.pad((covered.cumsum(0).cumsum(1) > 0).astype(np.int8), ((0, 0), (1, 1))))
    found = db.Region()
    for row, (begins, ends) in enumerate(zip(full == 1, full == -1, strict=True)):
        y = window.bottom + row * step
        for begin, end in zip(np.flatnonzero(begins), np.flatnonzero(ends), strict=True):
            x = (window.left + int(k) * step for k in (begin, end))
            found.insert(db.Box(next(x), y, next(x), y + step))
    return found.merged() & db.Region(window), True


def step_of(window: db.Box) -> int:
    """Return the side of the squares that areas are made of, in dbu."""
    return -(-max(window.width(), window.height()) // _GRID)


def coarse(top: db.Cell, index: int, step: int) -> db.Region:
    """Return a layer of a chip in few shapes: what is smaller than a step is its frame.

    Cells are looked into only where they are larger, and rows of them closer than a step are one
    frame, so that a layer of millions of shapes is read in a moment.

    Args:
        top: its top cell.
        index: the layer.
        step: dbu.
    """
    found = db.Region()
    todo = [(top, db.ICplxTrans())]
    while todo:
        cell, place = todo.pop()
        found.insert(cell.shapes(index), place)
        for inst in cell.each_inst():
            frame = inst.cell.bbox_per_layer(index)
            if frame.empty():
                continue
            if max(inst.a.length(), inst.b.length()) <= step and inst.is_regular_array():
                found.insert(inst.bbox_per_layer(index).transformed(place))
                continue
            small = max(frame.width(), frame.height()) <= step
            for one in inst.cell_inst.each_cplx_trans():
                if small:
                    found.insert(frame.transformed(place * one))
                else:
                    todo.append((inst.cell, place * one))
    return found
