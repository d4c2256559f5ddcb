"""SKY130 with the module on met5: arrays and macros, own rules, netlist, wires, second judge."""

from __future__ import annotations

import re
from pathlib import Path

import klayout.db as kdb
import pytest

from crossstack.cells import CELLS, draw_cell, to_layout
from crossstack.cells.alone_cell import alone
from crossstack.drc import FoundryError, fetch, run_drc, run_foundry_drc
from crossstack.generators import Array, ArraySpec, build_top
from crossstack.lvs import check_layout, compare_layout, extract_layout
from crossstack.pdk import NoRuleError, ParameterError, get_tech
from crossstack.pdk.audit import audit

TECH = get_tech(process="sky130")
#: as they come with CrossStack, before a test registers its own
NAMES = tuple(CELLS)

SPECS = {
    "1x1": ArraySpec(1, 1, process="sky130"),
    "7x5": ArraySpec(7, 5, process="sky130"),
    "least width": ArraySpec(2, 1, select_w_um=0.42, process="sky130"),
    "strap": ArraySpec(2, 2, strap=True, cuts=4, select_w_um=8.0, process="sky130"),
    "aligner": ArraySpec(2, 2, profile="aligner", cuts=2, process="sky130"),
    "far taps": ArraySpec(1, 2, pitch_x_um=60.0, pitch_y_um=20.0, process="sky130"),
    "planar": ArraySpec(2, 3, "planar", process="sky130"),
    "passive": ArraySpec(2, 3, "passive", process="sky130"),
    "passive planar": ArraySpec(3, 2, "passive_planar", process="sky130"),
    "macro": ArraySpec(4, 3, top="macro", process="sky130"),
    "sensed macro": ArraySpec(2, 2, top="macro", kelvin=True, process="sky130"),
    "passive macro": ArraySpec(2, 3, "passive", top="macro", kelvin=True, process="sky130"),
    # wider lines would be wide metal to which tracks are joined
    "wide pitch": ArraySpec(2, 2, pitch_x_um=14.0, pitch_y_um=12.0, process="sky130"),
    "wide macro": ArraySpec(
        2, 2, top="macro", pitch_x_um=14.0, pitch_y_um=12.0, kelvin=True, process="sky130"
    ),
    "wide passive macro": ArraySpec(
        1, 2, "passive", top="macro", pitch_x_um=14.0, pitch_y_um=12.0, process="sky130"
    ),
    "narrow switches": ArraySpec(
        2, 3, top="macro", pitch_x_um=8.26, switch_wn_um=6.62, switch_wp_um=72.17, process="sky130"
    ),
}


def drawn(spec: ArraySpec) -> tuple[Array, kdb.Layout]:
    array = build_top(spec)
    return array, to_layout(array.cell, array.tech)


def test_it_is_complete() -> None:
    assert audit(TECH.process.folder)[1] == ()
    assert TECH.roles.land == "met5"
    assert TECH.roles.below == ("li1",)


@pytest.mark.parametrize("name", SPECS)
def test_it_is_clean_and_matches(name: str, tmp_path: Path) -> None:
    array, layout = drawn(SPECS[name])
    # the tapeout check `origin`: no mark and no well sticks out
    outline = kdb.Box(0, 0, array.cell.width, array.cell.height)
    assert layout.top_cell().bbox() == outline
    assert [(v.rule, v.text) for v in run_drc(layout, array.tech).violations] == []
    netlist = tmp_path / "reference.spice"
    netlist.write_text("\n".join(array.netlist_lines()))
    assert compare_layout(extract_layout(layout, array.tech), netlist).match


@pytest.mark.parametrize(
    ("layer", "said"),
    [("psdm", "no p-tap"), ("hvi", "neither NMOS"), ("mcon", ""), ("li1", "")],
)
def test_without_a_layer_it_is_no_match(layer: str, said: str, tmp_path: Path) -> None:
    array, layout = drawn(SPECS["1x1"])
    layout.clear_layer(layout.layer(*TECH.gds(layer)))
    netlist = tmp_path / "reference.spice"
    netlist.write_text("\n".join(array.netlist_lines()))
    extracted = extract_layout(layout, TECH)
    assert not compare_layout(extracted, netlist).match
    assert any(said in str(finding) for finding in check_layout(extracted))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"select_w_um": 0.36}, "0.42 .. 100"),
        ({"pitch_y_um": 3.0}, "3.6"),
        ({"pitch_x_um": 5.0}, "7.2"),
    ],
)
def test_what_its_rules_do_not_allow_is_refused(values: dict[str, float], said: str) -> None:
    with pytest.raises(ParameterError, match=re.escape(said)):
        build_top(ArraySpec(2, 2, process="sky130", **values))  # type: ignore[arg-type]


def test_a_chip_is_refused_by_the_option_and_by_what_is_missing() -> None:
    said = "top = 'testchip' is not allowed: array or macro: process sky130 has no rule"
    with pytest.raises(ParameterError, match=said):
        build_top(ArraySpec(2, 2, process="sky130", top="testchip"))


@pytest.mark.parametrize("profile", ["stepper", "aligner"])
def test_every_cell_is_clean_alone(profile: str) -> None:
    tech = get_tech(profile, "sky130")
    # no rule of a pad's opening is published: cells with pads are refused
    padded = {"bond_pad", "kelvin", "van_der_pauw", "via_chain", "device_on_pads"}
    for name in padded:
        with pytest.raises(NoRuleError, match="pad, land = met5"):
            draw_cell(name, tech)
    for name in set(NAMES) - padded:
        cell = draw_cell(name, tech)
        report = run_drc(to_layout(alone(cell, tech), tech), tech)
        assert [(name, v.rule) for v in report.violations] == []


def test_a_contact_is_a_chain_of_cuts() -> None:
    cell = draw_cell("select_nmos", TECH, w_um=1.0)
    count = {name: sum(r.layer == name for r in cell.rects) for name in ("licon1", "mcon", "npc")}
    assert count["licon1"] == count["mcon"]
    assert count["npc"] == 1
    assert any(r.layer == "hvi" for r in cell.rects)


@pytest.mark.requires_program("klayout")
def test_the_foundrys_deck_agrees(tmp_path: Path) -> None:
    try:
        fetch(TECH, timeout_s=120)
    except FoundryError as error:
        pytest.skip(str(error))
    array, layout = drawn(SPECS["macro"])
    path = tmp_path / "macro.gds"
    layout.write(str(path))
    # its canaries, one in the front end and one in the back end, prove that it looked
    report = run_foundry_drc(path, array.tech)
    assert {"nsdm.1", "licon.1", "m1.1", "m5.1"} <= set(report.by_rule)
    assert report.clean


@pytest.mark.parametrize("fingers", [3, 4])
def test_folded_planar_cells_are_as_wide_as_their_tap_line(tmp_path, fingers):
    spec = ArraySpec(
        process="sky130", rows=1, cols=2, cell="planar", select_fingers=fingers, select_w_um=6.0
    )
    tech, array = spec.tech(), build_top(spec)
    layout = to_layout(array.cell, tech)
    assert not {rule: n for rule, n in run_drc(layout, tech).by_rule.items() if n}
    (tmp_path / "a.spice").write_text("\n".join(array.netlist_lines()) + "\n")
    report = compare_layout(extract_layout(layout, tech), tmp_path / "a.spice", tech)
    assert report.match, report.errors
