"""What makes a die of a chip: seal ring, identification cells, and fill to the densities.

Everything goes into cells of its own under the top cell; what was drawn stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import klayout.db as db

from ..pdk import Tech
from ..pdk.shuttle import IdCell
from .added import MARKERS
from .die import MARK_CLOSED_UM, Filled
from .fill import fill_die
from .sealring import draw_ring
from .tapeout import MARK_GAP

#: what identification cells are asked for
IDS_FOR = "needed for chip on board only"


#: what follows from fill that lies closer than is wished for
_NOTHING = (
    ", because its minimum density cannot be met otherwise. The rules allow this; no action is "
    "needed. It adds capacitance to wires between pads and macro, which no result includes"
)


@dataclass(frozen=True)
class Finished:
    """What was added to a die.

    Attributes:
        ring: whether a seal ring was drawn.
        ids: identification cells that were placed.
        left_out: those that had no room.
        fill: what became of each layer.
    """

    ring: bool
    ids: tuple[str, ...]
    left_out: tuple[str, ...]
    fill: tuple[Filled, ...]

    def remarks(self) -> list[str]:
        """Return what somebody should know of it, in words."""
        found = [
            f"fill: {f.layer} covers {f.after:.1f} % of the die, {f.least:g} % are asked for"
            for f in self.fill
            if not f.reached
        ]
        found += [
            f"fill of {f.layer} lies {f.given_up}{_NOTHING}"
            for f in self.fill
            if f.given_up and f.reached
        ]
        if self.left_out:
            names = ", ".join(self.left_out)
            found.append(f"no room for {names}: {IDS_FOR}")
        return found


def finish(layout: db.Layout, tech: Tech) -> Finished:
    """Add seal ring, identification cells and fill to the one top cell of a layout.

    Args:
        layout: the die; its bounding box is that of the die, lower left at (0, 0).
        tech: the process.
    """
    top = layout.top_cell()
    die = top.bbox()
    ring = draw_ring(layout, top, tech, die)
    placed, left_out = _ids(layout, top, tech, die)
    _keep_marks(layout, top, tech)
    return Finished(ring is not None, placed, left_out, fill_die(layout, top, tech))


def id_box(tech: Tech, cell: IdCell, die: db.Box) -> db.Box:
    """Return where an identification cell lies on a die."""
    x1, y1, x2, y2 = map(tech.to_dbu, cell.box_um)
    if cell.corner == "north-east":
        x1, y1, x2, y2 = (die.right - x2, die.top - y2, die.right - x1, die.top - y1)
    return db.Box(x1, y1, x2, y2)


def _ids(
    layout: db.Layout, top: db.Cell, tech: Tech, die: db.Box
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Place the identification cells, empty but for their frame, where the die has the room."""
    metals = db.Region()
    for name in (*tech.roles.metals, tech.roles.layer("pad")):
        index = layout.find_layer(*tech.gds(name))
        if index is not None:
            metals += db.Region(top.begin_shapes_rec(index))
    placed, left_out = [], []
    for wanted in tech.shuttle.ids:
        box = id_box(tech, wanted, die)
        if layout.cell(wanted.name) is not None:
            continue
        if not (metals & db.Region(box)).is_empty():
            left_out.append(wanted.name)
            continue
        cell = layout.create_cell(wanted.name)
        size = (box.height(), box.width()) if wanted.turned else (box.width(), box.height())
        for name in (tech.roles.layer("boundary"), *map(tech.roles.layer, wanted.keeps_out)):
            cell.shapes(layout.layer(*tech.gds(name))).insert(db.Box(0, 0, *size))
        at = db.Trans(1, False, box.right, box.bottom) if wanted.turned \
            else db.Trans(box.left, box.bottom)  # fmt: skip
        top.insert(db.CellInstArray(cell.cell_index(), at))
        placed.append(wanted.name)
    return tuple(placed), tuple(left_out)


def _keep_marks(layout: db.Layout, top: db.Cell, tech: Tech) -> None:
    """Keep fill out of alignment marks and verniers, whose picture must be plain."""
    index = layout.find_layer(*tech.gds(tech.roles.layer("marks")))
    roles = [role for role in ("no_active_fill", "no_metal_fill") if role in tech.roles.names]
    if index is None or not roles:
        return
    gap = tech.to_dbu(MARK_CLOSED_UM)
    whole = _pictures(db.Region(top.begin_shapes_rec(index)).merged(), gap)
    if whole.is_empty():
        return
    cell = layout.create_cell(MARKERS)
    for role in roles:
        cell.shapes(layout.layer(*tech.gds(tech.roles.layer(role)))).insert(whole)
    top.insert(db.CellInstArray(cell.cell_index(), db.Trans()))


def _pictures(pieces: db.Region, gap: int) -> db.Region:
    """Return what marks cover, gaps between their pieces included.

    The two rows of a vernier meet in a corner that holds nothing; it joins them, where two markers
    would lie too close to each other.
    """
    whole = pieces.sized(gap).merged().sized(-gap).hulls().merged()
    groups = whole.sized(MARK_GAP // 2).merged().extents().merged()
    for group in (polygon.bbox().enlarged(-(MARK_GAP // 2), -(MARK_GAP // 2))
                  for polygon in groups.each()):  # fmt: skip
        inside = [p.bbox() for p in whole.each() if p.bbox().inside(group)]
        if len(inside) > 1:
            right, top = max(b.left for b in inside), max(b.bottom for b in inside)
            whole.insert(db.Box(group.left, group.bottom, right, top))
    # a step of the grid smaller: marks stand as far apart as markers must, or that much less
    return whole.merged().sized(-5)


__all__ = ["Finished", "finish", "id_box"]
