"""Where a router can reach the pins of a block: checked on a grid, against every obstruction.

A wire comes straight from outside and ends on the pin; a via stands on the pin and leads to the
next level. Both keep the rules' spaces to obstructions and to the shapes of other pins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import klayout.db as db

from ..pdk import Ask
from ..pdk.tracks import tracks_of
from .abstract import region_of

if TYPE_CHECKING:
    from .abstract import Abstract, Pin, PinShape

#: direction of a wire that meets an edge at a right angle
_ACROSS = {"west": "horizontal", "east": "horizontal", "south": "vertical", "north": "vertical"}


@dataclass(frozen=True)
class AccessPoint:
    """One way to a pin.

    Attributes:
        pin: its name.
        kind: ``wire``, or the cut of a via.
        layer: metal of the wire, or that a via leads to.
        at: end of the wire's middle, or middle of the via, dbu.
        on_track: True where a track of `layer` runs there, with the block's corner at whole
            multiples of the track pitches.
    """

    pin: str
    kind: str
    layer: str
    at: tuple[int, int]
    on_track: bool


class Grid:
    """The blocked shapes of an abstract, asked many times.

    Args:
        block: the abstract.
    """

    def __init__(self, block: Abstract) -> None:
        self.block, self.tech = block, block.tech
        self.ask, self.tracks = Ask(block.tech), tracks_of(block.tech)
        self.step = block.tech.to_dbu(block.tech.grid_um)
        self._blocked = {name: region_of(b) for name, b in block.obstructions.items()}
        self._pins = {
            metal: [(pin.name, s.box) for pin in block.pins for s in pin.shapes if s.layer == metal]
            for metal in block.tech.roles.wires
        }

    def free(self, name: str, box: db.Box, pin: str) -> bool:
        """True if a rectangle on a metal or cut keeps its space to all that is not the pin's."""
        space = self.tech.to_dbu(self.ask.space(name))
        near = box.enlarged(space - 1, space - 1)
        blocked = self._blocked.get(name, db.Region())
        if not (blocked & db.Region(near)).is_empty():
            return False
        return not any(
            other != pin and near.overlaps(shape) for other, shape in self._pins.get(name, ())
        )

    def points(self, pin: Pin) -> Iterator[AccessPoint]:
        """Yield the ways to a pin: wires by track, then any wire, then vias."""
        for shape in pin.shapes:
            if shape.side:
                yield from self._wires(pin.name, shape)
        for shape in pin.shapes:
            yield from self._vias(pin.name, shape)

    def _wires(self, pin: str, shape: PinShape) -> Iterator[AccessPoint]:
        flat = shape.side in ("west", "east")
        low, high = (shape.box.bottom, shape.box.top) if flat else (shape.box.left, shape.box.right)
        width = self.tech.to_dbu(self.ask.width(shape.layer))
        track = self.tracks[shape.layer]
        tracks = self._crossing(shape.layer, low, high)
        along = track.direction == _ACROSS[shape.side]
        first = [(at, True) for at in tracks] if along else []
        middle = round((low + high) / 2 / self.step) * self.step
        for at, on_track in [*first, (middle, False)]:
            wire = self._wire(shape, at, width)
            if self.free(shape.layer, wire, pin):
                end = {
                    "west": (wire.right, at), "east": (wire.left, at),
                    "south": (at, wire.top), "north": (at, wire.bottom),
                }[shape.side]  # fmt: skip
                yield AccessPoint(pin, "wire", shape.layer, end, on_track)

    def _wire(self, shape: PinShape, at: int, width: int) -> db.Box:
        """Return a wire from a pitch outside to as deep in the pin as it is wide, at most."""
        out = self.tech.to_dbu(self.tracks[shape.layer].pitch_um)
        low, high = at - width // 2, at - width // 2 + width
        box, edge = shape.box, self.block.box.enlarged(out, out)
        deep = min(width, box.width() if shape.side in ("west", "east") else box.height())
        return {
            "west": db.Box(edge.left, low, box.left + deep, high),
            "east": db.Box(box.right - deep, low, edge.right, high),
            "south": db.Box(low, edge.bottom, high, box.bottom + deep),
            "north": db.Box(low, box.top - deep, high, edge.top),
        }[shape.side]

    def _crossing(self, metal: str, low: int, high: int) -> list[int]:
        """Return the tracks of a metal between two coordinates."""
        track = self.tracks[metal]
        pitch, offset = (self.tech.to_dbu(v) for v in (track.pitch_um, track.offset_um))
        first = -(-(low - offset) // pitch)
        last = (high - offset) // pitch
        return [offset + k * pitch for k in range(first, last + 1)]

    def _vias(self, pin: str, shape: PinShape) -> Iterator[AccessPoint]:
        wires = self.tech.roles.wires
        cuts = (*self.tech.roles.below_vias, *self.tech.roles.vias)
        k = wires.index(shape.layer)
        for cut, other in [*([(cuts[k], wires[k + 1])] if k < len(cuts) else []),
                           *([(cuts[k - 1], wires[k - 1])] if k else [])]:  # fmt: skip
            half, here, there = (
                self.tech.to_dbu(v) for v in (
                    self.ask.size(cut) / 2, self._reach(shape.layer, cut), self._reach(other, cut),
                )
            )  # fmt: skip
            room = shape.box.enlarged(-half - here, -half - here)
            if room.empty() or room.left > room.right or room.bottom > room.top:
                continue
            for x, y, on_track in self._places(room, other):
                box = db.Box(x - half, y - half, x + half, y + half)
                land = box.enlarged(there, there)
                if self.free(cut, box, pin) and self.free(other, land, pin):
                    yield AccessPoint(pin, cut, other, (x, y), on_track)

    def _places(self, room: db.Box, metal: str) -> Iterator[tuple[int, int, bool]]:
        """Yield where a via may stand: on tracks of the other metal, then in the middle."""
        centre = room.center()
        if self.tracks[metal].direction == "vertical":
            for x in self._crossing(metal, room.left, room.right):
                yield x, centre.y, True
        else:
            for y in self._crossing(metal, room.bottom, room.top):
                yield centre.x, y, True
        yield centre.x, centre.y, False

    def _reach(self, metal: str, cut: str) -> float:
        return max(self.ask.enclosure(metal, cut, 0.0), self.ask.line_end(cut, metal, 0.0))


def unreachable(block: Abstract) -> list[str]:
    """Return the pins that no wire and no via can reach."""
    grid = Grid(block)
    return [pin.name for pin in block.pins if next(grid.points(pin), None) is None]


def on_tracks(block: Abstract) -> dict[str, bool]:
    """Return pin -> whether a track of a wire or via leads to it."""
    grid = Grid(block)
    return {pin.name: any(p.on_track for p in grid.points(pin)) for pin in block.pins}
