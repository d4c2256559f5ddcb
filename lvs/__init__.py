"""Layout versus schematic: connectivity, devices, extraction and netlist comparison."""

from __future__ import annotations

from .connectivity import SUBSTRATE, Connectivity, connectivity
from .devices import KINDS, DeviceKind
from .extraction import ExtractedLayout, Finding, Label, extract_layout
from .flat import FlatDevice, FlatNet, FlatNetlist

__all__ = [
    "KINDS",
    "SUBSTRATE",
    "Connectivity",
    "DeviceKind",
    "ExtractedLayout",
    "Finding",
    "FlatDevice",
    "FlatNet",
    "FlatNetlist",
    "Label",
    "connectivity",
    "extract_layout",
]
