"""One conductor polygon with its ports -> resistors, in squares.

Long straight stretches are cut out and counted, length over width: exact, because the field
in them is even. What is left (bends, steps, tees, tabs, contacts narrower than half the
line) is handed to `field`, with equipotential cuts one line width away from the
disturbance, where it has decayed to 0.2 %. Each distinct piece is solved once. An edge off the
axes is one more disturbance; pieces with such edges get no widths.

A contact or device at least half as wide as its straight line sits at the node in its
centre, with half of its own squares on either side. For a current that is fed in evenly
over the patch this is exact for everything but the patch's own series term (see
`synthesis`): by reciprocity, its mean voltage under a current along the line is the voltage
at its centre.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

import klayout.db as db
import numpy as np
from numpy.typing import NDArray

from ...solve.circuit.circuit import join
from ...solve.network.network import PARTINGS
from .columns import by_column
from .corridor import Corridor, PortTable, Stretch, corridors, stretches
from .field import SheetPort, sheet_impedance
from .gridnet import grid_impedance, grid_network
from .narrows import narrows
from .synthesis import Edge, synthesise

Key = tuple[object, ...]
#: ports above which a piece keeps the resistors of its grid instead of a complete mesh, and above
#: which nobody looks whether the mesh of a comb would be less
_MANY, _MOST = 24, 300
#: squares up to which a stretch between two pieces is part of what is lumped with these
_SHORT = 0.1
#: what is known of a resistor (`Edge`), and how it is held
_TYPES = {
    "a": np.int32,
    "b": np.int32,
    "squares": np.float64,
    "width": np.float64,
    "parting": np.int32,
    "crosses": np.int64,
}


@dataclass(frozen=True)
class Wire:
    """Resistors of one polygon.

    Attributes:
        n_nodes: number of local nodes.
        port_node: node of each port.
        columns: what is known of its resistors (`Edge`) by name, shape (resistors) each; as objects
            those of a chip's pads would take gigabytes.
        grids: which of these are the grids of pieces with many ports, or join two pieces closely.
    """

    n_nodes: int
    port_node: tuple[int, ...]
    columns: dict[str, NDArray[Any]]
    grids: tuple[range, ...] = ()

    @classmethod
    def of(
        cls, n_nodes: int, port_node: tuple[int, ...], edges: list[Edge], grids: list[range]
    ) -> Wire:
        """Return the wire of some resistors."""
        return cls(n_nodes, port_node, by_column(edges, _TYPES), tuple(grids))

    @property
    def edges(self) -> list[Edge]:
        """Its resistors in squares, one by one."""
        return [Edge(*row) for row in zip(*map(_listed, self.columns.values()), strict=True)]

    @cached_property
    def is_whole(self) -> bool:
        """True if resistors join all ports, as the metal below them does."""
        _, part = join(self.n_nodes, self.columns["a"], self.columns["b"])
        return len(set(part[list(self.port_node)].tolist())) <= 1


def _listed(column: NDArray[Any]) -> list[int | float]:
    found: list[int | float] = column.tolist()
    return found


@dataclass
class WireSolver:
    """Turns polygons into resistors and remembers every shape it has seen.

    Attributes:
        pieces, wires: number of distinct field pieces and polygons so far.
        angled: number of distinct polygons with edges off the axes.
    """

    _wires: dict[Key, Wire] = field(default_factory=dict)
    _pieces: set[Key] = field(default_factory=set)
    angled: int = 0

    @property
    def wires(self) -> int:
        """Number of distinct polygons solved."""
        return len(self._wires)

    @property
    def pieces(self) -> int:
        """Number of distinct pieces whose field was solved."""
        return len(self._pieces)

    def solve(self, polygon: db.Polygon, ports: list[SheetPort]) -> Wire:
        """Return the resistors between the ports of a polygon.

        Args:
            polygon: conductor, merged, in dbu.
            ports: patches and slices on it.
        """
        key, polygon, ports = _normalised(polygon, ports)
        if key not in self._wires:
            self._wires[key] = self._solve(polygon, ports)
        return self._wires[key]

    def _solve(self, polygon: db.Polygon, ports: list[SheetPort]) -> Wire:
        if len(ports) < 2:
            return Wire.of(len(ports), tuple(range(len(ports))), [], [])
        if not polygon.is_rectilinear():
            self.angled += 1
        return _Assembly(self, polygon, ports).wire()

    def piece(self, polygon: db.Polygon, ports: list[SheetPort]) -> tuple[int, list[Edge]]:
        """Return node count and resistors of a piece, solved once per distinct shape.

        Args:
            polygon: the piece.
            ports: on it.
        """
        key, _, ports = _normalised(polygon, ports)
        self._pieces.add(key)
        return _solved_piece(str(key[0]), tuple(ports))


@lru_cache(maxsize=4096)
def _solved_piece(shape: str, ports: tuple[SheetPort, ...]) -> tuple[int, list[Edge]]:
    """Solve a piece; the same piece costs nothing in the next extraction either."""
    polygon, on_it = _polygon(shape), list(ports)
    if len(ports) > _MANY and polygon.is_rectilinear():
        grid = grid_network(polygon, on_it)
        if len(ports) > _MOST or not all(port.is_slice for port in ports):
            return grid
        # a comb: its teeth are far from each other, so that their mesh is no larger than its grid
        mesh = synthesise(grid_impedance(*grid, len(ports)), narrows(polygon, on_it))
        return min(mesh, grid, key=lambda each: len(each[1]))
    z = sheet_impedance(polygon, on_it)
    cuts = narrows(polygon, on_it) if polygon.is_rectilinear() else []
    return synthesise(z, cuts)


def _polygon(shape: str) -> db.Polygon:
    """Return a polygon of its text; one with holes that KLayout reads has edges off the axes."""
    read = db.Polygon.from_s(shape)
    polygon = db.Polygon(list(read.each_point_hull()))
    for hole in range(read.holes()):
        polygon.insert_hole(list(read.each_point_hole(hole)))
    return polygon


class _Assembly:
    """Puts counted stretches and solved pieces of one polygon together."""

    def __init__(self, solver: WireSolver, polygon: db.Polygon, ports: list[SheetPort]) -> None:
        self.solver, self.polygon, self.ports = solver, polygon, ports
        self.port_node: list[int | None] = [None] * len(ports)
        self.n_nodes = 0
        self.edges: list[Edge] = []
        self.grids: list[range] = []
        self.table = PortTable(ports)
        self.slices: list[SheetPort] = []
        self.slice_at: list[tuple[tuple[int, int], int]] = []
        self.removed = db.Region()
        self.pieces = 0

    def wire(self) -> Wire:
        for corridor in corridors(self.polygon):
            for stretch in stretches(corridor, self.table):
                self._add_stretch(corridor, stretch)
        cuts = PortTable(self.slices)
        rest = db.Region(self.polygon) - self.removed
        for piece in rest.each():
            self._add_piece(piece, cuts)
        for index, node in enumerate(self.port_node):
            if node is None:
                self.port_node[index] = self._node()
        nodes = tuple(int(n) for n in self.port_node if n is not None)
        return Wire.of(self.n_nodes, nodes, self.edges, self.grids)

    def _node(self) -> int:
        self.n_nodes += 1
        return self.n_nodes - 1

    def _add_stretch(self, corridor: Corridor, stretch: Stretch) -> None:
        """Count a straight stretch: from a cut, through the ports on it, to a cut."""
        self.removed.insert(corridor.box(stretch.lo, stretch.hi))
        width = corridor.width
        at: list[tuple[float, int]] = []
        if stretch.cut_lo:
            at.append((stretch.lo, self._cut(corridor, stretch.lo, -1)))
        for centre, index in stretch.ports:
            if at and at[-1][0] == centre:
                node = at[-1][1]
            else:
                node = self._node()
                at.append((centre, node))
            self.port_node[index] = node
        if stretch.cut_hi:
            if at and at[-1][0] == stretch.hi:
                self._cut(corridor, stretch.hi, 1, at[-1][1])
            else:
                at.append((stretch.hi, self._cut(corridor, stretch.hi, 1)))
        for (x1, a), (x2, b) in pairwise(at):
            if x2 - x1 < _SHORT * width:
                self.grids.append(range(len(self.edges), len(self.edges) + 1))
            self.edges.append(Edge(a, b, (x2 - x1) / width, width))

    def _cut(self, corridor: Corridor, at: int, side: int, node: int | None = None) -> int:
        """Note an equipotential cut; `side` tells on which side of it the piece lies."""
        node = self._node() if node is None else node
        self.slices.append(SheetPort(corridor.slice(at)))
        self.slice_at.append((corridor.probe(at, side), node))
        return node

    def _add_piece(self, piece: db.Polygon, cuts: PortTable) -> None:
        box = piece.bbox()
        ports: list[SheetPort] = []
        nodes: list[int] = []
        for number in cuts.touching(box):
            (x, y), node = self.slice_at[number]
            if piece.inside(db.Point(x, y)):
                ports.append(cuts.ports[number])
                nodes.append(node)
        standing: dict[SheetPort, list[int]] = {}
        for index in self.table.touching(box):
            if self.port_node[index] is None and self._stands_on(piece, self.ports[index]):
                standing.setdefault(self.ports[index], []).append(index)
        ports += standing
        if len(ports) < 2:
            self._share_node(standing)
            return
        count, edges = self.solver.piece(piece, ports)
        local = [*nodes, *(self._node() for _ in range(count - len(nodes)))]
        for port, node in zip(ports[len(nodes) :], local[len(nodes) :], strict=False):
            for index in standing[port]:
                self.port_node[index] = node
        if len(ports) > _MANY:
            self.grids.append(range(len(self.edges), len(self.edges) + len(edges)))
        told = any(e.parting >= 0 for e in edges)
        number = PARTINGS * self.pieces
        self.pieces += max(e.parting for e in edges) // PARTINGS + 1 if told else 0
        for e in edges:  # `dataclasses.replace` takes five times as long
            cut = e.parting + number if e.parting >= 0 else -1
            self.edges.append(Edge(local[e.a], local[e.b], e.squares, e.width, cut, e.crosses))

    def _stands_on(self, piece: db.Polygon, port: SheetPort) -> bool:
        """True if a port lies on a piece; a slice along a counted stretch, with what sticks out."""
        if _touches(piece, port):
            return True
        if not port.is_slice:
            return False
        x1, y1, x2, y2 = port.box
        x, y = (x1 + x2) // 2, (y1 + y2) // 2
        if (self.removed & db.Region(db.Box(x - 1, y - 1, x + 1, y + 1))).is_empty():
            return False
        part = db.Edges(db.Edge(x1, y1, x2, y2)) & db.Region(piece)
        return bool(part.length() > 0)

    def _share_node(self, standing: dict[SheetPort, list[int]]) -> None:
        """Ports at one and the same place are one node."""
        for indices in standing.values():
            node = self._node()
            for index in indices:
                self.port_node[index] = node


def _touches(piece: db.Polygon, port: SheetPort) -> bool:
    """True if a port lies on a piece."""
    x1, y1, x2, y2 = port.box
    if port.is_slice:
        return bool(piece.inside(db.Point((x1 + x2) // 2, (y1 + y2) // 2)))
    return not (db.Region(piece) & db.Region(db.Box(x1, y1, x2, y2))).is_empty()


def _normalised(
    polygon: db.Polygon, ports: list[SheetPort]
) -> tuple[Key, db.Polygon, list[SheetPort]]:
    """Move a polygon and its ports to the origin; equal shapes then have equal keys."""
    low = polygon.bbox().p1
    moved = polygon.moved(-low.x, -low.y)
    near = [
        SheetPort((p.box[0] - low.x, p.box[1] - low.y, p.box[2] - low.x, p.box[3] - low.y))
        for p in ports
    ]
    return (moved.to_s(), *(p.box for p in near)), moved, near
