"""The layout as SVG: one group per layer, so that a page can switch layers on and off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

import klayout.db as db
import numpy as np

from ..base.layout import read_layout
from ..pdk import Layer, Tech
from ..pdk.model import FILLS
from .names_svg import STEP, names_svg

#: polygons of one layer that a page can hold and a browser can still move
_MAX_POLYGONS = 6_000
#: shapes of all layers, every placement counted, that are read to draw a layout as a whole
_MAX_SHAPES = 600_000
#: cells along the longer side of a layout, for layers of more polygons than that
_GRID = 500


@dataclass(frozen=True)
class LayoutSvg:
    """A layout for a page.

    Attributes:
        layers: drawn layers, top of the stack first, markers last: (name, text, colour, shown
            at first, groups that buttons switch: module, foundry or marker, and main).
        view_box: SVG view box.
        body: SVG groups, one per layer, ids ``layer-<name>``.
        note: what is shown.
    """

    layers: list[tuple[str, str, str, bool, str]]
    view_box: str
    body: str
    note: str


def layout_svg(path: Path, tech: Tech) -> LayoutSvg:
    """Return the layout of a GDS file as a whole; its south-west corner if it is too large.

    A layer of very many shapes is drawn as the areas that they cover, and fill of a chip not at
    all; the note says so.
    """
    layout = read_layout(path)
    top = layout.top_cell()
    box = top.bbox()
    # markers lie under everything and stand last in the list
    drawn = sorted(
        (layer for layer in tech.layers if layer.name not in tech.label_of.values()),
        key=lambda layer: not _is_marker(layer),
    )
    indexes = {
        layer.name: index for layer in drawn if (index := layout.find_layer(*layer.gds)) is not None
    }
    counts = _counts(layout, indexes)
    fill = {layer.name for layer in drawn if layer.purpose in FILLS}
    most = _MAX_POLYGONS * len(counts)
    left_out = {name for name in fill if counts.get(name, 0) > _MAX_POLYGONS}
    window = _window(box, sum(n for name, n in counts.items() if name not in left_out), most)
    shown_first = _shown_first(tech, counts)
    groups, shown, as_areas = [], [], []
    for layer in drawn:
        if layer.name not in counts or layer.name in left_out:
            continue
        region = db.Region(db.RecursiveShapeIterator(layout, top, indexes[layer.name], window))
        region = (region & db.Region(window)).merged()
        if region.is_empty():
            continue
        region, closed = areas(region, window)
        if closed:
            as_areas.append(layer.name)
        visible = layer.name in shown_first
        groups.append(_group(layer, region, visible))
        kind = "module" if layer.is_module else "foundry"
        kind = "marker" if _is_marker(layer) else kind
        kind += " main" if visible else ""
        shown.append((layer.name, layer.text, layer.color, visible, kind))
    groups.append(names_svg(layout, top, tech, window))
    note = _note(layout.dbu, window, box, as_areas, sorted(left_out))
    return LayoutSvg(shown[::-1], _view_box(window), "\n".join(groups), note)


def _view_box(window: db.Box) -> str:
    margin = max(window.width(), window.height()) // 40 // STEP
    left, low = window.left // STEP - margin, -(window.top // STEP) - margin
    width, height = window.width() // STEP + 2 * margin, window.height() // STEP + 2 * margin
    return f"{left} {low} {width} {height}"


def _note(dbu: float, window: db.Box, box: db.Box, as_areas: list[str], left_out: list[str]) -> str:
    """Return how much of the layout is shown, and what of it not shape by shape."""
    size = f"{window.width() * dbu:.2f} x {window.height() * dbu:.2f} um"
    whole = window == box
    note = (
        f"The whole layout, {size}."
        if whole
        else f"The south-west {size} of {box.width() * dbu:.1f} x {box.height() * dbu:.1f} um."
    )
    if as_areas:
        note += (
            f" Too many shapes to draw each: of {', '.join(as_areas)} only the covered areas are "
            "shown."
        )
    if left_out:
        note += f" Not drawn: fill ({', '.join(left_out)})."
    return note


def _line_layers(tech: Tech) -> set[str]:
    """Return the layers of row and column lines."""
    names = tech.roles.names
    roles = (
        "bottom_row",
        "top_row",
        *(f"{tier}_electrode" for tier in ("bottom", "middle", "top")),
    )
    return {names[role] for role in roles if role in names}


def _shown_first(tech: Tech, counts: Mapping[str, int]) -> set[str]:
    """Return the layers that a page shows at first: the module and the lines.

    Of a die, its pads and wires too; without module and lines, all but what covers others.
    """
    names = tech.roles.names
    pads = {names.get("pad")} | set(tech.label_of) if names.get("pad") in counts else set()
    hidden = {names.get(r) for r in ("boundary", "module_area", "nplus", "pplus", "device_mark")}
    lines = _line_layers(tech)
    some = {
        layer.name
        for layer in tech.layers
        if layer.name in counts
        and layer.name not in hidden
        and not _is_marker(layer)
        and (layer.is_module or layer.name in lines or layer.name in pads)
    }
    return some or {name for name in counts if name not in hidden}


def areas(region: db.Region, window: db.Box) -> tuple[db.Region, bool]:
    """Return a region of few polygons: of very many, the areas that they cover.

    Returns:
        the region, and whether its shapes were joined.
    """
    if region.count() <= _MAX_POLYGONS:
        return region, False
    step = -(-max(window.width(), window.height()) // _GRID)
    covered = np.zeros((window.height() // step + 2, window.width() // step + 2), dtype=np.int32)
    for piece in region.decompose_trapezoids_to_region().each():
        box = piece.bbox()
        low, left = (box.bottom - window.bottom) // step, (box.left - window.left) // step
        high, right = (box.top - window.bottom) // step + 1, (box.right - window.left) // step + 1
        # corners of a box in a table whose running sums say what is covered
        covered[low, left] += 1
        covered[high, right] += 1
        covered[low, right] -= 1
        covered[high, left] -= 1
    full = np.diff(np.pad((covered.cumsum(0).cumsum(1) > 0).astype(np.int8), ((0, 0), (1, 1))))
    found = db.Region()
    for row, (begins, ends) in enumerate(zip(full == 1, full == -1, strict=True)):
        y = window.bottom + row * step
        for begin, end in zip(np.flatnonzero(begins), np.flatnonzero(ends), strict=True):
            x = (window.left + int(k) * step for k in (begin, end))
            found.insert(db.Box(next(x), y, next(x), y + step))
    return found.merged() & db.Region(window), True


def _is_marker(layer: Layer) -> bool:
    return "marker" in layer.purpose.value


def _window(box: db.Box, count: int, most: int) -> db.Box:
    """Return what is shown: everything, or a corner of about `most` shapes."""
    if count <= _MAX_SHAPES:
        return box
    share = (most / count) ** 0.5
    return db.Box(
        box.left,
        box.bottom,
        box.left + int(box.width() * share),
        box.bottom + int(box.height() * share),
    )


def _counts(layout: db.Layout, indexes: Mapping[str, int]) -> dict[str, int]:
    """Return the shapes of some layers below the top cell, every placement counted."""
    totals: dict[int, dict[str, int]] = {}
    for number in layout.each_cell_bottom_up():
        cell = layout.cell(number)
        copies: Counter[int] = Counter()
        for inst in cell.each_inst():
            copies[inst.cell_index] += max(inst.na, 1) * max(inst.nb, 1)
        totals[number] = {
            name: cell.shapes(index).size() + sum(n * totals[k][name] for k, n in copies.items())
            for name, index in indexes.items()
        }
    return totals[layout.top_cell().cell_index()]


def _group(layer: Layer, region: db.Region, visible: bool) -> str:
    paths = "".join(path_of(polygon) for polygon in region.each())
    hidden = "" if visible else ' style="display:none"'
    # a marker covers all of the layout: its outline says where it lies
    kind = "shape marker" if _is_marker(layer) else "shape"
    return (
        f'<g id="layer-{layer.name}"{hidden}><title>{escape(layer.name)}: {escape(layer.text)}'
        f'</title><path class="{kind}" fill="{layer.color}" stroke="{layer.color}" '
        f'd="{paths}"/></g>'
    )


def path_of(polygon: db.Polygon) -> str:
    """Return one polygon with its holes as relative path commands, y upwards turned down."""
    contours = [list(polygon.each_point_hull())]
    contours += [list(polygon.each_point_hole(k)) for k in range(polygon.holes())]
    text = []
    for points in contours:
        x, y = points[0].x // STEP, -(points[0].y // STEP)
        text.append(f"M{x} {y}")
        for point in points[1:]:
            nx, ny = point.x // STEP, -(point.y // STEP)
            if ny == y:
                text.append(f"h{nx - x}")
            elif nx == x:
                text.append(f"v{ny - y}")
            else:
                text.append(f"l{nx - x} {ny - y}")
            x, y = nx, ny
        text.append("z")
    return "".join(text)
