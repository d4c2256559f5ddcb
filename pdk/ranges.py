"""Numbers in their range."""

from __future__ import annotations

import sys
from typing import Any

from ..base.errors import ParameterError


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
