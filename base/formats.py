"""Outcomes of checks as CI systems read them: text, JUnit XML, GitHub annotations, SARIF."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from .errors import shown
from .gds_stream import cell_bytes
from .outcome import FAILED, PASSED, SKIPPED, UNKNOWN, WARNED, Case, Marker, Outcome
from .versions import versions

#: markers listed per case where a format lists them in words
SHOWN = 20
#: the same in an annotation on GitHub
_ANNOTATED = 3
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {FAILED: "error", UNKNOWN: "error", WARNED: "warning"}


def to_text(outcomes: Iterable[Outcome]) -> str:
    """Return a short report for people."""
    lines = []
    for outcome in outcomes:
        lines.append(f"{outcome.check}: {outcome.source}, cell {outcome.top}")
        for case in outcome.cases:
            if case.status in (PASSED, SKIPPED):
                continue
            lines.append(f"{case.status}: {case.name}: {case.message}")
            lines += [f"  {marker.text}" for marker in case.markers[:SHOWN]]
            lines += _rest(case, SHOWN)
        lines += [f"note: {note}" for note in outcome.notes]
        done = len(outcome.cases) - outcome.count(SKIPPED)
        lines.append(f"{outcome.count(PASSED)} of {done} checks passed")
    return "".join(f"{shown(line)}\n" for line in lines)


def _rest(case: Case, listed: int) -> list[str]:
    more = len(case.markers) - listed
    return [f"  and {more} more"] if more > 0 else []


def to_junit(outcomes: Sequence[Outcome]) -> str:
    """Return JUnit XML: a suite per check, a test case per rule or item.

    What was not judged is an error; skipped is what was not asked for, and a summary of what fails
    by itself.
    """
    suites = [_suite(outcome) for outcome in outcomes]
    root = suites[0]
    if len(suites) > 1:
        totals = {
            key: str(sum(int(suite.get(key, "0")) for suite in suites))
            for key in ("tests", "failures", "errors", "skipped")
        }
        root = ElementTree.Element("testsuites", {"name": "crossstack", **totals})
        root.extend(suites)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(outcome: Outcome) -> ElementTree.Element:
    suite = ElementTree.Element(
        "testsuite",
        name=f"crossstack.{outcome.check.lower().replace(' ', '_')}",
        tests=str(len(outcome.cases)),
        failures=str(outcome.count(FAILED)),
        errors=str(outcome.count(UNKNOWN)),
        skipped=str(outcome.count(SKIPPED)),
        time=f"{sum(case.seconds for case in outcome.cases):.3f}",
    )
    where = shown(f"{outcome.source}:{outcome.top}")
    for case in outcome.cases:
        seconds = f"{case.seconds:.3f}"
        entry = {"classname": where, "name": shown(case.name), "time": seconds}
        item = ElementTree.SubElement(suite, "testcase", entry)
        lines = [marker.text for marker in case.markers[:SHOWN]] + _rest(case, SHOWN)
        places = "\n".join(map(shown, lines))
        if case.status == SKIPPED:
            told = {"message": shown(case.message)} if case.message else {}
            ElementTree.SubElement(item, "skipped", told)
        elif case.status in (FAILED, UNKNOWN):
            kind = "failure" if case.status == FAILED else "error"
            found = ElementTree.SubElement(item, kind, message=shown(case.message))
            found.text = places
        elif case.status == WARNED or places:
            text = f"{case.status}: {shown(case.message or case.text)}"
            ElementTree.SubElement(item, "system-out").text = "\n".join(
                filter(None, (text, places))
            )
    if outcome.notes:
        ElementTree.SubElement(suite, "system-out").text = "\n".join(map(shown, outcome.notes))
    return suite


def to_github(outcomes: Iterable[Outcome]) -> str:
    """Return GitHub workflow commands: one annotation per rule or item that did not pass."""
    lines = []
    for outcome in outcomes:
        file = _escape(repository_path(outcome.source), True)
        for case in outcome.cases:
            if case.status not in _LEVELS:
                continue
            listed = [marker.text for marker in case.markers[:_ANNOTATED]]
            text = "\n".join([case.message, *listed, *_rest(case, _ANNOTATED)])
            title = _escape(f"{outcome.check} {case.name}", True)
            lines.append(f"::{_LEVELS[case.status]} file={file},title={title}::{_escape(text)}")
        title = _escape(f"{outcome.check} note", True)
        lines += [f"::warning title={title}::{_escape(note)}" for note in outcome.notes]
    return "".join(f"{line}\n" for line in lines)


def _escape(text: str, is_property: bool = False) -> str:
    text = "\n".join(map(shown, text.split("\n")))
    pairs = [("%", "%25"), ("\r", "%0D"), ("\n", "%0A")]
    for old, new in pairs + ([(":", "%3A"), (",", "%2C")] if is_property else []):
        text = text.replace(old, new)
    return text


def to_sarif(outcomes: Iterable[Outcome]) -> str:
    """Return SARIF 2.1.0: a run per check, a result per marker; waived ones are suppressed.

    A place in a layout has no line: its box in um stands in the region's properties, and where
    the file is plain GDS the region gives the bytes of the cell that holds it. Line 1 is there
    because GitHub's code scanning refuses a region without a line.
    """
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(each) for each in outcomes]}
    return json.dumps(log, indent=1, allow_nan=False) + "\n"


def _run(outcome: Outcome) -> dict[str, Any]:
    rules = [
        {
            "id": case.name,
            "shortDescription": {"text": shown(case.text)},
            **({"properties": dict(case.properties)} if case.properties else {}),
        }
        for case in outcome.cases
        if case.status != SKIPPED
    ]
    uri = artifact_uri(outcome.source)
    cells = cell_bytes(Path(outcome.source)) if any(c.markers for c in outcome.cases) else {}
    driver = {
        "name": f"CrossStack {outcome.check}",
        "version": versions().get("crossstack", "0"),
        "rules": rules,
    }
    invocation = {
        "executionSuccessful": True,
        "toolExecutionNotifications": [
            {"level": "warning", "message": {"text": shown(note)}} for note in outcome.notes
        ],
    }
    found = (each for case in outcome.cases for each in _results(outcome, case, uri, cells))
    return {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "artifacts": [{"location": {"uri": uri}, "mimeType": "application/octet-stream"}],
        "results": list(found),
        "properties": {"top": shown(outcome.top), "versions": versions()},
    }


def _results(
    outcome: Outcome, case: Case, uri: str, cells: dict[str, tuple[int, int]]
) -> Iterator[dict[str, Any]]:
    """Yield a result per marker; one without a place for a case that has none."""
    markers = case.markers
    if case.status in _LEVELS and not any(not marker.waived for marker in markers):
        markers = (Marker(case.message or case.text, level=case.status), *markers)
    for marker in markers:
        cell = marker.cell or outcome.top
        region: dict[str, Any] = {"startLine": 1}
        if cell in cells:
            region |= dict(zip(("byteOffset", "byteLength"), cells[cell], strict=True))
        properties: dict[str, Any] = {"copies": marker.copies}
        if marker.box is not None:
            region["properties"] = {"box_um": list(marker.box)}
            properties["box_um"] = list(marker.box)
        place = {"artifactLocation": {"uri": uri}, "region": region}
        logical = {"fullyQualifiedName": shown(cell), "kind": "cell"}
        same = f"{outcome.check}\n{case.name}\n{cell}\n{marker.box or marker.text}"
        result = {
            "ruleId": case.name,
            "level": _LEVELS.get(marker.level, "error"),
            "message": {"text": shown(marker.text)},
            "locations": [{"physicalLocation": place, "logicalLocations": [logical]}],
            "partialFingerprints": {
                "crossstack/v1": hashlib.sha256(same.encode("utf-8", "replace")).hexdigest()[:32]
            },
            "properties": properties,
        }
        if marker.waived:
            result["suppressions"] = [{"kind": "external", "status": "accepted"}]
        yield result


def repository_path(source: str) -> str:
    """Return a file as seen from the working folder, where a CI system keeps its checkout."""
    path = Path(source)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return path.as_posix()


def artifact_uri(source: str) -> str:
    """Return the URI of a file: relative to the working folder where it lies below."""
    path = repository_path(source)
    if Path(path).is_absolute():
        return Path(path).as_uri()
    return quote(path.encode("utf-8", "surrogateescape"), safe="/-._~")


#: format -> writer of outcomes; text and JSON of a check are the check's own
FORMATS: dict[str, Callable[[Sequence[Outcome]], str]] = {
    "junit": to_junit,
    "github": to_github,
    "sarif": to_sarif,
}
