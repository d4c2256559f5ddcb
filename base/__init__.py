"""What every package needs: errors and exit codes, files that are read."""

from __future__ import annotations

from .errors import (
    ConfigError,
    ConvergenceError,
    CrossStackError,
    DriveError,
    FileError,
    InputError,
    ModeError,
    NetworkError,
    NetworkFileError,
    ParameterError,
    SolveError,
    TechError,
)
from .inputs import regular_file

__all__ = [
    "ConfigError",
    "ConvergenceError",
    "CrossStackError",
    "DriveError",
    "FileError",
    "InputError",
    "ModeError",
    "NetworkError",
    "NetworkFileError",
    "ParameterError",
    "SolveError",
    "TechError",
    "regular_file",
]
