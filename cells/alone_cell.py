"""A cell on a bench: what it needs to be checked without its neighbours."""

from __future__ import annotations

from ..pdk import Tech
from .drawing import Cell, Placement, Port, Rect, bbox, boundaries, grid_down, label_at

#: how far the wire added at each port reaches beyond the cell's shapes, in dbu
STUB = 1000


def alone(cell: Cell, tech: Tech) -> Cell:
    """Return a top cell that holds `cell`, a stub with one label per net, and the boundaries.

    In an array, neighbours continue a cell's lines; alone they would end at its edge, short
    of the overhang that the rules ask for.
    """
    box = bbox(cell.rects)
    stubs = tuple(_stub(p, box) for p in cell.ports)
    x1, y1, x2, y2 = bbox((*cell.rects, *stubs))
    frame = tuple(Rect(layer, x1, y1, x2, y2) for layer in boundaries(tech))
    labels = {p.name: label_at(p) for p in reversed(cell.ports)}
    return Cell(
        f"{cell.name}_alone",
        rects=(*stubs, *frame),
        labels=tuple(labels.values()),
        placements=(Placement(cell, 0, 0),),
        width=x2 - x1,
        height=y2 - y1,
    )


def _stub(p: Port, box: tuple[int, int, int, int]) -> Rect:
    half = grid_down(p.width / 2)
    x1, y1, x2, y2 = box[0] - STUB, box[1] - STUB, box[2] + STUB, box[3] + STUB
    return {
        0: Rect(p.layer, p.x, p.y - half, x2, p.y + half),
        90: Rect(p.layer, p.x - half, p.y, p.x + half, y2),
        180: Rect(p.layer, x1, p.y - half, p.x, p.y + half),
        270: Rect(p.layer, p.x - half, y1, p.x + half, p.y),
    }[p.orientation]
