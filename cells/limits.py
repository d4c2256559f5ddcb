"""Checks of cell parameters: type, range and grid, with the limit named in the message."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real

from ..pdk import ParameterError, Tech
from .parameters import MAX_DEVICE_UM, MAX_PITCH_UM, MAX_SELECT_UM
from .rules import RuleBook


def select_widths(tech: Tech) -> tuple[float, float]:
    """Return least and greatest width of a select transistor, in um: a contact fits on its side."""
    r = RuleBook(tech)
    contact = (r.contact + 2 * r.contact_inset) * tech.dbu_um
    return round(max(contact, r.ask.channel_width()), 6), MAX_SELECT_UM


def gate_length(tech: Tech, name: str, value: object) -> int:
    """Return a channel length given in um as dbu, or the least of the process where it is None.

    Raises:
        ParameterError: as `length`.
    """
    least = RuleBook(tech).gate_length() * tech.dbu_um
    return length(tech, name, least if value is None else value, least, 10.0)


def length(tech: Tech, name: str, value: object, low: float, high: float, multiple: int = 2) -> int:
    """Return a length given in um as dbu, even in grid steps so that it can be centred.

    Args:
        tech: the process.
        name: parameter name for the message.
        value: length in um.
        low: least length in um.
        high: greatest length in um.
        multiple: of how many grid steps it must be a multiple.

    Raises:
        ParameterError: if it is no number, outside `low` .. `high` um or off the grid.
    """
    number = _number(name, value, f"{low:g} .. {high:g} um")
    if not low - 1e-9 <= number <= high + 1e-9:
        raise ParameterError(name, value, f"{low:g} .. {high:g} um")
    return tech.check_grid(name, number, multiple)


def least_electrode(tech: Tech, *, strap: bool) -> float:
    """Return the least width of the middle electrode in um; with a strap it holds a tie."""
    r = RuleBook(tech)
    tie = r.module_via + 2 * r.enclosure("middle_electrode", "middle_via") if strap else 0
    return max(max(r.width("middle_electrode"), tie) * tech.dbu_um, tech.profile.line_um)


def electrode_width(tech: Tech, value: object, *, strap: bool = False) -> int | None:
    """Return a width of the middle electrode given in um as dbu; None where the pitch decides.

    Args:
        tech: the process.
        value: width in um, or None.
        strap: whether there is one below it.

    Raises:
        ParameterError: as `length`.
    """
    if value is None:
        return None
    return length(tech, "me_width_um", value, least_electrode(tech, strap=strap), MAX_DEVICE_UM)


def pitch(tech: Tech, name: str, value: object, least: int, high: float = MAX_PITCH_UM) -> int:
    """Return a pitch given in um as dbu, or `least` (dbu) where it is None.

    Raises:
        ParameterError: below the least pitch, above `high` um or off the grid.
    """
    if value is None:
        return least
    allowed = f"{least * 1e-3:g} (minimum by the design rules) .. {high:g} um"
    number = _number(name, value, allowed)
    if not least * 1e-3 - 1e-9 <= number <= high:
        raise ParameterError(name, value, allowed)
    return tech.check_grid(name, number, multiple=2)


def switch(name: str, value: object) -> bool:
    """Return a parameter that is true or false.

    Raises:
        ParameterError: for anything else.
    """
    if not isinstance(value, bool):
        raise ParameterError(name, value, "true or false")
    return value


def one_of(name: str, value: object, allowed: Sequence[int]) -> int:
    """Return a whole number out of a few.

    Raises:
        ParameterError: for anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
        raise ParameterError(name, value, "one of " + ", ".join(map(str, allowed)))
    return value


def _number(name: str, value: object, allowed: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(float(value)):
        raise ParameterError(name, value, allowed)
    return float(value)
