"""Electromigration, Monte Carlo, sensitivity and programming on small networks."""

import dataclasses
import json

import numpy as np
import pytest

from crossstack.solve import (
    InputError,
    NetworkBuilder,
    Spread,
    electromigration,
    ir_drop,
    monte_carlo,
    network_drives,
    programming_check,
    sample_devices,
    sheet_sensitivity,
    solve_network,
)

SERIES = {"switch_ohm": 800.0}


def loaded(make_array, rows=3, cols=4):
    rng = np.random.default_rng(3)
    network = make_array(rows, cols)
    return network, 10 ** rng.uniform(-5, -4, (2, rows, cols)), np.full((2, rows), 0.2)


def test_electromigration_by_hand():
    b = NetworkBuilder()
    n = b.nodes(["in", "a", "b", "out"])
    b.resistor(n[0], n[1], 1.0, layer="Metal3", net="BR[0]", width_um=0.5)
    b.resistor(n[1], n[2], 1.0, layer="Via2", net="BR[0]", cuts=4)
    b.memristor(0, 0, 0, n[2], n[3])
    b.resistor(n[3], b.node("pin"), 1.0, layer="ME", net="C[0]", width_um=2.0)
    b.port("BR[0]", n[0])
    b.port("C[0]", b.node("pin"))
    network = b.build()
    s = solve_network(network, conductances=[[[1e-3]]], port_voltages={"BR[0]": 1.003, "C[0]": 0.0})
    r = electromigration(network, s, wire_limits={"Metal3": 1e-3}, cut_limits={"Via2": 1e-3 / 8})
    np.testing.assert_allclose(r.ratio[:2], [2.0, 2.0], rtol=1e-9)
    assert np.isnan(r.ratio[2])
    assert r.unchecked == ("ME",)
    assert r.violations == 2
    assert r.by_layer == {"Metal3": pytest.approx(2.0), "Via2": pytest.approx(2.0)}
    first = r.worst[0]
    assert (first.net, first.current) == ("BR[0]", pytest.approx(1e-3))
    assert json.loads(json.dumps(r.to_json()))["violations"] == 2
    with pytest.raises(InputError, match=r"wire_limits\['ME'\] is 0"):
        electromigration(network, s, wire_limits={"ME": 0}, cut_limits={})


def test_electromigration_takes_the_worst_of_several_modes(make_array):
    network, g, x = loaded(make_array)
    solutions = [
        ir_drop(network, g, x, mode=mode, **SERIES).solution for mode in ("expansion", "deep-net")
    ]
    limits = {"wire_limits": {"Metal3": 1e-3, "ME": 1e-3}, "cut_limits": {"Via4": 1e-4}}
    both = electromigration(network, solutions, **limits)
    alone = [electromigration(network, s, **limits) for s in solutions]
    np.testing.assert_array_equal(both.current, np.fmax(alone[0].current, alone[1].current))
    other = loaded(make_array, 2, 2)[0]
    with pytest.raises(InputError, match="the network has"):
        electromigration(other, solutions, **limits)


def test_spread_draws_what_it_says():
    rng = np.random.default_rng(0)
    spread = Spread(sigma=0.1, stuck_on=0.1, stuck_off=0.2, g_on=1e-3, g_off=1e-7)
    G = sample_devices(np.full((1, 50, 40), 1e-5), spread, 20, rng)
    on, off = (G == 1e-3), (G == 1e-7)
    assert on.mean() == pytest.approx(0.1, abs=0.01)
    assert off.mean() == pytest.approx(0.2, abs=0.01)
    assert np.log(G[~on & ~off] / 1e-5).std() == pytest.approx(0.1, abs=0.002)


def test_monte_carlo_is_seeded_and_agrees_with_single_solves(make_array):
    network, g, x = loaded(make_array)
    spread = Spread(sigma=0.2, stuck_off=0.05, open_wire=0.05)
    calls = []
    run = monte_carlo(
        network, g, x, spread=spread, samples=6, seed=5, series=SERIES,
        progress=lambda done, of: calls.append((done, of)),
    )  # fmt: skip
    again = monte_carlo(network, g, x, spread=spread, samples=6, seed=5, series=SERIES)
    other = monte_carlo(network, g, x, spread=spread, samples=6, seed=6, series=SERIES)
    np.testing.assert_array_equal(run.column_currents, again.column_currents)
    assert (run.column_currents != other.column_currents).any()
    assert calls[-1] == (6, 6)
    assert run.open_wires.sum() > 0
    np.testing.assert_allclose(
        run.nominal_currents, ir_drop(network, g, x, **SERIES).column_currents
    )
    assert json.loads(json.dumps(run.to_json()))["samples"] == 6


def test_monte_carlo_without_any_spread_is_the_nominal_array(make_array):
    network, g, x = loaded(make_array)
    run = monte_carlo(network, g, x, spread=Spread(), samples=2, seed=1, series=SERIES)
    np.testing.assert_allclose(run.column_currents[1], run.nominal_currents, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stuck_on": 1.2}, "stuck_on is 1.2"),
        ({"stuck_on": 0.7, "stuck_off": 0.7}, "stuck_on \\+ stuck_off"),
        ({"sigma": -1.0}, "sigma is -1.0"),
    ],
)
def test_spread_refusals(make_array, change, message):
    with pytest.raises(InputError, match=message):
        Spread(**change)
    network, g, x = loaded(make_array)
    with pytest.raises(InputError, match="samples is 0"):
        monte_carlo(network, g, x, spread=Spread(), samples=0, seed=1)


def test_sensitivity_is_the_derivative(make_array):
    network, g, x = loaded(make_array)
    found = sheet_sensitivity(network, g, x, series=SERIES)
    assert set(found) == {"ME", "Poly2", "Metal3", "Via4"}
    drives = network_drives(network, "expansion", x)

    def amps(ohm):
        net = dataclasses.replace(network, resistor_ohm=ohm)
        s = solve_network(
            net, conductances=g, port_voltages=drives.port_voltages, gates=drives.gates, **SERIES
        )
        return np.array([-s.port_currents[p] for p in drives.outputs])

    step = 1e-4
    for k, layer in enumerate(network.layers):
        on = network.resistor_layer == k
        up, down = (
            amps(np.where(on, network.resistor_ohm * (1 + d), network.resistor_ohm))
            for d in (step, -step)
        )
        slope = (up - down) / (2 * step) / amps(network.resistor_ohm)
        np.testing.assert_allclose(found[layer], slope, atol=1e-8)
    assert (found["Poly2"] == 0).all()  # select lines carry no current
    assert (found["Metal3"] < 0).all()


def test_programming_check(make_array):
    network, g, x = loaded(make_array)
    r = programming_check(network, g, x, needed=1.94, read_tier="bottom", series=SERIES)
    assert r.tier == 1
    assert r.voltages.shape == (3, 4)
    assert (r.voltages > 1.5).all()
    assert (r.below == (r.voltages < 1.94)).all()
    assert r.below.any()
    assert not r.below.all()
    # the other tier reads at 0.2 V; nothing else sees the write
    assert np.nanmax(r.disturb[0]) < 0.21
    assert np.nanmax(r.disturb[1]) < 1e-9
    assert (r.read_disturb < 1e-10).all()
    assert json.loads(json.dumps(r.to_json()))["tier"] == "top"
    leaky = programming_check(network, g, x, needed=1.94, series={**SERIES, "switch_off_ohm": 1e8})
    assert 0 < leaky.read_disturb.max() < 0.05
    with pytest.raises(InputError, match="needed is 0"):
        programming_check(network, g, x, needed=0)
