"""The crossbar that layers are cut into: extracted wires, or stated ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.errors import ConfigError
from ..pdk import get_tech
from ..pdk.memristor import MemristorParameters
from ..solve.modes.modes import EXPANSION, mode_named
from ..solve.network.network import Network
from ..solve.network.prepared import Prepared
from .working import WorkingPoint

if TYPE_CHECKING:
    from ..extract.array.tiled import TiledArray
    from .written_lines import Lines

Floats = NDArray[np.float64]


class Array:
    """One crossbar, as often as layers need it; made by `ideal` or `extracted`.

    Attributes:
        prepared: its wires.
        memristor: figures of its devices.
        inputs: rows of all tiers that compute.
        outputs: columns that compute.
        tiers: tiers that compute.
        folder: build folder that it was read from, or None.
        text: what it is, for people.
        transistors: whether the wires hold transistors, of which each has one resistance.
    """

    def __init__(
        self,
        prepared: Prepared,
        memristor: MemristorParameters,
        text: str,
        *,
        folder: Path | None = None,
        point: WorkingPoint | None = None,
        again: tuple[Callable[..., Array], tuple[Any, ...]] | None = None,
    ) -> None:
        """Check that every input meets every output at one device.

        Raises:
            ConfigError: if it does not.
        """
        self.prepared, self.memristor, self.text, self.folder = prepared, memristor, text, folder
        self.inputs, self.outputs = len(prepared.inputs), len(prepared.outputs)
        heard = prepared.sink >= 0
        met = np.zeros((self.inputs, self.outputs), dtype=np.int64)
        np.add.at(met, (prepared.source[heard], prepared.sink[heard]), 1)
        if (met != 1).any():
            p, q = (int(k) for k in np.argwhere(met != 1)[0])
            raise ConfigError(
                f"{text}: row {prepared.inputs[p]} and column {prepared.outputs[q]} meet at "
                f"{met[p, q]} devices, a layer needs one at each crossing"
            )
        tier = np.zeros(self.inputs, dtype=np.int64)
        tier[prepared.source[heard]] = prepared.place[0][heard]
        self.tiers = len(np.unique(tier))
        self._point, self._again = point, again

    @property
    def transistors(self) -> bool:
        """Whether the wires hold transistors."""
        return self._point is not None and self._point.transistors

    @property
    def most_v(self) -> float:
        """Highest voltage that its transistors' models hold, V; infinite without transistors."""
        if self._point is None or not self._point.transistors:
            return inf
        return float(self._point.tech.nfet.voltage_range_v[1])

    def __deepcopy__(self, memo: dict[int, Any]) -> Array:
        return self  # nothing of it changes: copies of a layer share it

    def __reduce__(self) -> tuple[Callable[..., Array], tuple[Any, ...]]:
        """Of a stored array, what it was made of is kept; it is prepared again."""
        if self._again is None:
            raise TypeError(f"{self} was made by hand and cannot be stored")
        return self._again

    def __repr__(self) -> str:
        return f"Array({self.text})"

    @classmethod
    def ideal(
        cls,
        rows: int,
        cols: int,
        *,
        tiers: int = 2,
        row_ohm: ArrayLike = 0.0,
        column_ohm: ArrayLike = 0.0,
        drive_ohm: ArrayLike = 0.0,
        sense_ohm: ArrayLike = 0.0,
        row_drive: str = "left",
        column_sense: str = "bottom",
    ) -> Array:
        """Return a crossbar of stated line resistances, with the usual process' devices.

        Args:
            rows: rows of each tier.
            cols: columns.
            tiers: 1 planar, 2 stacked on shared columns.
            row_ohm: of a row between two cells, ohm; or one for each, as `solve_crossbar` takes it.
            column_ohm: the same of a column.
            drive_ohm: between source and row, ohm.
            sense_ohm: between column and ground, ohm.
            row_drive: 'left', 'right' or 'both'.
            column_sense: 'bottom', 'top' or 'both'.

        Raises:
            InputError: naming a value that is wrong.
        """
        from ..solve.study.prepare_crossbar import prepare_crossbar

        wires: dict[str, Any] = {
            "row_segments": row_ohm,
            "column_segments": column_ohm,
            "drive_resistance": drive_ohm,
            "sense_resistance": sense_ohm,
            "row_drive": row_drive,
            "column_sense": column_sense,
        }
        prepared = prepare_crossbar((tiers, rows, cols), **wires)
        ohm = f"{np.max(row_ohm):g} / {np.max(column_ohm):g} ohm a cell"
        return cls(
            prepared, get_tech().memristor, f"{rows} x {cols} x {tiers}, {ohm}",
            again=(_ideal, (rows, cols, tiers, wires)),
        )  # fmt: skip

    @classmethod
    def extracted(
        cls,
        target: str | Path,
        *,
        mode: str = EXPANSION,
        process: str | None = None,
        **options: Any,
    ) -> Array:
        """Return an extracted array or macro, read in one mode.

        Transistors have the resistance at which they work when every device is halfway between on
        and off and every row at half the read voltage, until `at` says otherwise.

        Args:
            target: network file, or folder of a build.
            mode: one of `MODES`; in deep-net mode the tier that is read holds the layer, so that
                two layers of one file, one a tier, are two arrays of the two values of
                `read_tier`.
            process: its process, where the file does not say.
            **options: of the mode: read_tier, write_column and so on.

        Raises:
            FileError: if it cannot be read.
            ModeError: if the network does not offer the mode.
        """
        from ..layouts import wires_in

        if foreign := mode_named(mode).foreign(options):
            raise ConfigError(f"{foreign[0]} means nothing in {mode} mode")
        target = Path(target)
        wires = wires_in(target, process=process)
        return cls.of(
            wires.found,
            wires.tech,
            mode=mode,
            text=f"{target.name}, {mode} mode",
            folder=target if target.is_dir() else None,
            **options,
        )

    @classmethod
    def of(
        cls,
        network: Network | TiledArray,
        tech: Any,
        *,
        mode: str = EXPANSION,
        text: str = "network",
        folder: Path | None = None,
        **options: Any,
    ) -> Array:
        """Return an array of a network in memory; see `extracted`.

        Args:
            network: what `extract` found: a network, or the arrays of a large one.
            tech: its technology, for transistors and devices.
            mode: one of `MODES`.
            text: what it is, for people.
            folder: build folder that it was read from, or None.
            **options: of the mode.
        """
        m = tech.memristor
        middle = 0.5 * (1.0 / m.r_on_ohm + 1.0 / m.r_off_ohm)
        point = WorkingPoint.of(network, tech, mode, options, text, folder)
        present = point.present
        volts = np.full(present.shape[:2], 0.5 * m.v_read_v)
        return _at_point(point, np.where(present, middle, 0.0), volts)

    def at(self, conductances: ArrayLike, volts: ArrayLike) -> Array:
        """Return the same array with transistors as they work for given devices and inputs.

        Args:
            conductances: S, shape (T, rows, cols).
            volts: V, shape (T, rows).

        Raises:
            ConfigError: for an array of stated resistances, which has none.
            VoltageRangeError: for voltages that the transistors' models do not hold.
        """
        if self._point is None:
            raise ConfigError(f"{self.text}: an array of stated resistances has no transistors")
        return _at_point(self._point, np.asarray(conductances), np.asarray(volts))

    def at_mean(self, cells: Floats, volts: Floats) -> Array:
        """Return `at` for conductances of (inputs, outputs), and volts of every input."""
        if not self.transistors:
            return self
        array = self.prepared
        middle = 0.5 * (1.0 / self.memristor.r_on_ohm + 1.0 / self.memristor.r_off_ohm)
        g = np.full(array.size, middle)
        heard = array.sink >= 0
        g[heard] = cells[array.source[heard], array.sink[heard]]
        shape = array.shape
        rows = np.zeros(shape[:2])
        rows[array.place[0], array.place[1]] = volts[array.source]
        assert self._point is not None
        siemens = np.where(self._point.present, middle, 0.0)
        siemens[tuple(array.place)] = g
        return self.at(siemens, rows)

    def written(self) -> Lines:
        """Return the columns as they are written: with select transistors by their tables.

        Row and column lead to the write drivers as they lead to what reads them. Of an array of
        stated resistances, ideal switches select the devices.

        Raises:
            ConfigError: for an extracted array without select transistors.
        """
        from .written_lines import Lines, unselected

        if self._point is None:
            return Lines.of(self.prepared, **unselected(self.prepared.shape))
        if not self._selects:
            raise ConfigError(
                f"{self.text} has no select transistors, so that a write of one device reaches "
                "others, which is not computed: devices of hybrid cells are written, or --tile"
            )
        return self._bare[0]

    def _without_selects(self) -> tuple[Lines, Prepared]:
        from .written_lines import Lines

        point = self._point
        assert point is not None
        assert self._again is not None
        width, length = point.select_sizes()
        bare = point.prepared(*self._again[1][1:], selects=False)
        return Lines.of(bare, point.tech, width, length), bare

    def at_work(self, conductances: ArrayLike, volts: ArrayLike) -> tuple[Floats, int]:
        """Return the currents of one vector with every select transistor where that puts it.

        Nothing is prepared anew: the transistors are in series with the devices of an array that
        was prepared without them, at the voltages of both of their ends. Other transistors (a
        macro's switches) stay as they are.

        Args:
            conductances: S, shape (T, rows, cols).
            volts: of every input, V, shape (inputs,).

        Returns:
            (current out of every output, A; solves that it took).

        Raises:
            ConfigError: for an array without select transistors, or one too irregular to be
                solved by its lines (`at` prepares such a one anew), or voltages that transistors
                do not withstand.
        """
        from ..analyse.volts import check_volts
        from ..solve.study.guess import Chains
        from ..solve.study.in_series import worked

        if not self._selects:
            raise ConfigError(
                f"{self.text} has no select transistors that a vector could move: its currents "
                "are array.prepared.currents(conductances, voltages)"
            )
        lines, bare = self._bare
        if not isinstance(bare.guess, Chains) or not bare.exact or bare.offset.any():
            raise ConfigError(f"{self.text}: not solved by its lines; use at(...)")
        g, v = bare.devices(conductances), bare.volts(np.asarray(volts)[None])[0]
        assert self._point is not None
        check_volts(self._point.tech, v)
        amps, _, count = worked(bare.guess, g, v, lines.table, self._row_taps)
        return amps, count

    @cached_property
    def _selects(self) -> bool:
        """Whether there are select transistors."""
        if self._point is None or not self._point.transistors:
            return False
        return not np.isnan(self._point.select_sizes()[0]).all()

    @cached_property
    def _row_taps(self) -> Floats:
        assert self._point is not None
        return self._point.row_taps(self._bare[1])

    @cached_property
    def _bare(self) -> tuple[Lines, Prepared]:
        """Columns and wires, select transistors left out."""
        return self._without_selects()


def _at_point(point: WorkingPoint, siemens: Floats, volts: Floats) -> Array:
    return Array(
        point.prepared(siemens, volts), point.tech.memristor, point.text,
        folder=point.folder, point=point, again=(_at_point, (point, siemens, volts)),
    )  # fmt: skip


def _ideal(rows: int, cols: int, tiers: int, wires: dict[str, Any]) -> Array:
    ends = {"row_drive": wires["row_drive"], "column_sense": wires["column_sense"]}
    return Array.ideal(
        rows, cols, tiers=tiers, row_ohm=wires["row_segments"],
        column_ohm=wires["column_segments"], drive_ohm=wires["drive_resistance"],
        sense_ohm=wires["sense_resistance"], **ends,
    )  # fmt: skip
