"""The mode switch of one row: TR and BR to their read inputs or to the write driver.

Drawn with the array in the east (see `chains` and `gates`). Nets: TR to IN_T (WT low) or WR (WT
high), BR to IN_B or WR by WB. From west to east stand the transistors of IN_B, WR to BR, WR to
TR, IN_T, so that those of one line and those of one polarity share their columns:

* N: IN_B - BR - WR,   P: BR - WR - TR,   N: WR - TR - IN_T,

and with `read_switch` both also P: IN_B - BR in the west and P: TR - IN_T in the east.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..pdk import Tech
from .chains import Bar, Chain, ChainRules, Part, draw_chain, draw_head
from .drawing import Canvas, Cell, Port, grid_down, grid_up
from .gates import Tracks
from .pen import MARGIN, Pen, SwitchParameters
from .pitches import sense_cut
from .rules import RuleBook


@dataclass(frozen=True)
class RowSwitch:
    """A row switch and where its control and supply lines cross its south edge.

    Attributes:
        cell: the drawing, pitch-matched to one row.
        controls: (x, net) of the control lines.
        supplies: (x, net) of the supply lines.
        lines_x: east of it nothing of the cell is in the row lines' metals but these lines.
    """

    cell: Cell
    controls: tuple[tuple[int, str], ...]
    supplies: tuple[tuple[int, str], ...]
    lines_x: int = 0


class LineUp:
    """Places heads, taps and chains from west to east, each as near as the rules allow."""

    def __init__(self, pen: Pen) -> None:
        self.pen, self.r = pen, pen.rules
        self.g = ChainRules(pen.rules, pen.tracks, pen.length)
        self.bars: list[Bar] = []
        self.last = ""
        #: east ends of what was drawn last of each kind, far in the west at first
        far = -(10**6)
        self.east = dict.fromkeys(("nwell", "n_active", "p_tap", "nplus", "pplus"), far)

    @property
    def _tap_to_head(self) -> int:
        r = self.r
        metal = r.pad // 2 + r.space("local") + r.line // 2 - r.tap_width // 2
        return grid_up(max(r.head_to_tap, metal), 10)

    def head(self, gate: str, gates: list[int]) -> None:
        """Draw the head of some gates, beside their chain or where it will stand."""
        self.pen.controls.append((self.pen.x, gate))
        draw_head(self.pen.canvas, self.g, self.pen.x, gates)

    def _to_head(self) -> None:
        """Move the cursor to the middle of the next head."""
        gap = {"tap": self._tap_to_head, "chain": self.g.head_gap, "head": self.g.head_step}
        self.pen.x += gap.get(self.last, self.r.pad // 2)
        self.last = "head"

    def tap(self, kind: str) -> None:
        """Draw a tap."""
        r, pen = self.r, self.pen
        gap = {"head": self._tap_to_head, "chain": pen.drawer.tap_gap}.get(self.last, 0)
        x = pen.x + gap
        if kind == "n":
            x = max(x, self._clear_of_n() + pen.drawer.tap_well)
            x = max(x, self.east["nplus"] + r.space("nplus") + r.tap_beyond("n"))
        else:
            x = max(x, self.east["nwell"] + self._well_to_tap)
            x = max(x, self.east["pplus"] + r.space("pplus") + r.tap_beyond("p"))
        pen.x = grid_up(x, 10)
        pen.tap(kind)
        implant = "nplus" if kind == "n" else "pplus"
        self.east[implant] = pen.x + r.tap_beyond(kind)
        if kind == "n":
            # one well with a transistor on either side
            if self.east["nwell"] > self.east["n_active"]:
                self._well(self.east["nwell"], pen.x)
            self.east["nwell"] = pen.x + pen.drawer.tap_well
        else:
            self.east["p_tap"] = pen.x
        self.last = "tap"

    def _clear_of_n(self) -> int:
        """Return the least x at which a well may begin."""
        r = self.r
        return max(
            self.east["n_active"] + r.space("nwell", "n_active"),
            self.east["p_tap"] + self._well_to_tap,
        )

    @property
    def _well_to_tap(self) -> int:
        """From a well to a p-tap: so far that the tap's implant is no more than its own."""
        return max(self.r.enclosure("nwell", "p_active"), self.r.space("nwell", "p_tap"))

    def _well(self, x1: int, x2: int) -> None:
        beyond = self.pen.drawer.well_beyond
        self.pen.canvas.rect("nwell", x1, -beyond, x2, self.pen.tracks.pitch + beyond)

    def chain(self, model: str, *parts: Part, heads: str) -> None:
        """Draw a chain and the heads of its gates: `heads` says on which sides, w, e or both."""
        r, pen, g = self.r, self.pen, self.g
        if "w" in heads:
            self._to_head()
        at_head = pen.x
        gap = {"head": g.head_gap, "tap": pen.drawer.tap_gap}[self.last]
        x = pen.x + gap
        n = model == "nfet"
        implant, in_well = "nplus" if n else "pplus", r.enclosure("nwell", "p_active")
        beside = r.enclosure(implant, "n_active" if n else "p_active")
        x = max(x, self.east[implant] + r.space(implant) + beside)
        if n:
            x = max(x, self.east["nwell"] + r.space("nwell", "n_active"))
        elif self.east["nwell"] < self.east["n_active"]:
            x = max(x, self._clear_of_n() + in_well)
        width = pen.widths["switch_wn_um" if n else "switch_wp_um"]
        found = g.chain(model, parts, grid_up(x, 10), width)
        self.bars += draw_chain(pen.canvas, g, found)
        pen.devices += found.devices(pen.length * 1e-3)
        if "w" in heads:
            pen.x = at_head
            self.head(parts[0].gate, found.gates(0))
        self._after(found, implant, beside, in_well)
        if "e" in heads:
            self._to_head()
            self.head(parts[-1].gate, found.gates(len(parts) - 1))

    def _after(self, chain: Chain, implant: str, beside: int, in_well: int) -> None:
        """Note where a chain ends, and join the well of a tap in front of it."""
        self.pen.x, self.last = chain.x2, "chain"
        self.east[implant] = chain.x2 + beside
        if chain.model == "nfet":
            self.east["n_active"] = chain.x2
            return
        if self.east["nwell"] > self.east["n_active"]:
            self._well(self.east["nwell"], chain.x)
        self.east["nwell"] = chain.x2 + in_well


def _line_up(pen: Pen, tiers: tuple[str, ...]) -> LineUp:
    """Draw every transistor of a row switch, with taps and heads."""
    row, both = LineUp(pen), pen.p.read_switch == "both"
    read_b, write_b = (
        Part("NRB", "WB_N", "IN_B", "BR", "high"),
        Part("NWB", "WB", "WR", "BR", "high"),
    )
    if both:
        row.tap("n")
        row.chain("pfet", Part("PRB", "WB", "IN_B", "BR", "high"), heads="w")
    row.tap("p")
    row.chain("nfet", read_b, write_b, heads="we")
    row.tap("n")
    if "top" not in tiers:
        row.chain("pfet", Part("PWB", "WB_N", "WR", "BR", "high"), heads="w")
        return row
    row.chain(
        "pfet",
        Part("PWB", "WB_N", "WR", "BR", "high"),
        Part("PWT", "WT_N", "WR", "TR", "mid"),
        heads="we",
    )
    row.chain(
        "nfet",
        Part("NWT", "WT", "WR", "TR", "mid"),
        Part("NRT", "WT_N", "IN_T", "TR", "mid"),
        heads="we",
    )
    row.tap("p")
    if both:
        row.chain("pfet", Part("PRT", "WT", "IN_T", "TR", "mid"), heads="e")
        row.tap("n")
    return row


def row_switch(
    tech: Tech,
    p: SwitchParameters,
    pitch: int,
    tiers: tuple[str, ...],
    west: int = MARGIN,
    east: int = 0,
    *,
    short: bool = False,
) -> RowSwitch:
    """Draw the switches of one row (both tiers), `pitch` dbu high.

    Args:
        tech: the process.
        p: widths and options.
        pitch: row pitch in dbu.
        tiers: tiers of the array.
        west: room between the outer edge and the first shape, in dbu.
        east: room between the last transistor and the array beyond the least, in dbu.
        short: end the row lines over the last taps, at `lines_x`, where lanes begin.

    Raises:
        ParameterError: if the pitch or a width is too small.
    """
    pen = Pen(tech, p, pitch, west, sense=p.kelvin)
    row = _line_up(pen, tiers)
    pen.x += east
    width, lines_x = _row_tracks(pen, row, short)
    end = lines_x if short else width
    names = [("T", "TR"), ("B", "BR")] if "top" in tiers else [("B", "BR")]
    m3, m4 = "bottom_row", "top_row"
    pins = [("BR", m3, "high", end, 0), ("IN_B", m3, "low", 0, 180), ("WR", m4, "low", 0, 180)]
    if "top" in tiers:
        pins = [("TR", m4, "high", end, 0), ("IN_T", m4, "high", 0, 180), *pins]
    ports = [track_port(pen.tracks, *pin) for pin in pins]
    ports += pen.through(pen.controls, "select", pen.rules.pad // 2 * 2)
    if p.kelvin:
        ports += _row_kelvin(pen, names, width)
    controls = [f"W{t}{s}" for t, _ in names for s in ("", "_N")]
    nets = [n for _, n in names] + [f"IN_{t}" for t, _ in names] + ["WR", *controls, "VDD", "VSS"]
    cell = pen.finish("row_switch", tuple(nets), ports, width)
    return RowSwitch(cell, tuple(pen.controls), tuple(pen.taps), lines_x)


def track_port(t: Tracks, net: str, metal: str, track: str, x: int, direction: int) -> Port:
    """Return the port of a track where it leaves a cell."""
    span = t.low if track == "low" else t.high4 if metal == "top_row" else t.high3
    return Port(
        net, t.rules.layer(metal), x, grid_down(sum(span) / 2), span[1] - span[0], direction
    )


def _row_tracks(pen: Pen, row: LineUp, short: bool) -> tuple[int, int]:
    """Draw the lines of a row switch; returns its width, and where its lines stand alone.

    West of its transistors WR runs in the upper metal's southern track and IN_T in the northern.
    Where IN_B has ended, WR drops to the lower metal; IN_T takes its place above, for TR takes
    that of IN_T, and drops in turn where WR has ended.
    """
    c, t, r = pen.canvas, pen.tracks, pen.rules
    east = grid_up(pen.x + 2 * r.pad, 10)
    if pen.p.kelvin:
        east += max(3 * r.pad, 2 * sense_half(r) + r.pad + r.row_space(pen.tracks.pitch))
    ends: dict[str, tuple[int, int]] = {}
    for bar in row.bars:
        x1, x2 = ends.get(bar.net, (bar.x1, bar.x2))
        ends[bar.net] = (min(x1, bar.x1), max(x2, bar.x2))
    half = r.pad // 2
    t.metal(c, "bottom_row", "low", 0, ends["IN_B"][1])
    t.metal(c, "bottom_row", "low", *ends["WR"])
    hop = ends["WR"][0] + half
    t.metal(c, "top_row", "low", 0, hop + half)
    fill_cuts(c, r, "bottom_row_via", hop, t.low)
    if "TR" in ends:
        jog = hop + half + t.space
        t.metal(c, "top_row", "high", 0, jog + 2 * half)
        c.rect("top_row", jog, t.low[0], jog + 2 * half, t.high4[1])
        drop = ends["IN_T"][0] + half
        t.metal(c, "top_row", "low", jog, drop + half)
        t.metal(c, "bottom_row", "low", *ends["IN_T"])
        fill_cuts(c, r, "bottom_row_via", drop, t.low)
    metals = [r.layer(metal) for metal in ("bottom_row", "top_row")]
    last = max(x2 for _, x2 in ends.values())
    lines_x = max(last, *(q.x2 for q in c.rects if q.layer in metals))
    end = lines_x if short else east
    t.metal(c, "bottom_row", "high", ends["BR"][0], end)
    if "TR" in ends:
        t.metal(c, "top_row", "high", ends["TR"][0], end)
    return east, lines_x


def fill_cuts(c: Canvas, r: RuleBook, cut: str, x: int, span: tuple[int, int]) -> None:
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
    # where a plate as tall as this may have no line joined to it, it is no longer than its cuts ask
    end = east if t.pitch <= r.joint_width("bottom_row") else x + half
    c.rect("bottom_row", x - half - r.pad, inset, end, t.pitch - inset)
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
