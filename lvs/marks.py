"""Where findings point."""

from __future__ import annotations

import klayout.db as db

#: Findings of one kind that are spelled out.
MOST = 20


def centers(region: db.Region, dbu: float) -> list[tuple[float, float]]:
    """Return the centres in um of the first polygons of a region, from the south-west on."""
    boxes = sorted((p.bbox() for p in region.merged().each()), key=lambda b: (b.bottom, b.left))
    found = [box.to_dtype(dbu).center() for box in boxes[:MOST]]
    return [(center.x, center.y) for center in found]
