"""The smallest cells: memristor stack, select transistor, via stack and module vias."""

from __future__ import annotations

from ..pdk import ParameterError, Tech
from .drawing import Canvas, Cell, Device, Port, Subcircuit
from .limits import gate_length, length, select_widths
from .mos import NmosPlace, draw_nmos, local_over_contacts, tap_strip
from .parameters import MAX_DEVICE_UM, default
from .parts import device_mark, module_via, oxides, via_stack
from .rules import RuleBook


def memristor_stack(tech: Tech, *, device_um: float = 1.0) -> Cell:
    """Draw one stacked pair: BE from the west, TE from the east, ME from the south.

    Args:
        tech: the process.
        device_um: width of each electrode, so that either device is a square of this side.

    Raises:
        ParameterError: for a side below F or above 50 um.
    """
    r, c = RuleBook(tech), Canvas(tech)
    half = length(tech, "device_um", device_um, tech.profile.line_um, MAX_DEVICE_UM) // 2
    to_via = max(
        r.overhang("bottom_electrode", "bottom_crossing")
        + max(r.space("top_via", "bottom_electrode"), r.beyond_via),
        r.space("top_via", "crossing"),
        r.space("top_via", "middle_electrode"),
    )
    # lands of neighbouring arms keep their space, and their electrodes do not cross
    reach = max(half + to_via + r.module_via // 2, r.land + r.land_space)
    tip = half + r.overhang("bottom_electrode", "bottom_crossing")
    c.rect("BE", -reach, -half, tip, half)
    c.rect("TE", -tip, -half, reach, half)
    c.rect("ME", -half, -reach, half, half + r.overhang("middle_electrode", "bottom_crossing"))
    for electrode, x, y in (("BE", -reach, 0), ("TE", reach, 0), ("ME", 0, -reach)):
        module_via(c, r, electrode, x, y)
    for tier in ("B", "T"):
        oxides(c, r, tier, (-half, -half, half, half))
    edge = r.land // 2
    c.port("BE", "land", -reach - edge, 0, r.land, 180)
    c.port("TE", "land", reach + edge, 0, r.land, 0)
    c.port("ME", "land", 0, -reach - edge, r.land, 270)
    area = (("AREA", round(4e-6 * half * half, 6)),)
    netlist = Subcircuit(
        "memristor_stack",
        ("BE", "ME", "TE"),
        (
            Device("XB", "memristor_bottom", ("BE", "ME"), area),
            Device("XT", "memristor_top", ("TE", "ME"), area),
        ),
    )
    return Cell("memristor_stack", tuple(c.rects), ports=tuple(c.ports), netlist=netlist,
                info={"device_area_um2": area[0][1]})  # fmt: skip


def select_nmos(
    tech: Tech, *, w_um: float = default("select_w_um"), l_um: float | None = None
) -> Cell:
    """Draw one NMOS with its p-tap; D and S leave in the south, G and B in the north.

    Args:
        tech: the process.
        w_um: channel width in um.
        l_um: channel length in um; None for the least.

    Raises:
        ParameterError: for a width or length outside its range.
    """
    r, c = RuleBook(tech), Canvas(tech)
    w = length(tech, "w_um", w_um, *select_widths(tech))
    place = NmosPlace(r, 0, 0, w, gate_length(tech, "l_um", l_um))
    span = draw_nmos(c, r, place)
    wide = r.line
    for net, x in (("D", place.drain_x), ("S", place.source_x)):
        local_over_contacts(c, r, x, span)
        c.port(net, "local", x, span[0] - r.line_end(r.chain[-1], "local"), wide, 270)
    c.port("G", "local", place.gate_x, place.gate_y + r.pad // 2, r.pad, 90)
    tap_x = place.comp[2] + r.to_tap + r.tap_width // 2
    tap_strip(c, r, tap_x, place.bottom, place.top)
    c.port("B", "local", tap_x, place.top, wide, 90)
    device_mark(c, r, place.comp[0], place.bottom, tap_x + r.tap_width // 2, place.top)
    size = (("W", w * 1e-3), ("L", place.length * 1e-3))
    netlist = Subcircuit(
        "select_nmos", ("D", "G", "S", "B"), (Device("M1", "nfet", ("D", "G", "S", "B"), size),)
    )
    return Cell("select_nmos", tuple(c.rects), ports=tuple(c.ports), netlist=netlist)


def via_stack_cell(tech: Tech, *, low: str = "local", high: str = "land") -> Cell:
    """Draw one cut on each level from metal `low` to metal `high`, with lands on both.

    Args:
        tech: the process.
        low: metal at the bottom, by name or role (``local``, ``select``, ...).
        high: metal at the top, above `low`; ``land`` is the last metal.

    Raises:
        ParameterError: if the metals are not in order.
    """
    ends = [tech.roles.names.get(end, end) for end in (low, high)]
    metals = tech.roles.metals
    if not set(ends) <= set(metals) or metals.index(ends[0]) >= metals.index(ends[1]):
        raise ParameterError("low, high", f"{low}, {high}", "two metals in rising order")
    r, c = RuleBook(tech), Canvas(tech)
    via_stack(c, r, 0, 0, low, high)
    for metal, direction in zip(ends, (180, 0), strict=True):
        side = r.land if metal == tech.roles.land else r.pad
        c.box(metal, 0, 0, side)
        x = side // 2 if direction == 0 else -side // 2
        c.ports.append(Port("A", metal, x, 0, side, direction))
    return Cell("via_stack", tuple(c.rects), ports=tuple(c.ports),
                netlist=Subcircuit("via_stack", ("A",), ()))  # fmt: skip


def module_via_cell(tech: Tech, *, electrode: str = default("electrode")) -> Cell:
    """Draw one module via from its land to an electrode pad.

    Args:
        tech: the process.
        electrode: see `parameters.PIECES`.

    Raises:
        ParameterError: if the electrode is not BE, ME or TE.
    """
    if electrode not in ("BE", "ME", "TE"):
        raise ParameterError("electrode", electrode, "BE, ME or TE")
    r, c = RuleBook(tech), Canvas(tech)
    module_via(c, r, electrode, 0, 0)
    c.port("A", "land", -r.land // 2, 0, r.land, 180)
    return Cell("module_via", tuple(c.rects), ports=tuple(c.ports),
                netlist=Subcircuit("module_via", ("A",), ()))  # fmt: skip
