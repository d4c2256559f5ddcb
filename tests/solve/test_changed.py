"""Few changed devices of an array that is solved already, against direct solves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossstack.solve import (
    DriveError,
    InputError,
    Solved,
    network_matrix,
    prepare_crossbar,
    prepare_network,
    solve_crossbar,
)
from crossstack.solve.network import changed
from crossstack.solve.study import guess

WIRES = {"row_segments": 7.0, "column_segments": 11.0, "drive_resistance": 40.0}
SHAPE = (2, 6, 9)


def direct(siemens):
    """Effective matrix by one direct solve an input."""
    volts = np.eye(12).reshape(12, 2, 6)
    return solve_crossbar(siemens, volts, method="direct", **WIRES).column_currents.T


@pytest.fixture(scope="module")
def arrays():
    """The same array by chains and by blocks."""
    with pytest.MonkeyPatch.context() as patch:
        found = []
        for least in (1, 10_000):
            patch.setattr(guess, "FROM_DEVICES", least)
            found.append(prepare_crossbar(SHAPE, **WIRES))
    assert found[0].exact
    assert not found[1].exact
    return found


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    counts=st.lists(st.integers(0, 5), min_size=1, max_size=3),
    by=st.integers(0, 1),
    extreme=st.booleans(),
)
def test_random_changes_give_the_direct_solve(arrays, seed, counts, by, extreme):
    rng = np.random.default_rng(seed)
    siemens = np.exp(rng.uniform(np.log(1e-6), np.log(1e-3), SHAPE))
    solved = Solved(arrays[by], siemens)
    for count in counts:
        flat = rng.choice(siemens.size, count, replace=False)
        new = np.exp(rng.uniform(np.log(1e-7), np.log(1e-2), count))
        if extreme and count:
            new[0] = 0.0  # a device is taken out
        at = np.unravel_index(flat, SHAPE)
        siemens[at] = new
        solved = solved.changed(*at, new)
        want = direct(siemens)
        assert np.abs(solved.matrix - want).max() <= 1e-9 * np.abs(want).max()
        assert np.array_equal(solved.conductances, siemens)
    volts = rng.uniform(-0.2, 0.2, (3, 12))
    want = solve_crossbar(siemens, volts.reshape(3, 2, 6), tol=1e-12, **WIRES).column_currents
    assert np.abs(solved.currents(volts) - want).max() <= 1e-9 * np.abs(want).max()


@pytest.mark.parametrize("mode", ["expansion", "deep-net"])
def test_extracted_arrays_with_voltages_elsewhere(make_array, rng, mode):
    options = {"read_tier": "top", "write_column": 1} if mode == "deep-net" else {}
    network = make_array(9, 9, macro=True)
    array = prepare_network(network, mode=mode, series={"switch_ohm": 900.0}, **options)
    siemens = np.exp(rng.uniform(np.log(1e-6), np.log(1e-3), (2, 9, 9)))
    solved = Solved(array, siemens)
    at = (np.array([1, 1, 0]), np.array([3, 4, 5]), np.array([0, 7, 1]))
    siemens[at] = 3e-4, 1e-6, 5e-5
    found = solved.changed(*at, siemens[at])
    want = network_matrix(network, siemens, mode=mode, series={"switch_ohm": 900.0}, **options)
    assert np.abs(found.matrix - want.matrix).max() <= 1e-9 * np.abs(want.matrix).max()
    assert np.allclose(found.constant, array.constant(siemens), rtol=1e-9, atol=1e-16)
    assert np.abs(solved.matrix - found.matrix).max() > 1e-3 * np.abs(want.matrix).max()


def test_what_is_not_small_is_solved_anew(arrays, monkeypatch):
    siemens = np.full(SHAPE, 1e-5)
    solved = Solved(arrays[0], siemens)
    assert solved.anew
    few = solved.changed([0, 1], [1, 1], [2, 3], 5e-5)
    assert (few.anew, few.changes) == (False, 2)
    assert few.changed([0], [1], [2], 5e-5).changes == 2  # it has that one
    assert few.changed(0, 0, np.arange(9), 2e-5).anew
    gone = few.changed(1, 1, 3, 0.0)
    assert not gone.anew
    assert gone.changed(1, 1, 3, 1e-5).anew  # no ampere flows beside what does not conduct
    monkeypatch.setattr(changed, "MOST_CHANGES", 2)
    assert few.changed(0, 0, 0, 1e-4).anew
    monkeypatch.setattr(changed, "WORST", 1.0 + 1e-9)
    assert solved.changed([0, 0], [1, 1], [2, 3], 1e-2).anew


@pytest.mark.parametrize(
    ("places", "siemens", "words"),
    [
        (([0], [0], [9]), 1e-5, "within"),
        (([-1], [0], [0]), 1e-5, "within"),
        (([0, 0], [1, 1], [1, 1]), 1e-5, "twice"),
        (([0], [0], [0]), np.nan, "not finite"),
        (([0], [0], [0]), -1.0, "negative"),
        (([0, 1], [0, 1, 2], [0]), 1e-5, "shapes"),
    ],
)
def test_wrong_changes_are_refused(arrays, places, siemens, words):
    with pytest.raises(DriveError, match=words):
        Solved(arrays[1], np.full(SHAPE, 1e-5)).changed(*places, siemens)


@pytest.mark.parametrize(
    ("places", "siemens", "words"),
    [
        (([0.5], [0], [0]), 1e-5, "tiers holds float64 values, allowed: whole numbers"),
        (([0], [True], [0]), 1e-5, "rows holds bool values, allowed: whole numbers"),
        (([0], [0], "x"), 1e-5, "cols holds <U1 values"),
        (([0], [0], [0]), 1e-5 + 0j, "siemens holds complex128 values, allowed: real"),
        (([0], [0], [0]), "x", "siemens holds <U1"),
        (([0], [0], [0]), None, "siemens holds object"),
        (([[0], [0, 1]], [0], [0]), 1e-5, "tiers is ragged"),
    ],
)
def test_other_kinds_are_refused(arrays, places, siemens, words):
    with pytest.raises(InputError, match=words):
        Solved(arrays[1], np.full(SHAPE, 1e-5)).changed(*places, siemens)


def test_nothing_changes_nothing_and_one_vector_is_one(arrays):
    solved = Solved(arrays[1], np.full(SHAPE, 1e-5))
    same = solved.changed([], [], [], [])
    assert np.array_equal(same.matrix, solved.matrix)
    v = np.linspace(0.0, 0.2, 12)
    assert np.array_equal(solved.currents(v), solved.currents(v[None])[0])
    with pytest.raises(DriveError, match="voltages have shape"):
        solved.currents(v[:-1])
    with pytest.raises(InputError, match="voltages holds complex128"):
        solved.currents(v + 0j)
    with pytest.raises(InputError, match="array is a NoneType"):
        Solved(None, np.full(SHAPE, 1e-5))
    with pytest.raises(InputError, match="conductances holds <U1"):
        Solved(arrays[1], "x")
