"""Pitches of rows and columns that end in mode switches: the cell's, within the switches' range."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NoReturn

from ..cells.limits import least_electrode, select_widths
from ..cells.pitches import MOST_PITCH, least_pitch
from ..cells.registry import array_cell, draw_unit, parameters_of
from ..cells.rules import RuleBook
from ..pdk import ParameterError, Tech
from .periphery import least_column_pitch
from .spec import ArraySpec

_STEP_UM = 0.01


def with_line_pitches(spec: ArraySpec, tech: Tech) -> ArraySpec:
    """Return a spec whose pitches mode switches can follow.

    A pitch that is not given is the least that cell and switches allow.

    Raises:
        ParameterError: for a pitch that the switches cannot follow, or a size that asks for
            such a pitch; the message names the range.
    """
    for key, kelvin in (("pitch_x_um", False), ("pitch_y_um", spec.kelvin)):
        least, given = least_pitch(RuleBook(tech), kelvin), getattr(spec, key)
        if key == "pitch_x_um" and spec.periphery != "none":
            least = max(least, least_column_pitch(RuleBook(tech)))
        _drawn(spec, tech, key)  # what the cell itself refuses comes first
        free = _changed(spec, {key: None})
        own = _drawn(free, tech, key)
        if own > MOST_PITCH:
            _refuse_size(free, tech, key)
        low = max(least, own)
        if given is None:
            spec = _changed(spec, {key: low * 1e-3}) if own < least else spec
        elif not low <= _drawn(spec, tech, key) <= MOST_PITCH:
            allowed = f"{low * 1e-3:g} .. {MOST_PITCH * 1e-3:g} um for the switches of a {spec.top}"
            raise ParameterError(key, given, allowed + (" with kelvin" if kelvin else ""))
    return spec


def drawn_pitches(spec: ArraySpec) -> tuple[float, float]:
    """Return the cell pitches along x and y, in um, that a spec is drawn with.

    Raises:
        ParameterError: for a spec that cannot be drawn.
    """
    tech = spec.tech()
    spec = spec if spec.top == "array" else with_line_pitches(spec, tech)
    x, y = (_drawn(spec, tech, key) * tech.dbu_um for key in ("pitch_x_um", "pitch_y_um"))
    return round(x, 6), round(y, 6)


def _changed(spec: ArraySpec, values: dict[str, Any]) -> ArraySpec:
    return replace(spec, **values)


def _drawn(spec: ArraySpec, tech: Tech, key: str) -> int:
    """Return a pitch of the unit cell in dbu."""
    cell = draw_unit(spec.cell, tech, **spec.cell_values()).cell
    return cell.width if key == "pitch_x_um" else cell.height


def _refuse_size(spec: ArraySpec, tech: Tech, key: str) -> NoReturn:
    """Refuse the size that makes a pitch too large, with the largest value that does not.

    Raises:
        ParameterError: always.
    """
    most_um = MOST_PITCH * 1e-3
    given = {"device_um": spec.device_side_um(), "select_w_um": spec.select_w_um}
    least = {"device_um": tech.profile.line_um, "select_w_um": select_widths(tech)[0]}
    if spec.me_width_um is not None:
        given["me_width_um"] = spec.me_width_um
        least["me_width_um"] = least_electrode(tech, strap=spec.strap)
    taken = parameters_of(array_cell(spec.cell).cell)
    given = {name: value for name, value in given.items() if name in taken}
    least = {name: value for name, value in least.items() if name in taken}
    for name, low in least.items():

        def fits(steps: int, name: str = name, low: float = low) -> bool:
            changed = _changed(spec, {name: round(low + steps * _STEP_UM, 3)})
            return _drawn(changed, tech, key) <= MOST_PITCH

        if not fits(0):
            continue
        good, bad = 0, max(1, round((given[name] - low) / _STEP_UM))
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if fits(middle) else (good, middle)
        allowed = (
            f"{low:g} .. {low + good * _STEP_UM:g} um, so that {key} is at most {most_um:g} um"
        )
        raise ParameterError(name, given[name], f"{allowed} for the switches of a {spec.top}")
    sizes = " and ".join(f"{name} = {value:g}" for name, value in given.items())
    raise ParameterError(
        key,
        round(_drawn(spec, tech, key) * 1e-3, 3),
        f"at most {most_um:g} um for the switches of a {spec.top}; it follows from {sizes}",
    )
