"""Many vectors at once give what each gives on its own."""

import numpy as np
import pytest

from crossstack.analysis import Stimulus, solve_modes
from crossstack.batch import solve_batch
from crossstack.cells.drawing import to_layout
from crossstack.console import Console
from crossstack.extract import extract_network
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import get_tech
from crossstack.solve import Sinh

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
    assert batch.matrix_error <= off < 3e-3
    assert batch.matrix_error > 1e-6


def test_nonlinear_devices_are_solved_vector_by_vector():
    network = network_of(rows=3, cols=2)
    siemens, vectors = stimulus(network, 3)
    steps = []
    batch = solve_batch(
        network, TECH, siemens, vectors, "expansion", device=Sinh(3.0),
        step=lambda *told: steps.append(told),
    )  # fmt: skip
    console = Console(as_json=True, quiet=True)
    for k, volts in enumerate(vectors):
        done, _ = solve_modes(
            network, TECH, Stimulus(siemens, volts, {}), console, ("expansion",), Sinh(3.0)
        )
        np.testing.assert_allclose(batch.currents[k], done["expansion"].column_currents, rtol=1e-3)
        np.testing.assert_allclose(batch.ideal[k], done["expansion"].ideal_currents, rtol=1e-12)
    assert batch.matrix_error is None
    assert steps == [("vectors", 0, 3), ("vectors", 1, 3), ("vectors", 2, 3)]
