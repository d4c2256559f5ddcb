"""What a netlist of a regular array holds of each cell, and which cells are alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...pdk import Tech
from ..array.farads import PARTS
from ..array.tiled import TiledArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: digits of resistances and of capacitances that are written, and that values are alike in
DIGITS, FARAD_DIGITS = 9, 6
_COLUMNS = PARTS.index("columns")


def written(values: Floats, digits: int = DIGITS) -> Floats:
    """Return values as a netlist has them: what differs in later digits is alike."""
    found = np.zeros(values.shape)
    some = np.isfinite(values) & (values != 0)
    scale = 10.0 ** (digits - 1 - np.floor(np.log10(np.abs(values[some]))))
    found[some] = np.round(values[some] * scale) / scale
    found[np.isnan(values)] = np.nan
    return found


def kinds(parts: Sequence[NDArray[Any]]) -> Ints:
    """Return a number for each element of arrays of one shape: equal where all of them are."""
    number = np.zeros(parts[0].shape, dtype=np.int64)
    for part in parts:
        _, own = np.unique(part.ravel(), return_inverse=True, equal_nan=True)
        both = number.ravel() * (own.max() + 1) + own.ravel()
        _, number = np.unique(both, return_inverse=True)
        number = number.reshape(part.shape)
    return number


@dataclass(frozen=True)
class Cells:
    """An array cell by cell, as written; tiers first where there are any, in ohm, um and F.

    Attributes:
        array: the array.
        tech: capacitance of the transistors' ends and gates.
        gates: count the ends of transistors with the nets, and the gates with the select lines:
            False where the netlist has transistors that bring theirs along.
    """

    array: TiledArray
    tech: Tech
    gates: bool = True

    @property
    def tiers(self) -> int:
        """Number of tiers."""
        return self.array.shape[0]

    @cached_property
    def switched(self) -> NDArray[np.bool_]:
        """True where a device has a select transistor."""
        return np.isfinite(self.array.switch_w_um)

    @cached_property
    def device_f(self) -> Floats:
        """Across each memristor: of one without transistor what a crossing of its lines has."""
        if (farads := self.array.farads) is None:
            return np.zeros(self.array.shape)
        crossing = farads.row[:, :, _COLUMNS] / self.array.shape[2]
        return np.where(self.switched, farads.device, crossing[:, :, None])

    @cached_property
    def electrode_f(self) -> Floats:
        """Of each electrode behind a transistor, to anything but its column."""
        if (farads := self.array.farads) is None:
            return np.zeros(self.array.shape)
        return np.where(self.switched, np.maximum(farads.electrode - farads.device, 0.0), 0.0)

    @cached_property
    def end_f(self) -> Floats:
        """Of the source of each transistor, and as much of its drain."""
        if self.array.farads is None or not self.gates:
            return np.zeros(self.array.shape)
        found: Floats = np.nan_to_num(self.array.switch_w_um) * self.tech.nfet.end_on_f_per_um
        return found

    @cached_property
    def row_f(self) -> Floats:
        """Of each row line to anything but memristors of its own, shape (tiers, rows)."""
        if (farads := self.array.farads) is None:
            return np.zeros(self.array.shape[:2])
        own = np.where(self.switched, 0.0, self.device_f).sum(axis=2)
        found: Floats = np.maximum(farads.row.sum(axis=2) - own, 0.0)
        return found

    @cached_property
    def column_f(self) -> Floats:
        """Of each column to anything but its memristors, shape (cols,)."""
        if (farads := self.array.farads) is None:
            return np.zeros(self.array.shape[2])
        own = self.device_f.sum(axis=(0, 1))
        found: Floats = np.maximum(farads.column.sum(axis=1) - own, 0.0)
        return found

    @cached_property
    def select_f(self) -> Floats:
        """Of each select line, shape (tiers, cols)."""
        if (farads := self.array.farads) is None:
            return np.zeros((self.tiers, self.array.shape[2]))
        whole: Floats = farads.select.sum(axis=2)
        if self.gates:
            return whole
        gates = np.nan_to_num(self.array.switch_w_um).sum(axis=1) * self.tech.nfet.cg_on_f_per_um
        wires: Floats = np.maximum(whole - gates, 0.0)
        return wires
