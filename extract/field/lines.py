"""Grid lines of a scene: on every edge, close together there, farther apart away from edges."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .scene import Points, Scene

Floats = NDArray[np.float64]
Box = tuple[float, float, float, float]
#: an interval of a smaller share of the step that it needs stays whole: in the plan, and upwards,
#: where films are thin and fields strong
_SHORT, _THIN = 0.4, 0.1
#: steps are halved as far beyond the focus, um: a field at its border is made close outside, too
_NEAR_UM = 0.5
#: heights that are closer are one, um
_SAME_UM = 1e-5
#: samples of the wanted step between two edges
_SAMPLES = 65


@dataclass(frozen=True)
class Spacing:
    """How fine a grid is.

    Attributes:
        step_um: step at an edge of a conductor, at most.
        gap_share: the same as a share of what lies between it and the next one up or down.
        most_um: the longest step, where it matters.
        growth: what a step gains per um away from the nearest edge, in um.
        far: outside the focus a step is longer by this share of the distance from it, and edges
            closer by half of that share count as one.
        merge_um: edges inside the focus that are closer count as one; those of a drawing lie 5 nm
            apart at least.
    """

    step_um: float = 0.2
    gap_share: float = 0.5
    most_um: float = 1.5
    growth: float = 0.8
    far: float = 0.25
    merge_um: float = 0.004


@dataclass(frozen=True)
class Lines:
    """Grid lines of the three directions in um, ascending."""

    x: Floats
    y: Floats
    z: Floats

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of lines."""
        return len(self.x), len(self.y), len(self.z)


def lines_of(scene: Scene, spacing: Spacing, focus: Box | None = None) -> tuple[Lines, Lines]:
    """Return the grid of a scene, and the same with half the steps.

    Steps that edges make less than half as long as they need be are the same in both, as are
    those outside the focus.

    Args:
        scene: conductors and insulators.
        spacing: how fine.
        focus: x1, y1, x2, y2 in um: where it must be so fine; None for everywhere. Its own sides
            become grid lines.
    """
    near = focus or scene.window
    gaps = _gaps(scene)
    axes: list[tuple[Floats, Floats]] = []
    for axis in (0, 1):
        low, high = scene.window[axis], scene.window[axis + 2]
        a, b = near[axis], near[axis + 2]
        every = {at: d for at, d in _edges(scene, axis, gaps, spacing).items() if low < at < high}
        steps = {at: every.get(at, np.inf) for at in (low, high, a, b)}
        # conductors before insulators, from the focus outwards
        for at in sorted(every, key=lambda at: (max(a - at, at - b, 0), every[at] == np.inf, at)):
            away = max(a - at, at - b, 0.0)
            step = every[at] if not away else max(every[at], spacing.step_um + away * spacing.far)
            _join(steps, at, step, spacing.merge_um + away * spacing.far / 2)
        axes.append(_graded(steps, spacing, (a - _NEAR_UM, b + _NEAR_UM), _SHORT))
    axes.append(_graded(_heights(scene, spacing), spacing, (0.0, scene.top_um), _THIN))
    return Lines(*(pair[0] for pair in axes)), Lines(*(pair[1] for pair in axes))


def _gaps(scene: Scene) -> Floats:
    """Return the least distance of each conductor up or down to one of another net, um."""
    bodies = scene.conductors
    corners = [[p for points in body.polygons for p in points] for body in bodies]
    boxes = np.array([(*np.min(c, axis=0), *np.max(c, axis=0)) for c in corners])
    low, high = np.array([b.low_um for b in bodies]), np.array([b.high_um for b in bodies])
    numbers = {net: k for k, net in enumerate(sorted({b.net for b in bodies}))}
    net = np.array([numbers[b.net] for b in bodies])
    found = low.copy()  # the silicon
    for k in range(len(bodies)):
        x1, y1, x2, y2 = boxes[k]
        over = (boxes[:, 0] < x2) & (boxes[:, 2] > x1) & (boxes[:, 1] < y2) & (boxes[:, 3] > y1)
        apart = np.maximum(low - high[k], low[k] - high)[over & (net != net[k])]
        found[k] = min([found[k], *apart[apart > 0]])
    return found


def _edges(scene: Scene, axis: int, gaps: Floats, spacing: Spacing) -> dict[float, float]:
    """Return edge -> step there, in one direction; with lines across slanted edges."""
    found: dict[float, float] = {}
    for body, gap in zip(scene.conductors, gaps, strict=True):
        step = min(spacing.step_um, spacing.gap_share * gap) if gap > 0 else spacing.step_um
        for points in body.polygons:
            for at in _corners(points, axis, step):
                found[at] = min(found.get(at, np.inf), step)
    for film in scene.insulators:
        for points in film.polygons or ():
            for at in _corners(points, axis, spacing.most_um):
                found.setdefault(at, np.inf)
    return found


def _corners(points: Points, axis: int, step: float) -> Iterator[float]:
    """Yield one coordinate of all corners, and of places on slanted edges."""
    for a, b in zip(points, points[1:] + points[:1], strict=True):
        yield a[axis]
        if a[0] != b[0] and a[1] != b[1]:
            parts = math.ceil(abs(b[axis] - a[axis]) / step)
            yield from (a[axis] + (b[axis] - a[axis]) * k / parts for k in range(1, parts))


def _heights(scene: Scene, spacing: Spacing) -> dict[float, float]:
    """Return height -> step there."""
    found = {0.0: spacing.step_um, scene.top_um: np.inf}
    for film in scene.insulators:
        found |= {z: np.inf for z in (film.low_um, film.high_um) if z not in found}
    for body in scene.conductors:
        found |= {body.low_um: spacing.step_um, body.high_um: spacing.step_um}
    # sums of thicknesses may differ in their last digits
    held: dict[float, float] = {}
    for z in sorted(z for z in found if 0.0 <= z <= scene.top_um):
        _join(held, z, found[z], _SAME_UM)
    return held


def _join(steps: dict[float, float], at: float, step: float, distance: float) -> None:
    """Add an edge if it is farther than a distance from those there are; else it is the nearest."""
    nearest = min(steps, key=lambda other: abs(other - at), default=math.inf)
    if abs(nearest - at) >= distance:
        steps[at] = step
    else:
        steps[nearest] = min(steps[nearest], step)


def _graded(
    marks_steps: dict[float, float], spacing: Spacing, near: tuple[float, float], short: float
) -> tuple[Floats, Floats]:
    """Return lines through all edges, whose steps follow the distance to the nearest one."""
    marks = np.array(sorted(marks_steps))
    steps = np.array([marks_steps[at] for at in marks])
    coarse, fine = [marks[:1]], [marks[:1]]
    for a, b in pairwise(marks):
        at = np.linspace(a, b, _SAMPLES)
        wanted = (steps[:, None] + spacing.growth * np.abs(at - marks[:, None])).min(axis=0)
        away = np.maximum(np.maximum(near[0] - at, at - near[1]), 0.0)
        wanted = np.minimum(wanted, spacing.most_um + spacing.far * away)
        count = np.concatenate([[0.0], np.cumsum((1 / wanted[1:] + 1 / wanted[:-1]) / 2)])
        count *= (b - a) / (_SAMPLES - 1)
        cells = max(1, int(np.ceil(count[-1] - 0.25)))
        halved = 2 if count[-1] > short and near[0] < b and a < near[1] else 1
        line = np.interp(np.linspace(0, count[-1], cells + 1), count, at)
        line[-1] = b
        coarse.append(line[1:])
        fine.append(
            np.interp(np.arange(1, halved * cells + 1) / halved, np.arange(cells + 1), line)
        )
    return np.concatenate(coarse), np.concatenate(fine)
