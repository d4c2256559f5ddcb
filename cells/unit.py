"""What an array needs to know of its unit cell: read off ports, shapes and netlist, checked once.

A unit cell is any `Cell` that keeps to this, whoever drew it:

* its box starts at (0, 0) and has `width` and `height`; cells abut on all four sides;
* row lines ``BR`` (the bottom row metal or electrode) and, if wanted, ``TR`` (the top ones)
  leave it in the west and in the east at one height; the column ``C`` (the middle electrode, or
  the only one above the bottom's), select lines ``BS``
  and ``TS`` (the select metal) and the substrate ``VSS`` (the local metal) in the south and in
  the north at one x;
* its reference netlist has these nets as pins, and every memristor ends on ``C``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..pdk import CrossStackError, Tech
from ..pdk.module import TIERS
from .drawing import Cell, Port, Rect

#: roles of the electrodes that rows end on, by tier, and that columns are made of
ROW_ELECTRODES, COLUMN_ELECTRODE = ("bottom_electrode", "top_electrode"), "middle_electrode"
#: pin -> conductors, by role, on which it may leave the cell
_ROWS = {"BR": ("bottom_row", ROW_ELECTRODES[0]), "TR": ("top_row", ROW_ELECTRODES[1])}
_COLUMNS = {"C": (COLUMN_ELECTRODE,), "BS": ("select",), "TS": ("select",), "VSS": ("local",)}
_TRANSISTORS = ("nfet", "pfet")


class UnitCellError(CrossStackError):
    """A cell that arrays cannot be made of; the message says what it lacks."""


@dataclass(frozen=True)
class Unit:
    """A checked unit cell.

    Attributes:
        cell: the drawing.
        tiers: tiers that hold a memristor, bottom first.
        rects: every rectangle of the drawing, those of cells placed in it included.
        land: the last metal of the base.
        electrodes: those that rows end on, bottom first.
    """

    cell: Cell
    tiers: tuple[str, ...]
    rects: tuple[Rect, ...]
    land: str
    electrodes: tuple[str, ...]

    def mirrored(self) -> Unit:
        """Return the cell seen from the north-east: what lies in the east lies in the west."""
        width, sides = self.cell.width, {0: 180, 180: 0}
        ports = tuple(
            replace(p, x=width - p.x, orientation=sides.get(p.orientation, p.orientation))
            for p in self.cell.ports
        )
        rects = tuple(replace(r, x1=width - r.x2, x2=width - r.x1) for r in self.rects)
        cell = replace(self.cell, rects=rects, ports=ports, placements=(), labels=())
        return replace(self, cell=cell, rects=rects)

    @property
    def rows(self) -> tuple[str, ...]:
        """Row lines that the cell has: BR, and TR where the tiers have one each."""
        return tuple(net for net in _ROWS if net in self._pins)

    @property
    def selects(self) -> tuple[str, ...]:
        """Select lines that the cell has."""
        return tuple(net for net in ("BS", "TS") if net in self._pins)

    @property
    def has_substrate(self) -> bool:
        """True if the cell has a substrate tap that the array must connect."""
        return "VSS" in self._pins

    @property
    def rows_are_electrodes(self) -> bool:
        """True if the electrodes themselves are the row lines, False if metals are."""
        return self.port("BR", 180).layer in self.electrodes

    @property
    def _pins(self) -> tuple[str, ...]:
        assert self.cell.netlist is not None
        return self.cell.netlist.pins

    def port(self, net: str, orientation: int) -> Port:
        """Return the port of a net on one side (degrees, as in `Port`)."""
        return next(p for p in self.cell.ports if (p.name, p.orientation) == (net, orientation))

    def row_span(self, net: str) -> tuple[int, int]:
        """Return lower and upper edge of a row line where it leaves in the west, in dbu."""
        port = self.port(net, 180)
        at_edge = [
            r for r in self.rects if r.layer == port.layer and r.x1 <= 0 and r.y1 <= port.y <= r.y2
        ]
        return min(r.y1 for r in at_edge), max(r.y2 for r in at_edge)

    @property
    def column_span(self) -> tuple[int, int]:
        """West and east edge of the column, in dbu."""
        port = self.port("C", 270)
        return port.x - port.width // 2, port.x + port.width // 2

    @property
    def strap_spans(self) -> tuple[tuple[int, int], ...]:
        """West and east edges of the lines in the last metal that pass below the column, in dbu."""
        x, height = self.port("C", 270).x, self.cell.height
        return tuple(
            (r.x1, r.x2)
            for r in self.rects
            if r.layer == self.land and r.x1 <= x <= r.x2 and r.y1 <= 0 and r.y2 >= height
        )

    @property
    def crossing_span(self) -> tuple[int, int]:
        """Lower and upper edge of what crosses the column, in dbu."""
        west, east = self.column_span
        over = [r for r in self.rects if r.layer in self.electrodes and r.x1 < east and r.x2 > west]
        return min(r.y1 for r in over), max(r.y2 for r in over)


def unit_of(cell: Cell, tech: Tech) -> Unit:
    """Check that arrays can be made of a cell.

    Raises:
        UnitCellError: naming the pin, port or device that does not fit.
    """
    if cell.netlist is None:
        raise UnitCellError(f"{cell.name} has no reference netlist")
    if cell.width <= 0 or cell.height <= 0:
        raise UnitCellError(f"{cell.name} has no width and height, in which it would be repeated")
    _check_pins(cell)
    tiers = _tiers(cell)
    for net in (*_ROWS, *_COLUMNS):
        if net in cell.netlist.pins:
            _check_ports(cell, net, tech)
    roles = tech.roles.names
    electrodes = tuple(roles[role] for role in ROW_ELECTRODES if role in roles)
    unit = Unit(cell, tiers, tuple(_flat(cell)), roles["land"], electrodes)
    _check_shapes(unit, roles[COLUMN_ELECTRODE])
    if len({unit.port(net, 180).layer in electrodes for net in unit.rows}) > 1:
        raise UnitCellError(f"{cell.name}: BR and TR must both be metals or both be electrodes")
    return unit


def _check_pins(cell: Cell) -> None:
    assert cell.netlist is not None
    pins = cell.netlist.pins
    known = [*_ROWS, *_COLUMNS]
    strange = [pin for pin in pins if pin not in known]
    if strange:
        raise UnitCellError(f"{cell.name} has a pin {strange[0]!r}; arrays know {', '.join(known)}")
    for pin in ("BR", "C"):
        if pin not in pins:
            raise UnitCellError(f"{cell.name} has no pin {pin!r}, which every array needs")
    switched = any(d.model in _TRANSISTORS for d in cell.netlist.devices)
    if switched and "VSS" not in pins:
        raise UnitCellError(f"{cell.name} has transistors but no pin 'VSS' for their substrate")


def _tiers(cell: Cell) -> tuple[str, ...]:
    assert cell.netlist is not None
    memristors = [d for d in cell.netlist.devices if d.model.startswith("memristor_")]
    for device in memristors:
        if device.nets[1] != "C":
            raise UnitCellError(
                f"{cell.name}: memristor {device.name} ends on {device.nets[1]!r}, not on 'C'"
            )
    count = [sum(d.model == f"memristor_{tier}" for d in memristors) for tier in TIERS]
    if count not in ([1, 0], [1, 1]):
        raise UnitCellError(
            f"{cell.name} has {count[0]} bottom and {count[1]} top memristors; "
            "arrays take one in the bottom tier and at most one in the top tier"
        )
    return TIERS[: sum(count)]


def _check_ports(cell: Cell, net: str, tech: Tech) -> None:
    """Check that a line leaves a cell where the neighbour's enters."""
    along_x = net in _ROWS
    roles = tech.roles.names
    layers = [roles[x] for x in (_ROWS[net] if along_x else _COLUMNS[net]) if x in roles]
    sides = {180: 0, 0: cell.width} if along_x else {270: 0, 90: cell.height}
    found = []
    for side, edge in sides.items():
        name = {180: "west", 0: "east", 270: "south", 90: "north"}[side]
        ports = [p for p in cell.ports if p.name == net and p.orientation == side]
        if len(ports) != 1:
            raise UnitCellError(f"{cell.name} has {len(ports)} ports {net!r} in the {name}, not 1")
        port = ports[0]
        if port.layer not in layers:
            raise UnitCellError(
                f"{cell.name}: {net!r} leaves in the {name} on {port.layer}, "
                f"allowed: {' or '.join(layers)}"
            )
        if (port.x if along_x else port.y) != edge:
            raise UnitCellError(f"{cell.name}: port {net!r} is not on the {name} edge")
        found.append((port.layer, port.y if along_x else port.x, port.width))
    if found[0] != found[1]:
        raise UnitCellError(f"{cell.name}: {net!r} leaves on two sides that would not meet")


def _check_shapes(unit: Unit, column: str) -> None:
    """Check that each line is drawn where its port says, and that the column is crossed."""
    for p in unit.cell.ports:
        at_port = (
            r.layer == p.layer and r.x1 <= p.x <= r.x2 and r.y1 <= p.y <= r.y2 for r in unit.rects
        )
        if not any(at_port):
            raise UnitCellError(f"{unit.cell.name} draws no {p.layer} at its port {p.name!r}")
    west, east = unit.column_span
    row = unit.electrodes[0]
    if not any(r.layer == row and r.x1 < east and r.x2 > west for r in unit.rects):
        raise UnitCellError(f"{unit.cell.name}: no {row} crosses the column's {column}")


def _flat(cell: Cell) -> Iterator[Rect]:
    """Yield the rectangles of a cell and of everything placed in it."""
    yield from cell.rects
    for p in cell.placements:
        for r in _flat(p.cell):
            x1, x2 = (-r.x2, -r.x1) if p.mirror_x else (r.x1, r.x2)
            for i in range(p.nx):
                for j in range(p.ny):
                    x, y = p.x + i * p.dx, p.y + j * p.dy
                    yield replace(r, x1=x1 + x, y1=r.y1 + y, x2=x2 + x, y2=r.y2 + y)
