"""Layouts at an angle, slices that cross, and pieces that the field does not join."""

from __future__ import annotations

from pathlib import Path

import klayout.db as db
import numpy as np
import pytest

from crossstack.base.errors import NetworkError
from crossstack.cells import to_layout
from crossstack.extract.nets.flat import extract_flat
from crossstack.extract.sheet import netres
from crossstack.extract.sheet.synthesis import synthesise
from crossstack.extract.sheet.wire import Wire
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import get_tech
from crossstack.solve import ir_drop


def turned(layout: db.Layout, degrees: float) -> db.Layout:
    """Return a flat copy of a layout, its labels too, turned about the origin."""
    turn = db.ICplxTrans(1, degrees, False, 0, 0)
    top = layout.top_cell()
    copy = db.Layout()
    copy.dbu = layout.dbu
    cell = copy.create_cell(top.name)
    for index in layout.layer_indexes():
        to = copy.layer(layout.get_info(index))
        for polygon in db.Region(top.begin_shapes_rec(index)).merged().each():
            cell.shapes(to).insert(polygon.transformed(turn))
        texts = db.Texts(top.begin_shapes_rec(index))
        for text in texts.each():
            cell.shapes(to).insert(text.transformed(turn))
    return copy


def loss(layout: db.Layout, path: Path) -> float:
    layout.write(str(path))
    network, _ = extract_flat(path, get_tech())
    drop = ir_drop(network, np.full((2, 2, 2), 1e-4), np.full((2, 2), 0.2))
    return float(np.nanmax(drop.device_error))


@pytest.fixture(scope="module")
def straight(draw, tmp_path_factory) -> float:
    layout = turned(draw(2, 2, "passive"), 0)
    return loss(layout, tmp_path_factory.mktemp("straight") / "flat.gds")


@pytest.mark.parametrize("degrees", [1, 30, 45, 77.3])
def test_a_layout_at_an_angle_has_the_same_wires(degrees, draw, straight, tmp_path) -> None:
    layout = draw(2, 2, "passive")
    there = loss(turned(layout, degrees), tmp_path / "turned.gds")
    assert there == pytest.approx(straight, rel=0.03)


def test_slices_that_cross_are_one_place() -> None:
    z = np.array([[2.0, 1.0, 1.0, 1.0], [1.0, 3.0, 2.0, 2.0], [1, 2, 4, 4], [1, 2, 4, 4]])
    count, edges = synthesise(z, [])
    joints = [(e.a, e.b) for e in edges if e.squares == 0]
    assert (3, 4) in joints or (4, 3) in joints
    assert not any(np.isnan(e.squares) for e in edges)
    assert count >= 5


def test_a_wire_that_falls_apart_is_refused(draw, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(netres.WireSolver, "solve", lambda *_: Wire.of(9, tuple(range(9)), [], []))
    with pytest.raises(NetworkError, match="does not join"):
        loss(turned(draw(2, 2, "passive"), 0), tmp_path / "a.gds")


def test_a_pin_whose_cross_section_runs_along_a_finger_is_joined() -> None:
    """The pin WC of wide switches stands where a finger meets the bar of its comb."""
    spec = ArraySpec(2, 2, top="macro", switch_wn_um=40.0)
    network, _ = extract_flat(to_layout(build_top(spec).cell, get_tech()), get_tech(), nets=["WC"])
    node = network.ports["WC"]
    assert np.any((network.resistor_a == node) | (network.resistor_b == node))
