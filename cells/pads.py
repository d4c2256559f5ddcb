"""Pads: bond pads with a diode to either supply for the pad ring, probe pads for monitors.

A pad is drawn for the south side of a chip, its lead towards the north; `turned` makes the
other sides. Openings and pitches are those of the shuttle of the process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..pdk import ParameterError, Tech
from .cuts import via_array
from .drawing import Canvas, Cell, Rect, Subcircuit
from .pad_plan import FEED, LEAD, RING, PadPlan, metal_overlap, ring_metals
from .protection import CUTS, WIDE, draw_protection, middle
from .rules import RuleBook

SIDES = ("south", "east", "north", "west")


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
    x1, x2 = (plan.side - FEED) // 2, (plan.side + FEED) // 2
    tongue = (x1, plan.tongue[0], x2, plan.tongue[1])
    c.rect("land", x1, plan.tongue[0] - metal_overlap(r), x2, plan.tongue[1])
    for metal in tech.roles.between("bottom_row", "land"):
        c.rect(metal, *tongue)
    up, margin = tech.roles.cuts("bottom_row", "land"), r.enclosure("pad_metal", "pad_via")
    via_array(c, r, middle(tongue, WIDE), up[::-1], margin, CUTS)
    c.rect("bottom_row", x1, plan.tongue[0], x2, plan.upper[1])
    half = LEAD // 2
    c.rect("bottom_row", plan.side // 2 - half, plan.upper[1], plan.side // 2 + half, plan.depth)
    for name, ring in zip(RAILS, (plan.ring, plan.supply), strict=True):
        beside = (plan.pitch - plan.side) // 2  # so that neighbours' rings abut
        for metal in ring_metals(tech):
            c.rect(metal, -beside, ring[0], plan.side + beside, ring[1])
        if rail == name:
            via_array(c, r, middle((x1, ring[0], x2, ring[1]), WIDE), up, margin, CUTS)
        c.port(name, "land", -beside, (ring[0] + ring[1]) // 2, RING, 180)
    draw_protection(c, r, plan, (x1, x2))
    net = rail or "PAD"
    c.port(net, "bottom_row", plan.side // 2, plan.depth, LEAD, 90)
    c.port(net, "land", plan.side // 2, 0, plan.side, 270)
    name = f"bond_pad{'_' + rail.lower() if rail else ''}_{side}"
    cell = Cell(name, tuple(c.rects), ports=tuple(c.ports), width=plan.side, height=plan.depth,
                netlist=Subcircuit(name, tuple(dict.fromkeys((net, *RAILS))), ()))  # fmt: skip
    return turned(cell, side)


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
