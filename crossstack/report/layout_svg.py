"""The layout as SVG: one group per layer, so that a page can switch layers on and off."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

import klayout.db as db
import numpy as np

from ..base.layout import read_layout
from ..pdk import Layer, Tech

#: coordinates are written in grid steps, which keeps them short
_STEP = 5
#: shapes that one page can hold and a browser can still move
_MAX_SHAPES = 60_000


@dataclass(frozen=True)
class LayoutSvg:
    """A layout for a page.

    Attributes:
        layers: drawn layers, top of the stack first, markers last: (name, text, colour, shown
            at first, group that a button switches: module, foundry or marker).
        view_box: SVG view box.
        body: SVG groups, one per layer, ids ``layer-<name>``.
        note: what is shown.
    """

    layers: list[tuple[str, str, str, bool, str]]
    view_box: str
    body: str
    note: str


def layout_svg(path: Path, tech: Tech) -> LayoutSvg:
    """Return the layout of a GDS file, its south-west corner if it is too large."""
    layout = read_layout(path)
    top = layout.top_cell()
    box = top.bbox()
    window = _window(layout, top, box)
    # markers lie under everything and stand last in the list
    drawn = sorted(
        (layer for layer in tech.layers if layer.name not in tech.label_of.values()),
        key=lambda layer: not _is_marker(layer),
    )
    roles = tech.roles.names
    hidden = {roles.get(r) for r in ("boundary", "module_area", "nplus", "pplus", "device_mark")}
    groups, shown = [], []
    for layer in drawn:
        index = layout.find_layer(*layer.gds)
        if index is None:
            continue
        region = db.Region(db.RecursiveShapeIterator(layout, top, index, window)) & db.Region(
            window
        )
        if region.is_empty():
            continue
        visible = layer.name not in hidden
        groups.append(_group(layer, region, visible))
        kind = "module" if layer.is_module else "foundry"
        kind = "marker" if _is_marker(layer) else kind
        shown.append((layer.name, layer.text, layer.color, visible, kind))
    groups.append(_labels(layout, top, tech, window))
    dbu = layout.dbu
    size = f"{window.width() * dbu:.2f} x {window.height() * dbu:.2f} um"
    whole = window == box
    note = (
        f"The whole layout, {size}."
        if whole
        else f"The south-west {size} of {box.width() * dbu:.1f} x {box.height() * dbu:.1f} um."
    )
    margin = max(window.width(), window.height()) // 40 // _STEP
    left, low = window.left // _STEP - margin, -(window.top // _STEP) - margin
    width, height = window.width() // _STEP + 2 * margin, window.height() // _STEP + 2 * margin
    return LayoutSvg(shown[::-1], f"{left} {low} {width} {height}", "\n".join(groups), note)


def _is_marker(layer: Layer) -> bool:
    return "marker" in layer.purpose.value


def _window(layout: db.Layout, top: db.Cell, box: db.Box) -> db.Box:
    count = sum(_count(top, index, {}) for index in layout.layer_indexes())
    if count <= _MAX_SHAPES:
        return box
    share = (_MAX_SHAPES / count) ** 0.5
    return db.Box(
        box.left,
        box.bottom,
        box.left + int(box.width() * share),
        box.bottom + int(box.height() * share),
    )


def _count(cell: db.Cell, layer: int, known: dict[int, int]) -> int:
    """Return the number of shapes on a layer, every placement counted."""
    if cell.cell_index() not in known:
        total = cell.shapes(layer).size()
        for inst in cell.each_inst():
            copies = max(inst.na, 1) * max(inst.nb, 1)
            total += copies * _count(cell.layout().cell(inst.cell_index), layer, known)
        known[cell.cell_index()] = total
    return known[cell.cell_index()]


def _group(layer: Layer, region: db.Region, visible: bool) -> str:
    paths = "".join(_path(polygon) for polygon in region.merged().each())
    hidden = "" if visible else ' style="display:none"'
    # a marker covers all of the layout: its outline says where it lies
    kind = "shape marker" if _is_marker(layer) else "shape"
    return (
        f'<g id="layer-{layer.name}"{hidden}><title>{escape(layer.name)}: {escape(layer.text)}'
        f'</title><path class="{kind}" fill="{layer.color}" stroke="{layer.color}" '
        f'd="{paths}"/></g>'
    )


def _path(polygon: db.Polygon) -> str:
    """Return one polygon with its holes as relative path commands, y upwards turned down."""
    contours = [list(polygon.each_point_hull())]
    contours += [list(polygon.each_point_hole(k)) for k in range(polygon.holes())]
    text = []
    for points in contours:
        x, y = points[0].x // _STEP, -(points[0].y // _STEP)
        text.append(f"M{x} {y}")
        for point in points[1:]:
            nx, ny = point.x // _STEP, -(point.y // _STEP)
            if ny == y:
                text.append(f"h{nx - x}")
            elif nx == x:
                text.append(f"v{ny - y}")
            else:
                text.append(f"l{nx - x} {ny - y}")
            x, y = nx, ny
        text.append("z")
    return "".join(text)


def _labels(layout: db.Layout, top: db.Cell, tech: Tech, window: db.Box) -> str:
    """Return the pin names, each with the largest font (in grid steps) that keeps it apart."""
    at_place: dict[tuple[int, int], list[str]] = {}
    for name in dict.fromkeys(tech.label_of.values()):
        index = layout.find_layer(*tech.gds(name))
        if index is None:
            continue
        for shape in top.shapes(index).each():
            if not shape.is_text():
                continue
            at = shape.text_pos
            if window.contains(at.x, at.y):
                at_place.setdefault((at.x // _STEP, -(at.y // _STEP)), []).append(shape.text_string)
    # a line of a macro carries the names of both its ends' pins at one point
    found = [(x, y, ", ".join(dict.fromkeys(names))) for (x, y), names in at_place.items()]
    texts = "".join(
        f'<text x="{x}" y="{y}" data-font="{font:.1f}"{_side(x, window)}>{escape(text)}</text>'
        for (x, y, text), font in zip(found, _fonts(found), strict=True)
    )
    return f'<g id="layer-labels" class="labels">{texts}</g>'


def _side(x: int, window: db.Box) -> str:
    """Return the class of a name that lies at the left or right edge and must grow inwards."""
    near = window.width() // 50 // _STEP
    if x - window.left // _STEP < near:
        return ' class="atleft"'
    return ' class="atright"' if window.right // _STEP - x < near else ""


def _fonts(labels: list[tuple[int, int, str]]) -> list[float]:
    """Return the largest font size of each name at which it meets no other of its size.

    Never less than a grid step: names that overlap beat names that nobody sees.
    """
    x, y = (np.array([label[k] for label in labels], dtype=float) for k in (0, 1))
    size = np.empty_like(x)
    half = np.array([0.3 * len(text) for _, _, text in labels])
    for k in range(len(labels)):
        wide = half + half[k] + 0.3  # half of each name, and a gap
        apart = np.maximum(np.abs(x - x[k]) / wide, np.abs(y - y[k]) / 1.05)
        apart[k] = 1e6
        size[k] = max(apart.min(), 1.0)
    return [float(v) for v in size]
