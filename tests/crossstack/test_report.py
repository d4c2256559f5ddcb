"""The report: self-contained, small, and alive in a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from .conftest import COLS, NAME, ROWS

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
VOID = {"meta", "link", "br", "input", "img", "hr"}


class Page(HTMLParser):
    """Checks nesting and collects what the page points at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        found = dict(attrs)
        if "id" in found:
            self.ids.append(found["id"])
        self.links += [found[key] for key in ("href", "src") if key in found]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, self.getpos()


@pytest.fixture(scope="module")
def text(built) -> str:
    return (built / "report.html").read_text()


def test_the_page_is_well_formed_and_self_contained(built, text):
    page = Page(text)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        elif link != "data:,":
            assert (built / link).is_file(), link
    assert "http" not in re.sub(r"http://www\.w3\.org\S*", "", text)
    assert len(text) < 5_000_000


def test_it_says_what_the_build_found(text):
    sections = (
        "verdicts",
        "layout",
        "section",
        "stack",
        "drop",
        "columns",
        "nets",
        "parameters",
        "files",
    )
    for name in sections:
        assert f'<section id="{name}">' in text
    for word in ("clean", "match", "TIO2X_B 30 nm", "pass_nitride 0.3 um", "TR[0]", "10000 ohm"):
        assert word in text
    for layer in ("ME", "Metal1", "VTE", "labels"):
        assert f'id="layer-{layer}"' in text


def browse(program: str, page: Path, width: int = 1280) -> tuple[str, str]:
    """Return the page's document after its scripts ran, and the browser's console."""
    ran = subprocess.run(
        [
            *(program, "--headless", "--no-sandbox", "--enable-unsafe-swiftshader"),
            *("--disable-background-networking", "--enable-logging=stderr"),
            *(f"--window-size={width},1000", f"--user-data-dir={page.parent / 'profile'}"),
            *("--virtual-time-budget=3000", "--dump-dom", page.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=90,
    )
    # what a driver says about its own speed is not the page's doing
    lines = [line for line in ran.stderr.splitlines() if "CONSOLE" in line]
    console = "\n".join(line for line in lines if "GL Driver Message" not in line)
    return ran.stdout, console


ACTS = """
<script>
const told = [];
const readout = document.querySelector("#readout");
const canvas = document.querySelector("#maps canvas");
const box = canvas.getBoundingClientRect();
const corner = {clientX: box.left + 3, clientY: box.bottom - 3};
canvas.dispatchEvent(new PointerEvent("pointermove", corner));
told.push(readout.textContent);
canvas.focus();
canvas.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowUp"}));
told.push(readout.textContent);
document.querySelector('[data-series="wires"]').click();
told.push(document.querySelector(".legend span").textContent);
const me = document.querySelector('[data-layer="ME"]');
me.click();
told.push("ME " + document.querySelector("#layer-ME").style.display);
document.querySelector('[data-layers="foundry"]').click();
told.push("TE " + document.querySelector("#layer-TE").style.display);
const svg = document.querySelector("#layoutsvg");
const before = svg.getAttribute("viewBox");
document.querySelector('[data-zoom="in"]').click();
told.push("zoomed " + (svg.getAttribute("viewBox") !== before));
svg.dispatchEvent(new KeyboardEvent("keydown", {key: "0"}));
told.push("home " + (svg.getAttribute("viewBox") === before));
const filter = document.querySelector("#netfilter");
filter.value = "TR[";
filter.dispatchEvent(new Event("input"));
const rows = [...document.querySelectorAll("#nettable tbody tr")];
told.push("nets " + rows.filter((r) => !r.hidden).length);
const stack = document.querySelector("#stackview");
if (stack) {
  const first = stack.dataset.drawn;
  stack.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowLeft"}));
  told.push("turned " + (first !== undefined && stack.dataset.drawn !== first));
} else {
  told.push("turned no WebGL");
}
document.querySelector("#theme").click();
told.push("theme " + document.documentElement.dataset.theme);
const pre = document.createElement("pre");
pre.id = "told";
pre.textContent = told.join("|");
document.body.append(pre);
</script>
"""


def test_it_works_in_a_browser(requires_program, text, tmp_path):
    program = requires_program(*BROWSERS)
    page = tmp_path / "report.html"
    page.write_text(text.replace("</body>", ACTS + "</body>"))
    document, console = browse(program, page)
    assert console == ""
    found = re.search(r'<pre id="told">(.*?)</pre>', document, re.DOTALL)
    assert found is not None, document[-2000:]
    told = found[1].split("|")
    assert told[0].startswith("expansion, bottom tier, row 0, column 0:")
    assert "% lost" in told[0]
    assert " uA" in told[0]
    assert told[1].startswith("expansion, bottom tier, row 1, column 0:")
    assert told[2].endswith("%")
    assert told[3:] == [
        "ME none",
        "TE none",
        "zoomed true",
        "home true",
        f"nets {ROWS}",
        told[8],
        "theme dark",
    ]
    assert told[8] in ("turned true", "turned no WebGL")
    maps = document[document.index('id="maps"') :]
    assert maps.count("<canvas") == 5  # two tiers, two modes, one legend


def test_it_fits_a_narrow_window(requires_program, text, tmp_path):
    program = requires_program(*BROWSERS)
    page = tmp_path / "report.html"
    act = "<script>document.body.dataset.wide = document.documentElement.scrollWidth</script>"
    page.write_text(text.replace("</body>", act + "</body>"))
    document, _ = browse(program, page, width=500)
    found = re.search(r'data-wide="(\d+)"', document)
    assert found is not None
    assert int(found[1]) <= 500


def test_a_build_without_a_network_still_has_a_page(requires_program, crossstack, built, tmp_path):
    """As after a failed LVS, when nothing could be extracted or solved."""
    program = requires_program(*BROWSERS)
    folder = tmp_path / NAME
    shutil.copytree(built, folder)
    for name in ("network.npz", "nets.json", "ir_drop.json", "ir_drop.csv"):
        (folder / name).unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest |= {"passed": False, "not_done": {"extract": "two nets are <one>"}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert crossstack("report", folder).code == 1
    page = (folder / "report.html").read_text()
    assert "two nets are &lt;one&gt;" in page
    assert "failed" in page
    document, console = browse(program, folder / "report.html")
    assert console == ""
    assert 'id="maps"' not in document


def test_large_arrays_are_cut_to_a_corner_and_maps_to_blocks(tmp_path):
    import numpy as np

    from crossstack.report.page import _map, _worst

    values = np.arange(2 * 5 * 3, dtype=float).reshape(2, 5, 3)
    values[0, 4, 2] = np.nan
    worst = _worst(values, 2)
    assert worst.shape == (2, 3, 2)
    assert worst[0, 0, 0] == values[0, 1, 1]
    assert np.isnan(worst[0, 2, 1])
    names = ("voltage_V", "current_A", "error_wires_only", "error_all_series")
    page = _map(dict.fromkeys(names, np.ones((2, 256, 100))))
    assert page["block"] == 2
    assert "volts" not in page


def test_a_layout_too_large_for_a_page(crossstack, tmp_path):
    from crossstack.pdk import get_tech
    from crossstack.report.layout_svg import layout_svg

    assert crossstack("generate", "--rows", 100, "--cols", 100, "-o", tmp_path, "-q").code == 0
    svg = layout_svg(tmp_path / "crossstack_100x100x2.gds", get_tech("stepper"))
    assert svg.note.startswith("The south-west")
    assert len(svg.body) < 4_000_000


def test_name_of_the_build_is_in_the_title(text):
    assert f"<title>{NAME} - CrossStack</title>" in text
    assert COLS == 2
