"""Physics of an extracted array: what it loses, how fast it is, what its wires stand.

Names are loaded on first use, so that a command which needs one of them pays for that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.lazy import loader

if TYPE_CHECKING:
    from .analysis import (
        Stimulus,
        operating_point,
        refusal,
        shape_of,
        solve_modes,
        stimulus,
        stimulus_of_many,
        vary,
    )
    from .arrays import ArrayRun, ArraySolution, array_drop
    from .batch import Batch, solve_batch
    from .bsim import BsimComparison, compare_bsim
    from .electromigration import em_report
    from .loads import CurrentReport, CurrentVerdict
    from .needs import WriteVerdict
    from .nets import net_table
    from .numbers import load_numbers, read_numbers
    from .on_resistance import OnResistance, VoltageRangeError, switch_ohm
    from .operating import Laws, mode_ohm, write_options
    from .progress import Console, Step
    from .studies import Programmed, programming, sensitivity
    from .summary import ModeDrops, summary
    from .timing import ReadWrite, Settling, overlap, read_and_write, read_settle
    from .transistors import working_ohm
    from .writing import write_currents

_HOME = {
    ".analysis": (
        "Stimulus",
        "operating_point",
        "refusal",
        "shape_of",
        "solve_modes",
        "stimulus",
        "stimulus_of_many",
        "summary",
        "vary",
    ),
    ".arrays": ("ArrayRun", "ArraySolution", "array_drop"),
    ".batch": ("Batch", "solve_batch"),
    ".bsim": ("BsimComparison", "compare_bsim"),
    ".electromigration": ("em_report",),
    ".loads": ("CurrentReport", "CurrentVerdict"),
    ".needs": ("WriteVerdict",),
    ".nets": ("net_table",),
    ".numbers": ("load_numbers", "read_numbers"),
    ".operating": ("Laws", "mode_ohm", "write_options"),
    ".progress": ("Console", "Step"),
    ".studies": ("Programmed", "programming", "sensitivity"),
    ".summary": ("ModeDrops", "summary"),
    ".timing": ("ReadWrite", "Settling", "overlap", "read_and_write", "read_settle"),
    ".on_resistance": ("OnResistance", "VoltageRangeError", "switch_ohm"),
    ".transistors": ("working_ohm",),
    ".writing": ("write_currents",),
}

__all__ = [
    "ArrayRun",
    "ArraySolution",
    "Batch",
    "BsimComparison",
    "Console",
    "CurrentReport",
    "CurrentVerdict",
    "Laws",
    "ModeDrops",
    "OnResistance",
    "Programmed",
    "ReadWrite",
    "Settling",
    "Step",
    "Stimulus",
    "VoltageRangeError",
    "WriteVerdict",
    "array_drop",
    "compare_bsim",
    "em_report",
    "load_numbers",
    "mode_ohm",
    "net_table",
    "operating_point",
    "overlap",
    "programming",
    "read_and_write",
    "read_numbers",
    "read_settle",
    "refusal",
    "sensitivity",
    "shape_of",
    "solve_batch",
    "solve_modes",
    "stimulus",
    "stimulus_of_many",
    "summary",
    "switch_ohm",
    "vary",
    "working_ohm",
    "write_currents",
    "write_options",
]

__getattr__ = loader(__name__, _HOME)
