"""Grid lines of a scene: on every edge, close together there, farther apart away from edges."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .scene import Points, Scene

Floats = NDArray[np.float64]
Box = tuple[float, float, float, float]
#: samples of the wanted step between two edges
_SAMPLES = 65


@dataclass(frozen=True)
class Spacing:
    """How fine a grid is.

    Attributes:
        step_um: step at an edge of a conductor, at most.
        gap_share: the same as a share of what lies between it and the next one up or down.
        most_um: the longest step.
        growth: what a step gains per um away from the nearest edge, in um.
        far_um: step at edges outside the focus; edges closer than half of it count as one there.
        merge_um: edges inside the focus that are closer count as one.
    """

    step_um: float = 0.25
    gap_share: float = 0.5
    most_um: float = 1.5
    growth: float = 1.0
    far_um: float = 0.6
    merge_um: float = 0.012


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

    def halved(self) -> Lines:
        """Return the grid with a line in the middle of every step."""
        return Lines(
            *(
                np.interp(np.arange(2 * len(a) - 1) / 2, np.arange(len(a)), a)
                for a in (self.x, self.y, self.z)
            )
        )


def lines_of(scene: Scene, spacing: Spacing, focus: Box | None = None) -> Lines:
    """Return the grid of a scene.

    Args:
        scene: conductors and insulators.
        spacing: how fine.
        focus: x1, y1, x2, y2 in um: where it must be so fine; None for everywhere. Its own sides
            become grid lines.
    """
    near = focus or scene.window
    gaps = _gaps(scene)
    axes = []
    for axis in (0, 1):
        low, high = scene.window[axis], scene.window[axis + 2]
        a, b = near[axis], near[axis + 2]
        every = {at: d for at, d in _edges(scene, axis, gaps, spacing).items() if low < at < high}
        outer = {at: spacing.far_um for at in every if not a <= at <= b}
        steps = {at: every.get(at, np.inf) for at in (low, high, a, b)}
        _join(steps, {at: d for at, d in every.items() if a <= at <= b}, spacing.merge_um)
        _join(steps, outer, spacing.far_um / 2)
        axes.append(_graded(steps, spacing))
    axes.append(_graded(_heights(scene, spacing), spacing))
    return Lines(*axes)


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
            for at in _corners(points, axis, spacing.far_um):
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
    return {z: step for z, step in found.items() if 0.0 <= z <= scene.top_um}


def _join(steps: dict[float, float], more: dict[float, float], distance: float) -> None:
    """Add edges that are farther than a distance from those there are; others join the nearest."""
    # conductors before insulators, from the lowest
    for at in sorted(more, key=lambda at: (more[at] == np.inf, at)):
        nearest = min(steps, key=lambda other: abs(other - at))
        if abs(nearest - at) >= distance:
            steps[at] = more[at]
        else:
            steps[nearest] = min(steps[nearest], more[at])


def _graded(marks_steps: dict[float, float], spacing: Spacing) -> Floats:
    """Return lines through all edges, whose steps follow the distance to the nearest one."""
    marks = np.array(sorted(marks_steps))
    steps = np.array([marks_steps[at] for at in marks])
    found = [marks[:1]]
    for a, b in zip(marks[:-1], marks[1:], strict=True):
        at = np.linspace(a, b, _SAMPLES)
        wanted = (steps[:, None] + spacing.growth * np.abs(at - marks[:, None])).min(axis=0)
        wanted = np.minimum(wanted, spacing.most_um)
        count = np.concatenate([[0.0], np.cumsum((1 / wanted[1:] + 1 / wanted[:-1]) / 2)])
        count *= (b - a) / (_SAMPLES - 1)
        cells = max(1, int(np.ceil(count[-1] - 0.25)))
        found.append(np.interp(np.linspace(0, count[-1], cells + 1)[1:], count, at))
        found[-1][-1] = b
    return np.concatenate(found)
