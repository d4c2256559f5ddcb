"""How an OASIS file ends: a layout library reads on over an end that is cut or goes on."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .errors import FileError
from .gds_stream import unpacking

#: the last record: its number and its bytes; the tables whose offsets it may hold, two numbers each
_END, _BYTES, _TABLES = 2, 256, 6
#: bytes of a sum, and of a file that are read at once
_SUM, _BLOCK = 4, 1 << 20
#: how it is said whether a sum of all bytes before follows
_NO_SUM, _CRC32, _SUM32 = 0, 1, 2


def check_oasis(path: Path) -> None:
    """Refuse a file without its last record at its very end, or with another sum than that says.

    Raises:
        FileError: for a file that is cut, goes on after its end, or was changed.
    """
    with unpacking(path) as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - _BYTES))
        end = stream.read()
        schemes = set(_schemes(end)) if len(end) == _BYTES and end[0] == _END else set()
        if not schemes:
            raise FileError(
                f"{path} is cut short or goes on after its end: it has no END record there"
            )
        if _NO_SUM not in schemes and int.from_bytes(end[-_SUM:], "little") not in _sums(
            stream, size - _SUM, schemes
        ):
            raise FileError(
                f"{path} is damaged: its bytes have another sum than it says at its end"
            )


def _sums(stream: IO[bytes], size: int, schemes: set[int]) -> set[int]:
    """Return the sums of the first bytes of a file, by each of some schemes."""
    stream.seek(0)
    crc = total = 0
    while block := stream.read(min(size, _BLOCK)):
        size -= len(block)
        crc, total = zlib.crc32(block, crc), (total + sum(block)) & 0xFFFFFFFF
    return {{_CRC32: crc, _SUM32: total}[scheme] for scheme in schemes}


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
                scheme in (_CRC32, _SUM32) and bytes_of_sum == _SUM
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
