"""The abstract of a macro: pins that a router reaches, obstructions where metal is."""

from __future__ import annotations

from dataclasses import replace

import klayout.db as db
import pytest

from crossstack.base.errors import ConfigError
from crossstack.lvs import extract_layout
from crossstack.pdk import Ask, get_tech
from crossstack.pdk.tables import ProcessError
from crossstack.pdk.tracks import tracks_of
from crossstack.views import Grid, abstract_of, lef_lines, technology_lines, unreachable
from crossstack.views.abstract import pin_depth
from crossstack.views.power import supply_windows

MACROS = (
    {"rows": 3, "cols": 2},
    {"rows": 1, "cols": 1},
    {"rows": 7, "cols": 5, "kelvin": True},
    {"rows": 2, "cols": 3, "profile": "aligner"},
    {"rows": 3, "cols": 3, "cell": "passive"},
    {"rows": 3, "cols": 3, "cell": "planar", "strap": True},
    {"rows": 2, "cols": 2, "switch_wn_um": 5.0, "switch_wp_um": 80.0},
    {"rows": 3, "cols": 2, "process": "sky130"},
)


@pytest.mark.parametrize("values", MACROS, ids=lambda v: "-".join(map(str, v.values())))
def test_every_pin_can_be_reached(draw, values):
    """On a grid: a wire from the edge, or a via, clear of every obstruction and other pin."""
    block = draw(**values)
    abstract = block.abstract
    assert {pin.name for pin in abstract.pins} == set(block.pins)
    grid = Grid(abstract)
    for pin in abstract.pins:
        points = list(grid.points(pin))
        assert points, pin.name
        # straight from outside, on the pin's own metal
        assert any(point.kind == "wire" for point in points), pin.name
    assert unreachable(abstract) == []


@pytest.mark.parametrize("values", MACROS[::3], ids=lambda v: "-".join(map(str, v.values())))
def test_metal_is_pin_or_obstructed(draw, values):
    block = draw(**values)
    abstract, tech = block.abstract, block.tech
    layout = db.Layout()
    layout.read(str(block.gds))
    ask = Ask(tech)
    for metal in tech.roles.wires:
        index = layout.layer(*tech.gds(metal))
        drawn = db.Region(layout.top_cell().begin_shapes_rec(index)).merged()
        pins = db.Region([s.box for p in abstract.pins for s in p.shapes if s.layer == metal])
        assert (pins - drawn).is_empty(), metal
        blocked = db.Region(list(abstract.obstructions[metal]))
        # what a pin's own metal goes on as stays open for as far as its space reaches
        space = tech.to_dbu(ask.space(metal))
        assert (drawn - blocked - pins.sized(space, 2)).is_empty(), metal
        assert (pins.sized(space, 2) & blocked).is_empty(), metal
        # and a block whose metal leaves room is not blocked as a whole
        assert blocked.area() < abstract.box.area()


def test_a_blocked_pin_is_named(draw):
    abstract = draw(rows=3, cols=2).abstract
    pin = abstract.pin("IN_T[1]")
    shape = pin.shapes[0]
    wall = shape.box.enlarged(2000, 100)
    every = {
        layer: (*abstract.obstructions.get(layer, ()), wall) for layer in abstract.tech.roles.wires
    }
    assert "IN_T[1]" in unreachable(replace(abstract, obstructions=every))
    # one wall on the pin's own metal leaves a via
    own = {**abstract.obstructions, shape.layer: every[shape.layer]}
    kinds = {p.kind for p in Grid(replace(abstract, obstructions=own)).points(pin)}
    assert kinds
    assert "wire" not in kinds


def test_the_last_metal_can_be_left_free_or_blocked(draw):
    block = draw(rows=3, cols=2)
    land = block.tech.roles.land
    assert land not in abstract_of(block.extracted, "none").obstructions
    (whole,) = abstract_of(block.extracted, "block").obstructions[land]
    assert whole == block.abstract.box
    assert len(block.abstract.obstructions[land]) > 1


def test_antenna_areas_are_those_drawn(draw):
    block = draw(rows=3, cols=2)
    abstract, tech = block.abstract, block.tech
    select = abstract.pin("TS[1]")
    assert select.gate_um2 == pytest.approx(3 * block.spec.select_w_um * tech.nfet.l_um)
    assert select.diffusion_um2 == 0
    row = abstract.pin("IN_T[0]")
    assert row.gate_um2 == 0
    assert row.diffusion_um2 > 0
    text = "\n".join(lef_lines(abstract))
    assert f"ANTENNAGATEAREA {select.gate_um2:.6f}" in text
    assert f"ANTENNADIFFAREA {row.diffusion_um2:.6f}" in text
    metals = {m for m, area in row.metal_um2.items() if area}
    assert all(f"LAYER {metal} ;" in text for metal in metals)


def test_directions_come_from_the_devices(draw):
    block = draw(rows=3, cols=2, kelvin=True)
    roles = {pin.name: (pin.role.direction, pin.role.use) for pin in block.abstract.pins}
    assert roles["TS[0]"] == roles["WT"] == roles["WSEL[1]"] == ("INPUT", "SIGNAL")
    assert roles["IN_B[2]"] == roles["C[0]"] == roles["WC"] == ("INOUT", "ANALOG")
    assert (roles["VDD"], roles["VSS"]) == (("INOUT", "POWER"), ("INOUT", "GROUND"))


def test_pins_of_logic_on_board_are_digital(draw):
    """SIN is on the channels of the first flip-flop, as IN_T is on those of a switch."""
    block = draw(rows=1, cols=2, periphery="scan")
    roles = {pin.name: (pin.role.direction, pin.role.use) for pin in block.abstract.pins}
    assert {roles[pin] for pin in ("SIN", "CLK", "LE", "RSTN", "EN")} == {("INPUT", "SIGNAL")}
    assert roles["SOUT"] == ("OUTPUT", "SIGNAL")
    lines = {roles[pin] for pin in ("IN_T[0]", "IN_B[0]", "WR[0]", "OUT[1]", "WC")}
    assert lines == {("INOUT", "ANALOG")}


def test_a_block_elsewhere_in_its_layout_has_the_same_abstract(draw, tmp_path):
    block = draw(rows=3, cols=2)
    layout = db.Layout()
    layout.read(str(block.gds))
    layout.top_cell().transform(db.Trans(1230, -4560))
    path = tmp_path / "moved.gds"
    layout.write(str(path))
    moved = abstract_of(extract_layout(path, block.tech))
    here = block.abstract
    assert moved.origin == (1230, -4560)
    assert (moved.width, moved.height) == (here.width, here.height)
    assert [p.shapes for p in moved.pins] == [p.shapes for p in here.pins]
    assert "FOREIGN blk 1.230 -4.560 ;" in list(map(str.strip, lef_lines(moved)))


def test_supplies_show_their_whole_line(draw):
    block = draw(rows=3, cols=2)
    for name in ("VDD", "VSS"):
        boxes = db.Region([s.box for s in block.abstract.pin(name).shapes])
        assert boxes.merged().count() == 1
        assert boxes.bbox().width() > 20 * pin_depth(block.tech, "Metal3")


@pytest.mark.parametrize("process", ["gf180mcuD", "sky130"])
def test_a_power_grid_comes_down_on_the_supplies(draw, process):
    """A strap as wide as a via's land and more, from an edge, clear of all that is blocked."""
    block = draw(rows=3, cols=2, process=process).abstract
    windows = supply_windows(block)
    grid = Grid(block)
    for supply in ("VDD", "VSS"):
        widest = next(w for w in windows if w.pin == supply)
        assert widest.high - widest.low > 2000
        assert widest.side == "south"
        line = max(block.pin(supply).shapes, key=lambda s: s.box.width()).box
        strap = db.Box(widest.low, -1000, widest.high, line.top)
        assert grid.free(widest.layer, strap, supply)
        assert strap.overlaps(line)
        # a grid step more on either side meets something, or leaves the line
        for ends in ((widest.low - 5, widest.high), (widest.low, widest.high + 5)):
            wide = db.Box(ends[0], -1000, ends[1], line.top)
            inside = line.left <= wide.left and wide.right <= line.right
            assert not (inside and grid.free(widest.layer, wide, supply))


@pytest.mark.parametrize("process", ["gf180mcuD", "sky130"])
def test_tracks_leave_room_for_a_wire(process):
    tech = get_tech(process=process)
    ask = Ask(tech)
    for metal, track in tracks_of(tech).items():
        assert track.pitch_um >= ask.width(metal) + ask.space(metal), metal
    assert "\n".join(technology_lines(tech)).count("TYPE ROUTING") == len(tech.roles.wires)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("Metal2,vertical", "Metal2,upwards", "direction = 'upwards'"),
        ("Metal3,horizontal,0.56", "Metal3,horizontal,-1", "pitch_um = -1, allowed: above 0"),
        ("Metal4", "Metal3", "stands twice"),
        ("Metal5", "Metal6", "Metal6 is no metal"),
        ("Metal5,horizontal,0.9,0.45", "# Metal5", "no row for Metal5"),
    ],
)
def test_a_wrong_track_is_refused(tmp_path, old, new, why):
    import shutil

    tech = get_tech()
    folder = tmp_path / "gf180mcuD"
    shutil.copytree(tech.process.folder, folder)
    path = folder / "tracks.csv"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ProcessError, match=why):
        tracks_of(get_tech(process=folder))


def test_without_a_table_tracks_follow_from_the_rules(tmp_path):
    import shutil

    folder = tmp_path / "gf180mcuD"
    shutil.copytree(get_tech().process.folder, folder)
    (folder / "tracks.csv").unlink()
    tech = get_tech(process=folder)
    found = tracks_of(tech)
    assert {t.direction for t in found.values()} == {"horizontal", "vertical"}
    assert found["Metal2"].pitch_um >= Ask(tech).width("Metal2") + Ask(tech).space("Metal2")


def test_a_layout_whose_nets_are_broken_or_joined_has_no_views(draw, tmp_path):
    """Which pin a router should take nobody could say."""
    block = draw(rows=3, cols=2)
    tech = block.tech
    for case in ("open", "short"):
        layout = db.Layout()
        layout.read(str(block.gds))
        top = layout.top_cell()
        first, second = (block.abstract.pin(f"IN_T[{k}]").shapes[0] for k in (0, 1))
        if case == "open":  # one label on two lines
            label = layout.layer(*tech.gds(tech.label_of[first.layer]))
            at = second.box.center()
            top.shapes(label).insert(db.Text("IN_T[0]", db.Trans(at.x, at.y)))
        else:
            joined = db.Box(0, first.box.bottom, 200, second.box.top)
            top.shapes(layout.layer(*tech.gds(first.layer))).insert(joined)
        path = tmp_path / f"{case}.gds"
        layout.write(str(path))
        with pytest.raises(ConfigError, match="a block without such has views"):
            abstract_of(extract_layout(path, tech))
