"""Macros that fill their corner: their area, their lanes, and the baseline's own pitch."""

import importlib.util
from pathlib import Path

import pytest

from crossstack.cells import draw_cell, to_layout
from crossstack.comparison.areas import area_lines, area_study
from crossstack.extract import extract
from crossstack.generators import ArraySpec, build_top, drawn_pitches
from crossstack.pdk import ParameterError, get_tech

_PATH = Path(__file__).parents[2] / "bench" / "options.py"
_MODULE = importlib.util.spec_from_file_location("bench_options_of_macros", _PATH)
options = importlib.util.module_from_spec(_MODULE)
importlib.import_module("sys").modules["bench_options_of_macros"] = options
_MODULE.loader.exec_module(options)


def test_what_stands_around_a_10x10_array_is_at_most_three_times_its_area():
    study = area_study(ArraySpec(rows=10, cols=10, top="macro", kelvin=True))
    asked = study.asked
    assert asked.switches_over_array < 3.0
    assert asked.ratio < 0.85  # against planar, at its own pitch and the same switches
    large = {row.rows: row.ratio for row in study.rows}
    assert large[32] < 0.85
    assert large[128] < 0.75
    assert [*large] == sorted(large)
    text = list(area_lines(study))
    assert f"{asked.ratio:.3f}" in text[4]
    assert len(text) == len(study.rows) + 6
    assert "without sense lines" in text[0]


def test_a_size_that_is_asked_for_is_shown_once(monkeypatch):
    monkeypatch.setattr("crossstack.comparison.areas.SIZES", (2, 3))
    study = area_study(ArraySpec(rows=2, cols=2, top="macro"))
    assert [(row.rows, row.cols) for row in (study.asked, *study.rows)] == [(2, 2), (3, 3)]


def test_a_size_that_cannot_be_drawn_is_named():
    study = area_study(ArraySpec(rows=600, cols=2, top="macro"))
    assert "rows" in study.asked.not_run
    assert "not drawn" in list(area_lines(study))[4]


@pytest.mark.parametrize(
    "values",
    [
        {"rows": 1, "cols": 4},
        {"rows": 6, "cols": 1, "read_switch": "both"},
        {"rows": 7, "cols": 3, "kelvin": True, "profile": "aligner"},
        {"rows": 3, "cols": 2, "cell": "planar", "strap": True, "switch_wn_um": 60.0},
        {"rows": 5, "cols": 2, "process": "sky130"},
        {"rows": 1, "cols": 1, "cell": "planar", "process": "sky130", "read_switch": "both",
         "device_um": 2.6, "select_w_um": 11.28, "switch_wn_um": 299.38},
    ],
    ids=lambda v: "-".join(f"{k}={x}" for k, x in v.items()),
)  # fmt: skip
def test_macros_with_lanes_are_clean_and_matched(values):
    assert options.faults(build_top(ArraySpec(top="macro", **values))) == ""


def test_rows_of_a_small_macro_change_their_height_on_the_way_and_those_of_a_large_do_not():
    def pitches(n):
        array = build_top(ArraySpec(rows=n, cols=n, top="macro"))
        by_name = {p.cell.name: p for p in array.cell.placements}
        return by_name["row_switch"].dy, by_name["hybrid_cell"].dy

    small, large = pitches(10), pitches(64)
    assert small[0] > small[1]
    assert large[0] == large[1]


@pytest.mark.parametrize(
    "values",
    [
        {"select_w_um": 4.0, "select_fingers": 2},
        {"select_w_um": 9.0, "select_fingers": 3, "cell": "planar", "strap": True},
        {"select_w_um": 8.0, "select_fingers": 4, "profile": "aligner"},
        {"select_w_um": 0.8, "select_fingers": 2},
        {"select_w_um": 4.0, "select_fingers": 4, "process": "sky130"},
        {"select_w_um": 8.0, "select_fingers": 2, "top": "macro"},
    ],
    ids=lambda v: "-".join(f"{k}={x}" for k, x in v.items()),
)
def test_folded_select_transistors_are_clean_and_matched(values):
    assert options.faults(build_top(ArraySpec(rows=2, cols=3, **values))) == ""


def test_a_folded_transistor_makes_the_column_shorter_and_its_gates_are_seen_one_by_one():
    def drawn(fingers):
        return build_top(ArraySpec(3, 2, select_w_um=8.0, select_fingers=fingers))

    one, two = drawn(1), drawn(2)
    assert two.unit.height < 0.7 * one.unit.height
    network = extract(to_layout(two.cell, two.tech), two.tech, engine="flat").network
    assert len(network.switch_w_um) == 2 * 2 * 3 * 2
    assert set(network.switch_w_um.round(6)) == {4.0}
    tiles = extract(to_layout(two.cell, two.tech), two.tech, engine="tile").network
    assert len(tiles.switch_w_um) == len(network.switch_w_um)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"select_fingers": 5}, "select_fingers = 5 .*one of 1, 2, 3, 4"),
        ({"select_fingers": True}, "select_fingers = True"),
        ({"select_fingers": 3}, "select_fingers = 3 .*1 or 2 or 4 with select_w_um = 2"),
        ({"select_fingers": 2, "select_w_um": 0.4}, "select_fingers = 2 .*: 1 with select_w_um"),
        ({"select_fingers": 2, "cell": "passive"}, "select_fingers = 2 .*1 for cell passive"),
        ({"select_fingers": 2, "cell": "planar", "process": "sky130_reram"},
         "select_fingers = 2 .*1 on module reram"),
        ({"select_fingers": 2, "select_w_um": 0.8, "pitch_y_um": 100.0},
         "select_fingers = 2 .*1 where a gate needs a diode"),
    ],
)  # fmt: skip
def test_fingers_that_cannot_be_drawn_are_refused_by_name(values, told):
    with pytest.raises(ParameterError, match=told):
        build_top(ArraySpec(rows=2, cols=2, **values))


@pytest.mark.parametrize("value", ["pmos", 1, True, None])
def test_a_read_switch_is_refused_by_name(value):
    with pytest.raises(ParameterError, match="read_switch = "):
        ArraySpec(rows=2, cols=2, top="macro", read_switch=value)
    with pytest.raises(ParameterError, match=r"read_switch = 'both' .*needs top: macro"):
        ArraySpec(rows=2, cols=2, read_switch="both")


@pytest.mark.parametrize("process", ["gf180mcuD", "sky130"])
def test_the_planar_cell_has_its_own_pitch_and_at_the_hybrids_its_wires(process):
    tech = get_tech("stepper", process)
    own, hybrid = draw_cell("planar_cell", tech), draw_cell("hybrid_cell", tech)
    assert own.width < 0.75 * hybrid.width
    assert own.info["device_area_um2"] == hybrid.info["device_area_um2"]
    x, y = drawn_pitches(ArraySpec(rows=2, cols=2, process=process))
    same = draw_cell("planar_cell", tech, pitch_x_um=x, pitch_y_um=y)
    assert same.info == hybrid.info
    with pytest.raises(ParameterError, match=rf"pitch_x_um = .*{own.width * 1e-3:g} .minimum"):
        draw_cell("planar_cell", tech, pitch_x_um=round(own.width * 1e-3 - 0.02, 3))


@pytest.mark.parametrize(
    "values",
    [
        # a pitch with room for a gate's second via, where the wire between the gates lies
        {"select_w_um": 1.2, "select_fingers": 2, "device_um": 4.06, "cuts": 2, "cell": "planar"},
        {"select_w_um": 1.44, "select_fingers": 4, "strap": True, "cuts": 4, "profile": "aligner"},
        {"select_w_um": 6.0, "select_fingers": 3, "cuts": 2, "pitch_y_um": 12.0},
        {"select_w_um": 4.0, "select_fingers": 4, "process": "sky130", "cuts": 2},
    ],
    ids=lambda v: "-".join(f"{k}={x}" for k, x in v.items()),
)
def test_folded_select_transistors_have_several_cuts(values):
    assert options.faults(build_top(ArraySpec(rows=2, cols=2, **values))) == ""
