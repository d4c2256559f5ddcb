"""Ranges of numbers, and those of what commands may be asked for.

A help text names the range that the refusal names: both read it here. Nothing large is imported,
so that a help text stays quick.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """The range of a figure.

    Attributes:
        low, high: its ends, which belong to it; the upper one may be infinite.
        unit: of the figure; empty for none.
        above: True if the lower end itself is outside.
        whole: True if only whole numbers are in it.
    """

    low: float
    high: float = math.inf
    unit: str = ""
    above: bool = False
    whole: bool = False

    def __contains__(self, value: float) -> bool:
        """Tell whether a number is in the range; no number at all is not."""
        if not math.isfinite(value):
            return False
        inside = self.low < value <= self.high if self.above else self.low <= value <= self.high
        return inside and (not self.whole or value == int(value))

    def __str__(self) -> str:
        """Return the range for people."""
        return f"{'a whole number from ' if self.whole else ''}{self.ends}"

    @property
    def ends(self) -> str:
        """Its ends with their unit, in words."""
        low, high = (f"{end:.0f}" if self.whole else f"{end:g}" for end in (self.low, self.high))
        unit, above = f" {self.unit}" if self.unit else "", "above " if self.above else ""
        if math.isinf(self.high):
            return f"{above}{low}{unit}" if above else f"{low}{unit} or more"
        return f"{low}{unit}" if self.low == self.high else f"{above}{low} to {high}{unit}"


#: standard deviation of ln G; more is no spread: one device in six would be off by more than e^10
SIGMA_LN_G = Span(0, 10)
SHARE = Span(0, 1)
#: devices stuck on; as many are stuck off
STUCK = Span(0, 0.5)
SEED, COUNT, COLUMN = Span(0, whole=True), Span(1, whole=True), Span(0, whole=True)
#: bits of a read, a converter: beyond, rounding decides
BITS, BITS_OR_NONE = Span(1, 24, whole=True), Span(0, 24, whole=True)
#: a cut through a layout: below, rounding shows; above, nothing can be told apart
CUT_UM = Span(0.5, 1000, "um")
#: rows and columns of a tile
TILE = Span(1, 4096, whole=True)
#: bars of a vernier on either side of the middle one
BAR = Span(-10, 10, whole=True)
#: layer and datatype of GDS: a signed word of 16 bits; what programs write beyond, others read as
#: a negative number
LAYER = Span(0, 32_767, whole=True)
#: step from die to die, a place on a wafer, and a die, counted from the first one
DIE_STEP_UM = Span(0, 1e6, "um", above=True)
WAFER_UM, DIE = Span(-1e6, 1e6, "um"), Span(-1e6, 1e6, whole=True)
#: a rise, a pulse
TIME_S = Span(1e-15, 1, "s")
WRITE_V = Span(1e-3, unit="V")
OHM = Span(0, unit="ohm")
#: how devices are written by pulses
PULSES = {
    "tolerance": Span(1e-6, 1), "pulse_s": Span(1e-12, 1, "s"), "step_v": Span(1e-3, 10, "V"),
    "write_v": Span(1e-3, 100, "V"), "threshold_sigma": Span(0, 0.3), "pulse_sigma": Span(0, 2),
    "read_noise": SHARE, "pulses": Span(1, 100_000, whole=True),
    "rows": Span(1, 100_000, whole=True),
}  # fmt: skip
