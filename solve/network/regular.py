"""Large extracted networks: the crossbar in them by line solves, the rest exactly.

The wires are factorised without the devices (see `wires`), which costs little, and their
lines are read as chains. With the devices they make a crossbar of the kind that
`solve_crossbar` takes; its device currents, fed into the factorised wires, give the voltage
of every node, taps, switches and meshes included. Where the lines are not quite chains, the
devices' law is then not quite met; what is missing is corrected by the same two steps until
nothing is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConvergenceError
from ..circuit.circuit import Circuit
from ..circuit.wires import Chains, IrregularError, Side, Wires
from ..crossbar.crossbar import MAX_ITERATIONS, choose
from ..crossbar.lines import Lines
from .network import Network

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Of the crossbar's solves; what they leave is corrected with the rest.
TOLERANCE = 1e-11
# Device currents and voltages must obey the devices' law to this share of the largest ones.
ACCURACY = 1e-12
MAX_CORRECTIONS = 25
# Conductance between nodes that exist for the crossbar's shape only, S; carries no current.
FILLER = 1.0


@dataclass(frozen=True, eq=False)
class Devices:
    """The memristors of a circuit.

    Attributes:
        a: merged node of each on the row's side.
        b: merged node on the column's side.
        tier, row, col: its place.
        shape: (T, rows, cols).
        edge: its edge in the circuit; -1 where it is open or shorted.
    """

    a: Ints
    b: Ints
    tier: Ints
    row: Ints
    col: Ints
    shape: tuple[int, int, int]
    edge: Ints

    @classmethod
    def of(cls, network: Network, circuit: Circuit, elements: slice) -> Devices:
        """Find the memristors of a network among the elements that a circuit was made of."""
        edge = np.full(len(network.memristor_a), -1)
        mine = (circuit.edge >= elements.start) & (circuit.edge < elements.stop)
        edge[circuit.edge[mine] - elements.start] = np.flatnonzero(mine)
        return cls(
            a=circuit.group[network.memristor_a].astype(np.int64),
            b=circuit.group[network.memristor_b].astype(np.int64),
            tier=network.memristor_tier.astype(np.int64),
            row=network.memristor_row.astype(np.int64),
            col=network.memristor_col.astype(np.int64),
            shape=(max(network.tiers) + 1, network.rows, network.cols),
            edge=edge,
        )


class RegularSolver:
    """A circuit with a crossbar in it; solves like `graph.Factorised`.

    Attributes:
        name: how it solves.
    """

    def __init__(self, circuit: Circuit, devices: Devices, engine: str = "auto") -> None:
        """Factor the wires and find the crossbar.

        Args:
            circuit: merged circuit.
            devices: its memristors.
            engine: see `solve_crossbar`.

        Raises:
            IrregularError: if there is no crossbar.
        """
        self.circuit, self._at, self._choice = circuit, devices, engine
        T, n, m = devices.shape
        lines = devices.tier * n + devices.row, T * n + devices.col
        self._wires = Wires(
            circuit, devices.edge, (devices.a, devices.b), lines, (devices.col, devices.row)
        )
        row_side, col_side = self._wires.sides
        row_chain, col_chain = self._wires.chains()
        self._rows = Terminals(row_side, row_chain, row_side.line, (T * n, m))
        self._cols = Terminals(col_side, col_chain, col_side.line - T * n, (m, n))
        self._alive = np.flatnonzero(self._wires.alive)
        taps = np.zeros((2, len(devices.a)))
        taps[0, row_side.device], taps[1, col_side.device] = row_chain.tap, col_chain.tap
        self._taps = taps[:, self._alive]
        self._series = self._taps.sum(axis=0)
        self._quiet: tuple[Floats, Floats] | None = None
        left, right, row_seg = self._rows.lines()
        top, bottom, col_seg = self._cols.lines()
        self._lines = Lines(
            G=np.zeros(devices.shape),
            left=left.reshape(T, n),
            right=right.reshape(T, n),
            row_seg=row_seg.reshape(T, n, m - 1),
            top=top,
            bottom=bottom,
            col_seg=np.ascontiguousarray(col_seg.T),
        )
        self.set_devices(circuit.g)

    @property
    def chains(self) -> tuple[Lines, Floats]:
        """The lines without devices, and the ohm in series with each, shape (T, rows, cols)."""
        return self._lines, self._spread(self._series)

    def set_devices(self, g: Floats) -> None:
        """Give the devices other conductances.

        Args:
            g: conductance of every edge of the circuit in S; only the devices' are read,
                and those that carry current must not be 0.
        """
        self._g = g[self._at.edge[self._alive]]
        G = self._spread(1.0 / (1.0 / self._g + self._series))
        self._engine = choose(replace(self._lines, G=G), "auto", self._choice)
        self.name = f"{self._engine.name} and wires directly"

    def _spread(self, values: Floats) -> Floats:
        """Values of the devices that carry current as an array of all places."""
        out, at = np.zeros(self._at.shape), self._at
        out[at.tier[self._alive], at.row[self._alive], at.col[self._alive]] = values
        return out

    def _drop(self, rows: Floats, cols: Floats) -> Floats:
        """Voltage between the lines of every device that carries current."""
        at, d = self._at, self._alive
        seen: Floats = rows[at.tier[d], at.row[d], at.col[d]] - cols[at.row[d], at.col[d]]
        return seen

    def at_devices(
        self, held_volts: Floats, offset: Floats | None = None
    ) -> tuple[Floats, Floats, Floats]:
        """Return voltages at both ends of every device, V, and its current, A, by chains alone.

        Devices that carry nothing have 0. Where lines are not quite chains, this is not quite
        what the network does.

        Args:
            held_volts: shape (n_groups,); only the held entries are read.
            offset: as for `solve`.

        Raises:
            ConvergenceError: if the lines do not converge.
        """
        at, d = self._at, self._alive
        sources = self._sources(self._at_rest(held_volts))
        rows, cols, amps = self._crossbar(sources, -self._own(offset))
        out = np.zeros((3, len(at.a)))
        out[0, d] = rows[at.tier[d], at.row[d], at.col[d]] - self._taps[0] * amps
        out[1, d] = cols[at.row[d], at.col[d]] + self._taps[1] * amps
        out[2, d] = amps
        return out[0], out[1], out[2]

    def _at_rest(self, held_volts: Floats) -> Floats:
        """Voltages of all wires when no device conducts; those of the last drive are kept."""
        held = np.where(self.circuit.held, held_volts, 0.0)
        if self._quiet is None or not np.array_equal(self._quiet[0], held):
            self._quiet = held, self._wires.factor.solve(held)
        return self._quiet[1]

    def _own(self, offset: Floats | None) -> Floats:
        """Voltage in series with every device that carries current."""
        edge = self._at.edge[self._alive]
        return np.zeros(len(edge)) if offset is None else offset[edge]

    def _sources(self, quiet: Floats) -> tuple[Floats, Floats]:
        T, n, _ = self._at.shape
        return self._rows.sources(quiet).reshape(T, n), self._cols.sources(quiet)

    def solve(self, held_volts: Floats, offset: Floats | None = None) -> Floats:
        """Voltage of every merged node.

        Args:
            held_volts: shape (n_groups,); only the held entries are read.
            offset: voltage in series with every edge, of which only the devices' are read:
                their current is g (v - offset); V, or None for none.

        Returns:
            Voltages in V, shape (n_groups,); floating pieces are pinned at 0 V.

        Raises:
            ConvergenceError: if the lines, or the corrections, do not converge.
        """
        T, n, m = self._at.shape
        held = np.where(self.circuit.held, held_volts, 0.0)
        sources = self._sources(self._at_rest(held))
        g, amps, best = self._g, np.zeros(len(self._g)), np.inf
        own = self._own(offset)
        wanted = -own
        for _ in range(MAX_CORRECTIONS):
            rows, cols, more = self._crossbar(sources, wanted)
            amps = amps + more
            for side, line in ((self._rows, rows.reshape(-1)), (self._cols, cols.T.reshape(-1))):
                held[side.reference] += line[side.reference_place]
            volts = self._inside(held, amps)
            seen = (volts[self._at.a] - volts[self._at.b])[self._alive]
            missing = g * (seen - own) - amps
            # behind a transistor that leaks, hardly any current makes much of a voltage
            off = max(_share(missing, amps), _share(missing / g, volts))
            if off <= ACCURACY:
                self._wires.restore(volts)
                return volts
            if off > 0.5 * best:
                break
            best, wanted = off, missing / g
            sources = np.zeros((T, n)), np.zeros(m)
        raise ConvergenceError(
            f"lines too far from chains: device currents stay off by {off:.1e} A"
        )

    def _crossbar(
        self, sources: tuple[Floats, Floats], wanted: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Row and column voltages, and the devices' currents.

        Args:
            sources: of rows, shape (T, n), and of columns, shape (m,), V.
            wanted: voltage that drives every device besides, V.
        """
        shift = self._spread(-wanted) if wanted.any() else None
        raw = self._engine.solve(
            sources[0][None], sources[1][None], tol=TOLERANCE, limit=MAX_ITERATIONS, keep=True,
            shift=shift,
        )  # fmt: skip
        rows, cols = raw.rows[0], raw.cols[0]
        drop = self._drop(rows, cols) + wanted
        return rows, cols, drop / (1.0 / self._g + self._series)

    def _inside(self, held: Floats, amps: Floats) -> Floats:
        """Voltages of all wires under given device currents."""
        at, d, size = self._at, self._alive, self.circuit.n_groups
        inject = np.bincount(at.b[d], amps, size) - np.bincount(at.a[d], amps, size)
        return self._wires.factor.solve(held, inject.astype(np.float64))


def _share(part: Floats, whole: Floats) -> float:
    """Largest of one over the largest of the other; 0 if there is nothing."""
    largest = float(np.abs(whole).max(initial=0.0))
    return float(np.abs(part).max(initial=0.0)) / largest if largest else 0.0


class Terminals:
    """One direction's lines as the crossbar engines want them.

    Attributes:
        reference: node at which each undriven piece is held.
        reference_place: its place among the voltages of all lines, flattened.
    """

    def __init__(self, side: Side, chains: Chains, line: Ints, shape: tuple[int, int]) -> None:
        """Collect the lines.

        Args:
            side: the devices' ends.
            chains: what they see.
            line: line of every entry, from 0.
            shape: number of lines, and of the nodes of each.

        Raises:
            IrregularError: if a piece of a line is driven between others.
        """
        self._side, self._chains, self._line, self._shape = side, chains, line, shape
        loose = side.reference
        self.reference = side.node[loose]
        self.reference_place = line[loose] * shape[1] + side.place[loose]
        first, _ = side.starts()
        self._driven = np.ones(len(first), dtype=bool)
        self._driven[side.piece[loose]] = False
        starts_line = np.r_[True, np.diff(line[first]) != 0]
        ends_line = np.r_[starts_line[1:], True]
        inner = np.where(chains.rising, ~starts_line, ~ends_line)
        if (self._driven & inner).any():
            raise IrregularError("a cut line is driven between its pieces")

    def sources(self, quiet: Floats) -> Floats:
        """Source of every line from the voltages that the wires have without devices."""
        out = np.zeros(self._shape[0])
        near = self._chains.near[self._driven]
        out[self._line[near]] = quiet[self._side.node[near]]
        return out

    def lines(self) -> tuple[Floats, Floats, Floats]:
        """Conductance at the first node, at the last one, and of the segments.

        Nodes that carry no device are put between those that do at equal distances: any
        place is right for them.

        Raises:
            IrregularError: if a line is driven at both ends.
        """
        shape, place = self._shape, self._side.place
        width = shape[1]
        real, along = np.zeros(shape, dtype=bool), np.zeros(shape)
        piece = np.full(shape, -1)
        real[self._line, place] = True
        along[self._line, place] = self._chains.along
        piece[self._line, place] = self._side.piece
        index = np.arange(width)
        before = np.maximum.accumulate(np.where(real, index, -1), axis=1)[:, :-1]
        after = np.where(real, index, width)[:, ::-1]
        after = np.minimum.accumulate(after, axis=1)[:, ::-1][:, 1:]
        inside = (before >= 0) & (after < width)
        p, q = np.maximum(before, 0), np.minimum(after, width - 1)
        ohm = np.abs(np.take_along_axis(along, q, 1) - np.take_along_axis(along, p, 1))
        whole = np.take_along_axis(piece, q, 1) == np.take_along_axis(piece, p, 1)
        left, right = self._ends()
        first = np.where(real.any(axis=1), real.argmax(axis=1), 0)
        last = np.where(real.any(axis=1), width - 1 - real[:, ::-1].argmax(axis=1), width - 1)
        left, right = left * (first + 1), right * (width - last)
        with np.errstate(divide="ignore"):
            seg = np.where(inside, np.where(whole, (after - before) / ohm, 0.0), FILLER)
        seg = np.where((before < 0) & (left > 0)[:, None], left[:, None], seg)
        seg = np.where((after >= width) & (right > 0)[:, None], right[:, None], seg)
        empty = ~real.any(axis=1)
        return np.where(empty, FILLER, left), right, seg

    def _ends(self) -> tuple[Floats, Floats]:
        """Conductance between source and first, and last device of every line, S."""
        left, right = np.zeros(self._shape[0]), np.zeros(self._shape[0])
        chains = self._chains
        with np.errstate(divide="ignore"):
            siemens = 1.0 / chains.along[chains.near]
        for end, mine in ((left, chains.rising), (right, ~chains.rising)):
            mine = mine & self._driven
            end[self._line[chains.near[mine]]] = siemens[mine]
        if ((left > 0) & (right > 0)).any():
            raise IrregularError("a line is driven at both ends")
        return left, right
