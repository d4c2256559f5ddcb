"""Where on the chip a net is interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import klayout.db as db

if TYPE_CHECKING:
    from .extraction import ExtractedLayout
    from .flat import FlatNet

#: Widest gap in um that is looked for between two pieces of one wire.
_REACH_UM = 5.0


def where_open(layout: ExtractedLayout, piece: FlatNet, rest: FlatNet) -> str:
    """Return words for the place where `piece` was separated from `rest`, "" if unknown.

    That is a gap on one layer, or an overlap of two layers whose cut is missing.
    """
    a, b = layout.net_shapes(piece), layout.net_shapes(rest)
    gaps = []
    for name in layout.wiring.conductors:
        if name in a and name in b:
            reach = round(_REACH_UM / layout.dbu)
            pairs = a[name].merged().separation_check(b[name].merged(), reach).each()
            found = [(pair.distance(), str(pair.bbox()), pair.bbox()) for pair in pairs]
            if found:
                distance, _, box = min(found)
                gaps.append((distance, f"{name} at {_at(box, layout.dbu)}"))
    if gaps:
        near = [gap for gap in sorted(gaps) if gap[0] <= 3 * min(gaps)[0]][:3]
        words = (f"{distance * layout.dbu:.3f} um on {where}" for distance, where in near)
        return ", gap of " + " or ".join(words)
    for cut in layout.tech.cuts:
        for low, high in ((a, b), (b, a)):
            if cut.lower in low and cut.upper in high:
                both = low[cut.lower] & high[cut.upper]
                if not both.is_empty():
                    box = next(both.each()).bbox()
                    return f", {cut.layer} missing at {_at(box, layout.dbu)}"
    return ""


def _at(box: db.Box, dbu: float) -> str:
    center = box.to_dtype(dbu).center()
    return f"({center.x:.3f}, {center.y:.3f})"
