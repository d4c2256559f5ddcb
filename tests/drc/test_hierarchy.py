"""In the hierarchy a rule finds what it finds on the flat cell."""

from __future__ import annotations

import klayout.db as db
import numpy as np
import pytest

from crossstack.base.layout import clear_layers
from crossstack.drc import engine, run_drc
from crossstack.drc.engine import WHOLE_DIE
from crossstack.drc.evaluate import Evaluator, layer_pair
from crossstack.drc.hierarchy import in_hierarchy
from crossstack.drc.kinds import compile_rule
from crossstack.pdk import get_tech
from crossstack.pdk.model import FILLS, Purpose


def scattered(tech, layout: db.Layout, name: str, rng, reach: int, count: int) -> db.Cell:
    """A cell with shapes near their rules' limits and cuts in rows."""
    cell = layout.create_cell(name)
    width = {r.layers[0]: r.value for r in tech.rules if r.kind in ("width", "exact_size")}
    for layer in tech.layers:
        shapes = cell.shapes(layout.layer(*layer_pair(layer.name, tech)))
        least = max(5, round(width.get(layer.name, 0.3) * 200)) * 5
        for x, y in 5 * rng.integers(0, reach // 5, (count, 2)):
            w, h = (least, least)
            if layer.purpose is not Purpose.CUT:
                w, h = 5 * rng.integers(least // 5 - 2, 3 * least // 5 + 100, 2)
            for step in range(int(rng.integers(1, 4)) if layer.purpose is Purpose.CUT else 1):
                at = int(x) + step * 2 * least
                shapes.insert(db.Box(at, int(y), at + int(w), int(y + h)))
    return cell


def drawn(tech, seed: int) -> tuple[db.Layout, db.Cell]:
    """Cells in cells, turned, mirrored, in arrays and over one another."""
    rng = np.random.default_rng(seed)
    layout = db.Layout()
    leaf = scattered(tech, layout, "leaf", rng, 5_000, 4)
    row = scattered(tech, layout, "row", rng, 12_000, 3)
    top = scattered(tech, layout, "TOP", rng, 24_000, 8)
    row.insert(
        db.CellInstArray(
            leaf.cell_index(), db.Trans(900, 700), db.Vector(5_400, 0), db.Vector(0, 5_300), 2, 2
        )
    )
    row.insert(db.CellInstArray(leaf.cell_index(), db.Trans(1, True, 11_000, 2_000)))
    for turn in range(6):
        x, y = (int(v) for v in 5 * rng.integers(0, 4_000, 2))
        at = db.Trans(turn % 4, turn > 3, x + 4_000, y + 4_000)
        top.insert(db.CellInstArray((leaf if turn % 3 else row).cell_index(), at))
    return layout, top


@pytest.mark.parametrize(("process", "seed"), [("gf180mcuD", 1), ("sky130", 5)])
def test_no_marker_is_missed_in_the_hierarchy(process: str, seed: int) -> None:
    tech = get_tech(process=process)
    _layout, top = drawn(tech, seed)
    flat, deep = Evaluator(top, tech), Evaluator(top, tech, deep=True)
    marked, missed = set(), []
    for rule in tech.rules:
        node = compile_rule(rule, tech)
        if rule.kind in WHOLE_DIE or not in_hierarchy(node, tech):
            continue
        expected, found = flat.region(node).merged(), deep.region(node)
        if not expected.is_empty():
            marked.add(rule.kind)
        if not expected.not_interacting(found).is_empty():
            missed.append(rule.name)
    assert missed == []
    assert {"width", "space", "enclosure", "separation"} <= marked


def test_a_large_layout_has_the_markers_of_a_flat_one(monkeypatch) -> None:
    """Whether the hierarchy is asked or not; what is clean in it is not looked at flat."""
    tech = get_tech()
    layout, top = drawn(tech, 3)
    for layer in tech.layers:
        if layer.purpose in FILLS:  # fill over wires is refused before any rule
            clear_layers(layout, top, [layer.gds])
    rules = ["M1.1", "M1.2a", "CO.6b", "V1.3eol", "V1.4", "DF.13", "NW.1a"]
    one = run_drc(layout, tech, rules=rules)
    asked: list[bool] = []
    real = engine.in_hierarchy
    monkeypatch.setattr(engine, "DEEP_ABOVE", 0)
    monkeypatch.setattr(engine, "in_hierarchy", lambda *a: asked.append(real(*a)) or asked[-1])
    other = run_drc(layout, tech, rules=rules)
    assert one.violations
    assert one.violations == other.violations
    assert True in asked
    assert False in asked
