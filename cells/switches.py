"""Mode switches: the transmission gates that choose between reading and writing.

Both are drawn in row frame (see `gates`), with the array in the east and the outer world in
the west; the column switch is turned by 90 degrees at the end. Nets:

* row switch: TR to IN_T (WT low) or WR (WT high), BR to IN_B or WR by WB,
* column switch: C to OUT (WSEL low) or to the write rail WC (WSEL high); the complement
  WSEL_N is made by an inverter inside.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..pdk import Tech
from .drawing import Canvas, Cell, Port, Rect, grid_down, grid_up
from .gates import Body, TrackName, Tracks
from .pen import MARGIN, Pen, SwitchParameters
from .pitches import sense_cut
from .rules import RuleBook


def _row_block(pen: Pen, body_of: tuple[str, str, str, str, str, str],
               tracks: tuple[TrackName, TrackName]) -> Body:  # fmt: skip
    """Draw one block of a row switch: tap, body, gate head with its control line along y."""
    name, model, a, b, gate, width = body_of
    d, r = pen.drawer, pen.rules
    pen.tap("p" if model == "nfet" else "n")
    pen.x += d.tap_gap
    body = pen.make(name, model, pen.x, a, b, gate, width)
    d.body(body, track_a=tracks[0], track_b=tracks[1])
    head = body.x2 + d.head_gap
    d.head(head, d.rows(body), (body.x2, head), "mid")
    half = r.pad // 2
    pen.canvas.rect("select", head - half, 0, head + half, pen.tracks.pitch)
    pen.controls.append((head, gate))
    metal = r.line // 2
    tap_edge = max(r.head_to_tap, half + r.space("local") + metal - r.tap_width // 2)
    if model == "pfet":  # the next tap is a p-tap and keeps its distance from this well
        in_well = r.enclosure("nwell", "p_active")
        to_well = in_well + max(in_well, r.space("nwell", "p_tap"))
        implants = r.tap_beyond("p") + r.space("pplus")
    else:  # the next well, with its n-tap in front, keeps its distance from this body
        to_well = d.tap_well + r.space("nwell", "n_active")
        implants = r.tap_beyond("n") + r.space("nplus")
    apart = max(to_well, implants + d.implant_beyond(model))
    tap_edge = max(tap_edge, apart - d.head_gap)
    pen.x = head + grid_up(tap_edge, 10)
    return body


@dataclass(frozen=True)
class RowSwitch:
    """A row switch and where its control and supply lines cross its south edge.

    Attributes:
        cell: the drawing, pitch-matched to one row.
        controls: (x, net) of the control lines.
        supplies: (x, net) of the supply lines.
    """

    cell: Cell
    controls: tuple[tuple[int, str], ...]
    supplies: tuple[tuple[int, str], ...]


def row_switch(
    tech: Tech, p: SwitchParameters, pitch: int, tiers: tuple[str, ...], west: int = MARGIN
) -> RowSwitch:
    """Draw the switches of one row (both tiers), `pitch` dbu high.

    Args:
        tech: the process.
        p: widths and options.
        pitch: row pitch in dbu.
        tiers: tiers of the array.
        west: room between the outer edge and the first shape, in dbu.

    Raises:
        ParameterError: if the pitch or a width is too small.
    """
    pen = Pen(tech, p, pitch, west, sense=p.kelvin)
    names = [("T", "TR"), ("B", "BR")] if "top" in tiers else [("B", "BR")]
    track: dict[str, TrackName] = {"TR": "mid", "BR": "high", "IN_T": "high", "IN_B": "low"}
    ends: dict[str, tuple[int, int]] = {}
    for write in (False, True):
        for tier, line in names:
            other = "WR" if write else f"IN_{tier}"
            on, off = (f"W{tier}", f"W{tier}_N") if write else (f"W{tier}_N", f"W{tier}")
            kind = ("W" if write else "R") + tier
            t = (track[line], track.get(other, "low"))
            n = _row_block(pen, (f"N{kind}", "nfet", line, other, on, "switch_wn_um"), t)
            q = _row_block(pen, (f"P{kind}", "pfet", line, other, off, "switch_wp_um"), t)
            ends[kind] = (n.x, q.x2)
    width = _row_tracks(pen, ends, names)
    m3, m4 = "bottom_row", "top_row"
    pins = [("BR", m3, "high", width, 0), ("IN_B", m3, "low", 0, 180), ("WR", m4, "low", 0, 180)]
    if "top" in tiers:
        pins = [("TR", m4, "high", width, 0), ("IN_T", m3, "high", 0, 180), *pins]
    ports = [_track_port(pen.tracks, *pin) for pin in pins]
    ports += pen.through(pen.controls, "select", pen.rules.pad // 2 * 2)
    if p.kelvin:
        ports += _row_kelvin(pen, names, width)
    controls = [f"W{t}{s}" for t, _ in names for s in ("", "_N")]
    nets = [n for _, n in names] + [f"IN_{t}" for t, _ in names] + ["WR", *controls, "VDD", "VSS"]
    cell = pen.finish("row_switch", tuple(nets), ports, width)
    return RowSwitch(cell, tuple(pen.controls), tuple(pen.taps))


def _track_port(t: Tracks, net: str, metal: str, track: str, x: int, direction: int) -> Port:
    span = t.low if track == "low" else t.high4 if metal == "top_row" else t.high3
    return Port(
        net, t.rules.layer(metal), x, grid_down(sum(span) / 2), span[1] - span[0], direction
    )


def _row_tracks(pen: Pen, ends: dict[str, tuple[int, int]], names: list[tuple[str, str]]) -> int:
    """Draw the lines of a row switch; returns its width."""
    c, t, r = pen.canvas, pen.tracks, pen.rules
    east = grid_up(pen.x + 2 * r.pad, 10)
    if pen.p.kelvin:
        east += max(3 * r.pad, 2 * sense_half(r) + r.pad + r.row_space(pen.tracks.pitch))
    for tier, line in names:
        read_start, read_end = ends[f"R{tier}"]
        t.metal(c, "bottom_row", "high" if tier == "T" else "low", 0, read_end)
        t.metal(
            c, *(("top_row", "high") if line == "TR" else ("bottom_row", "high")), read_start, east
        )
    # WR passes the read sections in the upper metal and drops to the lower where IN_B has ended
    first, last = ends[f"W{names[0][0]}"][0], ends["WB"][1]
    hop = first - pen.drawer.tap_gap - pen.rules.tap_width // 2
    half = r.pad // 2
    t.metal(c, "top_row", "low", 0, hop + half)
    t.metal(c, "bottom_row", "low", hop - half, last)
    _fill_cuts(c, r, "bottom_row_via", hop, t.low)
    return east


def _fill_cuts(c: Canvas, r: RuleBook, cut: str, x: int, span: tuple[int, int]) -> None:
    """Draw a column of foundry cuts at `x` as tall as `span` allows."""
    step, margin, side = r.step(cut), r.around(cut), r.size(cut)
    room = span[1] - span[0] - 2 * margin - side
    start = span[0] + margin + grid_down((room % step) / 2) + side // 2
    for k in range(room // step + 1):
        c.box(cut, x, start + k * step, side)


def _row_kelvin(pen: Pen, names: list[tuple[str, str]], east: int) -> list[Port]:
    """Tap TR and BR at the array's edge and lead the taps west in the last metal."""
    c, t, r = pen.canvas, pen.tracks, pen.rules
    edge = grid_up(r.land_space / 2)
    width = grid_down((t.pitch - 2 * edge - r.land_space) / 2, 10)
    half, in_line = sense_half(r), r.line_end("land_via", "land") + r.size("land_via") // 2
    # the array's row line beside it may take the whole pitch
    x = grid_down(east - r.space_beside("top_row", t.pitch) - half)
    spans = {"T": (t.pitch - edge - width, t.pitch - edge), "B": (edge, edge + width)}
    cut_y = {
        "T": grid_down(sum(t.high4) / 2),
        "B": max(
            min(t.low[1] - sense_cut(r)[1] - _highest(r) // 2, spans["B"][1] - in_line),
            spans["B"][0] + r.enclosure("land", "land_via") + r.size("land_via") // 2,
        ),
    }
    ports = []
    # across both tracks it may be wide, and the next row's line ends nearer to its edge
    space = r.row_space(min(t.pitch, east - x + half + r.pad))
    inset = space - grid_up(r.row_space(0) / 2) if space > r.row_space(0) else 0
    inset = max(inset, t.low[0])
    c.rect("bottom_row", x - half - r.pad, inset, east, t.pitch - inset)
    c.rect("top_row", x - half - r.pad, t.low[0], x + half, t.low[1])
    c.box("bottom_row_via", x, cut_y["B"], r.size("bottom_row_via"))
    for tier, _ in names:
        low, high = spans[tier]
        c.rect("land", 0, low, x + half, high)
        y = min(max(cut_y[tier], low + in_line), high - in_line) if tier == "T" else cut_y["B"]
        for metal in r.upper:
            long = max(r.landing(metal), grid_up(r.area(metal) / width, 10))
            c.rect(metal, x + half - long, low, x + half, high)
        for cut in r.tech.roles.cuts("top_row", "land"):
            c.box(cut, x, y, r.size(cut))
        ports.append(Port(f"K{tier}", r.layer("land"), 0, grid_down((low + high) / 2), width, 180))
    return ports


def _highest(r: RuleBook) -> int:
    """Return the side of the largest cut between the lower row line's metal and the land."""
    return max(r.size(cut) for cut in r.tech.roles.cuts("bottom_row", "land"))


def sense_half(r: RuleBook) -> int:
    """Return half the length of what a sense line's cuts land on."""
    return (
        max(r.pad, r.landing("top_row"), r.size("land_via") + 2 * r.line_end("land_via", "land"))
        // 2
    )


def _inverter(pen: Pen, source: str, out: str) -> None:
    """Draw an inverter at the cursor: p-tap, NMOS, head, PMOS, n-tap; input low, output mid."""
    d, r = pen.drawer, pen.rules
    pen.tap("p")
    pen.x += d.tap_gap
    n = pen.make("NI", "nfet", pen.x, "VSS", out, source, "inverter_wn_um", 1)
    head = n.x2 + d.head_gap
    q = pen.make("PI", "pfet", head + d.head_gap, "VDD", out, source, "inverter_wp_um", 1)
    for body in (n, q):
        d.body(body, track_b="mid")
    d.head(head, d.rows(n), (n.x2, q.x), "low")
    d.to_track(head, "low", metal4=True)
    pen.x = q.x2 + d.tap_gap
    pen.tap("n")
    y, half = d.rows(n)[0], d.row // 2
    (x1, _), (x2, _) = pen.taps[-2:]
    pen.canvas.rect("local", x1, y - half, n.x, y + half)
    pen.canvas.rect("local", q.x2, y - half, x2, y + half)
    pen.tracks.metal(pen.canvas, "top_row", "low", 0, head + r.pad)
    pen.tracks.metal(pen.canvas, "top_row", "high", n.x, pen.x + r.pad)


def inverter(tech: Tech, p: SwitchParameters, pitch: int) -> RowSwitch:
    """Draw the inverter that makes a complement control; A in the west, Y in the east."""
    pen = Pen(tech, p, pitch)
    _inverter(pen, "A", "Y")
    width = pen.x + pen.rules.pad
    ports = [
        _track_port(pen.tracks, "A", "top_row", "low", 0, 180),
        _track_port(pen.tracks, "Y", "top_row", "high", width, 0),
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
    read_p, write_n, write_p = _column_bodies(pen, read_n)
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
    last = max(x for x, is_b in d.strap_xs(read_p) if is_b)
    t.metal(c, "bottom_row", "low", jog - half, last + half)
    joined = write_n.x - d.head_gap
    t.metal(c, "top_row", "low", 0, joined + r.pad)
    t.metal(c, "top_row", "high", pen.taps[0][0], head2 + half)
    width = _column_adaptor(pen, read_n.x, head2 + half)
    ports = [
        _track_port(t, "OUT", "bottom_row", "high", 0, 180),
        _track_port(t, "WSEL", "top_row", "low", 0, 180),
        Port("C", r.layer("land"), width, grid_down(pitch / 2), pitch - r.space("land"), 0),
    ]
    if p.kelvin:
        wide = grid_up(max(r.width("land"), 600), 10)
        c.box("land", width // 2 // 10 * 10, grid_down(pitch / 2), width // 10 * 10, wide)
        ports.append(Port("KC", r.layer("land"), 0, grid_down(pitch / 2), wide, 180))
    rails = tuple(x for body in (write_n, write_p) for x, is_b in d.strap_xs(body) if is_b)
    ports += pen.through([(x, "WC") for x in rails], "select", 2 * half)
    pins = ("C", "OUT", "WC", "WSEL", "VDD", "VSS")
    flat = pen.finish("column_switch", pins, ports, width)
    return ColumnSwitch(_turned(flat), tuple(pen.taps), rails)


def _column_bodies(pen: Pen, read_n: Body) -> tuple[Body, Body, Body]:
    """Draw the four gates of a column from read NMOS to write PMOS; returns the last three."""
    d, r, c = pen.drawer, pen.rules, pen.canvas
    pen.x = read_n.x2 + d.tap_gap
    pen.tap("p")
    pen.x += pen.tap_to_tap
    pen.tap("n")
    # these three share the number of fingers, so the narrowest decides
    n = min(read_n.fingers, pen.fingers("switch_wp_um"))
    read_p = pen.make("PR", "pfet", pen.x + d.tap_gap, "C", "OUT", "WSEL", "switch_wp_um", n)
    joined = read_p.x2 + d.head_gap
    write_n = pen.make("NW", "nfet", joined + d.head_gap, "C", "WC", "WSEL", "switch_wn_um", n)
    pen.x = write_n.x2 + d.tap_gap
    pen.tap("p")
    pen.x += pen.tap_to_tap
    pen.tap("n")
    write_p = pen.make("PW", "pfet", pen.x + d.tap_gap, "C", "WC", "WSEL_N", "switch_wp_um", n)
    for body in (read_n, read_p):
        d.body(body, track_a="high", track_b="low")
    for body in (write_n, write_p):
        d.body(body, bus_b=True, track_a="high")
    # WSEL opens the read PMOS and the write NMOS: one head serves both
    d.head(joined, d.rows(write_n), (read_p.x2, write_n.x), "low")
    d.to_track(joined, "low", metal4=True)
    # the write rail is one net within the cell: its straps on either side of the taps join
    west, east = d.strap_xs(write_n)[-1][0], d.strap_xs(write_p)[0][0]
    c.box("select", grid_down((west + east) / 2), pen.tracks.mid, grid_up(east - west, 10), r.pad)
    return read_p, write_n, write_p


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
            _fill_cuts(c, r, cut, grid_down((west + width) / 2), (edge, t.pitch - edge))
            continue
        first = margins[cut] + r.size(cut) // 2
        for k in range(columns):
            _fill_cuts(c, r, cut, grid_up(west + first + k * r.step(cut), 10),
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
