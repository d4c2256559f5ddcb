"""Reports as text, JSON and, as an outcome, for CI systems."""

from __future__ import annotations

from ..base.documents import json_text
from ..base.formats import FORMATS as FOR_CI
from ..base.formats import SHOWN
from ..base.outcome import FAILED, PASSED, SKIPPED, WARNED, Case, Marker, Outcome
from ..base.units import counted
from ..pdk import ParameterError
from .foundry_items import FoundryReport
from .report import DrcReport, Violation


def to_text(report: DrcReport) -> str:
    """Return a short report for people."""
    lines = [f"{report.source}, cell {report.top}, {report.tech}"]
    for name, count in report.by_rule.items():
        if not count:
            continue
        markers = [v for v in (*report.violations, *report.warnings) if v.rule == name]
        lines.append(f"{name}: {count} ({markers[0].text})" if markers else f"{name}: {count}")
        lines += [f"  {_place(v)}" for v in markers[:SHOWN]]
        if count > SHOWN:
            lines.append(f"  and {count - SHOWN} more")
    lines += [f"waived: {v}" for v in report.waived]
    lines += [f"waiver {note}" for note in report.waiver_notes]
    lines += [f"note: {note}" for note in report.notes]
    waived = f"{len(report.waived)} waived, " if report.waived else ""
    rules = counted(report.rules_run, "rule")
    lines.append(f"{counted(report.count, 'violation')}, {waived}{rules} run")
    return "\n".join(lines) + "\n"


def to_json_text(report: DrcReport) -> str:
    """Return `report.to_json()` as text."""
    return json_text(report.to_json(), indent=1)


def outcome_of(report: DrcReport) -> Outcome:
    """Return a case per rule; rules that were not asked for are skipped."""
    markers: dict[str, list[Marker]] = {run.name: [] for run in report.runs}
    for level, found, waived in (
        (FAILED, report.violations, False),
        (WARNED, report.warnings, False),
        (FAILED, report.waived, True),
    ):
        for v in found:
            marker = Marker(f"{v.text}: {_place(v)}", v.cell, v.box, v.copies, level, waived)
            markers.setdefault(v.rule, []).append(marker)
    warned = {v.rule for v in report.warnings}
    cases = []
    for run in report.runs:
        count = report.by_rule[run.name]
        failed = count - sum(v.rule == run.name for v in report.warnings)
        status = FAILED if failed else WARNED if run.name in warned else PASSED
        message = f"{counted(count, 'violation')}: {run.text}" if count else ""
        properties = {"value": run.value, "count": count}
        mine = tuple(markers[run.name])
        cases.append(Case(run.name, run.text, status, message, mine, run.seconds, properties))
    cases += [Case(name, "not asked for", SKIPPED) for name in report.skipped]
    notes = (*report.notes, *(f"waiver {note}" for note in report.waiver_notes))
    return Outcome("DRC", report.source, report.top, tuple(cases), notes)


def foundry_outcome(report: FoundryReport) -> Outcome:
    """Return a case per rule of the foundry's deck."""
    cases = []
    for rule, count in report.by_rule.items():
        found = [item for item in report.items if item.rule == rule]
        markers = []
        for item in found:
            xs, ys = [p[0] for p in item.points], [p[1] for p in item.points]
            box = (min(xs), min(ys), max(xs), max(ys)) if item.points else None
            where = f" ({box[0]:g}, {box[1]:g}) to ({box[2]:g}, {box[3]:g}) um" if box else ""
            markers.append(Marker(f"{item.text}: {item.cell}{where}", item.cell, box))
        text = found[0].text if found else rule
        message = f"{counted(count, 'violation')}: {text}" if count else ""
        cases.append(Case(rule, text, FAILED if count else PASSED, message, tuple(markers)))
    return Outcome("foundry DRC", report.source, report.top, tuple(cases))


def _place(v: Violation) -> str:
    x1, y1, x2, y2 = v.box
    copies = f", {v.copies} times" if v.copies > 1 else ""
    return f"{v.cell} ({x1:g}, {y1:g}) to ({x2:g}, {y2:g}) um{copies}"


#: names that `render` knows
FORMATS = ("text", "json", *FOR_CI)


def render(report: DrcReport, name: str) -> str:
    """Return a report in a named format.

    Raises:
        ParameterError: if there is no such format.
    """
    if name == "text":
        return to_text(report)
    if name == "json":
        return to_json_text(report)
    if name not in FOR_CI:
        raise ParameterError("format", name, "one of " + ", ".join(FORMATS))
    return FOR_CI[name]([outcome_of(report)])
