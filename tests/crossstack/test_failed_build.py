"""A build whose layout fails a check ends with that verdict, named, and leaves its folder."""

import json
from dataclasses import replace

import pytest

from crossstack import drc, extract, lvs
from crossstack.drc.report import Violation
from crossstack.lvs.extraction import Finding
from crossstack.pdk import FileError

SIZES = {
    "array": ["--rows", "1", "--cols", "2"],
    "macro": ["--rows", "1", "--cols", "1", "--top", "macro"],
}


def mismatch(monkeypatch):
    real = lvs.compare_layout

    def compare_layout(*args, **kwargs):
        found = Finding("tap", "2 wires of VSS are joined through silicon only", ((1.0, 2.0),))
        return replace(real(*args, **kwargs), match=False, findings=(found,))

    monkeypatch.setattr(lvs, "compare_layout", compare_layout)


def unextracted(monkeypatch):
    def nothing(source, *args, **kwargs):
        raise FileError(f"{source.name}: net VSS: no resistance is known for that")

    monkeypatch.setattr(extract, "extract", nothing)


def broken_rule(monkeypatch):
    real = drc.run_drc

    def run_drc(*args, **kwargs):
        found = real(*args, **kwargs)
        rule = found.runs[0]
        marker = Violation(rule.name, rule.text, ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)), found.top)
        runs = (replace(rule, count=1), *found.runs[1:])
        return replace(found, runs=runs, violations=(marker,))

    monkeypatch.setattr(drc, "run_drc", run_drc)


@pytest.mark.parametrize("top", SIZES)
def test_a_mismatch_and_what_it_prevents_are_named(crossstack, tmp_path, monkeypatch, top):
    mismatch(monkeypatch)
    unextracted(monkeypatch)
    ran = crossstack("build", *SIZES[top], "--name", "x", "-o", tmp_path)
    assert ran.code == 1, ran.err
    why = ", views (not done)" if top == "macro" else ""
    assert f"x: FAILED: netlist, extract (not done){why}; " in ran.out
    assert ".part" not in ran.out
    assert "2 wires of VSS are joined through silicon only" in ran.out
    manifest = json.loads((tmp_path / "x" / "manifest.json").read_text())
    assert manifest["passed"] is False
    assert "joined through silicon only" in (tmp_path / "x" / "report.html").read_text()


def test_a_mismatch_alone_is_no_fault_of_the_rules(crossstack, tmp_path, monkeypatch):
    mismatch(monkeypatch)
    ran = crossstack("build", *SIZES["array"], "--name", "x", "-o", tmp_path)
    assert ran.code == 1
    assert "x: FAILED: netlist; " in ran.out


def test_a_broken_rule_is_no_mismatch(crossstack, tmp_path, monkeypatch):
    broken_rule(monkeypatch)
    ran = crossstack("build", *SIZES["array"], "--name", "x", "-o", tmp_path)
    assert ran.code == 1, ran.err
    assert "x: FAILED: rules; " in ran.out
    assert (tmp_path / "x" / "report.html").is_file()
