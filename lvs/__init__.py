"""Layout versus schematic: connectivity, devices, extraction and netlist comparison."""

from __future__ import annotations

from .checks import check_layout, device_faults
from .compare import compare_layout
from .connectivity import SUBSTRATE, Connectivity, connectivity
from .devices import KINDS, DeviceKind
from .extraction import ExtractedLayout, Finding, Label, extract_layout
from .flat import FlatDevice, FlatNet, FlatNetlist
from .missed import missed_devices
from .report import LvsReport
from .silicon import silicon_joins
from .spice import Reference, read_netlist
from .tolerances import Tolerances
from .touches import touches

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
    "LvsReport",
    "Reference",
    "Tolerances",
    "check_layout",
    "compare_layout",
    "connectivity",
    "device_faults",
    "extract_layout",
    "missed_devices",
    "read_netlist",
    "silicon_joins",
    "touches",
]
