"""Capacitance of regular arrays by runs of alike lines, against all of it extracted flat."""

from __future__ import annotations

from dataclasses import replace

import klayout.db as db
import numpy as np
import pytest

from crossstack.extract import extract, load_array, net_capacitance, save_array
from crossstack.extract.array.farads import PARTS
from crossstack.extract.array.grid import NotRegularError
from crossstack.extract.field import array as field_array
from crossstack.extract.field.array import array_capacitance
from crossstack.pdk import ParameterError, get_tech

TECH = get_tech()


def worst(farads, flat) -> tuple[float, int]:
    """Return how far totals are off, and how many lines were compared."""
    lines = farads.totals()
    both = [name for name in lines if name in flat]
    return max(abs(lines[n] / flat[n].total_f - 1) for n in both), len(both)


@pytest.mark.parametrize(
    ("rows", "cols", "cell"), [(3, 8, "hybrid"), (9, 3, "hybrid"), (8, 9, "passive")]
)
def test_lines_are_those_of_the_flat_layout(draw, rows, cols, cell) -> None:
    layout = draw(rows, cols, cell)
    farads = array_capacitance(layout, layout.top_cell(), TECH)
    flat = net_capacitance(layout, TECH)
    off, count = worst(farads, flat)
    assert off < 1e-3
    assert count == 2 * rows + cols + (2 * cols if cell == "hybrid" else 0)
    farads.validate((2, rows, cols))
    # to rows, columns, selects: as the couplings of the nets say
    row = flat["BR[1]"]
    columns = sum(v for k, v in row.coupling_f.items() if k.startswith("C["))
    assert farads.row[0, 1, PARTS.index("columns")] == pytest.approx(columns, rel=2e-3, abs=1e-18)
    if cell == "hybrid":
        for name, at in (("TE[1][2]", (1, 1, 2)), (f"BE[{rows - 1}][1]", (0, rows - 1, 1))):
            seen = sum(net.coupling_f.get(name, 0.0) for net in flat.values())
            assert farads.electrode[at] == pytest.approx(seen, rel=1e-3)
            across = flat[f"C[{at[2]}]"].coupling_f[name]
            assert farads.device[at] == pytest.approx(across, rel=1e-3)


def test_time_does_not_grow_with_the_array(draw) -> None:
    """Every further column adds to a row what the one before does."""
    found = [
        array_capacitance(layout, layout.top_cell(), TECH).row[0, 1].sum()
        for layout in (draw(2, 40, "passive"), draw(2, 41, "passive"), draw(2, 220, "passive"))
    ]
    step = found[1] - found[0]
    assert found[2] == pytest.approx(found[0] + 180 * step, rel=1e-9)


def test_a_cell_edited_by_hand_changes_its_own_lines_alone(draw) -> None:
    plain = draw(8, 2)
    layout = draw(8, 2)
    top = layout.top_cell()
    box = next(i for i in top.each_inst() if i.na > 1).bbox()
    metal = layout.layer(*TECH.gds("Metal3"))
    # a plate over the cell of row 3
    y = box.bottom + round(3.5 * box.height() / 8)
    before = array_capacitance(plain, plain.top_cell(), TECH).totals()
    top.shapes(metal).insert(db.Box(box.left + 500, y - 600, box.left + 1500, y + 600))
    after = array_capacitance(layout, top, TECH).totals()
    flat = net_capacitance(layout, TECH)
    assert max(abs(after[n] / flat[n].total_f - 1) for n in after if n in flat) < 1e-3
    far = [f"{line}[{i}]" for line in ("TR", "BR") for i in (0, 1, 6, 7)]
    assert [after[n] for n in far] == pytest.approx([before[n] for n in far], rel=1e-3)


def test_a_large_layout_of_many_kinds_is_refused(draw, monkeypatch) -> None:
    """In a macro the switches give every row its own surroundings."""
    layout = draw(8, 2, "hybrid", "macro")
    monkeypatch.setattr(field_array, "_MOST_CELLS", 15)
    with pytest.raises(NotRegularError, match=r"too many kinds|beside the array"):
        array_capacitance(layout, layout.top_cell(), TECH)


def test_capacitances_are_kept_with_the_array(draw, tmp_path) -> None:
    layout = draw(3, 4)
    array = extract(layout, TECH, engine="tile").array
    farads = array_capacitance(layout, layout.top_cell(), TECH)
    kept = load_array(save_array(replace(array, farads=farads), tmp_path / "a.npz"))
    for name, values in vars(farads).items():
        assert np.array_equal(getattr(kept.farads, name), values)
    assert load_array(save_array(array, tmp_path / "b.npz")).farads is None
    wrong = replace(array, farads=replace(farads, column=farads.column[:2]))
    with pytest.raises(ParameterError, match="farad_column"):
        save_array(wrong, tmp_path / "c.npz")
