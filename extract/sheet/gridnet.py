"""A piece with many ports as the resistors of its own grid.

The impedance matrix of a via array would make a complete mesh, whose size grows as the fourth power
of the array's side. Here each rectangle of the grid is a node and joined to its neighbours only, so
that the network grows with the number of cuts. A patch is the rectangle at its centre, which takes
the current of the patch on its own area; what that leaves out is in series with the cut, where
hundredths of a square stand against tens of squares.
"""

from __future__ import annotations

from itertools import pairwise

import klayout.db as db
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu

from ...pdk import CrossStackError
from ...solve.network.network import STRIP
from .angled import Bools, Floats
from .field import SheetPort, inside
from .necks import Chords, Place, with_necks
from .synthesis import Edge

Ints = NDArray[np.int64]

#: grid steps over the gap beside a corner, growth away from it, and steps over any wide gap
_STEPS, _GROWTH, _COARSEST = 6, 1.5, 6
#: squares of a joint without any
_JOINT = 1e-9


def grid_network(polygon: db.Polygon, ports: list[SheetPort]) -> tuple[int, list[Edge]]:
    """Return node count (ports first) and resistors of a rectilinear piece.

    Args:
        polygon: the piece.
        ports: on it.

    Raises:
        CrossStackError: if a port lies beside the shape.
    """
    points = list(polygon.each_point_hull())
    for hole in range(polygon.holes()):
        points += polygon.each_point_hole(hole)
    x = _lines({p.x for p in points}, {c for p in ports for c in p.box[0::2]})
    y = _lines({p.y for p in points}, {c for p in ports for c in p.box[1::2]})
    filled = inside(polygon, x, y)
    node = np.full(filled.shape, -1)
    edges: list[Edge] = []
    for number, port in enumerate(ports):
        if port.is_slice:
            continue
        cell = _cell(port, filled, x, y)
        if node[cell] >= 0:  # two ports over one place are one node
            edges.append(Edge(int(node[cell]), number, 0.0, float("nan")))
        else:
            node[cell] = number
    free = filled & (node < 0)
    node[free] = len(ports) + np.arange(int(free.sum()))
    slices = [(k, port.box) for k, port in enumerate(ports) if port.is_slice]
    turned = [(k, (b[1], b[0], b[3], b[2])) for k, b in slices]
    places: list[Place] = [(0.0, 0.0, 0.0, 0.0)] * len(edges)
    for edge, place in _along(node, filled, x, y, slices, 0):
        edges.append(edge)
        places.append(place)
    first = 1 + max((e.parting for e in edges), default=-1)
    for edge, (y1, x1, y2, x2) in _along(node.T, filled.T, y, x, turned, first):
        edges.append(edge)
        places.append((x1, y1, x2, y2))
    chords = Chords(x, y, _chords(filled, y), _chords(filled.T, x).T)
    edges = with_necks(polygon, chords, edges, places, len(ports))
    most = max((max(e.a, e.b) for e in edges), default=-1)
    return max(len(ports) + int(free.sum()), most + 1), edges


def grid_impedance(count: int, edges: list[Edge], ports: int) -> Floats:
    """Return the impedance in squares of the first ports of a grid against port 0.

    Args:
        count: nodes of the grid.
        edges: its resistors; one of no resistance joins two nodes.
        ports: how many; they are the first nodes.
    """
    a, b = (np.array([getattr(e, end) for e in edges]) for end in "ab")
    # a joint of no resistance is far less than any piece of metal
    g = 1.0 / np.maximum([e.squares for e in edges], _JOINT)
    rows, cols = np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a])
    values = np.concatenate([g, g, -g, -g])
    matrix = coo_matrix((values, (rows, cols)), (count, count)).tocsc()[1:, 1:]
    drive = np.eye(count - 1, ports - 1)
    factor = splu(
        matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
    )
    found: Floats = factor.solve(drive)[: ports - 1]
    return 0.5 * (found + found.T)


def _lines(corners: set[int], edges: set[int]) -> Floats:
    """Return grid lines through all marks; a gap between close port edges stays whole."""
    fixed = sorted(corners | edges)
    gaps = [b - a for a, b in pairwise(fixed)]
    lines: list[float] = []
    for k, (a, b) in enumerate(pairwise(fixed)):
        near = [float(min(gaps[max(k - 1, 0) : k + 1])), float(min(gaps[k : k + 2]))]
        for end, at in enumerate((a, b)):
            if at in corners:
                near[end] = min(near[end], (b - a) / _STEPS)
        lines += list(a + np.concatenate([[0.0], np.cumsum(_steps(float(b - a), *near))[:-1]]))
    lines.append(float(fixed[-1]))
    return np.array(lines)


def _steps(length: float, first: float, last: float) -> Floats:
    """Return steps over a gap that grow from both ends towards the middle."""
    most = max(length / _COARSEST, min(first, last))
    up, down, done = [min(first, length)], [min(last, length)], min(first, length)
    if done >= length:
        return np.array([length])
    done += down[-1]
    while done < length:
        side = up if up[-1] <= down[-1] else down
        side.append(min(side[-1] * _GROWTH, most))
        done += side[-1]
    grown = np.array([*up, *down[::-1]])
    steps: Floats = grown * (length / grown.sum())
    return steps


def _cell(port: SheetPort, filled: Bools, x: Floats, y: Floats) -> tuple[int, int]:
    """Return the rectangle at the centre of a patch, or the largest one where that is no metal."""
    x1, y1, x2, y2 = port.box
    i = int(np.searchsorted(x, (x1 + x2) / 2, side="right")) - 1
    j = int(np.searchsorted(y, (y1 + y2) / 2, side="right")) - 1
    if 0 <= i < filled.shape[0] and 0 <= j < filled.shape[1] and filled[i, j]:
        return i, j
    i1, i2 = np.searchsorted(x, [x1 - 0.25, x2 - 0.25])
    j1, j2 = np.searchsorted(y, [y1 - 0.25, y2 - 0.25])
    area = np.diff(x)[i1:i2, None] * np.diff(y)[None, j1:j2] * filled[i1:i2, j1:j2]
    if not area.any():
        raise CrossStackError(f"port {port.box} does not touch its shape")
    best = np.unravel_index(int(area.argmax()), area.shape)
    return int(i1 + best[0]), int(j1 + best[1])


def _along(
    node: Ints,
    filled: Bools,
    x: Floats,
    y: Floats,
    slices: list[tuple[int, tuple[int, int, int, int]]],
    first: int,
) -> list[tuple[Edge, Place]]:
    """Return the resistors along x, and from where to where they lead.

    A slice across x parts the two rectangles beside it.

    Those beside each other from one edge of the metal to the other lie on one straight cut: they
    have its length, and a number from `first` on.
    """
    dx, dy = np.diff(x), np.diff(y)
    at_x, at_y = (x[:-1] + x[1:]) / 2, (y[:-1] + y[1:]) / 2
    joined = filled[:-1] & filled[1:]
    edges: list[tuple[Edge, Place]] = []
    for number, (x1, y1, x2, y2) in slices:
        if x1 != x2:
            continue
        at = int(np.searchsorted(x, x1 - 0.25))
        low, high = np.searchsorted(y, [y1 - 0.25, y2 - 0.25])
        for i in (at - 1, at):
            if not 0 <= i < len(dx):
                continue
            beside = np.zeros_like(filled[:1])
            beside[0, low:high] = filled[i, low:high]
            run, length = _runs(beside, dy)
            for j in np.flatnonzero(beside[0]):
                squares = float(dx[i] / 2 / dy[j])
                at_run = first + int(run[0, j])
                edge = Edge(number, int(node[i, j]), squares, float(length[0, j]), at_run, STRIP)
                edges.append((edge, (float(x1), at_y[j], at_x[i], at_y[j])))
            first += int(run.max(initial=-1)) + 1
        if 0 < at < len(dx):
            joined[at - 1, low:high] = False
    p, q = np.nonzero(joined)
    squares_of = (dx[p] + dx[p + 1]) / 2 / dy[q]
    run, length = _runs(joined, dy)
    rows = zip(
        node[p, q].tolist(),
        node[p + 1, q].tolist(),
        squares_of.tolist(),
        length[p, q].tolist(),
        (first + run[p, q]).tolist(),
        strict=True,
    )
    ends = zip(at_x[p], at_y[q], at_x[p + 1], at_y[q], strict=True)
    return [*edges, *((Edge(*row, STRIP), at) for row, at in zip(rows, ends, strict=True))]


def _chords(filled: Bools, y: Floats) -> Floats:
    """Return how long the metal is along the second axis through each rectangle, 0 off it."""
    _, length = _runs(filled, np.diff(y))
    return np.where(filled, length, 0.0)


def _runs(joined: Bools, dy: Floats) -> tuple[Ints, Floats]:
    """Return the number of the unbroken run along the second axis that each joint is in.

    Returns:
        (number from 0, without a meaning where nothing is joined; length of the run).
    """
    begins = joined & ~np.pad(joined, ((0, 0), (1, 0)))[:, :-1]
    run = (np.cumsum(begins.ravel()) - 1).reshape(joined.shape)
    length = np.bincount(run[joined], np.broadcast_to(dy, joined.shape)[joined])
    return run, length[np.maximum(run, 0)] if len(length) else np.zeros(joined.shape)
