"""`crossstack drc`."""

from __future__ import annotations

from pathlib import Path

import click

from ..base.errors import FOUND, OK
from ..base.spans import COUNT
from ..console import Console, output_options
from ..formats import FormatCommand, Formats, format_options
from ..named import EXISTING, EXISTING_OR_FOLDER
from ..options import check_results, folder_beside, layout_flags, out_option
from ..typed import Whole


def _complete_rules(ctx: click.Context, param: click.Parameter, typed: str) -> list[str]:
    """Return the rules that begin like what was typed."""
    from ..pdk import DEFAULT, CrossStackError, get_tech

    try:
        process = ctx.params.get("process") or DEFAULT
        rules = get_tech(ctx.params.get("profile") or "", process).rules
    except CrossStackError:
        return []
    return [rule.name for rule in rules if rule.name.startswith(typed)]


@click.command("drc", cls=FormatCommand)
@click.argument("file", type=EXISTING_OR_FOLDER, required=False)
@layout_flags
@click.option("--list", "list_rules", is_flag=True, help="List the rules instead, without a FILE.")
@click.option(
    "--rules",
    multiple=True,
    metavar="NAME",
    shell_complete=_complete_rules,
    help="Only this rule or glob; may be repeated.",
)
@click.option("--waivers", type=EXISTING, help="YAML: rule, cell or box, reason, expiry date.")
@click.option(
    "--threads",
    type=Whole(COUNT),
    default=None,
    help="Processes (default 1, all cores for a filled die).",
)
@format_options
@out_option(
    "Folder for <stem>_drc.lyrdb and <stem>_drc.json (default: beside FILE; of a build, here)."
)
@output_options
def command(
    file: Path | None,
    top: str | None,
    process: str | None,
    profile: str | None,
    list_rules: bool,
    rules: tuple[str, ...],
    waivers: Path | None,
    threads: int | None,
    formats: Formats,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Check the design rules of a layout; 0 clean, 1 violations.

    FILE is any GDS or OASIS of this process, also one edited by hand, or the folder of a build.
    The markers open in KLayout
    (Tools, Marker Browser), or as a picture: crossstack view FILE --png --markers M.lyrdb.

    \b
    crossstack drc chip.gds --waivers waivers.yaml --format junit > drc.xml
    crossstack drc chip.gds --format github --output drc.xml --output drc.sarif
    crossstack drc --list --process FOLDER
    """  # noqa: D301
    from dataclasses import replace
    from datetime import date

    from ..base.files import together
    from ..layouts import layout_in, origin_of

    console = formats.console(as_json, quiet, file, waivers)
    if list_rules:
        if file is not None or formats != Formats():
            raise click.UsageError("--list takes no FILE, --format or --output")
        return _list(console, process, profile, rules)
    if file is None:
        raise click.UsageError("missing argument 'FILE'")
    folder, file = folder_beside(file, out), layout_in(file)
    check_results(folder, f"{file.stem}_drc.lyrdb", f"{file.stem}_drc.json")
    origin = origin_of(file, profile, process)
    # what takes long to load comes after what may be refused
    from ..drc import apply_waivers, load_waivers, run_drc
    from ..drc.formats import outcome_of, to_json_text, to_text
    from ..signoff.summary import drc_line

    accepted = load_waivers(waivers) if waivers is not None else ()
    with console.steps(), console.step("design rules") as step:
        report = run_drc(
            file,
            origin.resolved_tech(),
            top=top,
            rules=list(rules) or None,
            threads=threads,
            progress=step,
        )
    report = replace(report, notes=(*origin.notes, *report.notes))
    if accepted:
        report = apply_waivers(report, accepted, date.today())
    for remark in (*report.notes, *report.waiver_notes):
        console.note(remark)
    with together(folder) as work:
        report.write_lyrdb(work / f"{file.stem}_drc.lyrdb")
        report.write_json(work / f"{file.stem}_drc.json")
    markers = folder / f"{file.stem}_drc.lyrdb"
    value = report.to_json()
    own = {"text": lambda: to_text(report), "json": lambda: to_json_text(report)}
    formats.write([outcome_of(report)], value, own)
    console.say(f"{file.name}: {drc_line(value)} (profile {origin.profile}, {origin.source})")
    console.say(f"  {markers}")
    console.result({**value, "profile": origin.profile, "markers": str(markers)})
    return OK if report.clean else FOUND


def _list(
    console: Console, process: str | None, profile: str | None, patterns: tuple[str, ...]
) -> int:
    """Say what the rules of a process are."""
    from ..drc.engine import select_rules
    from ..pdk import DEFAULT, get_tech

    tech = get_tech(profile or "", process or DEFAULT)
    found = select_rules(tech, patterns or ("*",))
    for rule in found:
        console.say(f"{rule.name:<12} {rule.kind:<20} {' '.join(rule.layers)}: {rule.text}")
    console.result(
        {
            "process": tech.key,
            "profile": tech.profile.name,
            "rules": [
                {"name": r.name, "kind": r.kind, "layers": list(r.layers), "value": r.value,
                 "text": r.text, "source": r.source}
                for r in found
            ],
        }
    )  # fmt: skip
    return OK
