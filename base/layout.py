"""The one reader of layouts: what every command opens, checked once, refused in one line.

What belongs to a process comes as a `ProcessLayers`; this module knows no layer by number. KLayout
is imported when a layout is read, not before: commands that need none start without it.
"""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ConfigError, FileError, ParameterError
from .gds_guard import check_stream, circle
from .gds_stream import MAX_BYTES
from .inputs import regular_file
from .layout_cells import check_cells, check_placed, listed
from .memory import bounded
from .memory import limit as memory_limit

if TYPE_CHECKING:
    import klayout.db as db

Pair = tuple[int, int]

#: what reading a file may take: this much, and so much more for each of its bytes
_ROOM_BYTES, _ROOM_PER_BYTE = 600_000_000, 100
_GDS, _OASIS, _GZIP = b"\x00\x06\x00\x02", b"%SEMI-OASIS\r\n", b"\x1f\x8b"


@dataclass(frozen=True)
class ForeignLayer:
    """A layer that the foundry knows and our description of the process does not.

    Attributes:
        name: the foundry's name.
        gds: (layer, datatype).
        text: what it makes, in words.
        changes: layers of ours whose shapes become something else under it; none for layers
            that leave devices and wires as they are.
        joins: it conducts, so that touching a shape changes it as covering it does.
    """

    name: str
    gds: Pair
    text: str
    changes: tuple[Pair, ...] = ()
    joins: bool = False


@dataclass(frozen=True)
class ProcessLayers:
    """What a layout of a process may draw.

    Attributes:
        name: the process.
        dbu_um: its database unit.
        known: (layer, datatype) -> name of every layer that is described.
        telling: layers whose shapes tell that a layout is of this process.
        foreign: further layers of the foundry.
        judged: pairs without a description that a design rule speaks of.
        shared: of `telling`, layers of a module, which may stand on any process.
    """

    name: str
    dbu_um: float
    known: Mapping[Pair, str]
    telling: frozenset[Pair]
    foreign: tuple[ForeignLayer, ...] = ()
    judged: frozenset[Pair] = field(default_factory=frozenset)
    shared: frozenset[Pair] = field(default_factory=frozenset)


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


def open_layout(
    source: Path | str | db.Layout | OpenedLayout, process: ProcessLayers, top: str | None = None
) -> OpenedLayout:
    """Read a layout, or take one in memory (which is not changed), and check all of it.

    Args:
        source: GDS or OASIS file, a layout, or one that is open already.
        process: what it is held against.
        top: cell to work on; needed if there are several top cells.

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
    cell = find_top(layout, top, name)
    check_placed(cell, name)
    return OpenedLayout(layout, cell, name, _check_layers(layout, cell, process, name))


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


def find_top(layout: db.Layout, top: str | None, name: str) -> db.Cell:
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
        raise ConfigError(f"{name} has {len(tops)} top cells ({shown}): choose one with --top")
    return layout.cell(tops[0])


def unknown_layers(cell: db.Cell, process: ProcessLayers) -> dict[Pair, str]:
    """Return (layer, datatype) -> words of what a cell draws on layers without description."""
    named = {layer.gds: layer.name for layer in process.foreign}
    found = {}
    for pair, _ in _drawn(cell):
        if pair not in process.known and pair not in process.judged:
            name = f" ({named[pair]})" if pair in named else ""
            found[pair] = f"{pair[0]}/{pair[1]}{name}"
    return dict(sorted(found.items()))


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
    """Return the first bytes that every file of a format has."""
    with path.open("rb") as stream:
        head = stream.read(16)
    if not head:
        raise FileError(f"{path} is empty")
    for kind in (_GDS, _OASIS, _GZIP):
        if head.startswith(kind):
            if kind == _GZIP:
                _check_unpacked(path)
            return kind
    raise FileError(f"{path} is not a GDS or OASIS file")


def _check_unpacked(path: Path) -> None:
    """Refuse a compressed file that is none inside, is broken, or unfolds beyond all measure."""
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


def _drawn(cell: db.Cell) -> Iterator[tuple[Pair, int]]:
    """Yield (layer, datatype) and index of the numbered layers on which a cell draws."""
    layout = cell.layout()
    for index in layout.layer_indexes():
        info = layout.get_info(index)
        # layers that a room keeps for itself have a name and no number
        if info.layer >= 0 and not cell.bbox(index).empty():
            yield (info.layer, info.datatype), index


def _check_layers(
    layout: db.Layout, cell: db.Cell, process: ProcessLayers, name: str
) -> tuple[str, ...]:
    """Refuse what is of another process or makes other devices; return remarks on the rest."""
    drawn = dict(_drawn(cell))
    if process.telling.isdisjoint(drawn):
        shown = listed([f"{a}/{b}" for a, b in sorted(drawn)])
        raise FileError(
            f"{name}: cell {cell.name} draws nothing on a layer of {process.name} (layers drawn: "
            f"{shown}); a layout of another process? name it with --process"
        )
    for layer in process.foreign:
        if layer.gds in drawn and layer.gds not in process.judged:
            _refuse_other_devices(cell, layer, process, drawn, name)
    unknown = unknown_layers(cell, process).values()
    if unknown and (process.telling - process.shared).isdisjoint(drawn):
        raise FileError(
            f"{name}: cell {cell.name} draws layers of the module, none of {process.name} itself, "
            f"and others that it does not have ({listed(list(unknown))}); a layout of another "
            "process? name it with --process"
        )
    remarks = [f"unknown layers, not checked: {', '.join(unknown)}"] if unknown else []
    filled = [x for x in process.foreign if x.joins and x.gds in drawn and x.gds in process.known]
    if filled:
        listed_fill = ", ".join(f"{x.gds[0]}/{x.gds[1]}" for x in filled)
        remarks.append(
            f"fill on {listed_fill}: checked by the design rules, touches no wire, and is left out "
            "of nets and capacitances"
        )
    remarks += [
        f"{layer.name} {layer.gds[0]}/{layer.gds[1]}: {layer.text}, which design rules see, and "
        "devices, wires and their resistance do not"
        for layer in process.foreign
        if layer.gds in drawn and layer.gds in process.judged
    ]
    return tuple(remarks)


def _refuse_other_devices(
    cell: db.Cell,
    layer: ForeignLayer,
    process: ProcessLayers,
    drawn: Mapping[Pair, int],
    name: str,
) -> None:
    import klayout.db as db

    for pair in layer.changes:
        if pair not in drawn:
            continue
        if layer.joins:
            polygon = _touching(cell, drawn[layer.gds], drawn[pair])
        else:
            store = db.DeepShapeStore()  # keeps the hierarchy: a large array costs no more
            both = db.Region(cell.begin_shapes_rec(drawn[layer.gds]), store)
            both &= db.Region(cell.begin_shapes_rec(drawn[pair]), store)
            polygon = next(both.each(), None)
        if polygon is not None:
            at = polygon.bbox().center().to_dtype(cell.layout().dbu)
            lies = "lies over or touches" if layer.joins else "lies over"
            raise FileError(
                f"{name}: {layer.name} {layer.gds[0]}/{layer.gds[1]} {lies} "
                f"{process.known.get(pair, pair)} at ({at.x:.3f}, {at.y:.3f}): {layer.text}, "
                f"which {process.name} does not describe"
            )


def _touching(cell: db.Cell, index: int, other: int) -> db.Polygon | None:
    """Return a shape of a layer that overlaps or only touches one of another, by edge or corner.

    Fill is hundreds of thousands of squares, none of which touches another: each is looked at
    as it is, and merged with nothing.
    """
    import klayout.db as db

    fill = db.Region(cell.begin_shapes_rec(index))
    fill.merged_semantics = False
    return next(fill.interacting(db.Region(cell.begin_shapes_rec(other))).each(), None)


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
