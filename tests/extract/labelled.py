"""Layouts of labelled rectangles."""

from __future__ import annotations

import klayout.db as db

from crossstack.pdk import get_tech

TECH = get_tech()


def drawing(*shapes: tuple[str, tuple[int, int, int, int], str]) -> db.Layout:
    """A layout of labelled rectangles."""
    layout = db.Layout()
    layout.dbu = TECH.dbu_um
    top = layout.create_cell("TOP")
    for conductor, box, name in shapes:
        top.shapes(layout.layer(*TECH.gds(conductor))).insert(db.Box(*box))
        label = layout.layer(*TECH.gds(conductor + "_Label"))
        top.shapes(label).insert(db.Text(name, box[0] + 10, box[1] + 10))
    return layout
