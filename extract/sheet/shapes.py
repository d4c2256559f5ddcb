"""What the resistance engine works on: the shapes of one net, its terminals and pins."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

import klayout.db as db

#: a box smaller than this, in dbu, is named by its centre
_SPOT = 3_000


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
    """A label on a conductor, in dbu.

    Attributes:
        name: the label.
        layer: the conductor.
        x, y: where it is.
        joined: whether this is one more place of a pin that is joined outside.
    """

    name: str
    layer: str
    x: int
    y: int
    joined: bool = False


@dataclass
class NetShapes:
    """One net.

    Attributes:
        name: net name.
        conductors: conductor -> merged polygons in dbu.
        cuts: contact or via -> boxes in dbu.
        terminals: device terminals.
        pins: labels.
        on_pad: whether it is that of a pad of a chip, whose via arrays are lumped; see `lumps`.
    """

    name: str
    conductors: dict[str, list[db.Polygon]] = field(default_factory=dict)
    cuts: dict[str, list[db.Box]] = field(default_factory=dict)
    terminals: list[Terminal] = field(default_factory=list)
    pins: list[Pin] = field(default_factory=list)
    on_pad: bool = False

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
            self.on_pad,
            *((n, *(p.moved(back).to_s() for p in ps)) for n, ps in self.conductors.items()),
            *((n, *(b.moved(back).to_s() for b in bs)) for n, bs in self.cuts.items()),
            *(
                (t.layer, t.box[0] - x, t.box[1] - y, t.box[2] - x, t.box[3] - y)
                for t in self.terminals
            ),
            *((p.layer, p.x - x, p.y - y, p.joined) for p in self.pins),
        )


def place(box: db.Box, dbu_um: float) -> str:
    """Return where a box lies, in words: at a point, or from corner to corner."""
    low, high = ((p.x * dbu_um, p.y * dbu_um) for p in (box.p1, box.p2))
    if box.width() < _SPOT and box.height() < _SPOT:
        return f"at ({(low[0] + high[0]) / 2:.3f}, {(low[1] + high[1]) / 2:.3f})"
    return f"from ({low[0]:.3f}, {low[1]:.3f}) to ({high[0]:.3f}, {high[1]:.3f})"
