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
from ..crossbar.engine import Raw
from .guess import Chains
from .limits import LEAST_DIVISOR, LEAST_LEFT

Floats = NDArray[np.float64]

#: solves until resistances and voltages fit
MAX_ROUNDS = 100
#: last change of an output's current, relative to the largest output
SETTLED = 5e-10
#: tolerances of the first solves, which only say about what the wires take
_ROUGH = 1e-4, 1e-8
#: change, relative to the largest, up to which slopes are kept
_NEAR = 1e-3


class Transistors(Protocol):
    """Resistances over the voltages of both ends.

    Attributes:
        pieces: as many of them each as fit into a core's cache, one after the other.
        tables: numbers of those of one size, the arrays of their table (`table_kernel.steps`),
            what it is scaled by, whether they are PMOS.
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
        g: linear devices, S.
        tap: in series anyway, ohm.
        row_tap: the part of that between row and transistor, ohm.
        ohm: of the transistors.
    """

    table: Transistors
    g: Floats
    tap: Floats
    row_tap: Floats
    ohm: Floats

    def __post_init__(self) -> None:
        #: one less what a resistance does to itself by its current, in logarithms
        self.less = np.ones_like(self.g)
        #: conductance between the lines, S
        self.through = self._through()

    def _through(self) -> Floats:
        found: Floats = self.g / (1.0 + (self.tap + self.ohm) * self.g)
        return found

    def step(self, lines: tuple[Floats, Floats], *, slopes: bool) -> None:
        """Take Newton's step of every transistor between lines that hold still.

        Args:
            lines: voltages of row and column line, V.
            slopes: whether to find slopes anew; else those of the last step will do.
        """
        if has_numba():
            from .table_kernel import steps

            still = (np.ascontiguousarray(lines[0]), np.ascontiguousarray(lines[1]))
            devices, state = (self.g, self.tap, self.row_tap), (self.ohm, self.less, self.through)
            for mine, arrays, factor, is_p in self.table.tables:
                steps(mine, arrays, factor, is_p, devices, still, *state, slopes)
            return
        for some, table in self.table.pieces:
            self._piece(some, table, lines, slopes=slopes)
        self.through = self._through()

    def _piece(
        self, some: slice, table: Transistors, lines: tuple[Floats, Floats], *, slopes: bool
    ) -> None:
        """Take the step of some transistors by NumPy; `table_kernel.steps` does the same."""
        outer, inner = lines[0][some], lines[1][some]
        ohm, through = self.ohm[some], self.through[some]
        amps = through * (outer - inner)
        near, drop = outer - self.row_tap[some] * amps, ohm * amps
        if slopes:
            wanted, by_near, by_far = table.by_ends(near, near - drop)
            share = through * ohm
            along = (by_near + by_far) * self.row_tap[some] * amps * share
            gain = along - by_far * drop * (1.0 - share)
            self.less[some] = np.maximum(1.0 - gain, LEAST_DIVISOR)
        else:
            wanted = table(near, near - drop)
        change = (wanted / ohm - 1.0) / self.less[some]
        self.ohm[some] = ohm * np.maximum(1.0 + change, LEAST_LEFT)


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
    branches = _Branches(table, g, chains.tap, row_tap, ohm)
    last: Raw | None = None
    moved = 1.0
    for count in range(1, MAX_ROUNDS + 1):
        if count <= len(_ROUGH):
            last = chains.about(branches.through, *drive, _ROUGH[count - 1], last)
        else:
            last = chains.raw(branches.through, *drive, start=last)
        lines = chains.lines_of(last.rows, last.cols)
        before = branches.through.copy()
        branches.step(lines, slopes=moved > _NEAR)
        if count <= len(_ROUGH):
            most = float(branches.through.max(initial=0.0))
            change = float(np.abs(branches.through - before).max(initial=0.0))
            moved = change / most if most else 0.0
            continue
        amps, moved = _outputs(chains, lines[0] - lines[1], branches.through, before)
        # the lines have not answered to it yet, which takes off the share that they cost
        if moved <= SETTLED:
            return amps, branches.ohm, count
    raise ConvergenceError(f"transistors and voltages did not come together in {MAX_ROUNDS} solves")


def _outputs(
    chains: Chains, volts: Floats, through: Floats, before: Floats
) -> tuple[Floats, float]:
    """Currents of the outputs, A, and how much other conductances before may make of them."""
    amps = through * volts
    change = np.abs(amps - before * volts)
    # one after the other: sums of two lanes at once gather from memory with a stride
    found, moved = (chains.array.collected(each[:, None])[0] for each in (amps, change))
    most = float(np.abs(found).max(initial=0.0))
    return found, float(moved.max(initial=0.0)) / most if most else 0.0
