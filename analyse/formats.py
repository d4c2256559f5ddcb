"""Currents against their limits as an outcome, for the formats of CI systems."""

from __future__ import annotations

from collections.abc import Iterator

from ..base.outcome import FAILED, PASSED, SKIPPED, UNKNOWN, WARNED, Case, Marker, Outcome
from ..base.units import percent
from .loads import CurrentReport, CurrentVerdict


def outcome_of(
    em: CurrentReport | None, verdict: CurrentVerdict, source: str, top: str, *, fail: bool
) -> Outcome:
    """Return a case for the verdict, one per mode and layer, and one for the write voltages.

    Args:
        em: what was found; None if nothing was solved.
        verdict: whether the currents are within their limits (that of `em`, or why not).
        source: layout or network that was judged.
        top: its name.
        fail: True if what is not met, or that nobody could judge, is an error; else it is a
            warning.
    """
    bad, unknown = (FAILED, UNKNOWN) if fail else (WARNED, WARNED)
    status = bad if verdict.exceeded else PASSED if verdict.judged else unknown
    message = "" if status == PASSED else verdict.text
    layers = [] if em is None else [*_layers(em, bad, unknown)]
    if verdict.exceeded and any(case.markers for case in layers):
        # what is exceeded fails by itself, and not once more; what nobody judged does not
        status = SKIPPED if verdict.judged else unknown
    cases = [Case("current limits", "every current is within its limit", status, message), *layers]
    if em is not None:
        cases.append(_writes(em, bad, unknown))
    return Outcome("limits", source, top, tuple(cases))


def _writes(em: CurrentReport, bad: str, unknown: str) -> Case:
    """Return the case of the write voltages, also where no write was solved."""
    text = "every written device gets the voltage that it needs"
    if (writes := em.write_voltages) is None:
        return Case("write voltages", text, unknown, f"no write was solved: {em.verdict.text}")
    status = bad if not writes.met else PASSED if writes.judged else unknown
    return Case("write voltages", text, status, "" if status == PASSED else writes.text)


def _layers(em: CurrentReport, bad: str, unknown: str) -> Iterator[Case]:
    """Yield a case per mode and layer that carries current."""
    for mode, found in em.modes.items():
        for layer, load in sorted(found.loads.by_layer.items()):
            limit = em.limits[layer]
            source = "assumed" if limit.assumed else limit.source
            text = f"at most {limit.limit:g} {limit.unit} in {layer} ({source})"
            used = f"{percent(load.ratio)} of the limit in {layer} of {load.net}"
            # what cannot be compared is above
            over = not load.ratio <= 1
            level = bad if over else PASSED
            markers = (
                (Marker(f"{used}, between {' and '.join(load.nodes)}", level=level),)
                if over
                else ()
            )
            properties = {"ratio": load.ratio, "net": load.net, "assumed": limit.assumed}
            message = f"{used}, {mode} mode" if over else ""
            yield Case(f"{mode}: {layer}", text, level, message, markers, properties=properties)
        for layer in found.loads.unchecked_layers:
            text = f"current in {layer} within its limit"
            yield Case(f"{mode}: {layer}", text, unknown, f"no limit is known for {layer}")
