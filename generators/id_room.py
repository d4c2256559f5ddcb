"""The room that identification cells take of a die.

Whoever runs the wafers looks for these cells at fixed places (`pdk.shuttle.IdCell`). Long ones lie
along the edge: pads stand behind them. Square ones reach further into their corner: pads keep away
from it, the rings of the supplies turn inwards before it, and no wire passes between it and the
macro where it is taken as far as wires run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..cells.drawing import grid_up
from ..pdk import Tech
from ..pdk.shuttle import IdCell

#: from an identification cell to anything drawn by us, in dbu: ample, not a rule
APART = 10_000
#: corners at the lower and at the upper end of each side
CORNERS = {
    "south": ("south-west", "south-east"),
    "east": ("south-east", "north-east"),
    "north": ("north-west", "north-east"),
    "west": ("south-west", "north-west"),
}


@dataclass(frozen=True)
class IdRoom:
    """What is taken, room around the cells included, in dbu from the edges of the die.

    Attributes:
        edge: what lies along the edges.
        corner: what is taken of each corner, along both of its sides.
    """

    edge: int
    corner: dict[str, int]


def id_room(tech: Tech, *, asked: bool) -> IdRoom:
    """Return what the identification cells of a run take; nothing if they are not asked for."""
    ids = tech.shuttle.ids if asked else ()
    corner = {name: 0 for ends in CORNERS.values() for name in ends}
    for cell in ids:
        if not _is_long(cell):
            corner[cell.corner] = max(corner[cell.corner], *_far(tech, cell))
    return IdRoom(max((min(_far(tech, c)) for c in ids if _is_long(c)), default=0), corner)


def _far(tech: Tech, cell: IdCell) -> Iterator[int]:
    """Yield how far a cell reaches from the two edges of its corner."""
    return (grid_up(tech.to_dbu(end) + APART, APART) for end in cell.box_um[2:])


def _is_long(cell: IdCell) -> bool:
    x1, y1, x2, y2 = cell.box_um
    return max(x2 - x1, y2 - y1) > 2.0 * min(x2 - x1, y2 - y1)


__all__ = ["APART", "CORNERS", "IdRoom", "id_room"]
