"""Polygons of each net -> resistances and capacitances -> network, SPICE, SPEF."""

from __future__ import annotations

from .capacitance import NetCapacitance, net_capacitance
from .delay import elmore_delays
from .engines import ENGINES, Extraction, extract, extract_network
from .inspection import NetSummary, Segment, inspect_net, net_summary
from .rates import Conditions
from .report import ExtractionReport
from .spef import write_spef
from .spice import write_spice
from .tiled import TiledArray
from .tilefile import load_array, save_array

__all__ = [
    "ENGINES",
    "Conditions",
    "Extraction",
    "ExtractionReport",
    "NetCapacitance",
    "NetSummary",
    "Segment",
    "TiledArray",
    "elmore_delays",
    "extract",
    "extract_network",
    "inspect_net",
    "load_array",
    "net_capacitance",
    "net_summary",
    "save_array",
    "write_spef",
    "write_spice",
]
