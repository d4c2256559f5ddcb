"""Small charts as SVG in the page's own colours: curves, a histogram, a timing diagram."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import cycle

#: of every chart, in its own units
WIDTH = 440
_HEIGHT = 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 14, 34, 44
#: left, right, top and bottom of what lies between the axes of a chart
INSIDE = (_LEFT, WIDTH - _RIGHT, _TOP, _HEIGHT - _BOTTOM)
#: width of a letter of the charts' font, and room for the sample beside a name
_LETTER, _SAMPLE, _LINE = 6.6, 30, 18
#: classes that tell vertical lines apart: dashed, dotted, both
_DASHES = ("", " dots", " dashdot")
#: points of a curve that each get a dot
_MOST_DOTS = 40


@dataclass(frozen=True)
class Curve:
    """One curve.

    Attributes:
        name: words for the legend.
        y: values over the chart's x; nan leaves a place out.
        style: class of its colour: ``c0`` .. ``c3``, with `` dashed`` if it is.
    """

    name: str
    y: Sequence[float]
    style: str


@dataclass(frozen=True)
class Axis:
    """One axis: its words and range; `log` for decades, `whole` for rows and the like.

    Attributes:
        at: values that are written at it, as far as they have room; round ones if empty.
    """

    text: str
    low: float
    high: float
    log: bool = False
    whole: bool = False
    at: tuple[float, ...] = ()

    def share(self, value: float) -> float:
        """Return the place of a value between 0 and 1."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Return the values to be written at the axis."""
        if self.at:
            return self._apart()
        if self.log:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            parts = (1,) if last - first > 3 else (1, 3)
            found = [m * 10.0**e for e in range(first, last + 1) for m in parts]
            return [t for t in found if self.low * 0.999 <= t <= self.high * 1.001]
        raw = (self.high - self.low) / 5
        size = 10.0 ** math.floor(math.log10(raw))
        step = next(size * m for m in (1, 2, 5, 10) if size * m >= raw * 0.999)
        step = max(step, 1.0) if self.whole else step
        first = math.ceil(self.low / step - 1e-9)
        return [k * step for k in range(first, math.floor(self.high / step + 1e-9) + 1)]

    def _apart(self) -> list[float]:
        """Return those of the given values whose texts do not meet, from the first on."""
        least = (max(len(f"{t:g}") for t in self.at) + 1) * _LETTER / (WIDTH - _LEFT - _RIGHT)
        kept: list[float] = []
        for value in self.at:
            if not kept or self.share(value) - self.share(kept[-1]) >= least:
                kept.append(value)
        return kept


def padded(values: Sequence[float], text: str) -> Axis:
    """Return a linear axis over values, zero included, with a little room."""
    low, high = min(0.0, *values), max(0.0, *values)
    room = 0.06 * ((high - low) or 1.0)
    return Axis(text, low - (room if low < 0 else 0.0), high + room)


def near(values: Sequence[float], text: str) -> Axis:
    """Return a linear axis over values that need not show zero, with a little room."""
    low, high = min(values), max(values)
    room = 0.08 * ((high - low) or abs(high) or 1.0)
    # what is never negative needs no room below zero
    return Axis(text, max(low - room, 0.0) if low >= 0 else low - room, high + room)


def curve_chart(
    label: str,
    x: Sequence[float],
    curves: Sequence[Curve],
    x_axis: Axis,
    y_axis: Axis,
    levels: Sequence[tuple[float, str, str]] = (),
    marks: Sequence[tuple[float, str]] = (),
    dots: Collection[float] | None = None,
) -> str:
    """Return curves over x; every dot says its values when pointed at.

    Args:
        label: what the chart shows, for those who do not see it.
        x: values of all curves; a curve of fewer values has the first of them.
        curves: the curves.
        x_axis: words and range along x.
        y_axis: the same along y.
        levels: horizontal lines: value, words, class of the colour.
        marks: vertical lines and their words.
        dots: values of x that get a dot; None for all of a short curve.
    """
    frame = Frame(x_axis, y_axis)
    out = frame.axes()
    legend = [(c.name, c.style) for c in curves]
    for value, text, style in levels:
        y = frame.y(value)
        out.append(f'<path class="{style}" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}"/>')
        legend.append((text, style))
    for (value, text), dashes in zip(marks, cycle(_DASHES)):
        style = f"c3{dashes}"
        out.append(f'<path class="{style}" d="M{frame.x(value):.1f} {_TOP}V{_HEIGHT - _BOTTOM}"/>')
        legend.append((text, style))
    wanted = x if dots is None and len(x) <= _MOST_DOTS else (dots or ())
    for curve in curves:
        known = [(a, b) for a, b in zip(x, curve.y, strict=False) if not math.isnan(b)]
        points = [(frame.x(a), frame.y(b)) for a, b in known]
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
        out.append(f'<path class="{curve.style}" d="M{path}"/>')
        for (px, py), a, b in ((at, *pair) for at, pair in zip(points, known, strict=True)):
            if a not in wanted:
                continue
            text = f"{curve.name}: {b:.4g} at {a:.4g}"
            out.append(
                f'<circle class="{curve.style}" cx="{px:.1f}" cy="{py:.1f}" r="4">'
                f"<title>{escape(text)}</title></circle>"
            )
    return svg(label, out, legend)


def histogram(label: str, edges: Sequence[float], counts: Sequence[int], words: str) -> str:
    """Return a histogram; every bar says its range and count when pointed at.

    Args:
        label: what the chart shows.
        edges: of the bars, one more than there are bars.
        counts: height of the bars.
        words: of the x axis.
    """
    frame = Frame(Axis(words, edges[0], edges[-1]), Axis("samples", 0.0, 1.06 * max(counts)))
    out, legend = frame.axes(), []
    for low, high, n in zip(edges, edges[1:], counts, strict=False):
        x, width = frame.x(low), frame.x(high) - frame.x(low)
        y = frame.y(n)
        out.append(
            f'<rect class="c0" x="{x + 0.5:.1f}" y="{y:.1f}" width="{max(width - 1, 0.5):.1f}" '
            f'height="{frame.y(0) - y:.1f}"><title>{n} from {low:.4g} to {high:.4g}</title></rect>'
        )
    if edges[0] < 0 < edges[-1]:
        out.append(f'<path class="c3" d="M{frame.x(0.0):.1f} {_TOP}V{_HEIGHT - _BOTTOM}"/>')
        legend.append(("nominal", "c3"))
    return svg(label, out, legend)


def timing_diagram(label: str, read_s: float, write_s: float, layers: int = 3) -> str:
    """Return writing and reading of a few layers, one after the other and overlapped."""
    names = ("one after the other", "deep-net, one tier", "the other tier")
    left, top, height, pitch = 140, 34, 30, 40
    axis = Axis("time (ns)", 0.0, (read_s + write_s) * layers * 1e9)
    scale = (WIDTH - left - _RIGHT) / axis.high
    foot = top + pitch * len(names)
    out = []
    for t in axis.ticks():
        x = left + t * scale
        last = x + len(f"{t:g}") * _LETTER > WIDTH  # it would be cut off
        at, anchor = (WIDTH, "end") if last else (x, "middle")
        out.append(
            f'<path class="grid" d="M{x:.1f} {top - 4}V{foot}"/>'
            f'<text x="{at:.1f}" y="{foot + 16}" text-anchor="{anchor}">{t:g}</text>'
        )
    for k, name in enumerate(names):
        y = top + pitch * k + height / 2 + 4
        out.append(f'<text x="{left - 8}" y="{y:.0f}" text-anchor="end">{name}</text>')
    for row, start, length, style, text in _schedule(read_s * 1e9, write_s * 1e9, layers):
        x, width, y = left + start * scale, length * scale, top + pitch * row
        out.append(
            f'<rect class="{style}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}">'
            f"<title>{text}: {length:.4g} ns from {start:.4g} ns</title></rect>"
        )
        if width > len(text) * _LETTER:
            out.append(
                f'<text class="in" x="{x + width / 2:.1f}" y="{y + height / 2 + 4:.0f}" '
                f'text-anchor="middle">{text}</text>'
            )
    out.append(
        f'<text class="muted" x="{(left + WIDTH) / 2:.0f}" y="{foot + 34}" '
        f'text-anchor="middle">{axis.text}</text>'
    )
    return svg(label, out, [("write", "c2"), ("read", "c0")], foot + 42)


def _schedule(
    read: float, write: float, layers: int
) -> Iterator[tuple[int, float, float, str, str]]:
    """Yield row, start, length, class and words of every bar of a timing diagram."""
    step = max(read, write)
    for k in range(layers):
        start = k * (read + write)
        # the next layer is written while this one is read
        begin = 0.0 if k == 0 else write + (k - 1) * step
        rows = ((0, start, start + write), (1 + k % 2, begin, write + k * step))
        for row, write_at, read_at in rows:
            yield row, write_at, write, "c2", f"write {k}"
            yield row, read_at, read, "c0", f"read {k}"


class Frame:
    """Place of values in a chart, and its axes.

    Args:
        x_axis, y_axis: words and range along x and y.
        inside: left, right, top and bottom of what lies between the axes.
    """

    def __init__(
        self, x_axis: Axis, y_axis: Axis, inside: tuple[float, float, float, float] = INSIDE
    ) -> None:
        self.x_axis, self.y_axis, self.inside = x_axis, y_axis, inside

    def x(self, value: float) -> float:
        """Return where a value lies along x."""
        left, right, _, _ = self.inside
        return left + self.x_axis.share(value) * (right - left)

    def y(self, value: float) -> float:
        """Return where a value lies along y."""
        _, _, top, bottom = self.inside
        return bottom - self.y_axis.share(value) * (bottom - top)

    def axes(self) -> list[str]:
        """Draw grid, numbers and words of both axes."""
        left, right, top, bottom = self.inside
        out = []
        for t in self.x_axis.ticks():
            x = self.x(t)
            out.append(
                f'<path class="grid" d="M{x:.1f} {top}V{bottom}"/>'
                f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{t:g}</text>'
            )
        for t in self.y_axis.ticks():
            y = self.y(t)
            out.append(
                f'<path class="grid" d="M{left} {y:.1f}H{right}"/>'
                f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{t:g}</text>'
            )
        longest = max((len(f"{t:g}") for t in self.y_axis.ticks()), default=0)
        beside = max(12.0, left - max(43.0, 12 + _LETTER * longest))
        middle = (top + bottom) / 2
        out += [
            f'<path class="frame" d="M{left} {top}V{bottom}H{right}"/>',
            f'<text class="muted" x="{(left + right) / 2:.0f}" y="{bottom + 36}" '
            f'text-anchor="middle">{escape(self.x_axis.text)}</text>',
            f'<text class="muted" transform="translate({beside:.0f} {middle:.0f}) rotate(-90)" '
            f'text-anchor="middle">{escape(self.y_axis.text)}</text>',
        ]
        return out


def _legend(entries: Sequence[tuple[str, str]]) -> tuple[list[str], int]:
    """Return the names of what is drawn, in lines that grow upwards, and how many lines."""
    lines: list[list[tuple[float, str, str]]] = [[]]
    x = float(_LEFT)
    for name, style in entries:
        width = _SAMPLE + _LETTER * len(name) + 8
        if lines[-1] and x + width > WIDTH:
            lines.append([])
            x = float(_LEFT)
        lines[-1].append((x, name, style))
        x += width
    out = [
        f'{_sample(at, y, style)}<text x="{at + 25:.0f}" y="{y + 4}">{escape(name)}</text>'
        for y, line in zip(range(16, -1000, -_LINE), reversed(lines), strict=False)
        for at, name, style in line
    ]
    return out, len(lines)


def _sample(x: float, y: float, style: str) -> str:
    """Return what stands before a name: a dot for points (class ``full``), else a line."""
    if "full" in style.split():
        return f'<circle class="{style}" cx="{x + 15:.0f}" cy="{y}" r="3.5"/>'
    return f'<path class="{style}" d="M{x:.0f} {y}h20"/>'


def svg(
    label: str,
    body: Sequence[str],
    legend: Sequence[tuple[str, str]] = (),
    height: float = _HEIGHT,
) -> str:
    """Return a chart of its parts, with the names of what is drawn above it."""
    names, lines = _legend(legend)
    above = _LINE * (lines - 1)
    return (
        f'<svg class="chart" viewBox="0 {-above} {WIDTH} {height + above:.0f}" role="img" '
        f'aria-label="{escape(label)}">{"".join([*body, *names])}</svg>'
    )
