"""How weights become conductances, inputs become voltages, and currents become numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..base.errors import ParameterError
from ..base.spans import BITS, SHARE, SIGMA_LN_G

#: pairs that a signed weight may stand on
PAIRS = ("columns", "tiers")
#: what inputs below zero become
NEGATIVE = ("auto", "split", "bipolar")
LAWS = ("linear", "sinh")
_MOST_BITS = int(BITS.high)


@dataclass(frozen=True)
class Readout:
    """What stands between numbers and an array.

    Attributes:
        pairs: 'columns' puts a weight's positive part on an even column and its negative part on
            the next; 'tiers' puts them on the bottom and the top tier of one column, whose rows
            are driven with opposite voltages.
        g_on: largest conductance, S; None for the array's 1 / R_on.
        g_off: smallest conductance, S; None for 1 / R_off.
        v_read: largest input voltage, V; None for the array's.
        levels: conductances that a device can be set to, evenly spaced; 0 for any.
        sigma: standard deviation of ln G from device to device.
        read_noise: standard deviation of a current at every read, as a share of `g_on` x `v_read`,
            the current of one device that is on; in training and evaluation alike.
        dac_bits: bits of the inputs' magnitude; 0 for any value.
        bit_serial: True applies one bit after another, each at 0 or the whole read voltage, and
            adds up the digital results; needs `dac_bits`.
        adc_bits: bits of the difference of a pair (of a column's current with 'tiers'), sign
            included; 0 for any value.
        adc_range: largest such difference, A; None for what `calibrate` saw, or before that for
            what all inputs of the array and devices on give.
        negative: 'split' reads positive and negative inputs one after the other and subtracts;
            'bipolar' applies negative voltages; 'auto' is 'bipolar' without transistors.
        law: 'linear', or 'sinh' for I = G sinh(b V) / b.
        b: of that law, 1/V.
        seed: of the devices' spread.
    """

    pairs: str = "columns"
    g_on: float | None = None
    g_off: float | None = None
    v_read: float | None = None
    levels: int = 0
    sigma: float = 0.0
    read_noise: float = 0.0
    dac_bits: int = 0
    bit_serial: bool = False
    adc_bits: int = 0
    adc_range: float | None = None
    negative: str = "auto"
    law: str = "linear"
    b: float = 3.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, allowed in (("pairs", PAIRS), ("negative", NEGATIVE), ("law", LAWS)):
            if getattr(self, name) not in allowed:
                raise ParameterError(name, getattr(self, name), " or ".join(allowed))
        for name in ("g_on", "g_off", "v_read", "adc_range", "b"):
            value = getattr(self, name)
            if value is not None and not (_real(value) and value > 0):
                raise ParameterError(name, value, "finite, > 0")
        for name, span in (("sigma", SIGMA_LN_G), ("read_noise", SHARE)):
            value = getattr(self, name)
            if not (_real(value) and value in span):
                raise ParameterError(name, value, str(span))
        for name, least in (("dac_bits", 1), ("adc_bits", 2), ("levels", 2)):
            value = getattr(self, name)
            most = _MOST_BITS if name != "levels" else 2**_MOST_BITS
            if value != 0 and not (isinstance(value, int) and least <= value <= most):
                raise ParameterError(name, value, f"0 for any, or {least} .. {most}")
        if not (isinstance(self.seed, int) and self.seed >= 0):
            raise ParameterError("seed", self.seed, "a whole number, 0 or more")
        if self.bit_serial and not self.dac_bits:
            raise ParameterError("bit_serial", True, "with dac_bits, the number of bits")
        if self.g_on is not None and self.g_off is not None and self.g_off >= self.g_on:
            raise ParameterError("g_off", self.g_off, f"below g_on, {self.g_on:g} S")


def _real(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
