"""Wires of one net that only the silicon joins: a well, the substrate, a diffusion."""

from __future__ import annotations

from functools import reduce
from itertools import combinations
from operator import and_
from typing import TYPE_CHECKING

import klayout.db as db

from ..base.serial import net_list
from ..base.units import place
from .extraction import ExtractedLayout, Finding
from .marks import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .flat import FlatNet


def silicon_joins(extracted: ExtractedLayout) -> list[tuple[FlatNet, Finding]]:
    """Return the nets whose wires fall apart without the silicon, which conducts badly.

    Source and drain of a transistor with all their contacts under one wire are no such case.
    Of nets that are the same net of the same cell, the first is returned.
    """
    found, seen = [], set()
    for net in _candidates(extracted):
        key = (net.net.circuit().name, net.net.cluster_id)
        if key in seen:
            continue
        seen.add(key)
        pieces = _pieces(extracted, net)
        if len(pieces) > 1:
            listed = ", ".join(map(place, pieces[:4])) + (", ..." if len(pieces) > 4 else "")
            what = f"{len(pieces)} wires of {net.name or 'one net'}"
            text = f"{what} are joined through silicon only: {listed}"
            found.append((net, Finding("tap", text, tuple(pieces[:MOST]))))
    return found


def _candidates(extracted: ExtractedLayout) -> Iterator[FlatNet]:
    """Yield the nets with contacts to one piece of silicon under several pieces of metal."""
    numbers = {(net.path, net.net.cluster_id): net for net in extracted.flat.nets}
    for layer, region in _several(extracted):
        for polygon in region.each():
            path: list[db.SubCircuit] = []
            point = next(polygon.each_point_hull())
            net = extracted.l2n.probe_net(extracted.regions[layer], point, path)
            # KLayout has no subcircuit for a cell in which nothing reaches a device or a label
            if net is not None and None not in path:
                names = "".join(f"{sub.expanded_name()}/" for sub in path)
                yield numbers[names, net.cluster_id]


def _several(extracted: ExtractedLayout) -> Iterator[tuple[str, db.Region]]:
    """Yield silicon layers and those of their polygons that several pieces of metal contact."""
    regions, well = extracted.regions, extracted.tech.roles.layer("nwell")
    upper = {cut.name: cut.upper for cut in extracted.tech.cuts}
    pads: dict[str, db.Region] = {}
    for cut, layer in extracted.wiring.links:
        if cut in upper and layer in extracted.wiring.silicon:
            metal = (regions[upper[cut]] & regions[layer]).interacting(regions[cut])
            pads[layer] = pads[layer] + metal if layer in pads else metal
    for layer, metal in pads.items():
        yield layer, regions[layer].interacting(metal.merged(), 2)
    yield from _butted(extracted, pads)
    yield well, regions[well].interacting(pads["ntap"].merged(), 2)
    # all of the substrate is one piece
    if pads["ptap"].merged().count() > 1:
        yield "ptap", db.Region(next(regions["ptap"].interacting(pads["ptap"]).merged().each()))


def _butted(
    extracted: ExtractedLayout, pads: dict[str, db.Region]
) -> Iterator[tuple[str, db.Region]]:
    """Yield salicided layers and those of their polygons that others of them make one with."""
    regions, layers = extracted.regions, extracted.tech.nets.salicided
    pairs = [(a, b) for a, b in combinations(layers, 2)]
    if all(regions[a].interacting(regions[b]).is_empty() for a, b in pairs):
        return
    joined, metal = db.Region(), db.Region()
    for name in layers:
        joined += regions[name]
        metal += pads.get(name, db.Region())
    several = joined.merged().interacting(metal.merged(), 2)
    for name in layers:
        yield name, regions[name].interacting(several)


def _pieces(extracted: ExtractedLayout, net: FlatNet) -> list[tuple[float, float]]:
    """Return a place on each of the wires into which a net falls without the silicon."""
    shapes = _without_silicon(extracted, net)
    layout = db.Layout()
    layout.dbu = extracted.dbu
    cell = layout.create_cell("net")
    l2n = net_list(db.RecursiveShapeIterator(layout, cell, []))
    layers = {}
    for name, region in shapes.items():
        index = layout.insert_layer(db.LayerInfo(name))
        cell.shapes(index).insert(region)
        layers[name] = l2n.make_polygon_layer(index, name)
        l2n.connect(layers[name])
    for a, b in extracted.wiring.links:
        if a in layers and b in layers:
            l2n.connect(layers[a], layers[b])
    l2n.extract_netlist()
    circuit = l2n.netlist().circuit_by_name("net")
    points, ring = [], _seal_ring(extracted)
    for piece in [] if circuit is None else circuit.each_net():
        wires = (layers[name] for name in layers if name not in extracted.wiring.cuts)
        metal = [l2n.shapes_of_net(piece, region, True) for region in wires]
        boxes = (region.bbox() for region in metal if region.not_interacting(ring).count())
        lowest = min(boxes, key=_corner, default=None)
        if lowest is not None:  # contacts without metal are no wire, and a seal ring feeds nothing
            center = lowest.to_dtype(extracted.dbu).center()
            points.append((center.x, center.y))
    return sorted(points, key=lambda at: (at[1], at[0]))


def _without_silicon(extracted: ExtractedLayout, net: FlatNet) -> dict[str, db.Region]:
    """Return the wires of a net by layer, and one polygon wherever cuts join the same two of them.

    A pad has thousands of cuts. Those that stick out of a wire are left as they are drawn.
    """
    drawn, wiring = extracted.net_shapes(net), extracted.wiring
    shapes = {
        name: region.merged()
        for name, region in drawn.items()
        if name not in wiring.silicon and name not in wiring.cuts
    }
    for cut in (name for name in drawn if name in wiring.cuts):
        ends = [shapes[wire] for name, wire in wiring.links if name == cut and wire in shapes]
        both = reduce(and_, ends, ends[0]) if ends else db.Region()
        if not (drawn[cut] - both).is_empty():
            shapes[cut] = drawn[cut].merged()
        elif len(ends) > 1:  # on one wire only, it joins nothing
            shapes[cut] = both.interacting(drawn[cut])
    return shapes


def _seal_ring(extracted: ExtractedLayout) -> db.Region:
    """Return the marker of the seal ring, which stands on the substrate and is wired to nothing."""
    tech = extracted.tech
    name = tech.roles.names.get("seal_ring")
    index = extracted.layout.find_layer(*tech.gds(name)) if name else None
    cell = extracted.layout.cell(extracted.top_name)
    return db.Region() if index is None else db.Region(cell.begin_shapes_rec(index))


def _corner(box: db.Box) -> tuple[int, int]:
    return box.bottom, box.left
