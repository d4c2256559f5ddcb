"""`crossstack view`."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..cli import OK
from ..console import Console, output_options
from ..options import EXISTING, PROFILE_NAMES

if TYPE_CHECKING:
    from ..pdk import Tech


@click.command("view")
@click.argument("target", type=click.Path(exists=True, path_type=Path))
@click.option("--png", is_flag=True, help="Draw the layout instead of opening KLayout.")
@click.option(
    "--cross-section",
    "cut",
    metavar="y=UM|x=UM|auto",
    help="Draw the films along a line, as SVG; auto finds a memristor.",
)
@click.option("--glb", is_flag=True, help="Write the stack in three dimensions (GLB).")
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Picture (default <stem>.png, .svg or .glb here).",
)
@click.option("--markers", type=EXISTING, help="DRC markers (.lyrdb) to show.")
@click.option("--size", type=click.IntRange(100, 8000), default=1400, help="Longer side in pixels.")
@click.option("--profile", type=PROFILE_NAMES, help="Post-process profile.")
@output_options
def command(
    target: Path,
    png: bool,
    cut: str | None,
    glb: bool,
    out: Path | None,
    markers: Path | None,
    size: int,
    profile: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Open a layout in KLayout with this process's colours, or draw it.

    TARGET is a GDS or OASIS file, or the folder of a build.
    """
    from ..errors import ConfigError
    from ..layouts import open_layout, origin_of

    console = Console(as_json, quiet)
    file = _layout_in(target)
    if target.is_dir() and markers is None and (target / "drc.lyrdb").is_file():
        markers = target / "drc.lyrdb"
    kinds = [kind for kind, wanted in (("png", png), ("svg", cut), ("glb", glb)) if wanted]
    if len(kinds) > 1:
        raise ConfigError("--png, --cross-section and --glb are three pictures; ask for one")
    if out is not None and not kinds:
        raise ConfigError("-o names a picture: add --png, --cross-section or --glb")
    tech = origin_of(file, profile).resolved_tech()
    open_layout(file, tech, None)
    if not kinds:
        return _open(file, tech, markers)
    picture = out or Path(f"{file.stem}.{kinds[0]}")
    with console.steps(), console.step("picture"):
        if cut is not None:
            _draw_section(file, tech, picture, cut)
        elif glb:
            from ..glb import write_glb

            write_glb(file, tech, picture)
        else:
            _draw_layout(file, tech, picture, size, markers)
    console.say(str(picture))
    console.result({"picture": str(picture)})
    return OK


def _draw_layout(file: Path, tech: Tech, picture: Path, size: int, markers: Path | None) -> None:
    from ..pictures import layout_png

    with _layer_properties(tech) as lyp:
        layout_png(file, lyp, picture, size, markers)


def _draw_section(file: Path, tech: Tech, picture: Path, cut: str) -> None:
    from ..errors import ConfigError
    from ..report.section_svg import STYLE, section_svg

    axis, _, text = cut.partition("=")
    place = None
    if cut != "auto":
        wrong = ConfigError(f"--cross-section {cut}: write it as y=3.5, x=3.5 (um) or auto")
        if axis not in ("x", "y"):
            raise wrong
        try:
            place = (axis, float(text))
        except ValueError:
            raise wrong from None
    svg = section_svg(file, tech, cut=place)
    if not svg:
        raise ConfigError(f"{file} draws no memristor to cut through")
    # outside the report, the picture brings its colours along
    picture.write_text(svg.replace(">", f">{STYLE}", 1), encoding="utf-8")


@contextmanager
def _layer_properties(tech: Tech) -> Iterator[Path]:
    from ..pdk.klayout_tech import lyp_text

    with tempfile.TemporaryDirectory() as folder:
        lyp = Path(folder) / "crossstack.lyp"
        lyp.write_text(lyp_text(tech), encoding="utf-8")
        yield lyp


def _layout_in(target: Path) -> Path:
    from ..flow import load_manifest

    if not target.is_dir():
        return target
    return target / f"{load_manifest(target)['name']}.gds"


def _open(file: Path, tech: Tech, markers: Path | None) -> int:
    from ..pdk import FileError

    program = shutil.which("klayout")
    if program is None:
        raise FileError("klayout is not installed; `crossstack view FILE --png` draws a picture")
    with _layer_properties(tech) as lyp:
        arguments = [program, str(file), "-l", str(lyp)]
        if markers is not None:
            arguments += ["-m", str(markers)]
        code = subprocess.run(arguments, check=False).returncode
    if code:
        raise FileError(f"klayout ended with code {code}")
    return OK
