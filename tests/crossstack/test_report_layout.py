"""The layout of the report: names, markers of what is broken, and how it is moved."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from crossstack.pdk import get_tech
from crossstack.report.layout_svg import layout_svg

from .conftest import BROWSERS, NAME, acted

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
