"""Grid of a shape with edges off the axes: cells that such an edge cuts conduct in part.

The conductance between two nodes is the length of the face between their cells that lies in the
shape, over their distance. An even field along a wall at any angle is then exact, as no staircase
makes it, and what is left falls with the square of the step.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import ceil

import klayout.db as db
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: grid steps over the shape's mean width beside an angled edge; grid lines at most
_STEPS, _MOST_LINES = 50, 500
#: sine of the least turn that makes a corner; what turns less is part of a curve
_TURN = 0.5


def edges_of(polygon: db.Polygon) -> Floats:
    """Return all edges, hull and holes, as rows x1, y1, x2, y2."""
    rows = [(e.p1.x, e.p1.y, e.p2.x, e.p2.y) for e in polygon.each_edge()]
    return np.array(rows, dtype=np.float64)


def corner_points(polygon: db.Polygon) -> Iterator[db.Point]:
    """Yield the corners of a shape and the ends of its box; points of a curve are none."""
    rings = [list(polygon.each_point_hull())]
    rings += [list(polygon.each_point_hole(k)) for k in range(polygon.holes())]
    for ring in rings:
        for before, at, after in zip([ring[-1], *ring], ring, [*ring[1:], ring[0]], strict=False):
            a, b = at - before, after - at
            if abs(db.DVector(a.x, a.y).vprod(db.DVector(b.x, b.y))) > _TURN * a.abs() * b.abs():
                yield at
    box = polygon.bbox()
    yield from (box.p1, box.p2)


def refined(lines: Floats, edges: Floats, polygon: db.Polygon, axis: int) -> Floats:
    """Return grid lines with steps fine enough wherever an angled edge runs.

    Args:
        lines: grid lines along one axis.
        edges: of the shape.
        polygon: the shape.
        axis: 0 for lines of equal x, 1 for lines of equal y.
    """
    slanted = edges[(edges[:, 0] != edges[:, 2]) & (edges[:, 1] != edges[:, 3])]
    low = np.minimum(slanted[:, axis], slanted[:, axis + 2])
    high = np.maximum(slanted[:, axis], slanted[:, axis + 2])
    width = 2 * polygon.area() / polygon.perimeter()
    step = max(width / _STEPS, (lines[-1] - lines[0]) / _MOST_LINES)
    found = []
    for a, b in pairwise(lines.tolist()):
        parts = ceil((b - a) / step) if np.any((low < b) & (high > a)) else 1
        found += list(np.linspace(a, b, parts, endpoint=False))
    return np.array([*found, lines[-1]])


def cut_cells(edges: Floats, x: Floats, y: Floats) -> tuple[Bools, Floats, Floats]:
    """Return which cells' centres lie in the shape, and the conductances along x and along y."""
    lengths, filled = _sections(edges, x, y)
    along_x = lengths / np.diff(x)[:, None]
    lengths, _ = _sections(edges[:, [1, 0, 3, 2]], y, x)
    along_y = (lengths / np.diff(y)[:, None]).T
    return filled, np.where(along_x > 1e-9, along_x, 0.0), np.where(along_y > 1e-9, along_y, 0.0)


def _sections(edges: Floats, x: Floats, y: Floats) -> tuple[Floats, Bools]:
    """Return how long each face of a node's cell is in the shape, midway between two x.

    Also returns whether the shape holds the point midway between two y there.
    """
    flip = edges[:, 0] > edges[:, 2]
    x1, y1, x2, y2 = np.where(flip[:, None], edges[:, [2, 3, 0, 1]], edges).T
    centres = (y[:-1] + y[1:]) / 2
    bounds = np.array([y[0], *centres, y[-1]])
    lengths = np.zeros((len(x) - 1, len(y)))
    filled = np.zeros((len(x) - 1, len(y) - 1), dtype=bool)
    for i, at in enumerate((x[:-1] + x[1:]) / 2):
        hit = (x1 <= at) & (at < x2)
        slope = (at - x1[hit]) / (x2[hit] - x1[hit])
        crossing = np.sort(y1[hit] + slope * (y2[hit] - y1[hit]))
        low, high = crossing[0::2], crossing[1::2]
        lengths[i] = np.diff(np.clip(bounds[:, None], low, high).sum(axis=1))
        filled[i] = np.searchsorted(crossing, centres) % 2 == 1
    return lengths, filled
