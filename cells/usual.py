"""Pitches of mode switches and inverters that are drawn alone: those of the hybrid cell.

They are those of the first profile of the process in every profile, so that one cell is one
drawing.
"""

from __future__ import annotations

from ..pdk import Tech, get_tech
from .pitches import least_pitch
from .place import HybridGeometry, HybridParameters
from .rules import RuleBook


def row_pitch(tech: Tech, kelvin: bool) -> int:
    """Return the pitch of a row switch, in dbu."""
    return max(_hybrid(tech)[1], _least(tech, kelvin))


def column_pitch(tech: Tech, kelvin: bool) -> int:
    """Return the pitch of a column switch, in dbu."""
    return max(_hybrid(tech)[0], _least(tech, kelvin))


def inverter_pitch(tech: Tech) -> int:
    """Return the height of an inverter, in dbu."""
    return max(2000, _least(tech, False))


def _hybrid(tech: Tech) -> tuple[int, int]:
    """Return width and height of the hybrid cell; nothing where the module has none."""
    if tech.module.stands_within:
        return 0, 0
    geometry = HybridGeometry(get_tech(process=tech.key), HybridParameters())
    return geometry.pitch_x, geometry.pitch_y


def _least(tech: Tech, kelvin: bool) -> int:
    return least_pitch(RuleBook(tech), kelvin)
