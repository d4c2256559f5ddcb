"""The mode switch of one column, and the inverters that make complement controls.

Both are drawn in row frame (see `gates`), with the array in the east and the outer world in
the west; the column switch is turned by 90 degrees at the end. It leads C to OUT (WSEL low) or to
the write rail WC (WSEL high); the complement WSEL_N is made by an inverter inside.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..pdk import Tech
from .drawing import Cell, Port, Rect, grid_down, grid_up
from .gates import Body
from .pen import Pen, SwitchParameters
from .row_switch import RowSwitch, fill_cuts, track_port


def _inverter(pen: Pen, source: str, out: str) -> None:
    """Draw an inverter at the cursor: p-tap, NMOS, head, PMOS, n-tap; input low, output mid."""
    d, r = pen.drawer, pen.rules
    pen.tap("p")
    pen.x += d.tap_gap
    n = pen.make("NI", "nfet", pen.x, "VSS", out, source, "inverter_wn_um")
    head = n.x2 + d.head_gap
    q = pen.make("PI", "pfet", head + d.head_gap, "VDD", out, source, "inverter_wp_um")
    for body in (n, q):
        d.body(body, track_b="mid")
    d.head(head, d.rows(n), (n.x2, head), "low")
    d.to_bar(head, d.rows(q), (head, q.x), (d.gates(d.rows(n))[0],) * 2)
    d.to_track(head, "low", metal4=True)
    pen.x = q.x2 + d.tap_gap
    pen.tap("n")
    half = d.row // 2
    (x1, _), (x2, _) = pen.taps[-2:]
    for body, west, east in ((n, x1, n.x), (q, q.x2, x2)):
        for y in d.rows(body)[::2]:
            pen.canvas.rect("local", west, y - half, east, y + half)
    pen.tracks.metal(pen.canvas, "top_row", "low", 0, head + r.pad)
    pen.tracks.metal(pen.canvas, "top_row", "high", n.x, pen.x + r.pad)


def inverter(tech: Tech, p: SwitchParameters, pitch: int) -> RowSwitch:
    """Draw the inverter that makes a complement control; A in the west, Y in the east."""
    pen = Pen(tech, p, pitch)
    _inverter(pen, "A", "Y")
    width = pen.x + pen.rules.pad
    ports = [
        track_port(pen.tracks, "A", "top_row", "low", 0, 180),
        track_port(pen.tracks, "Y", "top_row", "high", width, 0),
    ]
    cell = pen.finish("inverter", ("A", "Y", "VDD", "VSS"), ports, width)
    return RowSwitch(cell, (), tuple(pen.taps))


@dataclass(frozen=True)
class ColumnSwitch:
    """A column switch, array in the north, and where its lines along x lie.

    Attributes:
        cell: the drawing, pitch-matched to one column.
        supplies: (y, net) of the supply lines.
        rails: y of the lines of the write rail WC.
    """

    cell: Cell
    supplies: tuple[tuple[int, str], ...]
    rails: tuple[int, ...]


def column_switch(tech: Tech, p: SwitchParameters, pitch: int) -> ColumnSwitch:
    """Draw the switch of one column, `pitch` dbu wide.

    Raises:
        ParameterError: if the pitch or a width is too small.
    """
    pen = Pen(tech, p, pitch)
    d, r, t, c = pen.drawer, pen.rules, pen.tracks, pen.canvas
    _inverter(pen, "WSEL", "WSEL_N")
    half = r.pad // 2
    jog = pen.x + half
    head0 = jog + r.pad + r.space("select")
    read_n = pen.make("NR", "nfet", head0 + d.head_gap, "C", "OUT", "WSEL_N", "switch_wn_um")
    last_read, write_n, write_p = _column_bodies(pen, read_n)
    head2 = write_p.x2 + d.head_gap
    d.head(head0, d.rows(read_n), (head0, read_n.x), "mid")
    d.head(head2, d.rows(write_p), (write_p.x2, head2), "mid")
    for x in (head0, head2):
        d.to_track(x, "mid")
    # OUT changes from low to high west of the read gates, where C has ended
    c.rect("select", jog - half, t.edge, jog + half, t.pitch - t.edge)
    for track in ("low", "high"):
        d.to_track(jog, track)  # type: ignore[arg-type]
    t.metal(c, "bottom_row", "high", 0, jog + half)
    last = max(x for x, is_b in d.strap_xs(last_read) if is_b)
    t.metal(c, "bottom_row", "low", jog - half, last + half)
    joined = write_n.x - d.head_gap
    t.metal(c, "top_row", "low", 0, joined + r.pad)
    t.metal(c, "top_row", "high", pen.taps[0][0], head2 + half)
    width = _column_adaptor(pen, read_n.x, head2 + half)
    ports = [
        track_port(t, "OUT", "bottom_row", "high", 0, 180),
        track_port(t, "WSEL", "top_row", "low", 0, 180),
        Port("C", r.layer("land"), width, grid_down(pitch / 2), pitch - r.space("land"), 0),
    ]
    if p.kelvin:
        wide = grid_up(max(r.width("land"), 600), 10)
        y = grid_down(pitch / 2)
        c.rect("land", 0, y - wide // 2, width, y + wide // 2)
        ports.append(Port("KC", r.layer("land"), 0, grid_down(pitch / 2), wide, 180))
    rails = tuple(x for body in (write_n, write_p) for x, is_b in d.strap_xs(body) if is_b)
    ports += pen.through([(x, "WC") for x in rails], "select", 2 * half)
    pins = ("C", "OUT", "WC", "WSEL", "VDD", "VSS")
    flat = pen.finish("column_switch", pins, ports, width)
    return ColumnSwitch(_turned(flat), tuple(pen.taps), rails)


def _column_bodies(pen: Pen, read_n: Body) -> tuple[Body, Body, Body]:
    """Draw the gates of a column from read NMOS to write PMOS; returns the last three."""
    d, r, c = pen.drawer, pen.rules, pen.canvas
    # these share the number of fingers, so the narrowest decides
    n = min(read_n.fingers, pen.fingers("switch_wp_um"))
    pen.x, last_read = read_n.x2, read_n
    if pen.p.read_switch == "both":
        _taps_between(pen)
        x = pen.x + d.tap_gap
        last_read = pen.make("PR", "pfet", x, "C", "OUT", "WSEL", "switch_wp_um", n)
        joined = last_read.x2 + d.head_gap
    else:  # the read gates, of another net, end in front of this head
        ends = r.extension("poly", "diffusion") + r.space("poly") + r.head // 2
        joined = last_read.x2 + max(d.head_gap, grid_up(ends, 10))
    write_n = pen.make("NW", "nfet", joined + d.head_gap, "C", "WC", "WSEL", "switch_wn_um", n)
    pen.x = write_n.x2
    _taps_between(pen)
    write_p = pen.make("PW", "pfet", pen.x + d.tap_gap, "C", "WC", "WSEL_N", "switch_wp_um", n)
    for body in dict.fromkeys((read_n, last_read)):
        d.body(body, track_a="high", track_b="low")
    for body in (write_n, write_p):
        d.body(body, bus_b=True, track_a="high")
    # WSEL opens the write NMOS and, where there is one, the read PMOS: one head serves both
    west = joined if last_read is read_n else last_read.x2
    d.head(joined, d.rows(write_n), (west, write_n.x), "low")
    d.to_track(joined, "low", metal4=True)
    # the write rail is one net within the cell: its straps on either side of the taps join
    west, east = d.strap_xs(write_n)[-1][0], d.strap_xs(write_p)[0][0]
    c.box("select", grid_down((west + east) / 2), pen.tracks.mid, grid_up(east - west, 10), r.pad)
    return last_read, write_n, write_p


def _taps_between(pen: Pen) -> None:
    """Draw the taps between an NMOS, where the cursor stands, and a PMOS."""
    pen.x += pen.drawer.tap_gap
    pen.tap("p")
    pen.x += pen.tap_to_tap
    pen.tap("n")


def _column_adaptor(pen: Pen, c_start: int, x: int) -> int:
    """Lead C from its track up to a land at the array; returns the cell's width."""
    c, r, t = pen.canvas, pen.rules, pen.tracks
    west = x + t.space
    cuts = r.tech.roles.cuts("bottom_row", "land")
    # two columns of the lowest cut, one of the largest
    margins = {cut: max(r.space(cut) // 2, r.around(cut)) for cut in cuts}
    room = max(
        2 * r.step(cuts[0]) + max(r.space(cuts[0]), 2 * margins[cuts[0]] - r.space(cuts[0])),
        *(r.size(cut) + 2 * r.around(cut, ends=True) for cut in cuts),
    )
    width = grid_up(west + room, 10)
    edge = grid_up(r.land_space / 2)
    t.metal(c, "bottom_row", "high", c_start, west)
    c.rect("bottom_row", west, t.edge, width, t.pitch - t.edge)
    for metal in r.tech.roles.between("bottom_row", "land"):
        margin = edge if metal in r.upper else t.edge
        c.rect(metal, west, margin, width, t.pitch - margin)
    c.rect("land", west, edge, width, t.pitch - edge)
    for cut in cuts:
        columns = max(1, (room - 2 * margins[cut] + r.space(cut)) // r.step(cut))
        if columns == 1:
            fill_cuts(c, r, cut, grid_down((west + width) / 2), (edge, t.pitch - edge))
            continue
        first = margins[cut] + r.size(cut) // 2
        for k in range(columns):
            fill_cuts(c, r, cut, grid_up(west + first + k * r.step(cut), 10),
                       (edge, t.pitch - edge))  # fmt: skip
    return width


def _turned(cell: Cell) -> Cell:
    """Turn a cell by 90 degrees so that its east side faces north, and shift it back to (0, 0)."""
    p = cell.height
    rects = tuple(Rect(r.layer, p - r.y2, r.x1, p - r.y1, r.x2) for r in cell.rects)
    ports = tuple(
        replace(q, x=p - q.y, y=q.x, orientation=(q.orientation + 90) % 360) for q in cell.ports
    )
    return replace(cell, rects=rects, ports=ports, width=p, height=cell.width)
