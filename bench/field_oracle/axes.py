"""Lengths in which a scene is meshed: thin films thicker, long ways shorter, than they are.

A film of 10 nm between lines of micrometres would force tiny tetrahedra, and a line of 50 um many
equal ones. Each axis is therefore mapped by a function that is linear between breaks. The mesh is
made and refined as drawn, and moved back for the field: no tetrahedron turns over, since none lies
across a break.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crossstack.extract.field.scene import Points, Scene

Floats = NDArray[np.float64]
#: digits after the point of a um that count
DIGITS = 6
#: corners closer than this are one, in um
GRID_UM = 1e-6


@dataclass(frozen=True)
class Axis:
    """A map of one axis.

    Attributes:
        true: breaks in um.
        drawn: the same where the mesh is made.
    """

    true: Floats
    drawn: Floats

    def __call__(self, at: Floats | float) -> Floats:
        """Return where a true coordinate is drawn."""
        return np.interp(at, self.true, self.drawn)

    def back(self, at: Floats) -> Floats:
        """Return the true coordinate of a drawn one."""
        return np.interp(at, self.drawn, self.true)


@dataclass(frozen=True)
class Lengths:
    """What an axis keeps, in um.

    Attributes:
        least: a gap between two heights is drawn at least so thick.
        near: so far from a corner nothing is shortened.
        middle: what lies farther off is drawn at most so long.
    """

    least: float
    near: float
    middle: float


def axes_of(scene: Scene, levels: list[float], lengths: Lengths) -> tuple[Axis, Axis, Axis]:
    """Return the maps of x, y and z of a scene, in which something begins or ends at levels."""
    x1, y1, x2, y2 = scene.window
    every = [p for body in (*scene.conductors, *scene.insulators) for p in body.polygons or ()]
    marks = np.array(levels)
    thick = np.maximum(np.diff(marks), lengths.least)
    z = _joined(marks, np.concatenate([[0.0], np.cumsum(thick)]))
    if not all(_is_square(points) for points in every):
        # a slanted edge would become a bent one
        return _plain(x1, x2), _plain(y1, y2), z
    metal = [p for body in scene.conductors for p in body.polygons]
    found = []
    for k, (low, high) in enumerate(((x1, x2), (y1, y2))):
        corners = {round(p[k], DIGITS) for points in every for p in points}
        corners = {c for c in corners if low < c < high}
        spans = [(min(p[k] for p in points), max(p[k] for p in points)) for points in metal]
        found.append(_axis(sorted({low, high} | corners), spans, lengths))
    return found[0], found[1], z


def _plain(low: float, high: float) -> Axis:
    return Axis(np.array([low, high]), np.array([low, high]))


def _is_square(points: Points) -> bool:
    ends = (*points, points[0])
    return all(min(abs(a[0] - b[0]), abs(a[1] - b[1])) < 1e-9 for a, b in pairwise(ends))


def _axis(marks: list[float], spans: list[tuple[float, float]], lengths: Lengths) -> Axis:
    """Return the map of an axis with corners at marks and conductors from end to end of spans."""
    true, drawn = [marks[0]], [marks[0]]
    for k, (a, b) in enumerate(pairwise(marks)):
        # a mirror at the edge of the window is no corner
        c = a + (lengths.near if k > 0 else 0.0)
        d = b - (lengths.near if k < len(marks) - 2 else 0.0)
        # along a conductor the field is even; beside all of them it fades, and is kept
        along = any(low <= a + GRID_UM and high >= b - GRID_UM for low, high in spans)
        if along and d - c > lengths.middle:
            ways = [(c, c - a), (d, lengths.middle), (b, b - d)]
        else:
            ways = [(b, b - a)]
        for end, way in ways:
            if end > true[-1]:
                true.append(end)
                drawn.append(drawn[-1] + way)
    return _joined(np.array(true), np.array(drawn))


def _joined(true: Floats, drawn: Floats) -> Axis:
    """Leave out breaks at which the slope stays."""
    slopes = np.diff(true) / np.diff(drawn)
    keep = np.concatenate([[True], np.abs(np.diff(slopes)) > 1e-9, [True]])
    return Axis(true[keep], drawn[keep])
