"""How much less IR drop stacking gives, over what decides it: a map for each baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.units import percent
from .charts import WIDTH, Axis, Frame, svg
from .fields import BAR_ROOM, cells, colour_bar, contour
from .points import Box, names_beside

Floats = NDArray[np.float64]

_LEFT, _TOP, _HIGH, _FOOT = 56, 46, 300, 44
#: a mark of a drawn array, and the room that no name may cover
_DOT = 5
#: step of the scale's end, in %
_STEP = 5.0


def reduction_svgs(found: Mapping[str, Any]) -> dict[str, str]:
    """Return baseline -> the map of the reduction against it, all on one scale of colours.

    Args:
        found: ``map`` of compare.json; no maps if it says that there are none.
    """
    maps = found.get("maps", {})
    tables = {key: 100 * np.array(value["reduction"]) for key, value in maps.items()}
    if not tables:
        return {}
    most = max(float(table.max()) for table in tables.values())
    # what stacking makes worse has the colour of no saving, and says its value
    high = _STEP * max(math.ceil(most / _STEP), 1)
    scale = Axis("less IR drop, worst device (%)", 0.0, high)
    return {key: _one(found, key, table, scale) for key, table in tables.items()}


def _one(found: Mapping[str, Any], key: str, saved: Floats, scale: Axis) -> str:
    x, y = (np.log10(found[name]) for name in ("series_over_col", "row_over_col"))
    frame = _frame(x, y)
    edges = (10.0 ** _between(x), 10.0 ** _between(y))

    def says(i: int, j: int) -> str:
        place = f"R_series / r_col {10 ** x[j]:.3g}, r_row / r_col {10 ** y[i]:.3g}"
        return f"{percent(saved[i, j] / 100)} less at {place}"

    text = found["maps"][key]["text"]
    bottom = _TOP + _HIGH
    line, covered = _level(frame, contour(x, y, saved, 100 * found["paper"]), found["paper"])
    out = [
        f'<text x="{_LEFT}" y="16">baseline: {escape(text)}</text>',
        f'<circle class="c2 full" cx="{_LEFT + 5}" cy="31" r="{_DOT}"/>'
        f'<text class="muted" x="{_LEFT + 16}" y="35">drawn arrays, and what was solved of '
        "them</text>",
        *frame.axes(),
        cells(frame, edges, saved, scale, says),
        *line,
        *_drawn(frame, found, key, covered),
        *colour_bar(scale, WIDTH - BAR_ROOM, _TOP, bottom),
    ]
    return svg(f"Less IR drop, baseline {text}", out, height=bottom + _FOOT)


def _between(values: Floats) -> Floats:
    """Return the edges of cells around values: half way to the next ones."""
    middles = (values[1:] + values[:-1]) / 2
    return np.array([2 * values[0] - middles[0], *middles, 2 * values[-1] - middles[-1]])


def _frame(x: Floats, y: Floats) -> Frame:
    return Frame(
        _axis("R_series / r_col", x),
        _axis("r_row / r_col", y),
        (_LEFT, WIDTH - BAR_ROOM - 12, _TOP, _TOP + _HIGH),
    )


def _axis(text: str, exponents: Floats) -> Axis:
    """Return an axis of decades over cells around some places."""
    ends = _between(exponents)
    return Axis(text, 10.0 ** float(ends[0]), 10.0 ** float(ends[-1]), log=True)


def _level(
    frame: Frame, lines: list[list[tuple[float, float]]], paper: float
) -> tuple[list[str], list[Box]]:
    """Return the line of the paper's figure with its words, and what they cover."""
    places = [[(frame.x(10**a), frame.y(10**b)) for a, b in line] for line in lines]
    path = "".join("M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in line) for line in places)
    if not path:
        return [], []
    out = [f'<path class="levelback" d="{path}"/><path class="level" d="{path}"/>']
    left, top = min(point for line in places for point in line)
    out.append(
        f'<text class="onfield" x="{left:.1f}" y="{top - 7:.1f}">'
        f"the paper's {100 * paper:g} %</text>"
    )
    return out, [(left, top - 20, left + 100, top + 3)]


def _drawn(frame: Frame, found: Mapping[str, Any], key: str, covered: list[Box]) -> list[str]:
    """Return the drawn arrays of a baseline with their names, none on another."""
    at: dict[tuple[float, float], list[Mapping[str, Any]]] = {}
    for point in found["drawn"]:
        if point["pair"] == key or (key == "planar" and point["pair"] == "passive"):
            place = _at(frame, point)
            at.setdefault(place, []).append(point)
    marks, names = [], []
    for (x, y), points in at.items():
        said = [f"{p['pair']}, {p['view']}: {percent(p['reduction'])} less" for p in points]
        marks.append(
            f'<circle class="c2 full" cx="{x}" cy="{y}" r="{_DOT}">'
            f"<title>{escape('; '.join(said))}</title></circle>"
        )
        views = ", ".join(p["view"] for p in points)
        saved = dict.fromkeys(f"{round(100 * p['reduction'])} %" for p in points)
        names.append((x, y, f"{points[0]['pair']} {views}: {', '.join(saved)}"))
    room = _DOT + 1.0
    boxes = [(x - room, y - room, x + room, y + room) for x, y in at]
    # leader lines end at marks, so those lie on top
    words = names_beside(names, frame.inside, [*boxes, *covered], farther=True, style="onfield")
    return [*words, *marks]


def _at(frame: Frame, point: Mapping[str, Any]) -> tuple[float, float]:
    """Return where an array stands; beyond the map, at its edge."""
    left, right, top, bottom = frame.inside
    x, y = frame.x(point["series_over_col"]), frame.y(point["row_over_col"])
    return round(min(max(x, left), right), 1), round(min(max(y, top), bottom), 1)
