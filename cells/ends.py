"""Cells at the array's edge: where lines leave the array and get their pins.

Everything is derived from the unit cell's own ports and shapes (`Unit`), so that a cell of a
user's own gets its ends the same way. Local coordinates start at (0, 0); the side that abuts the
array is named in each docstring.
"""

from __future__ import annotations

from dataclasses import replace

from .drawing import Canvas, Cell, grid_down, grid_up
from .parts import StackSize, cut_array, mirrored
from .rules import RuleBook
from .unit import Unit

#: How far lines run on past the outermost cell, in dbu; room for pins, not a rule.
MARGIN = 1000
#: vias on every level between a column of foundry metal and its pin
CUTS_OF_COLUMN = 4
#: Width of the VSS bus in the local metal, in dbu: ample, not a rule.
BUS = 2300


def row_end(u: Unit, r: RuleBook) -> Cell:
    """Extend the row lines to the west, onto the metals of a hybrid row; abuts in the east."""
    return _electrode_rows(u, r) if u.rows_are_electrodes else _metal_rows(u, r)


def row_end_east(u: Unit, r: RuleBook) -> Cell:
    """Extend the row lines to the east, as `row_end` does to the west; abuts in the west."""
    west = row_end(u.mirrored(), r)
    rects = mirrored(west.rects, west.width)
    ports = tuple(replace(p, x=west.width - p.x, orientation=0) for p in west.ports)
    return replace(west, name=f"{west.name}_east", rects=tuple(rects), ports=ports)


def _metal_rows(u: Unit, r: RuleBook) -> Cell:
    c = Canvas(r.tech)
    # the lands of the cells keep half their space to the edge, sense lines none to speak of
    length = max(MARGIN, grid_up(r.land_space / 2, 10) - r.row_space(0))
    for net in u.rows:
        port, (y1, y2) = u.port(net, 180), u.row_span(net)
        c.rect(port.layer, 0, y1, length, y2)
        c.port(net, port.layer, 0, port.y, port.width, 180)
    return Cell("row_end", tuple(c.rects), ports=tuple(c.ports), width=length, height=u.cell.height)


def _electrode_rows(u: Unit, r: RuleBook) -> Cell:
    """Bring BE and TE of a passive row down to the metals of a hybrid row.

    BE ends first, with its via to a land and cuts down to the lower of them; TE runs on above it
    to its own land and the upper one. So both reach the west edge in one row pitch.
    """
    c = Canvas(r.tech)
    half = r.module_via // 2
    half_land = r.land // 2
    #: from the crossing of the first cell, which lies inside it
    to_via = max(
        r.space("bottom_via", "crossing"),
        r.enclosure("bottom_oxide", "bottom_crossing") + r.space("bottom_via", "oxide"),
        r.overhang("bottom_electrode", "bottom_crossing") + r.beyond_via,
    )
    x_be = min(u.column_span[0] - to_via - half, -half_land)
    gap = max(
        r.space("top_via", "bottom_electrode") + r.beyond_via,
        max(r.land_space, r.space("top_row")) + r.land - r.module_via,
    )
    x_te = x_be - r.module_via - gap
    # a sense line of the row switch ends as near to it as the metals below allow
    margin = max(MARGIN, r.land_space - r.row_space(0))
    shift, y = half_land + margin - x_te, u.port("BR", 180).y
    most = grid_down((u.cell.height - r.land_space) / 2)  # from a land's middle to its edge
    # joined to the row switch's tracks, the metals may be wide
    low = grid_up(r.row_space(u.cell.height) / 2)
    space = r.row_space(min(u.cell.height, x_be + shift + half_land))
    if space > r.row_space(0):  # the tracks of the next row end nearer to their edge
        low = max(low, space - grid_up(r.row_space(0) / 2))
    places = {"BR": ("BE", x_be, "bottom_row"), "TR": ("TE", x_te, "top_row")}
    for net in u.rows:
        electrode, x, metal = places[net]
        y1, y2 = u.row_span(net)
        c.rect(electrode, x + shift - half_land, y1, shift, y2)
        c.box(electrode, x + shift, y, r.land)
        low_y, high_y = max(y1, y - most), min(y2, y + most)
        for via_y in _via_centres(r, y, high_y - low_y):
            c.box(f"V{electrode}", x + shift, via_y, r.module_via)
        c.rect("land", x + shift - half_land, min(low_y, y - half_land), x + shift + half_land,
               max(high_y, y + half_land))  # fmt: skip
        for cut in reversed(r.tech.roles.cuts(metal, "land")):
            for via_y in _cut_centres(
                y, r.land, r.size(cut), r.space(cut), r.around(cut, ends=True)
            ):
                c.box(cut, x + shift, via_y, r.size(cut))
        most_high = r.joint_width(metal)
        ends = max(low, y - most_high // 2), min(u.cell.height - low, y + most_high // 2)
        c.rect(metal, 0, ends[0], x + shift + half_land, ends[1])
        c.port(net, metal, 0, y, ends[1] - ends[0], 180)
    for net in u.rows:
        _, x, metal = places[net]
        for landing in r.tech.roles.between(metal, "land"):
            c.box(landing, x + shift, y, r.land)
    return Cell(
        "passive_row_end", tuple(c.rects), ports=tuple(c.ports), width=shift, height=u.cell.height
    )


def _cut_centres(centre: int, room: int, size: int, space: int, margin: int) -> list[int]:
    """Return the centres of as many cuts as fit into `room`, symmetric about `centre`."""
    n = max(1, (room - 2 * margin - size) // (size + space) + 1)
    first = centre - (n - 1) * (size + space) // 2
    return [grid_down(first) + k * (size + space) for k in range(n)]


def _via_centres(r: RuleBook, centre: int, room: int) -> list[int]:
    return _cut_centres(
        centre,
        room,
        r.module_via,
        r.space("middle_via"),
        r.enclosure("middle_electrode", "middle_via"),
    )


def column_end(u: Unit, west: Cell, r: RuleBook) -> Cell:
    """Bring ME down to a pin in the last metal through rows of vias; abuts with its north side.

    In cells with transistors the metal of the p-tap strip joins the VSS bus here.

    Args:
        u: the unit cell.
        west: the row end, whose lowest shapes must be kept clear of too.
        r: rules.
    """
    if r.tech.module.stands_within:
        return _metal_column_end(u, r)
    c = Canvas(r.tech)
    a = r.enclosure("middle_electrode", "middle_via")
    shapes = (*u.rects, *west.rects)
    crossing = u.crossing_span[0]
    via_top = min(
        min(s.y1 for s in shapes if s.layer == "BE") - r.space("middle_via", "bottom_electrode"),
        crossing
        - max(
            r.space("middle_via", "crossing"),
            r.enclosure("bottom_oxide", "bottom_crossing") + r.space("middle_via", "oxide"),
            r.overhang("middle_electrode", "bottom_crossing") + a,
        ),
        min((s.y1 for s in shapes if s.layer == r.layer("land")), default=0)
        - r.space("land")
        - r.enclosure("land", "middle_via"),
        0,
    )
    width = grid_down((u.cell.width - max(r.space("land"), r.space("middle_electrode"))) / 2) * 2
    step = r.module_via + r.space("middle_via")
    pad_height = max(r.module_via + step + 2 * a, r.width("middle_electrode"))  # two rows of vias
    pad_top = via_top + a
    least = grid_up(r.area("land") / width, 10)
    bottom = pad_top - max(pad_height + MARGIN, least)
    # the pin stands in the middle, as switches do, even where the column does not
    shift, x, half = -bottom, grid_down(u.cell.width / 2), width // 2
    c.rect("ME", u.column_span[0], pad_top - pad_height + shift, u.column_span[1], shift)
    ends = min(x - half, u.column_span[0]), max(x + half, u.column_span[1])
    c.rect("ME", ends[0], pad_top - pad_height + shift, ends[1], pad_top + shift)
    c.rect("land", x - half, 0, x + half, pad_top + shift)
    for x1, x2 in u.strap_spans:  # a strap joins the pin beside its vias
        c.rect("land", x1, pad_top + shift, x2, shift)
    for row in (0, 1):
        y = pad_top - a - r.module_via // 2 - row * step + shift
        for via_x in _via_centres(r, x, width):
            c.box("VME", via_x, y, r.module_via)
    c.port("C", "land", x, 0, width, 270)
    _substrate_end(c, u, r, shift)
    return Cell(
        "column_end", tuple(c.rects), ports=tuple(c.ports), width=u.cell.width, height=shift
    )


def _substrate_end(c: Canvas, u: Unit, r: RuleBook, top: int) -> None:
    """Join the metal of the p-tap strip to the VSS bus, where the cell has one."""
    if not u.has_substrate:
        return
    tap, metal = u.port("VSS", 270).x, r.line // 2
    c.rect("local", 0, 0, u.cell.width, BUS)
    c.rect("local", tap - metal, BUS, tap + metal, top)
    c.port("VSS", "local", 0, BUS // 2, BUS, 180)


def _metal_column_end(u: Unit, r: RuleBook) -> Cell:
    """Bring a column of foundry metal up to a pin in the last metal; abuts with its north side.

    Where the cells are too narrow for two lands beside each other, the pin stays in its metal.
    """
    c, port = Canvas(r.tech), u.port("C", 270)
    west, east = u.column_span
    width = grid_down((u.cell.width - r.space("land")) / 2) * 2
    size = StackSize(r, CUTS_OF_COLUMN)
    in_land = size.extent("land_via")[0] + 2 * r.line_end("land_via", "land")
    least = max(r.width("land"), in_land)
    if width < least:
        top = BUS + r.space("local") if u.has_substrate else MARGIN
        c.rect(port.layer, west, 0, east, top)
        c.port("C", port.layer, port.x, 0, port.width, 270)
        _substrate_end(c, u, r, top)
        return Cell("column_end", tuple(c.rects), ports=tuple(c.ports), width=u.cell.width,
                    height=top)  # fmt: skip
    metals = (port.layer, *r.tech.roles.between(port.layer, "land"))
    pads = {metal: size.landing(metal) for metal in metals}
    high = max(least, *(h for _, h in pads.values()), grid_up(r.area("land") / width, 10))
    # clear of the lowest row and of the select lines, which end at the array's edge
    clear = max(*(r.wide_space(metal) for metal in metals), r.land_space)
    middle = MARGIN + grid_up(high / 2)
    top = max(MARGIN + high + clear, BUS + r.space("local"))
    x = u.cell.width // 2  # as the lands of mode switches
    c.rect("land", x - width // 2, 0, x + width // 2, MARGIN + high)
    for metal in metals:
        c.box(metal, x, middle, *pads[metal])
    c.rect(port.layer, west, middle - pads[port.layer][1] // 2, east, top)
    c.rect(port.layer, min(west, x), middle - pads[port.layer][1] // 2, max(east, x),
           middle + pads[port.layer][1] // 2)  # fmt: skip
    for cut in r.tech.roles.cuts(port.layer, "land"):
        cut_array(c, r, cut, x, middle, size)
    c.port("C", "land", x, 0, width, 270)
    _substrate_end(c, u, r, top)
    return Cell("column_end", tuple(c.rects), ports=tuple(c.ports), width=u.cell.width, height=top)


def column_top(u: Unit, r: RuleBook) -> Cell:
    """End the columns in the north: ME passes its last oxide, select lines get their pins.

    Abuts with its south side.
    """
    c = Canvas(r.tech)
    overhang = (
        0
        if r.tech.module.stands_within
        else max(
            0,
            u.crossing_span[1] + r.overhang("middle_electrode", "bottom_crossing") - u.cell.height,
        )
    )
    if overhang:
        c.rect("ME", u.column_span[0], 0, u.column_span[1], overhang)
    for net in u.selects:
        port = u.port(net, 90)
        half = port.width // 2
        c.rect("select", port.x - half, 0, port.x + half, MARGIN)
        c.port(net, "select", port.x, MARGIN, port.width, 90)
    return Cell(
        "column_top", tuple(c.rects), ports=tuple(c.ports), width=u.cell.width, height=MARGIN
    )
