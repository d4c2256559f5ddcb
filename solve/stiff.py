"""Corrections for circuits whose conductances lie so far apart that node voltages lose them.

A wire of 1e3 S at 1 V carries currents that are known to 1e-13 A, whatever the solver: that is the
last digit of its voltages. If all that holds the wire are devices of 1e-12 S, what flows into it as
a whole drowns there. So nodes that stiff conductances join are also looked at as one: what flows
into all of them together is a sum over the weak ones alone, and exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConvergenceError
from .graph import Circuit, factor, prepare

Floats = NDArray[np.float64]

# A decade or three less stiff from level to level: each level's own error is that small.
_STEP = 1e-3
_MOST_SWEEPS = 20
# Units in the last place of the largest voltage that corrections may go on changing.
_SETTLED = 8 * float(np.finfo(np.float64).eps)
# A correction that stays larger than this share of it is no solution.
_REFUSED = 1e-9


class Level:
    """A circuit in which everything from one conductance up is a short."""

    def __init__(self, circuit: Circuit, least: float) -> None:
        g = np.where(circuit.g >= least, np.inf, circuit.g)
        held = np.flatnonzero(circuit.held)
        self.fine = circuit
        self.merged = prepare(circuit.n_groups, circuit.a, circuit.b, g, held)
        self.lu = factor(self.merged) if len(self.merged.free) else None

    def outflow(self, volts: Floats) -> Floats:
        """Current that leaves every joined node through weak conductances, in A."""
        fine, merged = self.fine, self.merged
        kept = merged.edge
        amps = fine.g[kept] * (volts[fine.a[kept]] - volts[fine.b[kept]])
        out = np.bincount(merged.a, amps, merged.n_groups).astype(np.float64)
        out -= np.bincount(merged.b, amps, merged.n_groups)
        return out

    def correct(self, volts: Floats, source: Floats) -> float:
        """Move joined nodes until nothing is left over in them; returns the largest move, V."""
        merged = self.merged
        free = merged.free
        if self.lu is None:
            return 0.0
        left = np.bincount(merged.group, source, merged.n_groups) - self.outflow(volts)
        move = np.zeros(merged.n_groups)
        move[free] = self.lu.solve(left[free])
        volts += move[merged.group]
        return float(np.abs(move).max())


class Levels:
    """All levels of a circuit, the stiffest first."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self.levels: list[Level] = []
        least = float(circuit.g.max()) * _STEP
        while least > circuit.g.min():
            self.levels.append(Level(circuit, least))
            least *= _STEP

    def settle(self, volts: Floats, source: Floats) -> Floats:
        """Correct voltages level by level until they stay.

        Raises:
            ConvergenceError: if they do not.
        """
        move = scale = 0.0
        for _ in range(_MOST_SWEEPS):
            scale = float(np.abs(volts).max())
            move = max((level.correct(volts, source) for level in self.levels), default=0.0)
            if move <= _SETTLED * scale:
                break
        if move > _REFUSED * scale:
            raise ConvergenceError(
                "the conductances lie too far apart: voltages still move by "
                f"{move:.1e} V of {scale:.1e} V"
            )
        return volts

    def held_outflow(self, volts: Floats) -> Floats:
        """Current that leaves every held node, in A; other entries mean nothing.

        A held node's current is that of the stiffest join which it does not share with another
        held one.
        """
        circuit = self.circuit
        out = circuit.outflow(volts)
        for level in self.levels:
            group = level.merged.group
            alone = np.bincount(group, circuit.held, level.merged.n_groups)[group] == 1
            out = np.where(alone, level.outflow(volts)[group], out)
        return out

    def left_over(self, volts: Floats) -> float:
        """Largest current left over in a free node, joined ones too, beyond its rounding, in A."""
        circuit = self.circuit
        rounding = _SETTLED * float(np.abs(volts).max())
        worst = 0.0
        for out, merged in (
            (circuit.outflow(volts), circuit),
            *((level.outflow(volts), level.merged) for level in self.levels),
        ):
            around = np.bincount(merged.a, merged.g, merged.n_groups)
            around += np.bincount(merged.b, merged.g, merged.n_groups)
            left = np.abs(out) - rounding * around
            worst = max(worst, float(left[merged.free].max(initial=0.0)))
        return worst
