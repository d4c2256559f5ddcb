"""Extracted arrays whose transistors have the resistance at which they work."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..base import names
from ..solve.network.network import Network
from ..solve.network.prepared import Prepared

if TYPE_CHECKING:
    from ..extract.array.tiled import TiledArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: ohm; a select transistor that is left out: its ends are one node, no resistor that drowns wires
_JOINED_OHM = 0.0
#: inputs (V) and devices (S) by which taps are found
_LIT_V, _LIT_S = 0.1, 1e-4


class WorkingPoint(ABC):
    """Where the transistors of extracted wires get their resistance from.

    Attributes:
        tech: technology of transistors and devices.
        mode: one of `MODES`.
        options: of the mode.
        text: what the array is, for people.
        folder: build folder that it was read from, or None.
    """

    def __init__(
        self, tech: Any, mode: str, options: Mapping[str, Any], text: str, folder: Path | None
    ) -> None:
        self.tech, self.mode = tech, mode
        self.options, self.text, self.folder = dict(options), text, folder

    @staticmethod
    def of(found: Network | TiledArray, *rest: Any) -> WorkingPoint:
        """Return that of a network, or of the arrays of a large one."""
        if isinstance(found, Network):
            return _OfNetwork(found, *rest)
        return _OfArrays(found, *rest)

    @property
    @abstractmethod
    def present(self) -> Bools:
        """Which places have a device, shape (T, rows, cols)."""

    @property
    @abstractmethod
    def transistors(self) -> bool:
        """Whether there are transistors."""

    @abstractmethod
    def prepared(self, siemens: Floats, volts: Floats, *, selects: bool = True) -> Prepared:
        """Return the wires with every transistor where it works.

        Args:
            siemens: of every device, (T, rows, cols).
            volts: of every row, (T, rows).
            selects: False leaves out what select transistors have; any size is solved by its lines.
        """

    @abstractmethod
    def select_sizes(self) -> tuple[Floats, Floats]:
        """Return width and length of every column's select transistors, um, (T, cols)."""

    @abstractmethod
    def row_taps(self, bare: Prepared) -> Floats:
        """Return the resistance between row line and select transistor of every device, ohm.

        Args:
            bare: the array, prepared without select transistors, solved by its lines.
        """

    def way(self) -> dict[str, Any]:
        """Return the options of the mode with those of a write."""
        from ..analyse.operating import write_options

        # either polarity of a write leaves the columns that are read the same
        return next(write_options(self.tech, self.mode, self.options))


class _OfNetwork(WorkingPoint):
    def __init__(self, network: Network, *rest: Any) -> None:
        super().__init__(*rest)
        self.network = network

    @property
    def present(self) -> Bools:
        return self.network.present

    @property
    def transistors(self) -> bool:
        return len(self.network.switch_a) > 0

    def prepared(self, siemens: Floats, volts: Floats, *, selects: bool = True) -> Prepared:
        from ..analyse.analysis import Stimulus
        from ..analyse.operating import Laws, mode_ohm
        from ..solve.study.prepare import prepare_network

        laws, way = Laws.of(self.tech), self.way()
        ohm = mode_ohm(
            self.network, self.tech, Stimulus(siemens, volts, {}), self.mode,
            **laws.options, **way,
        )  # fmt: skip
        self._ohm = ohm
        if not selects:
            ohm = np.where(self._select_places() != "", _JOINED_OHM, ohm)
        return prepare_network(
            self.network, mode=self.mode, series={"switch_ohm": ohm}, chains=not selects, **way
        )

    def select_sizes(self) -> tuple[Floats, Floats]:
        network, gates = self.network, self._select_places()
        tiers, cols = self.present.shape[0], network.cols
        found = np.full((2, tiers, cols), np.nan)
        for t in range(tiers):
            for j in range(cols):
                # the cells of a column are alike
                mine = np.flatnonzero(gates == names.select(t, j))[:1]
                if len(mine):
                    found[:, t, j] = network.switch_w_um[mine[0]], network.switch_l_um[mine[0]]
        return found[0], found[1]

    def row_taps(self, bare: Prepared) -> Floats:
        from ..solve.modes.drives import gates_for, network_drives
        from ..solve.network.linear import NetworkSolver
        from ..solve.study.guess import Chains

        # both ways of one and the same circuit: what is left between them is the tap
        net, way = self.network, self.way()
        drives = network_drives(net, self.mode, np.full(self.present.shape[:2], _LIT_V), **way)
        assert isinstance(bare.guess, Chains)
        ohm = np.where(self._select_places() != "", _JOINED_OHM, self._ohm)
        solver = NetworkSolver(
            net, conductances=np.where(self.present, _LIT_S, 0.0), driven=drives.port_voltages,
            gates=gates_for(net, drives), switch_ohm=ohm, method="direct",
        )  # fmt: skip
        volts = solver.solve(drives.port_voltages).node_voltages
        inputs = np.array([drives.port_voltages[pin] for pin in bare.inputs])
        amps, lines = bare.guess.at_rows(np.full(bare.size, _LIT_S), inputs)
        found: Floats = (lines - volts[self._outer_ends()[tuple(bare.place)]]) / amps
        return found

    def _outer_ends(self) -> NDArray[np.int64]:
        """Node of the select transistor's end that is not the device's, (T, rows, cols)."""
        from ..solve.circuit.circuit import join

        net = self.network
        _, piece = join(
            net.n_nodes, net.resistor_a.astype(np.int64), net.resistor_b.astype(np.int64)
        )
        selects = np.flatnonzero(self._select_places() != "")
        end_of: dict[int, int] = {}
        for a, b in ((net.switch_a, net.switch_b), (net.switch_b, net.switch_a)):
            end_of.update(zip(piece[a[selects]].tolist(), b[selects].tolist(), strict=True))
        out = np.zeros(self.present.shape, dtype=np.int64)
        mine = [end_of[int(k)] for k in piece[net.memristor_a]]
        out[net.memristor_tier, net.memristor_row, net.memristor_col] = mine
        return out

    def _select_places(self) -> NDArray[np.str_]:
        """Gate of every transistor that is a select transistor, else an empty text."""
        network = self.network
        known = {names.select(t, j) for t in range(2) for j in range(network.cols)}
        nets = np.array([net if net in known else "" for net in network.nets])
        found: NDArray[np.str_] = nets[network.switch_gate]
        return found


class _OfArrays(WorkingPoint):
    def __init__(self, wires: TiledArray, *rest: Any) -> None:
        super().__init__(*rest)
        self.wires = wires

    @property
    def present(self) -> Bools:
        return np.ones(self.wires.shape, dtype=bool)

    @property
    def transistors(self) -> bool:
        return self.wires.selects

    def prepared(self, siemens: Floats, volts: Floats, *, selects: bool = True) -> Prepared:
        from ..analyse.arrays import ArrayRun
        from ..analyse.operating import Laws

        run = ArrayRun(self.wires, self.tech, siemens, self.mode, Laws.of(self.tech).write)
        drives = run.drives(volts, **self.way())
        run.settle(drives)
        return run.prepared(drives, selects=selects)

    def select_sizes(self) -> tuple[Floats, Floats]:
        w, length = self.wires.switch_w_um, self.wires.switch_l_um
        return w[:, 0], length[:, 0]

    def row_taps(self, bare: Prepared) -> Floats:
        found: Floats = self.wires.row_tap[tuple(bare.place)]
        return found
