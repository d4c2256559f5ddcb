"""Conditions: refused before anything is drawn, kept in every file, the same figures every way."""

import json
from dataclasses import replace

import numpy as np
import pytest
import yaml

from crossstack.cells.drawing import to_layout
from crossstack.extract import extract, load_array, save_array, write_spef, write_spice
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import Conditions, ParameterError, get_tech
from crossstack.solve import Network

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
    ({"top": "macro"}, {"temperature_c": 85}),
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
