"""The supply clamp: a wide NMOS from VDD to VSS that a fast rise of VDD turns on.

A capacitor of gate oxide couples the rise to the gate, and a long transistor that is always on
takes it back to VSS. So the clamp conducts in its channel for some hundred nanoseconds of a
discharge, and is off in operation. Its sizes are assumed; nothing of it has been measured.
"""

from __future__ import annotations

from itertools import pairwise

from ..base import names
from ..pdk import ParameterError, Tech
from .drawing import Canvas, Cell, Device, Subcircuit
from .mos import NmosPlace, draw_nmos, tap_strip
from .pads import SIDES, PadPlan, turned, via_array
from .rules import RuleBook

#: clamp transistor, capacitor and resistor: width of a gate, length (None: the least), gates; dbu
CLAMP, CAPACITOR, RESISTOR = (40_000, None, 12), (40_000, 5_000, 2), (600, 10_000, 1)
#: lower end of the channels; width of lines; room between parts; width of what leads VDD over
#: the ring of VSS; dbu
_LOW, _LINE, _ROOM, _STRAP = 22_000, 6_000, 2_500, 18_000
#: west end: diffusion keeps away from the openings of the pads on both sides, dbu
_WEST = 4_500
#: transistors of the resistor in series, and their step
IN_SERIES, _STEP = 3, 4_000
_Size = tuple[int, int | None, int]


def supply_clamp(tech: Tech, *, side: str = "south") -> Cell:
    """Draw a supply clamp in the place of a bond pad: with pieces of the VSS and VDD rings.

    Args:
        tech: the process.
        side: side of the chip that it stands on.

    Raises:
        ParameterError: if there is no such side.
    """
    r, c = RuleBook(tech), Canvas(tech)
    plan, half = PadPlan(r), r.line // 2
    if side not in SIDES:
        raise ParameterError("side", side, "one of " + ", ".join(SIDES))
    places, x = [], _WEST + _LINE + _ROOM
    taps = [_WEST + _LINE // 2]
    for number, (w, length, fingers) in enumerate((CLAMP, RESISTOR, CAPACITOR)):
        place = NmosPlace(r, x, _LOW, w, length or r.gate_length(), fingers)
        places.append(place)
        draw_nmos(c, r, place)
        x = place.comp[2] + _ROOM
        if number != 1:
            taps.append(x + r.tap_width)
            x = taps[-1] + r.tap_width + _ROOM
    clamp, resistor, capacitor = places
    right = taps[-1] + r.tap_width
    vss = (_LINE, 2 * _LINE)
    gate = (vss[1] + _ROOM, vss[1] + _ROOM + 1_000)
    top = max(p.metal_end for p in places) + _ROOM
    vdd = (top, top + _LINE)
    # lines of VSS, VDD and the gate, and what joins the rings
    c.rect("local", _WEST, vss[0], right, vss[1])
    for x in taps:
        tap_strip(c, r, x, vss[1], clamp.comp[3])
    for low, high in ((_WEST, _WEST + _LINE), (right - 2 * r.tap_width, right)):
        c.rect("local", low, vss[0], high, plan.ring[1])
    c.rect("local", clamp.comp[0], vdd[0], capacitor.comp[2], vdd[1])
    west = capacitor.columns[0] - r.pad // 2
    c.rect("local", west, gate[0], capacitor.columns[-1] + half, gate[1])
    for at in clamp.columns[1::2]:
        c.rect("local", at - half, vss[0], at + half, clamp.metal_top)
    for at in clamp.columns[::2]:
        c.rect("local", at - half, clamp.metal_bottom, at + half, vdd[1])
    for at in capacitor.columns:
        c.rect("local", at - half, gate[0], at + half, capacitor.metal_top)
    for p in (resistor, capacitor):
        c.rect("local", p.gate_x - half, p.gate_y, p.gate_x + half, vdd[1])
    _resistor(c, r, resistor, (vss[0], capacitor.columns[0]))
    _gate_line(c, r, clamp, capacitor.columns[0], gate)
    _rings(c, r, plan, (clamp.comp[0], capacitor.comp[2]), vdd)
    name = f"{names.CLAMP}_{side}"
    cell = Cell(name, tuple(c.rects), width=plan.side, height=plan.depth, netlist=_netlist(r, name))
    return turned(cell, side)


def _resistor(c: Canvas, r: RuleBook, first: NmosPlace, ends: tuple[int, int]) -> None:
    """Stack the other transistors of the resistor on the first, to and fro.

    Args:
        c: where to draw.
        r: rules.
        first: the lowest.
        ends: y of the VSS line, x of the line of the gate.
    """
    half, (x, y, _, _) = r.line // 2, first.comp
    w, length, fingers = RESISTOR
    west, east = first.columns
    c.rect("local", west - half, ends[0], west + half, first.metal_top)
    before = first
    for k in range(1, IN_SERIES):
        place = NmosPlace(r, x, y + k * _STEP, w, length or 0, fingers)
        draw_nmos(c, r, place)
        at = east if k % 2 else west
        c.rect("local", at - half, before.metal_bottom, at + half, place.metal_top)
        before = place
    at = east if IN_SERIES % 2 else west
    c.rect("local", at - half, before.metal_bottom, at + half, before.metal_top)
    middle = (before.metal_bottom + before.metal_top) // 10 * 5
    c.rect("local", at - half, middle - half, ends[1] + half, middle + half)


def _gate_line(c: Canvas, r: RuleBook, clamp: NmosPlace, x: int, line: tuple[int, int]) -> None:
    """Join the clamp's gates to the line of the capacitor, over the lines of the drains."""
    half = r.pad // 2
    y = (line[0] + line[1]) // 2
    c.rect("select", clamp.gate_x - half, clamp.gate_y - half, x + half, clamp.gate_y + half)
    c.rect("select", x - half, y - half, x + half, clamp.gate_y + half)
    for at in ((clamp.gate_x, clamp.gate_y), (x, y)):
        c.box("local_via", *at, r.size("local_via"))


def _rings(
    c: Canvas, r: RuleBook, plan: PadPlan, span: tuple[int, int], vdd: tuple[int, int]
) -> None:
    """Draw the pieces of the rings and lead VDD over the ring of VSS."""
    beside = (plan.pitch - plan.side) // 2
    for ring in (plan.ring, plan.supply):
        c.rect("local", -beside, ring[0], plan.side + beside, ring[1])
    # wider metal asks for slots
    for low in range(span[0], span[1] - _STRAP + 1, _STRAP + _ROOM):
        high = low + _STRAP
        c.rect("select", low, vdd[0], high, plan.supply[1])
        via_array(c, r, (low, vdd[0], high, vdd[1]), ("local_via",))
        via_array(c, r, (low, plan.supply[0], high, plan.supply[1]), ("local_via",))


def _netlist(r: RuleBook, name: str) -> Subcircuit:
    def device(kind: str, nets: tuple[str, ...], size: _Size) -> Device:
        w, length, fingers = size
        um = r.tech.dbu_um
        long = (length or r.gate_length()) * um
        return Device(kind, "nfet", nets, (("W", w * fingers * um), ("L", long)))

    inner = (f"N{k}" for k in range(1, IN_SERIES))
    return Subcircuit(
        name,
        ("VDD", "VSS"),
        (
            device("MN", ("VDD", "G", "VSS", "VSS"), CLAMP),
            *(
                device(f"MR{k}", (at, "VDD", to, "VSS"), RESISTOR)
                for k, (to, at) in enumerate(pairwise(("VSS", *inner, "G")))
            ),
            device("MC", ("G", "VDD", "G", "VSS"), CAPACITOR),
        ),
    )


__all__ = ["supply_clamp"]
