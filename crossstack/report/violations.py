"""Where a layout breaks rules or differs from its netlist: markers over the layout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

#: grid steps of the layout's coordinates in a micrometre
_STEPS_PER_UM = 200
#: places of one rule that a page shows; the database beside it holds all
MAX_PLACES = 100
#: half of the square that stands for a point, um, and the least view around a place
_POINT_UM, _AROUND_UM = 0.15, 3.0


@dataclass(frozen=True)
class Finding:
    """What is wrong, and where.

    Attributes:
        name: rule, or kind of difference.
        text: what it says.
        count: how often; 1 for a difference between layout and netlist.
        boxes_um: places, as left, bottom, right, top; points have no size.
    """

    name: str
    text: str
    count: int
    boxes_um: tuple[tuple[float, float, float, float], ...]

    @property
    def views(self) -> str:
        """Places as view boxes of the layout, for a button that goes from one to the next."""
        return ";".join(_view(box) for box in self.boxes_um)


def broken_rules(drc: Mapping[str, Any], texts: Mapping[str, str]) -> list[Finding]:
    """Return the rules that a drc.json says are broken, with the boxes that it lists."""
    places: dict[str, list[tuple[float, float, float, float]]] = {}
    for item in drc.get("items", []):
        left, bottom, right, top = item["box_um"]
        places.setdefault(item["rule"], []).append((left, bottom, right, top))
    return [
        Finding(rule, texts.get(rule, ""), n, tuple(places.get(rule, [])[:MAX_PLACES]))
        for rule, n in drc.get("by_rule", {}).items()
        if n
    ]


def differences(lvs: Mapping[str, Any]) -> list[Finding]:
    """Return what an lvs.json says differs, with the points that it names."""
    found = []
    for finding in lvs.get("findings", []):
        points = finding["places_um"][:MAX_PLACES]
        boxes = tuple((x, y, x, y) for x, y in points)
        found.append(Finding(f"LVS {finding['kind']}", finding["message"], 1, boxes))
    return found


def markers(findings: Iterable[Finding]) -> str:
    """Return an SVG group with a rectangle for each place; empty without one."""
    parts = [
        f"<rect {_rectangle(box)}><title>{escape(f.name)}: {escape(f.text)}</title></rect>"
        for f in findings
        for box in f.boxes_um
    ]
    return f'<g id="layer-violations">{"".join(parts)}</g>' if parts else ""


def _rectangle(box: tuple[float, float, float, float]) -> str:
    x, y, width, height = _steps(box, _POINT_UM if box[:2] == box[2:] else 0.0)
    return f'x="{x}" y="{y}" width="{max(width, 1)}" height="{max(height, 1)}"'


def _view(box: tuple[float, float, float, float]) -> str:
    room = max(_AROUND_UM, box[2] - box[0], box[3] - box[1])
    return " ".join(map(str, _steps(box, room)))


def _steps(box: tuple[float, float, float, float], room_um: float) -> tuple[int, int, int, int]:
    """Return x, y, width, height of a box in grid steps, y downwards, with room around it."""
    left, bottom, right, top = (round(v * _STEPS_PER_UM) for v in box)
    room = round(room_um * _STEPS_PER_UM)
    return left - room, -top - room, right - left + 2 * room, top - bottom + 2 * room
