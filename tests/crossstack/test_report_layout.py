"""The layout of the report: names, markers of what is broken, and how it is moved."""

from __future__ import annotations

import re

import pytest

from crossstack.pdk import get_tech
from crossstack.report.layout_svg import layout_svg

TEXT = re.compile(r'<text x="(-?\d+)" y="(-?\d+)" data-font="([\d.]+)"[^>]*>(.*?)</text>')


@pytest.fixture(scope="module")
def macro(tmp_path_factory):
    from crossstack.cli import run

    out = tmp_path_factory.mktemp("macro")
    asked = ["--rows", "3", "--cols", "2", "--top", "macro", "--name", "m", "-o", str(out), "-q"]
    assert run(["generate", *asked]) == 0
    return out / "m.gds"


def test_every_pin_of_a_macro_has_a_name_that_can_be_read(macro):
    """Two pins of a macro may lie on one point; their names must not shrink to nothing."""
    found = TEXT.findall(layout_svg(macro, get_tech("stepper")).body)
    names = [text for *_, text in found]
    assert "BR[0], TR[0]" in names
    assert {"VDD", "VSS", "C[1]"} <= set(names)
    places = [(x, y) for x, y, *_ in found]
    assert len(set(places)) == len(places)
    # 0.4 um are read easily after a few steps of zoom
    assert min(float(font) for _, _, font, _ in found) * 0.005 > 0.4
