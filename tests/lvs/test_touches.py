"""Shapes that only touch, and wires that only silicon joins."""

from __future__ import annotations

import importlib
import random
import time

import klayout.db as db
import pytest

from crossstack.lvs import check_layout

from .conftest import NMOS

touches = importlib.import_module("crossstack.lvs.touches")


def errors(drawing, kind):
    return [f.message for f in check_layout(drawing.extract()) if f.kind == kind]


def split_line(d):
    """Cut the Metal4 of TR[0]; the pieces end at (3.0, 4.25) in two corners or two edges."""
    d.cut("Metal4", 2.9, 3.9, 3.1, 4.6)
    d.rect("Metal4", 2.9, 3.95, 3.0, 4.25)


def test_two_pieces_of_a_line_that_meet_at_a_corner(array, netlist, compare):
    d = array(1, 2)
    split_line(d)
    d.rect("Metal4", 3.0, 4.25, 3.1, 4.55)
    report = compare(d, netlist(1, 2))
    assert not report.match
    (finding,) = report.findings
    assert finding.kind == "touch"
    assert "Metal4 meet at a corner only, at (3.000, 4.250)" in finding.message
    assert finding.places == ((3.0, 4.25),)


@pytest.mark.parametrize("low", [4.0, 4.24, 4.249])
def test_pieces_that_share_an_edge_are_joined(array, netlist, compare, low):
    d = array(1, 2)
    split_line(d)
    d.rect("Metal4", 3.0, low, 3.1, 4.55)
    assert compare(d, netlist(1, 2)).match


@pytest.mark.parametrize("layer", ["Poly2", "Metal1", "Metal5", "BE", "ME", "TE"])
def test_a_corner_on_a_slanted_side(drawing, layer):
    shapes = drawing.top.shapes(drawing.layer(layer))
    shapes.insert(db.DPolygon([db.DPoint(0, 0), db.DPoint(4, 0), db.DPoint(0, 4)]))
    shapes.insert(db.DBox(2, 2, 5, 5))
    (message,) = errors(drawing, "touch")
    assert f"of {layer} meet at a corner only, at (2.000, 2.000)" in message


def test_corners_in_two_cells(drawing):
    cell = drawing.layout.create_cell("box")
    drawing.rect("Metal2", 0, 0, 1, 1, cell)
    for step in range(3):
        drawing.top.insert(db.DCellInstArray(cell.cell_index(), db.DTrans(db.DVector(step, step))))
    assert len(errors(drawing, "touch")) == 2


@pytest.mark.parametrize(
    ("shift", "only_touches"), [((1.0, 0.2), True), ((1.0, 1.0), True), ((0.999, 0.2), False)]
)
def test_a_via_beside_its_metal(drawing, shift, only_touches):
    x, y = shift
    drawing.rect("Metal3", 0, 0, 1, 1)
    drawing.rect("Via3", x, y, x + 0.26, y + 0.26)
    drawing.rect("Metal4", -1, -1, 3, 3)
    found = errors(drawing, "touch")
    assert bool(found) == only_touches
    assert all("Via3 at (" in text and "only touches Metal3" in text for text in found)


def test_a_via_half_on_one_metal_that_touches_another(drawing):
    drawing.rect("Metal3", 0, 0, 1, 1)
    drawing.rect("Metal3", 1.16, 0, 2, 1)
    drawing.rect("Via3", 0.9, 0.3, 1.16, 0.56)
    drawing.rect("Metal4", -1, -1, 3, 3)
    assert len(errors(drawing, "touch")) == 1


def strip(d, metals, *, well=False, at=(0.0, 0.0)):
    """Draw a strip of n+ diffusion, or two taps in a well, with contacts under given metals."""
    x, y = at
    if well:
        d.rect("Nwell", x - 1, y - 1, x + 11, y + 2)
    for low, high in ((0, 1), (9, 10)) if well else ((0, 10),):
        d.rect("COMP", x + low, y, x + high, y + 1)
        d.rect("Nplus", x + low - 0.3, y - 0.3, x + high + 0.3, y + 1.3)
    for left in (0.4, 9.4):
        d.rect("Contact", x + left, y + 0.4, x + left + 0.22, y + 0.62)
    for low, high in metals:
        d.rect("Metal1", x + low, y + 0.2, x + high, y + 0.8)


@pytest.mark.parametrize("well", [False, True])
def test_a_line_that_is_joined_through_silicon_only(drawing, well):
    strip(drawing, [(-3, 1), (9, 13)], well=well)
    drawing.label("Metal1", "TR[0]", -2.5, 0.5)
    (message,) = errors(drawing, "tap")
    assert message.startswith("2 wires of TR[0] are joined through silicon only: (-1.000, 0.500)")


@pytest.mark.parametrize("well", [False, True])
def test_contacts_under_one_metal_are_no_finding(drawing, well):
    strip(drawing, [(-3, 13)], well=well)
    assert errors(drawing, "tap") == []


def test_pieces_over_one_strip_that_are_joined_elsewhere(drawing):
    strip(drawing, [(-3, 1), (9, 13)])
    drawing.rect("Metal1", -3, 0.8, -2.5, 3)
    drawing.rect("Metal1", -3, 3, 13, 3.5)
    drawing.rect("Metal1", 12.5, 0.8, 13, 3)
    assert errors(drawing, "tap") == []


def test_a_contact_without_metal_is_no_wire(drawing):
    strip(drawing, [(-3, 1)])
    assert errors(drawing, "tap") == []


def test_strips_in_cells(drawing):
    """The same net of the same cell is named once; one that reaches no device is nobody's."""
    inner = type(drawing)(drawing.tech, drawing.layout, "strip")
    strip(inner, [(-3, 1), (9, 13)])
    for y in (0, 20):
        trans = db.DTrans(1, False, db.DVector(0, y))
        drawing.top.insert(db.DCellInstArray(inner.top.cell_index(), trans))
    drawing.rects(NMOS, 50)
    drawing.label("Metal1", "A", 50.2, 1)
    assert errors(drawing, "tap")[1:] == []
    inner.rects(NMOS, 12.8)
    (found,) = [text for text in errors(drawing, "tap") if "silicon" in text]
    assert found.startswith("2 wires of one net are joined through silicon only: (-0.500, ")


def test_cells_heaped_over_each_other_take_no_minute(drawing):
    """Checked with its hierarchy, this takes twenty times as long."""
    cell = drawing.layout.create_cell("line")
    drawing.rect("Metal2", 0, 0, 3, 0.26, cell)
    drawing.rect("Metal2", 0, 1.2, 3, 1.46, cell)
    for step in range(110):
        trans = db.DTrans(db.DVector(0, 0.041 * step))
        up = db.DVector(0, 0.016)
        drawing.top.insert(db.DCellInstArray(cell.cell_index(), trans, up, db.DVector(), 5, 1))
    begun = time.process_time()
    assert not errors(drawing, "touch")
    assert time.process_time() - begun < 2


def test_counting_pieces_misses_no_corner(monkeypatch):
    """Regions without a corner that parts them are told by their numbers of pieces and holes."""
    rng, several = random.Random(1), 0
    regions = []
    for _ in range(400):
        region, step = db.Region(), rng.choice((1, 5, 10))
        for _ in range(rng.randint(2, 9)):
            x, y = rng.randrange(8) * step, rng.randrange(8) * step
            size = step * rng.randint(1, 4), step * rng.randint(1, 4)
            region.insert(db.Box(x, y, x + size[0], y + size[1]))
        regions.append(region)
    quick = [touches._kisses(region) for region in regions]
    numbers = iter(range(10_000))
    monkeypatch.setattr(touches, "_pieces_less_holes", lambda region: next(numbers))
    for region, found in zip(regions, quick, strict=True):
        assert touches._kisses(region) == found
        several += bool(found)
    assert several > 40
