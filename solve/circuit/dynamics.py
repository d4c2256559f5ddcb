"""How the state of a memristor moves with its voltage.

VTEAM (Kvatinsky et al., TCAS-II 62 (2015) 786, doi 10.1109/TCSII.2015.2433536) in the window of
Biolek et al. (Radioengineering 18 (2009) 210), which lets a state leave its ends again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: s; a write voltage over the device switches it from end to end in about this time. Assumed: a
#: pulse of device papers (doi 10.1038/s41586-020-1942-4)
SWITCHING_S = 50e-9
#: of the voltage beyond its threshold, and of the window; assumed
ALPHA, WINDOW = 3, 4
#: where a rate is fitted if the write voltage does not pass the threshold
_LEAST_BEYOND = 0.05


@dataclass(frozen=True)
class Vteam:
    """Rate of the state x: 0 at R_off, 1 at R_on, with G = G_off + x (G_on - G_off).

    Attributes:
        set_v: voltage above which x rises, V.
        reset_v: voltage below whose negative x falls, V.
        k_set: rate of a set at twice its threshold, 1/s.
        k_reset: the same of a reset.
        alpha: power of the voltage beyond the threshold.
        window: half the power of the window.
    """

    set_v: float
    reset_v: float
    k_set: float
    k_reset: float
    alpha: float = ALPHA
    window: float = WINDOW

    @classmethod
    def fitted(cls, needed_v: tuple[float, float], write_v: tuple[float, float]) -> Vteam:
        """Return the dynamics that switch from end to end in `SWITCHING_S`.

        Args:
            needed_v: thresholds of a set and of a reset, V.
            write_v: voltages over the device that switch it, V.
        """
        rates = [_rate(v, needed) for v, needed in zip(write_v, needed_v, strict=True)]
        return cls(*needed_v, *rates)

    def rate(self, x: Floats, volts: Floats, threshold: Floats | float = 1.0) -> Floats:
        """Return dx/dt in 1/s.

        Args:
            x: state, 0 .. 1.
            volts: over the device, V; positive ones set.
            threshold: factor of both thresholds.
        """
        up = np.maximum(volts / (self.set_v * threshold) - 1.0, 0.0) ** self.alpha
        down = np.maximum(-volts / (self.reset_v * threshold) - 1.0, 0.0) ** self.alpha
        power = 2 * self.window
        out: Floats = self.k_set * up * (1.0 - x**power)
        return out - self.k_reset * down * (1.0 - (1.0 - x) ** power)


def _rate(write_v: float, needed_v: float) -> float:
    beyond = max(write_v / needed_v - 1.0, _LEAST_BEYOND)
    return float(1.0 / (SWITCHING_S * beyond**ALPHA))
