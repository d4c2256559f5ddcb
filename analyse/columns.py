"""Columns of an array while they are written: the voltage that every device really gets.

The select lines connect the devices of one tier of one column, so that a column is a circuit of
its own: a source for every row, the row's wire up to the column, the select transistor, the
device, and the column's wire to its rail. Newton's method finds all columns at once, transistors
by their tables and devices by their law.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

from ..base.errors import ConvergenceError
from ..solve.circuit.iv import DeviceLaw
from ..solve.circuit.newton import MAX_MOVE, held_back
from .on_resistance import OnResistance

if TYPE_CHECKING:
    from ..pdk import Tech

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: steps, those after which they are halved (tables bend at their points), and the change of a
#: voltage by the last, V
_MOST_STEPS, _HALVED_FROM, _SETTLED_V = 120, 15, 1e-9
#: S; no device conducts less that matters
_NOTHING = 1e-30


class Wire(Protocol):
    """The wires of columns, each from its rail."""

    def solve(self, load: Floats, amps: Floats) -> Floats:
        """Voltages above the rail, (columns, rows), for currents and conductances to the rail."""

    def take(self, which: Ints) -> Wire:
        """Return some of them."""


@dataclass(frozen=True, eq=False)
class Chain:
    """Wires that are chains of resistors.

    Attributes:
        own: sum of the conductances at every place, S, (columns, rows).
        between: conductance to the next place, S, (columns, rows), 0 at the last.
    """

    own: Floats
    between: Floats

    def solve(self, load: Floats, amps: Floats) -> Floats:
        """See `Wire`: all columns, one after the other, are one chain with gaps."""
        bands = np.stack([np.roll(-self.between.reshape(-1), 1), (self.own + load).reshape(-1)])
        bands[0, 0] = 0.0
        out: Floats = solveh_banded(bands, amps.reshape(-1), check_finite=False)
        return out.reshape(load.shape)

    def take(self, which: Ints) -> Chain:
        """See `Wire`."""
        return Chain(self.own[which], self.between[which])


@dataclass(frozen=True, eq=False)
class Mesh:
    """Wires of any kind.

    Attributes:
        ohm: voltage at each place for 1 A into another, (columns, rows, rows).
    """

    ohm: Floats

    def solve(self, load: Floats, amps: Floats) -> Floats:
        """See `Wire`."""
        matrix = self.ohm * load[:, None, :] + np.eye(self.ohm.shape[1])
        right = np.matmul(self.ohm, amps[:, :, None])
        out: Floats = np.asarray(np.linalg.solve(matrix, right)[:, :, 0], dtype=np.float64)
        return out

    def take(self, which: Ints) -> Mesh:
        """See `Wire`."""
        return Mesh(self.ohm[which])


@dataclass(frozen=True, eq=False)
class State:
    """What Newton's method has found: a start for the next solve.

    Attributes:
        outer: voltage between row wire and transistor, V, (columns, rows).
        inner: between transistor, or wire, and device.
        column: of the column's wire above its rail.
        amps: from the rows, A.
    """

    outer: Floats
    inner: Floats
    column: Floats
    amps: Floats

    def take(self, which: Ints) -> State:
        """Return that of some columns."""
        found = (self.outer, self.inner, self.column, self.amps)
        return State(*(values[which] for values in found))

    def put(self, which: Ints, part: State) -> None:
        """Write that of some columns into it."""
        for name in ("outer", "inner", "column", "amps"):
            getattr(self, name)[which] = getattr(part, name)


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns, each of one tier, that are written.

    Attributes:
        row_ohm: wire of every row up to the device, ohm, (columns, rows).
        wire: of the columns.
        width_um: of the select transistors, (columns,); nan without.
        length_um: the same.
        tech: of the transistors; None without.
    """

    row_ohm: Floats
    wire: Wire
    width_um: Floats
    length_um: Floats
    tech: Tech | None = None

    def take(self, which: Ints) -> Columns:
        """Return some of them."""
        return replace(
            self, row_ohm=self.row_ohm[which], wire=self.wire.take(which),
            width_um=self.width_um[which], length_um=self.length_um[which],
        )  # fmt: skip

    def start(self, rows: Floats, rail: Floats) -> State:
        """Return the voltages where nothing conducts."""
        nothing = np.zeros_like(rows)
        return State(rows.copy(), np.tile(rail[:, None], rows.shape[1]), nothing, nothing.copy())

    def solve(
        self, siemens: Floats, law: DeviceLaw, rows: Floats, rail: Floats, start: State
    ) -> tuple[Floats, State]:
        """Return the voltage over every device, V, and the state.

        Args:
            siemens: of the devices at small voltage, (columns, rows); 0 for none.
            law: that they follow.
            rows: voltage of every row's source against VSS, V, the same shape.
            rail: of every column, V, (columns,).
            start: see `start`, or that of a similar solve.

        Raises:
            ConvergenceError: if the steps do not end.
        """
        table = self._table(rows.shape[1])
        at = start
        for step in range(_MOST_STEPS):
            found, off = self._step(table, siemens, law, rows, rail, at, step)
            at = found
            if off <= _SETTLED_V:
                return at.inner - rail[:, None] - at.column, at
        raise ConvergenceError(
            f"the circuit of a written column did not settle in {_MOST_STEPS} steps (last: "
            f"{off:.1e} V)"
        )

    def _table(self, rows: int) -> OnResistance | None:
        if self.tech is None:
            return None
        width, length = (np.repeat(v, rows) for v in (self.width_um, self.length_um))
        return OnResistance(self.tech, width, length, np.zeros(len(width), dtype=bool))

    def _step(
        self,
        table: OnResistance | None,
        siemens: Floats,
        law: DeviceLaw,
        rows: Floats,
        rail: Floats,
        at: State,
        step: int,
    ) -> tuple[State, float]:
        """One step, and by how much it moved a voltage."""
        over = at.inner - rail[:, None] - at.column
        slope = law.slope(siemens, over)
        # of the device: amps = rest + slope (inner - column)
        rest = law.current(siemens, over) - slope * (over + rail[:, None])
        if table is None:
            load = slope / (1.0 + slope * self.row_ohm)
            fixed = (rest + slope * rows) / (1.0 + slope * self.row_ohm)
        else:
            known = table.flow(at.outer.reshape(-1), at.inner.reshape(-1))
            amps, by_outer, by_inner = (v.reshape(rows.shape) for v in known)
            # of wire and transistor: amps = given - answer inner
            share = 1.0 + by_outer * self.row_ohm
            given = (amps + by_outer * (rows - at.outer) + by_inner * at.inner) / share
            answer = by_inner / share
            both = np.maximum(answer + slope, _NOTHING)
            load = answer * slope / both
            fixed = (given * slope + answer * rest) / both
        column = self.wire.solve(load, fixed)
        amps = fixed - load * column
        outer = rows - self.row_ohm * amps
        inner = outer if table is None else (given - rest + slope * column) / both
        # a place without a device
        inner = np.where(siemens > 0, inner, outer)
        seen = inner - rail[:, None] - column
        move = np.clip(held_back(law, siemens, over, seen) - over, -MAX_MOVE, MAX_MOVE)
        aside = np.clip(outer - at.outer, -MAX_MOVE, MAX_MOVE)
        if step >= _HALVED_FROM:
            move, aside = 0.5 * move, 0.5 * aside
        off = max(np.abs(seen - over).max(), np.abs(outer - at.outer).max())
        inner = rail[:, None] + column + over + move
        return State(at.outer + aside, inner, column, amps), float(off)
