"""Polygons of each net -> resistances and capacitances -> network, SPICE, SPEF."""

from __future__ import annotations

from .engines import extract, extract_network
from .flat import Extraction
from .rates import Conditions
from .report import ExtractionReport
from .spice import write_spice

__all__ = [
    "Conditions",
    "Extraction",
    "ExtractionReport",
    "extract",
    "extract_network",
    "write_spice",
]
