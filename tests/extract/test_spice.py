"""ngspice on the written netlist against our own solver."""

from __future__ import annotations

import numpy as np
import pytest

from crossstack.extract import extract, extract_network, write_spice
from crossstack.extract.write.bsim import Bsim
from crossstack.pdk import ParameterError, get_tech
from crossstack.solve import NetworkBuilder, network_drives, solve_network

TECH = get_tech()


def ron(w_um, l_um, is_p):
    return np.vectorize(TECH.nfet.ron_ohm)(w_um)


@pytest.mark.parametrize("mode", ["expansion", "deep-net"])
@pytest.mark.parametrize(("rows", "cols"), [(2, 3), (6, 5)])
def test_column_currents_agree_with_ngspice(draw, ngspice, tmp_path, rows, cols, mode) -> None:
    network = extract_network(draw(rows, cols), TECH)
    rng = np.random.default_rng(rows)
    ohm = rng.uniform(1e4, 1e6, (2, rows, cols))
    drives = network_drives(network, mode, rng.uniform(0, 0.2, (2, rows)))
    ours = solve_network(
        network,
        conductances=1 / ohm,
        port_voltages=drives.port_voltages,
        gates=drives.gates,
        switch_ohm=ron,
    )
    bench = write_spice(
        network,
        TECH,
        tmp_path / "bench.spice",
        memristor_ohm=ohm,
        gates=drives.gates,
        sources=drives.port_voltages,
    )
    currents = ngspice(bench)
    for pin in drives.outputs:
        assert currents[pin] == pytest.approx(ours.port_currents[pin], rel=1e-6, abs=1e-15)


@pytest.mark.parametrize("cell", ["hybrid", "passive"])
@pytest.mark.parametrize("top", ["array", "macro"])
def test_a_netlist_says_where_its_transistors_are_not_those_of_solve(draw, tmp_path, cell, top):
    """Nothing is said where there is none, and where the caller gave their resistances."""
    network = extract_network(draw(1, 1, cell, top), TECH)
    count = len(network.switch_a)
    for given in (None, np.full(count, 700.0)):
        path = write_spice(network, TECH, tmp_path / "x.spice", switch_ohm=given)
        said = "each the resistance where it conducts best" in path.read_text()
        assert said is (count > 0 and given is None)


def test_unknown_pin_is_named(draw, tmp_path) -> None:
    network = extract_network(draw(1, 1), TECH)
    with pytest.raises(ParameterError, match=r"TR\[9\]"):
        write_spice(network, TECH, tmp_path / "x.spice", sources={"TR[9]": 0.1})


@pytest.mark.parametrize("hierarchical", [False, True])
@pytest.mark.parametrize("top", ["array", "macro"])
def test_tiled_passive_networks_agree_with_ngspice(
    draw, ngspice, tmp_path, top, hierarchical
) -> None:
    """Their memristors hang on row lines by resistors of 0 ohm."""
    network = extract(draw(5, 4, "passive", top), TECH, engine="tile").network
    assert (network.resistor_ohm == 0).any()
    drives = network_drives(network, "expansion", np.full((2, 5), 0.2))
    ohm = np.full((2, 5, 4), 1e4)
    ours = solve_network(
        network,
        conductances=1 / ohm,
        port_voltages=drives.port_voltages,
        gates=drives.gates,
        switch_ohm=700.0,
    )
    bench = write_spice(
        network,
        TECH,
        tmp_path / "bench.spice",
        memristor_ohm=ohm,
        switch_ohm=np.full(len(network.switch_a), 700.0),
        gates=drives.gates,
        sources=drives.port_voltages,
        hierarchical=hierarchical,
    )
    currents = ngspice(bench)
    for pin in drives.outputs:
        assert currents[pin] == pytest.approx(ours.port_currents[pin], rel=1e-6, abs=1e-15)


def divider():
    """Two nets that meet in a node without a device; a second pin on the first one's place."""
    builder = NetworkBuilder()
    a, middle, b = builder.nodes(["A", "middle", "B"])
    builder.resistor(a, middle, 30.0, layer="ME", net="A")
    builder.resistor(middle, b, 70.0, layer="ME", net="B")
    for pin, node in (("A", a), ("SAME", a), ("B", b)):
        builder.port(pin, node)
    return builder.build()


@pytest.mark.parametrize("hierarchical", [False, True])
def test_a_node_of_two_nets_joins_them_and_both_pins_of_a_place_work(
    ngspice, tmp_path, hierarchical
) -> None:
    for pin in ("A", "SAME"):
        bench = write_spice(
            divider(), TECH, tmp_path / "x.spice", sources={pin: 1.0, "B": 0.0},
            hierarchical=hierarchical,
        )  # fmt: skip
        assert ngspice(bench)[pin] == pytest.approx(0.01, rel=1e-6)


def test_gates_without_a_pin_stay_on_their_wires_in_a_hierarchical_netlist(draw, tmp_path) -> None:
    """The complement that an inverter of a macro drives is a node inside its net."""
    network = extract_network(draw(2, 2, "hybrid", "macro"), TECH)
    path = write_spice(network, TECH, tmp_path / "x.spice", hierarchical=True, bsim=Bsim(TECH))
    cards = path.read_text().replace("\n+ ", " ").splitlines()
    gates = {card.split()[2] for card in cards if card.startswith("Xs")}
    outside = {pin for card in cards if card.startswith(("Xw", ".subckt")) for pin in card.split()}
    assert not gates - outside
