"""Charts of single values: named points over two figures, and bars beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from .charts import Axis, Frame, svg

#: four sides of a place in a chart
Box = tuple[float, float, float, float]
#: room of a letter of a point's name, and its height
_LETTER, _HIGH = 6.2, 13
#: a point and a little room around it
_DOT = 7
#: names are written beside a point where they meet no other: offsets and where the text begins
_PLACES = ((8, 4, "start"), (-8, 4, "end"), (0, -9, "middle"), (0, 18, "middle"))
#: and where no such place is free, farther away: rows of names above and below
_FARTHER = tuple(
    (dx, sign * (22 + 17 * k), anchor)
    for k in range(8)
    for sign in (-1, 1)
    for dx, anchor in (
        (0, "middle"),
        (0, "start"),
        (0, "end"),
        (12, "start"),
        (-12, "end"),
        (36, "start"),
        (-36, "end"),
    )
)


@dataclass(frozen=True)
class Point:
    """One point: its place, its name (empty for none), class of its colour, and what it says."""

    x: float
    y: float
    name: str
    style: str
    words: str


def point_chart(
    label: str,
    points: Sequence[Point],
    x_axis: Axis,
    y_axis: Axis,
    legend: Sequence[tuple[str, str]],
    bounds: tuple[float | None, float | None] = (None, None),
) -> str:
    """Return points over two figures; names are left out where there is no room for them.

    Args:
        label: what the chart shows, for those who do not see it.
        points: the last is drawn on top and named first.
        x_axis: words and range along x.
        y_axis: the same along y.
        legend: words and class of each kind of point.
        bounds: targets along x and y, dashed; None for none.
    """
    frame = Frame(x_axis, y_axis)
    out = frame.axes()
    left, right, top, bottom = frame.inside
    if bounds[0] is not None and x_axis.low <= bounds[0] <= x_axis.high:
        out.append(f'<path class="c2 dashed" d="M{frame.x(bounds[0]):.1f} {top}V{bottom}"/>')
    if bounds[1] is not None and y_axis.low <= bounds[1] <= y_axis.high:
        out.append(f'<path class="c2 dashed" d="M{left} {frame.y(bounds[1]):.1f}H{right}"/>')
    at = [(frame.x(p.x), frame.y(p.y)) for p in points]
    for p, (x, y) in zip(points, at, strict=True):
        out.append(
            f'<circle class="{p.style} full" cx="{x:.1f}" cy="{y:.1f}" r="{5 if p.name else 3.5}">'
            f"<title>{escape(p.words)}</title></circle>"
        )
    named = [(x, y, p.name) for p, (x, y) in reversed(list(zip(points, at, strict=True))) if p.name]
    out += names_beside(named, frame.inside)
    # what is no target is a dot in the legend, too
    kinds = [(name, f"{kind}{'' if 'dashed' in kind else ' full'}") for name, kind in legend]
    return svg(label, out, kinds)


def names_beside(
    points: Sequence[tuple[float, float, str]],
    inside: Box,
    taken: Sequence[Box] = (),
    farther: bool = False,
    style: str = "",
) -> list[str]:
    """Return names beside their points, so that none meets another.

    Args:
        points: x, y and name.
        inside: left, right, top and bottom that names stay within.
        taken: left, top, right and bottom of what no name may cover.
        farther: a name that finds no place beside its point stands farther away, with a line to
            it, and who chooses first is whose choice leaves out fewest; else the first does.
        style: class of the names.
    """
    orders = [list(points)]
    if farther:
        both = (orders[0], orders[0][::-1])
        orders = [turn[k:] + turn[:k] for turn in both for k in range(len(points))]
    found: list[_Placed] = []
    for order in orders:
        tried = _placed(order, inside, taken, farther)
        found = max(found, tried, key=len)
        if len(found) == len(points):
            break
    kind = f' class="{style}"' if style else ""
    return [
        (f'<path class="leader" d="M{x:.1f} {y:.1f}L{at_x:.1f} {end:.1f}"/>' if far else "")
        + f'<text{kind} x="{at_x:.1f}" y="{at_y:.1f}" text-anchor="{anchor}">{escape(name)}</text>'
        for x, y, name, at_x, at_y, anchor, end, far in found
    ]


#: a point and its name, where that stands and its anchor, its near end, whether it needs a line
_Placed = tuple[float, float, str, float, float, str, float, bool]


def _placed(
    points: Sequence[tuple[float, float, str]], inside: Box, taken: Sequence[Box], farther: bool
) -> list[_Placed]:
    """Return where names stand, each in the first free place; those without one are left out."""
    full, out = list(taken), []
    for x, y, name in points:
        for dx, dy, anchor in (*_PLACES, *(_FARTHER if farther else ())):
            box = _box(x + dx, y + dy, name, anchor)
            end = box[3] if dy < 0 else box[1]
            far = (dx, dy, anchor) in _FARTHER
            covers = [box, *([_line(x, y, x + dx, end)] if far else [])]
            if _within(box, inside) and not any(_meet(a, b) for a in covers for b in full):
                full += covers
                out.append((x, y, name, x + dx, y + dy, anchor, end, far))
                break
    return out


def _line(x: float, y: float, x2: float, y2: float) -> Box:
    """Return what a line from a point to its name covers, beside the point itself."""
    begin = y + (_DOT if y2 > y else -_DOT)
    return min(x, x2) - 1, min(begin, y2), max(x, x2) + 1, max(begin, y2)


def _box(x: float, y: float, name: str, anchor: str) -> Box:
    """Return what a name covers: left, top, right, bottom."""
    width = _LETTER * len(name)
    begin = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    return begin, y - _HIGH, begin + width, y + 3


def _within(box: Box, inside: Box) -> bool:
    left, right, top, bottom = inside
    return left <= box[0] and box[2] <= right and top <= box[1] and box[3] <= bottom


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def bar_chart(label: str, bars: Sequence[tuple[str, float, str, str]]) -> str:
    """Return a few horizontal bars from zero.

    Args:
        label: what the chart shows.
        bars: name, value >= 0, class of the colour, words at its end.
    """
    left, high, step, width = 66, 22, 34, 220
    top = max((value for _, value, *_ in bars), default=0.0) or 1.0
    out = []
    for k, (name, value, style, words) in enumerate(bars):
        y = 8 + step * k
        long = max(width * value / top, 1.0)
        out += [
            f'<text x="{left - 8}" y="{y + 16}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="{style}" x="{left}" y="{y}" width="{long:.1f}" height="{high}"/>',
            f'<text x="{left + long + 6:.1f}" y="{y + 16}">{escape(words)}</text>',
        ]
    return svg(label, out, height=8 + step * len(bars))
