"""Where the leads of a die stand, and the bond wires that lead to them.

Leads stand along the four sides, in the order of the pads. A lead may stand beside its pad, so that
those of pads close together have more room, as far as the wire's centre line stays off every other
pad and within 45 degrees of straight outwards. No wire then crosses another, where pads stand in
rows along the edges.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import dist
from typing import Any

#: from the die's edge to the leads, as a share of its longer side
AWAY = 0.07
#: room between a wire's centre line and another pad, um
CLEAR_UM = 1.0
#: from lead to lead, as a multiple of the least distance from pad to pad; less on a full side
SPREAD = 1.5
SIDES = ("south", "east", "north", "west")

Point = tuple[float, float]
#: low x, low y, high x, high y
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Wire:
    """One bond wire.

    Attributes:
        pad: its row of `pads.pad_rows`.
        start: the pad's centre, um, y upwards.
        end: the lead, um.
    """

    pad: dict[str, Any]
    start: Point
    end: Point

    @property
    def length_um(self) -> float:
        """Return its length seen from above."""
        return dist(self.start, self.end)


@dataclass(frozen=True)
class _Pad:
    """A pad seen from its side: places along it and distances from the edge inwards, um."""

    row: dict[str, Any]
    s: float
    deep: float


def away_um(die_um: list[float]) -> float:
    """Return how far from the die's edge leads stand."""
    return AWAY * max(die_um)


def wires_of(die_um: list[float], pads: list[dict[str, Any]]) -> list[Wire]:
    """Return a wire from each bond pad to a lead of its own.

    Args:
        die_um: width and height of the die.
        pads: rows of `pads.pad_rows`.
    """
    away, wires = away_um(die_um), []
    for side in SIDES:
        found = [p for p in pads if p["kind"] == "bond" and p["side"] == side]
        mine = sorted((_Pad(p, *_along(die_um, side, _centre(p))) for p in found),
                      key=lambda pad: (pad.s, pad.deep))  # fmt: skip
        boxes = [(p, _seen(die_um, side, box_of(p))) for p in pads]
        spans = [_span(pad, boxes, away) for pad in mine]
        places = _places(mine, spans, die_um[0] if side in ("south", "north") else die_um[1])
        for pad, s in zip(mine, places, strict=True):
            wires.append(Wire(pad.row, _centre(pad.row), _across(die_um, side, s, -away)))
    return wires


def meetings(wires: list[Wire], pads: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the names of a wire's pad and of what it meets: another wire, or another pad."""
    import klayout.db as db

    lines = [db.DEdge(*wire.start, *wire.end) for wire in wires]
    for (one, a), (two, b) in combinations(zip(wires, lines, strict=True), 2):
        if a.intersects(b):
            yield str(one.pad["name"]), f"wire of {two.pad['name']}"
    edges = [(pad, list(db.DPolygon(db.DBox(*box_of(pad))).each_edge())) for pad in pads]
    for wire, line in zip(wires, lines, strict=True):
        for pad, around in edges:
            if pad is not wire.pad and any(line.intersects(edge) for edge in around):
                yield str(wire.pad["name"]), f"pad {pad['name']}"


def box_of(pad: dict[str, Any]) -> Box:
    """Return the square of a pad's metal, um; of its opening, where there is none around it."""
    (x, y), half = _centre(pad), (pad["plate_um"] or pad["opening_um"]) / 2
    return x - half, y - half, x + half, y + half


def _centre(pad: dict[str, Any]) -> Point:
    return pad["x_um"], pad["y_um"]


def _along(die_um: list[float], side: str, at: Point) -> tuple[float, float]:
    """Return a point as its place along a side and its distance from the edge inwards."""
    (width, height), (x, y) = die_um, at
    return {"south": (x, y), "north": (x, height - y), "west": (y, x), "east": (y, width - x)}[side]


def _across(die_um: list[float], side: str, s: float, deep: float) -> Point:
    """Return a place along a side as a point."""
    width, height = die_um
    return {
        "south": (s, deep), "north": (s, height - deep),
        "west": (deep, s), "east": (width - deep, s),
    }[side]  # fmt: skip


def _seen(die_um: list[float], side: str, box: Box) -> Box:
    """Return a box as seen from a side: low and high place, distances from the edge."""
    (s1, d1), (s2, d2) = (_along(die_um, side, at) for at in (box[:2], box[2:]))
    return s1, min(d1, d2), s2, max(d1, d2)


def _span(pad: _Pad, boxes: list[tuple[dict[str, Any], Box]], away: float) -> tuple[float, float]:
    """Return between which places the lead of a pad may stand.

    Straight outwards, if another pad lies there: nothing is better then.
    """
    way = pad.deep + away
    low, high = pad.s - way, pad.s + way  # 45 degrees
    for other, (s1, outer, s2, inner) in boxes:
        # where it begins and ends on the wire's way outwards
        first, last = pad.deep - inner, min(pad.deep - outer, way)
        if other is pad.row or last <= max(first, 0.0):
            continue
        if s1 - CLEAR_UM >= pad.s:
            high = min(high, pad.s + (s1 - CLEAR_UM - pad.s) * way / last)
        elif s2 + CLEAR_UM <= pad.s:
            low = max(low, pad.s + (s2 + CLEAR_UM - pad.s) * way / last)
        else:
            return pad.s, pad.s
    return low, high


def _places(mine: list[_Pad], spans: list[tuple[float, float]], long: float) -> list[float]:
    """Return places of the leads, each in its span: farther apart than pads, if spans allow it.

    Args:
        mine: the pads of a side, in their order.
        spans: between which places the lead of each may stand.
        long: length of the side.
    """
    if not mine:
        return []
    count, wanted = len(mine), long / len(mine)
    apart = min((b.s - a.s for a, b in pairwise(mine)), default=CLEAR_UM)
    if apart < CLEAR_UM:  # one straight behind the other: no order along the side is free of faults
        return [wanted * (k + 0.5) for k in range(count)]
    # half way between those that make room towards one end and towards the other: `wanted` apart at
    # least, and the farthest as near its pad as can be
    wanted = min(wanted, SPREAD * apart)
    up, down = [pad.s for pad in mine], [pad.s for pad in mine]
    for k in range(1, count):
        up[k] = max(up[k], up[k - 1] + wanted)
        down[-k - 1] = min(down[-k - 1], down[-k] - wanted)
    ends = wanted / 2, long - wanted / 2
    best = [min(max((a + b) / 2, ends[0]), ends[1]) for a, b in zip(up, down, strict=True)]
    # what is left of a span, so that those before and after it keep their order and distance;
    # straight outwards always is
    lows, highs = [low for low, _ in spans], [high for _, high in spans]
    for k in range(1, count):
        lows[k] = max(lows[k], lows[k - 1] + apart)
        highs[-k - 1] = min(highs[-k - 1], highs[-k] - apart)
    places: list[float] = []
    for low, high, s in zip(lows, highs, best, strict=True):
        least = max(low, places[-1] + apart) if places else low
        places.append(max(least, min(s, high)))
    return places


__all__ = ["Point", "Wire", "away_um", "box_of", "meetings", "wires_of"]
