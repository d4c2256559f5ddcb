"""Shapes that only touch: KLayout takes them for joined, while no current could pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import klayout.db as db

from ..base.units import place
from .extraction import ExtractedLayout, Finding
from .marks import MOST, centers

if TYPE_CHECKING:
    from collections.abc import Iterator


def touches(extracted: ExtractedLayout) -> list[Finding]:
    """Return conductors and devices that meet at a corner, and cuts that miss their metal."""
    return [*_corners(extracted), *_cuts(extracted)]


def _corners(extracted: ExtractedLayout) -> Iterator[Finding]:
    """Yield where shapes of one layer meet at a corner only."""
    bodies = (device.body for device in extracted.tech.nets.devices)
    for name in dict.fromkeys((*extracted.wiring.conductors, *bodies)):
        region = extracted.regions[name]
        # merged with and without corners: equal numbers where no polygon hangs on one
        if region.merged(False, 0).count() == region.merged(True, 0).count():
            continue
        for x, y in _kisses(region):
            at = (x * extracted.dbu, y * extracted.dbu)
            text = f"two shapes of {name} meet at a corner only, at {place(at)}: nothing joins them"
            yield Finding("touch", text, (at,))


def _kisses(region: db.Region) -> list[tuple[int, int]]:
    """Return the first points, from the south-west on, at which polygons of a region meet."""
    shapes = db.Shapes()
    parts = list(region.merged(True, 0).each())
    for part in parts:
        shapes.insert(part)
    found: set[tuple[int, int]] = set()
    for part in parts:
        for point in (edge.p1 for edge in part.each_edge()):
            near = shapes.each_touching(db.Box(point, point))
            # the sides of a polygon belong to it
            if sum(shape.polygon.inside(point) for shape in near) > 1:
                found.add((point.y, point.x))
    return [(x, y) for y, x in sorted(found)[:MOST]]


def _cuts(extracted: ExtractedLayout) -> Iterator[Finding]:
    """Yield cuts that a conductor meets at an edge or corner, without lying on or under them."""
    for name, conductor in extracted.wiring.links:
        if name not in extracted.wiring.cuts:
            continue
        cut, metal = extracted.regions[name], extracted.regions[conductor]
        loose = cut.interacting(metal).not_inside(metal)
        if loose.is_empty():
            continue
        beside = (loose.sized(1) - loose) & metal
        for at in centers(beside.not_interacting(loose & metal), extracted.dbu):
            text = f"{name} at {place(at)} only touches {conductor}, which does not cover it"
            yield Finding("touch", text, (at,))
