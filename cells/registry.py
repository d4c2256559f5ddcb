"""Every cell that a user can ask for by name, and those of them that arrays are made of.

A new hybrid cell is one file with a function ``draw(tech, *, parameters) -> Cell`` whose cell
brings its reference netlist, and one line: in the tables here for a cell of ours, over which the
tests then run DRC, LVS and the goldens; `register_cell` or an entry point of the group
``crossstack.array_cells`` for a cell of a user's own. From then on ``ArraySpec(cell=name)``,
``draw_cell(name, ...)`` and gdsfactory know it. What a cell must look like: `unit`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from ..base.errors import nearest
from ..pdk import CrossStackError, Module, NoRuleError, ParameterError, Tech, get_tech
from ..pdk.ask import Ask
from ..pdk.module import TIERS
from . import decoder
from .basic import memristor_stack, module_via_cell, select_nmos, via_stack_cell
from .describe import Parameter, parameters_from
from .drawing import Cell
from .hybrid import hybrid_cell, planar_cell
from .marks import alignment_mark, vernier
from .monitors import device_on_pads, kelvin, van_der_pauw, via_chain
from .pads import bond_pad
from .parameters import CELL_NAMES, default
from .passive import PassiveParameters, passive_cell, passive_planar_cell
from .pen import SwitchParameters
from .place import HybridParameters
from .row_switch import row_switch
from .scan import (
    flip_flop,
    latch,
    logic_inverter,
    logic_nand2,
    scan_bit,
    scan_driver,
    transmission_gate,
)
from .switches import column_switch, inverter
from .transition import transition
from .unit import Unit, UnitCellError, unit_of
from .usual import column_pitch, inverter_pitch, row_pitch

#: entry points that give array cells: name of the cell = function that draws it
ARRAY_CELL_GROUP = "crossstack.array_cells"
_WN, _WP, _READ = default("switch_wn_um"), default("switch_wp_um"), default("read_switch")


def _from(parameters: type, draw: Callable[..., Cell], tech: Tech, **values: Any) -> Cell:
    return draw(tech, parameters(**values))


#: parameters of a cell that the row asks for which a macro puts it in
_IN_A_ROW = frozenset(("tracks", "width"))


def _alone(draw: Callable[..., Cell], tech: Tech, **values: Any) -> Cell:
    return draw(tech, **values)


def _pitch(tech: Tech, pitch_um: float | None, usual: int) -> int:
    return usual if pitch_um is None else tech.check_grid("pitch_um", pitch_um, multiple=2)


def _row_switch(tech: Tech, *, pitch_um: float | None = None, switch_wn_um: float = _WN,
                switch_wp_um: float = _WP, kelvin: bool = False,
                read_switch: str = _READ) -> Cell:  # fmt: skip
    """Draw the mode switches of one row: TR to IN_T or WR by WT, BR to IN_B or WR by WB.

    Args:
        tech: the process.
        pitch_um: pitch of the rows in um; None for that of the hybrid cell.
        switch_wn_um: channel width of each NMOS in um, over all its fingers.
        switch_wp_um: channel width of each PMOS in um, over all its fingers.
        kelvin: lead TR and BR behind the switches to the west a second time, to be sensed.
        read_switch: transistors of what reads, ``nmos`` or ``both``.

    Raises:
        ParameterError: if the pitch or a width is too small.
    """
    p = SwitchParameters(switch_wn_um, switch_wp_um, kelvin=kelvin, read_switch=read_switch)
    pitch = _pitch(tech, pitch_um, row_pitch(tech, kelvin))
    return row_switch(tech, p, pitch, ("bottom", "top")).cell


def _column_switch(tech: Tech, *, pitch_um: float | None = None, switch_wn_um: float = _WN,
                   switch_wp_um: float = _WP, kelvin: bool = False,
                   read_switch: str = _READ) -> Cell:  # fmt: skip
    """Draw the mode switch of one column: C to OUT or to the write rail WC, by WSEL.

    Args:
        tech: the process.
        pitch_um: pitch of the columns in um; None for that of the hybrid cell.
        switch_wn_um: channel width of each NMOS in um, over all its fingers.
        switch_wp_um: channel width of each PMOS in um, over all its fingers.
        kelvin: lead C behind the switch to the south a second time, to be sensed.
        read_switch: transistors of what reads, ``nmos`` or ``both``.

    Raises:
        ParameterError: if the pitch or a width is too small.
    """
    p = SwitchParameters(switch_wn_um, switch_wp_um, kelvin=kelvin, read_switch=read_switch)
    return column_switch(tech, p, _pitch(tech, pitch_um, column_pitch(tech, kelvin))).cell


def _inverter(tech: Tech, *, pitch_um: float | None = None,
              inverter_wn_um: float = default("inverter_wn_um"),
              inverter_wp_um: float = default("inverter_wp_um")) -> Cell:  # fmt: skip
    """Draw the inverter that makes the complement of a control: A in the west, Y in the east.

    Args:
        tech: the process.
        pitch_um: height of the cell in um; None for the least, 2 um or more.
        inverter_wn_um: see `parameters.PIECES`.
        inverter_wp_um: see `parameters.PIECES`.

    Raises:
        ParameterError: if the pitch or a width is too small.
    """
    p = SwitchParameters(inverter_wn_um=inverter_wn_um, inverter_wp_um=inverter_wp_um)
    return inverter(tech, p, _pitch(tech, pitch_um, inverter_pitch(tech))).cell


CELLS: dict[str, Callable[..., Cell]] = {
    "memristor_stack": memristor_stack,
    "select_nmos": select_nmos,
    "via_stack": via_stack_cell,
    "transition": transition,
    "module_via": module_via_cell,
    "hybrid_cell": partial(_from, HybridParameters, hybrid_cell),
    "planar_cell": partial(_from, HybridParameters, planar_cell),
    "row_switch": _row_switch,
    "column_switch": _column_switch,
    "inverter": _inverter,
    "logic_inverter": logic_inverter,
    "logic_nand2": logic_nand2,
    "transmission_gate": transmission_gate,
    "flip_flop": flip_flop,
    "latch": latch,
    "scan_bit": scan_bit,
    "scan_driver": scan_driver,
    "decoder_select_bit": partial(_alone, decoder.select_bit),
    "decoder_write_bit": partial(_alone, decoder.write_bit),
    "decoder_select_driver": partial(_alone, decoder.select_driver),
    "decoder_write_driver": partial(_alone, decoder.write_driver),
    "decoder_group": decoder.group,
    "decoder_latch": partial(_alone, decoder.address_latch),
    "decoder_delay": partial(_alone, decoder.delay),
    "decoder_enables": partial(_alone, decoder.enables),
    "decoder_modes": partial(_alone, decoder.modes),
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


@dataclass(frozen=True)
class ArrayCell:
    """A registered cell that arrays can be made of.

    Attributes:
        cell: its name in `CELLS`.
        tiers: tiers that it draws, bottom first.
    """

    cell: str
    tiers: tuple[str, ...]


#: what `ArraySpec.cell` may be -> the cell
ARRAY_CELLS: dict[str, ArrayCell] = {
    name: ArrayCell(f"{name}_cell", TIERS[:1] if name.endswith("planar") else TIERS)
    for name in CELL_NAMES
}


#: cells that are made of a module's own vias from the last metal, and of its own masks
_ON_TOP = frozenset(
    ("memristor_stack", "module_via", "hybrid_cell", "passive_cell", "passive_planar_cell",
     "kelvin", "van_der_pauw", "via_chain", "device_on_pads", "alignment_mark", "vernier")
)  # fmt: skip


#: cells with pads, and what those are drawn by: the role of an opening, and that of its metal
_ON_PADS = frozenset(("bond_pad", "kelvin", "van_der_pauw", "via_chain", "device_on_pads"))
_PAD = ("bond_pad", "land")


def fits(cell: str, module: Module) -> bool:
    """Tell whether a module has what a cell is made of."""
    return not (module.stands_within and cell in _ON_TOP)


def offered(tech: Tech) -> tuple[str, ...]:
    """Return the registered cells that can be drawn: a process may state no rules of pads."""
    try:
        Ask(tech).enclosure(_PAD[1], _PAD[0])
        without: frozenset[str] = frozenset()
    except NoRuleError:
        without = _ON_PADS
    return tuple(name for name in CELLS if fits(name, tech.module) and name not in without)


def array_cells_on(module: Module) -> tuple[str, ...]:
    """Return the array cells that can be drawn with a module."""
    return tuple(
        name
        for name, cell in ARRAY_CELLS.items()
        if fits(cell.cell, module) and set(cell.tiers) <= set(module.tiers)
    )


def register_cell(name: str, draw: Callable[..., Cell]) -> None:
    """Add a cell of one's own, of which arrays can then be made.

    It is drawn once with its defaults and checked, so that what does not fit is said here and
    not by an array of it. Registering the same function again does nothing.

    Args:
        name: name of the cell, which the drawn cell must bear.
        draw: ``draw(tech, *, ...) -> Cell``, all further parameters with defaults. Of the
            array's own, those that it takes are passed on: device_um, select_w_um,
            pitch_x_um, pitch_y_um.

    Raises:
        ParameterError: for a name that is taken or is none.
        UnitCellError: for a cell that arrays cannot be made of.
    """
    if CELLS.get(name) is draw:
        return
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", name):
        raise ParameterError("name", name, "a small letter, then such, digits or _ (32 at most)")
    if name in CELLS or name in ARRAY_CELLS:
        raise ParameterError("name", name, "one that no cell bears yet")
    tech = get_tech()
    cell = draw(tech)
    if cell.name != name:
        raise UnitCellError(f"the cell registered as {name!r} draws a cell named {cell.name!r}")
    ARRAY_CELLS[name] = ArrayCell(name, unit_of(cell, tech).tiers)
    CELLS[name] = draw


def array_cell_names() -> list[str]:
    """Return every name that `ArraySpec.cell` may have, those of installed packages included."""
    return [*dict.fromkeys((*ARRAY_CELLS, *(point.name for point in _installed())))]


def array_cell(name: str) -> ArrayCell:
    """Return an array cell by name; one of an installed package is loaded.

    Raises:
        ParameterError: if there is no such cell.
        CrossStackError: if an installed package offers it but cannot give it.
    """
    if name not in ARRAY_CELLS:
        points = [point for point in _installed() if point.name == name]
        if not points:
            cells = array_cell_names()
            raise ParameterError("cell", name, f"one of {', '.join(cells)}{nearest(name, cells)}")
        _load(points)
    return ARRAY_CELLS[name]


def load_installed() -> None:
    """Register the array cells of every installed package."""
    for point in _installed():
        array_cell(point.name)


def _installed() -> list[EntryPoint]:
    return sorted(entry_points(group=ARRAY_CELL_GROUP), key=lambda p: (p.name, p.value))


def _load(points: list[EntryPoint]) -> None:
    """Register the one cell that entry points of one name give."""
    name, values = points[0].name, sorted({point.value for point in points})
    if len(values) > 1:
        raise CrossStackError(f"several packages offer a cell named {name!r}: {', '.join(values)}")
    try:
        draw = points[0].load()
    except (ImportError, AttributeError) as error:
        raise CrossStackError(f"cell {name!r} ({values[0]}) cannot be loaded: {error}") from None
    register_cell(name, draw)


def draw_unit(kind: str, tech: Tech, **values: Any) -> Unit:
    """Draw the unit cell of arrays of a kind; of `values`, those that the cell takes count.

    Raises:
        ParameterError: if there is no such cell, or a value is out of range.
        UnitCellError: if arrays cannot be made of what was drawn.
    """
    name = array_cell(kind).cell
    known = parameters_of(name)
    given = {k: v for k, v in values.items() if k in known}
    return unit_of(draw_cell(name, tech, **given), tech)


def documented(draw: Callable[..., Cell]) -> Callable[..., Cell]:
    """Return the function whose docstring and name describe a cell."""
    if not isinstance(draw, partial):
        return draw
    # a cell of ours is its checks before its drawing; anyone else's partial is what it calls
    last = draw.args[-1] if draw.args else None
    described: Callable[..., Cell] = last if callable(last) else draw.func
    return described


def described(name: str) -> tuple[Parameter, ...]:
    """Return the parameters of a cell with their types and texts.

    Raises:
        ParameterError: if there is no such cell.
    """
    defaults, draw = parameters_of(name), CELLS[name]
    source = draw.args[0] if isinstance(draw, partial) else draw
    return parameters_from(source, defaults)


def parameters_of(name: str) -> dict[str, Any]:
    """Return the parameters of a cell and their defaults.

    Raises:
        ParameterError: if there is no such cell.
    """
    if name not in CELLS:
        raise ParameterError("cell", name, "one of " + ", ".join(sorted(CELLS)))
    draw = CELLS[name]
    if isinstance(draw, partial) and draw.func is _from:
        return {f.name: f.default for f in fields(draw.args[0])}
    hidden = _IN_A_ROW if isinstance(draw, partial) else frozenset()
    rows = inspect.signature(documented(draw)).parameters.values()
    return {p.name: p.default for p in rows if p.kind is p.KEYWORD_ONLY and p.name not in hidden}


def draw_cell(name: str, tech: Tech, **values: Any) -> Cell:
    """Draw a registered cell by name.

    Raises:
        ParameterError: if the cell or a parameter does not exist, or a value is out of range.
    """
    known = parameters_of(name)
    for key in values:
        if key not in known:
            raise ParameterError.unknown(key, values[key], known, f"parameter of {name}")
    if not fits(name, tech.module):
        raise ParameterError(
            "cell", name, f"{' or '.join(offered(tech))} on module {tech.module.name}"
        )
    return CELLS[name](tech, **values)
