"""The wafer map of a package: dies inside the rim, and what that rests on."""

from __future__ import annotations

import random
from math import hypot, pi
from xml.etree import ElementTree

import pytest

from crossstack.pdk import ParameterError
from crossstack.signoff import wafer as wafers
from crossstack.signoff.wafer import Wafer

DIE = [3932.0, 5122.0]


@pytest.mark.parametrize("origin", [(0.0, 0.0), (-1966.0, -2561.0), (1000.0, -700.0)])
@pytest.mark.parametrize("pitch", [None, (7864.0, 10244.0)])
def test_dies_lie_inside_the_rim_and_none_is_left_out(origin, pitch):
    wafer = Wafer(pitch, origin, ((0, 0), (1, -2)))
    dies = wafers.wafer_dies(wafer, DIE)
    step = pitch or tuple(DIE)
    radius = wafers.DIAMETER_UM / 2 - wafers.RIM_UM
    inside = {
        (c, r)
        for c in range(-60, 60)
        for r in range(-60, 60)
        if all(
            hypot(origin[0] + c * step[0] + x, origin[1] + r * step[1] + y) <= radius
            for x in (0, DIE[0])
            for y in (0, DIE[1])
        )
    }
    assert {(d["column"], d["row"]) for d in dies} == inside
    assert len(dies) == pytest.approx(pi * radius**2 / (step[0] * step[1]), rel=0.15)
    assert [(d["column"], d["row"]) for d in dies if d["listed"]] == [(1, -2), (0, 0)]
    for d in dies:
        assert d["x_um"] == pytest.approx(origin[0] + d["column"] * step[0])
        assert d["y_um"] == pytest.approx(origin[1] + d["row"] * step[1])


def test_the_map_says_what_is_assumed():
    wafer = Wafer()
    dies = wafers.wafer_dies(wafer, DIE)
    svg = wafers.map_svg("a<b", DIE, wafer, dies)
    root = ElementTree.fromstring(svg)
    said = " ".join(t.text or "" for t in root.iter("{http://www.w3.org/2000/svg}text"))
    assert "a<b" in said
    assert "assumed, the die's own size: the shuttle must say" in said
    assert "as given" in wafers.assumptions(Wafer((4000.0, 5200.0)), DIE)
    paper, *drawn = root.iter("{http://www.w3.org/2000/svg}rect")
    assert paper.get("class") == "paper"
    assert len(drawn) == len(dies)
    assert [d.get("class") for d in drawn].count("chosen") == 1
    assert wafers.map_lines(dies)[0] == "column,row,x_um,y_um,listed"


def test_a_block_of_a_few_micrometres_gets_no_map():
    assert wafers.wafer_dies(Wafer(), [50.0, 50.0]) == []


@pytest.mark.parametrize("seed", range(40))
def test_dies_that_overlap_are_refused_and_what_a_map_leaves_out_is_said(seed):
    rng = random.Random(seed)
    die = [rng.uniform(30.0, 6000.0), rng.uniform(30.0, 6000.0)]
    step = [side * rng.choice((0.3, 0.999, 1.0, 1.3)) for side in die]
    at = (rng.randint(-600, 600), rng.randint(-600, 600))
    wafer = Wafer((step[0], step[1]), dies=((0, 0), at))
    if step[0] < die[0] or step[1] < die[1]:
        for asked in (wafers.wafer_dies, wafers.remarks, wafers.assumptions):
            with pytest.raises(ParameterError, match="die-pitch-um"):
                asked(wafer, die)
        return
    drawn, said = wafers.wafer_dies(wafer, die), " ".join(wafers.remarks(wafer, die))
    assert bool(drawn) is ("no wafer map" not in said)
    listed = {(d["column"], d["row"]) for d in drawn if d["listed"]}
    if drawn:
        missing = {(0, 0), at} - listed
        assert {(c, r) for c, r in wafer.dies if f"die {c} {r} lies not whole" in said} == missing
