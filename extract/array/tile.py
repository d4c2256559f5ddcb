"""Tile engine: one row and one column of each kind in full, stitched over the array.

See `grid` for what counts as alike. Every representative line is extracted by the same code
as in the flat engine, over its full length and between its neighbours, so that the ends of
the array, taps and edited cells are in it as drawn. The labels of the lines that it stands
for are read at the place where its own label lies, shifted by the pitch.
"""

from __future__ import annotations

import time
from pathlib import Path

import klayout.db as db

from ...base.layout import OpenedLayout, open_layout
from ...lvs import ExtractedLayout, extract_layout
from ...pdk import Tech
from ...solve.network.network import Network
from ..nets.report import ExtractionReport, Progress
from ..sheet.rates import rates
from .chain import NotAChainError
from .grid import NotRegularError, array_view
from .periphery import extract_around, extract_periphery, lead_ohm
from .stitch import Stitcher, look_for_faults
from .tiled import MOST_CELLS, TiledArray

#: cells of an array with devices around it above which stacks between transistors and memristors
#: are one resistance each, also where every piece of wire is asked for: a dozen pieces a stack
MOST_STACKS = 256 * 256


def extract_tiled(
    source: Path | str | db.Layout | OpenedLayout | ExtractedLayout,
    tech: Tech,
    *,
    progress: Progress | None = None,
    pieces: bool = False,
) -> tuple[TiledArray, Network | None, ExtractionReport]:
    """Extract a regular array line by line.

    Args:
        source: GDS or OASIS file, layout in memory, or what `lvs.extract_layout` returned.
        tech: technology.
        progress: called with (what, done, total).
        pieces: keep every piece of wire: where nothing stands around the array, once for all lines
            that are alike; else in the network, of an array of at most `MOST_STACKS` cells.

    Returns:
        The array, what stands around it if that holds devices, and the report.

    Raises:
        NotRegularError: if the layout is not an array of labelled lines; the flat engine
            takes anything.
        FileError, ParameterError: as in `extract`.
    """
    start = time.perf_counter()
    process = rates(tech)
    layout, top, warnings = _layout_of(source, tech)
    view = array_view(layout, top, tech)
    report = ExtractionReport("tile", process.conditions)
    for text in warnings:
        report.warn(text)
    around = extract_layout(view.periphery(), tech, top.name)
    look_for_faults(around, report)
    has_rest = bool(around.flat.devices)
    cells = view.grid.rows * view.grid.cols
    fits = cells <= MOST_CELLS
    try:
        stitcher = Stitcher(
            view, tech, process, report, progress,
            apart=has_rest and fits, pieces=pieces and fits and not has_rest,
            stacks=pieces and has_rest and cells <= MOST_STACKS,
        )  # fmt: skip
        stitcher.run()
        stitcher.check_labels(around.labels)
    except NotAChainError as error:
        raise NotRegularError(str(error)) from None
    if not fits:
        stitcher.check_lines()
    rest = None
    if has_rest and fits:
        rest, own = extract_around(around, tech, stitcher.lines())
    elif has_rest:
        rest, own = extract_periphery(around, tech, view.grid, stitcher.pin_first)
        stitcher.cut(lead_ohm(rest))
    if has_rest:
        report.add(own)
    array = stitcher.array()
    report.seconds = round(time.perf_counter() - start, 3)
    return array, rest, report


def array_size(source: Path | str | db.Layout | OpenedLayout | ExtractedLayout, tech: Tech) -> int:
    """Return the number of cells of the array that a layout holds, 0 without one."""
    try:
        layout, top, _ = _layout_of(source, tech)
        grid = array_view(layout, top, tech).grid
    except NotRegularError:
        return 0
    return grid.rows * grid.cols


def _layout_of(
    source: Path | str | db.Layout | OpenedLayout | ExtractedLayout, tech: Tech
) -> tuple[db.Layout, db.Cell, tuple[str, ...]]:
    """Return a layout, its top cell, and what it holds that is not looked at."""
    if isinstance(source, ExtractedLayout):
        return source.layout, source.cell, source.warnings
    opened = open_layout(source, tech.drawing)
    return opened.layout, opened.top, opened.warnings
