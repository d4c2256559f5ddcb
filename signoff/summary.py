"""Verdicts on rules and netlist as lines for people."""

from __future__ import annotations

from typing import Any

from ..base.units import counted


def drc_line(drc: dict[str, Any]) -> str:
    """Return e.g. ``0 violations, 7 waived, 187 rules run``; with the rules that are broken."""
    count, warned, waived = drc["violations"], drc.get("warnings", 0), drc.get("waived", 0)
    text = counted(count, "violation")
    text += f", {waived} waived" if waived else ""
    text += f", {counted(warned, 'warning')}" if warned else ""
    text += f", {counted(drc['rules_run'], 'rule')} run"
    if worst := drc_findings(drc):
        text += ": " + ", ".join(worst[:6])
        text += f" and {len(worst) - 6} more rules" if len(worst) > 6 else ""
    return text


def drc_findings(drc: dict[str, Any]) -> list[str]:
    """Return every rule that is broken, with its count, e.g. ``S.1 x3``; the worst first."""
    broken = {rule: n for rule, n in drc.get("by_rule", {}).items() if n}
    return [f"{rule} x{n}" for rule, n in sorted(broken.items(), key=lambda item: -item[1])]


def lvs_line(lvs: dict[str, Any]) -> str:
    """Return e.g. ``match: 100 memristor_bottom, ...``; with the first error otherwise."""
    devices = ", ".join(f"{n} {kind}" for kind, n in lvs["devices"].items() if n)
    if lvs["match"]:
        return f"match: {devices or 'no devices'}"
    errors = lvs.get("errors", [])
    first = f": {errors[0]}" if errors else ""
    return f"NO match, {counted(len(errors), 'error')}{first}"
