"""Polygons of each net -> resistances and capacitances -> network, SPICE, SPEF."""

from __future__ import annotations

from .capacitance import NetCapacitance, net_capacitance
from .engines import ENGINES, Extraction, extract, extract_network
from .rates import Conditions
from .report import ExtractionReport
from .spice import write_spice
from .tiled import TiledArray

__all__ = [
    "ENGINES",
    "Conditions",
    "Extraction",
    "ExtractionReport",
    "NetCapacitance",
    "TiledArray",
    "extract",
    "extract_network",
    "net_capacitance",
    "write_spice",
]
