"""IR-drop solving: networks, modes, metrics; numpy and scipy only, no layout tools.

What is where:

* an extracted network: `network` (data, builder, file), `linear` (exact solve),
  `nonlinear` (Newton), `modes` (what every pin carries), `metrics` (IR drop);
* the linear map of one, for thousands of inputs: `transfer_matrix`;
* analyses of it: `em` (electromigration), `variation` (Monte Carlo, sensitivity),
  `programming` (writes, slot by slot);
* crossbars given as arrays: `crossbar` (`solve_crossbar`, `effective_matrix`) and
  `nonlinear_crossbar` (Newton) on one of the engines `engine_numba`, `multigrid`,
  `engine_numpy`, `engine_direct`;
* numbers without a network: `theory` (first-order drop), `timing` (both modes).

Names are loaded on first use, so that importing this room costs next to nothing and
numba is only touched by a solve that can use it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..base.errors import (
        ConvergenceError,
        DriveError,
        InputError,
        ModeError,
        NetworkError,
        NetworkFileError,
        SolveError,
    )
    from .crossbar import Solution, effective_matrix, solve_crossbar
    from .em import ElectromigrationReport, Stress, electromigration
    from .iv import Cubic, DeviceLaw, Sinh, SquareLaw
    from .linear import NetworkSolution, NetworkSolver, solve_network
    from .metrics import Errors, IrDrop, ir_drop
    from .mode import ArrayKind, Mode
    from .modes import MODES, Drives, gates_for, mode_drives, network_drives
    from .network import BOTTOM, TIER_NAMES, TOP, Network, NetworkBuilder
    from .nonlinear import solve_network_nonlinear
    from .nonlinear_crossbar import solve_crossbar_nonlinear
    from .programming import ProgrammingReport, programming_check
    from .theory import Drops, Parts, first_order, reduction, row_resistance_for
    from .timing import Timing, line_delay, pulse_curve, ratio_for, settle_time
    from .transfer_matrix import TransferMatrix, network_matrix, port_matrix
    from .variation import MonteCarlo, Spread, monte_carlo, sample_devices, sheet_sensitivity
    from .written import WriteReport

_HOME = {
    "crossbar": ("Solution", "effective_matrix", "solve_crossbar"),
    "em": ("ElectromigrationReport", "Stress", "electromigration"),
    "..base.errors": (
        "ConvergenceError",
        "DriveError",
        "InputError",
        "ModeError",
        "NetworkError",
        "NetworkFileError",
        "SolveError",
    ),
    "iv": ("Cubic", "DeviceLaw", "Sinh", "SquareLaw"),
    "linear": ("NetworkSolution", "NetworkSolver", "solve_network"),
    "metrics": ("Errors", "IrDrop", "ir_drop"),
    "mode": ("ArrayKind", "Mode"),
    "modes": ("MODES", "Drives", "gates_for", "mode_drives", "network_drives"),
    "programming": ("ProgrammingReport", "programming_check"),
    "theory": ("Drops", "Parts", "first_order", "reduction", "row_resistance_for"),
    "timing": ("Timing", "line_delay", "pulse_curve", "ratio_for", "settle_time"),
    "transfer_matrix": ("TransferMatrix", "network_matrix", "port_matrix"),
    "variation": ("MonteCarlo", "Spread", "monte_carlo", "sample_devices", "sheet_sensitivity"),
    "written": ("WriteReport",),
    "nonlinear": ("solve_network_nonlinear",),
    "nonlinear_crossbar": ("solve_crossbar_nonlinear",),
    "network": ("BOTTOM", "TIER_NAMES", "TOP", "Network", "NetworkBuilder"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "BOTTOM",
    "MODES",
    "TIER_NAMES",
    "TOP",
    "ArrayKind",
    "ConvergenceError",
    "Cubic",
    "DeviceLaw",
    "DriveError",
    "Drives",
    "Drops",
    "ElectromigrationReport",
    "Errors",
    "InputError",
    "IrDrop",
    "Mode",
    "ModeError",
    "MonteCarlo",
    "Network",
    "NetworkBuilder",
    "NetworkError",
    "NetworkFileError",
    "NetworkSolution",
    "NetworkSolver",
    "Parts",
    "ProgrammingReport",
    "Sinh",
    "Solution",
    "SolveError",
    "Spread",
    "SquareLaw",
    "Stress",
    "Timing",
    "TransferMatrix",
    "WriteReport",
    "effective_matrix",
    "electromigration",
    "first_order",
    "gates_for",
    "ir_drop",
    "line_delay",
    "mode_drives",
    "monte_carlo",
    "network_drives",
    "network_matrix",
    "port_matrix",
    "programming_check",
    "pulse_curve",
    "ratio_for",
    "reduction",
    "row_resistance_for",
    "sample_devices",
    "settle_time",
    "sheet_sensitivity",
    "solve_crossbar",
    "solve_crossbar_nonlinear",
    "solve_network",
    "solve_network_nonlinear",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _MODULE_OF[name]
    return getattr(import_module(home if home.startswith(".") else f".{home}", __name__), name)
