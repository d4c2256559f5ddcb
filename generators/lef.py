"""Abstract view in LEF 5.8: size, pins and obstructions, so that a chip can place the block."""

from __future__ import annotations

from collections.abc import Iterator

from ..cells.drawing import Port
from .array import Array

#: how far a pin's rectangle reaches inward from the edge, in dbu; every pin's metal goes deeper
PIN_DEPTH = 300

_USE = {"VDD": "POWER", "VSS": "GROUND"}
#: nets that only enter the block; rows and columns are analogue and go both ways
_INPUTS = ("TS", "BS", "WSEL", "WT", "WB")


def pin_rect(port: Port) -> tuple[int, int, int, int]:
    """Return the rectangle (x1, y1, x2, y2) of a pin in dbu, inside the block at its edge."""
    half = port.width // 2
    return {
        0: (port.x - PIN_DEPTH, port.y - half, port.x, port.y + half),
        90: (port.x - half, port.y - PIN_DEPTH, port.x + half, port.y),
        180: (port.x, port.y - half, port.x + PIN_DEPTH, port.y + half),
        270: (port.x - half, port.y, port.x + half, port.y + PIN_DEPTH),
    }[port.orientation]


def lef_lines(array: Array) -> Iterator[str]:
    """Yield the LEF of a block; lengths in um.

    Every routing metal is obstructed over the whole block: its wiring fills all of them, and
    the memristor module above the last metal allows nothing over it either.
    """
    dbu = array.tech.dbu_um
    width, height = array.cell.width * dbu, array.cell.height * dbu
    yield "VERSION 5.8 ;"
    yield 'BUSBITCHARS "[]" ;'
    yield 'DIVIDERCHAR "/" ;'
    yield "UNITS"
    yield f"  DATABASE MICRONS {round(1 / dbu)} ;"
    yield "END UNITS"
    yield f"MACRO {array.cell.name}"
    yield "  CLASS BLOCK ;"
    yield "  ORIGIN 0 0 ;"
    yield f"  SIZE {width:.3f} BY {height:.3f} ;"
    for port in array.pins:
        yield from _pin(port, dbu)
    yield "  OBS"
    for metal in array.tech.roles.metals:
        yield f"    LAYER {metal} ;"
        yield f"      RECT 0.000 0.000 {width:.3f} {height:.3f} ;"
    yield "  END"
    yield f"END {array.cell.name}"
    yield "END LIBRARY"


def _pin(port: Port, dbu: float) -> Iterator[str]:
    stem = port.name.split("[")[0]
    corners = " ".join(f"{v * dbu:.3f}" for v in pin_rect(port))
    yield f"  PIN {port.name}"
    yield f"    DIRECTION {'INPUT' if stem in _INPUTS else 'INOUT'} ;"
    yield f"    USE {_USE.get(stem, 'SIGNAL')} ;"
    yield "    PORT"
    yield f"      LAYER {port.layer} ;"
    yield f"        RECT {corners} ;"
    yield "    END"
    yield f"  END {port.name}"
