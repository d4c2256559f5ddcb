"""What a cell is: a frozen value of shapes, labels, ports and placements in dbu.

Cells are plain data on purpose. They need neither an open layout nor a global registry, two
equal calls give equal values, and one writer (`to_layout`) turns them into GDS, KLayout
PCells or gdsfactory components.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import klayout.db as db

from ..pdk import CrossStackError, Tech

#: rules that cells are drawn by, and how many are named where they leave no room
_LENGTHS, _MOST_RULES = ("width", "space", "separation", "clear", "enclosure", "extension"), 3
#: of figures in um and um2: a thousandth of a dbu
_DIGITS = 6


@dataclass(frozen=True)
class Rect:
    """A rectangle on a named layer, in dbu."""

    layer: str
    x1: int
    y1: int
    x2: int
    y2: int

    def moved(self, dx: int, dy: int) -> Rect:
        """Return it at another place."""
        return Rect(self.layer, self.x1 + dx, self.y1 + dy, self.x2 + dx, self.y2 + dy)


@dataclass(frozen=True)
class Port:
    """A place where a net can be reached from outside, in dbu.

    Attributes:
        name: net name.
        layer: conductor.
        x, y: centre of the edge.
        width: length of the edge.
        orientation: outward direction in degrees (0 east, 90 north, 180 west, 270 south).
    """

    name: str
    layer: str
    x: int
    y: int
    width: int
    orientation: int


@dataclass(frozen=True)
class Label:
    """A text that names the conductor `layer`, in dbu; it goes to that conductor's label layer."""

    layer: str
    text: str
    x: int
    y: int


@dataclass(frozen=True)
class Placement:
    """A cell placed once or as a regular array, in dbu."""

    cell: Cell
    x: int
    y: int
    nx: int = 1
    ny: int = 1
    dx: int = 0
    dy: int = 0
    mirror_x: bool = False


@dataclass(frozen=True)
class Device:
    """One device of a reference netlist: its class, its nets in terminal order, its parameters."""

    name: str
    model: str
    nets: tuple[str, ...]
    parameters: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Subcircuit:
    """Reference netlist of a cell; instances of other cells are added by the generators."""

    name: str
    pins: tuple[str, ...]
    devices: tuple[Device, ...]


@dataclass(frozen=True)
class Cell:
    """A drawn cell.

    Attributes:
        name: cell name in the layout.
        rects, labels, ports, placements: contents.
        width, height: abutment box from (0, 0), in dbu.
        netlist: reference netlist, None for pieces of wiring without devices of their own.
        info: derived figures worth reporting (um, um2).
    """

    name: str
    rects: tuple[Rect, ...] = ()
    labels: tuple[Label, ...] = ()
    ports: tuple[Port, ...] = ()
    placements: tuple[Placement, ...] = ()
    width: int = 0
    height: int = 0
    netlist: Subcircuit | None = None
    info: dict[str, float] = field(default_factory=dict, compare=False, hash=False)

    def __post_init__(self) -> None:
        # products of dbu end in a long tail of digits
        figures = {key: round(value, _DIGITS) for key, value in self.info.items()}
        object.__setattr__(self, "info", figures)

    def port(self, name: str) -> Port:
        """Return a port by name."""
        return next(p for p in self.ports if p.name == name)


def label_at(port: Port) -> Label:
    """Return the label of a port, one grid step inside the edge so that it touches the shape."""
    inward = {0: (-5, 0), 90: (0, -5), 180: (5, 0), 270: (0, 5)}[port.orientation]
    return Label(port.layer, port.name, port.x + inward[0], port.y + inward[1])


def _longest(tech: Tech) -> Iterator[str]:
    """Yield in words the longest rules that cells are drawn by: a slip of one shows here."""
    roles = tech.roles
    drawn = {*roles.wires, *roles.vias, *roles.below_vias, *tech.module.electrodes}
    drawn |= {roles.layer(role) for role in ("contact", "poly", "diffusion", "tap")}
    found = [r for r in tech.rules if r.kind in _LENGTHS and drawn.issuperset(r.layers)]
    for rule in sorted(found, key=lambda rule: -rule.value)[:_MOST_RULES]:
        yield f"{rule.name}, {rule.kind} of {' and '.join(rule.layers)}, {rule.value:g} um"


class Canvas:
    """Collects shapes while a cell function draws; all lengths in dbu.

    A layer is given by role (`Roles`: ``diffusion``, ``select``, ``land``) or by its own name.

    Args:
        tech: the process.
    """

    def __init__(self, tech: Tech) -> None:
        self._tech, self._roles = tech, tech.roles.names
        self.rects: list[Rect] = []
        self.ports: list[Port] = []

    def rect(self, layer: str, x1: int, y1: int, x2: int, y2: int) -> None:
        """Add a rectangle; an empty one is drawn by rules that leave it no room."""
        if x2 <= x1 or y2 <= y1:
            name, unit = self._roles.get(layer, layer), self._tech.dbu_um
            raise CrossStackError(
                f"process {self._tech.process.name}: its rules leave no room for {name}, which "
                f"would be {(x2 - x1) * unit:g} x {(y2 - y1) * unit:g} um; the longest of them: "
                f"{'; '.join(_longest(self._tech))} (rules.csv)"
            )
        self.rects.append(Rect(self._roles.get(layer, layer), x1, y1, x2, y2))

    def box(self, layer: str, cx: int, cy: int, width: int, height: int | None = None) -> None:
        """Add a rectangle (or a square) by its centre."""
        w, h = width // 2, (width if height is None else height) // 2
        self.rect(layer, cx - w, cy - h, cx + w, cy + h)

    def port(self, name: str, layer: str, x: int, y: int, width: int, orientation: int) -> None:
        """Add a port."""
        self.ports.append(Port(name, self._roles.get(layer, layer), x, y, width, orientation))


def walk(cell: Cell) -> Iterator[Cell]:
    """Yield every distinct cell below `cell`, children before parents, `cell` last."""
    seen: set[int] = set()

    def visit(c: Cell) -> Iterator[Cell]:
        if id(c) in seen:
            return
        seen.add(id(c))
        for placement in c.placements:
            yield from visit(placement.cell)
        yield c

    yield from visit(cell)


def to_layout(cell: Cell, tech: Tech) -> db.Layout:
    """Return a KLayout layout with `cell` as its one top cell; arrays stay arrays.

    Raises:
        CrossStackError: if two different cells carry the same name.
    """
    layout = db.Layout()
    layout.dbu = tech.dbu_um
    made: dict[int, db.Cell] = {}
    names: set[str] = set()
    for c in walk(cell):
        if c.name in names:
            raise CrossStackError(f"two different cells are named {c.name!r}")
        names.add(c.name)
        made[id(c)] = _write_cell(layout, c, tech, made)
    return layout


def _write_cell(layout: db.Layout, c: Cell, tech: Tech, made: dict[int, db.Cell]) -> db.Cell:
    target = layout.create_cell(c.name)
    on: dict[str, db.Shapes] = {}  # a die has a hundred thousand rectangles on a few layers
    for r in c.rects:
        if r.layer not in on:
            on[r.layer] = target.shapes(layout.layer(*tech.gds(r.layer)))
        on[r.layer].insert(db.Box(r.x1, r.y1, r.x2, r.y2))
    for label in c.labels:
        index = layout.layer(*tech.gds(tech.label_of.get(label.layer, label.layer)))
        target.shapes(index).insert(db.Text(label.text, label.x, label.y))
    for p in c.placements:
        trans = db.Trans(db.Trans.M90 if p.mirror_x else db.Trans.R0, db.Vector(p.x, p.y))
        child = made[id(p.cell)].cell_index()
        if p.nx * p.ny == 1:
            target.insert(db.CellInstArray(child, trans))
        else:
            steps = db.Vector(p.dx, 0), db.Vector(0, p.dy)
            target.insert(db.CellInstArray(child, trans, *steps, p.nx, p.ny))
    return target


def grid_up(value: float, step: int = 5) -> int:
    """Return `value` in dbu rounded up to a multiple of `step` (float noise forgiven)."""
    return -int(-(value - 1e-6) // step) * step


def grid_down(value: float, step: int = 5) -> int:
    """Return `value` in dbu rounded down to a multiple of `step` (float noise forgiven)."""
    return int((value + 1e-6) // step) * step


def boundaries(tech: Tech) -> tuple[str, ...]:
    """Return the layers that frame a top cell: its boundary and the post-process area, if any."""
    names = tech.roles.names
    return tuple(names[role] for role in ("boundary", "module_area") if role in names)


def bbox(rects: Iterable[Rect]) -> tuple[int, int, int, int]:
    """Return (x1, y1, x2, y2) over all rectangles."""
    rows = list(rects)
    return (
        min(r.x1 for r in rows),
        min(r.y1 for r in rows),
        max(r.x2 for r in rows),
        max(r.y2 for r in rows),
    )
