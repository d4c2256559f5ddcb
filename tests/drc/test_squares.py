"""Of fill, only what is near something is looked at: the verdicts are those of looking at all."""

from __future__ import annotations

import random

import klayout.db as db
import pytest

from crossstack.drc import run_drc
from crossstack.drc.evaluate import Evaluator
from crossstack.drc.squares import Squares
from crossstack.pdk import get_tech

TECH = get_tech()
RULES = ("DM2.*", "GR.2.Metal2", "MF.*", "?EF.*", "OFFGRID.BE_Dummy", "ANGLE.Metal2_Dummy")


def scattered(seed: int) -> db.Layout:
    """Squares in arrays turned by quarters, some too near to others, to wires and to the ring."""
    rng = random.Random(seed)
    layout = db.Layout()
    layout.dbu = TECH.dbu_um
    top, inner = layout.create_cell("die"), layout.create_cell("inner")
    index = {
        name: layout.layer(*TECH.gds(name))
        for name in ("Metal2", "Metal2_Dummy", "BE_Dummy", "ME_Dummy", "POSTPROC", "PMNDMY")
    }
    top.shapes(index["POSTPROC"]).insert(db.Box(-50_000, -50_000, 400_000, 400_000))

    def at() -> db.Vector:
        return db.Vector(rng.randrange(0, 300_000, 5), rng.randrange(0, 300_000, 5))

    for name, side in (("Metal2_Dummy", 2000), ("BE_Dummy", 5000), ("ME_Dummy", 5000)):
        square = layout.create_cell(f"square_{name}")
        square.shapes(index[name]).insert(db.Box(0, 0, side, side))
        steps = (db.Vector(side + 1200, 500), db.Vector(500, side + rng.choice((900, 1200))))
        for parent in (top, inner):
            turn = db.Trans(rng.randrange(8), at())
            parent.insert(db.CellInstArray(square.cell_index(), turn, *steps, 4, 3))
        for _ in range(3):
            top.shapes(index[name]).insert(
                db.Box(0, 0, side, side + rng.choice((0, 3))).moved(at())
            )
    top.insert(db.CellInstArray(inner.cell_index(), db.Trans(rng.randrange(8), at())))
    if seed % 3 == 0:  # no box, so that all of its layer is looked at
        top.shapes(index["Metal2_Dummy"]).insert(
            db.Polygon([db.Point(0, 0), db.Point(0, 2000), db.Point(2000, 0)]).moved(at())
        )
    fill = db.Region(top.begin_shapes_rec(index["Metal2_Dummy"]))
    for name in ("Metal2", "PMNDMY"):
        for _ in range(40):
            wire = db.Region(db.Box(0, 0, 30_000, 9_000).moved(at()))
            if name == "PMNDMY" or fill.interacting(wire).is_empty():  # refused when it is opened
                top.shapes(index[name]).insert(wire)
    return layout


def verdicts(layout: db.Layout) -> dict[str, db.Region]:
    """Return rule -> its markers."""
    found: dict[str, db.Region] = {}
    for v in run_drc(layout, TECH, rules=RULES, threads=1).violations:
        points = [db.DPoint(x, y).to_itype(layout.dbu) for x, y in v.points]
        found.setdefault(v.rule, db.Region()).insert(db.Polygon(points))
    return found


def test_near_squares_stand_for_all(monkeypatch):
    layouts = [scattered(seed) for seed in range(3)]
    quick = [verdicts(layout) for layout in layouts]
    monkeypatch.setattr(Evaluator, "_of_fill", lambda self, node: None)
    for some, every in zip(quick, map(verdicts, layouts), strict=True):
        assert set(some) == set(every)
        for rule, markers in some.items():
            # squares that touch each other are one polygon, of which a part may be marked
            assert (markers - every[rule]).is_empty(), rule
            assert every[rule].not_interacting(markers).is_empty(), rule
    assert len({rule for found in quick for rule in found}) >= 5  # there is something to find


@pytest.mark.parametrize("space", [980, 985])
def test_squares_count_up_to_the_distance(space):
    layout = db.Layout()
    cell, index = layout.create_cell("die"), layout.layer(36, 4)
    cell.shapes(index).insert(db.Box(0, 0, 2000, 2000))
    cell.shapes(index).insert(db.Box(2000 + space, 0, 4000 + space, 2000))
    found = Squares(cell).crowded([index], [index], 980)
    assert found is not None
    assert found.count() == (2 if space == 980 else 0)
