"""What an extraction must not pass over: lost devices, and wires that only silicon joins."""

from __future__ import annotations

import klayout.db as db
import pytest

from crossstack.extract import extract
from crossstack.lvs import extract_layout, silicon_joins
from crossstack.pdk import FileError, ParameterError, get_tech

TECH = get_tech()


def box(cell: db.Cell, layer: str, *corners: int) -> None:
    cell.shapes(cell.layout().layer(*TECH.gds(layer))).insert(db.Box(*corners))


def stack(cell: db.Cell, x: int, y: int) -> None:
    """Draw a contact and metals up to Metal4."""
    box(cell, "Contact", x - 110, y - 110, x + 110, y + 110)
    box(cell, "Metal1", x - 300, y - 300, x + 300, y + 300)
    for k in (1, 2, 3):
        box(cell, f"Via{k}", x - 130, y - 130, x + 130, y + 130)
        box(cell, f"Metal{k + 1}", x - 300, y - 300, x + 300, y + 300)


def through_silicon(layout: db.Layout, *, well: bool) -> db.Layout:
    """Cut the pin off TR[0], and lead it there through n+ diffusion or an n-well."""
    top = layout.top_cell()
    top.flatten(True)
    number = layout.layer(*TECH.gds("Metal4"))
    metal = db.Region(top.shapes(number)).merged()
    line = next(p.bbox() for p in metal.each() if p.inside(db.Point(5, 5545)))
    whole = metal - db.Region(db.Box(600, line.bottom, 1000, line.top))
    top.shapes(number).clear()
    top.shapes(number).insert(whole)
    if well:
        box(top, "Nwell", -7000, 11000, 5000, 14000)
    for left, right in ((-6000, -5000), (3000, 4000)) if well else ((-6000, 4000),):
        box(top, "COMP", left, 12000, right, 13000)
        box(top, "Nplus", left - 300, 11700, right + 300, 13300)
    for x in (-5500, 3500):
        stack(top, x, 12500)
    for corners in (
        (-5700, 5400, -5300, 12500),
        (-5700, 5400, 100, 5690),
        (1000, 12300, 3500, 12700),
    ):
        box(top, "Metal4", *corners)
    for x, y in ((1150, 5545), (1000, 12500)):
        box(top, "Via4", x - 130, y - 130, x + 130, y + 130)
        box(top, "Metal4", x - 200, y - 200, x + 200, y + 200)
    box(top, "Metal5", 850, 5300, 1300, 12800)
    return layout


@pytest.mark.parametrize("well", [False, True])
def test_a_line_through_silicon_is_refused(draw, well):
    layout = through_silicon(draw(2, 3), well=well)
    with pytest.raises(FileError, match=r"2 wires of TR\[0\] are joined through silicon only: \("):
        extract(layout, TECH)
    # a net that is an ideal wire has no resistance to be wrong
    found = extract(layout, TECH, nets=["BR*"])
    assert any("TR[0] are joined through silicon" in text for text in found.report.warnings)


@pytest.mark.parametrize("engine", ["flat", "tile"])
def test_a_lost_transistor_is_named(draw, engine):
    layout = draw(4, 4)
    assert extract(layout, TECH, engine=engine).report.warnings == []
    top = layout.top_cell()
    box(top, "COMP", -20000, 0, -16000, 4000)
    box(top, "Nplus", -20400, -400, -15600, 4400)
    box(top, "Poly2", -19000, -1000, -18600, 5000)
    box(top, "Poly2", -18600, 1800, -15000, 2200)
    warnings = extract(layout, TECH, engine=engine).report.warnings
    wanted = "device: nfet gate at (-17.500, 2.000) became no device: it touches 3 areas of nsd"
    assert sum(text.startswith(wanted) for text in warnings) == 1


@pytest.mark.parametrize(
    ("cell", "top"), [("hybrid", "macro"), ("passive", "macro"), ("planar", "array")]
)
def test_a_drawn_array_has_no_wire_through_silicon(draw, cell, top):
    assert silicon_joins(extract_layout(draw(3, 3, cell, top), TECH)) == []


@pytest.mark.parametrize("engine", ["flat", "tile"])
@pytest.mark.parametrize("layer", ["ME", "TE", "Metal3", "Metal4", "Poly2"])
def test_wires_that_meet_at_a_corner_only_have_no_resistance(draw, layer, engine):
    """The grid would join them at a point, with a resistance that depends on its steps."""
    layout = draw(3, 3)
    cell = layout.cell("hybrid_cell")
    shapes = cell.shapes(layout.layer(*TECH.gds(layer)))
    whole = db.Region(shapes).merged()
    wire = max((polygon.bbox() for polygon in whole.each()), key=lambda box: box.area())
    low, high, middle = wire.p1, wire.p2, wire.center()
    if wire.width() > wire.height():
        gap = db.Box(middle.x - 100, low.y, middle.x + 100, high.y)
    else:
        gap = db.Box(low.x, middle.y - 100, high.x, middle.y + 100)
    shapes.clear()
    shapes.insert(whole - db.Region(gap))
    for corner in (gap.p1, gap.p2):
        shapes.insert(db.Box(corner, middle))
    # the gate of a line that is cut through in poly falls apart with it
    wanted = f"of ({layer}|nsd) meet at a corner only, at"
    with pytest.raises((FileError, ParameterError), match=wanted):
        extract(layout, TECH, engine=engine)


@pytest.mark.parametrize(
    ("corners", "parts"),
    [
        ((-1000, 4000, 9000, 7000), True),  # over the line
        ((-5100, 4200, -4900, 4900), True),  # across an edge
        ((-7000, 4200, -6000, 4900), False),  # inside a plate of its own
    ],
)
def test_slots_that_part_a_wire_are_refused(draw, corners, parts):
    layout = draw(2, 3)
    top = layout.top_cell()
    box(top, "Metal4", -8000, 3000, -5000, 6000)
    top.shapes(layout.layer(46, 3)).insert(db.Box(*corners))
    if parts:
        with pytest.raises(FileError, match=r"Metal4_Slot 46/3 parts Metal4 or reaches over its"):
            extract(layout, TECH)
    else:
        assert extract(layout, TECH).network.shape == ((0, 1), 2, 3)


@pytest.mark.parametrize("engine", ["flat", "tile"])
def test_a_line_without_any_device_is_named(draw, engine):
    layout = draw(3, 3)
    inst = next(i for i in layout.top_cell().each_inst() if i.cell.name == "hybrid_cell")
    if inst.a.x > 0:
        inst.na -= 1
    else:
        inst.nb -= 1
    if engine == "tile":
        with pytest.raises(ParameterError, match=r"flat or auto .*: line C\[2\] has no device"):
            extract(layout, TECH, engine=engine)
    else:
        missing = extract(layout, TECH, engine=engine).network.missing
        assert missing == "C[2] has no device; all figures are of those present"
