"""How much current passes the narrow place that limits a piece of wire.

A stretch of line is one resistor, and its current is what passes its width. A pad, a bend or a tab
with many contacts is a mesh of resistors, all between all of its ends, and the width of each is
that of the narrowest straight cut between its two ends. Through that cut flows what all resistors
across it carry together. Cuts no longer than a width part the ends into groups; the cut in
question has some of them on one side. Which ones is not kept, so the largest current counts that
any of them could part: never too little, and for a line that ends in a pad just the line's. (A
ring of wires that is left with three nodes looks like a mesh, too, and counts as if one of its
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

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: widths that differ by less are the same
_SAME = 1e-9


class Throughs:
    """The meshes among resistors, for any number of solutions."""

    def __init__(self, a: Ints, b: Ints, kind: Ints, width_um: Floats) -> None:
        """Find the meshes.

        Args:
            a: first node of each resistor.
            b: second node.
            kind: equal numbers for resistors of one net and layer.
            width_um: width of the narrowest cut between the two nodes; nan for cuts.
        """
        wide = np.flatnonzero(np.isfinite(width_um) & (a != b))
        wide = wide[np.argsort(kind[wide], kind="stable")]
        ends = np.flatnonzero(np.diff(kind[wide], prepend=np.nan, append=np.nan))
        known: dict[bytes, list[_Mesh]] = {}
        alike: dict[bytes, list[Ints]] = {}
        for first, last in pairwise(ends):
            mine = wide[first:last]
            # the lines of an array are alike, and so are their meshes
            low = min(int(a[mine].min()), int(b[mine].min()))
            near = np.stack([a[mine], b[mine]]) - low
            key = near.tobytes() + width_um[mine].tobytes()
            if key not in known:
                p, q, wide_um = near[0], near[1], width_um[mine]
                known[key] = [_Mesh(m, p[m], q[m], wide_um[m]) for m in _meshes(p, q)]
            alike.setdefault(key, []).append(mine)
        #: mesh, and the resistors of all that are like it, shape (of one, of them all)
        self._meshes: list[tuple[_Mesh, Ints]] = [
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
