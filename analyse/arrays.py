"""Solving arrays that are too large for a network with named nodes, in either mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base import names
from ..base.errors import ModeError
from ..extract.array.tiled import TiledArray
from ..pdk import Tech
from ..pdk.conditions import agree
from ..solve.circuit.iv import DeviceLaw
from ..solve.crossbar.crossbar import solve_crossbar
from ..solve.modes.drives import Drives, mode_drives
from ..solve.modes.mode import ArrayKind
from ..solve.modes.modes import mode_named
from ..solve.network.prepared import Prepared
from ..solve.study.metrics import IrDrop, measure
from ..solve.study.prepare_crossbar import prepare_crossbar
from .on_resistance import OnResistance
from .transistors import Series, settled
from .volts import check_volts

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def kind_of(array: TiledArray) -> ArrayKind:
    """Return what hardware an array has; mode switches are no part of it."""
    return ArrayKind(tiers=tuple(range(array.shape[0])), select=array.selects)


def array_drop(
    array: TiledArray,
    tech: Tech,
    conductances: Floats,
    inputs: Floats,
    mode: str,
    write_law: DeviceLaw | None = None,
    **options: Any,
) -> IrDrop:
    """Solve an array in one mode, its transistors at the voltages at which they work.

    Args:
        array: extracted by the tile engine.
        tech: the transistors' models.
        conductances: memristors in S, shape (T, rows, cols).
        inputs: read voltages in V, shape (T, rows).
        mode: one of `MODES`.
        write_law: law of the memristors that are written; None leaves them linear.
        **options: of `mode_drives` (read_tier, write_column, write_voltage).

    Raises:
        ModeError: if the mode does not fit the array.
    """
    run = ArrayRun(array, tech, conductances, mode, write_law)
    run.settle(run.drives(inputs, **options))
    return measure(run, inputs, **options)


@dataclass(frozen=True, eq=False)
class ArraySolution:
    """What a solve of an array found; see `NetworkSolution`."""

    device_voltages: Floats
    device_currents: Floats
    port_currents: dict[str, float]
    kcl_residual: float
    floating: tuple[str, ...]
    method: str


class ArrayRun:
    """An array as `solve.metrics.Run`."""

    device: DeviceLaw | None = None

    def __init__(
        self,
        array: TiledArray,
        tech: Tech,
        conductance: Floats,
        mode: str,
        write_law: DeviceLaw | None = None,
    ) -> None:
        """Prepare an array; `settle` must come before a solve with everything in."""
        agree(array.conditions, tech.conditions)
        self.tech = tech
        self.array, self.conductance, self.mode = array, conductance, mode
        self.write_law = write_law
        self.has_switch = ~np.isnan(array.switch_w_um)
        widths, lengths = (v[self.has_switch] for v in (array.switch_w_um, array.switch_l_um))
        self._table = OnResistance(tech, widths, lengths, np.zeros(len(widths), dtype=bool))
        self._ohm = np.zeros(len(widths))
        # what a memristor is at its voltage
        self._chord = conductance.copy()
        self._bent = np.zeros(conductance.shape, dtype=bool)

    def drives(self, inputs: ArrayLike, **options: Any) -> Drives:
        """Return what pins and gates carry."""
        _, rows, cols = self.array.shape
        options = {"vdd": self.tech.conditions.supply_v, **options}
        return mode_drives(self.mode, rows, cols, inputs, kind=kind_of(self.array), **options)

    def settle(self, drives: Drives) -> None:
        """Bring the resistances and voltages of transistors and written memristors together."""
        on = self.connected(drives)[self.has_switch]
        if len(on):
            check_volts(self.tech, drives.port_voltages.values())
        bent = np.zeros(self.conductance.shape, dtype=bool)
        if self.write_law is not None and drives.request.writes:
            bent[drives.request.write_tier, :, drives.request.write_column] = True
        bent &= self.conductance > 0
        self._bent[:] = False  # the drops below are those of devices and limiters together
        n = len(self._ohm)

        def ends(ohm: Floats) -> tuple[Floats, Floats]:
            self._ohm, self._chord[bent] = ohm[:n], 1.0 / ohm[n:]
            found = self.solve(drives, everything=True)
            # from the column's end: current flows from the row into it, or back
            amps = found.device_currents
            inner = found.device_voltages + amps * (self.array.drain + self.array.column_tap)
            inner = (inner + self._column_volts)[self.has_switch]
            outer = inner + amps[self.has_switch] * ohm[:n]
            over = found.device_voltages[bent]
            return (
                np.concatenate([np.where(on, inner, 0.0), over]),
                np.concatenate([np.where(on, outer, 0.0), np.zeros_like(over)]),
            )

        series = Series(self._table, self.write_law, self.conductance[bent])
        ohm = settled(series, ends)
        self._ohm, self._chord[bent] = ohm[:n], 1.0 / ohm[n:]
        self._bent = bent

    def solve(self, drives: Drives, *, everything: bool, whole: bool = False) -> ArraySolution:
        """See `solve.metrics.Run`."""
        tiers, rows, cols = self.array.shape
        series = self.series_ohm if everything else self.array.series_ohm()
        volts = np.array(
            [[drives.port_voltages[names.row(t, i)] for i in range(rows)] for t in range(tiers)]
        )
        rail = np.zeros(cols)
        if drives.request.writes:
            # nothing but the written tier is on the written column, and it is on no other: both
            # are solved as seen from the write rail
            rail[drives.request.write_column] = drives.request.write_rail
            volts[drives.request.write_tier] -= drives.request.write_rail
        used = np.where(self.connected(drives), self._chord, 0.0)
        solved = solve_crossbar(voltages=volts, **self.array.crossbar_arguments(used, series))
        self._column_volts = solved.column_voltages + rail
        amps = solved.device_currents
        with np.errstate(invalid="ignore", divide="ignore"):
            over_device = np.where(used > 0, amps / used, 0.0)
        if self.write_law is not None:
            mine = self._bent
            over_device[mine] = self.write_law.own_volts(self.conductance[mine], over_device[mine])
        return ArraySolution(
            device_voltages=over_device,
            device_currents=amps,
            port_currents={
                names.column(j): -float(a) for j, a in enumerate(solved.column_currents)
            },
            kcl_residual=solved.kcl_residual,
            floating=solved.floating,
            method=solved.method,
        )

    def prepared(self, drives: Drives, *, selects: bool = True) -> Prepared:
        """Return the array for any devices and inputs, its transistors as they work now.

        Args:
            drives: of the mode; which devices compute is taken from them.
            selects: False leaves out what the transistors have, and solves any size by its lines.

        Raises:
            ModeError: if the array does not offer the mode.
        """
        mode = mode_named(self.mode)
        if reason := mode.refusal(kind_of(self.array), self.array.shape[2]):
            raise ModeError(reason)
        series = self.series_ohm if selects else self.array.series_ohm()
        wires = self.array.crossbar_arguments(self.conductance, series)
        del wires["conductances"]
        return prepare_crossbar(
            self.array.shape,
            device_resistance=series,
            computing=mode.counted(self.array.shape, drives.request),
            chains=not selects,
            **wires,
        )

    @property
    def series_ohm(self) -> Floats:
        """Ohm in series with every memristor, transistors as they work included."""
        series = self.array.series_ohm()
        series[self.has_switch] += self._ohm
        return series

    def connected(self, drives: Drives) -> Bools:
        """Return which devices are connected, shape (T, rows, cols)."""
        tiers, rows, cols = self.array.shape
        if not self.array.selects:
            return np.ones((tiers, rows, cols), dtype=bool)
        lines = [[drives.gates[names.select(t, j)] for j in range(cols)] for t in range(tiers)]
        return np.broadcast_to(np.array(lines)[:, None, :], (tiers, rows, cols))
