"""Newton's step of transistors in series: compiled and by NumPy, the same."""

from types import SimpleNamespace

import numpy as np
import pytest

from crossstack.analyse.on_resistance import OnResistance
from crossstack.pdk import get_tech
from crossstack.solve.crossbar.compiled import has_numba
from crossstack.solve.network.ends import Ends
from crossstack.solve.study import in_series

OUTPUTS = 7


def ends(rng, count):
    """Devices of which some feed no output, and others by a share."""
    return Ends(
        shape=(1, 1, count), place=np.zeros((3, count), dtype=np.int64), inputs=("in",),
        outputs=tuple(map(str, range(OUTPUTS))), source=np.zeros(count, dtype=np.int64),
        sink=rng.integers(-1, OUTPUTS, count), gain=np.ones(count), part=rng.uniform(0, 1, count),
        offset=np.zeros(count), rest=rng.uniform(0, 1e-3, OUTPUTS),
    )  # fmt: skip


@pytest.mark.skipif(not has_numba(), reason="numba does not work here")
@pytest.mark.parametrize("process", ["gf180mcuD", "sky130"])
@pytest.mark.parametrize("seed", range(4))
def test_both_ways_take_the_same_steps(process, seed, monkeypatch):
    """Over voltages beyond the table's ends, both types, several sizes in any order and by tier."""
    rng, count = np.random.default_rng(seed), 5000 if seed else 40_000
    sizes = [rng.choice(choice, count) for choice in ((2.0, 3.0, 20.0), (0.5, 0.6))]
    is_p = rng.random(count) < 0.5
    if seed % 2:
        order = np.lexsort([*sizes, is_p])
        sizes, is_p = [size[order] for size in sizes], is_p[order]
    table = OnResistance(get_tech(process=process), *sizes, is_p)
    siemens = 10.0 ** rng.uniform(-7, -3, count) * (rng.random(count) < 0.9)
    taps = rng.uniform(0, 100, (2, count))
    ohm = 10.0 ** rng.uniform(3, 9, count)
    chains = SimpleNamespace(array=ends(rng, count), tap=taps.sum(0))
    # far apart, and so near to each other that hardly anything moves
    far = [tuple(rng.uniform(-0.5, 4.0, (2, count))) for _ in range(4)]
    several = [*far, tuple(line + 1e-6 for line in far[-1]), far[-1]]
    found = []
    for compiled in (True, False):
        monkeypatch.setattr(in_series, "has_numba", lambda compiled=compiled: compiled)
        branches = in_series._Branches(table, chains, siemens, taps[0], ohm.copy())
        told = [branches.step(lines, summed=k != 1) for k, lines in enumerate(several)]
        assert told[1] is None
        sums, new = zip(*(pair for pair in told if pair), strict=True)
        found.append((branches.ohm, branches.through, np.array(sums), np.array(new)))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    assert (found[0][0] != ohm).all()


@pytest.mark.skipif(not has_numba(), reason="numba does not work here")
def test_what_is_no_number_stays_none(monkeypatch):
    """A line without a voltage is never taken for a transistor that conducts."""
    count = 600
    table = OnResistance(
        get_tech(), np.full(count, 2.0), np.full(count, 0.6), np.zeros(count, dtype=bool)
    )
    chains = SimpleNamespace(array=ends(np.random.default_rng(0), count), tap=np.zeros(count))
    lines = np.full(count, 0.2), np.zeros(count)
    lines[0][5] = np.nan
    for compiled in (True, False):
        monkeypatch.setattr(in_series, "has_numba", lambda compiled=compiled: compiled)
        branches = in_series._Branches(
            table, chains, np.full(count, 1e-4), np.zeros(count), np.full(count, 1e3)
        )
        branches.step(lines, summed=False)
        assert np.flatnonzero(np.isnan(branches.ohm)).tolist() == [5]
        assert np.flatnonzero(np.isnan(branches.through)).tolist() == [5]
