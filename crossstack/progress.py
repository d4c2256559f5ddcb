"""How far a run is and how long it will take: what a step tells, and the estimate from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from .supervise import go_on

#: seconds between two lines where no terminal shows progress
EVERY_S = 60.0
#: part of the work that must be done before an estimate is worth telling
_LEAST = 0.1
#: a step's rate is steady if all its time and the later half of it tell ends this near, as a ratio
_STEADY = 2.0
#: news of a step that are kept to tell that
_KEPT = 256
#: a step stands still if it says nothing new for this part of the time before, and these seconds
_STILL, _STILL_S = 0.5, 10.0


def duration(seconds: float) -> str:
    """Return a time for people: seconds, minutes or hours."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def left_words(seconds: float | None) -> str:
    """Return the time that is left, in words."""
    return "time left not known yet" if seconds is None else f"about {duration(seconds)} left"


class Step:
    """One step of a run; rooms call it with (done, total) or (done, total, text).

    Args:
        name: what is done.

    Attributes:
        line: says how far it is in words of its own; None for the usual ones.
    """

    def __init__(self, name: str = "") -> None:
        go_on()
        self.name, self.begun = name, time.monotonic()
        self.done, self.total, self.text = 0.0, 0.0, ""
        self.line: Callable[[], str] | None = None
        #: when it had done what part, in seconds from its beginning; the last is its last news
        self._course = [(0.0, 0.0)]
        self._shown: Callable[[Step], None] | None = None

    def watch(self, shown: Callable[[Step], None]) -> None:
        """Call a function at every news."""
        self._shown = shown

    def __call__(self, *news: Any) -> None:
        """Take news of any shape: up to two numbers (done, total) and a text."""
        go_on()
        numbers = [n for n in news if isinstance(n, int | float)]
        if numbers:
            before = self.part
            self.done, self.total = numbers[0], (numbers[1] if len(numbers) > 1 else 1.0) or 1.0
            if self.part != before:
                self._note()
        for word in (w for w in news if isinstance(w, str)):
            self.text = word[:48]
            break
        if self._shown is not None:
            self._shown(self)

    def _note(self) -> None:
        self._course.append((self.seconds(), self.part or 0.0))
        if len(self._course) > _KEPT:
            del self._course[1:-1:2]

    @property
    def part(self) -> float | None:
        """Part of the step that is done; None if it does not say."""
        return min(self.done / self.total, 1.0) if self.total else None

    def seconds(self) -> float:
        """Return how long it has run."""
        return time.monotonic() - self.begun

    @property
    def stands_still(self) -> bool:
        """Whether what it does now takes so long that its parts tell nothing of the end."""
        moved = self._course[-1][0]
        return self.seconds() - moved > max(_STILL_S, _STILL * moved)

    @property
    def steady(self) -> bool:
        """Whether the later half of its time went about as fast as all of it, up to its last news.

        Parts of unlike size tell an end that comes much sooner, or never.
        """
        end_s, end = self._course[-1]
        then_s, then = next((at for at in reversed(self._course) if at[0] <= end_s / 2), (0.0, 0.0))
        early, late = end * (end_s - then_s), (end - then) * end_s
        return early <= _STEADY * late and late <= _STEADY * early

    def left_s(self) -> float | None:
        """Return the seconds that this step will take yet; None if nobody knows."""
        part = self.part
        if part is None or part < _LEAST or self.stands_still or not self.steady:
            return None
        return self.seconds() * (1.0 - part) / part


class Course:
    """The steps of a run, those behind it and those to come.

    Args:
        plan: step -> share of the whole run that it takes, as measured; empty if nobody knows.
    """

    def __init__(self, plan: Mapping[str, float] | None = None) -> None:
        self.plan = dict(plan or {})
        self.begun = time.monotonic()
        self.spent: dict[str, float] = {}
        self.step: Step | None = None

    def left_s(self) -> float | None:
        """Return the seconds that are left if the rest goes as fast; None if nobody knows."""
        step = self.step
        if step is None or step.name not in self.plan:
            return step.left_s() if step is not None and not self.plan else None
        behind = sum(self.plan.get(name, 0.0) for name in self.spent)
        spent = sum(s for name, s in self.spent.items() if name in self.plan)
        mine, now = self.plan[step.name], step.seconds()
        names = [*self.plan]  # one that was passed over will not come
        ahead = sum(self.plan[name] for name in names[names.index(step.name) + 1 :])
        part, least = step.part or 0.0, _LEAST * sum(self.plan.values())
        if behind + mine * part < least:  # so little tells nothing of so much
            return None
        if part >= _LEAST:
            left = step.left_s()
            rate = (spent + now) / (behind + mine * part)
            return None if left is None else left + rate * ahead
        mine_left = spent / behind * mine - now
        # one that takes longer than its share tells nothing of its end
        return mine_left + spent / behind * ahead if mine_left > 0 else None

    def words(self) -> str:
        """Return how far the run is, in one line; empty between two steps."""
        step = self.step
        if step is None:
            return ""
        if step.line is not None:
            return f"{step.name}: {step.line()}"
        name = step.name
        if name in self.plan:
            name = f"step {[*self.plan].index(name) + 1} of {len(self.plan)}, {name}"
        if step.total > 1:
            name += f": {step.done:g} of {step.total:g}"
        so_far = duration(time.monotonic() - self.begun)
        return f"{name}, {so_far} so far, {left_words(self.left_s())}"
