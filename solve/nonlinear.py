"""Nonlinear devices by Newton's method on top of the linear solvers.

Every step replaces a memristor by its tangent (a conductance and a voltage in series), or with
transistors every element by its derivatives, and solves that linear circuit exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_matrix, csc_matrix
from scipy.sparse.linalg import splu

from ..base.errors import ConvergenceError, DriveError, InputError
from .assembly import SwitchOhm
from .crossbar import MAX_ITERATIONS, Solution, as_solution, check_choices, choose
from .graph import Circuit, Factorised, held_voltages
from .iv import DeviceLaw, SquareLaw
from .linear import NetworkSolution, NetworkSolver
from .lines import canonical, check_conductances, check_voltages, find_islands, float_rows
from .network import Network
from .regular import RegularSolver

Floats = NDArray[np.float64]

MAX_STEPS = 60
# One step may move a device's voltage by this much; keeps exponentials in range.
MAX_MOVE = 0.5
# Stand-in for transistors before the first step has shown their voltages.
FIRST_SWITCH_OHM = 1e3


def solve_crossbar_nonlinear(
    conductances: ArrayLike,
    voltages: ArrayLike,
    *,
    device: DeviceLaw,
    row_segments: ArrayLike,
    column_segments: ArrayLike,
    drive_resistance: ArrayLike = 0.0,
    sense_resistance: ArrayLike = 0.0,
    row_drive: str = "left",
    column_sense: str = "bottom",
    tol: float = 1e-9,
    engine: str = "auto",
) -> Solution:
    """Solve a crossbar whose devices follow a nonlinear law.

    Args:
        conductances: conductance of every device at small voltage in S, (T, rows, cols).
        voltages: row sources in V, shape (T, rows); nan leaves a row floating.
        device: the devices' law, `Sinh` or `Cubic`.
        row_segments: see `solve_crossbar`; so are the arguments below.
        column_segments: see `solve_crossbar`.
        drive_resistance: see `solve_crossbar`.
        sense_resistance: see `solve_crossbar`.
        row_drive: see `solve_crossbar`.
        column_sense: see `solve_crossbar`.
        tol: change of the last step, relative to the largest device voltage, and
            tolerance of every linear solve.
        engine: see `solve_crossbar`.

    Returns:
        The solution; its `iterations` counts those of all linear solves together, and its
        `kcl_residual` is that of the last tangent circuit, which `tol` ties to the law.

    Raises:
        InputError: naming an argument that is wrong.
        ConvergenceError: if Newton's method does not settle.
    """
    G = check_conductances(conductances)
    v, batched = check_voltages(voltages, G.shape)
    check_choices(tol, "auto", engine, MAX_ITERATIONS)
    if batched:
        raise InputError(f"voltages have shape {np.shape(voltages)}, allowed: {G.shape[:2]}")
    if not np.isfinite(G).all():
        raise InputError("conductances hold inf; a shorted device has no nonlinear law")
    lines = canonical(
        G,
        row_segments=row_segments,
        column_segments=column_segments,
        drive_resistance=drive_resistance,
        sense_resistance=sense_resistance,
        row_drive=row_drive,
        column_sense=column_sense,
    )
    lines = float_rows(lines, np.isnan(v[0]))
    v = np.nan_to_num(v, nan=0.0)
    lines, islands = find_islands(lines)
    G = lines.G
    levels = np.zeros((1, G.shape[2]))
    at = np.zeros_like(G)
    used = 0
    for step in range(1, MAX_STEPS + 1):
        tangent, shift = _tangent(device, G, at)
        linear = replace(lines, G=tangent)
        solver = choose(linear, "auto", engine)
        raw = solver.solve(v, levels, tol=tol, limit=MAX_ITERATIONS, keep=True, shift=shift)
        used += raw.iterations
        seen = raw.rows[0] - raw.cols[0]
        move = np.abs(seen - at)[G > 0].max(initial=0.0)
        if move <= tol * max(float(np.abs(seen).max()), 1e-300):
            raw = replace(raw, iterations=used)
            name = f"newton ({step} steps) on {solver.name}"
            return as_solution(raw, lines, islands, v, batched, name, device.current(G, seen))
        at = at + np.clip(seen - at, -MAX_MOVE, MAX_MOVE)
    raise ConvergenceError(
        f"Newton's method did not settle in {MAX_STEPS} steps: the last moved a device by "
        f"{move:.1e} V"
    )


def _tangent(device: DeviceLaw, G: Floats, at: Floats) -> tuple[Floats, Floats]:
    """Conductance and series voltage of every device's tangent at voltages `at`."""
    slope = device.slope(G, at)
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = np.where(slope > 0, at - device.current(G, at) / slope, 0.0)
    return slope, shift


def solve_network_nonlinear(
    network: Network,
    *,
    conductances: ArrayLike,
    port_voltages: Mapping[str, float],
    gates: Mapping[str, bool] | None = None,
    device: DeviceLaw | None = None,
    switch: SquareLaw | None = None,
    switch_ohm: SwitchOhm = 0.0,
    tol: float = 1e-10,
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
    base = NetworkSolver(
        network,
        conductances=conductances,
        driven=port_voltages,
        gates=gates,
        switch_ohm=switch_ohm,
        **options,
    )
    volts = base.voltages(port_voltages)
    held = held_voltages(base.circuit, base.edges.held, dict(port_voltages))
    scale = max(float(np.abs(held).max()), 1e-300)
    if switch is None:
        steps = _by_tangents(base, device, volts, held)
    else:
        steps = _by_jacobian(base, device, switch, volts)
    for step, (moved, volts, amps) in enumerate(steps, start=1):
        if moved <= tol * scale:
            name = base.factor.name if switch is None else Factorised.name
            return base.collect(volts, amps, f"newton ({step} steps) on {name}")
        if step == MAX_STEPS:
            break
    raise ConvergenceError(
        f"Newton's method did not settle in {MAX_STEPS} steps: the last moved a node by "
        f"{moved:.1e} V"
    )


#: largest move of a node in V, voltages of all nodes, currents of all elements
Step = tuple[float, Floats, Floats]


def _by_tangents(
    base: NetworkSolver, device: DeviceLaw | None, volts: Floats, held: Floats
) -> Iterator[Step]:
    """Yield steps in which memristors are tangents: a symmetric circuit each time."""
    edges, circuit = base.edges, base.circuit
    G, g, offset = edges.g[edges.devices].copy(), edges.g.copy(), np.zeros_like(edges.g)
    at = volts[edges.a] - volts[edges.b]
    while True:
        if device is not None:
            g[edges.devices], offset[edges.devices] = _tangent(device, G, at[edges.devices])
        kept = circuit.edge
        now = _solve_tangents(base, g[kept], offset[kept], held)[circuit.group]
        moved, volts = float(np.abs(now - volts).max()), now
        seen = volts[edges.a] - volts[edges.b]
        amps = np.where(np.isinf(g), np.nan, g) * seen
        if device is not None:
            amps[edges.devices] = device.current(G, seen[edges.devices])
        yield moved, volts, amps
        at = at + np.clip(seen - at, -MAX_MOVE, MAX_MOVE)


def _by_jacobian(
    base: NetworkSolver, device: DeviceLaw | None, switch: SquareLaw, volts: Floats
) -> Iterator[Step]:
    """Yield steps of Newton's method with transistors, whose tangents are not symmetric."""
    network, edges, circuit = base.network, base.edges, base.circuit
    G, s = edges.g[edges.devices].copy(), edges.switches
    gate = (
        network.switch_w_um / network.switch_l_um,
        network.switch_p,
        _gate_levels(network, base.gates),
    )
    free, kept = circuit.free, circuit.edge

    def currents(volts: Floats) -> Floats:
        amps = edges.currents(volts)
        amps[s] = switch.current(*gate, volts[edges.a[s]], volts[edges.b[s]])
        if device is not None:
            d = edges.devices
            amps[d] = device.current(G, volts[edges.a[d]] - volts[edges.b[d]])
        return amps

    amps = currents(volts)
    while True:
        slope_a, slope_b = edges.g.copy(), edges.g.copy()
        slope_a[s], slope_b[s] = switch.slopes(*gate, volts[edges.a[s]], volts[edges.b[s]])
        if device is not None:
            d = edges.devices
            slope_a[d] = slope_b[d] = device.slope(G, volts[edges.a[d]] - volts[edges.b[d]])
        out = np.bincount(circuit.a, amps[kept], circuit.n_groups).astype(np.float64)
        out -= np.bincount(circuit.b, amps[kept], circuit.n_groups)
        move = np.zeros(circuit.n_groups)
        if len(free):
            move[free] = splu(_jacobian(circuit, slope_a[kept], slope_b[kept])).solve(-out[free])
        volts = volts + np.clip(move, -MAX_MOVE, MAX_MOVE)[circuit.group]
        amps = currents(volts)
        yield float(np.abs(move).max(initial=0.0)), volts, amps


def _jacobian(circuit: Circuit, slope_a: Floats, slope_b: Floats) -> csc_matrix:
    """Derivatives of the currents out of the free nodes by their voltages.

    Args:
        circuit: the merged circuit.
        slope_a: dI/dVa of every edge, S.
        slope_b: -dI/dVb of every edge, S.
    """
    a, b, n = circuit.a, circuit.b, circuit.n_groups
    values = np.concatenate([slope_a, -slope_b, -slope_a, slope_b])
    places = (np.concatenate([a, a, b, b]), np.concatenate([a, b, a, b]))
    return coo_matrix((values, places), (n, n)).tocsc()[circuit.free][:, circuit.free]


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
