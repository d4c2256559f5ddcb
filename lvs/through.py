"""Proof that a slab of a layout may be repeated or left out without any net changing elsewhere.

A slab lies between two lines along x or y that are one period apart. Suppose that whatever crosses
one line crosses the other at the same place, and that both ends are one net by what lies in the
slab alone. Then n slabs in a row join at their outer lines what one slab joins there, for every n:
each of them adds only what the first one did. So with one slab on either side, any number between
them leaves all other nets as they are; what crosses no line is a net of its slab.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import klayout.db as db
import numpy as np

from ..base.serial import net_list
from .connectivity import SUBSTRATE, Connectivity
from .extraction import connect

Regions = Mapping[str, db.Region]
Pairs = Iterable[tuple[str, str]]
#: Lines that are tried for each stretch.
_MOST_LINES = 12


@dataclass(frozen=True)
class Stretch:
    """Periods that were cut out of a layout, in dbu.

    Attributes:
        axis: 0 if they follow each other along x, 1 along y.
        line: where they were cut out, in the layout without them; the slab that stands for them
            lies below (or west of) it.
        period: length of each.
        count: their number.
        start: the line in the layout with them.
    """

    axis: int
    line: int
    period: int
    count: int
    start: int

    def box(self, all_of: db.Box) -> db.Box:
        """Return the slab's part of a box."""
        return self.between(all_of, self.line - self.period, self.line)

    def between(self, all_of: db.Box, low: int, high: int) -> db.Box:
        """Return the part of a box between two lines."""
        if self.axis == 0:
            return db.Box(low, all_of.bottom, high, all_of.top)
        return db.Box(all_of.left, low, all_of.right, high)

    def holds(self, at: tuple[float, float], dbu: float) -> bool:
        """Return True for a place in um in the slab."""
        return self.line - self.period < at[self.axis] / dbu < self.line

    def moved(self, by: int) -> Stretch:
        """Return the stretch cut out at a line farther up."""
        return replace(self, line=self.line + by, start=self.start + by)


def goes_through(
    regions: Regions,
    stretch: Stretch,
    window: db.Box,
    wiring: Connectivity,
    pairs: Pairs,
    whole: Iterable[str],
) -> bool:
    """Return True if a slab is as the module says, with silicon and without.

    Args:
        regions: layers by name, flat and merged.
        stretch: the slab.
        window: the part of the layout that counts.
        wiring: conductors and cuts.
        pairs: what joins, see `extraction.joins`; pairs of layers not in `regions` are left out.
        whole: layers of which nothing may cross the lines: what makes a device.
    """
    box = stretch.box(window)
    inside = {name: region & db.Region(box) for name, region in regions.items()}
    if any(next(_ends(inside[name], stretch.axis, box), None) for name in whole):
        return False
    kept = [(a, b) for a, b in pairs if a in inside and (b in inside or b == SUBSTRATE)]
    metal = {name: region for name, region in inside.items() if name in _wires(wiring)}
    metal_pairs = [(a, b) for a, b in kept if a in metal and b in metal]
    return all(
        low == high
        for layers, joined in ((inside, kept), (metal, metal_pairs))
        for low, high in _nets(layers, joined, stretch.axis, box)
    )


def _wires(wiring: Connectivity) -> set[str]:
    return {*wiring.conductors, *wiring.cuts} - set(wiring.silicon)


def _ends(region: db.Region, axis: int, box: db.Box) -> Iterator[tuple[bool, int, int]]:
    """Yield what of a region lies on the outer lines of a slab: which line, from, to."""
    for edge in region.edges().each():
        a, b = (edge.p1, edge.p2) if axis == 1 else (_turned(edge.p1), _turned(edge.p2))
        low, high = (box.bottom, box.top) if axis == 1 else (box.left, box.right)
        if a.y == b.y and a.y in (low, high):
            yield a.y == high, min(a.x, b.x), max(a.x, b.x)


def _turned(point: db.Point) -> db.Point:
    return db.Point(point.y, point.x)


def _nets(
    layers: Regions, pairs: Pairs, axis: int, box: db.Box
) -> list[tuple[set[object], set[object]]]:
    """Return for each net of a slab by itself what it has on the lower and on the upper line."""
    layout = db.Layout()
    cell = layout.create_cell("slab")
    l2n = net_list(db.RecursiveShapeIterator(layout, cell, []))
    drawn = {}
    for name, region in layers.items():
        index = layout.insert_layer(db.LayerInfo(name))
        cell.shapes(index).insert(region)
        drawn[name] = l2n.make_polygon_layer(index, name)
    connect(l2n, drawn, pairs)
    l2n.extract_netlist()
    circuit = l2n.netlist().circuit_by_name("slab")
    found, met = [], 0
    for net in [] if circuit is None else circuit.each_net():
        ends: dict[bool, set[object]] = defaultdict(set)
        for name, layer in drawn.items():
            for upper, low, high in _ends(l2n.shapes_of_net(net, layer, True), axis, box):
                ends[upper].add((name, low, high))
                met += 1
        found.append((ends[False], ends[True]))
    ends_drawn = sum(1 for region in layers.values() for _ in _ends(region, axis, box))
    if met != ends_drawn:  # what is on no net is not known to go through
        return [({"all"}, set())]
    return found


def lines_between(
    regions: Regions, texts: Iterable[tuple[int, int]], stretch: Stretch, least: int
) -> list[Stretch]:
    """Return places for a stretch's line, from its own down to `least`, the most likely first.

    Nothing starts, ends or turns there, so that what crosses the line does so clearly.
    """
    axis = stretch.axis
    band = range(least, stretch.line + 1)
    points = {least, stretch.line + 1} | {at[axis] for at in texts if at[axis] in band}
    spans = []
    for region in regions.values():
        for polygon in region.each():
            box = polygon.bbox()
            low, high = (box.left, box.right) if axis == 0 else (box.bottom, box.top)
            if high >= least and low <= stretch.line:
                spans.append((low, high))
                points |= {
                    value
                    for value in (p.x if axis == 0 else p.y for p in polygon.each_point_hull())
                    if value in band
                }
                for hole in range(polygon.holes()):
                    points |= {
                        value
                        for value in (
                            p.x if axis == 0 else p.y for p in polygon.each_point_hole(hole)
                        )
                        if value in band
                    }
    sides = np.array(spans).reshape(-1, 2)
    ordered = sorted(points)
    middles = [(a + b) // 2 for a, b in pairwise(ordered) if b - a > 1]
    crossing = {m: int(((sides[:, 0] < m) & (sides[:, 1] > m)).sum()) for m in middles}
    chosen = sorted(middles, key=lambda m: (crossing[m], -m))[:_MOST_LINES]
    return [stretch.moved(m - stretch.line) for m in chosen]
