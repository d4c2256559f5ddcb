"""An extracted network with capacitors over time, after its sources have moved.

Capacitors make the nodal equations C dv/dt + i(v) = 0 of the free nodes; those without a capacitor
follow at once. The integrator is the second-order L-stable pair of diagonally implicit steps
(Alexander, SIAM J. Numer. Anal. 14, 1006, 1977), Newton's method in each. Steps are a power of two
of one another, so that a linear network needs few factors; how long one may be follows from the
third divided difference of the last points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csc_matrix

from ...base.errors import ConvergenceError
from ..circuit.circuit import held_voltages
from ..circuit.factors import SamePattern, symmetric_factor
from .linear import NetworkSolver
from .nonlinear import jacobian_of
from .waves import Watch, Waves

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: a capacitor: node, other node or None for ground, F
Capacitor = tuple[int, int | None, float]
#: voltage of every node -> current a -> b of every element, dI/dVa and -dI/dVb
Flow = Callable[[Floats], tuple[Floats, Floats, Floats]]

_GAMMA = 1.0 - 0.5**0.5
#: error of a step over h^3 times the third derivative, times 3! for the divided difference
_LTE = 6.0 * abs(1.0 / 6.0 - 3.0 * _GAMMA**2 + 2.0 * _GAMMA**3)
#: first step after a corner of the sources, as a part of their rise
_FIRST = 1.0 / 256
#: steps that may be taken, halvings of one that does not succeed
_MOST_STEPS, _HALVINGS = 20_000, 30
#: beyond which nothing is followed, s
_LATEST_S = 1e3
#: Newton: steps, largest move of a node and the move that ends it, V
_NEWTON_STEPS, _MOST_MOVE, _SETTLED_V = 30, 0.5, 1e-10
#: share of the last move from which a step of Newton's method is slow
_SLOW = 0.1
#: factors that are kept
_KEPT = 6
#: steps of the way to a resting point, s
_TO_REST_S = tuple(10.0**k for k in range(-12, 4))


class RcNetwork:
    """A network with capacitors, ready to be followed over time.

    Args:
        solver: of the network at work; its driven ports are the sources.
        capacitors: between nodes, or a node and ground, F.
        flow: currents of the elements; None where all are resistors.
    """

    def __init__(
        self, solver: NetworkSolver, capacitors: Iterable[Capacitor], flow: Flow | None = None
    ) -> None:
        self.solver, self.circuit, self._flow = solver, solver.circuit, flow
        circuit = self.circuit
        self.free = circuit.free
        self._C = _capacitance(circuit.group, circuit.n_groups, capacitors)
        self._c = self._C[self.free][:, self.free].tocsc()
        self.ports = tuple(solver.edges.held)
        self._at: Ints = circuit.group[[solver.edges.held[port] for port in self.ports]]
        sharing = np.bincount(self._at, minlength=circuit.n_groups)
        self._share = 1.0 / sharing[self._at]
        self._factors: dict[float, Any] = {}
        self._pattern = SamePattern()

    def held(self, volts: Mapping[str, float]) -> Floats:
        """Return the voltages of the driven groups for those of the ports, V."""
        return held_voltages(self.circuit, self.solver.edges.held, dict(volts))

    @cached_property
    def _resistors(self) -> tuple[csc_matrix, csc_matrix]:
        """Return the conductances of a linear network: of all nodes, and of the free ones."""
        circuit = self.circuit
        G = _laplacian(circuit.a, circuit.b, circuit.g, circuit.n_groups)
        return G, G[self.free][:, self.free].tocsc()

    def _out(self, volts: Floats) -> tuple[Floats, Callable[[], csc_matrix]]:
        """Return the currents that leave every group, A, and what gives their derivatives, S."""
        if self._flow is None:
            G, g = self._resistors
            return G @ volts, lambda: g
        circuit, kept = self.circuit, self.circuit.edge
        amps, by_a, by_b = self._flow(volts[circuit.group])
        slopes = by_a[kept], by_b[kept]
        return circuit.gathered(amps[kept]), lambda: jacobian_of(circuit, *slopes)

    def _factor(self, slope: float, matrix: Callable[[], csc_matrix], *, fresh: bool) -> Any:
        """Return a factor of C / slope + G: an earlier one of the same slope, or a fresh one."""
        if fresh or slope not in self._factors:
            self._factors.pop(slope, None)
            if len(self._factors) >= _KEPT:
                self._factors.pop(next(iter(self._factors)))
            self._factors[slope] = self._pattern.factor((self._c / slope + matrix()).tocsc())
        return self._factors[slope]

    def _stage(
        self, base: Floats, slope: float, held: Floats, push: Floats, guess: Floats
    ) -> tuple[Floats, Floats]:
        """Solve C (v - base) / slope + push + i(v) = 0 for the free nodes.

        Returns:
            (voltages of all groups, currents that leave them through elements).

        Raises:
            ConvergenceError: if Newton's method does not settle.
        """
        linear = self._flow is None
        volts = held.copy()
        v = guess.copy()
        last, fresh = np.inf, False
        for _ in range(_NEWTON_STEPS):
            volts[self.free] = v
            out, matrix = self._out(volts)
            left = self._c @ ((v - base) / slope) + push + out[self.free]
            try:
                move = self._factor(slope, matrix, fresh=fresh).solve(-left)
            except RuntimeError:
                break
            most = float(np.abs(move).max(initial=0.0))
            if not np.isfinite(most):
                break
            v = v + (move if linear else np.clip(move, -_MOST_MOVE, _MOST_MOVE))
            if linear or most <= _SETTLED_V:
                volts[self.free] = v
                return volts, self._out(volts)[0]
            # the factor of an earlier step serves as long as it leads on quickly
            last, fresh = most, most > _SLOW * last
        raise ConvergenceError("Newton's method did not settle in a step of time")

    def rest(self, held: Floats, start: Floats | None = None) -> Floats:
        """Return the voltages of all groups at rest, V.

        A nonlinear network is led there from `start` by steps of time that grow.

        Raises:
            ConvergenceError: if it does not come to rest.
        """
        none = np.zeros(len(self.free))
        v = none if start is None else start[self.free]
        for slope in () if self._flow is None else _TO_REST_S:
            v = self._stage(v, slope, held, none, v)[0][self.free]
        return self._stage(v, np.inf, held, none, v)[0]

    def port_amps(self, out: Floats) -> Floats:
        """Return the currents of the ports into the network for those that leave their groups."""
        return np.asarray(out[self._at] * self._share)

    def elmore_s(
        self, before: Mapping[str, float], after: Mapping[str, float], pairs: Ints
    ) -> Floats:
        """Return Elmore's delay of the voltage between pairs of nodes after a step of the sources.

        The first moment of their responses with all that lies between pins and ground: wires,
        cells, transistors; of the network linearised at its end.

        Args:
            before: V of every port, at rest.
            after: V of every port in the end.
            pairs: nodes, shape (n, 2).

        Returns:
            Delays in s; nan for a voltage that does not change.
        """
        start = self.rest(self.held(before))
        end = self.rest(self.held(after), start)
        change, late = end - start, np.zeros(self.circuit.n_groups)
        charge = np.asarray(self._C @ change)[self.free]
        late[self.free] = symmetric_factor(self._out(end)[1]()).solve(charge)
        a, b = self.circuit.group[pairs].T
        steps = change[a] - change[b]
        moves = np.abs(steps) > 1e-9 * float(np.abs(change).max(initial=1e-300))
        delays = np.full(len(pairs), np.nan)
        np.divide(late[a] - late[b], steps, out=delays, where=moves)
        return delays

    def run(
        self, before: Mapping[str, float], after: Mapping[str, float], rise_s: float, watch: Watch
    ) -> Waves:
        """Follow the network while its sources move in straight lines from one state to another.

        Args:
            before: V of every port, at rest.
            after: V of every port in the end.
            rise_s: how long the sources move, s.
            watch: what is wanted.

        Raises:
            ConvergenceError: if it does not come to rest again.
        """
        return _Run(self, self.held(before), self.held(after), rise_s, watch).waves()


class _Run:
    """One run of a network from rest to rest."""

    def __init__(
        self, net: RcNetwork, low: Floats, high: Floats, rise_s: float, watch: Watch
    ) -> None:
        self.net, self.low, self.high, self.rise, self.watch = net, low, high, rise_s, watch
        self.start = net.rest(low)
        self.end = net.rest(high, self.start)
        self.before = net.port_amps(net._out(self.start)[0])
        self.after = net.port_amps(net._out(self.end)[0])
        self._wanted = np.array([net.ports.index(port) for port in watch.ports], dtype=np.intp)
        self._probe: Ints = net.circuit.group[np.asarray(watch.probes, dtype=np.int64)]
        self._scale_v = max(float(np.abs(self.end - self.start).max()), 1e-300)
        size = np.maximum(np.abs(self.after), np.abs(self.before))[self._wanted]
        self._scale_i = np.maximum(size, max(1e-3 * float(size.max(initial=0.0)), 1e-300))
        self._tol = min(1e-4, 1e-2 * watch.part)
        self._rows: list[tuple[Floats, ...]] = []
        self._past: list[tuple[float, Floats]] = []

    def _sources(self, at: float, rate: bool) -> tuple[Floats, Floats]:
        """Return voltages of the sources, V, and how fast they move, V/s."""
        moving = self.high - self.low
        held = self.low + min(at / self.rise, 1.0) * moving
        return held, moving / self.rise if rate else 0.0 * moving

    def waves(self) -> Waves:
        net = self.net
        volts, slope = self.start, np.zeros(len(net.free))
        nothing = np.zeros(len(net.ports))
        self._keep(0.0, volts, (self.before, nothing, nothing))
        now, h = 0.0, self.rise * _FIRST
        coulombs, joules = nothing, nothing
        for _ in range(_MOST_STEPS):
            rising = now < self.rise * (1 - 1e-9)
            if rising:
                h = min(h, self.rise - now)
            found, h = self._step(now, h, volts, slope, rising)
            volts, slope, amps, charge, energy = found
            now += h
            coulombs, joules = coulombs + charge, joules + energy
            self._keep(now, volts, (amps, coulombs, joules))
            if rising and now >= self.rise * (1 - 1e-9):
                # a corner: no derivative reaches across it
                self._past, h = self._past[-1:], self.rise * _FIRST
            elif self._error(h) < 0.1 * self._tol:
                h *= 2.0
            if not rising and self._at_rest(volts, amps):
                return self._result()
            if now > _LATEST_S:
                break
        raise ConvergenceError(f"the network has not come to rest within {now:.1e} s")

    def _step(
        self, now: float, h: float, volts: Floats, slope: Floats, rising: bool
    ) -> tuple[tuple[Floats, ...], float]:
        """Return the state after a step that succeeds, and how long it was."""
        for _ in range(_HALVINGS):
            try:
                found = self._both(now, h, volts, slope, rising)
            except ConvergenceError:
                h *= 0.5
                continue
            self._past.append((now + h, self._seen(found[0], found[2])))
            if self._error(h) <= 2.0 * self._tol:
                return found, h
            self._past.pop()
            h *= 0.5
        raise ConvergenceError(f"no step of time succeeds {now:.1e} s after the sources moved")

    def _both(
        self, now: float, h: float, volts: Floats, slope: Floats, rising: bool
    ) -> tuple[Floats, ...]:
        """Take both implicit stages of a step."""
        net, part = self.net, _GAMMA * h
        base = volts[net.free]
        sums = []
        for weight, at in ((1 - _GAMMA, now + part), (_GAMMA, now + h)):
            held, rate = self._sources(at, rising)
            push = np.asarray(net._C @ rate)[net.free]
            new, out = net._stage(base, part, held, push, base + part * slope)
            slope = (new[net.free] - base) / part
            moving = rate.copy()
            moving[net.free] = slope
            amps = net.port_amps(out + net._C @ moving)
            sums.append((weight * h * amps, weight * h * amps * held[net._at]))
            base = base + (1 - _GAMMA) * h * slope if weight != _GAMMA else base
        charge, energy = (a + b for a, b in zip(*sums, strict=True))
        return new, slope, amps, charge, energy

    def _seen(self, volts: Floats, amps: Floats) -> Floats:
        """Return what errors are measured of, each over its scale."""
        wanted = amps[self._wanted]
        scale = np.maximum(self._scale_i, np.abs(wanted))
        return np.concatenate([volts[self.net.free] / self._scale_v, wanted / scale])

    def _error(self, h: float) -> float:
        """Return the error of the last step by the third divided difference; 0 if not known."""
        if len(self._past) < 4:
            return 0.0
        del self._past[:-4]
        times = [time for time, _ in self._past]
        values = [value for _, value in self._past]
        for order in range(1, 4):
            pairs = zip(values[1:], values[:-1], strict=True)
            spans = [times[k + order] - times[k] for k in range(4 - order)]
            values = [(b - a) / span for (b, a), span in zip(pairs, spans, strict=True)]
        return _LTE * h**3 * float(np.abs(values[0]).max(initial=0.0))

    def _keep(self, now: float, volts: Floats, sums: tuple[Floats, ...]) -> None:
        drop = volts[self._probe[:, 0]] - volts[self._probe[:, 1]]
        self._rows.append((np.array(now), *sums, drop))

    def _at_rest(self, volts: Floats, amps: Floats) -> bool:
        off = np.abs(amps - self.after)[self._wanted] / self._scale_i
        rest = float(np.abs(volts - self.end).max()) / self._scale_v
        worst = max(float(off.max(initial=0.0)), rest)
        part = self.watch.part
        if self.watch.progress is not None:
            bits = round(-np.log2(part))
            done = min(max(0, int(-np.log2(max(worst, 1e-300)))), bits)
            self.watch.progress("settles", done, bits)
        return worst <= 0.05 * part

    def _result(self) -> Waves:
        seconds, amps, coulombs, joules, probes = (
            np.array(column) for column in zip(*self._rows, strict=True)
        )
        return Waves(
            seconds, self.net.ports, amps, coulombs, joules, probes,
            self.before, self.after, self.after * self.high[self.net._at],
            self.end[self._probe[:, 0]] - self.end[self._probe[:, 1]],
        )  # fmt: skip


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
