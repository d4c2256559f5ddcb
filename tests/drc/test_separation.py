"""Of many shapes beside a few, those near these decide."""

from __future__ import annotations

import klayout.db as db
import numpy as np
import pytest

from crossstack.drc import evaluate


def turned(rng, box: db.Box, often: bool) -> db.Polygon:
    polygon = db.Polygon(box)
    if not often:
        return polygon
    return polygon.transformed(db.ICplxTrans(1, float(rng.uniform(0, 90)), False, 0, 0))


@pytest.mark.parametrize("seed", range(12))
def test_the_distance_to_a_few_shapes_is_that_of_all_of_them(seed: int, monkeypatch) -> None:
    """A ring, or one slanted shape, among a hundred and fifty others; either comes first."""
    rng = np.random.default_rng(seed)
    few = db.Region(turned(rng, db.Box(4_000, 4_000, 9_000, 7_000), True))
    if seed % 2:
        few = db.Region(db.Box(0, 0, 20_000, 20_000)) - db.Region(db.Box(900, 900, 19_000, 19_000))
    many = db.Region()
    for x, y, w, h in rng.integers(0, 19_000, (150, 4)).tolist():
        many.insert(turned(rng, db.Box(x, y, x + w // 30 + 50, y + h // 30 + 50), seed % 3 == 0))
    many.merge()
    assert many.count() > evaluate._FEW
    distance = int(rng.integers(50, 2_000))
    for metric in (db.Metrics.Euclidian, db.Metrics.Projection):
        for a, b in ((few, many), (many, few)):
            pairs = a.separation_check(b, distance, False, metric)
            asked: list[int] = []
            monkeypatch.setattr(
                db.Region, "separation_check", counting(db.Region.separation_check, asked)
            )
            found = evaluate._separation(a, b, distance, metric)
            monkeypatch.undo()
            assert sum(asked) < a.count() + b.count()
            assert (found.polygons(1) ^ pairs.polygons(1)).sized(-2).is_empty()
            assert found.polygons(1).merged().count() == pairs.polygons(1).merged().count()


def counting(real, asked: list[int]):
    """A check that notes how many shapes it was given."""

    def check(a, b, *rest):
        asked.extend((a.count(), b.count()))
        return real(a, b, *rest)

    return check
