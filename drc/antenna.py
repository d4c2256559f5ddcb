"""Antenna ratios: the charge a conductor collects while it is etched, to the gates on its net.

Nets run from end to end of an array, so no neighbourhood decides about them. `certified`
still judges most arrays on their compacted stand-in: where a net runs straight through a cut,
every removed period adds the same to it as the kept one, so its totals are known. What that
cannot vouch for is decided by `AntennaLevel` on the whole, hierarchical layout.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import pairwise

import klayout.db as kdb

from ..base.compact import Strip
from ..base.serial import net_list
from ..pdk import Tech


@dataclass(frozen=True)
class Order:
    """In which order conductors are made, and what protects the gates on them.

    Attributes:
        levels: a conductor, then the cut that lands on it (empty for the last); the first is poly.
        diffusion: drawn active area; without poly over it, it counts towards the gate area.
        diode_factor: how often it counts (thin gate oxide).
    """

    levels: tuple[tuple[str, str], ...]
    diffusion: str
    diode_factor: float

    @classmethod
    def of(cls, tech: Tech) -> Order:
        """Return the order of a process."""
        return cls(tech.nets.antenna, tech.roles.layer("diffusion"), tech.nets.diode_factor)

    @property
    def poly(self) -> str:
        """The layer of the gates."""
        return self.levels[0][0]

    @property
    def contact(self) -> str:
        """The cut that joins poly and diffusion to the lowest metal."""
        return self.levels[0][1]

    @property
    def stack(self) -> tuple[str, ...]:
        """Conductors and cuts from poly to the last metal."""
        return tuple(name for level in self.levels for name in level if name)

    def level_of(self, conductor: str) -> int:
        """Return the index in `levels` of a conductor or cut."""
        return next(i for i, names in enumerate(self.levels) if conductor in names)

    def layers_of(self, level: int) -> list[str]:
        """Return the drawn layers that a level needs."""
        made = (name for names in self.levels[: level + 1] for name in names)
        return [self.diffusion, *(name for name in made if name)]

    def new_in(self, level: int, below: AntennaLevel | None) -> list[str]:
        """Return the drawn layers of a level that a lower one, if there is one, has not."""
        names = self.layers_of(level)
        return names if below is None else names[len(self.layers_of(below.level)) :]


@dataclass(frozen=True)
class Limit:
    """One antenna rule: ratio, and how area and side wall of the conductor count."""

    ratio: float
    area: float
    perimeter: float


class AntennaLevel:
    """Connectivity when one conductor and the cuts on it have just been made.

    Args:
        l2n: net list of the cell: empty, or that of `below`, which then is of no more use.
        drawn: the drawn layers of the level, as regions that suit `l2n`; above `below`, those
            that are new.
        level: index into the levels of the order.
        order: in which order conductors are made.
        below: a lower level, whose nets only grow.
    """

    def __init__(
        self,
        l2n: kdb.LayoutToNetlist,
        drawn: dict[str, kdb.Region],
        level: int,
        order: Order,
        below: AntennaLevel | None = None,
    ) -> None:
        self.l2n, self.level, self.order = l2n, level, order
        self._drawn: dict[str, kdb.Region] = {**(below._drawn if below else {}), **drawn}
        self._near: dict[Strip, AntennaLevel] = {}
        self.layers = {n: region for n, region in self._drawn.items() if n != order.diffusion}
        if below is None:
            poly, comp = drawn[order.poly], drawn[order.diffusion]
            self.gate, self.diffusion = poly & comp, comp - poly
        else:
            self.gate, self.diffusion = below.gate, below.diffusion
        self._connect(self.layers if below is None else drawn, first=below is None)
        l2n.extract_netlist()

    def _connect(self, new: Collection[str], *, first: bool) -> None:
        """Join what is new to itself and to what lies next to it in the stack."""
        if first:
            self.l2n.register(self.gate, "gate")
            self.l2n.register(self.diffusion, "diffusion")
            self.l2n.connect(self.gate)
            self.l2n.connect(self.diffusion)
            self.l2n.connect(self.layers[self.order.poly], self.gate)
        made = [name for name in self.order.stack if name in self.layers]
        for name in new:
            self.l2n.connect(self.layers[name])
        for lower, upper in pairwise(made):
            if upper in new:
                self.l2n.connect(self.layers[lower], self.layers[upper])
        if self.order.contact in new:
            self.l2n.connect(self.layers[self.order.contact], self.diffusion)

    @classmethod
    def hierarchical(
        cls, cell: kdb.Cell, tech: Tech, level: int, below: AntennaLevel | None = None
    ) -> AntennaLevel:
        """Return the level of a whole cell, on top of a lower one's nets; arrays stay arrays."""
        layout, order = cell.layout(), Order.of(tech)
        whole = kdb.RecursiveShapeIterator(layout, cell, [])
        l2n = below.l2n if below else net_list(whole)
        names = order.new_in(level, below)
        drawn = {n: l2n.make_polygon_layer(layout.layer(*tech.gds(n)), n) for n in names}
        return cls(l2n, drawn, level, order, below)

    @classmethod
    def flat(
        cls,
        cell: kdb.Cell,
        drawn: Callable[[str], kdb.Region],
        level: int,
        order: Order,
        below: AntennaLevel | None = None,
    ) -> AntennaLevel:
        """Return the level of a cell's flat, merged layers, on top of a lower one's nets."""
        regions = {name: drawn(name) for name in order.new_in(level, below)}
        return cls._of_regions(cell.layout().dbu, regions, level, order, below)

    @classmethod
    def _of_regions(
        cls,
        dbu: float,
        regions: dict[str, kdb.Region],
        level: int,
        order: Order,
        below: AntennaLevel | None = None,
    ) -> AntennaLevel:
        l2n = below.l2n if below else net_list("flat", dbu)
        for name, region in regions.items():
            l2n.register(region, name)
        return cls(l2n, regions, level, order, below)

    def _dbu(self) -> float:
        return self.l2n.internal_layout().dbu

    def check(self, conductor: str, limit: Limit) -> kdb.Region:
        """Return the conductor of every net above the ratio, its diffusions credited."""
        metal = self.layers[conductor]
        found = self.l2n.antenna_check(
            self.gate, 1.0, 0.0, metal, limit.area, limit.perimeter, limit.ratio, []
        )
        result = kdb.Region()
        credited: dict[tuple[int, int], bool] = {}  # a net may have thousands of cuts
        for polygon in found.flatten().each_merged():
            net = self.l2n.probe_net(metal, polygon.point_hull(0))
            if net is None:
                result.insert(polygon)
                continue
            key = (net.circuit().cell_index, net.cluster_id)
            if key not in credited:
                credited[key] = self._credited(net, metal, limit)
            if not credited[key]:
                result.insert(polygon)
        return result

    def _shapes(self, net: kdb.Net, layer: kdb.Region) -> kdb.Region:
        return self.l2n.shapes_of_net(net, layer, True).merged()

    def _credited(self, net: kdb.Net, metal: kdb.Region, limit: Limit) -> bool:
        """Return True if connected active area brings the net below the ratio."""
        dbu = self._dbu()
        shapes = self._shapes(net, metal)
        charge = shapes.area() * dbu * limit.area + shapes.perimeter() * limit.perimeter
        areas = [self._shapes(net, layer).area() for layer in (self.gate, self.diffusion)]
        return charge <= limit.ratio * (areas[0] + self.order.diode_factor * areas[1]) * dbu

    def certified(self, conductor: str, limit: Limit, strips: tuple[Strip, ...]) -> bool:
        """Return True if no net of the original layout can break the ratio."""
        metal, dbu = self.layers[conductor], self._dbu()
        for net in self._gated_nets():
            totals = self._totals(net, metal, strips)
            if totals is None:
                return False
            area, perimeter, gate, diffusion = totals
            charge = area * dbu * limit.area + perimeter * limit.perimeter
            if charge > limit.ratio * (gate + self.order.diode_factor * diffusion) * dbu:
                return False
        return True

    def _gated_nets(self) -> list[kdb.Net]:
        return [
            net
            for circuit in self.l2n.netlist().each_circuit()
            for net in circuit.each_net()
            if not self.l2n.shapes_of_net(net, self.gate, True).is_empty()
        ]

    def _totals(
        self, net: kdb.Net, metal: kdb.Region, strips: tuple[Strip, ...]
    ) -> tuple[int, int, int, int] | None:
        """Return area and perimeter of the conductor, gate area and diffusion area of a net.

        The removed periods are counted in. None if the net does something else than run
        straight through a cut, or through cuts of both axes.
        """
        parts = [self._shapes(net, layer) for layer in self.layers.values()]
        charged = self._shapes(net, metal)
        collectors = [self._shapes(net, layer) for layer in (self.gate, self.diffusion)]
        box = sum((region.bbox() for region in parts), kdb.Box())
        crossed = [s for s in strips if s.crosses(box)]
        if len({s.axis for s in crossed}) > 1:
            return None
        area, perimeter = charged.area(), charged.perimeter()
        gate, diffusion = (region.area() for region in collectors)
        for strip in crossed:
            if not self._repeats(parts, strip):
                return None
            window, more = kdb.Region(strip.window(box)), strip.copies - 1
            area += more * (charged & window).area()
            perimeter += more * (charged.edges() & window).length()
            gate += more * (collectors[0] & window).area()
            diffusion += more * (collectors[1] & window).area()
        return area, perimeter, gate, diffusion

    def _repeats(self, parts: list[kdb.Region], strip: Strip) -> bool:
        """Return True if every period of a cut holds the same of a net.

        So it is if all that the net has in the strip is joined, near the strip, to a
        conductor of the net that runs straight through it: what is near is periodic.
        """
        if strip not in self._near:
            self._near[strip] = self._nearby(strip)
        near = self._near[strip]
        inside = [part & kdb.Region(strip.window(part.bbox())) for part in parts]
        for layer, part in zip(near.layers.values(), parts, strict=True):
            for polygon in strip.straight(part).each_merged():
                net = near.l2n.probe_net(layer, polygon.bbox().center())
                if net is None:
                    return False
                inside = [
                    left - near.l2n.shapes_of_net(net, own, True)
                    for left, own in zip(inside, near.layers.values(), strict=True)
                ]
        return all(region.is_empty() for region in inside)

    def _nearby(self, strip: Strip) -> AntennaLevel:
        """Return the same level of what lies around a strip only."""

        def drawn(name: str) -> kdb.Region:
            region = self._drawn[name]
            return region & kdb.Region(strip.surroundings(region.bbox()))

        clipped = {name: drawn(name) for name in self._drawn}
        return self._of_regions(self._dbu(), clipped, self.level, self.order)
