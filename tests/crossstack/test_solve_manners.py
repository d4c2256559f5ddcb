"""`solve`, `sweep` and `compare`: what they refuse, and what they leave alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crossstack.solve import save_network
from crossstack.solve.network.netfile import load_network
from crossstack.solve.network.network import ARRAY_TYPES


@pytest.mark.parametrize("shape", [(3, 2, 2), (2, 2, 3), (12,), (2, 6)])
def test_weights_of_another_shape_are_not_put_in_order(crossstack, built, tmp_path, shape):
    np.save(tmp_path / "w.npy", np.full(shape, 0.5))
    ran = crossstack("solve", built, "--weights", tmp_path / "w.npy")
    ran.fails(2, "w.npy has shape", "expected (2, 3, 2)")


def test_numbers_that_are_not_real(crossstack, built, tmp_path):
    np.save(tmp_path / "w.npy", np.full((2, 3, 2), 0.5 + 0.1j))
    crossstack("solve", built, "--weights", tmp_path / "w.npy").fails(3, "complex128", "real")
    (tmp_path / "x.csv").write_text("# nothing\n")
    crossstack("solve", built, "--inputs", tmp_path / "x.csv").fails(3, "x.csv holds no numbers")


def test_csv_as_excel_writes_it(crossstack, built, tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xef\xbb\xbf0.1,0.1,0.1\n0,0,0\n")
    assert crossstack("solve", built, "--inputs", tmp_path / "x.csv").code == 0


def test_results_of_another_kind_are_not_replaced(crossstack, built, tmp_path):
    before = sorted(path.name for path in built.iterdir())
    sweep = ("sweep", "--rows", 2, "--cols", 2, "--vary", "rows=2")
    crossstack(*sweep, "-o", built).fails(2, "another kind of result", "no sweep.json")
    crossstack("compare", "--rows", 2, "--cols", 2, "-o", built).fails(2, "no compare.json")
    assert sorted(path.name for path in built.iterdir()) == before


def test_tables_are_refused_before_work(crossstack, built, tmp_path):
    crossstack("solve", built, "-o", tmp_path / "none" / "x.csv").fails(2, "no folder")
    crossstack("solve", built, "-o", tmp_path / "x.json").fails(2, "ends in .csv")


def test_columns_of_an_earlier_batch_go(crossstack, built, tmp_path):
    np.save(tmp_path / "x.npy", np.full((4, 2, 3), 0.1))
    out = tmp_path / "out"
    assert crossstack("solve", built, "--inputs", tmp_path / "x.npy", "-o", out).code == 0
    assert (out / "column_currents.csv").is_file()
    assert crossstack("solve", built, "-o", out).code == 0
    assert not (out / "column_currents.csv").exists()


def test_programming_takes_the_law_of_the_devices_and_tells(crossstack, built):
    ask = ("solve", built, "--programming", 1.59, "--json")
    linear, sinh = crossstack(*ask, "--linear"), crossstack(*ask)
    lowest = [min(r["lowest_V"] for r in ran.json["programming"]) for ran in (linear, sinh)]
    written = crossstack("solve", built, "--mode", "deep-net", "--json")
    loss = written.json["modes"]["deep-net"]["write"]["worst_loss"]
    assert lowest[0] > 1.59 > lowest[1]
    assert lowest[1] <= 2.0 * (1 - loss) * (1 + 1e-3)
    assert linear.code == 0
    assert sinh.code == 1  # a cell below is a finding
    crossstack("solve", built, "--sensitivity", "--nonlinear").fails(2, "--sensitivity")
    with_voltage = crossstack(*ask, "--linear", "--write-voltage", 3)
    # the select transistor follows its gate at 3.3 V: ngspice with BSIM gives 1.6048 and 1.7286 V
    assert lowest[0] == pytest.approx(1.6048, rel=2e-3)
    third = min(r["lowest_V"] for r in with_voltage.json["programming"])
    assert third == pytest.approx(1.7286, rel=2e-3)


def test_vectors_that_cancel_are_still_json(crossstack, built, tmp_path):
    x = np.full((2, 2, 3), 0.1)
    x[1] *= -1
    np.save(tmp_path / "x.npy", x)
    batch = crossstack("solve", built, "--inputs", tmp_path / "x.npy", "--json").json["batch"]
    assert 0 < batch["lost"] < 0.5
    assert batch["checked"] == 2


def test_vectors_farthest_from_the_mean_are_the_ones_checked(crossstack, built, tmp_path):
    x = np.full((30, 2, 3), 0.02)
    x[-1] = 2.0
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "last.npy", x[-1])
    batch = crossstack("solve", built, "--inputs", tmp_path / "x.npy", "--json").json["batch"]
    assert batch["matrix_error"] > 1e-3  # the transistors of the mean are not those at 2 V


def test_a_network_that_is_an_array_of_numbers(crossstack, tmp_path):
    np.save(tmp_path / "w.npy", np.zeros(3))
    crossstack("solve", tmp_path / "w.npy").fails(3, "not a readable network file")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes")
def test_a_reader_that_goes_away_is_no_finding(built):
    line = (
        f"({Path(sys.executable).with_name('crossstack')} solve {built}; echo code $? >&2) | true"
    )
    ran = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert ran.stderr.strip().splitlines()[-1] in ("code 3", "code 0")
    assert "Traceback" not in ran.stderr


def test_files_that_are_something_else(crossstack, built, tmp_path):
    gds = built / f"{built.name}.gds"
    crossstack("lvs", gds, "--netlist", gds).fails(3, "not a readable netlist (a binary file)")
    for verb in (["solve"], ["inspect"], ["limits"], ["foundry", "solve"]):
        text = crossstack(*verb, gds)
        text.fails(3, "not a readable network file", f"run `crossstack extract {gds}` first")
        assert "unsafe" not in text.err
    for other in (built / f"{built.name}.spice", built / "manifest.json"):
        assert "crossstack extract" not in crossstack("solve", other).err


def test_a_bare_array_is_said_to_have_no_mode_switches(built):
    views = json.loads((built / "ir_drop.json").read_text())["stacking"].get("views", {})
    assert not [v["counted"] for v in views.values() if "mode switches" in v["counted"]]


def without(network, kept: np.ndarray):
    """A network without some of its memristors."""
    fields = {
        name: getattr(network, name)[kept] for name in ARRAY_TYPES if name.startswith("memristor_")
    }
    return replace(network, **fields)


def test_devices_that_are_missing_are_said_and_count_nowhere(crossstack, built, tmp_path):
    """One device less: the loss of its column is that of the devices that are there."""
    whole = load_network(built / "network.npz")
    first = (whole.memristor_tier == 0) & (whole.memristor_row == 0) & (whole.memristor_col == 0)
    save_network(without(whole, ~first), tmp_path / "x.npz")
    ran = crossstack("solve", tmp_path / "x.npz", "-o", tmp_path / "out", "--json")
    words = "11 of 12 devices: bottom tier, row 0, column 0 is missing"
    assert ran.code == 0
    assert words in ran.err
    assert any(words in note for note in ran.json["notes"])
    assert words in (tmp_path / "out" / "report.html").read_text()
    before = crossstack("solve", built, "--json").json["modes"]["expansion"]
    after = ran.json["modes"]["expansion"]
    ideal, other = (m["ideal_column_currents_A"] for m in (after, before))
    assert ideal[0] == pytest.approx(other[0] * 5 / 6)
    assert ideal[1] == pytest.approx(other[1])
    assert after["worst_column_error"]["all_series"] == pytest.approx(
        before["worst_column_error"]["all_series"], rel=0.05
    )


def test_a_weight_out_of_range_is_named_with_its_place(crossstack, built, tmp_path):
    weights = np.full((2, 3, 2), 0.5)
    weights[1, 2, 0] = 1.25
    np.save(tmp_path / "w.npy", weights)
    ran = crossstack("solve", built, "--weights", tmp_path / "w.npy")
    ran.fails(2, "w.npy", "top tier, row 2, column 0 is 1.25", "allowed: 0 .. 1")


@pytest.mark.parametrize("file", ["network.npz", "{}.gds", "{}.spice"])
def test_a_build_with_a_replaced_file_has_not_passed(file, crossstack, built, tmp_path):
    folder = tmp_path / built.name
    shutil.copytree(built, folder)
    name = json.loads((folder / "manifest.json").read_text())["name"]
    assert crossstack("report", folder).code == 0
    path = folder / file.format(name)
    if path.suffix == ".npz":
        whole = load_network(path)
        save_network(without(whole, np.arange(len(whole.memristor_row)) > 0), path)
    else:
        path.write_bytes(path.read_bytes().replace(b"TR[0]", b"TR[9]"))
    words = f"{path.name} is not the one that the build judged"
    ran = crossstack("report", folder, "--json")
    assert ran.code == 1
    assert ran.json["passed"] is False
    assert words in ran.err
    assert words in (folder / "report.html").read_text()
    for verb in ("solve", "inspect"):
        ran = crossstack(verb, folder, "--json")
        assert words in ran.err
        assert any(words in note for note in ran.json["notes"])


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("switch_l_um", 0.1, "L = 0.1 um), outside the technology"),
        ("switch_w_um", 1e5, "(W = 100000 um, L = 0.28 um), outside the technology"),
        ("switch_w_um", 0.2, "outside the technology (W 0.22 .. 100, L from 0.28 um)"),
        ("switch_l_um", 5.0, "L = 5 um), whose L no table is of"),
    ],
)
def test_transistors_that_no_table_is_of_are_named(
    field, value, words, crossstack, built, tmp_path
):
    whole = load_network(built / "network.npz")
    sizes = getattr(whole, field).copy()
    sizes[3] = value
    save_network(replace(whole, **{field: sizes}), tmp_path / "x.npz")
    ran = crossstack("solve", tmp_path / "x.npz", "--json")
    assert words in ran.err
    assert any(words in note for note in ran.json["notes"])
    assert not crossstack("solve", built).err


def test_a_memristor_with_both_ends_on_one_node_is_named(crossstack, built, tmp_path):
    whole = load_network(built / "network.npz")
    ends = whole.memristor_b.copy()
    ends[2] = whole.memristor_a[2]
    save_network(replace(whole, memristor_b=ends), tmp_path / "x.npz")
    ran = crossstack("solve", tmp_path / "x.npz")
    assert "has both ends on one node" in ran.err + ran.out


def test_remarks_of_libraries_are_one_line_without_a_path(crossstack, built, tmp_path):
    np.save(tmp_path / "g.npy", np.full((2, 3, 2), 1e-310))
    ran = crossstack("solve", built, "--conductances", tmp_path / "g.npy")
    assert ".py" not in ran.err
    assert all(line.startswith("crossstack: ") for line in ran.err.splitlines())


def test_a_great_loss_names_the_conductances_that_cause_it(crossstack, built, tmp_path):
    np.save(tmp_path / "g.npy", np.full((2, 3, 2), 1.0))
    said = crossstack("solve", built, "--conductances", tmp_path / "g.npy").err
    assert "the largest conductance, 1 S, is 1e+04 times 1/R_on" in said
    assert "crossstack size" not in said


def test_numbers_are_refused_with_place_and_no_advice_for_programmers(crossstack, built, tmp_path):
    (tmp_path / "x.csv").write_text("0.1,0.1,0.1\n0,nan,0\n")
    ran = crossstack("solve", built, "--inputs", tmp_path / "x.csv")
    ran.fails(2, "x.csv: value nan at [1, 1] is not a finite number")
    (tmp_path / "x.csv").write_text("0.1,0.1,0.1\n0,0\n")
    ran = crossstack("solve", built, "--inputs", tmp_path / "x.csv")
    ran.fails(3, "number of columns changed from 3 to 2 at row 2")
    assert "usecols" not in ran.err


def test_zero_has_no_sign(crossstack, built, tmp_path):
    np.save(tmp_path / "x.npy", np.array([[1e-14, 0, 0], [0, 0, 0]]) * -1)
    ran = crossstack("solve", built, "--inputs", tmp_path / "x.npy")
    assert "-0.000000" not in ran.out
    assert " 0.000000 uA" in ran.out
