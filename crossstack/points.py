"""Finished points of a sweep or search that was interrupted, kept until it is complete.

They lie beside its folder. A point is filed under everything that decides its figures: all that
was asked of it, the versions of us and of what we compute with, the state of our own code and of
a user's own process. So whatever is found under that key belongs to this very point, whichever
run left it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import supervise
from .base import files, leftovers
from .base.claims import own_records
from .base.documents import read_json
from .base.errors import FileError
from .base.lock import alone
from .base.units import counted
from .config import RunConfig
from .identity import identity, process_sum
from .named import CELL_KINDS

Point = RunConfig | Mapping[str, Any]

#: points that nobody came back for
KEPT_S = 30 * 86_400.0


class Points:
    """Where the finished points of a run lie.

    What names a point is its configuration, or a mapping with that under ``config`` and whatever
    else was asked of it.

    Args:
        folder: of the run's results.
    """

    def __init__(self, folder: Path) -> None:
        target = folder.absolute()
        self._shown = folder
        self._folder = target.parent / f".{target.name}.points"
        self._mine: set[Path] = set()
        self._done: set[Path] = set()
        self._forget_old()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other runs of the same folder out until the block ends.

        Raises:
            FileError: if one is at work there.
        """
        what = f"works for {self._shown}: wait for its end, or choose another folder with -o"
        try:
            with alone(self._folder / "lock", what):
                yield
        finally:
            self._leave()

    def kept(self) -> Iterator[Any]:
        """Yield what names each point that an earlier run of this very code finished."""
        for path in sorted(self._folder.glob("*.json")):
            found = _read(path)
            point = found.get("point") if isinstance(found, dict) else None
            if isinstance(point, dict) and "config" in point and self._path(point) == path:
                yield point

    def find(self, point: Point) -> dict[str, Any] | None:
        """Return the figures of a point if it was finished before, else None."""
        if (path := self._path(point)) is None or not path.is_file():
            return None
        self._mine.add(path)
        found = _read(path)
        if not isinstance(found, dict) or found.get("point") != _plain(point):
            return None
        row = found.get("row")
        if found.get("sha256") != _sum(row):
            return None
        if not isinstance(row, dict):
            return None
        self._note(path)
        return row

    def keep(self, point: Point, row: dict[str, Any]) -> None:
        """File the figures of a finished point; a disk that is full costs only the point."""
        if (path := self._path(point)) is None:
            return
        self._mine.add(path)
        try:
            path.parent.mkdir(exist_ok=True)
            files.write_json(path, {"point": _plain(point), "row": row, "sha256": _sum(row)})
        except OSError:
            return
        self._note(path)

    def _note(self, path: Path) -> None:
        """Let a run that is stopped say what is left of it."""
        self._done.add(path)
        supervise.keeps(counted(len(self._done), "finished point"))

    def folder(self, name: str) -> Path:
        """Return a folder for what a point leaves beside its figures."""
        path = self._folder / name
        path.mkdir(parents=True, exist_ok=True)
        self._mine.add(path)
        return path

    def drop(self) -> None:
        """Remove the points of this run: its table holds them now."""
        supervise.keeps("")
        for path in self._mine:
            leftovers.remove(path)
        leftovers.sweep(self._folder)  # of a run that was killed while it wrote a point
        self._leave()

    def _leave(self) -> None:
        """Remove the folder if nothing is left in it."""
        try:
            self._folder.rmdir()
        except OSError:  # another run's are there
            return

    def _path(self, point: Point) -> Path | None:
        plain = _plain(point)
        config = plain if isinstance(point, RunConfig) else plain["config"]
        # nobody can say whether a cell of somebody's package is the same as it was
        if config["cell"] not in CELL_KINDS.choices:
            return None
        parts = [plain, identity(), process_sum(config["process"])]
        text = json.dumps(parts, sort_keys=True, allow_nan=False)
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()}.json"

    def _forget_old(self) -> None:
        old = time.time() - KEPT_S
        try:
            if self._folder.stat().st_mtime < old:
                shutil.rmtree(self._folder, ignore_errors=True)
        except OSError:
            return


def _read(path: Path) -> Any:
    """Return what a file of a point holds, which may be written anew; None if it is damaged."""
    try:
        with own_records():
            return read_json(path)
    except FileError:
        return None


def _sum(row: Any) -> str:
    """Return a checksum of figures, so that what was changed since is solved again."""
    return hashlib.sha256(json.dumps(row, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _plain(point: Point) -> Any:
    """Return what names a point as JSON would give it back."""
    value = point.to_json() if isinstance(point, RunConfig) else point
    return json.loads(json.dumps(value, allow_nan=False))
