"""`crossstack limits`."""

from __future__ import annotations

from pathlib import Path

import click

from ..base.errors import FOUND, OK
from ..console import output_options
from ..formats import FormatCommand, Formats, format_options
from ..named import EXISTING_OR_FOLDER
from ..options import (
    check_results,
    device_figures,
    device_option,
    out_option,
    process_option,
    within,
)


@click.command("limits", cls=FormatCommand)
@click.argument("network", type=EXISTING_OR_FOLDER)
@format_options
@out_option("Folder for <stem>_limits.json (default: none is written).")
@device_option
@process_option
@output_options
def command(
    network: Path,
    formats: Formats,
    out: Path | None,
    device: tuple[str, ...],
    process: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Compare currents and write voltages with their limits; 0 met, 1 not met or not judged.

    NETWORK is a file by `crossstack extract`, or the folder of a build. Every mode that the array
    offers is solved for the worst case: reads count as direct current, writes by their average
    over the slots of their columns. What written devices get is compared with what they need to
    switch.

    \b
    crossstack limits network.npz --output limits.xml --output limits.sarif
    """  # noqa: D301
    from ..analyse import analysis
    from ..analyse.electromigration import current_limits_of, em_report
    from ..analyse.formats import outcome_of
    from ..base.errors import ConfigError
    from ..base.files import together, write_json
    from ..built import json_of
    from ..layouts import wires_in
    from ..solve import Network

    console = formats.console(as_json, quiet, network)
    wires = wires_in(network, process=process).with_device(device_figures(device))
    loaded, tech = wires.found, wires.tech
    check_results(out, f"{wires.path.stem}_limits.json")
    if not isinstance(loaded, Network):
        raise ConfigError(f"limits needs a network with named nodes, {analysis.TOO_LARGE}")
    with console.steps():
        what = analysis.stimulus(loaded, tech)
        done, _ = analysis.solve_modes(loaded, tech, what, console)
        with console.step("current limits"):
            limits = current_limits_of(tech, tech.conditions.temperature_c)
            judged = {**done, **analysis.unread_writes(loaded)}
            found = em_report(loaded, tech, limits, judged, what)
    value, verdict, writes = found.to_json(), found.verdict, found.write_voltages
    stem = wires.path.stem
    if out is not None:
        with together(out) as work:
            write_json(work / f"{stem}_limits.json", value)
    value["notes"] = [*wires.notes]
    formats.write([outcome_of(found, verdict, str(wires.path), stem, fail=True)], value)
    for note in wires.notes:
        console.note(note)
    console.say(f"{wires.path.name}: {verdict.text}")
    if writes is not None:
        console.say(f"  {writes.text}")
    if out is not None:
        console.say(f"  {out / f'{stem}_limits.json'}")
    console.result(value)
    return OK if within("fail", verdict.to_json(), json_of(writes)) else FOUND
