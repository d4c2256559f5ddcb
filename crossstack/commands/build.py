"""`crossstack build`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..base.errors import FOUND, OK
from ..console import Console, output_options
from ..options import array_options, limits_option, out_option, within

if TYPE_CHECKING:
    from ..flow import Build


@click.command("build")
@array_options
@out_option("Folder that receives <name>/ (default gds_out).", Path("gds_out"))
@limits_option
@output_options
def command(
    config: Path | None, out: Path, limits: str, as_json: bool, quiet: bool, **options: Any
) -> int:
    """Draw, check, extract and solve an array; leave everything in one folder.

    CONFIG is a YAML file with the same keys as the options (rows, cols, cell, ...) and an
    optional section `tech` (sheet_resistance_ohm_sq, corner, temperature_c). Options win over
    the file. A run that fails leaves an earlier result whole. Exit code 1 if a rule is broken or
    the netlist differs; a current above its limit, or a written device that gets less than it
    needs, is reported and gives 1 with --limits fail.

    \b
    crossstack build --rows 10 --cols 10
    crossstack build array.yaml --profile aligner -o results
    """  # noqa: D301
    from ..config import config_of, read_values
    from ..flow import build

    console = Console(as_json, quiet)
    values = read_values(config, options)
    with values.named():
        result = build(config_of(values), out, console)
    for remark in result.warnings:
        console.note(remark)
    say(console, result)
    console.result(result.to_json())
    fit = within(limits, result.limits, result.write_voltages)
    return OK if result.passed and fit else FOUND


def say(console: Console, result: Build) -> None:
    """Print the verdicts of a build for people."""
    from ..analyse.summary import drop_lines
    from ..signoff.summary import drc_line, lvs_line

    total = sum(result.seconds.values())
    console.say(f"{result.name}: {result.verdict} ({total:.1f} s)")
    if result.drc is not None:
        console.say(f"  DRC   {drc_line(result.drc.to_json())}")
    if result.lvs is not None:
        console.say(f"  LVS   {lvs_line(result.lvs.to_json())}")
    for step, why in result.not_done.items():
        console.say(f"  not done: {step}: {why}")
    for warning in result.extraction.get("warnings", []):
        console.say(f"  extraction: {warning}")
    for line in drop_lines(result.ir_drop):
        console.say(f"  {line}")
    console.say(f"  open  {result.folder / 'report.html'}")
