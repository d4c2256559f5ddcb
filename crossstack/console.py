"""What a command prints: results on stdout, progress on stderr, JSON when asked for."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from . import supervise
from .base.errors import MOST_TEXT, FileError, printable, shown

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

F = TypeVar("F", bound=Callable[..., Any])


class Step:
    """One step of a run; rooms call it with (done, total) or (done, total, text)."""

    def __init__(self, bar: Progress | None = None, task: TaskID | None = None) -> None:
        self._bar, self._task = bar, task

    def __call__(self, *news: Any) -> None:
        """Show news of any shape: up to two numbers (done, total) and a text."""
        if self._bar is None or self._task is None:
            return
        numbers = [n for n in news if isinstance(n, int | float)]
        words = [w for w in news if isinstance(w, str)]
        if numbers:
            total = numbers[1] if len(numbers) > 1 else 1.0
            self._bar.update(self._task, completed=numbers[0], total=total or 1.0)
        if words:
            self._bar.update(self._task, detail=words[0][:40])


class Console:
    """Prints what a command has to say.

    Args:
        as_json: print one JSON value at the end and nothing else on stdout.
        quiet: print nothing but errors (and the JSON, if asked for).
        printed: stdout belongs to a result in another format.
    """

    def __init__(
        self, as_json: bool = False, quiet: bool = False, *, printed: bool = False
    ) -> None:
        self.as_json, self.quiet, self.printed = as_json, quiet, printed
        if (as_json or printed) and supervise.STDOUT in supervise.CLOSED:
            raise FileError("standard output is closed: the result has nowhere to go")
        for handler in logging.getLogger("crossstack").handlers:
            handler.setLevel(logging.ERROR if quiet else logging.WARNING)
        self.seconds: dict[str, float] = {}
        self._bar: Progress | None = None

    def say(self, text: str) -> None:
        """Print a line for people."""
        if not (self.as_json or self.printed or self.quiet):
            # tables keep their blanks; names and labels must not steer the terminal
            click.echo("\n".join(map(shown, text.split("\n"))))

    def note(self, text: str) -> None:
        """Print a remark on stderr."""
        if not self.quiet:
            click.echo(f"crossstack: {printable(text, MOST_TEXT)}", err=True)

    def result(self, value: dict[str, Any]) -> None:
        """Print the JSON result, if JSON was asked for."""
        if self.as_json:
            import json  # only here: a help text does without

            click.echo(json.dumps(value, indent=2, allow_nan=False))

    def shows_progress(self) -> bool:
        """True if a person watches: a terminal that can redraw a line, and not --quiet.

        NO_COLOR takes the colours away, not the progress; rich sees to that.
        """
        return not self.quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    @contextmanager
    def steps(self) -> Iterator[None]:
        """Show a progress display while steps run."""
        if not self.shows_progress():
            yield
            return
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description:<16}"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}"),
        )
        with Progress(*columns, console=RichConsole(stderr=True), transient=True) as bar:
            self._bar = bar
            try:
                yield
            finally:
                self._bar = None

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Run one named step; its time is kept in `seconds`."""
        start = time.perf_counter()
        task = self._bar.add_task(name, total=None, detail="") if self._bar else None
        yield Step(self._bar, task)
        self.seconds[name] = round(time.perf_counter() - start, 3)
        if self._bar is not None and task is not None:
            self._bar.remove_task(task)


def output_options(function: F) -> F:
    """Add --json and --quiet to a command."""
    function = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(
        function
    )
    return click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")(function)
