"""Exact sheet: the potential in a shape, and the resistances between its ports.

The sheet equation is solved on a rectangular grid whose lines run through every corner of
the shape and every port edge, refined towards them because the field is singular at
re-entrant corners. Every grid rectangle adds half its width to the conductance of its four
sides, so all conductances are positive whatever the shape and its holes. Edges off the axes cut
grid cells; see `angled`.

A port is either a *slice* (an equipotential cross-section: a cut line, a pin) or a *patch*
(a contact, via or device). A patch takes its current evenly over its area and its voltage is
the mean over its area. That is right where the specific resistance of what stands on the
patch is high against the sheet: the transfer length sqrt(rho / Rs) is 1.8 um for a foundry
via, 0.8 um for a module via and 150 um for a 10 kohm memristor of 1 um2, while vias are
0.26 um wide. An equipotential patch would short the sheet below it instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import klayout.db as db
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix, vstack
from scipy.sparse.csgraph import connected_components

from ...pdk import CrossStackError
from ...solve.circuit.factors import symmetric_factor
from .angled import Bools, Floats, corner_points, cut_cells, edges_of, refined

#: grid steps over the narrowest feature next to a corner, and growth away from it
_STEPS, _GROWTH, _COARSEST = 96, 1.3, 10
#: points of a grid from which on its steps grow faster, and by how much at the most: half a million
#: take 0.7 GB. Shapes that we draw have 0.1 million; more come from very many corners
_MOST_POINTS, _MOST_COARSE = 200_000, 4
#: ports whose fields are solved side by side
_TOGETHER = 16


@dataclass(frozen=True)
class SheetPort:
    """A port of a shape, in dbu.

    Attributes:
        box: area of a patch; a box without width or height is a slice.
    """

    box: tuple[int, int, int, int]

    @property
    def is_slice(self) -> bool:
        """True for an equipotential cross-section."""
        x1, y1, x2, y2 = self.box
        return x1 == x2 or y1 == y2


def _axis(corners: set[int], edges: set[int], coarse: int) -> Floats:
    """Return grid lines through all marks, graded towards the shape's corners.

    Args:
        corners: coordinates of the shape's corners, where the field may be singular.
        edges: coordinates of port edges, where it is not.
        coarse: how much faster steps grow than usual, and how much longer they may become.
    """
    fixed = sorted(corners | edges)
    smallest = min(b - a for a, b in pairwise(fixed))
    gaps = [b - a for a, b in pairwise(fixed)]
    lines: list[float] = []
    for k, (a, b) in enumerate(pairwise(fixed)):
        # at a corner the gap's own size sets the first step, at a port edge both gaps'
        fine = max(smallest, (b - a) / 8) / _STEPS
        near_a = min(gaps[max(k - 1, 0) : k + 1]) / _COARSEST
        near_b = min(gaps[k : k + 2]) / _COARSEST
        up = _graded((b - a) / 2, fine if a in corners else near_a, coarse)
        down = _graded((b - a) / 2, fine if b in corners else near_b, coarse)
        lines += [a, *(a + up), *(b - down[-2::-1])]
    lines.append(fixed[-1])
    return np.array(lines)


def _graded(length: float, first: float, coarse: int) -> Floats:
    """Return the distances of growing steps that end at `length`."""
    steps = [first]
    while sum(steps) < length:
        steps.append(min(steps[-1] * _GROWTH**coarse, 2 * coarse * length / _COARSEST))
    distances: Floats = np.cumsum(steps) * (length / sum(steps))
    return distances


def inside(polygon: db.Polygon, x: Floats, y: Floats) -> Bools:
    """Return which grid rectangles lie in the polygon, shape (len(x) - 1, len(y) - 1)."""
    filled = np.zeros((len(x) - 1, len(y) - 1), dtype=bool)
    for piece in polygon.decompose_trapezoids(db.Polygon.TD_simple):
        b = piece.bbox()
        i = np.searchsorted(x, [b.left - 0.25, b.right - 0.25])
        j = np.searchsorted(y, [b.bottom - 0.25, b.top - 0.25])
        filled[i[0] : i[1], j[0] : j[1]] = True
    return filled


def _conductances(filled: Bools, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return conductances of the grid edges along x and along y for a sheet of 1 ohm/sq."""
    dx, dy = np.diff(x), np.diff(y)
    along_x = np.zeros((len(dx), len(y)))
    ratio = filled * (dy[None, :] / dx[:, None]) / 2
    along_x[:, :-1] += ratio
    along_x[:, 1:] += ratio
    along_y = np.zeros((len(x), len(dy)))
    ratio = filled * (dx[:, None] / dy[None, :]) / 2
    along_y[:-1, :] += ratio
    along_y[1:, :] += ratio
    return along_x, along_y


def _weights(port: SheetPort, filled: Bools, x: Floats, y: Floats) -> Floats:
    """Return each node's share of a patch."""
    x1, y1, x2, y2 = port.box
    i = np.searchsorted(x, [x1 - 0.25, x2 - 0.25])
    j = np.searchsorted(y, [y1 - 0.25, y2 - 0.25])
    area: Floats = np.zeros(filled.shape)
    cells: Floats = np.diff(x)[:, None] * np.diff(y)[None, :] * filled
    area[i[0] : i[1], j[0] : j[1]] = cells[i[0] : i[1], j[0] : j[1]]
    nodes: Floats = np.zeros((len(x), len(y)))
    for di in (0, 1):
        for dj in (0, 1):
            nodes[di : di + area.shape[0], dj : dj + area.shape[1]] += area / 4
    total = nodes.sum()
    if not total > 0:
        raise CrossStackError(f"port {port.box} does not touch its shape")
    share: Floats = nodes.ravel() / total
    return share


def _grid(
    polygon: db.Polygon, ports: list[SheetPort]
) -> tuple[Floats, Floats, Bools, Floats, Floats]:
    """Return the grid lines, which rectangles are metal, and the conductances along x and y."""
    straight = polygon.is_rectilinear()
    if straight:
        points = list(polygon.each_point_hull())
        for hole in range(polygon.holes()):
            points += polygon.each_point_hole(hole)
    else:
        points = list(corner_points(polygon))
    corners = {p.x for p in points}, {p.y for p in points}
    sides = tuple({c for p in ports for c in p.box[axis::2]} for axis in (0, 1))
    edges = None if straight else edges_of(polygon)
    coarse = 1
    while True:
        x, y = (_axis(*marks, coarse) for marks in zip(corners, sides, strict=True))
        if edges is not None:
            x, y = (refined(z, edges, polygon, axis) for axis, z in enumerate((x, y)))
        if len(x) * len(y) <= _MOST_POINTS or coarse >= _MOST_COARSE:
            break
        coarse *= 2
    if edges is not None:
        return (x, y, *cut_cells(edges, x, y))
    filled = inside(polygon, x, y)
    return (x, y, filled, *_conductances(filled, x, y))


def sheet_impedance(polygon: db.Polygon, ports: list[SheetPort]) -> Floats:
    """Return the impedance matrix in squares between ports, port 0 as the reference.

    Args:
        polygon: shape in dbu; holes are allowed, and edges at any angle (see `angled`).
        ports: two or more ports.

    Returns:
        Z of shape (k - 1, k - 1): voltage of port i + 1 per ampere into port j + 1 and out
        of port 0, for a sheet of 1 ohm/sq. Symmetric and positive definite.

    Raises:
        CrossStackError: if a port lies beside the shape.
    """
    x, y, filled, along_x, along_y = _grid(polygon, ports)
    number = np.arange(len(x) * len(y)).reshape(len(x), len(y))
    a = np.concatenate([number[:-1, :].ravel(), number[:, :-1].ravel()])
    b = np.concatenate([number[1:, :].ravel(), number[:, 1:].ravel()])
    g = np.concatenate([along_x.ravel(), along_y.ravel()])
    keep = g > 0
    group, loads = _merge_slices(ports, filled, x, y, number)
    return _reduce(group[a[keep]], group[b[keep]], g[keep], loads)


def _merge_slices(
    ports: list[SheetPort], filled: Bools, x: Floats, y: Floats, number: NDArray[np.int64]
) -> tuple[NDArray[np.int64], csr_matrix]:
    """Return the merged node of every grid node, and the current pattern of every port.

    Patterns are kept sparse: a shape of a hundred ports may have a quarter million nodes.
    """
    group = np.arange(number.size)
    slices = []
    for port in ports:
        if not port.is_slice:
            continue
        x1, y1, x2, y2 = port.box
        i = np.searchsorted(x, [x1 - 0.25, x2 + 0.25])
        j = np.searchsorted(y, [y1 - 0.25, y2 + 0.25])
        nodes = number[i[0] : i[1], j[0] : j[1]].ravel()
        group[nodes] = group[nodes].min()
        slices.append(nodes[0])
    heads = iter(slices)
    rows = []
    for port in ports:
        if port.is_slice:
            nodes, shares = group[[next(heads)]], np.ones(1)
        else:
            spread = _weights(port, filled, x, y)
            hit = np.flatnonzero(spread)
            nodes, shares = group[hit], spread[hit]
        rows.append(csr_matrix((shares, (np.zeros_like(nodes), nodes)), (1, number.size)))
    return group, csr_matrix(vstack(rows))


def _spread(loads: csr_matrix, used: NDArray[np.int64]) -> csr_matrix:
    shape = loads.shape[0], int(used[-1]) + 1
    return csr_matrix((loads.data, used[loads.indices], loads.indptr), shape)


def _reduce(a: NDArray[np.int64], b: NDArray[np.int64], g: Floats, loads: csr_matrix) -> Floats:
    """Solve the grid for every port and return the impedance matrix."""
    used = np.unique(np.concatenate([a, b]))
    index = np.full(loads.shape[1], -1)
    index[used] = np.arange(len(used))
    if loads.data[index[loads.indices] < 0].sum() > 1e-9:
        raise CrossStackError("a port does not touch its shape")
    a, b, loads = index[a], index[b], loads[:, used]
    n = len(used)
    links = coo_matrix((np.ones(len(a)), (a, b)), (n, n))
    count, part = connected_components(links, directed=False)
    if count > 1:
        carrying = np.unique(part[loads.indices])
        if len(carrying) > 1:
            raise CrossStackError("the shape falls apart between its ports")
        # the tip of an acute corner that the grid parts from the rest
        keep = (part[a] == carrying[0]) & (part[b] == carrying[0])
        return _reduce(used[a[keep]], used[b[keep]], g[keep], _spread(loads, used))
    rows = np.concatenate([a, b, a, b])
    cols = np.concatenate([b, a, a, b])
    matrix = coo_matrix((np.concatenate([-g, -g, g, g]), (rows, cols)), (n, n)).tocsc()
    ground = int(loads[0].toarray().argmax())
    free = np.flatnonzero(np.arange(n) != ground)
    factor = symmetric_factor(matrix[free][:, free])
    ones = csr_matrix(np.ones((loads.shape[0] - 1, 1)))
    drive = csr_matrix(loads[1:] - ones @ loads[0])[:, free]
    z: Floats = np.empty((drive.shape[0],) * 2)
    for first in range(0, len(z), _TOGETHER):
        some = slice(first, first + _TOGETHER)
        z[:, some] = drive @ factor.solve(drive[some].T.toarray())
    return (z + z.T) / 2
