"""Current-voltage laws of memristors and transistors, with their sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError

Floats = NDArray[np.float64]

# Beyond this, sinh leaves double precision's useful range; no device lives there.
MAX_ARGUMENT = 200.0


class DeviceLaw(Protocol):
    """I(V) of a memristor whose conductance at small voltage is G."""

    def current(self, G: Floats, volts: Floats) -> Floats:
        """Current in A."""

    def slope(self, G: Floats, volts: Floats) -> Floats:
        """dI/dV in S."""


@dataclass(frozen=True)
class Sinh:
    """I = G sinh(b V) / b.

    Attributes:
        b: 1/V. 3 /V is the TiOx fit of MemTorch's data-driven model
            (eprints.soton.ac.uk/411693); its newer set has 2.717 /V (arXiv 2012.02267).
    """

    b: float = 3.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.b) and self.b > 0):
            raise InputError(f"b of Sinh is {self.b} /V, allowed: > 0")

    def current(self, G: Floats, volts: Floats) -> Floats:
        """See `DeviceLaw`."""
        out: Floats = G * np.sinh(self._argument(volts)) / self.b
        return out

    def slope(self, G: Floats, volts: Floats) -> Floats:
        """See `DeviceLaw`."""
        out: Floats = G * np.cosh(self._argument(volts))
        return out

    def _argument(self, volts: Floats) -> Floats:
        out: Floats = np.clip(self.b * volts, -MAX_ARGUMENT, MAX_ARGUMENT)
        return out


@dataclass(frozen=True, eq=False)
class Partly:
    """A law that some memristors follow; the others are linear.

    Attributes:
        law: of those that follow it.
        mask: which do, True or False for every memristor, in the order of the solve.
    """

    law: DeviceLaw
    mask: NDArray[np.bool_]

    def current(self, G: Floats, volts: Floats) -> Floats:
        """See `DeviceLaw`."""
        return np.where(self.mask, self.law.current(G, np.where(self.mask, volts, 0.0)), G * volts)

    def slope(self, G: Floats, volts: Floats) -> Floats:
        """See `DeviceLaw`."""
        return np.where(self.mask, self.law.slope(G, np.where(self.mask, volts, 0.0)), G)


@dataclass(frozen=True)
class Cubic:
    """I = G V + A3 V^3 with A3 = 1.18 G + 6596 G^2 + 1.605e-3 T^-1.33.

    Pt/Al2O3/TiO2-x devices (Nili 2020, as coded in the public repository
    pytorch-metal-oxide-memristor-crossbar); measured for 3.16..316 uS and +-0.4 V.

    Attributes:
        temperature_c: T in degrees Celsius.
    """

    temperature_c: float = 25.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.temperature_c) and self.temperature_c > 0):
            raise InputError(f"temperature_c is {self.temperature_c}, allowed: > 0")

    def _a3(self, G: Floats) -> Floats:
        thermal = 1.605e-3 * self.temperature_c**-1.33
        out: Floats = np.where(G > 0, 1.18 * G + 6596.0 * G * G + thermal, 0.0)
        return out

    def current(self, G: Floats, volts: Floats) -> Floats:
        """See `DeviceLaw`."""
        out: Floats = volts * (G + self._a3(G) * volts * volts)
        return out

    def slope(self, G: Floats, volts: Floats) -> Floats:
        """See `DeviceLaw`."""
        out: Floats = G + 3.0 * self._a3(G) * volts * volts
        return out


@dataclass(frozen=True)
class SquareLaw:
    """Select transistors whose resistance depends on their source's voltage.

    The long-channel law in its symmetric form, valid in triode and saturation:
    I(a -> b) = k/2 W/L (max(Vov - Vb, 0)^2 - max(Vov - Va, 0)^2), Vov = gate - threshold
    for an nfet; a pfet is its mirror image about the supply.

    Attributes:
        k_n: transconductance of an nfet in A/V^2 for W = L.
        k_p: the same of a pfet.
        vth_n: threshold of an nfet in V.
        vth_p: threshold of a pfet in V, positive.
        gate_high: V of a gate that is high; low is 0 V.
        off_ohm: resistance of a transistor that does not conduct, in parallel.
    """

    k_n: float
    k_p: float
    vth_n: float
    vth_p: float
    gate_high: float
    off_ohm: float = 1e12

    def current(
        self, ratio: Floats, p: NDArray[np.bool_], high: NDArray[np.bool_], va: Floats, vb: Floats
    ) -> Floats:
        """I(a -> b) in A.

        Args:
            ratio: W / L.
            p: True for pfets.
            high: True where the gate is high.
            va: voltage of terminal a.
            vb: voltage of terminal b.
        """
        k, sign, over = self._gate(ratio, p, high)
        A, B = np.maximum(over - sign * vb, 0.0), np.maximum(over - sign * va, 0.0)
        out: Floats = 0.5 * k * sign * (A - B) * (A + B) + (va - vb) / self.off_ohm
        return out

    def slopes(
        self, ratio: Floats, p: NDArray[np.bool_], high: NDArray[np.bool_], va: Floats, vb: Floats
    ) -> tuple[Floats, Floats]:
        """(dI/dVa, -dI/dVb) in S, both >= 0; they differ where current flows."""
        k, sign, over = self._gate(ratio, p, high)
        leak = 1.0 / self.off_ohm
        return (
            k * np.maximum(over - sign * va, 0.0) + leak,
            k * np.maximum(over - sign * vb, 0.0) + leak,
        )

    def _gate(
        self, ratio: Floats, p: NDArray[np.bool_], high: NDArray[np.bool_]
    ) -> tuple[Floats, Floats, Floats]:
        """(k W/L, sign, overdrive at 0 V); a pfet is an nfet at the negated voltages."""
        sign = np.where(p, -1.0, 1.0)
        over = sign * np.where(high, self.gate_high, 0.0) - np.where(p, self.vth_p, self.vth_n)
        return np.where(p, self.k_p, self.k_n) * ratio, sign, over
