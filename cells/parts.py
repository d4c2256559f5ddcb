"""Pieces that cells are made of: via stacks, crossings and module vias; transistors: `mos`.

Each function draws into a `Canvas` at given coordinates; all lengths in dbu, all limits from
the rules of the technology.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from ..pdk.model import LINES
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


class StackSize:
    """Size of via stacks of several cuts, in dbu.

    Attributes:
        pad_w, pad_h: of the landings up to the top row line's metal.
    """

    def __init__(self, rules: RuleBook, cuts: int) -> None:
        self.rules = r = rules
        #: cuts grow along y first, where the row lines leave room
        columns, rows = {1: (1, 1), 2: (1, 2), 4: (2, 2)}[cuts]
        self._lower = lower = r.tech.roles.cuts("local", "top_row")
        #: what all cuts of the widest level take; others fill it with as many as it holds
        self._room = tuple(
            max(r.size(cut) + (n - 1) * r.step(cut) for cut in lower) for n in (columns, rows)
        )
        self.pad_w, self.pad_h = (
            max(r.pad, *(side[k] for side in (self._around(m, lower) for m in LINES)))
            for k in (0, 1)
        )

    def counts(self, cut: str) -> tuple[int, int]:
        """Return how many cuts of a level stand along x and y."""
        r = self.rules
        x, y = (max(1, (room + r.space(cut)) // r.step(cut)) for room in self._room)
        return x, y

    def extent(self, cut: str) -> tuple[int, int]:
        """Return what all cuts of a level take along x and y."""
        r, (x, y) = self.rules, self.counts(cut)
        return r.size(cut) + (x - 1) * r.step(cut), r.size(cut) + (y - 1) * r.step(cut)

    def _around(self, metal: str, cuts: tuple[str, ...]) -> tuple[int, int]:
        r, width = self.rules, self.rules.width(metal)
        w, h = width, width
        for cut in r.on(metal, cuts):
            (x, y), end = self.extent(cut), r.line_end(cut, metal)
            w, h = max(w, x + 2 * end), max(h, y + 2 * end)
        if w * h < r.area(metal):
            side = grid_up(r.area(metal) ** 0.5, 10)
            w, h = max(w, side), max(h, side)
        return grid_up(w, 10), grid_up(h, 10)

    def landing(self, metal: str) -> tuple[int, int]:
        """Return width and height of a landing between two levels of cuts."""
        return self._around(metal, self.rules.tech.roles.vias)


@lru_cache(maxsize=16)
def _stack_size(rules: RuleBook, cuts: int) -> StackSize:
    return StackSize(rules, cuts)


def landing(rules: RuleBook, metal: str) -> tuple[int, int]:
    """Return width and height that a metal has around one via."""
    return _stack_size(rules, 1).landing(metal)


def cut_array(canvas: Canvas, rules: RuleBook, cut: str, x: int, y: int, size: StackSize) -> None:
    """Draw the cuts of one level of a stack, centred at (x, y)."""
    (columns, rows), (w, h) = size.counts(cut), size.extent(cut)
    side, step = rules.size(cut), rules.step(cut)
    for i in range(columns):
        for j in range(rows):
            x1, y1 = x - w // 2 + i * step, y - h // 2 + j * step
            canvas.rect(cut, x1, y1, x1 + side, y1 + side)


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
        cuts: cuts on every level; where they are larger, as many as find the same room.
    """
    roles, size = rules.tech.roles, _stack_size(rules, cuts)
    landings = ("", *roles.between(low, high))
    for cut, metal in zip(roles.cuts(low, high), landings, strict=True):
        cut_array(canvas, rules, cut, x, y, size)
        if metal in rules.upper and land is not None:
            canvas.rect(metal, *land)
        elif metal:
            w, h = size.landing(metal)
            canvas.rect(metal, x - w // 2, y - h // 2, x + w - w // 2, y + h - h // 2)


def device_mark(c: Canvas, r: RuleBook, x1: int, y1: int, x2: int, y2: int) -> None:
    """Draw the mark that makes transistors what they are over a box of them, if there is one."""
    if r.has("device_mark"):
        beyond = r.mark_beyond
        c.rect("device_mark", x1 - beyond, y1 - beyond, x2 + beyond, y2 + beyond)


def module_via(canvas: Canvas, rules: RuleBook, electrode: str, x: int, y: int) -> None:
    """Draw one module via with its electrode's pad and its land."""
    canvas.box(f"V{electrode}", x, y, rules.module_via)
    canvas.box(electrode, x, y, rules.land)
    canvas.box("land", x, y, rules.land)


def oxides(canvas: Canvas, rules: RuleBook, tier: str, crossing: tuple[int, int, int, int]) -> None:
    """Draw both oxide films of a tier over a crossing, A beyond each edge."""
    x1, y1, x2, y2 = crossing
    for film in (f"TIO2_{tier}", f"TIO2X_{tier}"):
        a = rules.enclosure(film, f"crossing_{tier}")
        canvas.rect(film, x1 - a, y1 - a, x2 + a, y2 + a)
