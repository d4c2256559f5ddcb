"""The column strap: a line in the last metal below the middle electrode, tied to it in every row.

The middle electrode is thin and carries the whole column's current. Between the lands of a cell
the last metal of the base is free along the column: a strap takes that gap, and vias tie it to
the middle electrode in the gap between the strips of neighbouring rows. It costs no area where
both gaps are wide enough already; else the pitch grows.
"""

from __future__ import annotations

from dataclasses import dataclass

from .drawing import Canvas, grid_down, grid_up
from .rules import RuleBook


@dataclass(frozen=True)
class StrapRules:
    """What the rules ask of a strap, in dbu.

    Attributes:
        to_strip: from a tie's edge to the edge of a strip.
        in_electrode, in_metal: from a tie's edge to the edge of ME and of the strap.
        least_electrode, least_metal: least width of ME and of the strap around one tie.
    """

    to_strip: int
    in_electrode: int
    in_metal: int
    least_electrode: int
    least_metal: int

    @classmethod
    def of(cls, r: RuleBook) -> StrapRules:
        """Return them for a process."""
        to_strip = [r.space("middle_via", "bottom_electrode"), r.space("middle_via", "crossing")]
        for film, crossing in (
            ("bottom_oxide", "bottom_crossing"),
            ("bottom_oxide_x", "bottom_crossing"),
            ("top_oxide", "top_crossing"),
            ("top_oxide_x", "top_crossing"),
        ):
            to_strip.append(r.enclosure(film, crossing) + r.space("middle_via", "oxide"))
        electrode, metal = (
            r.enclosure(outer, "middle_via") for outer in ("middle_electrode", "land")
        )
        return cls(
            to_strip=max(to_strip),
            in_electrode=electrode,
            in_metal=metal,
            least_electrode=r.module_via + 2 * electrode,
            least_metal=max(r.width("land"), r.module_via + 2 * metal),
        )


def least_pitch_y(r: RuleBook, strip_y: tuple[int, int]) -> int:
    """Return the least row pitch, in dbu, at which one tie fits between two rows' strips."""
    s = StrapRules.of(r)
    low = strip_y[1] + s.to_strip + r.module_via
    # the next row's strip, and the array's north edge, where strap and ME end
    return max(low + s.to_strip - strip_y[0], low + max(s.in_electrode, s.in_metal))


def half_width(r: RuleBook, to_land: int) -> int:
    """Return half the strap's width, in dbu.

    Args:
        r: rules.
        to_land: from the middle of the strap to the nearest land of another net.
    """
    wide = grid_down(to_land - r.wide_space("land"))
    narrow = grid_down(to_land - r.space("land"))
    # beyond a metal's wide width it needs more space; beyond the slot width it ends
    return min(max(wide, min(narrow, r.wide_from("land") // 2)), r.max_width("land") // 2)


def draw_strap(
    c: Canvas,
    r: RuleBook,
    x: int,
    half: tuple[int, int],
    strip_y: tuple[int, int],
    pitch_y: int,
) -> None:
    """Draw strap and ties of one cell.

    Args:
        c: where to draw.
        r: rules.
        x: middle of the column.
        half: half widths of ME and of the strap.
        strip_y: lower and upper edge of the row's strips.
        pitch_y: height of the cell.
    """
    s, side, step = StrapRules.of(r), r.module_via, r.module_via + r.space("middle_via")
    c.rect("land", x - half[1], 0, x + half[1], pitch_y)
    low = strip_y[1] + s.to_strip
    high = min(strip_y[0] + pitch_y - s.to_strip, pitch_y - max(s.in_electrode, s.in_metal))
    room_x = 2 * min(half[0] - s.in_electrode, half[1] - s.in_metal)
    columns, rows = (room_x - side) // step + 1, (high - low - side) // step + 1
    x0 = x - grid_up((columns - 1) * step / 2)
    y0 = low + grid_down((high - low - (rows - 1) * step) / 2)
    for i in range(columns):
        for j in range(rows):
            c.box("VME", x0 + i * step, y0 + j * step, side)
