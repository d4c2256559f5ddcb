"""Polygons of each net -> resistances and capacitances -> network, SPICE, SPEF.

Names are loaded on first use, so that a command which needs one of them pays for that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.lazy import loader

if TYPE_CHECKING:
    from .array.arraylines import ArrayLine, array_lines
    from .array.tiled import TiledArray
    from .array.tilefile import is_array, load_array, load_wires, save_array
    from .engines import ENGINES, Extraction, extract, extract_network, prefers_tiles
    from .field.capacitance import net_capacitance
    from .field.delay import elmore_delays
    from .field.netcap import NetCapacitance
    from .inspection import NetSummary, Segment, inspect_net, net_summary
    from .nets.patterns import matching, split_patterns
    from .nets.report import ExtractionReport
    from .sameness import other_wires
    from .write.array_spef import write_array_spef
    from .write.array_spice import write_array_spice
    from .write.bsim import Bsim
    from .write.model import MemristorModel, read_model
    from .write.spef import write_spef
    from .write.spice import write_spice

_HOME = {
    ".array.arraylines": ("ArrayLine", "array_lines"),
    ".write.array_spef": ("write_array_spef",),
    ".write.array_spice": ("write_array_spice",),
    ".write.bsim": ("Bsim",),
    ".field.capacitance": ("net_capacitance",),
    ".sameness": ("other_wires",),
    ".field.delay": ("elmore_delays",),
    ".field.netcap": ("NetCapacitance",),
    ".engines": ("ENGINES", "Extraction", "extract", "extract_network", "prefers_tiles"),
    ".inspection": ("NetSummary", "Segment", "inspect_net", "net_summary"),
    ".nets.patterns": ("matching", "split_patterns"),
    ".nets.report": ("ExtractionReport",),
    ".write.spef": ("write_spef",),
    ".write.model": ("MemristorModel", "read_model"),
    ".write.spice": ("write_spice",),
    ".array.tiled": ("TiledArray",),
    ".array.tilefile": ("is_array", "load_array", "load_wires", "save_array"),
}

__all__ = [
    "ENGINES",
    "ArrayLine",
    "Bsim",
    "Extraction",
    "ExtractionReport",
    "MemristorModel",
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
    "other_wires",
    "prefers_tiles",
    "read_model",
    "save_array",
    "split_patterns",
    "write_array_spef",
    "write_array_spice",
    "write_spef",
    "write_spice",
]

__getattr__ = loader(__name__, _HOME)
