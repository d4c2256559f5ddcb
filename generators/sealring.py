"""The seal ring of a die: closed bands, and rows of staggered cuts along each side.

What the bands and rows are is the shuttle's (`pdk.shuttle.Ring`). At the die's corners the outer
corner of every band is cut off at 45 degrees; rows of cuts end before the corners.
"""

from __future__ import annotations

import klayout.db as db

from ..cells.drawing import grid_down
from ..pdk import Tech
from ..pdk.shuttle import Ring, RingCut, RingLayer

#: name of the cell, and of the cells of its cuts
CELL = "seal_ring"
#: what is cut off a band's outer corner, in widths of the band: just below 2 - sqrt(2)
_CORNER = 0.58


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
    # as much as leaves the band as wide across the corner as along its sides
    cut = grid_down(_CORNER * (inside - out), 10)
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
    name = tech.roles.layer(row.role)
    size = tech.to_dbu(tech.cut(next(c.name for c in tech.cuts if c.layer == name)).size_um)
    one = layout.create_cell(f"{CELL}_{name.lower()}")
    one.shapes(layout.layer(*tech.gds(name))).insert(db.Box(0, 0, size, size))
    width, step = tech.to_dbu(ring.width_um), size + tech.to_dbu(row.space_um)
    for k in range(row.rows):
        # a row's place from the die's edge; 0 of the ring is its edge towards the circuit
        far = width - tech.to_dbu(row.first_um) - k * tech.to_dbu(row.pitch_um) - size
        shift = k * tech.to_dbu(row.stagger_um)
        for along_x in (True, False):
            length = (die.width() if along_x else die.height()) - 2 * width - shift
            count = max(0, (length + step - size) // step)
            if not count:
                continue
            start = width + shift
            for at in (far, (die.height() if along_x else die.width()) - far - size):
                place = db.Vector(start, at) if along_x else db.Vector(at, start)
                by = db.Vector(step, 0) if along_x else db.Vector(0, step)
                moved = db.Trans(db.Vector(die.left, die.bottom) + place)
                cell.insert(
                    db.CellInstArray(one.cell_index(), moved, by, db.Vector(), int(count), 1)
                )


__all__ = ["CELL", "draw_ring"]
