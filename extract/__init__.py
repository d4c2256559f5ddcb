"""Polygons of each net -> resistances and capacitances -> network, SPICE, SPEF.

Names are loaded on first use, so that a command which needs one of them pays for that one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .arraylines import ArrayLine, array_lines
    from .bsim import Bsim
    from .capacitance import NetCapacitance, net_capacitance
    from .delay import elmore_delays
    from .engines import ENGINES, Extraction, extract, extract_network, prefers_tiles
    from .inspection import NetSummary, Segment, inspect_net, net_summary
    from .patterns import matching, split_patterns
    from .report import ExtractionReport
    from .spef import write_spef
    from .spice import write_spice
    from .tiled import TiledArray
    from .tilefile import is_array, load_array, load_wires, save_array

_HOME = {
    "arraylines": ("ArrayLine", "array_lines"),
    "bsim": ("Bsim",),
    "capacitance": ("NetCapacitance", "net_capacitance"),
    "delay": ("elmore_delays",),
    "engines": ("ENGINES", "Extraction", "extract", "extract_network", "prefers_tiles"),
    "inspection": ("NetSummary", "Segment", "inspect_net", "net_summary"),
    "patterns": ("matching", "split_patterns"),
    "report": ("ExtractionReport",),
    "spef": ("write_spef",),
    "spice": ("write_spice",),
    "tiled": ("TiledArray",),
    "tilefile": ("is_array", "load_array", "load_wires", "save_array"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "ENGINES",
    "ArrayLine",
    "Bsim",
    "Extraction",
    "ExtractionReport",
    "NetCapacitance",
    "NetSummary",
    "Segment",
    "TiledArray",
    "array_lines",
    "elmore_delays",
    "extract",
    "extract_network",
    "inspect_net",
    "is_array",
    "load_array",
    "load_wires",
    "matching",
    "net_capacitance",
    "net_summary",
    "prefers_tiles",
    "save_array",
    "split_patterns",
    "write_spef",
    "write_spice",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
