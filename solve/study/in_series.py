"""One vector through an array with transistors in series whose resistance its voltages set.

The wires see a device and its transistor as one conductance. What the transistor's own current
does to it is solved device by device, so that rounds only bring wires and transistors together,
each from the voltages of the last: two are the rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConvergenceError
from .guess import Chains

Floats = NDArray[np.float64]

#: solves until resistances and voltages fit
MAX_ROUNDS = 100
#: last change of an output's current, relative to the largest output
SETTLED = 5e-10
#: tolerance of the first solve, which only says about what the wires take
_FIRST = 1e-4
#: change of currents up to which slopes are kept
_NEAR = 1e-3
#: least divisor of a step, and least share of its resistance that one leaves a transistor
_LEAST_DIVISOR, _LEAST_LEFT = 0.05, 0.2


class Transistors(Protocol):
    """Resistances over the voltages of both ends.

    Attributes:
        pieces: as many of them each as fit into a core's cache, one after the other.
    """

    @property
    def pieces(self) -> Sequence[tuple[slice, Transistors]]:
        """See above."""

    def __call__(self, a_v: Floats, b_v: Floats, /) -> Floats:
        """Return ohm."""

    def without_drop(self, volts: Floats, which: NDArray[np.int64], /) -> Floats:
        """Return ohm of each with both ends at one of some voltages, V, given by its number."""

    def by_ends(self, a_v: Floats, b_v: Floats, /) -> tuple[Floats, Floats, Floats]:
        """Return ohm, and what its logarithm rises by per V of either end."""


@dataclass(frozen=True, eq=False)
class _Branches:
    """What stands between row and column at every device.

    Attributes:
        table: the transistors.
        g: linear devices, S.
        tap: in series anyway, ohm.
        row_tap: the part of that between row and transistor, ohm.
        less: one less what a resistance does to itself by its current, in logarithms.
    """

    table: Transistors
    g: Floats
    tap: Floats
    row_tap: Floats
    less: Floats

    def through(self, ohm: Floats) -> Floats:
        """Conductance between the lines, S."""
        out: Floats = self.g / (1.0 + (self.tap + ohm) * self.g)
        return out

    def better(
        self, ohm: Floats, through: Floats, lines: tuple[Floats, Floats], *, slopes: bool
    ) -> Floats:
        """Take Newton's step of every transistor between lines that hold still.

        Args:
            ohm: resistance that it is taken to have.
            through: conductance between the lines then, S.
            lines: voltages of row and column line, V.
            slopes: whether to find slopes anew; else those of the last step will do.
        """
        found = np.empty_like(ohm)
        for some, table in self.table.pieces:
            outer, inner = lines[0][some], lines[1][some]
            amps = through[some] * (outer - inner)
            near, drop = outer - self.row_tap[some] * amps, ohm[some] * amps
            if slopes:
                wanted, by_near, by_far = table.by_ends(near, near - drop)
                share = through[some] * ohm[some]
                along = (by_near + by_far) * self.row_tap[some] * amps * share
                gain = along - by_far * drop * (1.0 - share)
                self.less[some] = np.maximum(1.0 - gain, _LEAST_DIVISOR)
            else:
                wanted = table(near, near - drop)
            change = (wanted / ohm[some] - 1.0) / self.less[some]
            found[some] = ohm[some] * np.maximum(1.0 + change, _LEAST_LEFT)
        return found


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
    branches = _Branches(table, g, chains.tap, row_tap, np.ones_like(g))
    drive = chains.ends(inputs[None], None)
    # wires without resistance, devices that do not conduct
    ohm = table.without_drop(inputs, chains.array.source)
    through, moved, last = branches.through(ohm), 1.0, None
    for count in range(1, MAX_ROUNDS + 1):
        if last is None:
            last = chains.about(through, *drive, _FIRST)
        else:
            last = chains.raw(through, *drive, start=last)
        lines = chains.lines_of(last.rows, last.cols)
        ohm = branches.better(ohm, through, lines, slopes=moved > _NEAR)
        before, through = through, branches.through(ohm)
        amps, moved = _outputs(chains, lines[0] - lines[1], through, before)
        # the lines have not answered to it yet, which takes off the share that they cost
        if count > 1 and moved <= SETTLED:
            return amps, ohm, count
    raise ConvergenceError(f"transistors and voltages did not come together in {MAX_ROUNDS} solves")


def _outputs(
    chains: Chains, volts: Floats, through: Floats, before: Floats
) -> tuple[Floats, float]:
    """Currents of the outputs, A, and how much other conductances before may make of them."""
    amps = through * volts
    both = np.stack([amps, np.abs(amps - before * volts)], axis=1)
    found, moved = chains.array.collected(both)
    most = float(np.abs(found).max(initial=0.0))
    return found, float(moved.max(initial=0.0)) / most if most else 0.0
