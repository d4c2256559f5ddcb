"""What fills the cells of a grid: the permittivity of each, or the conductor."""

from __future__ import annotations

from dataclasses import dataclass

import klayout.db as db
import numpy as np
from numpy.typing import NDArray

from .lines import Lines
from .scene import Points, Scene

Floats = NDArray[np.float64]
#: database unit of polygons here, um
_DBU_UM = 1e-4
#: rows in which a cell's share of a slanted polygon is taken
_ROWS = 8
#: a cell is metal if this share of it is; a stair whose corners lie on a slanted edge is its like
_METAL = 0.51


@dataclass(frozen=True)
class Cells:
    """Cells of a grid.

    Attributes:
        permittivity: relative, by cell; 0 in conductors, where there is no field.
        owner: by node: number of its net (0 ground, from 1 on `nets`), -1 where free.
        nets: names.
    """

    permittivity: Floats
    owner: NDArray[np.int32]
    nets: tuple[str, ...]


def fill(scene: Scene, lines: Lines) -> Cells:
    """Return what fills the cells: a conductor where it takes half of one at least."""
    shape = tuple(n - 1 for n in lines.shape)
    permittivity = np.ones(shape)
    for film in scene.insulators:
        share = _span(lines.z, film.low_um, film.high_um)
        layers = np.flatnonzero(share > 0)
        covered = np.ones(shape[:2]) if film.polygons is None else _covered(film.polygons, lines)
        part = covered[:, :, None] * share[None, None, layers]
        permittivity[:, :, layers] += (film.permittivity - permittivity[:, :, layers]) * part
    nets = scene.nets
    number = {"0": 0} | {net: k + 1 for k, net in enumerate(nets)}
    owner = np.full(lines.shape, -1, dtype=np.int32)
    owner[:, :, 0] = 0
    for body in scene.conductors:
        layers = np.flatnonzero(_span(lines.z, body.low_um, body.high_um) >= 0.5)
        metal = _covered(body.polygons, lines) > _METAL
        if not len(layers) or not metal.any():
            continue
        first, last = layers[0], layers[-1] + 1
        permittivity[metal, first:last] = 0.0
        at = np.zeros(lines.shape[:2], dtype=bool)
        for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            at[i : i + shape[0], j : j + shape[1]] |= metal
        owner[at, first : last + 1] = number[body.net]
    return Cells(permittivity, owner, nets)


def _span(z: Floats, low: float, high: float) -> Floats:
    """Return the share of each interval between two heights."""
    inside = np.minimum(z[1:], high) - np.maximum(z[:-1], low)
    share: Floats = np.clip(inside / np.diff(z), 0.0, 1.0)
    return share


def _covered(polygons: tuple[Points, ...], lines: Lines) -> Floats:
    """Return the share of each cell of the plan that polygons cover."""
    covered = np.zeros((len(lines.x) - 1, len(lines.y) - 1))
    region = db.Region()
    for points in polygons:
        if len(points) == 4 and _is_box(points):
            _add(covered, lines, *_box(points))
        else:
            corners = [db.Point(round(x / _DBU_UM), round(y / _DBU_UM)) for x, y in points]
            region.insert(db.Polygon(corners))
    for part in region.decompose_trapezoids_to_region().each():
        if part.is_box():
            box = part.bbox().to_dtype(_DBU_UM)
            _add(covered, lines, box.left, box.bottom, box.right, box.top)
        else:
            _add_slanted(covered, lines, part.to_dtype(_DBU_UM))
    return np.minimum(covered, 1.0)


def _is_box(points: Points) -> bool:
    return len({x for x, _ in points}) == 2 and len({y for _, y in points}) == 2


def _box(points: Points) -> tuple[float, float, float, float]:
    x, y = [p[0] for p in points], [p[1] for p in points]
    return min(x), min(y), max(x), max(y)


def _add(covered: Floats, lines: Lines, x1: float, y1: float, x2: float, y2: float) -> None:
    """Add the shares that a box covers."""
    i1, i2 = _range(lines.x, x1, x2)
    j1, j2 = _range(lines.y, y1, y2)
    if i1 < i2 and j1 < j2:
        across = _span(lines.x[i1 : i2 + 1], x1, x2)
        along = _span(lines.y[j1 : j2 + 1], y1, y2)
        covered[i1:i2, j1:j2] += across[:, None] * along[None, :]


def _range(axis: Floats, low: float, high: float) -> tuple[int, int]:
    first = int(np.searchsorted(axis, low, side="right")) - 1
    last = int(np.searchsorted(axis, high, side="left"))
    return max(first, 0), min(last, len(axis) - 1)


def _add_slanted(covered: Floats, lines: Lines, part: db.DPolygon) -> None:
    """Add the shares that a trapezoid with two level sides covers, in rows of each cell."""
    box = part.bbox()
    edges = [e for e in part.each_edge() if abs(e.dy()) > 0]
    j1, j2 = _range(lines.y, box.bottom, box.top)
    for j in range(j1, j2):
        low, high = max(lines.y[j], box.bottom), min(lines.y[j + 1], box.top)
        weight = (high - low) / (lines.y[j + 1] - lines.y[j]) / _ROWS
        for row in range(_ROWS):
            y = low + (row + 0.5) / _ROWS * (high - low)
            ends = [e.x1 + (y - e.y1) * e.dx() / e.dy() for e in edges]
            i1, i2 = _range(lines.x, min(ends), max(ends))
            covered[i1:i2, j] += weight * _span(lines.x[i1 : i2 + 1], min(ends), max(ends))
