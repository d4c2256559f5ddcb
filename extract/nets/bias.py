"""Nets that a size bias grows into each other: the drawn nets are kept apart, so it is said."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import klayout.db as db

from ...lvs import ExtractedLayout
from ...pdk import Conditions
from ..sheet.shapes import place

#: pairs of nets that are named per conductor; the others are counted
_NAMED = 6


def grown_together(
    layout: ExtractedLayout, names: Sequence[str], conditions: Conditions
) -> list[str]:
    """Return a warning for each pair of nets that touch on a conductor once it is biased.

    A gap that comes out as one dbu counts as closed.

    Args:
        layout: nets and shapes.
        names: names of its nets.
        conditions: with the bias.
    """
    found = []
    for conductor, bias_um in conditions.size_bias_um.items():
        bias = round(bias_um / layout.dbu)
        if bias <= 0:
            continue
        pairs = _pairs(layout, conductor, bias)
        for (a, b), box in list(pairs.items())[:_NAMED]:
            where = place(box, layout.dbu)
            found.append(
                f"size_bias_um.{conductor} = {bias_um:g}: nets {names[a]} and {names[b]} "
                f"touch {where}; extracted as if they did not"
            )
        if len(pairs) > _NAMED:
            more = len(pairs) - _NAMED
            found.append(f"size_bias_um.{conductor} = {bias_um:g}: {more} more pairs of nets touch")
    return found


def _pairs(layout: ExtractedLayout, conductor: str, bias: int) -> dict[tuple[int, int], db.Box]:
    """Return the pairs of nets that touch, and where each does first; lines before others."""
    shapes, every = db.Shapes(), db.Region()
    drawn: dict[tuple[str, int], db.Region] = {}
    for net in layout.flat.nets:
        key = (net.net.circuit().name, net.net.cluster_id)
        if key not in drawn:
            own = layout.l2n.shapes_of_net(net.net, layout.regions[conductor], True)
            # one dbu more than the bias, so that edges that meet overlap
            drawn[key] = own.merged().sized(bias + 1, 2).merged()
        if drawn[key].is_empty():
            continue
        mine = drawn[key].transformed(db.ICplxTrans(net.trans, layout.dbu))
        every += mine
        for polygon in mine.each():
            shapes.insert(db.PolygonWithProperties(polygon, net.number + 1))
    pairs: dict[tuple[int, int], db.Box] = {}
    for overlap in every.merged(2).each():
        near: dict[int, db.Region] = {}
        for shape in shapes.each_touching(overlap.bbox()):
            near.setdefault(shape.prop_id - 1, db.Region()).insert(shape.polygon)
        for a, b in combinations(sorted(near), 2):
            both = near[a] & near[b]
            if not both.is_empty():
                pairs.setdefault((a, b), next(both.each()).bbox())
    labelled = [bool(net.name) for net in layout.flat.nets]
    return dict(sorted(pairs.items(), key=lambda p: (-labelled[p[0][0]] - labelled[p[0][1]], p[0])))
