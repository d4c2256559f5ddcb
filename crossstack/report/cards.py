"""Cards at the head of a page: verdicts first, each with one line, the rest to be unfolded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..analyse.needs import write_line
from ..base.units import counted, percent
from ..signoff.summary import drc_line, lvs_line


def check_cards(
    drc: Mapping[str, Any], lvs: Mapping[str, Any], not_done: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the verdicts on rules and netlist, and a failed one for each step not done."""
    checks = [
        {
            "title": "Design rules",
            "ok": drc["violations"] == 0,
            "head": rules_head(drc["violations"], drc.get("waived", 0)),
            # what the headline has said already is not said again
            "line": drc_line(dict(drc)).partition(", ")[2],
        },
        {
            "title": "Layout against netlist",
            "ok": bool(lvs["match"]),
            "head": "match" if lvs["match"] else "no match",
            "line": lvs_line(dict(lvs)).partition(": " if lvs["match"] else ", ")[2],
        },
    ]
    for step, why in not_done.items():
        checks.append({"title": step, "ok": False, "head": "not done", "line": why})
    return checks


def rules_head(count: int, waived: int) -> str:
    """Return the headline on rules; what a waiver covers is never called clean."""
    if count:
        return counted(count, "violation")
    return f"clean but for {waived} waived" if waived else "clean"


def verdict_badges(
    limits: Mapping[str, Any] | None, writes: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """Return the verdicts on currents and write voltages for a page's head.

    Args:
        limits: on the currents; None where there is none.
        writes: on the voltages of written devices; None where the array has no write.

    Returns:
        text, title and `ok`, which is None where nothing was judged.
    """
    found = []
    if limits is not None:
        good = not limits["exceeded"] if limits["judged"] else None
        word = {True: "within", False: "exceeded", None: "not judged"}[good]
        found.append({"ok": good, "text": f"current limits {word}", "title": limits["text"]})
    if writes is not None:
        good = bool(writes["met"]) if writes["judged"] else None
        word = {True: "met", False: "too low", None: "not judged"}[good]
        found.append({"ok": good, "text": f"write voltages {word}", "title": writes["text"]})
    return found


def limits_card(verdict: Mapping[str, Any], em: Mapping[str, Any]) -> dict[str, Any]:
    """Return the verdict on currents; what each mode uses of the limits is to be unfolded.

    Args:
        verdict: of em.json, or what stands for it: judged, exceeded, text.
        em: content of em.json; may be empty.
    """
    judged, exceeded = bool(verdict["judged"]), bool(verdict["exceeded"])
    loads = [_load(mode, m, em["limits"]) for mode, m in em.get("modes", {}).items()]
    if "ratio" not in verdict:
        # what the headline says already is not said again
        line = str(verdict["text"]).removeprefix("current limits not judged: ")
    else:
        line = f"{percent(verdict['ratio'])} of the limit in {verdict['layer']} of {verdict['net']}"
        line += f", {verdict['mode']} mode ({'assumed' if verdict['assumed'] else 'published'})"
        if above := verdict["above_limit"]:
            line += f"; {above} wire segment{'s' if above > 1 else ''} above"
    more = [str(verdict["text"])] if "ratio" in verdict and not judged else []
    return {
        "title": "Current limits",
        "ok": False if exceeded else (True if judged else None),
        "warn": not judged,
        "head": "exceeded" if exceeded else ("within" if judged else "not judged"),
        "line": line,
        "more": [*more, *(load for load in loads if load)],
    }


def _load(mode: str, found: Mapping[str, Any], limits: Mapping[str, Any]) -> str:
    """Return the highest load of a mode, in words; empty if nothing carries current."""
    loads = [s for s in (found["worst_wire"], found["worst_cut"]) if s is not None]
    if not loads:
        return ""
    worst = max(loads, key=lambda s: float(s["ratio"]))
    kind = "assumed" if limits[worst["layer"]]["assumed"] else "published"
    above = found["above_limit"]
    count = f"{above or 'no'} wire segment{'s exceed their' if above > 1 else ' exceeds its'} limit"
    return (
        f"{mode}: at most {percent(worst['ratio'])} of the {kind} limit, in {worst['layer']} of "
        f"{worst['net']}; {count}"
    )


def write_card(writes: Mapping[str, Any]) -> dict[str, Any]:
    """Return whether written devices get the voltage that they need, at a glance."""
    judged, met = bool(writes["judged"]), bool(writes["met"])
    lows = [
        f"{polarity} {writes[polarity]['volts']:.3g} of {writes[polarity]['needed_V']:.3g} V"
        for polarity in ("set", "reset")
        if polarity in writes and "needed_V" in writes[polarity] and "volts" in writes[polarity]
    ]
    return {
        "title": "Write voltages",
        "ok": met if judged else None,
        "warn": not judged,
        "head": ("met" if met else "too low") if judged else "not judged",
        "line": ", ".join(lows) or str(writes["text"]).removeprefix("write voltages not judged: "),
        "more": [write_line(writes), f"needed by: {writes['source']}"] if writes["source"] else [],
    }


def drop_card(mode: str, drop: Mapping[str, Any]) -> dict[str, Any]:
    """Return the IR drop of a mode at a glance, from its part of ir_drop.json."""
    error = drop["worst_device_error"]
    return {
        "title": f"IR drop, {mode}",
        "ok": None,
        "head": percent(error["all_series"]),
        "line": "no device that is read has both an input and a conductance"
        if error["all_series"] is None
        else f"of the voltage lost at the worst device; {percent(error['wires_only'])} in wires "
        "alone",
    }
