"""Arrays and macros of odd shapes: clean, matched, pins at the edge, hierarchy kept."""

from pathlib import Path

import klayout.db as db
import pytest
import shapely
import shapely.ops

from crossstack.cells import to_layout
from crossstack.drc import run_drc
from crossstack.generators import ArraySpec, build_array, build_top
from crossstack.lvs import compare_layout, extract_layout
from crossstack.pdk import ParameterError

SHAPES = [(1, 1), (1, 8), (6, 1), (7, 5)]


def proven(array, folder):
    """Write a layout and its netlist; return the reports of DRC and LVS."""
    gds, net = folder / f"{array.cell.name}.gds", folder / f"{array.cell.name}.spice"
    to_layout(array.cell, array.tech).write(str(gds))
    net.write_text("\n".join(array.netlist_lines()) + "\n")
    lvs = compare_layout(extract_layout(gds, array.tech), net, array.tech).to_json()
    return run_drc(gds, array.tech), lvs


def expected_devices(spec: ArraySpec) -> dict[str, int]:
    n = spec.rows * spec.cols
    top = n if len(spec.tiers) == 2 else 0
    return {"memristor_bottom": n, "memristor_top": top, "nfet": 0, "pfet": 0} | (
        {} if spec.cell.startswith("passive") else {"nfet": n + top}
    )


@pytest.mark.parametrize("profile", ["stepper", "aligner"])
@pytest.mark.parametrize("cell", ["hybrid", "passive", "planar", "passive_planar"])
@pytest.mark.parametrize(("rows", "cols"), SHAPES)
def test_arrays_are_clean_and_matched(rows, cols, cell, profile, tmp_path):
    spec = ArraySpec(rows=rows, cols=cols, cell=cell, profile=profile)
    drc, lvs = proven(build_array(spec), tmp_path)
    assert drc.clean, drc.violations[:5]
    assert lvs["match"], lvs["errors"]
    assert lvs["devices"] == expected_devices(spec)


@pytest.mark.parametrize(
    "values",
    [
        {"rows": 1, "cols": 1},
        {"rows": 7, "cols": 5, "kelvin": True},
        {"rows": 1, "cols": 8, "switch_wn_um": 3.0, "switch_wp_um": 6.0},
        {"rows": 3, "cols": 4, "profile": "aligner"},
        {"rows": 4, "cols": 3, "cell": "planar", "kelvin": True},
        {"rows": 3, "cols": 2, "cell": "passive"},
        {"rows": 2, "cols": 3, "cell": "passive_planar"},
        {"rows": 2, "cols": 2, "cell": "planar", "switch_wn_um": 1.2, "switch_wp_um": 1.2},
        {"rows": 2, "cols": 2, "switch_wp_um": 1.12},
        {"rows": 2, "cols": 2, "switch_wp_um": 3.0},
        {"rows": 2, "cols": 2, "switch_wn_um": 1.12},
        {"rows": 16, "cols": 12},
    ],
    ids=lambda v: "-".join(f"{k}={x}" for k, x in v.items()),
)
def test_macros_are_clean_and_matched(values, tmp_path):
    spec = ArraySpec(top="macro", **values)
    array = build_top(spec)
    drc, lvs = proven(array, tmp_path)
    assert drc.clean, drc.violations[:5]
    assert lvs["match"], lvs["errors"]
    # every switch transistor counts; the fingers of one are reported as one device
    own = expected_devices(spec)
    cells = {s.name: s for s in array.subcircuits}
    for model in ("nfet", "pfet"):
        per = {n: len({d.nets for d in s.devices if d.model == model}) for n, s in cells.items()}
        inverters = len(spec.tiers)
        own[model] += (
            spec.rows * per["row_switch"] + spec.cols * per["column_switch"]
            + inverters * per["inverter"]
        )  # fmt: skip
    assert lvs["devices"] == own


def swapped(netlist: str, a: str, b: str) -> str:
    return netlist.replace(a, "@@").replace(b, a).replace("@@", b)


@pytest.mark.parametrize(
    ("a", "b"),
    [("TS[1]", "BS[1]"), ("WSEL[0]", "WSEL[1]"), ("IN_T[0]", "IN_B[0]"), ("WR[0]", "WR[1]"),
     ("WT ", "WB "), ("OUT[0]", "OUT[1]"), ("TR[0]", "BR[0]")],
)  # fmt: skip
def test_a_swapped_line_of_the_macro_does_not_match(a, b, tmp_path):
    array = build_top(ArraySpec(rows=2, cols=2, top="macro"))
    gds, net = tmp_path / "m.gds", tmp_path / "m.spice"
    to_layout(array.cell, array.tech).write(str(gds))
    good = "\n".join(array.netlist_lines()) + "\n"
    head, rest = good.split(f".subckt {array.cell.name}")
    pins, body = rest.split("\nX0_0", 1)
    net.write_text(f"{head}.subckt {array.cell.name}{pins}\nX0_0{swapped(body, a, b)}")
    lvs = compare_layout(extract_layout(gds, array.tech), net, array.tech).to_json()
    assert not lvs["match"]
    assert lvs["errors"]


@pytest.mark.parametrize("top", ["array", "macro"])
@pytest.mark.parametrize("cell", ["hybrid", "planar"])
def test_pins_lie_on_the_boundary_and_on_their_metal(top, cell):
    array = build_top(ArraySpec(rows=3, cols=4, top=top, cell=cell, kelvin=top == "macro"))
    layout = to_layout(array.cell, array.tech)
    box = layout.top_cell().bbox()
    assert (box.left, box.bottom) == (0, 0)
    names = [p.name for p in array.pins]
    assert len(names) == len(set(names))
    for pin in array.pins:
        on_edge = {0: pin.x == box.right, 180: pin.x == 0, 90: pin.y == box.top, 270: pin.y == 0}
        assert on_edge[pin.orientation], pin
        metal = db.Region(
            layout.top_cell().begin_shapes_rec(layout.layer(*array.tech.gds(pin.layer)))
        )
        x = pin.x + {0: -3, 180: 3}.get(pin.orientation, 0)
        y = pin.y + {90: -3, 270: 3}.get(pin.orientation, 0)
        assert not (metal & db.Region(db.Box(x - 2, y - 2, x + 2, y + 2))).is_empty(), pin


def test_macro_has_the_promised_pins():
    array = build_top(ArraySpec(rows=2, cols=3, top="macro"))
    expected = {f"{n}[{i}]" for n in ("IN_T", "IN_B", "WR") for i in range(2)}
    expected |= {f"{n}[{j}]" for n in ("OUT", "TS", "BS", "WSEL") for j in range(3)}
    expected |= {"WC", "WT", "WB", "VDD", "VSS"}
    assert {p.name for p in array.pins} == expected
    kelvin = build_top(ArraySpec(rows=2, cols=3, top="macro", kelvin=True))
    lines = {f"{n}[{i}]" for n in ("TR", "BR") for i in range(2)} | {f"C[{j}]" for j in range(3)}
    assert {p.name for p in kelvin.pins} == expected | lines


def shapes(layout: db.Layout, gds: tuple[int, int]):
    region = db.Region(layout.top_cell().begin_shapes_rec(layout.layer(*gds))).merged()
    return shapely.ops.unary_union(
        [shapely.Polygon([(p.x, p.y) for p in poly.each_point_hull()]) for poly in region.each()]
    )


@pytest.mark.parametrize("cell", ["hybrid", "passive"])
def test_device_areas_by_shapely(cell, tmp_path):
    """Areas recomputed by another geometry library on the written file."""
    array = build_array(ArraySpec(rows=2, cols=3, cell=cell))
    path = tmp_path / "a.gds"
    to_layout(array.cell, array.tech).write(str(path))
    layout = db.Layout()
    layout.read(str(path))
    layer = {n: shapes(layout, array.tech.gds(n)) for n in
             ("BE", "ME", "TE", "TIO2_B", "TIO2X_B", "TIO2_T", "TIO2X_T")}  # fmt: skip
    for electrode, films in (("BE", ("TIO2_B", "TIO2X_B")), ("TE", ("TIO2_T", "TIO2X_T"))):
        crossing = layer[electrode] & layer["ME"]
        parts = list(crossing.geoms)
        assert len(parts) == 6
        for part in parts:
            assert part.area * 1e-6 == pytest.approx(array.unit.info["device_area_um2"])
            for film in films:
                assert part.buffer(array.tech.rule("OXB.1") * 1e3, join_style="mitre").within(
                    layer[film].buffer(1e-6)
                )


def test_large_arrays_stay_instance_arrays(tmp_path):
    array = build_array(ArraySpec(rows=1024, cols=1024))
    layout = to_layout(array.cell, array.tech)
    path = tmp_path / "big.gds"
    layout.write(str(path))
    assert path.stat().st_size < 1_000_000
    instances = list(layout.top_cell().each_inst())
    assert max(i.na * i.nb for i in instances) == 1024 * 1024
    assert len(instances) == 4


def test_oasis_holds_the_same_shapes(tmp_path):
    array = build_array(ArraySpec(rows=2, cols=2))
    layout = to_layout(array.cell, array.tech)
    layout.write(str(tmp_path / "a.oas"))
    back = db.Layout()
    back.read(str(tmp_path / "a.oas"))
    assert db.LayoutDiff().compare(layout, back)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"rows": 0}, ("rows", "0", "1 to 1024")),
        ({"rows": 2.5}, ("rows", "2.5")),
        ({"cols": True}, ("cols", "True")),
        ({"cols": 1025}, ("cols", "1025")),
        ({"cell": "hybird"}, ("cell", "hybird", "hybrid")),
        ({"profile": "euv"}, ("profile", "euv", "stepper")),
        ({"top": "chip"}, ("top", "chip", "macro")),
        ({"name": "../x"}, ("name", "../x")),
        ({"row": 3}, ("row", "did you mean 'rows'")),
        ({"kelvin": 1}, ("kelvin",)),
        ({"kelvin": True}, ("kelvin", "needs top: macro or testchip")),
        ({"switch_wp_um": 30.0}, ("switch_wp_um = 30.0", "needs top: macro or testchip")),
    ],
)
def test_bad_specs_are_refused_by_name(values, names):
    with pytest.raises(ParameterError) as error:
        ArraySpec.from_mapping(values)
    for name in names:
        assert name in str(error.value)


def test_a_macro_spreads_the_lines_of_a_small_cell_to_the_pitch_of_its_switches():
    array = build_top(ArraySpec(rows=2, cols=2, cell="passive", top="macro", device_um=0.5))
    assert (array.unit.width, array.unit.height) == (1780, 1780)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"cell": "passive", "device_um": 0.5, "pitch_x_um": 1.3}, "pitch_x_um = 1.3 ... 1.78 .."),
        ({"pitch_y_um": 20.02}, "pitch_y_um = 20.02 ... 2.92 .. 20 um"),
        ({"cell": "passive", "kelvin": True, "pitch_x_um": 20.02}, "pitch_x_um = 20.02"),
        ({"cell": "passive", "pitch_y_um": 1.9, "device_um": 0.5, "kelvin": True},
         "pitch_y_um = 1.9 ... 1.96 .. 20 um"),
        ({"select_w_um": 30.0}, "select_w_um = 30.0 ... 0.36 .. 19.08 um"),
        ({"device_um": 30.0}, "device_um = 30.0 ... 0.5 .. 16.64 um"),
        ({"device_um": 30.0, "select_w_um": 40.0, "pitch_x_um": None}, "device_um = 30.0"),
        ({"switch_wn_um": 1.1}, "switch_wn_um = 1.1 ... 1.12 .. 1000 um"),
        ({"switch_wp_um": 1000.02}, "switch_wp_um = 1000.02 ... 1.12 .. 1000 um"),
        ({"switch_wp_um": float("nan")}, "switch_wp_um = nan ... finite number"),
    ],
)  # fmt: skip
def test_what_a_macro_cannot_follow_is_refused_by_name_and_range(values, said):
    with pytest.raises(ParameterError) as error:
        build_top(ArraySpec(rows=2, cols=2, top="macro", **values))
    for part in said.split(" ... "):
        assert part in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("values", "said"),
    [({"select_w_um": 30.0}, (19.08, 19.1)), ({"device_um": 30.0}, (16.64, 16.66))],
)
def test_the_range_in_a_refusal_holds_at_its_end(values, said):
    key = next(iter(values))
    last, beyond = said
    build_top(ArraySpec(rows=1, cols=1, top="macro", **{key: last}))
    with pytest.raises(ParameterError, match=f"{last:g} um"):
        build_top(ArraySpec(rows=1, cols=1, top="macro", **{key: beyond}))


@pytest.mark.parametrize("key", ["cell", "profile", "top"])
@pytest.mark.parametrize("value", [{"a": 1}, [1], 3, None, True])
def test_words_must_be_words(key, value):
    with pytest.raises(ParameterError, match=f"{key} = .* is not allowed: a word"):
        ArraySpec(rows=2, cols=2, **{key: value})


def test_committed_reference_is_what_the_generator_draws(tmp_path):
    """gds_out/reference_10x10x2 is the layout that documents and users may point at."""
    folder = Path(__file__).parents[2] / "gds_out" / "reference_10x10x2"
    array = build_array(ArraySpec(rows=10, cols=10))
    back = db.Layout()
    back.read(str(folder / "crossstack_10x10x2.gds"))
    assert db.LayoutDiff().compare(to_layout(array.cell, array.tech), back)
    lines = (folder / "crossstack_10x10x2.spice").read_text().splitlines()
    assert lines == list(array.netlist_lines())
