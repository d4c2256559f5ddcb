"""The files in other people's hands: KLayout, gdstk, shapely, ngspice."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter

import gdstk
import pytest
from shapely import MultiPolygon, Point, Polygon, box, unary_union

from crossstack.generators import ArraySpec, build_array
from crossstack.pdk import LABEL_OF, get_tech

from .conftest import COLS, NAME, ROWS

TECH = get_tech("stepper")
ARRAY = build_array(ArraySpec(rows=ROWS, cols=COLS))

PROBE = """
import pya
layout = pya.Layout()
layout.read(source)
print("tops", ",".join(c.name for c in layout.top_cells()))
print("dbu", layout.dbu)
off = 0
for cell in layout.each_cell():
    for inst in cell.each_inst():
        d = inst.trans.disp
        off += any(v % 5 for v in (d.x, d.y, inst.a.x, inst.a.y, inst.b.x, inst.b.y))
    for index in layout.layer_indexes():
        for shape in cell.shapes(index).each():
            b = shape.bbox()
            off += any(v % 5 for v in (b.left, b.bottom, b.right, b.top))
            off += shape.prop_id != 0
print("off", off)
print("shapes", sum(c.shapes(i).size() for c in layout.each_cell() for i in layout.layer_indexes()))
"""


def test_klayout_opens_the_layout(requires_program, built, tmp_path):
    klayout = requires_program("klayout")
    script = tmp_path / "probe.py"
    script.write_text(PROBE)
    ran = subprocess.run(
        [klayout, "-b", "-r", str(script), "-rd", f"source={built / NAME}.gds"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = dict(line.split(" ", 1) for line in ran.stdout.strip().splitlines())
    assert found["tops"] == NAME
    assert float(found["dbu"]) == pytest.approx(0.001, rel=1e-12)
    assert found["off"] == "0"
    assert int(found["shapes"]) > 50


def test_klayout_reads_layer_properties_and_reports(requires_program, built, tmp_path):
    klayout = requires_program("klayout")
    script = tmp_path / "probe.py"
    script.write_text(
        "import pya\n"
        "view = pya.LayoutView()\n"
        f"view.load_layout({str(built / NAME) + '.gds'!r}, False)\n"
        f"view.load_layer_props({str(built / NAME) + '.lyp'!r})\n"
        "print(sum(1 for n in view.each_layer() if not n.has_children()), 'leaves')\n"
        "db = pya.ReportDatabase('drc')\n"
        f"db.load({str(built / 'drc.lyrdb')!r})\n"
        "print(sum(1 for _ in db.each_category()), 'rules')\n"
    )
    ran = subprocess.run(
        [klayout, "-b", "-r", str(script)], capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    assert "rules" in ran.stdout
    assert "leaves" in ran.stdout


def test_no_metadata_and_no_timestamps(built):
    for end in ("", "_foundry", "_masks"):
        data = (built / f"{NAME}{end}.gds").read_bytes()
        assert b"CONTEXT_INFO" not in data
        assert data[10:34] == bytes(24), "BGNLIB carries a date"


@pytest.fixture(scope="module")
def library(built) -> gdstk.Library:
    return gdstk.read_gds(built / f"{NAME}.gds")


def shapes(library: gdstk.Library, layer: str) -> MultiPolygon | Polygon:
    (top,) = library.top_level()
    number, datatype = TECH.gds(layer)
    found = top.get_polygons(layer=number, datatype=datatype)
    return unary_union([Polygon(p.points) for p in found])


def parts(shape: MultiPolygon | Polygon) -> list[Polygon]:
    return list(shape.geoms) if isinstance(shape, MultiPolygon) else [shape]


def test_gdstk_opens_the_layout(library):
    (top,) = library.top_level()
    assert top.name == NAME
    assert library.precision == pytest.approx(1e-9)
    assert library.unit == pytest.approx(1e-6)
    for cell in library.cells:
        for polygon in cell.polygons:
            for value in polygon.points.ravel():
                assert abs(value * 200 - round(value * 200)) < 1e-6, cell.name
        assert not cell.properties


def test_the_split_files_hold_their_layers_and_together_all(built):
    def drawn(end: str) -> set[tuple[int, int]]:
        return {pair for cell in gdstk.read_gds(built / f"{NAME}{end}.gds").cells
                for pair in [*((p.layer, p.datatype) for p in cell.polygons),
                             *((t.layer, t.texttype) for t in cell.labels)]}  # fmt: skip

    whole, foundry, masks = drawn(""), drawn("_foundry"), drawn("_masks")
    module = {layer.gds for layer in TECH.layers if layer.is_module}
    assert not foundry & module
    assert masks <= module
    assert not foundry & masks
    assert foundry | masks | {TECH.gds("ME_Label")} >= whole
    for end in ("_foundry", "_masks"):
        (top,) = gdstk.read_gds(built / f"{NAME}{end}.gds").top_level()
        assert top.name == f"{NAME}{end}"  # the foundry wants the top named as the file


@pytest.mark.parametrize(("tier", "electrode"), [("B", "BE"), ("T", "TE")])
def test_device_area_and_crossing(library, tier, electrode):
    crossing = shapes(library, electrode) & shapes(library, "ME")
    device = crossing & shapes(library, f"TIO2_{tier}") & shapes(library, f"TIO2X_{tier}")
    pieces = parts(device)
    assert len(pieces) == ROWS * COLS
    stated = ARRAY.unit.info["device_area_um2"]
    for piece in pieces:
        assert piece.area == pytest.approx(stated, rel=1e-9)
    assert crossing.area == pytest.approx(device.area, rel=1e-9), "bare crossing: a short"
    # the oxide passes every crossing by the overlay on all four sides
    overlay = TECH.profile.overlay_um
    for film in (f"TIO2_{tier}", f"TIO2X_{tier}"):
        oxide = shapes(library, film).buffer(1e-6, join_style="mitre")
        for piece in parts(crossing):
            x1, y1, x2, y2 = piece.bounds
            grown = box(x1 - overlay, y1 - overlay, x2 + overlay, y2 + overlay)
            assert oxide.contains(grown)


def test_both_devices_of_a_crossing_coincide(library):
    me = shapes(library, "ME")
    bottom, top = shapes(library, "BE") & me, shapes(library, "TE") & me
    assert (bottom & top).area == pytest.approx(bottom.area, rel=1e-9)
    centres = sorted((p.centroid.x, p.centroid.y) for p in parts(bottom))
    columns = Counter(round(x, 4) for x, _ in centres)
    assert sorted(columns.values()) == [ROWS] * COLS
    xs = sorted(columns)
    assert xs[1] - xs[0] == pytest.approx(ARRAY.unit.info["pitch_x_um"], abs=1e-6)


def test_pins_lie_where_they_are_said_to_be(library):
    (top,) = library.top_level()
    layers = {TECH.gds(label): conductor for conductor, label in LABEL_OF.items()}
    placed = {t.text: (layers[t.layer, t.texttype], Point(t.origin)) for t in top.labels}
    expected = {f"{n}[{k}]" for n in ("TR", "BR") for k in range(ROWS)}
    expected |= {f"{n}[{k}]" for n in ("C", "TS", "BS") for k in range(COLS)} | {"VSS"}
    assert set(placed) == expected
    x1, y1, x2, y2 = shapes(library, "PR_bndry").bounds
    for port in ARRAY.pins:
        conductor, point = placed[port.name]
        assert conductor == port.layer
        # one step inside the edge, anywhere along the width of the line
        along = (point.y * 1e3 - port.y, point.x * 1e3 - port.x)[port.orientation in (90, 270)]
        assert abs(along) < port.width / 2, port.name
        assert shapes(library, conductor).contains(point), port.name
        edge = min(point.x - x1, x2 - point.x, point.y - y1, y2 - point.y)
        assert edge == pytest.approx(0.005, abs=1e-6), f"{port.name} is not at the edge"
    for line in ("TR", "BR"):
        steps = [placed[f"{line}[{k}]"][1].y for k in range(ROWS)]
        assert steps[1] - steps[0] == pytest.approx(ARRAY.unit.info["pitch_y_um"], abs=1e-6)


def test_ngspice_agrees_with_the_solver(requires_program, built):
    ngspice = requires_program("ngspice")
    ran = subprocess.run(
        [ngspice, "-b", str(built / f"{NAME}_extracted.spice")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    found = re.findall(r"pin (\S+)\s+i\d+ = (\S+)", ran.stdout)
    currents = {pin: float(value) for pin, value in found}
    mode = json.loads((built / "ir_drop.json").read_text())["modes"]["expansion"]
    assert [-currents[f"C[{j}]"] for j in range(COLS)] == pytest.approx(
        mode["column_currents_A"], rel=1e-6
    )
    rows = sum(v for pin, v in currents.items() if pin.startswith(("TR[", "BR[")))
    assert rows == pytest.approx(sum(mode["column_currents_A"]), rel=1e-6)
