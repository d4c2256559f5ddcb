"""`crossstack view`."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import click

from ..cli import OK
from ..console import Console, output_options
from ..options import EXISTING, PROFILE_NAMES


@click.command("view")
@click.argument("target", type=click.Path(exists=True, path_type=Path))
@click.option("--png", is_flag=True, help="Draw a picture instead of opening KLayout.")
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Picture (default <stem>.png here).",
)
@click.option("--markers", type=EXISTING, help="DRC markers (.lyrdb) to show.")
@click.option("--size", type=click.IntRange(100, 8000), default=1400, help="Longer side in pixels.")
@click.option("--profile", type=PROFILE_NAMES, help="Post-process profile.")
@output_options
def command(
    target: Path,
    png: bool,
    out: Path | None,
    markers: Path | None,
    size: int,
    profile: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Open a layout in KLayout with this process's colours, or draw it with --png.

    TARGET is a GDS or OASIS file, or the folder of a build.
    """
    from ..errors import ConfigError
    from ..layouts import open_layout, origin_of
    from ..pdk.klayout_tech import lyp_text

    console = Console(as_json, quiet)
    file = _layout_in(target)
    if target.is_dir() and markers is None and (target / "drc.lyrdb").is_file():
        markers = target / "drc.lyrdb"
    if out is not None and not png:
        raise ConfigError("-o names a picture: add --png")
    tech = origin_of(file, profile).resolved_tech()
    with tempfile.TemporaryDirectory() as folder:
        lyp = Path(folder) / "crossstack.lyp"
        lyp.write_text(lyp_text(tech), encoding="utf-8")
        if png:
            from ..pictures import layout_png

            open_layout(file, tech, None)
            picture = out or Path(f"{file.stem}.png")
            layout_png(file, lyp, picture, size, markers)
            console.say(str(picture))
            console.result({"picture": str(picture)})
            return OK
        return _open(file, lyp, markers)


def _layout_in(target: Path) -> Path:
    from ..flow import load_manifest

    if not target.is_dir():
        return target
    return target / f"{load_manifest(target)['name']}.gds"


def _open(file: Path, lyp: Path, markers: Path | None) -> int:
    from ..pdk import FileError

    program = shutil.which("klayout")
    if program is None:
        raise FileError("klayout is not installed; `crossstack view FILE --png` draws a picture")
    arguments = [program, str(file), "-l", str(lyp)]
    if markers is not None:
        arguments += ["-m", str(markers)]
    code = subprocess.run(arguments, check=False).returncode
    if code:
        raise FileError(f"klayout ended with code {code}")
    return OK
