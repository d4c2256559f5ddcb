"""A cell on a bench: what it needs to be checked without its neighbours."""

from __future__ import annotations

from .drawing import Cell, Placement, Rect, bbox, label_at

#: length of the wire added at each port, in dbu
STUB = 1000


def alone(cell: Cell) -> Cell:
    """Return a top cell that holds `cell`, a stub with one label per net, and the boundaries.

    In an array, neighbours continue a cell's lines; alone they would end at its edge, short
    of the overhang that the rules ask for.
    """
    stubs = tuple(_stub(p.layer, p.x, p.y, p.width, p.orientation) for p in cell.ports)
    x1, y1, x2, y2 = bbox((*cell.rects, *stubs))
    frame = tuple(Rect(layer, x1, y1, x2, y2) for layer in ("PR_bndry", "POSTPROC"))
    labels = {p.name: label_at(p) for p in reversed(cell.ports)}
    return Cell(
        f"{cell.name}_alone",
        rects=(*stubs, *frame),
        labels=tuple(labels.values()),
        placements=(Placement(cell, 0, 0),),
        width=x2 - x1,
        height=y2 - y1,
    )


def _stub(layer: str, x: int, y: int, width: int, orientation: int) -> Rect:
    half = width // 2
    return {
        0: Rect(layer, x, y - half, x + STUB, y + half),
        90: Rect(layer, x - half, y, x + half, y + STUB),
        180: Rect(layer, x - STUB, y - half, x, y + half),
        270: Rect(layer, x - half, y - STUB, x + half, y),
    }[orientation]
