"""`crossstack build`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..array_options import array_options
from ..base.errors import FOUND, OK
from ..console import Console, output_options
from ..formats import FormatCommand, Formats, format_options
from ..options import capacitance_engine_option, limits_line, limits_option, out_option, within

if TYPE_CHECKING:
    from ..base.outcome import Outcome
    from ..built import Build


@click.command("build", cls=FormatCommand)
@array_options
@out_option("Folder that receives <name>/ (default gds_out).", Path("gds_out"))
@limits_option
@capacitance_engine_option
@click.option(
    "--fail-on",
    multiple=True,
    metavar="NAME>VALUE",
    help="Exit with 1 if a figure is there, e.g. worst_column>3% or settle_s>20ns; may be "
    "repeated. A figure that is not known counts as there.",
)
@format_options
@output_options
def command(
    config: Path | None,
    out: Path,
    limits: str,
    c_engine: str | None,
    fail_on: tuple[str, ...],
    formats: Formats,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Draw, check, extract and solve an array; leave everything in one folder.

    CONFIG is a YAML file with the same keys as the options (rows, cols, cell, ...) and two
    optional sections: `tech` (sheet_resistance_ohm_sq, corner, temperature_c) and `device`
    (r_on_ohm, v_set_v, law and other figures of the memristors). Options win over the file.
    A run that fails leaves an earlier result whole. Exit code 1 if a rule is broken or the
    netlist differs; a current above its limit, or a written device that gets less than it
    needs, is reported and gives 1 with --limits fail.

    \b
    crossstack build --rows 10 --cols 10
    crossstack build array.yaml --profile aligner -o results
    crossstack build array.yaml --fail-on "worst_column>3%" --output build.xml
    """  # noqa: D301
    from ..built import json_of
    from ..config import config_of, read_values
    from ..fail_on import conditions_of, judged, words
    from ..flow import build

    conditions = conditions_of(fail_on)
    console = formats.console(as_json, quiet, config)
    values = read_values(config, options)
    with values.named():
        result = build(config_of(values), out, console, capacitance_engine=c_engine or "formula")
    found = judged(conditions, result)
    value = {**result.to_json(), "fail_on": found}
    formats.write(_outcomes(result, found, limits), value)
    for remark in result.warnings:
        console.note(remark)
    say(console, result)
    for row in found:
        console.say(f"  {words(row)}")
    fit = within(limits, result.limits.to_json(), json_of(result.write_voltages))
    if limits == "fail":
        console.say(f"  {limits_line(fit, 'build')}")
    console.result(value)
    good = result.passed and fit and not any(row["fails"] for row in found)
    return OK if good else FOUND


def _outcomes(result: Build, found: list[dict[str, Any]], limits: str) -> list[Outcome]:
    """Return what every check of a build found, for --format."""
    from .. import fail_on
    from ..analyse import formats as of_currents
    from ..base.outcome import UNKNOWN, Case, Outcome
    from ..drc import formats as of_rules
    from ..lvs import formats as of_netlist

    source, fail = str(result.folder / f"{result.name}.gds"), limits == "fail"
    outcomes = []
    if result.drc is not None:
        outcomes.append(of_rules.outcome_of(replace(result.drc, source=source)))
    if result.lvs is not None:
        outcomes.append(of_netlist.outcome_of(result.lvs.to_json(), source, result.name))
    outcomes.append(
        of_currents.outcome_of(result.em, result.limits, source, result.name, fail=fail)
    )
    if result.not_done:
        cases = [Case(step, "it is done", UNKNOWN, why) for step, why in result.not_done.items()]
        outcomes.append(Outcome("build", source, result.name, tuple(cases)))
    if found:
        outcomes.append(fail_on.outcome_of(found, source, result.name))
    return outcomes


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
    for line in [] if result.ir_drop is None else drop_lines(result.ir_drop):
        console.say(f"  {line}")
    console.say(f"  open  {result.folder / 'report.html'}")
