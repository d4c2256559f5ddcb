"""What is computed in full where nothing meets the targets: all that may be nearest, or best alone.

A candidate was looked at until it missed a target, so that its other figures are not known. Those
that are, and what theory allows at best, say how good it can be at most: whatever can be better
than the best that is known is computed, the most promising first. Where that would be too much,
it ends, and what is named then is the best of those that were computed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable

from .candidates import Candidate, Choice
from .evaluate import THEORY
from .metrics import METRICS, STAGES
from .search import ROUND, Search
from .target import Target

#: candidates that are computed, and cells that they may have in all: whichever ends first; of large
#: arrays some are computed all the same, however many cells they have
MOST, CELLS, LEAST = 64, 16_384, 2
#: stands for the name of a target where it is asked what is nearest to all of them
NEAREST = ""


def exact(candidate: Candidate, name: str) -> bool:
    """Return whether a figure was computed; else it is not known, or is what it is at best."""
    reached = STAGES[0] if candidate.stage == THEORY else candidate.stage
    return name in candidate.figures and (
        STAGES.index(METRICS[name].stage) <= STAGES.index(reached)
    )


def full(candidate: Candidate, target: Target) -> bool:
    """Return whether every figure that matters was computed."""
    return candidate.usable and all(exact(candidate, metric.name) for metric in target.wanted)


def nearness(candidate: Candidate, target: Target) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return by what parts the targets are missed, the most first, then the goals; less is better.

    What is not known counts as if it were as good as can be.
    """
    excess = candidate.excess(target)
    parts = sorted((max(0.0, excess.get(name, 0.0)) for name in target.bounds), reverse=True)
    costs = (_cost(candidate, goal) for goal in target.goals)
    return tuple(parts), tuple(costs)


def _cost(candidate: Candidate, goal: str) -> float:
    """Return a goal as a number of which less is better."""
    if goal not in candidate.figures:
        return -math.inf
    value = candidate.figures[goal]
    if value is None:
        return math.inf
    return -value if METRICS[goal].higher else value


def compute_closest(search: Search, target: Target) -> dict[str, bool]:
    """Compute what may be nearest to the targets, or the best in one of them.

    Args:
        search: that found no point.
        target: what was asked for.

    Returns:
        target, or `NEAREST` -> whether no other candidate that was looked at can be better.
    """
    tried: list[Choice] = []
    search.pace.phase("nearest", 0, most=True)
    while True:
        better = {name: _better(search, target, name) for name in (NEAREST, *target.bounds)}
        waiting = [choice for choice in _in_turn(better.values()) if choice not in tried]
        waiting = waiting[: MOST - len(tried)]
        room = _room(target, tried, waiting)
        todo = waiting[: min(room, ROUND)]
        # there must be a nearest one to build, even when time or cells are over
        known = any(full(c, target) for c in search.seen.values())
        if search.late() or not todo:
            todo = [] if known else waiting[:1]
        if not todo:
            return {name: not more for name, more in better.items()}
        search.pace.total = len(tried) + max(len(todo), room)
        search.look(todo)
        tried += todo


def _room(target: Target, tried: list[Choice], waiting: list[Choice]) -> int:
    """Return how many of those that wait may be computed."""
    cells = sum(_cells(target, choice) for choice in tried)
    for count, choice in enumerate(waiting):
        cells += _cells(target, choice)
        if cells > CELLS and len(tried) + count >= LEAST:
            return count
    return len(waiting)


def _cells(target: Target, choice: Choice) -> int:
    """Return how many cells are solved for a combination, at all conditions."""
    return sum(config.spec.rows * config.spec.cols for config in target.configs(choice))


def _better(search: Search, target: Target, name: str) -> list[Choice]:
    """Return what may be better than the best that is known, the most promising first."""
    usable = [c for c in search.seen.values() if c.usable]
    if name == NEAREST:
        return _below(
            usable, lambda c: nearness(c, target), lambda c: full(c, target), lambda c: ()
        )
    # where nothing is known, what is large is wide, and loses the least
    return _below(
        usable,
        lambda c: c.excess(target).get(name, -math.inf),
        lambda c: exact(c, name),
        lambda c: (-(c.figures.get("area_um2") or 0.0), nearness(c, target)),
    )


def _below(
    usable: Iterable[Candidate],
    miss: Callable[[Candidate], object],
    known: Callable[[Candidate], bool],
    then: Callable[[Candidate], object],
) -> list[Choice]:
    """Return the candidates that are not known and may miss less than the best that is.

    Args:
        usable: candidates.
        miss: what a candidate misses at least; all of it if it is known.
        known: whether it is.
        then: what tells those apart that miss the same.
    """
    order: list[tuple[object, object, Choice]] = sorted(
        (miss(c), then(c), c.choice)  # type: ignore[misc]
        for c in usable
        if not known(c)
    )
    least = min((miss(c) for c in usable if known(c)), default=None)  # type: ignore[type-var]
    return [choice for at, _, choice in order if least is None or at < least]  # type: ignore[operator]


def _in_turn(lists: Iterable[list[Choice]]) -> list[Choice]:
    """Return the first of every list, then the second ones, each once."""
    rows = itertools.zip_longest(*lists)
    return [*dict.fromkeys(choice for row in rows for choice in row if choice is not None)]
