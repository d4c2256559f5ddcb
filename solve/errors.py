"""Typed errors of the solver room.

Every message names the thing that is wrong, its value and the allowed range, so
that the CLI can print it as one line without adding anything.
"""

from __future__ import annotations


class SolveError(ValueError):
    """Base class of everything this room refuses."""


class NetworkError(SolveError):
    """A network contradicts itself (index out of range, NaN, negative value)."""


class NetworkFileError(SolveError):
    """A network file is missing, truncated, foreign or of another schema version."""


class DriveError(SolveError):
    """What drives a network does not fit it (port, gate level, voltage, conductance)."""


class ModeError(SolveError):
    """A mode was asked for that the table or the array does not offer."""


class InputError(SolveError):
    """An array handed to a solver has the wrong shape or an impossible value."""


class ConvergenceError(SolveError):
    """A solve ended without reaching the tolerance that was asked for."""
