"""The gdsfactory PDK: the same shapes, with ports, metadata and netlists."""

from __future__ import annotations

import inspect
import json
import shutil
import subprocess
import sys
from pathlib import Path
from runpy import run_path
from typing import Any

import klayout.db as db
import pytest
import yaml

from crossstack import __version__
from crossstack.cells import CELLS, draw_cell, parameters_of, to_layout
from crossstack.cells.describe import docstring, parameters_from
from crossstack.cells.describe import texts as texts_of
from crossstack.drc import run_drc
from crossstack.generators import ArraySpec, build_top
from crossstack.lvs import extract_layout
from crossstack.pdk import DEFAULT, LABEL_OF, LAYERS, PROFILES, Ask, ParameterError, get_tech
from crossstack.pdk.home import HOME

gf = pytest.importorskip("gdsfactory")

from crossstack.pdk import LAYER, LAYER_STACK, LAYER_VIEWS, PDK  # noqa: E402
from crossstack.pdk.gf import get_pdk  # noqa: E402

GOLDEN = Path(__file__).parents[1] / "golden" / "update_components.py"
ARRAYS: tuple[dict[str, Any], ...] = (
    {"rows": 3, "cols": 4},
    {"rows": 2, "cols": 3, "cell": "passive"},
    {"rows": 2, "cols": 2, "cell": "planar", "select_w_um": 4.0},
    {"rows": 2, "cols": 2, "cell": "passive_planar"},
    {"rows": 2, "cols": 2, "top": "macro"},
    {"rows": 2, "cols": 2, "top": "testchip"},
)


@pytest.fixture(autouse=True)
def _active() -> None:
    gf.CONF.cell_layout_cache = False
    PDK.activate()


def drawn(name: str, profile: str) -> db.Layout | None:
    """The cell as our own writer writes it; None where its defaults do not suit a profile."""
    tech = get_tech(profile)
    try:
        return to_layout(draw_cell(name, tech), tech)
    except ParameterError:
        return None


def differences(ours: db.Layout, component: Any) -> list[str]:
    """Layers on which shapes or texts differ."""
    found = []
    theirs = component.kdb_cell
    pairs = {(i.layer, i.datatype) for i in (*ours.layer_infos(), *theirs.layout().layer_infos())}
    for pair in sorted(pairs):
        a = ours.top_cell().begin_shapes_rec(ours.layer(*pair))
        b = theirs.begin_shapes_rec(theirs.layout().layer(*pair))
        if not (db.Region(a) ^ db.Region(b)).is_empty():
            found.append(f"{pair}: shapes")
        if texts(a) != texts(b):
            found.append(f"{pair}: texts")
    return found


def texts(shapes: db.RecursiveShapeIterator) -> list[str]:
    return sorted(str(text) for text in db.Texts(shapes).each())


def assert_ports_lie_on_edges(component: Any) -> None:
    """Every port is typed and a line one grid step inside it is covered by its layer."""
    names = [port.name for port in component.ports]
    assert len(set(names)) == len(names)
    for port in component.ports:
        assert port.port_type == "electrical"
        p = port.to_itype()
        assert p.width % 2 == 0
        line = db.Box(-5, -(p.width // 2), 0, p.width // 2).transformed(p.trans)
        metal = db.Region(component.kdb_cell.begin_shapes_rec(p.layer))
        assert (db.Region(line) - metal).is_empty(), port


@pytest.mark.parametrize("profile", sorted(PROFILES))
@pytest.mark.parametrize("name", sorted(CELLS))
def test_component_equals_our_layout(name: str, profile: str) -> None:
    ours = drawn(name, profile)
    if ours is None:
        with pytest.raises(ParameterError):
            gf.get_component(name, profile=profile)
        return
    component = gf.get_component(name, profile=profile)
    assert differences(ours, component) == []
    assert component.settings["profile"] == profile
    assert set(component.settings.model_dump()) == {*parameters_of(name), "profile", "process"}
    assert len(component.ports) == len(draw_cell(name, get_tech(profile)).ports)
    assert_ports_lie_on_edges(component)
    assert component is get_pdk(profile=profile).get_component(name)


@pytest.mark.parametrize("name", [*sorted(CELLS), "crossbar_array"])
def test_settings_info_and_ports_are_the_golden_ones(name: str) -> None:
    """`python tests/golden/update_components.py` renews them; look at the difference."""
    module = run_path(str(GOLDEN))
    golden = json.loads(module["GOLDEN"].read_text())
    assert name in golden, f"no golden for {name}: look at the cell, then run {GOLDEN.name}"
    assert module["described"](name) == golden[name]


@pytest.mark.parametrize("profile", sorted(PROFILES))
@pytest.mark.parametrize("values", ARRAYS, ids=str)
def test_array_equals_our_layout(values: dict[str, Any], profile: str) -> None:
    array = build_top(ArraySpec(profile=profile, **values))
    component = gf.get_component("crossbar_array", profile=profile, **values)
    assert differences(to_layout(array.cell, array.tech), component) == []
    assert {port.name for port in component.ports} == {pin.name for pin in array.pins}
    assert_ports_lie_on_edges(component)


def test_differences_sees_a_moved_shape() -> None:
    ours = drawn("module_via", "stepper")
    assert ours is not None
    ours.top_cell().shapes(ours.layer(*get_tech().gds("BE"))).insert(db.Box(0, 0, 2000, 10))
    assert differences(ours, gf.get_component("module_via")) == [f"{get_tech().gds('BE')}: shapes"]


def test_parameters_change_name_shapes_and_settings() -> None:
    wide = gf.get_component("hybrid_cell", select_w_um=4)
    assert wide is gf.get_component("hybrid_cell", select_w_um=3.9 + 0.1)
    assert wide.name == "hybrid_cell_select_w_um4"
    assert wide.settings["select_w_um"] == 4.0
    assert wide.info["pitch_y_um"] > gf.get_component("hybrid_cell").info["pitch_y_um"]
    assert gf.get_component("hybrid_cell", profile="aligner").name == "hybrid_cell_aligner"


def test_two_cells_of_one_name_live_in_one_layout() -> None:
    a, b = (gf.get_component("crossbar_array", rows=2, cols=2, select_w_um=w) for w in (2.0, 6.0))
    both = gf.Component()
    both.add_ref(a)
    both.add_ref(b).dmovey(100.0)
    names = [cell.name for cell in both.kdb_cell.layout().each_cell()]
    assert len(names) == len(set(names))
    for part, width in ((a, 2.0), (b, 6.0)):
        spec = ArraySpec(rows=2, cols=2, select_w_um=width)
        assert differences(to_layout(build_top(spec).cell, spec.tech()), part) == []


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("hybrid_cell", {"select_w": 4}),
        ("hybrid_cell", {"select_w_um": 2.0004}),
        ("hybrid_cell", {"profile": "laser"}),
        ("crossbar_array", {"rows": 0}),
    ],
)
def test_wrong_parameters_are_refused(name: str, values: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        gf.get_component(name, **values)


def test_a_misspelt_parameter_names_the_nearest() -> None:
    with pytest.raises(ParameterError, match="did you mean 'select_w_um'"):
        gf.get_component("hybrid_cell", selct_w_um=4)
    with pytest.raises(ParameterError, match="did you mean 'electrode'"):
        draw_cell("kelvin", get_tech(), electrod="BE")


@pytest.mark.parametrize("name", [*sorted(CELLS), "crossbar_array", "crossbar_part"])
def test_cell_functions_say_what_they_take(name: str) -> None:
    function = PDK.cells[name]
    doc = inspect.getdoc(function) or ""
    told = texts_of(function)
    for key, parameter in inspect.signature(function).parameters.items():
        assert parameter.annotation not in (inspect.Parameter.empty, Any), key
        assert told[key] != "see the cell.", key
        assert " um" in told[key] or not key.endswith("_um"), key
    assert inspect.signature(function).return_annotation is gf.Component
    assert "\nReturns:\n" in doc


def test_a_cell_without_types_and_texts_still_gets_a_docstring() -> None:
    def draw(tech, *, side_um=1.0):  # type: ignore[no-untyped-def]
        """Draw."""

    rows = parameters_from(draw, {"side_um": 1.0})
    assert docstring("Draw.", rows, "It.") == (
        "Draw.\n\nArgs:\n    side_um: see the cell.\n\nReturns:\n    It.\n"
    )


def test_the_pdk_has_the_version_of_the_package() -> None:
    assert PDK.version == __version__


def test_layers_views_and_stack_come_from_the_tables() -> None:
    assert {layer.name: layer.gds for layer in LAYERS} == {m.name: (m[0], m[1]) for m in LAYER}
    views = {n for group in LAYER_VIEWS.layer_views.values() for n in group.group_members}
    assert views == {layer.name for layer in LAYERS}
    z = get_tech().heights_um
    for name in ("Metal1", "Metal5", "BE", "TIO2X_T", "TE"):
        level = LAYER_STACK.layers[name]
        assert (level.zmin, level.zmin + level.thickness) == pytest.approx(z[name])
    assert PDK.layers is LAYER


def test_cross_sections_are_as_wide_as_the_rules_ask_for() -> None:
    tech = get_tech()
    assert gf.get_cross_section("metal1").width == tech.rule("M1.1")
    assert gf.get_cross_section("metal5").width == tech.rule("MT.1")
    assert get_pdk(profile="aligner").get_cross_section("te").width == get_tech("aligner").rule(
        "TE.1"
    )
    with pytest.raises(ParameterError):
        gf.get_cross_section("metal5", width=0.3)
    wire = gf.components.straight(length=5, cross_section="metal3")
    assert wire.area(LAYER.Metal3) == pytest.approx(5 * tech.rule("M3.1"))
    assert {port.port_type for port in wire.ports} == {"electrical"}


def test_connectivity_names_drawn_layers() -> None:
    names = {layer.name for layer in LAYERS}
    assert all(set(join) <= names for join in PDK.connectivity)
    assert ("Metal4", "Via4", "Metal5") in PDK.connectivity
    assert ("Metal5", "VTE", "TE") in PDK.connectivity


def test_netlist_finds_the_lines_of_an_array() -> None:
    netlist = gf.get_component("crossbar_array", rows=2, cols=2).get_netlist(
        on_dangling_port="ignore"
    )
    joined = {frozenset((net["p1"], net["p2"])) for net in netlist["nets"]}
    assert frozenset(("hybrid_cell<0.0>,TR_E", "hybrid_cell<1.0>,TR_W")) in joined
    assert frozenset(("hybrid_cell<0.0>,BR_E", "hybrid_cell<1.0>,BR_W")) in joined
    assert frozenset(("hybrid_cell<0.0>,TR_E", "hybrid_cell<1.0>,BR_W")) not in joined
    assert netlist["instances"]["hybrid_cell"]["settings"]["select_w_um"] == 2.0


def no_label(**_: Any) -> None:
    """gdsfactory would write instance names on layer 1/0, which is none of ours."""


def test_yaml_netlist_there_and_back() -> None:
    text = """
name: pair
instances:
  west: {component: hybrid_cell, settings: {select_w_um: 4.0}}
  east: {component: hybrid_cell, settings: {select_w_um: 4.0}}
connections: {"east,TR_W": "west,TR_E"}
ports: {TR: "west,TR_W", C0: "west,C_S", C1: "east,C_S"}
"""
    pair = gf.read.from_yaml(text, label_instance_function=no_label)
    pitch = gf.get_component("hybrid_cell", select_w_um=4.0).info["pitch_x_um"]
    assert pair.ports["C1"].x - pair.ports["C0"].x == pytest.approx(pitch)
    netlist = pair.get_netlist(on_dangling_port="ignore")
    again = gf.read.from_yaml(
        yaml.safe_dump(_plain(netlist | {"name": "again"})),
        label_instance_function=no_label,
    )
    a, b = (db.Region(c.kdb_cell.begin_shapes_rec(LAYER.Metal4)) for c in (pair, again))
    assert (a ^ b).is_empty()
    assert not a.is_empty()


@pytest.mark.parametrize("values", ARRAYS, ids=str)
def test_netlist_of_a_top_there_and_back(values: dict[str, Any]) -> None:
    """Every cell in it is made again from its settings, in a layout that knows none of them."""
    # parts of equal shape are one cell, whose settings name the array that drew it first: other
    # tests draw some for cells that are gone by now
    gf.clear_cache()
    component = gf.get_component("crossbar_array", **values)
    netlist = component.get_netlist(on_dangling_port="ignore")
    assert set(netlist["ports"]) == {port.name for port in component.ports}
    gf.clear_cache()
    again = gf.read.from_yaml(yaml.safe_dump(netlist), label_instance_function=no_label)
    array = build_top(ArraySpec(**values))
    ours = to_layout(array.cell, array.tech)
    for layer in LABEL_OF.values():  # a netlist holds no texts
        ours.clear_layer(ours.layer(*array.tech.gds(layer)))
    assert differences(ours, again) == []
    assert {port.name for port in again.ports} == set(netlist["ports"])
    assert_ports_lie_on_edges(again)


def test_netlist_of_a_macro_joins_its_switches() -> None:
    macro = gf.get_component("crossbar_array", rows=2, cols=2, top="macro")
    netlist = macro.get_netlist(on_dangling_port="ignore")
    names = {n["settings"].get("part"): key for key, n in netlist["instances"].items()}
    rows, wires = names["row_switch"], names["crossstack_macro_2x2x2_wires"]
    joined = {frozenset((net["p1"], net["p2"])) for net in netlist["nets"]}
    for line in ("WT_NORTH", "WT_SOUTH"), ("WT_N_N1", "WT_N_S1"), ("VDD_N", "VDD_S"):
        assert frozenset(f"{rows}<0.{k}>,{port}" for k, port in enumerate(line)) in joined
    for net in ("VDD", "VSS", "WT", "WB", "WC"):
        assert netlist["ports"][net] == f"{wires},{net}"


def test_a_part_that_an_array_does_not_hold_is_refused() -> None:
    with pytest.raises(ParameterError, match="one of column_end, column_top"):
        gf.get_component("crossbar_part", part="row_switch", rows=2, cols=2)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def test_routers_join_two_arrays() -> None:
    chip = gf.Component()
    east, west = (chip << gf.get_component("crossbar_array", rows=2, cols=2) for _ in range(2))
    west.dmirror_x()
    west.dmovex(-60)
    names = ("TR[0]", "TR[1]")
    routes = gf.routing.route_bundle_electrical(
        chip,
        [west.ports[name] for name in names],
        [east.ports[name] for name in names],
        cross_section="metal4",
        separation=1.0,
        auto_taper=False,
    )
    assert len(routes) == 2
    metal = db.Region(chip.kdb_cell.begin_shapes_rec(LAYER.Metal4)).merged()
    lines = [polygon.bbox() for polygon in metal.each() if polygon.bbox().width() > 60_000]
    assert len(lines) == 2  # one line per row, from one array to the other


def landed(layer: Any, name: str) -> gf.Component:
    """Return a pad of 10 um in a metal, with a port in the east."""
    pad = gf.Component()
    pad.add_polygon([(0, 0), (10, 0), (10, 10), (0, 10)], layer=layer)
    pad.add_port(name, center=(10, 5), width=10, orientation=0, layer=layer,
                 port_type="electrical")  # fmt: skip
    return pad


@pytest.mark.parametrize("wire", ["metal3", "metal4", "metal2"])
def test_a_metal4_pin_reaches_a_metal3_pad(wire: str, tmp_path: Path) -> None:
    """By vias where the metal or the width changes, whatever the wire between is made of."""
    PDK.activate()
    chip = gf.Component()
    array = chip << gf.get_component("crossbar_array", rows=2, cols=2)
    pads = [chip << landed(LAYER.Metal3, "p") for _ in range(2)]
    for k, pad in enumerate(pads):
        pad.dmove((-80, 40 * k - 20))
    pins = [array.ports[f"TR[{k}]"] for k in range(2)]
    assert {gf.get_layer(pin.layer) for pin in pins} == {gf.get_layer(LAYER.Metal4)}
    gf.routing.route_single(
        chip, pads[0].ports["p"], pins[0], cross_section=wire,
        bend="wire_corner", straight="wire_straight",
    )  # fmt: skip
    gf.get_active_pdk().routing_strategies[f"route_{wire}"](
        chip, [pads[1].ports["p"]], [pins[1]], separation=1.0
    )
    tech = get_tech()
    for k, pad in enumerate(pads):
        chip.add_label(f"PAD{k}", position=pad.dcenter, layer=tech.gds(LABEL_OF["Metal3"]))
        inside = (pins[k].dcenter[0] + 0.2, pins[k].dcenter[1])
        chip.add_label(f"TR[{k}]", position=inside, layer=tech.gds(LABEL_OF["Metal4"]))
    path = chip.write_gds(tmp_path / "chip.gds", with_metadata=False)
    report = run_drc(path, tech)
    assert report.clean, report.violations[:5]
    extracted = extract_layout(path, tech)
    nets = [extracted.net(f"PAD{k}").number for k in range(2)]
    assert nets == [extracted.net(f"TR[{k}]").number for k in range(2)]
    assert nets[0] != nets[1]


def test_picture_and_gds(tmp_path: Any) -> None:
    component = gf.get_component("hybrid_cell")
    assert component.plot(return_fig=True) is not None
    path = component.write_gds(tmp_path / "a.gds", with_metadata=False)
    layout = db.Layout()
    layout.read(str(path))
    assert layout.dbu == 0.001
    assert layout.top_cell().name == "hybrid_cell"


def test_gdsfactory_is_imported_only_when_asked_for() -> None:
    code = (
        "import sys, crossstack.pdk, crossstack.cells, crossstack.generators, crossstack.lvs, "
        "crossstack.drc; sys.exit('gdsfactory' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_cells_survive_a_cleared_cache() -> None:
    gf.get_component("crossbar_array", rows=2, cols=2)
    gf.clear_cache()
    spec = ArraySpec(rows=2, cols=2)
    again = gf.get_component("crossbar_array", rows=2, cols=2)
    assert differences(to_layout(build_top(spec).cell, spec.tech()), again) == []


def test_a_process_of_its_own_has_a_pdk_of_its_own(tmp_path):
    """One that comes along, and a folder: cells of both stand beside those of the default."""
    folder = tmp_path / "lab"
    shutil.copytree(HOME / DEFAULT, folder)
    text = (folder / "layers.csv").read_text()
    (folder / "layers.csv").write_text(text.replace("Metal3,42,0,", "Metal3,142,0,"))
    for process in ("sky130", folder):
        tech = get_tech(process=process)
        pdk = get_pdk(process)
        assert pdk is get_pdk(process)
        assert pdk is not PDK
        land = tech.roles.land
        assert (pdk.layers[land].layer, pdk.layers[land].datatype) == tech.gds(land)
        section = pdk.cross_sections[land.lower()]()
        assert section.width == Ask(tech).width(land)
        # what leads a wire to a port needs a transition; local interconnect of sky130 has none
        for name in pdk.routing_strategies:
            metal = next((m for m in tech.roles.wires if name == f"route_{m.lower()}"), None)
            assert metal is None or pdk.layers[metal] in pdk.layer_transitions, name
        assert f"route_{land.lower()}" in pdk.routing_strategies
        array = pdk.cells["crossbar_array"](rows=2, cols=2)
        assert array.settings["process"] == tech.key
        ours = to_layout(build_top(ArraySpec(2, 2, process=str(process))).cell, tech)
        assert differences(ours, array) == []
        again = gf.get_component("hybrid_cell", process=str(process))
        assert again is pdk.cells["hybrid_cell"]()
        assert again is not gf.get_component("hybrid_cell")
    with pytest.raises(ParameterError, match="process"):
        get_pdk("aligner")


def test_routing_pieces_are_those_of_their_own_process(tmp_path: Path) -> None:
    """gdsfactory keeps what it drew by the name of a cross-section, which every process has."""
    shutil.copytree(HOME / DEFAULT, tmp_path / "lab")
    layers = tmp_path / "lab" / "layers.csv"
    layers.write_text(layers.read_text().replace("Metal3,42,0", "Metal3,70,0"))
    asked = [(DEFAULT, "", 0.5), (DEFAULT, "aligner", 1.0), (tmp_path / "lab", "", 0.5)]
    for process, profile, width in (*asked, *reversed(asked)):
        pdk = get_pdk(process, profile)
        pdk.activate()
        for piece in ("straight", "wire_straight", "wire_corner"):
            drawn = pdk.cells[piece](cross_section="me")
            assert drawn.dbbox().height() == pytest.approx(width), (process, profile, piece)
        third = pdk.cells["straight"](cross_section="metal3")
        number = get_tech(profile, process).gds("Metal3")
        assert list(third.get_polygons(by="tuple")) == [number]
    get_pdk().activate()
