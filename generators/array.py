"""Arrays: one unit cell as an instance array, edge cells around it, labelled pins.

Rows count from the south, columns from the west. Row lines leave in the west, select lines
in the north, columns (and VSS) in the south.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from ..cells.drawing import Cell, Label, Placement, Port, Rect, Subcircuit, label_at
from ..cells.ends import BUS, MARGIN, Geometry, column_end, column_top, passive_row_end, row_end
from ..cells.hybrid import HybridGeometry, HybridParameters, hybrid_cell, planar_cell
from ..cells.passive import PassiveGeometry, PassiveParameters, passive_cell
from ..pdk import Tech
from .netlist import Instance, spice_lines
from .spec import ArraySpec


@dataclass(frozen=True)
class Array:
    """A generated array: its spec, its drawing and its reference netlist.

    Attributes:
        spec: what was asked for.
        cell: the top cell.
        unit: the unit cell.
        pins: pins at the edges, in the top cell's coordinates (dbu).
    """

    spec: ArraySpec
    cell: Cell
    unit: Cell
    pins: tuple[Port, ...]

    @cached_property
    def tech(self) -> Tech:
        """Technology of the array."""
        return self.spec.tech()

    def netlist_lines(self) -> Iterator[str]:
        """Yield the reference netlist in SPICE."""
        assert self.unit.netlist is not None
        top = Subcircuit(self.cell.name, tuple(p.name for p in self.pins), ())
        return spice_lines(self.cell.name, self.tech, [self.unit.netlist], top, self._instances())

    def _instances(self) -> Iterator[Instance]:
        assert self.unit.netlist is not None
        pins = self.unit.netlist.pins
        for i in range(self.spec.rows):
            for j in range(self.spec.cols):
                nets = tuple(
                    p if p == "VSS" else f"{p}[{i if p in ('TR', 'BR') else j}]" for p in pins
                )
                yield Instance(f"{i}_{j}", self.unit.name, nets)


def build_array(spec: ArraySpec) -> Array:
    """Draw an array.

    Raises:
        ParameterError: for a size or pitch that the rules do not allow.
    """
    tech = spec.tech()
    g, unit = _unit(spec, tech)
    hybrid = isinstance(g, HybridGeometry)
    top = len(spec.tiers) == 2
    selects = (("BS", "TS") if top else ("BS",)) if hybrid else ()
    west = row_end(g, top) if isinstance(g, HybridGeometry) else passive_row_end(g)
    south, north = column_end(g, hybrid), column_top(g, selects)
    x0, y0 = west.width, south.height
    width = x0 + spec.cols * g.pitch_x + MARGIN
    height = y0 + spec.rows * g.pitch_y + north.height
    y_top = y0 + spec.rows * g.pitch_y
    placements = (
        Placement(unit, x0, y0, spec.cols, spec.rows, g.pitch_x, g.pitch_y),
        Placement(west, 0, y0, 1, spec.rows, 0, g.pitch_y),
        Placement(south, x0, 0, spec.cols, 1, g.pitch_x, 0),
        Placement(north, x0, y_top, spec.cols, 1, g.pitch_x, 0),
    )
    pins = _pins(spec, placements)
    rects = [Rect("PR_bndry", 0, 0, width, height), Rect("POSTPROC", 0, 0, width, height)]
    if hybrid:
        rects.append(Rect("Metal1", 0, 0, x0, BUS))
        pins.append(Port("VSS", "Metal1", 0, BUS // 2, BUS, 180))
    cell = Cell(
        spec.top_name,
        rects=tuple(rects),
        labels=tuple(_label(p) for p in pins),
        ports=tuple(pins),
        placements=placements,
        width=width,
        height=height,
        info=unit.info,
    )
    return Array(spec, cell, unit, tuple(pins))


def _unit(spec: ArraySpec, tech: Tech) -> tuple[Geometry, Cell]:
    side = spec.device_side_um()
    if spec.cell == "passive":
        p = PassiveParameters(side, spec.pitch_x_um, spec.pitch_y_um)
        return PassiveGeometry(tech, p), passive_cell(tech, p)
    h = HybridParameters(
        spec.select_w_um,
        device_um=side,
        pitch_x_um=spec.pitch_x_um,
        pitch_y_um=spec.pitch_y_um,
    )
    return HybridGeometry(tech, h), (hybrid_cell if spec.cell == "hybrid" else planar_cell)(tech, h)


def _label(port: Port) -> Label:
    """Label a pin; TR and BR lie above each other, so their texts go to different heights."""
    label = label_at(port)
    shift = {"TR": port.width // 4, "BR": -port.width // 4}.get(port.name.split("[")[0], 0)
    return replace(label, y=label.y + shift)


def _pins(spec: ArraySpec, placements: tuple[Placement, ...]) -> list[Port]:
    """Return one pin per line: the edge cells' ports, numbered along their side."""
    _, west, south, north = placements
    order = {"TR": 0, "BR": 1, "C": 2, "TS": 3, "BS": 4}
    pins: list[Port] = []
    for place, count in ((west, spec.rows), (south, spec.cols), (north, spec.cols)):
        for port in place.cell.ports:
            if port.name not in order:
                continue
            for k in range(count):
                x, y = place.x + port.x + k * place.dx, place.y + port.y + k * place.dy
                name = f"{port.name}[{k}]"
                pins.append(Port(name, port.layer, x, y, port.width, port.orientation))
    pins.sort(key=lambda p: order[p.name.split("[")[0]])
    return pins
