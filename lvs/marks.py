"""Where findings point, and polygons that can be counted."""

from __future__ import annotations

import klayout.db as db

#: Findings of one kind that are spelled out.
MOST = 20


def centers(region: db.Region, dbu: float) -> list[tuple[float, float]]:
    """Return the centres in um of the first polygons of a region, from the south-west on."""
    boxes = sorted((p.bbox() for p in region.merged().each()), key=lambda b: (b.bottom, b.left))
    found = [box.to_dtype(dbu).center() for box in boxes[:MOST]]
    return [(center.x, center.y) for center in found]


def flat(region: db.Region) -> db.Region:
    """Return a layer without its hierarchy; only there can polygons be counted.

    In a hierarchical layer, KLayout counts those of one shape in two cells, or long ones that it
    cut in pieces, several times.
    """
    found = db.Region()
    found.insert(region)
    return found
