"""Run expressions on the shapes of one cell with klayout.db."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import klayout.db as kdb

from ..base.compact import Compacted
from ..base.serial import shape_store
from ..pdk import CrossStackError, Tech
from .antenna import AntennaLevel, Limit, Order
from .expr import Node
from .nets import covering, density, space_nets

if TYPE_CHECKING:
    from .squares import Squares

_METRICS = {"euclidian": kdb.Metrics.Euclidian, "projection": kdb.Metrics.Projection}


class RuleError(CrossStackError):
    """A rule that could not run; never to be taken for a clean result."""


def layer_pair(name: str, tech: Tech) -> tuple[int, int]:
    """Return (layer, datatype) of a drawn layer's name or of ``layer/datatype``."""
    if "/" in name:
        number, datatype = name.split("/", 1)
        return int(number), int(datatype)
    return tech.gds(name)


class Evaluator:
    """Evaluates nodes on the shapes below one cell, remembering every result.

    Args:
        cell: cell whose shapes, hierarchy flattened, are checked.
        tech: resolves layer names.
        stand_in: a compacted stand-in of the cell and its evaluator, to judge nets by.
        fill: layers that hold fill, of which only what is near something is looked at.
        deep: work in the hierarchy, on each cell once.
    """

    def __init__(
        self,
        cell: kdb.Cell,
        tech: Tech,
        stand_in: tuple[Compacted, Evaluator] | None = None,
        fill: frozenset[str] = frozenset(),
        deep: bool = False,
    ) -> None:
        self.cell, self.tech, self.stand_in = cell, tech, stand_in
        self.dbu = cell.layout().dbu
        self._fill = fill
        self._store = shape_store() if deep else None
        self._done: dict[Node, Any] = {}
        self._drawn: dict[str, kdb.Region] = {}
        # the last antenna level only: the levels come in order, each grows on the one before
        self._whole: AntennaLevel | None = None
        self._flat: AntennaLevel | None = None

    def drawn(self, name: str) -> kdb.Region:
        """Return the merged shapes of a drawn layer."""
        if name not in self._drawn:
            index = self.cell.layout().find_layer(*layer_pair(name, self.tech))
            if index is None:
                region = kdb.Region()
            elif self._store is None:
                region = kdb.Region(self.cell.begin_shapes_rec(index))
            else:
                region = kdb.Region(self.cell.begin_shapes_rec(index), self._store)
            self._drawn[name] = region.merged()
        return self._drawn[name]

    def antenna(self, conductor: str, ratio: float, area: float, perimeter: float) -> kdb.Region:
        """Return the conductor shapes that break an antenna ratio."""
        limit, level = Limit(ratio, area, perimeter), Order.of(self.tech).level_of(conductor)
        # what a lower level could not vouch for, joined nets of a higher one hardly will
        refused = self._whole is not None and self._whole.level <= level
        if not refused and self.stand_in and self._certified(conductor, limit, level):
            return kdb.Region()
        if self._whole is None or self._whole.level != level:
            below = _lower(self._whole, level)
            self._whole = AntennaLevel.hierarchical(self.cell, self.tech, level, below)
        return self._whole.check(conductor, limit)

    def _certified(self, conductor: str, limit: Limit, level: int) -> bool:
        """Return True if the stand-in proves that no net of the cell breaks the ratio."""
        assert self.stand_in is not None
        compacted, flat = self.stand_in
        strips = compacted.strips()
        if strips is None:
            return False
        if self._flat is None or self._flat.level != level:
            order, below = Order.of(self.tech), _lower(self._flat, level)
            self._flat = AntennaLevel.flat(compacted.cell, flat.drawn, level, order, below)
        return self._flat.certified(conductor, limit, strips)

    def region(self, node: Node) -> kdb.Region:
        """Return the region of a node.

        Raises:
            RuleError: if an operation is unknown or fails.
        """
        found = self.value(node)
        assert isinstance(found, kdb.Region)
        return found

    def value(self, node: Node) -> Any:
        """Return the region, edges or edge pairs of a node."""
        if node not in self._done:
            try:
                args = self._of_fill(node) or [self.value(arg) for arg in _needed(node)]
                self._done[node] = OPS[node.op](self, *args, *node.params)
            except (KeyError, RuntimeError, TypeError, AttributeError) as error:
                raise RuleError(f"operation {node.op!r} failed: {error!r}") from error
        return self._done[node]

    @cached_property
    def _squares(self) -> Squares | None:
        """The squares of fill; None in a Python without packages, as KLayout's may be."""
        try:
            from .squares import Squares
        except ImportError:
            return None
        return Squares(self.cell)

    def _of_fill(self, node: Node) -> list[kdb.Region | kdb.Edges] | None:
        """Return what is enough of a node's operands where one is fill; None to take all of them.

        Of fill, which is much, that is what lies near the other operand.
        """
        if not self._fill or node.op not in _NEAR:
            return None
        sides = [self._fill_layers(arg) for arg in node.args]
        if not any(sides) or (squares := self._squares) is None:
            return None
        if node.op == "on_grid":
            parts = [squares.off_grid(sides[0], self.um(node.params[0]))]
        elif node.op == "non_rectilinear":  # a box has no slanted edge
            parts = [None if squares.boxes(sides[0]) is None else kdb.Region()]
        elif all(sides):
            distance = self.um(node.params[0]) if node.op in ("space", "separation") else 0
            pairs = zip(sides, reversed(sides), strict=True)
            parts = [squares.crowded(own, other, distance) for own, other in pairs]
        else:
            return self._near_fill(node, sides, squares)
        return None if None in parts else [part for part in parts if part is not None]

    def _near_fill(
        self, node: Node, sides: list[tuple[int, ...]], squares: Squares
    ) -> list[kdb.Region | kdb.Edges] | None:
        """Return the operands of a node of which one is fill: the other, and what is near it."""
        distance = self.um(node.params[0]) if node.op == "separation" else 0
        number = sides.index(())
        other = self.value(node.args[number])
        if not isinstance(other, kdb.Region | kdb.Edges):
            return None
        part = squares.near(sides[1 - number], other, distance)
        return [other, part] if number == 0 else [part, other]

    def _fill_layers(self, node: Node) -> tuple[int, ...]:
        """Return the layers of a node that is fill alone; none if it is anything else."""
        if node.op == "or":
            parts = [self._fill_layers(arg) for arg in node.args]
            return tuple(chain.from_iterable(parts)) if all(parts) else ()
        if node.op != "layer" or node.params[0] not in self._fill:
            return ()
        index = self.cell.layout().find_layer(*layer_pair(node.params[0], self.tech))
        return () if index is None else (index,)

    def um(self, value: float) -> int:
        """Return a length in dbu."""
        return round(value / self.dbu)

    def um2(self, value: float) -> int:
        """Return an area in dbu2."""
        return round(value / self.dbu**2)


def _lower(last: AntennaLevel | None, level: int) -> AntennaLevel | None:
    """Return the last antenna level if a level can grow on it."""
    return last if last is not None and last.level < level else None


#: operations for which a few squares of fill stand for all
_NEAR = frozenset(("space", "separation", "and", "interacting", "on_grid", "non_rectilinear"))


def _needed(node: Node) -> tuple[Node, ...]:
    """Return what a node is made of; slanted edges are those of the few polygons that have some.

    A die's fill is hundreds of thousands of squares, whose edges would all be looked at.
    """
    if node.op == "odd_angles" and node.args[0].op == "edges":
        return (node.args[0].args[0].non_rectilinear().edges(),)
    return node.args


def _length(ev: Evaluator, edges: kdb.Edges, low: float | None, high: float | None) -> kdb.Edges:
    return edges.with_length(
        None if low is None else ev.um(low), None if high is None else ev.um(high), False
    )


def _corners(ev: Evaluator, region: kdb.Region, degrees: float | None) -> kdb.Region:
    low, high = (-180.0, 180.0) if degrees is None else (degrees, degrees)
    return region.corners(low, high, 1)


def _not_square(ev: Evaluator, region: kdb.Region, side: float) -> kdb.Region:
    d = ev.um(side)
    boxes = region.rectangles()
    return (
        region.non_rectangles() + boxes.with_bbox_width(d, True) + boxes.with_bbox_height(d, True)
    )


def _enclosing(outer: Any, inner: Any, distance: int, metric: kdb.Metrics) -> Any:
    """Return where an outer shape or edge reaches less than a distance beyond an inner one.

    Of the cuts in a pad, thousands lie farther inside than any distance: those that are covered
    with all around them break no rule by any metric, and nothing between others and an edge is
    one of them. With slanted edges, corners snapped to the grid would not prove it.
    """
    sides = (outer, inner)
    square = all(isinstance(s, kdb.Region) and s.non_rectilinear().is_empty() for s in sides)
    if square:
        inner = inner.interacting(inner - outer.sized(-distance))
    return outer.enclosing_check(inner, distance, False, metric)


#: so many times more shapes on one side are worth a look at which of them are near the other
_FEW = 50


def _separation(a: Any, b: Any, distance: int, metric: kdb.Metrics) -> Any:
    """Return where two layers are closer than a distance.

    A seal ring has the whole die in its box. Of a layer with many shapes, only what lies within
    the distance of a few others is looked at; where it is cut, it is no closer than the distance.
    """
    if isinstance(a, kdb.Region) and isinstance(b, kdb.Region):
        counts = a.count(), b.count()
        if counts[0] * _FEW < counts[1]:
            b = b & a.sized(distance)
        elif counts[1] * _FEW < counts[0]:
            a = a & b.sized(distance)
    return a.separation_check(b, distance, False, metric)


def _odd_angles(ev: Evaluator, edges: kdb.Edges) -> kdb.Edges:
    return edges.with_angle(kdb.Edges.OrthoEdges, True).with_angle(kdb.Edges.DiagonalEdges, True)


#: operation -> function(evaluator, *operands, *params)
OPS: dict[str, Callable[..., Any]] = {
    "layer": lambda ev, name: ev.drawn(name),
    "and": lambda ev, a, b: a & b,
    "or": lambda ev, a, b: a | b if isinstance(a, kdb.Region) else a + b,
    "not": lambda ev, a, b: a - b,
    "sized": lambda ev, a, d: a.sized(ev.um(d)).merged(),
    "width": lambda ev, a, d: a.width_check(ev.um(d)),
    "space": lambda ev, a, d: a.space_check(ev.um(d)),
    "separation": lambda ev, a, b, d, m: _separation(a, b, ev.um(d), _METRICS[m]),
    "enclosing": lambda ev, a, b, d, m: _enclosing(a, b, ev.um(d), _METRICS[m]),
    "pair_marks": lambda ev, a: a.polygons(1),
    "edge_marks": lambda ev, a: a.extended(0, 0, 1, 1, False),
    "edges": lambda ev, a: a.edges(),
    "second_edges": lambda ev, a: a.second_edges(),
    "middle": lambda ev, a: a.centers(0, 0.5),
    "start": lambda ev, a: a.start_segments(0, 0.1),
    "end": lambda ev, a: a.end_segments(0, 0.1),
    "outside_strip": lambda ev, a: a.extended(1, 1, 1, 0, False),
    "length": _length,
    "angle": lambda ev, a, degrees: a.with_angle(degrees, False),
    "odd_angles": _odd_angles,
    "corners": _corners,
    "area_below": lambda ev, a, v: a.with_area(None, ev.um2(v), False),
    "holes": lambda ev, a: a.holes(),
    "not_square": _not_square,
    "non_rectilinear": lambda ev, a: a.non_rectilinear(),
    "non_rectangles": lambda ev, a: a.non_rectangles(),
    "longer_than": lambda ev, a, ratio: a.with_bbox_aspect_ratio(ratio, None, False, False, True),
    "min_bbox": lambda ev, a, d: a.with_bbox_min(ev.um(d), None, False),
    "extents": lambda ev, a: a.extents(),
    "interacting": lambda ev, a, b: a.interacting(b),
    "not_interacting": lambda ev, a, b: a.not_interacting(b),
    "overlapping": lambda ev, a, b: a.overlapping(b),
    "not_overlapping": lambda ev, a, b: a.not_overlapping(b),
    "inside": lambda ev, a, b: a.inside(b),
    "covering": lambda ev, a, b, n: a.covering(b, n),
    "space_nets": lambda ev, a, d: space_nets(ev.cell, ev.tech, ev.drawn, a, ev.um(d)),
    "antenna": lambda ev, name, ratio, area, perimeter: ev.antenna(name, ratio, area, perimeter),
    "density": lambda ev, name, limit, sign: density(ev.cell, covering(ev.tech, name), limit, sign),
    "die": lambda ev: kdb.Region(ev.cell.bbox()),
    "on_grid": lambda ev, a, g: a.grid_check(ev.um(g), ev.um(g)),
}
