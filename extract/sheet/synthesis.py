"""From an impedance matrix to positive resistors.

A mean over a patch is not a point of the sheet, so the exact star of a full-width patch has
a slightly negative leg: -1/6 square per square of patch length. A netlist must stay
passive, so such a leg is set to zero. The error is in series with the via or device only:
0.015 ohm of a 4.5 ohm via, 0.07 ohm of a 10 kohm device. What passes along the line is exact.

Each resistor also gets a width: the shortest cut that parts its two ends. In a star every cut parts
one port from the others, so a leg's width is that of its port and its current is the port's. In a
mesh several resistors pass a cut together: `solve.through` tells how much current that is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components, maximum_bipartite_matching

from ...pdk import CrossStackError
from ...solve.network.network import PARTINGS
from .narrows import Narrow

Floats = NDArray[np.float64]
#: conductances below this share of the largest one are left out
_NEGLIGIBLE = 1e-7
#: share of the largest resistance below which two ports are one place
_ONE_PLACE = 1e-4
#: steps in which patches get something in series, as a share of the largest resistance, and how
#: many for each port before all get some
_STEP, _TURNS = 0.02, 50


@dataclass(frozen=True, slots=True)
class Edge:
    """One resistor of a template: local nodes, squares, width in dbu (nan if not known).

    `parting` and `crosses` are those of a `Network`, of one piece.
    """

    a: int
    b: int
    squares: float
    width: float
    parting: int = -1
    crosses: int = 0


def synthesise(
    z: Floats, cuts: list[Narrow], one_place: float = _ONE_PLACE
) -> tuple[int, list[Edge]]:
    """Return resistors that have the impedance matrix `z`.

    Args:
        z: impedance in squares of ports 1..k-1 against port 0.
        cuts: narrow places between the ports; none leaves the widths unknown.
        one_place: share of the largest resistance below which two ports are one place.

    Returns:
        Number of nodes (ports first, then inner nodes) and the resistors.

    Raises:
        CrossStackError: if an impedance is no number; it would give no resistors at all.
    """
    if not np.isfinite(z).all():
        raise CrossStackError("a piece of wire has an impedance that is no number")
    k = len(z) + 1
    same = _same_places(z, one_place)
    if k > 3 and same != list(range(k)):
        return _synthesised_once(z, cuts, same)
    if k == 2:
        return 2, [Edge(0, 1, float(z[0, 0]), _width({0}, cuts, k))]
    if k == 3:
        centre = z[0, 1]
        legs = (centre, z[0, 0] - centre, z[1, 1] - centre)
        return 4, [
            Edge(i, 3, max(0.0, float(leg)), _width({i}, cuts, k)) for i, leg in enumerate(legs)
        ]
    g = _mesh(z)
    width = _widths(cuts, k)
    a, b = np.nonzero(np.triu(g, 1))
    rows = zip(a.tolist(), b.tolist(), 1 / g[a, b], width[a, b], strict=True)
    edges = [Edge(i, j, float(squares), float(w)) for i, j, squares, w in rows]
    return k, _parted(edges, cuts, k)


def _parted(edges: list[Edge], cuts: list[Narrow], k: int) -> list[Edge]:
    """Let every cut be the width of some resistor that crosses it, where there are enough.

    Where there are not, each keeps the shortest of those that it crosses, and no more is known.
    """
    sides = np.zeros((len(cuts), k), dtype=bool)
    for row, cut in zip(sides, cuts, strict=True):
        row[list(cut.side)] = True
    ends = np.array([(e.a, e.b) for e in edges], dtype=np.int64).reshape(-1, 2)
    crossed = sides[:, ends[:, 0]] != sides[:, ends[:, 1]]
    # what no resistor crosses carries nothing
    some = np.flatnonzero(crossed.any(axis=1))
    crossed = crossed[some]
    if not len(some) or len(some) >= PARTINGS or not crossed.any(axis=0).all():
        return edges
    whole = coo_matrix((np.ones(len(ends)), ends.T), (k, k))
    if connected_components(whole, directed=False)[0] > 1:  # a side would not be known from another
        return edges
    of_cut = maximum_bipartite_matching(csr_matrix(crossed), perm_type="column")
    if (of_cut < 0).any():
        return edges
    lengths = np.array([cuts[n].length for n in some])
    number = np.where(crossed, lengths[:, None], np.inf).argmin(axis=0)
    number[of_cut] = np.arange(len(some))
    bits = (crossed * (1 << np.arange(len(some)))[:, None]).sum(axis=0)
    return [
        replace(e, width=float(lengths[n]), parting=int(n), crosses=int(m))
        for e, n, m in zip(edges, number, bits, strict=True)
    ]


def _same_places(z: Floats, one_place: float) -> list[int]:
    """Return, for every port, the first port that is one place with it.

    As slices that cross, and the devices of both tiers, whose boxes a turn sets a step apart.
    """
    one = _apart(z) <= one_place * float(z.diagonal().max())
    return [int(np.argmax(row)) for row in one]


def _apart(z: Floats) -> Floats:
    """Return the resistance between any two ports."""
    full = np.zeros((len(z) + 1, len(z) + 1))
    full[1:, 1:] = z
    own = full.diagonal()
    apart: Floats = own[:, None] + own[None, :] - 2 * full
    return apart


def _synthesised_once(z: Floats, cuts: list[Narrow], same: list[int]) -> tuple[int, list[Edge]]:
    """Return the resistors of the different places, and joints of no resistance to the others."""
    kept = sorted(set(same))
    inner = np.array([n - 1 for n in kept[1:]], dtype=int)  # port 0 is its own first place
    less = z[np.ix_(inner, inner)]
    k = len(same)
    count, edges = synthesise(less, [], 0.0) if len(kept) > 1 else (1, [])
    #: ports keep their numbers, inner nodes follow
    number = kept + list(range(k, k + count - len(kept)))
    found = [Edge(number[e.a], number[e.b], e.squares, e.width) for e in edges]
    joints = [Edge(first, n, 0.0, float("nan")) for n, first in enumerate(same) if n != first]
    return k + count - len(kept), [*found, *joints]


def _width(port: set[int], cuts: list[Narrow], k: int) -> float:
    """Return the shortest cut that parts one port from the others."""
    others = set(range(k)) - port
    return min((cut.length for cut in cuts if cut.side in (port, others)), default=float("nan"))


def _widths(cuts: list[Narrow], k: int) -> Floats:
    """Return the shortest cut between any two ports, shape (k, k); nan where none is known."""
    width = np.full((k, k), np.inf)
    for cut in cuts:
        side = np.zeros(k, dtype=bool)
        side[list(cut.side)] = True
        apart = side[:, None] != side[None, :]
        width[apart] = np.minimum(width[apart], cut.length)
    return np.where(np.isinf(width), np.nan, width)


def _mesh(z: Floats) -> Floats:
    """Return the conductances of the complete mesh, shape (k, k).

    A patch's mean voltage is less than that at its middle, by which other ports that lie on both
    sides of it seem to be joined by less than nothing. Patches get what is missing in series, in
    small steps, those first that most of the current between such ports runs past: what is put
    in series is then little more than that takes.
    """
    y = np.linalg.inv(z)
    laplacian = np.zeros((len(z) + 1, len(z) + 1))
    laplacian[1:, 1:] = y
    laplacian[0, 1:] = laplacian[1:, 0] = -y.sum(axis=1)
    laplacian[0, 0] = y.sum()
    limit = _NEGLIGIBLE * float(laplacian.diagonal().max())
    step, turns = _STEP * _apart(z).max(), 0
    while (off := laplacian - np.diag(laplacian.diagonal())).max() > limit:
        i, j = np.unravel_index(int(off.argmax()), off.shape)
        # with `ohm` in series at a port m, i and j are joined by less by Y_im Y_mj ohm / (1 + ...)
        way = np.clip(-off[i], 0.0, None) * np.clip(-off[j], 0.0, None)
        m = int(way.argmax())
        left = float(way[m] - off[i, j] * laplacian[m, m])
        turns += 1
        if left > 0 and turns < _TURNS * len(laplacian):
            some, ohm = [m], min(step, 1.001 * float(off[i, j]) / left)
        else:  # one port does not do it; with something at all of them the mesh nears a star
            some, ohm = list(range(len(laplacian))), step
        for port in some:
            row = laplacian[port]
            laplacian = laplacian - ohm * np.outer(row, row) / (1 + ohm * row[port])
    return np.where(-off > limit, -off, 0.0)
