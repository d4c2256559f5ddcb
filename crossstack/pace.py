"""How far a long run of pieces is, and when it will be done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from .console import Console
from .progress import Step, left_words

#: pieces that the time of the next ones is estimated from, whichever took longer: the last ones,
#: and one of so many
_LAST, _PART = 8, 4


class Pace:
    """Counts pieces and estimates the time that is left.

    Pieces need not be alike: those to come are taken to be as long as the last ones were, in doubt
    longer. One that takes longer than these raises the estimate while it runs.

    Args:
        total: pieces in all.
        step: where it is shown.
    """

    def __init__(self, total: int, step: Step) -> None:
        self._step = step
        self._start(total, most=False)
        step.line = self.line

    def phase(self, name: str, total: int, *, most: bool = False) -> None:
        """Begin with pieces of another kind, which tell nothing of those before.

        Args:
            name: what is done to them.
            total: their number.
            most: it may end before all of them are done.
        """
        self._step.name = name
        self._start(total, most=most)
        self._step(0, total, "")

    def _start(self, total: int, *, most: bool) -> None:
        self.total, self._most = total, most
        self.done, self._text = 0, ""
        #: when the first piece began, and when those ended that took time
        self._times = [time.monotonic()]

    def piece(self, text: str = "", *, free: bool = False) -> None:
        """Count a piece that is finished.

        Args:
            text: what is shown of it.
            free: it was there already, and says nothing of how long others take.
        """
        self.done += 1
        now = time.monotonic()
        if not free:
            self._times.append(now)
        elif len(self._times) == 1:
            self._times = [now]
        self._text = text
        self._step(self.done, self.total, self.line())

    def line(self) -> str:
        """Return how far it is, in words."""
        of = f"at most {self.total}" if self._most else f"{self.total}"
        left = self.left_s()
        up_to = "up to " if self._most and left else ""
        shown = f"{self.done} of {of}, {up_to}{left_words(left)}"
        return shown + (f" ({self._text})" if self._text else "")

    def left_s(self) -> float | None:
        """Return the seconds that are left if the rest goes as fast; None if nobody knows."""
        left, worked = self.total - self.done, len(self._times) - 1
        if left <= 0:
            return 0.0
        if worked <= 0:
            return None
        since = time.monotonic() - self._times[-1]
        each = max(self._mean(count, since) for count in (_LAST, worked // _PART))
        # one that is overdue is half done, for all that anybody knows
        return max(left * each - since, (left - 0.5) * each)

    def _mean(self, count: int, since: float) -> float:
        """Return the mean time of the last pieces, with the one that runs if that takes longer."""
        count = max(1, min(count, len(self._times) - 1))
        span = self._times[-1] - self._times[-1 - count]
        return max(span / count, (span + since) / (count + 1))


@contextmanager
def paced(console: Console, name: str, total: int) -> Iterator[Pace]:
    """Show a run of pieces while it lasts."""
    with console.step(name) as step:
        yield Pace(total, step)
