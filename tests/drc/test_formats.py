"""Formats for CI systems, and waivers."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import klayout.db as kdb
import pytest

from crossstack.base.documents import SCHEMA
from crossstack.base.errors import ConfigError
from crossstack.base.versions import versions
from crossstack.drc import FORMATS, DrcReport, apply_waivers, load_waivers, render, run_drc
from crossstack.drc.waivers import Waiver
from crossstack.pdk import FileError, ParameterError, get_tech
from crossstack.signoff.summary import drc_line

TECH = get_tech()
TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def report() -> DrcReport:
    layout = kdb.Layout()
    top, bad = layout.create_cell("TOP"), layout.create_cell("bad_cell")
    metal1 = layout.layer(*TECH.gds("Metal1"))
    bad.shapes(layout.layer(*TECH.gds("PR_bndry"))).insert(kdb.Box(-500, -500, 700, 2500))
    bad.shapes(metal1).insert(kdb.Box(0, 0, 200, 2000))
    for i in range(2):
        top.insert(kdb.CellInstArray(bad.cell_index(), kdb.Trans(i * 10_000, 0)))
    top.shapes(metal1).insert(kdb.Box(50_000, 0, 50_100, 2000))
    return run_drc(layout, TECH, rules=["M1.*"])


def test_text(report: DrcReport) -> None:
    text = render(report, "text")
    assert "M1.1: 3 (min width of Metal1)" in text
    assert "bad_cell" in text
    assert text.endswith("3 violations, 5 rules run\n")


def test_one_is_no_plural() -> None:
    assert drc_line({"violations": 1, "rules_run": 1}) == "1 violation, 1 rule run"
    layout = kdb.Layout()
    metal1 = layout.layer(*TECH.gds("Metal1"))
    layout.create_cell("TOP").shapes(metal1).insert(kdb.Box(100, 2000))
    text = render(run_drc(layout, TECH, rules=["M1.1"]), "text")
    assert text.endswith("\n1 violation, 1 rule run\n")


def test_json(report: DrcReport) -> None:
    assert json.loads(render(report, "json")) == {
        "schema": SCHEMA,
        **report.to_json(),
        "versions": versions(),
    }


def test_junit_has_a_case_per_rule(report: DrcReport) -> None:
    suite = ElementTree.fromstring(render(report, "junit"))
    cases = suite.findall("testcase")
    assert {case.get("name") for case in cases} == {r.name for r in TECH.rules}
    failed = [case.get("name") for case in cases if case.find("failure") is not None]
    assert failed == ["M1.1"]
    assert suite.get("failures") == "1"
    assert int(suite.get("skipped", "0")) == len(cases) - report.rules_run
    density = next(case for case in cases if case.get("name") == "M1.4")
    assert density.find("system-out") is not None


def test_github_has_an_annotation_per_rule(report: DrcReport) -> None:
    lines = render(report, "github").splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("::error file=layout,title=DRC M1.1::3 violations: min width")
    assert lines[1].startswith("::warning file=layout,title=DRC M1.4::")


def test_sarif(report: DrcReport) -> None:
    (run,) = json.loads(render(report, "sarif"))["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert rules == set(report.by_rule)
    levels = [(r["ruleId"], r["level"]) for r in run["results"]]
    assert levels == [("M1.1", "error")] * 3 + [("M1.4", "warning")]


def test_unknown_format(report: DrcReport) -> None:
    with pytest.raises(ParameterError, match=", ".join(FORMATS)):
        render(report, "html")


def waiver(**changes: object) -> Waiver:
    values = {"rule": "M1.1", "reason": "test", "expires": TODAY, "cell": "bad_*", **changes}
    return Waiver(**values)  # type: ignore[arg-type]


def test_waivers_cover_by_cell_and_box(report: DrcReport) -> None:
    by_cell = apply_waivers(report, [waiver()], TODAY)
    assert (by_cell.count, len(by_cell.waived), by_cell.by_rule["M1.1"]) == (1, 2, 1)
    assert not by_cell.clean
    by_box = apply_waivers(report, [waiver(cell=None, box=(9.0, -1.0, 11.0, 3.0))], TODAY)
    assert (by_box.count, len(by_box.waived)) == (2, 1)
    everything = apply_waivers(report, [waiver(rule="M1.*", cell="*")], TODAY)
    assert everything.clean
    waived = len(everything.waived)
    assert waived
    assert f"violations, {waived} waived, " in render(everything, "text")
    assert f"violations, {waived} waived, " in drc_line(everything.to_json())
    assert '"suppressions"' in render(everything, "sarif")


def test_a_warning_is_called_one() -> None:
    """``0 violations, 2 rules run: M1.4 x1`` contradicted itself."""
    value = {"violations": 0, "warnings": 1, "rules_run": 2, "by_rule": {"M1.4": 1, "ME.D": 0}}
    assert drc_line(value) == "0 violations, 1 warning, 2 rules run: M1.4 x1"


def test_expired_and_unused_waivers_are_reported(report: DrcReport) -> None:
    old = waiver(expires=date(2026, 11, 22))
    unused = waiver(rule="M2.1")
    after = apply_waivers(report, [old, unused], TODAY)
    assert after.count == report.count
    assert [note.split(":")[0] for note in after.waiver_notes] == [
        "expired on 2026-11-22",
        "not used",
    ]
    assert after.to_json()["waiver_notes"] == list(after.waiver_notes)


def test_waivers_are_read_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(
        "waivers:\n"
        "- {rule: M1.1, cell: a, reason: because, expires: 2027-01-31}\n"
        "- {rule: 'M2.*', box: [0, 0, 1.5, 2], reason: why not, expires: 2027-01-31}\n"
    )
    first, second = load_waivers(path)
    assert (first.cell, first.expires) == ("a", date(2027, 1, 31))
    assert second.box == (0.0, 0.0, 1.5, 2.0)


@pytest.mark.parametrize(
    ("row", "names"),
    [
        ("rule: M1.1, reason: r, expires: 2027-01-31", "cell or a box"),
        ("rule: M1.1, cell: a, expires: 2027-01-31", "reason"),
        ("rule: M1.1, cell: a, reason: r", "expires"),
        ("rule: M1.1, cell: a, reason: r, expires: soon", "expires"),
        ("rule: M1.1, cell: a, reason: r, expires: 2027-01-31, until: x", "until"),
        ("rule: M1.1, box: [1, 0, 0, 1], reason: r, expires: 2027-01-31", "box"),
        ("rule: M1.1, box: [1, 2], reason: r, expires: 2027-01-31", "box"),
        ("reason: r, cell: a, expires: 2027-01-31", "rule"),
        ("rule: M1.1, cell: a, cell: b, reason: r, expires: 2027-01-31", "'cell' appears twice"),
        ("rule: M1.1, cell: a, reason: r, expires: 2027-02-31", "expires"),
        ("rule: M1.1, cell: a, reason: r, expires: 20270131", "expires"),
        ("rule: M1.1, box: [0, 0, .inf, 1], reason: r, expires: 2027-01-31", "box"),
        ("rule: M1.1, cell: &a x, reason: *a, expires: 2027-01-31", "anchor"),
    ],
)
def test_bad_waivers_are_refused(tmp_path: Path, row: str, names: str) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(f"waivers:\n- {{{row}}}\n")
    with pytest.raises(ConfigError, match=rf"w\.yaml, line 2: .*{names}"):
        load_waivers(path)


@pytest.mark.parametrize("text", ["waivers: [", "[]", "waivers: 3", "waivers: []\nwaiver: []"])
def test_unreadable_waiver_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(text)
    with pytest.raises((ConfigError, ParameterError)):
        load_waivers(path)
    with pytest.raises(FileError, match="no such file"):
        load_waivers(tmp_path / "none.yaml")
