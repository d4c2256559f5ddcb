"""A GDS file as it is on disk, record by record.

A layout library repairs and forgets while it reads; what a foundry's own reader will find has
to be looked up in the stream itself.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from .errors import FileError
from .inputs import regular_file

#: first bytes of a gzip file
GZIP = b"\x1f\x8b"
#: largest file that is read, in bytes
MAX_BYTES = 2_000_000_000
#: largest file whose structures are located for a report, in bytes
_MOST_LOCATED = 50_000_000

_UNITS, _END_LIBRARY = 0x03, 0x04
_STRUCTURE_NAME, _END_ELEMENT = 0x06, 0x11
_BEGIN_STRUCTURE, _END_STRUCTURE = 0x05, 0x07
_ELEMENTS = {
    0x08: "boundary", 0x09: "path", 0x0A: "instance", 0x0B: "array", 0x0C: "text",
    0x15: "node", 0x2D: "box",
}  # fmt: skip
_LAYER, _WIDTH, _XY, _CALLED, _COUNT = 0x0D, 0x0F, 0x10, 0x12, 0x13
_TYPES = (0x0E, 0x16, 0x2A, 0x2E)
_MAG, _ANGLE, _PROPERTY = 0x1B, 0x1C, 0x2B


@dataclass
class Element:
    """One element of a structure.

    Attributes:
        cell: name of its structure.
        kind: boundary, path, box, text, node, instance or array.
        layer, datatype: where it lies; None for instances.
        points: coordinates in database units.
        width: of a path, in database units (negative: absolute).
        magnification, angle: of an instance or text.
        columns, rows: of an array.
        properties: number of properties that hang on it.
        called: name of the structure that an instance or array places.
    """

    cell: str
    kind: str
    layer: int | None = None
    datatype: int | None = None
    points: tuple[tuple[int, int], ...] = ()
    width: int = 0
    magnification: float = 1.0
    angle: float = 0.0
    columns: int = 1
    rows: int = 1
    properties: int = 0
    called: str = ""


@dataclass
class Stream:
    """What a GDS file holds.

    Attributes:
        dbu_um: database unit in um.
        cells: names of its structures in order.
        calls: structure -> names that its instances refer to.
        elements: everything drawn and placed.
    """

    dbu_um: float = 0.0
    cells: list[str] = field(default_factory=list)
    calls: dict[str, set[str]] = field(default_factory=dict)
    elements: list[Element] = field(default_factory=list)

    @property
    def tops(self) -> list[str]:
        """Structures that nothing calls."""
        called = set().union(*self.calls.values())
        return [name for name in self.cells if name not in called]


def unpacking(path: Path) -> IO[bytes]:
    """Open a file, or what it unpacks to if it is a gzip file."""
    with path.open("rb") as stream:
        packed = stream.read(len(GZIP)) == GZIP
    return cast("IO[bytes]", gzip.open(path)) if packed else path.open("rb")


def unpacked(path: Path) -> bytes:
    """Return the bytes of a file, or what it unpacks to if it is a gzip file."""
    with unpacking(path) as stream:
        return stream.read()


def read_stream(path: Path) -> Stream:
    """Read a GDS file, which may be compressed by gzip.

    Raises:
        FileError: if it cannot be read, is no GDS, ends early or goes on after its end.
    """
    data = unpacked(regular_file(path, MAX_BYTES))
    if data[2:4] != b"\x00\x02":
        raise FileError(f"{path} is not a GDS file")
    stream, element, cell = Stream(), Element("", ""), ""
    try:
        for kind, body in _records(data, path):
            if kind == _UNITS:
                stream.dbu_um = _real(body[8:16]) * 1e6
            elif kind == _STRUCTURE_NAME:
                cell = _text(body)
                stream.cells.append(cell)
                stream.calls.setdefault(cell, set())
            elif kind in _ELEMENTS:
                element = Element(cell, _ELEMENTS[kind])
            elif kind == _CALLED:
                element.called = _text(body)
                stream.calls.setdefault(cell, set()).add(element.called)
            elif kind == _END_ELEMENT:
                stream.elements.append(element)
            else:
                _set(element, kind, body)
    except (struct.error, ValueError) as error:
        where = f" in cell {cell}" if cell else ""
        raise FileError(f"{path} holds a broken record{where}: {error}") from None
    return stream


def cell_bytes(path: Path) -> dict[str, tuple[int, int]]:
    """Return where each structure of a plain GDS file stands: first byte, number of bytes.

    Nothing for a file that is no plain GDS, is large or breaks off: a place in the file is a help
    for readers of a report, and no check.
    """
    try:
        if not path.is_file() or path.stat().st_size > _MOST_LOCATED:
            return {}
        data = path.read_bytes()
        if data[2:4] != b"\x00\x02":
            return {}
        found: dict[str, tuple[int, int]] = {}
        at = begin = 0
        name = ""
        for kind, body in _records(data, path):
            if kind == _BEGIN_STRUCTURE:
                begin = at
            elif kind == _STRUCTURE_NAME:
                name = _text(body)
            at += 4 + len(body)
            if kind == _END_STRUCTURE:
                found[name] = (begin, at - begin)
    except (OSError, FileError, ValueError, struct.error):
        return {}
    return found


def _records(data: bytes, path: Path) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from(">HB", data, at)
        if length < 4 or at + length > len(data):
            break
        yield kind, data[at + 4 : at + length]
        if kind == _END_LIBRARY:
            rest = data[at + length :].strip(b"\0")  # tapes are filled up with zeros
            if rest:
                raise FileError(f"{path} holds {len(rest)} bytes after the end of its library")
            return
        at += length
    raise FileError(f"{path} ends early, at byte {at}")


def _set(element: Element, kind: int, body: bytes) -> None:
    """Set what a record says about an element."""
    if kind == _LAYER:
        (element.layer,) = struct.unpack(">h", body)
    elif kind in _TYPES:
        (element.datatype,) = struct.unpack(">h", body)
    elif kind == _WIDTH:
        (element.width,) = struct.unpack(">i", body)
    elif kind == _XY:
        values = struct.unpack(f">{len(body) // 4}i", body)
        element.points = tuple(zip(values[::2], values[1::2], strict=True))
    elif kind == _COUNT:
        element.columns, element.rows = struct.unpack(">2H", body)
    elif kind == _MAG:
        element.magnification = _real(body)
    elif kind == _ANGLE:
        element.angle = _real(body)
    elif kind == _PROPERTY:
        element.properties += 1


def _text(body: bytes) -> str:
    return body.rstrip(b"\0").decode("latin-1")


def _real(body: bytes) -> float:
    """Return an eight-byte real of GDS: sign, exponent to base 16 plus 64, 56 bits."""
    (bits,) = struct.unpack(">Q", body)
    mantissa = (bits & ((1 << 56) - 1)) / float(1 << 56)
    value = float(mantissa * 16.0 ** (((bits >> 56) & 0x7F) - 64))
    return -value if bits >> 63 else value
