"""What a command prints: results on stdout, progress on stderr, JSON when asked for."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from . import progress, remarks, supervise
from .base.errors import MOST_TEXT, FileError, printable, shown
from .progress import Course, Step

if TYPE_CHECKING:
    from .progress_bar import Bar

F = TypeVar("F", bound=Callable[..., Any])


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
        self._bar: Bar | None = None
        self._course, self._ticks = Course(), False
        self._held: list[str] | None = None

    def say(self, text: str) -> None:
        """Print a line for people."""
        if not (self.as_json or self.printed or self.quiet):
            # tables keep their blanks; names and labels must not steer the terminal
            line = "\n".join(map(shown, text.split("\n")))
            if self._held is None:
                click.echo(line)
            else:
                self._held.append(line)

    @contextmanager
    def later(self) -> Iterator[None]:
        """Print what is said in the block at its end: after the files that it writes."""
        held = self._held = []
        try:
            yield
        finally:
            self._held = None
            for line in held:
                click.echo(line)

    def note(self, text: str) -> None:
        """Print a remark on stderr."""
        if not self.quiet:
            remarks.say(f"crossstack: {printable(text, MOST_TEXT)}")

    def result(self, value: dict[str, Any]) -> None:
        """Print the JSON result, if JSON was asked for."""
        if self.as_json:
            import json  # only here: a help text does without

            from .base.versions import versions

            whole = {**value, "versions": value.get("versions") or versions()}
            click.echo(json.dumps(whole, indent=2, allow_nan=False))

    def shows_progress(self) -> bool:
        """True if a person watches: a terminal that can redraw a line, and not --quiet.

        NO_COLOR takes the colours away, not the progress; rich sees to that.
        """
        return not self.quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    @contextmanager
    def steps(self, plan: Mapping[str, float] | None = None) -> Iterator[None]:
        """Show progress while steps run: a line that moves on a terminal, else a line a minute.

        Args:
            plan: step -> share of the whole that it takes, for the time that is left.
        """
        self._course = Course(plan)
        if not self.shows_progress():
            with self._clock():
                yield
            return
        from .progress_bar import bar

        with bar(self._course) as shown:
            self._bar = shown
            try:
                yield
            finally:
                self._bar = None

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Run one named step; its time is kept in `seconds`."""
        step, outer = Step(name), self._course.step
        self._course.step = step
        if self._bar is not None:
            self._bar.show(step)
        try:
            with contextlib.ExitStack() as stack:
                if self._bar is None:
                    stack.enter_context(self._clock())
                yield step
        finally:  # a fault may be a finding of the caller's, who goes on
            self.seconds[name] = round(step.seconds(), 3)
            self._course.spent[name] = step.seconds()
            self._course.step = outer
            if self._bar is not None:
                self._bar.hide(step)

    @contextmanager
    def _clock(self) -> Iterator[None]:
        """Print a line a minute, unless that is done already or nobody wants it."""
        if self._ticks or self.quiet or self.shows_progress():
            yield
            return
        over = threading.Event()
        clock = threading.Thread(target=self._tick, args=(over,), daemon=True)
        self._ticks = True
        clock.start()
        try:
            yield
        finally:
            over.set()
            clock.join()
            self._ticks = False

    def _tick(self, over: threading.Event) -> None:
        while not over.wait(progress.EVERY_S):
            if words := self._course.words():  # now: it says that the run lives
                click.echo(f"crossstack: {words}", err=True)


def output_options(function: F) -> F:
    """Add --json and --quiet to a command."""
    function = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(
        function
    )
    return click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")(function)
