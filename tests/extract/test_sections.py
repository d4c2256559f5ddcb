"""Capacitance of cross-sections against finite elements that are not ours."""

from __future__ import annotations

import re
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from crossstack.extract.field.dielectric import Dielectrics
from crossstack.extract.field.sections import Line, Section, by_field, by_us, sections
from crossstack.pdk import get_tech

TECH = get_tech()
DOCS = Path(__file__).resolve().parents[2] / "docs"
#: largest difference that is allowed, where 12 % does not do
LOOSE = {
    "Metal3 line under and over lines of its width: in all": 0.25,
    "two column lines at the least space: between them": 0.25,
}


def test_the_field_of_a_wide_line_is_a_plates():
    """What 100 um more of width add is a plate through all films below, fringes drop out."""
    stack = Dielectrics.of(TECH)
    for film in ("Metal1", "Metal4", "BE"):
        wide, narrow = (
            by_field(Section("", (Line("A", film, 0.0, w),), ("A", "")), TECH)
            for w in (300.0, 200.0)
        )
        plate = stack.plate_f_um2(0.0, stack.spans[film][0])
        assert (wide - narrow) / 100.0 == pytest.approx(plate, rel=0.01, abs=0)


def test_the_field_is_symmetric_and_bounded_by_the_whole():
    pair = next(s for s in sections(TECH) if s.pair == ("A", "C"))
    there, back = (by_field(replace(pair, pair=p), TECH) for p in (("A", "C"), ("C", "A")))
    assert there == pytest.approx(back, rel=1e-9, abs=0)
    assert there < by_field(replace(pair, pair=("A", "")), TECH)


def test_ours_is_near_the_field_and_the_page_says_how_near():
    page = (DOCS / "extraction.md").read_text(encoding="utf-8")
    start = page.index("<!-- capacitance: by docs/make_extraction.py -->")
    shown = page[start : page.index("<!-- end of capacitance -->")].splitlines()[1:]
    made = list(runpy.run_path(str(DOCS / "make_extraction.py"))["capacitance"]())
    assert len(shown) == len(made) == len(sections(TECH)) + 2
    for old, new in zip(shown[2:], made[2:], strict=True):
        name = new.split("|")[1].strip()
        assert old.split("|")[1].strip() == name
        numbers = [
            [float(n) for n in re.findall(r"[-+]?\d+\.\d+(?= fF| %)", r)] for r in (old, new)
        ]
        assert numbers[0] == pytest.approx(numbers[1], rel=0.005, abs=0.2)
        assert abs(numbers[1][2]) < 100 * LOOSE.get(name, 0.12), name


def test_a_line_over_a_line_of_its_width_lets_fringes_pass():
    """Fringes go to what lies beside the line below, not to the narrow line itself."""
    w = TECH.rule("M3.1")
    upper, lower = Line("A", "Metal3", -w / 2, w / 2), Line("D", "Metal2", -w / 2, w / 2)
    narrow = by_us(Section("", (upper, lower), ("A", "D")), TECH)
    plate = by_us(Section("", (upper, replace(lower, x1=-8.0, x2=8.0)), ("A", "D")), TECH)
    assert narrow < 0.5 * plate
