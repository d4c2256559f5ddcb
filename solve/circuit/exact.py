"""Small circuits over any span of conductances, by star-mesh elimination.

Eliminating a node of conductances g_k to its neighbours puts g_j g_k / sum(g) between every two of
them. That adds, multiplies and divides positive numbers only, so every conductance keeps its last
digits, however far apart they lie; a factor of the matrix would lose a weak one beside a strong one
in the diagonal. On the way back voltages are kept as differences of former neighbours:
a difference of neighbours is a mean of differences that are known, so the current through a very
good conductor does not drown in the last digit of two voltages either. Parts that hang on one node
carry nothing and are merged with it first: there, such means would be rounding in place of 0.
Where differences of two signs cancel in a mean, what rounding leaves is known, and is judged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import reverse_cuthill_mckee

from ...base.errors import ConvergenceError
from .circuit import Circuit, Flow, currentless, prepare

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Of merged nodes; every pair of them takes a place, 70 MB each for conductances and differences.
MOST_NODES = 3000


def fits(circuit: Circuit) -> bool:
    """Whether a circuit is small enough."""
    return circuit.n_groups <= MOST_NODES


class Exact:
    """A circuit reduced to its held nodes; one elimination serves any number of drives."""

    def __init__(self, circuit: Circuit, real: type[np.floating[Any]] = np.float64) -> None:
        """Eliminate every free node.

        Args:
            circuit: what `fits`.
            real: numbers to calculate with.

        Raises:
            ConvergenceError: if conductances leave the range of numbers.
        """
        self._whole = circuit
        hanging = np.where(currentless(circuit), np.inf, circuit.g)
        ends = circuit.a, circuit.b
        circuit = prepare(circuit.n_groups, *ends, hanging, np.flatnonzero(circuit.held))
        self.circuit = circuit
        self._held = np.flatnonzero(circuit.held)
        order = np.concatenate([self._sorted(circuit), self._held])
        self._n_free, size = len(order) - len(self._held), len(order)
        self._at = np.full(circuit.n_groups, -1)
        self._at[order] = np.arange(size)
        self._a, self._b = self._at[circuit.a], self._at[circuit.b]
        # conductances of parallel edges add; the matrix is symmetric with an empty diagonal
        self._real = real
        mesh = np.zeros((size, size), dtype=real)
        np.add.at(mesh, (self._a, self._b), circuit.g)
        np.add.at(mesh, (self._b, self._a), circuit.g)
        self._stars: list[tuple[Ints, NDArray[Any]]] = []
        with np.errstate(all="ignore"):
            for k in range(self._n_free):
                near = k + 1 + np.flatnonzero(mesh[k, k + 1 :])
                star = mesh[k, near]
                share = star / star.sum()
                mesh[np.ix_(near, near)] += np.outer(share, star)
                mesh[near, near] = 0.0
                self._stars.append((near, share))
        self._mesh = mesh[self._n_free :, self._n_free :]
        if not np.isfinite(self._mesh).all():
            raise ConvergenceError("conductances leave the range of numbers when they are combined")

    @staticmethod
    def _sorted(circuit: Circuit) -> Ints:
        """Free nodes in an order that joins few new pairs."""
        free = circuit.free
        number = np.full(circuit.n_groups, -1)
        number[free] = np.arange(len(free))
        a, b = number[circuit.a], number[circuit.b]
        inner = (a >= 0) & (b >= 0)
        if not inner.any():
            return free
        a, b = a[inner], b[inner]
        ends = (np.concatenate([a, b]), np.concatenate([b, a]))
        graph = coo_matrix((np.ones(2 * len(a), dtype=np.int8), ends), (len(free), len(free)))
        out: Ints = free[reverse_cuthill_mckee(graph.tocsr(), symmetric_mode=True)]
        return out

    def solve(self, held_volts: Floats) -> tuple[Flow, Floats, Floats]:
        """Return voltages and currents for held voltages, of which only these are read.

        Returns:
            (them, what of each edge's current may be rounding, the same of each node's `out`), A.

        Raises:
            ConvergenceError: if a result is not finite.
        """
        whole, circuit, n_free = self._whole, self.circuit, self._n_free
        size = n_free + len(self._held)
        given = np.zeros(circuit.n_groups)
        given[circuit.group[whole.held]] = held_volts[whole.held]
        given = given[self._held]
        drop = np.zeros((size, size), dtype=self._real)
        drop[n_free:, n_free:] = given[:, None].astype(self._real) - given
        rounding = 4 * np.finfo(self._real).eps
        lost = rounding * np.abs(drop)
        with np.errstate(all="ignore"):
            out, noise = np.zeros(circuit.n_groups), np.zeros(circuit.n_groups)
            out[self._held] = (self._mesh * drop[n_free:, n_free:]).sum(axis=1)
            noise[self._held] = (self._mesh * lost[n_free:, n_free:]).sum(axis=1)
            level = np.zeros(size, dtype=self._real)
            level[n_free:] = given
            for k in range(n_free - 1, -1, -1):
                near, share = self._stars[k]
                block = np.ix_(near, near)
                seen = share @ drop[block]
                drop[k, near], drop[near, k] = seen, -seen
                lost[k, near] = share @ (lost[block] + rounding * np.abs(drop[block]))
                lost[near, k] = lost[k, near]
                level[k] = share @ level[near]
            drops, blurred = np.zeros(len(whole.g)), np.zeros(len(whole.g))
            drops[circuit.edge] = drop[self._a, self._b]
            blurred[circuit.edge] = lost[self._a, self._b]
            volts = np.where(circuit.floating, 0.0, level[self._at])[circuit.group]
            out = np.where(whole.held, out[circuit.group], 0.0)
            amps = whole.g * drops
        if not all(np.isfinite(x).all() for x in (volts, amps, out)):
            raise ConvergenceError("the currents or voltages leave the range of numbers")
        return Flow(volts, drops, amps, out), whole.g * blurred, noise[circuit.group]
