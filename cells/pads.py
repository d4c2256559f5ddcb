"""Pads: bond pads with a diode to either supply for the pad ring, probe pads for monitors.

A pad is drawn for the south side of a chip, its lead towards the north; `turned` makes the
other sides. Openings and pitches are those of the shuttle of the process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..pdk import ParameterError, Tech
from .drawing import Canvas, Cell, Rect, Subcircuit, grid_down, grid_up
from .mos import tap_strip
from .rules import RuleBook

#: width of a pad's lead, and side of its clamp diode, in dbu: ample, not a rule
LEAD = 8_000
#: width of the VSS and VDD rings in the lowest metal that run through all bond pads, in dbu
RING = 10_000
#: from what lies in a pad's well to the well's edge, in dbu: ample, not a rule
WELL = 1_500
_ROOM = 2_000

SIDES = ("south", "east", "north", "west")


def cut_array(
    canvas: Canvas, layer: str, box: tuple[int, int, int, int], size: int, space: int, margin: int
) -> None:
    """Fill a box with as many square cuts as fit, centred, `margin` inside its edges."""
    xs = _starts(box[0] + margin, box[2] - margin, size, space)
    for y in _starts(box[1] + margin, box[3] - margin, size, space):
        for x in xs:
            canvas.rect(layer, x, y, x + size, y + size)


def _starts(low: int, high: int, size: int, space: int) -> list[int]:
    count = (high - low + space) // (size + space)
    first = low + grid_down((high - low - count * (size + space) + space) / 2)
    return [first + k * (size + space) for k in range(count)]


def between(r: RuleBook, cut: str) -> tuple[str, str]:
    """Return the metals that a foundry via joins, the lower first."""
    roles, name = r.tech.roles, r.layer(cut)
    k = roles.vias.index(name)
    return roles.metals[k], roles.metals[k + 1]


def via_array(
    canvas: Canvas,
    r: RuleBook,
    box: tuple[int, int, int, int],
    cuts: tuple[str, ...],
    margin: int = 0,
) -> None:
    """Fill a box with foundry vias on several levels, at the space that large arrays need.

    Metal joined to a pad reaches farther beyond its vias; a caller says so by `margin`. In a box
    too narrow for the end-of-line overlap on its long sides, these get the plain overlap.
    """
    for cut in cuts:
        low, high = between(r, cut)
        least = max(r.line_end(cut, low), r.line_end(cut, high), margin)
        beyond = least - max(r.enclosure(low, cut), r.enclosure(high, cut), margin)
        sides = [
            beyond if end - start < r.size(cut) + 2 * least else 0
            for start, end in ((box[0], box[2]), (box[1], box[3]))
        ]
        if all(sides):  # a landing that small has room for no cut
            continue
        x, y = sides
        inside = (box[0] - x, box[1] - y, box[2] + x, box[3] + y)
        cut_array(canvas, cut, inside, r.size(cut), r.array_space(cut, low), least)


def metal_overlap(r: RuleBook) -> int:
    """Return how far the land's metal reaches beyond a pad's opening."""
    return r.enclosure("land", "bond_pad")


def draw_opening(canvas: Canvas, r: RuleBook, x: int, y: int, opening: int) -> int:
    """Draw plate, opening and reopening of a pad with its corner at (x, y); returns the side.

    The module's passivation is opened A inside the foundry's opening, so that a misaligned
    mask still opens onto the pad.
    """
    a = r.enclosure("bottom_electrode", "bottom_via")
    m = metal_overlap(r)
    side = opening + 2 * m
    canvas.rect("land", x, y, x + side, y + side)
    canvas.rect("pad", x + m, y + m, x + side - m, y + side - m)
    canvas.rect("reopen", x + m + a, y + m + a, x + side - m - a, y + side - m - a)
    return side


class PadPlan:
    """Where the parts of a bond pad lie, south side, in dbu from the plate's corner.

    Attributes:
        side: side of the plate.
        tongue: y span of the vias from the plate to the lead.
        diode: y span of the diode to VSS, away from the opening.
        ring: y span of the VSS ring.
        upper: y span of the diode to VDD.
        supply: y span of the VDD ring.
        depth: end of the lead.
        pitch: from pad to pad, by the spaces of openings and of metal joined to pads.
    """

    def __init__(self, r: RuleBook) -> None:
        m = metal_overlap(r)
        self.side = r.bond_opening + 2 * m
        self.tongue = (self.side, self.side + LEAD)
        low = max(self.tongue[1], m + r.bond_opening + r.space("bond_pad", "diffusion")) + _ROOM
        self.diode = (low, low + LEAD)
        self.ring = (self.diode[1] + _ROOM, self.diode[1] + _ROOM + RING)
        low = self.ring[1] + _ROOM + WELL
        self.upper = (low, low + LEAD)
        self.supply = (self.upper[1] + _ROOM, self.upper[1] + _ROOM + RING)
        self.depth = self.supply[1] + _ROOM + WELL
        least = max(self.side + r.space("pad_metal"), r.bond_opening + r.space("bond_pad"))
        self.pitch = grid_up(least, 10_000)  # a round figure for whoever bonds it


#: net of a pad that is joined to a ring
RAILS = ("VSS", "VDD")


def bond_pad(tech: Tech, *, rail: str = "", side: str = "south") -> Cell:
    """Draw a bond pad: plate, lead, diodes to both supplies, a piece of the VSS and VDD rings.

    The n+ diode to the substrate clamps what falls below VSS and keeps antenna ratios of whatever
    the pad drives; the p+ diode in an n-well on VDD clamps what rises above VDD.

    Args:
        tech: the process.
        rail: join the pad to a ring, ``VSS`` or ``VDD``.
        side: side of the chip that the pad stands on.

    Raises:
        ParameterError: if there is no such side or ring.
    """
    if rail not in ("", *RAILS):
        raise ParameterError("rail", rail, "VSS, VDD, or nothing")
    if side not in SIDES:
        raise ParameterError("side", side, "one of " + ", ".join(SIDES))
    r, c = RuleBook(tech), Canvas(tech)
    plan = PadPlan(r)
    draw_opening(c, r, 0, 0, r.bond_opening)
    x1, x2 = (plan.side - LEAD) // 2, (plan.side + LEAD) // 2
    tongue = (x1, plan.tongue[0], x2, plan.tongue[1])
    c.rect("land", x1, plan.tongue[0] - metal_overlap(r), x2, plan.tongue[1])
    for metal in tech.roles.between("bottom_row", "land"):
        c.rect(metal, *tongue)
    via_array(
        c,
        r,
        tongue,
        tech.roles.cuts("bottom_row", "land")[::-1],
        r.enclosure("pad_metal", "pad_via"),
    )
    c.rect("bottom_row", x1, plan.tongue[0], x2, plan.depth)
    _diode(c, r, (x1, plan.diode[0], x2, plan.diode[1]), "nplus", "n_active")
    beside = (plan.pitch - plan.side) // 2  # so that neighbours' rings abut
    beyond = r.enclosure("pplus", "p_tap")
    c.rect("local", -beside, plan.ring[0], plan.side + beside, plan.ring[1])
    for x in (x1, x2):
        tap_strip(c, r, x, plan.ring[0] + beyond, plan.ring[1] - beyond)
    _upper(c, r, plan, (x1, x2), beside)
    if rail == "VSS":
        c.rect("local", x1, plan.diode[0], x2, plan.ring[1])
    if rail == "VDD":
        c.rect("local", x1, plan.upper[0], x2, plan.supply[1])
    net = rail or "PAD"
    c.port(net, "bottom_row", plan.side // 2, plan.depth, LEAD, 90)
    c.port(net, "land", plan.side // 2, 0, plan.side, 270)
    for name, span in (("VSS", plan.ring), ("VDD", plan.supply)):
        c.port(name, "local", -beside, (span[0] + span[1]) // 2, RING, 180)
    name = f"bond_pad{'_' + rail.lower() if rail else ''}_{side}"
    cell = Cell(name, tuple(c.rects), ports=tuple(c.ports), width=plan.side, height=plan.depth,
                netlist=Subcircuit(name, tuple(dict.fromkeys((net, *RAILS))), ()))  # fmt: skip
    return turned(cell, side)


def _upper(c: Canvas, r: RuleBook, plan: PadPlan, x: tuple[int, int], beside: int) -> None:
    """Draw the diode to VDD, its n-well, and the piece of the VDD ring with the well's taps."""
    x1, x2 = x
    _diode(c, r, (x1, plan.upper[0], x2, plan.upper[1]), "pplus", "p_active")
    c.rect("nwell", x1 - WELL, plan.upper[0] - WELL, x2 + WELL, plan.supply[1] + WELL)
    c.rect("local", -beside, plan.supply[0], plan.side + beside, plan.supply[1])
    beyond = r.enclosure("nplus", "n_tap_at_well_edge")
    for at in x:
        tap_strip(c, r, at, plan.supply[0] + beyond, plan.supply[1] - beyond, "n")


def _diode(
    c: Canvas, r: RuleBook, box: tuple[int, int, int, int], implant: str, active: str
) -> None:
    """Draw a diode under a lead, joined to it by arrays of cuts."""
    x1, y1, x2, y2 = box
    beyond = r.enclosure(implant, active)
    c.rect("diffusion", *box)
    c.rect(implant, x1 - beyond, y1 - beyond, x2 + beyond, y2 + beyond)
    cut_array(
        c,
        "contact",
        box,
        r.contact,
        r.array_space("contact", "local"),
        grid_up(max(r.enclosure("diffusion", "diffusion_contact"), r.line_end("contact", "local"))),
    )
    c.rect("local", *box)
    c.rect("select", *box)
    via_array(c, r, box, ("local_via", "select_via"))


def turned(cell: Cell, side: str) -> Cell:
    """Turn a cell drawn for the south side; its shapes stay where x and y are positive.

    A pad on the east side looks west, and so on. The box that is turned is (0, 0) to
    (width, height); what reaches beyond it still does.
    """
    w, h = cell.width, cell.height
    # (angle, size, image of a point)
    turns: dict[str, tuple[int, tuple[int, int], Callable[[int, int], tuple[int, int]]]] = {
        "south": (0, (w, h), lambda x, y: (x, y)),
        "east": (90, (h, w), lambda x, y: (h - y, x)),
        "north": (180, (w, h), lambda x, y: (w - x, h - y)),
        "west": (270, (h, w), lambda x, y: (y, w - x)),
    }
    angle, size, image = turns[side]
    rects = []
    for q in cell.rects:
        (ax, ay), (bx, by) = image(q.x1, q.y1), image(q.x2, q.y2)
        rects.append(Rect(q.layer, min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)))
    ports = []
    for p in cell.ports:
        x, y = image(p.x, p.y)
        ports.append(replace(p, x=x, y=y, orientation=(p.orientation + angle) % 360))
    return replace(cell, rects=tuple(rects), ports=tuple(ports), width=size[0], height=size[1])


def draw_probe_pads(canvas: Canvas, r: RuleBook, nets: tuple[str | None, ...]) -> list[int]:
    """Draw a row of probe pads at their pitch, with a port each; returns the centres along x.

    A net of None leaves its place empty. The first place starts at x = 0, the row at y = 0.
    """
    side = r.probe_opening + 2 * metal_overlap(r)
    centres = [r.probe_pitch // 2 + k * r.probe_pitch for k in range(len(nets))]
    for x, net in zip(centres, nets, strict=True):
        if net is not None:
            draw_opening(canvas, r, x - side // 2, 0, r.probe_opening)
            canvas.port(net, "land", x, 0, side, 270)
    return centres


def probe_pad_side(r: RuleBook) -> int:
    """Return the side of a probe pad's plate in dbu."""
    return r.probe_opening + 2 * metal_overlap(r)
