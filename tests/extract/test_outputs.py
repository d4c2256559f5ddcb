"""Hierarchical SPICE, capacitors, SPEF, and the tables of nets and segments."""

from __future__ import annotations

import re

import numpy as np
import pytest

from crossstack.extract import (
    extract_network,
    inspect_net,
    net_capacitance,
    net_summary,
    write_spef,
    write_spice,
)
from crossstack.extract.lumps import lumps
from crossstack.pdk import ParameterError, get_tech
from crossstack.solve import network_drives

TECH = get_tech()


@pytest.fixture(scope="module")
def network(draw):
    return extract_network(draw(3, 4), TECH)


@pytest.fixture(scope="module")
def capacitance(draw):
    return net_capacitance(draw(3, 4), TECH)


def test_hierarchical_and_flat_spice_give_the_same_currents(network, ngspice, tmp_path) -> None:
    drives = network_drives(network, "expansion", np.full((2, 3), 0.2))
    options = {"gates": drives.gates, "sources": drives.port_voltages}
    flat = write_spice(network, TECH, tmp_path / "flat.spice", **options)
    tree = write_spice(network, TECH, tmp_path / "tree.spice", hierarchical=True, **options)
    text = tree.read_text()
    # one subcircuit serves all top electrodes, one all bottom electrodes
    assert len(re.findall(r"^Xw", text, re.M)) > 2 * text.count(".subckt wires")
    a, b = ngspice(flat), ngspice(tree)
    assert a == pytest.approx(b, rel=1e-9, abs=1e-15)


def test_capacitors_sum_to_the_nets_capacitance(network, capacitance, tmp_path) -> None:
    placed = list(lumps(network, capacitance))
    assert all(farad >= 0 for _, _, farad in placed)
    half = {
        (min(a, b), max(a, b))
        for a in capacitance
        for b in capacitance[a].coupling_f
        if b in capacitance
    }
    twice = sum(capacitance[a].coupling_f.get(b, 0.0) for a, b in half)
    whole = sum(c.total_f for c in capacitance.values())
    assert sum(farad for *_, farad in placed) == pytest.approx(whole - twice, rel=0.02, abs=0)
    path = write_spice(network, TECH, tmp_path / "rc.spice", capacitance=capacitance)
    assert len(re.findall(r"^Cw", path.read_text(), re.M)) == len(placed)
    plain = write_spice(network, TECH, tmp_path / "r.spice")
    assert "\nCw" not in plain.read_text()


def test_rc_netlist_charges_like_its_capacitance(draw, capacitance, network, tmp_path) -> None:
    """AC current into a column, everything else at ground, is omega times its capacitance."""
    import subprocess

    path = write_spice(
        network, TECH, tmp_path / "rc.spice", capacitance=capacitance, memristor_ohm=1e15
    )
    pins = " ".join("in" if pin == "C[1]" else "0" for pin in network.ports)
    bench = path.read_text().replace(
        "\n.end\n",
        f"\nXdut {pins} crossstack\nVin in 0 dc 0 ac 1\n.options rshunt=1e18\n"
        ".control\nset numdgt=10\nac lin 1 1e3 1e3\nlet c = -imag(i(vin))/(2*pi*1e3)\nprint c\n"
        "quit\n.endc\n.end\n",
    )
    (tmp_path / "ac.spice").write_text(bench)
    done = subprocess.run(
        ["ngspice", "-b", "ac.spice"], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    value = float(re.search(r"^c = (\S+)", done.stdout, re.M)[1])
    assert value == pytest.approx(capacitance["C[1]"].total_f, rel=0.01, abs=0)


def parse_spef(text: str) -> dict[str, dict[str, list[list[str]]]]:
    """A strict reader of what IEEE 1481 asks of detailed nets."""
    head, body = text.split("*NAME_MAP")
    for key in ("SPEF", "DESIGN", "DIVIDER", "DELIMITER", "BUS_DELIMITER", "T_UNIT", "R_UNIT"):
        assert f"*{key} " in head
    names_text, rest = body.split("*PORTS")
    names = dict(line.split() for line in names_text.strip().splitlines())
    nets: dict[str, dict[str, list[list[str]]]] = {}
    for block in rest.split("*D_NET ")[1:]:
        lines = block.strip().splitlines()
        assert lines[-1] == "*END"
        index, total = lines[0].split()
        section, content = "", {"total": [[total]]}
        for line in lines[1:-1]:
            if line in ("*CONN", "*CAP", "*RES"):
                section = line
                content[section] = []
            else:
                content[section].append(line.split())
        nets[names[index]] = content
    return nets


def test_spef_holds_every_wire_and_capacitor(network, capacitance, tmp_path) -> None:
    path = write_spef(network, tmp_path / "a.spef", capacitance=capacitance)
    nets = parse_spef(path.read_text())
    assert {"TR[0]", "BR[2]", "C[3]", "TS[0]", "TE[0][0]"} <= set(nets)
    row = nets["TR[1]"]
    assert float(row["total"][0][0]) == pytest.approx(capacitance["TR[1]"].total_f * 1e15, rel=0.02)
    ohm = [float(r[3]) for r in row["*RES"]]
    k = network.nets.index("TR[1]")
    assert sum(ohm) == pytest.approx(network.resistor_ohm[network.resistor_net == k].sum())
    nodes = {n for r in row["*RES"] for n in r[1:3]}
    for conn in row["*CONN"]:
        assert conn[1] in nodes
    assert (
        path.read_bytes()
        == write_spef(network, tmp_path / "b.spef", capacitance=capacitance).read_bytes()
    )


def test_segments_sum_to_the_resistance_of_the_net(network) -> None:
    table = {row.net: row for row in net_summary(network, TECH)}
    segments = inspect_net(network, "TR[0]")
    assert sum(s.share_ohm for s in segments) == pytest.approx(table["TR[0]"].ohm)
    assert segments[0].a == "TR[0]" or segments[0].b == "TR[0]"
    # three Via, then four contacts beside each other
    assert table["TR[0]"].by_layer_ohm["Via1"] == pytest.approx(4.5)
    assert table["TR[0]"].by_layer_ohm["Contact_nsd"] == pytest.approx(6.3 / 4, rel=0.01)
    assert table["C[0]"].squares["ME"] == pytest.approx(2.92 * 2 + 1, abs=1.0)
    assert table["C[0]"].ohm > 2 * 1.168


def test_tables_know_the_weakest_piece_and_the_capacitance(network, capacitance) -> None:
    rows = net_summary(
        network,
        TECH,
        capacitance=capacitance,
        wire_limits={"Metal1": 1e-3, "Metal4": 1e-3},
        cut_limits={"Via1": 0.28e-3, "Via2": 0.28e-3},
    )
    row = next(r for r in rows if r.net == "TR[0]")
    assert (row.em_layer, row.em_limit_a) == ("Metal1", pytest.approx(0.23e-3, rel=0.2))
    assert row.capacitance_f == capacitance["TR[0]"].total_f
    assert row.to_json()["net"] == "TR[0]"


def test_unknown_nets_and_nodes_are_named(network) -> None:
    with pytest.raises(ParameterError, match="net = 'Q'"):
        inspect_net(network, "Q")
    with pytest.raises(ParameterError, match="to = 'Q'"):
        inspect_net(network, "TR[0]", to="Q")
