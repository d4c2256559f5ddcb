"""The mesh of a piece says what its field does, whatever order the ports come in."""

from __future__ import annotations

import klayout.db as db
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crossstack.extract.sheet.field import SheetPort, sheet_impedance
from crossstack.extract.sheet.synthesis import Edge, synthesise

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
