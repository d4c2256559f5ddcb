"""The picture of a search: every candidate that was computed, the front, and the targets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..base.outputs import one_step
from .metrics import METRICS
from .search import Outcome
from .target import Target


def pareto_png(path: Path, target: Target, outcome: Outcome, value: Mapping[str, Any]) -> None:
    """Draw the candidates over the first goal and the next goal or target.

    Args:
        path: PNG to write.
        target: what was asked for.
        outcome: what the search looked at.
        value: content of size.json, for the points that were built.
    """
    from matplotlib.figure import Figure

    x, y = _axes(target)
    figure = Figure(figsize=(6.4, 4.6), layout="constrained", dpi=110)
    axis = figure.subplots()
    groups: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for candidate in outcome.seen:
        place = _place(candidate.figures, x, y)
        if place is not None:
            groups[candidate.meets(target)].append(place)
    for good, words, color in ((False, "misses a target, or bettered", "0.7"),
                               (True, "meets every target", "C0")):  # fmt: skip
        if groups[good]:
            axis.plot(*zip(*groups[good], strict=True), "o", ms=4, color=color, label=words)
    for point in value["points"]:
        if (place := _place(point["worst"], x, y)) is not None:
            axis.plot(*place, "*", ms=13, color="C3" if point["met"] else "C1")
            axis.annotate(point["name"], place, xytext=(6, 6), textcoords="offset points")
    for name, line in ((x, axis.axvline), (y, axis.axhline)):
        if name in target.bounds:
            line(target.bounds[name] * METRICS[name].scale, color="C3", ls="--", lw=1)
    axis.set(xlabel=_words(x), ylabel=_words(y))
    if any(groups.values()):
        axis.legend(fontsize=8)
    with one_step(path) as work:
        figure.savefig(work, metadata={"Software": None})


def _axes(target: Target) -> tuple[str, str]:
    """Return the figures of both axes."""
    names = [metric.name for metric in target.wanted]
    first = target.goals[0]
    other = [*target.goals[1:], *(name for name in names if name != first), first]
    return first, other[0]


def _place(figures: Mapping[str, float | None], x: str, y: str) -> tuple[float, float] | None:
    at = [figures.get(name) for name in (x, y)]
    if at[0] is None or at[1] is None:
        return None
    return at[0] * METRICS[x].scale, at[1] * METRICS[y].scale


def _words(name: str) -> str:
    metric = METRICS[name]
    return f"{name} ({metric.shown or metric.unit})"
