"""Diagrams: every colour is a class that is known on light paper and on dark."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from crossstack.base.picture import STYLE
from crossstack.signoff.bonding import bonding_svg
from crossstack.signoff.wafer import Wafer, map_svg, wafer_dies
from crossstack.views.drawings import timing_diagram

PAD = {"number": 1, "name": "A", "x_um": 50.0, "y_um": 50.0, "plate_um": 60.0, "opening_um": 50.0,
       "v_min": 0.0, "v_max": 3.3, "kind": "bond", "net": "A", "side": "south"}  # fmt: skip
USES = ("supply", "ground", "sense", "control", "scan", "signal", "none")
DIE = [4000.0, 4000.0]


def luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def looks(dark: bool) -> dict[str, str]:
    light, _, other = STYLE.partition("@media")
    return dict(re.findall(r"\.(\w+)\{\w+:(#\w{6})\}", other if dark else light))


@pytest.mark.parametrize(
    "svg",
    [
        map_svg("die", DIE, Wafer(), wafer_dies(Wafer(), DIE)),
        bonding_svg("die", DIE, [{**PAD, "use": use} for use in USES]),
        timing_diagram("read", [("EN", "01x=")], {1: "now"}),
    ],
)
def test_every_colour_has_its_dark(svg):
    root = ElementTree.fromstring(svg)
    used = {name for each in root.iter() for name in (each.get("class") or "").split()}
    assert used - {"picture"} <= looks(False).keys() == looks(True).keys()
    drawn = svg.replace(STYLE, "")
    assert set(re.findall(r'(?:fill|stroke)="(#\w+)"', drawn)) <= {"#888"}
    for each in root.iter("{http://www.w3.org/2000/svg}text"):
        assert each.get("class") == "ink"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ["ink", "edge", "mark", "supply", "ground", "sense", "signal"])
def test_lines_and_letters_stand_out(dark, name):
    look = looks(dark)
    for ground in ("paper", "face"):
        two = sorted((luminance(look[name]), luminance(look[ground])))
        assert (two[1] + 0.05) / (two[0] + 0.05) > 3.0


@pytest.mark.parametrize(("use", "told"), [("control", "control"), ("scan", "control, scan chain")])
def test_a_legend_names_a_scan_chain_where_there_is_one(use, told):
    svg = bonding_svg("die", DIE, [{**PAD, "use": use}])
    assert f">{told}</text>" in svg
