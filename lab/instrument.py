"""What a monitor is measured by: an interface of one call, and an instrument made of extraction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..cells import Cell, to_layout
from ..cells.drawing import label_at
from ..cells.monitors import kelvin, van_der_pauw, via_chain
from ..pdk import ParameterError, Tech

if TYPE_CHECKING:
    from ..solve import Network

#: standard deviation of a voltmeter, V
NOISE_V = 1e-7
#: a pair of pads of a monitor, numbered from 1 in the west
Pads = tuple[int, int]
_DRAWN = {"kelvin": kelvin, "van_der_pauw": van_der_pauw, "via_chain": via_chain}


class Instrument(Protocol):
    """A current source and a voltmeter on the four pads of one monitor."""

    def voltage(self, monitor: str, force: Pads, sense: Pads, current_a: float) -> float:
        """Return the voltage from the first sense pad to the second, in V.

        Args:
            monitor: name of the monitor's cell, e.g. ``kelvin_be``.
            force: pads that the current enters and leaves by.
            sense: pads between which the voltage is measured.
            current_a: current in A, negative for the other direction.
        """


def draw(monitor: str, tech: Tech) -> Cell:
    """Return the cell of a monitor of wires.

    Raises:
        ParameterError: for a monitor that there is not.
    """
    kind, _, electrode = monitor.rpartition("_")
    if kind not in _DRAWN:
        known = ", ".join(f"{kind}_be" for kind in _DRAWN)
        raise ParameterError("monitor", monitor, f"such as {known}, with be, me or te")
    return _DRAWN[kind](tech, electrode=electrode.upper())


def wires_of(monitor: str, tech: Tech) -> Network:
    """Return the extracted wires of a monitor, with a port ``P1`` to ``P4`` on each pad."""
    cell = draw(monitor, tech)
    labels = (label_at(replace(port, name=f"P{k}")) for k, port in enumerate(cell.ports, 1))
    from ..extract import extract

    return extract(to_layout(replace(cell, labels=tuple(labels)), tech), tech).network


def four_wire_ohm(network: Network, force: Pads, sense: Pads) -> float:
    """Return the voltage between two pads over the current through two others, in ohm."""
    none = np.zeros((1, 0, 0))  # a monitor of wires holds no device
    pads = {f"P{force[0]}": 1.0, f"P{force[1]}": 0.0}
    from ..solve import solve_network

    solved = solve_network(network, conductances=none, port_voltages=pads)
    high, low = (solved.node_voltages[network.ports[f"P{pad}"]] for pad in sense)
    return float((high - low) / solved.port_currents[f"P{force[0]}"])


class Simulated:
    """An instrument whose monitors are the extraction's, at the conditions of a technology.

    Args:
        tech: the process as it is made; its conditions hold the truth to be found.
        noise_v: standard deviation of the voltmeter in V.
        offset_v: voltage that it shows without a current, V.
        seed: of the noise.
    """

    def __init__(
        self, tech: Tech, noise_v: float = NOISE_V, offset_v: float = 2e-6, seed: int = 0
    ) -> None:
        self.tech, self.noise_v, self.offset_v = tech, noise_v, offset_v
        self._random = np.random.default_rng(seed)
        self._wires: dict[str, Network] = {}
        self._ohm: dict[tuple[str, Pads, Pads], float] = {}

    def voltage(self, monitor: str, force: Pads, sense: Pads, current_a: float) -> float:
        """Return what the voltmeter shows, in V."""
        key = (monitor, force, sense)
        if key not in self._ohm:
            if monitor not in self._wires:
                self._wires[monitor] = wires_of(monitor, self.tech)
            self._ohm[key] = four_wire_ohm(self._wires[monitor], force, sense)
        noise = self._random.normal(0.0, self.noise_v) if self.noise_v else 0.0
        return self._ohm[key] * current_a + self.offset_v + noise
