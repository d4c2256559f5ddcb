"""A die that is being drawn: its macro in the middle, places by side, and what was placed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from ..cells.cuts import via_array
from ..cells.drawing import Canvas, Label, Placement, Port, grid_down, grid_up
from ..cells.pad_plan import PadPlan
from ..cells.pads import SIDES
from ..cells.rules import RuleBook
from .array import Array
from .id_room import APART, CORNERS, IdRoom, id_room
from .netlist import Instance
from .tapeout import Slot, seal_ring

#: room around the macro, between tracks and what lies in the corners, and among that, in dbu
ROOM = 20_000
#: from a row of pads to the next behind it, in dbu
BEHIND = 10_000
#: length of what joins the metals of a wire: some tens of vias a level
JOINT = 2_000

SIDE_OF = {270: "south", 0: "east", 90: "north", 180: "west"}


@dataclass(frozen=True)
class Widths:
    """Widths of wires between macro and pads, in dbu.

    Attributes:
        turn: within a fan.
        leg: from a fan to the tracks, and from these to the pads.
        track: around the macro.
    """

    turn: int
    leg: int
    track: int


@dataclass
class Chip:
    """Everything placed so far, in dbu of the die.

    Places are given as (side, s, d): s along a side of the die, d from its edge inwards. With
    `ids` everything keeps clear of where identification cells are looked for.
    """

    slot: Slot
    widths: Widths
    macro: Array
    rules: RuleBook
    plan: PadPlan
    rows: int = 1
    ids: bool = False
    canvas: Canvas = field(init=False)
    placements: list[Placement] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    pins: list[Port] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    #: net -> (metals, squares) of the straight parts of its way from the macro to its pad
    squares: dict[str, list[tuple[tuple[str, ...], float]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.canvas = Canvas(self.rules.tech)

    @cached_property
    def metals(self) -> tuple[str, ...]:
        """What wires between macro and pads are drawn in, from the bottom."""
        metals = self.rules.tech.roles.metals
        return metals[metals.index(self.rules.layer("select")) :]

    @cached_property
    def edge(self) -> int:
        """From the die's edge to the pads' plates: seal ring, what lies along it, and room."""
        tech = self.rules.tech
        least = seal_ring(tech) + tech.to_dbu(tech.shuttle.ring_to_opening_um[0])
        return grid_up(max(least, self.id_room.edge), 10_000)

    @property
    def pads_end(self) -> int:
        """From the die's edge to where the pads' cells end."""
        return self.row_at(self.rows - 1) + self.plan.depth

    @cached_property
    def id_room(self) -> IdRoom:
        """What identification cells take."""
        return id_room(self.rules.tech, asked=self.ids)

    def shift(self, corner: str) -> int:
        """Return how much earlier than at its own depth each ring turns at a corner.

        What joins the rings of two rows there from both sides lies in one another or well apart:
        if it nearly touched, what is between it would break the rules.
        """
        shift = max(0, self.id_room.corner[corner] - self.row_at(0) - self.plan.ring[0])
        for low, high in (self.plan.ring, self.plan.supply):
            if abs(shift - (high - low)) < APART:
                return high - low + APART
        return shift

    def clear(self, corner: str) -> int:
        """Return how far from a corner pads, their wires and what lies behind them begin."""
        shift, innermost = self.shift(corner), self.row_at(self.rows - 1) + self.plan.supply[1]
        return max(self.pads_end, innermost + shift + APART if shift else 0)

    def ends(self, side: str) -> tuple[int, int]:
        """Return between which places pads and their wires stand along a side."""
        low, high = (self.clear(corner) for corner in CORNERS[side])
        return low, self.length(side) - high

    def row_at(self, row: int) -> int:
        """Return how far from the die's edge the plates of a row of pads begin."""
        return self.edge + row * (self.plan.depth + BEHIND)

    @property
    def origin(self) -> tuple[int, int]:
        """South-west corner of the macro, which stands in the middle."""
        cell = self.macro.cell
        return (
            grid_down((self.slot.width - cell.width) / 2, 10),
            grid_down((self.slot.height - cell.height) / 2, 10),
        )

    def of_macro(self, side: str) -> tuple[int, int, int]:
        """Return where the macro begins and ends along a side, and how far it is from the edge."""
        (x, y), cell = self.origin, self.macro.cell
        right, top = self.slot.width - x - cell.width, self.slot.height - y - cell.height
        along = (x, x + cell.width) if side in ("south", "north") else (y, y + cell.height)
        return *along, {"south": y, "north": top, "west": x, "east": right}[side]

    def point(self, side: str, s: int, d: int) -> tuple[int, int]:
        """Return (x, y) of a place."""
        w, h = self.slot.width, self.slot.height
        return {"south": (s, d), "north": (s, h - d), "west": (d, s), "east": (w - d, s)}[side]

    def box(self, side: str, s: tuple[int, int], d: tuple[int, int]) -> tuple[int, int, int, int]:
        """Return the rectangle between two places of one side."""
        (xa, ya), (xb, yb) = self.point(side, s[0], d[0]), self.point(side, s[1], d[1])
        return min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb)

    def length(self, side: str) -> int:
        """Return the length of a side of the die."""
        return self.slot.width if side in ("south", "north") else self.slot.height

    def around(self, d: int, side: str, s: int) -> int:
        """Return how far a place lies along the rectangle at distance d, counterclockwise."""
        w, h = self.slot.width - 2 * d, self.slot.height - 2 * d
        return {
            "south": s - d,
            "east": w + s - d,
            "north": w + h + (w - (s - d)),
            "west": 2 * w + h + (h - (s - d)),
        }[side]

    def pin(self, port: Port) -> tuple[str, int, int]:
        """Return side, s and d of a pin of the macro."""
        side = SIDE_OF[port.orientation]
        x, y = self.origin[0] + port.x, self.origin[1] + port.y
        d = {"south": y, "north": self.slot.height - y, "west": x, "east": self.slot.width - x}
        return side, (x if side in ("south", "north") else y), d[side]

    def draw(
        self, net: str, metals: Iterable[str], side: str, s: tuple[int, int], d: tuple[int, int],
        *, along: bool = False,
    ) -> None:  # fmt: skip
        """Draw a straight part of a net's way in some metals, and note its squares."""
        metals = tuple(metals)
        for metal in metals:
            self.canvas.rect(metal, *self.box(side, s, d))
        length, width = s[1] - s[0], d[1] - d[0]
        squares = length / width if along else width / length
        self.squares.setdefault(net, []).append((metals, squares))

    def join(
        self, metals: Iterable[str], side: str, s: tuple[int, int], d: tuple[int, int]
    ) -> None:
        """Join metals by vias wherever two that follow each other lie over each other."""
        have, roles = set(metals), self.rules.tech.roles
        for cut, low, high in zip(roles.vias, roles.metals, roles.metals[1:], strict=False):
            if {low, high} <= have:
                via_array(self.canvas, self.rules, self.box(side, s, d), (cut,))


__all__ = ["BEHIND", "JOINT", "ROOM", "SIDES", "SIDE_OF", "Chip", "Widths"]
