"""Exact solution of an extracted network with linear devices and switches that are on or off."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.errors import ConvergenceError, DriveError
from .assembly import (
    Edges,
    SwitchOhm,
    check_conductances,
    check_port_ohm,
    check_ports,
    switch_conductances,
)
from .graph import Factorised, held_voltages, prepare
from .network import Network

if TYPE_CHECKING:
    from .regular import RegularSolver
    from .stiff import Levels

Floats = NDArray[np.float64]

log = logging.getLogger(__name__)

METHODS = ("auto", "crossbar", "direct")
# From this many devices on the lines' way is faster; below, compiled kernels do not pay.
REGULAR_FROM = 10_000
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
    method: str = "auto",
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
        method: 'direct' factorises everything; 'crossbar' solves the array by its lines and
            the rest exactly (see `regular`); 'auto' takes that for large arrays whose lines
            allow it. Both are exact; the result names which it was.

    Returns:
        Voltages and currents of everything, and what was found to float.

    Raises:
        DriveError: naming a port, gate net or value that does not fit the network.
    """
    drives = check_ports(network, port_voltages)
    solver = NetworkSolver(
        network,
        conductances=conductances,
        driven=drives,
        gates=gates,
        switch_ohm=switch_ohm,
        switch_off_ohm=switch_off_ohm,
        port_ohm=port_ohm,
        wires=wires,
        gate_high=gate_high,
        method=method,
    )
    return solver.solve(drives)


class NetworkSolver:
    """A factorised network: any number of port voltages for the price of one.

    The arguments are those of `solve_network`, with the names of the driven ports in
    place of their voltages.
    """

    def __init__(
        self,
        network: Network,
        *,
        conductances: ArrayLike,
        driven: Iterable[str],
        gates: Mapping[str, bool] | None = None,
        switch_ohm: SwitchOhm = 0.0,
        switch_off_ohm: float = np.inf,
        port_ohm: Mapping[str, float] | float = 0.0,
        wires: bool = True,
        gate_high: float = 3.3,
        method: str = "auto",
    ) -> None:
        self.network = network
        self.gates = dict(gates or {})
        self.gate_high = gate_high
        conductance = check_conductances(network, conductances)
        series = check_port_ohm(check_ports(network, dict.fromkeys(driven, 0.0)), port_ohm)
        switch = switch_conductances(network, self.gates, switch_ohm, switch_off_ohm)
        self.edges = Edges(network, conductance, switch, series, wires)
        held = np.array(list(self.edges.held.values()), dtype=np.int64)
        self.circuit = prepare(self.edges.n_nodes, self.edges.a, self.edges.b, self.edges.g, held)
        self.factor = self._choose(method)

    def voltages(self, port_voltages: Mapping[str, float]) -> Floats:
        """Voltage of every node, source resistances included, for given port voltages."""
        held = held_voltages(self.circuit, self.edges.held, dict(port_voltages))
        try:
            return self.factor.solve(held)[self.circuit.group]
        except ConvergenceError as error:
            if self._method != "auto":
                raise
            log.info("%s; solving directly", error)
            self.factor = Factorised(self.circuit)
            return self.factor.solve(held)[self.circuit.group]

    def solve(self, port_voltages: Mapping[str, float]) -> NetworkSolution:
        """Solve for voltages of exactly the driven ports."""
        volts = self.voltages(check_ports(self.network, port_voltages))
        amps, levels = self.edges.currents(volts), getattr(self.factor, "levels", None)
        return self.collect(volts, amps, self.factor.name, levels)

    def _choose(self, method: str) -> Factorised | RegularSolver:
        """The solver that `method` asks for.

        Raises:
            DriveError: for an unknown method, or one that does not fit the network.
        """
        if method not in METHODS:
            raise DriveError(f"method is {method!r}, allowed: {', '.join(METHODS)}")
        self._method = method
        small = len(self.network.memristor_a) < REGULAR_FROM
        if method == "direct" or (method == "auto" and small):
            return Factorised(self.circuit)
        from .regular import Devices, RegularSolver
        from .wires import IrregularError

        try:
            return RegularSolver(
                self.circuit, Devices.of(self.network, self.circuit, self.edges.devices)
            )
        except IrregularError as error:
            if method == "crossbar":
                raise DriveError(f"method 'crossbar' does not fit the network: {error}") from None
            log.info("no crossbar (%s); solving directly", error)
            return Factorised(self.circuit)

    def collect(
        self, volts: Floats, amps: Floats, method: str, levels: Levels | None = None
    ) -> NetworkSolution:
        """Turn voltages of all nodes and currents of all elements into a solution.

        With `levels`, currents of ports are those of joined nodes (see `stiff`).
        """
        network, edges = self.network, self.edges
        ports, left = self._balance(volts, amps, levels)
        scale = max((abs(v) for v in ports.values()), default=0.0)
        volts = volts[: network.n_nodes].copy()
        floats, names = self._find_floating(volts)
        shape = (max(network.tiers, default=0) + 1, network.rows, network.cols)
        place = (network.memristor_tier, network.memristor_row, network.memristor_col)
        device_volts, device_amps = np.full(shape, np.nan), np.full(shape, np.nan)
        device_volts[place] = volts[network.memristor_a] - volts[network.memristor_b]
        device_amps[place] = amps[edges.devices]
        solution = NetworkSolution(
            node_voltages=volts,
            device_voltages=device_volts,
            device_currents=device_amps,
            resistor_currents=amps[edges.wires].copy(),
            switch_currents=amps[edges.switches].copy(),
            port_currents=ports,
            kcl_residual=left / scale if scale else 0.0,
            floating=names,
            floating_nodes=floats,
            method=method,
        )
        for value in vars(solution).values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
        return solution

    def _balance(
        self, volts: Floats, amps: Floats, levels: Levels | None
    ) -> tuple[dict[str, float], float]:
        """Current of every driven port and the largest current left over elsewhere."""
        circuit, edges = self.circuit, self.edges
        if levels is None:
            flow = amps[circuit.edge]
            out = np.bincount(circuit.a, flow, circuit.n_groups).astype(np.float64)
            out -= np.bincount(circuit.b, flow, circuit.n_groups)
            left = float(np.abs(out[circuit.free]).max(initial=0.0))
        else:
            merged = np.zeros(circuit.n_groups)
            merged[circuit.group] = volts
            out, left = levels.held_outflow(merged), levels.left_over(merged)
        groups = circuit.group[list(edges.held.values())]
        sharing = np.bincount(groups, minlength=circuit.n_groups)
        ports = {
            name: float(out[k] / sharing[k])
            for name, k in zip(edges.held, groups.tolist(), strict=True)
        }
        return ports, left

    def _find_floating(self, volts: Floats) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
        """Nodes that nothing drives, and their names; select lines get their level.

        A select line carries no current: it shows its level instead of being called
        floating.
        """
        network, circuit = self.network, self.circuit
        group = circuit.group[: network.n_nodes]
        island, floats = circuit.island[group], circuit.floating[group]
        for net, high in self.gates.items():
            if net in network.ports and floats[network.ports[net]]:
                piece = island == island[network.ports[net]]
                volts[piece] = self.gate_high if high else 0.0
                floats &= ~piece
        return floats, _name_islands(network, island, floats)


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
