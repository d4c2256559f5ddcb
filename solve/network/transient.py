"""The step response of a network with capacitors: how long a read takes to settle.

All inputs step at once from 0 V; every transistor keeps the resistance at which it works in the
end. The integrator is the second-order L-stable pair of diagonally implicit steps (Alexander,
SIAM J. Numer. Anal. 14, 1006, 1977), with steps that double as the response slows down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_matrix, csc_matrix
from scipy.sparse.linalg import splu

from ...base.errors import ConvergenceError, InputError
from ..circuit.circuit import held_voltages
from ..circuit.factors import symmetric_factor
from .linear import NetworkSolver
from .network import Network

Floats = NDArray[np.float64]
#: a capacitor: node, other node or None for ground, F
Capacitor = tuple[int, int | None, float]

_GAMMA = 1.0 - 0.5**0.5
#: first step, s: far below what any wire needs; steps of one size; sizes
_FIRST_S, _STEPS, _MOST_SIZES = 1e-15, 24, 40
#: part of the final current to which the response is followed
_FOLLOWED = 1e-5


@dataclass(frozen=True, eq=False)
class StepResponse:
    """Currents out of some ports after a step of all inputs.

    Attributes:
        seconds: times after the step, shape (n,).
        currents: out of each port at these times, shape (n, ports), A.
        final: the same at the end of all time, A.
    """

    seconds: Floats
    currents: Floats
    final: Floats

    def settle_s(self, part: float) -> float:
        """Return when every current stays within a part of its final value, s.

        Args:
            part: e.g. 1 / 2048 for half of the last of ten bits.

        Raises:
            ConvergenceError: if the response was not followed that far.
        """
        counted = self.final != 0
        if not counted.any():
            raise InputError("no current flows in the end: nothing settles")
        off = np.abs(self.currents / np.where(counted, self.final, 1.0) - 1.0)[:, counted]
        worst = off.max(axis=1)
        late = np.flatnonzero(worst > part)
        if not len(late):
            return float(self.seconds[0])
        k = int(late[-1])
        if k + 1 == len(worst):
            raise ConvergenceError("the response has not settled in the time it was followed")
        high, low = np.log(worst[k]), np.log(max(worst[k + 1], 1e-300))
        share = (high - np.log(part)) / (high - low) if high > low else 1.0
        a, b = self.seconds[k], self.seconds[k + 1]
        return float(a + min(max(share, 0.0), 1.0) * (b - a))


def step_response(
    network: Network,
    *,
    conductances: ArrayLike,
    port_voltages: Mapping[str, float],
    outputs: Sequence[str],
    capacitors: Iterable[Capacitor],
    **options: Any,
) -> StepResponse:
    """Step all driven ports from 0 V to their voltages; return the currents out of some of them.

    Nodes that nothing drives, such as select lines, stand still.

    Args:
        network: what `extract` found in the layout.
        conductances: memristors in S, see `solve_network`.
        port_voltages: V of every driven port after the step.
        outputs: driven ports whose currents are wanted.
        capacitors: between nodes, or a node and ground, F.
        **options: further keyword arguments of `solve_network` (gates, switch_ohm, ...).

    Raises:
        ConvergenceError: if the response does not settle.
    """
    solver = NetworkSolver(
        network,
        conductances=conductances,
        driven=port_voltages,
        method="direct",
        **options,
    )
    circuit = solver.circuit
    held = held_voltages(circuit, solver.edges.held, dict(port_voltages))
    free = circuit.free
    G = _laplacian(circuit.a, circuit.b, circuit.g, circuit.n_groups)
    C = _capacitance(circuit.group, circuit.n_groups, capacitors)
    sense = circuit.group[[network.ports[pin] for pin in outputs]]
    g, c = G[free][:, free].tocsc(), C[free][:, free].tocsc()
    known = np.where(circuit.held, held, 0.0)
    push = -(G[free] @ known)
    out_g, out_c, own = G[sense][:, free], C[sense][:, free], G[sense] @ known
    end = symmetric_factor(g).solve(push)
    final = -(out_g @ end + own)
    volts = _start(c, C[free] @ known)
    seconds, currents = [], []
    now, step = 0.0, _FIRST_S
    for _ in range(_MOST_SIZES):
        factor = symmetric_factor((c + _GAMMA * step * g).tocsc())
        for _ in range(_STEPS):
            first = factor.solve(push - g @ volts)
            middle = volts + (1 - _GAMMA) * step * first
            second = factor.solve(push - g @ middle)
            volts = middle + _GAMMA * step * second
            now += step
            seconds.append(now)
            currents.append(-(out_g @ volts + own + out_c @ second))
        scale = float(np.abs(final).max())
        if np.abs(currents[-1] - final).max() <= _FOLLOWED * scale and _calm(currents, final):
            return StepResponse(np.array(seconds), np.array(currents), final)
        step *= 2.0
    raise ConvergenceError(f"the response has not settled within {now:.1e} s")


def _calm(currents: list[Floats], final: Floats) -> bool:
    """True if the last steps all stayed near the end, so that it is no crossing."""
    last = np.array(currents[-_STEPS:])
    return bool(np.abs(last - final).max() <= _FOLLOWED * np.abs(final).max())


def _laplacian(a: Any, b: Any, value: Floats, n: int) -> csc_matrix:
    rows, cols = np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a])
    return coo_matrix(
        (np.concatenate([value, value, -value, -value]), (rows, cols)), (n, n)
    ).tocsc()


def _capacitance(group: Any, n: int, capacitors: Iterable[Capacitor]) -> csc_matrix:
    """Return the capacitance matrix of merged nodes."""
    rows = [*capacitors]
    ground = [(int(group[a]), f) for a, b, f in rows if b is None]
    pairs = [(int(group[a]), int(group[b]), f) for a, b, f in rows if b is not None]
    a, b, between = (np.array(column) for column in zip(*pairs, strict=True)) if pairs else (
        np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
    )  # fmt: skip
    to_ground = np.zeros(n)
    np.add.at(to_ground, [k for k, _ in ground], [f for _, f in ground])
    diagonal = coo_matrix((to_ground, (np.arange(n), np.arange(n))), (n, n))
    return (_laplacian(a, b, between, n) + diagonal).tocsc()


def _start(c: csc_matrix, coupled: Floats) -> Floats:
    """Return the voltages right after the step: capacitors alone share it out.

    Nodes without capacitors follow at once, in the first step.
    """
    has = np.flatnonzero(c.diagonal() > 0)
    volts = np.zeros(c.shape[0])
    if len(has):
        tiny = 1e-9 * float(c.diagonal()[has].min())
        inner = c[has][:, has] + coo_matrix(
            (np.full(len(has), tiny), (np.arange(len(has)),) * 2), (len(has),) * 2
        )
        volts[has] = splu(inner.tocsc()).solve(-coupled[has])  # nearly singular: it may pivot
    return volts
