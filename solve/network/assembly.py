"""From a network, conductances and gate levels to one list of conductances between nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import DriveError
from ...base.names import TIER_NAMES
from .network import Network

Floats = NDArray[np.float64]
SwitchOhm = float | ArrayLike | Callable[[Floats, Floats, NDArray[np.bool_]], ArrayLike]


#: most of a memristor in S: beyond, sums over a line leave the numbers
MOST_SIEMENS = 1e100


def check_conductances(network: Network, conductances: ArrayLike) -> Floats:
    """Conductances as an array of the network's shape, or a DriveError that says why not."""
    array = np.asarray(conductances, dtype=np.float64)
    tiers, rows, cols = network.shape
    wanted = (max(tiers) + 1 if tiers else 1, rows, cols)
    if array.shape != wanted:
        raise DriveError(f"conductances have shape {array.shape}, the network needs {wanted}")
    bad = np.argwhere(~((array >= 0) & (array <= MOST_SIEMENS)))
    if len(bad):
        t, i, j = (int(v) for v in bad[0])
        raise DriveError(
            f"conductance of tier {TIER_NAMES[t]}, row {i}, column {j} is {array[t, i, j]} S, "
            f"allowed: 0 .. {MOST_SIEMENS:g} S"
        )
    return array


def check_ports(network: Network, port_voltages: Mapping[str, float]) -> dict[str, float]:
    """Port voltages as floats, or a DriveError that names the wrong one."""
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


def check_port_ohm(
    driven: Iterable[str], port_ohm: Mapping[str, float] | float
) -> dict[str, float]:
    """Series resistance of every driven port, or a DriveError that names the wrong one."""
    driven = list(driven)
    if not isinstance(port_ohm, Mapping):
        port_ohm = dict.fromkeys(driven, float(port_ohm))
    for name, ohm in port_ohm.items():
        if name not in driven:
            raise DriveError(f"port_ohm names {name!r}, which is not a driven port")
        if not (np.isfinite(ohm) and ohm >= 0):
            raise DriveError(f"port_ohm of {name!r} is {ohm} ohm, allowed: finite, >= 0")
    return {name: float(port_ohm.get(name, 0.0)) for name in driven}


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


class Edges:
    """All two-terminal elements of a network as one edge list.

    The order is resistors, memristors, switches, then one source resistance for every
    driven port that has one. Source resistances put the held node behind one more node.

    Attributes:
        a: one end of every element.
        b: the other end.
        g: conductance in S, 0 (open) to inf (ideal).
        n_nodes: nodes of the network and of the source resistances.
        held: node that holds the voltage of each driven port.
    """

    def __init__(
        self,
        network: Network,
        conductance: Floats,
        switch: Floats,
        series: Mapping[str, float],
        wires: bool,
    ) -> None:
        ohm = network.resistor_ohm if wires else np.zeros_like(network.resistor_ohm)
        device = conductance[network.memristor_tier, network.memristor_row, network.memristor_col]
        resistive = [name for name, r in series.items() if r > 0]
        sources = network.n_nodes + np.arange(len(resistive))
        pins = np.array([network.ports[name] for name in resistive], dtype=np.int64)
        with np.errstate(divide="ignore"):
            wire = 1.0 / ohm
        self.a = _stack(network.resistor_a, network.memristor_a, network.switch_a, sources)
        self.b = _stack(network.resistor_b, network.memristor_b, network.switch_b, pins)
        own = np.array([1.0 / series[name] for name in resistive])
        self.g = np.concatenate([wire, device, switch, own])
        self.n_nodes = network.n_nodes + len(resistive)
        self.held = {name: network.ports[name] for name in series}
        self.held |= dict(zip(resistive, sources.tolist(), strict=True))
        ends = np.cumsum([0, len(wire), len(device), len(switch)]).tolist()
        self.wires, self.devices, self.switches = (slice(ends[k], ends[k + 1]) for k in range(3))

    def currents(self, volts: Floats) -> Floats:
        """Current a -> b of every element for node voltages; nan across ideal ones."""
        drop = volts[self.a] - volts[self.b]
        with np.errstate(invalid="ignore"):
            return np.where(np.isinf(self.g), np.nan, self.g * drop)


def _stack(*arrays: NDArray[np.integer]) -> NDArray[np.int64]:
    return np.concatenate(arrays).astype(np.int64)
