"""Find repetition: shapes and instances of a cell as regular arrays, by position alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import klayout.db as kdb

#: Fewer repetitions than this are not worth an array.
_MIN_RUN = 4
#: How many of the next positions are tried as the step of a run.
_LOOK_AHEAD = 6


class Item(NamedTuple):
    """A shape or an instance, repeated nx by ny times.

    A tuple, since a die's are made by the hundred thousand: a frozen dataclass takes several times
    as long to make.

    Attributes:
        key: equal for items that draw the same thing at their own origin.
        box: bounding box of one element relative to (x, y).
        x, y: origin of the first element.
        nx, ny, dx, dy: repetition; dx and dy are positive.
        layer: layer index of a shape.
        polygon: the shape, relative to (x, y); None for an instance.
        cell: cell index of an instance; None for a shape.
        trans: orientation and magnification of an instance.
    """

    key: tuple[object, ...]
    box: kdb.Box
    x: int
    y: int
    nx: int = 1
    ny: int = 1
    dx: int = 0
    dy: int = 0
    layer: int = -1
    polygon: kdb.Polygon | None = None
    cell: int | None = None
    trans: kdb.ICplxTrans | None = None

    def period(self, axis: int) -> int:
        """Return the step along an axis, 0 where the item does not repeat."""
        if axis == 0:
            return self.dx if self.nx > 1 else 0
        return self.dy if self.ny > 1 else 0

    def events(self, axis: int) -> list[tuple[int, int]]:
        """Return the intervals along an axis in which the item is not just repetition.

        For an array these are its first and last element, for a single polygon its edges
        that do not run along the axis, for a single instance all of it.
        """
        low, high = self._extent(axis)
        period = self.period(axis)
        if period:
            last = ((self.nx if axis == 0 else self.ny) - 1) * period
            return [(low, high), (low + last, high + last)]
        if self.polygon is None:
            return [(low, high)]
        return self._edge_events(axis)

    def _extent(self, axis: int) -> tuple[int, int]:
        if axis == 0:
            return self.x + self.box.left, self.x + self.box.right
        return self.y + self.box.bottom, self.y + self.box.top

    def _edge_events(self, axis: int) -> list[tuple[int, int]]:
        assert self.polygon is not None
        events = set()
        for edge in self.polygon.each_edge():
            across = edge.dy() if axis == 0 else edge.dx()
            along = edge.dx() if axis == 0 else edge.dy()
            if across == 0 and along != 0:
                continue
            a, b = (edge.x1, edge.x2) if axis == 0 else (edge.y1, edge.y2)
            offset = self.x if axis == 0 else self.y
            events.add((min(a, b) + offset, max(a, b) + offset))
        return sorted(events)

    def elements(self) -> Iterator[kdb.ICplxTrans]:
        """Yield the transformation of every element of an instance."""
        assert self.trans is not None
        for i in range(self.nx):
            for j in range(self.ny):
                at = kdb.Trans(self.x + i * self.dx, self.y + j * self.dy)
                yield kdb.ICplxTrans(at) * self.trans

    @property
    def can_expand(self) -> bool:
        """True for an instance whose contents stay on the grid and the axes."""
        return self.trans is not None and self.trans.is_ortho() and self.trans.mag == 1.0

    def shifted(self, by: kdb.Vector) -> Item:
        """Return the item elsewhere."""
        return Item(
            self.key, self.box, self.x + by.x, self.y + by.y, self.nx, self.ny, self.dx, self.dy,
            self.layer, self.polygon, self.cell, self.trans,
        )  # fmt: skip

    def turned(self, turn: kdb.ICplxTrans) -> Item:
        """Return the item as it appears below an instance at the origin (see `can_expand`)."""
        at = turn * kdb.Point(self.x, self.y)
        a, b = turn * kdb.Vector(self.dx, 0), turn * kdb.Vector(0, self.dy)
        swap = a.x == 0 and (a.y != 0 or b.x != 0)
        (nx, ny), (u, v) = ((self.ny, self.nx), (b, a)) if swap else ((self.nx, self.ny), (a, b))
        x = at.x + min(0, u.x * (nx - 1))
        y = at.y + min(0, v.y * (ny - 1))
        place = self._replace(x=x, y=y, nx=nx, ny=ny, dx=abs(u.x), dy=abs(v.y))
        if self.polygon is not None:
            shape = _shape(self.layer, self.polygon.transformed(turn))
            offset = (place.x + shape.x, place.y + shape.y)
            return place._replace(
                key=shape.key, box=shape.box, polygon=shape.polygon, x=offset[0], y=offset[1]
            )
        assert self.trans is not None
        inner = turn * self.trans
        box = self.box.transformed(turn)
        return place._replace(key=("cell", self.cell, str(inner)), box=box, trans=inner)

    def insert(self, target: kdb.Cell) -> None:
        """Draw the item into a cell."""
        if self.cell is not None:
            assert self.trans is not None
            trans = kdb.ICplxTrans(kdb.Trans(self.x, self.y)) * self.trans
            a, b = kdb.Vector(self.dx, 0), kdb.Vector(0, self.dy)
            target.insert(kdb.CellInstArray(self.cell, trans, a, b, self.nx, self.ny))
            return
        assert self.polygon is not None
        # the longer rows at once: one by one, the cuts of a die take seconds
        counts, steps = (self.nx, self.ny), (kdb.Vector(self.dx, 0), kdb.Vector(0, self.dy))
        along = int(self.ny > self.nx)
        polygon, step = self.polygon.moved(self.x, self.y), steps[along]
        row = kdb.Region([polygon.moved(step * i) for i in range(counts[along])])
        shapes, step = target.shapes(self.layer), steps[1 - along]
        for j in range(counts[1 - along]):
            shapes.insert(row, kdb.ICplxTrans(kdb.Trans(step * j)))


def _shape(layer: int, polygon: kdb.Polygon) -> Item:
    box = polygon.bbox()
    moved = polygon.moved(-box.left, -box.bottom)
    return Item(("shape", layer, moved.hash(), str(moved)), moved.bbox(), box.left, box.bottom,
                layer=layer, polygon=moved)  # fmt: skip


def _instance(inst: kdb.Instance, layout: kdb.Layout) -> list[Item]:
    trans = inst.cplx_trans
    disp = trans.disp
    still = trans.dup()
    still.disp = kdb.Vector(0, 0)
    box = layout.cell(inst.cell_index).bbox().transformed(still)
    index = inst.cell_index
    item = Item(("cell", index, str(still)), box, disp.x, disp.y, cell=index, trans=still)
    nx, ny, a, b = max(inst.na, 1), max(inst.nb, 1), inst.a, inst.b
    if a.x == 0 and b.y == 0 and (a.y or b.x):
        nx, ny, a, b = ny, nx, b, a
    if a.y == 0 and b.x == 0:
        x, y = disp.x + min(0, a.x * (nx - 1)), disp.y + min(0, b.y * (ny - 1))
        return [item._replace(x=x, y=y, nx=nx, ny=ny, dx=abs(a.x), dy=abs(b.y))]
    return [  # an array along odd vectors: every element for itself
        item._replace(x=disp.x + i * a.x + j * b.x, y=disp.y + i * a.y + j * b.y)
        for i in range(nx)
        for j in range(ny)
    ]


def collect(cell: kdb.Cell) -> list[Item]:
    """Return the shapes (texts excepted) and instances of a cell, one level deep."""
    layout = cell.layout()
    items: list[Item] = []
    for layer in layout.layer_indexes():
        shapes = cell.shapes(layer).each(kdb.Shapes.SRegions)
        items += [_shape(layer, shape.polygon) for shape in shapes]
    for inst in cell.each_inst():
        if not layout.cell(inst.cell_index).bbox().empty():
            items += _instance(inst, layout)
    return items


def regularise(items: list[Item]) -> list[Item]:
    """Return the items with equal ones at regular positions joined into arrays."""
    return _join(_join(items, 1), 0)


def _join(items: list[Item], axis: int) -> list[Item]:
    groups: dict[tuple[object, ...], list[Item]] = defaultdict(list)
    out: list[Item] = []
    for item in items:
        if (item.nx if axis == 0 else item.ny) > 1:
            out.append(item)
        elif axis == 0:
            groups[(*item.key, item.y, item.ny, item.dy)].append(item)
        else:
            groups[(*item.key, item.x, item.nx, item.dx)].append(item)
    for group in groups.values():
        if len(group) < _MIN_RUN:
            out += group
            continue
        by_place = {(item.x if axis == 0 else item.y): item for item in group}
        for start, step, count in _runs(sorted(by_place)):
            first = by_place[start]
            if axis == 0:
                out.append(first._replace(nx=count, dx=step))
            else:
                out.append(first._replace(ny=count, dy=step))
    return out


def _runs(places: list[int]) -> list[tuple[int, int, int]]:
    """Split sorted, distinct positions into (start, step, count); single ones have count 1."""
    left = set(places)
    runs: list[tuple[int, int, int]] = []
    for index, start in enumerate(places):
        if start not in left:
            continue
        best = (0, 1)
        for place in places[index + 1 : index + 1 + _LOOK_AHEAD]:
            step = place - start
            count = 1
            while start + count * step in left:
                count += 1
            if count > best[1]:
                best = (step, count)
        step, count = best if best[1] >= _MIN_RUN else (0, 1)
        left.difference_update(start + k * step for k in range(count))
        runs.append((start, step, count))
    return runs


def flat_shapes(cell: kdb.Cell, layers: Iterable[int] | None = None) -> int:
    """Return the number of shapes below a cell, every placement counted.

    Args:
        cell: the cell.
        layers: indices of the layers that count; by default all.
    """
    layout = cell.layout()
    counted = list(layout.layer_indexes() if layers is None else layers)
    known: dict[int, int] = {}

    def below(one: kdb.Cell) -> int:
        index = one.cell_index()
        if index not in known:
            count = sum(one.shapes(layer).size() for layer in counted)
            for inst in one.each_inst():
                inner = below(layout.cell(inst.cell_index))
                count += max(inst.na, 1) * max(inst.nb, 1) * inner
            known[index] = count
        return known[index]

    return below(cell)
