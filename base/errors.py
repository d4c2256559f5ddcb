"""Every error that a user can cause, and what it means to the shell: one line, one exit code.

Every message names the thing that is wrong, its value and the allowed range, so that the command
line prints it as one line without adding anything.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

#: exit codes: fine; the check found something; wrong usage; did not complete; Ctrl-C; SIGTERM
OK, FOUND, USAGE, INCOMPLETE, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143


class CrossStackError(Exception):
    """Base of every error that a user can cause.

    Attributes:
        exit_code: what the command line exits with.
    """

    exit_code = INCOMPLETE


class ConfigError(CrossStackError):
    """A configuration file or option that cannot be understood."""

    exit_code = USAGE


class TechError(CrossStackError, ValueError):
    """A name or value that the technology does not know or allow."""

    exit_code = USAGE


class ParameterError(CrossStackError, ValueError):
    """A parameter outside its allowed range.

    Args:
        name: the parameter as the user writes it.
        value: the value given.
        allowed: what would have been accepted, in words.
    """

    exit_code = USAGE

    def __init__(self, name: str, value: object, allowed: str) -> None:
        self.name, self.value, self.allowed = name, value, allowed
        super().__init__(f"{name} = {value!r} is not allowed: {allowed}")

    @classmethod
    def unknown(
        cls, name: object, value: object, known: Iterable[str], what: str
    ) -> ParameterError:
        """Return the error for a name that does not exist; the nearest one is named.

        Args:
            name: what the user wrote.
            value: the value given.
            known: names that exist.
            what: kind of thing expected, such as "key".
        """
        names = [*known]
        near = difflib.get_close_matches(str(name), names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return cls(str(name), value, f"no such {what}{hint} (known: {', '.join(names)})")


class FileError(CrossStackError, OSError):
    """A file that cannot be read or written, or does not hold what it should."""


class SolveError(CrossStackError, ValueError):
    """Base class of everything that the solver refuses."""


class NetworkError(SolveError):
    """A network contradicts itself (index out of range, NaN, negative value)."""


class NetworkFileError(SolveError):
    """A network file is missing, truncated, foreign or of another schema version."""


class DriveError(SolveError):
    """What drives a network does not fit it (port, gate level, voltage, conductance)."""

    exit_code = USAGE


class ModeError(SolveError):
    """A mode was asked for that the table or the array does not offer."""

    exit_code = USAGE


class InputError(SolveError):
    """An array handed to a solver has the wrong shape or an impossible value."""

    exit_code = USAGE


class ConvergenceError(SolveError):
    """A solve ended without reaching the tolerance that was asked for."""


def exit_code(error: BaseException) -> int:
    """Return 2 for what the user asked wrongly, 3 for everything that stopped a run."""
    return error.exit_code if isinstance(error, CrossStackError) else INCOMPLETE


def one_line(error: BaseException) -> str:
    """Return the message for the user."""
    if isinstance(error, CrossStackError):
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
