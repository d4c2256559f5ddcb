"""IR-drop metrics of an extracted network in one mode.

Ideal means that a device sees its row's full input voltage with its column at virtual
ground. Every error is a fraction of that ideal, given twice: `wires_only` (switches and
terminals at 0 ohm) and `all_series` (switches and terminals in).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import ModeError
from ...base.names import WRITE_RAIL
from ..circuit.iv import DeviceLaw, Partly, SquareLaw
from ..modes.drives import Drives, gates_for, network_drives
from ..modes.mode import Request
from ..modes.modes import EXPANSION, mode_named
from ..modes.written import WriteReport, or_none, share_of, write_report
from ..network.assembly import SwitchOhm, check_conductances
from ..network.linear import NetworkSolution
from ..network.network import Network
from ..network.nonlinear import solve_network_nonlinear
from ..network.whole import solve_devices, solve_whole

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Errors:
    """Errors as fractions of ideal; nan where nothing has an ideal other than zero.

    Attributes:
        worst_device: largest device-voltage error over the devices with an input.
        mean_device: mean of the same.
        worst_column: largest error of a column current.
    """

    worst_device: float
    mean_device: float
    worst_column: float


@dataclass(frozen=True, eq=False)
class IrDrop:
    """IR drop of one network in one mode.

    Attributes:
        mode: one of `MODES`.
        wires_only: errors with switches and terminals at 0 ohm.
        all_series: errors with everything in.
        column_currents: current out of every column with everything in, shape (cols,), A.
        ideal_currents: the same without any drop.
        counted_columns: columns that the metrics count, shape (cols,) bool.
        device_error: error of every device with everything in, shape (T, rows, cols); nan
            where no ideal exists or the device does not take part.
        device_error_wires: the same, wires only.
        kcl_residual: the larger of the two solves' residuals.
        floating: pieces that nothing drives, with everything in.
        write: what the write does; None in a mode without one.
        solution: the solve with everything in.
        writes: polarity -> what the write does, of every polarity that was solved; `write` and
            everything else here belong to the one that loses more.
    """

    mode: str
    wires_only: Errors
    all_series: Errors
    column_currents: Floats
    ideal_currents: Floats
    counted_columns: NDArray[np.bool_]
    device_error: Floats
    device_error_wires: Floats
    kcl_residual: float
    floating: tuple[str, ...]
    write: WriteReport | None
    solution: Solved
    writes: Mapping[str, WriteReport] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The entry of this mode in ir_drop.json, plain Python types only."""
        both = (("wires_only", self.wires_only), ("all_series", self.all_series))
        out: dict[str, Any] = {
            f"{metric}_error": {name: or_none(getattr(errors, metric)) for name, errors in both}
            for metric in ("worst_device", "mean_device", "worst_column")
        }
        out["column_currents_A"] = self.column_currents.tolist()
        out["ideal_column_currents_A"] = self.ideal_currents.tolist()
        out["columns_counted"] = np.flatnonzero(self.counted_columns).tolist()
        out["kcl_residual"] = self.kcl_residual
        out["floating"] = list(self.floating)
        out["method"] = self.solution.method
        if self.write is not None:
            out["write"] = self.write.to_json()
            out["writes"] = {name: w.to_json() for name, w in self.writes.items()}
        return out


def worse_of(found: Iterable[IrDrop]) -> IrDrop:
    """Return the solve whose write loses most, with what the writes of all of them do."""
    every = [*found]
    worst = max(every, key=lambda drop: 0.0 if drop.write is None else drop.write.worst_loss)
    writes: dict[str, WriteReport] = {}
    for drop in every:
        for polarity, write in drop.writes.items():
            other = writes.get(polarity)
            if other is None or write.worst_loss > other.worst_loss:
                writes[polarity] = write
    return replace(worst, writes=writes)


def ir_drop(
    network: Network,
    conductances: ArrayLike,
    inputs: ArrayLike,
    *,
    mode: str = EXPANSION,
    switch_ohm: SwitchOhm = 0.0,
    switch_off_ohm: float = np.inf,
    port_ohm: Mapping[str, float] | float = 0.0,
    device: DeviceLaw | None = None,
    write_law: DeviceLaw | None = None,
    switch: SquareLaw | None = None,
    start: Floats | None = None,
    **options: Any,
) -> IrDrop:
    """Solve a network in one mode and compare it with an array without any drop.

    Args:
        network: what `extract` found in the layout.
        conductances: memristors in S, shape (T, rows, cols).
        inputs: read voltages in V, shape (T, rows).
        mode: one of `MODES`.
        switch_ohm: see `solve_network`; counts in `all_series` only.
        switch_off_ohm: see `solve_network`; counts in `all_series` only.
        port_ohm: drive and sense resistances in ohm; count in `all_series` only.
        device: law of nonlinear memristors, also for the ideal; None is linear.
        write_law: law of the memristors of the tier that is written; None for `device`, too.
        switch: law of nonlinear transistors in place of `switch_ohm` and
            `switch_off_ohm`; counts in `all_series` only.
        start: about what every memristor sees with everything in, V, to begin with.
        **options: keyword arguments of `mode_drives` (read_tier, write_column, ...).

    Returns:
        The metrics and the solution they come from.

    Raises:
        ModeError: if the mode does not fit the network or no column computes in it.
        DriveError: if a value does not fit the network.
    """
    series: dict[str, Any] = {"port_ohm": port_ohm, "switch": switch}
    if switch is None:
        series |= {"switch_ohm": switch_ohm, "switch_off_ohm": switch_off_ohm}
    # a place without a device carries nothing, in the ideal array neither
    G = np.where(network.present, check_conductances(network, conductances), 0.0)
    run = _NetworkRun(network, G, device, mode, series, write_law, start)
    return measure(run, inputs, **options)


class Run(Protocol):
    """An array that can be solved in one mode, with and without what is not wire."""

    @property
    def conductance(self) -> Floats:
        """Of the memristors in S, shape (T, rows, cols)."""

    @property
    def device(self) -> DeviceLaw | None:
        """Their law if they are nonlinear."""

    @property
    def mode(self) -> str:
        """One of `MODES`."""

    def drives(self, inputs: ArrayLike, **options: Any) -> Drives:
        """What pins and gates carry; `options` as for `mode_drives`."""

    def solve(self, drives: Drives, *, everything: bool, whole: bool = False) -> Solved:
        """Solve with wires only, or with everything in.

        Args:
            drives: what pins and gates carry.
            everything: count what is not wire.
            whole: find voltages and currents of the wires, too.
        """


class Solved(Protocol):
    """What `measure` reads of a solution; see `NetworkSolution`."""

    @property
    def device_voltages(self) -> Floats:
        """Over every device, shape (T, rows, cols), V."""

    @property
    def device_currents(self) -> Floats:
        """Through every device, same shape, A."""

    @property
    def port_currents(self) -> Mapping[str, float]:
        """Into the network, at least at the output pins, A."""

    @property
    def kcl_residual(self) -> float:
        """Largest current left over, relative to the largest."""

    @property
    def floating(self) -> tuple[str, ...]:
        """Pieces that nothing drives."""

    @property
    def method(self) -> str:
        """How it was solved."""


def measure(run: Run, inputs: ArrayLike, **options: Any) -> IrDrop:
    """Solve an array in its mode and compare it with one without any drop.

    Args:
        run: what to solve.
        inputs: read voltages in V, shape (T, rows).
        **options: keyword arguments of `mode_drives` (read_tier, write_column, ...).

    Raises:
        ModeError: if no column computes.
    """
    mode, conductance = run.mode, run.conductance
    kind = mode_named(mode)
    drives = run.drives(inputs, **options)
    wires = run.solve(drives, everything=False)
    everything = run.solve(drives, everything=True, whole=True)
    volts = np.asarray(inputs, dtype=np.float64)
    counted = kind.counted(conductance.shape, drives.request)
    columns: NDArray[np.bool_] = np.any(counted, axis=(0, 1))
    if not columns.any():
        raise ModeError(f"nothing to compare: no column computes in {mode} mode")
    ideal = np.where(counted, volts[:, :, None], np.nan)
    wanted = _ideal_currents(run, ideal)
    errors_wires, map_wires = _errors(conductance, ideal, wanted, wires, drives)
    errors, device_error = _errors(conductance, ideal, wanted, everything, drives)
    write = None
    if kind.writes:
        quiet_drives = run.drives(inputs, **{**options, "write_voltage": 0.0, "write_rail": 0.0})
        quiet = run.solve(quiet_drives, everything=True)
        change = (_outputs(everything, drives) - _outputs(quiet, drives))[columns]
        largest = float(np.abs(wanted).max())
        disturb = float(share_of(np.abs(change).max(), largest))
        amps = 0.0 - float(everything.port_currents[written_pin(drives)])
        write = write_report(everything.device_voltages, drives.request, disturb, amps)
    return IrDrop(
        mode=mode,
        wires_only=errors_wires,
        all_series=errors,
        column_currents=_outputs(everything, drives),
        ideal_currents=wanted,
        counted_columns=columns,
        device_error=device_error,
        device_error_wires=map_wires,
        kcl_residual=max(wires.kcl_residual, everything.kcl_residual),
        floating=everything.floating,
        write=write,
        solution=everything,
        writes={} if write is None else {write.polarity: write},
    )


@dataclass(frozen=True, eq=False)
class _NetworkRun:
    """An extracted network as a `Run`."""

    network: Network
    conductance: Floats
    device: DeviceLaw | None
    mode: str
    series: Mapping[str, Any]
    write_law: DeviceLaw | None
    start: Floats | None = None

    def drives(self, inputs: ArrayLike, **options: Any) -> Drives:
        """See `Run`."""
        return network_drives(self.network, self.mode, inputs, **options)

    def solve(self, drives: Drives, *, everything: bool, whole: bool = False) -> NetworkSolution:
        """Solve with linear or nonlinear parts, whichever were asked for."""
        series = dict(self.series) if everything else {"switch": None}
        switch = series.pop("switch")
        arguments: dict[str, Any] = {
            "conductances": self.conductance,
            "port_voltages": drives.port_voltages,
            "gates": gates_for(self.network, drives),
            **series,
        }
        device = law_in(self.network, drives.request, self.device, self.write_law)
        if switch is not None:
            return solve_network_nonlinear(self.network, device=device, switch=switch, **arguments)
        if whole:
            return solve_whole(self.network, device=device, start=self.start, **arguments)
        return solve_devices(self.network, device=device, **arguments)


def law_in(
    network: Network, request: Request, device: DeviceLaw | None, write_law: DeviceLaw | None
) -> DeviceLaw | None:
    """Return the law of a network's memristors in a mode; None if all are linear.

    Args:
        network: whose memristors.
        request: what is read and what is written.
        device: law of all of them.
        write_law: law of the tier that is written, where `device` gives none.
    """
    if write_law is None or not request.writes:
        return device
    return Partly(write_law, network.memristor_tier == request.write_tier, device)


def _ideal_currents(run: Run, ideal: Floats) -> Floats:
    """Column currents without any drop, shape (cols,), A."""
    if run.device is None:
        amps = run.conductance * ideal
    else:
        amps = run.device.current(run.conductance, ideal)
    return total_current(amps, (0, 1))


def total_current(amps: Floats, axes: tuple[int, ...]) -> Floats:
    """Return the sum of currents over some axes; what only rounding leaves of it is zero, A."""
    total: Floats = np.nansum(amps, axis=axes)
    terms = np.prod([amps.shape[axis] for axis in axes])
    noise = terms * np.finfo(np.float64).eps * np.nansum(np.abs(amps), axis=axes)
    return np.where(np.abs(total) <= noise, 0.0, total)


def _outputs(solution: Solved, drives: Drives) -> Floats:
    """Current out of every column, shape (cols,), A."""
    return np.array([0.0 - solution.port_currents[pin] for pin in drives.outputs])


def written_pin(drives: Drives) -> str:
    """Return the pin that a write's column leads to: its own, or that of a macro's write rail."""
    column = drives.outputs[drives.request.write_column]
    return WRITE_RAIL if WRITE_RAIL in drives.port_voltages else column


def _drive(drives: Drives) -> float:
    """Return the largest voltage that drives an array, V."""
    return max((abs(volts) for volts in drives.port_voltages.values()), default=0.0)


def _errors(
    conductance: Floats,
    ideal: Floats,
    wanted: Floats,
    solution: Solved,
    drives: Drives,
) -> tuple[Errors, Floats]:
    share = share_of(ideal - solution.device_voltages, ideal, _drive(drives))
    device = np.where(conductance > 0, share, np.nan)
    column = share_of(wanted - _outputs(solution, drives), wanted, float(np.abs(wanted).max()))
    column = column[~np.isnan(column)]
    seen = device[~np.isnan(device)]
    errors = Errors(
        float(seen.max()) if seen.size else np.nan,
        float(seen.mean()) if seen.size else np.nan,
        float(column.max()) if column.size else np.nan,
    )
    return errors, device
