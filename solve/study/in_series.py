"""One vector through an array with transistors in series whose resistance its voltages set.

The wires see a device and its transistor as one conductance. What the transistor's own current
does to it is solved device by device, so that rounds only bring wires and transistors together,
each from the voltages of the last: three are the rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConvergenceError
from ..crossbar.compiled import has_numba
from ..crossbar.engine import Engine, Raw
from .guess import Chains
from .limits import LEAST_DIVISOR, LEAST_LEFT

Floats = NDArray[np.float64]

#: solves until resistances and voltages fit
MAX_ROUNDS = 100
#: last change of an output's current, relative to the largest output
SETTLED = 5e-10
#: tolerances of the first solves, which only say about what the wires take, and of the others
_ROUGH, _FINE = (1e-2, 1e-6), 1e-10


class Transistors(Protocol):
    """Resistances over the voltages of both ends.

    Attributes:
        pieces: as many of them each as fit into a core's cache, one after the other.
        tables: numbers of those of one size, rising, their table (`table_kernel.steps`), what it
            is scaled by, whether they are PMOS.
    """

    @property
    def pieces(self) -> Sequence[tuple[slice, Transistors]]:
        """See above."""

    @property
    def tables(self) -> Sequence[tuple[NDArray[np.int64], tuple[Any, ...], float, bool]]:
        """See above."""

    def __call__(self, a_v: Floats, b_v: Floats, /) -> Floats:
        """Return ohm."""

    def without_drop(self, volts: Floats, which: NDArray[np.int64], /) -> Floats:
        """Return ohm of each with both ends at one of some voltages, V, given by its number."""

    def by_ends(self, a_v: Floats, b_v: Floats, /) -> tuple[Floats, Floats, Floats]:
        """Return ohm, and what its logarithm rises by per V of either end."""


@dataclass(eq=False)
class _Branches:
    """What stands between row and column at every device.

    Attributes:
        table: the transistors.
        chains: the wires, which know the output of every device.
        g: linear devices, S.
        row_tap: of what is in series anyway, the part between row and transistor, ohm.
        ohm: of the transistors.
    """

    table: Transistors
    chains: Chains
    g: Floats
    row_tap: Floats
    ohm: Floats

    def __post_init__(self) -> None:
        #: in series anyway, ohm
        self.tap = self.chains.tap
        #: conductance between the lines, S
        self.through = self._through()

    def _through(self) -> Floats:
        found: Floats = self.tap + self.ohm
        found *= self.g
        found += 1.0
        np.divide(self.g, found, out=found)
        return found

    def step(self, lines: tuple[Floats, Floats], *, summed: bool) -> tuple[Floats, float] | None:
        """Take Newton's step of every transistor between lines that hold still.

        Args:
            lines: voltages of row and column line, V.
            summed: whether to sum up outputs, too.

        Returns:
            (currents of the outputs, A; the most that any of them is new, relative to the
            largest), or None.
        """
        if has_numba():
            return self._compiled(lines, summed=summed)
        before = self.through
        for some, table in self.table.pieces:
            self._piece(some, table, lines)
        self.through = self._through()
        if not summed:
            return None
        volts = lines[0] - lines[1]
        amps, old = self.through * volts, before * volts
        array, both = self.chains.array, np.stack([amps, np.abs(amps - old)], axis=1)
        total, new = array.collected(both)
        return _measured(total, new - array.rest)

    def _compiled(
        self, lines: tuple[Floats, Floats], *, summed: bool
    ) -> tuple[Floats, float] | None:
        from ..crossbar.threads import on_threads
        from .table_kernel import TURN, steps

        array = self.chains.array
        turns, count = (-(-len(self.g) // TURN) if summed else 0), len(array.outputs)
        sums = np.zeros((turns, 2, count + 1))
        devices, outputs = (self.g, self.tap, self.row_tap), (array.part, array.sink)
        state = self.ohm, self.through, outputs, sums
        with on_threads(len(self.g)):
            for table in self.table.tables:
                steps(*table, devices, lines, *state)
        if not summed:
            return None
        amps, new = sums.sum(axis=0)[:, :count]
        return _measured(amps + array.rest, new)

    def _piece(self, some: slice, table: Transistors, lines: tuple[Floats, Floats]) -> None:
        """Take the step of some transistors by NumPy; `table_kernel.steps` does the same."""
        outer, inner = lines[0][some], lines[1][some]
        ohm, through = self.ohm[some], self.through[some]
        amps = through * (outer - inner)
        near, drop = outer - self.row_tap[some] * amps, ohm * amps
        wanted, by_near, by_far = table.by_ends(near, near - drop)
        share = through * ohm
        along = (by_near + by_far) * self.row_tap[some] * amps * share
        # one less what a resistance does to itself by its current, in logarithms
        less = np.maximum(1.0 - along + by_far * drop * (1.0 - share), LEAST_DIVISOR)
        self.ohm[some] = ohm * np.maximum(1.0 + (wanted / ohm - 1.0) / less, LEAST_LEFT)


def _measured(amps: Floats, new: Floats) -> tuple[Floats, float]:
    most = float(np.abs(amps).max(initial=0.0))
    return amps, float(new.max(initial=0.0)) / most if most else 0.0


def worked(
    chains: Chains,
    g: Floats,
    inputs: Floats,
    table: Transistors,
    row_tap: Floats,
) -> tuple[Floats, Floats, int]:
    """Solve one vector with a transistor in series with every device.

    Args:
        chains: the wires, without transistors.
        g: S, linear devices.
        inputs: V, shape (inputs,).
        table: the transistors.
        row_tap: of what is in series anyway, the part between row and transistor, ohm.

    Returns:
        (current out of every output, A; resistances, ohm; solves that it took).

    Raises:
        ConvergenceError: if resistances and voltages do not come together.
    """
    drive = chains.ends(inputs[None], None)
    # wires without resistance, devices that do not conduct
    ohm = table.without_drop(inputs, chains.array.source)
    branches = _Branches(table, chains, g, row_tap, ohm)
    last: Raw | None = None
    rough: Raw | None
    engine: Engine | None = None
    for count in range(1, MAX_ROUNDS + 1):
        engine, rough = chains.engine(branches.through, engine), None
        if count <= len(_ROUGH):
            rough = chains.about(engine, *drive, _ROUGH[count - 1], last)
        last = rough or chains.raw(branches.through, *drive, start=last, engine=engine, tol=_FINE)
        lines = chains.lines_of(last.rows, last.cols)
        found = branches.step(lines, summed=count > len(_ROUGH))
        # the lines have not answered to it yet, which takes off the share that they cost
        if found is not None and found[1] <= SETTLED:
            return found[0], branches.ohm, count
    raise ConvergenceError(f"transistors and voltages did not come together in {MAX_ROUNDS} solves")
