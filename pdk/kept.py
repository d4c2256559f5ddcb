"""What was read of a process, kept in the user's cache: to read and check tables takes 30 ms.

A file there counts only if it carries the sum over the tables and the code that it was made from,
is whole, is the user's own, and holds nothing but records of this room. Otherwise the tables are
read, and where nothing can be written nothing is kept: no run depends on the cache.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import io
import os
import pickle
import stat
import sys
from dataclasses import is_dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

from ..base import leftovers
from ..base.cache import cache_folder
from ..base.sums import sum_of
from .home import HOME

#: first line of a file; another form of what follows takes another number
_HEAD = b"CrossStack process 1\n"
#: hex digits of a SHA-256 sum, and a line's end
_SUM = 65
#: largest file that is read, and how many are left when one is written
_MOST_BYTES, _MOST_FILES = 16_000_000, 32
#: rights of a file: tables may be under a foundry's NDA
_OWNER = stat.S_IRUSR | stat.S_IWUSR
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)
#: what records of a process may hold beside those of this room
_FOREIGN_LAYER = ("layout_layers", "ForeignLayer")
_PATHS = {"PosixPath", "WindowsPath"}


def tables_and_code(folders: tuple[Path, ...]) -> str:
    """Return a sum over what a process was read from: tables, modules, and the code that reads.

    Of code, size and time of each file count, as for Python's own compiled files.

    Args:
        folders: of the process, of what it is like, and of modules.
    """
    tables = sum_of({f"tables{k}": folder for k, folder in enumerate(folders)})
    rooms = (HOME, Path(leftovers.__file__).parent)
    code = [(entry.name, entry.stat()) for room in rooms for entry in os.scandir(room)
            if entry.name.endswith(".py")]  # fmt: skip
    stamps = sorted((name, told.st_size, told.st_mtime_ns) for name, told in code)
    return hashlib.sha256(f"{stamps} {tables}".encode()).hexdigest()


def recalled(folder: Path, sums: str) -> Any:
    """Return what `keep` was given of a process; None if nothing can be made of the file.

    Args:
        folder: of the process.
        sums: of `tables_and_code` now.
    """
    try:
        data = _own_bytes(_place(folder))
        head = _HEAD + f"{sums}\n".encode()
        body = data[len(head) + _SUM :]
        if data[: len(head) + _SUM] != head + f"{hashlib.sha256(body).hexdigest()}\n".encode():
            return None
        return _loaded(body)
    except Exception:  # whatever a damaged file does to the reader: it is not believed
        return None


def _loaded(body: bytes) -> Any:
    """Return the records in the bytes of a file; looking for rubbish would take longer."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        return _Records(io.BytesIO(body)).load()
    finally:
        if was_on:
            gc.enable()


def keep(folder: Path, sums: str, value: object) -> None:
    """Write what was read of a process for runs to come, in one step, if that is possible.

    Args:
        folder: of the process.
        sums: of `tables_and_code` before it was read.
        value: records of this room.
    """
    body = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    head = _HEAD + f"{sums}\n{hashlib.sha256(body).hexdigest()}\n".encode()
    # no home, no room, no right to write: the next run reads the tables again
    with contextlib.suppress(OSError, RuntimeError):
        target = _place(folder)
        target.parent.mkdir(mode=_OWNER | stat.S_IXUSR, parents=True, exist_ok=True)
        _make_room(target.parent)
        work = leftovers.temporary(target.parent, target.name)
        try:
            with open(work, "xb", opener=partial(os.open, mode=_OWNER)) as stream:
                stream.write(head + body)
            os.replace(work, target)
        finally:
            leftovers.remove(work)


def _place(folder: Path) -> Path:
    # our copy inside KLayout, and each Python, has a file of its own
    whose = f"{__package__} {sys.implementation.cache_tag} {folder}"
    name = hashlib.sha256(os.fsencode(whose)).hexdigest()[:16]
    return cache_folder() / "processes" / f"{name}.tables"


def _own_bytes(path: Path) -> bytes:
    """Return what a file of this user holds; nobody else may say what a process is."""
    # a pipe would wait for whoever writes into it
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _AT_ONCE)) as stream:
        told = os.fstat(stream.fileno())
        if not stat.S_ISREG(told.st_mode):
            return b""
        if hasattr(os, "getuid") and told.st_uid != os.getuid():
            return b""
        return stream.read(_MOST_BYTES)


def _make_room(folder: Path) -> None:
    """Remove the oldest files and what dead runs left; folders of tests come and go."""
    leftovers.sweep(folder)
    found = [entry for entry in os.scandir(folder) if entry.name.endswith(".tables")]
    found.sort(key=lambda entry: entry.stat().st_mtime)
    for entry in found[: max(0, len(found) - _MOST_FILES + 1)]:
        Path(entry).unlink(missing_ok=True)


class _Records(pickle.Unpickler):
    """Reads records of this room, and nothing that could run a program."""

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] == "pathlib" and name in _PATHS:
            return Path
        room, _, place = module.rpartition(".")
        base = __package__.rpartition(".")[0]
        if room == __package__ or (room, place, name) == (f"{base}.base", *_FOREIGN_LAYER):
            found = super().find_class(module, name)
            if is_dataclass(found) or (isinstance(found, type) and issubclass(found, Enum)):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no record of a process")
