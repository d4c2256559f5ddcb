"""What goes to the foundry and how it was judged: tapeout package, checks, transistor models.

Names are loaded on first use, so that a command which needs one of them pays for that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.lazy import loader

if TYPE_CHECKING:
    from .checks import Check, TapeoutFile, check_file, check_pair
    from .listing import text_lines
    from .models import foundry_models, kept_models, largest_difference, measure, write_table
    from .tapeout import (
        Source,
        inspect,
        package_folder,
        recorded_source,
        slot_named,
        write_parts,
    )
    from .verdicts import check_density, judge
    from .wafer import Wafer

_HOME = {
    ".checks": ("Check", "TapeoutFile", "check_file", "check_pair"),
    ".listing": ("text_lines",),
    ".models": ("foundry_models", "kept_models", "largest_difference", "measure", "write_table"),
    ".tapeout": (
        "Source",
        "inspect",
        "package_folder",
        "recorded_source",
        "slot_named",
        "write_parts",
    ),
    ".verdicts": ("check_density", "judge"),
    ".wafer": ("Wafer",),
}

__all__ = [
    "Check",
    "Source",
    "TapeoutFile",
    "Wafer",
    "check_density",
    "check_file",
    "check_pair",
    "foundry_models",
    "inspect",
    "judge",
    "kept_models",
    "largest_difference",
    "measure",
    "package_folder",
    "recorded_source",
    "slot_named",
    "text_lines",
    "write_parts",
    "write_table",
]

__getattr__ = loader(__name__, _HOME)
