"""The IR drop of one mode as a chart: one map per tier, all on one scale."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..base.names import TIER_NAMES
from ..base.units import percent
from .charts import WIDTH, Axis, Frame, svg
from .fields import BAR_ROOM, cells, colour_bar
from .maps import worst_of_blocks

Floats = NDArray[np.float64]

#: cells per side of a map of this size; beyond it each shows the worst of a block
_MAX_SIDE = 64
_LEFT, _BETWEEN, _TOP, _HIGH, _FOOT = 56, 40, 50, 150, 44


def scale_of(maps: Mapping[str, Floats]) -> tuple[float, float]:
    """Return one scale for all maps: from the least to the largest value."""
    seen = [m[np.isfinite(m)] for m in maps.values() if np.isfinite(m).any()]
    if not seen:
        return 0.0, 1.0
    values = np.concatenate(seen)
    return float(values.min()), max(float(values.max()), float(values.min()) + 1e-12)


def drop_svg(mode: str, error: Floats, scale: tuple[float, float]) -> str:
    """Return the IR drop of one mode, one map per tier; each device says what it loses.

    Args:
        mode: its name.
        error: part of the ideal voltage lost, shape (tiers, rows, cols); nan where nothing is read.
        scale: ends of the scale of colours, the same for every mode of a run.
    """
    tiers, rows, cols = error.shape
    block = -(-max(rows, cols) // _MAX_SIDE)
    colours = Axis("voltage lost, % of ideal", 100 * scale[0], 100 * scale[1])
    room = WIDTH - _LEFT - BAR_ROOM - 12 - _BETWEEN * (tiers - 1)
    width, bottom = room / tiers, _TOP + _HIGH
    words = f"IR drop, {mode} mode, wires and transistors"
    out = [f'<text x="{_LEFT}" y="16">{words}</text>']
    for tier in range(tiers):
        left = _LEFT + tier * (width + _BETWEEN)
        out += _one_map(error[tier], block, tier, colours, (left, left + width, _TOP, bottom))
    out += colour_bar(colours, WIDTH - BAR_ROOM, _TOP, bottom)
    if block == 1:
        return svg(words, out, height=bottom + _FOOT)
    note = f"each cell is the worst of {block} x {block} devices"
    out.append(f'<text class="muted" x="{_LEFT}" y="{bottom + _FOOT + 12}">{note}</text>')
    return svg(words, out, height=bottom + _FOOT + 20)


def _one_map(
    error: Floats, block: int, tier: int, colours: Axis, inside: tuple[float, float, float, float]
) -> list[str]:
    rows, cols = error.shape
    along = Axis("column", -0.5, cols - 0.5, whole=True)
    up = Axis("row" if tier == 0 else "", -0.5, rows - 0.5, whole=True)
    frame = Frame(along, up, inside)
    edges = (_edges(cols, block), _edges(rows, block))
    lost = worst_of_blocks(error, block)

    def says(i: int, j: int) -> str:
        place = f"row {_range(i, block, rows)}, column {_range(j, block, cols)}"
        return f"{place}: {_loss(float(lost[i, j]))}"

    title = f"{TIER_NAMES[tier]} tier"
    if not np.isfinite(error).any():
        title += " (being written)"
    middle = (inside[0] + inside[1]) / 2
    return [
        *frame.axes(),
        cells(frame, edges, 100 * lost, colours, says),
        f'<text class="muted" x="{middle:.0f}" y="{inside[2] - 8}" text-anchor="middle">{title}'
        "</text>",
    ]


def _loss(lost: float) -> str:
    return "not read" if np.isnan(lost) else f"{percent(lost)} lost"


def _edges(count: int, block: int) -> Floats:
    """Return the edges of cells of `block` devices, whose middles are numbered from 0."""
    return np.minimum(np.arange(0, count + block, block), count) - 0.5


def _range(k: int, block: int, count: int) -> str:
    return f"{k}" if block == 1 else f"{k * block}-{min(k * block + block, count) - 1}"
