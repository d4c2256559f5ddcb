"""Every cell that a user can ask for by name.

A new hybrid cell is one file with a function ``cell(tech, **parameters) -> Cell`` and one line
here; the tests run DRC, LVS and the goldens over this table.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any

from ..pdk import ParameterError, Tech
from .basic import memristor_stack, module_via_cell, select_nmos, via_stack_cell
from .drawing import Cell
from .hybrid import HybridParameters, hybrid_cell, planar_cell
from .marks import alignment_mark, vernier
from .monitors import device_on_pads, kelvin, van_der_pauw, via_chain
from .pads import bond_pad
from .passive import PassiveParameters, passive_cell, passive_planar_cell
from .switches import SwitchParameters, column_switch, inverter, row_switch


def _from(parameters: type, draw: Callable[..., Cell], tech: Tech, **values: Any) -> Cell:
    return draw(tech, parameters(**values))


def _row_switch(tech: Tech, *, pitch_um: float = 2.92, switch_wn_um: float = 20.0,
                switch_wp_um: float = 20.0, kelvin: bool = False) -> Cell:  # fmt: skip
    p = SwitchParameters(switch_wn_um, switch_wp_um, kelvin=kelvin)
    pitch = tech.check_grid("pitch_um", pitch_um, multiple=2)
    return row_switch(tech, p, pitch, ("bottom", "top")).cell


def _column_switch(tech: Tech, *, pitch_um: float = 4.36, switch_wn_um: float = 20.0,
                   switch_wp_um: float = 20.0, kelvin: bool = False) -> Cell:  # fmt: skip
    p = SwitchParameters(switch_wn_um, switch_wp_um, kelvin=kelvin)
    return column_switch(tech, p, tech.check_grid("pitch_um", pitch_um, multiple=2)).cell


def _inverter(tech: Tech, *, pitch_um: float = 2.0, inverter_wn_um: float = 2.0,
              inverter_wp_um: float = 4.0) -> Cell:  # fmt: skip
    p = SwitchParameters(inverter_wn_um=inverter_wn_um, inverter_wp_um=inverter_wp_um)
    return inverter(tech, p, tech.check_grid("pitch_um", pitch_um, multiple=2)).cell


CELLS: dict[str, Callable[..., Cell]] = {
    "memristor_stack": memristor_stack,
    "select_nmos": select_nmos,
    "via_stack": via_stack_cell,
    "module_via": module_via_cell,
    "hybrid_cell": partial(_from, HybridParameters, hybrid_cell),
    "planar_cell": partial(_from, HybridParameters, planar_cell),
    "row_switch": _row_switch,
    "column_switch": _column_switch,
    "inverter": _inverter,
    "passive_cell": partial(_from, PassiveParameters, passive_cell),
    "passive_planar_cell": partial(_from, PassiveParameters, passive_planar_cell),
    "bond_pad": bond_pad,
    "kelvin": kelvin,
    "van_der_pauw": van_der_pauw,
    "via_chain": via_chain,
    "device_on_pads": device_on_pads,
    "alignment_mark": alignment_mark,
    "vernier": vernier,
}


def parameters_of(name: str) -> dict[str, Any]:
    """Return the parameters of a cell and their defaults.

    Raises:
        ParameterError: if there is no such cell.
    """
    if name not in CELLS:
        raise ParameterError("cell", name, "one of " + ", ".join(sorted(CELLS)))
    draw = CELLS[name]
    if isinstance(draw, partial):
        return {f.name: f.default for f in fields(draw.args[0])}
    rows = inspect.signature(draw).parameters.values()
    return {p.name: p.default for p in rows if p.kind is p.KEYWORD_ONLY}


def draw_cell(name: str, tech: Tech, **values: Any) -> Cell:
    """Draw a registered cell by name.

    Raises:
        ParameterError: if the cell or a parameter does not exist, or a value is out of range.
    """
    known = parameters_of(name)
    for key in values:
        if key not in known:
            raise ParameterError(key, values[key], f"{name} takes {', '.join(known)}")
    return CELLS[name](tech, **values)
