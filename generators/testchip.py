"""The test chip: macro, pad ring, process monitors and marks, in a die of a shuttle's slot.

Every pin of the macro goes straight outwards in its own metal (pins in the select lines' metal
hop to that of BR) to a track of its own, which runs around the macro in the select lines' metal;
from there a spoke in the metal of BR leads to its pad. Tracks are concentric and spokes keep out
of the macro's shadow, so nothing crosses in one metal. Low metals take the inner tracks: a via
stack from a higher metal then finds no other pin's metal in between. The four corners between
macro and tracks hold monitors and marks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from ..cells.drawing import Canvas, Cell, Label, Placement, Port, grid_down, grid_up
from ..cells.marks import mark_cells
from ..cells.monitors import monitors
from ..cells.pads import LEAD, RAILS, SIDES, PadPlan, between, bond_pad, via_array
from ..cells.rules import RuleBook
from ..pdk import ParameterError
from .array import Array, frame
from .macro import build_macro
from .netlist import Instance
from .spec import ArraySpec
from .tapeout import Slot, seal_ring, slots

#: widths of a track to choose from, widest first, and its space to the next, in dbu
TRACKS, TRACK_SPACE = (6_000, 4_000, 3_000, 2_000, 1_500, 1_000), 500
#: width of the tracks of supplies and of the write rail, in dbu
WIDE_TRACK = 8_000
WIDE = ("VDD", "VSS", "WC")
#: width of a spoke, in dbu
SPOKE = 4_000
#: room around the macro, between tracks and what lies in the corners, and among that, in dbu
ROOM = 20_000
#: length of the hop of a pin in the tracks' metal, in dbu
HOP = 3_000

_SIDE_OF = {270: "south", 0: "east", 90: "north", 180: "west"}


@dataclass(frozen=True)
class Pad:
    """One pad of the ring: the side and the place along it, in dbu."""

    side: str
    s: int


@dataclass
class _Chip:
    """Everything placed so far, in dbu of the die.

    Places are given as (side, s, d): s along a side of the die, d from its edge inwards.
    """

    slot: Slot
    track: int
    macro: Array
    rules: RuleBook
    plan: PadPlan
    canvas: Canvas = field(init=False)
    placements: list[Placement] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    pins: list[Port] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.canvas = Canvas(self.rules.tech)

    @cached_property
    def edge(self) -> int:
        """From the die's edge to the pads' plates: seal ring, and from it to the openings."""
        tech = self.rules.tech
        return grid_up(seal_ring(tech) + tech.to_dbu(tech.shuttle.ring_to_opening_um[0]), 10_000)

    @property
    def origin(self) -> tuple[int, int]:
        """South-west corner of the macro, which stands in the middle."""
        cell = self.macro.cell
        return (
            grid_down((self.slot.width - cell.width) / 2, 10),
            grid_down((self.slot.height - cell.height) / 2, 10),
        )

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

    def shadow(self, side: str) -> tuple[int, int]:
        """Return where the macro's pins come out on a side, with room for one spoke."""
        along = 0 if side in ("south", "north") else 1
        low = self.origin[along]
        size = (self.macro.cell.width, self.macro.cell.height)[along]
        return low - SPOKE, low + size + SPOKE

    def pin(self, port: Port) -> tuple[str, int, int]:
        """Return side, s and d of a pin of the macro."""
        side = _SIDE_OF[port.orientation]
        x, y = self.origin[0] + port.x, self.origin[1] + port.y
        d = {"south": y, "north": self.slot.height - y, "west": x, "east": self.slot.width - x}
        return side, (x if side in ("south", "north") else y), d[side]


def build_testchip(spec: ArraySpec) -> Array:
    """Draw the test chip of a spec in the smallest slot that holds it, on the widest tracks.

    Raises:
        ParameterError: for an array that no slot holds, or what the macro refuses.
    """
    macro = build_macro(replace(spec, top="macro"))
    # a name that the user gave is the chip's
    macro = replace(macro, cell=replace(macro.cell, name=f"{spec.top_name}_macro"))
    rules = RuleBook(spec.tech())
    for slot in sorted(slots(rules.tech), key=lambda s: s.width * s.height):
        for track in TRACKS:
            chip = _Chip(slot, track, macro, rules, PadPlan(rules))
            if _fill(chip):
                return _finish(spec, chip)
    largest = max(slots(rules.tech), key=lambda s: s.width * s.height)
    width, height = macro.cell.width * 1e-3, macro.cell.height * 1e-3
    raise ParameterError(
        "rows, cols", (spec.rows, spec.cols),
        f"fewer, or narrower switches: a macro of {width:g} x {height:g} um with "
        f"{len(macro.pins)} pins does not fit slot {largest.name}",
    )  # fmt: skip


def _fill(chip: _Chip) -> bool:
    """Place everything; False if the slot is too small."""
    nets = _in_ring_order(chip)
    tracks, inner = _tracks(chip)
    places = list(_pads(chip, inner + SPOKE))
    pads = [p for p in places if not _in_shadow(chip, p)]
    if len(pads) < len(nets) or not _corners(chip, inner + ROOM):
        return False
    x, y = chip.origin
    chip.placements.append(Placement(replace(chip.macro.cell, labels=()), x, y))
    cells = _PadCells(chip)
    for port, pad in _assigned(chip, nets, pads, tracks):
        _route(chip, port, pad, *tracks[port.name])
        cells.place(pad, port.name)
    for pad in places:
        if _in_shadow(chip, pad):
            cells.place(pad, None)
    _ring(chip)
    return True


def _finish(spec: ArraySpec, chip: _Chip) -> Array:
    macro, slot = chip.macro, chip.slot
    x, y = chip.origin
    pins = {p.name for p in macro.pins}
    inside = (replace(q, x=q.x + x, y=q.y + y) for q in macro.cell.labels if q.text not in pins)
    cell = Cell(
        spec.top_name,
        rects=(*frame(chip.rules.tech, slot.width, slot.height), *chip.canvas.rects),
        labels=(*chip.labels, *inside),
        ports=tuple(chip.pins),
        placements=tuple(chip.placements),
        width=slot.width,
        height=slot.height,
        info={**macro.cell.info, "die_width_um": slot.width * 1e-3,
              "die_height_um": slot.height * 1e-3},
    )  # fmt: skip
    own = {p.cell.name: p.cell.netlist for p in chip.placements if p.cell.netlist is not None}
    called = {i.subcircuit for i in chip.instances}
    netlists = (*macro.subcircuits, *(n for name, n in own.items() if name in called))

    def instances() -> Iterator[Instance]:
        yield from macro.instances()
        yield from chip.instances

    return Array(spec, cell, macro.unit, tuple(chip.pins), netlists, instances)


def _pads(chip: _Chip, corner: int) -> Iterator[Pad]:
    """Yield the places of the pad ring, counterclockwise from the south-west.

    All lie so far from the die's corners that their spokes meet every track.
    """
    pitch = chip.plan.pitch
    for side in SIDES:
        room = chip.length(side) - 2 * corner
        count = max(0, room // pitch)
        first = corner + grid_down((room - count * pitch) / 2) + pitch // 2
        places = [Pad(side, first + k * pitch) for k in range(count)]
        yield from places if side in ("south", "east") else reversed(places)


def _in_shadow(chip: _Chip, pad: Pad) -> bool:
    low, high = chip.shadow(pad.side)
    return low < pad.s < high


def _in_ring_order(chip: _Chip) -> list[Port]:
    """Return the macro's pins counterclockwise from the south-west."""

    def key(port: Port) -> tuple[int, int]:
        side, s, _ = chip.pin(port)
        return SIDES.index(side), s if side in ("south", "east") else -s

    return sorted(chip.macro.pins, key=key)


def _tracks(chip: _Chip) -> tuple[dict[str, tuple[int, int]], int]:
    """Return (d of the outer edge, width) of each pin's track, and d of the inner end of all."""
    d = chip.edge + chip.plan.depth + ROOM // 2
    tracks, metals = {}, chip.rules.tech.roles.metals
    for port in sorted(chip.macro.pins, key=lambda p: -metals.index(p.layer)):
        width = WIDE_TRACK if port.name in WIDE else chip.track
        tracks[port.name] = (d, width)
        d += width + TRACK_SPACE
    return tracks, d


def _around(chip: _Chip, d: int, side: str, s: int) -> int:
    """Return how far a place lies along the rectangle at distance d, counterclockwise."""
    w, h = chip.slot.width - 2 * d, chip.slot.height - 2 * d
    return {
        "south": s - d,
        "east": w + s - d,
        "north": w + h + (w - (s - d)),
        "west": 2 * w + h + (h - (s - d)),
    }[side]


def _assigned(
    chip: _Chip, nets: list[Port], pads: list[Pad], tracks: dict[str, tuple[int, int]]
) -> list[tuple[Port, Pad]]:
    """Pair pins with pads in the order of the ring, turned so that the tracks are short."""
    total = len(pads)
    spread = [k * total // len(nets) for k in range(len(nets))]
    d = max(d for d, _ in tracks.values())
    round_trip = 2 * (chip.slot.width + chip.slot.height - 4 * d)
    at_pin = [_around(chip, d, *chip.pin(port)[:2]) for port in nets]
    at_pad = [_around(chip, d, pad.side, pad.s) for pad in pads]

    def cost(turn: int) -> int:
        gaps = (
            (at_pad[(k + turn) % total] - a) % round_trip
            for k, a in zip(spread, at_pin, strict=True)
        )
        return sum(min(g, round_trip - g) for g in gaps)

    best = min(range(total), key=cost)
    return [(port, pads[(k + best) % total]) for k, port in zip(spread, nets, strict=True)]


def _route(chip: _Chip, port: Port, pad: Pad, d: int, width: int) -> None:
    """Lead a pin of the macro to its track, along the track, and out to its pad."""
    c, r = chip.canvas, chip.rules
    side, s, d_pin = chip.pin(port)
    metal, half = port.layer, _half_width(r, port)
    if metal == r.layer("select"):
        hop = (d_pin - ROOM // 10 - HOP, d_pin - ROOM // 10)
        c.rect("select", *chip.box(side, (s - half, s + half), (hop[0], d_pin)))
        half = min(half, WIDE_TRACK // 2)
        via_array(c, r, chip.box(side, (s - half, s + half), hop), ("select_via",))
        metal, d_pin = r.layer("bottom_row"), hop[1]
    half = min(half, WIDE_TRACK // 2)
    landing = chip.box(side, (s - half, s + half), (d, d + width))
    c.rect(metal, *chip.box(side, (s - half, s + half), (d, d_pin)))
    roles = r.tech.roles
    for level in ("select", *roles.between("select", metal)):
        c.rect(level, *landing)
    via_array(c, r, landing, roles.cuts("select", metal))
    _along(chip, (side, s), (pad.side, pad.s), d + width // 2, width)
    spoke = (pad.s - SPOKE // 2, pad.s + SPOKE // 2)
    c.rect(
        "bottom_row", *chip.box(pad.side, spoke, (chip.edge + chip.plan.depth - LEAD, d + width))
    )
    landing = chip.box(pad.side, spoke, (d, d + width))
    c.rect("select", *landing)
    via_array(c, r, landing, ("select_via",))


def _half_width(r: RuleBook, port: Port) -> int:
    """Return half the width of the line from a pin to its track: the pin's own.

    Pins lie as close as their metal allows. A square landing for a via, wider than a narrow pin,
    would come too near to the next pin's line.
    """
    over = max(
        r.size(cut) + 2 * r.enclosure(metal, cut)
        for cut in r.tech.roles.vias
        for metal in between(r, cut)
    )
    return grid_down(max(port.width, over) / 2)


def _along(chip: _Chip, a: tuple[str, int], b: tuple[str, int], d: int, width: int) -> None:
    """Draw the shorter way round a track from one place to another."""
    w, h = chip.slot.width - 2 * d, chip.slot.height - 2 * d
    ends = [0]
    for side in SIDES * 2:
        ends.append(ends[-1] + (w if side in ("south", "north") else h))
    start, stop = (_around(chip, d, *place) for place in (a, b))
    total = ends[len(SIDES)]
    if (stop - start) % total > total // 2:
        start, stop = stop, start
    if stop < start:
        stop += total
    half = width // 2
    for k, side in enumerate(SIDES * 2):
        low, high = max(start, ends[k]), min(stop, ends[k + 1])
        if low > high:
            continue
        near, far = low - ends[k], high - ends[k]
        if side in ("north", "west"):  # the ring runs back along these
            near, far = ends[k + 1] - high, ends[k + 1] - low
        s = (d + near - half, d + far + half)
        chip.canvas.rect("select", *chip.box(side, s, (d - half, d + half)))


class _PadCells:
    """Places pads; one drawing serves all pads of a side."""

    def __init__(self, chip: _Chip) -> None:
        self.chip = chip
        self._drawn: dict[tuple[str, str], Cell] = {}

    def place(self, pad: Pad, net: str | None) -> None:
        """Place a pad with its label; without a net it is one more pad of the VSS ring."""
        chip, rail = self.chip, "VSS" if net is None else net if net in RAILS else ""
        key = (pad.side, rail)
        if key not in self._drawn:
            self._drawn[key] = bond_pad(chip.rules.tech, rail=rail, side=pad.side)
        side = chip.plan.side
        span = (pad.s - side // 2, pad.s + side // 2)
        x, y, _, _ = chip.box(pad.side, span, (chip.edge, chip.edge + chip.plan.depth))
        chip.placements.append(Placement(self._drawn[key], x, y))
        if net is not None:
            x, y = chip.point(pad.side, pad.s, chip.edge)
            outward = {v: k for k, v in _SIDE_OF.items()}[pad.side]
            chip.pins.append(Port(net, chip.rules.layer("land"), x, y, side, outward))
            x, y = chip.point(pad.side, pad.s, chip.edge + side // 2)
            chip.labels.append(Label(chip.rules.layer("land"), net, x, y))


def _ring(chip: _Chip) -> None:
    """Close the VSS and VDD rings, which the pads draw in pieces."""
    for ring in (chip.plan.ring, chip.plan.supply):
        low, high = (chip.edge + d for d in ring)
        for side in SIDES:
            span = (low, chip.length(side) - low)
            chip.canvas.rect("local", *chip.box(side, span, (low, high)))


def _corners(chip: _Chip, inner: int) -> bool:
    """Pack monitors and two sets of marks into the corners; False if they do not fit."""
    tech = chip.rules.tech
    x, y = chip.origin
    east, north = x + chip.macro.cell.width + ROOM, y + chip.macro.cell.height + ROOM
    right, top = chip.slot.width - inner, chip.slot.height - inner
    tested, marks = monitors(tech), mark_cells(tech)
    half = len(tested) // 2
    corners = (
        # marks far from each other, so that two of them give the wafer's rotation
        ((inner, inner, x - ROOM, y - ROOM), marks),
        ((east, north, right, top), marks),
        ((inner, north, x - ROOM, top), tested[:half]),
        ((east, inner, right, y - ROOM), tested[half:]),
    )
    return all(_pack(chip, box, cells) for box, cells in corners)


def _pack(chip: _Chip, box: tuple[int, int, int, int], cells: tuple[Cell, ...]) -> bool:
    """Place cells in rows from the south-west; False if they do not fit the box."""
    x, y, row = box[0], box[1], 0
    for cell in cells:
        if x + cell.width > box[2]:
            x, y, row = box[0], y + row + ROOM, 0
        if x + cell.width > box[2] or y + cell.height > box[3]:
            return False
        chip.placements.append(Placement(cell, x, y))
        _name_pads(chip, cell, x, y)
        x, row = x + cell.width + ROOM, max(row, cell.height)
    return True


def _name_pads(chip: _Chip, cell: Cell, x: int, y: int) -> None:
    """Label the nets of a monitor, each at its first pad, and call its netlist."""
    if not cell.ports or cell.netlist is None:
        return
    nets = {pin: _net(cell, pin) for pin in cell.netlist.pins}
    for pin, net in nets.items():
        port = cell.port(pin)
        chip.pins.append(replace(port, name=net, x=port.x + x, y=port.y + y))
        chip.labels.append(
            Label(chip.rules.layer("land"), net, port.x + x, port.y + y + port.width // 2)
        )
    chip.instances.append(Instance(f"_{cell.name}", cell.name, tuple(nets.values())))


def _net(cell: Cell, pin: str) -> str:
    stem = cell.name.upper()
    return stem if pin == "A" else f"{stem}_{pin}"


__all__ = ["Pad", "build_testchip"]
