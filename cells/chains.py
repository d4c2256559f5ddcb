"""Transistors of row switches: gates along y, side by side in one active area.

A `Chain` is one or two transistors whose gates stand within the height of one line pitch; two
share the column of contacts between them. Sources and drains are columns of the local metal;
bars of the select metal tie the columns of a net, the ``low`` net's in the south and the ``high``
net's in the north, and cuts lead from there to the tracks of the pitch (see `gates`).

The gates of a transistor hang on a line of poly along x on the pitch's southern end and reach
that of the pitch in the north: a control is the same in all rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .drawing import Canvas, Device, grid_down, grid_up
from .gates import TrackName, Tracks
from .mos import Mos, contact_line, draw_implant, gate_contact
from .pitches import around_row, finger_step, head_gap, row_height
from .rules import RuleBook

#: most height of a bar of the select metal, in dbu, so that it is no wide metal
MOST_BAR = 2500
#: most cuts from a column to its bar
MOST_CUTS = 3


@dataclass(frozen=True)
class Part:
    """One transistor of a chain.

    Attributes:
        name: device name in netlists.
        gate: net of the gates.
        low, high: nets of the southern and of the northern bar.
        track: where the northern net goes: ``mid`` or ``high``.
    """

    name: str
    gate: str
    low: str
    high: str
    track: TrackName


@dataclass(frozen=True)
class Bar:
    """A bar of the select metal over the columns of one net, from `x1` to `x2` in dbu."""

    net: str
    track: TrackName
    x1: int
    x2: int


@dataclass(frozen=True)
class Chain:
    """One or two transistors in one active area; lengths in dbu.

    Attributes:
        model: ``nfet`` or ``pfet``.
        parts: the transistors from west to east; two have one net in common.
        x: west end of the active area.
        finger: channel width of one gate (along y).
        fingers: gates of each transistor.
        step: from one column of contacts to the next.
        around: width of active area around one column.
    """

    model: str
    parts: tuple[Part, ...]
    x: int
    finger: int
    fingers: int
    step: int
    around: int

    @property
    def x2(self) -> int:
        """East end of the active area."""
        return self.x + len(self.parts) * self.fingers * self.step + self.around

    def column(self, k: int) -> int:
        """Return the middle of the k-th column of contacts."""
        return self.x + self.around // 2 + k * self.step

    def nets(self, part: int) -> list[str]:
        """Return the nets of a transistor's columns, from west to east."""
        own = self.parts[part]
        if len(self.parts) == 1:
            first, other = own.high, own.low
        else:
            nets = [{p.low, p.high} for p in self.parts]
            (first,) = nets[0] & nets[1]
            (other,) = nets[part] - {first}
        found = [first if k % 2 == 0 else other for k in range(self.fingers + 1)]
        return found[::-1] if len(self.parts) == 2 and part == 0 else found

    def columns(self, part: int) -> list[tuple[int, str]]:
        """Return middle and net of a transistor's columns."""
        start = part * self.fingers
        return [(self.column(start + k), net) for k, net in enumerate(self.nets(part))]

    def gates(self, part: int) -> list[int]:
        """Return the middles of a transistor's gates."""
        start = part * self.fingers
        return [self.column(start + k) + self.step // 2 for k in range(self.fingers)]

    def devices(self, length_um: float) -> list[Device]:
        """Return the netlist devices, one per gate."""
        size = (("W", round(self.finger * 1e-3, 6)), ("L", length_um))
        bulk = "VSS" if self.model == "nfet" else "VDD"
        return [
            Device(f"M{p.name}_{k}", self.model, (p.high, p.gate, p.low, bulk), size)
            for p in self.parts
            for k in range(self.fingers)
        ]


class ChainRules:
    """Lengths that the rules ask of chains in lines of a pitch, in dbu.

    Attributes:
        bar: half the height of the line of poly that joins gates.
        most_finger: tallest channel that fits.
        out: from the middle of a column to the end of the outermost bar.
        head_gap: from the active area to the middle of a gate's head.
        head_step: from one head to another.
        low, high: heights of the southern and northern bars.
    """

    def __init__(self, r: RuleBook, tracks: Tracks, length: int) -> None:
        self.r, self.t, self.length = r, tracks, length
        self.bar = grid_up(r.width("poly"), 10) // 2
        cap = r.extension("poly", "diffusion")
        beside = max(
            self.bar + r.space("poly", "diffusion"),
            cap - self.bar,
            grid_up(r.space("diffusion") / 2),
        )
        most = min(tracks.pitch - 2 * beside, r.max_width("diffusion"))
        self.most_finger = grid_down(most, 10)
        self.step, self.around = finger_step(r, length), around_row(r)
        self.row, half = row_height(r), r.pad // 2
        space = max(tracks.space, r.space("select"))
        top = tracks.mid - half - space
        self.low = (max(tracks.edge, top - MOST_BAR), top)
        self.high = (tracks.mid - half, min(tracks.pitch - tracks.edge, tracks.mid + MOST_BAR))
        side, end = r.enclosure("select", "local_via"), r.line_end("local_via", "select")
        #: a low bar is a line whose ends are in the west and east, a high one has none
        self.thin = self.low[1] - self.low[0] < r.size("local_via") + 2 * end
        self.out = r.size("local_via") // 2 + (end if self.thin else side)
        inside = self.around // 2
        self.head_gap = max(
            head_gap(r),
            half + r.space("select") + self.out - inside,
            half + r.space("local") + self.row // 2 - inside,
            r.contact_step - inside,
            r.step("local_via") - inside,
            *(r.below_line(m) + r.space(m) - inside for m in r.below),
        )
        marks = [r.mark + r.space("poly_mark")] if r.has("poly_mark") else []
        self.head_step = grid_up(
            max(
                r.pad + max(r.space("select"), r.space("local")),
                r.head + r.space("poly"),
                r.contact_step,
                r.step("local_via"),
                *(2 * r.below_reach(m) + r.space(m) for m in r.below),
                *marks,
            ),
            10,
        )

    def fingers(self, total: int) -> int:
        """Return into how many gates a channel width is folded."""
        return -(-total // self.most_finger)

    def chain(self, model: str, parts: tuple[Part, ...], x: int, total: int) -> Chain:
        """Return a chain of transistors of a total channel width each."""
        n = self.fingers(total)
        finger = grid_down(total / n, 10)
        return Chain(model, parts, x, finger, n, self.step, self.around)

    def cuts(self, span: tuple[int, int]) -> list[int]:
        """Return the heights of the cuts between a column and a bar."""
        r = self.r
        asked = (
            r.enclosure("select", "local_via") if self.thin else (r.line_end("local_via", "select"))
        )
        margin = asked + r.size("local_via") // 2
        room, step = span[1] - span[0] - 2 * margin, r.step("local_via")
        count = min(MOST_CUTS, room // step + 1)
        first = span[0] + margin + grid_down((room - (count - 1) * step) / 2)
        return [first + k * step for k in range(count)]

    def _least_bar(self, track: TrackName) -> int:
        """Return the least length of a bar and of the piece of its track above it."""
        r, (y1, y2) = self.r, self.low if track == "low" else self.high
        above = r.pad if track == "mid" else min(y2 - y1, self.t.low[1] - self.t.low[0])
        areas = (r.area("select") / (y2 - y1), r.area("bottom_row") / above)
        return max(r.pad, *(grid_up(area, 10) for area in areas))

    def bars(self, chain: Chain) -> list[Bar]:
        """Return the bars of a chain, each long enough for a cut to the metal above."""
        found = []
        for k, part in enumerate(chain.parts):
            ends: dict[str, list[int]] = {}
            for x, net in chain.columns(k):
                ends.setdefault(net, []).append(x)
            for net, track in ((part.low, "low"), (part.high, part.track)):
                x1, x2 = ends[net][0] - self.out, ends[net][-1] + self.out
                more = max(0, self._least_bar(track) - (x2 - x1))  # type: ignore[arg-type]
                # what one column lacks goes inwards, away from the heads
                inward = x1 - chain.x > chain.x2 - x2
                x1, x2 = (x1 - more, x2) if inward else (x1, x2 + more)
                found.append(Bar(net, track, x1, x2))  # type: ignore[arg-type]
        return _joined(found)


def _joined(bars: list[Bar]) -> list[Bar]:
    """Return the bars with those of one net, on either side of a shared column, as one."""
    found: dict[str, Bar] = {}
    for bar in bars:
        other = found.get(bar.net, bar)
        found[bar.net] = replace(bar, x1=min(bar.x1, other.x1), x2=max(bar.x2, other.x2))
    return list(found.values())


def draw_chain(c: Canvas, g: ChainRules, chain: Chain) -> list[Bar]:
    """Draw a chain without the heads of its gates; returns its bars."""
    r, t = g.r, g.t
    y1 = grid_down((t.pitch - chain.finger) / 2)
    y2 = y1 + chain.finger
    _silicon(c, g, chain, (y1, y2))
    low, high = g.cuts(g.low), g.cuts(g.high)
    half, end = g.row // 2, r.line_end("local_via", "local") + r.size("local_via") // 2
    metal_end = r.line_end(r.chain[-1], "local")
    for k, part in enumerate(chain.parts):
        for x, net in chain.columns(k)[min(k, 1) :]:  # two share one
            cuts = low if net == part.low else high
            inset = r.contact_inset
            near, far = contact_line(c, r, x, (y1 + inset, y2 - inset), centred=True)
            bottom, top = min(near - metal_end, cuts[0] - end), max(far + metal_end, cuts[-1] + end)
            c.rect("local", x - half, bottom, x + half, top)
            for y in cuts:
                c.box("local_via", x, y, r.size("local_via"))
    bars = g.bars(chain)
    for bar in bars:
        _draw_bar(c, g, bar)
    return bars


def _silicon(c: Canvas, g: ChainRules, chain: Chain, span: tuple[int, int]) -> None:
    """Draw active area, gates, implant and well; all but the active area run on."""
    r, pitch, half = g.r, g.t.pitch, g.length // 2
    n = chain.model == "nfet"
    kind = "n" if n else "p"
    implant = "nplus" if n else "pplus"
    beside = max(r.enclosure(implant, f"{kind}_active"), 0)
    across = max(r.enclosure(implant, f"{kind}_{part}") for part in ("gate", "active"))
    in_well = r.enclosure("nwell", "p_active")
    beyond = max(in_well, r.enclosure("nwell", "n_tap"))
    well = (chain.x - in_well, -beyond, chain.x2 + in_well, pitch + beyond)
    mos = Mos(
        chain.model,
        (chain.x, span[0], chain.x2, span[1]),
        gates=(),
        lines=(),
        length=g.length,
        implant=(chain.x - beside, -across, chain.x2 + beside, pitch + across),
        well=None if n else well,
    )
    c.rect("diffusion", *mos.active)
    draw_implant(c, mos)
    for k in range(len(chain.parts)):
        gates = chain.gates(k)
        for x in gates:
            c.rect("poly", x - half, -g.bar, x + half, pitch + g.bar)
        c.rect("poly", gates[0] - half, -g.bar, gates[-1] + half, g.bar)


def _draw_bar(c: Canvas, g: ChainRules, bar: Bar) -> None:
    """Draw a bar of the select metal and the cuts to its track."""
    r, t, half = g.r, g.t, g.r.pad // 2
    c.rect("select", bar.x1, (g.low if bar.track == "low" else g.high)[0],
           bar.x2, (g.low if bar.track == "low" else g.high)[1])  # fmt: skip
    step = max(r.step("select_via"), r.step("bottom_row_via"))
    room = bar.x2 - bar.x1 - 2 * half
    first = bar.x1 + half + grid_down(room % step / 2)
    xs = [first + k * step for k in range(room // step + 1)]
    y = bar_height(g, bar.track)
    if bar.track == "mid":
        c.rect("bottom_row", bar.x1, t.mid - half, bar.x2, t.mid + half)
    for x in xs:
        c.box("select_via", x, y, r.size("select_via"))
        if bar.track == "mid":
            c.box("bottom_row_via", x, y, r.size("bottom_row_via"))


def bar_height(g: ChainRules, track: TrackName) -> int:
    """Return the height of the cuts between a bar and its track."""
    r, t = g.r, g.t
    if track == "mid":
        return t.mid
    half = r.size("select_via") // 2
    margin = half + max(r.line_end("select_via", m) for m in ("select", "bottom_row"))
    low, high = (
        (max(g.low[0], t.low[0]), min(g.low[1], t.low[1]))
        if track == "low"
        else (max(g.high[0], t.high3[0]), min(g.high[1], t.high3[1]))
    )
    # a low pitch leaves a track only the width of a cut and its sides
    return grid_down((low + high) / 2) if high - low < 4 * margin else low + margin


def draw_head(c: Canvas, g: ChainRules, x: int, gates: list[int]) -> None:
    """Draw a gate's head: poly from the gates' line to a contact, up to a line of control along y.

    Args:
        c: where to draw.
        g: rules.
        x: its middle.
        gates: middles of the gates.
    """
    r, t, bar = g.r, g.t, g.r.head // 2
    y = max(t.mid, t.edge + r.pad // 2)
    half = g.length // 2
    c.rect("poly", min(x - bar, gates[0] - half), -g.bar, max(x + bar, gates[-1] + half), g.bar)
    c.rect("poly", x - bar, -g.bar, x + bar, y + bar)
    gate_contact(c, r, x, y)
    c.box("local_via", x, y, r.size("local_via"))
    c.rect("select", x - r.pad // 2, 0, x + r.pad // 2, t.pitch)
