"""`crossstack report`."""

from __future__ import annotations

from pathlib import Path

import click

from ..cli import FOUND, OK
from ..console import Console, output_options


@click.command("report")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@output_options
def command(folder: Path, as_json: bool, quiet: bool) -> int:
    """Write pictures and report.html of a build again, from the files in FOLDER.

    Exit code 1 if the build had failed a check.
    """
    from ..flow import redo_report

    console = Console(as_json, quiet)
    with console.steps():
        manifest = redo_report(folder, console)
    console.say(str(folder / "report.html"))
    console.result({"report": str(folder / "report.html"), "passed": manifest["passed"]})
    return OK if manifest["passed"] else FOUND
