"""Transistors of a network at the voltages at which they work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ..pdk import CrossStackError, Tech
from ..pdk.conditions import agree
from .on_resistance import OnResistance

if TYPE_CHECKING:
    from ..solve.circuit.iv import DeviceLaw
    from ..solve.network.network import Network

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: rounds in which transistors and voltages must agree, and to what relative change
_MOST_ROUNDS, _SETTLED = 200, 1e-5
#: steps, as parts of what a resistance is off
_LEAST_STEP, _MOST_STEP = 0.05, 3.0
#: even steps, tried where steps of each resistance's own do not settle
_DAMPING = (0.5, 0.2, 0.08)
#: a transistor of more than this carries nothing that matters, ohm
_OFF_OHM = 1e8
#: below this a memristor's law is a line, V
_NO_VOLT = 1e-6


class Resistances(Protocol):
    """What `settled` brings together with its voltages: transistors, or devices too."""

    def __len__(self) -> int: ...

    def __call__(self, a_v: Floats, b_v: Floats, /) -> Floats:
        """Return ohm at the voltages of both ends."""

    def least(self) -> Floats:
        """Return a first guess, ohm."""

    def check(self, a_v: Floats, b_v: Floats, names: Callable[[int], str], /) -> None:
        """Refuse voltages at which nobody knows the resistance."""


@dataclass(frozen=True, eq=False)
class Bent:
    """Memristors that follow a law: their numbers in the network, the law, S at small voltage."""

    which: NDArray[np.intp]
    law: DeviceLaw
    siemens: Floats


@dataclass(frozen=True, eq=False)
class Near:
    """Resistances that nearly fit their voltages.

    Attributes:
        ohm: of transistors, then of memristors that follow a law.
        counts: which of these must fit; of those that carry nothing any resistance does.
        go_on: whether solves by lines go on from there, and not a factor of all nodes.
    """

    ohm: Floats
    counts: Bools
    go_on: bool


class Series:
    """Transistors, and memristors that follow a law, as resistances that fit their voltages."""

    def __init__(self, table: OnResistance, law: DeviceLaw | None, conductance: Floats) -> None:
        self.table, self.law, self.G = table, law, conductance

    def __len__(self) -> int:
        return len(self.table) + len(self.G)

    def __call__(self, a_v: Floats, b_v: Floats) -> Floats:
        """Return ohm at the voltages of both ends, transistors first."""
        n = len(self.table)
        chord = 1.0 / self.G
        if self.law is not None:
            volts = (a_v - b_v)[n:]
            amps = self.law.current(self.G, volts)
            chord = np.where(np.abs(volts) > _NO_VOLT, volts / np.where(amps, amps, 1), chord)
        return np.concatenate([self.table(a_v[:n], b_v[:n]), chord])

    def least(self) -> Floats:
        """Return a first guess, ohm."""
        return np.concatenate([self.table.least(), 1.0 / self.G])

    def check(self, a_v: Floats, b_v: Floats, names: Callable[[int], str]) -> None:
        """Refuse voltages that the transistors' tables do not hold."""
        n = len(self.table)
        self.table.check(a_v[:n], b_v[:n], names)


def working_ohm(
    network: Network,
    tech: Tech,
    solve: Callable[[Floats, Floats], Floats],
    start: Floats | None = None,
    bent: Bent | None = None,
    at_once: Callable[[OnResistance, Floats], Floats | None] | None = None,
    near: Callable[[Floats], Near | None] | None = None,
) -> Floats:
    """Return R_on of every transistor of a network at the voltages at which it works, in ohm.

    Args:
        network: whose transistors.
        tech: their models, at its corner and temperature.
        solve: R_on of every switch, ohm of every memristor that follows a law -> voltage of
            every node, V.
        start: first guess, from a similar solve; None for the least resistances.
        bent: memristors that follow a law; they and the transistors are brought together.
        at_once: table, first guess of R_on -> voltage of every node where both fit; None if that
            was not found, and repeated solves are to find it.
        near: guess of the ohm of transistors and memristors -> one that nearly fits; None if
            there is none.

    Raises:
        CrossStackError: if it does not settle, or leaves the range of the models.
        ParameterError: for models at other conditions than the network's.
    """
    agree(network.conditions, tech.conditions)
    table = OnResistance(tech, network.switch_w_um, network.switch_l_um, network.switch_p)
    n = len(table)
    if not n:
        return np.zeros(0)
    which = np.zeros(0, dtype=np.int64) if bent is None else bent.which
    law, small = (None, np.zeros(0)) if bent is None else (bent.law, bent.siemens)
    series = Series(table, law, small)
    if start is not None:
        start = np.concatenate([start, 1.0 / small])
    found_near = None
    if near is not None:
        found_near = near(series.least() if start is None else start)
        start = start if found_near is None else found_near.ohm
    if at_once is not None and not (found_near is not None and found_near.go_on):
        volts = at_once(table, table.least() if start is None else start[:n])
        if volts is not None:
            found = volts[network.switch_a], volts[network.switch_b]
            table.check(*found, lambda k: _name(network, k))
            return table(*found)
    a = np.concatenate([network.switch_a, network.memristor_a[which]])
    b = np.concatenate([network.switch_b, network.memristor_b[which]])

    def ends(ohm: Floats) -> tuple[Floats, Floats]:
        volts = solve(ohm[:n], ohm[n:])
        return volts[a], volts[b]

    counts = None if found_near is None else found_near.counts
    return settled(series, ends, start, lambda k: _name(network, k), counts=counts)[:n]


def _name(network: Network, k: int) -> str:
    """Name a transistor by its ends and its gate."""
    a, b = (str(network.node_names[n[k]]) for n in (network.switch_a, network.switch_b))
    return f"{a} - {b} (gate {network.nets[int(network.switch_gate[k])]})"


def settled(
    table: Resistances,
    ends: Callable[[Floats], tuple[Floats, Floats]],
    start: Floats | None = None,
    names: Callable[[int], str] = "number {}".format,
    *,
    counts: Bools | None = None,
) -> Floats:
    """Return resistances of transistors that fit the voltages which they lead to, in ohm.

    A PMOS does not pass the read voltage and an NMOS hardly the write voltage, and both
    saturate, so that one resistance per width would flatter the switches. Resistances and
    voltages are brought together by repeated solving, damped where they swing, until nothing
    moves by more than a hundred-thousandth.

    Args:
        table: R_on over the voltages at both ends.
        ends: R_on of every transistor -> the voltages at its ends, V.
        start: first guess; None for the least resistances.
        names: number of a transistor -> what to call it.
        counts: which of them must fit; None for all.

    Raises:
        CrossStackError: if it does not settle, or leaves the range of the models.
    """
    if not len(table):
        return np.zeros(0)
    for first in (table.least(),) if start is None else (start, table.least()):
        found = _brought_together(table, ends, first, names, counts)
        if found is not None:
            return found
    for damping in _DAMPING:
        found = _damped(table, ends, damping, names, counts)
        if found is not None:
            return found
    raise CrossStackError("the transistors' resistances and voltages did not settle")


def _worst(off: Floats, wanted: Floats, ohm: Floats, counts: Bools | None) -> float:
    """Return how far off the worst of those that matter is, in logarithms."""
    # what is off stays off whatever its resistance exactly is
    matters = np.minimum(wanted, ohm) < _OFF_OHM
    if counts is not None:
        matters &= counts
    return float(np.abs(off[matters]).max(initial=0.0))


def _brought_together(
    table: Resistances,
    ends: Callable[[Floats], tuple[Floats, Floats]],
    ohm: Floats,
    names: Callable[[int], str],
    counts: Bools | None,
) -> Floats | None:
    """Return what `settled` does from one first guess; None if it does not settle.

    A similar solve's resistances may lie on the wrong side of a cut-off.
    """
    volts = ends(ohm)
    step = np.ones(len(ohm))
    off, moved = np.zeros(len(ohm)), np.zeros(len(ohm))
    most, calm = np.inf, 1.0
    for _ in range(_MOST_ROUNDS):
        wanted = table(*volts)
        before, off = off, np.log(wanted / ohm)
        last, most = most, _worst(off, wanted, ohm, counts)
        if most < _SETTLED:
            table.check(*volts, names)
            return wanted
        if most > last:  # near cut-off a few millivolts are a decade
            calm = max(0.7 * calm, _LEAST_STEP)
        step = _secant_step(step, moved, before, off)
        moved = calm * step * off
        ohm = ohm * np.exp(moved)
        volts = ends(ohm)
    table.check(*volts, names)
    return None


def _damped(
    table: Resistances,
    ends: Callable[[Floats], tuple[Floats, Floats]],
    damping: float,
    names: Callable[[int], str],
    counts: Bools | None,
) -> Floats | None:
    """Return what `settled` does by even steps; None if it does not settle.

    Many saturated transistors in one line move each other, which no step of one alone foresees.
    """
    ohm = table.least()
    for _ in range(_MOST_ROUNDS):
        volts = ends(ohm)
        wanted = table(*volts)
        off = np.log(wanted / ohm)
        if _worst(off, wanted, ohm, counts) < _SETTLED:
            table.check(*volts, names)
            return wanted
        ohm = ohm * np.exp(damping * off)
    return None


def _secant_step(step: Floats, moved: Floats, before: Floats, off: Floats) -> Floats:
    """Return how far to go along what each resistance is off, from the last step's effect.

    What swings goes less far than it is off, what creeps (in saturation) farther.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        found = moved / (before - off)
    good = (np.abs(before) > _SETTLED) & np.isfinite(found)
    bounded: Floats = np.where(good, np.clip(found, _LEAST_STEP, _MOST_STEP), step)
    return bounded
