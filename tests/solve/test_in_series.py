"""Newton's step of transistors in series: compiled and by NumPy, the same."""

import numpy as np
import pytest

from crossstack.analyse.on_resistance import OnResistance
from crossstack.pdk import get_tech
from crossstack.solve.crossbar.compiled import has_numba
from crossstack.solve.study import in_series


@pytest.mark.skipif(not has_numba(), reason="numba does not work here")
@pytest.mark.parametrize("process", ["gf180mcuD", "sky130"])
@pytest.mark.parametrize("seed", range(4))
def test_both_ways_take_the_same_steps(process, seed, monkeypatch):
    """Over voltages beyond the table's ends, both types, several sizes, slopes new and kept."""
    rng, count = np.random.default_rng(seed), 5000
    sizes = [rng.choice(choice, count) for choice in ((2.0, 3.0, 20.0), (0.5, 0.6))]
    table = OnResistance(get_tech(process=process), *sizes, rng.random(count) < 0.5)
    siemens = 10.0 ** rng.uniform(-7, -3, count) * (rng.random(count) < 0.9)
    taps = rng.uniform(0, 100, (2, count))
    ohm = 10.0 ** rng.uniform(3, 9, count)
    several = [tuple(rng.uniform(-0.5, 4.0, (2, count))) for _ in range(4)]
    found = []
    for compiled in (True, False):
        monkeypatch.setattr(in_series, "has_numba", lambda compiled=compiled: compiled)
        branches = in_series._Branches(table, siemens, taps.sum(0), taps[0], ohm.copy())
        for k, lines in enumerate(several):
            branches.step(lines, slopes=k % 2 == 0)
        found.append((branches.ohm, branches.through, branches.less))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    assert (found[0][0] != ohm).all()
