"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}


def percent(fraction: float | None) -> str:
    """Return a fraction as percent with three figures, more if they stand before the point.

    None is a fraction of nothing.
    """
    if fraction is None:
        return "none"
    if abs(fraction) < 1e-12:  # rounding of the solver
        return "0 %"
    if abs(fraction) >= 9.995:
        return f"{fraction * 100:.0f} %"
    return f"{fraction * 100:#.3g}".rstrip(".") + " %"


def setting(value: Any) -> str:
    """Return a value of a configuration as a file has it: true, not True; lists in brackets."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(setting, value))}]"
    return str(value)


def counted(number: int, word: str) -> str:
    """Return a number of things, the word in its plural but for one."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def place(at: tuple[float, float]) -> str:
    """Return a point as users read it, in um."""
    return f"({at[0]:.3f}, {at[1]:.3f})"


def quantity(value: float | None, unit: str, digits: int = 3) -> str:
    """Return a quantity with the prefix that suits it; a dash for none."""
    if value is None:
        return "-"
    if value == 0:
        return f"0 {unit}"
    size = f"{abs(value):.{digits - 1}e}"
    power = min(max(int(size.partition("e")[2]) // 3 * 3, -15), 9)
    return f"{value / 10.0**power:.{digits}g} {_PREFIXES[power]}{unit}"


def span(values: Sequence[float] | None, unit: str) -> str:
    """Return a range of a quantity, one figure where both ends read the same."""
    if not values:
        return "-"
    low, high = (quantity(value, unit) for value in values)
    return low if low == high else f"{low} .. {high}"
