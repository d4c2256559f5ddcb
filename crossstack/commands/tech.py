"""`crossstack tech`."""

from __future__ import annotations

import shutil
from pathlib import Path
from sysconfig import get_path

import click

from ..base.errors import OK
from ..cli import HelpGroup
from ..console import Console, output_options
from ..named import FOLDER
from ..options import process_choice


@click.group("tech", cls=HelpGroup)
def command() -> None:
    """Give KLayout this process: technology, layers, 2.5-D view, DRC, LVS and PCells."""


@command.command("install")
@click.option(
    "--klayout-home", type=FOLDER, help="KLayout's folder (default: KLAYOUT_HOME or yours)."
)
@process_choice
@output_options
def install(klayout_home: Path | None, process: str, as_json: bool, quiet: bool) -> int:
    """Install the package for your KLayout; start KLayout again afterwards.

    Then: technology <process>_crossstack, Tools > DRC, LVS and 2.5d View, library CrossStack.
    Packages of several processes may be installed beside each other; one of the same name as
    another process is refused.
    """
    from ..klayout.package import klayout_home as default_home
    from ..klayout.package import package_name, refuse_other

    home = klayout_home or default_home()
    # the program of this very installation, which need not be on PATH
    program = shutil.which("crossstack", path=get_path("scripts")) or shutil.which("crossstack")
    target = home / "salt" / package_name(process)
    refuse_other(target, process)
    return _write(target, program, process, Console(as_json, quiet))


@command.command("export")
@click.argument("folder", type=FOLDER)
@process_choice
@output_options
def export(folder: Path, process: str, as_json: bool, quiet: bool) -> int:
    """Write the package into FOLDER, to be shared: a salt package with its grain.xml."""
    return _write(folder, None, process, Console(as_json, quiet))


def _write(target: Path, program: str | None, process: str, console: Console) -> int:
    from ..klayout.package import write_package

    files = write_package(target, program, process)
    console.say(f"{target}: {len(files)} files")
    console.result({"folder": str(target), "files": files})
    return OK
