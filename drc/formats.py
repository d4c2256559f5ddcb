"""Reports as text and for CI systems: JSON, JUnit, GitHub annotations, SARIF."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from ..base.documents import json_text
from ..pdk import ParameterError
from .report import DrcReport, Violation

#: markers listed per rule where a format lists them in words
SHOWN = 20


def to_text(report: DrcReport) -> str:
    """Return a short report for people."""
    lines = [f"{report.source}, cell {report.top}, {report.tech}"]
    for name, count in report.by_rule.items():
        if not count:
            continue
        markers = _markers(report, name)
        lines.append(f"{name}: {count} ({markers[0].text})" if markers else f"{name}: {count}")
        lines += [f"  {_place(v)}" for v in markers[:SHOWN]]
        if count > SHOWN:
            lines.append(f"  and {count - SHOWN} more")
    lines += [f"waived: {v}" for v in report.waived]
    lines += [f"waiver {note}" for note in report.waiver_notes]
    lines += [f"note: {note}" for note in report.notes]
    waived = f"{len(report.waived)} waived, " if report.waived else ""
    lines.append(f"{report.count} violations, {waived}{report.rules_run} rules run")
    return "\n".join(lines) + "\n"


def to_json_text(report: DrcReport) -> str:
    """Return `report.to_json()` as text."""
    return json_text(report.to_json(), indent=1)


def to_junit(report: DrcReport) -> str:
    """Return JUnit XML: one test case per rule, rules that were not asked for as skipped."""
    warned = {v.rule for v in report.warnings}
    failures = [n for n, count in report.by_rule.items() if count and n not in warned]
    suite = ElementTree.Element(
        "testsuite",
        name="crossstack.drc",
        tests=str(report.rules_run + len(report.skipped)),
        failures=str(len(failures)),
        errors="0",
        skipped=str(len(report.skipped)),
        time=f"{sum(run.seconds for run in report.runs):.3f}",
    )
    for run in report.runs:
        case = _case(suite, report, run.name, run.seconds)
        markers = _markers(report, run.name)
        places = "\n".join(_place(v) for v in markers[:SHOWN])
        if run.name in failures:
            message = f"{report.by_rule[run.name]} violations: {run.text}"
            ElementTree.SubElement(case, "failure", message=message).text = places
        elif markers:
            ElementTree.SubElement(case, "system-out").text = f"warning: {run.text}\n{places}"
    for name in report.skipped:
        ElementTree.SubElement(_case(suite, report, name, 0.0), "skipped")
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _case(
    suite: ElementTree.Element, report: DrcReport, name: str, seconds: float
) -> ElementTree.Element:
    where = {"classname": f"{report.source}:{report.top}", "name": name, "time": f"{seconds:.3f}"}
    return ElementTree.SubElement(suite, "testcase", where)


def to_github(report: DrcReport) -> str:
    """Return GitHub workflow commands: one annotation per rule that found something."""
    lines = []
    warned = {v.rule for v in report.warnings}
    for name, count in report.by_rule.items():
        markers = _markers(report, name)
        if not markers:
            continue
        level = "warning" if name in warned else "error"
        places = "\n".join(_place(v) for v in markers[:3])
        message = _escape(f"{markers[0].text}: {count}\n{places}")
        file, title = _escape(report.source, True), _escape(f"DRC {name}", True)
        lines.append(f"::{level} file={file},title={title}::{message}")
    lines += [f"::warning title=DRC waiver::{_escape(note)}" for note in report.waiver_notes]
    return "".join(f"{line}\n" for line in lines)


def _escape(text: str, is_property: bool = False) -> str:
    pairs = [("%", "%25"), ("\r", "%0D"), ("\n", "%0A")]
    for old, new in pairs + ([(":", "%3A"), (",", "%2C")] if is_property else []):
        text = text.replace(old, new)
    return text


def to_sarif(report: DrcReport) -> str:
    """Return SARIF 2.1.0 with one result per marker; waived ones are suppressed."""
    rules = [
        {"id": run.name, "shortDescription": {"text": run.text}, "properties": {"value": run.value}}
        for run in report.runs
    ]
    results = [_result(report, v, "error", False) for v in report.violations]
    results += [_result(report, v, "warning", False) for v in report.warnings]
    results += [_result(report, v, "error", True) for v in report.waived]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "CrossStack DRC", "rules": rules}},
                "results": results,
            }
        ],
    }
    return json.dumps(log, indent=1, allow_nan=False) + "\n"


def _result(report: DrcReport, v: Violation, level: str, suppressed: bool) -> dict[str, Any]:
    location = {
        "physicalLocation": {"artifactLocation": {"uri": report.source}},
        "logicalLocations": [{"fullyQualifiedName": v.cell, "kind": "cell"}],
    }
    result: dict[str, Any] = {
        "ruleId": v.rule,
        "level": level,
        "message": {"text": f"{v.text}: {_place(v)}"},
        "locations": [location],
        "properties": {"box_um": list(v.box), "copies": v.copies},
    }
    if suppressed:
        result["suppressions"] = [{"kind": "external", "status": "accepted"}]
    return result


def _markers(report: DrcReport, rule: str) -> list[Violation]:
    return [v for v in (*report.violations, *report.warnings) if v.rule == rule]


def _place(v: Violation) -> str:
    x1, y1, x2, y2 = v.box
    copies = f", {v.copies} times" if v.copies > 1 else ""
    return f"{v.cell} ({x1:g}, {y1:g}) to ({x2:g}, {y2:g}) um{copies}"


FORMATS: dict[str, Callable[[DrcReport], str]] = {
    "text": to_text,
    "json": to_json_text,
    "junit": to_junit,
    "github": to_github,
    "sarif": to_sarif,
}


def render(report: DrcReport, name: str) -> str:
    """Return a report in a named format.

    Raises:
        ParameterError: if there is no such format.
    """
    if name not in FORMATS:
        raise ParameterError("format", name, "one of " + ", ".join(FORMATS))
    return FORMATS[name](report)
