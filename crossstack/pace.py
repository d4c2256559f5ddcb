"""How far a long run of equal pieces is, and when it will be done: on a terminal, and without.

A terminal shows a line that moves; anything else (a log, a batch system) gets a line a minute.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .console import Console, Step

#: seconds between two lines where no terminal shows progress
EVERY_S = 60.0


class Pace:
    """Counts pieces and estimates the time that is left.

    Args:
        console: where it is told.
        name: what is run.
        total: pieces in all.
        step: the line on a terminal.
    """

    def __init__(self, console: Console, name: str, total: int, step: Step) -> None:
        self._console, self._name, self.total, self._step = console, name, total, step
        self._begun = time.monotonic()
        self.done, self._free, self._text = 0, 0, ""

    def piece(self, text: str = "", *, free: bool = False) -> None:
        """Count a piece that is finished.

        Args:
            text: what is shown of it.
            free: it was there already, and says nothing of how long others take.
        """
        self.done += 1
        self._free += free
        self._text = text
        self._step(self.done, self.total, self.line())

    def line(self) -> str:
        """Return how far it is, in words."""
        left = self.left_s()
        when = "time left not known yet" if left is None else f"about {duration(left)} left"
        return f"{self.done} of {self.total}, {when}" + (f" ({self._text})" if self._text else "")

    def left_s(self) -> float | None:
        """Return the seconds that are left if the rest goes as fast; None if nobody knows."""
        worked = self.done - self._free
        if self.done >= self.total:
            return 0.0
        if worked <= 0:
            return None
        return (time.monotonic() - self._begun) / worked * (self.total - self.done)

    def tell(self) -> None:
        """Print a line."""
        self._console.note(f"{self._name}: {self.line()}")


@contextmanager
def paced(console: Console, name: str, total: int) -> Iterator[Pace]:
    """Show a run of equal pieces while it lasts."""
    with console.step(name) as step:
        pace = Pace(console, name, total, step)
        over = threading.Event()
        if console.quiet or console.shows_progress():
            yield pace
            return
        clock = threading.Thread(target=_tick, args=(pace, over), daemon=True)
        clock.start()
        try:
            yield pace
        finally:
            over.set()
            clock.join()


def _tick(pace: Pace, over: threading.Event) -> None:
    while not over.wait(EVERY_S):
        pace.tell()


def duration(seconds: float) -> str:
    """Return a time for people: seconds, minutes or hours."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
