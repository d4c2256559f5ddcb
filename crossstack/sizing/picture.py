"""The picture of a search: every candidate that was computed, the points, and the targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..base.units import setting
from ..report.charts import near
from ..report.points import Point, point_chart
from .candidates import Outcome
from .closest import exact
from .metrics import METRICS
from .target import Target

_KINDS = (
    ("bound, not computed", "c1"),
    ("misses a target", "c3"),
    ("meets every target", "c0"),
    ("point", "c2"),
)


def pareto_chart(target: Target, outcome: Outcome, value: Mapping[str, Any]) -> str:
    """Return the candidates over the first goal and the next goal or target, as SVG.

    Args:
        target: what was asked for.
        outcome: what the search looked at.
        value: content of size.json, for the points that were built.

    Returns:
        the chart; empty if no figure of any candidate is known.
    """
    x, y = _axes(target)
    groups: dict[str, list[Point]] = {style: [] for _, style in _KINDS[:-1]}
    for candidate in outcome.seen:
        at = _place(candidate.figures, x, y)
        if at is not None:
            known = exact(candidate, x) and exact(candidate, y)
            style = ("c0" if candidate.meets(target) else "c3") if known else "c1"
            choice = target.chosen(candidate.choice)
            words = ", ".join(f"{key} = {setting(chosen)}" for key, chosen in choice.items())
            said = f"{words}: {_says(x, at[0])}, {_says(y, at[1])}"
            said += "" if known else " at best"
            groups[style].append(Point(*at, "", style, said))
    named = [
        Point(*at, point["name"], "c2", f"{point['name']}: {_says(x, at[0])}, {_says(y, at[1])}")
        for point in value["points"]
        if (at := _place(point["worst"], x, y)) is not None
    ]
    points = [*(point for group in groups.values() for point in group), *named]
    if not points:
        return ""
    bounds = tuple(
        target.bounds[name] * METRICS[name].scale if name in target.bounds else None
        for name in (x, y)
    )
    x_axis, y_axis = (
        near([*values, *([bound] if bound is not None else [])], _words(name))
        for name, values, bound in zip(
            (x, y), ([p.x for p in points], [p.y for p in points]), bounds, strict=True
        )
    )
    used = {p.style for p in points}
    legend = [kind for kind in _KINDS if kind[1] in used]
    legend += [("target", "c2 dashed")] if any(b is not None for b in bounds) else []
    label = f"Candidates over {x} and {y}"
    return point_chart(label, points, x_axis, y_axis, legend, (bounds[0], bounds[1]))


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
    unit = METRICS[name].shown or METRICS[name].unit
    return name if name.endswith(f"_{unit}") else f"{name} ({unit})"


def _says(name: str, value: float) -> str:
    metric = METRICS[name]
    return f"{name} {value:.4g} {metric.shown or metric.unit}".rstrip()
