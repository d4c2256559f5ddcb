"""Shapes that only touch: KLayout takes them for joined, while no current could pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import klayout.db as db

from ..base.units import place
from .extraction import ExtractedLayout, Finding
from .marks import MOST, centers, flat

if TYPE_CHECKING:
    from collections.abc import Iterator

#: dbu around a suspicious place that are looked at
_AROUND = 10
#: shapes up to which they are checked flat: cells heaped over each other take a minute otherwise
_FEW = 50_000


def touches(extracted: ExtractedLayout) -> list[Finding]:
    """Return conductors and devices that meet at a corner, and cuts that miss their metal."""
    return [*_corners(extracted), *_cuts(extracted)]


def _corners(extracted: ExtractedLayout) -> Iterator[Finding]:
    """Yield where shapes of one layer meet at a corner only."""
    bodies = (device.body for device in extracted.tech.nets.devices)
    for name in dict.fromkeys((*extracted.wiring.conductors, *bodies)):
        for x, y in _kisses(extracted.regions[name]):
            at = (x * extracted.dbu, y * extracted.dbu)
            text = f"two shapes of {name} meet at a corner only, at {place(at)}: nothing joins them"
            yield Finding("touch", text, (at,))


def _kisses(region: db.Region) -> list[tuple[int, int]]:
    """Return the first points, from the south-west on, at which polygons meet at a corner only."""
    few = region.count() <= _FEW
    if few:
        region = flat(region).merged(True, 0)
    square = few and _is_square(region)
    # merged so that what meets at a corner is one polygon, there are fewer, or more holes
    if square and _pieces_less_holes(region) == _pieces_less_holes(region.merged(False, 0)):
        return []
    near = _close_corners(region) if square else _close(region)
    if near.is_empty():
        return []
    found: set[tuple[int, int]] = set()
    # merged so that what meets at a corner is one polygon, and then so that it is several
    for polygon in flat(region & near).merged(False, 0).each():
        parts = list(db.Region(polygon).merged(True, 0).each())
        corners = (edge.p1 for part in parts for edge in part.each_edge())
        # the sides of a polygon belong to it
        found |= {(p.y, p.x) for p in corners if sum(part.inside(p) for part in parts) > 1}
    return [(x, y) for y, x in sorted(found)[:MOST]]


def _pieces_less_holes(region: db.Region) -> int:
    return int(region.count() - region.holes().count())


def _is_square(region: db.Region) -> bool:
    """Return True if all angles are right ones: then what meets at a point has a corner there."""
    return region.non_rectilinear().is_empty()


def _close_corners(region: db.Region) -> db.Region:
    """Return surroundings of corners that lie within 1 dbu of each other.

    Lines as long as an array are each near all of the others that cross the array: what grows
    with their number squared for whole edges grows with the number of corners here.
    """
    return region.corners(-180.0, 180.0, 1).merged(False, 2).sized(_AROUND).merged()


def _close(region: db.Region) -> db.Region:
    """Return surroundings of edges that lie within 1 dbu of each other."""
    return flat(region.space_check(1).polygons(_AROUND)).merged()


def _cuts(extracted: ExtractedLayout) -> Iterator[Finding]:
    """Yield cuts that a conductor meets at an edge or corner, without lying on or under them."""
    for name, conductor in extracted.wiring.links:
        if name not in extracted.wiring.cuts:
            continue
        cut, metal = extracted.regions[name], extracted.regions[conductor]
        # most are covered, which takes a third of the time that finding those that are not takes
        covered = (cut - metal).is_empty()
        loose = db.Region() if covered else cut.not_inside(metal).interacting(metal)
        if loose.is_empty():
            continue
        beside = (loose.sized(1) - loose) & metal
        for at in centers(beside.not_interacting(loose & metal), extracted.dbu):
            text = f"{name} at {place(at)} only touches {conductor}, which does not cover it"
            yield Finding("touch", text, (at,))
