"""What a run reads, so that no result of it takes the place of what it is made from.

Only the command line watches: a program that imports this package may write where it reads.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .errors import ConfigError
from .leftovers import SUFFIX

_Identity = tuple[int, int]


@dataclass
class _Run:
    """What one run has read and written so far.

    Attributes:
        read: device and number of each file read -> how it was named.
        written: of each file that this run put in place.
        reserved: where --output goes, which no other result may take.
    """

    read: dict[_Identity, Path] = field(default_factory=dict)
    written: set[_Identity] = field(default_factory=set)
    reserved: set[Path] = field(default_factory=set)


_runs: list[_Run] = []


@contextmanager
def watched() -> Iterator[None]:
    """Watch what is read and written until the block ends."""
    _runs.append(_Run())
    try:
        yield
    finally:
        _runs.pop()


def note_read(path: Path) -> None:
    """Note a file that is read; results of this very run are no inputs."""
    # what a run is about to put in place, it reads as its own
    if not _runs or any(part.endswith(SUFFIX) for part in path.parts):
        return
    if (found := _identity(path)) is not None and found not in _runs[-1].written:
        _runs[-1].read.setdefault(found, path)


@contextmanager
def own_records() -> Iterator[None]:
    """Let the block read what an earlier run wrote of itself, which this run may renew."""
    _runs.append(_Run())
    try:
        yield
    finally:
        _runs.pop()


def note_written(path: Path) -> None:
    """Note a file that was just put in its place."""
    if _runs and (found := _identity(path)) is not None:
        _runs[-1].written.add(found)
        _runs[-1].read.pop(found, None)


def reserve(path: Path) -> None:
    """Keep a place for one result alone.

    Raises:
        ConfigError: if another result goes there, too.
    """
    if not _runs:
        return
    place = path.resolve()
    if place in _runs[-1].reserved:
        raise ConfigError(f"{path} would be written twice; choose another name")
    _runs[-1].reserved.add(place)


def release(path: Path) -> None:
    """Give a place back, for the result that it was kept for."""
    if _runs:
        _runs[-1].reserved.discard(path.resolve())


def check_outputs(*paths: Path | None) -> None:
    """Refuse to write, or to remove, a file that this run reads or that another result is kept for.

    Args:
        paths: what is to be written; None for what is not.

    Raises:
        ConfigError: naming the file.
    """
    for path in paths if _runs else ():
        if path is None:
            continue
        if path.resolve() in _runs[-1].reserved:
            raise ConfigError(f"{path} would be written twice: name another file for --output")
        found = _identity(path)
        named = None if found is None else _runs[-1].read.get(found)
        if named is not None and _identity(named) == found:
            raise ConfigError(
                f"{path} is read and would be replaced by a result: choose another place with -o"
                if named == path
                else f"{path} is read (as {named}) and would be replaced by a result: choose "
                "another place with -o"
            )


def read_below(folder: Path) -> list[tuple[Path, Path]]:
    """Return the files read so far in a folder: relative to it, and as they were named."""
    if not _runs:
        return []
    place = folder.resolve()
    named = ((path.resolve(), path) for path in _runs[-1].read.values())
    return [(full.relative_to(place), path) for full, path in named if full.is_relative_to(place)]


def _identity(path: Path) -> _Identity | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino
