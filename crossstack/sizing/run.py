"""The whole of `size`: search, proof of the front, and what is left on disk."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..base import files
from ..base.outputs import one_step, write_text
from ..console import Console
from ..figures import COUNTED
from ..pace import paced
from ..points import Points
from ..pool import Here, Pool
from .alike import groups
from .candidates import Candidate, Outcome
from .closest import full
from .conflict import conflicts, nearest
from .evaluate import BETTERED, THEORY, Task, bettered, covers, evaluate_alike, meets
from .metrics import METRICS
from .page import MARKER, write_report
from .prove import Proof, named, prove, take, write_yaml
from .search import Evaluate, Search
from .target import Target
from .words import resumed, verdict


def size(target: Target, out: Path, console: Console, where: Pool | None = None) -> dict[str, Any]:
    """Search, build what was found, and write the results.

    Args:
        target: what is asked for.
        out: folder for the results.
        console: where progress goes.
        where: the processes that work; None for this one.

    Returns:
        The content of size.json; ``met`` says whether there is a point.
    """
    points = Points(out)
    with points.alone():
        if before := resumed(points.kept(), target):
            console.say(before)
        return _size(target, out, console, where or Here(), points)


def _size(
    target: Target, out: Path, console: Console, where: Pool, points: Points
) -> dict[str, Any]:
    with paced(console, "search", 0) as pace:
        search = Search(target, _evaluator(points, where), pace, where.size)
        outcome = search.run()
        clash = None if outcome.front else conflicts(search, target)
        # with what that computed
        outcome = replace(outcome, seen=[*search.seen.values()])
    chosen = spread(outcome.front, target) if outcome.front else nearest(search, target)
    proved = _prove(target, chosen, points, where, console)
    value = _value(target, outcome, chosen, proved, clash)
    with files.replacing(out, MARKER) as work:
        _write(work, out.name, target, value, outcome, chosen, points)
    points.drop()
    return value


def _evaluator(points: Points, where: Pool) -> Evaluate:
    """Return what evaluates a round: from points that were kept, or anew.

    Candidates of one drawing go to one process.
    """

    def run(tasks: list[Task]) -> Iterator[tuple[int, dict[str, Any], bool]]:
        todo, alike = [], []
        for numbers in groups((number, task.configs) for number, task in enumerate(tasks)):
            left, known = [], []
            for number in numbers:
                task = tasks[number]
                before = points.find(task.to_json())
                if before is None:
                    left.append(number)
                    continue
                yield number, before, True
                if (goals := meets(task, before)) is not None:
                    known.append(goals)
            if left:
                todo.append(left)
                alike.append([_against(tasks[number], known) for number in left])
        for k, results in where.run(evaluate_alike, alike):
            for number, result in zip(todo[k], results, strict=True):
                task = tasks[number]
                # what one beside it bettered is filed with nobody that it would depend on
                if result["why"] != BETTERED or bettered(task, result["figures"]):
                    points.keep(task.to_json(), result)
                yield number, result, False

    return run


def _against(task: Task, rivals: Sequence[tuple[float, ...]]) -> Task:
    """Return a task with more points to be held against, unless all of it is asked for."""
    return task if task.whole else replace(task, rivals=(*task.rivals, *rivals))


def spread(front: Sequence[Candidate], target: Target) -> list[Candidate]:
    """Return as many points of a front as are wanted: the ends, and between them evenly."""
    most = target.search["points"]
    if len(front) <= most:
        return list(front)
    if most == 1:
        return [front[0]]
    step = (len(front) - 1) / (most - 1)
    return [front[round(k * step)] for k in range(most)]


def _prove(
    target: Target, chosen: Sequence[Candidate], points: Points, where: Pool, console: Console,
) -> list[dict[str, Any]]:  # fmt: skip
    """Build every chosen point; one that was built before an interruption is taken."""
    found: dict[int, dict[str, Any]] = {}
    tasks: list[tuple[int, Proof, dict[str, Any]]] = []
    with paced(console, "build", len(chosen)) as pace:
        for k, candidate in enumerate(chosen):
            proof, key = _proof(target, candidate, k, points)
            before = points.find(key)
            if before is not None and (proof.folder / before["name"] / files.MANIFEST).is_file():
                found[k] = before
                pace.piece(before["name"], free=True)
            else:
                tasks.append((k, proof, key))
        # a cluster's workers may not see our disk
        local = where if where.local else Here()
        for number, result in local.run(prove, [proof for _, proof, _ in tasks]):
            k, _, key = tasks[number]
            points.keep(key, result)
            found[k] = result
            pace.piece(result["name"])
    return [found[k] for k in range(len(chosen))]


def _proof(
    target: Target, candidate: Candidate, number: int, points: Points
) -> tuple[Proof, dict[str, Any]]:
    """Return what is built of a candidate, and what that is filed under."""
    stem = str(target.base.get("name") or "point")[:28]
    configs = tuple(named(c, f"{stem}_{number + 1}") for c in target.configs(candidate.choice))
    key = {"config": configs[0].to_json(), "proof": [config.to_json() for config in configs]}
    short = hashlib.sha256(json.dumps(key, sort_keys=True, allow_nan=False).encode()).hexdigest()[
        :16
    ]
    return Proof(configs, points.folder(short)), key


def _value(
    target: Target,
    outcome: Outcome,
    chosen: Sequence[Candidate],
    proved: Sequence[dict[str, Any]],
    clash: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return the content of size.json."""
    points = []
    for candidate, result in zip(chosen, proved, strict=True):
        missed = {
            name: result["worst"][name]
            for name, bound in target.bounds.items()
            if METRICS[name].misses(result["worst"][name], bound)
        }
        points.append(
            {
                **result,
                "chosen": target.chosen(candidate.choice),
                "missed": missed,
                "met": result["passed"] and not missed,
            }
        )
    _mark_bettered(points, target)
    failed = [c for c in outcome.seen if c.failed]
    value = {
        "target": target.to_json(),
        "met": any(point["met"] for point in points),
        "points": points,
        "search": {
            "combinations": target.size,
            "looked_at": len(outcome.seen),
            "not_drawable": sum(c.refused for c in outcome.seen),
            "not_computed": len(failed),
            "not_computed_why": failed[0].why if failed else None,
            "by_theory": outcome.by_theory,
            "by_theory_in_full": outcome.by_theory - sum(c.stage == THEORY for c in outcome.seen),
            "solved_in_full": sum(full(c, target) for c in outcome.seen),
            "complete": outcome.complete,
            "ended": outcome.ended,
        },
        "conflict": clash,
        "counted": COUNTED,
    }
    return value | {"verdict": verdict(value)}


def _mark_bettered(points: list[dict[str, Any]], target: Target) -> None:
    """Note of every point which other one its build shows to be at least as good in every goal."""

    def goals(point: dict[str, Any]) -> list[Any]:
        return [point["worst"][goal] for goal in target.goals]

    known = [p for p in points if p["met"] and None not in goals(p)]
    for point in points:
        better = (
            other["name"]
            for other in known
            if point in known
            and goals(other) != goals(point)
            and covers(target.goals, goals(other), goals(point))
        )
        point["bettered_by"] = next(better, None)


def _write(
    work: Path, name: str, target: Target, value: dict[str, Any], outcome: Outcome,
    chosen: Sequence[Candidate], points: Points,
) -> None:  # fmt: skip
    from ..report.standalone import standalone
    from .picture import pareto_chart

    for number, (candidate, point) in enumerate(zip(chosen, value["points"], strict=True)):
        proof, _ = _proof(target, candidate, number, points)
        take(point, proof.folder, work)
        remark = "meets every target" if point["met"] else "misses a target"
        write_yaml(proof.configs[0], work / f"{point['name']}.yaml", f"{remark}: see report.html")
    files.write_json(work / MARKER, value)
    _write_tables(work, target, value, outcome)
    if chart := pareto_chart(target, outcome, value):
        write_text(work / "pareto.svg", standalone(chart))
    head = {"name": name, "parameters": target.to_json(), "verdict": value["verdict"]}
    # the report lists the files, so it reads a manifest that does not hold itself yet
    files.write_manifest(work, head)
    write_report(work)
    files.write_manifest(work, head)


def _write_tables(work: Path, target: Target, value: dict[str, Any], outcome: Outcome) -> None:
    """Write the points and every candidate as tables."""
    keys = [free.key for free in target.free]
    head = ["point", *keys, *METRICS, "drc_violations", "lvs_match", "met"]
    rows = [
        [p["name"], *(p["chosen"][key] for key in keys), *(_cell(p["worst"][m]) for m in METRICS),
         p["drc_violations"], p["lvs_match"], p["met"]]
        for p in value["points"]
    ]  # fmt: skip
    _write_csv(work / "size.csv", head, rows)
    names = [metric.name for metric in METRICS.values()]
    _write_csv(
        work / "candidates.csv",
        [*keys, "stage", *names, "ended"],
        [
            [*target.chosen(c.choice).values(), c.stage, *(_cell(c.figures.get(n)) for n in names),
             c.why or ""]
            for c in outcome.seen
        ],
    )  # fmt: skip


def _write_csv(path: Path, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    with one_step(path) as work, work.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def _cell(value: Any) -> Any:
    return "" if value is None else f"{value:.9g}"
