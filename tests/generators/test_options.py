"""Sets of layout options: what is accepted is clean and matched, the rest is refused by name."""

import importlib.util
from pathlib import Path

import pytest

from crossstack.generators import ArraySpec, build_array, build_top
from crossstack.pdk import PROFILES, ParameterError, Profile

_PATH = Path(__file__).parents[2] / "bench" / "options.py"
_MODULE = importlib.util.spec_from_file_location("bench_options", _PATH)
options = importlib.util.module_from_spec(_MODULE)
# dataclasses look their module up by name
importlib.import_module("sys").modules["bench_options"] = options
_MODULE.loader.exec_module(options)

MACRO = {"rows": 3, "cols": 4, "top": "macro"}


@pytest.mark.parametrize(
    "values",
    [
        # inverters and supply trunks met in the corner
        *({**MACRO, "select_w_um": w} for w in (9.3, 10.0, 11.6)),
        {**MACRO, "pitch_y_um": 12.4},
        {**MACRO, "cols": 2, "device_um": 0.5, "pitch_x_um": 13.18, "pitch_y_um": 9.74,
         "switch_wp_um": 1.12},
        # wide metal beside the tracks and the sense lines
        {**MACRO, "pitch_x_um": 20.0, "pitch_y_um": 20.0},
        {**MACRO, "pitch_x_um": 14.0, "pitch_y_um": 14.0, "kelvin": True},
        {**MACRO, "cols": 1, "cell": "passive", "profile": "aligner", "device_um": 4.35,
         "pitch_y_um": 20.0, "kelvin": True},
        # a complement's riser came down beyond the end of its track
        {"top": "macro", "cell": "passive", "rows": 3, "cols": 2, "profile": "aligner",
         "device_um": 1.99, "kelvin": True, "switch_wn_um": 1.18, "switch_wp_um": 6.95,
         "pitch_x_um": 14.67, "pitch_y_um": 4.62},
        # least pitch of the switches: the landing of the least area beside a track that ends
        {**MACRO, "cell": "passive_planar", "pitch_x_um": 1.8, "switch_wn_um": 14.52,
         "switch_wp_um": 124.54, "rows": 1},
        # a control's track past wide switches, which charged the few gates of a narrow one
        {"top": "macro", "cell": "passive_planar", "rows": 1, "cols": 1, "kelvin": True,
         "read_switch": "nmos", "switch_wn_um": 1.32, "switch_wp_um": 400.0,
         "pitch_x_um": 12.54},
        # taps out of reach, lines that need slots, gates charged by long select lines
        # the Metal1 of a narrow drain, whose area reaches to the landing of the row below
        {"rows": 2, "cols": 1, "device_um": 0.5, "select_w_um": 0.36},
        {"rows": 2, "cols": 2, "pitch_x_um": 45.0},
        {"rows": 2, "cols": 2, "device_um": 40.0},
        {"rows": 1, "cols": 2, "pitch_y_um": 100.0, "select_w_um": 0.36},
        {"rows": 2, "cols": 2, "pitch_x_um": 100.0, "pitch_y_um": 100.0, "select_w_um": 0.36,
         "cell": "planar", "profile": "aligner"},
    ],
    ids=lambda v: "-".join(f"{k}={x}" for k, x in v.items()),
)  # fmt: skip
def test_options_that_broke_rules_or_nets(values):
    assert options.faults(build_top(ArraySpec(**values))) == ""


@pytest.mark.parametrize(
    "name",
    [
        "nfet",
        "Memristor_Top",
        "HYBRID_CELL",
        "hybrid_cell",
        "pfet",
        "NFET_03v3",
        "crossstack_memristor",
    ],
)
def test_a_top_is_not_called_like_its_parts(name):
    """Its netlist would define one subcircuit twice, or take a cell for the top."""
    with pytest.raises(ParameterError, match=f"name = '{name}' is not allowed"):
        build_top(ArraySpec(1, 1, name=name))


def test_a_control_whose_gates_do_not_stand_its_charge_is_refused():
    spec = ArraySpec(1, 1, top="macro", kelvin=True, switch_wn_um=1.32, switch_wp_um=300.0)
    with pytest.raises(ParameterError, match=r"switch_wn_um = 1.32 .* gates of WT take the charge"):
        build_top(spec)


def test_pins_of_a_chip_lie_on_the_grid_at_any_pitch():
    values = {"rows": 2, "cols": 1, "top": "testchip", "cell": "planar", "device_um": 11.01}
    tech = ArraySpec(**values).tech()
    assert options.run_drc(
        options.to_layout(build_top(ArraySpec(**values)).cell, tech),
        tech,
        rules=["OFFGRID.*", "M*"],
    ).clean


@pytest.mark.parametrize("cell", ["passive", "passive_planar"])
def test_pins_closer_than_a_landing_reach_their_tracks(cell):
    """Pins of passive cells are narrower than a square landing, and lie as close as metal may.

    Of the chip, the macro and the wires around it are looked at: pads take ten times as long, and
    are the same on every chip.
    """
    array = build_top(ArraySpec(rows=2, cols=2, cell=cell, top="testchip"))
    layout = options.to_layout(array.cell, array.tech)
    top = layout.top_cell()
    for inst in [i for i in top.each_inst() if not i.cell.name.endswith("_macro")]:
        inst.delete()
    others = [each for each in layout.top_cells() if each.name != top.name]
    layout.delete_cells([each.cell_index() for each in others])
    rules = ["M2*", "M3*", "M4*", "V2*", "V3*"]
    assert options.run_drc(layout, array.tech, rules=rules).clean


def test_every_cell_is_swept_as_a_chip():
    assert {values["cell"] for values in options.chip_sets()} == set(options.CELLS)


def test_a_short_random_sweep():
    found = [options.judge(v) for v in options.option_sets(8, 2026) if v["top"] != "testchip"]
    assert [outcome for outcome in found if outcome.kind == "bad"] == []
    assert sum(outcome.kind == "accepted" for outcome in found) >= 4


def test_an_option_set_depends_on_its_seed_and_number_alone():
    assert list(options.option_sets(3, 7)) == list(options.option_sets(9, 7))[:3]


def test_a_row_line_stays_below_the_width_that_needs_slots():
    array = build_array(ArraySpec(rows=1, cols=1, pitch_y_um=80.0))
    assert array.unit.info["row_line_width_um"] == pytest.approx(30.0)


@pytest.mark.parametrize("cell", ["hybrid", "passive"])
@pytest.mark.parametrize(
    "figures",
    # narrowest line, space, via, overlay in um: each outweighs the others once
    [(3.0, 0.5, 0.3, 0.15), (0.5, 3.0, 0.5, 0.5), (0.7, 1.0, 2.0, 0.05), (1.0, 0.5, 1.0, 1.0)],
)
def test_cells_follow_the_profile_of_a_lab(figures, cell, monkeypatch):
    monkeypatch.setitem(PROFILES, "lab", Profile("lab", *figures, "a test"))
    spec = ArraySpec(rows=2, cols=2, cell=cell, profile="lab")
    assert options.faults(build_array(spec)) == ""
