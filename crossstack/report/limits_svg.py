"""Current limits drawn over a layout: each net's hardest loaded layer, coloured by its load."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import klayout.db as db

from ..base.layout import read_layout
from ..base.units import percent
from ..pdk import Tech
from .layout_svg import path_of

#: nets that are followed through a layout, the hardest loaded first
_MAX_NETS = 300
#: polygons of one net that are drawn
_MAX_POLYGONS = 4_000
#: least part of the limit -> class of its colour, the hardest first
GRADES = ((1.0, "over"), (0.5, "high"), (0.0, "low"))


def limits_svg(path: Path, tech: Tech, nets: Mapping[str, Mapping[str, Any]]) -> str:
    """Return an SVG group that shows what nets carry of their current limits.

    A net is followed from its pin's label through metals and vias; its shapes on the layer that
    is loaded hardest get the colour of that load.

    Args:
        path: layout file.
        tech: its technology.
        nets: net -> its hardest load as em.json tells: mode, layer, ratio.

    Returns:
        the group, hidden until it is asked for; empty if nothing is known or found.
    """
    if not nets:
        return ""
    layout = read_layout(path)
    top = layout.top_cell()
    labels = _labels(layout, top, tech)
    tracer_of = _connectivity(tech)
    hardest = sorted(nets.items(), key=lambda item: -float(item[1]["ratio"]))[:_MAX_NETS]
    parts = []
    for name, load in reversed(hardest):  # the hardest is drawn last, on top
        for layer, point in labels.get(name, ())[:1]:
            shapes = _on_layer(layout, top, tech, tracer_of, layer, point, str(load["layer"]))
            parts.append(_marked(name, load, shapes))
    drawn = [part for part in parts if part]
    if not drawn:
        return ""
    return f'<g id="layer-limits" style="display:none">{"".join(drawn)}</g>'


def _labels(layout: db.Layout, top: db.Cell, tech: Tech) -> dict[str, list[tuple[str, db.Point]]]:
    """Return name of a pin -> conductor and place of each of its labels."""
    found: dict[str, list[tuple[str, db.Point]]] = {}
    for conductor, label in tech.label_of.items():
        index = layout.find_layer(*tech.gds(label))
        if index is None:
            continue
        for shape in top.shapes(index).each():
            if shape.is_text():
                found.setdefault(shape.text_string, []).append((conductor, shape.bbox().center()))
    return found


def _connectivity(tech: Tech) -> db.NetTracerConnectivity:
    """Return what a net is followed through: metals and electrodes, joined by their cuts."""
    known = {layer.name for layer in tech.layers}
    found = db.NetTracerConnectivity()
    for cut in tech.cuts:
        if {cut.lower, cut.layer, cut.upper} <= known:
            found.connection(*(_source(tech, name) for name in (cut.lower, cut.layer, cut.upper)))
    return found


def _source(tech: Tech, name: str) -> str:
    number, datatype = tech.gds(name)
    return f"{number}/{datatype}"


def _on_layer(
    layout: db.Layout,
    top: db.Cell,
    tech: Tech,
    connectivity: db.NetTracerConnectivity,
    start: str,
    point: db.Point,
    wanted: str,
) -> db.Region:
    """Return the shapes of a net on one layer, from a point of the net."""
    indexes = [layout.find_layer(*tech.gds(start)), _index(layout, tech, wanted)]
    found = db.Region()
    if None in indexes:
        return found
    tracer = db.NetTracer()
    tracer.trace_depth = 20 * _MAX_POLYGONS
    tracer.trace(connectivity, layout, top, point, indexes[0])
    for element in tracer.each_element():
        if element.layer() == indexes[1]:
            found.insert(element.shape().polygon.transformed(element.trans()))
    return found.merged()


def _index(layout: db.Layout, tech: Tech, name: str) -> int | None:
    """Return the index of a layer, or of that on which a cut of this name is drawn."""
    drawn = next((cut.layer for cut in tech.cuts if cut.name == name), name)
    known = {layer.name for layer in tech.layers}
    return layout.find_layer(*tech.gds(drawn)) if drawn in known else None


def _marked(name: str, load: Mapping[str, Any], shapes: db.Region) -> str:
    if shapes.is_empty() or shapes.count() > _MAX_POLYGONS:
        return ""
    ratio = float(load["ratio"])
    grade = next(word for least, word in GRADES if ratio > least or least == 0.0)
    words = f"{name}: {percent(ratio)} of its current limit in {load['layer']}, {load['mode']} mode"
    paths = "".join(path_of(polygon) for polygon in shapes.each())
    return f'<path class="load {grade}" d="{paths}"><title>{escape(words)}</title></path>'
