"""What a search found, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .metrics import METRICS, STAGES

if TYPE_CHECKING:
    from .target import Target


def verdict(value: dict[str, Any]) -> str:
    """Return in one line what was found."""
    search, bounds = value["search"], value["target"]["targets"]
    good = [p for p in value["points"] if p["met"] and not p["bettered_by"]]
    if good:
        return f"met by {len(good)} point{'s' if len(good) > 1 else ''}: rules, netlist, targets"
    scope = (
        f"proved by looking at all {search['combinations']} combinations{_by_theory(search)}"
        if search["complete"]
        else f"after {search['looked_at']} of {search['combinations']} combinations; "
        f"{search['ended']}{left_out(search)}"
    )
    clash = value["conflict"]
    if clash is None:
        return f"not met: the build of no point keeps what its search found ({scope})"
    asked = [METRICS[name].bound_words(bounds[name]) for name in clash["targets"]]
    unknown = [name for name in clash["targets"] if clash["best"][name]["best"] is None]
    if unknown:
        names = " and ".join(METRICS[name].bound_words(bounds[name]) for name in unknown)
        return f"not met: {names} is not known of any combination that was looked at, nor ruled out"
    if clash["alone"]:
        said = ", nor can ".join([f"{asked[0]} cannot be had", *asked[1:]])
    else:
        said = " and ".join(asked) + " cannot be had together"
    more = [n for n in _missed_by_nearest(value) if n not in clash["targets"]]
    names = " and ".join(METRICS[name].bound_words(bounds[name]) for name in more)
    return f"not met: {said} ({scope})" + (f"; the nearest point misses {names}" if more else "")


def resumed(kept: Iterable[Mapping[str, Any]], target: Target) -> str:
    """Return in words where a search goes on; empty if it begins.

    Args:
        kept: what names the results that earlier runs left (`evaluate.Task.to_json`).
        target: what is asked for.
    """
    drawn = computed = full = built = 0
    for point in kept:
        if "proof" in point:
            built += 1
        elif point.get("bounds") == dict(target.bounds) and point["goals"] == [*target.goals]:
            first = point["through"] == STAGES[0]
            drawn, full = drawn + first, full + point["whole"]
            computed += not first and not point["whole"]
    if not (drawn or computed or full):
        return ""
    parts = ((drawn, "drawn"), (computed, "looked at"), (full, "computed in full"))
    said = [f"{count} {what}" for count, what in parts if count]
    said += [f"{built} built"] if built else []
    return f"goes on where an earlier run ended: {', '.join(said)}"


def looked_at(search: dict[str, Any]) -> str:
    """Return in words what became of the combinations: what theory says, and what was computed."""
    after = search["by_theory_in_full"]
    return (
        f"{search['looked_at']} of {search['combinations']} combinations looked at: "
        f"{search['not_drawable']} cannot be drawn, {search['by_theory']} ruled out by theory"
        + (f" ({after} of these then computed in full, for what is nearest)" if after else "")
        + f", {search['solved_in_full']} computed in full"
    )


def _by_theory(search: dict[str, Any]) -> str:
    """Return in words how many theory ruled out; empty if none."""
    count = search["by_theory"]
    return f", {count} of which theory rules out" if count else ""


def _missed_by_nearest(value: dict[str, Any]) -> list[str]:
    missed = value["points"][0]["missed"] if value["points"] else {}
    return [name for name, figure in missed.items() if figure is not None]


def nearest_words(value: dict[str, Any]) -> str:
    """Return in words which point is nearest, what it misses, and of how many it is the nearest."""
    bounds, found = value["target"]["targets"], (value["conflict"] or {}).get("nearest")
    missed = value["points"][0]["missed"]
    known = [METRICS[n].bound_words(bounds[n]) for n in missed if missed[n] is not None]
    unknown = [METRICS[n].bound_words(bounds[n]) for n in missed if missed[n] is None]
    said = f"{value['points'][0]['name']}.yaml"
    if found is not None:
        said += _of_how_many("nearest", found, value, " in full")
    said += f"; it misses {' and '.join(known)}" if known else ""
    return said + (f"; {' and '.join(unknown)} is not known of it" if unknown else "")


def best_words(value: dict[str, Any], name: str) -> str:
    """Return in words the best of one target alone, and of how many that is the best."""
    found = value["conflict"]["best"][name] if value["conflict"] else {"best": None}
    if found["best"] is None:
        return METRICS[name].words(None)
    return METRICS[name].words(found["best"]) + _of_how_many("best", found, value)


def _of_how_many(most: str, found: dict[str, Any], value: dict[str, Any], how: str = "") -> str:
    """Return of how many something is the best, unless it is so of all combinations."""
    if found.get("settled", True) and value["search"]["complete"]:
        return ""
    return f", the {most} of the {found['computed']} computed{how}"


def left_out(search: dict[str, Any]) -> str:
    """Return in words what could not be computed; empty if all could."""
    count = search["not_computed"]
    return f"; {count} could not be computed: {search['not_computed_why']}" if count else ""
