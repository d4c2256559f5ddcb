"""The seal ring of a die: closed bands, and rows of staggered cuts along each side.

What the bands and rows are is the shuttle's (`pdk.shuttle.Ring`). At the die's corners the outer
corner of every band is cut off at 45 degrees; rows of cuts end before the corners.
"""

from __future__ import annotations

from collections.abc import Iterator

import klayout.db as db

from ..cells.drawing import grid_down
from ..pdk import Tech
from ..pdk.shuttle import Ring, RingCut, RingLayer

#: name of the cell, and of the cells of its cuts
CELL = "seal_ring"
#: what is cut off a band's outer corner, in widths of the band: just below 2 - sqrt(2)
_CORNER, _MOST = 0.58, 0.585
#: columns of cuts in a cell, of which a die has hundreds of thousands: LVS reads a tenth of the
#: circuits so, and blocks below 16 um stay whole when the design rules look for what repeats
BLOCK = 16


def draw_ring(layout: db.Layout, top: db.Cell, tech: Tech, die: db.Box) -> db.Cell | None:
    """Draw the seal ring of the shuttle along the inside of a die; None where it has none."""
    ring = tech.shuttle.ring
    if ring is None:
        return None
    cell = layout.create_cell(CELL)
    for band in ring.layers:
        index = layout.layer(*tech.gds(tech.roles.layer(band.role)))
        cell.shapes(index).insert(_band(tech, ring, band, die))
    for row in ring.cuts:
        _rows(layout, cell, tech, ring, row, die)
    top.insert(db.CellInstArray(cell.cell_index(), db.Trans()))
    return cell


def _band(tech: Tech, ring: Ring, band: RingLayer, die: db.Box) -> db.Polygon:
    """Return a band as one polygon with a hole."""
    width = tech.to_dbu(ring.width_um)
    out, inside = width - tech.to_dbu(band.end_um), width - tech.to_dbu(band.start_um)
    outer, inner = (die.enlarged(-d, -d) for d in (out, inside))
    # what leaves the band as wide across the corner as along its sides, and bands as far from
    # each other there
    cut = grid_down(min(_CORNER * (inside + out), _MOST * (inside - out)), 10)
    region = db.Region(_chamfered(outer, cut)) - db.Region(inner)
    return next(region.merged().each())


def _chamfered(box: db.Box, cut: int) -> db.Polygon:
    left, bottom, right, top = box.left, box.bottom, box.right, box.top
    points = [
        (left + cut, bottom), (left, bottom + cut), (left, top - cut), (left + cut, top),
        (right - cut, top), (right, top - cut), (right, bottom + cut), (right - cut, bottom),
    ]  # fmt: skip
    return db.Polygon([db.Point(x, y) for x, y in points])


def _rows(
    layout: db.Layout, cell: db.Cell, tech: Tech, ring: Ring, row: RingCut, die: db.Box
) -> None:
    """Draw the rows of one cut along all sides, in blocks: a die has hundreds of thousands."""
    name = tech.roles.layer(row.role)
    size = tech.to_dbu(tech.cut(next(c.name for c in tech.cuts if c.layer == name)).size_um)
    width, step = tech.to_dbu(ring.width_um), size + tech.to_dbu(row.space_um)
    # each row's place along the ring, and from the die's edge; 0 of the ring is its edge
    # towards the circuit
    places = [
        (k * tech.to_dbu(row.stagger_um),
         width - tech.to_dbu(row.first_um) - k * tech.to_dbu(row.pitch_um) - size)
        for k in range(row.rows)
    ]  # fmt: skip
    made: dict[tuple[range, int], db.Cell] = {}

    def block(rows: range, columns: int) -> db.Cell:
        if (rows, columns) not in made:
            new = made[rows, columns] = layout.create_cell(f"{CELL}_{name.lower()}")
            shapes = new.shapes(layout.layer(*tech.gds(name)))
            for along, across in (places[k] for k in rows):
                for x in range(along, along + columns * step, step):
                    shapes.insert(db.Box(x, across, x + size, across + size))
        return made[rows, columns]

    for trans, length in (
        (db.Trans(db.Trans.R0, die.left + width, die.bottom), die.width()),
        (db.Trans(db.Trans.M0, die.left + width, die.top), die.width()),
        (db.Trans(db.Trans.M45, die.left, die.bottom + width), die.height()),
        (db.Trans(db.Trans.R90, die.right, die.bottom + width), die.height()),
    ):
        free = length - 2 * width
        counts = [max(0, (free - along + step - size) // step) for along, _ in places]
        for rows, first, columns, count in _blocks(counts):
            moved = trans * db.Trans(first * step, 0)
            by = trans.trans(db.Vector(columns * step, 0))
            index = block(rows, columns).cell_index()
            cell.insert(db.CellInstArray(index, moved, by, db.Vector(), count, 1))


def _blocks(counts: list[int]) -> Iterator[tuple[range, int, int, int]]:
    """Yield what makes up the rows of a side: its rows, first column, columns, copies.

    Args:
        counts: cuts of each row.
    """
    common, every = min(counts, default=0), range(len(counts))
    whole, rest = divmod(common, BLOCK)
    if whole:
        yield every, 0, BLOCK, whole
    if rest:
        yield every, whole * BLOCK, rest, 1
    for k, count in enumerate(counts):
        if count > common:
            yield range(k, k + 1), common, count - common, 1


__all__ = ["CELL", "draw_ring"]
