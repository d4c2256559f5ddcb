"""Current-voltage laws of memristors and transistors, with their sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...base.errors import InputError

Floats = NDArray[np.float64]

# Beyond this, sinh leaves double precision's useful range; no device lives there.
MAX_ARGUMENT = 200.0


class DeviceLaw(Protocol):
    """I(V) of a memristor whose conductance at small voltage is G."""

    def current(self, G: Floats, volts: Floats) -> Floats:
        """Current in A."""

    def slope(self, G: Floats, volts: Floats) -> Floats:
        """dI/dV in S."""

    def own_volts(self, G: Floats, volts: Floats) -> Floats:
        """Voltage over the device alone, without what a limiter in series takes, V."""


class SpiceLaw(DeviceLaw, Protocol):
    """A law that can be written down, too."""

    def spice(self, siemens: float, drop: str) -> str:
        """Current as an expression of ngspice of a voltage."""


class Bare:
    """What laws without a limiter share."""

    def own_volts(self, G: Floats, volts: Floats) -> Floats:
        """See `DeviceLaw`."""
        return volts


@dataclass(frozen=True)
class Sinh(Bare):
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

    def spice(self, siemens: float, drop: str) -> str:
        """See `DeviceLaw`."""
        return f"{siemens / self.b:.9g}*sinh({self.b:.9g}*{drop})"

    def _argument(self, volts: Floats) -> Floats:
        out: Floats = np.clip(self.b * volts, -MAX_ARGUMENT, MAX_ARGUMENT)
        return out


@dataclass(frozen=True, eq=False)
class Partly:
    """A law that some memristors follow; the others follow another, or are linear.

    Attributes:
        law: of those that follow it.
        mask: which do, True or False for every memristor, in the order of the solve.
        rest: law of the others; None is linear.
    """

    law: DeviceLaw
    mask: NDArray[np.bool_]
    rest: DeviceLaw | None = None

    def current(self, G: Floats, volts: Floats) -> Floats:
        """See `DeviceLaw`."""
        rest = G * volts if self.rest is None else self.rest.current(G, self._others(volts))
        return np.where(self.mask, self.law.current(G, self._mine(volts)), rest)

    def slope(self, G: Floats, volts: Floats) -> Floats:
        """See `DeviceLaw`."""
        rest = G if self.rest is None else self.rest.slope(G, self._others(volts))
        return np.where(self.mask, self.law.slope(G, self._mine(volts)), rest)

    def own_volts(self, G: Floats, volts: Floats) -> Floats:
        """See `DeviceLaw`."""
        rest = volts if self.rest is None else self.rest.own_volts(G, self._others(volts))
        return np.where(self.mask, self.law.own_volts(G, self._mine(volts)), rest)

    def _mine(self, volts: Floats) -> Floats:
        return np.where(self.mask, volts, 0.0)

    def _others(self, volts: Floats) -> Floats:
        return np.where(self.mask, 0.0, volts)


@dataclass(frozen=True)
class Linear(Bare):
    """I = G V: for what must have a law, such as a device behind a limiter."""

    def current(self, G: Floats, volts: Floats) -> Floats:
        """See `DeviceLaw`."""
        return G * volts

    def slope(self, G: Floats, volts: Floats) -> Floats:
        """See `DeviceLaw`."""
        return G * np.ones_like(volts)

    def spice(self, siemens: float, drop: str) -> str:
        """See `DeviceLaw`."""
        return f"{siemens:.9g}*{drop}"


@dataclass(frozen=True)
class Odd(Bare):
    """I = G (V + c V^3).

    Attributes:
        c: 1/V^2. 2.1 /V^2 is A3 / G of `Cubic` at 100 uS.
    """

    c: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.c) and self.c >= 0):
            raise InputError(f"c of Odd is {self.c} /V^2, allowed: >= 0")

    def current(self, G: Floats, volts: Floats) -> Floats:
        """See `DeviceLaw`."""
        out: Floats = G * volts * (1.0 + self.c * volts * volts)
        return out

    def slope(self, G: Floats, volts: Floats) -> Floats:
        """See `DeviceLaw`."""
        out: Floats = G * (1.0 + 3.0 * self.c * volts * volts)
        return out

    def spice(self, siemens: float, drop: str) -> str:
        """See `DeviceLaw`."""
        return f"{siemens:.9g}*{drop}*(1+{self.c:.9g}*{drop}*{drop})"


class Table(Bare):
    """I = G f(V), f straight between points; beyond them as between the last two."""

    def __init__(self, points: Sequence[tuple[float, float]], ohm: float) -> None:
        """Read points of one device; those at negative voltages mirror the others if missing.

        Args:
            points: (V, A), both rising, (0, 0) left out.
            ohm: 1 / G of the device that they are of.

        Raises:
            InputError: if they do not rise, or are fewer than two.
        """
        given = [(float(v), float(i)) for v, i in points]
        if all(v > 0 for v, _ in given):
            given = [*((-v, -i) for v, i in reversed(given)), *given]
        volts, amps = np.array(sorted([*given, (0.0, 0.0)])).T
        if len(points) < 2 or not ((np.diff(volts) > 0).all() and (np.diff(amps) > 0).all()):
            raise InputError("a table of a device needs two or more points that rise in V and A")
        self.volts, self.ratio = volts, amps * ohm

    def current(self, G: Floats, volts: Floats) -> Floats:
        """See `DeviceLaw`."""
        k = self._piece(volts)
        out: Floats = G * (self.ratio[k] + self._rise(k) * (volts - self.volts[k]))
        return out

    def slope(self, G: Floats, volts: Floats) -> Floats:
        """See `DeviceLaw`."""
        out: Floats = G * self._rise(self._piece(volts))
        return out

    def spice(self, siemens: float, drop: str) -> str:
        """See `DeviceLaw`."""
        pairs = zip(self.volts.tolist(), (siemens * self.ratio).tolist(), strict=True)
        return f"pwl({drop}," + ",".join(f"{v:.9g},{i:.9g}" for v, i in pairs) + ")"

    def _piece(self, volts: Floats) -> NDArray[np.intp]:
        at = np.searchsorted(self.volts, volts, side="right") - 1
        return np.clip(at, 0, len(self.volts) - 2)

    def _rise(self, k: NDArray[np.intp]) -> Floats:
        out: Floats = (self.ratio[k + 1] - self.ratio[k]) / (self.volts[k + 1] - self.volts[k])
        return out


#: share of a limiter's mean conductance that is left where it limits, and halvings of a voltage
_LEFT, _HALVINGS = 1e-9, 60


@dataclass(frozen=True)
class Limited:
    """A device behind a limiter, as of a write driver: no more than so much current.

    Attributes:
        law: of the device.
        amps: most current, A.
    """

    law: SpiceLaw
    amps: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.amps) and self.amps > 0):
            raise InputError(f"a limiter of {self.amps} A, allowed: > 0")

    def current(self, G: Floats, volts: Floats) -> Floats:
        """See `DeviceLaw`; over both."""
        return np.clip(self.law.current(G, volts), -self.amps, self.amps)

    def slope(self, G: Floats, volts: Floats) -> Floats:
        """See `DeviceLaw`; over both."""
        limits = np.abs(self.law.current(G, volts)) > self.amps
        left = _LEFT * self.amps / np.where(limits, np.abs(volts), 1.0)
        return np.where(limits, left, self.law.slope(G, volts))

    def own_volts(self, G: Floats, volts: Floats) -> Floats:
        """See `DeviceLaw`: where the device alone carries the limiter's current."""
        limits = np.abs(self.law.current(G, volts)) > self.amps
        low, high = np.zeros_like(volts), volts.copy()
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            above = np.abs(self.law.current(G, middle)) > self.amps
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return np.where(limits, low, volts)

    def spice(self, siemens: float, drop: str) -> str:
        """See `DeviceLaw`; of both."""
        inner = self.law.spice(siemens, drop)
        return f"max(min({inner},{self.amps:.9g}),{-self.amps:.9g})"


@dataclass(frozen=True)
class Cubic(Bare):
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

    def spice(self, siemens: float, drop: str) -> str:
        """See `DeviceLaw`."""
        a3 = float(self._a3(np.array(siemens)))
        return f"{drop}*({siemens:.9g}+{a3:.9g}*{drop}*{drop})"


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
