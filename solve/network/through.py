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
        self._meshes: list[_Mesh] = []
        for first, last in pairwise(ends):
            mine = wide[first:last]
            # the lines of an array are alike, and so are their meshes
            low = min(int(a[mine].min()), int(b[mine].min()))
            near = np.stack([a[mine], b[mine]]) - low
            key = near.tobytes() + width_um[mine].tobytes()
            if key not in known:
                p, q, wide_um = near[0], near[1], width_um[mine]
                known[key] = [_Mesh(m, p[m], q[m], wide_um[m]) for m in _meshes(p, q)]
            self._meshes += [mesh.at(mine[mesh.edges]) for mesh in known[key]]
        self._mesh_at = {int(mesh.edges[0]): mesh for mesh in self._meshes}

    def __call__(self, current: Floats) -> Floats:
        """Return the current through the narrow place of every resistor, A, not negative.

        Args:
            current: from `a` to `b` of every resistor, A.
        """
        out = np.abs(current)
        for mesh in self._meshes:
            out[mesh.edges] = mesh.through(current[mesh.edges])
        return out

    def part(self, edges: Ints) -> Throughs:
        """Return the same for some resistors, numbered anew; they hold whole meshes only."""
        found = copy(self)
        place = {int(e): k for k, e in enumerate(edges)}
        found._meshes = []
        for e in self._mesh_at.keys() & place.keys():
            mesh = self._mesh_at[e]
            mine = np.array([place[int(k)] for k in mesh.edges], dtype=np.int64)
            found._meshes.append(mesh.at(mine))
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

    def at(self, edges: Ints) -> _Mesh:
        """Return the same mesh of other resistors."""
        found = copy(self)
        found.edges = edges
        return found

    def through(self, current: Floats) -> Floats:
        """Return the current through the narrow place of every resistor of the mesh."""
        out = np.abs(current)
        leaves = np.bincount(self.a, current, self.n) - np.bincount(self.b, current, self.n)
        for mine, group in self.levels:
            total = np.bincount(group, leaves)
            first, second = total[group[self.a[mine]]], total[group[self.b[mine]]]
            above, below = total[total > 0].sum(), total[total < 0].sum()
            # one side: the first end's group, and whichever others make it most
            most = first + above - np.maximum(first, 0) - np.maximum(second, 0)
            least = first + below - np.minimum(first, 0) - np.minimum(second, 0)
            apart = group[self.a[mine]] != group[self.b[mine]]
            found = np.maximum(most, -least)
            out[mine] = np.where(apart, found, out[mine])
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
