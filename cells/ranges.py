"""Ranges that the rules of a process decide, and pitches of cells that are drawn alone."""

from __future__ import annotations

from ..pdk import Tech, get_tech
from .gates import least_finger
from .limits import select_widths
from .parameters import ARRAY
from .pitches import least_pitch
from .place import HybridGeometry, HybridParameters
from .rules import RuleBook


def least_um(tech: Tech, name: str) -> float | None:
    """Return the least value of a parameter of an array in a process, in um; None for no number.

    Pitches are those of the hybrid cell as it is drawn by default.
    """
    if name == "device_um":
        return tech.profile.line_um
    if name == "select_w_um":
        return select_widths(tech)[0]
    if name in ("switch_wn_um", "switch_wp_um"):
        return least_finger(RuleBook(tech)) * tech.dbu_um
    if name in ("pitch_x_um", "pitch_y_um"):
        geometry = HybridGeometry(tech, HybridParameters())
        return (geometry.pitch_x if name == "pitch_x_um" else geometry.pitch_y) * tech.dbu_um
    low = ARRAY[name].low
    return low if isinstance(low, float | int) else None


def row_pitch(tech: Tech, kelvin: bool) -> int:
    """Return the pitch of a row switch that stands alone, in dbu: that of the hybrid cell.

    It is of the first profile of the process in every profile, so that one cell is one drawing.
    """
    usual = get_tech(process=tech.key)
    return max(HybridGeometry(usual, HybridParameters()).pitch_y, _least(usual, kelvin))


def column_pitch(tech: Tech, kelvin: bool) -> int:
    """Return the pitch of a column switch that stands alone, in dbu, as `row_pitch`."""
    usual = get_tech(process=tech.key)
    return max(HybridGeometry(usual, HybridParameters()).pitch_x, _least(usual, kelvin))


def inverter_pitch(tech: Tech) -> int:
    """Return the height of an inverter that stands alone, in dbu."""
    return max(2000, _least(tech, False))


def _least(tech: Tech, kelvin: bool) -> int:
    return least_pitch(RuleBook(tech), kelvin)
