"""`crossstack drc`."""

from __future__ import annotations

from pathlib import Path

import click

from ..cli import FOUND, OK
from ..console import Console, output_options
from ..options import layout_options, out_option


@click.command("drc")
@layout_options
@click.option("--rule", "rules", multiple=True, help="Run only this rule or glob; may be repeated.")
@click.option("--threads", type=click.IntRange(1), default=1, help="Threads (default 1).")
@click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write JUnit XML to this file."
)
@click.option(
    "--github",
    is_flag=True,
    envvar="GITHUB_ACTIONS",
    help="Print annotations for GitHub (on by itself there).",
)
@out_option("Folder for <stem>_drc.lyrdb and <stem>_drc.json (default: beside FILE).")
@output_options
def command(
    file: Path,
    top: str | None,
    profile: str | None,
    rules: tuple[str, ...],
    threads: int,
    junit: Path | None,
    github: bool,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Check the design rules of a layout; 0 clean, 1 violations.

    FILE is any GDS or OASIS of this process, also one edited by hand. The markers open in KLayout
    (Tools, Marker Browser), or as a picture: crossstack view FILE --png --markers M.lyrdb.
    """
    from ..ci import github_lines, write_junit
    from ..drc import run_drc
    from ..files import together
    from ..layouts import origin_of
    from ..summary import drc_line

    console = Console(as_json, quiet)
    origin = origin_of(file, profile)
    tech = origin.resolved_tech()
    folder = out or file.parent
    with console.steps(), console.step("design rules") as step:
        report = run_drc(
            file, tech, top=top, rules=list(rules) or None, threads=threads, progress=step
        )
    for remark in report.notes:
        console.note(remark)
    with together(folder) as work:
        report.write_lyrdb(work / f"{file.stem}_drc.lyrdb")
        report.write_json(work / f"{file.stem}_drc.json")
    if junit is not None:
        write_junit(report, file, junit)
    if github and not as_json:
        for line in github_lines(report, file.name):
            click.echo(line)
    markers = folder / f"{file.stem}_drc.lyrdb"
    value = report.to_json()
    console.say(f"{file.name}: {drc_line(value)} (profile {origin.profile}, {origin.source})")
    console.say(f"  {markers}")
    console.result({**value, "profile": origin.profile, "markers": str(markers)})
    return OK if report.clean else FOUND
