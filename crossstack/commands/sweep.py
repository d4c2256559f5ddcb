"""`crossstack sweep`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ..base.errors import FOUND, OK
from ..console import Console, output_options
from ..options import array_options, limits_option, out_option, within


def _complete_keys(ctx: click.Context, param: click.Parameter, typed: str) -> list[str]:
    """Return the keys of a configuration that begin like what was typed."""
    from ..config import keys

    return [f"{key}=" for key in keys() if key.startswith(typed)]


@click.command("sweep")
@array_options
@click.option(
    "--vary",
    multiple=True,
    required=True,
    metavar="KEY=V,V,...",
    shell_complete=_complete_keys,
    help="Values of a key of the configuration; may be repeated: all combinations are solved.",
)
@limits_option
@out_option("Folder for sweep.csv, .json and .png (default gds_out/sweep).")
@output_options
def command(
    config: Path | None,
    vary: tuple[str, ...],
    out: Path | None,
    limits: str,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Solve the IR drop over values of one or more parameters.

    Every combination is drawn, extracted and solved in memory; layouts are not checked against
    rules and netlist, as `build` does. A key in a section is written with dots. Exit code 1 if a
    combination could not be drawn or solved. The same command after an interruption goes on where
    that one was.

    \b
    crossstack sweep --cols 8 --vary rows=4,8,16
    crossstack sweep array.yaml --vary select_w_um=2,4 --vary tech.corner=min,typ,max
    crossstack sweep --vary tech.sheet_resistance_ohm_sq.ME=0.1,0.2,0.4
    """  # noqa: D301
    from .. import sweep
    from ..base.files import check_replaceable, replacing
    from ..config import read_values
    from ..sweep_points import Points

    console = Console(as_json, quiet)
    values, base = sweep.parse_vary(vary), read_values(config, options)
    with base.named():
        found = sweep.cases(base, values)
    folder = out or Path("gds_out") / "sweep"
    # no temporary folder while cases are solved: of a sweep that is killed only points are left
    check_replaceable(folder, "sweep.json")
    points = Points(folder)
    with console.steps():
        rows = sweep.run(found, console, points)
    with replacing(folder, "sweep.json") as work:
        sweep.write(work, base, values, rows)
    points.drop()
    for line in _lines(values, rows):
        console.say(line)
    console.say(f"written to {folder}")
    console.result({"folder": str(folder), "vary": values, "rows": rows})
    passed = all("failed" not in row and within(limits, row["limits"]) for row in rows)
    return OK if passed else FOUND


def _lines(vary: Mapping[str, Sequence[Any]], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the table for people: worst device, mean device and worst column per case."""
    from ..base.units import percent

    widths = {key: max(len(key), *(len(str(v)) for v in values)) for key, values in vary.items()}
    head = "  ".join(f"{key:>{width}}" for key, width in widths.items())
    lines = [
        f"{head}  {'mode':<10}{'worst':>9}{'mean':>9}{'column':>9}{'in wires':>10}{'write':>9}"
    ]
    for row in rows:
        case = "  ".join(f"{row['case'][key]!s:>{width}}" for key, width in widths.items())
        if "failed" in row:
            lines.append(f"{case}  failed: {row['failed']}")
        if row.get("limits", {}).get("exceeded") or not row.get("limits", {}).get("judged", True):
            lines.append(f"{case}  {row['limits']['text']}")
        for mode, m in row.get("modes", {}).items():
            shown = (m["worst_device_all"], m["mean_device_all"], m["worst_column_all"])
            lines.append(
                f"{case}  {mode:<10}"
                + "".join(f"{percent(v):>9}" for v in shown)
                + f"{percent(m['worst_device_wires']):>10}"
                + (
                    f"{percent(m['write_loss']):>9} {m['write_polarity']}"
                    if "write_loss" in m
                    else ""
                )
            )
    return lines
