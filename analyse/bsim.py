"""Our resistor for a transistor against the foundry's BSIM model, on a whole network.

Both sides see the same extracted wires, memristors and pin voltages. Ours replaces each
transistor by R_on at the voltage at which it works (`transistors.working_ohm`); ngspice runs the
model itself, with the gates at their level and inverters that really invert.
"""

from __future__ import annotations

import math
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..base.names import TIER_NAMES
from ..base.ngspice import TIMEOUT_S, ModelsError, run_ngspice
from ..pdk import Tech
from ..solve.modes.drives import network_drives
from ..solve.modes.written import or_none
from ..solve.network.network import Network
from ..solve.network.reduced import reduced
from ..solve.study.metrics import IrDrop, ir_drop, written_pin
from .analysis import Stimulus
from .operating import Laws, mode_ohm

if TYPE_CHECKING:
    from ..extract import Bsim

Floats = NDArray[np.float64]
_NUMBER = re.compile(r"= (\S+)$")


@dataclass(frozen=True, eq=False)
class BsimComparison:
    """One mode, solved by us and by ngspice with BSIM transistors.

    Attributes:
        mode: one of `MODES`.
        ours: our solve.
        column_currents: ngspice's, out of every column, shape (cols,), A.
        device_voltages: ngspice's, row side minus column side, shape (T, rows, cols), V; nan
            where no device conducts.
        device_a: current of one device in its on state at the read voltage, A: what columns
            without an ideal current are judged by.
        written_current: ngspice's, of the column that is written, A; nan in a read.
        conditions: at which both were run.
    """

    mode: str
    ours: IrDrop
    column_currents: Floats
    device_voltages: Floats
    device_a: float
    written_current: float = math.nan
    conditions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> NDArray[np.intp]:
        """Numbers of the columns that are read."""
        return np.flatnonzero(self.ours.counted_columns)

    @property
    def column_error(self) -> Floats:
        """Our current over ngspice's minus 1, for the columns that are read.

        nan where the ideal current is zero: what flows there is what the wires take, a
        difference of large numbers, of which no fraction means anything.
        """
        ours, theirs = self.ours.column_currents, self.column_currents
        carries = (self.ours.ideal_currents != 0) & (theirs != 0)
        error: Floats = np.full(len(ours), np.nan)
        error[carries] = ours[carries] / theirs[carries] - 1.0
        return error[self.columns]

    @property
    def write_voltages(self) -> Floats:
        """Voltage by ngspice over every device that is written, V; none in expansion mode.

        nan for a row that is not written in this turn.
        """
        write = self.ours.write
        if write is None:
            return np.zeros(0)
        voltages: Floats = self.device_voltages[write.tier, :, write.column]
        return np.where(write.applied != 0, voltages, np.nan)

    @property
    def write_error(self) -> Floats:
        """Our write voltage over ngspice's minus 1, for every device that is written.

        nan for a device without conductance, or of a row that is not written: left out.
        """
        write = self.ours.write
        if write is None:
            return np.zeros(0)
        theirs = self.write_voltages
        error: Floats = np.full(len(theirs), np.nan)
        seen = np.isfinite(theirs) & (theirs != 0)
        error[seen] = write.device_voltages[seen] / theirs[seen] - 1.0
        return error

    @property
    def written_error(self) -> float:
        """Our current of the written column over ngspice's minus 1; nan if there is none."""
        write = self.ours.write
        if write is None or self.written_current == 0:
            return math.nan
        return write.column_current / self.written_current - 1.0

    @property
    def worst(self) -> float:
        """Largest error of a column current or write voltage.

        A column without an ideal current counts by its difference over `device_a`.
        """
        columns, error = self.columns, self.column_error
        off = (self.ours.column_currents - self.column_currents)[columns] / self.device_a
        error = np.where(np.isnan(error), off, error)
        write = np.array([*self.write_error, self.written_error])
        return float(np.abs([*error, *write[~np.isnan(write)]]).max())

    def to_json(self) -> dict[str, Any]:
        """Plain Python types only."""
        write = self.ours.write
        value: dict[str, Any] = {
            "mode": self.mode,
            "conditions": dict(self.conditions),
            "columns_read": self.columns.tolist(),
            "column_currents_A": self.ours.column_currents.tolist(),
            "column_currents_bsim_A": self.column_currents.tolist(),
            "column_error": _numbers(self.column_error),
        }
        if write is not None:
            value |= {
                "write_voltages_V": _numbers(write.device_voltages),
                "write_voltages_bsim_V": _numbers(self.write_voltages),
                "write_error": _numbers(self.write_error),
                "written_column_current_A": write.column_current,
                "written_column_current_bsim_A": or_none(self.written_current),
                "written_column_error": or_none(self.written_error),
            }
        return value | {"worst_error": self.worst}


def compare_bsim(
    network: Network,
    tech: Tech,
    what: Stimulus,
    mode: str,
    models: Path,
    *,
    deck: Path | None = None,
    laws: Laws | None = None,
    timeout_s: float = TIMEOUT_S,
    **options: Any,
) -> BsimComparison:
    """Solve a network in one mode, and run it in ngspice with BSIM transistors.

    ngspice gets the wires joined to what lies between pins and devices, and of the models the
    bins that its transistors fall in: the same circuit, in a fraction of the time. A deck that
    stays holds every wire and names the whole library; it gives the same.

    Args:
        network: extracted array or macro with transistors.
        tech: technology, at the network's conditions.
        what: devices and inputs.
        mode: one of `MODES`.
        models: folder of the foundry's model files.
        laws: what memristors follow, on both sides; None for the technology's.
        deck: where the SPICE deck stays; None for nowhere.
        timeout_s: how long ngspice may take, s.
        **options: of the mode (`solve.modes.mode_drives`).

    Raises:
        ModelsError: if ngspice is missing, fails, or leaves a value out.
        ModeError, DriveError: if the mode does not fit the network.
    """
    from ..extract import Bsim, write_spice

    laws = Laws.of(tech) if laws is None else laws
    drives = network_drives(network, mode, what.inputs, **options)
    ours = ir_drop(
        network,
        what.conductances,
        what.inputs,
        mode=mode,
        switch_ohm=mode_ohm(network, tech, what, mode, **laws.options, **options),
        **laws.options,
        **options,
    )
    written = None if ours.write is None else ours.write.tier
    by_tier = [laws.in_tier(t == written) for t in range(len(what.conductances))]
    write = partial(
        write_spice,
        tech=tech,
        memristor_ohm=_ohm(what.conductances),
        laws=by_tier,
        gates=drives.gates,
        sources=drives.port_voltages,
        title=f"CrossStack: {mode} mode, transistors as BSIM",
    )
    if deck is not None:
        write(network, path=deck, bsim=Bsim(tech, models))
    printed = _printed(write, _joined(network), Bsim(tech, models), timeout_s)
    pins, volts = _read(printed, what.conductances.shape)
    missing = [pin for pin in drives.outputs if pin not in pins]
    present = np.zeros(volts.shape, dtype=bool)
    present[network.memristor_tier, network.memristor_row, network.memristor_col] = True
    present &= what.conductances > 0
    if missing or np.isnan(volts[present]).any():
        what_lacks = f"current of {missing[0]}" if missing else "voltage of every memristor"
        raise ModelsError(f"ngspice printed no {what_lacks}")
    for law, over, siemens in zip(by_tier, volts, what.conductances, strict=True):
        if law is not None:
            over[:] = law.own_volts(siemens, over)
    volts[~present] = np.nan
    currents = np.array([-pins[pin] for pin in drives.outputs])
    device_a = tech.memristor.v_read_v / tech.memristor.r_on_ohm
    written_a = -pins.get(written_pin(drives), math.nan) if ours.write is not None else math.nan
    return BsimComparison(
        mode, ours, currents, volts, device_a, written_a, tech.conditions.to_json()
    )


def _joined(network: Network) -> Network:
    """Return the same circuit for direct current with fewer wires, if every gate keeps its place.

    A gate whose net has no pin sits on a wire of it, which is gone where that leads to one device
    alone.
    """
    from ..extract.write.bsim import gate_nodes

    small = reduced(network).network
    of_both = ({k for k, v in gate_nodes(n).items() if v is None} for n in (network, small))
    return small if next(of_both) == next(of_both) else network


def _printed(write: Callable[..., Path], network: Network, bsim: Bsim, timeout_s: float) -> str:
    """Run a network with the bins of the models that its transistors need."""
    from ..extract.write.bins import few_bins

    assert bsim.models is not None
    sizes = {*zip(network.switch_w_um.tolist(), network.switch_l_um.tolist(), strict=True)}
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="crossstack_") as folder:
        deck = Path(folder) / "bsim.spice"
        few = few_bins(bsim.models, Path(folder) / "models", sizes)
        try:
            return run_ngspice(write(network, path=deck, bsim=replace(bsim, models=few)), timeout_s)
        except ModelsError:
            # a subcircuit that changes a size needs a bin that did not look so
            left = timeout_s - (time.monotonic() - begin)
            if left <= 0.0:
                raise
            return run_ngspice(write(network, path=deck, bsim=bsim), left)


def comparison_lines(found: BsimComparison) -> Iterator[str]:
    """Yield the comparison as lines for people."""
    yield f"{'':<10}{'BSIM':>14}{'resistors':>14}{'difference':>12}"
    for j, error in zip(found.columns.tolist(), found.column_error, strict=True):
        theirs, ours = 1e6 * found.column_currents[j], 1e6 * found.ours.column_currents[j]
        yield f"column {j:<3}{theirs:>11.5f} uA{ours:>11.5f} uA{_share(error)}"
    write = found.ours.write
    if write is None:
        return
    theirs, ours, error = found.written_current, write.column_current, found.written_error
    yield f"written {write.column:<2}{1e6 * theirs:>11.5f} uA{1e6 * ours:>11.5f} uA{_share(error)}"
    pairs = zip(found.write_voltages, write.device_voltages, found.write_error, strict=True)
    for i, (theirs, ours, error) in enumerate(pairs):
        if np.isnan(theirs):
            yield f"write {i:<4}no device, or not its turn"
        else:
            yield f"write {i:<4}{theirs:>12.5f} V{ours:>12.5f} V{_share(error)}"


def _share(error: float) -> str:
    return f"{'none':>12}" if np.isnan(error) else f"{error:>12.3%}"


def _numbers(values: Floats) -> list[float | None]:
    """Return values as JSON can hold them."""
    return [None if np.isnan(value) else float(value) for value in values]


def _ohm(siemens: Floats) -> Floats:
    """Return resistances; infinite for a device that does not conduct, which is left out."""
    ohm = np.full(siemens.shape, np.inf)
    np.divide(1.0, siemens, out=ohm, where=siemens > 0)
    return ohm


def _read(printed: str, shape: tuple[int, ...]) -> tuple[dict[str, float], Floats]:
    """Return pin -> current into the network in A, and the memristors' voltages in V."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    pins: dict[str, float] = {}
    volts = np.full(shape, np.nan)
    for k, line in enumerate(lines):
        numbers = [_NUMBER.search(after) for after in lines[k + 1 : k + 3]]
        values = [float(n[1]) for n in numbers if n is not None]
        if line.startswith("pin ") and numbers[:1] != [None] and values:
            pins[line[4:]] = values[0]
        elif line.startswith("device ") and len(values) == 2:
            tier, row, col = line.split()[1:]
            volts[TIER_NAMES.index(tier), int(row), int(col)] = values[0] - values[1]
    return pins, volts
