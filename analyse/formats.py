"""Currents against their limits as an outcome, for the formats of CI systems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..base.outcome import FAILED, PASSED, UNKNOWN, WARNED, Case, Marker, Outcome
from ..base.units import percent
from .needs import write_voltages


def outcome_of(
    em: Mapping[str, Any], verdict: Mapping[str, Any], source: str, top: str, *, fail: bool
) -> Outcome:
    """Return a case for the verdict, one per mode and layer, and one for the write voltages.

    Args:
        em: content of em.json; empty if nothing was solved.
        verdict: whether the currents are within their limits (``verdict`` of it, or why not).
        source: layout or network that was judged.
        top: its name.
        fail: True if a limit that is exceeded, or that nobody could judge, is an error; else it
            is a warning.
    """
    bad, unknown = (FAILED, UNKNOWN) if fail else (WARNED, WARNED)
    status = bad if verdict["exceeded"] else PASSED if verdict["judged"] else unknown
    message = "" if status == PASSED else verdict["text"]
    cases = [Case("current limits", "every current is within its limit", status, message)]
    cases += _layers(em, bad, unknown)
    if (writes := write_voltages(em)) is not None:
        good = writes["judged"] and writes["met"]
        text = "every written device gets the voltage that it needs"
        message = "" if good else writes["text"]
        cases.append(Case("write voltages", text, PASSED if good else WARNED, message))
    return Outcome("limits", source, top, tuple(cases))


def _layers(em: Mapping[str, Any], bad: str, unknown: str) -> Iterator[Case]:
    """Yield a case per mode and layer that carries current."""
    limits = em.get("limits", {})
    for mode, found in em.get("modes", {}).items():
        for layer, load in sorted(found["by_layer"].items()):
            limit = limits[layer]
            source = "assumed" if limit["assumed"] else limit["source"]
            text = f"at most {limit['limit']:g} {limit['unit']} in {layer} ({source})"
            used = f"{percent(load['ratio'])} of the limit in {layer} of {load['net']}"
            # what cannot be compared is above
            over = not load["ratio"] <= 1
            level = bad if over else PASSED
            markers = (
                (Marker(f"{used}, between {' and '.join(load['nodes'])}", level=level),)
                if over
                else ()
            )
            properties = {"ratio": load["ratio"], "net": load["net"], "assumed": limit["assumed"]}
            message = f"{used}, {mode} mode" if over else ""
            yield Case(f"{mode}: {layer}", text, level, message, markers, properties=properties)
        for layer in found["unchecked_layers"]:
            text = f"current in {layer} within its limit"
            yield Case(f"{mode}: {layer}", text, unknown, f"no limit is known for {layer}")
