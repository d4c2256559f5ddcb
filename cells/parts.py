"""Pieces that cells are made of: transistors, via stacks, taps, crossings and module vias.

Each function draws into a `Canvas` at given coordinates; all lengths in dbu, all limits from
the rules of the technology.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .drawing import Canvas, Rect, grid_up
from .rules import RuleBook


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
    pitch = rules.contact + rules.space("contact")
    half = rules.contact // 2
    starts = range(y1, y2 - rules.contact + 1, pitch)
    for y in starts:
        canvas.rect("contact", cx - half, y, cx + half, y + rules.contact)
    return starts[0], starts[-1] + rules.contact


def metal1_over_contacts(canvas: Canvas, rules: RuleBook, cx: int, span: tuple[int, int]) -> None:
    """Draw Metal1 over a contact column, with end-of-line overlap and at least the least area."""
    half = rules.line // 2
    y1, y2 = _metal1_ends(rules, span)
    canvas.rect("local", cx - half, y1, cx + half, y2)


def _metal1_ends(rules: RuleBook, span: tuple[int, int]) -> tuple[int, int]:
    """Return lower and upper end of the Metal1 over contacts; what its area lacks goes below."""
    end = rules.line_end("contact", "local")
    y1, y2 = span[0] - end, span[1] + end
    missing = grid_up(rules.area("local") / (2 * (rules.line // 2))) - (y2 - y1)
    return y1 - max(0, missing), y2


class NmosPlace:
    """Where the parts of one NMOS lie; the gate runs along y, current along x.

    Attributes:
        comp: (x1, y1, x2, y2) of the active area.
        drain_x, gate_x, source_x: centres of the contact columns and of the gate.
        gate_y: centre of the gate contact, above the channel.
        metal_top: end of the lowest metal over the source and drain contacts.
        top, bottom: ends of the Poly2 shape.
        metal_bottom: lower end of the Metal1 over source and drain.
    """

    def __init__(self, rules: RuleBook, x: int, y: int, w: int, length: int) -> None:
        step = rules.enclosure("diffusion", "diffusion_contact") + rules.contact // 2
        to_gate = rules.contact // 2 + rules.space("diffusion_contact", "gate") + length // 2
        self.w, self.length = w, length
        self.drain_x = x + step
        self.gate_x = self.drain_x + to_gate
        self.source_x = self.gate_x + to_gate
        self.comp = (x, y, self.source_x + step, y + w)
        head = rules.contact + 2 * rules.enclosure("poly", "poly_contact")
        self.head = head
        #: CO.8 asks more than PL.5 for the head with its contact
        gap = max(
            rules.space("poly", "diffusion"),
            rules.space("poly_contact", "diffusion") - rules.enclosure("poly", "poly_contact"),
        )
        #: the gate's landing keeps its space to the Metal1 of the topmost contacts
        pitch = rules.contact + rules.space("contact")
        count = (
            w - 2 * rules.enclosure("diffusion", "diffusion_contact") - rules.contact
        ) // pitch + 1
        first = y + rules.enclosure("diffusion", "diffusion_contact")
        span = (first, first + count * pitch - rules.space("contact"))
        self.metal_bottom, self.metal_top = _metal1_ends(rules, span)
        landing = self.metal_top + rules.space("local") + rules.pad // 2
        self.gate_y = max(y + w + gap + head // 2, landing)
        self.bottom, self.top = y - rules.extension("poly", "diffusion"), self.gate_y + head // 2


def draw_nmos(canvas: Canvas, rules: RuleBook, place: NmosPlace) -> tuple[int, int]:
    """Draw COMP, Poly2, Nplus and contacts of an NMOS (Metal1 of source and drain is the caller's).

    Returns:
        y span of the source and drain contacts.
    """
    x1, y1, x2, y2 = place.comp
    half = place.length // 2
    canvas.rect("diffusion", x1, y1, x2, y2)
    canvas.rect("poly", place.gate_x - half, place.bottom, place.gate_x + half, place.top)
    canvas.box("poly", place.gate_x, place.gate_y, place.head)
    canvas.box("contact", place.gate_x, place.gate_y, rules.contact)
    canvas.box("local", place.gate_x, place.gate_y, rules.pad)
    beside, across = rules.enclosure("nplus", "n_active"), rules.enclosure("nplus", "n_gate")
    canvas.rect("nplus", x1 - beside, y1 - across, x2 + beside, y2 + across)
    overlap = rules.enclosure("diffusion", "diffusion_contact")
    span = contact_column(canvas, rules, place.drain_x, y1 + overlap, y2 - overlap)
    contact_column(canvas, rules, place.source_x, y1 + overlap, y2 - overlap)
    return span


class StackSize:
    """Size of via stacks of several cuts, in dbu.

    Attributes:
        columns, rows: cuts along x and y.
        cuts_w, cuts_h: of all cuts together.
        pad_w, pad_h: of the landing around them.
    """

    def __init__(self, rules: RuleBook, cuts: int) -> None:
        #: cuts grow along y first, where the row lines leave room
        self.columns, self.rows = {1: (1, 1), 2: (1, 2), 4: (2, 2)}[cuts]
        more_x, more_y = ((n - 1) * rules.via_step for n in (self.columns, self.rows))
        self.cuts_w, self.cuts_h = rules.via + more_x, rules.via + more_y
        self.pad_w, self.pad_h = rules.pad + more_x, rules.pad + more_y


def cut_array(canvas: Canvas, rules: RuleBook, cut: str, x: int, y: int, size: StackSize) -> None:
    """Draw the cuts of one level of a stack, centred at (x, y)."""
    for i in range(size.columns):
        for j in range(size.rows):
            west, south = x - size.cuts_w // 2, y - size.cuts_h // 2
            x1, y1 = west + i * rules.via_step, south + j * rules.via_step
            canvas.rect(cut, x1, y1, x1 + rules.via, y1 + rules.via)


def via_stack(
    canvas: Canvas,
    rules: RuleBook,
    x: int,
    y: int,
    low: str,
    high: str,
    land: tuple[int, int, int, int] | None = None,
    cuts: int = 1,
) -> None:
    """Stack vias from metal `low` to metal `high` with landings on the metals strictly between.

    The end metals belong to the caller, whose lines or lands are usually larger.

    Args:
        canvas: where to draw.
        rules: rules of the process.
        x: centre of the vias.
        y: centre of the vias.
        low: lower metal, by role or name.
        high: upper metal.
        land: outline of the land that the stack ends on; metals between the row lines and the
            land then take it too, and so its distances.
        cuts: cuts on every level.
    """
    roles, size = rules.tech.roles, StackSize(rules, cuts)
    landings = ("", *roles.between(low, high))
    for cut, metal in zip(roles.cuts(low, high), landings, strict=True):
        cut_array(canvas, rules, cut, x, y, size)
        if metal in rules.upper and land is not None:
            canvas.rect(metal, *land)
        elif metal:
            grown = rules.landing(metal) - rules.pad
            half_w, half_h = (size.pad_w + grown) // 2, (size.pad_h + grown) // 2
            canvas.rect(metal, x - half_w, y - half_h, x + half_w, y + half_h)


def tap_strip(canvas: Canvas, rules: RuleBook, cx: int, y1: int, y2: int) -> None:
    """Draw a p-tap strip along y with its contacts and Metal1 line; strips abut end to end."""
    comp = rules.contact + 2 * rules.enclosure("diffusion", "diffusion_contact")
    implant = max(comp + 2 * rules.enclosure("pplus", "p_tap"), rules.width("pplus"))
    metal = rules.line
    canvas.rect("diffusion", cx - comp // 2, y1, cx + comp // 2, y2)
    beyond = rules.enclosure(
        "pplus", "p_tap"
    )  # strips that abut merge, the outermost is closed as it stands
    canvas.rect("pplus", cx - implant // 2, y1 - beyond, cx + implant // 2, y2 + beyond)
    canvas.rect("local", cx - metal // 2, y1, cx + metal // 2, y2)
    # half a contact space at either end keeps the pitch rule across abutting strips
    margin = grid_up(max(rules.space("contact") / 2, rules.line_end("contact", "local")))
    contact_column(canvas, rules, cx, y1 + margin, y2 - margin)


def module_via(canvas: Canvas, rules: RuleBook, electrode: str, x: int, y: int) -> None:
    """Draw one module via with its electrode pad and Metal5 land."""
    canvas.box(f"V{electrode}", x, y, rules.module_via)
    canvas.box(electrode, x, y, rules.land)
    canvas.box("land", x, y, rules.land)


def oxides(canvas: Canvas, rules: RuleBook, tier: str, crossing: tuple[int, int, int, int]) -> None:
    """Draw both oxide films of a tier over a crossing, A beyond each edge."""
    x1, y1, x2, y2 = crossing
    for film in (f"TIO2_{tier}", f"TIO2X_{tier}"):
        a = rules.enclosure(film, f"crossing_{tier}")
        canvas.rect(film, x1 - a, y1 - a, x2 + a, y2 + a)
