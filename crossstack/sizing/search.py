"""The search: a library proposes candidates in rounds, until nothing better turns up.

A round is proposed whole before any of it is evaluated, so that the course of a search does not
depend on how many processes work or on when it was interrupted: run again with the same seed, it
asks for the same candidates, and finds those that were finished (`points`).

Where a drawing shows all that is to be best, and all combinations may be looked at, no library is
needed: all are drawn, and computed from the best one on until one meets every target. Those before
it are known to miss one then.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ..config import RunConfig
from ..pace import Pace
from ..pdk import CrossStackError
from .alike import drawing
from .candidates import Candidate, Choice, Outcome, costs, pareto
from .evaluate import BETTERED, THEORY, Task, covers
from .metrics import METRICS, STAGES
from .proposals import Proposals
from .target import Target

#: candidates of a round, and candidates without a better point that end a search
ROUND, PATIENCE = 8, 96
#: of so many candidates that are asked for, one is left for the neighbours of the front
KEPT = 5
#: last stage that every candidate goes through, how many go through the dear ones at once, and
#: how many are looked at before the first does: the best of many rules out more
CHEAP, TOGETHER, START = "read", 2, 3 * ROUND

Evaluate = Callable[[list[Task]], Iterator[tuple[int, dict[str, Any], bool]]]


class Search:
    """One search.

    Args:
        target: what is asked for.
        evaluate: does tasks and yields of each its number, its result and whether that was there
            already.
        pace: told of every candidate, in phases of which each is of one kind.
        together: how many are computed at the same time where they go by their order.
    """

    def __init__(
        self, target: Target, evaluate: Evaluate, pace: Pace, together: int = TOGETHER
    ) -> None:
        self.target, self._evaluate, self.pace = target, evaluate, pace
        self._together = together
        self.seen: dict[Choice, Candidate] = {}
        self._proposals = Proposals(target, start=2 * ROUND)
        #: candidates whose dear figures are not known, and what was found in an earlier run
        self._pending: dict[Choice, tuple[RunConfig, ...]] = {}
        self._free: set[Choice] = set()
        self._dear = any(
            STAGES.index(metric.stage) > STAGES.index(CHEAP) for metric in target.wanted
        )
        self._ends = (
            None
            if target.search["minutes"] is None
            else time.monotonic() + 60 * target.search["minutes"]
        )

    def run(self) -> Outcome:
        """Search until everything was seen, nothing better turns up, or candidates or time end.

        Of the candidates that are asked for, some are left for the neighbours of the front.
        """
        most = min(self.target.search["candidates"], self.target.size)
        (first, *more) = self.target.goals
        if most == self.target.size and not more and METRICS[first].stage == STAGES[0]:
            self._upward()
            ended = ""
        else:
            ended = self._proposed(most)
        complete = len(self.seen) >= self.target.size and not self._pending
        complete &= not any(candidate.failed for candidate in self.seen.values())
        ended = ended or f"{len(self.seen)} candidates were looked at"
        front = self.front()
        if complete:
            how = "" if front else ", each until it missed a target"
            ended = f"every combination was looked at{how}"
        if self.late():
            ended = "its time was over"
        by_theory = sum(candidate.stage == THEORY for candidate in self.seen.values())
        return Outcome([*self.seen.values()], front, ended, complete, by_theory)

    def _proposed(self, most: int) -> str:
        """Look at what the library proposes; returns why it ended, empty if at the most."""
        self.pace.phase("search", most, most=True)
        kept = 0 if most == self.target.size else most // KEPT
        ended = self._until(most - kept, most)
        if self.front():
            self._polish(most)
            if not ended:  # what the neighbours left
                ended = self._until(most, most)
        return ended

    def _upward(self) -> None:
        """Draw everything, and compute it from the best on until one meets every target."""
        sizes = [len(f.values) for f in self.target.free]
        self.pace.phase("draw", self.target.size)
        configs = self._drawable([*itertools.product(*map(range, sizes))])
        self._compute(configs, STAGES[0])
        waiting = [choice for choice in configs if self.seen[choice].why is None]
        waiting.sort(key=lambda c: (costs(self.seen[c], self.target), c))
        drawn = {choice: self.seen[choice] for choice in waiting}
        self.pace.phase("search", len(waiting), most=True)
        while waiting and not self.front() and not self.late():
            now = self._next(waiting, configs)
            waiting = waiting[len(now) :]
            self._compute({choice: configs[choice] for choice in now}, STAGES[-1])
        if found := self.front():
            # whatever was computed of those behind it, which depends on how many are at a time
            order = [*drawn]
            for choice in order[order.index(found[0].choice) + 1 :]:
                self.seen[choice] = replace(drawn[choice], why=BETTERED)
        else:  # its time was over
            for choice in waiting:
                del self.seen[choice]

    def _next(
        self, waiting: list[Choice], configs: dict[Choice, tuple[RunConfig, ...]]
    ) -> list[Choice]:
        """Return the first of those that wait: as many drawings as are computed at a time."""
        drawings: set[str] = set()
        for count, choice in enumerate(waiting):
            drawings.add(drawing(configs[choice]))
            if len(drawings) > self._together:
                return waiting[:count]
        return waiting

    def _until(self, enough: int, most: int) -> str:
        """Propose and look, until enough were seen, or most without a point.

        Returns:
            Why it ended before, in words; empty if it did not.
        """
        better_at, front = len(self.seen), self.front()
        ended = ""
        while not ended and len(self.seen) < (enough if front else most):
            room = (enough if front else most) - len(self.seen)
            self._round(self._proposals.ask(min(ROUND, room), self.seen))
            if (now := self.front()) != front:
                better_at, front = len(self.seen), now
            if front and len(self.seen) - better_at >= PATIENCE:
                ended = f"nothing better among the last {len(self.seen) - better_at} candidates"
            elif self.late():
                ended = "its time was over"
        self._finish()
        return ended

    def front(self) -> list[Candidate]:
        """Return the points that meet every target and that no other one betters."""
        good = [c for c in self.seen.values() if c.meets(self.target)]
        return pareto(good, self.target)

    def look(self, choices: list[Choice]) -> list[Candidate]:
        """Compute everything of some combinations, whatever they miss.

        What ended one before is kept, and all of it where the rest cannot be computed.
        """
        before = {choice: self.seen[choice] for choice in choices if choice in self.seen}
        self._round(choices, whole=True)
        for choice, old in before.items():
            if old.why is not None:
                new = self.seen[choice]
                self.seen[choice] = replace(new, why=old.why) if new.usable else old
        return [self.seen[choice] for choice in choices]

    def late(self) -> bool:
        """Return whether its time is over."""
        return self._ends is not None and time.monotonic() > self._ends

    def _round(self, choices: list[Choice], *, whole: bool = False) -> None:
        """Look at some combinations; what is dear to find only of the best among them."""
        configs = self._drawable(choices)
        through = STAGES[-1] if whole or not self._dear else CHEAP
        found = self._compute(configs, through, whole=whole)
        for choice, candidate in found.items():
            self._pending.pop(choice, None)
            if through == CHEAP and candidate.why is None:
                self._pending[choice] = configs[choice]
        if len(self.seen) >= START and not whole:
            self._resolve()
        self._proposals.tell(self.seen, self._pending)

    def _drawable(self, choices: list[Choice]) -> dict[Choice, tuple[RunConfig, ...]]:
        """Return the configurations of combinations; those that cannot be are noted."""
        configs: dict[Choice, tuple[RunConfig, ...]] = {}
        for choice in choices:
            try:
                configs[choice] = tuple(self.target.configs(choice))
            except CrossStackError as error:
                self.seen[choice] = Candidate(choice, why=str(error), refused=True)
                self.pace.piece(str(error), free=True)
        return configs

    def _resolve(self) -> None:
        """Compute the rest of the best candidates that wait; what they better waits no longer."""
        best: dict[Choice, tuple[RunConfig, ...]] = {}
        front = [point.goals(self.target) for point in self.front()]
        for choice in sorted(self._pending, key=lambda c: (costs(self.seen[c], self.target), c)):
            mine = self.seen[choice]
            if any(covers(self.target.goals, rival, mine.goals(self.target)) for rival in front):
                self.seen[choice] = replace(mine, why=BETTERED)
                del self._pending[choice]
                self.pace.piece(BETTERED, free=choice in self._free)
            elif len(best) < TOGETHER:
                best[choice] = self._pending.pop(choice)
        self._compute(best, STAGES[-1])

    def _finish(self) -> None:
        """Resolve everything that waits."""
        while self._pending and not self.late():
            self._resolve()
        self._proposals.tell(self.seen, self._pending)

    def _compute(
        self, configs: dict[Choice, tuple[RunConfig, ...]], through: str, *, whole: bool = False
    ) -> dict[Choice, Candidate]:
        rivals = () if whole else tuple(c.goals(self.target) for c in self.front())
        bounds, goals = self.target.bounds, self.target.goals
        choices = [*configs]
        tasks = [Task(configs[c], bounds, goals, rivals, whole, through) for c in choices]
        found = {}
        for number, result, free in self._evaluate(tasks):
            found[choices[number]] = candidate = Candidate(choices[number], **result)
            if free:
                self._free.add(choices[number])
            if through != CHEAP or candidate.why is not None:
                good = "meets every target" if through == STAGES[-1] else "drawn"
                good = "computed in full" if whole else good
                self.pace.piece(candidate.why or good, free=free)
        self.seen |= {choice: found[choice] for choice in choices}
        return found

    def _polish(self, most: int) -> None:
        """Look at the neighbours of every point of the front, until none is better."""
        while not self.late():
            front = self.front()
            near = {n: None for c in front for n in self._neighbours(c.choice)}
            todo = [choice for choice in near if choice not in self.seen]
            room = most - len(self.seen)
            if not todo or room <= 0:
                return
            todo = todo[:room]
            for start in range(0, len(todo), ROUND):
                self._round(todo[start : start + ROUND])
            self._finish()
            if self.front() == front:
                return

    def _neighbours(self, choice: Choice) -> Iterator[Choice]:
        for place, free in enumerate(self.target.free):
            count, mine = len(free.values), choice[place]
            near = (mine - 1, mine + 1) if free.ordered else range(count)
            for other in near:
                if 0 <= other < count and other != mine:
                    yield (*choice[:place], other, *choice[place + 1 :])
