"""Transistors of a network at the voltages at which they work."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..base.errors import USAGE
from ..pdk import CrossStackError, Tech
from ..pdk.conditions import agree
from ..pdk.ron import NOMINAL_DROP_V

if TYPE_CHECKING:
    from ..pdk.ron import Surface
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
#: transistors whose voltages, resistances and slopes fit into a core's cache
_PIECE = 4096
#: rounding of a solver, V
_ROUNDING_V = 1e-9


class VoltageRangeError(CrossStackError):
    """Voltages at which nobody knows what a transistor does."""

    exit_code = USAGE


class OnResistance:
    """R_on of many transistors as a function of the voltages at their ends.

    An array has two or three sizes of transistor: each size's table is read once, and read
    off for all of its transistors together.
    """

    def __init__(self, tech: Tech, w_um: Floats, l_um: Floats, is_p: Bools) -> None:
        """Read the tables of all sizes that occur."""
        self._is_p = np.asarray(is_p, dtype=bool)
        self.range_v = tech.nfet.voltage_range_v
        sizes, size = np.unique(
            np.stack([w_um, l_um, self._is_p.astype(np.float64)]), axis=1, return_inverse=True
        )
        self._well_on_v = np.where(self._is_p, tech.pfet.well_on_v, tech.nfet.well_on_v)
        self._any_p = bool(self._is_p.any())
        self._size = size.reshape(-1)
        self._curves: list[tuple[Surface, float]] = []
        for w, length, p in sizes.T.tolist():
            model = tech.pfet if p else tech.nfet
            self._curves.append((model.surface(w), length / model.l_um))

    @cached_property
    def pieces(self) -> list[tuple[slice, OnResistance]]:
        """So many transistors each that what is computed of them stays in a core's cache."""
        return [(some, self._part(some)) for some in _slices(len(self), _PIECE)]

    def _part(self, some: slice) -> OnResistance:
        part = copy(self)
        part.__dict__.pop("pieces", None)
        part._is_p, part._well_on_v = self._is_p[some], self._well_on_v[some]
        part._any_p = bool(part._is_p.any())
        used, part._size = np.unique(self._size[some], return_inverse=True)
        part._curves = [self._curves[k] for k in used]
        part.__dict__.pop("_groups", None)
        return part

    @cached_property
    def _groups(self) -> list[tuple[NDArray[np.int64], Surface, float]]:
        """Which transistors have a size, their table, and what it is scaled by."""
        return [
            (np.flatnonzero(self._size == k), curve, factor)
            for k, (curve, factor) in enumerate(self._curves)
        ]

    @property
    def tables(self) -> list[tuple[NDArray[np.int64], tuple[Any, ...], float, bool]]:
        """Numbers of the transistors of a size, arrays of their table, its factor, whether PMOS."""
        return [
            (mine, curve.arrays, factor, bool(self._is_p[mine[0]]))
            for mine, curve, factor in self._groups
        ]

    def __len__(self) -> int:
        return len(self._is_p)

    def __call__(self, a_v: Floats, b_v: Floats) -> Floats:
        """Return R_on in ohm, one per transistor, at the voltages of both ends against VSS."""
        source, drop = self._source(a_v, b_v), a_v - b_v
        if len(self._curves) == 1:
            ((curve, factor),) = self._curves
            return factor * curve(source, drop)
        out = np.empty(len(source))
        for mine, curve, factor in self._groups:
            out[mine] = factor * curve(source[mine], drop[mine])
        return out

    def without_drop(self, volts: Floats, which: NDArray[np.int64]) -> Floats:
        """Return R_on in ohm, one per transistor, with both ends at one of some voltages.

        Args:
            volts: V against VSS.
            which: number of every transistor's among them.
        """
        none = np.zeros_like(volts)
        if len(self._curves) == 1:
            ((curve, factor),) = self._curves
            found: Floats = (factor * curve(volts, none)).take(which)
            return found
        out = np.empty(len(which))
        for mine, curve, factor in self._groups:
            out[mine] = (factor * curve(volts, none))[which[mine]]
        return out

    def _source(self, a_v: Floats, b_v: Floats) -> Floats:
        """Voltage of the end that is the source: the lower one of an NMOS."""
        if not self._any_p:
            return np.minimum(a_v, b_v)
        return np.where(self._is_p, np.maximum(a_v, b_v), np.minimum(a_v, b_v))

    def with_slopes(self, a_v: Floats, b_v: Floats) -> tuple[Floats, Floats, Floats]:
        """Return R_on in ohm, and what ln R rises by per V of source and of the drop's size."""
        source, drop = self._source(a_v, b_v), a_v - b_v
        if len(self._curves) == 1:
            ((curve, factor),) = self._curves
            ohm, by_source, by_drop = curve.with_slopes(source, drop)
            return factor * ohm, by_source, by_drop
        ohm, by_source, by_drop = (np.empty(len(source)) for _ in range(3))
        for mine, curve, factor in self._groups:
            found = curve.with_slopes(source[mine], drop[mine])
            ohm[mine], by_source[mine], by_drop[mine] = factor * found[0], found[1], found[2]
        return ohm, by_source, by_drop

    def by_ends(self, a_v: Floats, b_v: Floats) -> tuple[Floats, Floats, Floats]:
        """Return R_on in ohm, and what ln R rises by per V of either end."""
        ohm, by_source, by_drop = self.with_slopes(a_v, b_v)
        a_is_source = (a_v < b_v) != self._is_p
        along = np.where(a_v < b_v, -by_drop, by_drop)
        by_a = along + np.where(a_is_source, by_source, 0.0)
        return ohm, by_a, by_source - by_a

    def flow(self, a_v: Floats, b_v: Floats) -> tuple[Floats, Floats, Floats]:
        """Return current a -> b in A, dI/dVa and -dI/dVb in S, one per transistor.

        What a table's straight pieces have of negative slopes is none.
        """
        drop = a_v - b_v
        ohm, by_source, by_drop = self.with_slopes(a_v, b_v)
        amps = drop / ohm
        # I = drop / R(source, |drop|): one end is the source, both make the drop
        along = (1.0 - np.abs(drop) * by_drop) / ohm
        answer = -amps * by_source
        a_is_source = (a_v < b_v) != self._is_p
        by_a = along + np.where(a_is_source, answer, 0.0)
        by_b = along - np.where(a_is_source, 0.0, answer)
        return amps, np.maximum(by_a, 0.0), np.maximum(by_b, 0.0)

    def check(self, a_v: Floats, b_v: Floats, names: Callable[[int], str]) -> None:
        """Refuse voltages that the tables do not hold; see `check_range`."""
        check_range(self.range_v, a_v, b_v, names)

    def least(self) -> Floats:
        """Return R_on in ohm where each transistor conducts best."""
        return self(self._well_on_v, self._well_on_v - NOMINAL_DROP_V * np.where(self._is_p, 1, -1))


def _slices(count: int, each: int) -> list[slice]:
    return [slice(k, min(k + each, count)) for k in range(0, count, each)]


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


def check_range(
    range_v: tuple[float, float],
    a_v: Floats,
    b_v: Floats,
    names: Callable[[int], str] = "number {}".format,
) -> None:
    """Refuse voltages that the transistors' table does not hold.

    Args:
        range_v: lowest and highest voltage in the table, V against VSS.
        a_v: at one end of every transistor, V against VSS.
        b_v: at the other.
        names: number of a transistor -> what to call it.

    Raises:
        VoltageRangeError: naming the transistor that is farthest outside.
    """
    low, high = range_v
    ends = np.stack([a_v, b_v])
    if not ends.size:
        return
    beyond = np.maximum(low - ends, ends - high)
    beyond[np.isnan(ends)] = np.inf
    end, k = np.unravel_index(int(np.argmax(beyond)), ends.shape)
    if not beyond[end, k] <= _ROUNDING_V:
        raise VoltageRangeError(
            f"transistor {names(int(k))} has {ends[end, k]:.4g} V at an end, allowed: "
            f"{low:g} .. {high:g} V, where its model was measured; lower the inputs or the "
            "write voltage"
        )


def switch_ohm(tech: Tech) -> Callable[[Floats, Floats, Bools], Floats]:
    """Return the least on resistance of transistors as a function of W, L (um) and type."""

    def ohm(w_um: Floats, l_um: Floats, is_p: Bools) -> Floats:
        return OnResistance(tech, w_um, l_um, is_p).least()

    return ohm


def working_ohm(
    network: Network,
    tech: Tech,
    solve: Callable[[Floats, Floats], Floats],
    start: Floats | None = None,
    bent: Bent | None = None,
    at_once: Callable[[OnResistance, Floats], Floats | None] | None = None,
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

    Raises:
        CrossStackError: if it does not settle, or leaves the range of the models.
        ParameterError: for models at other conditions than the network's.
    """
    agree(network.conditions, tech.conditions)
    table = OnResistance(tech, network.switch_w_um, network.switch_l_um, network.switch_p)
    n = len(table)
    if not n:
        return np.zeros(0)
    if at_once is not None:
        volts = at_once(table, table.least() if start is None else start)
        if volts is not None:
            found = volts[network.switch_a], volts[network.switch_b]
            table.check(*found, lambda k: _name(network, k))
            return table(*found)
    which = np.zeros(0, dtype=np.int64) if bent is None else bent.which
    law, small = (None, np.zeros(0)) if bent is None else (bent.law, bent.siemens)
    a = np.concatenate([network.switch_a, network.memristor_a[which]])
    b = np.concatenate([network.switch_b, network.memristor_b[which]])

    def ends(ohm: Floats) -> tuple[Floats, Floats]:
        volts = solve(ohm[:n], ohm[n:])
        return volts[a], volts[b]

    if start is not None:
        start = np.concatenate([start, 1.0 / small])
    series = Series(table, law, small)
    return settled(series, ends, start, lambda k: _name(network, k))[:n]


def _name(network: Network, k: int) -> str:
    """Name a transistor by its ends and its gate."""
    a, b = (str(network.node_names[n[k]]) for n in (network.switch_a, network.switch_b))
    return f"{a} - {b} (gate {network.nets[int(network.switch_gate[k])]})"


def settled(
    table: Resistances,
    ends: Callable[[Floats], tuple[Floats, Floats]],
    start: Floats | None = None,
    names: Callable[[int], str] = "number {}".format,
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

    Raises:
        CrossStackError: if it does not settle, or leaves the range of the models.
    """
    if not len(table):
        return np.zeros(0)
    for first in (table.least(),) if start is None else (start, table.least()):
        found = _brought_together(table, ends, first, names)
        if found is not None:
            return found
    for damping in _DAMPING:
        found = _damped(table, ends, damping, names)
        if found is not None:
            return found
    raise CrossStackError("the transistors' resistances and voltages did not settle")


def _brought_together(
    table: Resistances,
    ends: Callable[[Floats], tuple[Floats, Floats]],
    ohm: Floats,
    names: Callable[[int], str],
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
        # what is off stays off whatever its resistance exactly is
        matters = np.minimum(wanted, ohm) < _OFF_OHM
        before, off = off, np.log(wanted / ohm)
        last, most = most, float(np.abs(off[matters]).max(initial=0.0))
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
) -> Floats | None:
    """Return what `settled` does by even steps; None if it does not settle.

    Many saturated transistors in one line move each other, which no step of one alone foresees.
    """
    ohm = table.least()
    for _ in range(_MOST_ROUNDS):
        volts = ends(ohm)
        wanted = table(*volts)
        off = np.log(wanted / ohm)
        matters = np.minimum(wanted, ohm) < _OFF_OHM
        if float(np.abs(off[matters]).max(initial=0.0)) < _SETTLED:
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
