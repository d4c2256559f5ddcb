"""`crossstack size`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..base.errors import FOUND, OK
from ..base.units import setting
from ..console import Console, output_options
from ..named import EXISTING
from ..options import jobs_options, out_option


@click.command("size")
@click.argument("target", type=EXISTING)
@jobs_options
@out_option("Folder for the results (default gds_out/<name of TARGET>).")
@output_options
def command(
    target: Path,
    jobs: int | None,
    scheduler: str | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Find the parameters of an array that meet a target.

    TARGET is a YAML file: what is fixed (array, conditions), what is free (a list of values or
    {min, max, step} for any key of an array), targets, and what is to be as good as can be. See
    docs/howto/size.md.

    Candidates are proposed by an optimiser, ruled out by area or first-order theory where that is
    enough, else drawn, extracted and solved. The points that are left are built in full. Exit
    code 1 if no point meets the targets: the targets that conflict are named, and the nearest
    point is built. The same command after an interruption goes on where that one was.

    \b
    crossstack size target.yaml
    crossstack size target.yaml --scheduler tcp://host:8786
    """  # noqa: D301
    from ..sizing.target import describe, read_target

    console = Console(as_json, quiet)
    asked = read_target(target)
    # what takes long to load comes after what may be refused
    from ..base.files import check_replaceable
    from ..pool import pool
    from ..sizing.check import check
    from ..sizing.page import MARKER
    from ..sizing.proposals import import_optuna
    from ..sizing.run import size
    from ..sizing.search import ROUND

    check(asked)
    import_optuna()
    folder = out or Path("gds_out") / target.stem
    check_replaceable(folder, MARKER)
    console.say(describe(asked))
    with pool(scheduler, jobs, ROUND) as where, console.steps():
        value = size(asked, folder, console, where)
    for line in _lines(value):
        console.say(line)
    console.say(f"written to {folder}")
    console.result({"folder": str(folder), **value})
    return OK if value["met"] else FOUND


def _lines(value: dict[str, Any]) -> list[str]:
    """Return the points for people, and why there is none that meets the targets."""
    from ..sizing.metrics import METRICS
    from ..sizing.words import best_words, left_out, looked_at, nearest_words

    search, lines = value["search"], []
    names = [*dict.fromkeys([*value["target"]["targets"], *value["target"]["optimise"]])]
    for point in value["points"]:
        chosen = ", ".join(f"{key} = {setting(v)}" for key, v in point["chosen"].items())
        lines.append(f"{point['name']}: {chosen}")
        found = ", ".join(f"{name} {METRICS[name].words(point['worst'][name])}" for name in names)
        better = f"; {point['bettered_by']} is better" if point["bettered_by"] else ""
        lines.append(f"  {found}; {point['verdict']}{better}")
    lines.append(f"{looked_at(search)}; {search['ended']}{left_out(search)}")
    if not value["met"]:
        clash = value["conflict"]
        best = (clash or {"best": {}})["best"]
        lines += [f"  {name}: best alone {best_words(value, name)}" for name in best]
        if value["points"]:
            lines.append(f"nearest: {nearest_words(value)}")
    return [*lines, value["verdict"]]
