"""Row lines between switches and array, each in a lane of its own where it changes its height."""

from __future__ import annotations

from dataclasses import dataclass

from ..cells.drawing import Canvas
from ..cells.gates import Tracks
from ..cells.row_switch import RowSwitch
from ..cells.rules import RuleBook
from .array import Core


@dataclass(frozen=True)
class RowBlock:
    """The switches of all rows, and the lanes from there to the array; lengths in dbu.

    Attributes:
        switch: the switch of one row.
        y, pitch: where the first one stands, and from one to the next.
        width: from the macro's west edge to the line ends of the array.
        inverters: x at which the inverter of each control stands below the switches.
        abreast: whether these stand beside each other.
        lanes: west edge and width of each row's lane, None for one that goes straight; empty where
            all switches face their rows.
        lane: width of the longest lane.
        top: least height of the macro.
        lines_x: where lanes begin: over the switches' last taps, which do not reach into the
            lines' metals.
    """

    switch: RowSwitch
    y: int
    pitch: int
    width: int
    inverters: tuple[int, ...]
    abreast: bool
    lanes: tuple[tuple[int, int] | None, ...]
    lane: int
    top: int
    lines_x: int


def line_heights(
    core: Core, r: RuleBook, pitch: int
) -> dict[str, tuple[tuple[int, int], tuple[int, int]]]:
    """Return low and high edge of each row line at its switch and at the array, in dbu."""
    t = Tracks(r, pitch)
    at_switch = {"BR": t.high3, "TR": t.high4}
    found = {}
    for port in core.west.ports:
        if port.name in at_switch:
            edge = [q for q in core.west.rects if q.layer == port.layer and q.x1 <= 0]
            found[port.name] = (
                at_switch[port.name],
                (min(q.y1 for q in edge), max(q.y2 for q in edge)),
            )
    return found


def draw_fan(c: Canvas, r: RuleBook, rows: RowBlock, core: Core, array_y: int, count: int) -> None:
    """Draw the row lines from the switches along their lanes to the array.

    Args:
        c: what is drawn on.
        r: rules.
        rows: the switches.
        core: the array.
        array_y: where its first row begins, in dbu.
        count: its rows.
    """
    layers = {q.name: q.layer for q in core.west.ports}
    west, east = rows.lines_x, rows.width
    heights = line_heights(core, r, rows.pitch)
    if not rows.lanes:
        _join_faced(
            c, layers, heights, rows, core, [array_y + k * rows.pitch for k in range(count)]
        )
    for row, lane in enumerate(rows.lanes):
        y, to = rows.y + row * rows.pitch, array_y + row * core.unit.cell.height
        for net, ((a, b), (d, e)) in heights.items():
            layer, low, high, to_low, to_high = layers[net], y + a, y + b, to + d, to + e
            if lane is None:
                c.rect(layer, west, max(low, to_low), east, min(high, to_high))
                continue
            x1, x2 = lane[0], sum(lane)
            c.rect(layer, west, low, x2, high)
            c.rect(layer, x1, to_low, max(east, x2), to_high)
            c.rect(layer, x1, min(low, to_low), x2, max(high, to_high))


def _join_faced(
    c: Canvas,
    layers: dict[str, str],
    heights: dict[str, tuple[tuple[int, int], tuple[int, int]]],
    rows: RowBlock,
    core: Core,
    rows_y: list[int],
) -> None:
    """Join tracks to the lines that they face, where a line may not be as tall as its pitch."""
    for net, (track, line) in heights.items():
        met = min(track[1], line[1]) - max(track[0], line[0])
        if met >= min(rows.lane, track[1] - track[0], line[1] - line[0]):
            continue
        low, high = min(track[0], line[0]), max(track[1], line[1])
        east = rows.width + min(core.west.width, track[1] - track[0], line[1] - line[0])
        for y in rows_y:
            c.rect(layers[net], rows.width, y + low, east, y + high)
