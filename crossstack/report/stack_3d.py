"""The stack of one cell as boxes, for the turning picture of the report."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import klayout.db as db

from ..base.layout import read_layout
from ..pdk import Tech
from ..pdk.solids import solids_um
from .section_svg import first_crossing, region_of

#: thin films are drawn at least this thick and thick ones at most that, in um
_LEAST_UM, _MOST_UM = 0.14, 0.45
_MAX_BOXES = 3000


def stack_3d(path: Path, tech: Tech, size_um: tuple[float, float] | None) -> dict[str, Any]:
    """Return boxes of the films around the first memristor of a layout.

    Args:
        path: GDS file.
        tech: films and layers.
        size_um: width and height of the piece to show; None for 6 x 6 um.

    Returns:
        ``layers``: [name, colour, [x1, y1, z1, x2, y2, z2, ...] in nm], bottom to top, the
        memristor at x = y = 0; empty if the layout holds no memristor.
    """
    layout = read_layout(path)
    width, height = size_um or (6.0, 6.0)
    half_x, half_y = round(width / 2 / layout.dbu), round(height / 2 / layout.dbu)
    crossing = first_crossing(layout, tech, half_x)
    if crossing is None:
        return {"layers": []}
    c = crossing.center()
    window = db.Box(c.x - half_x, c.y - half_y, c.x + half_x, c.y + half_y)
    z = _stretched(tech)
    layers, count = [], 0
    for name, (low, high) in solids_um(tech).items():
        pieces = (region_of(layout, tech, name, window) & db.Region(window)).merged()
        numbers: list[int] = []
        for piece in pieces.decompose_trapezoids_to_region(db.Polygon.TD_htrapezoids).each():
            b = piece.bbox()
            numbers += [b.left - c.x, b.bottom - c.y, z[low]]
            numbers += [b.right - c.x, b.top - c.y, z[high]]
        count += len(numbers) // 6
        if numbers and count <= _MAX_BOXES:
            layers.append([name, tech.layer(name).color, numbers])
    return {"layers": layers}


def _stretched(tech: Tech) -> dict[float, int]:
    """Height in um -> drawn height in nm, every film between the least and the most."""
    edges = sorted({edge for pair in solids_um(tech).values() for edge in pair})
    z, at = {edges[0]: 0}, 0.0
    for low, high in pairwise(edges):
        at += min(max(high - low, _LEAST_UM), _MOST_UM)
        z[high] = round(at * 1000)
    return z
