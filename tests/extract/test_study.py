"""Accuracy of the resistance engine: test patterns x {hand, square counting, tesselation, ours}."""

from __future__ import annotations

import klayout.db as db
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossstack.extract.field import SheetPort, sheet_impedance
from crossstack.extract.pex import pex_squares
from crossstack.extract.study import PATTERNS, Pattern, accuracy, accuracy_table
from crossstack.extract.synthesis import synthesise
from crossstack.extract.wire import WireSolver


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.name)
def test_ours_is_within_a_tenth_of_a_percent(pattern: Pattern) -> None:
    row = accuracy(pattern)
    assert abs(row.error("ours")) < 1e-3
    # two independent discretisations: fine triangles, and a grid; patches differ by design
    if "via" not in pattern.name:
        assert abs(row.error("fine")) < 5e-3


def test_the_others_are_not() -> None:
    """The reason for an engine of our own: both methods of the library miss 1 % somewhere."""
    table = accuracy_table()
    assert max(abs(row.error("square")) for row in table) > 0.1
    assert max(abs(row.error("tesselation")) for row in table) > 0.1


def test_angled_shapes_go_through_tesselation() -> None:
    """A line at 45 degrees: ten squares."""
    side = 7071
    band = db.Polygon(
        [
            db.Point(0, 0),
            db.Point(side, side),
            db.Point(side - 707, side + 707),
            db.Point(-707, 707),
        ]
    )
    solver = WireSolver()
    ports = [
        SheetPort((-100, 200, 100, 400)),
        SheetPort((side - 500, side, side - 300, side + 200)),
    ]
    wire = solver.solve(band, ports)
    assert solver.angled == 1
    assert wire.edges[0].squares == pytest.approx(10, rel=0.1)


boxes = st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 6), st.integers(1, 6)).map(
    lambda b: (500 * b[0], 500 * b[1], 500 * (b[0] + b[2]), 500 * (b[1] + b[3]))
)


@settings(max_examples=25, deadline=None)
@given(st.lists(boxes, min_size=1, max_size=5), st.data())
def test_any_shape_is_reciprocal_and_passive(rects, data) -> None:
    """Random Manhattan shapes with random patches."""
    region = db.Region([db.Box(*b) for b in rects]).merged()
    polygon = next(region.each())
    inside = [b for b in rects if polygon.inside(db.Box(*b).center())]
    k = data.draw(st.integers(2, 5))
    ports = []
    for _ in range(k):
        b = data.draw(st.sampled_from(inside))
        x = data.draw(st.integers(b[0] // 50, (b[2] - 250) // 50)) * 50
        y = data.draw(st.integers(b[1] // 50, (b[3] - 250) // 50)) * 50
        ports.append(SheetPort((x, y, x + 250, y + 250)))
    z = sheet_impedance(polygon, ports)
    assert np.allclose(z, z.T)
    assert np.linalg.eigvalsh(z).min() > -1e-9
    wire = WireSolver().solve(polygon, ports)
    assert all(e.squares >= 0 for e in wire.edges)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 7), st.integers(0, 2**31))
def test_synthesised_networks_are_passive(k: int, seed: int) -> None:
    """Any positive definite matrix becomes resistors that are all positive."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(k - 1, k + 1))
    n, edges = synthesise(a @ a.T + 0.1 * np.eye(k - 1), [])
    assert n >= k
    assert all(np.isfinite(e.squares) and e.squares >= 0 for e in edges)


def test_the_two_klayout_methods_agree_with_the_hand_on_a_line() -> None:
    line = db.Polygon(db.Box(0, 0, 10_000, 500))
    ports = [SheetPort((0, 0, 0, 500)), SheetPort((10_000, 0, 10_000, 500))]
    for method in ("square", "tesselation"):
        assert pex_squares(line, ports, method)[0, 0] == pytest.approx(20, rel=1e-3)
