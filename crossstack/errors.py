"""What an exception means to the user: one line and an exit code."""

from __future__ import annotations

from .cli import INCOMPLETE, USAGE
from .pdk import CrossStackError, FileError, ParameterError, TechError
from .solve.errors import DriveError, InputError, ModeError, SolveError


class ConfigError(CrossStackError):
    """A configuration file or option that cannot be understood."""


_USAGE_ERRORS = (ConfigError, ParameterError, TechError, DriveError, InputError, ModeError)


def exit_code(error: BaseException) -> int:
    """Return 2 for what the user asked wrongly, 3 for everything that stopped a run."""
    return USAGE if isinstance(error, _USAGE_ERRORS) else INCOMPLETE


def one_line(error: BaseException) -> str:
    """Return the message for the user."""
    if isinstance(error, FileError | CrossStackError | SolveError):
        # FileError is an OSError too: str() of a one-argument one is just its text
        return str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    if isinstance(error, MemoryError):
        return "not enough memory"
    kind = type(error).__name__
    return (
        f"stopped by an error of its own: {kind}: {error} "
        "(CROSSSTACK_DEBUG=1 shows where; please report it)"
    )
