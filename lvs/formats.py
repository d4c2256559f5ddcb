"""The verdict on a netlist as an outcome, for the formats of CI systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..base.outcome import FAILED, PASSED, SKIPPED, UNKNOWN, Case, Marker, Outcome
from ..base.units import counted

#: kind of finding -> what is asked
ASKED = {
    "connection": "every terminal is on the net that the reference names",
    "device": "devices are as the reference has them",
    "extra": "every device of the layout is in the reference",
    "extraction": "nets and devices are found without an error",
    "film": "films lie as a memristor needs them",
    "floating gate": "every gate is on a net that something drives",
    "label": "every label is on a net of its own",
    "missing": "every device of the reference is in the layout",
    "more": "every device can be matched",
    "open": "every net is in one piece",
    "opening": "openings in films lead to one electrode",
    "pin": "the pins are those of the reference",
    "second": "the second extractor finds the same nets and devices",
    "short": "no two nets are joined",
    "size": "sizes are those of the reference, within the tolerances",
    "swap": "no two nets are exchanged",
    "tap": "every well and the substrate are tied as the reference says",
    "topology": "devices are connected as in the reference",
    "touch": "electrodes touch only where they should",
    "unconnected": "every labelled shape belongs to a device",
}


def outcome_of(value: Mapping[str, Any], source: str, top: str) -> Outcome:
    """Return a case for the verdict and one per kind of finding.

    Args:
        value: the report as JSON values (`LvsReport.to_json`), with its ``warnings`` if any.
        source: layout that was compared.
        top: its cell.
    """
    found: dict[str, list[Mapping[str, Any]]] = {}
    for finding in value["findings"]:
        found.setdefault(finding["kind"], []).append(finding)
    cases = [_verdict(value, bool(found))]
    for kind in (*ASKED, *sorted(set(found) - set(ASKED))):
        mine = found.get(kind, [])
        markers = tuple(
            Marker(f"{kind}: {finding['message']}", top, _box(finding["places_um"]))
            for finding in mine
        )
        text = ASKED.get(kind, f"nothing of the kind {kind} is found")
        message = f"{counted(len(mine), 'finding')}: {text}" if mine else ""
        cases.append(Case(kind, text, FAILED if mine else PASSED, message, markers))
    return Outcome("LVS", source, top, tuple(cases), tuple(value.get("warnings", ())))


def _verdict(value: Mapping[str, Any], explained: bool) -> Case:
    """Return the verdict; none that findings explain fails as they do, and not once more."""
    devices = ", ".join(f"{n} {kind}" for kind, n in value["devices"].items() if n)
    text = "the layout is the reference netlist"
    if value["match"] is True:
        return Case("netlist", text, PASSED, properties={"devices": devices})
    errors = value.get("errors", [])
    if explained:
        told = f"no match, {counted(len(errors), 'error')}: its findings fail"
        return Case("netlist", text, SKIPPED, told)
    return Case("netlist", text, UNKNOWN, f"no match: {'; '.join(errors[:3]) or 'no reason given'}")


def _box(places: list[list[float]]) -> tuple[float, float, float, float] | None:
    """Return the box around the first place: places of one finding may lie far apart."""
    if not places:
        return None
    x, y = places[0]
    return (x, y, x, y)
