"""Exact solution of an extracted network with linear devices and switches that are on or off."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import ConvergenceError, DriveError, shortened
from ..circuit.circuit import Circuit, Flow, held_voltages, prepare
from ..circuit.exact import fits
from ..circuit.graph import Factorised
from .assembly import (
    Edges,
    SwitchOhm,
    check_conductances,
    check_port_ohm,
    check_ports,
    switch_conductances,
)
from .network import Network, supply_of

if TYPE_CHECKING:
    from .regular import RegularSolver

Floats = NDArray[np.float64]

log = logging.getLogger(__name__)

METHODS = ("auto", "crossbar", "direct")
# From this many devices on the lines' way is faster; below, compiled kernels do not pay.
REGULAR_FROM = 10_000
ISLAND_NAMES_SHOWN = 3
# Edges of every node from which a network's lines are meshes, and devices from which their lines
# are factorised alone: a factor of all of it takes 11 s at 8192 devices, that of the lines 0.1 s.
MESHED, MESHED_FROM = 4, 4_000
# What a solution by lines may leave over in a node, as a share of the largest port current.
LOST = 1e-9


def is_small(network: Network) -> bool:
    """Whether the direct solution of a network is faster than that by lines."""
    return len(network.memristor_a) < REGULAR_FROM


@dataclass(frozen=True, eq=False)
class NetworkSolution:
    """What a solve of a network found; arrays are read-only.

    Attributes:
        node_voltages: shape (n_nodes,), V; to 1e-9 of the largest port voltage.
        device_voltages: row side minus column side, shape (T, rows, cols), V; nan where
            the network has no device. Of a device behind a limiter its own alone.
        device_currents: from row side to column side, same shape, A; to 1e-9 of the largest of
            them, or to 1e-24 of the largest current of all where that is more. Beyond 3,000
            nodes, drops below 1e-28 of the largest voltage are shown as 0.
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
    gate_high: float | None = None,
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
        gate_high: voltage shown for select lines that are high, V; it carries no current. None
            for the supply that the network was extracted at.
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
        gate_high: float | None = None,
        method: str = "auto",
    ) -> None:
        self.network = network
        self.gates = dict(gates or {})
        self.gate_high = supply_of(network.conditions) if gate_high is None else gate_high
        conductance = check_conductances(network, conductances)
        series = check_port_ohm(check_ports(network, dict.fromkeys(driven, 0.0)), port_ohm)
        switch = switch_conductances(network, self.gates, switch_ohm, switch_off_ohm)
        self.edges = Edges(network, conductance, switch, series, wires)
        held = np.array(list(self.edges.held.values()), dtype=np.int64)
        self.circuit = prepare(self.edges.n_nodes, self.edges.a, self.edges.b, self.edges.g, held)
        if self.meshed:
            self.circuit = replace(self.circuit, weak=self._device_edges(self.circuit))
        if not isinstance(method, str) or method not in METHODS:
            raise DriveError(f"method is {shortened(method)}, allowed: {', '.join(METHODS)}")
        self._method = method
        if method == "crossbar":
            self.lines  # noqa: B018 - what does not fit is refused here

    @cached_property
    def lines(self) -> RegularSolver | None:
        """What solves the array by its lines; None where that is not done."""
        direct = is_small(self.network) or self.meshed
        if self._method == "direct" or (self._method == "auto" and direct):
            return None
        return self._by_lines()

    @property
    def meshed(self) -> bool:
        """Whether this is a large array whose lines are no chains of resistors, but meshes."""
        many = len(self.circuit.g) > MESHED * self.circuit.n_groups
        return many and len(self.network.memristor_a) >= MESHED_FROM

    @cached_property
    def factor(self) -> Factorised | RegularSolver:
        """What solves; made when it is first needed."""
        return self.lines or Factorised(self.circuit)

    def voltages(self, port_voltages: Mapping[str, float]) -> Floats:
        """Voltage of every node, source resistances included, for given port voltages."""
        return self.flow(port_voltages)[0].volts[self.circuit.group]

    def about(self, port_voltages: Mapping[str, float]) -> Floats:
        """Voltage of every node as one solve gives it, not judged: a step towards what is."""
        held = held_voltages(self.circuit, self.edges.held, dict(port_voltages))
        factor = self.factor
        if isinstance(factor, Factorised):
            return factor.solve(held, sweeps=1)[self.circuit.group]
        return factor.solve(held)[self.circuit.group]

    def flow(self, port_voltages: Mapping[str, float]) -> tuple[Flow, str]:
        """What given port voltages do in the merged circuit, and how that was found.

        Raises:
            ConvergenceError: if a result would miss `graph.TOLERANCE`.
        """
        held = held_voltages(self.circuit, self.edges.held, dict(port_voltages))
        if not isinstance(self.factor, Factorised):
            found = self.flow_by_lines(self.factor, self.circuit, held)
            if found is not None:
                return found, self.factor.name
            self.factor = Factorised(self.circuit)
        return self.flow_directly(self.factor, held), self.factor.name

    def flow_by_lines(self, factor: RegularSolver, circuit: Circuit, held: Floats) -> Flow | None:
        """Solve by lines; judged by what is left over, or by the direct solution if that is cheap.

        Returns:
            None if that fails and the method is 'auto'.

        Raises:
            ConvergenceError: if a current is off by more than `LOST`.
        """
        try:
            found = circuit.flow(factor.solve(held), np.zeros(circuit.n_groups))
            if fits(circuit):
                sure = self.flow_directly(Factorised(circuit), held)
                kinds = [(found.out[circuit.held], sure.out[circuit.held])]
                kinds += [(found.amps, sure.amps), (found.volts, sure.volts)]
                d = self._device_edges(circuit)
                kinds.append((found.amps[d], sure.amps[d]))
                off = max(share(got - want, want) for got, want in kinds)
            else:
                off = share(found.out[circuit.free], found.out[circuit.held])
            if not (off <= LOST):
                raise ConvergenceError(f"{factor.name} reached {off:.1e}, asked: {LOST:.0e}")
        except ConvergenceError as error:
            if self._method != "auto":
                raise
            log.info("%s; solving directly", error)
            return None
        return found

    def flow_directly(self, factor: Factorised, held: Floats) -> Flow:
        """Solve directly; the largest device current is a measure of its own."""
        return factor.flow(held, edges=(self._device_edges(factor.circuit),))

    def _device_edges(self, circuit: Circuit) -> NDArray[np.intp]:
        """Edges of a circuit that are memristors."""
        d = self.edges.devices
        return np.flatnonzero((circuit.edge >= d.start) & (circuit.edge < d.stop))

    def solve(self, port_voltages: Mapping[str, float]) -> NetworkSolution:
        """Solve for voltages of exactly the driven ports."""
        found, name = self.flow(check_ports(self.network, port_voltages))
        return self.collect(found, name)

    def _by_lines(self) -> RegularSolver | None:
        """Return a solver by lines; None if the network has none and the method is 'auto'.

        Raises:
            DriveError: if it has none and the method is 'crossbar'.
        """
        from ..circuit.wires import IrregularError
        from .regular import Devices, RegularSolver

        try:
            return RegularSolver(
                self.circuit, Devices.of(self.network, self.circuit, self.edges.devices)
            )
        except IrregularError as error:
            if self._method == "crossbar":
                raise DriveError(f"method 'crossbar' does not fit the network: {error}") from None
            log.info("no crossbar (%s); solving directly", error)
            return None

    def collect(self, found: Flow, method: str) -> NetworkSolution:
        """Turn voltages of merged nodes and currents of edges into a solution."""
        network, edges, circuit = self.network, self.edges, self.circuit
        ports = self._ports(found.out)
        left = float(np.abs(found.out[circuit.free]).max(initial=0.0))
        amps = np.where(np.isinf(edges.g), np.nan, 0.0)
        amps[circuit.edge] = found.amps
        volts = found.volts[circuit.group]
        drops = volts[edges.a] - volts[edges.b]
        drops[circuit.edge] = found.drops
        scale = max((abs(v) for v in ports.values()), default=0.0)
        volts = volts[: network.n_nodes].copy()
        floats, names = self._find_floating(volts)
        shape = (max(network.tiers, default=0) + 1, network.rows, network.cols)
        place = (network.memristor_tier, network.memristor_row, network.memristor_col)
        device_volts, device_amps = np.full(shape, np.nan), np.full(shape, np.nan)
        device_volts[place] = drops[edges.devices]
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

    def _ports(self, out: Floats) -> dict[str, float]:
        """Current of every driven port; those that share a node share it equally."""
        held = self.edges.held
        groups = self.circuit.group[list(held.values())]
        sharing = np.bincount(groups, minlength=self.circuit.n_groups)
        return {
            name: float(out[k] / sharing[k]) for name, k in zip(held, groups.tolist(), strict=True)
        }

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
        return floats, name_islands(network, island, floats)


def share(part: Floats, whole: Floats) -> float:
    """Largest of one over the largest of the other; nothing of nothing is 0, nan stays."""
    most, of = float(np.abs(part).max(initial=0.0)), float(np.abs(whole).max(initial=0.0))
    return most / of if of else (0.0 if most == 0 else float("inf"))


def name_islands(
    network: Network, island: NDArray[np.integer], floats: NDArray[np.bool_]
) -> tuple[str, ...]:
    """Return a line for each piece that floats, in the order of the pieces' numbers."""
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
