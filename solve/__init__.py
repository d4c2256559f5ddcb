"""IR-drop solving: networks, modes, metrics; numpy and scipy only, no layout tools.

Names are loaded on first use, so that importing this room costs next to nothing and
numba is only touched by a solve that can use it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .crossbar import Solution, effective_matrix, solve_crossbar
    from .errors import (
        ConvergenceError,
        DriveError,
        InputError,
        ModeError,
        NetworkError,
        NetworkFileError,
        SolveError,
    )
    from .linear import NetworkSolution, solve_network
    from .metrics import Errors, IrDrop, WriteReport, ir_drop
    from .modes import MODES, ArrayKind, Drives, gates_for, mode_drives, network_drives
    from .network import BOTTOM, TIER_NAMES, TOP, Network, NetworkBuilder

_HOME = {
    "crossbar": ("Solution", "effective_matrix", "solve_crossbar"),
    "errors": (
        "ConvergenceError",
        "DriveError",
        "InputError",
        "ModeError",
        "NetworkError",
        "NetworkFileError",
        "SolveError",
    ),
    "linear": ("NetworkSolution", "solve_network"),
    "metrics": ("Errors", "IrDrop", "WriteReport", "ir_drop"),
    "modes": ("MODES", "ArrayKind", "Drives", "gates_for", "mode_drives", "network_drives"),
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
    "DriveError",
    "Drives",
    "Errors",
    "InputError",
    "IrDrop",
    "ModeError",
    "Network",
    "NetworkBuilder",
    "NetworkError",
    "NetworkFileError",
    "NetworkSolution",
    "Solution",
    "SolveError",
    "WriteReport",
    "effective_matrix",
    "gates_for",
    "ir_drop",
    "mode_drives",
    "network_drives",
    "solve_crossbar",
    "solve_network",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
