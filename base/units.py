"""Numbers as people read them."""

from __future__ import annotations

from typing import Any


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
