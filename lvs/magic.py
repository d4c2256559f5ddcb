"""Runs Magic on a layout and reads the nets and devices that it finds.

The layout goes to Magic flat, with the top cell's own labels under names of their own (`L0`,
`L1`, ...): Magic would join equal names, and a line that is cut between two equal labels must not
look whole.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import klayout.db as db

from ..base.errors import CrossStackError
from ..base.layout import find_top
from ..pdk import Tech
from .magic_tech import layers_read, magic_tech, map_of

_SCRIPT = """drc off
scalegrid 1 {steps}
gds read input.gds
load TOP
select top cell
extract all
quit -noprompt
"""
_VERSION = re.compile(r"^Magic (\S+ revision \d+)", re.M)
#: words of Magic's that mean that it did not read all of it
_TROUBLE = re.compile(r"^(Error while reading.*|.*[Uu]nrecognized.*|.*[Cc]ouldn't.*)$", re.M)


class MagicError(CrossStackError):
    """Magic could not be run; never to be taken for agreement."""


@dataclass(frozen=True)
class MagicNet:
    """One net of Magic's.

    Attributes:
        name: Magic's name for it.
        at: lower left corner of a tile on it, in um.
        kind: Magic's type of that tile.
    """

    name: str
    at: tuple[float, float]
    kind: str


@dataclass(frozen=True)
class MagicDevice:
    """One device of Magic's.

    Attributes:
        kind: nfet, pfet, memristor_bottom or memristor_top.
        at: lower left corner in um.
        nets: indices of its nets; of a transistor bulk, gate, then source and drain; of a
            memristor the electrode above and the one below.
    """

    kind: str
    at: tuple[float, float]
    nets: tuple[int, ...]


@dataclass(frozen=True)
class MagicNetlist:
    """What Magic extracted.

    Attributes:
        nets: every net.
        devices: every device.
        labels: number of one of the top cell's labels, in the order of `labels_of_top`, -> net.
        version: Magic's.
        seconds: run time.
    """

    nets: tuple[MagicNet, ...]
    devices: tuple[MagicDevice, ...]
    labels: dict[int, int]
    version: str
    seconds: float


def labels_of_top(cell: db.Cell, tech: Tech) -> list[tuple[str, db.Text]]:
    """Return (conductor, text) of the labels in a cell itself, in a fixed order."""
    layout = cell.layout()
    found = []
    for conductor, layer in tech.label_of.items():
        index = layout.find_layer(*tech.gds(layer))
        if index is not None:
            texts = [shape.text for shape in cell.shapes(index).each(db.Shapes.STexts)]
            found += [(conductor, t) for t in sorted(texts, key=lambda t: (t.string, t.x, t.y))]
    return found


def run_magic(
    layout: db.Layout, tech: Tech, top: str | None = None, *, timeout_s: float = 600.0
) -> MagicNetlist:
    """Let Magic extract a layout (which is not changed).

    Raises:
        FileError, ParameterError: if there is no such top cell.
        MagicError: if Magic is missing, fails, times out or does not read every shape.
    """
    program = shutil.which("magic")
    if program is None:
        raise MagicError("magic is not installed (Debian: apt-get install magic)")
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="crossstack_") as name:
        folder = Path(name)
        (folder / "crossstack.tech").write_text(magic_tech(tech))
        (folder / "run.tcl").write_text(_SCRIPT.format(steps=map_of(tech).scalegrid))
        _write_input(layout, find_top(layout, top, "layout"), tech, folder / "input.gds")
        log = _run(program, folder, timeout_s)
        result = folder / "TOP.ext"
        if not result.exists():
            last = log.strip().splitlines()[-1:] or ["it said nothing"]
            raise MagicError(f"magic extracted nothing: {last[0]}")
        text = result.read_text(errors="replace")
    version = _VERSION.search(log)
    seconds = time.perf_counter() - begin
    return _parse(text, tech, version[1] if version else "unknown", seconds)


def _write_input(layout: db.Layout, cell: db.Cell, tech: Tech, path: Path) -> None:
    """Write the cell flat, with only its own labels, each under a name of its own."""
    labels = labels_of_top(cell, tech)
    flat = db.Layout()
    flat.dbu = layout.dbu
    target = flat.create_cell("TOP")
    for name in layers_read(tech):
        index = layout.find_layer(*tech.gds(name))
        if index is not None:
            shapes = db.Region(cell.begin_shapes_rec(index))
            target.shapes(flat.layer(*tech.gds(name))).insert(shapes.merged())
    for number, (conductor, text) in enumerate(labels):
        layer = flat.layer(*tech.gds(tech.label_of[conductor]))
        target.shapes(layer).insert(db.Text(f"L{number}", text.x, text.y))
    options = db.SaveLayoutOptions()
    options.format = "GDS2"
    options.write_context_info = False
    flat.write(str(path), options)


def _run(program: str, folder: Path, timeout_s: float) -> str:
    try:
        done = subprocess.run(
            [program, "-dnull", "-noconsole", "-T", "./crossstack.tech", "run.tcl"],
            cwd=folder,
            # no start-up file of the user's
            env={**os.environ, "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise MagicError(f"magic did not finish within {timeout_s:g} s") from None
    log = done.stdout + done.stderr
    trouble = _TROUBLE.search(log)
    if done.returncode or trouble:
        reason = trouble[0] if trouble else f"it ended with {done.returncode}"
        raise MagicError(f"magic did not read the layout: {reason.strip()}")
    return log


def _parse(text: str, tech: Tech, version: str, seconds: float) -> MagicNetlist:
    """Read Magic's .ext file (its format: ext(5))."""
    rows = [shlex.split(line) for line in text.splitlines() if line.strip()]
    grid_nm = map_of(tech).lambda_nm / map_of(tech).scalegrid
    unit = next((float(r[3]) for r in rows if r[0] == "scale"), 0.1 * grid_nm) / 100
    number: dict[str, int] = {}
    nets: list[MagicNet] = []
    devices: list[MagicDevice] = []
    for row in rows:
        if row[0] in ("node", "substrate"):
            number[row[1]] = len(nets)
            nets.append(MagicNet(row[1], (float(row[4]) * unit, float(row[5]) * unit), row[6]))
    for row in (r for r in rows if r[0] == "equiv"):
        number[row[2]] = number[row[1]]
    for row in (r for r in rows if r[0] == "device"):
        kind, at = row[2], (float(row[3]) * unit, float(row[4]) * unit)
        # after the size: the bulk of a transistor, then (net, length, attributes) per terminal
        names = [row[9], *row[10::3]] if row[1] == "mosfet" else row[9::3]
        devices.append(MagicDevice(kind, at, tuple(number.get(n, -1) for n in names)))
    labels = {int(name[1:]): net for name, net in number.items() if re.fullmatch(r"L\d+", name)}
    return MagicNetlist(tuple(nets), tuple(devices), labels, version, seconds)
