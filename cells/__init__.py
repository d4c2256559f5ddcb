"""Parametric cells: frozen drawings with their ports and reference netlists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.lazy import loader

if TYPE_CHECKING:
    from .alone_cell import alone
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

_HOME = {
    ".alone_cell": ("alone",),
    ".drawing": (
        "Canvas",
        "Cell",
        "Device",
        "Label",
        "Placement",
        "Port",
        "Rect",
        "Subcircuit",
        "to_layout",
    ),
    ".registry": (
        "ARRAY_CELLS",
        "CELLS",
        "array_cell",
        "array_cell_names",
        "draw_cell",
        "draw_unit",
        "parameters_of",
        "register_cell",
    ),
    ".unit": (
        "Unit",
        "UnitCellError",
        "unit_of",
    ),
}

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

__getattr__ = loader(__name__, _HOME)
