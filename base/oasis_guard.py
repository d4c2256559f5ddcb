"""How an OASIS file ends: a layout library reads on over an end that is cut or goes on."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

from .errors import FileError
from .gds_stream import unpacked

#: the last record: its number and its bytes; the tables whose offsets it may hold, two numbers each
_END, _BYTES, _TABLES = 2, 256, 6
#: how it is said whether a sum of all bytes before follows
_NO_SUM, _CRC32, _SUM32 = 0, 1, 2


def check_oasis(path: Path) -> None:
    """Refuse a file without its last record at its very end, or with another sum than that says.

    Raises:
        FileError: for a file that is cut, goes on after its end, or was changed.
    """
    data = unpacked(path)
    end = data[-_BYTES:]
    schemes = set(_schemes(end)) if len(end) == _BYTES and end[0] == _END else set()
    if not schemes:
        raise FileError(f"{path} is cut short or goes on after its end: it has no END record there")
    said = int.from_bytes(end[-4:], "little")
    sums = {_CRC32: lambda: zlib.crc32(data[:-4]), _SUM32: lambda: sum(data[:-4]) & 0xFFFFFFFF}
    if _NO_SUM not in schemes and all(sums[scheme]() != said for scheme in schemes):
        raise FileError(f"{path} is damaged: its bytes have another sum than it says at its end")


def _schemes(end: bytes) -> Iterator[int]:
    """Yield the kind of sum by each way to read an END record that uses up all of its bytes."""
    for numbers in (0, 2 * _TABLES):  # offsets of tables stand here or at the start of the file
        at = 1
        for _ in range(numbers):
            _, at = _number(end, at)
        length, at = _number(end, at)  # of what fills the record up
        at += length
        if at < len(end):
            scheme, bytes_of_sum = end[at], len(end) - at - 1
            if (scheme == _NO_SUM and not bytes_of_sum) or (
                scheme in (_CRC32, _SUM32) and bytes_of_sum == 4
            ):
                yield scheme


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return an unsigned number of seven bits a byte, and where it ends."""
    value = shift = 0
    while at < len(data):
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            break
    return value, at
