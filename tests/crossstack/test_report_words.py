"""Words of the pages: units, titles, what is said where nothing was computed."""

from __future__ import annotations

import hashlib
import html
import json
import re

import pytest

from crossstack.report.build import Verdicts
from crossstack.report.cards import limits_card, rules_head, write_card
from crossstack.report.page import amount, scaled

from .conftest import BROWSERS, acted, browse


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.08e-8, "10.8 nV"),
        (1.46e-13, "146 fV"),
        (9.999e-7, "1.00 uV"),
        (6.94e-18, "0 V"),
        (0.0, "0 V"),
        (2.0, "2.00 V"),
        (-0.0471, "-47.1 mV"),
        (1234.0, "1.23 kV"),
    ],
)
def test_quantities_have_the_prefix_that_suits_them(value, text):
    assert scaled(value, "V") == text


def test_a_solve_says_how_it_was_done(crossstack, built, tmp_path):
    asked = ("--mode", "deep-net", "--read-tier", "top", "--write-column", 1, "-o", tmp_path)
    chance = ("--monte-carlo", 4, "--seed", 9, "--sigma", 0.25, "--stuck", 0.05)
    assert crossstack("solve", built, *asked, *chance, "--open-wire", 0.01).code == 0
    value = json.loads((tmp_path / "ir_drop.json").read_text())
    digest = hashlib.sha256((built / "network.npz").read_bytes()).hexdigest()
    assert value["source"] == {"network.npz": digest}
    many = value["monte_carlo"]
    keys = ("seed", "sigma", "stuck_on", "stuck_off", "open_wire")
    assert [many[key] for key in keys] == [9, 0.25, 0.05, 0.05, 0.01]
    found = value["parameters"]
    assert (found["mode"], found["read_tier"], found["write_column"]) == ("deep-net", "top", 1)
    assert (found["write_voltage_V"], found["conditions"]["profile"]) == (2.0, "stepper")
    text = (tmp_path / "report.html").read_text()
    assert f"<title>{built.name}, solve: deep-net - CrossStack</title>" in text
    for word in (digest, "deviation of 0.25", "5.00 % of the devices are stuck on", "klayout"):
        assert word in text


def test_what_an_open_transistor_hides_is_not_called_zero(built):
    text = (built / "report.html").read_text()
    assert "not modelled: transistors that are off are open here" in text
    assert "changes by 0 %" not in text


def test_cards_say_things_once(built):
    text = (built / "report.html").read_text()
    cards = re.findall(r'<h3>(.*?)</h3>\s*<p class="head">(.*?)</p>\s*<p>(.*?)</p>', text)
    lines = {title: (head, line) for title, head, line in cards}
    head, line = lines["Design rules"]
    assert head == "clean"
    assert re.fullmatch(r"\d+ rules run", line)
    head, line = lines["Layout against netlist"]
    assert head == "match"
    assert line.startswith("6 memristor_bottom")


@pytest.mark.parametrize(
    ("count", "waived", "head"),
    [(0, 0, "clean"), (0, 3, "clean but for 3 waived"), (2, 1, "2 violations")],
)
def test_what_is_waived_is_not_called_clean(count, waived, head):
    assert rules_head(count, waived) == head


def test_numbers_of_a_column_keep_their_zeros():
    assert [amount(v, 1e3, 3) for v in (0.00035, 0.000481, None, 0.0)] == [
        "0.350",
        "0.481",
        "-",
        "0",
    ]


FITS = """
const nav = document.querySelector("nav");
told.push(nav.offsetHeight > 60);
const targets = [...nav.querySelectorAll("a")].map((a) => document.querySelector(a.hash));
told.push(targets.every((target) => {
  target.scrollIntoView({behavior: "instant"});
  return target.getBoundingClientRect().top >= nav.getBoundingClientRect().bottom - 1;
}));
const filter = document.querySelector("#netfilter");
filter.value = "nothing is called that";
filter.dispatchEvent(new Event("input"));
told.push(document.querySelector("#nonet").textContent);
filter.value = "";
filter.dispatchEvent(new Event("input"));
told.push(document.querySelector("#nonet").textContent);
told.push(getComputedStyle(document.documentElement).colorScheme);
document.querySelector("#theme").click();
told.push(getComputedStyle(document.documentElement).colorScheme);
const shapes = [...document.querySelectorAll(".section .solid")];
const via = shapes.find((shape) => shape.textContent.startsWith("VTE"));
const glass = document.querySelector(".section .oxide");
const light = (colour) => {
  const part = colour.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255);
  const linear = part.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
};
const [a, b] = [getComputedStyle(via).stroke, getComputedStyle(glass).fill].map(light);
told.push((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
"""


def test_links_filter_and_dark_colours_in_a_browser(requires_program, built, tmp_path):
    text = (built / "report.html").read_text()
    # narrow enough for a navigation of two lines
    told, _ = acted(requires_program(*BROWSERS), text, tmp_path, FITS, width=620)
    assert told[:2] == ["true", "true"]
    assert told[2:4] == ["No net of that name.", ""]
    assert set(told[4:6]) == {"light", "dark"}
    assert float(told[6]) > 3, "a via's outline against the glass"


def test_a_phones_window_is_not_scrolled_sideways(requires_program, built, tmp_path):
    """A headless window may not get as narrow as a phone, so the page is looked at in a frame."""
    page = tmp_path / "frame.html"
    page.write_text(
        f'<iframe srcdoc="{html.escape((built / "report.html").read_text())}"'
        ' style="width:320px;height:700px;border:0"></iframe><script>onload = () => {'
        'const root = document.querySelector("iframe").contentDocument.documentElement;'
        "document.body.dataset.wide = root.scrollWidth; };</script>"
    )
    document, _ = browse(requires_program(*BROWSERS), page)
    found = re.search(r'data-wide="(\d+)"', document)
    assert found is not None
    assert int(found[1]) <= 320


def test_a_chart_that_does_not_start_at_zero_says_so(built):
    text = (built / "report.html").read_text()
    (words,) = set(re.findall(r"<figcaption>(Voltage along the lines [^<]*),", text))
    assert words.endswith("(the axis does not start at zero)")


def test_what_a_chip_is_not_judged_for_is_said_once_and_names_writes():
    why = "the wires were not extracted"
    found = Verdicts({}, {}, {}, {}, f"current limits not judged: {why}")
    limits, writes = limits_card(found.limits, found.em), write_card(found.writes)
    assert (limits["head"], limits["line"]) == ("not judged", why)
    assert (writes["title"], writes["head"], writes["line"]) == (
        "Write voltages",
        "not judged",
        why,
    )
    assert writes["more"] == []
