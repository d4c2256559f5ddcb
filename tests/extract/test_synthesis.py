"""The mesh of a piece says what its field does, whatever order the ports come in."""

from __future__ import annotations

import klayout.db as db
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossstack.extract.sheet.field import SheetPort, sheet_impedance
from crossstack.extract.sheet.synthesis import Edge, synthesise
from crossstack.pdk import CrossStackError

LONG, WIDE, PATCH = 9_000, 1_000, 800


def between(z: np.ndarray) -> np.ndarray:
    """Squares between any two ports, of impedances against port 0."""
    full = np.zeros((len(z) + 1, len(z) + 1))
    full[1:, 1:] = z
    own = full.diagonal()
    return own[:, None] + own[None, :] - 2 * full


def of_network(count: int, edges: list[Edge], ports: int) -> np.ndarray:
    laplacian = np.zeros((count, count))
    for e in edges:
        g = 1.0 / max(e.squares, 1e-9)
        laplacian[[e.a, e.b], [e.a, e.b]] += g
        laplacian[e.a, e.b] -= g
        laplacian[e.b, e.a] -= g
    return between(np.linalg.inv(laplacian[1:, 1:]))[:ports, :ports]


@st.composite
def bars(draw) -> list[SheetPort]:
    """Patches on a bar, some of them twice a step apart, in any order."""
    at = draw(st.lists(st.integers(1, 10), min_size=4, max_size=7, unique=True))
    ports = [SheetPort((800 * k - 300, 100, 800 * k - 300 + PATCH, 900)) for k in at]
    twice = draw(st.lists(st.sampled_from(at), max_size=2, unique=True))
    ports += [SheetPort((800 * k - 299, 100, 800 * k - 299 + PATCH, 900)) for k in twice]
    return draw(st.permutations(ports))


@given(bars())
@settings(max_examples=25, deadline=None)
def test_patches_on_a_bar_get_no_more_than_their_own_share(ports) -> None:
    """Two ends are exact, any two within the 0.2 squares that a patch's own field takes of each.

    The reference port made up to 2.8 squares of difference.
    """
    z = sheet_impedance(db.Polygon(db.Box(0, 0, LONG, WIDE)), ports)
    field, ours = between(z), of_network(*synthesise(z, []), len(ports))
    assert (ours - field).min() > -3e-3  # a step is a thousandth of a square
    assert (ours - field).max() < 0.4
    ends = np.unravel_index(int(field.argmax()), field.shape)
    assert abs(ours[ends] - field[ends]) < 0.01
    order = np.arange(len(ports))[::-1]
    again = sheet_impedance(db.Polygon(db.Box(0, 0, LONG, WIDE)), [ports[k] for k in order])
    other = of_network(*synthesise(again, []), len(ports))
    assert np.abs(other[np.ix_(order, order)] - ours).max() < 0.01


def shape(kind: str) -> db.Region:
    """A plate, an L, a T and a turned line, 5 to 9 um long."""
    if kind == "plate":
        return db.Region(db.Box(0, 0, 6_000, 4_000))
    if kind == "ell":
        return db.Region([db.Box(0, 0, 6_000, 1_500), db.Box(0, 0, 1_500, 6_000)]).merged()
    if kind == "tee":
        return db.Region([db.Box(0, 0, 8_000, 1_200), db.Box(3_000, 0, 4_200, 5_000)]).merged()
    turned = db.ICplxTrans(1, 7.3, False, 1_000, 0)
    return db.Region(db.Polygon(db.Box(0, 0, 7_000, 1_500)).transformed(turned))


def patches(kind: str, seed: int, overlap: bool) -> tuple[db.Polygon, list[SheetPort]]:
    """Up to 14 squares of 0.22 to 0.9 um anywhere on a shape."""
    region, rng = shape(kind), np.random.default_rng(seed)
    reach, taken, ports = region.bbox(), db.Region(), []
    for _ in range(200):
        wide = int(rng.choice([220, 500, 900]))
        x = int(rng.integers(reach.left, reach.right - wide))
        y = int(rng.integers(reach.bottom, reach.top - wide))
        box = db.Box(x, y, x + wide, y + wide)
        free = overlap or (taken & db.Region(box)).is_empty()
        if free and (db.Region(box) - region).is_empty():
            ports.append(SheetPort((x, y, x + wide, y + wide)))
            taken.insert(box)
    return next(region.each()), ports[:14]


@pytest.mark.parametrize("overlap", [False, True], ids=["apart", "overlapping"])
@pytest.mark.parametrize("kind", ["plate", "ell", "tee", "turned"])
@pytest.mark.parametrize("seed", [1, 2])
def test_patches_anywhere_get_little_in_series(kind: str, overlap: bool, seed: int) -> None:
    """Raising one patch by what a pair takes put 82 squares before overlapping patches."""
    polygon, ports = patches(kind, seed, overlap)
    z = sheet_impedance(polygon, ports)
    field, ours = between(z), of_network(*synthesise(z, []), len(ports))
    assert (ours - field).min() > -3e-3
    assert (ours - field).max() < (1.5 if overlap else 0.8)


def impedances(seed: int, ports: int) -> np.ndarray:
    """Impedances between random places in a random net, each place's own a little too small."""
    rng = np.random.default_rng(seed)
    count = 3 * ports
    g = np.triu(rng.random((count, count)) * (rng.random((count, count)) < 0.2), 1)
    g[np.arange(count - 1), np.arange(1, count)] += 0.5
    g = g + g.T
    z = np.linalg.inv((np.diag(g.sum(axis=1)) - g)[1:, 1:])[:ports, :ports]
    least = float(np.linalg.eigvalsh(z).min())
    return z - 0.8 * least * np.eye(ports)


@given(st.integers(0, 10_000), st.integers(3, 25))
@settings(max_examples=60, deadline=None)
def test_any_impedances_get_resistors_above_zero(seed: int, ports: int) -> None:
    """Whatever the impedances, the network is near them and has no negative resistor."""
    z = impedances(seed, ports)
    count, edges = synthesise(z, [])
    assert all(np.isfinite(e.squares) and e.squares >= 0 for e in edges)
    field, ours = between(z), of_network(count, edges, ports + 1)
    assert (ours - field).min() > -3e-3 * field.max()
    assert (ours - field).max() < 1.5 * field.max()


@given(st.integers(1, 6), st.sampled_from([np.nan, np.inf, -np.inf]), st.integers(0, 35))
@settings(max_examples=30, deadline=None)
def test_what_is_no_number_is_refused(ports: int, value: float, at: int) -> None:
    z = impedances(1, ports)
    z[at % ports, at // 6 % ports] = value
    with pytest.raises(CrossStackError, match="no number"):
        synthesise(z, [])
