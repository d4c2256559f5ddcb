"""Every error that a user can cause, and what it means to the shell: one line, one exit code.

Every message names the thing that is wrong, its value and the allowed range, so that the command
line prints it as one line without adding anything.
"""

from __future__ import annotations

from collections.abc import Iterable

#: exit codes: fine; the check found something; wrong usage; did not complete; stopped by a signal,
#: as shells count: a terminal that was closed (SIGHUP), Ctrl-C (SIGINT), SIGTERM
OK, FOUND, USAGE, INCOMPLETE, HUNG_UP, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 129, 130, 143
#: what the help and the documents say of them, in two lines
CODES_TOLD = (
    "0 fine, 1 the check found something, 2 wrong usage, 3 did not complete;",
    "stopped by a signal: 130 Ctrl-C, 143 SIGTERM, 129 SIGHUP.",
)


#: characters of somebody's input that a message repeats
_MOST_SHOWN = 60
#: characters of one message or remark
MOST_TEXT = 1500


def shortened(value: object) -> str:
    """Return what a message shows of a value: its start, if it is long."""
    if isinstance(value, float):  # as it was meant: 5.36, not 5.360000000000001
        value = float(f"{value:.12g}")
    try:
        text = repr(value)
    except ValueError:  # a whole number of more digits than Python would write
        return "a number of thousands of digits"
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 4]} ..."


def nearest(value: object, names: Iterable[str], cutoff: float = 0.6) -> str:
    """Return ``; did you mean 'hybrid'?`` if a name is near to what the user wrote, else ''."""
    import difflib

    near = difflib.get_close_matches(str(value), [*names], n=1, cutoff=cutoff)
    return f"; did you mean {near[0]!r}?" if near else ""


def shown(text: str) -> str:
    """Return a text whose line breaks and control characters are written out."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in text
    )


def printable(text: str, most: int | None = None) -> str:
    """Return a text as one line that cannot steer a terminal, cut off if it is long."""
    line = shown(" ".join(text.split()))
    if most is not None and len(line) > most:
        line = f"{line[: most - 4]} ..."
    return line


class CrossStackError(Exception):
    """Base of every error that a user can cause.

    Attributes:
        exit_code: what the command line exits with.
    """

    exit_code = INCOMPLETE


class ConfigError(CrossStackError):
    """A configuration file or option that cannot be understood.

    Args:
        text: the message.
        name: dotted key that it is about; empty for anything else.
    """

    exit_code = USAGE

    def __init__(self, text: str, name: str = "") -> None:
        super().__init__(text)
        self.name = name


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
        super().__init__(f"{name} = {shortened(value)} is not allowed: {allowed}")

    def __reduce__(self) -> tuple[type, tuple[str, object, str]]:
        """Let a helper process hand the error on."""
        return type(self), (self.name, self.value, self.allowed)

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
        hint = nearest(name, names)
        return cls(
            str(name)[:_MOST_SHOWN], value, f"no such {what}{hint} (known: {', '.join(names)})"
        )


class MissingError(ParameterError):
    """A parameter that was not given and has no default."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        super().__init__(name, value, allowed)
        self.args = (f"{name} is missing: {allowed}",)


class FileError(CrossStackError, OSError):
    """A file that cannot be read or written, or does not hold what it should."""


class PlaceError(FileError):
    """A place that the user named for results and that cannot be one: a file for a folder, say."""

    exit_code = USAGE


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


#: what a run that was refused memory says
NO_MEMORY = "not enough memory: nothing was replaced; raise the limit (ulimit -v), or take less"
#: how libraries say that, in errors of other kinds: C++, the loader of programs, the system
_OF_MEMORY = (
    "bad_alloc",
    "cannot allocate memory",
    "failed to map segment",
    "out of memory",
    "unable to allocate",
    "memory allocation",
    "can't start new thread",
    "cannot apply additional memory protection",
)


def is_about_memory(error: BaseException) -> bool:
    """Return whether an error, or one that it came from, says that memory ran out."""
    seen: BaseException | None = error
    for _ in range(20):
        if seen is None:
            return False
        said = str(seen).lower()
        if isinstance(seen, MemoryError) or any(words in said for words in _OF_MEMORY):
            return True
        if isinstance(seen, CrossStackError):  # says what it means, whatever led to it
            return False
        seen = seen.__cause__ or seen.__context__
    return False


def one_line(error: BaseException) -> str:
    """Return the message for the user."""
    if is_about_memory(error):
        ours = isinstance(error, MemoryError) and str(error)
        return f"not enough memory: {error}" if ours else NO_MEMORY
    if isinstance(error, CrossStackError):
        # FileError is an OSError too: str() of a one-argument one is just its text
        return str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    kind = type(error).__name__
    return (
        f"stopped by an error of its own: {kind}: {error} "
        "(CROSSSTACK_DEBUG=1 shows where; please report it)"
    )
