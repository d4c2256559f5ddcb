"""Charts of single values: named points over two figures, and bars beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from .charts import Axis, Frame, svg

#: room of a letter of a point's name, and its height
_LETTER, _HIGH = 6.2, 13
#: names are written beside a point where they meet no other: offsets and where the text begins
_PLACES = ((8, 4, "start"), (-8, 4, "end"), (0, -9, "middle"), (0, 18, "middle"))


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
    taken: list[tuple[float, float, float, float]] = []
    for p, (x, y) in reversed(list(zip(points, at, strict=True))):
        if p.name and (found := _free(x, y, p.name, taken, frame.inside)):
            out.append(found)
    return svg(label, out, legend)


def _free(
    x: float,
    y: float,
    name: str,
    taken: list[tuple[float, float, float, float]],
    inside: tuple[float, float, float, float],
) -> str:
    """Return a name where it meets no other, and note its place; empty if there is no room."""
    width = _LETTER * len(name)
    left, right, top, bottom = inside
    for dx, dy, anchor in _PLACES:
        begin = x + dx - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
        box = (begin, y + dy - _HIGH, begin + width, y + dy + 3)
        if box[0] < left or box[2] > right or box[1] < top or box[3] > bottom:
            continue
        if any(_meet(box, other) for other in taken):
            continue
        taken.append(box)
        return (
            f'<text x="{x + dx:.1f}" y="{y + dy:.1f}" text-anchor="{anchor}">{escape(name)}</text>'
        )
    return ""


def _meet(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
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
