"""The verbs one by one: exit codes, JSON, what they leave, where the profile comes from."""

from __future__ import annotations

import json
import subprocess
import sys
from xml.etree import ElementTree

import klayout.db as db
import numpy as np
import pytest

from crossstack.pdk import get_tech

from .conftest import COLS, NAME, ROWS

TECH = get_tech("stepper")


def edited(source, target, change):
    """Write a copy of a layout after `change(layout, top)`, as a user's hand would."""
    layout = db.Layout()
    layout.read(str(source))
    change(layout, layout.top_cell())
    layout.write(str(target))
    return target


def test_help_teaches(crossstack):
    ran = crossstack("--help")
    assert ran.code == 0
    for word in ("build", "drc", "lvs", "extract", "solve", "Exit codes", "Start here"):
        assert word in ran.out
    assert crossstack().out == ran.out


@pytest.mark.parametrize(
    "verb", ["build", "generate", "drc", "lvs", "extract", "solve", "report", "view"]
)
def test_every_verb_has_help_and_json(crossstack, verb):
    ran = crossstack(verb, "--help")
    assert ran.code == 0
    assert "--json" in ran.out
    assert "--quiet" in ran.out


@pytest.mark.parametrize("kind", ["gds", "oas"])
def test_generate(crossstack, built, tmp_path, kind):
    ran = crossstack(
        "generate", "--rows", ROWS, "--cols", COLS, "--format", kind, "-o", tmp_path, "--json"
    )
    assert ran.code == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        [f"{NAME}.{kind}", f"{NAME}.json", f"{NAME}.spice"]
    )
    assert ran.json["name"] == NAME
    if kind == "gds":
        assert (tmp_path / f"{NAME}.gds").read_bytes() == (built / f"{NAME}.gds").read_bytes()
    again = crossstack("drc", tmp_path / f"{NAME}.{kind}", "--rules", "M1.*", "--json")
    assert (again.code, again.json["violations"]) == (0, 0)


def test_profile_comes_from_the_sidecar(crossstack, tmp_path):
    assert crossstack("generate", "--rows", 1, "--cols", 2, "--profile", "aligner", "-o", tmp_path)
    gds = tmp_path / "crossstack_1x2x2.gds"
    ran = crossstack("drc", gds, "--rules", "VBE.1", "--json")
    assert (ran.code, ran.json["profile"]) == (0, "aligner")
    # without the sidecar, or against it, the stepper's via size is asked for
    forced = crossstack("drc", gds, "--rules", "VBE.1", "--profile", "stepper", "--json")
    assert (forced.code, forced.json["profile"]) == (1, "stepper")
    (tmp_path / "crossstack_1x2x2.json").unlink()
    assert crossstack("drc", gds, "--rules", "VBE.1", "--json").json["profile"] == "stepper"


def test_drc_finds_a_gap_that_is_too_small(crossstack, built, tmp_path):
    def gap(layout, top):
        shapes = top.shapes(layout.layer(*TECH.gds("Metal1")))
        for left in (-5000, -5000 + 1000 + 225):
            shapes.insert(db.Box(left, 0, left + 1000, 1000))

    file = edited(built / f"{NAME}.gds", tmp_path / "gap.gds", gap)
    ran = crossstack("drc", file, "--json")
    assert ran.code == 1
    assert {k: n for k, n in ran.json["by_rule"].items() if n} == {"M1.2a": 1}
    assert (tmp_path / "gap_drc.lyrdb").is_file()
    assert json.loads((tmp_path / "gap_drc.json").read_text())["violations"] == 1
    junit = crossstack("drc", file, "--format", "junit")
    assert junit.code == 1
    suite = ElementTree.fromstring(junit.out)
    broken = [case.get("name") for case in suite if case.find("failure") is not None]
    assert broken == ["M1.2a"]
    github = crossstack("drc", file, "--format", "github")
    assert "::error" in github.out
    assert "M1.2a" in github.out
    assert json.loads(crossstack("drc", file, "--format", "sarif").out)["runs"]
    waivers = tmp_path / "waivers.yaml"
    entry = "- {rule: M1.2a, box: [-10, -10, 10, 10], reason: test, expires: %s}\n"
    waivers.write_text("waivers:\n" + entry % "2999-01-01")
    assert crossstack("drc", file, "--waivers", waivers).code == 0
    waivers.write_text("waivers:\n" + entry % "2020-01-01")
    assert crossstack("drc", file, "--waivers", waivers).code == 1
    picture = tmp_path / "gap.png"
    markers = tmp_path / "gap_drc.lyrdb"
    assert crossstack("view", file, "--png", "-o", picture, "--markers", markers).code == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("nope*", ["rules = 'nope*'", "there are DF.*", "M1.*", "VTE.*"]),
        ("m1.*", ["did you mean M1.1, M1.2a, M1.2b, ...?"]),
        ("M1_2a", ["did you mean M1.2"]),
        ("Metal1", ["ANT.Metal1"]),
    ],
)
def test_unknown_rule(crossstack, built, tmp_path, pattern, words):
    run = ("drc", built / f"{NAME}.gds", "-o", tmp_path, "--rules")
    crossstack(*run, pattern).fails(2, *words)


def test_reading_verbs_take_the_folder_of_a_build(crossstack, built, tmp_path, monkeypatch):
    """They read layout, netlist and profile from it, and write nothing into it."""
    monkeypatch.chdir(tmp_path)
    before = {path: path.read_bytes() for path in built.iterdir()}
    ran = crossstack("drc", built, "--json")
    assert (ran.code, ran.json["violations"], ran.json["profile"]) == (0, 0, "stepper")
    assert crossstack("lvs", built).code == 0
    assert crossstack("extract", built).code == 0
    assert {path: path.read_bytes() for path in built.iterdir()} == before
    made = {path.name.removeprefix(NAME) for path in tmp_path.iterdir()}
    assert made >= {"_drc.json", "_drc.lyrdb", "_lvs.json", ".lvsdb", "_network.npz"}
    other = tmp_path / "other.spice"
    other.write_text((built / f"{NAME}.spice").read_text().replace(" C[0] ", " C[1] "))
    assert crossstack("lvs", built, "--netlist", other).code != 0
    (tmp_path / "empty").mkdir()
    for verb in ("drc", "lvs", "extract", "report", "solve", "tapeout"):
        ran = crossstack(verb, tmp_path / "empty")
        ran.fails(3, "empty holds no result: `crossstack build` leaves a folder with manifest.json")
        assert ("sweep.json" in ran.err) == (verb == "report")
        # the folder around the build, as many type it
        crossstack(verb, built.parent).fails(3, f"; did you mean {built}?")


def test_lvs_finds_a_missing_via(crossstack, built, tmp_path):
    def without(layout, top):
        top.flatten(True)
        next(iter(top.shapes(layout.layer(*TECH.gds("VTE"))).each())).delete()

    file = edited(built / f"{NAME}.gds", tmp_path / "cut.gds", without)
    ran = crossstack("lvs", file, "--netlist", built / f"{NAME}.spice", "-o", tmp_path, "--json")
    assert ran.code == 1
    assert ran.json["match"] is False
    assert "VTE missing" in " ".join(ran.json["errors"])
    assert (tmp_path / "cut.lvsdb").is_file()


def test_extract_and_solve(crossstack, built, tmp_path):
    ran = crossstack("extract", built / f"{NAME}.gds", "-o", tmp_path, "--json")
    assert ran.code == 0
    assert ran.json["memristors"] == 2 * ROWS * COLS
    nets = {row["net"]: row for row in ran.json["nets"]}
    assert nets["TR[0]"]["farthest_ohm"] > nets["TR[0]"]["nearest_ohm"] > 0
    assert nets["TS[0]"]["devices"] == ROWS
    solved = crossstack("solve", tmp_path / f"{NAME}_network.npz", "--json")
    reference = json.loads((built / "ir_drop.json").read_text())["modes"]["expansion"]
    assert solved.code == 0
    assert solved.json["modes"]["expansion"]["column_currents_A"] == pytest.approx(
        reference["column_currents_A"], rel=1e-12
    )


def test_extract_keeps_the_builds_process_unless_told(crossstack, built, tmp_path):
    plain, thick = tmp_path / "plain", tmp_path / "thick"
    gds = built / f"{NAME}.gds"
    assert crossstack("extract", gds, "-o", plain).code == 0
    ran = crossstack("extract", gds, "-o", thick, "--sheet", "ME=0.8", "--json")
    far = {row["net"]: row["farthest_ohm"] for row in ran.json["nets"]}
    assert far["C[0]"] > 1.0
    crossstack("extract", gds, "--sheet", "ME").fails(2, "FILM=NUMBER")
    # a build keeps capacitors beside its wires
    ours, theirs = np.load(plain / f"{NAME}_network.npz"), np.load(built / "network.npz")
    assert {"capacitor_a", "capacitor_f"} <= set(theirs.files) - set(ours.files)
    for name in ours.files:
        assert ours[name].tobytes() == theirs[name].tobytes(), name


def test_solve_with_own_weights_and_inputs(crossstack, built, tmp_path):
    weights, inputs = tmp_path / "w.npy", tmp_path / "x.csv"
    np.save(weights, np.zeros((2, ROWS, COLS)))
    inputs.write_text("0.1,0.1,0.1\n0,0,0\n")
    ran = crossstack("solve", built, "--weights", weights, "--inputs", inputs, "--json")
    # three devices at R_off and 0.1 V: 0.3 uA per column, little lost
    assert ran.json["modes"]["expansion"]["column_currents_A"] == pytest.approx(
        [3e-7] * 2, rel=2e-3
    )
    table = tmp_path / "t.csv"
    deep = crossstack(
        "solve", built, "--mode", "deep-net", "--read-tier", "top", "--write-column", 1, "-o", table
    )
    assert deep.code == 0
    assert "(written)" in deep.out
    assert len(table.read_text().splitlines()) == 1 + 2 * ROWS * COLS


def test_quiet_is_quiet(crossstack, built, tmp_path):
    ran = crossstack("drc", built / f"{NAME}.gds", "--rules", "M1.1", "-o", tmp_path, "-q")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def fresh(code: str) -> str:
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return ran.stdout


def test_help_imports_nothing_heavy():
    loaded = fresh(
        "import sys; from crossstack.cli import run; run(['--help']); print(sorted(sys.modules))"
    )
    for package in ("numpy", "klayout", "gdsfactory", "scipy", "matplotlib", "yaml", "rich"):
        assert f"'{package}'" not in loaded


@pytest.mark.parametrize("verb", ["drc", "lvs", "extract"])
def test_reading_commands_do_not_import_generators(built, tmp_path, verb):
    args = [verb, str(built / f"{NAME}.gds"), "-o", str(tmp_path), "-q"]
    args += ["--netlist", str(built / f"{NAME}.spice")] if verb == "lvs" else []
    loaded = fresh(
        f"import sys; from crossstack.cli import run; assert run({args!r}) == 0; "
        "print(sorted(sys.modules))"
    )
    for package in ("gdsfactory", "kfactory", "matplotlib", "crossstack.cells.hybrid"):
        assert f"'{package}'" not in loaded


def test_output_to_a_closed_pipe():
    code = "import sys; from crossstack.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.wait()


@pytest.mark.parametrize("verb", ["build", "drc", "solve"])
def test_a_help_text_loads_no_process(verb):
    """Reading the tables, numpy or KLayout would take longer than all the rest."""
    code = (
        f"import sys; from crossstack.cli import run; run([{verb!r}, '--help']); "
        "print(*sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ran.stderr.split())
    assert "Usage:" in ran.stdout
    assert not loaded & {"crossstack.pdk.tech", "numpy", "klayout.db", "ssl", "tomllib", "csv"}
