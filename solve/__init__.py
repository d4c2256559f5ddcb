"""IR-drop solving: networks, modes, metrics; numpy and scipy only, no layout tools.

What is where; each folder imports only those above it:

* `circuit`: circuits of resistors, factorised (`graph`) or solved exactly (`exact`), the laws of
  devices (`iv`) and what Newton's method needs of them (`newton`);
* `crossbar`: crossbars given as arrays (`crossbar`: `solve_crossbar`, `effective_matrix`;
  `nonlinear_crossbar`), on one of the engines `engine_numba`, `multigrid`, `engine_numpy`,
  `engine_direct`;
* `network`: an extracted network (data `network`, `builder`, file `netfile`) and its solve,
  `linear`, `nonlinear` (Newton) and `transient`;
* `modes`: what every pin carries (`mode`, `modes`), and what becomes of a write (`written`);
* `study`: IR drop (`metrics`), electromigration (`em`), Monte Carlo and sensitivity
  (`variation`), writes slot by slot (`programming`), the linear map for thousands of inputs
  (`transfer_matrix`), arrays prepared once for many devices (`prepare`); without a network,
  first-order drop (`theory`) and both modes' `timing`.

Names are loaded on first use, so that importing this package costs next to nothing and
numba is only touched by a solve that can use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.lazy import loader

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
    from ..base.names import BOTTOM, TIER_NAMES, TOP
    from .circuit.iv import Cubic, DeviceLaw, Sinh, SquareLaw
    from .crossbar.crossbar import Solution, effective_matrix, solve_crossbar
    from .crossbar.nonlinear_crossbar import solve_crossbar_nonlinear
    from .modes.drives import Drives, gates_for, mode_drives, network_drives
    from .modes.mode import ArrayKind, Mode
    from .modes.modes import MODES
    from .modes.written import WriteReport
    from .network.builder import NetworkBuilder
    from .network.changed import Solved
    from .network.linear import NetworkSolution, NetworkSolver, solve_network
    from .network.netfile import load_network, save_network
    from .network.network import Network
    from .network.nonlinear import solve_network_nonlinear
    from .network.prepared import Prepared
    from .study.em import ElectromigrationReport, Stress, electromigration
    from .study.metrics import Errors, IrDrop, ir_drop
    from .study.prepare import prepare_network
    from .study.prepare_crossbar import prepare_crossbar
    from .study.programming import ProgrammingReport, programming_check
    from .study.theory import Drops, Parts, first_order, reduction, row_resistance_for
    from .study.timing import Timing, line_delay, pulse_curve, ratio_for, settle_time
    from .study.transfer_matrix import TransferMatrix, network_matrix, port_matrix
    from .study.variation import MonteCarlo, Spread, monte_carlo, sample_devices, sheet_sensitivity

_HOME = {
    ".crossbar.crossbar": ("Solution", "effective_matrix", "solve_crossbar"),
    ".study.em": ("ElectromigrationReport", "Stress", "electromigration"),
    "..base.errors": (
        "ConvergenceError",
        "DriveError",
        "InputError",
        "ModeError",
        "NetworkError",
        "NetworkFileError",
        "SolveError",
    ),
    ".circuit.iv": ("Cubic", "DeviceLaw", "Sinh", "SquareLaw"),
    ".network.linear": ("NetworkSolution", "NetworkSolver", "solve_network"),
    ".study.metrics": ("Errors", "IrDrop", "ir_drop"),
    ".modes.mode": ("ArrayKind", "Mode"),
    ".modes.drives": ("Drives", "gates_for", "mode_drives", "network_drives"),
    ".modes.modes": ("MODES",),
    ".study.programming": ("ProgrammingReport", "programming_check"),
    ".study.theory": ("Drops", "Parts", "first_order", "reduction", "row_resistance_for"),
    ".study.timing": ("Timing", "line_delay", "pulse_curve", "ratio_for", "settle_time"),
    ".study.transfer_matrix": ("TransferMatrix", "network_matrix", "port_matrix"),
    ".study.variation": (
        "MonteCarlo",
        "Spread",
        "monte_carlo",
        "sample_devices",
        "sheet_sensitivity",
    ),
    ".modes.written": ("WriteReport",),
    ".network.nonlinear": ("solve_network_nonlinear",),
    ".crossbar.nonlinear_crossbar": ("solve_crossbar_nonlinear",),
    "..base.names": ("BOTTOM", "TIER_NAMES", "TOP"),
    ".network.network": ("Network",),
    ".network.prepared": ("Prepared",),
    ".network.changed": ("Solved",),
    ".study.prepare": ("prepare_network",),
    ".study.prepare_crossbar": ("prepare_crossbar",),
    ".network.builder": ("NetworkBuilder",),
    ".network.netfile": ("load_network", "save_network"),
}

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
    "Prepared",
    "ProgrammingReport",
    "Sinh",
    "Solution",
    "SolveError",
    "Solved",
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
    "load_network",
    "mode_drives",
    "monte_carlo",
    "network_drives",
    "network_matrix",
    "port_matrix",
    "prepare_crossbar",
    "prepare_network",
    "programming_check",
    "pulse_curve",
    "ratio_for",
    "reduction",
    "row_resistance_for",
    "sample_devices",
    "save_network",
    "settle_time",
    "sheet_sensitivity",
    "solve_crossbar",
    "solve_crossbar_nonlinear",
    "solve_network",
    "solve_network_nonlinear",
]

__getattr__ = loader(__name__, _HOME)
