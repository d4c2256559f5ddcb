"""The foundry's own deck finds nothing on any cell, on three arrays and on macros."""

from dataclasses import replace

import klayout.db as db
import pytest

from crossstack.cells import CELLS, alone, draw_cell, to_layout
from crossstack.drc import foundry
from crossstack.drc.foundry import run_foundry_drc
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import get_tech

GAP = 30_000  # dbu between neighbours on the sheet: far beyond every rule


def sheet(layouts: list[db.Layout]) -> db.Layout:
    """Return one layout that shows all of them side by side, so that the deck starts once."""
    whole = db.Layout()
    top = whole.create_cell("sheet")
    x = 0
    for layout in layouts:
        child = whole.create_cell("part")
        child.copy_tree(layout.top_cell())
        box = child.bbox()
        top.insert(db.CellInstArray(child.cell_index(), db.Trans(x - box.left, -box.bottom)))
        x += box.width() + GAP
    return whole


def cells(profile: str) -> list[db.Layout]:
    tech = get_tech(profile)
    return [to_layout(alone(draw_cell(name, tech), tech), tech) for name in sorted(CELLS)]


@pytest.fixture
def flat(monkeypatch, wheels):
    """The deck without hierarchy: what is placed once or a few times takes thrice as long with it.

    As the command runs it, the deck is tried in tests/drc/test_foundry.py and on the test chip.
    """
    deck = foundry.deck_of(get_tech().process.folder)
    variables = {**dict(deck.variables), "run_mode": "flat"}
    monkeypatch.setattr(
        foundry, "deck_of", lambda folder: replace(deck, variables=tuple(variables.items()))
    )


TOPS = [
    {"rows": 3, "cols": 3},
    {"rows": 10, "cols": 10},
    {"rows": 7, "cols": 16},
    {"rows": 7, "cols": 5, "top": "macro", "kelvin": True},
    {"rows": 1, "cols": 8, "top": "macro"},
    {"rows": 3, "cols": 2, "top": "macro", "cell": "passive"},
    {"rows": 2, "cols": 3, "top": "macro", "switch_wn_um": 4.0, "switch_wp_um": 4.0},
]


@pytest.mark.usefixtures("flat")
def test_every_cell_of_both_profiles_arrays_and_macros(tmp_path):
    """All beside each other, since the deck's start takes longer than most of them."""
    tops = [build_top(ArraySpec(**values)) for values in TOPS]
    drawn = [to_layout(top.cell, top.tech) for top in tops]
    path = tmp_path / "sheet.gds"
    sheet([*cells("stepper"), *cells("aligner"), *drawn]).write(str(path))
    report = run_foundry_drc(path, get_tech())
    assert report.clean, report.items[:5]
    assert report.shapes > 30_000
