"""The report as a reader meets it: on a phone and on a screen, in a light and a dark page."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest

from crossstack.pdk import Conditions, get_tech
from crossstack.report.charts import Axis, Curve, curve_chart, near
from crossstack.report.electrical import device_chart, line_charts, write_chart
from crossstack.report.limits_svg import limits_svg
from crossstack.report.page import amount

from .conftest import BROWSERS, NAME, browse

TECH = get_tech("stepper")

LOOKS = """
const inside = document.querySelector("iframe").contentDocument;
const root = inside.documentElement;
const $ = (selector) => inside.querySelector(selector);
const told = {};
told.wide = root.scrollWidth;
told.high = root.scrollHeight;
told.open = [...inside.querySelectorAll("details[data-fold]")].filter((f) => f.open).length;
told.order = [...inside.querySelectorAll("main > section")].slice(0, 3).map((s) => s.id).join();
told.cards = [...inside.querySelectorAll(".card h3")].slice(0, 4).map((c) => c.textContent).join();
const word = [...inside.querySelectorAll("#em td")].find((t) => t.textContent.includes("manual"));
$("#em details").open = true;
const note = word.getBoundingClientRect();
told.beside = note.left >= 0 && note.right <= root.clientWidth;
const letter = parseFloat(getComputedStyle(word).fontSize);
told.line = Math.round(word.getBoundingClientRect().width / letter);
$('nav a[href="#nets"]').click();
told.nets = $("#nets details").open;
told.range = $("#range").textContent;
$("#fromzero").click();
told.zero = $("#range").textContent;
const map = $("#maps canvas");
map.dispatchEvent(new inside.defaultView.KeyboardEvent("keydown", {key: "ArrowUp"}));
const before = $("#readout").textContent;
$('[data-series="wires"]').click();
const after = $("#readout").textContent;
told.follows = before.split(":")[0] === after.split(":")[0] && before !== after;
told.limits = getComputedStyle($("#layer-limits")).display;
$("[data-need]").click();
told.limits += " " + getComputedStyle($("#layer-limits")).display;
const parts = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
const light = (colour) => parts(colour).reduce((a, b) => a + b, 0) / 765;
told.text = light(getComputedStyle($(".chart text")).fill);
told.page = light(getComputedStyle(inside.body).backgroundColor);
for (const [key, value] of Object.entries(told)) document.body.dataset[key] = value;
"""


def look(program: str, report: Path, folder: Path, width: int, theme: str) -> dict[str, str]:
    """Return what a page of some width says of itself; a window may not get as narrow."""
    text = report.read_text().replace("<html", f'<html data-theme="{theme}"', 1)
    page = folder / "frame.html"
    page.write_text(
        f'<iframe srcdoc="{html.escape(text)}" style="width:{width}px;height:900px;border:0">'
        f"</iframe><script>onload = () => {{{LOOKS}}};</script>"
    )
    document, console = browse(program, page, width=1500)
    assert console == ""
    body = re.search(r"<body([^>]*)>", document)
    assert body is not None
    return {key: html.unescape(v) for key, v in re.findall(r'data-(\w+)="([^"]*)"', body[1])}


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1400, "light")])
def test_a_page_leads_with_what_matters(requires_program, built, tmp_path, width, theme):
    told = look(requires_program(*BROWSERS), built / "report.html", tmp_path, width, theme)
    assert told["order"] == "verdicts,layout,drop"
    assert told["cards"] == "Design rules,Layout against netlist,Current limits,Write voltages"
    assert int(told["wide"]) <= width
    assert int(told["high"]) < 8000, "a phone's page was 15,000 pixels high"
    assert (told["open"] == "0") is (width == 390)
    assert told["beside"] == "true", "a source stands where it can be read without scrolling"
    assert int(told["line"]) >= 20, "a table scrolls instead of breaking its words"
    assert told["nets"] == "true", "a link opens what is folded"
    assert "not from zero" in told["range"]
    assert told["zero"].startswith("Colours go from zero to ")
    assert told["follows"] == "true", "what is said of a device follows the tab"
    assert told["limits"] == "none inline"
    assert (float(told["text"]) > 0.5) is (theme == "dark")
    assert (float(told["page"]) > 0.5) is (theme == "light")


def test_current_limits_lie_on_the_lines(built):
    nets = json.loads((built / "em.json").read_text())["nets"]
    text = limits_svg(built / f"{NAME}.gds", TECH, nets)
    drawn = dict(re.findall(r'class="load (\w+)" d="[^"]*"><title>([^:]+):', text)[::-1])
    assert text.count("<title>") == len(nets)
    assert "over" in drawn
    over = re.findall(r'class="load over" d="M(-?\d+) [^"]*"><title>(C\[\d\])', text)
    assert {name for _, name in over} == {n for n, load in nets.items() if load["ratio"] > 1}
    # two columns lie at two places
    assert len({x for x, _ in over}) == len(over)
    assert limits_svg(built / f"{NAME}.gds", TECH, {}) == ""
    assert limits_svg(built / f"{NAME}.gds", TECH, {"X": nets["C[0]"]}) == ""


def test_charts_leave_out_what_is_not_known():
    nan = float("nan")
    axis = Axis("row", 0, 3, whole=True)
    text = curve_chart("x", [0, 1, 2], [Curve("a", [1.0, nan, 3.0], "c0")], axis, Axis("V", 0, 4))
    assert text.count("<circle") == 2
    assert "NaN" not in text
    assert "nan" not in text
    assert write_chart({"set": {"column": 0, "device_voltages_V": [1.0, None]}}, TECH) == ""
    assert line_charts({}, 0.2) == {}
    assert axis.ticks() == [0, 1, 2, 3]


def test_rows_of_another_turn_are_not_drawn_as_lost_writes():
    one = {"column": 0, "device_voltages_V": [-0.001, 0.002, 1.6], "applied_V": [0.0, 0.0, 2.6]}
    # a single row has no course along its column: an empty plot with one marker said nothing
    assert write_chart({"set": one}, TECH) == ""
    text = write_chart({"set": one | {"applied_V": [0.0, 2.6, 2.6]}}, TECH)
    assert text.count("<circle") == 2
    assert ": 1.6 at 2" in text
    all_at_once = one | {"applied_V": [2.6] * 3}
    assert write_chart({"set": all_at_once}, TECH).count("<circle") == 3


def test_the_device_is_drawn_as_its_law_says():
    text = device_chart(TECH)
    assert "on, 10.0 kohm" in text
    assert "off, 1.00 Mohm" in text
    assert "write 2 V" in text
    text = device_chart(TECH.at(Conditions(device={"v_set_v": 1.5, "v_reset_v": 1.7})))
    assert "set 1.5 V" in text
    assert "reset 1.7 V" in text
    lines = re.findall(r'<path class="(c3[^"]*)" d="[^"]*"/><text[^>]*>(read|set|reset) ', text)
    assert len(dict(lines)) == 3, "each of the three has dashes of its own"
    drawn = re.findall(r'<path class="(c3[^"]*)" d="M[\d.]+ \d+V', text)
    assert sorted(drawn) == sorted(dict(lines))


def test_a_name_breaks_after_an_underscore():
    from crossstack.base.xml import broken

    assert broken("gf180mcuD_crossstack") == "gf180mcuD_<wbr>crossstack"
    assert broken("a/b_<i>_") == "a/<wbr>b_<wbr>&lt;i&gt;_"


def test_figures_above_a_limit_are_as_red_as_their_wires():
    from crossstack.report.page import package_text

    style = package_text("report.css")
    assert "\n.over{color:var(--bad)}" in style
    assert "#layer-limits .over{fill:var(--bad)" in style
    assert "amber up to the limit, red above" in package_text("build.html.j2")


def test_a_chip_is_shown_whole(crossstack, tmp_path):
    """Contacts, vias and fill of a die are too many for a page, but the die is not cut."""
    from crossstack.report import layout_svg

    assert crossstack("generate", "--rows", 30, "--cols", 30, "-o", tmp_path, "-q").code == 0
    svg = layout_svg.layout_svg(tmp_path / "crossstack_30x30x2.gds", TECH)
    assert svg.note.startswith("The whole layout")
    assert "Too many shapes to draw each: of Contact only the covered areas are shown." in svg.note
    assert len(svg.body) < 3_000_000
    first = {name for name, *_, shown, _ in svg.layers if shown}
    assert {"BE", "ME", "TE", "Metal3", "Metal4"} <= first
    assert "Contact" not in first


def test_a_number_is_written_out_up_to_a_million():
    assert [amount(v, 1, 3) for v in (3110.4, 0.17, 8563, 153, 2.5e7, 0, None)] == [
        *("3110", "0.170", "8560", "153", "2.50e+07", "0", "-"),
    ]


def test_what_is_never_negative_has_no_axis_below_zero():
    assert near([1.4, 20], "%").low == 0
    assert 0 < near([10, 11], "%").low < 10
    assert near([-1, 20], "%").low < -1


def test_an_axis_names_the_values_that_were_swept():
    """Rows of 4, 8 and 16 were written 5, 10, 15."""
    chosen = Axis("rows", 3.6, 16.4, at=(4.0, 8.0, 16.0))
    text = curve_chart(
        "x", [4, 8, 16], [Curve("a", [1.0, 2.0, 3.0], "c0")], chosen, Axis("V", 0, 4)
    )
    assert re.findall(r'text-anchor="middle">(\d+)<', text) == ["4", "8", "16"]
    assert Axis("rows", 0, 1024, at=(16.0, 24.0, 512.0, 1024.0)).ticks() == [16, 512, 1024]


def test_titles_of_current_paths_are_not_cut():
    """The deep-net picture's ended in the middle of a word at the edge."""
    from crossstack.comparison.pictures import _PATHS, title_of
    from crossstack.report.charts import INSIDE, WIDTH

    for mode in _PATHS:
        assert len(title_of(mode)) * 6.2 < WIDTH - INSIDE[0], title_of(mode)


def test_a_figure_of_a_search_has_its_unit_once():
    from crossstack.sizing.picture import _words

    assert _words("area_um2") == "area_um2"
    assert _words("worst_device") == "worst_device (%)"


def test_names_of_points_do_not_meet():
    from crossstack.report.points import Point, point_chart

    points = [Point(k % 3, k // 3 + 0.01 * k, f"case {k}", "c0", f"<{k}>") for k in range(9)]
    axes = (near([p.x for p in points], "x"), near([p.y for p in points], "y"))
    text = point_chart("many", points, *axes, [("all", "c0")], (1.5, None))
    assert text.count("<circle") == 9 + 1, "the legend shows a dot for dots"
    assert re.search(r'<circle class="c0 full" cx="[^>]*/><text[^>]*>all<', text)
    assert "&lt;8&gt;" in text
    at = [
        (float(x), float(y))
        for x, y in re.findall(r'<text x="([\d.]+)" y="([\d.]+)"[^>]*>case', text)
    ]
    assert len(set(at)) == len(at) >= 6
    assert text.count("dashed") == 1


def test_a_sweep_leaves_a_page_that_names_its_front(crossstack, tmp_path):
    from crossstack.report.standalone import embedded
    from crossstack.report.sweep import tradeoffs, write_report

    def row(width, area, loss):
        mode = {"worst_device_all": loss, "worst_device_wires": loss / 2}
        limits = {"judged": True, "exceeded": width > 2, "ratio": 0.5 * width}
        return {
            "case": {"select_w_um": width},
            "modes": {"expansion": mode},
            "limits": limits,
            "write_voltages": {"judged": True, "met": width < 3},
            "area": {"area_um2": area},
            "read": {},
        }

    rows = [row(1, 100, 0.2), row(2, 200, 0.1), row(3, 300, 0.15)]
    rows.append({"case": {"select_w_um": 9}, "failed": "too <wide>"})
    vary = {"select_w_um": [1, 2, 3, 9]}
    chart = tradeoffs(vary, rows)["expansion"]
    assert re.findall(r">(\d)</text>", chart) == ["2", "1"]
    value = {"vary": vary, "rows": rows, "counted": {}}
    (tmp_path / "sweep.json").write_text(json.dumps(value))
    manifest = {"name": "sweep", "parameters": {}, "versions": {}, "files": {}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    text = write_report(tmp_path).read_text()
    assert "too &lt;wide&gt;" in text
    assert "within in 2 of 3" in text
    assert "3 of 4 solved" in text
    assert text.count('<td class="over">too low</td>') == 1
    assert crossstack("report", tmp_path).code == 1, "a case failed"
    assert standalone_round_trip(chart) == chart
    assert embedded(chart) == chart


def standalone_round_trip(chart: str) -> str:
    from crossstack.report.standalone import embedded, standalone

    return embedded(standalone(chart)).rstrip()


def contrast(one: str, other: str) -> float:
    """Contrast of two colours by WCAG 2.1, 1 to 21."""

    def luminance(colour: str) -> float:
        wide = colour if len(colour) == 7 else "#" + "".join(2 * c for c in colour[1:])
        parts = (int(wide[k : k + 2], 16) / 255 for k in (1, 3, 5))
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_can_be_read_on_their_page(theme):
    """WCAG asks 4.5 of words, 3 of lines and marks; grid lines and empty cells only part."""
    from crossstack.report.page import package_text
    from crossstack.report.section_svg import STYLE

    line = next(
        text
        for text in package_text("report.css").splitlines()
        if text.startswith(":root{" if theme == "light" else ":root[data-theme=dark]")
    )
    of = dict(re.findall(r"--(\w+):(#\w+)", line))
    for name in ("ink", "soft", "accent", "ok", "bad", "warn"):
        for ground in ("bg", "panel"):
            assert contrast(of[name], of[ground]) > 4.5, (name, ground)
    for name in ("c0", "c1", "c2", "c3"):
        assert contrast(of[name], of["panel"]) > 3, name
    # words in bars, and below a cross-section
    assert min(contrast(of["panel"], of[name]) for name in ("c0", "c2")) > 3
    assert contrast(of["ink"], of["silicon"]) > 4.5
    assert contrast(of["ink"], of["glass"]) > 4.5
    alone = STYLE[: STYLE.index("@media")] if theme == "light" else STYLE[STYLE.index("@media") :]
    colours = {name: re.search(rf"{name}{{[^}}]*?(#\w+)", alone)[1] for name in
               ("svg", "text", r"\.small", r"\.silicon")}  # fmt: skip
    assert colours[r"\.silicon"] == of["silicon"]
    assert contrast(colours["text"], colours["svg"]) > 4.5
    assert contrast(colours[r"\.small"], colours["svg"]) > 4.5
    assert contrast(colours["text"], colours[r"\.silicon"]) > 4.5
