"""Arrays: one unit cell as an instance array, edge cells around it, labelled pins.

Rows count from the south, columns from the west. Row lines leave in the west, or in the west and in
the east, select lines in the north, columns (and VSS) in the south.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from ..cells.drawing import Cell, Label, Placement, Port, Rect, Subcircuit, boundaries, label_at
from ..cells.ends import BUS, MARGIN, column_end, column_top, row_end, row_end_east
from ..cells.registry import draw_unit
from ..cells.rules import RuleBook
from ..cells.unit import Unit
from ..pdk import Tech
from .netlist import Instance, spice_lines
from .spec import ArraySpec


@dataclass(frozen=True)
class Array:
    """A generated layout: its spec, its drawing and its reference netlist.

    Attributes:
        spec: what was asked for.
        cell: the top cell.
        unit: the unit cell of the array.
        pins: pins at the edges, in the top cell's coordinates (dbu).
        subcircuits: reference netlists of the cells below the top.
        instances: their calls in the top cell.
        chain: nets that a scan chain on board drives, in its order from its input on.
        decoded: nets that a decoder on board drives.
    """

    spec: ArraySpec
    cell: Cell
    unit: Cell
    pins: tuple[Port, ...]
    subcircuits: tuple[Subcircuit, ...]
    instances: Callable[[], Iterator[Instance]]
    chain: tuple[str, ...] = ()
    decoded: tuple[str, ...] = ()

    @cached_property
    def tech(self) -> Tech:
        """Technology of the array."""
        return self.spec.tech()

    def netlist_lines(self) -> Iterator[str]:
        """Yield the reference netlist in SPICE."""
        pins = dict.fromkeys(p.name for p in self.pins)
        top = Subcircuit(self.cell.name, tuple(pins), ())
        return spice_lines(self.cell.name, self.tech, self.subcircuits, top, self.instances())


@dataclass(frozen=True)
class Core:
    """The array proper with its line ends, without a place: what tops are built around.

    Attributes:
        unit: the unit cell, with what it tells about its lines.
        west, south, north: line ends.
    """

    unit: Unit
    west: Cell
    south: Cell
    north: Cell

    def placements(self, spec: ArraySpec, x0: int, y0: int) -> tuple[Placement, ...]:
        """Return unit cells, west, south and north ends with the array's corner at (x0, y0)."""
        dx, dy = self.unit.cell.width, self.unit.cell.height
        y_top = y0 + spec.rows * dy
        return (
            Placement(self.unit.cell, x0, y0, spec.cols, spec.rows, dx, dy),
            Placement(self.west, x0 - self.west.width, y0, 1, spec.rows, 0, dy),
            Placement(self.south, x0, y0 - self.south.height, spec.cols, 1, dx, 0),
            Placement(self.north, x0, y_top, spec.cols, 1, dx, 0),
        )


def build_core(spec: ArraySpec, tech: Tech) -> Core:
    """Draw the unit cell and the line ends of a spec.

    Raises:
        ParameterError: for a size or pitch that the rules do not allow.
    """
    unit, rules = draw_unit(spec.cell, tech, **spec.cell_values()), RuleBook(tech)
    west = row_end(unit, rules)
    return Core(unit, west, column_end(unit, west, rules), column_top(unit, rules))


def cell_instances(spec: ArraySpec, unit: Cell) -> Iterator[Instance]:
    """Yield the calls of the unit cell, row after row."""
    assert unit.netlist is not None
    pins = unit.netlist.pins
    for i in range(spec.rows):
        for j in range(spec.cols):
            nets = tuple(p if p == "VSS" else f"{p}[{i if p in ('TR', 'BR') else j}]" for p in pins)
            yield Instance(f"{i}_{j}", unit.name, nets)


def numbered_ports(place: Placement, nets: tuple[str, ...]) -> Iterator[Port]:
    """Yield one port per repeat of an edge cell, numbered along its side."""
    for port in place.cell.ports:
        if port.name not in nets:
            continue
        dx, side = port.x, port.orientation
        if place.mirror_x:
            dx, side = -dx, (180 - side) % 360
        for k in range(max(place.nx, place.ny)):
            x, y = place.x + dx + k * place.dx, place.y + port.y + k * place.dy
            yield replace(port, name=f"{port.name}[{k}]", x=x, y=y, orientation=side)


def frame(tech: Tech, width: int, height: int) -> list[Rect]:
    """Return what frames a top cell: boundary, post-process area, and its transistors' mark.

    The mark of a whole is one, where those of its cells would come too near to each other.
    """
    marks = [tech.roles.layer("device_mark")] if "device_mark" in tech.roles.names else []
    return [Rect(layer, 0, 0, width, height) for layer in (*boundaries(tech), *marks)]


def build_array(spec: ArraySpec) -> Array:
    """Draw the bare array: lines end in labelled pins at the edges.

    Raises:
        ParameterError: for a size or pitch that the rules do not allow.
    """
    tech = spec.tech()
    core, rules = build_core(spec, tech), RuleBook(tech)
    x0, y0 = core.west.width, core.south.height
    placements = core.placements(spec, x0, y0)
    _, west, south, north = placements
    x1 = x0 + spec.cols * core.unit.cell.width
    width = x1 + MARGIN
    height = y0 + spec.rows * core.unit.cell.height + core.north.height
    pins = [*numbered_ports(west, ("TR",)), *numbered_ports(west, ("BR",))]
    if spec.row_ends == "both":
        end = row_end_east(core.unit, rules)
        east = Placement(end, x1, y0, 1, spec.rows, 0, core.unit.cell.height)
        placements, width = (*placements, east), x1 + end.width
        pins += [*numbered_ports(east, ("TR",)), *numbered_ports(east, ("BR",))]
    pins += numbered_ports(south, ("C",))
    for net in reversed(core.unit.selects):
        pins += numbered_ports(north, (net,))
    rects = frame(tech, width, height)
    if core.unit.has_substrate:
        rects.append(Rect(rules.layer("local"), 0, 0, x0, BUS))
        pins.append(Port("VSS", rules.layer("local"), 0, BUS // 2, BUS, 180))
    cell = Cell(
        spec.top_name,
        rects=tuple(rects),
        labels=tuple(_label(p) for p in pins),
        ports=tuple(pins),
        placements=placements,
        width=width,
        height=height,
        info=core.unit.cell.info,
    )
    unit = core.unit.cell
    assert unit.netlist is not None
    return Array(spec, cell, unit, tuple(pins), (unit.netlist,), lambda: cell_instances(spec, unit))


def _label(port: Port) -> Label:
    """Label a pin; TR and BR lie above each other, so their texts go to different heights."""
    label = label_at(port)
    shift = {"TR": port.width // 4, "BR": -port.width // 4}.get(port.name.split("[")[0], 0)
    return replace(label, y=label.y + shift)
