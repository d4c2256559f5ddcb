"""The layout of the report: names, markers of what is broken, and how it is moved."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import time
from pathlib import Path

import klayout.db as db
import pytest

import crossstack.report
from crossstack.pdk import get_tech
from crossstack.report.layout_svg import layout_svg

from .conftest import BROWSERS, NAME, acted

REPORT = Path(crossstack.report.__file__).parent
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


def die(high: float = 2531.0) -> db.Layout:
    """A die with a name on each pad around it, 70 um apart, and twenty columns in its middle."""
    tech = get_tech("stepper")
    layout = db.Layout()
    layout.dbu = tech.process.dbu_um
    top = layout.create_cell("TOP")
    wide = 1936.0
    top.shapes(layout.layer(*tech.gds("Metal5"))).insert(db.DBox(0, 0, wide, high))
    names = layout.layer(*tech.gds(tech.label_of["Metal5"]))
    for k in range(20):
        for name, x, y in (
            (f"WSEL[{k}]", 300 + 70 * k, 130),
            (f"TS[{k}]", 300 + 70 * k, high - 130),
            (f"IN_T[{k}]", 130, 500 + 70 * k),
            (f"C[{k}]", 960 + 4.36 * k, 1200),
        ):
            top.shapes(names).insert(db.DText(name, db.DTrans(db.DVector(x, y))))
    top.shapes(names).insert(db.DText("ALONE_ON_ITS_SIDE", db.DTrans(db.DVector(1500, 1800))))
    return layout


DRAWN = re.compile(
    r'<text x="(-?\d+)" y="(-?\d+)" data-font="([\d.]+)"( transform)?[^>]*>(.*?)</text>'
)


def test_names_meet_no_other_and_lie_within_the_picture(macro):
    """The name of a row, begun at the west edge, lay over the first select line's."""
    drawn = layout_svg(macro, get_tech())
    left, top, width, height = map(float, drawn.view_box.split())
    seen = db.DBox(left, top, left + width, top + height)
    boxes = []
    for x, y, font, turned, text in DRAWN.findall(drawn.body):
        # a letter is 0.6 of the font wide, a line 1.05 high; a page draws none above a 36th
        size = min(float(font), max(width, height) / 40)
        along, across = 0.3 * len(text) * size, 0.525 * size
        wide, high = (across, along) if turned else (along, across)
        x, y = float(x), float(y)
        boxes.append((text, db.DBox(x - wide, y - high, x + wide, y + high)))
        assert boxes[-1][1].inside(seen), text
    shrunk = [(text, box.enlarged(-1, -1)) for text, box in boxes]
    met = [(a, b) for a, b in itertools.combinations(shrunk, 2) if not (a[1] & b[1]).empty()]
    assert not [(a[0], b[0]) for a, b in met]
    assert len(boxes) > 20


def million() -> db.Layout:
    """The die with a million vias, most in cells that are placed in rows, and an array far away."""
    tech, layout = get_tech(), die()
    top = layout.top_cell()
    via, block = layout.create_cell("via"), layout.create_cell("block")
    via.shapes(layout.layer(*tech.gds("Via2"))).insert(db.DBox(0, 0, 0.26, 0.26))
    x, y = db.DVector(0.6, 0), db.DVector(0, 0.6)
    block.insert(db.DCellInstArray(via.cell_index(), db.DTrans(), x, y, 1000, 1000))
    top.insert(db.DCellInstArray(block.cell_index(), db.DTrans(db.DVector(1200, 1800))))
    return layout


@pytest.mark.parametrize(("pads", "whole"), [(True, True), (False, False)])
def test_a_chip_of_a_million_vias_is_shown_whole(tmp_path, pads, whole):
    """A die was cut to its south-west, without its macro, once its routing held enough vias."""
    layout = million()
    tech = get_tech()
    if pads:
        layout.top_cell().shapes(layout.layer(*tech.gds("Pad"))).insert(db.DBox(90, 90, 150, 150))
    layout.write(str(tmp_path / "die.gds"))
    began = time.monotonic()
    drawn = layout_svg(tmp_path / "die.gds", tech)
    assert time.monotonic() - began < 10
    assert drawn.note.startswith("The whole layout, 1936.00 x 2531.00 um") is whole
    if whole:
        # the vias lie where they are, to within a square of the picture
        begins = re.search(r'id="layer-Via2".*? d="M(\d+) ', drawn.body)
        assert begins is not None
        assert int(begins[1]) * 0.005 == pytest.approx(1200, abs=6)
        assert drawn.ratio == pytest.approx(1936 / 2531, abs=0.02)
        assert len(drawn.body) < 100_000


SHOWN = """
const names = [...document.querySelectorAll("#layer-labels g")];
const of = (g) => g.querySelector("text").getBoundingClientRect();
const seen = names.filter((g) => of(g).width > 0);
told.push(seen.length);
told.push(seen.filter((g) => of(g).height > 1.2 * of(g).width).length);
told.push(Math.min(...seen.map((g) => Math.min(of(g).width, of(g).height))) > 6.9);
const boxes = seen.map(of).map((b) => [b.left, b.right, b.top, b.bottom]);
const meet = (a, b) => a[0] < b[1] && b[0] < a[1] && a[2] < b[3] && b[2] < a[3];
told.push(boxes.filter((a, k) => boxes.slice(k + 1).some((b) => meet(a, b))).length);
const dots = names.filter((g) => g.querySelector("circle").getBoundingClientRect().width > 0);
told.push(dots.length);
told.push(dots.map((g) => g.querySelector("title").textContent).slice(0, 2).join());
"""


@pytest.mark.parametrize("high", [2531.0, 5122.0])
@pytest.mark.parametrize("width", [390, 1400])
def test_names_of_a_die_are_read_or_are_dots(requires_program, tmp_path, width, high):
    """Names of pads side by side shrank to lines of dots, or lay over each other."""
    die(high).write(str(tmp_path / "die.gds"))
    drawn = layout_svg(tmp_path / "die.gds", get_tech("stepper"))
    page = (
        f"<html><head><style>{(REPORT / 'report.css').read_text()}</style></head><body>"
        f'<svg id="layoutsvg" viewBox="{drawn.view_box}" style="--ratio:{drawn.ratio}">'
        f"{drawn.body}</svg>"
        '<div data-zoom="in"></div><div data-zoom="out"></div><div data-zoom="all"></div>'
        f"<script>{(REPORT / 'layout.js').read_text()}</script></body></html>"
    )
    told, _ = acted(requires_program(*BROWSERS), page, tmp_path, SHOWN, width)
    seen, standing, readable, over, dots, first = told
    assert (int(seen), int(standing)) == (61, 40)
    assert readable == "true"
    assert int(over) == 0
    assert (int(dots), first) == (20, "C[0],C[1]")


TOUCHED = """
const svg = document.querySelector("#layoutsvg");
const act = getComputedStyle(svg);
const home = svg.getAttribute("viewBox");
const finger = (kind, x) => svg.dispatchEvent(new PointerEvent(kind,
  {pointerType: "touch", clientX: x, clientY: 60, bubbles: true}));
svg.setPointerCapture = () => {};
const drag = () =>
  [["down", 50], ["move", 90], ["up", 90]].forEach(([what, x]) => finger("pointer" + what, x));
told.push(act.touchAction);
drag();
told.push(svg.getAttribute("viewBox") === home);
svg.dispatchEvent(new MouseEvent("click", {bubbles: true}));
told.push(act.touchAction);
drag();
told.push(svg.getAttribute("viewBox") === home);
"""


def test_a_finger_scrolls_past_the_layout_until_it_is_tapped(requires_program, built, tmp_path):
    """A picture as high as a phone kept every swipe, so that the page could not go on."""
    text = (built / "report.html").read_text()
    told, _ = acted(requires_program(*BROWSERS), text, tmp_path, TOUCHED, 390)
    assert told == ["pan-y", "true", "none", "false"]


@pytest.fixture
def failed(built, tmp_path):
    """A build that breaks a rule at two places and has a short, from the files that one leaves."""
    folder = tmp_path / NAME
    shutil.copytree(built, folder)
    drc = json.loads((folder / "drc.json").read_text())
    boxes = [[1.0, 2.0, 1.1, 2.2], [5.0, 6.0, 5.1, 6.2]]
    drc["by_rule"]["M2.1"] = drc["violations"] = 2
    drc["items"] = [{"rule": "M2.1", "cell": NAME, "box_um": box, "copies": 1} for box in boxes]
    (folder / "drc.json").write_text(json.dumps(drc))
    short = {"kind": "short", "message": "TR[0] <meets> TR[1]", "places_um": [[7.0, 5.0]]}
    lvs = json.loads((folder / "lvs.json").read_text())
    lvs |= {"match": False, "errors": [short["message"]], "findings": [short]}
    (folder / "lvs.json").write_text(json.dumps(lvs))
    return folder


SHOWS = """
const svg = document.querySelector("#layoutsvg");
const boxes = [...document.querySelectorAll("#layer-violations rect")];
told.push(boxes.map((b) => ["x", "y", "width", "height"].map((k) => b.getAttribute(k)).join()));
const around = () => svg.getAttribute("viewBox").split(" ").map(Number);
const middle = () => { const [x, y, w, h] = around(); return `${x + w / 2} ${y + h / 2}`; };
for (const button of document.querySelectorAll("[data-goto]")) {
  for (const _ of button.dataset.goto.split(";")) {
    button.click();
    told.push(button.dataset.name + " " + middle());
  }
}
told.push(document.querySelector("#where").textContent);
document.querySelector('[data-layer="violations"]').click();
told.push(document.querySelector("#layer-violations").style.display);
"""


def test_a_failed_build_shows_where_it_fails(requires_program, crossstack, failed, tmp_path):
    assert crossstack("report", failed).code == 1  # the build had failed
    text = (failed / "report.html").read_text()
    # every section that is solved from this layout says so
    assert text.count('class="caution"') == 6
    assert text.count("TR[0] &lt;meets&gt; TR[1]") >= 2
    told, _ = acted(requires_program(*BROWSERS), text, tmp_path, SHOWS)
    assert told == [
        "200,-440,20,40,1000,-1240,20,40,1370,-1030,60,60",
        "M2.1 210 -420",
        "M2.1 1010 -1220",
        "LVS short 1400 -1000",
        "LVS short",
        "none",
    ]


def test_a_build_without_faults_has_no_markers(built):
    text = (built / "report.html").read_text()
    assert "layer-violations" not in text.split("<svg id=")[1]
    assert 'class="caution"' not in text
