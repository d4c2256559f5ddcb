"""Views of a block for the chip around it, measured on its layout.

A view is what another program wants to know of a block: where its pins are (LEF), what loads and
delays they have (Liberty), which ports it has (Verilog), what it is made of (CDL), what it does
(SystemVerilog, Verilog-A), and for people a pin list and a datasheet.

Names are loaded on first use, so that a command which needs one of them pays for that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.lazy import loader

if TYPE_CHECKING:
    from .abstract import LAST_METAL, Abstract, Pin, abstract_of
    from .access import AccessPoint, Grid, on_tracks, unreachable
    from .datasheet import Found
    from .lef import lef_lines, technology_lines
    from .memristor import spice_text, veriloga_text
    from .ports import check_block
    from .write import Known, Views, netlist_of, write_views

_HOME = {
    ".abstract": ("LAST_METAL", "Abstract", "Pin", "abstract_of"),
    ".access": ("AccessPoint", "Grid", "on_tracks", "unreachable"),
    ".datasheet": ("Found",),
    ".lef": ("lef_lines", "technology_lines"),
    ".memristor": ("spice_text", "veriloga_text"),
    ".ports": ("check_block",),
    ".write": ("Known", "Views", "netlist_of", "write_views"),
}
__all__ = [
    "LAST_METAL",
    "Abstract",
    "AccessPoint",
    "Found",
    "Grid",
    "Known",
    "Pin",
    "Views",
    "abstract_of",
    "check_block",
    "lef_lines",
    "netlist_of",
    "on_tracks",
    "spice_text",
    "technology_lines",
    "unreachable",
    "veriloga_text",
    "write_views",
]


__getattr__ = loader(__name__, _HOME)
