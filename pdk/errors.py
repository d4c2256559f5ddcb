"""Errors that name the thing, the value and the allowed range."""

from __future__ import annotations


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


class FileError(CrossStackError, OSError):
    """A file that cannot be read or written, or does not hold what it should."""
