"""Why a target cannot be had: which of its parts conflict, and what comes nearest."""

from __future__ import annotations

import itertools
from typing import Any

from .candidates import Candidate
from .closest import NEAREST, compute_closest, exact, full, nearness
from .metrics import METRICS
from .search import Search
from .target import Target


def conflicts(search: Search, target: Target) -> dict[str, Any]:
    """Return the targets that no candidate meets, alone or together, and the best of each.

    Args:
        search: that found no point.
        target: what was asked for.

    Returns:
        ``targets``: names of all that no candidate meets; where there are none, of the fewest that
        no candidate meets together. ``alone``: whether they are the former. ``best``: target ->
        best value that was computed, whether that reaches it, of how many candidates it was
        ``computed``, and whether it is ``settled`` that no other one that was looked at is better.
        ``nearest``: the same two of the point that is nearest.
    """
    settled = compute_closest(search, target)
    usable = [c for c in search.seen.values() if c.usable]
    best = {name: _best(usable, name, target) for name in target.bounds}
    for name, found in best.items():
        found["settled"] = settled[name]
    alone = [name for name in target.bounds if _none_meets(usable, (name,), target)]
    computed = sum(full(c, target) for c in usable)
    return {
        "targets": alone or _together(usable, target),
        "alone": bool(alone),
        "best": best,
        "nearest": {"computed": computed, "settled": settled[NEAREST]},
    }


def nearest(search: Search, target: Target) -> list[Candidate]:
    """Return the candidate that misses the targets by the least part; none if none can be drawn."""
    whole = [c for c in search.seen.values() if full(c, target)]
    return sorted(whole, key=lambda c: (nearness(c, target), c.choice))[:1]


def _together(usable: list[Candidate], target: Target) -> list[str]:
    """Return the fewest targets one of which every candidate misses; all if nobody knows."""
    names = [*target.bounds]
    for count in range(2, len(names)):
        for some in itertools.combinations(names, count):
            if _none_meets(usable, some, target):
                return [*some]
    return names


def _none_meets(usable: list[Candidate], names: tuple[str, ...], target: Target) -> bool:
    """Return whether every candidate is known to miss a target, be it by theory."""
    return all(
        any(
            name in c.figures and METRICS[name].misses(c.figures[name], target.bounds[name])
            for name in names
        )
        for c in usable
    )


def _best(usable: list[Candidate], name: str, target: Target) -> dict[str, Any]:
    # theory, and a few writes or reads of all, say what is out of reach, not what is had
    metric = METRICS[name]
    values = [c.figures[name] for c in usable if exact(c, name)]
    known = [float(value) for value in values if value is not None]
    best = (max(known) if metric.higher else min(known)) if known else None
    reached = not metric.misses(best, target.bounds[name])
    return {"best": best, "reached": reached, "computed": len(known)}
