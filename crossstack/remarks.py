"""Remarks on stderr: they appear at the end of a command, and not beside an error.

A run that an error ended judged nothing: its one line is what a person and a script must read.
"""

from __future__ import annotations

import logging

import click

_held: list[str] | None = None


def hold() -> None:
    """Keep remarks from here on, until `release` or `drop`."""
    global _held
    _held = []


def say(line: str) -> None:
    """Print a line on stderr, at once or at the end."""
    if _held is None:
        click.echo(line, err=True)
    else:
        _held.append(line)


def release() -> None:
    """Print what was kept; each line once."""
    global _held
    lines, _held = _held or [], None
    for line in dict.fromkeys(lines):
        click.echo(line, err=True)


def drop() -> None:
    """Forget what was kept."""
    global _held
    _held = None


class Handler(logging.Handler):
    """What a logger has to say, as remarks."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say one record."""
        say(self.format(record))
