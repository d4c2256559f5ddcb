"""Parametric cells: frozen drawings with their ports and reference netlists."""

from .alone import alone
from .drawing import Canvas, Cell, Device, Label, Placement, Port, Rect, Subcircuit, to_layout
from .registry import CELLS, draw_cell, parameters_of

__all__ = [
    "CELLS",
    "Canvas",
    "Cell",
    "Device",
    "Label",
    "Placement",
    "Port",
    "Rect",
    "Subcircuit",
    "alone",
    "draw_cell",
    "parameters_of",
    "to_layout",
]
