"""Where a power grid can come down on a block's supplies: straps of the next metal, from an edge.

A strap runs straight from an edge of the block over the supply's line, clear of every obstruction
and of other pins; a via in it then reaches the line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import klayout.db as db

from ..pdk import Ask
from ..pdk.tracks import tracks_of
from .abstract import region_of

if TYPE_CHECKING:
    from .abstract import Abstract, Pin, PinShape


@dataclass(frozen=True)
class Window:
    """A range in which straps may lie.

    Attributes:
        pin: the supply.
        layer: metal of the straps, the one above the supply's line.
        side: edge that they come from.
        low, high: ends of the range along that edge, dbu.
    """

    pin: str
    layer: str
    side: str
    low: int
    high: int

    def to_json(self, um: float) -> dict[str, Any]:
        """Return plain values, lengths in um."""
        return {
            "pin": self.pin, "layer": self.layer, "side": self.side,
            "low_um": round(self.low * um, 3), "high_um": round(self.high * um, 3),
        }  # fmt: skip


def supply_windows(block: Abstract) -> list[Window]:
    """Return where straps can reach each supply, the widest range first."""
    found = []
    for pin in block.pins:
        if pin.role.supply:
            mine = (w for shape in pin.shapes for w in _windows(block, pin, shape))
            found += sorted(set(mine), key=lambda w: (w.low - w.high, w.side, w.low))
    return found


def _windows(block: Abstract, pin: Pin, shape: PinShape) -> Iterator[Window]:
    """Yield the ranges over one rectangle of a supply."""
    tech, wires = block.tech, block.tech.roles.wires
    k = wires.index(shape.layer)
    if k + 1 == len(wires):
        return
    metal, ask = wires[k + 1], Ask(tech)
    space, least = tech.to_dbu(ask.space(metal)), tech.to_dbu(ask.width(metal))
    upright = tracks_of(tech)[metal].direction == "vertical"
    others = region_of(
        s.box for p in block.pins if p.name != pin.name for s in p.shapes if s.layer == metal
    )
    blocked = (region_of(block.obstructions.get(metal, ())) + others).sized(space, 2)
    box = shape.box
    ways = (
        {
            "south": db.Box(box.left, 0, box.right, box.top),
            "north": db.Box(box.left, box.bottom, box.right, block.height),
        }
        if upright
        else {
            "west": db.Box(0, box.bottom, box.right, box.top),
            "east": db.Box(box.left, box.bottom, block.width, box.top),
        }
    )
    for side, way in ways.items():
        taken = [b.bbox() for b in (blocked & db.Region(way)).merged().each()]
        spans = [(b.left, b.right) if upright else (b.bottom, b.top) for b in taken]
        ends = (way.left, way.right) if upright else (way.bottom, way.top)
        for low, high in _gaps(sorted(spans), *ends):
            if high - low >= least:
                yield Window(pin.name, metal, side, low, high)


def _gaps(spans: list[tuple[int, int]], low: int, high: int) -> Iterator[tuple[int, int]]:
    """Yield what a sorted list of ranges leaves free."""
    for first, last in spans:
        if first > low:
            yield low, first
        low = max(low, last)
    if high > low:
        yield low, high
