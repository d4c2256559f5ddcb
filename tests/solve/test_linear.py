import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossstack.solve import DriveError, NetworkBuilder, solve_network
from crossstack.solve.network.network import NO_SUPPLY_V

G_ON = 1e-4


def divider(ohm=1000.0):
    """source - wire - memristor (10 kohm) - wire - sink."""
    b = NetworkBuilder()
    n = b.nodes(["in", "a", "b", "out"])
    b.resistor(n[0], n[1], ohm, layer="M", net="r", width_um=1)
    b.memristor(0, 0, 0, n[1], n[2])
    b.resistor(n[2], n[3], 0.0, layer="V", net="c", cuts=1)
    b.port("in", n[0])
    b.port("out", n[3])
    return b


def test_divider_by_hand():
    s = solve_network(
        divider().build(), conductances=[[[G_ON]]], port_voltages={"in": 1.1, "out": 0.0}
    )
    assert s.device_voltages[0, 0, 0] == pytest.approx(1.0, rel=1e-14)
    assert s.device_currents[0, 0, 0] == pytest.approx(1e-4, rel=1e-14)
    assert s.port_currents == {"in": pytest.approx(1e-4), "out": pytest.approx(-1e-4)}
    assert s.resistor_currents[0] == pytest.approx(1e-4)
    assert np.isnan(s.resistor_currents[1])
    assert s.kcl_residual < 1e-12
    assert s.floating == ()
    with pytest.raises(ValueError, match="read-only"):
        s.node_voltages[0] = 1


def test_wires_off_and_port_resistance():
    network = divider().build()
    drive = {"in": 1.0, "out": 0.0}
    ideal = solve_network(network, conductances=[[[G_ON]]], port_voltages=drive, wires=False)
    assert ideal.device_voltages[0, 0, 0] == 1.0
    loaded = solve_network(
        network, conductances=[[[G_ON]]], port_voltages=drive, port_ohm={"in": 9000.0}
    )
    assert loaded.device_voltages[0, 0, 0] == pytest.approx(0.5)
    assert loaded.port_currents["in"] == pytest.approx(5e-5)


@pytest.mark.parametrize(("high", "p", "on"), [(1, 0, 1), (0, 0, 0), (1, 1, 0), (0, 1, 1)])
def test_nfet_conducts_high_pfet_low(high, p, on):
    b = NetworkBuilder()
    n = b.nodes(["in", "mid", "out"])
    b.switch(n[0], n[1], "g", w_um=2, l_um=0.28, p=bool(p))
    b.memristor(0, 0, 0, n[1], n[2])
    b.port("in", n[0])
    b.port("out", n[2])
    s = solve_network(
        b.build(),
        conductances=[[[G_ON]]],
        port_voltages={"in": 1.0, "out": 0.0},
        gates={"g": bool(high)},
        switch_ohm=lambda w, l, p: 1e4 * np.ones_like(w),
        switch_off_ohm=9.9e5,
    )
    assert s.device_voltages[0, 0, 0] == pytest.approx(0.5 if on else 0.01)


def test_switch_resistance_forms():
    b = NetworkBuilder()
    n = b.nodes(["in", "mid", "out"])
    b.switch(n[0], n[1], "g", w_um=4, l_um=1)
    b.memristor(0, 0, 0, n[1], n[2])
    b.port("in", n[0])
    b.port("out", n[2])
    network = b.build()
    common = {
        "conductances": [[[G_ON]]],
        "port_voltages": {"in": 1.0, "out": 0.0},
        "gates": {"g": True},
    }
    for form in (1e4, [1e4], lambda w, l, p: 4e4 * l / w):
        solution = solve_network(network, switch_ohm=form, **common)
        assert solution.device_voltages[0, 0, 0] == pytest.approx(0.5)
        assert solution.switch_currents[0] == pytest.approx(5e-5)
    ideal = solve_network(network, switch_ohm=0.0, **common)
    assert ideal.device_voltages[0, 0, 0] == 1.0
    assert np.isnan(ideal.switch_currents[0])
    for wrong in ([1.0, 2.0], -1.0, np.nan):
        with pytest.raises(DriveError, match="switch_ohm"):
            solve_network(network, switch_ohm=wrong, **common)
    with pytest.raises(DriveError, match="switch_off_ohm is 0"):
        solve_network(network, switch_off_ohm=0.0, **common)


def test_floating_pieces_are_pinned_and_named():
    b = divider()
    b.resistor(b.node("lost.1"), b.node("lost.2"), 5.0, layer="M", net="lost")
    s = solve_network(b.build(), conductances=[[[G_ON]]], port_voltages={"in": 1.0, "out": 0.0})
    assert s.floating == ("2 nodes: lost.1, lost.2",)
    assert s.floating_nodes.tolist() == [False] * 4 + [True] * 2
    assert (s.node_voltages[4:] == 0).all()
    cut = solve_network(b.build(), conductances=[[[0.0]]], port_voltages={"in": 1.0})
    assert len(cut.floating) == 2
    assert cut.kcl_residual == 0


def test_select_lines_show_their_level_and_are_not_called_floating(make_array):
    network = make_array(2, 2)
    volts = {f"{t}R[{i}]": 0.2 for t in "TB" for i in range(2)} | {"C[0]": 0.0, "C[1]": 0.0}
    gates = {f"{t}S[{j}]": t == "B" for t in "TB" for j in range(2)}
    s = solve_network(
        network, conductances=np.full((2, 2, 2), G_ON), port_voltages=volts, gates=gates
    )
    level = dict(zip(network.node_names.tolist(), s.node_voltages, strict=True))
    assert level["BS[0].gate"] == NO_SUPPLY_V
    assert level["TS[1].gate"] == 0.0
    assert s.floating == ()
    assert (s.device_currents[1] == 0).all()


def test_errors_name_the_thing(make_array):
    network = make_array(2, 2)
    g = np.full((2, 2, 2), G_ON)
    with pytest.raises(DriveError, match=r"no port 'TR\[7\]'"):
        solve_network(network, conductances=g, port_voltages={"TR[7]": 1.0})
    with pytest.raises(DriveError, match="no port is driven"):
        solve_network(network, conductances=g, port_voltages={})
    with pytest.raises(DriveError, match=r"no level stated for gate net 'BS\[0\]'"):
        solve_network(network, conductances=g, port_voltages={"C[0]": 0.0})
    with pytest.raises(DriveError, match=r"port 'C\[0\]' is driven with nan V"):
        solve_network(network, conductances=g, port_voltages={"C[0]": np.nan})
    with pytest.raises(DriveError, match="port_ohm names 'X'"):
        solve_network(network, conductances=g, port_voltages={"C[0]": 0.0}, port_ohm={"X": 1.0})
    with pytest.raises(DriveError, match=r"shape \(1, 2, 2\), the network needs \(2, 2, 2\)"):
        solve_network(network, conductances=g[:1], port_voltages={"C[0]": 0.0})
    for wrong in (-1e-6, np.nan, np.inf):
        g[1, 0, 1] = wrong
        with pytest.raises(DriveError, match="tier top, row 0, column 1"):
            solve_network(network, conductances=g, port_voltages={"C[0]": 0.0})


def test_shorted_ports_at_different_voltages_are_refused():
    b = divider()
    b.resistor(b.node("in"), b.node("out"), 0.0, layer="V", net="short")
    with pytest.raises(DriveError, match=r"'in' \(1.0 V\) and 'out' \(0.0 V\) are shorted"):
        solve_network(b.build(), conductances=[[[G_ON]]], port_voltages={"in": 1.0, "out": 0.0})


def spice_elements(network, g, switch_ohm):
    lines = [
        f"rw{k} n{a} n{b} {float(r)!r}"
        for k, (a, b, r) in enumerate(
            zip(network.resistor_a, network.resistor_b, network.resistor_ohm, strict=True)
        )
    ]
    place = (network.memristor_tier, network.memristor_row, network.memristor_col)
    lines += [
        f"rm{k} n{a} n{b} {1 / v!r}"
        for k, (a, b, v) in enumerate(
            zip(network.memristor_a, network.memristor_b, g[place].tolist(), strict=True)
        )
    ]
    lines += [
        f"rs{k} n{a} n{b} {float(r)!r}"
        for k, (a, b, r) in enumerate(
            zip(network.switch_a, network.switch_b, switch_ohm, strict=True)
        )
    ]
    return lines


@pytest.mark.parametrize(("rows", "cols", "tiers"), [(4, 5, (0, 1)), (1, 3, (0,)), (3, 1, (0, 1))])
def test_ngspice_agrees(make_array, ngspice, rng, rows, cols, tiers):
    network = make_array(rows, cols, tiers=tiers)
    g = 10 ** rng.uniform(-6, -4, (len(tiers), rows, cols))
    volts = {f"C[{j}]": 0.0 for j in range(cols)}
    volts |= {f"{'BT'[t]}R[{i}]": rng.uniform(0, 0.2) for t in tiers for i in range(rows)}
    gates = {net: (k % 3 > 0) for k, net in enumerate(network.gate_nets)}
    on, off = 700.0, 1e9
    s = solve_network(
        network, conductances=g, port_voltages=volts, gates=gates, switch_ohm=on,
        switch_off_ohm=off,
    )  # fmt: skip
    ohm = [on if gates[network.nets[k]] else off for k in network.switch_gate]
    fixed = {network.ports[p]: v for p, v in volts.items()}
    # select lines carry nothing; ngspice wants them tied
    fixed |= {network.ports[p]: NO_SUPPLY_V * gates[p] for p in network.gate_nets}
    truth = ngspice(spice_elements(network, g, ohm), fixed, network.n_nodes)
    np.testing.assert_allclose(s.node_voltages, truth, atol=2e-13)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.integers(1, 5),
    cols=st.integers(1, 5),
    seed=st.integers(0, 2**31),
    decades=st.floats(0, 3),
)
def test_kcl_reciprocity_superposition(make_array, rows, cols, seed, decades):
    rng = np.random.default_rng(seed)
    network = make_array(rows, cols)
    g = 1e-3 * 10 ** -rng.uniform(0, decades, (2, rows, cols))
    pins = [p for p in network.ports if "R[" in p or p.startswith("C[")]
    gates = dict.fromkeys(network.gate_nets, True)

    def amps(volts):
        s = solve_network(
            network, conductances=g, port_voltages=volts, gates=gates, switch_ohm=500.0
        )
        assert s.kcl_residual < 1e-9
        assert abs(sum(s.port_currents.values())) <= 1e-9 * max(map(abs, s.port_currents.values()))
        return np.array([s.port_currents[p] for p in pins]), s

    one, two = rng.choice(len(pins), 2, replace=False)
    zero = dict.fromkeys(pins, 0.0)
    first, solution = amps(zero | {pins[one]: 1.0})
    second, _ = amps(zero | {pins[two]: 1.0})
    both, _ = amps(zero | {pins[one]: 2.0, pins[two]: -3.0})
    scale = np.abs(first).max() + np.abs(second).max()
    assert first[two] == pytest.approx(second[one], abs=1e-11 * scale)
    np.testing.assert_allclose(both, 2 * first - 3 * second, atol=1e-10 * scale)
    inside = solution.node_voltages[~solution.floating_nodes]
    assert ((inside >= -1e-12) & (inside <= max(1, NO_SUPPLY_V) + 1e-12)).all()
