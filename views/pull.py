"""How strongly transistors of logic pull: resistances from the process's table of on resistance.

A transistor whose gate is fully on discharges what hangs on it along its measured current. Its
resistance here is the one that takes as long to half of the supply as that current does. Of several
in series each has its share of the drop.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..pdk import Tech

Floats = NDArray[np.float64]
LN2 = math.log(2.0)
#: gate voltage at which a transistor begins to conduct, as a share of the supply: assumed
THRESHOLD = 0.2
#: by how much of the time that its input takes to move a gate is later than after a step
#: (Hedenstierna and Jeppson, IEEE Trans. CAD 6 (1987) 270)
BY_SLOPE = (1.0 + 2.0 * THRESHOLD) / 6.0
#: currents of a curve, and bisections of a voltage
_POINTS, _HALVINGS = 160, 30


class Pull:
    """Resistances of transistors that charge or discharge a net.

    Args:
        tech: at the conditions.
    """

    def __init__(self, tech: Tech) -> None:
        self.tech = tech
        self.ohm: Callable[[str, float, int, bool], float] = cache(self._ohm)

    def _ohm(self, kind: str, w_um: float, depth: int, high: bool) -> float:
        """Return the resistance of one of `depth` equal transistors in series.

        Args:
            kind: 'nfet' or 'pfet'.
            w_um: its width.
            depth: in series; the others count where they pull to their own supply.
            high: they pull up.
        """
        own = high == (kind == "pfet")
        n = depth if own else 1
        return self._until(kind, w_um, n, own, 0.5) / (LN2 * n)

    @property
    def slope(self) -> float:
        """How long a net takes to move, from end to end at its pace in the middle, in delays."""
        found = []
        for kind in ("nfet", "pfet"):
            late, early = (self._until(kind, 1.0, 1, True, share) for share in (0.2, 0.8))
            found.append((late - early) / 0.6 / self._until(kind, 1.0, 1, True, 0.5))
        return float(np.mean(found))

    def _until(self, kind: str, w_um: float, n: int, own: bool, share: float) -> float:
        """Return how long 1 F takes from the other supply to a share of the way left, s."""
        supply = self.tech.conditions.supply_v
        left = np.linspace(share * supply, supply, 81)
        amps = self._stack(kind, w_um, n, left) if own else self._follower(kind, w_um, left)
        return float(np.trapezoid(1.0 / amps, left))

    def _law(self, kind: str, w_um: float) -> Callable[[Floats, Floats], Floats]:
        """Return current over how far source and drain are from the transistor's own supply."""
        model = self.tech.nfet if kind == "nfet" else self.tech.pfet
        surface, supply = model.surface(w_um), self.tech.conditions.supply_v

        def amps(from_supply: Floats, drop: Floats) -> Floats:
            source = from_supply if kind == "nfet" else supply - from_supply
            return drop / surface(source, drop)

        return amps

    def _stack(self, kind: str, w_um: float, n: int, volts: Floats) -> Floats:
        """Return the current of n in series over their whole drop."""
        law = self._law(kind, w_um)
        most = np.array([self.tech.conditions.supply_v])
        amps = law(np.zeros(1), most)[0] * np.linspace(1e-3, 1.0, _POINTS)
        reached = np.zeros(_POINTS)
        for _ in range(n):
            low, high = np.zeros(_POINTS), np.full(_POINTS, 1.2 * most[0])
            for _ in range(_HALVINGS):
                middle = (low + high) / 2
                below = law(reached, middle) < amps
                low, high = np.where(below, middle, low), np.where(below, high, middle)
            reached = reached + high
        return np.asarray(np.interp(volts, reached, amps))

    def _follower(self, kind: str, w_um: float, left: Floats) -> Floats:
        """Return the current of one that pulls to the other's supply, over what is left of it."""
        supply = self.tech.conditions.supply_v
        return self._law(kind, w_um)(supply - left, left)
