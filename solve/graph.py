"""Graph preparation and the exact sparse solve shared by every irregular network.

A circuit here is edges (a, b, conductance) and nodes held at known voltages. Infinite
conductances merge their nodes, zero conductances vanish, pieces without any held node
are found and reported; the rest is one symmetric positive definite system.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csc_matrix, diags
from scipy.sparse.csgraph import connected_components, reverse_cuthill_mckee
from scipy.sparse.linalg import SuperLU, splu

from ..base.errors import DriveError

if TYPE_CHECKING:
    from .stiff import Levels

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# More sweeps never help: the residual stagnates at rounding after one or two.
MAX_SWEEPS = 5
# What may be left over in a node, as a share of the largest current.
LOST = 1e-11


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

    def outflow(self, volts: Floats) -> Floats:
        """Current that leaves every merged node through its edges, in A."""
        current = self.g * (volts[self.a] - volts[self.b])
        out = np.bincount(self.a, current, self.n_groups).astype(np.float64)
        out -= np.bincount(self.b, current, self.n_groups)
        return out


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


class Factorised:
    """The sparse factor of a circuit; one factor serves any number of drives.

    Attributes:
        name: how it solves.
        levels: corrections of the last solve, where it needed any (see `stiff`).
    """

    name = "direct"

    def __init__(self, circuit: Circuit, *, along_lines: bool = False) -> None:
        """Factor a circuit.

        Args:
            circuit: what to factor.
            along_lines: True for lines without devices between them: nodes are taken in
                their order along the lines, which is found five times faster than the
                least degree and fills in as little.
        """
        self.circuit = circuit
        self._free = circuit.free
        self._lu: _LineFactor | SuperLU | None = None
        self._exact = not along_lines
        self.levels: Levels | None = None
        if len(self._free):
            self._lu = _LineFactor(_matrix(circuit)) if along_lines else factor(circuit)

    def solve(
        self, held_volts: Floats, inject: Floats | None = None, *, sweeps: int = MAX_SWEEPS
    ) -> Floats:
        """Voltage of every merged node.

        Args:
            held_volts: shape (n_groups,); only the held entries are read.
            inject: current fed into every merged node in A, or None for none.
            sweeps: solves at the most, each of what the one before left over.

        Returns:
            Voltages in V, shape (n_groups,); floating pieces are pinned at 0 V.
        """
        circuit, free = self.circuit, self._free
        volts = np.where(circuit.held, held_volts, 0.0)
        if not len(free) or self._lu is None:
            return volts
        source = np.zeros(circuit.n_groups) if inject is None else inject
        volts, left = self._refined(volts, source, sweeps)
        if not self._exact or sweeps < MAX_SWEEPS:
            return volts
        amps = np.abs(circuit.g * (volts[circuit.a] - volts[circuit.b])).max(initial=0.0)
        if left <= LOST * amps:
            self.levels = None
            return volts
        from .stiff import Levels

        self.levels = self.levels or Levels(circuit)
        return self.levels.settle(volts, source)

    def _refined(self, volts: Floats, source: Floats, sweeps: int) -> tuple[Floats, float]:
        """Solve for what is left over until that stagnates; returns voltages and what is left."""
        assert self._lu is not None
        best, best_norm = volts, np.inf
        for _ in range(sweeps):
            # Differences of node voltages, not matrix rows: no cancellation of large sums.
            residual = (source - self.circuit.outflow(volts))[self._free]
            norm = float(np.abs(residual).max())
            if norm >= 0.5 * best_norm:
                return (best, best_norm) if best_norm <= norm else (volts, norm)
            best, best_norm = volts.copy(), norm
            volts[self._free] += self._lu.solve(residual)
        return volts, 0.5 * best_norm


class _LineFactor:
    """A factor in reverse Cuthill-McKee order."""

    def __init__(self, matrix: csc_matrix) -> None:
        self._order = reverse_cuthill_mckee(matrix, symmetric_mode=True)
        self._lu = _factor(matrix[self._order][:, self._order].tocsc(), "NATURAL")

    def solve(self, right: Floats) -> Floats:
        """Solve for one right-hand side."""
        out = np.empty_like(right)
        out[self._order] = self._lu.solve(right[self._order])
        return out


def factor(circuit: Circuit) -> SuperLU:
    """Factor of a circuit's free nodes, of which there must be some."""
    matrix = _matrix(circuit)
    try:
        return _factor(matrix, "MMD_AT_PLUS_A")
    except RuntimeError:  # a pivot was lost to rounding; what this costs, refining gives back
        return _factor(matrix + diags(1e-14 * matrix.diagonal()).tocsc(), "MMD_AT_PLUS_A")


def _matrix(circuit: Circuit) -> csc_matrix:
    """Conductance matrix of the free nodes."""
    free = circuit.free
    number = np.full(circuit.n_groups, -1, dtype=np.int64)
    number[free] = np.arange(len(free))
    a, b, g = number[circuit.a], number[circuit.b], circuit.g
    diagonal = np.bincount(circuit.a, g, circuit.n_groups)
    diagonal += np.bincount(circuit.b, g, circuit.n_groups)
    inner = (a >= 0) & (b >= 0)
    a, b, g = a[inner], b[inner], g[inner]
    own = np.arange(len(free))
    return csc_matrix(
        (
            np.concatenate([diagonal[free], -g, -g]),
            (np.concatenate([own, a, b]), np.concatenate([own, b, a])),
        ),
        shape=(len(free), len(free)),
    )


def _factor(matrix: csc_matrix, order: str) -> SuperLU:
    # Symmetric positive definite: order for the symmetric pattern and never pivot.
    return splu(matrix, permc_spec=order, diag_pivot_thresh=0.0, options={"SymmetricMode": True})


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
