"""Many vectors at once give what each gives on its own."""

import json

import numpy as np
import pytest

from crossstack.analyse.analysis import Stimulus, solve_modes
from crossstack.analyse.batch import solve_batch
from crossstack.analyse.operating import Laws
from crossstack.cells.drawing import to_layout
from crossstack.cli import run
from crossstack.console import Console
from crossstack.extract import extract_network
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import get_tech
from crossstack.solve import Sinh, save_network

TECH = get_tech()


def network_of(**options):
    drawn = build_top(ArraySpec(**options))
    return extract_network(to_layout(drawn.cell, drawn.tech), TECH)


def stimulus(network, vectors=5, seed=4):
    rng = np.random.default_rng(seed)
    tiers = len(network.tiers)
    siemens = 10 ** rng.uniform(-6, -4, (tiers, network.rows, network.cols))
    return siemens, rng.uniform(0, 0.2, (vectors, tiers, network.rows))


def one_by_one(network, siemens, vectors, mode, **options):
    console = Console(as_json=True, quiet=True)
    found = []
    for volts in vectors:
        done, _ = solve_modes(
            network, TECH, Stimulus(siemens, volts, {}), console, (mode,), **options
        )
        found.append(done[mode])
    return np.array([r.column_currents for r in found]), np.array([r.ideal_currents for r in found])


@pytest.mark.parametrize("cell", ["passive", "passive_planar"])
def test_without_transistors_the_map_is_exact(cell):
    network = network_of(rows=4, cols=3, cell=cell)
    siemens, vectors = stimulus(network)
    batch = solve_batch(network, TECH, siemens, vectors, "expansion")
    currents, ideal = one_by_one(network, siemens, vectors, "expansion")
    np.testing.assert_allclose(batch.currents, currents, rtol=1e-9)
    np.testing.assert_allclose(batch.ideal, ideal, rtol=1e-12)
    assert batch.columns == (0, 1, 2)
    assert batch.matrix_error < 1e-9
    assert batch.kcl_residual < 1e-9


@pytest.mark.parametrize("tier", ["bottom", "top"])
def test_deep_net_leaves_the_written_column_out(tier):
    network = network_of(rows=3, cols=4, top="macro")
    siemens, vectors = stimulus(network)
    options = {"read_tier": tier, "write_column": 1}
    batch = solve_batch(network, TECH, siemens, vectors, "deep-net", **options)
    currents, ideal = one_by_one(network, siemens, vectors, "deep-net", **options)
    assert batch.columns == (0, 2, 3)
    np.testing.assert_allclose(batch.ideal, ideal[:, [0, 2, 3]], rtol=1e-12)
    off = np.abs(batch.currents - currents[:, [0, 2, 3]]).max() / ideal.max()
    # one resistance of a transistor for all vectors is not each vector's own
    assert batch.matrix_error <= off * (1 + 1e-9) < 3e-3  # the two may be the same figure
    assert batch.matrix_error > 1e-6


def test_nonlinear_devices_are_solved_vector_by_vector():
    network = network_of(rows=3, cols=2)
    siemens, vectors = stimulus(network, 3)
    steps = []
    batch = solve_batch(
        network, TECH, siemens, vectors, "expansion", laws=Laws(every=Sinh(3.0)),
        step=lambda *told: steps.append(told),
    )  # fmt: skip
    console = Console(as_json=True, quiet=True)
    for k, volts in enumerate(vectors):
        done, _ = solve_modes(
            network,
            TECH,
            Stimulus(siemens, volts, {}),
            console,
            ("expansion",),
            Laws(every=Sinh(3.0)),
        )
        np.testing.assert_allclose(batch.currents[k], done["expansion"].column_currents, rtol=1e-3)
        np.testing.assert_allclose(batch.ideal[k], done["expansion"].ideal_currents, rtol=1e-12)
    assert batch.matrix_error is None
    assert steps == [("vectors", 0, 3), ("vectors", 1, 3), ("vectors", 2, 3)]


def test_solve_takes_many_vectors_and_leaves_their_currents(tmp_path, capsys):
    network = network_of(rows=3, cols=4)
    path = save_network(network, tmp_path / "net.npz")
    _, vectors = stimulus(network, 6)
    np.save(tmp_path / "many.npy", vectors)
    np.savetxt(tmp_path / "many.csv", vectors.reshape(6, -1), delimiter=",")
    np.save(tmp_path / "one.npy", vectors[0])
    tables = []
    for name in ("many.npy", "many.csv"):
        out = tmp_path / f"out_{name}"
        out.mkdir()
        assert run(["solve", str(path), "--inputs", str(tmp_path / name), "-o", str(out)]) == 0
        assert "6 vectors: " in capsys.readouterr().out
        lines = (out / "column_currents.csv").read_text().splitlines()
        assert lines[0].startswith("C[0]_A,")
        tables.append(np.loadtxt(lines[1:], delimiter=","))
        assert "6 vectors: " in (out / "report.html").read_text()
    np.testing.assert_allclose(tables[0], tables[1], rtol=1e-9)
    siemens = np.full((2, 3, 4), 1 / TECH.memristor.r_on_ohm)
    wanted = solve_batch(network, TECH, siemens, vectors, "expansion")
    np.testing.assert_allclose(tables[0][:, :4], wanted.currents, rtol=1e-8)
    np.testing.assert_allclose(tables[0][:, 4:], wanted.ideal, rtol=1e-8)
    assert run(["solve", str(path), "--inputs", str(tmp_path / "one.npy"), "--json"]) == 0
    assert "batch" not in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("shape", "message"),
    [((5, 2, 4), "has shape (5, 2, 4); expected (2, 3)"), ((7,), "has shape (7,)")],
)
def test_vectors_of_another_array_are_refused(tmp_path, capsys, shape, message):
    path = save_network(network_of(rows=3, cols=2), tmp_path / "net.npz")
    np.save(tmp_path / "wrong.npy", np.zeros(shape))
    assert run(["solve", str(path), "--inputs", str(tmp_path / "wrong.npy")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    bad = np.zeros((4, 2, 3))
    bad[2, 1, 0] = np.nan
    np.save(tmp_path / "nan.npy", bad)
    assert run(["solve", str(path), "--inputs", str(tmp_path / "nan.npy")]) == 2
    assert "not a finite number" in capsys.readouterr().err
