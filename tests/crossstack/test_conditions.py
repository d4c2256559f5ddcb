"""Conditions: refused before anything is drawn, kept in every file, the same figures every way."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import yaml

from crossstack.cells.drawing import to_layout
from crossstack.extract import extract, load_array, save_array, write_spef, write_spice
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import Conditions, ParameterError, get_tech
from crossstack.solve import load_network, save_network

TECH = get_tech()
#: one way to build something: spec, conditions
WAYS = [
    ({}, {}),
    ({}, {"temperature_c": 85}),
    ({}, {"corner": "max", "temperature_c": 85}),
    ({}, {"corner": "min", "temperature_c": -40}),
    ({"profile": "aligner"}, {"corner": "max"}),
    ({"profile": "aligner", "cell": "passive"}, {"temperature_c": 125}),
    ({"cell": "passive"}, {"corner": "min", "size_bias_um": {"ME": -0.05, "Metal4": 0.02}}),
    ({"cell": "planar"}, {"corner": "max", "temperature_c": 60.5}),
    ({"cell": "passive_planar"}, {"temperature_c": -20, "sheet_resistance_ohm_sq": {"BE": 1.2}}),
    ({}, {"sheet_resistance_ohm_sq": {"ME": 0.8, "Metal4": 0.05}, "temperature_c": 100}),
    ({"select_w_um": 4.0}, {"size_bias_um": {"ME": -0.1}, "corner": "max"}),
    ({"top": "macro"}, {"corner": "max", "temperature_c": -40, "size_bias_um": {"Metal3": 0.02}}),
]


@pytest.mark.parametrize(("spec", "tech"), WAYS)
def test_step_by_step_equals_build(crossstack, tmp_path, spec, tech):
    """generate, extract into another folder, solve: the figures of build, by either engine."""
    config = tmp_path / "a.yaml"
    config.write_text(yaml.safe_dump({"rows": 2, "cols": 2, "name": "a", **spec, "tech": tech}))
    built = crossstack("build", config, "-o", tmp_path / "all", "--json").json["ir_drop"]
    assert crossstack("generate", config, "-o", tmp_path / "drawn", "-q").code == 0
    for engine in ("flat", "tile"):
        far = tmp_path / engine
        made = crossstack(
            "extract", tmp_path / "drawn" / "a.gds", "-o", far, "--engine", engine, "--json"
        ).json
        assert made["extraction"]["conditions"] == built["conditions"]
        for mode, figures in built["modes"].items():
            found = crossstack("solve", made["network"], "--mode", mode, "--json").json
            assert found["parameters"]["conditions"] == built["conditions"]
            same = 1e-9 if engine == "flat" else 3e-3  # which engine is a choice of its own
            for kind in ("worst_device_error", "mean_device_error", "worst_column_error"):
                for view, value in figures[kind].items():
                    assert found["modes"][mode][kind][view] == pytest.approx(value, rel=same), kind


#: how each command is told of conditions that do not exist, in a folder with hot.yaml and a.gds
REFUSALS = [
    ("build", "hot.yaml"),
    ("generate", "hot.yaml"),
    ("compare", "hot.yaml"),
    ("sweep", "hot.yaml", "--vary", "rows=2,3"),
    ("sweep", "--vary", "tech.temperature_c=25,150"),
    ("extract", "a.gds", "--temperature", "150"),
    *((verb, "a.gds") for verb in ("extract", "drc", "view", "tapeout")),
    ("lvs", "a.gds", "--netlist", "hot.yaml"),
]


@pytest.mark.parametrize("command", REFUSALS, ids=" ".join)
def test_conditions_that_do_not_exist_are_refused_before_anything_is_drawn(
    crossstack, tmp_path, monkeypatch, command
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hot.yaml").write_text("rows: 2\ncols: 2\ntech: {corner: max, temperature_c: 150}")
    # stands for a layout: conditions are judged before it is opened
    (tmp_path / "a.gds").write_bytes(b"")
    cold = {} if "--temperature" in command else {"temperature_c": 150}
    told = {"files": {"a.gds": ""}, "parameters": {"profile": "stepper", "tech": cold}}
    (tmp_path / "a.json").write_text(json.dumps(told))
    before = set(tmp_path.iterdir())
    code = 3 if command[1] == "a.gds" and "--temperature" not in command else 2
    ran = crossstack(*command)
    ran.fails(code, "temperature_c = 150", "a number from -40 to 125 C")
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("tech", "words"),
    [
        ("{temperature_c: -41}", "-40 to 125"),
        ("{temperature_c: .nan}", "temperature_c = nan"),
        ("{temperature_c: true}", "temperature_c = True"),
        ("{corner: TYP}", "one of typ, min, max"),
        ("{corner: [max]}", "one of typ, min, max"),
        ("{size_bias_um: {ME: 2}}", "tech.size_bias_um.ME = 2"),
        ("{size_bias_um: {nsd: 0.1}}", "tech.size_bias_um.nsd"),
        ("{size_bias_um: 0.1}", "film: um per edge"),
        ("{sheet_resistance_ohm_sq: {ME: 0}}", "tech.sheet_resistance_ohm_sq.ME = 0"),
        ("{sheet_resistance_ohm_sq: {psd: 9}}", "tech.sheet_resistance_ohm_sq.psd"),
        ("{supply_v: 1.8}", "supply_v"),
    ],
)
def test_ranges_are_named(crossstack, tmp_path, tech, words):
    (tmp_path / "a.yaml").write_text(f"tech: {tech}\n")
    crossstack("generate", tmp_path / "a.yaml", "-o", tmp_path / "o").fails(2, words)
    assert not (tmp_path / "o").exists()


@pytest.fixture(scope="module")
def drawn():
    spec = ArraySpec(rows=2, cols=2)
    return to_layout(build_top(spec).cell, TECH)


HOT = Conditions(corner="max", temperature_c=85.0)


def test_a_network_and_a_technology_elsewhere_do_not_meet(drawn, tmp_path):
    from crossstack.analyse.analysis import stimulus
    from crossstack.analyse.operating import mode_ohm

    found = extract(drawn, TECH.at(HOT), engine="tile")
    network, array = found.network, found.array
    assert network.conditions == array.conditions == TECH.at(HOT).conditions.to_json()
    for tech in (TECH, TECH.at(replace(HOT, corner="typ")), TECH.with_sheet_resistance("ME", 1.0)):
        with pytest.raises(ParameterError, match=r"tech\.at\(network\.conditions\)"):
            mode_ohm(network, tech, stimulus(network, tech), "expansion")
        with pytest.raises(ParameterError, match="conditions"):
            write_spice(network, tech, tmp_path / "a.spice")
    tech = TECH.at(network.conditions)
    assert tech == TECH.at(HOT)
    mode_ohm(network, tech, stimulus(network, tech), "expansion")
    with pytest.raises(ParameterError, match="profile"):
        get_tech("aligner").at(network.conditions)


def test_every_file_says_its_conditions(drawn, tmp_path):
    tech = TECH.at(HOT)
    found = extract(drawn, tech, engine="tile")
    path = save_network(found.network, tmp_path / "n.npz")
    assert load_network(path).conditions == tech.conditions.to_json()
    assert load_array(save_array(found.array, tmp_path / "a.npz")).conditions == (
        tech.conditions.to_json()
    )
    text = "conditions: profile stepper, corner max, 85 C, supply 3.3 V"
    assert text in write_spice(found.network, tech, tmp_path / "a.spice").read_text()
    assert text in write_spef(found.network, tmp_path / "a.spef").read_text()


def test_a_manifest_that_says_otherwise_is_said(crossstack, drawn, tmp_path):
    path = save_network(extract(drawn, TECH.at(HOT)).network, tmp_path / "n.npz")
    told = {"files": {"n.npz": ""}, "parameters": {"profile": "stepper", "tech": {}}}
    (tmp_path / "n.json").write_text(json.dumps(told))
    ran = crossstack("solve", path)
    assert ran.code == 0
    assert "the file's own hold: corner max and typ; temperature_c 85 and 25" in ran.err
    assert "profile stepper, corner max, 85 C" in ran.out
    crossstack("inspect", path, "--profile", "aligner").fails(2, "--profile aligner", "stepper")


@pytest.mark.parametrize("missing", ["process", "profile", "supply_v"])
def test_a_network_without_conditions_is_refused(crossstack, drawn, tmp_path, missing):
    """It was solved at assumed ones."""
    found = extract(drawn, TECH).network
    for conditions in ({}, {**found.conditions, missing: 0.0 if missing == "supply_v" else ""}):
        path = save_network(replace(found, conditions=conditions), tmp_path / "n.npz")
        crossstack("solve", path, "--json").fails(3, "does not say what it was", missing)


@pytest.mark.parametrize("engine", ["flat", "tile"])
def test_voltages_beyond_the_transistors_are_refused(crossstack, drawn, tmp_path, engine):
    found = extract(drawn, TECH, engine=engine)
    path = tmp_path / "n.npz"
    if engine == "flat":
        save_network(found.network, path)
    else:
        save_array(found.array, path)
    inputs = tmp_path / "x.npy"
    for volts in (1e6, -1e6, 3.31, -0.6):
        np.save(inputs, np.full((2, 2), volts))
        crossstack("solve", path, "--inputs", inputs).fails(2, f"{volts:g} V", "-0.5 .. 3.3 V")
    for volts in (3.1, -0.1, 3.0, 0.2):  # all in the table of R_on
        np.save(inputs, np.full((2, 2), volts))
        ran = crossstack("solve", path, "--inputs", inputs)
        assert ran.code == 0, ran.err
    deep = ("solve", path, "--mode", "deep-net", "--write-voltage")
    crossstack(*deep, 50).fails(2, "50 V", "3.3 V")
    if engine == "flat":
        np.save(inputs, np.full((5, 2, 2), 9.0))
        crossstack("solve", path, "--inputs", inputs).fails(2, "9 V")


@pytest.mark.requires_program("ngspice")
def test_the_foundrys_models_run_at_the_files_conditions(crossstack, tmp_path):
    """At 85 C our solver is 0.1 % off the models there, and 1 % off those at 25 C."""
    tech = TECH.at(HOT)
    spec = ArraySpec(rows=2, cols=2)
    network = extract(to_layout(build_top(spec).cell, tech), tech).network
    path, deck = save_network(network, tmp_path / "n.npz"), tmp_path / "deck.spice"
    ran = crossstack("foundry", "solve", path, "--deck", deck, "--tolerance", 0.004, "--json")
    assert ran.code == 0, ran.out + ran.err
    assert ran.json["conditions"] == network.conditions
    text = deck.read_text()
    assert ".temp 85\n" in text
    assert "' ss\n" in text
    assert "corner max, 85 C" in text


def test_conditions_are_judged_before_what_draws_is_loaded(tmp_path):
    config = tmp_path / "hot.yaml"
    config.write_text("rows: 2\ntech: {corner: max, temperature_c: 150}\n")
    code = (
        "import sys\n"
        "from crossstack.base.errors import ConfigError\n"
        "from crossstack.config import load_config\n"
        "try:\n"
        "    load_config(__import__('pathlib').Path(sys.argv[1]), {})\n"
        "except ConfigError as error:\n"
        "    print(error)\n"
        "print([name for name in sys.modules if name in ('klayout', 'numpy')])\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, config], capture_output=True, text=True)
    told, loaded = ran.stdout.splitlines()
    assert "hot.yaml, line 2: tech.temperature_c = 150.0 is not allowed" in told
    assert loaded == "[]"
