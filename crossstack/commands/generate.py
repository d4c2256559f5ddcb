"""`crossstack generate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..array_options import array_options
from ..base.errors import OK
from ..console import Console, output_options
from ..options import out_option
from ..typed import NearChoice


@click.command("generate")
@array_options
@click.option(
    "--format", "kind", type=NearChoice(["gds", "oas"]), default="gds", help="Layout format."
)
@out_option("Folder for the files (default: here).", Path())
@output_options
def command(
    config: Path | None, kind: str, out: Path, as_json: bool, quiet: bool, **options: Any
) -> int:
    """Draw an array: <name>.gds or .oas, its reference netlist, and <name>.json beside them.

    The .json records the profile of the layout for the other commands.

    \b
    crossstack generate --rows 16 --cols 8 --name wide
    crossstack generate array.yaml --top macro -o layouts
    """  # noqa: D301
    from ..config import config_of, read_values
    from ..flow import generate

    console = Console(as_json, quiet)
    values = read_values(config, options)
    with values.named():
        made = generate(config_of(values), out, kind, console)
    for remark in made["warnings"]:
        console.note(remark)
    for path in made["files"]:
        console.say(path)
    console.result(made)
    return OK
