"""`crossstack report`."""

from __future__ import annotations

from pathlib import Path

import click

from ..base.errors import FOUND, OK
from ..base.outputs import check_folder
from ..console import Console, output_options


@click.command("report")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@output_options
def command(folder: Path, as_json: bool, quiet: bool) -> int:
    """Write report.html again, from the files in FOLDER.

    FOLDER is what `build`, `compare`, `sweep`, `size` or `solve -o` left. The report of a build
    also shows the results of `foundry drc` and `tapeout`. Exit code 1 if a check failed.
    """
    from ..flow import redo_report

    console = Console(as_json, quiet)
    check_folder(folder)
    with console.steps():
        passed = redo_report(folder, console)
    console.say(str(folder / "report.html"))
    console.result({"report": str(folder / "report.html"), "passed": passed})
    return OK if passed else FOUND
