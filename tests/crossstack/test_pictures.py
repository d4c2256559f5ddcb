"""Pictures of layouts: what is drawn, and the names of pins in them."""

from __future__ import annotations

import itertools

import klayout.db as db
import numpy as np
import pytest
from PIL import Image

from crossstack.pdk import get_tech
from crossstack.pdk.klayout_tech import lyp_text
from crossstack.picture_names import names_of
from crossstack.pictures import layout_png

from .test_report_layout import die

TECH = get_tech("stepper")


def draw(layout, folder, size=1400) -> np.ndarray:
    """Return the pixels of the picture of a layout."""
    layout.write(str(folder / "a.gds"))
    (folder / "a.lyp").write_text(lyp_text(TECH))
    layout_png(folder / "a.gds", folder / "a.lyp", folder / "a.png", size)
    with Image.open(folder / "a.png") as picture:
        return np.asarray(picture.convert("RGB"), dtype=int)


def black(pixels: np.ndarray) -> np.ndarray:
    return (pixels < 40).all(axis=2)


def test_names_of_a_die_do_not_meet():
    """Names began at their pads, in one size: those side by side covered each other."""
    layout = die()
    names = names_of(layout, layout.top_cell(), 2531 / 1400)
    shown = {name.text for name in names}
    assert {f"{line}[{k}]" for line in ("WSEL", "TS", "IN_T") for k in range(20)} <= shown
    assert "C[3]" not in shown, "4 um are too little for a name in a picture of a die"
    assert {n.stands for n in names if n.text.startswith("TS[")} == {True}
    boxes = []
    for name in names:
        wide, high = (side * 2531 / 1400 / 2 for side in name.tile().size)
        boxes.append(db.DBox(name.x - wide, name.y - high, name.x + wide, name.y + high))
    assert not [(a, b) for a, b in itertools.combinations(boxes, 2) if not (a & b).empty()]


@pytest.mark.parametrize("name", ["WSEL[15]", "A_LONG_NAME_OF_A_PAD[15]"])
def test_a_name_at_the_edge_is_whole(tmp_path, name):
    """Names of the pads in the east were cut where the picture ended."""
    layout = die()
    names = layout.layer(*TECH.gds(TECH.label_of["Metal5"]))
    layout.top_cell().shapes(names).insert(db.DText(name, db.DTrans(db.DVector(1930, 800))))
    ink = black(draw(layout, tmp_path))
    band = ink[round(len(ink) * (1 - 830 / 2531)) : round(len(ink) * (1 - 770 / 2531))]
    (columns,) = np.nonzero(band[:, -300:].any(axis=0))
    assert len(columns) > 20
    assert columns.max() < 300 - 2


def test_a_name_longer_than_the_picture_is_left_out(tmp_path):
    """It shrank the layout, and was cut all the same."""
    layout = die()
    usual = draw(layout, tmp_path)
    names = layout.layer(*TECH.gds(TECH.label_of["Metal5"]))
    layout.top_cell().shapes(names).insert(db.DText("x" * 300, db.DTrans(db.DVector(900, 900))))
    assert draw(layout, tmp_path).shape == usual.shape
    shown = {name.text for name in names_of(layout, layout.top_cell(), 2531 / 1400)}
    assert "WSEL[3]" in shown
    assert "x" * 300 not in shown


def test_names_below_a_cell_that_only_holds_another(tmp_path):
    layout = die()
    inner = layout.top_cell()
    outer = layout.create_cell("OUTER")
    outer.insert(db.DCellInstArray(inner.cell_index(), db.DTrans(db.DVector(1000, 0))))
    names = names_of(layout, outer, 2531 / 1400)
    assert (1130, 500) in {(n.x, n.y) for n in names if n.text == "IN_T[0]"}


def test_an_empty_layout_is_a_white_picture(tmp_path):
    layout = db.Layout()
    layout.create_cell("TOP")
    pixels = draw(layout, tmp_path, 200)
    assert pixels.shape == (200, 200, 3)
    assert (pixels == 255).all()
