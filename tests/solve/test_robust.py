"""Damaged, degenerate and strongly loaded arrays."""

import logging
import subprocess
import sys

import numpy as np
import pytest

from crossstack.solve import ConvergenceError, InputError, solve_crossbar
from crossstack.solve.crossbar.crossbar import choose
from crossstack.solve.crossbar.lines import canonical

WIRES = {"row_segments": 1.0, "column_segments": 1.0}


def devices(rng, *shape, low=1e4, high=1e6):
    return 1 / np.exp(rng.uniform(np.log(low), np.log(high), shape))


def agree(G, v, tol=1e-9, **wiring):
    got = solve_crossbar(G, v, **wiring)
    want = solve_crossbar(G, v, method="direct", **wiring)
    scale = np.abs(want.column_currents).max()
    assert np.abs(got.column_currents - want.column_currents).max() <= tol * scale
    assert np.abs(got.row_voltages - want.row_voltages).max() < 1e-8
    return got


def test_one_percent_opens(rng):
    n = 64
    rows = np.where(rng.random((2, n, n)) < 0.01, np.inf, 1.0)
    cols = np.where(rng.random((n, n)) < 0.01, np.inf, 1.0)
    s = agree(devices(rng, 2, n, n), np.full((2, n), 0.2), row_segments=rows, column_segments=cols)
    assert s.iterations < 60


def test_nearly_open_segments(rng):
    n = 48
    rows = np.where(rng.random((1, n, n)) < 0.05, 1e9, 1.0)
    agree(devices(rng, 1, n, n), np.full((1, n), 0.2), row_segments=rows, column_segments=1.0)


def test_devices_off_or_missing(rng):
    n = 48
    G = devices(rng, 2, n, n)
    G[rng.random(G.shape) < 0.5] = 0.0
    agree(G, np.full((2, n), 0.2), **WIRES)


@pytest.mark.parametrize("ohm", [1.0, 1e-3])
def test_shorts_as_small_resistances(rng, ohm):
    n = 32
    G = devices(rng, 1, n, n)
    G[rng.random(G.shape) < 0.01] = 1 / ohm
    agree(G, np.full((1, n), 0.2), tol=1e-8, **WIRES)


def test_exact_shorts_are_merged(rng):
    G = devices(rng, 2, 6, 6)
    G[0, 2, 3] = np.inf
    s = solve_crossbar(G, np.full((2, 6), 0.2), **WIRES)
    assert s.method == "direct"
    assert s.row_voltages[0, 2, 3] == s.column_voltages[2, 3]
    assert np.isnan(s.device_currents[0, 2, 3])
    near = G.copy()
    near[0, 2, 3] = 1e6
    close = solve_crossbar(near, np.full((2, 6), 0.2), method="direct", **WIRES)
    np.testing.assert_allclose(s.column_currents, close.column_currents, rtol=1e-6)
    assert s.kcl_residual < 1e-9
    with pytest.raises(InputError, match="cannot merge shorted devices"):
        solve_crossbar(G, np.full((2, 6), 0.2), method="line-pcg", **WIRES)


def test_shorted_sources_are_refused():
    with pytest.raises(InputError, match=r"0 ohm joins sources at 0.2 V and 0.0 V"):
        solve_crossbar([[[np.inf]]], [[0.2]], row_segments=0.0, column_segments=0.0)


def test_floating_rows_follow_their_devices(rng):
    G = devices(rng, 2, 8, 8)
    v = np.full((2, 8), 0.2)
    v[0, 3] = np.nan
    s = agree(G, v, **WIRES)
    assert s.row_currents[0, 3] == pytest.approx(0, abs=1e-12)
    assert s.floating == ()  # its devices still hold it
    assert s.row_voltages[0, 3].min() > 0


def test_islands_are_found_pinned_and_named(rng):
    G = devices(rng, 2, 5, 6)
    v = np.full((2, 5), 0.2)
    rows = np.ones((2, 5, 6))
    rows[1, 2, 4] = np.inf  # cells 4, 5 of that row are cut off ...
    G[1, 2, 4:] = 0.0  # ... and hold no device
    s = agree(G, v, row_segments=rows, column_segments=1.0)
    assert s.floating == ("top row 2, cells 4..5",)
    assert (s.row_voltages[1, 2, 4:] == 0).all()


def test_an_island_of_several_lines_is_one_piece(rng):
    G = np.zeros((1, 4, 4))
    G[0, :2, :2] = 1e-4
    G[0, 2:, 2:] = 1e-4
    v = np.array([[0.2, 0.2, np.nan, np.nan]])
    cols = np.ones((4, 4))
    cols[3, 2:] = np.inf  # columns 2, 3 lose their sense end, rows 2, 3 float
    s = agree(G, v, row_segments=1.0, column_segments=cols)
    assert len(s.floating) == 4
    assert (s.column_voltages[:, 2:] == 0).all()
    assert s.column_currents[2] == 0


def test_everything_floating_is_zero():
    s = solve_crossbar(np.full((1, 2, 2), 1e-4), np.full((1, 2), np.nan), **WIRES)
    assert (s.column_currents == 0).all()
    none = solve_crossbar(np.zeros((1, 2, 2)), np.ones((1, 2)), **WIRES)
    assert (none.column_currents == 0).all()
    assert (none.row_voltages == 1).all()


def test_twelve_decades(rng):
    n = 40
    G = 10 ** rng.uniform(-13, -1, (2, n, n))
    agree(G, np.full((2, n), 0.2), tol=1e-8, **WIRES)


def test_nearly_insulating_line_keeps_its_pivots(rng):
    """A floating line with 1e-13 S devices would lose its pivots to subtraction."""
    G = np.full((1, 6, 6), 1e-4)
    G[0, 3] = 1e-13
    v = np.full((1, 6), 0.2)
    v[0, 3] = np.nan
    s = solve_crossbar(G, v, **WIRES)
    # with no other load the line takes the mean of its columns
    expected = s.column_voltages[3].mean()
    assert s.row_voltages[0, 3] == pytest.approx(expected, rel=1e-8)


def test_not_converged_raises_and_says_so(rng):
    G = devices(rng, 1, 40, 40, low=10, high=100)
    with pytest.raises(ConvergenceError, match=r"line-pcg \(numba\) did not reach tol"):
        solve_crossbar(G, np.ones((1, 40)), method="line-pcg", max_iterations=3, **WIRES)
    with pytest.raises(ConvergenceError, match="numpy"):
        solve_crossbar(
            G, np.ones((1, 40)), method="line-pcg", engine="numpy", max_iterations=3, **WIRES
        )


def test_auto_falls_back_to_direct_on_small_arrays(rng, caplog):
    G = devices(rng, 1, 40, 40, low=10, high=100)
    with caplog.at_level(logging.INFO, logger="crossstack"):
        s = solve_crossbar(G, np.ones((1, 40)), max_iterations=3, **WIRES)
    assert s.method == "direct"
    assert "did not reach tol" in caplog.text


@pytest.mark.parametrize("shape", [(1, 260, 260), (2, 131, 290)])
def test_multigrid_on_strong_load(rng, shape):
    G = devices(rng, *shape, low=100, high=1e4)
    v = rng.uniform(0, 1, shape[:2])
    wiring = {
        "row_segments": rng.uniform(0.5, 2, shape),
        "column_segments": rng.uniform(0.5, 2, shape[1:]),
    }
    line = solve_crossbar(G, v, method="line-pcg", **wiring)
    grid = solve_crossbar(G, v, method="multigrid", **wiring)
    assert grid.method == "multigrid-pcg (numba)"
    assert grid.iterations <= 15 < line.iterations
    scale = np.abs(line.column_currents).max()
    assert np.abs(line.column_currents - grid.column_currents).max() < 2e-9 * scale


@pytest.mark.parametrize("shape", [(1, 403, 420), (2, 400, 400)])
def test_the_first_guess_changes_nothing_but_the_iterations(rng, shape, monkeypatch):
    from crossstack.solve.crossbar.engine_numba import NumbaEngine

    G = devices(rng, *shape)
    v = rng.uniform(-0.5, 1, shape[:2])
    wiring = {"row_segments": rng.uniform(0.5, 2, shape), "column_segments": 1.0}
    guessed = solve_crossbar(G, v, method="line-pcg", **wiring)
    monkeypatch.setattr(NumbaEngine, "guesses", False)
    plain = solve_crossbar(G, v, method="line-pcg", tol=1e-12, **wiring)
    scale = np.abs(plain.column_currents).max()
    assert np.abs(guessed.column_currents - plain.column_currents).max() < 1e-9 * scale
    assert guessed.kcl_residual < 1e-8
    assert guessed.iterations < plain.iterations


def test_auto_chooses_by_load(rng):
    easy = devices(rng, 1, 300, 300)
    assert "line-pcg" in solve_crossbar(easy, np.ones((1, 300)), **WIRES).method
    damaged = np.where(rng.random(easy.shape) < 0.01, 1e3, easy)  # shorts are no load
    assert "line-pcg" in solve_crossbar(damaged, np.ones((1, 300)), **WIRES).method
    assert "multigrid" in solve_crossbar(300 * easy, np.ones((1, 300)), **WIRES).method


def test_power_of_two_and_odd_blocks(rng):
    for shape in ((1, 8, 256), (2, 9, 256), (1, 300, 301)):
        G = devices(rng, *shape)
        agree(G, np.ones(shape[:2]), **WIRES)


def test_importing_the_room_is_cheap_and_loads_no_numba():
    code = (
        "import sys, time; t = time.perf_counter(); import crossstack.solve; "
        "print(time.perf_counter() - t); "
        "print([m for m in ('numba', 'scipy', 'klayout', 'gdsfactory') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    took, loaded = run.stdout.splitlines()
    assert float(took) < 0.3
    assert loaded == "[]"


def test_works_without_numba():
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "import crossstack.solve.crossbar.crossbar as c\n"
        "c.find_spec = lambda name: None\n"
        "s = c.solve_crossbar([[[1e-4, 1e-4]]], [[1.0]], row_segments=1.0, column_segments=1.0)\n"
        "print(s.method, s.column_currents.sum())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("line-pcg (numpy) 0.000199")


def test_every_public_name_is_there():
    import crossstack.solve as room

    for name in room.__all__:
        assert getattr(room, name) is not None
    assert set(room.__all__) == {name for names in room._HOME.values() for name in names}
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        room.nonsense  # noqa: B018


@pytest.mark.parametrize("engine", ["numba", "numpy"])
@pytest.mark.parametrize("shifted", [False, True])
def test_a_solve_starts_from_the_last_answer(rng, engine, shifted):
    """It ends at the same currents in fewer steps, and at its own drive, not the last one's."""
    n, tol = 24, 1e-11
    G, v, vs = devices(rng, 2, n, n, low=1e3), rng.uniform(0, 0.2, (1, 2, n)), np.zeros((1, n))
    ends = {"drive_resistance": 0.0, "sense_resistance": 0.0}
    lines = canonical(G, **WIRES, **ends, row_drive="left", column_sense="bottom")
    drive = {"tol": tol, "limit": 500, "keep": True}
    start = choose(lines, "line-pcg", engine).solve(v, vs, **drive)
    near = choose(lines.with_devices(G * (1 + 1e-4 * rng.random(G.shape))), "line-pcg", engine)
    drive["shift"] = 1e-4 * rng.random(G.shape) if shifted else None
    cold, warm = near.solve(v, vs, **drive), near.solve(v, vs, start=start, **drive)
    assert 0 < warm.iterations < cold.iterations
    most = np.abs(cold.col_amps).max()
    assert np.abs(warm.col_amps - cold.col_amps).max() < 4 * tol * most
    other = near.solve(2 * v, vs, start=start, **drive)
    wanted = near.solve(2 * v, vs, **drive)
    assert np.abs(other.col_amps - wanted.col_amps).max() < 4 * tol * 2 * most
