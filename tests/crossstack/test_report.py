"""The report: self-contained, small, and alive in a browser."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from crossstack.report.build import _KINDS
from crossstack.report.judges import judged, package_badge

from .conftest import BROWSERS, COLS, NAME, ROWS, acted, browse, width_in

VOID = {"meta", "link", "br", "input", "img", "hr", "wbr"}


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
        "paper",
        "layout",
        "section",
        "stack",
        "drop",
        "columns",
        "em",
        "timing",
        "device",
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


ACTS = """
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
document.querySelector('[data-layers="module"]').click();
const on = (name) => document.querySelector(`#layer-${name}`).style.display !== "none";
told.push(["TE", "Metal1", "POSTPROC", "labels"].map(on).join());
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
"""


def test_it_works_in_a_browser(requires_program, text, tmp_path):
    program = requires_program(*BROWSERS)
    told, document = acted(program, text, tmp_path, ACTS)
    assert told[0].startswith("expansion, bottom tier, row 0, column 0:")
    assert "% lost" in told[0]
    assert " uA" in told[0]
    assert told[1].startswith("expansion, bottom tier, row 1, column 0:")
    assert told[2].endswith("%")
    assert told[3:] == [
        "ME none",
        "TE none",
        "true,false,false,true",
        "zoomed true",
        "home true",
        f"nets {ROWS}",
        told[9],
        "theme dark",
    ]
    assert told[9] in ("turned true", "turned no WebGL")
    maps = document[document.index('id="maps"') : document.index('id="readout"')]
    assert maps.count("<canvas") == 5  # two tiers, two modes, one legend


def test_it_fits_a_narrow_window(requires_program, text, tmp_path):
    assert width_in(requires_program(*BROWSERS), text, tmp_path, 500) <= 500


def test_a_build_without_a_network_still_has_a_page(requires_program, crossstack, built, tmp_path):
    """As after a failed LVS, when nothing could be extracted or solved."""
    program = requires_program(*BROWSERS)
    folder = tmp_path / NAME
    shutil.copytree(built, folder)
    made = ("network.npz", "nets.json", "ir_drop.json", "ir_drop.csv", "em.json", "timing.json")
    for name in made:
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
    assert 'id="timing"' not in document


def test_large_arrays_are_cut_to_a_corner_and_maps_to_blocks():
    from crossstack.report.maps import panel, worst_of_blocks

    values = np.arange(5 * 3, dtype=float).reshape(5, 3)
    values[4, 2] = np.nan
    worst = worst_of_blocks(values, 2)
    assert worst.shape == (3, 2)
    assert worst[0, 0] == values[1, 1]
    assert np.isnan(worst[2, 1])
    large = np.ones((256, 100))
    page = panel("large", {"all": large}, large, large)
    assert page["block"] == 2
    assert "volts" not in page
    assert "volts" in panel("small", {"all": values}, values, values)


def test_a_layout_too_large_for_a_page(crossstack, tmp_path):
    from crossstack.pdk import get_tech
    from crossstack.report.layout_svg import layout_svg

    assert crossstack("generate", "--rows", 100, "--cols", 100, "-o", tmp_path, "-q").code == 0
    svg = layout_svg(tmp_path / "crossstack_100x100x2.gds", get_tech("stepper"))
    assert svg.note.startswith("The south-west")
    assert len(svg.body) < 4_000_000


def test_name_of_the_build_is_in_the_title(text):
    assert f"<title>{NAME}, build - CrossStack</title>" in text
    assert COLS == 2


def cells(text: str, section: str) -> list[list[str]]:
    """Rows of the tables of a section, as texts."""
    body = text[text.index(f'<section id="{section}">') :]
    body = body[: body.index("</section>")]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)
    return [
        [
            re.sub("<[^>]*>", "", cell).strip()
            for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)
        ]
        for row in rows
    ]


def test_the_page_shows_what_the_files_say(built, text):
    em = json.loads((built / "em.json").read_text())
    worst = em["modes"]["deep-net"]["worst_wire"]
    shown = next(r for r in cells(text, "em") if r[:2] == ["deep-net", "wire"])
    assert shown[2:4] == [worst["net"], worst["layer"]]
    assert float(shown[4]) == pytest.approx(worst["current_A"] * 1e3, rel=1e-3)
    assert float(shown[6].rstrip(" %")) == pytest.approx(100 * worst["ratio"], rel=1e-2)
    assert shown[7] == ("assumed" if em["limits"][worst["layer"]]["assumed"] else "")
    timing = json.loads((built / "timing.json").read_text())["overlap"]
    for row, line in zip(cells(text, "timing")[1:], timing["over_pulse"], strict=True):
        assert float(row[0]) == pytest.approx(line["pulse"] * 1e9)
        assert float(row[5].rstrip(" %")) == pytest.approx(100 * line["time_reduction"], rel=1e-2)
    paper = cells(text, "paper")
    assert paper[1][1:3] == ["22.0 %", "-"], "two columns are too few for the theory"
    assert [row[1] for row in paper if row[1]] == ["Paper", "22.0 %", "29.0 %"]
    nets = {row["net"]: row for row in json.loads((built / "nets.json").read_text())["nets"]}
    shown = next(r for r in cells(text, "nets") if r[0] == "C[0]")
    assert float(shown[6]) == pytest.approx(nets["C[0]"]["em_limit_a"] * 1e3, rel=1e-2)


def verdict(folder: Path, violations: int, digest: str) -> None:
    found = {"violations": violations, "rules_run": 693, "by_rule": {"M1.1": violations}}
    source = {f"{NAME}.gds": digest}
    (folder / f"{NAME}_foundry_drc.json").write_text(json.dumps({**found, "source": source}))


def test_verdicts_of_other_judges_are_picked_up(crossstack, built, tmp_path):
    folder = tmp_path / NAME
    shutil.copytree(built, folder)
    sums = json.loads((folder / "manifest.json").read_text())["files"]
    assert judged(folder, sums) == []
    assert crossstack("tapeout", folder, "-q").code == 1  # a block: its density is unknown
    verdict(folder, 3, sums[f"{NAME}.gds"])
    assert crossstack("report", folder).code == 0
    card = r'<div class="card (\w+)">\s*<h3>(.*?)</h3>\s*<p class="head">(.*?)<'
    cards = re.findall(card, (folder / "report.html").read_text())
    assert ("bad", "Foundry&#39;s deck", "3 violations") in cards
    assert ("Tapeout package", "unknown") in [(name, head) for _, name, head in cards]
    badge = r'<span class="badge (\w+)" title="[^"]*">package (.*?)</span>'
    assert re.findall(badge, (folder / "report.html").read_text()) == [("warn", "unknown")]
    verdict(folder, 0, sums[f"{NAME}.gds"])
    assert [c["head"] for c in judged(folder, sums)] == ["clean", "unknown"]
    verdict(folder, 0, "0" * 64)
    assert [c["head"] for c in judged(folder, sums)] == ["out of date", "unknown"]
    assert judged(folder, sums)[0]["ok"] is None
    (folder / f"{NAME}_foundry_drc.json").write_text("[]")
    crossstack("report", folder).fails(3, "foundry_drc.json")


@pytest.mark.parametrize("ok", [True, False, None])
def test_the_head_shows_the_verdict_on_a_package(ok):
    card = {"title": "Tapeout package", "ok": ok, "head": "not ready", "line": "37 of 38"}
    assert package_badge([{**card, "title": "Foundry's deck"}]) == []
    assert package_badge([card]) == [{"ok": ok, "text": "package not ready", "title": "37 of 38"}]


def test_every_kind_of_file_has_words():
    """What gds_out/README.md lists of a build, the page lists with a text, too."""
    text = (Path(__file__).parents[2] / "gds_out" / "README.md").read_text()
    names: list[str] = []
    for cell in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE):
        for name in re.findall(r"`([^`]+)`", cell):
            # `a.html`, `.md` stands for a.html and a.md
            names.append(names[-1].rpartition(".")[0] + name if name[0] == "." else name)
    assert {"decoder.json", "<name>_datasheet.json", "<name>_model.sv"} <= set(names)
    ends = tuple(ending for ending, _ in _KINDS)
    assert [n for n in names if not n.endswith(ends) and n != "report.html"] == []


def test_solve_leaves_a_page(requires_program, crossstack, built, tmp_path):
    out = tmp_path / "solved"
    ran = crossstack("solve", built, "--monte-carlo", 20, "--seed", 1, "-o", out)
    assert ran.code == 0, ran.err
    text = (out / "report.html").read_text()
    assert Page(text).open == []
    assert crossstack("report", out).code == 0
    assert (out / "report.html").read_text() == text
    acts = """
const canvas = document.querySelector("#maps canvas");
canvas.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowDown"}));
told.push(document.querySelector("#readout").textContent);
const bars = [...document.querySelectorAll("#many svg rect title")];
told.push(bars.map((t) => parseInt(t.textContent)).reduce((a, b) => a + b));
told.push(document.querySelectorAll("#maps canvas").length);
"""
    told, _ = acted(requires_program(*BROWSERS), text, tmp_path, acts)
    assert told[0].startswith("expansion, bottom tier, row 0, column 0:")
    assert told[1:] == [str(20 * COLS), "3"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((), "Memristors: linear."),
        (("--nonlinear",), "Memristors: I = G sinh(b V) / b with b = 3 /V; those of the ideal"),
        (
            ("--nonlinear", "--device", "law=cubic", "--device", "cubic_c_per_v2=2"),
            "I = G (V + c V^3) with c = 2 /V^2; those of the ideal array follow it, too.",
        ),
        (("--mode", "deep-net"), "with b = 3 /V in the written tier, linear elsewhere."),
        (
            ("--mode", "deep-net", "--nonlinear", "--device", "compliance_a=1e-4"),
            "in the written tier",
        ),
    ],
)
def test_solve_says_which_law_the_devices_follow(crossstack, built, tmp_path, asked, said):
    ran = crossstack("solve", built, *asked, "-o", tmp_path)
    assert ran.code == 0, ran.err
    text = unescape((tmp_path / "report.html").read_text())
    assert said in text
    value = json.loads((tmp_path / "ir_drop.json").read_text())
    assert ("Write voltages" in text) is ("write_voltages" in value) is ("deep-net" in asked)


def test_a_builds_own_files_are_not_overwritten(crossstack, built):
    crossstack("solve", built, "-o", built).fails(2, "another folder")
