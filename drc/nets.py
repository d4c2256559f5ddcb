"""Checks that need to know what is connected (wells) or the whole die (density)."""

from __future__ import annotations

from collections.abc import Callable

import klayout.db as kdb

from ..base.serial import net_list, shape_store
from ..pdk import Tech
from .antenna import Order


def space_nets(
    cell: kdb.Cell,
    tech: Tech,
    drawn: Callable[[str], kdb.Region],
    wells: kdb.Region,
    distance: int,
) -> kdb.EdgePairs:
    """Return spaces below `distance` between wells that their taps and metals do not join.

    Args:
        cell: where the wells are.
        tech: which layers tap and join wells.
        drawn: name of a drawn layer -> its shapes.
        wells: what must keep its distance.
        distance: in dbu.
    """
    if wells.space_check(distance).is_empty():
        return kdb.EdgePairs()
    l2n = net_list(cell.name, cell.layout().dbu)
    order = Order.of(tech)
    taps = (drawn(order.diffusion) & drawn(tech.roles.layer("nplus"))).overlapping(wells)
    stack = [wells, taps, *(drawn(name) for name in order.stack if name != order.poly)]
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


def covering(tech: Tech, name: str) -> tuple[tuple[int, int], ...]:
    """Return the (layer, datatype) pairs that cover a die for a layer: its own, and its fill's."""
    fill = tech.fill_of.get(name)
    return (tech.gds(name),) if fill is None else (tech.gds(name), fill)


def density(
    cell: kdb.Cell, pairs: tuple[tuple[int, int], ...], limit: float, sign: float
) -> kdb.Region:
    """Return the outline of the cell if a layer covers too little or too much of it.

    Args:
        cell: the die.
        pairs: layer and datatype of the layer and its fill, which do not overlap.
        limit: in percent.
        sign: 1.0 for a least, -1.0 for a most.
    """
    outline = cell.bbox()
    layout, store, area = cell.layout(), shape_store(), 0
    own, *fills = (layout.find_layer(*gds) for gds in pairs)
    if own is not None:
        area += kdb.Region(cell.begin_shapes_rec(own), store).area()
    for fill in (index for index in fills if index is not None):
        region = kdb.Region(cell.begin_shapes_rec(fill))
        region.merged_semantics = False  # squares do not overlap, and are many
        area += region.area()
    percent = 100.0 * area / max(outline.area(), 1)
    return kdb.Region(outline) if sign * (percent - limit) < 0 else kdb.Region()
