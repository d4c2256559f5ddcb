"""Our monotone interpolation against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import pchip_interpolate

from crossstack.pdk.pchip import pchip


@pytest.mark.parametrize("points", [2, 3, 4, 9])
@pytest.mark.parametrize("axis", [0, 1])
def test_it_is_that_of_scipy(points, axis):
    rng = np.random.default_rng([points, axis])
    for _ in range(50):
        x = np.cumsum(rng.uniform(0.01, 2.0, points))
        # plateaus and turns, too
        y = np.round(rng.normal(size=(points, 3)), int(rng.integers(0, 4)))
        at = np.sort(rng.uniform(x[0], x[-1], 40))
        at[[0, -1]] = x[0], x[-1]
        if axis:
            got, want = pchip(x, y, at).T, pchip_interpolate(x, y.T, at, axis=1)
        else:
            got, want = pchip(x, y, at), pchip_interpolate(x, y, at, axis=0)
        assert got == pytest.approx(want, rel=1e-12, abs=1e-12)
