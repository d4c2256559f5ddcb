"""Networks with nonlinear devices by Newton's method on top of the linear solver.

Every step replaces a memristor by its tangent (a conductance and a voltage in series), or with
transistors every element by its derivatives, and solves that linear circuit exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_matrix, csc_matrix

from ...base.errors import ConvergenceError, DriveError
from ..circuit.circuit import Circuit, Flow, held_voltages
from ..circuit.factors import SamePattern
from ..circuit.graph import Factorised
from ..circuit.iv import DeviceLaw, SquareLaw
from ..circuit.newton import MAX_MOVE, MAX_STEPS, held_back, tangent
from .assembly import SwitchOhm
from .linear import LOST, NetworkSolution, NetworkSolver, share
from .network import Network
from .reduced import reduced
from .regular import RegularSolver

Floats = NDArray[np.float64]

#: change of the last step, relative to the largest port voltage
TOL = 1e-10
# Rounding of a voltage: no step need be finer.
FINEST = 1e-14
# Part of a step that is gone where it would turn back.
BACK = 0.4
# Rounds of conductances between 0 V and the operating point; one is enough but at odd spans.
MAX_CHORDS = 5
# Stand-in for transistors before the first step has shown their voltages.
FIRST_SWITCH_OHM = 1e3


def solve_network_nonlinear(
    network: Network,
    *,
    conductances: ArrayLike,
    port_voltages: Mapping[str, float],
    gates: Mapping[str, bool] | None = None,
    device: DeviceLaw | None = None,
    switch: SquareLaw | None = None,
    switch_ohm: SwitchOhm = 0.0,
    tol: float = TOL,
    **options: Any,
) -> NetworkSolution:
    """Solve an extracted network with nonlinear devices, transistors, or both.

    Args:
        network: what `extract` found in the layout.
        conductances: see `solve_network`.
        port_voltages: see `solve_network`.
        gates: see `solve_network`.
        device: law of the memristors; None leaves them linear.
        switch: law of the transistors; None takes `switch_ohm` and `switch_off_ohm`.
        switch_ohm: see `solve_network`; used if `switch` is None.
        tol: change of the last step, relative to the largest port voltage.
        **options: further keyword arguments of `solve_network`.

    Returns:
        The solution; its residual is that of the nonlinear circuit.

    Raises:
        DriveError: naming a value that does not fit the network.
        ConvergenceError: if the iteration does not settle.
    """
    if switch is not None:
        # Every transistor stays in the circuit, so that one set of merged nodes serves all steps.
        switch_ohm = FIRST_SWITCH_OHM
        options["switch_off_ohm"] = switch.off_ohm
    common: dict[str, Any] = {
        "conductances": conductances,
        "driven": port_voltages,
        "gates": gates,
        "switch_ohm": switch_ohm,
        **options,
    }
    base = NetworkSolver(network, **common)
    law = _Law(base, device, switch)
    if switch is None and base.lines is None:
        # the judged solve on the whole network needs no more than the devices' voltages
        small = NetworkSolver(reduced(network).network, **common)
        steps, volts, drops = _newton(small, _Law(small, device, None), port_voltages, tol)
        start = np.zeros(len(base.edges.g))
        start[base.edges.devices] = drops[small.edges.devices]
        volts, drops, name = np.zeros(base.edges.n_nodes), start, Factorised.name
    else:
        steps, volts, drops = _newton(base, law, port_voltages, tol)
        name = base.factor.name if switch is None else Factorised.name
    return _judged(base, law, volts, drops, port_voltages, f"newton ({steps} steps) on {name}")


def newton(
    solver: NetworkSolver,
    device: DeviceLaw,
    port_voltages: Mapping[str, float],
    start: Floats | None = None,
) -> NetworkSolution:
    """Solve a network whose memristors follow a law.

    Args:
        solver: of the network with its memristors as they are at small voltage.
        device: their law.
        port_voltages: V of every driven port.
        start: voltage over every memristor, limiters included, to begin with, V; None for those
            of the linear network.

    Raises:
        ConvergenceError: if the iteration does not settle.
    """
    law = _Law(solver, device, None)
    if start is not None:
        drops = np.zeros(len(solver.edges.g))
        drops[solver.edges.devices] = start
        nowhere, name = np.zeros(solver.edges.n_nodes), "newton on resistances"
        with suppress(ConvergenceError):  # not near enough: step by step
            return _judged(solver, law, nowhere, drops, port_voltages, name)
    steps, volts, drops = _newton(solver, law, port_voltages, TOL)
    name = f"newton ({steps} steps) on {solver.factor.name}"
    return _judged(solver, law, volts, drops, port_voltages, name)


def _judged(
    base: NetworkSolver, law: _Law, volts: Floats, drops: Floats,
    port_voltages: Mapping[str, float], name: str,
) -> NetworkSolution:  # fmt: skip
    found = _on_chords(base, law, volts, drops, port_voltages)
    return law.alone(base.collect(found, name), base.network)


def _newton(
    base: NetworkSolver,
    law: _Law,
    port_voltages: Mapping[str, float],
    tol: float,
) -> tuple[int, Floats, Floats]:
    """Take Newton's steps until the last one moved nothing by more than `tol`.

    Returns:
        (number of steps, voltage of every node, drop over every element).

    Raises:
        ConvergenceError: if that does not happen.
    """
    held = held_voltages(base.circuit, base.edges.held, dict(port_voltages))
    scale = max(float(np.abs(held).max()), 1e-300)
    moved = np.inf
    first = base.voltages(port_voltages)
    drops = first[base.edges.a] - first[base.edges.b]
    if (device := law.device) is not None:
        # where devices carry what they carry as resistors
        mine = base.edges.devices
        drops[mine] = held_back(device, base.edges.g[mine], np.zeros_like(drops[mine]), drops[mine])
    steps = law.steps(base, first, drops, held)
    last = np.inf
    for step, (moved, volts) in enumerate(steps, start=1):
        # steep laws need more than asked: go on as long as a step halves the one before
        if moved <= tol * scale and (moved <= FINEST * scale or not moved < 0.5 * last):
            return step, volts, volts[base.edges.a] - volts[base.edges.b]
        if step == MAX_STEPS:
            break
        last = moved
    raise ConvergenceError(
        f"Newton's method did not settle in {MAX_STEPS} steps: the last moved a node by "
        f"{moved:.1e} V"
    )


#: largest move of a node in V, voltages of all nodes
Step = tuple[float, Floats]


class _Law:
    """Currents of all elements of a network with nonlinear devices, transistors, or both."""

    def __init__(
        self, base: NetworkSolver, device: DeviceLaw | None, switch: SquareLaw | None
    ) -> None:
        self._edges, self.device, self._switch = base.edges, device, switch
        self._G = base.edges.g[base.edges.devices].copy()
        if switch is not None:
            network = base.network
            self._gate = (
                network.switch_w_um / network.switch_l_um,
                network.switch_p,
                _gate_levels(network, base.gates),
            )

    @property
    def bends_switches(self) -> bool:
        """Whether transistors follow a law."""
        return self._switch is not None

    def steps(
        self, base: NetworkSolver, volts: Floats, drops: Floats, held: Floats
    ) -> Iterator[Step]:
        """Yield Newton's steps."""
        if self._switch is None:
            return _by_tangents(base, self.device, volts, drops, held)
        return _by_jacobian(base, self, volts)

    def currents(self, volts: Floats, drops: Floats) -> Floats:
        """Current a -> b of every element; nan across ideal ones."""
        edges = self._edges
        amps = np.where(np.isinf(edges.g), np.nan, edges.g) * drops
        if self._switch is not None:
            s = edges.switches
            amps[s] = self._switch.current(*self._gate, volts[edges.a[s]], volts[edges.b[s]])
        if self.device is not None:
            amps[edges.devices] = self.device.current(self._G, drops[edges.devices])
        return amps

    def slopes(self, volts: Floats, drops: Floats) -> tuple[Floats, Floats]:
        """dI/dVa and -dI/dVb of every element, S."""
        edges = self._edges
        slope_a, slope_b = edges.g.copy(), edges.g.copy()
        if self._switch is not None:
            s = edges.switches
            slope_a[s], slope_b[s] = self._switch.slopes(
                *self._gate, volts[edges.a[s]], volts[edges.b[s]]
            )
        if self.device is not None:
            d = edges.devices
            slope_a[d] = slope_b[d] = self.device.slope(self._G, drops[d])
        return slope_a, slope_b

    def alone(self, solution: NetworkSolution, network: Network) -> NetworkSolution:
        """Return a solution with the voltages of the devices alone, without their limiters."""
        if self.device is None:
            return solution
        place = (network.memristor_tier, network.memristor_row, network.memristor_col)
        volts = solution.device_voltages.copy()
        volts[place] = self.device.own_volts(self._G, volts[place])
        volts.setflags(write=False)
        return replace(solution, device_voltages=volts)

    def chords(self, volts: Floats, drops: Floats) -> Floats:
        """Conductance of every element between 0 V and its operating point, S."""
        out, amps = self.slopes(volts, drops)[0], self.currents(volts, drops)
        np.divide(amps, drops, out=out, where=(drops != 0) & np.isfinite(self._edges.g))
        return out


def _on_chords(
    base: NetworkSolver,
    law: _Law,
    volts: Floats,
    drops: Floats,
    port_voltages: Mapping[str, float],
) -> Flow:
    """The operating point once more, as conductances: a solution that is judged like any other.

    Args:
        base: the network.
        law: of its elements.
        volts: of every node at the operating point, V; only transistors with a law read them.
        drops: over every element, V; only elements with a law read them.
        port_voltages: V of every driven port.

    Raises:
        ConvergenceError: if an element is off its law.
    """
    circuit, edges = base.circuit, base.edges
    held = held_voltages(circuit, edges.held, dict(port_voltages))
    kinds = [edges.devices, edges.switches]
    off = np.inf
    for _ in range(MAX_CHORDS):
        g = law.chords(volts, drops)[circuit.edge]
        if not (g >= 0).all():
            raise ConvergenceError("the law of a device has current against its voltage")
        found = _chord_flow(base, law, replace(circuit, g=g), held)
        volts = found.volts[circuit.group]
        drops = volts[edges.a] - volts[edges.b]
        drops[circuit.edge] = found.drops
        amps = np.zeros(len(edges.g))
        amps[circuit.edge] = found.amps
        wanted = np.nan_to_num(law.currents(volts, drops))
        off = max(share(amps[k] - wanted[k], wanted[k]) for k in kinds)
        if off <= LOST:
            return found
    raise ConvergenceError(
        f"Newton's method settled, but currents are {off:.1e} of the largest off their law, "
        f"asked: {LOST:.0e}"
    )


def _chord_flow(base: NetworkSolver, law: _Law, circuit: Circuit, held: Floats) -> Flow:
    """Judged voltages and currents of a network of other conductances."""
    # lines are known with the transistors in them: these must be what they were
    if base.lines is not None and not law.bends_switches:
        base.lines.set_devices(circuit.g)
        found = base.flow_by_lines(base.lines, circuit, held)
        if found is not None:
            return found
    return base.flow_directly(Factorised(circuit), held)


def _by_tangents(
    base: NetworkSolver, device: DeviceLaw | None, volts: Floats, at: Floats, held: Floats
) -> Iterator[Step]:
    """Yield steps in which memristors are tangents: a symmetric circuit each time."""
    edges, circuit = base.edges, base.circuit
    G, g, offset = edges.g[edges.devices].copy(), edges.g.copy(), np.zeros_like(edges.g)
    way, part = np.zeros_like(at), np.ones_like(at)
    while True:
        if device is not None:
            g[edges.devices], offset[edges.devices] = tangent(device, G, at[edges.devices])
        kept = circuit.edge
        now = _solve_tangents(base, g[kept], offset[kept], held)[circuit.group]
        moved, volts = float(np.abs(now - volts).max()), now
        seen = volts[edges.a] - volts[edges.b]
        if device is not None:
            mine = edges.devices
            seen[mine] = held_back(device, G, at[mine], seen[mine])
        # the straight pieces of a table give one answer from everywhere on them
        moved = max(moved, float(np.abs(seen - at)[edges.devices].max(initial=0.0)))
        yield moved, volts
        # a law that bends both ways (a limiter, a table) may throw tangents to and fro
        turned, way = way * (seen - at) < 0, seen - at
        part = np.where(turned, BACK * part, np.minimum(1.0, 2.0 * part))
        at = at + part * np.clip(way, -MAX_MOVE, MAX_MOVE)


def _by_jacobian(base: NetworkSolver, law: _Law, volts: Floats) -> Iterator[Step]:
    """Yield steps of Newton's method with transistors, whose tangents are not symmetric."""
    edges, circuit = base.edges, base.circuit
    free, kept, pattern = circuit.free, circuit.edge, SamePattern()
    while True:
        drops = volts[edges.a] - volts[edges.b]
        slope_a, slope_b = law.slopes(volts, drops)
        out = circuit.gathered(law.currents(volts, drops)[kept])
        move = np.zeros(circuit.n_groups)
        if len(free):
            matrix = jacobian_of(circuit, slope_a[kept], slope_b[kept])
            move[free] = pattern.factor(matrix).solve(-out[free])
        volts = volts + np.clip(move, -MAX_MOVE, MAX_MOVE)[circuit.group]
        yield float(np.abs(move).max(initial=0.0)), volts


def jacobian_of(circuit: Circuit, slope_a: Floats, slope_b: Floats) -> csc_matrix:
    """Return the derivatives of the currents out of the free nodes by their voltages, S.

    Each current enters one node and leaves another, so that no diagonal is less than the rest of
    its column: a factor need look for no pivot (`symmetric_factor`).

    Args:
        circuit: the merged circuit.
        slope_a: dI/dVa of every edge, S; not negative.
        slope_b: -dI/dVb of every edge, S; not negative.
    """
    free, n = circuit.free, circuit.n_groups
    number = np.full(n, -1, dtype=np.int64)
    number[free] = np.arange(len(free))
    a, b = number[circuit.a], number[circuit.b]
    rows, cols = np.concatenate([a, a, b, b]), np.concatenate([a, b, a, b])
    values = np.concatenate([slope_a, -slope_b, -slope_a, slope_b])
    inner = (rows >= 0) & (cols >= 0)
    places = (rows[inner], cols[inner])
    return coo_matrix((values[inner], places), (len(free), len(free))).tocsc()


def _solve_tangents(base: NetworkSolver, g: Floats, offset: Floats, held: Floats) -> Floats:
    """Voltages of all merged nodes with other conductances and series voltages.

    Args:
        base: holds the circuit, and the wires' factor if it found a crossbar.
        g: conductance of every edge of the circuit, S.
        offset: voltage in series with each, V.
        held: V, shape (n_groups,).
    """
    if isinstance(base.factor, RegularSolver):
        base.factor.set_devices(g)
        return base.factor.solve(held, offset)
    circuit, push = base.circuit, g * offset
    inject = np.bincount(circuit.a, push, circuit.n_groups).astype(np.float64)
    inject -= np.bincount(circuit.b, push, circuit.n_groups)
    return Factorised(replace(circuit, g=g)).solve(held, inject)


def _gate_levels(network: Network, gates: Mapping[str, bool]) -> NDArray[np.bool_]:
    """Whether the gate of every transistor is high, shape (n_switches,)."""
    level = np.zeros(len(network.nets), dtype=bool)
    for k in np.unique(network.switch_gate):
        if network.nets[int(k)] not in gates:
            raise DriveError(f"no level stated for gate net {network.nets[int(k)]!r}")
        level[k] = bool(gates[network.nets[int(k)]])
    return level[network.switch_gate]
