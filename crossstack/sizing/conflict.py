"""Why a target cannot be had: which of its parts conflict, and what comes nearest."""

from __future__ import annotations

import itertools
from typing import Any

from .evaluate import THEORY
from .metrics import METRICS, STAGES
from .search import Candidate, Search
from .target import Target

#: candidates that are computed in full to tell which targets conflict: for each target, and
#: nearest to all
_EACH, _NEAREST = 2, 4


def conflicts(search: Search, target: Target) -> dict[str, Any]:
    """Return the fewest targets that no candidate meets together, and the best of each.

    Args:
        search: that found no point.
        target: what was asked for.

    Returns:
        ``targets``: names of the fewest that conflict; ``best``: target -> best value that was
        seen, and whether that reaches it.
    """
    worth = _worth_a_look(search, target)
    # there must be a nearest one to build, even when the time is over
    search.look(worth[:1] if search.late() else worth)
    known = [c.excess(target) for c in search.seen.values() if c.usable]
    best = {name: _best(search, name, bound) for name, bound in target.bounds.items()}
    names = list(target.bounds)
    for count in range(1, len(names) + 1):
        for some in itertools.combinations(names, count):
            if not any(all(found.get(name, 1.0) <= 0 for name in some) for found in known):
                return {"targets": list(some), "best": best}
    return {"targets": names, "best": best}


def nearest(search: Search, target: Target) -> list[Candidate]:
    """Return the candidate that misses the targets by the least part; none if none can be drawn."""
    whole = [c for c in search.seen.values() if c.usable and c.why is None]
    found = sorted(whole, key=lambda c: (_miss(c, target), c.goals(target)))
    return found[:1]


def _worth_a_look(search: Search, target: Target) -> list[tuple[int, ...]]:
    """Return the combinations that come nearest to every target, and to all together."""
    drawn = [c for c in search.seen.values() if c.usable]
    chosen: dict[tuple[int, ...], None] = {}
    # what came far misses little: the later the stage, the more is met
    for candidate in sorted(drawn, key=lambda c: (-len(c.figures), _miss(c, target)))[:_NEAREST]:
        chosen[candidate.choice] = None
    for name in target.bounds:
        known = [c for c in drawn if name in c.excess(target)]
        for candidate in sorted(known, key=lambda c: c.excess(target)[name])[:_EACH]:
            chosen[candidate.choice] = None
    return [*chosen]


def _miss(candidate: Candidate, target: Target) -> float:
    """Return by what part the worst target is missed, of those that are known."""
    return max(0.0, *candidate.excess(target).values(), 0.0)


def _best(search: Search, name: str, bound: float) -> dict[str, Any]:
    metric = METRICS[name]
    # theory says what is out of reach, not what is had
    had = [c for c in search.seen.values() if c.stage != THEORY or METRICS[name].stage == STAGES[0]]
    values = [c.figures[name] for c in had if c.figures.get(name) is not None]
    known = [float(value) for value in values if value is not None]
    best = (max(known) if metric.higher else min(known)) if known else None
    return {"best": best, "reached": not metric.misses(best, bound)}
