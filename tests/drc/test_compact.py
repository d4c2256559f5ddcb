"""Cutting the repeated middle out of arrays changes no answer."""

from __future__ import annotations

from collections import Counter

import klayout.db as kdb
import pytest

import crossstack.drc.engine as engine
from crossstack.base.compact import Cut, Pass, compact
from crossstack.base.repeat import flat_shapes
from crossstack.drc import DrcReport, run_drc
from crossstack.pdk import get_tech

TECH = get_tech()
PITCH_X, PITCH_Y = 1700, 1300
RULES = ["M1.*", "M2.*", "V1.*", "OFFGRID.Metal*", "MSLOT1.1"]


def box(cell: kdb.Cell, layer: str, *corners: int) -> None:
    cell.shapes(cell.layout().layer(*TECH.gds(layer))).insert(kdb.Box(*corners))


def unit(layout: kdb.Layout, *, wrong: bool) -> kdb.Cell:
    """A via between a Metal1 row line and a Metal2 pad, with one narrow piece if wrong."""
    cell = layout.create_cell("unit")
    box(cell, "Metal1", 0, 0, PITCH_X, 500)
    box(cell, "Metal2", 100, 0, 600, 500)
    box(cell, "Via1", 220, 120, 480, 380)
    if wrong:
        box(cell, "Metal2", 600, 200, 1000, 400)  # too narrow
        box(cell, "Metal1", 300, 700, 800, PITCH_Y - 100)  # too near to the next row
    return cell


def array(n: int, m: int, *, wrong: bool = False) -> kdb.Layout:
    layout = kdb.Layout()
    top = layout.create_cell("TOP")
    index = unit(layout, wrong=wrong).cell_index()
    a, b = kdb.Vector(PITCH_X, 0), kdb.Vector(0, PITCH_Y)
    top.insert(kdb.CellInstArray(index, kdb.Trans(), a, b, n, m))
    for row in range(m):  # pins drawn one by one
        box(top, "Metal1", -800, row * PITCH_Y, 0, row * PITCH_Y + 500)
    box(top, "PR_bndry", -800, 0, n * PITCH_X, m * PITCH_Y)
    return layout


def damage(layout: kdb.Layout, x: int, y: int) -> None:
    """A metal sliver close to its neighbours somewhere in the array."""
    box(layout.top_cell(), "Metal1", x, y, x + 300, y + 205)


def rows_of_cells() -> kdb.Layout:
    """The array as rows in a cell of their own, half of them mirrored."""
    layout = kdb.Layout()
    index = unit(layout, wrong=True).cell_index()
    row = layout.create_cell("row")
    row.insert(kdb.CellInstArray(index, kdb.Trans(), kdb.Vector(PITCH_X, 0), kdb.Vector(), 60, 1))
    top = layout.create_cell("TOP")
    for j in range(40):
        trans = kdb.Trans(kdb.Trans.M0, 0, j * PITCH_Y) if j % 2 else kdb.Trans(0, j * PITCH_Y)
        top.insert(kdb.CellInstArray(row.cell_index(), trans))
    return layout


def turned() -> kdb.Layout:
    """A turned array below a turned block."""
    layout = array(50, 50, wrong=True)
    block = layout.top_cell()
    block.name = "block"
    damage(layout, 31 * PITCH_X + 900, 17 * PITCH_Y + 650)
    layout.create_cell("TOP").insert(
        kdb.CellInstArray(block.cell_index(), kdb.Trans(kdb.Trans.R90, 5000, -3000))
    )
    return layout


def flattened() -> kdb.Layout:
    layout = array(40, 40, wrong=True)
    layout.top_cell().flatten(True)
    return layout


def damaged() -> kdb.Layout:
    layout = array(70, 60)
    for i, j in ((3, 4), (35, 30), (35, 31), (69, 59)):
        damage(layout, i * PITCH_X + 900, j * PITCH_Y + 650)
    return layout


def two_pitches() -> kdb.Layout:
    """Two arrays side by side whose rows repeat with different steps."""
    layout = array(40, 60, wrong=True)
    other = layout.create_cell("other")
    box(other, "Metal2", 0, 0, 2000, 250)
    layout.cell("TOP").insert(
        kdb.CellInstArray(
            other.cell_index(), kdb.Trans(72_000, 0), kdb.Vector(), kdb.Vector(0, 1040), 1, 70
        )
    )
    return layout


LAYOUTS = {f.__name__: f for f in (rows_of_cells, turned, flattened, damaged, two_pitches)}


def run(layout: kdb.Layout, monkeypatch: pytest.MonkeyPatch, above: float) -> DrcReport:
    monkeypatch.setattr(engine, "COMPACT_ABOVE", above)
    return run_drc(layout, TECH, rules=RULES)


@pytest.mark.parametrize("name", LAYOUTS)
def test_compacted_and_whole_layout_give_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = LAYOUTS[name]()
    whole, fast = run(layout, monkeypatch, 1e9), run(layout, monkeypatch, 0)
    assert whole.count > 0
    copies: Counter[str] = Counter()
    for v in fast.violations:
        copies[v.rule] += v.copies
    assert copies == Counter(v.rule for v in whole.violations)
    assert {(v.rule, v.box) for v in fast.violations} <= {(v.rule, v.box) for v in whole.violations}
    assert fast.count < whole.count / 2 or name == "damaged"


def test_work_does_not_grow_with_the_array() -> None:
    sizes = []
    for n in (100, 1000):
        layout = array(n, n)
        stand_in = compact(layout.top_cell(), 8000, 5)
        sizes.append(flat_shapes(stand_in.cell))
    assert sizes[0] == sizes[1] < 1000


def test_irregular_places_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = kdb.Layout()
    top = layout.create_cell("TOP")
    for i in range(50):
        box(top, "Metal1", i * i * 1000, 0, i * i * 1000 + 200, 1000)
    monkeypatch.setattr(engine, "COMPACT_ABOVE", 0)
    found = run_drc(layout, TECH, rules=["M1.1"]).violations
    assert sum(v.copies for v in found) == 50
    assert {round(v.box[0], 2) for v in found} <= {float(i * i) for i in range(50)}


def test_coordinates_go_back() -> None:
    step = Pass(1, (Cut(100, 10, 5), Cut(300, 20, 2)))
    assert [step.original(v) for v in (0, 99, 100, 249, 250)] == [0, 99, 150, 299, 340]
    places = {89: 1, 90: 6, 99: 6, 100: 1, 229: 1, 230: 3, 249: 3, 250: 1}
    assert {v: step.copies(v) for v in places} == places
