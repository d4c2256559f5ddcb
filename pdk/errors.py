"""Errors that name the thing, the value and the allowed range."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class CrossStackError(Exception):
    """Base of every error that a user can cause; the CLI prints it as one line."""


class TechError(CrossStackError, ValueError):
    """A name or value that the technology does not know or allow."""


class ParameterError(CrossStackError, ValueError):
    """A parameter outside its allowed range.

    Args:
        name: the parameter as the user writes it.
        value: the value given.
        allowed: what would have been accepted, in words.
    """

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
            what: what the name is none of, such as "key".
        """
        names = [*known]
        near = difflib.get_close_matches(str(name), names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return cls(str(name), value, f"no such {what}{hint} (known: {', '.join(names)})")


class FileError(CrossStackError, OSError):
    """A file that cannot be read or written, or does not hold what it should."""
