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
from .pad_plan import PadPlan
from .pads import SIDES, turned
from .protection import BESIDE, EVERY
from .rules import RuleBook

#: clamp transistor, capacitor and resistor: width of a gate, length (None: the least), gates; dbu
CLAMP, CAPACITOR, RESISTOR = (12_000, None, 16), (12_000, 5_000, 2), (360, 12_000, 1)
#: width of the line of the gate and of the lines over the taps at either end; from the line of VSS
#: to that of the gate, and from this to the channels; room between parts; dbu
_GATE, _LINE, _APART, _ROOM = 1_000, 3_000, 800, 1_300
#: transistors of the resistor in series, and their step
IN_SERIES, _STEP = 5, 2_500
_Size = tuple[int, int | None, int]


def supply_clamp(tech: Tech, *, side: str = "south") -> Cell:
    """Draw the supply clamp of a bond pad, between the lines of VSS and VDD that the pad has.

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
    vss, vdd = plan.low, plan.high
    gate = (vss[1] + _APART, vss[1] + _APART + _GATE)
    left, low = BESIDE, gate[1] + _APART
    places, x = [], left + _LINE + _ROOM
    taps = [left + _LINE // 2]
    for number, (w, length, fingers) in enumerate((CLAMP, RESISTOR, CAPACITOR)):
        place = NmosPlace(r, x, low, w, length or r.gate_length(), fingers)
        places.append(place)
        draw_nmos(c, r, place, EVERY)
        x = place.comp[2] + _ROOM
        if number != 1:
            taps.append(x + r.tap_width)
            x = taps[-1] + r.tap_width + _ROOM
    clamp, resistor, capacitor = places
    for at in taps:
        tap_strip(c, r, at, vss[1], clamp.comp[3], every=EVERY)
    for line in (vss, vdd):
        c.rect("local", left, line[0], plan.side - left, line[1])
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
        draw_nmos(c, r, place, EVERY)
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
