"""Seal ring, identification cells and fill of a small die: legal, dense, and nothing else moved."""

from __future__ import annotations

import time
from dataclasses import replace

import klayout.db as db
import pytest
from small_die import SIDE, TECH, small_die

from crossstack.drc import run_drc
from crossstack.drc.engine import WHOLE_DIE
from crossstack.generators.fill import fill_die
from crossstack.generators.finish import finish
from crossstack.pdk.model import FILLS

FILL = [x.name for x in TECH.layers if x.purpose in FILLS]


@pytest.fixture(scope="module")
def die():
    """(layout, what was added)."""
    layout = small_die()
    return layout, finish(layout, TECH)


def drawn(layout: db.Layout, name: str) -> db.Region:
    index = layout.find_layer(*TECH.gds(name))
    return db.Region() if index is None else db.Region(layout.top_cell().begin_shapes_rec(index))


def test_the_finished_die_is_clean(die):
    report = run_drc(die[0], TECH)
    assert report.clean, report.violations[:5]


def test_densities_and_gaps(die):
    whole = [rule.name for rule in TECH.rules if rule.kind in WHOLE_DIE]
    report = run_drc(die[0], TECH, rules=whole)
    assert not report.warnings
    assert {f.layer for f in die[1].fill} == set(TECH.fill_of)
    for filled in die[1].fill:
        assert filled.squares > 100
        assert filled.after > filled.before
        # KLayout's fill tool draws some squares twice; they count once
        squares = drawn(die[0], fill_layer(filled.layer))
        assert squares.count() == filled.squares, filled.layer
        share = 100.0 * squares.merged().area() / die[0].top_cell().bbox().area()
        assert filled.after - filled.before == pytest.approx(share, rel=1e-6), filled.layer


def test_fill_close_to_wires_is_said_to_need_nothing(die):
    """The remark said what was done, and not what it is to anybody."""
    close = replace(die[1].fill[0], given_up="over wires")
    (said,) = replace(die[1], fill=(close,), left_out=()).remarks()
    assert said.startswith(f"fill of {close.layer} lies over wires, because its minimum density")
    assert "no action is needed. It adds capacitance to wires" in said
    # where even that is not enough, nothing of it is fine
    (said,) = replace(die[1], fill=(replace(close, after=0.0),), left_out=()).remarks()
    assert "are asked for" in said


def fill_layer(name: str) -> str:
    """The name of the layer that a layer's fill is drawn on."""
    (found,) = [x.name for x in TECH.layers if x.gds == TECH.fill_of[name]]
    return found


def test_fill_keeps_out_of_pads_marks_and_films(die):
    layout = die[0]
    marks = drawn(layout, "MARK").extents()
    films = drawn(layout, "TE")
    for name in FILL:
        fill = drawn(layout, name)
        for kept in (marks, drawn(layout, "Pad"), films, drawn(layout, "GUARD_RING_MK")):
            assert fill.interacting(kept).is_empty(), name


def test_nothing_that_was_there_moves(die):
    before, after = small_die(), die[0]
    ours = {"seal_ring", "no_fill", "fill"} | {i.name for i in TECH.shuttle.ids}
    for cell in before.each_cell():
        same = after.cell(cell.name)
        for info in before.layer_infos():
            own = db.Region(cell.shapes(before.layer(info)))
            assert (own ^ db.Region(same.shapes(after.layer(info)))).is_empty(), cell.name
    added = {inst.cell.name for inst in after.top_cell().each_inst()}
    assert added >= {"seal_ring", "no_fill", "fill"}
    assert added - ours == {inst.cell.name for inst in before.top_cell().each_inst()}


def test_fill_is_a_hierarchy_of_squares(die):
    layout = die[0]
    for name in FILL:
        index = layout.find_layer(*TECH.gds(name))
        cells = [c for c in layout.each_cell() if not c.shapes(index).is_empty()]
        assert [c.shapes(index).size() for c in cells] == [1], name


def test_the_same_die_gives_the_same_fill(die):
    again = small_die()
    finish(again, TECH)
    assert db.LayoutDiff().compare(die[0], again)


def test_a_die_that_is_full_gets_no_more():
    layout = small_die()
    top = layout.top_cell()
    for metal in TECH.roles.metals:
        top.shapes(layout.layer(*TECH.gds(metal))).insert(db.Box(0, 0, SIDE, SIDE))
    found = {f.layer: f.squares for f in fill_die(layout, top, TECH)}
    assert all(found[metal] == 0 for metal in TECH.roles.metals)


def test_a_slot_takes_seconds():
    layout = db.Layout()
    layout.dbu = TECH.dbu_um
    top = layout.create_cell("die")
    slot = min(TECH.shuttle.slots, key=lambda s: s.width_um * s.height_um)
    box = db.Box(0, 0, TECH.to_dbu(slot.width_um), TECH.to_dbu(slot.height_um))
    for name in ("PR_bndry", "POSTPROC"):
        top.shapes(layout.layer(*TECH.gds(name))).insert(box)
    start = time.process_time()
    filled = finish(layout, TECH).fill
    assert time.process_time() - start < 15
    assert all(f.reached for f in filled)
