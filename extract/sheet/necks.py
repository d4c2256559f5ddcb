"""Necks of a grid: straight cuts between two corners that point into the metal, off the axes.

Strips of a grid lie on the straight cuts along its axes. Where two corners stand so near each other
that the way between them is shorter than those cuts, the strips that cross this way are halved, one
half for the cut that they lie on and one for the neck: both carry the strip's current.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import klayout.db as db
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from .narrows import reflex_corners

if TYPE_CHECKING:
    from .angled import Floats
    from .synthesis import Edge

Ints = NDArray[np.int64]
#: from where to where the current of an edge flows: x and y of both ends, dbu
Place = tuple[float, float, float, float]


def with_necks(
    polygon: db.Polygon, chords: Chords, edges: list[Edge], places: list[Place], ports: int
) -> list[Edge]:
    """Return the resistors of a grid with those that cross necks in halves.

    Args:
        polygon: Manhattan shape in dbu.
        chords: of its grid.
        edges: of its grid, in runs of strips.
        places: of each edge.
        ports: number of ports, which are the first nodes.
    """
    pairs = [*_pairs(polygon, chords)]
    if not pairs:
        return edges
    grid = _Grid(edges, np.array(places).reshape(-1, 4), ports)
    known: set[bytes] = set()
    for p, q in pairs:  # the nearest first: what parts the ports as a nearer one is no neck
        length = float(np.hypot(*(q - p)))
        across, forward = grid.across(p, q)
        if not len(across):
            continue
        sides = grid.sides(across)
        if sides is not None:
            if grid.parts_none(sides) or sides.tobytes() in known:
                continue
            known.add(sides.tobytes())
            if grid.is_cut(sides, p, q, length):
                continue
        grid.take(across, forward, length)
    return grid.edges()


class Chords:
    """How long the straight cuts along either axis are through each rectangle of a grid."""

    def __init__(self, x: Floats, y: Floats, along_y: Floats, along_x: Floats) -> None:
        """Take the grid's lines, and the chords' lengths, shape (rectangles)."""
        self._x, self._y, self._most = x, y, np.maximum(along_y, along_x)

    def most(self, at: Floats) -> Floats:
        """Return the longer of both chords at some places, shape (n, 2); 0 off the metal."""
        i = np.clip(np.searchsorted(self._x, at[:, 0], side="right") - 1, 0, len(self._x) - 2)
        j = np.clip(np.searchsorted(self._y, at[:, 1], side="right") - 1, 0, len(self._y) - 2)
        found: Floats = self._most[i, j]
        return found


class _Grid:
    """The resistors of a grid as arrays."""

    def __init__(self, edges: list[Edge], at: Floats, ports: int) -> None:
        self._edges, self.at, self._ports = edges, at, ports
        self.a, self.b = (np.array([getattr(e, end) for e in edges]) for end in "ab")
        self.length = np.array([e.width for e in edges])
        self.run = np.array([e.parting for e in edges])
        self.count = 1 + int(max(self.a.max(), self.b.max()))
        #: run and length of each neck; edge -> whether it crosses ahead, run and length of each
        self._necks: list[tuple[int, float]] = []
        self._more: dict[int, list[tuple[bool, int, float]]] = {}
        #: run -> side of each port without it, as many necks ask for the same
        self._parted: dict[int, NDArray[np.bool_] | None] = {}

    def across(self, p: Floats, q: Floats) -> tuple[Ints, NDArray[np.bool_]]:
        """Return the edges that cross the way from p to q, and which do so from its right."""
        way = q - p
        ends = (self.at[:, :2] - p, self.at[:, 2:] - p)
        side = [way[0] * end[:, 1] - way[1] * end[:, 0] for end in ends]
        crossing = np.flatnonzero((side[0] >= 0) != (side[1] >= 0))
        first, second = (s[crossing] for s in side)
        share = (first / (first - second))[:, None]
        here = self.at[crossing, :2] * (1 - share) + self.at[crossing, 2:] * share
        along = (here - p) @ way / (way @ way)
        on = (along > 0) & (along < 1) & (self.run[crossing] >= 0)
        return crossing[on], (first < 0)[on]

    def sides(self, without: Ints) -> NDArray[np.bool_] | None:
        """Return the side that each port is on once edges are gone; None if all hangs together."""
        kept = np.ones(len(self.a), dtype=bool)
        kept[without] = False
        ends = (self.a[kept], self.b[kept])
        graph = coo_matrix((np.ones(len(ends[0])), ends), (self.count, self.count))
        _, part = connected_components(graph, directed=False)
        one, other = part[self.a[without[0]]], part[self.b[without[0]]]
        if one == other:
            return None
        ports: NDArray[np.bool_] = part[: self._ports] == one
        return ports if ports[0] else ~ports

    @staticmethod
    def parts_none(sides: NDArray[np.bool_]) -> bool:
        """Return whether all ports are on one side: no current passes."""
        return bool(sides.all() or not sides.any())

    def is_cut(self, sides: NDArray[np.bool_], p: Floats, q: Floats, length: float) -> bool:
        """Return whether a cut along an axis nearby parts the ports likewise, and is no longer."""
        low, high = np.minimum(p, q) - length, np.maximum(p, q) + length
        near = ((self.at[:, :2] >= low) & (self.at[:, :2] <= high)).all(axis=1)
        for run in np.unique(self.run[near & (self.length <= length * (1 + 1e-9))]).tolist():
            if run not in self._parted:
                self._parted[run] = self.sides(np.flatnonzero(self.run == run))
            found = self._parted[run]
            if found is not None and (found == sides).all():
                return True
        return False

    def take(self, across: Ints, forward: NDArray[np.bool_], length: float) -> None:
        """Note that edges cross a neck, and in which direction."""
        run = int(self.run.max()) + 1 + len(self._necks)
        self._necks.append((run, length))
        for edge, ahead in zip(across.tolist(), forward.tolist(), strict=True):
            self._more.setdefault(edge, []).append((ahead, run, length))

    def edges(self) -> list[Edge]:
        """Return the resistors, those across necks as several in series."""
        found, node = [], self.count
        for number, edge in enumerate(self._edges):
            more = self._more.get(number, [])
            squares, here = edge.squares / (1 + len(more)), edge.a
            for ahead, run, length in more:
                a, b = (here, node) if ahead else (node, here)
                found.append(replace(edge, a=a, b=b, squares=squares, width=length, parting=run))
                here, node = node, node + 1
            found.append(replace(edge, a=here, squares=squares))
        return found


def _pairs(polygon: db.Polygon, chords: Chords) -> Iterator[tuple[Floats, Floats]]:
    """Yield the pairs of corners that see each other over less than an axis, the nearest first."""
    corners = np.array([(c.x, c.y) for c in reflex_corners(polygon)], dtype=np.float64)
    if len(corners) < 2:
        return
    i, j = np.triu_indices(len(corners), 1)
    p, q = corners[i], corners[j]
    far = np.hypot(*(q - p).T)
    likely = np.flatnonzero((p != q).all(axis=1) & (far < chords.most((p + q) / 2)))
    whole = db.Region(polygon)
    for k in likely[np.argsort(far[likely], kind="stable")].tolist():
        way = db.Edge(db.Point(*map(int, p[k])), db.Point(*map(int, q[k])))
        if abs((db.Edges([way]) & whole).length() - way.length()) <= 2:
            yield p[k], q[k]
