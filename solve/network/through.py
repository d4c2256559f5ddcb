"""How much current passes the narrow place that limits a piece of wire.

A stretch of line is one resistor, and its current is what passes its width. A pad, a bend or a tab
with many contacts is a mesh of resistors, all between all of its ends, and the width of each is
that of a straight cut that it crosses. Through that cut flows what all resistors across it carry
together. Where the network says which resistors cross which cuts (`Network.resistor_crosses`), that
is counted, for every cut of the piece. Where it does not, cuts no longer than a width part the ends
into groups; the cut in question has some of them on one side, and the largest current counts that
any of them could part: never too little, but for a wide piece with narrow ends many times too much.
(A ring of wires that is left with three nodes looks like a mesh, too, and counts as if one of its
sides carried everything.)
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from ...base.errors import NetworkError
from .network import PARTINGS, STRIP

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: widths that differ by less are the same
_SAME = 1e-9


class Throughs:
    """The meshes among resistors, for any number of solutions."""

    def __init__(
        self,
        a: Ints,
        b: Ints,
        kind: Ints,
        width_um: Floats,
        parting: Ints | None = None,
        crosses: Ints | None = None,
    ) -> None:
        """Find the meshes.

        Args:
            a: first node of each resistor.
            b: second node.
            kind: equal numbers for resistors of one net and layer.
            width_um: width of a cut between the two nodes; nan for contacts and vias.
            parting: which cut that is, of which piece (`Network.resistor_parting`).
            crosses: the cuts that each resistor crosses (`Network.resistor_crosses`).
        """
        if parting is None or crosses is None:
            parting, crosses = np.full(len(a), -1), np.zeros(len(a), dtype=np.int64)
        wide = np.flatnonzero(np.isfinite(width_um) & (a != b))
        wide = wide[np.argsort(kind[wide], kind="stable")]
        ends = np.flatnonzero(np.diff(kind[wide], prepend=np.nan, append=np.nan))
        known: dict[bytes, list[_Mesh | _Piece | _Strips]] = {}
        alike: dict[bytes, list[Ints]] = {}
        for first, last in pairwise(ends):
            mine = wide[first:last]
            # the lines of an array are alike, and so are their meshes
            low = min(int(a[mine].min()), int(b[mine].min()))
            near = np.stack([a[mine], b[mine]]) - low
            told = parting[mine], crosses[mine]
            key = near.tobytes() + width_um[mine].tobytes() + told[0].tobytes() + told[1].tobytes()
            if key not in known:
                known[key] = [*_places(near[0], near[1], width_um[mine], *told)]
            alike.setdefault(key, []).append(mine)
        #: mesh, and the resistors of all that are like it, shape (of one, of them all)
        self._meshes: list[tuple[_Mesh | _Piece | _Strips, Ints]] = [
            (mesh, np.stack(several)[:, mesh.edges].T)
            for key, several in alike.items()
            for mesh in known[key]
        ]

    def __call__(self, current: Floats) -> Floats:
        """Return the current through the narrow place of every resistor, A, not negative.

        Args:
            current: from `a` to `b` of every resistor, A; of several solutions side by side,
                shape (resistors, solutions).
        """
        out = np.abs(current)
        for mesh, edges in self._meshes:
            found = mesh.through(current[edges].reshape(len(edges), -1))
            out[edges] = found.reshape(*edges.shape, *current.shape[1:])
        return out

    def part(self, edges: Ints) -> Throughs:
        """Return the same for some resistors, numbered anew; they hold whole meshes only."""
        found = copy(self)
        found._meshes = []
        order = np.argsort(edges, kind="stable")
        for mesh, all_edges in self._meshes:
            at = np.minimum(np.searchsorted(edges[order], all_edges), len(edges) - 1)
            mine = (edges[order][at] == all_edges).all(axis=0)
            if mine.any():
                found._meshes.append((mesh, order[at[:, mine]]))
        return found


def _places(
    a: Ints, b: Ints, width_um: Floats, parting: Ints, crosses: Ints
) -> Iterator[_Mesh | _Piece | _Strips]:
    """Yield what of a net's layer resistors carry together."""
    strips = np.flatnonzero(crosses == STRIP)
    if len(strips):
        yield _Strips(strips, parting[strips])
    told = np.flatnonzero((parting >= 0) & (crosses != STRIP))
    told = told[np.argsort(parting[told], kind="stable")]
    piece = parting[told] // PARTINGS
    for mine in np.split(told, np.flatnonzero(np.diff(piece)) + 1) if len(told) else ():
        side_a, side_b = _sides(a[mine], b[mine], crosses[mine])
        yield _Piece(mine, side_a, side_b, parting[mine] % PARTINGS)
    left = np.flatnonzero(parting < 0)
    for m in _meshes(a[left], b[left]) if len(left) else ():
        yield _Mesh(left[m], a[left[m]], b[left[m]], width_um[left[m]])


def _sides(a: Ints, b: Ints, crosses: Ints) -> tuple[Ints, Ints]:
    """Return on which side of each cut both ends of every resistor of a piece lie, a bit each.

    Raises:
        NetworkError: if they do not hang together, or contradict each other.
    """
    nodes, ends = np.unique(np.concatenate([a, b]), return_inverse=True)
    first, second = np.split(ends.ravel(), 2)
    near: list[list[tuple[int, int]]] = [[] for _ in nodes]
    for p, q, bits in zip(first.tolist(), second.tolist(), crosses.tolist(), strict=True):
        near[p].append((q, bits))
        near[q].append((p, bits))
    side, todo = {0: 0}, [0]
    while todo:
        here = todo.pop()
        for other, bits in near[here]:
            if other not in side:
                side[other] = side[here] ^ bits
                todo.append(other)
    every = np.array([side.get(n, 0) for n in range(len(nodes))], dtype=np.int64)
    if len(side) < len(nodes) or (every[first] ^ every[second] != crosses).any():
        raise NetworkError("resistor_crosses: the cuts of a piece of wire do not part its ends")
    return every[first], every[second]


class _Piece:
    """Resistors between all ends of one piece, of which is known which cuts they cross."""

    def __init__(self, edges: Ints, side_a: Ints, side_b: Ints, cut: Ints) -> None:
        """Take resistors, the sides of the cuts that their ends lie on, and whose cut each is."""
        self.edges = edges
        bit_a, bit_b = (side[None, :] >> cut[:, None] & 1 for side in (side_a, side_b))
        self._across = csr_matrix((bit_b - bit_a).astype(np.float64))

    def through(self, current: Floats) -> Floats:
        """Return the current through the cut of every resistor; see `_Mesh.through`."""
        return np.asarray(np.abs(self._across @ current))


class _Strips:
    """Strips of grids, of which those side by side carry what passes the cut that they lie on."""

    def __init__(self, edges: Ints, run: Ints) -> None:
        """Take strips, and equal numbers for those of one cut."""
        self.edges = edges
        runs, self._run = np.unique(run, return_inverse=True)
        every = np.arange(len(edges))
        self._sum = csr_matrix((np.ones(len(edges)), (self._run, every)), (len(runs), len(edges)))

    def through(self, current: Floats) -> Floats:
        """Return the current through the cut of every strip; see `_Mesh.through`."""
        return np.asarray(np.abs(self._sum @ current)[self._run])


class _Mesh:
    """Resistors between all ends of one piece, and the groups that its cuts part."""

    def __init__(self, edges: Ints, a: Ints, b: Ints, width_um: Floats) -> None:
        self.edges = edges
        nodes, ends = np.unique(np.concatenate([a, b]), return_inverse=True)
        self.n, (self.a, self.b) = len(nodes), np.split(ends, 2)
        self.levels: list[tuple[Ints, Ints]] = []
        left = np.ones(len(edges), dtype=bool)
        for width in np.unique(width_um):
            mine = np.flatnonzero(left & (width_um <= width * (1 + _SAME)))
            left[mine] = False
            graph = coo_matrix((np.ones(left.sum()), (self.a[left], self.b[left])), (self.n,) * 2)
            if len(mine):
                group = connected_components(graph, directed=False)[1].astype(np.int64)
                self.levels.append((mine, group))

    def through(self, current: Floats) -> Floats:
        """Return the current through the narrow place of every resistor of the mesh.

        Args:
            current: of its resistors in several solutions or equal meshes, A, shape
                (resistors, solutions).
        """
        out = np.abs(current)
        ones, every = np.ones(len(self.a)), np.arange(len(self.a))
        leave = coo_matrix(
            (np.r_[ones, -ones], (np.r_[self.a, self.b], np.r_[every, every])),
            (self.n, len(every)),
        ).tocsr()
        leaves = leave @ current
        for mine, group in self.levels:
            ends = np.arange(self.n)
            gather = coo_matrix((np.ones(self.n), (group, ends)), (group.max() + 1, self.n)).tocsr()
            total = gather @ leaves
            first, second = total[group[self.a[mine]]], total[group[self.b[mine]]]
            above, below = np.maximum(total, 0).sum(axis=0), np.minimum(total, 0).sum(axis=0)
            # one side: the first end's group, and whichever others make it most
            most = first + above - np.maximum(first, 0) - np.maximum(second, 0)
            least = first + below - np.minimum(first, 0) - np.minimum(second, 0)
            apart = group[self.a[mine]] != group[self.b[mine]]
            out[mine] = np.where(apart[:, None], np.maximum(most, -least), out[mine])
        return out


def _meshes(a: Ints, b: Ints) -> Iterator[Ints]:
    """Yield the resistors of each mesh of a net's layer: those that hang together by triangles."""
    nodes, ends = np.unique(np.concatenate([a, b]), return_inverse=True)
    first, second = np.split(ends.ravel(), 2)
    n = len(nodes)
    graph: csr_matrix = coo_matrix(
        (np.ones(2 * len(a)), (np.r_[first, second], np.r_[second, first])), (n, n)
    ).tocsr()
    graph.data[:] = 1.0
    common = (graph @ graph).multiply(graph).tocsr()
    some = np.asarray(common[first, second]).ravel() > 0
    edges = np.flatnonzero(some)
    number = {(int(p), int(q)): k for k, p, q in _both(edges, first, second)}
    near: dict[int, set[int]] = {}
    for p, q in number:
        near.setdefault(p, set()).add(q)
    pairs = [
        (number[p, q], number[side])
        for p, q in number
        if p < q
        for r in near[p] & near[q]
        for side in ((p, r), (q, r))
    ]
    if not pairs:
        return
    x, y = np.array(pairs).T
    label = connected_components(coo_matrix((np.ones(len(x)), (x, y)), (len(a),) * 2))[1]
    for one in np.unique(label[edges]):
        yield edges[label[edges] == one]


def _both(edges: Ints, first: Ints, second: Ints) -> Iterator[tuple[int, int, int]]:
    for k in edges.tolist():
        yield k, int(first[k]), int(second[k])
        yield k, int(second[k]), int(first[k])
