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
_WORTH, LARGE = 1.5, 1 / 45
#: the largest font that a page shows at first, as part of the layout's longer side: on a phone
_SEEN = 1 / 36


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


def names_svg(layout: db.Layout, top: db.Cell, tech: Tech, window: db.Box) -> tuple[str, db.Box]:
    """Return the group of the names that lie in a window, and the box that shows them whole, too.

    The box is in grid steps, y downwards.
    """
    indexes = (layout.find_layer(*tech.gds(name)) for name in dict.fromkeys(tech.label_of.values()))
    texts = (s for k in indexes if k is not None for s in top.shapes(k).each() if s.is_text())
    found = merged([(at, s.text_string) for s in texts if window.contains(at := s.bbox().p1)])
    longer = max(window.width(), window.height()) / STEP
    fonts, stands = fonts_of(found, longer * LARGE)
    low, high = -(window.top // STEP), -(window.bottom // STEP)
    box = db.Box(window.left // STEP, low, window.right // STEP, high)
    drawn = []
    for name, font, up in zip(found, fonts, stands, strict=True):
        drawn.append(_one(name, float(font), stands=bool(up)))
        (left, right), (above, below) = np.array(_reach(name, stands=bool(up))) * min(
            float(font), longer * _SEEN
        )
        box += db.Box(*(round(v) for v in (name.x + left, name.y + above,
                                           name.x + right, name.y + below)))  # fmt: skip
    return f'<g id="layer-labels" class="labels">{"".join(drawn)}</g>', box


def merged(texts: list[tuple[db.Point, str]]) -> list[Name]:
    """Return each place once: a line of a macro carries the names of both its ends' pins there."""
    at_place: dict[tuple[int, int], list[str]] = {}
    for at, text in texts:
        at_place.setdefault((at.x // STEP, -(at.y // STEP)), []).append(text)
    return [Name(x, y, ", ".join(dict.fromkeys(names))) for (x, y), names in at_place.items()]


def _one(name: Name, font: float, *, stands: bool) -> str:
    """Return one name, and the dot in its place where it is too small."""
    text = escape(name.text)
    turned = f' transform="rotate(-90 {name.x} {name.y})"' if stands else ""
    return (
        f'<g><title>{text}</title><circle cx="{name.x}" cy="{name.y}"/>'
        f'<text x="{name.x}" y="{name.y}" data-font="{font:.1f}"{turned}>{text}</text></g>'
    )


def fonts_of(names: list[Name], enough: float) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the largest font of each name at which it meets no other, and which ones stand.

    Never less than a grid step: what is under it is seen when the page zooms in.

    Args:
        names: where they are.
        enough: font from which on none need stand.
    """
    if not names:
        return np.empty(0), np.empty(0, dtype=bool)
    places = np.array([(name.x, name.y) for name in names], dtype=float)
    lie = np.array([_reach(name, stands=False) for name in names])
    stand = np.array([_reach(name, stands=True) for name in names])
    lying = _largest(places, lie, np.zeros(len(names), dtype=bool))
    standing = _largest(places, stand, np.ones(len(names), dtype=bool))
    stands = (standing > _WORTH * lying) & (lying < enough)
    return _largest(places, np.where(stands[:, None, None], stand, lie), stands), stands


def _reach(name: Name, *, stands: bool) -> list[list[float]]:
    """Return how far a name reaches from its point, as part of the font: x and y, from and to."""
    half = _LETTER * len(name.text)
    along, across = [-half, half], [-_LINE, _LINE]
    return [across, along] if stands else [along, across]


def _largest(places: Floats, reach: Floats, stands: NDArray[np.bool_]) -> Floats:
    """Return the font at which each name and any other of the same font only just meet.

    Args:
        places: (n, 2) points of the names.
        reach: (n, 2, 2) what each covers from its point along x and y, as part of the font.
        stands: which ones stand.
    """
    size = np.empty(len(places))
    for k, (place, own) in enumerate(zip(places, reach, strict=True)):
        apart = places - place
        # where the other lies behind, its start must stay clear of this one's end
        room = np.where(apart >= 0, own[:, 1] - reach[:, :, 0], reach[:, :, 1] - own[:, 0])
        room[:, 0] += _GAP * ~(stands & stands[k])
        room[:, 1] += _GAP * (stands | stands[k])
        free = (np.abs(apart) / np.maximum(room, 1e-6)).max(axis=1)
        free[k] = 1e6
        size[k] = max(free.min(), 1.0)
    return size
