"""What a layout's cells hold and how they are placed: what cannot be worked on is refused."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import FileError
from .gds_guard import MAX_DEPTH

if TYPE_CHECKING:
    import klayout.db as db

#: most shapes and placements with the hierarchy resolved; an array of 1024 x 1024 has 2.5e8
MAX_FLAT = 1_000_000_000
#: coordinates are 32 bit numbers: farther out, places and areas would wrap around silently
MAX_DBU = 2**30
#: copies of a cell that may lie on top of each other, where there are more than these
MAX_HEAP, FEW = 100, 1000
#: names spelled out in a message
MOST = 5


@dataclass
class _Extent:
    """What a cell unfolds to.

    Attributes:
        flat: shapes and cells.
        depth: levels below it.
        reach: farthest from its origin, in database units.
        copies: cells alone.
        area: of the boxes of all shapes of a cell, summed over all copies.
    """

    flat: int = 0
    depth: int = 0
    reach: float = 0.0
    copies: int = 1
    area: float = 0.0


def check_cells(layout: db.Layout, name: str) -> None:
    """Refuse layouts without cells, with cells that are not defined, and those far too large."""
    if not layout.cells():
        raise FileError(f"{name} holds no cell")
    known: dict[int, _Extent] = {}
    for index in layout.each_cell_bottom_up():
        cell = layout.cell(index)
        _check_words(layout, cell, name)
        if cell.is_ghost_cell() and cell.is_empty():
            callers = sorted(layout.cell(i).name for i in cell.caller_cells())
            where = f"cell {listed(callers)} places it" if callers else "nothing defines it"
            raise FileError(f"{name}: cell {cell.name} is not in the file, though {where}")
        known[index] = found = _extent(layout, cell, known)
        if found.depth > MAX_DEPTH:
            raise FileError(f"{name}: cell {cell.name} nests cells more than {MAX_DEPTH} deep")
        if found.flat > MAX_FLAT:
            raise FileError(
                f"{name}: cell {cell.name} unfolds to {found.flat:.2g} shapes and cells, "
                f"more than the {MAX_FLAT:.0e} that can be handled"
            )
        if found.reach > MAX_DBU:
            raise FileError(
                f"{name}: cell {cell.name} reaches {found.reach * layout.dbu:.3g} um from its "
                f"origin, more than the {MAX_DBU * layout.dbu:.3g} um that can be handled"
            )
        _check_heaps(layout, cell, known, name)


def _check_heaps(layout: db.Layout, cell: db.Cell, known: Mapping[int, _Extent], name: str) -> None:
    """Refuse heaps of one cell: the work of merging them grows with the square of their height."""
    import klayout.db as db

    found, copies = known[cell.cell_index()], Counter[int]()
    boxes: dict[int, db.Box] = {}
    for inst in cell.each_inst():
        copies[inst.cell_index] += max(inst.na, 1) * max(inst.nb, 1)
        boxes[inst.cell_index] = boxes.get(inst.cell_index, db.Box()) + inst.bbox()
    for index, count in copies.items():
        child, room = known[index], boxes[index].area()
        found.copies += count * child.copies
        found.area += count * child.area
        if count * child.copies > FEW and count * child.area > MAX_HEAP * room:
            raise FileError(
                f"{name}: cell {cell.name} places {count} copies of {layout.cell(index).name} over "
                f"each other, {count * child.area / room:.0f} deep on average; allowed: {MAX_HEAP}"
            )


def _check_words(layout: db.Layout, cell: db.Cell, name: str) -> None:
    """Refuse names and texts that nothing could print or compare: no UTF-8, or nothing at all."""
    import klayout.db as db

    def words() -> Iterator[str]:
        yield cell.name
        for layer in layout.layer_indexes():
            for shape in cell.shapes(layer).each(db.Shapes.STexts):
                yield shape.text_string

    try:
        deque(words(), maxlen=0)
    except (RuntimeError, UnicodeDecodeError):
        raise FileError(
            f"{name}: cell {cell.cell_index()} of {layout.cells()} has a name or text that is "
            "not UTF-8"
        ) from None
    if not cell.name:
        raise FileError(f"{name}: cell {cell.cell_index()} of {layout.cells()} has no name")


def _extent(layout: db.Layout, cell: db.Cell, known: Mapping[int, _Extent]) -> _Extent:
    import klayout.db as db

    found = _Extent()
    for layer in layout.layer_indexes():
        shapes = cell.shapes(layer)
        if not shapes.is_empty():
            found.flat += shapes.size()
            # the box of the whole cell could have wrapped around
            box = cell.bbox(layer) if cell.is_leaf() else db.Region(shapes).bbox()
            found.reach = max(found.reach, *map(abs, (box.left, box.bottom, box.right, box.top)))
            found.area = max(found.area, float(box.area()))
    for inst in cell.each_inst():
        child = known[inst.cell_index]
        na, nb = max(inst.na, 1), max(inst.nb, 1)
        found.flat += na * nb * (child.flat + 1)
        found.depth = max(found.depth, child.depth + 1)
        far = [abs(v) for v in (inst.trans.disp.x, inst.trans.disp.y)]
        steps = [max(abs(v.x), abs(v.y)) * (n - 1) for v, n in ((inst.a, na), (inst.b, nb))]
        turned = 1.0 if inst.cplx_trans.is_ortho() else 1.5
        own = child.reach * inst.cplx_trans.mag * turned
        found.reach = max(found.reach, max(far) + sum(steps) + own)
    return found


def check_placed(top: db.Cell, name: str) -> None:
    """Refuse magnified placements below a cell, and those turned by other than quarter turns.

    Devices are measured in the cell that draws them, so a magnified one has other sizes than its
    cell says; and the corners of a turned one fall between grid points, so that shapes that meet
    in the cell may not meet where it is placed. Cells that hold nothing may be placed in any way.

    Raises:
        FileError: names the first such placement and the way out.
    """
    layout = top.layout()
    for index in [top.cell_index(), *top.called_cells()]:
        cell = layout.cell(index)
        for inst in cell.each_inst():
            trans = inst.cplx_trans
            if not trans.is_complex() or inst.cell.bbox().empty():
                continue
            how = f"turned by {trans.angle:g} degrees"
            if trans.is_mag():
                how = f"magnified by {trans.mag:.9g}"
            at = inst.trans.disp.to_dtype(layout.dbu)
            raise FileError(
                f"{name}: cell {cell.name} places {inst.cell.name} at ({at.x:.3f}, {at.y:.3f}) "
                f"{how}, which is not measured: flatten that instance (in KLayout: select it; "
                "Edit, Selection, Flatten Instances; by Python: Instance.flatten())"
            )


def listed(names: list[str]) -> str:
    """Return the first names of a list in words."""
    return ", ".join(names[:MOST]) + (", ..." if len(names) > MOST else "") if names else "none"
