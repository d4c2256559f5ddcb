"""Cells of a user's own: what arrays ask of them, and how they become known."""

from dataclasses import replace
from functools import partial

import pytest

from crossstack.cells import (
    ARRAY_CELLS,
    CELLS,
    Cell,
    Device,
    Placement,
    Rect,
    UnitCellError,
    array_cell_names,
    draw_cell,
    register_cell,
    to_layout,
    unit_of,
)
from crossstack.drc import run_drc
from crossstack.generators import ArraySpec, build_top
from crossstack.lvs import compare_layout, extract_layout
from crossstack.pdk import CrossStackError, ParameterError, get_tech

TECH = get_tech()


@pytest.fixture(autouse=True)
def _tables_as_before():
    before = dict(CELLS), dict(ARRAY_CELLS)
    yield
    for table, kept in zip((CELLS, ARRAY_CELLS), before, strict=True):
        table.clear()
        table.update(kept)


def hybrid(**changes) -> Cell:
    return replace(draw_cell("hybrid_cell", TECH), **changes)


def netlist(devices=None, pins=None):
    n = hybrid().netlist
    return replace(n, devices=devices or n.devices, pins=pins or n.pins)


def ports(name, **changes):
    return tuple(replace(p, **changes) if p.name == name else p for p in hybrid().ports)


def without(layer):
    return tuple(r for r in hybrid().rects if r.layer != layer)


@pytest.mark.parametrize("kind", sorted(ARRAY_CELLS))
@pytest.mark.parametrize("profile", ["stepper", "aligner"])
def test_our_array_cells_are_unit_cells(kind, profile):
    unit = unit_of(draw_cell(ARRAY_CELLS[kind].cell, get_tech(profile)), get_tech(profile))
    assert unit.tiers == ARRAY_CELLS[kind].tiers
    assert len(unit.rows) == len(unit.tiers)
    assert unit.has_substrate == bool(unit.selects) == (not kind.startswith("passive"))


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (hybrid(netlist=None), "no reference netlist"),
        (hybrid(width=0), "no width and height"),
        (hybrid(netlist=netlist(pins=("TR", "BR", "C", "TS", "BS"))), "no pin 'VSS'"),
        (hybrid(netlist=netlist(pins=(*hybrid().netlist.pins, "VB"))), "pin 'VB'"),
        (hybrid(netlist=netlist(pins=("TR", "BR", "TS", "BS", "VSS"))), "no pin 'C'"),
        (hybrid(netlist=netlist(devices=(Device("XB", "memristor_bottom", ("C", "be")),))), "'be'"),
        (hybrid(netlist=netlist(devices=hybrid().netlist.devices * 2)), "2 bottom and 2 top"),
        (hybrid(netlist=netlist(devices=hybrid().netlist.devices[2:])), "0 bottom and 1 top"),
        (hybrid(ports=hybrid().ports[1:]), "0 ports 'BR' in the west"),
        (hybrid(ports=ports("C", layer="Metal5")), "'C' leaves in the south on Metal5"),
        (hybrid(ports=(replace(hybrid().ports[0], x=5), *hybrid().ports[1:])), "west edge"),
        (hybrid(ports=(replace(hybrid().ports[0], y=5), *hybrid().ports[1:])), "would not meet"),
        (hybrid(ports=ports("BR", layer="BE")), "draws no BE at its port 'BR'"),
        (hybrid(rects=without("Metal3")), "draws no Metal3 at its port 'BR'"),
        (hybrid(rects=without("BE")), "no BE crosses"),
        (
            hybrid(
                ports=ports("BR", layer="BE"),
                rects=(*hybrid().rects, Rect("BE", 0, 0, hybrid().width, hybrid().height)),
            ),
            "both be metals or both be electrodes",
        ),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_what_does_not_fit_is_named(cell, words):
    with pytest.raises(UnitCellError, match="hybrid_cell.*" + words):
        unit_of(cell, TECH)


def test_names_are_checked():
    def taken(tech):
        return draw_cell("hybrid_cell", tech)

    for name, words in (("hybrid_cell", "no cell bears"), ("hybrid", "no cell bears"),
                        ("My Cell", "letter"), ("mine", "'hybrid_cell'")):  # fmt: skip
        with pytest.raises(CrossStackError, match=words):
            register_cell(name, taken)
    assert "mine" not in CELLS
    with pytest.raises(ParameterError, match="one of hybrid, passive"):
        ArraySpec(cell="mine")


def nested(tech, *, select_w_um=2.0):
    """The hybrid cell as a cell that only places another one."""
    inner = draw_cell("hybrid_cell", tech, select_w_um=select_w_um)
    drawn = replace(inner, name="inner", netlist=None)
    return replace(inner, name="nested", rects=(), placements=(Placement(drawn, 0, 0),),
                   netlist=replace(inner.netlist, name="nested"))  # fmt: skip


@pytest.mark.parametrize("top", ["array", "macro"])
def test_a_cell_made_of_placed_cells(top, tmp_path):
    """Its ends are those of the same shapes drawn flat, and the array is clean and matched."""
    register_cell("nested", nested)
    register_cell("nested", nested)
    assert "nested" in array_cell_names()
    spec = ArraySpec(rows=3, cols=2, cell="nested", select_w_um=4.0, top=top)
    array, flat = build_top(spec), build_top(replace(spec, cell="hybrid"))
    assert array.cell.placements[1:4] == flat.cell.placements[1:4]
    assert array.pins == flat.pins
    gds, net = tmp_path / "a.gds", tmp_path / "a.spice"
    to_layout(array.cell, TECH).write(str(gds))
    net.write_text("\n".join(array.netlist_lines()) + "\n")
    assert run_drc(gds, TECH).clean
    assert compare_layout(extract_layout(gds, TECH), net, TECH).to_json()["match"]


def install(folder, name, entries):
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = "\n".join(f"{cell} = {value}" for cell, value in entries.items())
    (info / "entry_points.txt").write_text(f"[crossstack.array_cells]\n{lines}\n")


PLUGIN = """
from dataclasses import replace
from crossstack.cells import draw_cell

def plugged(tech, *, device_um=1.0):
    cell = draw_cell("planar_cell", tech, device_um=device_um)
    return replace(cell, name="plugged", netlist=replace(cell.netlist, name="plugged"))
"""


def test_an_installed_package_brings_its_cell(tmp_path, monkeypatch):
    (tmp_path / "plugin_of_test.py").write_text(PLUGIN)
    entries = {"plugged": "plugin_of_test:plugged", "gone": "plugin_of_test:gone"}
    install(tmp_path, "plugin", entries)
    monkeypatch.syspath_prepend(tmp_path)
    assert {"plugged", "gone"} <= set(array_cell_names())
    assert "plugged" not in CELLS
    spec = ArraySpec(rows=2, cols=2, cell="plugged", device_um=0.8)
    assert spec.top_name == "crossstack_plugged_2x2x1"
    assert run_drc(to_layout(build_top(spec).cell, TECH), TECH).clean
    with pytest.raises(CrossStackError, match=r"'gone' \(plugin_of_test:gone\) cannot be loaded"):
        ArraySpec(cell="gone")
    install(tmp_path, "another", {"gone": "plugin_of_test:plugged"})
    with pytest.raises(CrossStackError, match="several packages offer a cell named 'gone'"):
        ArraySpec(cell="gone")


def _wide(kind, tech, *, extra, **values):
    """A hybrid cell under another name."""
    cell = draw_cell("hybrid_cell", tech, select_w_um=2.0 + extra, **values)
    name = f"wide_{kind}"
    return replace(cell, name=name, netlist=replace(cell.netlist, name=name))


@pytest.mark.parametrize(
    "draw",
    [
        partial(_wide, "a", extra=0.5),
        partial(partial(_wide, "a"), extra=0.5),
        partial(lambda tech, **values: _wide("a", tech, extra=0.5, **values)),
    ],
    ids=["position", "nested", "bare"],
)
def test_an_own_cell_may_be_a_partial_of_any_kind(draw):
    register_cell("wide_a", draw)
    built = build_top(ArraySpec(2, 1, "wide_a"))
    assert run_drc(to_layout(built.cell, built.tech), built.tech, rules=["DF.1a"]).clean
