"""Factors of matrices of one pattern: each is of its own values, whatever came before."""

import numpy as np
import pytest
from scipy.sparse import coo_matrix, diags

from crossstack.solve.circuit.factors import OrderedFactor, SamePattern


def pattern(rng, n):
    a, b = rng.integers(0, n, (2, 3 * n))
    return a[a != b], b[a != b]


def matrix(rng, n, a, b):
    """A matrix whose diagonal is the sum of its rows and columns, and a bit more."""
    g = rng.uniform(0.1, 10.0, (2, len(a)))
    off = coo_matrix((np.concatenate(g), (np.r_[a, b], np.r_[b, a])), (n, n)).tocsc()
    return (diags(np.asarray(off.sum(axis=0)).ravel() + rng.uniform(0.1, 1.0, n)) - off).tocsc()


@pytest.mark.parametrize("n", [1, 2, 7, 150])
def test_each_factor_is_of_its_own_matrix(rng, n):
    factors, (a, b) = SamePattern(), pattern(rng, n)
    for turn in range(5):
        m = matrix(rng, n, a, b)
        kept = m.copy()
        found = factors.factor(m)
        assert isinstance(found, OrderedFactor) is (turn > 0)
        for right in (rng.normal(size=n), rng.normal(size=(n, 3))):
            np.testing.assert_allclose(m @ found.solve(right), right, atol=1e-9)
        assert np.array_equal(m.indices, kept.indices)
        assert np.array_equal(m.data, kept.data)


def test_another_pattern_is_ordered_anew(rng):
    factors, right = SamePattern(), rng.normal(size=40)
    for a, b in (pattern(rng, 40), pattern(rng, 40)):
        for turn in range(3):
            m = matrix(rng, 40, a, b)
            found = factors.factor(m)
            assert isinstance(found, OrderedFactor) is (turn > 0)
            np.testing.assert_allclose(m @ found.solve(right), right, atol=1e-9)
