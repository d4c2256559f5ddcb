"""What a build leaves: complete, the same bytes twice, one step into place."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

from crossstack.solve import load_network

from .conftest import COLS, NAME, ROWS
from .result_keys import changed_keys

FILES = {
    *(f"{NAME}{end}" for end in (".gds", "_foundry.gds", "_masks.gds", ".lyp", ".spice")),
    *(f"{NAME}{end}" for end in ("_extracted.spice", ".lvsdb")),
    *("drc.lyrdb", "drc.json", "lvs.json", "network.npz", "ir_drop.json", "ir_drop.csv"),
    *(
        "em.json",
        "timing.json",
        "nets.json",
        "layout.png",
        "ir_drop_expansion.svg",
        "ir_drop_deep-net.svg",
    ),
    *("report.html", "manifest.json"),
}


def load(path):
    return json.loads(path.read_text())


def test_every_file_is_there_and_listed(built):
    assert {p.name for p in built.iterdir()} == FILES
    manifest = load(built / "manifest.json")
    assert set(manifest["files"]) == FILES - {"manifest.json"}
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((built / name).read_bytes()).hexdigest() == digest
    assert manifest["parameters"]["rows"] == ROWS
    assert manifest["passed"] is True
    assert {"crossstack", "python", "klayout"} <= set(manifest["versions"])


def test_drc_json(built):
    value = load(built / "drc.json")
    assert value["violations"] == 0
    assert value["rules_run"] == len(value["by_rule"]) > 200
    assert set(value["by_rule"].values()) == {0}


def test_lvs_json(built):
    value = load(built / "lvs.json")
    n = ROWS * COLS
    expected = {"memristor_bottom": n, "memristor_top": n, "nfet": 2 * n, "pfet": 0}
    assert (value["match"], value["devices"], value["errors"]) == (True, expected, [])


def test_ir_drop_json(built):
    modes = load(built / "ir_drop.json")["modes"]
    assert set(modes) == {"expansion", "deep-net"}
    for mode in modes.values():
        for key in ("worst_device_error", "mean_device_error", "worst_column_error"):
            assert 0 < mode[key]["wires_only"] < mode[key]["all_series"] < 0.2
        assert len(mode["column_currents_A"]) == COLS
        assert mode["kcl_residual"] < 1e-9


def test_nets_json(built):
    nets = {row["net"]: row for row in load(built / "nets.json")["nets"]}
    assert {"TR[0]", "BR[2]", "C[1]", "TS[0]", "BS[1]"} <= set(nets)
    assert nets["C[0]"]["farad"] > nets["TR[0]"]["farad"] > 1e-15
    assert nets["TR[0]"]["farthest_ohm"] > nets["TR[0]"]["nearest_ohm"] > 0


def test_em_json_is_the_solved_current_over_the_limit(built):
    value, network = load(built / "em.json"), load_network(built / "network.npz")
    assert value["temperature_c"] == 85
    table = load(built / "ir_drop.json")["modes"]["expansion"]["column_currents_A"]
    worst = value["modes"]["expansion"]["worst_wire"]
    # every column leaves through its electrode, 1 um wide; a crossing is a mesh, whose resistors
    # share current and width, and where the current crowds one of them gets a little more of it
    assert (worst["layer"], worst["net"]) == ("ME", "C[0]")
    even = max(table) / (value["limits"]["ME"]["limit"] * 1.0)
    assert even * (1 - 1e-12) <= worst["ratio"] < 1.15 * even
    assert worst["ratio"] == pytest.approx(worst["current_A"] / worst["limit_A"])
    assert value["limits"]["ME"]["assumed"]
    assert not value["limits"]["Via1"]["assumed"]
    for mode in value["modes"].values():
        assert mode["by_layer"]["ME"]["ratio"] == mode["worst_wire"]["ratio"]
        assert mode["unchecked_layers"] == []
    top = max(m["by_layer"]["ME"]["ratio"] for m in value["modes"].values())
    assert value["nets"]["C[0]"]["ratio"] == top
    assert set(value["nets"]) <= set(network.ports)


@pytest.mark.parametrize("name", ["ir_drop.json", "em.json", "timing.json", "nets.json"])
def test_keys_of_results_stay(built, name):
    assert changed_keys(built / name) == ""


def test_timing_json_settles_with_the_extracted_capacitance(built):
    value = load(built / "timing.json")
    farad = {row["net"]: row["farad"] for row in load(built / "nets.json")["nets"]}
    assert value["settle"]["column_farad"] == max(farad["C[0]"], farad["C[1]"])
    assert value["settle"]["row_farad"] == max(f for n, f in farad.items() if n[1:3] == "R[")
    assert 0 < value["settle"]["settle_s"] < 1e-9
    for row in value["overlap"]["over_pulse"]:
        read, write = 10 * (row["settle"] + row["sense"]), COLS * row["pulse"]
        assert row["overlapped"] == pytest.approx(max(read, write))
        assert row["time_reduction"] == pytest.approx(1 - max(read, write) / (read + write))


def test_theory_of_a_build_is_that_of_the_comparison(built):
    assert load(built / "ir_drop.json")["stacking"]["not_run"].startswith("wires show from 3")


def test_nothing_of_this_machine_is_in_the_files(built):
    for path in built.iterdir():
        if path.suffix not in (".png", ".npz"):
            text = path.read_text(errors="replace")
            assert str(built.parent) not in text, path.name
            assert ".part" not in text, path.name


def test_same_parameters_same_bytes(crossstack, built, tmp_path):
    config = tmp_path / "a.yaml"
    config.write_text(f"rows: {ROWS}\ncols: {COLS}\ntech:\n  corner: typ\n")
    ran = crossstack("build", config, "-o", tmp_path / "again")
    assert ran.code == 0, ran.err
    for name in FILES:
        first, second = built / name, tmp_path / "again" / NAME / name
        assert first.read_bytes() == second.read_bytes(), name


def test_a_second_build_takes_the_place_of_the_first(crossstack, built, tmp_path):
    shutil.copytree(built, tmp_path / NAME)
    (tmp_path / NAME / "drc.json").write_text("old")
    (tmp_path / NAME / "my_notes.txt").write_text("keep me")
    ran = crossstack("build", "--rows", ROWS, "--cols", COLS, "-o", tmp_path, "--json")
    assert ran.code == 0
    assert ran.json["passed"] is True
    assert load(tmp_path / NAME / "drc.json")["violations"] == 0
    assert (tmp_path / NAME / "my_notes.txt").read_text() == "keep me"
    assert [p.name for p in tmp_path.iterdir()] == [NAME]


def test_sheet_resistance_changes_wires_but_not_the_layout(crossstack, built, tmp_path):
    config = tmp_path / "a.yaml"
    sheets = "{BE: 0.8, ME: 0.8, TE: 0.8}"
    config.write_text(f"rows: {ROWS}\ncols: {COLS}\ntech: {{sheet_resistance_ohm_sq: {sheets}}}\n")
    assert crossstack("build", config, "-o", tmp_path).code == 0
    for end in (".gds", "_foundry.gds", "_masks.gds", ".lyp", ".spice"):
        name = f"{NAME}{end}"
        assert (tmp_path / NAME / name).read_bytes() == (built / name).read_bytes()
    before, after = (load_network(p / "network.npz") for p in (built, tmp_path / NAME))
    film = [k for k, layer in enumerate(before.layers) if layer in ("BE", "ME", "TE")]
    for network, factor in ((before, 1), (after, 2)):
        pieces = [k in film for k in network.resistor_layer]
        total = network.resistor_ohm[pieces].sum()
        if factor == 1:
            single = total
    assert total == pytest.approx(2 * single, rel=1e-9)
    rest = [k not in film for k in before.resistor_layer]
    assert after.resistor_ohm[rest].sum() == pytest.approx(before.resistor_ohm[rest].sum())


def test_a_failed_check_leaves_results_and_exit_code_one(crossstack, tmp_path, monkeypatch):
    import importlib

    generators = importlib.import_module("crossstack.generators")
    real = generators.build_top

    def with_a_sliver(spec):
        from dataclasses import replace

        from crossstack.cells.drawing import Rect

        made = real(spec)
        sliver = Rect("Metal5", -9000, 0, -9000 + 435, 4000)
        return replace(made, cell=replace(made.cell, rects=(*made.cell.rects, sliver)))

    monkeypatch.setattr("crossstack.generators.build_top", with_a_sliver)
    ran = crossstack("build", "--rows", 2, "--cols", 2, "-o", tmp_path, "--json")
    assert ran.code == 1
    assert ran.json["drc"]["by_rule"]["MT.1"] == 1
    folder = tmp_path / "crossstack_2x2x2"
    assert load(folder / "manifest.json")["passed"] is False
    assert "MT.1" in (folder / "report.html").read_text()


def test_report_can_be_written_again(crossstack, built, tmp_path):
    shutil.copytree(built, tmp_path / NAME)
    (tmp_path / NAME / "report.html").unlink()
    (tmp_path / NAME / "layout.png").unlink()
    assert crossstack("report", tmp_path / NAME).code == 0
    for name in FILES:
        assert (tmp_path / NAME / name).read_bytes() == (built / name).read_bytes(), name


def test_report_needs_a_build(crossstack, tmp_path):
    crossstack("report", tmp_path).fails(3, "manifest.json")


@pytest.mark.parametrize(("cell", "tiers", "transistors"), [("passive", 2, 0), ("planar", 1, 4)])
def test_other_cells(crossstack, tmp_path, cell, tiers, transistors):
    ran = crossstack("build", "--rows", 2, "--cols", 2, "--cell", cell, "-o", tmp_path, "--json")
    assert ran.code == 0, ran.err + ran.out
    devices = ran.json["lvs"]["devices"]
    assert devices["memristor_bottom"] + devices["memristor_top"] == 4 * tiers
    assert devices["nfet"] == transistors
    assert "deep-net" in ran.json["ir_drop"]["not_run"]
    assert "overlap" not in ran.json["timing"]
    assert "deep-net needs" in ran.json["timing"]["not_run"]
    assert "deep-net needs" in (tmp_path / ran.json["name"] / "report.html").read_text()


@pytest.mark.parametrize("runs", [True, False])
def test_a_large_array_has_the_capacitance_of_its_lines(
    crossstack, built, tmp_path, monkeypatch, runs
):
    """By runs of alike lines; where there are none, of a line in the middle of each kind."""
    import importlib

    monkeypatch.setattr(importlib.import_module("crossstack.capacitances"), "_MAX_CAPACITANCE", 1)
    if not runs:
        array = importlib.import_module("crossstack.extract.field.array")
        monkeypatch.setattr(array, "_MOST_CELLS", 1)
    ran = crossstack("build", "--rows", 3, "--cols", 2, "-o", tmp_path, "--json")
    assert ran.code == 0
    nets = load(tmp_path / NAME / "nets.json")["nets"]
    if runs:
        whole = load(built / "nets.json")["nets"]
        lines = {row["net"]: row["farad"] for row in whole if row["net"] != "VSS"}
        found = {row["net"]: row["farad"] for row in nets}
        assert {net: found[net] for net in lines} == pytest.approx(lines, rel=1e-3)
        return
    assert {row["net"] for row in nets if row["farad"]} == {"TR[1]", "BR[1]", "C[1]"}
    assert ran.json["timing"]["settle"]["column_farad"] > 0
    assert "for some lines only" in (tmp_path / NAME / "report.html").read_text()


@pytest.mark.parametrize("verb", ["generate", "build"])
def test_replacing_another_result_is_said(crossstack, tmp_path, verb):
    run = (verb, "--rows", 2, "--cols", 1, "-o", tmp_path)
    assert crossstack(*run).err == ""
    assert crossstack(*run).err == "", "the same once more"
    told = crossstack(*run, "--profile", "aligner")
    assert told.code == 0
    assert told.err.count("\n") == 1
    assert "crossstack_2x1x2 replaces a" in told.err
    assert "with other parameters: profile stepper -> aligner" in told.err
    config = tmp_path / "array.yaml"
    config.write_text("select_w_um: 4\ntech: {corner: max, sheet_resistance_ohm_sq: {ME: 0.4}}")
    value = crossstack(verb, config, *run[1:], "--profile", "aligner", "--json").json
    (warning,) = value["warnings"]
    for change in ("select_w_um 2.0 -> 4", "tech.corner typ -> max", ".ME default -> 0.4"):
        assert change in warning
    back = crossstack(*run, "--device-um", 2, "--quiet")
    assert (back.code, back.out, back.err) == (0, "", "")
    changed = crossstack(*run).err
    assert "device_um 2.0 -> default" in changed
    assert "profile" not in changed
