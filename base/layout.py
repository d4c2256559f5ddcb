"""The one reader of layouts: what every command opens, checked once, refused in one line.

What belongs to a process comes as a `ProcessLayers`; this module knows no layer by number. KLayout
is imported when a layout is read, not before: commands that need none start without it.
"""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ConfigError, FileError, ParameterError
from .gds_guard import check_stream, circle
from .gds_stream import GZIP, MAX_BYTES
from .inputs import regular_file
from .layout_cells import check_cells, check_placed, listed
from .layout_layers import (
    ForeignLayer,
    Pair,
    ProcessLayers,
    check_layers,
    clear_layers,
    unknown_layers,
)
from .memory import bounded
from .memory import limit as memory_limit
from .oasis_guard import check_oasis

if TYPE_CHECKING:
    import klayout.db as db

__all__ = [
    "ForeignLayer",
    "OpenedLayout",
    "Pair",
    "ProcessLayers",
    "clear_layers",
    "empty_shapes",
    "find_top",
    "is_layout",
    "open_copy",
    "open_layout",
    "read_layout",
    "unknown_layers",
]

#: what reading a file may take: this much, and so much more for each of its bytes
_ROOM_BYTES, _ROOM_PER_BYTE = 600_000_000, 100
_GDS, _OASIS = b"\x00\x06\x00\x02", b"%SEMI-OASIS\r\n"


@dataclass(frozen=True)
class OpenedLayout:
    """A layout that may be worked on.

    Attributes:
        layout: KLayout's layout.
        top: the cell that was asked for.
        name: file name, or "layout" for one in memory.
        warnings: what it holds that nothing checks.
    """

    layout: db.Layout
    top: db.Cell
    name: str
    warnings: tuple[str, ...]


#: what to do about several top cells: where a command takes a cell, and where it takes the file
CHOOSE, ONE_TOP = "choose one with --top", "leave one in the file"


def open_layout(
    source: Path | str | db.Layout | OpenedLayout,
    process: ProcessLayers,
    top: str | None = None,
    *,
    several: str = CHOOSE,
) -> OpenedLayout:
    """Read a layout, or take one in memory (which is not changed), and check all of it.

    Args:
        source: GDS or OASIS file, a layout, or one that is open already.
        process: what it is held against.
        top: cell to work on; needed if there are several top cells.
        several: what the reader of the error should do about several.

    Raises:
        FileError: if it cannot be read, is incomplete, too large, of another process or database
            unit, draws devices that the process' description does not know, or places cells
            magnified or turned by other than quarter turns.
        ParameterError: if there is no cell `top`.
        ConfigError: if there are several tops and none is named.
    """
    if isinstance(source, OpenedLayout):
        return source
    if isinstance(source, (str, Path)):
        layout, name = read_layout(Path(source)), str(source)
    else:
        layout, name = source, "layout"
        check_cells(layout, name)
    _check_unit(layout, process, name)
    cell = find_top(layout, top, name, several)
    check_placed(cell, name)
    return OpenedLayout(layout, cell, name, check_layers(cell, process, name))


def open_copy(
    source: Path | str | db.Layout | OpenedLayout, process: ProcessLayers, top: str | None = None
) -> OpenedLayout:
    """Return what `open_layout` returns, with a layout of its own that may be changed."""
    opened = open_layout(source, process, top)
    if isinstance(source, (str, Path)):
        return opened
    layout = opened.layout.dup()
    return replace(opened, layout=layout, top=layout.cell(opened.top.name))


def read_layout(path: Path) -> db.Layout:
    """Read a GDS or OASIS file that is whole and of a size that can be worked on.

    Raises:
        FileError: if it is missing, no file, no layout, cut short, calls cells that it does not
            define or cells in a circle, or unfolds to more than can be handled.
    """
    import klayout.db as db

    path = regular_file(Path(path), MAX_BYTES)
    kind = _kind(path)
    if kind == _GDS:
        check_stream(path)
    else:
        check_oasis(path)
    layout = db.Layout()
    options = db.LoadLayoutOptions()
    options.warn_level = 0
    most = _ROOM_BYTES + _ROOM_PER_BYTE * path.stat().st_size
    try:
        with _silence(), bounded(most):
            layout.read(str(path), options)
    except (RuntimeError, UnicodeDecodeError) as error:  # the latter: its message quotes the file
        if "bad_alloc" in str(error) and memory_limit() is None:
            size = path.stat().st_size
            raise FileError(
                f"{path} unfolds to more than {most / 1e6:.0f} MB in memory, which {size} bytes "
                "of a layout need not"
            ) from None
        raise FileError(_why_unreadable(path, kind, str(error))) from None
    check_cells(layout, str(path))
    return layout


def find_top(layout: db.Layout, top: str | None, name: str, several: str = CHOOSE) -> db.Cell:
    """Return the cell to work on: the only top cell, or the one that is named.

    Raises:
        ParameterError: if there is no such cell.
        ConfigError: if there are several tops and none is named.
    """
    tops = sorted(cell.name for cell in layout.top_cells())
    shown = listed(tops)
    if top is not None:
        cell = layout.cell(top)
        if cell is None:
            raise ParameterError("top", top, f"a cell of {name}; top cells: {shown}")
        return cell
    if len(tops) != 1:
        raise ConfigError(f"{name} has {len(tops)} top cells ({shown}): {several}")
    return layout.cell(tops[0])


def empty_shapes(layout: db.Layout, cell: db.Cell) -> dict[Pair, int]:
    """Return (layer, datatype) -> number of polygons, boxes and paths without area."""
    import klayout.db as db

    found: dict[Pair, int] = {}
    for index in [cell.cell_index(), *cell.called_cells()]:
        for layer in layout.layer_indexes():
            shapes = layout.cell(index).shapes(layer)
            if shapes.is_empty():
                continue
            region = db.Region(shapes)
            region.merged_semantics = False
            count = region.with_area(0, 1, False).count()
            if count:
                info = layout.get_info(layer)
                pair = (info.layer, info.datatype)
                found[pair] = found.get(pair, 0) + count
    return dict(sorted(found.items()))


def _kind(path: Path) -> bytes:
    """Return the first bytes that every file of a format has, of the file inside a gzip file."""
    with path.open("rb") as stream:
        head = stream.read(16)
    if not head:
        raise FileError(f"{path} is empty")
    for kind in (_GDS, _OASIS, GZIP):
        if head.startswith(kind):
            return _kind_inside(path) if kind == GZIP else kind
    raise FileError(f"{path} is not a GDS or OASIS file")


def is_layout(path: Path) -> bool:
    """Return whether a file begins as a GDS or OASIS file, be it in a gzip file."""
    try:
        return _kind(path) in (_GDS, _OASIS)
    except (FileError, OSError):
        return False


def _kind_inside(path: Path) -> bytes:
    """Return the kind of a layout in a gzip file.

    Raises:
        FileError: if it is no layout, is broken, or unpacks to more than can be handled.
    """
    size = 0
    try:
        with gzip.open(path) as stream:
            head = stream.read(16)
            if not head.startswith((_GDS, _OASIS)):
                raise FileError(f"{path} is not a compressed GDS or OASIS file")
            while block := stream.read(1 << 20):
                size += len(block)
                if size > MAX_BYTES:
                    limit = f"{MAX_BYTES / 1e6:g} MB that a layout may have"
                    raise FileError(f"{path} unpacks to more than the {limit}")
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path} cannot be unpacked: {error}") from None
    return _GDS if head.startswith(_GDS) else _OASIS


def _why_unreadable(path: Path, kind: bytes, reason: str) -> str:
    if "topological_sort" in reason:
        cells = circle(path) if kind == _GDS else []
        where = f" ({' > '.join(cells)})" if cells else ""
        return f"{path} cannot be read: a cell contains itself{where}"
    return f"{path} cannot be read as a layout: {reason.splitlines()[0].split(', in file')[0]}"


def _check_unit(layout: db.Layout, process: ProcessLayers, name: str) -> None:
    if abs(layout.dbu - process.dbu_um) > 1e-9:
        raise FileError(
            f"{name} has a database unit of {layout.dbu:g} um; {process.name} uses "
            f"{process.dbu_um:g} um: convert it in KLayout (File, Save As, database unit "
            f"{process.dbu_um:g}) or by its Python module (SaveLayoutOptions.dbu)"
        )


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what KLayout's reader prints of its own off stdout and stderr.

    It prints from C++, beside Python's streams, and raises the same as an exception.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    kept: list[tuple[int, int]] = []
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in (1, 2):
            try:
                kept.append((number, os.dup(number)))
            except OSError:  # closed by the shell
                continue
            os.dup2(nowhere, number)
        yield
    finally:
        for number, copy in kept:
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)
