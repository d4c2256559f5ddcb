"""Transistors that are in series with a memristor each, brought to work with the lines as chains.

In a large array one solve of the whole network takes seconds, and transistors, written memristors
and wires come together in tens of solves. Where what lies between a transistor and its memristor
leads nowhere else, the wires see both as one device: the array is a crossbar of chains then, whose
solves take a hundredth of that. What is found is near enough to the network's own answer to be
confirmed by one solve of it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConvergenceError
from ..pdk import Tech
from ..solve.circuit.circuit import held_voltages, join
from ..solve.network.assembly import switch_conductances
from ..solve.network.linear import NetworkSolver
from ..solve.network.network import Network
from ..solve.network.reduced import MOST_DEVICES
from .on_resistance import OnResistance
from .transistors import Bent, Near

if TYPE_CHECKING:
    from ..solve.network.regular import RegularSolver

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

log = logging.getLogger(__name__)

#: change of a current that ends the rounds, of the largest; how many there may be
_SETTLED, _MOST_ROUNDS = 1e-10, 60
#: steps of a memristor between its lines, and the last one, V
_MOST_STEPS, _ROUNDING_V = 80, 1e-13
#: of what it conducts on the whole, the least that its tangent may: a transistor saturates
_LEAST_SHARE = 1e-3
_NONE = -1


@dataclass(frozen=True, eq=False)
class Branches:
    """The memristors of a network that have a transistor in series.

    Attributes:
        network: the same network in which such a memristor reaches up to the far end of its
            transistor; the other transistors are still there.
        switch: number of each transistor in the whole network.
        device: number of its memristor.
        ohm: of the wires between both.
        at_a: whether the transistor is at the memristor's first end.
        outer_a: whether its own first end is the far one.
        rest: numbers of the other transistors.
    """

    network: Network
    switch: Ints
    device: Ints
    ohm: Floats
    at_a: Bools
    outer_a: Bools
    rest: Ints

    @classmethod
    def of(cls, network: Network) -> Branches | None:
        """Find them in a network of few wires (`reduced`); None if there are none."""
        wires = np.stack([network.resistor_a, network.resistor_b]).astype(np.int64)
        _, piece = join(network.n_nodes, wires[0], wires[1])
        count = int(piece.max(initial=_NONE)) + 1
        ends = (network.switch_a, network.switch_b, network.memristor_a, network.memristor_b)
        users = [np.bincount(piece[nodes], minlength=count) for nodes in ends]
        pins = np.bincount(piece[[*network.ports.values()]], minlength=count)
        private = (users[0] + users[1] == 1) & (users[2] + users[3] == 1) & (pins == 0)
        inner = [private[piece[end]] for end in ends]
        switch = np.flatnonzero(inner[0] ^ inner[1])
        outer_a = inner[1][switch]
        near = np.where(outer_a, network.switch_b[switch], network.switch_a[switch])
        device_at, at_a = _devices_at(network, piece, inner, count)
        device = device_at[piece[near]]
        ohm = _between(network, piece, near, device, at_a, count)
        # a memristor between two transistors is no branch of one, nor is one behind a mesh
        good = (inner[2] ^ inner[3])[device] & np.isfinite(ohm)
        if not good.any():
            return None
        switch, device, ohm, outer_a = (v[good] for v in (switch, device, ohm, outer_a))
        far = np.where(outer_a, network.switch_a[switch], network.switch_b[switch])
        first, second = network.memristor_a.copy(), network.memristor_b.copy()
        mine = at_a[device]
        first[device[mine]], second[device[~mine]] = far[mine], far[~mine]
        rest = np.setdiff1d(np.arange(len(network.switch_a)), switch)
        changed: dict[str, Any] = {
            name: getattr(network, name)[rest]
            for name in (f"switch_{part}" for part in ("a", "b", "gate", "w_um", "l_um", "p"))
        }
        merged = replace(network, memristor_a=first, memristor_b=second, **changed)
        return cls(merged, switch, device, ohm, mine, outer_a, rest)


def _devices_at(
    network: Network, piece: Ints, inner: list[Bools], count: int
) -> tuple[Ints, Bools]:
    """Return the memristor on each private piece, and of each whether its first end is there."""
    found = np.full(count, _NONE)
    for nodes, there in ((network.memristor_a, inner[2]), (network.memristor_b, inner[3])):
        found[piece[nodes[there]]] = np.flatnonzero(there)
    return found, inner[2]


def _between(
    network: Network, piece: Ints, near: Ints, device: Ints, at_a: Bools, count: int
) -> Floats:
    """Return the ohm between transistors and their memristors; nan if it is no one resistor."""
    resistors = np.bincount(piece[network.resistor_a], minlength=count)
    ohm = np.zeros(count)
    ohm[piece[network.resistor_a]] = network.resistor_ohm
    ends = np.where(at_a[device], network.memristor_a[device], network.memristor_b[device])
    own = piece[near]
    found = np.where(resistors[own] == 1, ohm[own], np.nan)
    found[(near == ends) & (resistors[own] == 0)] = 0.0
    found[(near == ends) & (resistors[own] > 0)] = np.nan
    return found


def near_work(
    network: Network,
    tech: Tech,
    first: Floats,
    bent: Bent | None,
    conductances: Floats,
    port_voltages: Mapping[str, float],
    gates: Mapping[str, bool],
    off_ohm: float,
) -> Near | None:
    """Return about what transistors and memristors with a law are at work.

    Args:
        network: of few wires (`reduced`).
        tech: the transistors' models.
        first: guess of the same.
        bent: memristors that follow a law.
        conductances: of all memristors at small voltage, S, shape (T, rows, cols).
        port_voltages: V of every driven pin.
        gates: level of every gate net.
        off_ohm: of a transistor that does not conduct.

    Returns:
        None where transistors are no part of a branch, lines are no chains, or nothing is found.
    """
    branches = Branches.of(network)
    if branches is None:
        return None
    own = branches.switch
    on = switch_conductances(network, gates, 1.0, np.inf)[own] > 0
    if not on.any():
        return None
    place = (network.memristor_tier, network.memristor_row, network.memristor_col)
    devices = _Devices(branches, on, network, tech, bent, conductances[place])
    siemens = np.zeros(conductances.shape)
    siemens[place] = devices.at_first(first, off_ohm)
    solver = NetworkSolver(
        branches.network, conductances=siemens, driven=port_voltages, gates=gates,
        switch_ohm=first[branches.rest], switch_off_ohm=off_ohm,
    )  # fmt: skip
    if solver.lines is None:
        return None
    try:
        held = held_voltages(solver.circuit, solver.edges.held, dict(port_voltages))
        if not _brought_together(devices, solver, solver.lines, held):
            return None
    except ConvergenceError as error:
        log.info("not found by chains: %s", error)
        return None
    large = len(network.memristor_a) > MOST_DEVICES
    return Near(devices.ohm(first), devices.counts, go_on=large or not len(branches.rest))


def _brought_together(
    devices: _Devices, solver: NetworkSolver, lines: RegularSolver, held: Floats
) -> bool:
    """Take Newton's steps of the lines until currents stay; False if they do not."""
    circuit, mine = solver.circuit, solver.edges.devices
    edges = np.flatnonzero((circuit.edge >= mine.start) & (circuit.edge < mine.stop))
    kept = circuit.edge[edges] - mine.start
    g, shift = circuit.g.copy(), np.zeros(len(circuit.g))
    first, second, amps = lines.at_devices(held)
    for _ in range(_MOST_ROUNDS):
        siemens, offset = devices.tangents(first, second, amps)
        g[edges], shift[edges] = siemens[kept], offset[kept]
        lines.set_devices(g)
        before = amps
        first, second, amps = lines.at_devices(held, shift)
        moved = float(np.abs(devices.amps - amps).max(initial=0.0))
        if not np.isfinite(moved):
            return False
        most = float(np.abs(amps).max(initial=0.0))
        moved = max(moved, float(np.abs(amps - before).max(initial=0.0)))
        if moved <= _SETTLED * most:
            devices.tangents(first, second, amps)
            return True
    return False


class _Devices:
    """Memristors with what is in series with them, as tangents between their lines."""

    def __init__(
        self,
        branches: Branches,
        on: Bools,
        network: Network,
        tech: Tech,
        bent: Bent | None,
        siemens: Floats,
    ) -> None:
        """Take them from a network.

        Args:
            branches: its branches.
            on: which of their transistors conduct.
            network: of few wires.
            tech: the transistors' models.
            bent: memristors that follow a law.
            siemens: of all memristors at small voltage, S.
        """
        self._branches, self._on = branches, on
        live = on & (siemens[branches.device] > 0)
        own = branches.switch[live]
        self._live, self._device = live, branches.device[live]
        self._at_a, self._outer_a = branches.at_a[live], branches.outer_a[live]
        self._wire, self._siemens = branches.ohm[live], siemens
        self._table = OnResistance(
            tech, network.switch_w_um[own], network.switch_l_um[own], network.switch_p[own]
        )
        self._bent, self._switches = bent, len(network.switch_a)
        self._volts = np.zeros(len(siemens))
        self._inner, self._outer = np.zeros((2, len(own)))
        self._first = siemens
        #: of all memristors, A
        self.amps = np.zeros(len(siemens))

    def at_first(self, first: Floats, off_ohm: float) -> Floats:
        """Return what every memristor conducts with its transistor at a guess of these, S."""
        own = self._branches
        ohm = np.where(self._on, first[own.switch], off_ohm)
        self._first = self._siemens.copy()
        with np.errstate(divide="ignore"):
            whole = 1.0 / self._siemens[own.device] + own.ohm + ohm
        self._first[own.device] = 1.0 / whole
        return self._first

    def _law(self, volts: Floats) -> tuple[Floats, Floats]:
        """Return current and slope of every memristor."""
        amps, slope = self._siemens * volts, self._siemens.copy()
        if (bent := self._bent) is not None:
            at = volts[bent.which]
            amps[bent.which] = bent.law.current(bent.siemens, at)
            slope[bent.which] = bent.law.slope(bent.siemens, at)
        return amps, slope

    def tangents(self, first: Floats, second: Floats, amps: Floats) -> tuple[Floats, Floats]:
        """Return conductance, S, and voltage in series, V, of what is between the lines.

        Args:
            first: voltage at the first end of every memristor with its transistor, V.
            second: at the second end, V.
            amps: through it in the lines' last solve, A; of those whose transistor is off it stays.
        """
        over, own = first - second, self._device
        by_inner = self._shared(first, second)
        through, siemens = self._law(self._volts)
        # on the lines' resistance at the memristor's other end, the column's, most depends
        siemens[own] = by_inner / (1.0 + by_inner * (1.0 / siemens[own] + self._wire))
        chord = np.divide(through, over, out=siemens.copy(), where=over != 0)
        siemens = np.maximum(siemens, _LEAST_SHARE * chord)
        shift = over - np.divide(through, siemens, out=over.copy(), where=siemens > 0)
        off = self._branches.device[~self._live]
        siemens[off], shift[off], through[off] = self._first[off], 0.0, amps[off]
        self.amps = through
        return siemens, shift

    def _shared(self, first: Floats, second: Floats) -> Floats:
        """Share the voltage between lines that hold still among transistors and memristors.

        By Newton's steps, and by halves where these lead away.

        Returns:
            How the current of each transistor falls with the voltage at its inner end, S.
        """
        own, volts = self._device, first - second
        outer = np.where(self._at_a, first[own], second[own])
        far = np.where(self._at_a, second[own], first[own])
        sign = np.where(self._at_a, 1.0, -1.0)
        low, high = np.minimum(volts[own], 0.0), np.maximum(volts[own], 0.0)
        last = self._volts[own]
        volts[own] = np.where((last > low) & (last < high), last, 0.5 * volts[own])
        for _ in range(_MOST_STEPS):
            through, slope = (found[own] for found in self._law(volts))
            inner = far + sign * (volts[own] + self._wire * through)
            flow, by_inner = self._flow(outer, inner)
            # what the transistor carries beyond its memristor falls with the voltage of this
            more = sign * flow - through
            low, high = np.where(more > 0, volts[own], low), np.where(more > 0, high, volts[own])
            step = more / (by_inner * (1.0 + self._wire * slope) + slope)
            aim = volts[own] + step
            volts[own] = np.where((aim >= low) & (aim <= high), aim, 0.5 * (low + high))
            if float(np.abs(step).max(initial=0.0)) <= _ROUNDING_V:
                break
        self._volts, self._inner, self._outer = volts, inner, outer
        return by_inner

    def _flow(self, outer: Floats, inner: Floats) -> tuple[Floats, Floats]:
        """Return the transistors' current from outer to inner end, and its fall by the inner."""
        a = np.where(self._outer_a, outer, inner)
        b = np.where(self._outer_a, inner, outer)
        amps, by_a, by_b = self._table.flow(a, b)
        return np.where(self._outer_a, amps, -amps), np.where(self._outer_a, by_b, by_a)

    @property
    def counts(self) -> Bools:
        """Which transistors, and memristors with a law, carry current for all that is known."""
        count = 0 if self._bent is None else len(self._bent.which)
        found = np.ones(self._switches + count, dtype=bool)
        found[self._branches.switch[~self._live]] = False
        return found

    def ohm(self, first: Floats) -> Floats:
        """Return the resistances of all transistors, then of memristors with a law."""
        out = first.copy()
        a = np.where(self._outer_a, self._outer, self._inner)
        b = np.where(self._outer_a, self._inner, self._outer)
        out[self._branches.switch[self._live]] = self._table(a, b)
        if (bent := self._bent) is not None:
            volts, amps = self._volts[bent.which], self.amps[bent.which]
            known = out[self._switches :]
            out[self._switches :] = np.divide(volts, amps, out=known.copy(), where=amps != 0)
        return out
