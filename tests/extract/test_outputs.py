"""Hierarchical SPICE, capacitors, SPEF, and the tables of nets and segments."""

from __future__ import annotations

import re
from dataclasses import replace

import klayout.db as db
import numpy as np
import pytest

from crossstack.extract import (
    extract,
    extract_network,
    inspect_net,
    net_capacitance,
    net_summary,
    write_spef,
    write_spice,
)
from crossstack.extract.field.lumps import lumps, nodes_of_nets
from crossstack.extract.write.spef import escaped
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


def test_memristors_shorted_or_between_the_same_nets(network, capacitance) -> None:
    """Both electrodes on one net, and pairs of nets in both orders: as in a damaged layout."""
    first, second = int(network.memristor_a[0]), int(network.memristor_b[0])
    a = np.array([first, second, first, first], dtype=np.int32)
    b = np.array([second, first, first, first], dtype=np.int32)
    rest = ("memristor_tier", "memristor_row", "memristor_col", "memristor_area_um2")
    cut = {name: getattr(network, name)[: len(a)] for name in rest}
    odd = replace(network, memristor_a=a, memristor_b=b, **cut)
    placed = sum(farad for *_, farad in lumps(odd, capacitance))
    assert placed == pytest.approx(sum(farad for *_, farad in lumps(network, capacitance)))


@pytest.mark.parametrize("hierarchical", [False, True])
def test_rc_netlist_charges_like_its_capacitance(
    draw, capacitance, network, tmp_path, hierarchical
) -> None:
    """AC current into a column, everything else at ground, is omega times its capacitance."""
    import subprocess

    path = write_spice(
        network,
        TECH,
        tmp_path / "rc.spice",
        capacitance=capacitance,
        memristor_ohm=1e15,
        hierarchical=hierarchical,
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


def test_small_signals_see_lines_as_the_table_has_them(capacitance, network, tmp_path) -> None:
    """ngspice .ac into rows and select lines, all others at ground.

    Transistors are off, so that a row ends at their sources, and memristors as good as shorted, so
    that electrodes stand with their columns.
    """
    import subprocess

    path = write_spice(
        network, TECH, tmp_path / "rc.spice", capacitance=capacitance, memristor_ohm=1.0,
        gates=dict.fromkeys(network.gate_nets, False), hierarchical=True,
    )  # fmt: skip
    lines = ["TR[0]", "TR[1]", "BR[2]", "TS[2]", "BS[0]"]
    number = {pin: k for k, pin in enumerate(network.ports)}
    calls = " ".join(f"p{k}" for k in number.values())
    cards = [f"Xdut {calls} crossstack", *(f"V{k} p{k} 0 dc 0 ac 0" for k in number.values())]
    runs = []
    for k in (number[line] for line in lines):
        runs += [f"alter @v{k}[acmag] = 1", "ac lin 1 1e3 1e3", f"alter @v{k}[acmag] = 0"]
        runs += [f"let c = -imag(i(v{k}))/(2*pi*1e3)", "print c"]
    bench = path.read_text().replace(
        "\n.end\n",
        "\n".join(["", *cards, ".options rshunt=1e18", ".control", "set numdgt=10", *runs, "quit",
                   ".endc", ".end", ""]),
    )  # fmt: skip
    (tmp_path / "ac.spice").write_text(bench)
    done = subprocess.run(
        ["ngspice", "-b", "ac.spice"], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    found = [float(value) for value in re.findall(r"^c = (\S+)", done.stdout, re.M)]
    # the sources of the four transistors of a row line
    ends = {"R": 4 * 2.0 * TECH.nfet.end_off_f_per_um, "S": 0.0}
    wanted = [capacitance[line].total_f + ends[line[1]] for line in lines]
    assert found == pytest.approx(wanted, rel=0.01, abs=0)
    assert ends["R"] > 0.3 * capacitance["TR[0]"].total_f


SPECIAL = r"""\\[!#$%&`()*+,\-./:;<=>?@\[\\\]^'{|}~"]"""
IDENTIFIER = re.compile(
    rf"(?=\w*[A-Za-z_\\])(?:[A-Za-z0-9_]|{SPECIAL})(?:\w|{SPECIAL}|\[\w+\])*", re.ASCII
)


def parse_spef(text: str) -> dict[str, dict[str, list[list[str]]]]:
    """A strict reader of what IEEE 1481 asks of detailed nets."""
    head, body = text.split("*NAME_MAP")
    for key in ("SPEF", "DESIGN", "DIVIDER", "DELIMITER", "BUS_DELIMITER", "T_UNIT", "R_UNIT"):
        assert f"*{key} " in head
    names_text, rest = body.split("*PORTS")
    names = dict(line.split() for line in names_text.strip().splitlines())
    assert len(set(names.values())) == len(names)
    for name in names.values():
        assert IDENTIFIER.fullmatch(name), name
    nets: dict[str, dict[str, list[list[str]]]] = {}
    ports, *blocks = rest.split("*D_NET ")
    assert ports.split()
    for block in blocks:
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
        assert all(float(row[3]) > 0 for row in content.get("*RES", ())), "readers refuse 0 ohm"
        assert all(content.values()), "a section without entries is refused by the grammar"
        pins = {row[1] for row in content.get("*CONN", ()) if row[0] == "*P"}
        content["pins"] = [[names[pin]] for pin in sorted(pins)]
        assert pins <= set(ports.split())
        nets[names[index]] = content
    assert sorted(pin for net in nets.values() for [pin] in net["pins"]) == sorted(
        names[pin] for pin in ports.split() if pin != "B"
    )
    return nets


def test_spef_of_a_tiled_array_has_a_net_per_electrode(draw, tmp_path) -> None:
    network = extract(draw(3, 4), TECH, engine="tile").network
    nets = parse_spef(write_spef(network, tmp_path / "a.spef").read_text())
    assert {escaped(name) for name in network.nets} == set(nets)
    assert len(nets[r"TE\[2\]\[3\]"]["*CONN"]) == 2  # drain and memristor
    # the wires of passive rows reach to the memristors
    passive = extract(draw(3, 4, "passive"), TECH, engine="tile").network
    nets = parse_spef(write_spef(passive, tmp_path / "b.spef").read_text())
    assert set(nets) == {
        *(f"{x}[{i}]" for x in ("BR", "TR") for i in range(3)),
        *map("C[{}]".format, range(4)),
    }


def test_tiled_and_flat_networks_carry_the_same_capacitances(draw, network, capacitance) -> None:
    """All but what is on select lines, which are ideal in a tiled array."""
    selects = {f"{x}S[{j}]" for x in "BT" for j in range(4)}

    def loads(of) -> dict[str, float]:
        owner = {int(n): net for net, members in nodes_of_nets(of).items() for n in members}
        found = dict.fromkeys(set(owner.values()) - selects, 0.0)
        for a, b, farad in lumps(of, capacitance):
            for net in {owner[n] for n in (a, b) if n is not None} & set(found):
                found[net] += farad
        return found

    tiled = extract(draw(3, 4), TECH, engine="tile").network
    # a coupling seen from one net and from the other differs by as much
    assert loads(tiled) == pytest.approx(loads(network), rel=0.01, abs=0)


def test_spef_lists_ideal_nets_and_every_label_of_a_place(draw, tmp_path) -> None:
    layout = draw(3, 4)
    label, at = next(
        (layer, (it.trans() * it.shape().text).trans)
        for layer in layout.layer_indexes()
        for it in layout.top_cell().begin_shapes_rec(layer).each()
        if it.shape().is_text() and it.shape().text_string == "C[1]"
    )
    layout.top_cell().shapes(label).insert(db.Text("a b$1", at))
    network = extract_network(layout, TECH, nets=["TR*"])
    nets = parse_spef(write_spef(network, tmp_path / "a.spef").read_text())
    assert {escaped(name) for name in network.nets} == set(nets)
    assert "*RES" in nets["TR[0]"]
    column = next(net for net in nets.values() if ["C[1]"] in net["pins"])
    assert sorted(column["pins"]) == [["C[1]"], ["a_b\\$1"]]
    assert len(column["*CONN"]) == 2 + 6


def test_names_are_escaped_as_the_standard_asks() -> None:
    assert escaped("TR[3]") == "TR[3]"
    assert escaped("BE[0][11]") == r"BE\[0\]\[11\]"  # Verilog has no bus of two indices
    assert escaped("a[0]/n") == r"a\[0\]\/n"
    assert escaped("net$401") == r"net\$401"
    assert escaped("a/b:c[") == r"a\/b\:c\["
    assert escaped("bottom electrodes") == "bottom_electrodes"
    assert escaped("33") == "_33"


def test_spef_holds_every_wire_and_capacitor(network, capacitance, tmp_path) -> None:
    path = write_spef(network, tmp_path / "a.spef", capacitance=capacitance)
    nets = parse_spef(path.read_text())
    assert {"TR[0]", "BR[2]", "C[3]", "TS[0]", r"TE\[0\]\[0\]"} <= set(nets)
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
