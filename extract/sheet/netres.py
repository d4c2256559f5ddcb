"""The shapes of one net -> resistors between its terminals and pins, in ohm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NoReturn

import klayout.db as db

from ...base.errors import NetworkError
from ...pdk import ParameterError
from ...solve.network.network import PARTINGS
from .columns import Collected
from .field import SheetPort
from .lumps import lumped
from .rates import Rates
from .shapes import NetShapes, Pin, place
from .tidy import NetResistors, Resistor, tidy
from .wire import WireSolver

#: places whose own resistance is inside the device: one node each
_EQUIPOTENTIAL = frozenset({"nsd", "psd", "ptap", "ntap"})
Bounds = tuple[int, int, int, int]


@dataclass
class _Sheet:
    """One polygon, as drawn and as made, and what sits on it."""

    layer: str
    drawn: db.Polygon
    polygon: db.Polygon
    ports: list[SheetPort] = field(default_factory=list)
    sinks: list[Callable[[int], None]] = field(default_factory=list)


@dataclass
class _CutEnds:
    """Nodes of a cut; a cut with one end missing leads nowhere."""

    name: str
    area_um2: float
    nodes: dict[str, int] = field(default_factory=dict)


class NetSolver:
    """Solves nets one after the other; equal shapes are solved once.

    Attributes:
        distinct: number of nets so far that were no copies of others.
    """

    def __init__(self, rates: Rates, dbu_um: float) -> None:
        """Create a solver for layouts in `dbu_um`."""
        self.rates, self.dbu_um = rates, dbu_um
        self.wires = WireSolver()
        self.distinct = 0
        self._known: dict[tuple[object, ...], tuple[NetShapes, NetResistors]] = {}

    def solve(self, net: NetShapes) -> NetResistors:
        """Return the resistors of a net; a shifted copy of a net solved before costs little."""
        key = net.shape_key()
        if key in self._known:
            first, found = self._known[key]
            pairs = zip(first.pins, net.pins, strict=True)
            renamed = {new.name: found.pin_node[old.name] for old, new in pairs}
            pairs_t = zip(first.terminals, net.terminals, strict=True)
            moved = {new.key: found.terminal_node[old.key] for old, new in pairs_t}
            return replace(found, name=net.name, pin_node=renamed, terminal_node=moved)
        self.distinct += 1
        result = _NetAssembly(self, net).run()
        if not result.warnings:  # a warning names its own net
            self._known[key] = (net, result)
        return result


class _NetAssembly:
    def __init__(self, owner: NetSolver, net: NetShapes) -> None:
        self.owner, self.net = owner, net
        self.result = NetResistors(net.name)
        self.raw = Collected()
        #: which of them are the grids of pieces with many ports, or close joints
        self.grids: list[range] = []
        #: node of a pin's second place
        self.joined: dict[str, int] = {}
        self.cuts: list[_CutEnds] = []
        #: layer -> how many of its pieces have cuts that are told apart
        self.pieces: dict[str, int] = {}
        self.sheets: dict[str, list[_Sheet]] = {
            layer: [_Sheet(layer, p, self._biased(layer, p)) for p in polygons]
            for layer, polygons in net.conductors.items()
        }
        self.finders = {layer: _Finder(sheets) for layer, sheets in self.sheets.items()}

    def run(self) -> NetResistors:
        self._place_cuts()
        self._place_terminals()
        for pin in self.net.pins:
            self._place_pin(pin)
        for sheets in self.sheets.values():
            for sheet in sheets:
                self._solve_sheet(sheet)
        self._join_cuts()
        for name, node in self.joined.items():
            self.raw.add(Resistor(self.result.pin_node[name], node, 0.0, "pin"))
        keep = {*self.result.terminal_node.values(), *self.result.pin_node.values()}
        count, raw = self.result.n_nodes, self.raw.columns()
        if self.net.on_pad:
            count, resistors = lumped(count, raw, self.grids, keep)
        else:
            resistors = raw.resistors()
        new, count, resistors = tidy(count, resistors, keep)
        self.result.n_nodes, self.result.resistors = count, resistors
        self.result.terminal_node = {k: new[n] for k, n in self.result.terminal_node.items()}
        self.result.pin_node = {k: new[n] for k, n in self.result.pin_node.items()}
        return self.result

    def _biased(self, layer: str, polygon: db.Polygon) -> db.Polygon:
        bias = self._bias(layer)
        if not bias:
            return polygon
        made = list(db.Region(polygon).sized(bias, 2).merged().each())
        if len(made) != 1:
            where = place(polygon.bbox(), self.owner.dbu_um)
            how = f"falls into {len(made)} pieces" if made else "vanishes"
            self._refuse(layer, f"its {layer} {where} {how}")
        return made[0]

    def _bias(self, layer: str) -> int:
        """Return the growth of a conductor per edge in dbu."""
        return round(self.owner.rates.conditions.size_bias_um.get(layer, 0.0) / self.owner.dbu_um)

    def _refuse(self, layer: str, why: str) -> NoReturn:
        raise ParameterError(
            f"size_bias_um.{layer}",
            self.owner.rates.conditions.size_bias_um[layer],
            f"a bias at which net {self.net.name} stays whole; {why}",
        )

    def _place_cuts(self) -> None:
        dbu, used = self.owner.dbu_um, self._used_silicon()
        found = []
        for name, boxes in self.net.cuts.items():
            ends = self.owner.rates.cut_ends[name]
            for box in boxes:
                bounds = (box.left, box.bottom, box.right, box.top)
                found.append((name, bounds, {end: self._sheet(end, bounds) for end in ends}))
        blind = self._blind([sheets for _, _, sheets in found], used)
        for name, bounds, sheets in found:
            if any(id(sheet) in blind for sheet in sheets.values()):
                continue
            x1, y1, x2, y2 = bounds
            cut = _CutEnds(name, (x2 - x1) * (y2 - y1) * dbu * dbu)
            self.cuts.append(cut)
            for layer, sheet in sheets.items():
                self._attach(sheet, bounds, partial(cut.nodes.__setitem__, layer), name)

    def _used_silicon(self) -> set[int]:
        """Return which sheets of silicon a device stands on."""
        silicon = (t for t in self.net.terminals if t.layer in _EQUIPOTENTIAL)
        return {id(self._sheet(t.layer, t.box)) for t in silicon}

    @staticmethod
    def _blind(cuts: list[dict[str, _Sheet | None]], used: set[int]) -> set[int]:
        """Return sheets of silicon that lead back only to the metal that they hang on: diodes.

        No current of the net runs through them; a hundred contacts would only make it a mesh.
        """
        metals: dict[int, set[int]] = {}
        for sheets in cuts:
            ends = [sheet for sheet in sheets.values() if sheet is not None]
            for sheet in ends:
                if sheet.layer in _EQUIPOTENTIAL and id(sheet) not in used:
                    others = metals.setdefault(id(sheet), set())
                    others |= {id(other) for other in ends if other is not sheet}
        return {sheet for sheet, others in metals.items() if len(others) == 1}

    def _place_terminals(self) -> None:
        for terminal in self.net.terminals:
            sink = partial(self.result.terminal_node.__setitem__, terminal.key)
            sheet = self._sheet(terminal.layer, terminal.box)
            if not self._attach(sheet, terminal.box, sink, "device"):
                self.result.warnings.append(
                    f"net {self.net.name}: terminal {terminal.key} touches no {terminal.layer}"
                )

    def _sheet(self, layer: str, box: Bounds) -> _Sheet | None:
        """Return the first polygon of `layer` that the box overlaps or touches."""
        finder = self.finders.get(layer)
        sheet = finder.find(box) if finder else None
        return self._any_silicon(box) if sheet is None and layer in _EQUIPOTENTIAL else sheet

    def _attach(
        self, sheet: _Sheet | None, box: Bounds, sink: Callable[[int], None], what: str
    ) -> bool:
        """Put a patch on a polygon; False without one."""
        if sheet is None:
            return False
        if self._bias(sheet.layer) < 0 and not _overlap(sheet.polygon, box):
            where = place(db.Box(*box), self.owner.dbu_um)
            self._refuse(sheet.layer, f"no {sheet.layer} is left at its {what} {where}")
        sheet.ports.append(SheetPort(box))
        sheet.sinks.append(sink)
        return True

    def _any_silicon(self, box: Bounds) -> _Sheet | None:
        """Taps share the contacts of their diffusion type."""
        for layer in sorted(_EQUIPOTENTIAL & set(self.finders)):
            sheet = self.finders[layer].find(box)
            if sheet is not None:
                return sheet
        return None

    def _place_pin(self, pin: Pin) -> None:
        finder = self.finders.get(pin.layer)
        sheet = finder.find((pin.x, pin.y, pin.x, pin.y)) if finder else None
        if sheet is None:
            self.result.warnings.append(f"pin {pin.name} touches no {pin.layer} of its net")
            return
        if pin.name in self.result.pin_node and not pin.joined:
            return
        places = self.joined if pin.joined else self.result.pin_node
        places[pin.name] = -1
        x, y = self._on_metal(sheet, pin)
        sheet.ports.append(SheetPort(_cross_section(sheet.polygon, x, y)))
        sheet.sinks.append(partial(places.__setitem__, pin.name))

    def _on_metal(self, sheet: _Sheet, pin: Pin) -> tuple[int, int]:
        """Return a pin's place; a size bias may have drawn the line's end back from under it."""
        bias = self._bias(sheet.layer)
        if bias >= 0:
            return pin.x, pin.y
        reach = 1 - bias  # an area, not a line, where the metal's end lies just there
        near = db.Region(db.Box(pin.x - reach, pin.y - reach, pin.x + reach, pin.y + reach))
        left = [p.bbox() for p in (db.Region(sheet.polygon) & near).decompose_trapezoids()]
        if not left:
            where = place(db.Box(pin.x, pin.y, pin.x, pin.y), self.owner.dbu_um)
            self._refuse(sheet.layer, f"no {sheet.layer} is left at its label {pin.name} {where}")
        spots = [(min(max(pin.x, b.left), b.right), min(max(pin.y, b.bottom), b.top)) for b in left]
        return min(spots, key=lambda at: abs(at[0] - pin.x) + abs(at[1] - pin.y))

    def _solve_sheet(self, sheet: _Sheet) -> None:
        if not sheet.ports:
            return
        base = self.result.n_nodes
        if sheet.layer in _EQUIPOTENTIAL:
            self.result.n_nodes += 1
            for sink in sheet.sinks:
                sink(base)
            return
        # in the order of their places: a shape is known again whatever order its vias came in
        order = sorted(range(len(sheet.ports)), key=lambda k: sheet.ports[k].box)
        wire = self.owner.wires.solve(sheet.polygon, [sheet.ports[k] for k in order])
        if not wire.is_whole:
            where = place(sheet.polygon.bbox(), self.owner.dbu_um)
            raise NetworkError(
                f"net {self.net.name}: the field in its {sheet.layer} {where} does not join all "
                "that stands on it; its resistance is unknown"
            )
        self.result.n_nodes += wire.n_nodes
        ohm_sq, dbu = self.owner.rates.sheet_ohm_sq[sheet.layer], self.owner.dbu_um
        for node, k in zip(wire.port_node, order, strict=True):
            sheet.sinks[k](base + node)
        first = len(self.raw)
        self.grids += [range(first + g.start, first + g.stop) for g in wire.grids]
        pieces = self.pieces.get(sheet.layer, 0)
        self.raw.add_wire(wire.columns, base, sheet.layer, ohm_sq, dbu, pieces)
        last = int(wire.columns["parting"].max(initial=-1))
        self.pieces[sheet.layer] = pieces + last // PARTINGS + 1

    def _join_cuts(self) -> None:
        lost: dict[str, int] = {}
        for cut in self.cuts:
            if len(cut.nodes) < 2:
                lost[cut.name] = lost.get(cut.name, 0) + 1
                continue
            a, b = cut.nodes.values()
            ohm = self.owner.rates.cut_ohm_um2[cut.name] / cut.area_um2
            self.raw.add(Resistor(a, b, ohm, cut.name, cuts=1.0))
        self.result.warnings += [
            f"net {self.net.name}: {count} of {name} end in nothing" for name, count in lost.items()
        ]


class _Finder:
    """Finds the polygon at a place; a grid of buckets keeps it fast for thousands of them."""

    _CELL = 8_000

    def __init__(self, sheets: list[_Sheet]) -> None:
        self._large: list[_Sheet] = []
        self._buckets: dict[tuple[int, int], list[_Sheet]] = {}
        for sheet in sheets:
            box, size = sheet.drawn.bbox(), self._CELL
            if max(box.width(), box.height()) > 4 * size:
                self._large.append(sheet)
                continue
            for i in range(box.left // size, box.right // size + 1):
                for j in range(box.bottom // size, box.top // size + 1):
                    self._buckets.setdefault((i, j), []).append(sheet)

    def find(self, box: Bounds) -> _Sheet | None:
        """Return the polygon that overlaps a box most plainly, or touches it; None if none."""
        x, y = (box[0] + box[2]) // 2, (box[1] + box[3]) // 2
        near: list[_Sheet] = [
            *self._buckets.get((x // self._CELL, y // self._CELL), ()),
            *self._large,
        ]
        area = db.Box(*box)
        for sheet in near:
            if sheet.drawn.bbox().touches(area) and sheet.drawn.inside(db.Point(x, y)):
                return sheet
        for sheet in near:
            if sheet.drawn.bbox().touches(area) and sheet.drawn.touches(area):
                return sheet
        return None


def _overlap(polygon: db.Polygon, box: Bounds) -> bool:
    """True if a box and a polygon have an area in common."""
    area = db.Box(*box)
    if not polygon.bbox().overlaps(area):
        return False
    return not (db.Region(polygon) & db.Region(area)).is_empty()


def _across(slab: db.SimplePolygon, y: int, x: int) -> Bounds:
    """Return the cut along x through a trapezoid at height `y` that holds `x`."""
    b = slab.bbox()
    if not slab.is_box():
        line = db.Edges(db.Edge(b.left, y, b.right, y)) & db.Region(slab)
        held = [e.bbox() for e in line.each() if e.bbox().left <= x <= e.bbox().right]
        b = held[0] if held else b
    return (b.left, y, b.right, y)


def _cross_section(polygon: db.Polygon, x: int, y: int) -> Bounds:
    """Return the shorter of the two cuts through a polygon at a point."""
    best: Bounds | None = None
    for turned in (False, True):
        way = polygon.transformed(db.Trans.M45) if turned else polygon
        across, along = (y, x) if turned else (x, y)
        for slab in way.decompose_trapezoids(db.Polygon.TD_simple):
            b = slab.bbox()
            if not (b.left <= across <= b.right and b.bottom <= along <= b.top):
                continue
            cut = _across(slab, along, across)
            if best is None or b.width() < best[2] - best[0] + best[3] - best[1]:
                best = (cut[1], cut[0], cut[3], cut[2]) if turned else cut
    if best is None:  # only a rounding artefact of an angled edge can bring us here
        return (x, y, x + 1, y + 1)
    return best
