"""`crossstack inspect`: the table of nets, one net's segments, refusals."""

from __future__ import annotations

import pytest

from crossstack.extract import extract, save_array
from crossstack.pdk import get_tech
from crossstack.solve import load_network

from .conftest import COLS, NAME, ROWS


def test_table_of_chosen_nets(crossstack, built):
    ran = crossstack("inspect", built, "--net", "TR*,C[1]", "--json")
    assert ran.code == 0
    nets = {row["net"]: row for row in ran.json["nets"]}
    assert sorted(nets) == sorted([f"TR[{i}]" for i in range(ROWS)] + ["C[1]"])
    column = nets["C[1]"]
    assert column["ohm"] == pytest.approx(sum(column["by_layer_ohm"].values()), rel=1e-9)
    # the layer of the build's sheet resistance: ohm of the ME line over 0.4 ohm/sq
    assert column["squares"]["ME"] == pytest.approx(column["by_layer_ohm"]["ME"] / 0.4)
    assert column["capacitance_f"] is None


def test_every_net_with_a_pin_is_listed(crossstack, built):
    ran = crossstack("inspect", built, "--json")
    pins = [f"{line}[{i}]" for line in ("BR", "TR") for i in range(ROWS)]
    pins += [f"{line}[{j}]" for line in ("C", "BS", "TS") for j in range(COLS)]
    assert sorted(row["net"] for row in ran.json["nets"]) == sorted(pins)


def test_one_net_segment_by_segment(crossstack, built):
    ran = crossstack("inspect", built / "network.npz", "--net", "TR[0]", "--json")
    (net,) = ran.json["nets"]
    parts = ran.json["segments"]
    assert sum(s["share_ohm"] for s in parts) == pytest.approx(net["ohm"], rel=1e-9)
    assert {"Via1", "Via2", "Via3"} <= {s["layer"] for s in parts}
    shown = crossstack("inspect", built, "--net", "TR[0]").out
    assert shown.splitlines()[-1].split()[-1] in {"cut", "cuts"}
    assert f"{net['ohm']:.4f}" in shown.splitlines()[-1]


def test_another_end_is_nearer(crossstack, built):
    network = load_network(built / "network.npz")
    far = crossstack("inspect", built, "--net", "C[0]", "--json").json
    near_to = far["segments"][0]["b"]
    assert near_to in network.node_names
    near = crossstack("inspect", built, "--net", "C[0]", "--to", near_to, "--json").json
    assert len(near["segments"]) < len(far["segments"])
    crossstack("inspect", built, "--net", "C*", "--to", near_to).fails(2, "one net")


def test_current_limits_follow_temperature_and_direction(crossstack, built):
    def carries(*more: object) -> float:
        ran = crossstack("inspect", built, "--net", "TR[0]", "--json", *more)
        return ran.json["nets"][0]["em_limit_a"]

    # one Metal1 strap of 0.23 um: 2.09 mA/um at 85 C, 1.0 at 110 C, 1.5 both ways
    assert carries() == pytest.approx(0.23 * 2.09e-3, rel=1e-6)
    assert carries("--temperature", 110) == pytest.approx(0.23e-3, rel=1e-6)
    assert carries("--temperature", 110, "--bidirectional") == pytest.approx(0.345e-3, rel=1e-6)


def test_limits_that_nobody_publishes_are_named(crossstack, built):
    shown = crossstack("inspect", built, "--net", "C[0]").out
    assert "limits of ME are assumed" in shown
    assert "assumed" not in crossstack("inspect", built, "--net", "TR[0]").out


def test_capacitance_comes_from_the_layout(crossstack, built):
    gds = built / f"{NAME}.gds"
    ran = crossstack("inspect", built, "--net", "C[0]", "--layout", gds, "--json")
    assert 1e-15 < ran.json["nets"][0]["capacitance_f"] < 1e-12


def test_a_net_without_a_pin(crossstack, built):
    ran = crossstack("inspect", built, "--net", "TE[0][0]", "--json")
    assert ran.code == 0
    assert ran.json["nets"] == []
    assert ran.json["segments"]
    crossstack("inspect", built, "--net", "TE[*").fails(2, "has a pin")


def test_refusals(crossstack, built, tmp_path):
    crossstack("inspect", built, "--net", "Q*").fails(
        2, "no net matches 'Q*' (there are: TR[0], BR[0], C[0], TS[0], BS[0], "
    )
    crossstack("inspect", built, "--net", "X[0]").fails(2, "no net is called 'X[0]' (there are: TR")
    crossstack("inspect", built, "--net", "cr[0]").fails(2, "'cr[0]'; did you mean 'C[0]'?")
    ran = crossstack("extract", built, "--net", "TR[99]", "-o", tmp_path / "x")
    ran.fails(2, "no net is called 'TR[99]'; did you mean 'TR[")
    ran = crossstack("extract", built, "--rc", "--net", "TQ[0]", "-o", tmp_path / "x")
    ran.fails(2, "no net is called 'TQ[0]'; did you mean 'T")
    assert not (tmp_path / "x").exists()
    crossstack("inspect", built, "--temperature", 200).fails(2, "125 C")
    crossstack("inspect", tmp_path / "nothing.npz").fails(2, "does not exist")
    other = tmp_path / "other.npz"
    other.write_bytes(b"no network")
    crossstack("inspect", other).fails(3, "not a readable network file")


def test_lines_of_a_tiled_array(crossstack, built, tmp_path):
    array = extract(built / f"{NAME}.gds", get_tech(), engine="tile").array
    path = save_array(array, tmp_path / "big_array.npz")
    ran = crossstack("inspect", path, "--json")
    assert len(ran.json["nets"]) == 2 * ROWS + COLS
    network = crossstack("inspect", built, "--net", "C[1]", "--json").json
    one = crossstack("inspect", path, "--net", "C[1]", "--json").json
    assert one["nets"][0]["ohm"] == pytest.approx(network["nets"][0]["ohm"], rel=1e-6)
    assert one["segments"][-1]["sum_ohm"] == pytest.approx(one["nets"][0]["ohm"])
    assert sorted(s["cell"] for s in one["segments"]) == list(range(ROWS))
    shown = crossstack("inspect", path, "--net", "C[1]").out.splitlines()
    assert shown[-1].split()[0] == str(one["segments"][-1]["cell"])
    crossstack("inspect", path, "--net", "TS*").fails(2, "TS*")
    crossstack("inspect", path, "--to", "x").fails(2, "arrays")


def test_dashes_of_a_network_by_its_repeated_cell_are_explained(crossstack, built, tmp_path):
    gds = built / f"{NAME}.gds"
    for engine in ("tile", "flat"):
        assert crossstack("extract", gds, "--engine", engine, "-o", tmp_path / engine).code == 0
    summed = tmp_path / "tile" / f"{NAME}_network.npz"
    shown = crossstack("inspect", summed, "--net", "C[0]").out
    assert "--engine flat" in shown
    assert shown.splitlines()[1].split()[3:7] == ["-", "-", "-", "-"]
    (net,) = crossstack("inspect", summed, "--net", "C[0]", "--json").json["nets"]
    assert net["summed"]
    assert net["cuts"] is net["narrowest_um"] is net["em_limit_a"] is None
    known = crossstack("inspect", tmp_path / "flat" / f"{NAME}_network.npz", "--net", "C[0]")
    assert "--engine flat" not in known.out
    assert known.out.splitlines()[1].split()[3].isdecimal()


def test_the_segment_that_was_narrowed_is_named(crossstack, built, tmp_path):
    array = extract(built / f"{NAME}.gds", get_tech(), engine="tile").array
    array.row_segment[1, 2, 1] += 5.0
    path = save_array(array, tmp_path / "edited_array.npz")
    rows = crossstack("inspect", path, "--net", "TR*", "--json").json["nets"]
    assert rows[2]["largest_cell"] == 1
    assert rows[2]["ohm"] == pytest.approx(rows[1]["ohm"] + 5.0)


def test_the_layout_of_another_network_is_refused(crossstack, tmp_path):
    """Its capacitances would stand beside resistances of other wires."""
    for name, more in (("a", ()), ("b", ("--pitch-x-um", "12")), ("c", ("--profile", "aligner"))):
        size = ("--rows", "2", "--cols", "1", "--name", name)
        assert crossstack("generate", *size, *more, "-o", tmp_path).code == 0
    assert crossstack("extract", tmp_path / "a.gds").code == 0
    for other in "bc":
        layout = tmp_path / f"{other}.gds"
        run = crossstack("inspect", tmp_path / "a_network.npz", "--layout", layout)
        assert run.code == 2
        assert f"--layout {layout} is not the layout of the network: " in run.err
    run = crossstack("inspect", tmp_path / "a_network.npz", "--layout", tmp_path / "a.gds")
    assert run.code == 0
    assert " fF" in run.out


def test_the_layout_of_a_network_by_tiles_is_its_own(crossstack, tmp_path):
    """It was refused: "has other wires", of another engine."""
    size = ("--rows", "2", "--cols", "2", "--name", "a", "-o", tmp_path)
    assert crossstack("generate", *size).code == 0
    layout, network = tmp_path / "a.gds", tmp_path / "a_network.npz"
    assert crossstack("extract", layout, "--engine", "tile").code == 0
    assert " fF" in crossstack("inspect", network, "--layout", layout).out
    size = ("--rows", "2", "--cols", "2", "--pitch-x-um", "12", "--name", "b", "-o", tmp_path)
    assert crossstack("generate", *size).code == 0
    ran = crossstack("inspect", network, "--layout", tmp_path / "b.gds")
    assert ran.code == 2
    assert "is not the layout of the network" in ran.err


def test_a_build_keeps_its_own_extraction(crossstack, built, tmp_path):
    run = crossstack("extract", built, "--corner", "min", "-o", built)
    assert run.code == 2
    assert "holds a build or comparison" in run.err
