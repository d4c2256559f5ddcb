"""Arrays of contacts and foundry vias in a box."""

from __future__ import annotations

from .drawing import Canvas, grid_down
from .rules import RuleBook


def cut_array(
    canvas: Canvas, layer: str, box: tuple[int, int, int, int], size: int, space: int, margin: int
) -> None:
    """Fill a box with as many square cuts as fit, centred, `margin` inside its edges."""
    xs = _starts(box[0] + margin, box[2] - margin, size, space)
    for y in _starts(box[1] + margin, box[3] - margin, size, space):
        for x in xs:
            canvas.rect(layer, x, y, x + size, y + size)


def _starts(low: int, high: int, size: int, space: int) -> list[int]:
    count = (high - low + space) // (size + space)
    first = low + grid_down((high - low - count * (size + space) + space) / 2)
    return [first + k * (size + space) for k in range(count)]


def between(r: RuleBook, cut: str) -> tuple[str, str]:
    """Return the metals that a foundry via joins, the lower first."""
    roles, name = r.tech.roles, r.layer(cut)
    k = roles.vias.index(name)
    return roles.metals[k], roles.metals[k + 1]


def via_array(
    canvas: Canvas,
    r: RuleBook,
    box: tuple[int, int, int, int],
    cuts: tuple[str, ...],
    margin: int = 0,
    step: int = 0,
) -> None:
    """Fill a box with foundry vias on several levels, at the space that large arrays need.

    In a box too narrow for the end-of-line overlap on its long sides, these get the plain overlap.

    Args:
        canvas: where to draw.
        r: rules.
        box: (x1, y1, x2, y2).
        cuts: levels.
        margin: how far metal joined to a pad reaches beyond its vias, which is farther.
        step: from one via to the next where fewer are enough.
    """
    for cut in cuts:
        low, high = between(r, cut)
        least = max(r.line_end(cut, low), r.line_end(cut, high), margin)
        beyond = least - max(r.enclosure(low, cut), r.enclosure(high, cut), margin)
        sides = [
            beyond if end - start < r.size(cut) + 2 * least else 0
            for start, end in ((box[0], box[2]), (box[1], box[3]))
        ]
        if all(sides):  # a landing that small has room for no cut
            continue
        x, y = sides
        inside = (box[0] - x, box[1] - y, box[2] + x, box[3] + y)
        space = max(r.array_space(cut, low), step - r.size(cut))
        cut_array(canvas, cut, inside, r.size(cut), space, least)


__all__ = ["between", "cut_array", "via_array"]
