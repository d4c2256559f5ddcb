"""Capacitance of nets to ground, to each other and to gates, first order.

* Plates: every part of a net sees the first conductor below it (whatever lies behind is
  shielded), through the films between them. The silicon is ground.
* Fringes of a line's edges go to what lies below a band beside it, as wide as the line is high
  over what it sees, at most `REACH_UM`: they pass by a line of its own width right below.
* What the nets above see of a net counts for both alike.
* Side walls couple to the nearest other nets on the same conductor within `REACH_UM`, and
  take from the fringe what they carry away.
* Gates count with the transistor's measured gate capacitance, when it conducts.

Left out: junctions of source and drain, and the sides of contacts and vias.
"""

from __future__ import annotations

from collections.abc import Iterable

import klayout.db as db

from ...lvs import ExtractedLayout, FlatNet
from ...pdk import Tech
from ..nets.naming import memristor_places, net_names
from ..nets.report import Progress
from .dielectric import EPSILON_0_F_UM, Dielectrics, fringe_f_um, fringe_left, side_f_um
from .netcap import GROUND, NetCapacitance, chosen_nets, gates_f

#: side walls farther apart than this do not couple, and fringes go down no farther beside a line
REACH_UM = 3.0


def formula_capacitance(
    layout: ExtractedLayout, tech: Tech, nets: Iterable[str] | None, progress: Progress | None
) -> dict[str, NetCapacitance]:
    """Return the capacitance of nets by net name; see `capacitance.net_capacitance`."""
    space = _Space(layout, tech)
    chosen = chosen_nets(layout, space.names, nets)
    result = {}
    for done, net in enumerate(chosen):
        if progress:
            progress("capacitance", done, len(chosen))
        found = space.capacitance(net)
        result[found.name] = found
    return result


class _Space:
    """All nets of a layout, flat, each shape with the number of its net."""

    def __init__(self, layout: ExtractedLayout, tech: Tech) -> None:
        self.layout, self.tech, self.dbu = layout, tech, layout.dbu
        self.stack = Dielectrics.of(tech)
        places, _ = memristor_places(layout.flat)
        self.names = net_names(layout.flat, places)
        self.flat = db.Layout()
        self.cell = self.flat.create_cell("NETS")
        self.layer = {name: self.flat.layer(k + 1, 0) for k, name in enumerate(self.stack.spans)}
        self.shapes: dict[int, dict[str, db.Region]] = {}
        self._number: dict[int, int] = {}
        self._down: dict[tuple[int, str], dict[str, float]] = {}
        self._profiles: dict[tuple[int, str], tuple[float, float, float, float]] = {}
        self._faces: dict[tuple[int, str], list[tuple[int, float, float]]] = {}
        self._seen: set[tuple[int, str, int]] = set()
        for net in layout.flat.nets:
            self._insert(net)

    def _insert(self, net: FlatNet) -> None:
        regions = self.layout.net_shapes(net)
        mine = {k: regions[k].merged() for k in self.layer if k in regions}
        properties = self.flat.properties_id({0: net.number})
        self._number[properties] = net.number
        self.shapes[net.number] = mine
        for name, region in mine.items():
            target = self.cell.shapes(self.layer[name])
            for polygon in region.each():
                target.insert(polygon, properties)

    def capacitance(self, net: FlatNet) -> NetCapacitance:
        """Return the capacitance of one net."""
        result = NetCapacitance(self.names[net.number])
        order = list(self.stack.spans)
        for name, region in self.shapes[net.number].items():
            for other, value in self._below(net.number, name).items():
                result.add(other, value)
            # what lies above counts as it counts for the net above, so that C is symmetric
            for layer in order[order.index(name) + 1 :]:
                for number in self._nets_near(layer, region):
                    if number != net.number and (number, layer, net.number) not in self._seen:
                        self._seen.add((number, layer, net.number))
                        value = self._below(number, layer).get(result.name, 0.0)
                        result.add(self.names[number], value)
            self._sides(net.number, name, result)
        self._seen.clear()
        result.gate_f = gates_f(self.layout, self.tech, net)
        return result

    def _channels(self, net: FlatNet) -> db.Region:
        """Return the channels of the transistors whose gate is on a net."""
        flat, channels = self.layout.flat, db.Region()
        for number, position in flat.terminals[net.number]:
            device = flat.devices[number]
            if not device.kind.is_memristor and position == 1:
                channels += flat.terminal_shapes(device)["G"]
        return channels

    def _below(self, own: int, name: str) -> dict[str, float]:
        """Return plates and fringes of one conductor of a net to what lies below, by net."""
        known = self._down.get((own, name))
        if known is not None:
            return known
        region = self.shapes[own][name]
        if name == self.layout.tech.roles.layer("poly"):  # over the channel it is gate capacitance
            region = region - self._channels(self.layout.flat.nets[own])
        found = self._plates(own, name, region)
        whole = sum(found.values())
        if whole > 0:
            under = min(self._profile(name, region, whole)[2], self._reach(name))
            band = region.sized(max(1, round(under / self.dbu))) - region
            beside = self._plates(own, name, band)
            seen = sum(beside.values())
            height = self._profile(name, band, seen)[2]
            width, thickness, _, k = self._profile(name, region, whole)
            self._profiles[own, name] = (width, thickness, height, k)
            edges = region.perimeter() * self.dbu
            for _, facing, gap in self._facing(own, name):
                edges -= facing * (1.0 - fringe_left(height, gap))
            fringe = fringe_f_um(k, width, thickness, height) / 2 * max(edges, 0.0)
            for other, value in beside.items():
                found[other] = found.get(other, 0.0) + fringe * value / seen
        self._down[own, name] = found
        return found

    def _profile(
        self, name: str, region: db.Region, plates_f: float
    ) -> tuple[float, float, float, float]:
        """Return width, thickness and height over an equal plane in um, and permittivity."""
        bottom, top = self.stack.spans[name]
        k = self.stack.side_k(name)
        area, length = region.area() * self.dbu**2, region.perimeter() * self.dbu / 2
        return area / length, top - bottom, k * EPSILON_0_F_UM * area / plates_f, k

    def _plates(self, own: int, name: str, region: db.Region) -> dict[str, float]:
        """Return the plate capacitance of a region to what it sees below, by net."""
        found: dict[str, float] = {}
        order = list(self.stack.spans)
        left, bottom = region.dup(), self.stack.spans[name][0]
        for other in order[: order.index(name)][::-1]:
            if left.is_empty():
                break
            top = self.stack.spans[other][1]
            per_area = self.stack.plate_f_um2(top, bottom)
            seen = db.Region()
            for number, shape in self._near(other, left, 0):
                common = left & shape
                if common.is_empty():
                    continue
                seen += common
                if number != own:
                    value = common.area() * self.dbu**2 * per_area
                    found[self.names[number]] = found.get(self.names[number], 0.0) + value
            left -= seen
        area = left.area() * self.dbu**2
        found[GROUND] = area * self.stack.plate_f_um2(0.0, bottom)
        return found

    def _near(self, layer: str, region: db.Region, reach: int) -> list[tuple[int, db.Region]]:
        """Return the shapes of a conductor near a region, one region per net."""
        by_net: dict[int, db.Region] = {}
        taken: set[tuple[int, int, int, int]] = set()
        for polygon in region.each():
            box = polygon.bbox().enlarged(reach, reach)
            for shape in self.cell.shapes(self.layer[layer]).each_touching(box):
                at = shape.bbox()
                key = (at.left, at.bottom, at.right, at.top)
                if key in taken:
                    continue
                taken.add(key)
                number = self._number[shape.prop_id]
                by_net.setdefault(number, db.Region()).insert(shape.polygon)
        return list(by_net.items())

    def _nets_near(self, layer: str, region: db.Region) -> set[int]:
        """Return the nets with a shape of a conductor whose fringes may reach down to a region."""
        reach = round(self._reach(layer) / self.dbu)
        return {
            self._number[shape.prop_id]
            for polygon in region.each()
            for shape in self.cell.shapes(self.layer[layer]).each_touching(
                polygon.bbox().enlarged(reach, reach)
            )
        }

    def _reach(self, name: str) -> float:
        """Return how far beside a conductor its fringes may go down, in um."""
        return min(self.stack.spans[name][0], REACH_UM)

    def _facing(self, own: int, name: str) -> list[tuple[int, float, float]]:
        """Return (net, common length, distance) in um of the nearest neighbours at each edge."""
        known = self._faces.get((own, name))
        if known is not None:
            return known
        reach = round(REACH_UM / self.dbu)
        region, others = self.shapes[own][name], db.Region()
        for number, shape in self._near(name, region, reach):
            if number != own:
                others += shape
        found = []
        pairs = region.separation_check(others, reach, metrics=db.Region.Projection)
        for pair in pairs.each():
            other = self._owner(name, pair.second)
            if other is not None:
                facing = min(pair.first.length(), pair.second.length()) * self.dbu
                found.append((other, facing, max(pair.distance(), 1) * self.dbu))
        self._faces[own, name] = found
        return found

    def _owner(self, name: str, edge: db.Edge) -> int | None:
        """Return the net whose shape has an edge."""
        x, y = (edge.x1 + edge.x2) // 2, (edge.y1 + edge.y2) // 2
        for shape in self.cell.shapes(self.layer[name]).each_touching(db.Box(x, y, x, y)):
            if shape.polygon.inside(db.Point(x, y)):
                return self._number[shape.prop_id]
        return None

    def _sides(self, own: int, name: str, result: NetCapacitance) -> None:
        """Add the side walls of one conductor of a net."""
        mine = self._line(own, name)
        for number, facing, gap in self._facing(own, name):
            theirs = self._line(number, name)
            if number == own or mine is None or theirs is None:
                continue
            # the formula is for equal lines: unequal ones couple as their mean
            per_um = sum(side_f_um(k, w, t, h, gap) for w, t, h, k in (mine, theirs)) / 2
            result.add(self.names[number], per_um * facing)

    def _line(self, own: int, name: str) -> tuple[float, float, float, float] | None:
        """Return the profile of one conductor of a net, None if it lies over nothing."""
        self._below(own, name)
        return self._profiles.get((own, name))
