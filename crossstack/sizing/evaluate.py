"""One candidate: as much of it is computed as its fate needs, the cheapest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..base.errors import USAGE
from ..built import json_of
from ..config import RunConfig
from ..figures import Drawn, Study, draw, mode_figures
from ..pdk import CrossStackError
from .metrics import METRICS, STAGES, flat_figures
from .theory import least_errors, least_load, most_write_share

#: why a candidate goes no further that meets what is known of the targets
BETTERED = "another point is at least as good in everything"
#: stage of a candidate that was ruled out by theory, before it was solved
THEORY = "theory"


@dataclass(frozen=True)
class Task:
    """A candidate and what is asked of it.

    Attributes:
        configs: the array, once per condition.
        bounds: metric -> what it must reach.
        goals: metrics that are to be as good as can be.
        rivals: goals' values of points that meet every target.
        whole: compute everything, whatever is missed on the way.
        through: last stage to go through.
    """

    configs: tuple[RunConfig, ...]
    bounds: Mapping[str, float]
    goals: tuple[str, ...]
    rivals: tuple[tuple[float, ...], ...] = ()
    whole: bool = False
    through: str = STAGES[-1]

    def to_json(self) -> dict[str, Any]:
        """Return what decides the outcome, to file it under."""
        return {
            "config": self.configs[0].to_json(),
            "configs": [config.to_json() for config in self.configs],
            "bounds": dict(self.bounds),
            "goals": list(self.goals),
            "rivals": [list(rival) for rival in self.rivals],
            "whole": self.whole,
            "through": self.through,
        }


class Shared:
    """What candidates of one drawing have in common, found by the first one that needs it."""

    def __init__(self) -> None:
        self._drawn: Drawn | None = None
        self._first: list[Study] = []

    def drawn(self, config: RunConfig) -> Drawn:
        """Return the drawing."""
        if self._drawn is None:
            self._drawn = draw(config)
        return self._drawn

    def studies(self, configs: Sequence[RunConfig]) -> list[Study]:
        """Return a study for each condition, which takes over what the first one finds."""
        likes: Sequence[Study | None] = self._first or [None] * len(configs)
        found = [
            Study(config, self.drawn(config), like=like)
            for config, like in zip(configs, likes, strict=True)
        ]
        self._first = self._first or found
        return found


def evaluate_alike(tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """Return what was found (`evaluate`) of candidates of one drawing, in their order.

    What an earlier one betters goes no further.
    """
    shared = Shared()
    found: list[dict[str, Any]] = []
    rivals: list[tuple[float, ...]] = []
    for task in tasks:
        mine = task if task.whole else replace(task, rivals=(*task.rivals, *rivals))
        found.append(evaluate(mine, shared))
        if (goals := meets(task, found[-1])) is not None:
            rivals.append(goals)
    return found


def meets(task: Task, result: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Return the goals of a candidate that meets every target; None if one is not known."""
    figures = result["figures"]
    goals = [figures.get(name) for name in task.goals]
    if result["why"] is not None or None in goals:
        return None
    if any(METRICS[name].misses(figures.get(name), bound) for name, bound in task.bounds.items()):
        return None
    return tuple(float(value) for value in goals)


def evaluate(task: Task, shared: Shared | None = None) -> dict[str, Any]:
    """Return what was found of a candidate.

    Args:
        task: the candidate.
        shared: what others of the same drawing found, and find.

    Returns:
        ``figures`` (metric -> value, worst of all conditions), ``stage`` (how far it came;
        `THEORY`: the last figure is what theory allows at best),
        ``why`` (what ended it before all was known; None if nothing did), ``refused`` (whether it
        cannot be drawn) and ``failed`` (whether it could not be computed, so that nobody knows).
    """
    shared = shared or Shared()
    found: dict[str, Any] = {
        "figures": {}, "stage": "draw", "why": None, "refused": False, "failed": False,
    }  # fmt: skip
    try:
        for stage, figures in _stages(task, shared):
            found["stage"] = stage
            found["figures"] |= figures
            found["why"] = None if task.whole else _fate(task, found["figures"], stage)
            if found["why"]:
                break
    except CrossStackError as error:
        drawable = error.exit_code != USAGE
        found |= {"why": str(error), "refused": not drawable, "failed": drawable}
    return found


def _stages(task: Task, shared: Shared) -> Iterator[tuple[str, dict[str, float | None]]]:
    """Yield stage and figures, as far as somebody asks."""
    yield "draw", flat_figures({"area": shared.drawn(task.configs[0]).area})
    asked = [METRICS[name] for name in (*task.bounds, *task.goals)]
    if task.through != STAGES[0] and not task.whole and (least := _least(task)):
        # not the figure itself: what it is at least, or at most
        yield THEORY, dict(least)
    studies = shared.studies(task.configs)
    for stage in STAGES[1 : STAGES.index(task.through) + 1]:
        if stage == "write" and "limit_used" in task.bounds and not task.whole:
            yield "read", _read_load(studies, task.bounds["limit_used"])
        if stage == "limits" and "write_share" in task.bounds and not task.whole:
            yield "write", _far_write(studies, task.bounds["write_share"])
        wanted = [metric for metric in asked if metric.stage == stage]
        if not wanted:
            continue
        names = {metric.name for metric in wanted}
        figures = _worst(studies, stage)
        yield stage, {name: figures.get(name) for name in names}


def _least(task: Task) -> dict[str, float]:
    """Return the errors, the share of a write, or the load of a read that theory rules out."""
    if (bound := task.bounds.get("write_share")) is not None:
        shares = [most_write_share(config) for config in task.configs]
        low = min((share for share in shares if share is not None), default=bound)
        if METRICS["write_share"].misses(low, bound):
            return {"write_share": low}
    lost, bound = (task.bounds.get(name) for name in ("worst_device", "limit_used"))
    if lost is not None and bound is not None:
        loads = [least_load(config, lost) for config in task.configs]
        high = max((load for load in loads if load is not None), default=bound)
        if METRICS["limit_used"].misses(high, bound):
            return {"limit_used": high}
    names = [name for name in task.bounds if METRICS[name].stage == "read"]
    if not names:
        return {}
    found: dict[str, float] = {}
    for config in task.configs:
        for name, value in least_errors(config).items():
            if name in names and METRICS[name].misses(value, task.bounds[name]):
                found[name] = max(value, found.get(name, 0.0))
    return found


def _read_load(studies: list[Study], bound: float) -> dict[str, float | None]:
    """Return the load of reads alone if that is too much; else nothing is known yet."""
    from ..solve.modes.modes import EXPANSION

    ratios = [study.limits([EXPANSION]).ratio or 0.0 for study in studies]
    too_much = METRICS["limit_used"].misses(max(ratios), bound)
    return {"limit_used": max(ratios)} if too_much else {}


def _far_write(studies: list[Study], bound: float) -> dict[str, float | None]:
    """Return what a few writes get of their need if that is too little; else nothing is known."""
    shares = (share for study in studies for share in study.far_shares())
    low = next((share for share in shares if METRICS["write_share"].misses(share, bound)), None)
    return {} if low is None else {"write_share": low}


def _worst(studies: list[Study], stage: str) -> dict[str, float | None]:
    every = [flat_figures(_row(study, stage)) for study in studies]
    return {name: METRICS[name].worse(each.get(name) for each in every) for name in every[0]}


def _row(study: Study, stage: str) -> dict[str, Any]:
    """Return the part of `figures.figures` that a stage finds."""
    from ..solve.modes.modes import EXPANSION, MODES

    if stage == "limits":
        writes = json_of(study.em().write_voltages)
        return {"limits": study.limits().to_json(), "write_voltages": writes}
    if stage == "settle":
        return {"read": study.read()}
    wanted = [EXPANSION] if stage == "read" else [m for m in MODES if MODES[m].writes]
    solved, _ = study.modes(wanted)
    if stage == "write" and not solved:
        return {"writes": study.writes()}
    return {"modes": {mode: mode_figures(result.to_json()) for mode, result in solved.items()}}


def _fate(task: Task, figures: Mapping[str, float | None], stage: str) -> str | None:
    """Return why a candidate need not be looked at further; None if it must."""
    for name, bound in task.bounds.items():
        if name in figures and METRICS[name].misses(figures[name], bound):
            metric = METRICS[name]
            found = metric.words(figures[name])
            if stage == THEORY:
                found = f"at {'most' if metric.higher else 'least'} {found} by theory"
            return f"{name} is {found}, {metric.bound_words(bound)} is asked"
    return BETTERED if bettered(task, figures) else None


def bettered(task: Task, figures: Mapping[str, float | None]) -> bool:
    """Return whether a rival of a task is at least as good in every goal."""
    known = [figures.get(name) for name in task.goals]
    values = [float(value) for value in known if value is not None]
    if len(values) < len(known):
        return False
    return any(covers(task.goals, rival, values) for rival in task.rivals)


def covers(goals: tuple[str, ...], rival: Sequence[float], values: Sequence[float]) -> bool:
    """Return whether a rival is at least as good in every goal."""
    return all(
        (a >= b if METRICS[goal].higher else a <= b)
        for goal, a, b in zip(goals, rival, values, strict=True)
    )
