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
    import klayout.db as db

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
@click.option("--no-markers", is_flag=True, help="Leave out the markers of a build.")
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
    no_markers: bool,
    size: int,
    profile: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Open a layout in KLayout with this technology, its colours and DRC markers, or draw it.

    TARGET is a GDS or OASIS file, or the folder of a build, whose markers are shown.

    \b
    crossstack view gds_out/crossstack_10x10x2 --png -o array.png
    crossstack view edited.gds --png --markers edited_drc.lyrdb
    crossstack view edited.gds --cross-section y=6.5
    """  # noqa: D301
    from ..errors import ConfigError
    from ..layouts import open_layout, origin_of

    console = Console(as_json, quiet)
    file = _layout_in(target)
    if no_markers and markers is not None:
        raise ConfigError("--markers and --no-markers contradict each other")
    if target.is_dir() and markers is None and not no_markers:
        found = target / "drc.lyrdb"
        markers = found if found.is_file() else None
    kinds = [kind for kind, wanted in (("png", png), ("svg", cut), ("glb", glb)) if wanted]
    if len(kinds) > 1:
        raise ConfigError("--png, --cross-section and --glb are three pictures; ask for one")
    if out is not None and not kinds:
        raise ConfigError("-o names a picture: add --png, --cross-section or --glb")
    tech = origin_of(file, profile).resolved_tech()
    layout = open_layout(file, tech, None)
    if not kinds:
        return _open(file, tech, markers)
    picture = out or Path(f"{file.stem}.{kinds[0]}")
    with console.steps(), console.step("picture"):
        if cut is not None:
            _draw_section(file, layout, tech, picture, cut)
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

    with _technology(tech) as (_, lyp):
        layout_png(file, lyp, picture, size, markers)


def _draw_section(file: Path, layout: db.Layout, tech: Tech, picture: Path, cut: str) -> None:
    from ..errors import ConfigError
    from ..report.section_svg import STYLE, section_svg

    place = None if cut == "auto" else _place(cut, layout.top_cell().dbbox())
    svg = section_svg(file, tech, cut=place)
    if not svg:
        raise ConfigError(f"{file} draws no memristor to cut through")
    # outside the report, the picture brings its colours along
    picture.write_text(svg.replace(">", f">{STYLE}", 1), encoding="utf-8")


def _place(cut: str, box: db.DBox) -> tuple[str, float]:
    """Return axis and place of a cut such as ``y=3.5``.

    Raises:
        ConfigError: if it is written otherwise, or misses the layout.
    """
    from ..errors import ConfigError

    axis, _, text = cut.partition("=")
    wrong = ConfigError(f"--cross-section {cut}: write it as y=3.5, x=3.5 (um) or auto")
    if axis not in ("x", "y"):
        raise wrong
    try:
        at = float(text)
    except ValueError:
        raise wrong from None
    low, high = (box.left, box.right) if axis == "x" else (box.bottom, box.top)
    if not low <= at <= high:
        raise ConfigError(f"--cross-section {cut}: the layout lies at {axis} = {low:g} .. {high:g}")
    return axis, at


@contextmanager
def _technology(tech: Tech) -> Iterator[tuple[Path, Path]]:
    """Lend KLayout's files of the technology: its own (.lyt) and the layer colours (.lyp)."""
    from ..pdk.klayout_tech import lyp_text, lyt_text

    with tempfile.TemporaryDirectory() as folder:
        lyt, lyp = (Path(folder) / f"{tech.name}.{kind}" for kind in ("lyt", "lyp"))
        lyt.write_text(lyt_text(tech, lyp.name), encoding="utf-8")
        lyp.write_text(lyp_text(tech), encoding="utf-8")
        yield lyt, lyp


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
    with _technology(tech) as (lyt, lyp):
        arguments = [program, "-nn", str(lyt), str(file), "-l", str(lyp)]
        if markers is not None:
            arguments += ["-m", str(markers)]
        code = subprocess.run(arguments, check=False).returncode
    if code:
        raise FileError(f"klayout ended with code {code}")
    return OK
