"""Ranges that the rules of a process decide."""

from __future__ import annotations

from ..cells.gates import least_finger
from ..cells.limits import select_widths
from ..cells.parameters import ARRAY
from ..cells.pitches import MOST_PITCH
from ..cells.registry import array_cells_on, draw_unit
from ..cells.rules import RuleBook
from ..cells.within import device_range
from ..pdk import Tech
from .spec import ArraySpec


def range_um(tech: Tech, name: str) -> tuple[float | None, float | None]:
    """Return least and greatest value of a parameter of an array in a process; None for no number.

    Pitches are those of the first cell that the module has, as it is drawn by default, and switches
    those that follow them. Lengths are in um.
    """
    declared, low = ARRAY[name], None
    if name == "device_um" and tech.module.stands_within:
        return device_range(tech)
    if name == "me_width_um" and tech.module.stands_within:
        return None, None
    if name in ("device_um", "me_width_um"):
        low = tech.profile.line_um
    elif name == "select_w_um":
        low = select_widths(tech)[0]
    elif name in ("switch_wn_um", "switch_wp_um"):
        low = _switch(tech) * tech.dbu_um
    elif name in ("pitch_x_um", "pitch_y_um"):
        low = _pitches(tech)[name == "pitch_y_um"] * tech.dbu_um
    elif not isinstance(declared.low, str):
        low = declared.low
    return low, declared.high


def _pitches(tech: Tech) -> tuple[int, int]:
    """Return the least pitches of the first cell that the module has, in dbu."""
    spec = ArraySpec(
        1, 1, array_cells_on(tech.module)[0], profile=tech.profile.name, process=tech.key
    )
    cell = draw_unit(spec.cell, tech, **spec.cell_values()).cell
    return cell.width, cell.height


def _switch(tech: Tech) -> int:
    """Return the narrowest switch whose straps fit at every pitch that a macro's rows may take."""
    return least_finger(RuleBook(tech), MOST_PITCH)
