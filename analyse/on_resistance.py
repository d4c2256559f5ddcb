"""On resistances of transistors over the voltages at their ends, read off a process' tables."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import USAGE
from ..pdk import CrossStackError, Tech
from ..pdk.ron import NOMINAL_DROP_V

if TYPE_CHECKING:
    from ..pdk.ron import Surface

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

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
        for known in ("pieces", "tables", "_groups"):
            part.__dict__.pop(known, None)
        part._is_p, part._well_on_v = self._is_p[some], self._well_on_v[some]
        part._any_p = bool(part._is_p.any())
        used, part._size = np.unique(self._size[some], return_inverse=True)
        part._curves = [self._curves[k] for k in used]
        return part

    @cached_property
    def _groups(self) -> list[tuple[NDArray[np.int64], Surface, float]]:
        """Which transistors have a size, their table, and what it is scaled by."""
        return [
            (np.flatnonzero(self._size == k), curve, factor)
            for k, (curve, factor) in enumerate(self._curves)
        ]

    @cached_property
    def tables(self) -> list[tuple[NDArray[np.int64], tuple[Any, ...], float, bool]]:
        """Numbers of the transistors of a size, rising, their table, its factor, whether PMOS."""
        return [
            (mine, curve.packed, factor, bool(self._is_p[mine[0]]))
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
