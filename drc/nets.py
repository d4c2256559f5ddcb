"""Checks that need to know what is connected (wells, antennas) or the whole die (density)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import klayout.db as kdb

if TYPE_CHECKING:
    from .evaluate import Evaluator

#: Process order: a conductor, then the cut that lands on it.
LEVELS = (
    ("Poly2", "Contact"),
    ("Metal1", "Via1"),
    ("Metal2", "Via2"),
    ("Metal3", "Via3"),
    ("Metal4", "Via4"),
    ("Metal5", None),
)
#: Connected active area counts this many times towards the gate area (thin gate oxide).
DIODE_FACTOR = 2.0


class AntennaLevel:
    """Connectivity of a layout when one conductor and the cuts on it have just been made.

    Args:
        ev: gives the cell; the net list is hierarchical, so arrays stay arrays.
        level: index into `LEVELS`.
    """

    def __init__(self, ev: Evaluator, level: int) -> None:
        layout, cell = ev.cell.layout(), ev.cell
        self.l2n = kdb.LayoutToNetlist(kdb.RecursiveShapeIterator(layout, cell, []))

        def make(name: str) -> kdb.Region:
            return self.l2n.make_polygon_layer(layout.layer(*ev.tech.gds(name)), name)

        poly, comp = make("Poly2"), make("COMP")
        self.gate, self.diffusion = poly & comp, comp - poly
        self.layers: dict[str, kdb.Region] = {}
        for region, name in ((self.gate, "gate"), (self.diffusion, "diffusion")):
            self.l2n.register(region, name)
            self.l2n.connect(region)
        self.l2n.connect(poly)
        self.l2n.connect(poly, self.gate)
        below: list[kdb.Region] = []
        for conductor, cut in LEVELS[: level + 1]:
            metal = poly if conductor == "Poly2" else make(conductor)
            self.layers[conductor] = metal
            self.l2n.connect(metal)
            for region in below:
                self.l2n.connect(region, metal)
            if cut is not None:
                self.layers[cut] = make(cut)
                self.l2n.connect(self.layers[cut])
                self.l2n.connect(metal, self.layers[cut])
                if cut == "Contact":
                    self.l2n.connect(self.layers[cut], self.diffusion)
                below = [self.layers[cut]]
        self.l2n.extract_netlist()

    def check(self, conductor: str, ratio: float, area: float, perimeter: float) -> kdb.Region:
        """Return the conductor of every net above the ratio, its diffusions credited."""
        metal = self.layers[conductor]
        found = self.l2n.antenna_check(self.gate, 1.0, 0.0, metal, area, perimeter, ratio, [])
        result = kdb.Region()
        for polygon in found.flatten().each_merged():
            net = self.l2n.probe_net(metal, polygon.point_hull(0))
            if net is None or not self._credited(net, metal, ratio, area, perimeter):
                result.insert(polygon)
        return result

    def _credited(
        self, net: kdb.Net, metal: kdb.Region, ratio: float, area: float, perimeter: float
    ) -> bool:
        """Return True if connected active area brings the net below the ratio."""
        dbu = self.l2n.internal_layout().dbu
        shapes = [
            self.l2n.shapes_of_net(net, layer, True) for layer in (metal, self.gate, self.diffusion)
        ]
        charge = shapes[0].area() * dbu**2 * area + shapes[0].perimeter() * dbu * perimeter
        collector = shapes[1].area() + DIODE_FACTOR * shapes[2].area()
        return charge <= ratio * collector * dbu**2


def space_nets(ev: Evaluator, wells: kdb.Region, distance: int) -> kdb.EdgePairs:
    """Return spaces below `distance` between wells that their taps and metals do not join."""
    if wells.space_check(distance).is_empty():
        return kdb.EdgePairs()
    l2n = kdb.LayoutToNetlist(ev.cell.name, ev.cell.layout().dbu)
    layers = {name: ev.drawn(name) for level in LEVELS for name in level if name}
    taps = (ev.drawn("COMP") & ev.drawn("Nplus")).overlapping(wells)
    stack = [wells, taps, *(layers[n] for level in LEVELS for n in level if n and n != "Poly2")]
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
