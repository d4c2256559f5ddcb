"""A short run of bench/damage.py: no random damage passes that changes the circuit."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType

import klayout.db as db
import pytest

from crossstack.cells import to_layout
from crossstack.generators import build_top

BENCH = Path(__file__).parents[2] / "bench" / "damage.py"


@pytest.fixture(scope="module")
def damage() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_damage", BENCH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_no_damage_passes(damage):
    tally = damage.run(16, seed=11, say=lambda _: None)
    assert not tally.bad
    assert tally.caught > 8


def test_the_judge_of_its_own_sees_what_our_checks_see(damage):
    """A judge that calls everything harmless would prove nothing."""
    array = build_top(damage.SPECS[0])
    layout = to_layout(array.cell, array.tech)
    pins = damage.reference_of(array).pins
    before = damage.signature(damage.circuit(layout, array.tech, pins))
    assert sum(before.values()) == 64
    again = damage.signature(damage.circuit(layout, array.tech, pins))
    assert before == again
    for kind in (damage.delete_cut, damage.swap_labels, damage.delete_instance):
        damaged = damage.Damaged(array, random.Random(5))
        kind(damaged)
        assert not damage.same_drawing(layout, damaged.layout, array.tech)
        assert damage.signature(damage.circuit(damaged.layout, array.tech, pins)) != before, kind
    shorted = layout.dup()
    top = shorted.top_cell()
    line = shorted.layer(*array.tech.gds("Metal3"))
    top.shapes(line).insert(db.Box(0, 0, 500, top.bbox().top))
    assert damage.signature(damage.circuit(shorted, array.tech, pins)) != before
