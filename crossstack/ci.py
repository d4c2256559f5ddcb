"""DRC results for continuous integration: JUnit and GitHub annotations, one entry per rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from .drc import DrcReport

#: places named per rule; the marker file holds them all
_SHOWN = 10


def junit_xml(report: DrcReport, file: str) -> str:
    """Return JUnit XML with one test case per rule that ran, passing ones included."""
    broken = sum(1 for run in report.runs if run.count)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuite name={quoteattr(f"DRC {file}")} tests="{len(report.runs)}" '
        f'failures="{broken}" errors="0" skipped="0">',
    ]
    places = _places(report)
    for run in report.runs:
        head = f" <testcase classname={quoteattr(file)} name={quoteattr(run.name)}"
        if not run.count:
            lines.append(f'{head} time="{run.seconds:.3f}"/>')
            continue
        message = f"{run.count} markers: {run.text}"
        lines += [
            f'{head} time="{run.seconds:.3f}">',
            f"  <failure message={quoteattr(message)}>{escape(chr(10).join(places[run.name]))}"
            "</failure>",
            " </testcase>",
        ]
    return "\n".join([*lines, "</testsuite>", ""])


def github_lines(report: DrcReport, file: str) -> Iterator[str]:
    """Yield one GitHub annotation per broken rule."""
    places = _places(report)
    for run in report.runs:
        if run.count:
            first = places[run.name][0] if places[run.name] else ""
            text = f"{run.count} markers: {run.text}; first: {first}"
            title = _property(f"DRC {run.name}")
            yield f"::error file={_property(file)},title={title}::{_message(text)}"


def write_junit(report: DrcReport, file: Path, target: Path) -> None:
    """Write JUnit XML for a layout file."""
    target.write_text(junit_xml(report, file.name), encoding="utf-8")


def _places(report: DrcReport) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {run.name: [] for run in report.runs}
    for violation in report.violations:
        if len(found[violation.rule]) < _SHOWN:
            x1, y1, x2, y2 = violation.box
            copies = f", {violation.copies} places" if violation.copies > 1 else ""
            found[violation.rule].append(
                f"cell {violation.cell} ({x1:.3f}, {y1:.3f}) to ({x2:.3f}, {y2:.3f}) um{copies}"
            )
    return found


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
