"""`crossstack sweep`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ..array_options import array_options
from ..base.errors import FOUND, OK
from ..console import Console, output_options
from ..options import jobs_options, limits_line, limits_option, out_option, within


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
@jobs_options
@limits_option
@out_option("Folder for report.html, sweep.csv, .json and .svg (default gds_out/sweep).")
@output_options
def command(
    config: Path | None,
    vary: tuple[str, ...],
    out: Path | None,
    jobs: int | None,
    scheduler: str | None,
    limits: str,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Solve an array over values of one or more parameters.

    Every combination is drawn, extracted and solved in memory; layouts are not checked against
    rules and netlist, as `build` does. A key in a section is written with dots. Exit code 1 if a
    combination could not be drawn or solved. The same command after an interruption goes on where
    that one was.

    Runs on all cores, or on a Dask cluster that is there already: `dask scheduler` on one machine,
    `dask worker tcp://HOST:8786 --nworkers auto --nthreads 1` on each that works, the same version
    of crossstack on all.

    \b
    crossstack sweep --cols 8 --vary rows=4,8,16
    crossstack sweep array.yaml --vary select_w_um=2,4 --vary tech.corner=min,typ,max
    crossstack sweep --vary tech.sheet_resistance_ohm_sq.ME=0.1,0.2,0.4
    crossstack sweep --vary rows=8,16,32 --scheduler tcp://host:8786
    """  # noqa: D301
    from .. import sweep
    from ..base.files import check_replaceable, replacing
    from ..config import read_values
    from ..points import Points
    from ..pool import pool

    console = Console(as_json, quiet)
    values, base = sweep.parse_vary(vary), read_values(config, options)
    with base.varied(values, "--vary").named():
        found = sweep.cases(base, values)
        sweep.check(found)
    folder = out or Path("gds_out") / "sweep"
    # no temporary folder while cases are solved: of a sweep that is killed only points are left
    check_replaceable(folder, "sweep.json")
    points = Points(folder)
    with points.alone():
        if before := sweep.resumed(found, points):
            console.say(before)
        with pool(scheduler, jobs, sweep.helpers(found)) as where, console.steps():
            rows = sweep.run(found, console, points, where)
        with replacing(folder, "sweep.json") as work:
            sweep.write(work, base, values, rows)
        points.drop()
    for key in sweep.without_effect(values, rows):
        console.note(f"--vary {key}: no figure changes with it")
    for line in _lines(values, rows):
        console.say(line)
    solved = [row for row in rows if "failed" not in row]
    fit = all(within(limits, row["limits"], row["write_voltages"]) for row in solved)
    if limits == "fail":
        console.say(limits_line(fit, "sweep"))
    console.say(f"open  {folder / 'report.html'}")
    console.result({"folder": str(folder), "vary": values, "rows": rows})
    return OK if fit and len(solved) == len(rows) else FOUND


def _lines(vary: Mapping[str, Sequence[Any]], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the table for people: errors and write per mode, the rest once a case."""
    from ..base.units import percent, setting

    widths = {
        key: max(len(key), *(len(setting(v)) for v in values)) for key, values in vary.items()
    }
    head = "  ".join(f"{key:>{width}}" for key, width in widths.items())
    names = ("worst", "mean", "column", "in wires", "set", "reset")
    lines = [f"{head}  {'mode':<10}" + "".join(f"{name:>9}" for name in names) + _WHOLE]
    for row in rows:
        case = "  ".join(f"{setting(row['case'][key]):>{width}}" for key, width in widths.items())
        if "failed" in row:
            lines.append(f"{case}  failed: {row['failed']}")
        if row.get("limits", {}).get("exceeded") or not row.get("limits", {}).get("judged", True):
            lines.append(f"{case}  {row['limits']['text']}")
        for number, (mode, read) in enumerate(row.get("modes", {}).items()):
            m = read | row["writes"]
            shown = [m[f"{name}_all"] for name in ("worst_device", "mean_device", "worst_column")]
            shown += [m["worst_device_wires"], m.get("write_loss_set"), m.get("write_loss_reset")]
            cells = ["" if v is None else percent(v) for v in shown]
            line = f"{case}  {mode:<10}" + "".join(f"{cell:>9}" for cell in cells)
            lines.append((line + ("" if number else _whole(row))).rstrip())
    if any("modes" in row for row in rows):
        lines.append(
            "worst, mean, column: voltage or current lost with everything counted; in wires: worst "
            "device, wires alone;"
        )
        lines.append(
            "set, reset: write voltage lost; limit: highest load; write V: whether every written "
            "device gets the voltage that it needs; um2: whole, cells; fJ: a product"
        )
    return lines


_WHOLE = f"{'limit':>9}{'write V':>9}{'um2':>10}{'cells':>10}{'settle ns':>11}{'fJ':>7}"


def _whole(row: Mapping[str, Any]) -> str:
    """Return what a row has once for all modes."""
    from ..base.units import percent

    limits, area, read = row["limits"], row["area"], row["read"]
    used = percent(limits["ratio"]) if "ratio" in limits else "-"
    settle = f"{read['settle_s'] * 1e9:.3g}" if "settle_s" in read else "-"
    energy = f"{read['energy_per_mac_j'] * 1e15:.3g}" if "settle_s" in read else "-"
    sizes = f"{area['area_um2']:>10.0f}{area['array_um2']:>10.0f}"
    return f"{used:>9}{_write(row['write_voltages']):>9}{sizes}{settle:>11}{energy:>7}"


def _write(writes: Mapping[str, Any] | None) -> str:
    """Return in a word whether written devices get what they need."""
    if writes is None:
        return "-"
    return ("met" if writes["met"] else "too low") if writes["judged"] else "unknown"
