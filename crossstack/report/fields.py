"""Values over a grid: coloured cells, the scale of their colours, a line of equal value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape

import numpy as np
from numpy.typing import NDArray

from .charts import Axis, Frame

Floats = NDArray[np.float64]

#: colours of a scale from its low end to its high one: viridis, whose lightness rises evenly, so
#: that it can be read in grey and by the colour-blind (van der Walt and Smith, SciPy 2015)
VIRIDIS = (
    "#440154", "#472c7a", "#3b518b", "#2c718e", "#21908d", "#27ad81", "#5cc863", "#aadc32",
    "#fde725",
)  # fmt: skip
#: pieces of a scale of colours beside a map
_PIECES = 32
#: cells reach into the next ones that much, so that no line of the page shines through between them
_OVERLAP = 0.2
#: width of the scale in a chart, and of its numbers and words
_BAR, BAR_ROOM = 10, 62


def colour(share: float) -> str:
    """Return the colour at a place between 0 and 1 of a scale; beyond its ends, that of the end."""
    place = min(max(share, 0.0), 1.0) * (len(VIRIDIS) - 1)
    k = min(int(place), len(VIRIDIS) - 2)
    low, high = ([int(VIRIDIS[n][c : c + 2], 16) for c in (1, 3, 5)] for n in (k, k + 1))
    mixed = (round(a + (b - a) * (place - k)) for a, b in zip(low, high, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def cells(
    frame: Frame,
    edges: tuple[Floats, Floats],
    values: Floats,
    scale: Axis,
    words: Callable[[int, int], str],
) -> str:
    """Return the cells of a field; each says its value when pointed at.

    Args:
        frame: chart that they stand in.
        edges: of the cells along x and y, one more than there are cells.
        values: shape (cells along y, cells along x); nan for a cell without a value.
        scale: range of the colours, in the unit of the values.
        words: what the cell of a row and a column of the table says.
    """
    x = [frame.x(float(v)) for v in edges[0]]
    y = [frame.y(float(v)) for v in edges[1]]
    out = []
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            fill = 'class="none"' if np.isnan(value) else f'fill="{colour(scale.share(value))}"'
            out.append(
                f'<rect {fill} x="{x[j]:.1f}" y="{y[i + 1]:.1f}" '
                f'width="{x[j + 1] - x[j] + _OVERLAP:.1f}" '
                f'height="{y[i] - y[i + 1] + _OVERLAP:.1f}">'
                f"<title>{escape(words(i, j))}</title></rect>"
            )
    return f'<g class="field">{"".join(out)}</g>'


def colour_bar(scale: Axis, left: float, top: float, bottom: float) -> list[str]:
    """Return a scale of colours with its numbers and words, `BAR_ROOM` wide."""
    step = (bottom - top) / _PIECES
    out = [
        f'<rect fill="{colour(1 - (k + 0.5) / _PIECES)}" x="{left}" y="{top + k * step:.2f}" '
        f'width="{_BAR}" height="{step + 0.4:.2f}"/>'
        for k in range(_PIECES)
    ]
    for t in scale.ticks():
        y = bottom - scale.share(t) * (bottom - top)
        out.append(f'<text x="{left + _BAR + 4}" y="{y + 4:.1f}">{t:g}</text>')
    out.append(
        f'<text class="muted" transform="translate({left + BAR_ROOM - 4} {(top + bottom) / 2:.0f}) '
        f'rotate(-90)" text-anchor="middle">{escape(scale.text)}</text>'
    )
    return out


def contour(x: Floats, y: Floats, values: Floats, level: float) -> list[list[tuple[float, float]]]:
    """Return the lines along which a field has some value, by linear interpolation.

    Marching squares; where a square's corners allow two ways, the mean of the four decides.

    Args:
        x: places of the values' columns, rising.
        y: places of their rows, rising.
        values: shape (len(y), len(x)), finite.
        level: the value.

    Returns:
        polylines of (x, y); a closed one ends where it begins.
    """
    above = values >= level
    ends: dict[_Edge, list[_Edge]] = {}
    for i in range(len(y) - 1):
        for j in range(len(x) - 1):
            for a, b in _pieces(above, values, level, i, j):
                ends.setdefault(a, []).append(b)
                ends.setdefault(b, []).append(a)
    return [[_crossing(x, y, values, level, edge) for edge in line] for line in _joined(ends)]


#: a side of a square of the grid: row and column of its first corner, and whether it runs along x
_Edge = tuple[int, int, bool]


def _pieces(
    above: NDArray[np.bool_], values: Floats, level: float, i: int, j: int
) -> Iterator[tuple[_Edge, _Edge]]:
    """Yield the pieces of the line inside one square, each from side to side."""
    south, east, north, west = (i, j, True), (i, j + 1, False), (i + 1, j, True), (i, j, False)
    corners = above[i, j], above[i, j + 1], above[i + 1, j + 1], above[i + 1, j]
    sides = (south, east, north, west)
    crossed = [side for side, a, b in zip(sides, corners, (*corners[1:], corners[0]), strict=True)
               if a != b]  # fmt: skip
    if len(crossed) == 2:
        yield crossed[0], crossed[1]
    elif len(crossed) == 4:
        middle = values[i : i + 2, j : j + 2].mean() >= level
        # corners like the middle are joined, so the line goes round the other two
        if middle == corners[0]:
            yield south, east
            yield north, west
        else:
            yield west, south
            yield east, north


def _joined(ends: dict[_Edge, list[_Edge]]) -> Iterator[list[_Edge]]:
    """Yield lines of the sides that pieces join; open ones first, from their ends."""
    left = {edge: list(others) for edge, others in ends.items()}
    for begin in sorted(left, key=lambda edge: len(ends[edge])):
        while left[begin]:
            line = [begin]
            while left[line[-1]]:
                after = left[line[-1]].pop()
                left[after].remove(line[-1])
                line.append(after)
            yield line


def _crossing(
    x: Floats, y: Floats, values: Floats, level: float, edge: _Edge
) -> tuple[float, float]:
    i, j, along = edge
    other = (i, j + 1) if along else (i + 1, j)
    first, second = values[i, j], values[other]
    part = (level - first) / (second - first)
    return (
        float(x[j] + part * (x[other[1]] - x[j])),
        float(y[i] + part * (y[other[0]] - y[i])),
    )
