"""Large arrays: what is unique is compared, and nothing passes that a full comparison finds."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path

import klayout.db as db
import pytest

from crossstack.cells import to_layout
from crossstack.generators import Array, ArraySpec, build_top
from crossstack.lvs import ExtractedLayout, LvsReport, compare_layout, extract_layout
from crossstack.lvs.compare import _compare_all
from crossstack.lvs.connectivity import Connectivity
from crossstack.lvs.plain import Slabs, read_plain
from crossstack.lvs.repetition import compare_repetition
from crossstack.lvs.through import Stretch, goes_through
from crossstack.lvs.tolerances import Tolerances

#: rows and columns from which on parts of these arrays are cut out
SIZE = 14
_SPEC = importlib.util.spec_from_file_location(
    "bench_lvs", Path(__file__).parents[2] / "bench" / "lvs.py"
)
BENCH = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(BENCH)


@pytest.fixture(scope="module")
def array() -> Array:
    return build_top(ArraySpec(rows=SIZE, cols=SIZE))


@pytest.fixture
def netlist(array, tmp_path) -> Path:
    path = tmp_path / "array.spice"
    path.write_text("\n".join(array.netlist_lines()) + "\n")
    return path


def in_full(extracted: ExtractedLayout, reference) -> LvsReport:
    grid = extracted.tech.grid_um
    return _compare_all(extracted, reference, grid, Tolerances(grid / 2))


def reduced(layout: db.Layout, array: Array, netlist: Path) -> LvsReport | None:
    return compare_repetition(extract_layout(layout, array.tech), netlist, None, in_full)


def full(layout: db.Layout, array: Array, netlist: Path) -> LvsReport:
    return compare_layout(extract_layout(layout, array.tech), netlist)


def layer(layout: db.Layout, array: Array, name: str) -> int:
    return layout.layer(*array.tech.gds(name))


@pytest.mark.parametrize(
    ("kind", "process"), [("hybrid", "sky130"), ("passive", "gf180mcuD"), ("planar", "gf180mcuD")]
)
def test_arrays_are_proven(kind, process, tmp_path):
    built = build_top(ArraySpec(rows=18, cols=18, cell=kind, process=process))
    path = tmp_path / "array.spice"
    path.write_text("\n".join(built.netlist_lines()) + "\n")
    layout = to_layout(built.cell, built.tech)
    found = reduced(layout, built, path)
    assert found is not None
    assert found.match
    assert "are proven to be equal" in found.note
    tiers = 1 if kind == "planar" else 2
    assert found.devices["memristor_bottom"] == 18 * 18
    assert sum(found.devices.values()) == 18 * 18 * tiers * (1 if kind == "passive" else 2)


def test_it_is_used_from_a_size_on(array, netlist):
    extracted = extract_layout(to_layout(array.cell, array.tech), array.tech)
    assert extracted.memristors == 2 * SIZE * SIZE
    assert compare_layout(extracted, netlist, large=100).note
    assert not compare_layout(extracted, netlist).note


def test_a_flat_drawing_is_proven_as_well(array, netlist):
    layout = to_layout(array.cell, array.tech)
    layout.top_cell().flatten(-1, True)
    found = reduced(layout, array, netlist)
    assert found is not None
    assert found.match


def geometry(name: str, layout: db.Layout, array: Array, rng: random.Random) -> None:
    """Do a damage to one cell."""
    cell = BENCH.set_apart(layout, rng.randrange(SIZE), rng.randrange(SIZE))
    what, wire = name.split()
    shapes = cell.shapes(layer(layout, array, wire))
    found = [*shapes.each(db.Shapes.SRegions)]
    shape = rng.choice(found)
    if what == "delete":
        for one in found:
            one.delete()
    else:
        box = cell.bbox()
        shapes.insert(db.Box(box.left, shape.bbox().bottom, box.right, shape.bbox().top))
        shapes.insert(db.Box(shape.bbox().left, box.bottom, shape.bbox().right, box.top))


@pytest.mark.parametrize(
    "name",
    ["delete Contact", "delete ME", "bridge Metal2", "bridge ME"],
)
def test_a_damaged_cell_is_found_and_named_alike(name, array, netlist):
    layout = to_layout(array.cell, array.tech)
    geometry(name, layout, array, random.Random(name))
    found, wanted = reduced(layout, array, netlist), full(layout, array, netlist)
    assert not wanted.match
    assert found is not None
    assert not found.match
    kinds = [finding.kind for finding in found.findings]
    assert kinds == [finding.kind for finding in wanted.findings]


@pytest.mark.parametrize("what", ["swapped", "renamed", "deleted", "moved"])
def test_damaged_labels(what, array, netlist):
    layout = to_layout(array.cell, array.tech)
    top = layout.top_cell()
    texts = {
        shape.text.string: shape
        for index in layout.layer_indexes()
        for shape in top.shapes(index).each(db.Shapes.STexts)
    }
    one, two = texts["TR[11]"], texts["BR[11]"]
    if what == "swapped":
        a, b = one.text, two.text
        one.text, two.text = db.Text(b.string, a.trans), db.Text(a.string, b.trans)
    elif what == "renamed":
        one.text = db.Text("TR[12]", one.text.trans)
    elif what == "deleted":
        one.delete()
    else:
        one.transform(db.Trans(0, 1500))
    wanted = full(layout, array, netlist)
    assert not wanted.match
    found = reduced(layout, array, netlist)
    assert found is not None
    assert not found.match


@pytest.mark.parametrize("what", ["net", "lines", "missing", "twice", "cell", "rows"])
def test_damaged_netlists(what, array, netlist):
    lines = netlist.read_text().split("\n")
    at = next(k for k, line in enumerate(lines) if line.startswith("X11_9 "))
    words = lines[at].split(" ")
    if what == "net":
        lines[at] = lines[at].replace("TR[11]", "TR[12]")
    elif what == "lines":
        lines[at] = " ".join([words[0], words[2], words[1], *words[3:]])
    elif what == "missing":
        del lines[at]
    elif what == "twice":
        lines.insert(at, lines[at].replace("X11_9 ", "Xmore "))
    elif what == "cell":
        lines[at] = lines[at].replace("hybrid_cell", "other")
        start = next(k for k, x in enumerate(lines) if x.startswith(".subckt hybrid_cell"))
        end = lines.index(".ends", start)
        body = "\n".join(lines[start : end + 1]).replace("hybrid_cell", "other")
        lines.insert(start, body.replace("W=2u", "W=3u"))
    else:  # a whole row on the line of another
        for k in (k for k, line in enumerate(lines) if line.startswith("X")):
            lines[k] = lines[k].replace(" TR[11] ", " TR[12] ")
    netlist.write_text("\n".join(lines))
    layout = to_layout(array.cell, array.tech)
    wanted = full(layout, array, netlist)
    assert not wanted.match
    found = reduced(layout, array, netlist)
    assert found is not None
    assert not found.match


def test_a_wire_that_moves_on_with_every_row_is_no_repetition(array, netlist):
    """Each cell hands its column to the next one: rows look alike, and what they reach differs."""
    layout = to_layout(array.cell, array.tech)
    unit = max(layout.top_cell().each_inst(), key=lambda one: one.na * one.nb).cell
    box, metal = unit.bbox(), layer(layout, array, "TE")
    unit.shapes(metal).insert(
        db.Path([db.Point(box.left - 900, box.bottom - 900),
                 db.Point(box.right - 900, box.top - 900)], 300)
    )  # fmt: skip
    found = reduced(layout, array, netlist)
    assert found is None or not found.match


def slanted(step: int) -> dict[str, db.Region]:
    """Wires that go up by one period and aside by a step, eight periods high."""
    wires = [
        db.Polygon([db.Point(x + k * step, k * 1000), db.Point(x + (k + 1) * step, (k + 1) * 1000),
                    db.Point(x + (k + 1) * step + 100, (k + 1) * 1000),
                    db.Point(x + k * step + 100, k * 1000)])
        for x in range(0, 4000, 1000) for k in range(8)
    ]  # fmt: skip
    return {"M": db.Region(wires).merged()}


@pytest.mark.parametrize(("step", "through"), [(0, True), (1000, False), (500, False)])
def test_only_what_goes_straight_on_goes_through(step, through):
    regions = slanted(step)
    wiring = Connectivity(("M",), (), (), (), ())
    slab, box = Stretch(1, 4500, 1000, 10, 4500), regions["M"].bbox()
    assert goes_through(regions, slab, box, wiring, [("M", "M")], []) is through
    assert not goes_through(regions, slab, box, wiring, [("M", "M")], ["M"])


def test_places_are_those_of_the_whole(array, netlist):
    layout = to_layout(array.cell, array.tech)
    cell = BENCH.set_apart(layout, 11, 10)
    cell.shapes(layer(layout, array, "TIO2_T")).clear()
    found, wanted = reduced(layout, array, netlist), full(layout, array, netlist)
    assert found is not None
    assert found.errors == wanted.errors
    again = compare_layout(extract_layout(layout, array.tech), netlist, large=1)
    assert (again.errors, again.note) == (wanted.errors, "")
    assert found.findings[0].places[0] == pytest.approx(wanted.findings[0].places[0])


def test_only_plain_netlists_are_cut(array, netlist, tmp_path):
    name, text = array.cell.name, netlist.read_text()
    plain = read_plain(netlist, name)
    assert plain is not None
    assert len(plain.calls) == SIZE * SIZE
    for k, (old, new) in enumerate(
        [("X3_3 ", "X3_4 "), ("X3_3 TR[3]", "X3_3 tr"), ("X3_3 ", "* "), ("X3_3 ", "R3_3 "),
         (" hybrid_cell\n", " hybrid_cell m=2\n"), (".ends\n\n", ""), ("TR[0] ", "0 ")]
    ):  # fmt: skip
        path = tmp_path / f"{k}.spice"
        path.write_text(text.replace(old, new, 1) if old in text else text + "R1 a b 1\n")
        assert read_plain(path, name) is None, old
    assert read_plain(netlist, "another") is None


def test_slabs_that_call_otherwise_are_told(array, netlist):
    lines = netlist.read_text().replace("X9_4 TR[9] ", "X9_4 TR[0] ", 1)
    netlist.write_text(lines)
    plain = read_plain(netlist, array.cell.name)
    assert plain is not None
    slabs = Slabs(
        frozenset({"TR[4]", "BR[4]"}),
        [{f"TR[{k}]": "TR[4]", f"BR[{k}]": "BR[4]"} for k in range(5, 11)],
    )
    rest, odd = plain.without([slabs])
    assert odd == [{5}]
    assert len(rest.calls) == SIZE * (SIZE - 6)
