"""`crossstack lvs`."""

from __future__ import annotations

from pathlib import Path

import click

from ..base.errors import FOUND, OK
from ..console import output_options
from ..formats import FormatCommand, Formats, format_options
from ..named import EXISTING
from ..options import check_results, folder_beside, layout_options, out_option
from ..typed import NearChoice

#: errors that are printed; the report holds all of them
_MOST = 20


@click.command("lvs", cls=FormatCommand)
@layout_options
@click.option("--netlist", type=EXISTING, help="Reference netlist in SPICE (of a build: its own).")
@click.option(
    "--second",
    type=NearChoice(["magic"]),
    help="Let another extractor find nets and devices, too, and compare them with ours.",
)
@format_options
@out_option("Folder for <stem>_lvs.json and <stem>.lvsdb (default: beside FILE; of a build, here).")
@output_options
def command(
    file: Path,
    top: str | None,
    process: str | None,
    profile: str | None,
    netlist: Path | None,
    second: str | None,
    formats: Formats,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Compare a layout with a netlist; 0 match, 1 mismatch.

    FILE is any GDS or OASIS of this process, or the folder of a build, whose netlist is taken if
    none is given.

    Devices and nets come from the polygons alone; labels name pins and join nothing. With
    --second magic, a difference between our extraction and Magic's counts as a mismatch, too.
    """
    from ..base.files import together, write_json
    from ..layouts import layout_in, origin_of

    console = formats.console(as_json, quiet, file, netlist)
    folder, given, file = folder_beside(file, out), file, layout_in(file)
    if netlist is None:
        netlist = _netlist_of(given, file)
    check_results(folder, f"{file.stem}.lvsdb", f"{file.stem}_lvs.json")
    origin = origin_of(file, profile, process)
    tech = origin.resolved_tech()
    # what takes long to load comes after what may be refused
    from ..lvs import compare_layout, extract_layout
    from ..lvs.formats import outcome_of
    from ..signoff.summary import lvs_line

    with console.steps():
        with console.step("extract devices"):
            extracted = extract_layout(file, tech, top)
        with console.step("compare"):
            report = compare_layout(extracted, netlist, tech)
            warnings = [*origin.notes, *extracted.warnings]
            value = {**report.to_json(), "warnings": warnings}
        said = ""
        if second is not None:
            from ..lvs.second import ask_magic, opinion_line, with_opinion

            with console.step(second):
                opinion = ask_magic(extracted, extracted.layout)
            value, said = with_opinion(value, opinion), opinion_line(opinion)
        with console.step("write"), together(folder) as work:
            report.write(work / f"{file.stem}.lvsdb")
            write_json(work / f"{file.stem}_lvs.json", value)
    formats.write([outcome_of(value, str(file), extracted.top_name)], value)
    for warning in warnings:
        console.note(warning)
    database = folder / f"{file.stem}.lvsdb"
    console.say(f"{file.name}: {lvs_line(value)}")
    if report.note:
        console.say(f"  {report.note}")
    for error in value["errors"][:_MOST]:
        console.say(f"  {error}")
    if len(value["errors"]) > _MOST:
        console.say(f"  and {len(value['errors']) - _MOST} more")
    if said:
        console.say(said)
    console.say(f"  {database}")
    console.result({**value, "database": str(database)})
    return OK if value["match"] else FOUND


def _netlist_of(given: Path, file: Path) -> Path:
    """Return the netlist of a build.

    Raises:
        UsageError: if the layout was named, not its build.
        FileError: if the build has lost its netlist.
    """
    from ..pdk import FileError

    if not given.is_dir():
        raise click.UsageError("missing option '--netlist'", click.get_current_context())
    netlist = file.with_suffix(".spice")
    if not netlist.is_file():
        raise FileError(f"{given} holds no {netlist.name}: not a complete build")
    return netlist
