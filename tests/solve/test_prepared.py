"""Arrays prepared once, against solves of the network and against differences."""

import copy

import numpy as np
import pytest

from crossstack.solve import (
    DriveError,
    InputError,
    ModeError,
    NetworkError,
    Sinh,
    effective_matrix,
    network_drives,
    network_matrix,
    prepare_crossbar,
    prepare_network,
    solve_crossbar,
    solve_network,
    solve_network_nonlinear,
)
from crossstack.solve.modes.drives import gates_for
from crossstack.solve.network.prepared import Bent, Linear
from crossstack.solve.study import guess, prepare

SERIES = {"switch_ohm": 800.0, "port_ohm": 50.0}


def devices(shape, rng):
    found = np.exp(rng.uniform(np.log(1e-6), np.log(1e-3), shape))
    found[0, 0, 0] = 0.0  # a missing device is one too
    return found


def straight(network, siemens, mode, volts, law=None, **options):
    drives = network_drives(network, mode, volts, **options)
    common = {
        "conductances": siemens,
        "port_voltages": drives.port_voltages,
        "gates": gates_for(network, drives),
        **SERIES,
    }
    if law is None:
        return solve_network(network, **common).port_currents
    return solve_network_nonlinear(network, device=law, **common).port_currents


@pytest.mark.parametrize("law", [None, Sinh(3.0)])
@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("expansion", {}),
        ("expansion", {"tiers": (0,)}),
        ("expansion", {"macro": True}),
        ("expansion", {"select": False}),
        ("deep-net", {}),
        ("deep-net", {"macro": True}),
    ],
)
def test_equals_the_solve(make_array, rng, mode, kind, law):
    network = make_array(5, 4, **kind)
    tiers = max(network.tiers) + 1
    siemens, volts = devices((tiers, 5, 4), rng), rng.uniform(-0.2, 0.2, (tiers, 5))
    options = {"read_tier": "top", "write_column": 2} if mode == "deep-net" else {}
    array = prepare_network(network, mode=mode, series=SERIES, **options)
    given = volts[1:] if mode == "deep-net" else volts
    many = np.stack([given.reshape(-1)] * 7)  # more than outputs: by the matrix
    want = straight(network, siemens, mode, volts, law, **options)
    want = np.array([-want[pin] for pin in array.outputs])
    for vectors in (many[:1], many):
        found = array.currents(siemens, vectors, law)
        assert np.abs(found - want).max() < 1e-11 * np.abs(want).max()
    if law is None:
        table = network_matrix(network, siemens, mode=mode, series=SERIES, **options)
        assert table.inputs == array.inputs
        assert table.outputs == array.outputs
        assert np.allclose(array.matrix(siemens), table.matrix, rtol=1e-9, atol=1e-18)


@pytest.mark.parametrize("ends", [("left", "bottom"), ("right", "top"), ("both", "both")])
@pytest.mark.parametrize("ohm", [0.0, 7.0])
def test_a_crossbar_of_stated_wires(rng, ends, ohm):
    siemens, volts = devices((2, 4, 3), rng), rng.uniform(-0.2, 0.2, (2, 4))
    wires = {
        "row_segments": rng.uniform(0, 9, (2, 4, 3 + (ends[0] == "both"))),
        "column_segments": ohm,
        "drive_resistance": 20.0,
        "sense_resistance": 5.0,
        "row_drive": ends[0],
        "column_sense": ends[1],
    }
    want = solve_crossbar(siemens, volts, tol=1e-12, **wires).column_currents
    found = prepare_crossbar((2, 4, 3), **wires).currents(siemens, volts[None])[0]
    assert np.abs(found - want).max() < 1e-11 * np.abs(want).max()


@pytest.mark.parametrize("least", [1, 1000])
@pytest.mark.parametrize("law", [None, Sinh(3.0)])
def test_devices_with_something_in_series_and_idle_ones(rng, monkeypatch, law, least):
    monkeypatch.setattr(guess, "FROM_DEVICES", least)
    siemens = np.exp(rng.uniform(np.log(1e-6), np.log(1e-3), (2, 5, 6)))
    ohm, live = rng.uniform(0, 2000, (2, 5, 6)), np.ones((2, 5, 6), dtype=bool)
    live[0] = live[:, :, 2] = live[1, 3, 4] = False
    volts = rng.uniform(0, 0.2, (2, 5))
    wires = {"row_segments": 3.0, "column_segments": 5.0, "drive_resistance": 9.0}
    array = prepare_crossbar((2, 5, 6), device_resistance=ohm, computing=live, **wires)
    assert array.inputs == tuple(f"TR[{i}]" for i in range(5))
    assert array.outputs == tuple(f"C[{j}]" for j in range(6) if j != 2)
    found = array.currents(siemens, volts[1:], law)[0]
    used = np.where(live, siemens, 0.0)
    through = used.copy()
    for _ in range(1 if law is None else 60):
        # what device and series make together, found anew until nothing changes
        seen = solve_crossbar(np.where(used > 0, through / (1 + ohm * through), 0.0), volts,
                              tol=1e-12, **wires)  # fmt: skip
        over = seen.device_voltages / (1 + ohm * through)
        if law is not None:
            through = np.where(over != 0, law.current(used, over) / np.where(over, over, 1), used)
    want = np.delete(seen.column_currents, 2)
    assert np.abs(found - want).max() < 1e-9 * np.abs(want).max()
    for wrong in (np.zeros((2, 5, 6), dtype=bool), np.ones((2, 5, 6)), live[:, :4]):
        with pytest.raises(InputError, match="computing is"):
            prepare_crossbar((2, 5, 6), computing=wrong, **wires)
    with pytest.raises(InputError, match="device_resistance holds -1"):
        prepare_crossbar((2, 5, 6), device_resistance=-1.0, **wires)


def test_large_ones_go_by_chains(make_array, rng, monkeypatch):
    monkeypatch.setattr(guess, "FROM_DEVICES", 1)
    network = make_array(6, 5)
    siemens = devices((2, 6, 5), rng)
    array = prepare_network(network, series=SERIES)
    assert array.exact
    table = network_matrix(network, siemens, series=SERIES)
    most = np.abs(table.matrix).max()
    assert np.abs(array.matrix(siemens) - table.matrix).max() < 1e-10 * most
    # the same by the blocks
    slow = copy.copy(array)
    object.__setattr__(slow, "guess", None)
    assert np.abs(array.matrix(siemens) - slow.matrix(siemens)).max() < 1e-10 * most


@pytest.mark.parametrize("shape", [(1, 3, 9), (2, 9, 4)])
def test_matrices_of_wide_and_tall_arrays(rng, monkeypatch, shape):
    monkeypatch.setattr(guess, "FROM_DEVICES", 1)
    siemens, wires = devices(shape, rng), {"row_segments": 3.0, "column_segments": 5.0}
    array = prepare_crossbar(shape, device_resistance=90.0, **wires)
    want = effective_matrix(siemens / (1 + 90.0 * siemens), tol=1e-12, **wires)
    assert np.abs(array.matrix(siemens) - want).max() < 1e-10 * want.max()
    assert not array.constant(siemens).any()


@pytest.mark.parametrize("kind", [{}, {"macro": True}, {"tiers": (0,)}, {"select": False}])
@pytest.mark.parametrize("law", [Sinh(3.0), Sinh(20.0)])
def test_large_ones_of_a_law_go_by_chains(make_array, rng, monkeypatch, law, kind):
    monkeypatch.setattr(guess, "FROM_DEVICES", 1)
    network = make_array(6, 5, **kind)
    siemens = devices((max(network.tiers) + 1, 6, 5), rng)
    array = prepare_network(network, series=SERIES)
    assert array.exact
    volts, weights = rng.uniform(-0.3, 0.3, (2, len(array.inputs))), rng.normal(size=(2, 5))
    g = array.devices(siemens)
    fast = Bent(array, g, law, volts)
    assert "blocks" not in vars(array)  # of which 512 x 512 x 2 has more than fits
    object.__setattr__(array, "guess", None)
    slow = Bent(array, g, law, volts)
    assert np.abs(fast.amps - slow.amps).max() < 1e-10 * np.abs(slow.amps).max()
    for one, other in zip(fast.gradients(weights), slow.gradients(weights), strict=True):
        assert np.abs(one - other).max() < 1e-9 * np.abs(other).max()


@pytest.mark.parametrize("law", [None, Sinh(3.0)])
@pytest.mark.parametrize("vectors", [2, 9])
def test_gradients_are_those_of_differences(make_array, rng, vectors, law):
    network = make_array(4, 3, macro=True)
    array = prepare_network(network, series=SERIES)
    siemens, volts = devices((2, 4, 3), rng), rng.uniform(-0.3, 0.3, (vectors, 8))
    weights = rng.normal(size=(vectors, 3))

    def value(g, v):
        return float((weights * array.currents(array.spread(g), v, law)).sum())

    g = array.devices(siemens)
    if law is None:
        linear = Linear(array, g, vectors)
        linear.currents(volts)
        by_g, by_v = linear.gradients(volts, weights)
    else:
        by_g, by_v, _ = Bent(array, g, law, volts).gradients(weights)
    for k in range(0, len(g), 5):
        step = np.zeros_like(g)
        step[k] = 1e-9
        near = (value(g + step, volts) - value(g, volts)) / 1e-9
        assert by_g[k] == pytest.approx(near, rel=1e-4, abs=1e-6 * np.abs(by_g).max())
    step = np.zeros_like(volts)
    step[1, 6] = 1e-4
    near = (value(g, volts + step) - value(g, volts - step)) / 2e-4
    assert by_v[1, 6] == pytest.approx(near, rel=1e-6)


def test_what_does_not_fit_is_refused(make_array, monkeypatch):
    network = make_array(3, 3)
    array = prepare_network(network, series=SERIES)
    with pytest.raises(DriveError, match="shape"):
        array.currents(np.ones((1, 3, 3)), np.ones((1, 6)))
    with pytest.raises(DriveError, match="nan S"):
        array.currents(np.full((2, 3, 3), np.nan), np.ones((1, 6)))
    with pytest.raises(DriveError, match=r"voltages have shape \(1, 5\)"):
        array.currents(np.ones((2, 3, 3)), np.ones((1, 5)))
    with pytest.raises(DriveError, match="not finite"):
        array.currents(np.ones((2, 3, 3)), np.full((1, 6), np.inf))
    with pytest.raises(ModeError, match="two tiers"):
        prepare_network(make_array(3, 3, tiers=(0,)), mode="deep-net")
    with pytest.raises(NetworkError, match="join"):
        prepare_network(make_array(3, 3, macro=True), series={**SERIES, "switch_off_ohm": 1e6})
    with pytest.raises(InputError, match="inf ohm"):
        prepare_crossbar((1, 2, 2), row_segments=np.inf, column_segments=1.0)
    with pytest.raises(InputError, match="shape is"):
        prepare_crossbar((3, 2, 2), row_segments=1.0, column_segments=1.0)
    monkeypatch.setattr(prepare, "MOST_BYTES", 1000)
    with pytest.raises(NetworkError, match="smaller tiles"):
        prepare_network(network, series=SERIES)


@pytest.mark.parametrize("top", [0.5, 10.0, 1e3, 1e6])
@pytest.mark.parametrize("size", [7, 16])
def test_shorted_devices_are_exact(rng, size, top):
    """They stopped with "left over", or were off by up to 6e-8."""
    wires = {"row_segments": 3.0, "column_segments": 50.0, "drive_resistance": 200.0}
    array = prepare_crossbar((2, size, size), **wires)
    g = np.exp(rng.uniform(np.log(1e-9), np.log(1e-3), array.shape))
    g.reshape(-1)[rng.choice(g.size, 12, replace=False)] = top
    g[0, 1, 1] = 0.0
    volts = rng.uniform(0.0, 0.2, (2, size))
    wanted = solve_crossbar(conductances=g, voltages=volts, method="direct", **wires)
    for found in (
        array.currents(g, volts.reshape(1, -1))[0],
        array.matrix(g) @ volts.reshape(-1),
    ):
        assert found == pytest.approx(wanted.column_currents, rel=1e-9, abs=1e-14)
