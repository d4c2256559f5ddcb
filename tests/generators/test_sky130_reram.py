"""SKY130 with its own ReRAM between met1 and met2: rules, netlist, two judges, refusals."""

from __future__ import annotations

import re
from pathlib import Path

import klayout.db as kdb
import pytest

from crossstack.base.errors import FileError
from crossstack.cells import CELLS, draw_cell, to_layout
from crossstack.cells.alone_cell import alone
from crossstack.cells.registry import fits
from crossstack.drc import FoundryError, fetch, run_drc, run_foundry_drc
from crossstack.generators import Array, ArraySpec, build_top
from crossstack.lvs import check_layout, compare_layout, extract_layout
from crossstack.lvs.second import ask_magic
from crossstack.pdk import ParameterError, get_tech
from crossstack.pdk.audit import audit
from crossstack.pdk.electromigration import current_limits
from crossstack.signoff.tapeout import kinds

PROCESS = "sky130_reram"
TECH = get_tech(process=PROCESS)
NAMES = tuple(name for name in CELLS if fits(name, TECH.module))
#: rows, columns and what differs from the defaults
SPECS: dict[str, dict[str, object]] = {
    "7x5": {"rows": 7, "cols": 5},
    "1x1": {"rows": 1, "cols": 1},
    "least width": {"rows": 2, "cols": 2, "select_w_um": 0.42},
    "large device": {"rows": 2, "cols": 2, "select_w_um": 0.6, "device_um": 3.0},
    "many cuts": {"rows": 2, "cols": 2, "select_w_um": 8.0, "cuts": 4},
    "wide column": {"rows": 2, "cols": 2, "pitch_x_um": 6.2, "pitch_y_um": 9.0},
    "widest narrow column": {"rows": 2, "cols": 2, "pitch_x_um": 5.0},
    "macro": {"rows": 2, "cols": 3, "top": "macro"},
    "sensed macro": {"rows": 2, "cols": 2, "top": "macro", "kelvin": True},
    "wide macro": {"rows": 2, "cols": 1, "top": "macro", "pitch_x_um": 14.0, "pitch_y_um": 12.0},
}


def spec(**values: object) -> ArraySpec:
    return ArraySpec(**{"cell": "planar", "process": PROCESS, **values})  # type: ignore[arg-type]


def drawn(name: str) -> tuple[Array, kdb.Layout]:
    array = build_top(spec(**SPECS[name]))
    return array, to_layout(array.cell, TECH)


def reference(array: Array, folder: Path) -> Path:
    path = folder / "reference.spice"
    path.write_text("\n".join(array.netlist_lines()))
    return path


def test_it_is_complete_and_holds_no_table_of_the_process_that_it_is_like() -> None:
    assert audit(TECH.process.folder)[1] == ()
    own = {path.name for path in TECH.process.folder.glob("*") if path.is_file()}
    assert own == {"process.toml", "shuttle.toml", "SOURCES.md"}


def test_the_film_lifts_what_lies_above_as_the_foundry_says() -> None:
    """Heights of open_pdks' style sky130B."""
    wanted = {"met1": 1.3761, "met2": 2.3011, "met3": 3.0811, "met4": 4.3161, "met5": 5.6661}
    assert {name: TECH.heights_um[name][0] for name in wanted} == pytest.approx(wanted)
    base = get_tech(process="sky130")
    assert base.heights_um["met2"][0] == pytest.approx(2.0061)


def test_the_via_is_two_and_bears_what_one_does() -> None:
    via = TECH.cut("via_metal")
    assert (via.ohm.typ, via.ohm.low, via.ohm.high) == (9.0, 4.0, 30.0)
    assert not [cut for cut in TECH.cuts if cut.name == "via"]
    assert current_limits(TECH, 90.0).cut_a["via_metal"] == pytest.approx(0.29e-3)
    assert "via_metal" in current_limits(TECH).assumed


@pytest.mark.parametrize("name", SPECS)
def test_it_is_clean_and_matches(name: str, tmp_path: Path) -> None:
    array, layout = drawn(name)
    # the tapeout check `origin`: no mark and no well sticks out
    outline = kdb.Box(0, 0, array.cell.width, array.cell.height)
    assert layout.top_cell().bbox() == outline
    assert [(v.rule, v.text) for v in run_drc(layout, TECH).violations] == []
    extracted = extract_layout(layout, TECH)
    assert compare_layout(extracted, reference(array, tmp_path)).match
    assert check_layout(extracted) == []


@pytest.mark.parametrize("values", [{}, {"device_um": 0.32, "cuts": 2}])
def test_the_cell_is_clean_alone(values: dict[str, object]) -> None:
    layout = to_layout(alone(draw_cell("planar_cell", TECH, **values), TECH), TECH)
    assert [v.rule for v in run_drc(layout, TECH).violations] == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"cell": "hybrid"}, "cell = 'hybrid' is not allowed: planar on module reram"),
        ({"cell": "passive"}, "planar on module reram, whose tier is bottom"),
        (
            {"cell": "passive_planar"},
            "whose film lies between the foundry's metals: this cell is a",
        ),
        ({"top": "testchip"}, "array or macro on module reram"),
        ({"strap": True}, "strap = True is not allowed: false on module reram"),
        ({"device_um": 0.3}, "0.32 .. 3 um"),
        ({"device_um": 3.5}, "0.32 .. 3 um"),
        ({"pitch_x_um": 2.0}, "(minimum by the design rules)"),
        ({"profile": "stepper"}, "one of foundry"),
    ],
)
def test_what_the_module_does_not_have_is_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(ParameterError, match=re.escape(said)):
        build_top(spec(rows=2, cols=2, **values))


def test_a_cell_of_another_module_is_refused_by_name() -> None:
    for name in set(CELLS) - set(NAMES):
        with pytest.raises(ParameterError, match=f"cell = '{name}'.*planar_cell.*module reram"):
            draw_cell(name, TECH)


def test_without_the_film_the_via_is_a_wire(tmp_path: Path) -> None:
    array, layout = drawn("1x1")
    layout.clear_layer(layout.layer(*TECH.gds("rr1_cell")))
    extracted = extract_layout(layout, TECH)
    assert not compare_layout(extracted, reference(array, tmp_path)).match
    assert [d.kind.name for d in extracted.flat.devices] == ["nfet"]
    # and the drain is on the column
    assert extracted.net("C[0]").number in extracted.flat.devices[0].nets


def test_a_film_without_its_via_is_said_by_name(tmp_path: Path) -> None:
    array, layout = drawn("1x1")
    film = kdb.Region(layout.top_cell().begin_shapes_rec(layout.layer(*TECH.gds("rr1_cell"))))
    for cell in layout.each_cell():
        vias = cell.shapes(layout.layer(*TECH.gds("via")))
        for shape in [s for s in vias.each() if cell.name == "planar_cell"]:
            if not (kdb.Region(shape.polygon.moved(1000, 2440)) & film).is_empty():
                shape.delete()
    assert run_drc(layout, TECH).by_rule["rr1_cell.v"] == 1
    extracted = extract_layout(layout, TECH)
    assert not compare_layout(extracted, reference(array, tmp_path)).match
    assert any(
        "met1 over met2" in str(f) and "no device" in str(f) for f in check_layout(extracted)
    )


def test_the_film_is_foreign_without_the_module() -> None:
    _, layout = drawn("1x1")
    with pytest.raises(FileError, match="rr1_cell"):
        extract_layout(layout, get_tech(process="sky130"))


@pytest.mark.requires_program("magic")
def test_magic_sees_the_same_devices() -> None:
    _, layout = drawn("7x5")
    assert ask_magic(extract_layout(layout, TECH), layout).agrees


def test_it_is_drawn_for_the_foundry_alone() -> None:
    from crossstack.generators.tapeout import foundry_layers

    _, layout = drawn("1x1")
    assert kinds(TECH) == ("foundry",)
    assert TECH.gds("rr1_cell") in foundry_layers(layout, TECH)


@pytest.mark.requires_program("klayout")
def test_the_foundrys_deck_agrees(tmp_path: Path) -> None:
    try:
        fetch(TECH, timeout_s=120)
    except FoundryError as error:
        pytest.skip(str(error))
    _, layout = drawn("many cuts")
    path = tmp_path / "array.gds"
    layout.write(str(path))
    # it knows no ReRAM; its canaries prove that it looked at the rest
    report = run_foundry_drc(path, TECH)
    assert {"nsdm.1", "licon.1", "m1.1", "m5.1"} <= set(report.by_rule)
    assert report.clean
