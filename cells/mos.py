"""Contacts, transistors and taps: each drawn once, for cells along x and along y.

A contact is a chain: the cut on silicon or poly and, where a process has wiring levels below its
first metal, a cut and a piece of each of these. All lengths in dbu, all limits from the rules.
"""

from __future__ import annotations

from dataclasses import dataclass

from .drawing import Canvas, grid_down, grid_up
from .rules import RuleBook


def contact_line(
    c: Canvas,
    r: RuleBook,
    across: int,
    span: tuple[int, int],
    *,
    along_x: bool = False,
    centred: bool = False,
    strip: tuple[int, int] | None = None,
    every: int = 1,
) -> tuple[int, int]:
    """Draw contacts in a line, as many as fit, with every cut and level up to the local metal.

    The local metal itself is the caller's, whose lines are usually larger.

    Args:
        c: where to draw.
        r: rules.
        across: the line's middle.
        span: between which ends the contacts lie.
        along_x: the line runs along x, not along y.
        centred: what room is left is at both ends, not at the far one.
        strip: ends of the levels below the local metal; None to end them with the contacts.
        every: draw each n-th of the contacts that fit, for lines that need no more.

    Returns:
        Near and far edge of the outermost cuts under the local metal.
    """
    side, step = r.contact, r.contact_step
    room = span[1] - span[0] - side
    first = span[0] + (grid_down((room % step) / 2) if centred else 0)
    starts = [first + k * step for k in range(0, room // step + 1, every)]
    for cut in r.chain:
        half = r.size(cut) // 2
        for at in starts:
            _place(c, cut, along_x, (across - half, across + half), _about(at, side, half))
    for metal in r.below:
        half = r.below_line(metal) // 2
        ends = strip or _below_ends(r, metal, (starts[0], starts[-1] + side))
        _place(c, metal, along_x, (across - half, across + half), ends)
    last = r.size(r.chain[-1]) // 2
    return _about(starts[0], side, last)[0], _about(starts[-1], side, last)[1]


def _about(start: int, side: int, half: int) -> tuple[int, int]:
    """Return the ends of a cut that shares its middle with a contact."""
    return start + side // 2 - half, start + side - side // 2 + half


def _below_ends(r: RuleBook, metal: str, contacts: tuple[int, int]) -> tuple[int, int]:
    """Return the ends of a level below the local metal; what its area lacks goes to both."""
    beyond = r.below_reach(metal, contacts[1] - contacts[0]) - (contacts[1] - contacts[0]) // 2
    return contacts[0] - beyond, contacts[1] + beyond


def _place(
    c: Canvas, layer: str, along_x: bool, across: tuple[int, int], along: tuple[int, int]
) -> None:
    if along_x:
        c.rect(layer, along[0], across[0], along[1], across[1])
    else:
        c.rect(layer, across[0], along[0], across[1], along[1])


def single_contact(c: Canvas, r: RuleBook, x: int, y: int, *, poly: bool = False) -> None:
    """Draw one contact with its cuts and levels up to the local metal, and its mark on poly."""
    low = y - r.contact // 2
    contact_line(c, r, x, (low, low + r.contact))
    if poly and r.has("poly_mark"):
        c.box("poly_mark", x, y, r.mark)


def local_over_contacts(c: Canvas, r: RuleBook, cx: int, span: tuple[int, int]) -> None:
    """Draw the local metal over a column of contacts, with its ends and at least its area."""
    half = r.line // 2
    y1, y2 = _local_ends(r, span)
    c.rect("local", cx - half, y1, cx + half, y2)


def _local_ends(r: RuleBook, span: tuple[int, int]) -> tuple[int, int]:
    """Return the ends of the local metal over contacts; what its area lacks goes below."""
    end = r.line_end(r.chain[-1], "local")
    y1, y2 = span[0] - end, span[1] + end
    missing = grid_up(r.area("local") / (2 * (r.line // 2))) - (y2 - y1)
    return y1 - max(0, missing), y2


@dataclass(frozen=True)
class Mos:
    """A transistor of one or more gates in one active area; current along x, or along y.

    Attributes:
        kind: ``nfet`` or ``pfet``.
        active: (x1, y1, x2, y2) of the active area.
        gates: middles of the gates along the current.
        lines: middles of the lines of contacts on either side of the gates.
        length: channel length.
        implant: (x1, y1, x2, y2) of the implant.
        well: (x1, y1, x2, y2) of the well; None in the substrate.
        along_y: the current flows along y.
    """

    kind: str
    active: tuple[int, int, int, int]
    gates: tuple[int, ...]
    lines: tuple[int, ...]
    length: int
    implant: tuple[int, int, int, int]
    well: tuple[int, int, int, int] | None = None
    along_y: bool = False

    @property
    def width(self) -> tuple[int, int]:
        """Both ends of the channel across the current."""
        x1, y1, x2, y2 = self.active
        return (x1, x2) if self.along_y else (y1, y2)


def draw_gates(c: Canvas, r: RuleBook, m: Mos, top: int | None = None) -> None:
    """Draw the gates of a transistor.

    Args:
        c: where to draw.
        r: rules.
        m: the transistor.
        top: far end of the gates across the current; None for their end cap.
    """
    cap, half = r.extension("poly", "diffusion"), m.length // 2
    low, high = m.width[0] - cap, m.width[1] + cap if top is None else top
    for at in m.gates:
        _place(c, "poly", m.along_y, (at - half, at + half), (low, high))


def draw_implant(c: Canvas, m: Mos) -> None:
    """Draw implant and well of a transistor."""
    c.rect("nplus" if m.kind == "nfet" else "pplus", *m.implant)
    if m.well is not None:
        c.rect("nwell", *m.well)


def draw_contacts(
    c: Canvas, r: RuleBook, m: Mos, centred: bool = False, end: int = 0, every: int = 1
) -> tuple[int, int]:
    """Draw the contacts of a transistor's sources and drains.

    Args:
        c: where to draw.
        r: rules.
        m: the transistor.
        centred: as for `contact_line`.
        end: least distance of the outermost cuts to the ends of the channel.
        every: as for `contact_line`.

    Returns:
        As `contact_line`.
    """
    inset = max(end + r.cut_more(r.chain[-1]) if end else 0, r.contact_inset)
    inside = (m.width[0] + inset, m.width[1] - inset)
    spans = [
        contact_line(c, r, at, inside, along_x=m.along_y, centred=centred, every=every)
        for at in m.lines
    ]
    return spans[0]


def gate_contact(c: Canvas, r: RuleBook, x: int, y: int) -> None:
    """Draw the contact of a gate and its landing in the local metal; the poly is the caller's."""
    single_contact(c, r, x, y, poly=True)
    c.box("local", x, y, r.pad)


class NmosPlace:
    """Where the parts of one NMOS lie; gates run along y, current along x.

    Attributes:
        comp: (x1, y1, x2, y2) of the active area.
        columns: centres of the columns of contacts, drain first, then source, in turns.
        gates: centres of the gates between them.
        drain_x, source_x: the first drain and source.
        gate_x: centre of the gates' contact: over the gate, or between two.
        gate_y: centre of the gates' contact, above the channel.
        metal_top: end of the local metal over the source and drain contacts.
        metal_bottom: its lower end.
        top, bottom: ends of the poly.
    """

    def __init__(
        self, rules: RuleBook, x: int, y: int, w: int, length: int, fingers: int = 1
    ) -> None:
        """Place an NMOS whose every gate is `w` wide."""
        r = rules
        step = r.contact_side + r.contact // 2
        to_gate = max(
            r.contact // 2 + r.space("diffusion_contact", "gate") + length // 2,
            grid_up((r.line + r.space("local")) / 2),
            *(grid_up((r.below_line(metal) + r.space(metal)) / 2) for metal in r.below),
        )
        self.w, self.length, self.rules = w, length, r
        self.columns = [x + step + 2 * k * to_gate for k in range(fingers + 1)]
        self.gates = [x + step + (2 * k + 1) * to_gate for k in range(fingers)]
        self.drain_x, self.source_x = self.columns[:2]
        self.gate_x = self.gates[0] if fingers == 1 else self.source_x
        self.comp = (x, y, self.columns[-1] + step, y + w)
        inset = r.contact_inset
        count = (w - 2 * inset - r.contact) // r.contact_step + 1
        first = y + inset
        contacts = (first, first + (count - 1) * r.contact_step + r.contact)
        more = r.cut_more(r.chain[-1])
        self.metal_bottom, self.metal_top = _local_ends(r, (contacts[0] - more, contacts[1] + more))
        #: the gate's landing keeps its space to the metal of the topmost contacts, on every level
        landings = [self.metal_top + r.space("local") + r.pad // 2]
        for metal in r.below:
            top = _below_ends(r, metal, contacts)[1]
            landings.append(top + r.space(metal) + r.below_reach(metal))
        self.gate_y = max(y + w + r.head_clear, *landings)
        self.bottom = y - r.extension("poly", "diffusion")
        self.top = self.gate_y + r.head // 2
        #: lower and upper edge of the local metal that joins several drains, above the gates'
        low = self.gate_y + r.pad // 2 + r.space("local")
        self.join = (low, low + r.line)

    @property
    def metal_end(self) -> int:
        """Upper end of everything in the local metal."""
        return self.gate_y + self.rules.pad // 2 if len(self.gates) == 1 else self.join[1]

    def mos(self, r: RuleBook) -> Mos:
        """Return the transistor that stands here."""
        x1, y1, x2, y2 = self.comp
        beside = r.enclosure("nplus", "n_active")
        across = r.n_implant
        return Mos(
            "nfet",
            self.comp,
            gates=tuple(self.gates),
            lines=tuple(self.columns),
            length=self.length,
            implant=(x1 - beside, y1 - across, x2 + beside, y2 + across),
        )


def draw_nmos(c: Canvas, r: RuleBook, place: NmosPlace, every: int = 1) -> tuple[int, int]:
    """Draw an NMOS with its gate's landing; the local metal of source and drain is the caller's.

    Args:
        c: where to draw.
        r: rules.
        place: where it stands.
        every: as for `contact_line`.

    Returns:
        y span of the cuts under the local metal of source and drain.
    """
    m = place.mos(r)
    c.rect("diffusion", *m.active)
    draw_gates(c, r, m, place.top)
    c.box("poly", place.gate_x, place.gate_y, r.head)
    if len(place.gates) > 1:
        half, bar = m.length // 2, r.head // 2
        ends = place.gates[0] - half, place.gates[-1] + half
        c.rect("poly", ends[0], place.gate_y - bar, ends[1], place.gate_y + bar)
    gate_contact(c, r, place.gate_x, place.gate_y)
    draw_implant(c, m)
    return draw_contacts(c, r, m, every=every)


def tap_strip(
    c: Canvas,
    r: RuleBook,
    cx: int,
    y1: int,
    y2: int,
    kind: str = "p",
    centred: bool = False,
    well: tuple[int, int, int, int] | None = None,
    every: int = 1,
) -> None:
    """Draw a strip of tap along y with contacts and line; strips abut end to end.

    Args:
        c: where to draw.
        r: rules.
        cx: its middle.
        y1: its south end.
        y2: its north end.
        kind: ``p`` or ``n``.
        centred: as for `contact_line`.
        well: the well around an n-tap.
        every: as for `contact_line`.
    """
    implant, tap = ("pplus", "p_tap") if kind == "p" else ("nplus", "n_tap_at_well_edge")
    # strips that abut merge, the outermost is closed as it stands
    beyond, half = r.enclosure(implant, tap), r.tap_width // 2 + r.tap_beyond(kind)
    c.rect("tap", cx - r.tap_width // 2, y1, cx + r.tap_width // 2, y2)
    c.rect(implant, cx - half, y1 - beyond, cx + half, y2 + beyond)
    if well is not None:
        c.rect("nwell", *well)
    c.rect("local", cx - r.line // 2, y1, cx + r.line // 2, y2)
    # half a space of cuts at either end keeps the pitch rule across abutting strips
    margin = grid_up(
        max(
            *(r.cut_more(cut) + r.space(cut) / 2 for cut in r.chain),
            *map(r.below_end, r.below),
            r.line_end("tap_contact", "tap"),
            r.cut_more(r.chain[-1]) + r.line_end(r.chain[-1], "local"),
        )
    )
    contact_line(c, r, cx, (y1 + margin, y2 - margin), centred=centred, strip=(y1, y2), every=every)
