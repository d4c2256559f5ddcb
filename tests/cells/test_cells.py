"""Every registered cell: clean, matched, as the golden, and honest about its parameters."""

from pathlib import Path

import klayout.db as db
import pytest

from crossstack.cells import CELLS, draw_cell, parameters_of, to_layout
from crossstack.cells.alone_cell import alone
from crossstack.cells.drawing import Cell, Placement, Rect
from crossstack.drc import run_drc
from crossstack.lvs import compare_layout, extract_layout
from crossstack.pdk import PROFILES, CrossStackError, ParameterError, get_tech

GOLDEN = Path(__file__).parents[1] / "golden"
# their control lines are joined only in the macro, where the tests of the macro check them
WIRED_OUTSIDE = {"row_switch", "column_switch", "inverter"}
# wiring alone: one net, no device
WIRES = {"via_stack", "transition", "module_via"}


def write_alone(name: str, profile: str, folder: Path, **values) -> tuple[Path, Path]:
    tech = get_tech(profile)
    cell = draw_cell(name, tech, **values)
    top = alone(cell, tech)
    gds, net = folder / f"{top.name}.gds", folder / f"{top.name}.spice"
    to_layout(top, tech).write(str(gds))
    n = cell.netlist
    lines = ["* reference"]
    for model in ("memristor_bottom", "memristor_top"):
        lines += [f".subckt {model} e me AREA=1", "R1 e me 10k", ".ends"]
    lines += [f".subckt {n.name} {' '.join(n.pins)}"]
    for d in n.devices:
        values_ = " ".join(f"{k}={v}{'u' if k in 'WL' else ''}" for k, v in d.parameters)
        lines.append(f"{d.name} {' '.join(d.nets)} {d.model} {values_}")
    lines += [".ends", f".subckt {top.name} {' '.join(n.pins)}"]
    lines += [f"X1 {' '.join(n.pins)} {n.name}", ".ends"]
    net.write_text("\n".join(lines) + "\n")
    return gds, net


@pytest.mark.parametrize("profile", sorted(PROFILES))
@pytest.mark.parametrize("name", sorted(CELLS))
def test_drc_clean_alone(name, profile, tmp_path):
    gds, _ = write_alone(name, profile, tmp_path)
    report = run_drc(gds, get_tech(profile))
    assert report.clean, report.violations[:5]


@pytest.mark.parametrize("profile", sorted(PROFILES))
@pytest.mark.parametrize("name", sorted(set(CELLS) - WIRED_OUTSIDE - WIRES))
def test_lvs_matches_alone(name, profile, tmp_path):
    gds, net = write_alone(name, profile, tmp_path)
    tech = get_tech(profile)
    report = compare_layout(extract_layout(gds, tech), net, tech)
    assert report.to_json()["match"], report.to_json()["errors"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("hybrid_cell", {"select_w_um": 0.36}),
        ("hybrid_cell", {"select_w_um": 10.0, "select_l_um": 0.5}),
        ("hybrid_cell", {"device_um": 0.5}),
        ("hybrid_cell", {"device_um": 3.0}),
        ("hybrid_cell", {"pitch_x_um": 7.0, "pitch_y_um": 4.0}),
        ("hybrid_cell", {"pitch_y_um": 14.0, "select_w_um": 1.0}),
        ("planar_cell", {"select_w_um": 0.8, "device_um": 0.6}),
        ("passive_cell", {"device_um": 0.5}),
        ("passive_cell", {"device_um": 2.0, "pitch_x_um": 5.0}),
        ("memristor_stack", {"device_um": 0.5}),
        ("select_nmos", {"w_um": 0.36}),
        ("select_nmos", {"w_um": 20.0, "l_um": 1.0}),
        ("row_switch", {"pitch_um": 1.84, "switch_wn_um": 1.2, "switch_wp_um": 2.0}),
        ("row_switch", {"pitch_um": 6.0, "kelvin": True}),
        ("column_switch", {"pitch_um": 1.84, "switch_wn_um": 3.0}),
        ("column_switch", {"pitch_um": 9.0, "kelvin": True}),
    ],
)
def test_odd_parameters_stay_clean(name, values, tmp_path):
    gds, net = write_alone(name, "stepper", tmp_path, **values)
    tech = get_tech("stepper")
    report = run_drc(gds, tech)
    assert report.clean, report.violations[:5]
    if name not in WIRED_OUTSIDE:
        lvs = compare_layout(extract_layout(gds, tech), net, tech).to_json()
        assert lvs["match"], lvs["errors"]


@pytest.mark.parametrize("profile", sorted(PROFILES))
@pytest.mark.parametrize("name", sorted(CELLS))
def test_golden(name, profile):
    """Layer by layer XOR with the committed drawing; `python tests/golden/update.py` renews it."""
    path = GOLDEN / f"{name}_{profile}.gds"
    assert path.exists(), f"golden {path.name} is missing; look at the cell, then run update.py"
    tech = get_tech(profile)
    drawn = to_layout(draw_cell(name, tech), tech)
    golden = db.Layout()
    golden.read(str(path))
    for layer in tech.layers:
        a, b = (
            db.Region(ly.top_cell().begin_shapes_rec(ly.layer(*layer.gds)))
            for ly in (drawn, golden)
        )
        assert (a ^ b).is_empty(), layer.name


@pytest.mark.parametrize("cell", ["hybrid_cell", "passive_cell"])
def test_pitch_below_the_rules_names_the_least(cell):
    tech = get_tech()
    least = draw_cell(cell, tech).info
    for axis in ("pitch_x_um", "pitch_y_um"):
        assert draw_cell(cell, tech, **{axis: least[axis]}).info == least
        with pytest.raises(ParameterError, match=rf"{axis} = .*{least[axis]:g} \(minimum"):
            draw_cell(cell, tech, **{axis: round(least[axis] - 0.01, 3)})


def test_figures_of_a_cell_end_with_the_grid():
    # 5850 dbu times 1e-3 is 5.8500000000000005
    info = draw_cell("hybrid_cell", get_tech(), pitch_x_um=5.85, pitch_y_um=4.1).info
    assert info["pitch_x_um"] == 5.85
    for key, value in info.items():
        assert value == round(value, 6), key


def test_middle_electrode_takes_the_room_of_a_larger_pitch():
    tech = get_tech()
    least, wide = draw_cell("hybrid_cell", tech), draw_cell("hybrid_cell", tech, pitch_x_um=6.36)
    gain = wide.info["pitch_x_um"] - least.info["pitch_x_um"]
    assert wide.info["me_width_um"] == pytest.approx(least.info["me_width_um"] + gain)


def test_least_pitch_has_no_slack_in_x(tmp_path):
    """One grid step less between the via and the middle electrode breaks a rule."""
    tech = get_tech()
    cell = draw_cell("hybrid_cell", tech)
    moved = tuple(
        Rect(r.layer, r.x1 - 5, r.y1, r.x2, r.y2) if r.layer == "ME" else r for r in cell.rects
    )
    assert run_drc(to_layout(alone(cell, tech), tech), tech).clean
    worse = alone(Cell(cell.name, moved, ports=cell.ports), tech)
    assert not run_drc(to_layout(worse, tech), tech).clean


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("hybrid_cell", {"select_w_um": 0.35}),
        ("hybrid_cell", {"select_w_um": float("nan")}),
        ("hybrid_cell", {"select_w_um": "2"}),
        ("hybrid_cell", {"device_um": True}),
        ("hybrid_cell", {"device_um": 0.4}),
        ("hybrid_cell", {"select_l_um": 0.27}),
        ("hybrid_cell", {"select_w_um": 2.003}),
        ("passive_cell", {"device_um": 51.0}),
        ("select_nmos", {"w_um": -1.0}),
        ("via_stack", {"low": "Metal5", "high": "Metal1"}),
        ("module_via", {"electrode": "XE"}),
        ("row_switch", {"pitch_um": 1.0}),
        ("row_switch", {"switch_wn_um": 0.5}),
        ("row_switch", {"kelvin": True, "pitch_um": 1.84}),
        ("hybrid_cell", {"colour": 1}),
    ],
)
def test_bad_parameters_are_refused_by_name(name, values):
    with pytest.raises(ParameterError) as error:
        draw_cell(name, get_tech(), **values)
    assert any(key in str(error.value) for key in values) or "switch" in str(error.value)


def test_unknown_cell_is_refused():
    with pytest.raises(ParameterError, match="hybrid_cell"):
        draw_cell("hybird_cell", get_tech())


def test_every_parameter_has_a_default():
    for name in CELLS:
        assert draw_cell(name, get_tech(), **parameters_of(name)).name


@pytest.mark.parametrize("name", sorted(CELLS))
def test_every_pin_is_a_port_and_every_port_a_pin(name):
    cell = draw_cell(name, get_tech())
    assert {port.name for port in cell.ports} == set(cell.netlist.pins)


def test_equal_calls_give_equal_cells():
    assert draw_cell("hybrid_cell", get_tech()) == draw_cell("hybrid_cell", get_tech())


def test_two_cells_of_one_name_are_refused():
    a, b = Cell("x", (Rect("ME", 0, 0, 10, 10),)), Cell("x", (Rect("ME", 0, 0, 20, 10),))
    top = Cell("top", placements=(Placement(a, 0, 0), Placement(b, 50, 0)))
    with pytest.raises(CrossStackError, match="'x'"):
        to_layout(top, get_tech())


def test_parameters_of_several_cells_are_declared_once():
    from crossstack.cells.parameters import PIECES, declared
    from crossstack.cells.registry import described

    seen = set()
    for name in CELLS:
        for parameter in described(name):
            if parameter.name in PIECES:
                seen.add(parameter.name)
                assert parameter.default == declared(parameter.name).default, name
                assert parameter.text.startswith(declared(parameter.name).text), name
    assert seen == set(PIECES)
