"""Exact solution of an extracted network with linear devices and switches that are on or off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import DriveError
from .graph import Circuit, Factorised, held_voltages, prepare
from .network import TIER_NAMES, Network

Floats = NDArray[np.float64]
SwitchOhm = float | ArrayLike | Callable[[Floats, Floats, NDArray[np.bool_]], ArrayLike]

ISLAND_NAMES_SHOWN = 3


@dataclass(frozen=True, eq=False)
class NetworkSolution:
    """What a solve of a network found; arrays are read-only.

    Attributes:
        node_voltages: shape (n_nodes,), V.
        device_voltages: row side minus column side, shape (T, rows, cols), V; nan where
            the network has no device.
        device_currents: from row side to column side, same shape, A.
        resistor_currents: from `resistor_a` to `resistor_b`, shape (n_resistors,), A; nan
            for a zero-ohm piece, whose current the circuit does not determine.
        switch_currents: from `switch_a` to `switch_b`, shape (n_switches,), A; nan for an
            ideal closed switch.
        port_currents: current that flows from each driven port into the network, A; where
            shorts join several driven ports, they share it equally.
        kcl_residual: largest current left over in any node that is not held, divided by
            the largest port current.
        floating: one line per piece that nothing drives, naming some of its nodes; such
            pieces are pinned at 0 V and carry no current.
        floating_nodes: True for every node of such a piece, shape (n_nodes,).
        method: how it was solved.
    """

    node_voltages: Floats
    device_voltages: Floats
    device_currents: Floats
    resistor_currents: Floats
    switch_currents: Floats
    port_currents: dict[str, float]
    kcl_residual: float
    floating: tuple[str, ...]
    floating_nodes: NDArray[np.bool_]
    method: str


def solve_network(
    network: Network,
    *,
    conductances: ArrayLike,
    port_voltages: Mapping[str, float],
    gates: Mapping[str, bool] | None = None,
    switch_ohm: SwitchOhm = 0.0,
    switch_off_ohm: float = np.inf,
    port_ohm: Mapping[str, float] | float = 0.0,
    wires: bool = True,
    gate_high: float = 3.3,
) -> NetworkSolution:
    """Solve a network exactly.

    Args:
        network: what `extract` found in the layout.
        conductances: memristors in S, shape (2, rows, cols), or (1, rows, cols) if the
            network has only the bottom tier.
        port_voltages: voltage in V of every driven port.
        gates: level of every gate net, True for high. An nfet conducts when its gate is
            high, a pfet when it is low.
        switch_ohm: resistance of a conducting transistor in ohm: a number, an array of
            shape (n_switches,), or a function of (w_um, l_um, is_pfet) that returns one.
        switch_off_ohm: resistance of one that does not conduct; inf is an open.
        port_ohm: series resistance in ohm between every driven port's source and its
            node, as one number or by port name (0 where not named).
        wires: False sets every wire to 0 ohm.
        gate_high: voltage shown for select lines that are high, V; it carries no current.

    Returns:
        Voltages and currents of everything, and what was found to float.

    Raises:
        DriveError: naming a port, gate net or value that does not fit the network.
    """
    gates = dict(gates or {})
    conductance = check_conductances(network, conductances)
    drives = _check_ports(network, port_voltages)
    series = _check_port_ohm(drives, port_ohm)
    edges = _Edges(network, conductance, wires, gates, switch_ohm, switch_off_ohm)
    n_nodes = network.n_nodes
    a, b, g = edges.a, edges.b, edges.g
    nodes = {name: network.ports[name] for name in drives}
    resistive = [name for name in drives if series[name] > 0]
    if resistive:
        # A source resistance puts the held node behind one more edge.
        sources = n_nodes + np.arange(len(resistive))
        a = np.concatenate([a, sources])
        b = np.concatenate([b, [nodes[name] for name in resistive]])
        g = np.concatenate([g, [1.0 / series[name] for name in resistive]])
        nodes |= dict(zip(resistive, sources.tolist(), strict=True))
        n_nodes += len(resistive)
    circuit = prepare(n_nodes, a, b, g, np.array(list(nodes.values()), dtype=np.int64))
    group_volts = Factorised(circuit).solve(held_voltages(circuit, nodes, drives))
    return _collect(network, circuit, edges, group_volts, nodes, gates, gate_high)


def check_conductances(network: Network, conductances: ArrayLike) -> Floats:
    """Conductances as an array of the network's shape, or a DriveError that says why not."""
    array = np.asarray(conductances, dtype=np.float64)
    tiers, rows, cols = network.shape
    wanted = (max(tiers) + 1 if tiers else 1, rows, cols)
    if array.shape != wanted:
        raise DriveError(f"conductances have shape {array.shape}, the network needs {wanted}")
    bad = np.argwhere(~(np.isfinite(array) & (array >= 0)))
    if len(bad):
        t, i, j = (int(v) for v in bad[0])
        raise DriveError(
            f"conductance of tier {TIER_NAMES[t]}, row {i}, column {j} is {array[t, i, j]} S, "
            "allowed: finite, >= 0"
        )
    return array


def _check_ports(network: Network, port_voltages: Mapping[str, float]) -> dict[str, float]:
    drives = {str(name): float(volt) for name, volt in port_voltages.items()}
    unknown = [name for name in drives if name not in network.ports]
    if unknown:
        raise DriveError(f"the network has no port {unknown[0]!r} ({len(unknown)} unknown in all)")
    if not drives:
        raise DriveError("no port is driven: port_voltages is empty")
    for name, volt in drives.items():
        if not np.isfinite(volt):
            raise DriveError(f"port {name!r} is driven with {volt} V, allowed: finite")
    return drives


def _check_port_ohm(
    drives: dict[str, float], port_ohm: Mapping[str, float] | float
) -> dict[str, float]:
    if not isinstance(port_ohm, Mapping):
        port_ohm = dict.fromkeys(drives, float(port_ohm))
    for name, ohm in port_ohm.items():
        if name not in drives:
            raise DriveError(f"port_ohm names {name!r}, which is not a driven port")
        if not (np.isfinite(ohm) and ohm >= 0):
            raise DriveError(f"port_ohm of {name!r} is {ohm} ohm, allowed: finite, >= 0")
    return {name: float(port_ohm.get(name, 0.0)) for name in drives}


def switch_conductances(
    network: Network, gates: Mapping[str, bool], on_ohm: SwitchOhm, off_ohm: float
) -> Floats:
    """Conductance of every transistor under the given gate levels.

    Args:
        network: holds the transistors.
        gates: level of every gate net.
        on_ohm: see `solve_network`.
        off_ohm: resistance when off, > 0, inf allowed.

    Returns:
        Shape (n_switches,), S; inf for an ideal closed switch.

    Raises:
        DriveError: naming a gate net without a level, or an impossible resistance.
    """
    missing = [net for net in network.gate_nets if net not in gates]
    if missing:
        raise DriveError(f"no level stated for gate net {missing[0]!r} ({len(missing)} missing)")
    if not off_ohm > 0:
        raise DriveError(f"switch_off_ohm is {off_ohm} ohm, allowed: > 0, inf for an open")
    size = len(network.switch_a)
    if callable(on_ohm):
        on_ohm = on_ohm(network.switch_w_um, network.switch_l_um, network.switch_p)
    on = np.asarray(on_ohm, dtype=np.float64)
    if on.shape not in {(), (size,)}:
        raise DriveError(f"switch_ohm has shape {on.shape}, expected () or ({size},)")
    on = np.broadcast_to(on, (size,))
    bad = np.flatnonzero(~(np.isfinite(on) & (on >= 0)))
    if len(bad):
        raise DriveError(
            f"switch_ohm of switch {bad[0]} is {on[bad[0]]} ohm, allowed: finite, >= 0"
        )
    level = np.zeros(len(network.nets), dtype=bool)
    for k in np.unique(network.switch_gate):
        level[k] = bool(gates[network.nets[int(k)]])
    conducts = level[network.switch_gate] != network.switch_p
    with np.errstate(divide="ignore"):
        return np.where(conducts, 1.0 / on, 1.0 / off_ohm)


class _Edges:
    """All two-terminal elements of a network as one edge list: resistors, devices, switches."""

    def __init__(
        self,
        network: Network,
        conductance: Floats,
        wires: bool,
        gates: Mapping[str, bool],
        switch_ohm: SwitchOhm,
        switch_off_ohm: float,
    ) -> None:
        with np.errstate(divide="ignore"):
            wire = (
                1.0 / network.resistor_ohm if wires else np.full(len(network.resistor_ohm), np.inf)
            )
        device = conductance[network.memristor_tier, network.memristor_row, network.memristor_col]
        switch = switch_conductances(network, gates, switch_ohm, switch_off_ohm)
        self.a = _stack(network.resistor_a, network.memristor_a, network.switch_a)
        self.b = _stack(network.resistor_b, network.memristor_b, network.switch_b)
        self.g = np.concatenate([wire, device, switch])
        self.split = np.cumsum([len(wire), len(device)])

    def currents(self, volts: Floats) -> list[Floats]:
        """Currents a -> b of resistors, memristors and switches; nan across merged nodes."""
        drop = volts[self.a] - volts[self.b]
        with np.errstate(invalid="ignore"):
            current = np.where(np.isinf(self.g), np.nan, self.g * drop)
        return np.split(current, self.split)


def _stack(*arrays: NDArray[np.int32]) -> NDArray[np.int64]:
    return np.concatenate(arrays).astype(np.int64)


def _collect(
    network: Network,
    circuit: Circuit,
    edges: _Edges,
    group_volts: Floats,
    nodes: dict[str, int],
    gates: Mapping[str, bool],
    gate_high: float,
) -> NetworkSolution:
    """Spread the merged solution over nodes, devices and ports."""
    count = network.n_nodes
    out = circuit.outflow(group_volts)
    names_in = circuit.group[list(nodes.values())]
    sharing = np.bincount(names_in, minlength=circuit.n_groups)
    ports = {
        name: float(out[k] / sharing[k]) for name, k in zip(nodes, names_in.tolist(), strict=True)
    }
    scale = max((abs(v) for v in ports.values()), default=0.0)
    left = float(np.abs(out[circuit.free]).max(initial=0.0))
    volts = group_volts[circuit.group[:count]]
    # Select lines carry no current; show their level instead of calling them floating.
    island = circuit.island[circuit.group[:count]]
    floats = circuit.floating[circuit.group[:count]]
    for net in gates:
        if net in network.ports and floats[network.ports[net]]:
            piece = island == island[network.ports[net]]
            volts[piece] = gate_high if gates[net] else 0.0
            floats &= ~piece
    wire_amps, device_amps, switch_amps = edges.currents(volts)
    shape = (max(network.tiers) + 1 if network.tiers else 1, network.rows, network.cols)
    place = (network.memristor_tier, network.memristor_row, network.memristor_col)
    device_volts, device_current = np.full(shape, np.nan), np.full(shape, np.nan)
    device_volts[place] = volts[network.memristor_a] - volts[network.memristor_b]
    device_current[place] = device_amps
    solution = NetworkSolution(
        node_voltages=volts,
        device_voltages=device_volts,
        device_currents=device_current,
        resistor_currents=wire_amps,
        switch_currents=switch_amps,
        port_currents=ports,
        kcl_residual=left / scale if scale else 0.0,
        floating=_name_islands(network, island, floats),
        floating_nodes=floats,
        method="direct",
    )
    for value in vars(solution).values():
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    return solution


def _name_islands(
    network: Network, island: NDArray[np.integer], floats: NDArray[np.bool_]
) -> tuple[str, ...]:
    members = np.flatnonzero(floats)
    order = members[np.argsort(island[members], kind="stable")]
    pieces = np.split(order, np.flatnonzero(np.diff(island[order])) + 1) if len(order) else []
    lines = []
    for piece in pieces:
        names = ", ".join(str(n) for n in network.node_names[piece[:ISLAND_NAMES_SHOWN]])
        more = (
            f" and {len(piece) - ISLAND_NAMES_SHOWN} more"
            if len(piece) > ISLAND_NAMES_SHOWN
            else ""
        )
        lines.append(f"{len(piece)} nodes: {names}{more}")
    return tuple(lines)
