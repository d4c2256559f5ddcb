"""`crossstack sweep`: every combination, the same figures as a build, clear refusals."""

from __future__ import annotations

import csv
import json

import pytest

from crossstack import sweep
from crossstack.console import Console

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
    assert (swept / "sweep.png").read_bytes().startswith(b"\x89PNG")
    manifest = json.loads((swept / "manifest.json").read_text())
    assert set(manifest["files"]) == {"sweep.csv", "sweep.json", "sweep.png"}


def test_a_case_that_cannot_be_drawn_says_so_and_the_others_go_on(crossstack, tmp_path):
    ran = crossstack("sweep", *HERE, "--vary", "pitch_x_um=2,6", "-o", tmp_path / "s", "--json")
    assert ran.code == 1
    bad, good = ran.json["rows"]
    assert "pitch_x_um = 2 is not allowed" in bad["failed"]
    assert set(good["modes"]) == {"expansion", "deep-net"}
    text = crossstack("sweep", *HERE, "--vary", "pitch_x_um=2", "-o", tmp_path / "s").out
    assert "failed: pitch_x_um = 2" in text


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
        (["rows=[3"], ["cannot be read"]),
        (["rwos=3"], ["rwos", "did you mean 'rows'"]),
        (["tech.corner=fast"], ["tech.corner = 'fast'", "typ, min, max"]),
        (["tech.sheet_resistance_ohm_sq.MEE=1"], ["MEE", "did you mean 'ME'"]),
        (["rows=2,0"], ["rows = 0"]),
        (["top=testchip"], ["testchip"]),
        (["rows=" + ",".join(map(str, range(1, 41))), "cols=" + ",".join(map(str, range(1, 41)))],
         ["1000 cases"]),
    ],
)  # fmt: skip
def test_what_cannot_be_varied(crossstack, tmp_path, vary, words):
    options = [word for text in vary for word in ("--vary", text)]
    crossstack("sweep", *options, "-o", tmp_path / "s").fails(2, *words)
    assert list(tmp_path.iterdir()) == []


def test_sweep_needs_something_to_vary(crossstack):
    crossstack("sweep").fails(2, "--vary")
