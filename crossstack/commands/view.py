"""`crossstack view`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..base.errors import OK
from ..base.outputs import check_target
from ..base.spans import CUT_UM, Span
from ..console import Console, output_options
from ..named import EXISTING, EXISTING_OR_FOLDER, PROFILE_NAMES
from ..options import process_option
from ..typed import Number, Whole

if TYPE_CHECKING:
    import klayout.db as db

    from ..pdk import Tech
    from ..report.cut import Cut

#: what KLayout runs before it opens the files: one that was never set up draws the top cell only,
#: frames of the cells in it, and lays two windows with advice over the layout
_QUIET = """\
import pya
pya.Application.instance().crossstack_kept = kept = {}
for key, value in (
    ("full-hierarchy-new-cell", "true"),
    ("tip-window-hidden", "only-top-level-shown-by-default,editor-mode"),
):
    kept[key] = pya.Application.instance().get_config(key) or ""
    pya.Application.instance().set_config(key, value)
"""
#: what it runs once they are open; how it was set up comes back
_WHOLE = """\
import pya
window = pya.Application.instance().main_window()
for k in range(window.views()):
    window.view(k).max_hier()
    window.view(k).zoom_fit()
for key, value in getattr(pya.Application.instance(), "crossstack_kept", {}).items():
    pya.Application.instance().set_config(key, value)
"""


@click.command("view")
@click.argument("target", type=EXISTING_OR_FOLDER)
@click.option("--png", is_flag=True, help="Draw the layout instead of opening KLayout.")
@click.option(
    "--cross-section",
    "cut",
    metavar="PLACE",
    help="Draw the films in a cut, as SVG: auto (a memristor), y=UM or x=UM; the other coordinate "
    f"and width=UM ({CUT_UM.ends}, default 8) may follow.",
)
@click.option("--glb", is_flag=True, help="Write the stack in three dimensions (GLB), 1 um as 1 m.")
@click.option(
    "--stretch",
    type=Number(Span(0.01, 1000)),
    help="With --glb: factor on all heights (default 1).",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Picture: .png, of a cut .svg, of --glb .glb (default <stem>.<ending> here).",
)
@click.option("--markers", type=EXISTING, help="DRC markers (.lyrdb) to show.")
@click.option("--no-markers", is_flag=True, help="Leave out the markers of a build.")
@click.option(
    "--size",
    type=Whole(Span(100, 8000, whole=True)),
    default=1400,
    show_default=True,
    help="Longer side in pixels.",
)
@process_option
@click.option("--profile", type=PROFILE_NAMES, help="Post-process profile.")
@output_options
def command(
    target: Path,
    png: bool,
    cut: str | None,
    glb: bool,
    stretch: float | None,
    out: Path | None,
    markers: Path | None,
    no_markers: bool,
    size: int,
    process: str | None,
    profile: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Open a layout in KLayout with this technology, its colours and DRC markers, or draw it.

    TARGET is a GDS or OASIS file, or the folder of a build, whose markers are shown.

    \b
    crossstack view gds_out/crossstack_10x10x2 --png -o array.png
    crossstack view edited.gds --png --markers edited_drc.lyrdb
    crossstack view edited.gds --cross-section y=6.5,x=12,width=20
    crossstack view edited.gds --glb --stretch 3
    """  # noqa: D301
    from ..base.errors import ConfigError
    from ..layouts import layout_in, origin_of

    console = Console(as_json, quiet)
    file = layout_in(target)
    if no_markers and markers is not None:
        raise ConfigError("--markers and --no-markers contradict each other")
    if target.is_dir() and markers is None and not no_markers:
        found = target / "drc.lyrdb"
        # without any, the window that lists them only hides the layout
        markers = found if found.is_file() and b"<item>" in found.read_bytes() else None
    kinds = [kind for kind, wanted in (("png", png), ("svg", cut), ("glb", glb)) if wanted]
    if len(kinds) > 1:
        raise ConfigError("--png, --cross-section and --glb are three pictures; ask for one")
    if out is not None and not kinds:
        raise ConfigError("-o names a picture: add --png, --cross-section or --glb")
    if stretch is not None and not glb:
        raise ConfigError("--stretch belongs to --glb")
    place = None
    if cut is not None:
        from ..report.cut import parse_cut

        place = parse_cut(cut)
    picture = _picture(out, file, kinds[0]) if kinds else None
    if picture is not None:
        check_target(picture)
    if markers is not None:
        from ..pictures import check_markers

        check_markers(markers)
    origin = origin_of(file, profile, process)
    # what takes long to load comes after what may be refused
    from ..base.layout import open_layout

    tech = origin.resolved_tech()
    opened = open_layout(file, tech.drawing)
    for warning in (*origin.notes, *opened.warnings):
        console.note(warning)
    if picture is None:
        return _open(file, tech, markers)
    value = {"picture": str(picture)}
    with console.steps(), console.step("picture"):
        if place is not None:
            _draw_section(file, opened.layout, tech, picture, place)
        elif glb:
            value["scale"] = _write_glb(file, tech, picture, stretch or 1.0)
        else:
            _draw_layout(file, tech, picture, size, markers)
    console.say(str(picture))
    if "scale" in value:
        console.say(f"  {value['scale']}")
    console.result(value)
    return OK


def _picture(out: Path | None, file: Path, kind: str) -> Path:
    """Return the file of a picture, which must be of its kind and have a folder.

    Raises:
        ConfigError: for another ending.
        PlaceError: if the folder is missing.
    """
    from ..base.errors import ConfigError, PlaceError

    picture = out or Path(f"{file.stem}.{kind}")
    if picture.suffix.lower() != f".{kind}":
        flag = {"png": "--png", "svg": "--cross-section", "glb": "--glb"}[kind]
        raise ConfigError(f"-o {picture}: {flag} writes .{kind}")
    if not picture.parent.is_dir():
        raise PlaceError(f"cannot write {picture}: no folder {picture.parent}")
    return picture


def _write_glb(file: Path, tech: Tech, picture: Path, stretch: float) -> str:
    from ..glb import scale_text, write_glb

    write_glb(file, tech, picture, stretch)
    return scale_text(stretch)


def _draw_layout(file: Path, tech: Tech, picture: Path, size: int, markers: Path | None) -> None:
    from ..pictures import layout_png

    with _technology(tech) as (_, lyp):
        layout_png(file, lyp, picture, size, markers)


def _draw_section(file: Path, layout: db.Layout, tech: Tech, picture: Path, cut: Cut) -> None:
    from ..base.errors import ConfigError
    from ..base.outputs import write_text
    from ..report.cut import check_inside
    from ..report.section_svg import STYLE, section_svg

    check_inside(cut, layout.top_cell().dbbox())
    svg = section_svg(file, tech, cut)
    if not svg:
        raise ConfigError(f"{file} draws no memristor to cut through; say where, e.g. y=3.5")
    # outside the report, the picture brings its colours along
    write_text(picture, svg.replace(">", f">{STYLE}", 1))


@contextmanager
def _technology(tech: Tech) -> Iterator[tuple[Path, Path]]:
    """Lend KLayout's files of the technology: its own (.lyt) and the layer colours (.lyp)."""
    from ..pdk.klayout_tech import lyp_text, lyt_text

    with tempfile.TemporaryDirectory() as folder:
        lyt, lyp = (Path(folder) / f"{tech.name}.{kind}" for kind in ("lyt", "lyp"))
        lyt.write_text(lyt_text(tech, lyp.name), encoding="utf-8")
        lyp.write_text(lyp_text(tech), encoding="utf-8")
        yield lyt, lyp


def _open(file: Path, tech: Tech, markers: Path | None) -> int:
    from ..pdk import FileError

    program = shutil.which("klayout")
    if program is None:
        raise FileError("klayout is not installed; `crossstack view FILE --png` draws a picture")
    with _technology(tech) as (lyt, lyp):
        first, then = lyp.with_name("quiet.py"), lyp.with_name("whole.py")
        first.write_text(_QUIET, encoding="utf-8")
        then.write_text(_WHOLE, encoding="utf-8")
        arguments = [program, "-rm", str(first), "-nn", str(lyt), str(file), "-l", str(lyp)]
        arguments += ["-rr", str(then)]
        if markers is not None:
            arguments += ["-m", str(markers)]
        code = subprocess.run(arguments, check=False).returncode
    if code:
        why = "no display" if _no_display() else f"klayout ended with code {code}"
        raise FileError(f"{why}: use --png, --cross-section or --glb, which need no display")
    return OK


def _no_display() -> bool:
    """Return whether nobody told a program of X11 or Wayland where its windows go."""
    told = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return sys.platform == "linux" and not any(os.environ.get(name) for name in told)
