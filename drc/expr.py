"""Geometric expressions: what a rule means, before any engine has run it.

A rule kind builds a tree of `Node`s. `evaluate` runs the tree on klayout.db regions and
`ruby` writes it down as a KLayout DRC deck, so both engines share one definition.
Lengths are in um, areas in um2. Equal expressions are the same object, so an engine that
remembers results by node computes shared parts once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from math import inf
from typing import Any

#: Operations whose first parameter is a distance that they look across.
_DISTANCE_OPS = frozenset({"sized", "width", "space", "separation", "enclosing", "space_nets"})

#: Operations that no neighbourhood decides: nets end to end, and the die.
_WHOLE_CELL = frozenset({"antenna", "density", "die"})

#: Largest extent in um of anything that an area rule can find: the rule areas are below
#: 0.6 um2, and what is narrower than the 0.18 um of the smallest width rule is flagged there.
_AREA_RANGE_UM = 5.0


@dataclass(frozen=True, eq=False)
class Node:
    """One operation of an expression; made by its methods and by `layer`.

    Regions, edges and edge pairs share this class; an engine fails on a mismatch.

    Attributes:
        op: operation, a key of `evaluate.OPS` and of `ruby.OPS`.
        args: operands.
        params: lengths in um, areas in um2, angles in degrees, counts or words.
    """

    op: str
    args: tuple[Node, ...] = ()
    params: tuple[Any, ...] = ()

    @cached_property
    def range_um(self) -> float:
        """How far from a marker, in um, drawn shapes can lie that decide about it."""
        own = 0.0
        if self.op in _WHOLE_CELL:
            return inf
        if self.op in _DISTANCE_OPS:
            own = abs(self.params[0])
        elif self.op == "area_below":
            own = _AREA_RANGE_UM
        elif self.op in {"min_bbox", "length"}:
            own = max(float(p) for p in self.params if p is not None)
        return own + max((arg.range_um for arg in self.args), default=0.0)

    @cached_property
    def inputs(self) -> frozenset[str]:
        """Names of the drawn layers that the expression reads."""
        if self.op in {"layer", *_WHOLE_CELL}:
            return frozenset(self.params[:1])
        return frozenset().union(*(arg.inputs for arg in self.args))

    @cached_property
    def reads_die(self) -> bool:
        """True if the expression reads the die's outline, or how much of it is covered."""
        return self.op in {"die", "density"} or any(arg.reads_die for arg in self.args)

    def _op(self, op: str, *args: Node, params: tuple[Any, ...] = ()) -> Node:
        return _node(op, (self, *args), params)

    def __and__(self, other: Node) -> Node:
        return self._op("and", other)

    def __or__(self, other: Node) -> Node:
        return self._op("or", other)

    def __sub__(self, other: Node) -> Node:
        return self._op("not", other)

    def sized(self, d_um: float) -> Node:
        """Grow (or, if negative, shrink) a region, keeping right-angled corners sharp."""
        return self._op("sized", params=(round(d_um, 6),))

    def width(self, d_um: float) -> Node:
        """Edge pairs of inner distances below `d_um`."""
        return self._op("width", params=(d_um,))

    def space(self, d_um: float) -> Node:
        """Edge pairs of outer distances below `d_um`, notches included."""
        return self._op("space", params=(d_um,))

    def space_nets(self, d_um: float) -> Node:
        """As `space`, between polygons that no metal connects."""
        return self._op("space_nets", params=(d_um,))

    def separation(self, other: Node, d_um: float, metric: str = "euclidian") -> Node:
        """Edge pairs of distances below `d_um` between two layers that face each other."""
        return self._op("separation", other, params=(d_um, metric))

    def enclosing(self, inner: Node, d_um: float, metric: str = "euclidian") -> Node:
        """Edge pairs where this layer surrounds `inner` by less than `d_um`."""
        return self._op("enclosing", inner, params=(d_um, metric))

    def marks(self) -> Node:
        """Edge pairs or edges as polygons that a viewer can show."""
        pairs = {"width", "space", "separation", "enclosing", "space_nets", "on_grid"}
        return self._op("pair_marks" if self.op in pairs else "edge_marks")

    def edges(self) -> Node:
        """Edges of the merged polygons."""
        return self._op("edges")

    def second_edges(self) -> Node:
        """Second edges of edge pairs (those of `inner` in `enclosing`)."""
        return self._op("second_edges")

    def middle(self) -> Node:
        """The middle half of each edge, which touches no neighbour at a corner."""
        return self._op("middle")

    def start(self) -> Node:
        """A short piece of each edge at its start."""
        return self._op("start")

    def end(self) -> Node:
        """A short piece of each edge at its end."""
        return self._op("end")

    def outside_strip(self) -> Node:
        """A strip one dbu wide along the outside of each edge, one dbu longer at both ends."""
        return self._op("outside_strip")

    def length(self, low_um: float | None, high_um: float | None) -> Node:
        """Edges with low <= length < high."""
        return self._op("length", params=(low_um, high_um))

    def angle(self, degrees: int) -> Node:
        """Edges at exactly `degrees` (0 or 90)."""
        return self._op("angle", params=(degrees,))

    def odd_angles(self) -> Node:
        """Edges that are not at a multiple of 45 degrees."""
        return self._op("odd_angles")

    def corners(self, degrees: float | None = None) -> Node:
        """A square of 2 dbu around each corner, or around corners turning by +-`degrees`."""
        return self._op("corners", params=(degrees,))

    def area_below(self, area_um2: float) -> Node:
        """Polygons smaller than an area."""
        return self._op("area_below", params=(area_um2,))

    def holes(self) -> Node:
        """Holes of the polygons, filled."""
        return self._op("holes")

    def not_square(self, side_um: float) -> Node:
        """Polygons that are not a square of exactly this side."""
        return self._op("not_square", params=(side_um,))

    def non_rectangles(self) -> Node:
        """Polygons that are no rectangle along the axes."""
        return self._op("non_rectangles")

    def non_rectilinear(self) -> Node:
        """Polygons with an edge that runs along no axis."""
        return self._op("non_rectilinear")

    def longer_than(self, ratio: float) -> Node:
        """Polygons whose bounding box is more than `ratio` times as long as wide."""
        return self._op("longer_than", params=(ratio,))

    def min_bbox(self, side_um: float) -> Node:
        """Polygons whose bounding box measures at least `side_um` both ways."""
        return self._op("min_bbox", params=(side_um,))

    def extents(self) -> Node:
        """Bounding boxes of the polygons."""
        return self._op("extents")

    def interacting(self, other: Node) -> Node:
        """Polygons or edges that touch or overlap `other`."""
        return self._op("interacting", other)

    def not_interacting(self, other: Node) -> Node:
        """Polygons or edges that neither touch nor overlap `other`."""
        return self._op("not_interacting", other)

    def overlapping(self, other: Node) -> Node:
        """Polygons that share area with `other`."""
        return self._op("overlapping", other)

    def not_overlapping(self, other: Node) -> Node:
        """Polygons that share no area with `other`."""
        return self._op("not_overlapping", other)

    def inside(self, other: Node) -> Node:
        """Polygons completely inside `other`."""
        return self._op("inside", other)

    def covering(self, other: Node, count: int) -> Node:
        """Polygons that cover at least `count` polygons of `other`."""
        return self._op("covering", other, params=(count,))

    def on_grid(self, grid_um: float) -> Node:
        """Edge pairs at vertices that are off the grid."""
        return self._op("on_grid", params=(grid_um,))


@cache
def _node(op: str, args: tuple[Node, ...], params: tuple[Any, ...]) -> Node:
    return Node(op, args, params)


def layer(name: str) -> Node:
    """Return a drawn layer by name, or by ``layer/datatype``."""
    return _node("layer", (), (name,))


def special(op: str, *params: Any) -> Node:
    """Return an operation on the whole cell: antenna or density of a drawn layer, or the die."""
    return _node(op, (), params)
