"""`crossstack sweep`: every combination, the same figures as a build, clear refusals."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET

import pytest

from crossstack import sweep
from crossstack.base.errors import ConfigError
from crossstack.commands.sweep import _lines
from crossstack.console import Console
from crossstack.sweep import parse_vary

from .conftest import COLS, ROWS

HERE = ("--rows", ROWS, "--cols", COLS)


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    from crossstack.cli import run

    out = tmp_path_factory.mktemp("swept") / "sweep"
    vary = ["--vary", f"rows=1,{ROWS}", "--vary", "tech.sheet_resistance_ohm_sq.ME=0.4,0.8"]
    assert run(["sweep", "--cols", str(COLS), *vary, "-o", str(out), "--quiet"]) == 0
    return out


def test_every_combination_is_there_and_one_is_the_build(swept, built):
    value = json.loads((swept / "sweep.json").read_text())
    key = "tech.sheet_resistance_ohm_sq.ME"
    found = {(row["case"]["rows"], row["case"][key]): row["modes"] for row in value["rows"]}
    assert list(found) == [(1, 0.4), (1, 0.8), (ROWS, 0.4), (ROWS, 0.8)]
    modes = json.loads((built / "ir_drop.json").read_text())["modes"]
    for mode, m in found[ROWS, 0.4].items():  # 0.4 is the default
        for name, (metric, counted) in sweep.FIGURES.items():
            assert m[name] == pytest.approx(modes[mode][metric][counted], rel=1e-12)
    thin, thick = found[ROWS, 0.8]["expansion"], found[ROWS, 0.4]["expansion"]
    assert thin["worst_device_wires"] > 1.02 * thick["worst_device_wires"]


def test_the_table_and_the_picture(swept):
    with (swept / "sweep.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 8
    assert [rows[0][k] for k in ("rows", "mode", "failed")] == ["1", "expansion", ""]
    text = (swept / "sweep.svg").read_text()
    assert ET.fromstring(text).tag.endswith("svg")
    manifest = json.loads((swept / "manifest.json").read_text())
    assert set(manifest["files"]) == {"sweep.csv", "sweep.json", "sweep.svg", "report.html"}


def test_a_case_that_cannot_be_drawn_says_so_and_the_others_go_on(crossstack, tmp_path):
    both = ("--vary", "select_w_um=2,5", "--vary", "pitch_y_um=4,8")
    ran = crossstack("sweep", *HERE, *both, "-o", tmp_path / "s", "--json")
    assert ran.code == 1
    bad = [row for row in ran.json["rows"] if "failed" in row]
    assert [row["case"] for row in bad] == [{"select_w_um": 5, "pitch_y_um": 4}]
    assert "pitch_y_um = 4 is not allowed" in bad[0]["failed"]
    assert all(
        set(r["modes"]) == {"expansion", "deep-net"} for r in ran.json["rows"] if r not in bad
    )
    text = "\n".join(_lines({"select_w_um": [2, 5], "pitch_y_um": [4, 8]}, ran.json["rows"]))
    assert "failed: pitch_y_um = 4" in text


def test_figures_of_the_whole_array(swept, built):
    value = json.loads((swept / "sweep.json").read_text())
    row = next(r for r in value["rows"] if r["case"]["rows"] == ROWS)
    # hand: 20 uA x 0.2 V a device less what is lost, for 100 ns of sensing
    lost = row["modes"]["expansion"]["mean_device_all"]
    assert row["read"]["energy_per_mac_j"] == pytest.approx(
        0.2**2 / 1e4 * (1 - lost) * (100e-9 + row["read"]["settle_s"]), rel=1e-3
    )
    timing = json.loads((built / "timing.json").read_text())
    assert row["read"]["settle_s"] == timing["settle"]["settle_s"]
    assert 0 < row["area"]["array_um2"] < row["area"]["area_um2"]
    deep = row["modes"]["deep-net"]
    lines = list(csv.DictReader((swept / "sweep.csv").open()))
    assert {line["write_met"] for line in lines} == {"no"}
    assert all("too little in a set and a reset" in line["write_voltages"] for line in lines)
    assert deep["write_loss"] == max(deep["write_loss_set"], deep["write_loss_reset"])
    for polarity in ("set", "reset"):
        assert deep[f"write_v_{polarity}"] == pytest.approx(
            2 * (1 - deep[f"write_loss_{polarity}"])
        )


def test_words_as_values(crossstack, tmp_path):
    ran = crossstack(
        "sweep", *HERE, "--vary", "tech.corner=min,max", "-o", tmp_path / "s", "--json"
    )
    low, high = (r["modes"]["expansion"]["worst_device_wires"] for r in ran.json["rows"])
    assert low < high


def test_layouts_are_drawn_once_for_what_is_drawn_alike(monkeypatch):
    drawn = []
    real = sweep._draw
    monkeypatch.setattr(sweep, "_draw", lambda config: drawn.append(config) or real(config))
    vary = {"tech.temperature_c": [25, 85], "rows": [1, 2]}
    rows = sweep.run(sweep.cases({"cols": 2}, vary), Console(quiet=True))
    assert [row["case"] for row in rows] == [
        {"tech.temperature_c": t, "rows": n} for t in (25, 85) for n in (1, 2)
    ]
    assert [config.spec.rows for config in drawn] == [1, 2]


@pytest.mark.parametrize(
    ("vary", "words"),
    [
        (["rows"], ["rows", "KEY=VALUE"]),
        (["rows=1,"], ["rows=1,", "KEY=VALUE"]),
        (["rows=1,1"], ["twice"]),
        (["rows=1", "rows=2"], ["rows twice"]),
        (["rows=[3"], ["rows=[3", "no word or decimal number"]),
        (["rwos=3"], ["rwos", "did you mean 'rows'"]),
        (["tech.corner=fast"], ["tech.corner = 'fast'", "typ, min, max"]),
        (["tech.sheet_resistance_ohm_sq.MEE=1"], ["MEE", "did you mean 'ME'"]),
        (["rows=2,0"], ["rows = 0"]),
        (["top=testchip"], ["testchip"]),
        (["pitch_x_um=6,2"], ["pitch_x_um = 2 is not allowed", "minimum by the design rules"]),
        (["rows=1,2", "select_w_um=2,3000"], ["select_w_um = 3000", "0.36 .. 100 um"]),
        (["top=macro", "switch_wn_um=0.5,20"], ["switch_wn_um = 0.5"]),
        (["rows=" + ",".join(map(str, range(1, 41))), "cols=" + ",".join(map(str, range(1, 41)))],
         ["1000 cases"]),
    ],
)  # fmt: skip
def test_what_cannot_be_varied(crossstack, tmp_path, vary, words):
    options = [word for text in vary for word in ("--vary", text)]
    crossstack("sweep", *options, "-o", tmp_path / "s").fails(2, *words)
    assert list(tmp_path.iterdir()) == []


def test_a_varied_value_is_not_said_to_stand_in_the_file(crossstack, tmp_path):
    file = tmp_path / "ok.yaml"
    file.write_text("rows: 2\ntech:\n  temperature_c: 25\n")
    ran = crossstack("sweep", file, "--vary", "tech.temperature_c=25,150", "-o", tmp_path / "s")
    ran.fails(2, "--vary: tech.temperature_c = 150.0 is not allowed")
    assert "line 3" not in ran.err


@pytest.mark.parametrize(
    ("cell", "key", "words"),
    [
        ("passive", "device.v_set_v=1,2", "select transistors"),
        ("passive_planar", "device.compliance_a=1e-4,2e-4", "select transistors"),
        ("hybrid", "device.stuck_on=0.1,0.2", "solve --monte-carlo"),
        ("hybrid", "device.source=ours,theirs", "figures depend on"),
    ],
)
def test_a_key_that_nothing_depends_on_is_refused(crossstack, tmp_path, cell, key, words):
    options = ("--cell", cell, "--vary", key, "-o", tmp_path / "s")
    crossstack("sweep", *HERE, *options).fails(2, key.partition("=")[0], words)
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_changed_nothing_is_named(crossstack, tmp_path):
    vary = {"device.r_off_ohm": [1e6, 2e6], "rows": [1, 2]}
    rows = [{"case": {"device.r_off_ohm": r, "rows": n}, "x": n} for r in (1, 2) for n in (1, 2)]
    assert sweep.without_effect(vary, rows) == ["device.r_off_ohm"]
    rows[0]["x"] = 3
    assert sweep.without_effect(vary, rows) == []
    options = ("--vary", "device.r_off_ohm=1000000,2000000", "-o", tmp_path / "s")
    ran = crossstack("sweep", "--rows", "1", "--cols", "1", *options)
    assert "no figure changes with it" in ran.err


def test_sweep_needs_something_to_vary(crossstack):
    crossstack("sweep").fails(2, "--vary")


@pytest.mark.parametrize("values", ["2,2", "1,1.0", "nan,nan", "x,x"])
def test_a_value_is_asked_for_once(values):
    with pytest.raises(ConfigError, match="a value appears twice"):
        parse_vary([f"a={values}"])


def test_true_and_one_are_two_values():
    assert parse_vary(["a=true,1"]) == {"a": [True, 1]}
