"""Numbers in their range; the ranges of what the tables of a process state stand here, once.

They are wide: what no foundry or lab could mean lies outside, and most often is another unit or
a slip of the keyboard.
"""

from __future__ import annotations

import sys
from typing import Any

from ..base.errors import ParameterError
from ..base.spans import Span


def number(value: Any, name: str, low: float, high: float, unit: str = "") -> float:
    """Return a finite number in a range.

    Raises:
        ParameterError: if it is anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        allowed = f"{low:g}" if low == high else f"a number from {low:g} to {high:g}"
        raise ParameterError(name, value, f"{allowed} {unit}".rstrip())
    return float(value)


def finite(value: Any, name: str, unit: str) -> float:
    """Return a finite number whose range is checked elsewhere.

    Raises:
        ParameterError: if it is anything else.
    """
    # a whole number may be too long for a float
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not abs(value) <= sys.float_info.max:
        raise ParameterError(name, value, f"a finite number of {unit}")
    return float(value)


def whole(value: Any, name: str, low: int, high: int) -> int:
    """Return a whole number in a range.

    Raises:
        ParameterError: if it is anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ParameterError(name, value, f"a whole number from {low} to {high}")
    return value


ANY = Span(-1e300, 1e300)
#: the thinnest film: less is no layer of atoms, and heights of films are told to a hundredth of it
LEAST_UM = 1e-4
#: lengths of rules and shapes; of films
LENGTH_UM, DISTANCE_UM = Span(0, 1000, "um", above=True), Span(0, 1000, "um")
THICKNESS_UM, HEIGHT_UM = Span(LEAST_UM, 100, "um"), Span(-100, 1000, "um")
AREA_UM2, RATIO, PERCENT = Span(0, 1e6, "um2", above=True), Span(0, 1e6, above=True), Span(0, 100)
FACTOR, COUNT = Span(0, 1e6), Span(1, 1e6, whole=True)
#: a side of a die, or a place on it; a step between shapes
DIE_UM, PLACE_UM = Span(0, 1e5, "um", above=True), Span(0, 1e5, "um")
#: side of what a local density is taken in: a die has millions of smaller ones
WINDOW_UM = Span(10, 1e5, "um")
STEP_UM = Span(-1000, 1000, "um")
#: the unit of every drawing, and the grid that all is drawn on
DRAWN_DBU_UM, DRAWN_GRID_UM = 0.001, 0.005
GRID_UM, DBU_UM = Span(1e-4, 1, "um"), Span(DRAWN_DBU_UM, DRAWN_DBU_UM, "um")
SHEET_OHM_SQ, CUT_OHM = Span(1e-6, 1e6, "ohm/sq"), Span(1e-6, 1e9, "ohm")
#: growth of a drawn shape per edge that a user may ask for
BIAS_UM = Span(-1, 1, "um")
#: absolute zero; what a process may allow its circuits
ZERO_C = -273.15
TEMPERATURE_C = Span(ZERO_C, 1000.0, "C")
#: most rows, and most columns; a chip has a pad for each of its pins
MAX_LINES = 1024
TCR_PER_C, PERMITTIVITY = Span(-0.02, 0.02, "per C"), Span(1, 1e4)
CURRENT_MA = Span(0, 1e4, "mA", above=True)
ACTIVATION_EV, CURRENT_EXPONENT = Span(0.05, 5, "eV"), Span(0.5, 10)
VOLT, SOURCE_VOLT = Span(0, 100, "V", above=True), Span(0, 100, "V")
LEAKAGE_A_PER_UM = Span(0, 1e-3, "A/um")
END_F_PER_UM = Span(0, 1e-12, "F/um")
GATE_F_PER_UM = Span(0, 1e-12, "F/um", above=True)
