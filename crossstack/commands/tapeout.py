"""`crossstack tapeout`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..base.errors import FOUND, OK
from ..base.spans import DIE, DIE_STEP_UM, LAYER, WAFER_UM
from ..console import Console, output_options
from ..formats import FormatCommand, Formats, format_options
from ..named import EXISTING, EXISTING_OR_FOLDER, PROFILE_NAMES
from ..options import check_results, out_option, process_option
from ..typed import Number, Whole

if TYPE_CHECKING:
    from ..pdk import Tech
    from ..signoff.checks import Check
    from ..signoff.tapeout import Source
    from ..signoff.wafer import Wafer

#: what only the package of a chip holds
_OF_A_CHIP = ("pads.csv", "bonding.svg", "probe_plan.csv", "wafer_map.csv", "wafer_map.svg")


@click.command("tapeout", cls=FormatCommand)
@click.argument("source", type=EXISTING_OR_FOLDER)
@click.option("--slot", help="Slot of the shuttle that the die must fill, by name.")
@click.option("--check-only", is_flag=True, help="Check the files that are there; write no GDS.")
@click.option("--netlist", type=EXISTING,
              help="Reference netlist (default: <stem>.spice beside the layout).")  # fmt: skip
@click.option("--keep-layer", "keep", multiple=True, metavar="LAYER/DATATYPE",
              help=f"Write this unknown layer, too: each number {LAYER.ends}; may be "
              "repeated.")  # fmt: skip
@process_option
@click.option("--profile", type=PROFILE_NAMES, help="Post-process profile (default: as built).")
@click.option(
    "--die-pitch-um",
    type=(Number(DIE_STEP_UM), Number(DIE_STEP_UM)),
    help=f"Step from die to die along x and y in um: {DIE_STEP_UM.ends} (default: the die's size, "
    "which is the least).",
)
@click.option(
    "--first-die-um",
    type=(Number(WAFER_UM), Number(WAFER_UM)),
    default=(0.0, 0.0),
    help=f"Lower-left corner of die 0 0 in um from the wafer's centre: {WAFER_UM.ends} (default "
    "0 0).",
)
@click.option(
    "--die",
    "dies",
    type=(Whole(DIE), Whole(DIE)),
    multiple=True,
    default=((0, 0),),
    help=f"Column and row of a die whose marks to list, counted from die 0 0: {DIE.ends}; may be "
    "repeated.",
)
@format_options
@out_option("Folder for the package (default: tapeout/ beside the layout).")
@output_options
def command(
    source: Path,
    slot: str | None,
    check_only: bool,
    netlist: Path | None,
    keep: tuple[str, ...],
    process: str | None,
    profile: str | None,
    die_pitch_um: tuple[float, float] | None,
    first_die_um: tuple[float, float],
    dies: tuple[tuple[int, int], ...],
    formats: Formats,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Write the files for foundry and mask shop and check each sign-off item by name.

    SOURCE is a folder that `crossstack build` left, or a GDS or OASIS file. The package holds
    <name>_foundry.gds, <name>_masks.gds, tapeout.json, tapeout.txt and README.txt; that of a chip
    also pads.csv, bonding.svg, probe_plan.csv, wafer_map.csv and wafer_map.svg.
    Design rules and netlist are checked anew; with --check-only the fill of the package is judged
    with the layout. The verdict is ready, not ready (a check failed) or unknown (nothing failed,
    but not everything was judged): 0 for ready, else 1; the package is written all the same.
    How the circuit works is in no verdict of this command: limits judges currents, solve the rest.

    \b
    crossstack tapeout gds_out/crossstack_testchip_10x10x2
    crossstack tapeout gds_out/crossstack_testchip_10x10x2 --check-only
    """  # noqa: D301
    from ..base import files
    from ..base.layout import ONE_TOP, open_layout
    from ..layouts import tapeout_source
    from ..plans import TAPEOUT
    from ..signoff import tapeout
    from ..signoff import wafer as wafers
    from ..signoff.formats import outcome_of

    console = formats.console(as_json, quiet, source, netlist)
    found = tapeout_source(source, profile, keep, netlist, process)
    wanted = tapeout.slot_named(found.tech, slot)
    folder = tapeout.package_folder(found, out)
    check_results(
        folder, *(f"{found.name}_{kind}.gds" for kind in tapeout.kinds(found.tech)),
        "tapeout.json", "tapeout.txt", "README.txt", *_OF_A_CHIP,
    )  # fmt: skip
    wafer = wafers.Wafer(die_pitch_um, first_die_um, dies)
    opened = open_layout(found.path, found.tech.drawing, several=ONE_TOP)
    for warning in opened.warnings:
        console.note(warning)
    plan = {name: share for name, share in TAPEOUT.items() if not (check_only and "write" in name)}
    may = _OF_A_CHIP if check_only else (*_OF_A_CHIP, f"{found.name}_masks.gds")
    with console.steps(plan), files.together(folder, may) as work:
        where, made_from = folder, tapeout.recorded_source(folder) if check_only else None
        if not check_only:
            with console.step("write package"):
                tapeout.write_parts(opened, found.name, found.tech, work, found.keep)
            where = work
        plan_of_chip, unplanned = _plan(found)
        report = tapeout.inspect(
            found, opened, where, wanted, wafer, made_from,
            fresh=not check_only, steps=console.step, also=unplanned,
        )  # fmt: skip
        _write_lists(work, report, found.tech, wafer, plan_of_chip)
    formats.write([outcome_of(report, str(found.path))], report)
    _say(console, report, folder)
    console.result(report)
    return OK if report["passed"] else FOUND


def _write_lists(
    work: Path, report: dict[str, Any], tech: Tech, wafer: Wafer, plan: list[dict[str, Any]]
) -> None:
    """Write the report, and of a chip its pads and dies, for programs and for people."""
    from ..base import files, outputs
    from ..lab import plan_csv
    from ..signoff import bonding, handover, listing, pads
    from ..signoff import wafer as wafers

    files.write_json(work / "tapeout.json", report)
    files.write_lines(work / "tapeout.txt", listing.text_lines(report, tech))
    files.write_lines(work / "README.txt", handover.readme(report, report["pads"]))
    if report["pads"]:
        files.write_lines(work / "pads.csv", pads.pad_lines(report["pads"]))
        diagram = bonding.bonding_svg(report["name"], report["die_um"], report["pads"])
        outputs.write_text(work / "bonding.svg", diagram)
    if plan:
        outputs.write_text(work / "probe_plan.csv", plan_csv(plan))
    on_wafer = wafers.wafer_dies(wafer, report["die_um"]) if report["pads"] else []
    if on_wafer:
        files.write_lines(work / "wafer_map.csv", wafers.map_lines(on_wafer))
        picture = wafers.map_svg(report["name"], report["die_um"], wafer, on_wafer)
        outputs.write_text(work / "wafer_map.svg", picture)


def _say(console: Console, report: dict[str, Any], folder: Path) -> None:
    """Say what is not in order, and the verdict."""
    for check in report["checks"]:
        if check["status"] != "ok":
            console.say(f"{check['status']}: {check['name']}: {check['file']}: {check['text']}")
    done = sum(check["status"] == "ok" for check in report["checks"])
    verdict = report["verdict"]
    shown = verdict if verdict == "ready" else verdict.upper()
    console.say(f"{report['name']}: {shown}, {done} of {len(report['checks'])} checks passed")
    for text in report["remarks"]:
        console.say(f"  {text}")
    for text in report["not_judged"]:
        console.say(f"  not judged: {text}")
    console.say(f"  {folder / 'tapeout.txt'}")


def _plan(source: Source) -> tuple[list[dict[str, Any]], list[Check]]:
    """Return the steps of the probe card, and what must be known where there can be none."""
    from ..lab import probe_plan
    from ..pdk import NoRuleError
    from ..signoff.checks import Check

    try:
        return probe_plan(source.path, source.tech), []
    except NoRuleError as error:
        text = f"cells are named as process monitors, but {error}"
        return [], [Check("probe plan", source.path.name, "unknown", text)]
