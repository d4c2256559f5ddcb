"""What a GDS file says that a layout library repairs silently, or does not survive reading."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from .errors import FileError
from .gds_stream import read_stream, unpacked

#: most levels of cells in cells
MAX_DEPTH = 200
#: a COLROW record that may say 0 columns or rows, anywhere in a GDS file
_NO_COLUMNS = re.compile(rb"\x00\x08\x13\x02(?:\x00\x00..|..\x00\x00)", re.DOTALL)
#: ENDLIB, where it stands first; what follows is read by no library
_END = b"\x00\x04\x04\x00"
#: STRNAME or SNAME, anywhere in a GDS file
_NAMES = re.compile(rb"[\x06\x12](?=\x06)")


def circle(path: Path) -> list[str]:
    """Return the names of cells that call each other in a circle."""
    calls = read_stream(path).calls
    done: set[str] = set()
    for start in calls:
        stack = {start: iter(sorted(calls[start]))}
        while stack and start not in done:
            name = next(reversed(stack))
            child = next(stack[name], None)
            if child is None:
                done.add(name)
                del stack[name]
            elif child in stack:
                circle = [*stack]
                return [*circle[circle.index(child) :], child]
            elif child not in done and child in calls:
                stack[child] = iter(sorted(calls[child]))
    return []


def check_stream(path: Path) -> None:
    """Refuse what a layout library would repair silently, or not survive.

    A quick look for bytes that may be such a record comes first; only where it finds any is the
    stream read record by record.
    """
    data = unpacked(path)
    many = data.count(b"\x05\x02") > MAX_DEPTH  # BGNSTR: cells enough to nest too deep
    more = bool(data.partition(_END)[2].strip(b"\0"))
    if _NO_COLUMNS.search(data) is None and not many and not more:
        return
    if more or not many or _deepest(_quick_calls(data))[1] > MAX_DEPTH:
        del data
        _check_records(path)


def _quick_calls(data: bytes) -> dict[str, set[str]]:
    """Return which structures seem to call which, by bytes that look like their records."""
    calls: dict[str, set[str]] = {}
    cell = ""
    for found in _NAMES.finditer(data):
        at = found.start()
        length = int.from_bytes(data[max(at - 2, 0) : at], "big")
        name = data[at + 2 : at - 2 + length].rstrip(b"\0")
        if length < 6 or length % 2 or not name.isascii():
            continue
        if data[at] == 0x06:
            cell = name.decode()
            calls.setdefault(cell, set())
        else:
            calls.setdefault(cell, set()).add(name.decode())
    return calls


def _deepest(calls: Mapping[str, set[str]]) -> tuple[str, int]:
    """Return the cell that nests cells deepest, and how deep; circles count once around."""
    depth: dict[str, int] = {}
    for start in calls:
        stack = [start]
        while stack:
            name = stack[-1]
            children = calls.get(name, set())
            todo = [c for c in children if c not in depth] if name not in depth else []
            depth.setdefault(name, 0)
            if todo:
                stack += todo
                continue
            depth[name] = max((depth[c] + 1 for c in children if c in calls), default=0)
            stack.pop()
    return max(depth.items(), key=lambda item: item[1], default=("", 0))


def _check_records(path: Path) -> None:
    stream = read_stream(path)
    for element in stream.elements:
        if element.kind == "array" and 0 in (element.columns, element.rows):
            raise FileError(
                f"{path}: cell {element.cell} places an array of {element.columns} columns and "
                f"{element.rows} rows of cell {element.called}: both must be 1 or more"
            )
    name, depth = _deepest(stream.calls)
    if depth > MAX_DEPTH:
        raise FileError(f"{path}: cell {name} nests cells {depth} deep; at most {MAX_DEPTH}")
