"""What one array can do, in figures: drawn, extracted and solved in memory.

`sweep` and `size` report the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .built import json_of
from .config import RunConfig
from .console import Console

if TYPE_CHECKING:
    from .analyse.analysis import Stimulus
    from .analyse.loads import CurrentReport, CurrentVerdict
    from .extract import Extraction
    from .generators import Array
    from .lvs import ExtractedLayout
    from .pdk import Tech
    from .solve.network.network import Network
    from .solve.study.metrics import IrDrop

#: figure of a mode -> (metric, what is counted)
ERRORS = {
    f"{metric}_{short}": (f"{metric}_error", counted)
    for counted, short in (("all_series", "all"), ("wires_only", "wires"))
    for metric in ("worst_device", "mean_device", "worst_column")
}
#: memristors above which the settling of a read is not computed
MOST_SETTLING = 20_000
#: what the figures count, in words
COUNTED = {
    "errors": "every device at R_on, every row at the read voltage; parts of the ideal voltage",
    "write": "the written column's devices follow the device law; the largest part of the write "
    "voltage that is lost, and the lowest voltage at a device, in each polarity",
    "limits": "a read as direct current, a write by its average over the slots of its columns",
    "area": "bounding box of the whole drawing, switches included; and rows x columns of cells",
    "settle": "all inputs step at once, to half an LSB at 10 bits; in a large array the "
    "capacitances of the lines in the middle stand for all",
    "energy": "power of all drivers in expansion mode x (settling + sensing), over the devices "
    "that compute: one product of a one-bit input",
}


@dataclass(frozen=True)
class Drawn:
    """A drawing in memory.

    Attributes:
        array: what was drawn.
        area_um2: of the whole drawing.
        array_um2: of its cells alone.
    """

    array: Array
    area_um2: float
    array_um2: float

    @cached_property
    def layout(self) -> ExtractedLayout:
        """Its nets and devices; an area is known without."""
        from .cells import to_layout
        from .lvs import extract_layout

        return extract_layout(to_layout(self.array.cell, self.array.tech), self.array.tech)

    @property
    def area(self) -> dict[str, float]:
        """Both areas by name."""
        return {"area_um2": self.area_um2, "array_um2": self.array_um2}


def draw(config: RunConfig) -> Drawn:
    """Draw an array.

    Raises:
        ParameterError: for a size or pitch that the rules do not allow.
    """
    from .generators import build_top

    array = build_top(config.spec)
    return Drawn(array, **area_of(array))


def area_of(array: Array) -> dict[str, float]:
    """Return the areas of a drawing, um2: the whole one, and its cells alone."""
    dbu, spec = array.tech.dbu_um, array.spec
    cells = array.unit.width * array.unit.height * spec.rows * spec.cols
    return {
        "area_um2": round(array.cell.width * array.cell.height * dbu**2, 6),
        "array_um2": round(cells * dbu**2, 6),
    }


def figures(config: RunConfig, drawn: Drawn) -> dict[str, Any]:
    """Return the figures of a drawn array at its conditions.

    Args:
        config: what was drawn.
        drawn: its layout.

    Returns:
        ``modes`` (errors, write), ``not_run``, ``limits`` and ``write_voltages`` (the verdicts),
        ``writes`` (of an array that no mode with a read writes), ``area`` and ``read``.
    """
    study = Study(config, drawn)
    solved, not_run = study.modes()
    return {
        "modes": {mode: mode_figures(result.to_json()) for mode, result in solved.items()},
        "not_run": not_run,
        "limits": study.limits().to_json(),
        "write_voltages": json_of(study.em().write_voltages),
        "writes": study.writes(),
        "area": drawn.area,
        "read": study.read(),
    }


class Study:
    """The figures of one array, each found when it is asked for.

    Args:
        config: what was drawn.
        drawn: its layout.
        like: study of the same drawing and conditions, but for what drives a write: wires that
            it extracted and reads that it solved are taken over.
    """

    def __init__(self, config: RunConfig, drawn: Drawn, *, like: Study | None = None) -> None:
        self.tech, self._drawn = config.resolved_tech(), drawn
        self._like = like
        self._solved: dict[str, IrDrop] = {}
        self._not_run: dict[str, str] = {}
        self._em: CurrentReport | None = None

    @cached_property
    def _found(self) -> Extraction:
        from .extract import extract

        if self._like is not None:
            return self._like._found
        return extract(self._drawn.layout, self.tech, pieces=True)

    @cached_property
    def network(self) -> Network:
        """The extracted wires."""
        from .solve.network.reduced import at_conditions

        found = self._found.network
        return found if self._like is None else at_conditions(found, self.tech.conditions.to_json())

    @cached_property
    def what(self) -> Stimulus:
        """Devices and inputs: the worst case."""
        from .analyse import analysis

        return analysis.stimulus(self.network, self.tech)

    def modes(
        self, wanted: Iterable[str] | None = None
    ) -> tuple[dict[str, IrDrop], dict[str, str]]:
        """Return the solved modes that the array offers, and why it does not offer others.

        Args:
            wanted: which; None for all.
        """
        from .analyse import analysis
        from .solve.modes.modes import MODES

        asked = tuple(MODES) if wanted is None else tuple(wanted)
        if self._like is not None:
            self._solved |= self._like.solved_reads | self._solved
        missing = [m for m in asked if m not in self._solved and m not in self._not_run]
        done, not_run = analysis.solve_modes(
            self.network, self.tech, self.what, Console(quiet=True), missing
        )
        self._solved |= done
        self._not_run |= not_run
        return (
            {mode: self._solved[mode] for mode in asked if mode in self._solved},
            {mode: self._not_run[mode] for mode in asked if mode in self._not_run},
        )

    @property
    def solved_reads(self) -> dict[str, IrDrop]:
        """The modes without a write that were solved so far."""
        from .solve.modes.modes import MODES

        return {mode: found for mode, found in self._solved.items() if not MODES[mode].writes}

    def limits(self, wanted: Iterable[str] | None = None) -> CurrentVerdict:
        """Return the verdict on the currents of some modes; None for all."""
        return self.em(wanted).verdict

    def em(self, wanted: Iterable[str] | None = None) -> CurrentReport:
        """Return currents against limits, and write voltages, of some modes; None for all."""
        from .analyse.analysis import refusal, unread_writes
        from .analyse.electromigration import current_limits_of, em_report
        from .solve.modes.modes import MODES

        if wanted is None and self._em is not None:
            return self._em
        tech = self.tech
        limits = current_limits_of(tech, tech.conditions.temperature_c)
        asked = tuple(MODES) if wanted is None else tuple(wanted)
        offered = [mode for mode in asked if refusal(self.network, mode) is None]
        solved, _ = self.modes(mode for mode in offered if not MODES[mode].writes)
        # every write is solved for its currents anyway
        done = {mode: solved.get(mode) for mode in offered}
        done |= unread_writes(self.network) if wanted is None else {}
        found = em_report(self.network, tech, limits, done, self.what, wires=self._found.wires)
        if wanted is None:
            self._em = found
        return found

    def writes(self) -> dict[str, Any]:
        """Return what writes lose where nothing is read meanwhile; else nothing."""
        return writes_of(self.em(), self.tech)

    def far_shares(self) -> Iterator[float]:
        """Yield lowest voltages in writes far from all drivers, as parts of what is needed.

        The least of all writes (`em`) is no more than any of these.
        """
        from .analyse.analysis import refusal
        from .analyse.operating import Laws
        from .analyse.writing import far_writes
        from .solve.modes.mode import ArrayKind
        from .solve.modes.modes import writing_mode

        if refusal(self.network, writing_mode(ArrayKind.of(self.network)).name) is None:
            for low in far_writes(self.network, self.tech, self.what, Laws.of(self.tech)):
                yield low.volts / self.tech.memristor.needed_v(low.polarity)

    def read(self) -> dict[str, Any]:
        """Return settling, power and energy of a read; what was not computed is missing."""
        from .solve.modes.modes import EXPANSION

        if len(self.network.memristor_row) > MOST_SETTLING:
            return {}
        solved, _ = self.modes([EXPANSION])
        if EXPANSION not in solved:
            return {}
        return read_energy(
            self._settle_s(),
            solved[EXPANSION].column_currents,
            self.tech,
            len(self.network.memristor_row),
        )

    def _settle_s(self) -> float:
        from .analyse.timing import read_settle
        from .capacitances import capacitances_of_any

        farad = capacitances_of_any(self._drawn.layout, self.network, self.tech)
        return read_settle(self.network, self.tech, self.what, farad).settle_s


def writes_of(found: CurrentReport, tech: Tech) -> dict[str, Any]:
    """Return what writes lose in an array that is written while nothing is read; else nothing.

    Of the slots that stand for all of a write, the one that loses most.

    Args:
        found: its currents and write voltages.
        tech: its write voltages.
    """
    from .solve.modes.modes import WRITE

    writes = found.write_voltages
    if WRITE not in found.modes or writes is None or not writes.ways:
        return {}
    volts = {polarity: met.lowest.volts for polarity, met in writes.ways.items()}
    lost = {p: 1.0 - v / tech.memristor.write_v(p) for p, v in volts.items()}
    worst = max(lost, key=lost.__getitem__)
    return {
        "write_loss": lost[worst],
        "write_polarity": worst,
        **{f"write_loss_{p}": loss for p, loss in lost.items()},
        **{f"write_v_{p}": v for p, v in volts.items()},
    }


def read_energy(
    settle_s: float, column_a: Iterable[float], tech: Tech, devices: int
) -> dict[str, Any]:
    """Return settling, power of the drivers and energy per product of a read.

    Args:
        settle_s: time until every column stands.
        column_a: current of every column; the rows are at the read voltage, the columns at 0 V.
        tech: its read voltage.
        devices: how many compute.
    """
    from .analyse.timing import SENSE_S

    watt = tech.memristor.v_read_v * float(sum(column_a))
    joule = watt * (settle_s + SENSE_S) / devices
    return {"settle_s": settle_s, "read_w": watt, "energy_per_mac_j": joule}


def mode_figures(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of one solved mode.

    Args:
        value: the mode's part of ir_drop.json (`IrDrop.to_json`).
    """
    found = {name: value[metric][counted] for name, (metric, counted) in ERRORS.items()}
    found["kcl_residual"] = value["kcl_residual"]
    if "write" not in value:
        return found
    found["write_loss"] = value["write"]["worst_loss"]
    found["write_polarity"] = value["write"]["polarity"]
    for polarity, write in value["writes"].items():
        found[f"write_loss_{polarity}"] = write["worst_loss"]
        found[f"write_v_{polarity}"] = write["lowest_V"]
    return found
