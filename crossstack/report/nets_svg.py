"""Nets of a layout in colour, the others behind them: where currents flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import klayout.db as db

from .areas import areas
from .charts import WIDTH, Axis, Frame, svg
from .layout_svg import path_of
from .names_svg import STEP

_LEFT, _RIGHT, _TOP, _FOOT = 56, 14, 52, 44
#: a layout that is much higher than wide is drawn smaller, not longer
_MOST_HIGH = 420.0


@dataclass(frozen=True)
class Group:
    """Nets of one colour: words for the legend, their names, class of the colour."""

    words: str
    nets: frozenset[str]
    style: str


def nets_svg(
    title: str, shapes: Mapping[str, db.Region], groups: Sequence[Group], dbu: float
) -> str:
    """Return nets as areas; each says its name when pointed at.

    Args:
        title: what the chart shows.
        shapes: net -> its metal.
        groups: nets of one colour, the last on top; a net of several groups is of the last.
        dbu: of the shapes' coordinates, um.
    """
    box = db.Box()
    for region in shapes.values():
        box += region.bbox()
    frame, scale = _frame(box, dbu)
    of_group = {net: group for group in groups for net in group.nets}
    parts: dict[str, list[str]] = {"rest": [], **{group.style: [] for group in groups}}
    for net, region in shapes.items():
        group = of_group.get(net)
        style = group.style if group else "rest"
        words = f"{net}: {group.words if group else 'no current'}"
        parts[style].append(_path(region, box, style, words))
    left, _, _, bottom = frame.inside
    move = f"translate({left} {bottom}) scale({scale:.6g}) translate({-(box.left // STEP)} "
    body = "".join(path for paths in parts.values() for path in paths)
    return svg(
        title,
        [
            *frame.axes(),
            f'<g transform="{move}{box.bottom // STEP})">{body}</g>',
            f'<text class="muted" x="{_LEFT}" y="{_TOP - 14}">{escape(title)}</text>',
        ],
        [(group.words, group.style) for group in groups],
        bottom + _FOOT,
    )


def _frame(box: db.Box, dbu: float) -> tuple[Frame, float]:
    """Return axes in um of one scale, and the chart's length of a step of the coordinates."""
    wide, high = box.width(), box.height()
    scale = min((WIDTH - _LEFT - _RIGHT) / wide, _MOST_HIGH / high)
    inside = (float(_LEFT), _LEFT + scale * wide, float(_TOP), _TOP + scale * high)
    x, y = (
        Axis(f"{name} (um)", low * dbu, end * dbu)
        for name, low, end in (("x", box.left, box.right), ("y", box.bottom, box.top))
    )
    return Frame(x, y, inside), scale * STEP


def _path(region: db.Region, box: db.Box, style: str, words: str) -> str:
    few, _ = areas(region.merged(), box)
    data = "".join(path_of(polygon) for polygon in few.each())
    return f'<path class="net {style}" d="{data}"><title>{escape(words)}</title></path>'
