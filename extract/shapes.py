"""What the resistance engine works on: the shapes of one net, its terminals and pins."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

import klayout.db as db


@dataclass(frozen=True)
class Terminal:
    """Where a device touches a net.

    Attributes:
        key: what the caller finds the terminal's node by.
        layer: conductor that it lies on.
        box: its area in dbu.
    """

    key: Hashable
    layer: str
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class Pin:
    """A label on a conductor, in dbu."""

    name: str
    layer: str
    x: int
    y: int


@dataclass
class NetShapes:
    """One net.

    Attributes:
        name: net name.
        conductors: conductor -> merged polygons in dbu.
        cuts: contact or via -> boxes in dbu.
        terminals: device terminals.
        pins: labels.
    """

    name: str
    conductors: dict[str, list[db.Polygon]] = field(default_factory=dict)
    cuts: dict[str, list[db.Box]] = field(default_factory=dict)
    terminals: list[Terminal] = field(default_factory=list)
    pins: list[Pin] = field(default_factory=list)

    def shape_key(self) -> tuple[object, ...]:
        """Return what is equal for nets that are shifted copies of each other.

        Names and terminal keys are left out; terminals and pins count in their order.
        """
        boxes = [p.bbox() for polygons in self.conductors.values() for p in polygons]
        if not boxes:
            return ()
        x, y = min(b.left for b in boxes), min(b.bottom for b in boxes)
        back = db.Vector(-x, -y)
        return (
            *((n, *(p.moved(back).to_s() for p in ps)) for n, ps in self.conductors.items()),
            *((n, *(b.moved(back).to_s() for b in bs)) for n, bs in self.cuts.items()),
            *(
                (t.layer, t.box[0] - x, t.box[1] - y, t.box[2] - x, t.box[3] - y)
                for t in self.terminals
            ),
            *((p.layer, p.x - x, p.y - y) for p in self.pins),
        )
