"""The layout as SVG: one group per layer, so that a page can switch layers on and off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

import klayout.db as db

from ..base.layout import read_layout
from ..pdk import Layer, Tech
from ..pdk.model import FILLS
from .areas import MAX_POLYGONS, areas, coarse, step_of
from .names_svg import STEP, names_svg

#: shapes of all layers, every placement counted, that are read to draw a layout as a whole
_MAX_SHAPES = 600_000


@dataclass(frozen=True)
class LayoutSvg:
    """A layout for a page.

    Attributes:
        layers: drawn layers, top of the stack first, markers last: (name, text, colour, shown
            at first, groups that buttons switch: module, foundry or marker, and main).
        view_box: SVG view box.
        ratio: its width over its height.
        body: SVG groups, one per layer, ids ``layer-<name>``.
        note: what is shown.
    """

    layers: list[tuple[str, str, str, bool, str]]
    view_box: str
    ratio: float
    body: str
    note: str


def layout_svg(path: Path, tech: Tech) -> LayoutSvg:
    """Return the layout of a GDS file as a whole; an array's south-west corner if it is too large.

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
    most = MAX_POLYGONS * len(counts)
    left_out = {name for name in fill if counts.get(name, 0) > MAX_POLYGONS}
    chip = tech.roles.names.get("pad") in counts
    # a corner of an array tells what all of it looks like; of a chip it is another part
    most_read = sum(n for name, n in counts.items() if name not in left_out)
    window = box if chip else _window(box, most_read, most)
    shown_first = _shown_first(tech, counts)
    groups, shown, as_areas = [], [], []
    for layer in drawn:
        if layer.name not in counts or layer.name in left_out:
            continue
        index = indexes[layer.name]
        if chip and counts[layer.name] > MAX_POLYGONS:
            region = coarse(top, index, step_of(window))
        else:
            region = db.Region(db.RecursiveShapeIterator(layout, top, index, window))
        region = (region & db.Region(window)).merged()
        if region.is_empty():
            continue
        region, closed = areas(region, window)
        if closed:
            as_areas.append(layer.name)
        visible = layer.name in shown_first
        groups.append(_group(layer, tech.text_of(layer), region, visible))
        kind = "module" if layer.is_module else "foundry"
        kind = "marker" if _is_marker(layer) else kind
        kind += " main" if visible else ""
        shown.append((layer.name, tech.text_of(layer), layer.color, visible, kind))
    names, seen = names_svg(layout, top, tech, window)
    groups.append(names)
    note = _note(layout.dbu, window, box, as_areas)
    if left_out:
        note += f" Not drawn: fill, of {len(left_out)} layers."
    left, low, width, height = _view_box(seen)
    view_box = f"{left} {low} {width} {height}"
    ratio = round(width / max(height, 1), 3)
    return LayoutSvg(shown[::-1], view_box, ratio, "\n".join(groups), note)


def _view_box(seen: db.Box) -> tuple[int, int, int, int]:
    """Return left, top, width and height of what a page shows, in grid steps."""
    margin = max(seen.width(), seen.height()) // 40
    width, height = seen.width() + 2 * margin, seen.height() + 2 * margin
    return seen.left - margin, seen.bottom - margin, width, height


def _note(dbu: float, window: db.Box, box: db.Box, as_areas: list[str]) -> str:
    """Return how much of the layout is shown, and which layers not shape by shape."""
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


def _group(layer: Layer, text: str, region: db.Region, visible: bool) -> str:
    paths = "".join(path_of(polygon) for polygon in region.each())
    hidden = "" if visible else ' style="display:none"'
    # a marker covers all of the layout: its outline says where it lies
    kind = "shape marker" if _is_marker(layer) else "shape"
    return (
        f'<g id="layer-{layer.name}"{hidden}><title>{escape(layer.name)}: {escape(text)}'
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
