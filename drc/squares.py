"""Fill of a die: hundreds of thousands of squares of which few are near anything.

A rule on fill gives the same answer when only the squares near what it speaks of are looked at.
These are found in the hierarchy, or among the squares' places, without touching the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import klayout.db as kdb
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..base.layout_layers import shapes_touching

Boxes = NDArray[np.int64]
#: neighbours of a box, on average, from which on it is no fill
MOST_PAIRS = 30


class Squares:
    """The fill of a cell.

    Args:
        cell: where it is drawn.
    """

    def __init__(self, cell: kdb.Cell) -> None:
        self.cell = cell
        self._boxes: dict[int, Boxes | None] = {}

    def near(
        self, indexes: Collection[int], other: kdb.Region | kdb.Edges, distance: int
    ) -> kdb.Region:
        """Return the shapes of layers that lie within a distance of something, merged.

        Beside slanted edges there may be some that lie a little further off.

        Args:
            indexes: layers.
            other: regions or edges.
            distance: in dbu.
        """
        zone = other.extents(1) if isinstance(other, kdb.Edges) else other
        parts = zone.sized(distance).decompose_trapezoids_to_region()
        return shapes_touching(self.cell, indexes, (part.bbox() for part in parts.each())).merged()

    def crowded(
        self, indexes: Iterable[int], others: Iterable[int], distance: int
    ) -> kdb.Region | None:
        """Return the boxes of layers that have one of other layers within a distance, merged.

        None if a layer holds other shapes than boxes, or boxes that are placed in odd ways.

        Args:
            indexes: layers.
            others: layers; equal ones ask for the boxes that lie close to each other.
            distance: in dbu.
        """
        mine, theirs = self.boxes(indexes), self.boxes(others)
        if mine is None or theirs is None:
            return None
        if not (len(mine) and len(theirs)):
            return kdb.Region()
        pairs = _close(mine, theirs, distance)
        if pairs is None:
            return None
        if [*indexes] == [*others]:
            pairs = pairs[pairs[:, 0] != pairs[:, 1]]
        return _region(mine[np.unique(pairs[:, 0])])

    def off_grid(self, indexes: Collection[int], step: int) -> kdb.Region | None:
        """Return the boxes of layers with a corner off a grid, and what they touch, merged.

        None as `crowded`.
        """
        boxes = self.boxes(indexes)
        if boxes is None:
            return None
        off = _region(boxes[(boxes % step).any(axis=1)])
        return off if off.is_empty() else self.near(indexes, off, 0)

    def boxes(self, indexes: Iterable[int]) -> Boxes | None:
        """Return (left, bottom, right, top) of every box on layers; None if there are others."""
        found = [np.zeros((0, 4), dtype=np.int64)]
        for index in indexes:
            if index not in self._boxes:
                self._boxes[index] = _below(self.cell, index, {})
            boxes = self._boxes[index]
            if boxes is None:
                return None
            found.append(boxes)
        return np.concatenate(found)


def _region(boxes: Boxes) -> kdb.Region:
    region = kdb.Region()
    for box in boxes.tolist():
        region.insert(kdb.Box(*box))
    return region.merged()


def _close(mine: Boxes, theirs: Boxes, distance: int) -> Boxes | None:
    """Return the pairs of boxes, by number, within a distance; None for far too many."""
    side = max(int((boxes[:, 2:] - boxes[:, :2]).max()) for boxes in (mine, theirs))
    a, b = (cKDTree(boxes[:, :2] + boxes[:, 2:]) for boxes in (mine, theirs))
    reach = 2 * (side + distance)  # centres are taken twice, so lengths are double
    if a.count_neighbors(b, reach, p=np.inf) > MOST_PAIRS * (len(mine) + len(theirs)):
        return None
    found = a.sparse_distance_matrix(b, reach, p=np.inf, output_type="ndarray")
    i, j = found["i"], found["j"]
    gaps = np.maximum(mine[i, :2] - theirs[j, 2:], theirs[j, :2] - mine[i, 2:])
    near_by = (np.maximum(gaps, 0) ** 2).sum(axis=1) <= distance**2
    pairs: Boxes = np.stack([i, j], axis=1)[near_by]
    return pairs


def _below(cell: kdb.Cell, index: int, known: dict[int, Boxes | None]) -> Boxes | None:
    """Return every box of a layer below a cell; None if there are other shapes."""
    if cell.cell_index() not in known:
        parts = list(_parts(cell, index, known))
        whole = [part for part in parts if part is not None]
        known[cell.cell_index()] = np.concatenate(whole) if len(whole) == len(parts) else None
    return known[cell.cell_index()]


def _parts(cell: kdb.Cell, index: int, known: dict[int, Boxes | None]) -> Iterator[Boxes | None]:
    """Yield the boxes that a cell draws itself, and those of each placement."""
    shapes = cell.shapes(index)
    own = [(s.box.left, s.box.bottom, s.box.right, s.box.top) for s in shapes.each() if s.is_box()]
    yield np.array(own, dtype=np.int64).reshape(-1, 4) if len(own) == shapes.size() else None
    for inst in cell.each_inst():
        if inst.cell.bbox(index).empty():
            continue
        below = _below(inst.cell, index, known)
        yield None if below is None or inst.is_complex() else _placed(below, inst)


def _placed(boxes: Boxes, inst: kdb.Instance) -> Boxes:
    """Return the boxes of a child where a placement puts them."""
    origin, x, y = (inst.trans.trans(kdb.Point(*at)) for at in ((0, 0), (1, 0), (0, 1)))
    turn = np.array([[x.x - origin.x, y.x - origin.x], [x.y - origin.y, y.y - origin.y]])
    corners = np.stack([boxes[:, :2] @ turn.T, boxes[:, 2:] @ turn.T])
    corners += np.array([origin.x, origin.y])
    first = np.concatenate([corners.min(axis=0), corners.max(axis=0)], axis=1)
    at = np.zeros((1, 4), dtype=np.int64)
    for step, count in ((inst.a, inst.na), (inst.b, inst.nb)):
        if count > 1:
            steps = np.arange(count)[:, None, None] * np.array([step.x, step.y] * 2)
            at = (at[None] + steps).reshape(-1, 4)
    return (first[None] + at[:, None]).reshape(-1, 4)
