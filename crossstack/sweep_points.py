"""Finished points of a sweep that was interrupted, kept beside its folder until it is complete.

A point is filed under everything that decides its figures: its whole configuration, the versions
of us and of what we compute with, and the state of our own code. So whatever is found under that
key belongs to this very point, whichever sweep left it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from functools import cache
from pathlib import Path
from typing import Any

from .base import files, leftovers
from .base.documents import read_json
from .base.errors import FileError
from .config import RunConfig
from .options import CELL_KINDS

#: points that nobody came back for
_KEPT_S = 30 * 86_400.0


class Points:
    """Where the finished points of a sweep lie.

    Args:
        folder: of the sweep's results.
    """

    def __init__(self, folder: Path) -> None:
        target = folder.absolute()
        self._folder = target.parent / f".{target.name}.points"
        self._mine: set[Path] = set()
        self._forget_old()

    def find(self, config: RunConfig) -> dict[str, Any] | None:
        """Return the figures of a point if it was finished before, else None."""
        if (path := self._path(config)) is None or not path.is_file():
            return None
        self._mine.add(path)
        try:
            found = read_json(path)
        except FileError:
            return None
        if not isinstance(found, dict) or found.get("config") != _plain(config):
            return None
        row = found.get("row")
        if found.get("sha256") != _sum(row):
            return None
        return row if isinstance(row, dict) and "modes" in row else None

    def keep(self, config: RunConfig, row: dict[str, Any]) -> None:
        """File the figures of a finished point; a disk that is full costs only the point."""
        if (path := self._path(config)) is None:
            return
        self._mine.add(path)
        try:
            path.parent.mkdir(exist_ok=True)
            files.write_json(path, {"config": _plain(config), "row": row, "sha256": _sum(row)})
        except OSError:
            return

    def drop(self) -> None:
        """Remove the points of this sweep: its table holds them now."""
        for path in self._mine:
            path.unlink(missing_ok=True)
        leftovers.sweep(self._folder)  # of a run that was killed while it wrote a point
        try:
            self._folder.rmdir()
        except OSError:  # another sweep's are there
            return

    def _path(self, config: RunConfig) -> Path | None:
        # nobody can say whether a cell of somebody's package is the same as it was
        if config.spec.cell not in CELL_KINDS.choices:
            return None
        text = json.dumps([_plain(config), files.versions(), _code()], sort_keys=True)
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()}.json"

    def _forget_old(self) -> None:
        old = time.time() - _KEPT_S
        try:
            if self._folder.stat().st_mtime < old:
                shutil.rmtree(self._folder, ignore_errors=True)
        except OSError:
            return


def _sum(row: Any) -> str:
    """Return a checksum of figures, so that what was changed since is solved again."""
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()


def _plain(config: RunConfig) -> Any:
    """Return the configuration as JSON would give it back."""
    return json.loads(json.dumps(config.to_json()))


@cache
def _code() -> str:
    """Return a sum that changes with our own code and tables, installed or being worked on."""
    from . import analyse, base, drc, extract, generators, lvs, pdk, signoff, solve
    from . import cells as cells_room

    seen = hashlib.sha256()
    rooms = (base, pdk, cells_room, generators, drc, lvs, extract, solve, analyse, signoff)
    roots = {Path(__file__).parent, *(Path(str(room.__file__)).parent for room in rooms)}
    for root in sorted(roots):
        for path in sorted(root.rglob("*")):
            if path.suffix in (".py", ".json", ".csv", ".yaml"):
                found = os.stat(path)
                seen.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return seen.hexdigest()
