"""What a search looks at, what it found of it, and which of it is the best."""

from __future__ import annotations

from dataclasses import dataclass, field

from .metrics import METRICS, UNKNOWN
from .target import Target

#: stands for a goal that is not known; constraints keep such a candidate from being liked
_FAR = 1e12

#: places in the lists of values
Choice = tuple[int, ...]


@dataclass(frozen=True)
class Candidate:
    """A combination and what was found of it.

    Attributes:
        choice: places in the lists of values.
        figures: metric -> value; of an error that theory ruled out, what it is at least.
        stage: how far it came.
        why: what ended it; None if everything is known.
        refused: whether it cannot be drawn.
        failed: whether it could not be computed.
    """

    choice: Choice
    figures: dict[str, float | None] = field(default_factory=dict)
    stage: str = "draw"
    why: str | None = None
    refused: bool = False
    failed: bool = False

    @property
    def usable(self) -> bool:
        """Whether its figures, as far as they go, say something."""
        return not (self.refused or self.failed)

    def excess(self, target: Target) -> dict[str, float]:
        """Return target -> by what part of it it is missed, of those that are known."""
        if not self.usable:
            return dict.fromkeys(target.bounds, UNKNOWN)
        return {
            name: METRICS[name].excess(self.figures[name], bound)
            for name, bound in target.bounds.items()
            if name in self.figures
        }

    def meets(self, target: Target) -> bool:
        """Return whether every target is met, and every goal known."""
        known = all(self.figures.get(metric.name) is not None for metric in target.wanted)
        return known and self.usable and max(self.excess(target).values(), default=0.0) <= 0

    def goals(self, target: Target) -> tuple[float, ...]:
        """Return the goals' values; what is not known is far from good."""
        found = [self.figures.get(name) for name in target.goals]
        far = [-_FAR if METRICS[name].higher else _FAR for name in target.goals]
        return tuple(f if v is None else float(v) for v, f in zip(found, far, strict=True))


@dataclass
class Outcome:
    """What a search found.

    Attributes:
        seen: every candidate, in the order of the search.
        front: those that meet the targets and that no other one betters, best first.
        ended: why it ended, in words.
        complete: whether every combination was looked at.
        by_theory: how many theory ruled out.
    """

    seen: list[Candidate]
    front: list[Candidate]
    ended: str
    complete: bool
    by_theory: int = 0


def costs(candidate: Candidate, target: Target) -> tuple[float, ...]:
    """Return the goals of a candidate as numbers of which less is better."""
    signs = [-1.0 if METRICS[goal].higher else 1.0 for goal in target.goals]
    return tuple(s * v for s, v in zip(signs, candidate.goals(target), strict=True))


def pareto(good: list[Candidate], target: Target) -> list[Candidate]:
    """Return the candidates that no other one betters, sorted by the goals, each goal once."""
    best: dict[tuple[float, ...], Candidate] = {}
    for candidate in good:
        best.setdefault(costs(candidate, target), candidate)
    every = sorted(best)
    kept = [
        mine
        for mine in every
        if not any(
            other != mine and all(a <= b for a, b in zip(other, mine, strict=True))
            for other in every
        )
    ]
    return [best[mine] for mine in kept]
