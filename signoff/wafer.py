"""The wafer map of a die: where its copies lie, for the probe station and the stepper.

Which wafer a run uses, and how far its reticle steps, is for the shuttle to say. Until then the map
rests on assumptions, which it states itself.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from math import ceil, floor, hypot
from typing import Any

from ..base.errors import ParameterError
from ..base.picture import picture
from ..base.spans import DIE, DIE_STEP_UM, WAFER_UM

#: diameter of the wafer, and the rim in which no die counts, um: both assumed
DIAMETER_UM, RIM_UM = 200_000.0, 3_000.0
#: lengths that are equal but for rounding, um
_NEAR = 1e-6
_WAFER = f"wafer of {DIAMETER_UM * 1e-3:g} mm and rim of {RIM_UM * 1e-3:g} mm assumed"
#: most dies that a map shows
MOST = 50_000
COLUMNS = ("column", "row", "x_um", "y_um", "listed")


@dataclass(frozen=True)
class Wafer:
    """Where dies lie on a wafer.

    Attributes:
        pitch_um: step from die to die in x and y; None for the die's own size.
        origin_um: place of the lower-left corner of die (0, 0).
        dies: (column, row) of the dies whose marks are listed.

    Raises:
        ParameterError: for a step, place or die outside its range.
    """

    pitch_um: tuple[float, float] | None = None
    origin_um: tuple[float, float] = (0.0, 0.0)
    dies: tuple[tuple[int, int], ...] = ((0, 0),)

    def __post_init__(self) -> None:
        if self.pitch_um is not None and not all(p in DIE_STEP_UM for p in self.pitch_um):
            raise ParameterError("die-pitch-um", self.pitch_um, f"two steps, {DIE_STEP_UM}")
        if not all(v in WAFER_UM for v in self.origin_um):
            raise ParameterError("first-die-um", self.origin_um, f"two places, {WAFER_UM}")
        if not all(v in DIE for die in self.dies for v in die):
            raise ParameterError("die", self.dies, f"column and row, each {DIE}")


def step_of(wafer: Wafer, die_um: list[float]) -> tuple[float, float]:
    """Return the step from die to die in x and y, um.

    Raises:
        ParameterError: for a step at which dies overlap.
    """
    width, height = die_um
    step = wafer.pitch_um or (width, height)
    if step[0] < width - _NEAR or step[1] < height - _NEAR:
        least = f"at least {width:g} and {height:g} um, the size of the die"
        raise ParameterError("die-pitch-um", f"{step[0]:g} {step[1]:g}", least)
    return step


def remarks(wafer: Wafer, die_um: list[float]) -> list[str]:
    """Return what a map does not show: dies beyond the rim, and all where there are too many."""
    inside = f"not whole inside the rim of the wafer ({_WAFER})"
    found = [
        f"die {column} {row} lies {inside}: its marks are listed all the same"
        for column, row in wafer.dies
        if not _is_whole(wafer, die_um, column, row)
    ]
    if _too_many(wafer, die_um):
        return [*found, f"no wafer map: more than {MOST} dies"]
    if not wafer_dies(wafer, die_um):
        found.append(f"no wafer map: every die lies {inside}")
    return found


def _too_many(wafer: Wafer, die_um: list[float]) -> bool:
    (dx, dy), across = step_of(wafer, die_um), DIAMETER_UM - 2 * RIM_UM
    return (across / dx) * (across / dy) > MOST


def _is_whole(wafer: Wafer, die_um: list[float], column: int, row: int) -> bool:
    """Return whether a die lies whole inside the rim."""
    (dx, dy), (width, height) = step_of(wafer, die_um), die_um
    x, y = wafer.origin_um[0] + column * dx, wafer.origin_um[1] + row * dy
    far = hypot(max(abs(x), abs(x + width)), max(abs(y), abs(y + height)))
    return far <= DIAMETER_UM / 2 - RIM_UM


def wafer_dies(wafer: Wafer, die_um: list[float]) -> list[dict[str, Any]]:
    """Return the dies that lie whole inside the rim, row by row from the south.

    The wafer's centre is (0, 0), its notch in the south.

    Args:
        wafer: step of the dies and place of die (0, 0).
        die_um: width and height of a die.

    Returns:
        A row for each die with the `COLUMNS`: the lower-left corner in um, and whether its marks
        are listed. None at all where there would be more than `MOST`.

    Raises:
        ParameterError: for a step at which dies overlap.
    """
    (dx, dy), radius = step_of(wafer, die_um), DIAMETER_UM / 2 - RIM_UM
    x0, y0 = wafer.origin_um
    if _too_many(wafer, die_um):
        return []
    found = []
    for row in range(floor((-radius - y0) / dy), ceil((radius - y0) / dy) + 1):
        for column in range(floor((-radius - x0) / dx), ceil((radius - x0) / dx) + 1):
            if _is_whole(wafer, die_um, column, row):
                x, y = x0 + column * dx, y0 + row * dy
                listed = (column, row) in wafer.dies
                values = (column, row, round(x, 4), round(y, 4), int(listed))
                found.append(dict(zip(COLUMNS, values, strict=True)))
    return found


def assumptions(wafer: Wafer, die_um: list[float]) -> str:
    """Return what a map rests on, in words."""
    step = step_of(wafer, die_um)
    said = "as given" if wafer.pitch_um else "assumed, the die's own size: the shuttle must say"
    return (
        f"{_WAFER}; step "
        f"{step[0]:g} x {step[1]:g} um ({said}); die 0 0 at "
        f"({wafer.origin_um[0]:g}, {wafer.origin_um[1]:g}) um from the centre; notch south"
    )


def map_lines(dies: list[dict[str, Any]]) -> list[str]:
    """Return the dies as lines of CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(dies)
    return text.getvalue().splitlines()


def map_svg(name: str, die_um: list[float], wafer: Wafer, dies: list[dict[str, Any]]) -> str:
    """Return the map as SVG, seen from above; lengths in mm.

    Args:
        name: of the die.
        die_um: its width and height.
        wafer: where dies lie.
        dies: rows of `wafer_dies`.
    """
    radius, width, height = DIAMETER_UM / 2e3, die_um[0] * 1e-3, die_um[1] * 1e-3
    body = [
        f'<circle r="{radius:g}" class="face edge" stroke-width="0.5"/>',
        f'<circle r="{radius - RIM_UM * 1e-3:g}" fill="none" class="rim" stroke-width="0.2"/>',
        f'<path d="M-2 {radius:g}L0 {radius - 3:g}L2 {radius:g}Z" class="ink"/>',
        *_dies(dies, width, height),
        _text(-radius - 8, f"{name}: {len(dies)} dies of {die_um[0]:g} x {die_um[1]:g} um", 5),
        *(
            _text(radius + 7 + 4 * k, part.strip(), 3)
            for k, part in enumerate(assumptions(wafer, die_um).split(";"))
        ),
    ]
    side = 2 * radius + 50
    box = (-side / 2, -radius - 18, side, side)
    return picture(box, body, width=900, label=f"wafer map of {name}", letter=5)


def _dies(dies: list[dict[str, Any]], width: float, height: float) -> Iterator[str]:
    for die in dies:
        x, y = die["x_um"] * 1e-3, -die["y_um"] * 1e-3 - height
        kind = "chosen" if die["listed"] else "other"
        yield (
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" class="{kind}" '
            f'stroke="#888" stroke-width="0.1"><title>{die["column"]} {die["row"]}: '
            f"({die['x_um']:g}, {die['y_um']:g}) um</title></rect>"
        )


def _text(y: float, text: str, size: float) -> str:
    place = f'y="{y:g}" font-size="{size:g}" text-anchor="middle"'
    return f'<text {place} class="ink">{escape(text)}</text>'


__all__ = ["COLUMNS", "DIAMETER_UM", "MOST", "RIM_UM", "assumptions", "map_lines", "map_svg",
           "remarks", "step_of", "wafer_dies"]  # fmt: skip
