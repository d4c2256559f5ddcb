"""Pieces that cells are made of: transistors, via stacks, taps, crossings and module vias.

Each function draws into a `Canvas` at given coordinates; all lengths in dbu, all limits from
the rules of the technology.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..pdk import METALS, VIA_ABOVE, Tech
from .drawing import Canvas, Rect, grid_up


class RuleBook:
    """Rule values in dbu, by name, and the lengths that several cells derive from them."""

    def __init__(self, tech: Tech) -> None:
        self.tech = tech
        self.via = self("V1.1")
        #: smallest square landing of a foundry via that meets end-of-line and area rules
        self.pad = max(
            grid_up(self("M2.3", 1e6) ** 0.5, 10), self.via + 2 * self("V2.3eol"), self("M2.1")
        )
        self.contact = self("CO.1")
        self.module_via = self("VBE.1")
        #: Metal5 land or electrode pad around one module via
        self.land = max(
            self.module_via + 2 * max(self("VBE.3"), self("VBE.4")),
            grid_up(self("MT.4", 1e6) ** 0.5, 10),
        )
        #: how far the land reaches beyond its via
        self.beyond_via = (self.land - self.module_via) // 2

    def __call__(self, rule: str, scale: float = 1e3) -> int:
        """Return the value of a rule in dbu (``scale=1e6`` for areas in dbu2)."""
        return round(self.tech.rule(rule) * scale)

    def extra(self, rule: str, index: int = 0) -> float:
        """Return a further limit of a rule, in the rule's own unit."""
        return next(r for r in self.tech.rules if r.name == rule).extra[index]

    def space(self, metal: str, width: int) -> int:
        """Return the least space in dbu beside a line of a metal that is `width` dbu wide."""
        stem = "MT" if metal == METALS[-1] else f"M{metal[-1]}"
        wide = width > round(self.extra(f"{stem}.2b") * 1e3)
        return self(f"{stem}.2b" if wide else f"{stem}.2a")

    @property
    def tap_metal(self) -> int:
        """Width of the Metal1 of a tap strip."""
        return max(self("M1.1"), self.contact + 2 * self("CO.6")) // 2 * 2


class StackedPair:
    """Where a column's ME is crossed by the strips of one row; base of the cells' geometries.

    Attributes:
        me_x, me_half: centre and half width of the middle electrode, in dbu.
        strip_y: lower and upper edge of the BE and TE strips, in dbu.
        pitch_x, pitch_y: cell pitch in dbu.
    """

    me_x: int
    me_half: int
    strip_y: tuple[int, int]
    pitch_x: int
    pitch_y: int

    @property
    def crossing(self) -> tuple[int, int, int, int]:
        """ME crossed by the strips: (x1, y1, x2, y2) in dbu."""
        y1, y2 = self.strip_y
        return (self.me_x - self.me_half, y1, self.me_x + self.me_half, y2)

    @property
    def area_um2(self) -> float:
        """Device area in um2."""
        x1, y1, x2, y2 = self.crossing
        return round((x2 - x1) * (y2 - y1) * 1e-6, 6)

    def info(self, line_width: int) -> dict[str, float]:
        """Return the figures worth reporting; `line_width` is that of a row line in dbu."""
        return {
            "pitch_x_um": self.pitch_x * 1e-3,
            "pitch_y_um": self.pitch_y * 1e-3,
            "device_area_um2": self.area_um2,
            "me_width_um": self.me_half * 2e-3,
            "row_line_width_um": line_width * 1e-3,
        }


def mirrored(rects: Iterable[Rect], axis_x2: int) -> list[Rect]:
    """Return rectangles mirrored in x; `axis_x2` is twice the axis."""
    return [replace(r, x1=axis_x2 - r.x2, x2=axis_x2 - r.x1) for r in rects]


def contact_column(canvas: Canvas, rules: RuleBook, cx: int, y1: int, y2: int) -> tuple[int, int]:
    """Fill a COMP edge with as many contacts as fit between `y1` and `y2`, from below.

    Returns:
        Bottom of the lowest and top of the highest contact.
    """
    pitch = rules.contact + rules("CO.2a")
    half = rules.contact // 2
    starts = range(y1, y2 - rules.contact + 1, pitch)
    for y in starts:
        canvas.rect("Contact", cx - half, y, cx + half, y + rules.contact)
    return starts[0], starts[-1] + rules.contact


def metal1_over_contacts(canvas: Canvas, rules: RuleBook, cx: int, span: tuple[int, int]) -> None:
    """Draw Metal1 over a contact column, with end-of-line overlap and at least the least area."""
    half = max(rules("M1.1"), rules.contact + 2 * rules("CO.6")) // 2
    end = rules("CO.6a")
    y1, y2 = span[0] - end, span[1] + end
    missing = grid_up(rules("M1.3", 1e6) / (2 * half)) - (y2 - y1)
    canvas.rect("Metal1", cx - half, y1 - max(0, missing), cx + half, y2)


class NmosPlace:
    """Where the parts of one NMOS lie; the gate runs along y, current along x.

    Attributes:
        comp: (x1, y1, x2, y2) of the active area.
        drain_x, gate_x, source_x: centres of the contact columns and of the gate.
        gate_y: centre of the gate contact, above the channel.
        top, bottom: ends of the Poly2 shape.
    """

    def __init__(self, rules: RuleBook, x: int, y: int, w: int, length: int) -> None:
        step = rules("CO.4") + rules.contact // 2
        to_gate = rules.contact // 2 + rules("CO.7") + length // 2
        self.w, self.length = w, length
        self.drain_x = x + step
        self.gate_x = self.drain_x + to_gate
        self.source_x = self.gate_x + to_gate
        self.comp = (x, y, self.source_x + step, y + w)
        head = rules.contact + 2 * rules("CO.3")
        self.head = head
        #: CO.8 asks more than PL.5 for the head with its contact
        gap = max(rules("PL.5"), rules("CO.8") - rules("CO.3"))
        #: the gate's landing keeps its space to the Metal1 of the topmost contacts
        pitch = rules.contact + rules("CO.2a")
        count = (w - 2 * rules("CO.4") - rules.contact) // pitch + 1
        metal_top = y + rules("CO.4") + count * pitch - rules("CO.2a") + rules("CO.6a")
        landing = metal_top + rules("M1.2a") + rules.pad // 2
        self.gate_y = max(y + w + gap + head // 2, landing)
        self.bottom, self.top = y - rules("PL.4"), self.gate_y + head // 2


def draw_nmos(canvas: Canvas, rules: RuleBook, place: NmosPlace) -> tuple[int, int]:
    """Draw COMP, Poly2, Nplus and contacts of an NMOS (Metal1 of source and drain is the caller's).

    Returns:
        y span of the source and drain contacts.
    """
    x1, y1, x2, y2 = place.comp
    half = place.length // 2
    canvas.rect("COMP", x1, y1, x2, y2)
    canvas.rect("Poly2", place.gate_x - half, place.bottom, place.gate_x + half, place.top)
    canvas.box("Poly2", place.gate_x, place.gate_y, place.head)
    canvas.box("Contact", place.gate_x, place.gate_y, rules.contact)
    canvas.box("Metal1", place.gate_x, place.gate_y, rules.pad)
    beside, across = rules("NP.5b"), rules("NP.5a")
    canvas.rect("Nplus", x1 - beside, y1 - across, x2 + beside, y2 + across)
    overlap = rules("CO.4")
    span = contact_column(canvas, rules, place.drain_x, y1 + overlap, y2 - overlap)
    contact_column(canvas, rules, place.source_x, y1 + overlap, y2 - overlap)
    return span


def via_stack(canvas: Canvas, rules: RuleBook, x: int, y: int, low: str, high: str) -> None:
    """Stack vias from metal `low` to metal `high` with landings on the metals strictly between.

    The end metals belong to the caller, whose lines or lands are usually larger.
    """
    between = METALS[METALS.index(low) : METALS.index(high)]
    for k, metal in enumerate(between):
        canvas.box(VIA_ABOVE[metal], x, y, rules.via)
        if k:
            canvas.box(metal, x, y, rules.pad)


def tap_strip(canvas: Canvas, rules: RuleBook, cx: int, y1: int, y2: int) -> None:
    """Draw a p-tap strip along y with its contacts and Metal1 line; strips abut end to end."""
    comp = rules.contact + 2 * rules("CO.4")
    implant = max(comp + 2 * rules("PP.5d"), rules("PP.1"))
    metal = max(rules("M1.1"), rules.contact + 2 * rules("CO.6"))
    canvas.rect("COMP", cx - comp // 2, y1, cx + comp // 2, y2)
    beyond = rules("PP.5d")  # strips that abut merge, the outermost is closed as it stands
    canvas.rect("Pplus", cx - implant // 2, y1 - beyond, cx + implant // 2, y2 + beyond)
    canvas.rect("Metal1", cx - metal // 2, y1, cx + metal // 2, y2)
    # half a contact space at either end keeps the pitch rule across abutting strips
    margin = grid_up(max(rules("CO.2a") / 2, rules("CO.6a")))
    contact_column(canvas, rules, cx, y1 + margin, y2 - margin)


def module_via(canvas: Canvas, rules: RuleBook, electrode: str, x: int, y: int) -> None:
    """Draw one module via with its electrode pad and Metal5 land."""
    canvas.box(f"V{electrode}", x, y, rules.module_via)
    canvas.box(electrode, x, y, rules.land)
    canvas.box("Metal5", x, y, rules.land)


def oxides(canvas: Canvas, rules: RuleBook, tier: str, crossing: tuple[int, int, int, int]) -> None:
    """Draw both oxide films of a tier over a crossing, A beyond each edge."""
    x1, y1, x2, y2 = crossing
    for film, rule in ((f"TIO2_{tier}", f"OX{tier}.1"), (f"TIO2X_{tier}", f"OX{tier}.2")):
        a = rules(rule)
        canvas.rect(film, x1 - a, y1 - a, x2 + a, y2 + a)
