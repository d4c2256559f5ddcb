"""Checks that need to know what is connected (wells) or the whole die (density)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import klayout.db as kdb

from .antenna import Order

if TYPE_CHECKING:
    from .evaluate import Evaluator


def space_nets(ev: Evaluator, wells: kdb.Region, distance: int) -> kdb.EdgePairs:
    """Return spaces below `distance` between wells that their taps and metals do not join."""
    if wells.space_check(distance).is_empty():
        return kdb.EdgePairs()
    l2n = kdb.LayoutToNetlist(ev.cell.name, ev.cell.layout().dbu)
    order = Order.of(ev.tech)
    taps = (ev.drawn(order.diffusion) & ev.drawn(ev.tech.roles.layer("nplus"))).overlapping(wells)
    stack = [wells, taps, *(ev.drawn(name) for name in order.stack if name != order.poly)]
    for number, region in enumerate(stack):
        l2n.register(region, f"level{number}")
        l2n.connect(region)
        if number:
            l2n.connect(stack[number - 1], region)
    l2n.extract_netlist()
    result = kdb.EdgePairs()
    for pair in wells.space_check(distance).each():
        nets = [l2n.probe_net(wells, edge.p1) for edge in (pair.first, pair.second)]
        if nets[0] is None or nets[1] is None or nets[0].cluster_id != nets[1].cluster_id:
            result.insert(pair)
    return result


def density(ev: Evaluator, name: str, limit: float, sign: float) -> kdb.Region:
    """Return the outline of the cell if a layer covers too little or too much of it."""
    index = ev.cell.layout().find_layer(*ev.tech.gds(name))
    outline = ev.cell.bbox()
    area = 0
    if index is not None:
        store = kdb.DeepShapeStore()
        area = kdb.Region(ev.cell.begin_shapes_rec(index), store).area()
    percent = 100.0 * area / max(outline.area(), 1)
    return kdb.Region(outline) if sign * (percent - limit) < 0 else kdb.Region()
