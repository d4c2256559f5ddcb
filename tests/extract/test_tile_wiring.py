"""Layouts whose wiring is not that of an array: the tile engine leaves them to the flat one."""

from __future__ import annotations

import klayout.db as db
import pytest

from crossstack.extract import extract
from crossstack.pdk import ParameterError, get_tech

from .test_tile import edit

TECH = get_tech()


def layer(layout: db.Layout, name: str) -> int:
    return layout.layer(*TECH.gds(name))


def row_to_column(layout: db.Layout, cell: db.Cell) -> None:
    """Join the top tier's row line to the middle electrode by a stack of cuts."""
    cell.shapes(layer(layout, "Metal5")).insert(db.Box(2000, 1300, 2900, 2400))
    cell.shapes(layer(layout, "Via4")).insert(db.Box(2100, 1500, 2360, 1760))
    cell.shapes(layer(layout, "VME")).insert(db.Box(2050, 1900, 2550, 2300))


def row_to_row(layout: db.Layout, cell: db.Cell) -> None:
    """Join the row lines of both tiers."""
    cell.shapes(layer(layout, "Via3")).insert(db.Box(2100, 1500, 2360, 1760))


def select_cut(layout: db.Layout, cell: db.Cell) -> None:
    """Cut the select lines in two."""
    metal = cell.shapes(layer(layout, "Metal2"))
    left = db.Region(metal) - db.Region(db.Box(-10, 1400, 4370, 1500))
    metal.clear()
    metal.insert(left)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (row_to_column, "also reaches|are one net"),
        (row_to_row, "also reaches|are one net"),
        (select_cut, "column 2 has 2 select lines of one tier"),
    ],
)
def test_a_cell_that_joins_or_cuts_lines(draw, change, words) -> None:
    layout = edit(draw(6, 7), [(3, 2)], change)
    with pytest.raises(ParameterError, match=words):
        extract(layout, TECH, engine="tile")
    assert extract(layout, TECH).report.engine == "flat"


def texts(layout: db.Layout, *names: str) -> list[db.Shape]:
    top = layout.top_cell()
    found = {
        shape.text_string: shape
        for index in layout.layer_indexes()
        for shape in top.shapes(index).each(db.Shapes.STexts)
    }
    return [found[name] for name in names]


def test_select_lines_that_do_not_follow_the_columns(draw) -> None:
    layout = draw(6, 7)
    a, b = texts(layout, "TS[3]", "TS[4]")
    a.text_string, b.text_string = "TS[4]", "TS[3]"
    with pytest.raises(ParameterError, match="top tier's select lines do not follow the columns"):
        extract(layout, TECH, engine="tile")


def test_a_select_line_without_a_label(draw) -> None:
    layout = draw(6, 7)
    texts(layout, "TS[3]")[0].delete()
    with pytest.raises(ParameterError, match=r"line 3 of TS carries no label"):
        extract(layout, TECH, engine="tile")
