"""Finds the regular array in a layout and which of its rows and columns are alike.

Two rows are alike if their cells, everything else of the top cell that reaches into them, and
the same of both neighbours, agree up to the shift between them. One row of each kind is
extracted in full, between its neighbours, in a copy of the layout that leaves the other rows
out; the same for columns. A cell that was edited by hand is another cell, so its row and its
column become kinds of their own.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field

import klayout.db as db
import numpy as np
from numpy.typing import NDArray

from ...pdk import Tech

Ints = NDArray[np.int64]
#: shapes drawn in the top cell itself beyond this number are no array any more
_MOST_SHAPES = 20_000


class NotRegularError(Exception):
    """The layout holds no array that the tile engine can use; the message says why."""


@dataclass(frozen=True)
class Grid:
    """Where the cells of the array lie, in dbu.

    Attributes:
        x0, y0: centre of the first cell.
        dx, dy: pitches.
        rows, cols: size.
    """

    x0: int
    y0: int
    dx: int
    dy: int
    rows: int
    cols: int

    def row_at(self, y: float) -> int:
        """Return the row of a place, -1 outside."""
        i = round((y - self.y0) / self.dy)
        return i if 0 <= i < self.rows else -1

    def edge(self, *, along_x: bool, low: bool) -> int:
        """Return x (or y) of the side of the array on which lines along x (or y) end."""
        origin, pitch, count = (
            (self.x0, self.dx, self.cols) if along_x else (self.y0, self.dy, self.rows)
        )
        return origin - pitch // 2 + (0 if low else pitch * count)

    def col_at(self, x: float) -> int:
        """Return the column of a place, -1 outside."""
        j = round((x - self.x0) / self.dx)
        return j if 0 <= j < self.cols else -1


@dataclass(frozen=True)
class _Placed:
    """One instance or instance array of the top cell, arrays along the axes."""

    instance: db.Instance
    cell: int
    rotation: int
    x: Ints
    y: Ints
    on_grid: bool


@dataclass
class ArrayView:
    """A layout seen as an array.

    Attributes:
        layout: the layout (not changed).
        top: its top cell.
        grid: where the cells lie.
        row_kind, col_kind: kind of each row and column; equal numbers are alike.
    """

    layout: db.Layout
    top: db.Cell
    grid: Grid
    row_kind: Ints
    col_kind: Ints
    _placed: list[_Placed] = field(default_factory=list)

    def sample(self, *, rows: bool) -> tuple[db.Layout, list[int]]:
        """Return a copy with one row (or column) of each kind and its neighbours.

        Args:
            rows: True to thin out rows, False to thin out columns.

        Returns:
            The copy, and the numbers of the rows (columns) that stand for their kinds.
        """
        kinds = self.row_kind if rows else self.col_kind
        _, first = np.unique(kinds, return_index=True)
        chosen = sorted(int(i) for i in first)
        wanted = {i + d for i in chosen for d in (-1, 0, 1)}
        copy = self.periphery()
        for p in self._placed:
            if p.on_grid:
                _insert_lines(copy.cell(self.top.name), p, self.grid, wanted, rows)
        return copy, chosen

    def placed(self) -> Iterator[_Placed]:
        """Yield the instances of the top cell, those of the array's cells and all others."""
        yield from self._placed

    def periphery(self) -> db.Layout:
        """Return a copy without the array's cells."""
        copy = self.layout.dup()
        cells = [p for p in self._placed if p.on_grid]
        for instance in [i for i in copy.cell(self.top.name).each_inst() if _same(i, cells)]:
            instance.delete()
        return copy


def _turned(trans: db.Trans, x: int = 0, y: int = 0) -> db.Trans:
    """Return rotation and mirror of a transformation with another displacement."""
    return db.Trans(trans.angle, trans.is_mirror(), x, y)


def _same(instance: db.Instance, rows: Iterable[_Placed]) -> bool:
    return any(instance.cell_inst == p.instance.cell_inst for p in rows)


def _insert_lines(top: db.Cell, placed: _Placed, grid: Grid, wanted: set[int], rows: bool) -> None:
    """Insert the wanted rows (or columns) of an instance array again."""
    trans = placed.instance.trans
    across, along = (placed.y, placed.x) if rows else (placed.x, placed.y)
    pitch = grid.dx if rows else grid.dy
    box = top.layout().cell(placed.cell).bbox().transformed(_turned(trans)).center()
    for at in across:
        number = grid.row_at(at + box.y) if rows else grid.col_at(at + box.x)
        if number not in wanted:
            continue
        x, y = (along[0], at) if rows else (at, along[0])
        start = _turned(trans, int(x), int(y))
        step = db.Vector(pitch, 0) if rows else db.Vector(0, pitch)
        if len(along) > 1:
            array = db.CellInstArray(placed.cell, start, step, db.Vector(), len(along), 1)
        else:
            array = db.CellInstArray(placed.cell, start)
        top.insert(array)


def array_view(layout: db.Layout, top: db.Cell, tech: Tech) -> ArrayView:
    """Find the array in a layout.

    Raises:
        NotRegularError: if there is none of at least 2 x 2 cells along the axes.
    """
    largest = max(
        (i for i in top.each_inst() if i.na > 1 and i.nb > 1),
        key=lambda i: i.na * i.nb,
        default=None,
    )
    if largest is None:
        raise NotRegularError("no instance array in the top cell")
    grid = _grid(layout, largest)
    placed = [_placed(layout, i, grid) for i in top.each_inst()]
    grid, placed = _extended(layout, grid, placed, tech)
    lines = _Signatures(grid)
    for p in placed:
        lines.add_cells(layout, p)
    lines.add_shapes(layout, top, tech)
    return ArrayView(layout, top, grid, lines.kinds(rows=True), lines.kinds(rows=False), placed)


def _axis_steps(instance: db.Instance) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (step, count) along x and along y of an instance or array.

    Raises:
        NotRegularError: if an array does not run along the axes.
    """
    if instance.na <= 1 and instance.nb <= 1:
        return (0, 1), (0, 1)
    a, b, na, nb = instance.a, instance.b, max(instance.na, 1), max(instance.nb, 1)
    if (na > 1 and a.x == 0 and a.y != 0) or (nb > 1 and b.y == 0 and b.x != 0):
        a, b, na, nb = b, a, nb, na
    if (na > 1 and (a.y or a.x <= 0)) or (nb > 1 and (b.x or b.y <= 0)):
        raise NotRegularError("an instance array does not run along the axes")
    return (a.x, na), (b.y, nb)


def _grid(layout: db.Layout, instance: db.Instance) -> Grid:
    (dx, nx), (dy, ny) = _axis_steps(instance)
    box = layout.cell(instance.cell_index).bbox().transformed(instance.trans)
    centre = box.center()
    return Grid(centre.x, centre.y, dx, dy, ny, nx)


def _placed(layout: db.Layout, instance: db.Instance, grid: Grid) -> _Placed:
    (dx, nx), (dy, ny) = _axis_steps(instance)
    at = instance.trans.disp
    x, y = at.x + dx * np.arange(nx), at.y + dy * np.arange(ny)
    turned = _turned(instance.trans)
    centre = layout.cell(instance.cell_index).bbox().transformed(turned).center()
    fits = (dx in (0, grid.dx)) and (dy in (0, grid.dy))
    on_grid = (
        fits
        and _lattice(x[0] + centre.x, grid.x0, grid.dx)
        and _lattice(y[0] + centre.y, grid.y0, grid.dy)
    )
    return _Placed(instance, instance.cell_index, instance.trans.rot, x, y, on_grid)


def _lattice(at: int, origin: int, pitch: int) -> bool:
    """True if a cell's centre lies on the lattice; an edited cell's may lie slightly off."""
    off = (at - origin) % pitch
    return min(off, pitch - off) <= pitch // 8


def _extended(
    layout: db.Layout, grid: Grid, placed: list[_Placed], tech: Tech
) -> tuple[Grid, list[_Placed]]:
    """Let the grid cover every cell with a memristor that lies on its lattice."""
    low_x, high_x, low_y, high_y = 0, grid.cols - 1, 0, grid.rows - 1
    result = []
    for p in placed:
        box = layout.cell(p.cell).bbox()
        if p.on_grid and not _has_device(layout, p.cell, tech):
            p = _Placed(p.instance, p.cell, p.rotation, p.x, p.y, False)
        if p.on_grid:
            centre = box.transformed(_turned(p.instance.trans)).center()
            i = np.round((p.y + centre.y - grid.y0) / grid.dy).astype(int)
            j = np.round((p.x + centre.x - grid.x0) / grid.dx).astype(int)
            low_x, high_x = min(low_x, int(j[0])), max(high_x, int(j[-1]))
            low_y, high_y = min(low_y, int(i[0])), max(high_y, int(i[-1]))
        result.append(p)
    grown = Grid(
        grid.x0 + low_x * grid.dx,
        grid.y0 + low_y * grid.dy,
        grid.dx,
        grid.dy,
        high_y - low_y + 1,
        high_x - low_x + 1,
    )
    return grown, result


def _has_device(layout: db.Layout, cell: int, tech: Tech) -> bool:
    """True if a film of a memristor is drawn in a cell."""
    films = [layout.find_layer(*tech.gds(name)) for name in tech.drawn_insulators]
    return any(f is not None and not layout.cell(cell).bbox_per_layer(f).empty() for f in films)


class _Signatures:
    """Collects what lies in each row and column, relative to it."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.rows: list[list[Hashable]] = [[] for _ in range(grid.rows)]
        self.cols: list[list[Hashable]] = [[] for _ in range(grid.cols)]

    def add_cells(self, layout: db.Layout, p: _Placed) -> None:
        """Note an instance array in every row and column that it reaches into."""
        box = layout.cell(p.cell).bbox().transformed(_turned(p.instance.trans))
        if box.empty():
            return
        for y in p.y:
            self._note_row(("c", p.cell, p.rotation, tuple(p.x.tolist())), int(y), box)
        for x in p.x:
            self._note_col(("c", p.cell, p.rotation, tuple(p.y.tolist())), int(x), box)

    def _note_row(self, what: tuple[Hashable, ...], y: int, box: db.Box) -> None:
        g = self.grid
        for i in _bands(y + box.bottom, y + box.top, g.y0, g.dy, g.rows):
            self.rows[i].append((*what, y - i * g.dy))

    def _note_col(self, what: tuple[Hashable, ...], x: int, box: db.Box) -> None:
        g = self.grid
        for j in _bands(x + box.left, x + box.right, g.x0, g.dx, g.cols):
            self.cols[j].append((*what, x - j * g.dx))

    def add_shapes(self, layout: db.Layout, top: db.Cell, tech: Tech) -> None:
        """Note the top cell's own shapes, cut to each row and column."""
        g, count = self.grid, 0
        for layer in tech.layers:
            index = layout.find_layer(*layer.gds)
            if index is None or "label" in layer.purpose or "marker" in layer.purpose:
                continue
            for shape in top.shapes(index).each():
                count += 1
                if count > _MOST_SHAPES:
                    raise NotRegularError("too many shapes in the top cell itself")
                if not (shape.is_box() or shape.is_polygon() or shape.is_path()):
                    continue
                box, region = shape.bbox(), db.Region(shape.polygon)
                for i in _bands(box.bottom, box.top, g.y0, g.dy, g.rows):
                    low = g.y0 + i * g.dy - g.dy // 2
                    cut = region & db.Region(db.Box(box.left, low, box.right, low + g.dy))
                    self.rows[i].append((layer.name, cut.moved(0, -i * g.dy).to_s()))
                for j in _bands(box.left, box.right, g.x0, g.dx, g.cols):
                    low = g.x0 + j * g.dx - g.dx // 2
                    cut = region & db.Region(db.Box(low, box.bottom, low + g.dx, box.top))
                    self.cols[j].append((layer.name, cut.moved(-j * g.dx, 0).to_s()))

    def kinds(self, *, rows: bool) -> Ints:
        """Return the kind of each row or column, neighbours included."""
        own: dict[Hashable, int] = {}
        lines = self.rows if rows else self.cols
        plain = [own.setdefault(tuple(sorted(s, key=repr)), len(own)) for s in lines]
        padded = [-1, *plain, -1]
        near: dict[tuple[int, int, int], int] = {}
        kinds = [
            near.setdefault((padded[k], padded[k + 1], padded[k + 2]), len(near))
            for k in range(len(plain))
        ]
        return np.array(kinds, dtype=np.int64)


def _bands(low: int, high: int, origin: int, pitch: int, count: int) -> range:
    """Return the numbers of the bands of a line grid that an interval overlaps."""
    start = origin - pitch // 2
    first = (low - start) // pitch
    last = -((start - high) // pitch) - 1
    return range(max(0, first), min(count - 1, last) + 1)
