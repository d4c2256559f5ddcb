import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossstack.solve import InputError, effective_matrix, solve_crossbar

WIRES = {"row_segments": 1.0, "column_segments": 1.0}


def devices(rng, *shape, low=1e4, high=1e6):
    return 1 / np.exp(rng.uniform(np.log(low), np.log(high), shape))


def error(got, want):
    return np.abs(got - want).max() / np.abs(want).max()


def layouts(rng, T, n, m):
    """Every kind of wiring: name -> keyword arguments."""
    return {
        "plain": dict(WIRES),
        "segments": {
            "row_segments": rng.uniform(0.5, 3, (T, n, m)),
            "column_segments": rng.uniform(0.5, 3, (n, m)),
            "drive_resistance": rng.uniform(1, 30, (T, n)),
            "sense_resistance": rng.uniform(1, 30, m),
        },
        "both ends": {
            "row_segments": rng.uniform(0.5, 3, (T, n, m + 1)),
            "column_segments": rng.uniform(0.5, 3, (n + 1, m)),
            "row_drive": "both",
            "column_sense": "both",
        },
        "far ends": {
            "row_segments": rng.uniform(0.5, 3, (T, n, m)),
            "column_segments": rng.uniform(0.5, 3, (n, m)),
            "row_drive": "right",
            "column_sense": "top",
        },
        "ideal rows": {"row_segments": 0.0, "column_segments": 2.0},
        "ideal columns": {"row_segments": 2.0, "column_segments": 0.0},
        "some ideal": {
            "row_segments": np.where(rng.random((T, n, m)) < 0.4, 0.0, 1.5),
            "column_segments": np.where(rng.random((n, m)) < 0.4, 0.0, 1.5),
            "row_drive": "right",
        },
        "opens": {
            "row_segments": np.where(rng.random((T, n, m)) < 0.1, np.inf, 1.5),
            "column_segments": np.where(rng.random((n, m)) < 0.1, np.inf, 1.5),
        },
    }


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 1, 7), (2, 7, 1), (1, 9, 16), (2, 23, 17)])
@pytest.mark.parametrize("name", list(layouts(np.random.default_rng(0), 1, 2, 2)))
def test_every_engine_agrees_with_the_direct_solve(rng, shape, name):
    G = devices(rng, *shape)
    v = rng.uniform(-0.1, 0.2, shape[:2])
    wiring = layouts(rng, *shape)[name]
    want = solve_crossbar(G, v, method="direct", **wiring)
    assert want.method == "direct"
    for engine in ("numba", "numpy"):
        got = solve_crossbar(G, v, engine=engine, **wiring)
        assert engine in got.method
        if not want.column_currents.any():
            assert not got.column_currents.any()
            continue
        assert error(got.column_currents, want.column_currents) < 1e-9
        assert error(got.row_currents, want.row_currents) < 1e-8
        assert np.abs(got.row_voltages - want.row_voltages).max() < 1e-10
        assert np.abs(got.column_voltages - want.column_voltages).max() < 1e-10
        assert np.array_equal(got.floating, want.floating)
        assert got.kcl_residual < 1e-8


def test_two_by_one_by_hand():
    # source - 1 ohm - node - 1 kohm device - column; two rows share the column
    s = solve_crossbar(
        [[[1e-3], [1e-3]]], [[1.0, 1.0]], row_segments=0.0, column_segments=100.0,
        sense_resistance=50.0,
    )  # fmt: skip
    # column: node0 -100- node1 -150- ground
    y = np.linalg.solve([[1e-3 + 0.01, -0.01], [-0.01, 1e-3 + 0.01 + 1 / 150]], [1e-3, 1e-3])
    np.testing.assert_allclose(s.column_voltages[:, 0], y, rtol=1e-12)
    assert s.column_currents[0] == pytest.approx(y[1] / 150, rel=1e-10)
    assert s.power == pytest.approx(s.row_currents.sum())


def test_batch_equals_single_and_superposes(rng):
    for engine in ("numba", "numpy", "auto"):
        G = devices(rng, 2, 11, 13)
        v = rng.uniform(0, 0.2, (37, 2, 11))
        batch = solve_crossbar(G, v, engine=engine, **WIRES)
        assert batch.column_currents.shape == (37, 13)
        assert batch.row_voltages.shape == (37, 2, 11, 13)
        for k in (0, 15, 16, 36):
            one = solve_crossbar(G, v[k], **WIRES)
            assert error(batch.column_currents[k], one.column_currents) < 1e-9
            assert np.abs(batch.row_voltages[k] - one.row_voltages).max() < 1e-11
            assert np.abs(batch.column_voltages[k] - one.column_voltages).max() < 1e-11
        # a wrong first residual would be mended, and cost iterations
        assert batch.iterations <= one.iterations + 1
        assert batch.kcl_residual < 1e-8
        lean = solve_crossbar(G, v, keep_voltages=False, engine=engine, **WIRES)
        assert lean.row_voltages.size == 0
        np.testing.assert_array_equal(lean.column_currents, batch.column_currents)


@pytest.mark.parametrize("shape", [(1, 6, 9), (2, 9, 6), (1, 12, 3)])
def test_effective_matrix_is_the_array(rng, shape):
    G = devices(rng, *shape, low=1e3)
    v = rng.uniform(0, 1, (5, *shape[:2]))
    for wiring in layouts(rng, *shape).values():
        M = effective_matrix(G, **wiring)
        assert M.shape == (shape[2], shape[0] * shape[1])
        want = solve_crossbar(G, v, method="direct", **wiring).column_currents
        assert np.abs(v.reshape(5, -1) @ M.T - want).max() <= 1e-9 * np.abs(want).max()


def test_ngspice_agrees(rng, ngspice):
    T, n, m = 2, 4, 5
    G = devices(rng, T, n, m, low=1e3)
    v = rng.uniform(0, 0.2, (T, n))
    v[1, 2] = np.nan
    for wiring in layouts(rng, T, n, m).values():
        if np.isinf(wiring["row_segments"]).any() or 0 in np.ravel(wiring["row_segments"]):
            continue
        if 0 in np.ravel(wiring["column_segments"]):
            continue
        got = solve_crossbar(G, v, **wiring)
        elements, fixed = spice(G, v, **wiring)
        volts = ngspice(elements, fixed, T * n * m + n * m)
        rows = volts[: T * n * m].reshape(T, n, m)
        cols = volts[T * n * m :].reshape(n, m)
        np.testing.assert_allclose(got.row_voltages, rows, atol=1e-10)
        np.testing.assert_allclose(got.column_voltages, cols, atol=1e-10)


def spice(
    G, v, row_segments, column_segments, drive_resistance=0.0, sense_resistance=0.0,
    row_drive="left", column_sense="bottom",
):  # fmt: skip
    """Written from the docstring of solve_crossbar alone, element by element."""
    T, n, m = G.shape
    both_r, both_c = row_drive == "both", column_sense == "both"
    rs = np.broadcast_to(row_segments, (T, n, m + both_r))
    cs = np.broadcast_to(column_segments, (n + both_c, m))
    rd = np.broadcast_to(drive_resistance, (T, n))
    rg = np.broadcast_to(sense_resistance, (m,))
    row = lambda t, i, j: f"n{(t * n + i) * m + j}"  # noqa: E731
    col = lambda i, j: f"n{T * n * m + i * m + j}"  # noqa: E731
    out, fixed, k = [], {}, 0

    def r(a, b, ohm):
        nonlocal k
        k += 1
        out.append(f"r{k} {a} {b} {float(ohm)!r}")

    for t in range(T):
        for i in range(n):
            src = 10000 + t * n + i
            if not np.isnan(v[t, i]):
                fixed[src] = v[t, i]
                if row_drive in {"left", "both"}:
                    r(f"n{src}", row(t, i, 0), rs[t, i, 0] + rd[t, i])
                if row_drive in {"right", "both"}:
                    r(f"n{src}", row(t, i, m - 1), rs[t, i, -1] + rd[t, i])
            for j in range(m - 1):
                r(row(t, i, j), row(t, i, j + 1), rs[t, i, j if row_drive == "right" else j + 1])
            for j in range(m):
                r(row(t, i, j), col(i, j), 1 / G[t, i, j])
    for j in range(m):
        if column_sense in {"bottom", "both"}:
            r(col(n - 1, j), "0", cs[-1, j] + rg[j])
        if column_sense in {"top", "both"}:
            r(col(0, j), "0", cs[0, j] + rg[j])
        for i in range(n - 1):
            r(col(i, j), col(i + 1, j), cs[i if column_sense == "bottom" else i + 1, j])
    return out, fixed


def test_badcrossbar_agrees(rng):
    badcrossbar = pytest.importorskip("badcrossbar")
    n, m = 12, 9
    G = devices(rng, 1, n, m, low=1e3)
    v = rng.uniform(0, 1, n)
    # badcrossbar drives rows from the left and grounds columns at the bottom, like us
    theirs = badcrossbar.compute(v[:, None], 1 / G[0], r_i_word_line=2.0, r_i_bit_line=3.0)
    ours = solve_crossbar(G, v[None], row_segments=2.0, column_segments=3.0)
    np.testing.assert_allclose(ours.column_currents, np.ravel(theirs.currents.output), rtol=1e-9)
    np.testing.assert_allclose(ours.device_currents[0], theirs.currents.device, rtol=1e-7)


@settings(max_examples=40, deadline=None)
@given(
    T=st.integers(1, 2),
    n=st.integers(1, 12),
    m=st.integers(1, 12),
    decades=st.floats(0, 12),
    wire=st.floats(-3, 3),
    missing=st.floats(0, 0.9),
    seed=st.integers(0, 2**31),
)
def test_invariants(T, n, m, decades, wire, missing, seed):
    rng = np.random.default_rng(seed)
    G = 1e-3 * 10 ** -rng.uniform(0, decades, (T, n, m))
    G[rng.random(G.shape) < missing] = 0
    v = rng.uniform(-1, 1, (T, n))
    wires = {"row_segments": 10**wire, "column_segments": 10 ** -(wire / 2)}
    s = solve_crossbar(G, v, **wires)
    total = s.row_currents.sum()
    biggest = max(np.abs(s.row_currents).max(), np.abs(s.column_currents).max())
    assert abs(total - s.column_currents.sum()) <= 1e-8 * biggest
    # no node lies outside the sources and ground
    low, high = min(v.min(), 0), max(v.max(), 0)
    assert s.row_voltages.min() >= low - 1e-9
    assert s.row_voltages.max() <= high + 1e-9
    assert s.column_voltages.min() >= low - 1e-9
    assert s.column_voltages.max() <= high + 1e-9
    # only ratios of resistances matter
    scaled = solve_crossbar(G / 7, v, **{k: 7 * r for k, r in wires.items()})
    assert np.abs(7 * scaled.column_currents - s.column_currents).max() <= 1e-8 * biggest
    # wires only ever take current away from a positive drive
    up = np.abs(v)
    ideal = np.einsum("tij,ti->j", G, up)
    real = solve_crossbar(G, up, **wires).column_currents
    assert (real <= ideal * (1 + 1e-9) + 1e-9 * biggest).all()
    assert np.isfinite(s.row_voltages).all()


@settings(max_examples=25, deadline=None)
@given(T=st.integers(1, 2), n=st.integers(1, 9), m=st.integers(1, 9), seed=st.integers(0, 2**31))
def test_monotonicity(T, n, m, seed):
    """Rayleigh: no resistance can fall without the total current rising."""
    rng = np.random.default_rng(seed)
    G = 10 ** rng.uniform(-6, -2, (T, n, m))
    wiring = layouts(rng, T, n, m)["segments"]
    v = np.ones((T, n))

    def total(G, **change):
        return solve_crossbar(G, v, **(wiring | change)).column_currents.sum()

    base = total(G)
    slack = 1 + 1e-8
    better = G.copy()
    better[rng.integers(T), rng.integers(n), rng.integers(m)] *= 3
    assert base <= total(better) * slack
    assert total(G, row_segments=2 * wiring["row_segments"]) <= base * slack
    assert total(G, column_segments=2 * wiring["column_segments"]) <= base * slack
    assert total(G, sense_resistance=wiring["sense_resistance"] + 1) <= base * slack


def test_reciprocity_of_the_transfer_matrix(rng):
    """Turning the array around (columns drive, rows sense) transposes the matrix."""
    n, m = 5, 8
    G = devices(rng, 1, n, m)
    M = effective_matrix(G, row_segments=2.0, column_segments=3.0)
    turned = effective_matrix(
        np.ascontiguousarray(G.transpose(0, 2, 1)),
        row_segments=3.0, column_segments=2.0, row_drive="right", column_sense="top",
    )  # fmt: skip
    np.testing.assert_allclose(M, turned.T, rtol=1e-8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conductances": np.ones((2, 2))}, r"conductances have shape \(2, 2\)"),
        ({"conductances": np.ones((3, 2, 2))}, r"conductances have shape \(3, 2, 2\)"),
        ({"conductances": np.ones((1, 0, 2))}, r"conductances have shape \(1, 0, 2\)"),
        ({"conductances": -np.ones((1, 2, 2))}, "tier bottom, row 0, column 0 is -1.0 S"),
        ({"conductances": [[[1, np.nan], [1, 1]]]}, "row 0, column 1 is nan S"),
        ({"voltages": np.ones(2)}, r"voltages have shape \(2,\)"),
        ({"voltages": np.ones((1, 3))}, r"voltages have shape \(1, 3\)"),
        ({"voltages": [[np.inf, 1]]}, "voltages hold inf"),
        ({"row_segments": -1.0}, r"row_segments holds -1.0 ohm"),
        ({"column_segments": np.nan}, "column_segments holds nan ohm"),
        ({"row_segments": np.ones((1, 2, 3))}, r"row_segments has shape \(1, 2, 3\)"),
        ({"column_segments": np.ones((1, 1, 2, 2))}, "column_segments has shape"),
        ({"drive_resistance": [1.0, 2.0, 3.0]}, "drive_resistance has shape"),
        ({"sense_resistance": -2.0}, "sense_resistance holds -2.0"),
        ({"row_drive": "top"}, "row_drive is 'top', allowed: left, right, both"),
        ({"column_sense": "left"}, "column_sense is 'left'"),
        ({"method": "magic"}, "method is 'magic', allowed"),
        ({"engine": "cuda"}, "engine is 'cuda', allowed"),
        ({"tol": 0.0}, "tol is 0.0"),
        ({"max_iterations": 0}, "max_iterations is 0"),
        ({"voltages": [[[1, np.nan]], [[1, 1]]]}, "2 patterns"),
        ({"engine": "numpy", "method": "multigrid"}, "needs numba"),
    ],
)
def test_refusals_name_the_argument(change, message):
    arguments = {"conductances": np.ones((1, 2, 2)), "voltages": np.ones((1, 2)), **WIRES} | change
    with pytest.raises(InputError, match=message):
        solve_crossbar(arguments.pop("conductances"), arguments.pop("voltages"), **arguments)


def test_results_are_read_only(rng):
    s = solve_crossbar(devices(rng, 2, 3, 3), np.ones((2, 3)), **WIRES)
    for array in (s.column_currents, s.row_voltages, s.device_voltages, s.device_currents):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_equal_input_gives_equal_bits_whatever_else_runs(rng, monkeypatch):
    from crossstack.solve.crossbar import engine_numba

    G, v = devices(rng, 1, 410, 410), rng.uniform(0, 1, (1, 410))
    answers = []
    for cores in (1, engine_numba.CORES):
        monkeypatch.setattr(engine_numba, "usable_cores", lambda n=cores: n)
        answers.append(solve_crossbar(G, v, **WIRES))
    np.testing.assert_array_equal(answers[0].column_currents, answers[1].column_currents)
