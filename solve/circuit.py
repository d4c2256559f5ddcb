"""A circuit: edges between nodes, shorts merged, pieces that nothing drives found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ..base.errors import DriveError

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
