"""Enclosures are measured around few cuts of a layer, and must come out as around all of them."""

from __future__ import annotations

import random

import klayout.db as db
import pytest

from crossstack.drc.evaluate import OPS, Evaluator
from crossstack.pdk import get_tech

TECH = get_tech()


def boxes(rng: random.Random, count: int, sides: tuple[int, int], grid: int) -> db.Region:
    found = db.Region()
    for _ in range(count):
        x, y = (grid * rng.randrange(2_000 // grid) for _ in "xy")
        width, height = (grid * rng.randint(sides[0] // grid, sides[1] // grid) for _ in "xy")
        found.insert(db.Box(x, y, x + width, y + height))
    return found


@pytest.mark.parametrize("metric", ["euclidian", "projection"])
@pytest.mark.parametrize("slanted", [False, True], ids=["square", "slanted"])
def test_few_cuts_stand_for_all(slanted, metric):
    """Of drawings with cuts inside, at edges, corners and outside, all violations are found."""
    layout = db.Layout()
    evaluator = Evaluator(layout.create_cell("top"), TECH)
    metrics = {"euclidian": db.Region.Euclidian, "projection": db.Region.Projection}
    kept = 0
    for seed in range(60):
        rng = random.Random(seed)
        outer = boxes(rng, 12, (100, 800), 20)
        inner = boxes(rng, 60, (20, 60), 10)
        if slanted:
            outer = outer.sized(20).rounded_corners(60, 60, 8)
        distance = rng.choice((10, 20, 40))
        wanted = outer.enclosing_check(inner, distance, False, metrics[metric])
        found = OPS["enclosing"](evaluator, outer, inner, distance * evaluator.dbu, metric)
        assert sorted(map(str, found.each())) == sorted(map(str, wanted.each())), seed
        kept += wanted.count()
    assert kept > 200
