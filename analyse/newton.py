"""Voltages of a network whose transistors follow their table and whose memristors follow a law.

Newton's method on all nodes at once. Repeated solving with resistances that fit the last voltages
(`transistors.settled`) creeps where transistors saturate and the current of a memristor rises with
the exponential of its voltage: each holds the other back. Newton's method knows how both answer
and is there in some ten steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, gmres

from ..solve.circuit.circuit import held_voltages
from ..solve.circuit.factors import STEPS, PartsFactor, SamePattern, weak_entries
from ..solve.circuit.graph import Factorised
from ..solve.network.assembly import switch_conductances
from ..solve.network.nonlinear import jacobian_of

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

    from ..solve.circuit.circuit import Circuit
    from ..solve.network.linear import NetworkSolver
    from .on_resistance import OnResistance
    from .transistors import Bent

Floats = NDArray[np.float64]

#: steps, halvings of one that leads away, what one may move a node by, V
_MOST_STEPS, _HALVINGS, _MOST_MOVE = 60, 8, 0.5
#: a last step of this size, V, moves no resistance by a millionth
_SETTLED_V = 1e-9
#: what an iterated step may be off, and the solves that it may take: a factor takes many more
_SHARE, _SOLVES = 1e-6, 12
#: what it may be off where it ended before
_ENOUGH = 1e-4


class Elements:
    """Currents of a network's elements and how these answer to the voltages at their ends."""

    def __init__(
        self, solver: NetworkSolver, table: OnResistance | None, bent: Bent | None
    ) -> None:
        """Take them from a solver of the network; transistors that are off stay as they are.

        Without a table all of them do.
        """
        edges = solver.edges
        self._g, self._a, self._b = edges.g, edges.a, edges.b
        self._switches, self._table = edges.switches, table
        self._on = switch_conductances(solver.network, solver.gates, 1.0, np.inf) > 0
        self._bent = bent
        if bent is not None:
            self._devices = edges.devices.start + bent.which

    def flow(self, volts: Floats) -> tuple[Floats, Floats, Floats]:
        """Return current a -> b, dI/dVa and -dI/dVb of every element at the nodes' voltages."""
        with np.errstate(invalid="ignore"):
            amps = self._g * (volts[self._a] - volts[self._b])
        by_a, by_b = self._g.copy(), self._g.copy()
        s = self._switches
        if self._table is not None and len(self._table):
            own = self._table.flow(volts[self._a[s]], volts[self._b[s]])
            for known, mine in zip((amps, by_a, by_b), own, strict=True):
                known[s] = np.where(self._on, mine, known[s])
        if self._bent is not None:
            d, law, small = self._devices, self._bent.law, self._bent.siemens
            over = volts[self._a[d]] - volts[self._b[d]]
            amps[d] = law.current(small, over)
            by_a[d] = by_b[d] = law.slope(small, over)
        return amps, by_a, by_b


class _Steps:
    """Solves one matrix after the other: few of their elements change much from each to the next.

    The factor of an earlier one serves as long as a few of its solves are enough.
    """

    def __init__(self, circuit: Circuit, before: Callable[[Floats], Floats] | None) -> None:
        """Begin with a factor of a similar matrix."""
        self._circuit, self._before, self._pattern = circuit, before, SamePattern()

    def __call__(self, matrix: csc_matrix, right: Floats, by_a: Floats, by_b: Floats) -> Floats:
        """Return the solution, to a share of `_SHARE` at least.

        Args:
            matrix: of the free nodes.
            right: right-hand side.
            by_a: dI/dVa of every edge, S.
            by_b: -dI/dVb of every edge, S.

        Raises:
            RuntimeError: if a matrix is singular.
        """
        weak = self._circuit.weak
        if self._before is not None:
            found = _iterated(matrix, right, self._before, _SOLVES if weak is None else STEPS)
            if found is not None:
                return found
        if weak is not None:
            parts = PartsFactor(matrix, weak_entries(self._circuit, by_a, by_b))
            self._before = parts.about
            found = _iterated(matrix, right, parts.about, STEPS)
            return parts.solve(right) if found is None else found
        whole = self._pattern.factor(matrix)
        self._before = whole.solve
        return np.asarray(whole.solve(right))


def _iterated(
    matrix: csc_matrix, right: Floats, before: Callable[[Floats], Floats], solves: int
) -> Floats | None:
    """Return a solution by a factor of a similar matrix; None if so many solves are too few."""
    found, failed = gmres(
        matrix, right, M=LinearOperator(matrix.shape, before), rtol=_SHARE, atol=0.0,
        restart=solves, maxiter=1,
    )  # fmt: skip
    if failed:
        # what is left may be rounding of currents that nearly cancel: a step need not be exact
        left = float(np.linalg.norm(matrix @ found - right))
        if not left <= _ENOUGH * float(np.linalg.norm(right)):
            return None
    return np.asarray(found)


def node_volts(
    solver: NetworkSolver,
    table: OnResistance,
    bent: Bent | None,
    port_voltages: Mapping[str, float],
    start: Floats | None = None,
) -> Floats | None:
    """Return the voltage of every node of a network at work, V; None if they were not found.

    Args:
        solver: of the network with resistances that are a first guess.
        table: its transistors.
        bent: its memristors that follow a law.
        port_voltages: V of every driven pin.
        start: voltage of every node to begin with, V; None for those of the first guess.
    """
    circuit, elements = solver.circuit, Elements(solver, table, bent)
    held = held_voltages(circuit, solver.edges.held, dict(port_voltages))
    group, kept, free = circuit.group, circuit.edge, circuit.free
    # to begin with, one solve is as good as one that is judged
    first = solver.about(port_voltages) if start is None else start
    volts = held.copy()
    volts[group] = first
    if not len(free):
        return volts[group]
    now = elements.flow(volts[group])
    factor = solver.factor
    steps = _Steps(circuit, factor.about if isinstance(factor, Factorised) else None)
    for _ in range(_MOST_STEPS):
        out = circuit.gathered(now[0][kept])[free]
        matrix = jacobian_of(circuit, now[1][kept], now[2][kept])
        try:
            step = steps(matrix, -out, now[1][kept], now[2][kept])
        except RuntimeError:  # singular
            return None
        most, left = float(np.abs(step).max()), float(np.linalg.norm(out))
        if not np.isfinite(most):
            return None
        step, before = np.clip(step, -_MOST_MOVE, _MOST_MOVE), volts
        for halved in range(_HALVINGS):
            volts = before.copy()
            volts[free] += 0.5**halved * step
            now = elements.flow(volts[group])
            # what is left over after the last step is rounding, and need not be less
            if most <= _SETTLED_V:
                return volts[group]
            if float(np.linalg.norm(circuit.gathered(now[0][kept])[free])) < left:
                break
    return None
