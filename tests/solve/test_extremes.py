"""Conductances that lie far apart, and processes without the compiled kernels."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from crossstack.solve import InputError, NetworkBuilder, solve_crossbar, solve_network
from crossstack.solve.crossbar import compiled, engine_numba

OPEN = np.inf


def zero_at(place: int) -> np.ndarray:
    segments = np.ones((300, 1))
    segments[place] = 0.0
    return segments


@pytest.mark.parametrize("place", [-1, 150])
def test_ideal_column_pieces_keep_multigrid_away(rng, place):
    G = 10 ** rng.uniform(-4, -2, (1, 300, 300))
    wires = {"row_segments": 1.0, "column_segments": zero_at(place)}
    v = np.full((1, 300), 0.2)
    got = solve_crossbar(G, v, **wires)
    want = solve_crossbar(G, v, method="direct", **wires)
    assert got.method == "line-pcg (numba)"
    scale = np.abs(want.column_currents).max()
    assert np.abs(got.column_currents - want.column_currents).max() < 1e-9 * scale
    with pytest.raises(InputError, match="'multigrid' takes no column segments or terminals of 0"):
        solve_crossbar(G, v, method="multigrid", **wires)


@pytest.mark.parametrize(
    ("G", "rows", "columns", "amps"),
    [
        # the upper device hangs on a cut column: nothing of it may leak into the sum
        ([[[0.1], [1e-12]]], [[[1.0], [0.0]]], [[OPEN], [0.0]], 1e-12),
        ([[[1e12]]], 1e9, 1e-12, 1e-9),
        # 1 V behind 1 Gohm each, into a column that is held by 1 Gohm
        ([[[1e-4], [1e12]]], 1e9, 1e9, 5.99999600000048e-10),
    ],
)
def test_small_currents_beside_large_conductances(G, rows, columns, amps):
    got = solve_crossbar(
        G, np.ones((1, len(G[0]))), row_segments=rows, column_segments=columns
    )  # fmt: skip
    assert got.column_currents == pytest.approx([amps], rel=1e-9)


def test_no_voltage_above_the_sources():
    got = solve_crossbar(
        [[[0.1], [1e-13]]], [[1.0, 1.0]],
        row_segments=[[[OPEN], [0.0]]], column_segments=[[1.0], [OPEN]],
    )  # fmt: skip
    assert got.row_voltages == pytest.approx(1.0, rel=1e-12)
    assert got.column_voltages == pytest.approx(1.0, rel=1e-12)
    assert got.column_currents == pytest.approx([0.0], abs=1e-25)


def test_row_currents_are_exact_over_twelve_decades(rng):
    G = 10 ** rng.uniform(-13, -1, (2, 6, 5))
    v = rng.uniform(-1, 1, (2, 6))
    G[0, 2] = 1e-13  # a row that carries next to nothing
    got = solve_crossbar(G, v, method="direct", row_segments=1e-3, column_segments=1e-3)
    assert got.row_currents == pytest.approx(np.nansum(got.device_currents, axis=2), rel=1e-12)
    assert got.row_currents.sum() == pytest.approx(got.column_currents.sum(), rel=1e-9)


def test_each_vector_is_judged_by_its_own_current(rng):
    G = 10 ** rng.uniform(-6, -4, (1, 40, 30))
    v = rng.uniform(0, 1, (20, 1, 40))
    v[7] *= 1e-9
    got = solve_crossbar(G, v, row_segments=10.0, column_segments=10.0)
    alone = solve_crossbar(G, v[7], method="direct", row_segments=10.0, column_segments=10.0)
    assert got.column_currents[7] == pytest.approx(alone.column_currents, rel=1e-8)
    assert got.balance < 1e-9


def divider(pieces: int, ohm: float) -> NetworkBuilder:
    """Two devices with a floating wire of many pieces between them."""
    builder = NetworkBuilder()
    for name in ("P", "G"):
        builder.port(name, builder.node(name))
    wire = [builder.node(f"x{k}") for k in range(pieces)]
    for a, b in pairwise(wire):
        builder.resistor(a, b, ohm, layer="M", net="x")
    builder.memristor(0, 0, 0, builder.node("P"), wire[0])
    builder.memristor(0, 0, 1, wire[-1], builder.node("G"))
    return builder


@pytest.mark.parametrize("pieces", [2, 10, 1000])
@pytest.mark.parametrize("ohm", [1e-3, 10.0])
@pytest.mark.parametrize("siemens", [1e-9, 1e-12])
def test_a_floating_wire_between_weak_devices(pieces, ohm, siemens):
    network = divider(pieces, ohm).build()
    got = solve_network(
        network, conductances=[[[siemens, siemens]]], port_voltages={"P": 1.0, "G": 0.0}
    )
    amps = 1 / (2 / siemens + ohm * (pieces - 1))
    assert got.port_currents["P"] == pytest.approx(amps, rel=1e-12)
    assert got.port_currents["G"] == pytest.approx(-amps, rel=1e-12)
    assert got.device_currents == pytest.approx(amps, rel=1e-12)
    assert got.kcl_residual < 1e-9


def test_iterations_in_small_parts_change_no_bit(rng, monkeypatch):
    G = 10 ** rng.uniform(-4, -2, (1, 30, 40))
    v = rng.uniform(0, 1, (5, 1, 30))

    def solve():
        return [
            solve_crossbar(G, w, method="line-pcg", row_segments=1.0, column_segments=1.0)
            for w in (v[0], v)
        ]

    whole = solve()
    monkeypatch.setattr(engine_numba, "CHUNK", 1)
    for one, other in zip(whole, solve(), strict=True):
        assert one.iterations == other.iterations > 3
        np.testing.assert_array_equal(one.column_voltages, other.column_voltages)


# ------------------------------------------------------------------ without the kernels


SOLVE = (
    "import numpy as np\n"
    "from crossstack.solve import solve_crossbar\n"
    "def solve(seed):\n"
    "    G = np.random.default_rng(seed).uniform(1e-6, 1e-4, (1, 20, 20))\n"
    "    s = solve_crossbar(G, np.ones((1, 20)), row_segments=1.0, column_segments=1.0)\n"
    "    return s.method, float(s.column_currents.sum())\n"
)


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SOLVE + code],
        env={**os.environ, **environment},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_fork_solves_with_numpy_and_says_so():
    ran = run(
        "import multiprocessing as mp\n"
        "here = [solve(k) for k in range(3)]\n"
        "with mp.get_context('fork').Pool(2) as pool:\n"
        "    there = pool.map(solve, range(3))\n"
        "assert {m for m, _ in here} == {'line-pcg (numba)'}, here\n"
        "assert {m for m, _ in there} == {'line-pcg (numpy)'}, there\n"
        "assert np.allclose([a for _, a in here], [a for _, a in there], rtol=1e-9)\n"
    )
    assert ran.returncode == 0, ran.stderr
    assert "start processes by 'spawn' or 'forkserver'" in ran.stderr


def test_threads_take_turns_on_numbas_own_pool():
    ran = run(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    found = list(pool.map(solve, [k % 4 for k in range(64)]))\n"
        "assert found[:4] * 16 == found\n",
        NUMBA_THREADING_LAYER="workqueue",
    )
    assert ran.returncode == 0, ran.stderr


def test_numba_that_does_not_work_is_named_and_left(monkeypatch, caplog):
    def broken(name: str, package: str) -> None:
        raise RuntimeError("cannot cache function 'pivot': no locator available")

    monkeypatch.setattr(compiled, "import_module", broken)
    compiled._engine.cache_clear()
    try:
        got = solve_crossbar([[[1e-4]]], [[1.0]], row_segments=1.0, column_segments=1.0)
        with pytest.raises(InputError, match="numba cannot be used here"):
            solve_crossbar(
                [[[1e-4]]], [[1.0]], row_segments=1.0, column_segments=1.0, engine="numba"
            )
    finally:
        compiled._engine.cache_clear()
    assert got.method == "line-pcg (numpy)"
    assert "no locator available" in caplog.text


def test_a_cold_cache_is_announced(tmp_path):
    ran = run("import crossstack.solve.crossbar.engine_numba\n", NUMBA_CACHE_DIR=str(tmp_path))
    assert "compiling the solver's kernels, once" in ran.stderr
    assert ran.returncode == 0
