"""Cells at the array's edge: where lines leave the array and get their pins.

Local coordinates start at (0, 0); the side that abuts the array is named in each docstring.
"""

from __future__ import annotations

from .drawing import Canvas, Cell, grid_down, grid_up
from .hybrid import HybridGeometry
from .parts import RuleBook
from .passive import PassiveGeometry

#: How far lines run on past the outermost cell, in dbu; room for pins, not a rule.
MARGIN = 1000
#: Width of the VSS bus in Metal1, in dbu: ten times the least width.
BUS = 2300

Geometry = HybridGeometry | PassiveGeometry


def row_end(g: HybridGeometry, top: bool) -> Cell:
    """Extend the row lines of a hybrid or planar row to the west; abuts with its east side."""
    c = Canvas()
    lines = [("BR", "Metal3")] + ([("TR", "Metal4")] if top else [])
    middle, width = grid_down((g.line_y1 + g.line_y2) // 2), g.line_y2 - g.line_y1
    for net, metal in lines:
        c.rect(metal, 0, g.line_y1, MARGIN, g.line_y2)
        c.port(net, metal, 0, middle, width, 180)
    return Cell("row_end", tuple(c.rects), ports=tuple(c.ports), width=MARGIN, height=g.pitch_y)


def passive_row_end(g: PassiveGeometry, top: bool) -> Cell:
    """Bring BE and TE of a passive row down to the metals of a hybrid row; abuts in the east.

    BE ends first, with its via to a Metal5 land and cuts down to Metal3; TE runs on above it
    to its own land and Metal4. So both reach the west edge in one row pitch.
    """
    r, c = g.rules, Canvas()
    a, half = r("VBE.3"), r.module_via // 2
    half_land = r.land // 2
    #: from the crossing of the first cell, which lies inside it
    x_be = g.me_x - g.me_half - max(r("VBE.5"), r("OXB.1") + r("VBE.6")) - half
    gap = max(r("VTE.7b") + a, r("MT.2a") + r.land - r.module_via)
    x_te = x_be - r.module_via - gap
    shift, y = half_land + MARGIN - x_te, g.module_y
    y1, y2 = g.strip_y
    low = grid_up(r("M3.2a") / 2)
    lines = [("BE", x_be, "BR", "Metal3")] + ([("TE", x_te, "TR", "Metal4")] if top else [])
    for electrode, x, net, metal in lines:
        c.rect(electrode, x + shift - half_land, y1, shift, y2)
        c.box(electrode, x + shift, y, r.land)
        for via_y in _via_centres(r, y, y2 - y1):
            c.box(f"V{electrode}", x + shift, via_y, r.module_via)
        c.rect("Metal5", x + shift - half_land, min(y1, y - half_land), x + shift + half_land,
               max(y2, y + half_land))  # fmt: skip
        for cut in ("Via4", "Via3") if metal == "Metal3" else ("Via4",):
            for via_y in _cut_centres(y, r.land, r.via, r("V4.2a"), r("V4.4eol")):
                c.box(cut, x + shift, via_y, r.via)
        c.rect(metal, 0, low, x + shift + half_land, g.pitch_y - low)
        c.port(net, metal, 0, y, g.pitch_y - 2 * low, 180)
    c.box("Metal4", x_be + shift, y, r.land)
    return Cell(
        "passive_row_end", tuple(c.rects), ports=tuple(c.ports), width=shift, height=g.pitch_y
    )


def _cut_centres(centre: int, room: int, size: int, space: int, margin: int) -> list[int]:
    """Return the centres of as many cuts as fit into `room`, symmetric about `centre`."""
    n = max(1, (room - 2 * margin - size) // (size + space) + 1)
    first = centre - (n - 1) * (size + space) // 2
    return [grid_down(first) + k * (size + space) for k in range(n)]


def _via_centres(r: RuleBook, centre: int, room: int) -> list[int]:
    return _cut_centres(centre, room, r.module_via, r("VME.2"), r("VME.3"))


def column_end(g: Geometry, selects: bool) -> Cell:
    """Bring ME down to a Metal5 pin through rows of vias; abuts with its north side.

    In cells with transistors the Metal1 of the p-tap strip joins the VSS bus here.
    """
    r, c = g.rules, Canvas()
    a = r("VME.3")
    be_bottom = min(g.strip_y[0], g.module_y - r.land // 2)
    crossing = g.strip_y[0]
    land_bottom = g.module_y - r.land // 2
    via_top = min(
        be_bottom - r("VME.7b"),
        crossing - max(r("VME.5"), r("OXB.1") + r("VME.6")),
        land_bottom - r("MT.2a") - r("VME.4"),
        0,
    )
    width = grid_down((g.pitch_x - max(r("MT.2a"), r("ME.2"))) / 2) * 2
    step = r.module_via + r("VME.2")
    pad_height = r.module_via + step + 2 * a  # two rows of vias
    pad_top = via_top + a
    bottom = pad_top - pad_height - MARGIN
    shift, x = -bottom, g.me_x
    half = width // 2
    c.rect("ME", x - g.me_half, pad_top - pad_height + shift, x + g.me_half, shift)
    c.rect("ME", x - half, pad_top - pad_height + shift, x + half, pad_top + shift)
    c.rect("Metal5", x - half, 0, x + half, pad_top + shift)
    for row in (0, 1):
        y = pad_top - a - r.module_via // 2 - row * step + shift
        for via_x in _via_centres(r, x, width):
            c.box("VME", via_x, y, r.module_via)
    c.port("C", "Metal5", x, 0, width, 270)
    if selects:
        metal = max(r("M1.1"), r.contact + 2 * r("CO.6")) // 2
        c.rect("Metal1", 0, 0, g.pitch_x, BUS)
        c.rect("Metal1", x - metal, BUS, x + metal, shift)
        c.port("VSS", "Metal1", 0, BUS // 2, BUS, 180)
    return Cell("column_end", tuple(c.rects), ports=tuple(c.ports), width=g.pitch_x, height=shift)


def column_top(g: Geometry, selects: tuple[str, ...]) -> Cell:
    """End the columns in the north: ME passes its last oxide, select lines get their pins.

    Abuts with its south side.
    """
    r, c = g.rules, Canvas()
    overhang = max(0, g.strip_y[1] + r("OXB.8") - g.pitch_y)
    if overhang:
        c.rect("ME", g.me_x - g.me_half, 0, g.me_x + g.me_half, overhang)
    if isinstance(g, HybridGeometry) and selects:
        half = g.select_width // 2
        for net, x in (("BS", g.select_x), ("TS", g.pitch_x - g.select_x)):
            if net in selects:
                c.rect("Metal2", x - half, 0, x + half, MARGIN)
                c.port(net, "Metal2", x, MARGIN, g.select_width, 90)
    return Cell("column_top", tuple(c.rects), ports=tuple(c.ports), width=g.pitch_x, height=MARGIN)
