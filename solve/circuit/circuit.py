"""A circuit: edges between nodes, shorts merged, pieces that nothing drives found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ...base.errors import DriveError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Flow:
    """What one drive does in a circuit.

    Attributes:
        volts: of every merged node, shape (n_groups,), V; floating pieces are pinned at 0 V.
        drops: from a to b over every edge of the circuit, V, each to its own last digits.
        amps: through every edge from a to b, A.
        out: current that leaves every held node, shape (n_groups,), A; elsewhere what is left over.
    """

    volts: Floats
    drops: Floats
    amps: Floats
    out: Floats


@dataclass(frozen=True, eq=False)
class Circuit:
    """A merged circuit, ready to be solved for any held voltages.

    Attributes:
        group: merged node of every original node, shape (n_nodes,).
        n_groups: number of merged nodes.
        a, b, g: edges between different merged nodes, 0 < g < inf, in siemens.
        edge: index of each kept edge among the edges handed in.
        held: merged nodes with a known voltage, shape (n_groups,) bool.
        floating: merged nodes that no path connects to a held one, shape (n_groups,) bool.
        island: connected piece of every merged node, shape (n_groups,).
        weak: edges that couple what they join by little, without which it falls into parts that
            are solved in no time; None if nobody knows of any.
    """

    group: Ints
    n_groups: int
    a: Ints
    b: Ints
    g: Floats
    edge: Ints
    held: NDArray[np.bool_]
    floating: NDArray[np.bool_]
    island: Ints
    weak: Ints | None = None

    @property
    def free(self) -> Ints:
        """Merged nodes whose voltage is unknown."""
        return np.flatnonzero(~self.held & ~self.floating)

    def gathered(self, amps: Floats) -> Floats:
        """Current that leaves every merged node, in A, for the currents of all edges."""
        out = np.bincount(self.a, amps, self.n_groups).astype(np.float64)
        out -= np.bincount(self.b, amps, self.n_groups)
        return out

    def outflow(self, volts: Floats) -> Floats:
        """Current that leaves every merged node through its edges, in A."""
        return self.gathered(self.g * (volts[self.a] - volts[self.b]))

    def flow(self, volts: Floats, fine: Floats) -> Flow:
        """Currents for voltages of two parts, both shape (n_groups,)."""
        drops = (volts[self.a] - volts[self.b]) + (fine[self.a] - fine[self.b])
        amps = self.g * drops
        return Flow(volts + fine, drops, amps, self.gathered(amps))

    def long_flow(self, volts: Floats, fine: Floats) -> Flow:
        """As `flow`, with sums in the longest numbers that the machine has."""
        long = np.longdouble
        volt, rest = volts.astype(long), fine.astype(long)
        drops = (volt[self.a] - volt[self.b]) + (rest[self.a] - rest[self.b])
        amps = self.g * drops
        out = np.zeros(self.n_groups)
        order, first, nodes = self._by_node
        if len(nodes):
            both = np.concatenate([amps, -amps])[order]
            out[nodes] = np.add.reduceat(both, first)
        return Flow(volts + fine, drops.astype(np.float64), amps.astype(np.float64), out)

    @cached_property
    def _by_node(self) -> tuple[Ints, Ints, Ints]:
        """Ends of edges in the order of their nodes, the first of each node, and the nodes."""
        ends = np.concatenate([self.a, self.b])
        order = np.argsort(ends, kind="stable")
        nodes, first = np.unique(ends[order], return_index=True)
        return order, first, nodes


def join(n_nodes: int, a: Ints, b: Ints) -> tuple[int, Ints]:
    """Connected pieces of a graph: (number, label of every node)."""
    ones = np.ones(len(a), dtype=np.int8)
    graph = coo_matrix((ones, (a, b)), (n_nodes, n_nodes))
    count, label = connected_components(graph, directed=False)
    return int(count), label


def prepare(n_nodes: int, a: Ints, b: Ints, g: Floats, held_nodes: Ints) -> Circuit:
    """Merge shorts, drop opens and find the pieces that nothing drives.

    Args:
        n_nodes: number of nodes.
        a: one end of every edge.
        b: its other end.
        g: conductance of every edge in S, 0 (open) to inf (short).
        held_nodes: nodes that will be held at known voltages.

    Returns:
        The merged circuit.
    """
    short = np.isinf(g)
    n_groups, group = join(n_nodes, a[short], b[short])
    ga, gb = group[a], group[b]
    edge = np.flatnonzero((ga != gb) & (g > 0) & ~short)
    ga, gb = ga[edge].astype(np.int64), gb[edge].astype(np.int64)
    held = np.zeros(n_groups, dtype=bool)
    held[group[held_nodes]] = True
    n_islands, island = join(n_groups, ga, gb)
    driven = np.zeros(n_islands, dtype=bool)
    driven[island[held]] = True
    return Circuit(group, n_groups, ga, gb, g[edge], edge, held, ~driven[island], island)


def currentless(circuit: Circuit) -> NDArray[np.bool_]:
    """Edges that carry nothing at any drive: on no path from one held node to another.

    With one more node that joins all held ones, these are the edges behind a cut vertex, by
    Tarjan's low points: parts that hang on one node, and floating pieces.

    Returns:
        True for every such edge of the circuit.
    """
    root = circuit.n_groups
    held = np.flatnonzero(circuit.held)
    a = np.concatenate([circuit.a, np.full(len(held), root)])
    b = np.concatenate([circuit.b, held])
    ones = np.ones(2 * len(a), dtype=np.int8)
    ends = (np.concatenate([a, b]), np.concatenate([b, a]))
    graph = coo_matrix((ones, ends), (root + 1, root + 1)).tocsr()
    order, above = _depth_first(graph.indptr.tolist(), graph.indices.tolist(), root)
    seen = np.full(root + 1, root + 1)
    seen[order] = np.arange(len(order))
    low = np.full(root + 1, root + 1)
    np.minimum.at(low, ends[0], seen[ends[1]])  # earliest neighbour, of the subtree below
    for node in reversed(order[1:]):
        low[above[node]] = min(low[above[node]], low[node])
    behind = np.ones(root + 1, dtype=bool)  # what the search does not reach floats
    behind[root] = False
    for node in order[1:]:
        over = above[node]
        behind[node] = behind[over] or (over != root and low[node] >= seen[over])
    out: NDArray[np.bool_] = behind[circuit.a] | behind[circuit.b]
    return out


def _depth_first(start: list[int], near: list[int], root: int) -> tuple[list[int], list[int]]:
    """Nodes in the order in which a depth-first search meets them, and who each was met from.

    Args:
        start: where each node's neighbours begin in `near`, as in a CSR matrix.
        near: neighbours.
        root: where to begin.
    """
    above = [-1] * (len(start) - 1)
    above[root] = root
    order, path, at = [root], [root], start[:-1]
    while path:
        node = path[-1]
        if at[node] == start[node + 1]:
            path.pop()
            continue
        other = near[at[node]]
        at[node] += 1
        if above[other] < 0:
            above[other] = node
            order.append(other)
            path.append(other)
    return order, above


def held_voltages(circuit: Circuit, nodes: dict[str, int], volts: dict[str, float]) -> Floats:
    """Spread named voltages over the merged nodes.

    Args:
        circuit: the merged circuit.
        nodes: node of every name in `volts`.
        volts: voltage of every name.

    Returns:
        Shape (n_groups,), 0 where nothing is held.

    Raises:
        DriveError: if shorts join two names that are held at different voltages.
    """
    out = np.zeros(circuit.n_groups)
    owner: dict[int, str] = {}
    for name, volt in volts.items():
        group = int(circuit.group[nodes[name]])
        first = owner.setdefault(group, name)
        if volts[first] != volt:
            raise DriveError(
                f"ports {first!r} ({volts[first]} V) and {name!r} ({volt} V) are shorted together"
            )
        out[group] = volt
    return out
