"""Parametric cells: frozen drawings with their ports and reference netlists."""

from .alone import alone
from .drawing import Canvas, Cell, Device, Label, Placement, Port, Rect, Subcircuit, to_layout
from .registry import (
    ARRAY_CELLS,
    CELLS,
    array_cell,
    array_cell_names,
    draw_cell,
    draw_unit,
    parameters_of,
    register_cell,
)
from .unit import Unit, UnitCellError, unit_of

__all__ = [
    "ARRAY_CELLS",
    "CELLS",
    "Canvas",
    "Cell",
    "Device",
    "Label",
    "Placement",
    "Port",
    "Rect",
    "Subcircuit",
    "Unit",
    "UnitCellError",
    "alone",
    "array_cell",
    "array_cell_names",
    "draw_cell",
    "draw_unit",
    "parameters_of",
    "register_cell",
    "to_layout",
    "unit_of",
]
