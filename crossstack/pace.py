"""How far a long run of equal pieces is, and when it will be done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from .console import Console
from .progress import Step, left_words


class Pace:
    """Counts pieces and estimates the time that is left.

    Args:
        total: pieces in all.
        step: where it is shown.
    """

    def __init__(self, total: int, step: Step) -> None:
        self.total, self._step = total, step
        self._begun = time.monotonic()
        self.done, self._free, self._text = 0, 0, ""
        step.line = self.line

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
        shown = f"{self.done} of {self.total}, {left_words(self.left_s())}"
        return shown + (f" ({self._text})" if self._text else "")

    def left_s(self) -> float | None:
        """Return the seconds that are left if the rest goes as fast; None if nobody knows."""
        worked = self.done - self._free
        if self.done >= self.total:
            return 0.0
        if worked <= 0:
            return None
        return (time.monotonic() - self._begun) / worked * (self.total - self.done)


@contextmanager
def paced(console: Console, name: str, total: int) -> Iterator[Pace]:
    """Show a run of equal pieces while it lasts."""
    with console.step(name) as step:
        yield Pace(total, step)
