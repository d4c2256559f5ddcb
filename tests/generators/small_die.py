"""A die small enough to be checked in seconds, with one of everything that fill keeps out of."""

from __future__ import annotations

import klayout.db as db

from crossstack.cells import to_layout
from crossstack.cells.marks import alignment_mark, vernier
from crossstack.cells.pads import bond_pad
from crossstack.pdk import get_tech

TECH = get_tech()
SIDE = 620_000
#: corner of the pad's plate
PAD = (80_000, 60_000)


def small_die(tech=TECH) -> db.Layout:
    """Wires on every metal, a transistor's layers, a well, marks and a pad in a die."""
    layout = db.Layout()
    layout.dbu = tech.dbu_um
    top = layout.create_cell("die")

    def rect(name: str, *box: int) -> None:
        top.shapes(layout.layer(*tech.gds(name))).insert(db.Box(*box))

    rect("PR_bndry", 0, 0, SIDE, SIDE)
    rect("POSTPROC", 0, 0, SIDE, SIDE)
    for k, metal in enumerate(tech.roles.metals):
        rect(metal, 300_000 + 9_000 * k, 60_000, 304_000 + 9_000 * k, 560_000)
    for implant, x in (("Pplus", 400_000), ("Nplus", 412_000)):
        rect("COMP", x, 400_000, x + 10_000, 410_000)
        rect(implant, x - 300, 399_700, x + 10_300, 410_300)
    for x, y, cell in (
        (200_000, 200_000, alignment_mark(tech, mask="TE")),
        (200_000, 300_000, vernier(tech, mask="TE")),
        (*PAD, bond_pad(tech)),
    ):
        part = layout.create_cell(cell.name)
        source = to_layout(cell, tech)
        part.copy_tree(source.top_cell())
        top.insert(db.CellInstArray(part.cell_index(), db.Trans(x, y)))
    return layout
