"""The names of pins over a layout: never over each other, also of pads side by side around a die.

Each name lies or stands, whichever leaves it more room, and has the largest font that keeps it
apart from all others. A page draws it no larger than text, and where that would be too small to
read, a dot that tells the name to whoever points at it.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import klayout.db as db
import numpy as np
from numpy.typing import NDArray

from ..pdk import Tech

Floats = NDArray[np.float64]

#: coordinates are written in grid steps, which keeps them short
STEP = 5
#: of the font: half a letter's width, half a line's height, and the least gap along the text
_LETTER, _LINE, _GAP = 0.3, 0.525, 0.3
#: a name that stands is harder to read: it must be this much larger, and be too small lying, as
#: part of a layout that is shown as a whole
_WORTH, _LARGE = 1.5, 1 / 45


@dataclass(frozen=True)
class Name:
    """Text at a point, in grid steps, y downwards.

    Attributes:
        x, y: the point.
        text: the name.
    """

    x: int
    y: int
    text: str


def names_svg(layout: db.Layout, top: db.Cell, tech: Tech, window: db.Box) -> str:
    """Return the group of the names that lie in a window."""
    at_place: dict[tuple[int, int], list[str]] = {}
    for layer in dict.fromkeys(tech.label_of.values()):
        index = layout.find_layer(*tech.gds(layer))
        if index is None:
            continue
        for shape in top.shapes(index).each():
            if not shape.is_text():
                continue
            at = shape.text_pos
            if window.contains(at.x, at.y):
                at_place.setdefault((at.x // STEP, -(at.y // STEP)), []).append(shape.text_string)
    # a line of a macro carries the names of both its ends' pins at one point
    found = [Name(x, y, ", ".join(dict.fromkeys(names))) for (x, y), names in at_place.items()]
    fonts, stands = fonts_of(found, max(window.width(), window.height()) / STEP * _LARGE)
    texts = (
        _one(name, float(font), _side(name, window, stands=bool(upright)), stands=bool(upright))
        for name, font, upright in zip(found, fonts, stands, strict=True)
    )
    return f'<g id="layer-labels" class="labels">{"".join(texts)}</g>'


def _one(name: Name, font: float, side: str, *, stands: bool) -> str:
    """Return one name, and the dot in its place where it is too small."""
    text = escape(name.text)
    turned = f' transform="rotate(-90 {name.x} {name.y})"' if stands else ""
    return (
        f'<g><title>{text}</title><circle cx="{name.x}" cy="{name.y}"/>'
        f'<text x="{name.x}" y="{name.y}" data-font="{font:.1f}"{side}{turned}>{text}</text></g>'
    )


def _side(name: Name, window: db.Box, *, stands: bool) -> str:
    """Return the class of a name that lies at an edge of the window and must grow inwards."""
    near = window.width() // 50 // STEP
    if stands:
        first, last = -name.y - window.bottom // STEP, window.top // STEP + name.y
    else:
        first, last = name.x - window.left // STEP, window.right // STEP - name.x
    if first < near:
        return ' class="begins"'
    return ' class="ends"' if last < near else ""


def fonts_of(names: list[Name], enough: float) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the largest font of each name at which it meets no other, and which ones stand.

    Never less than a grid step: what is under it is seen when the page zooms in.

    Args:
        names: where they are.
        enough: font from which on none need stand.
    """
    x, y = (np.array([getattr(name, axis) for name in names], dtype=float) for axis in "xy")
    half = np.array([_LETTER * len(name.text) for name in names])
    line = np.full(len(names), _LINE)
    lying = _largest(x, y, half, line, np.zeros(len(names), dtype=bool))
    standing = _largest(x, y, line, half, np.ones(len(names), dtype=bool))
    stands = (standing > _WORTH * lying) & (lying < enough)
    wide, high = np.where(stands, line, half), np.where(stands, half, line)
    return _largest(x, y, wide, high, stands), stands


def _largest(x: Floats, y: Floats, wide: Floats, high: Floats, stands: NDArray[np.bool_]) -> Floats:
    """Return the font at which each name and any other of the same font only just meet.

    Args:
        x: where they are centred.
        y: the same.
        wide: half of what each covers from side to side, as part of the font.
        high: the same from top to bottom.
        stands: which ones stand.
    """
    size = np.empty_like(x)
    for k in range(len(x)):
        across = wide + wide[k] + _GAP * ~(stands & stands[k])
        along = high + high[k] + _GAP * (stands | stands[k])
        apart = np.maximum(np.abs(x - x[k]) / across, np.abs(y - y[k]) / along)
        apart[k] = 1e6
        size[k] = max(apart.min(), 1.0)
    return size
