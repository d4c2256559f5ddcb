"""Tiles and training of a `map` that was interrupted, kept until it is complete.

They lie beside its folder, filed under everything that decides them: what was asked of the run
with the contents of its files, the versions of us and of what we compute with, and the devices.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import supervise
from ..base import leftovers
from ..base.errors import CrossStackError
from ..base.outputs import one_step
from ..base.units import counted
from ..identity import identity
from ..points import KEPT_S

Floats = NDArray[np.float64]

_SUM = hashlib.sha256().digest_size


class Kept:
    """What a run has finished so far."""

    def __init__(self, folder: Path, asked: Mapping[str, Any]) -> None:
        """Name the run.

        Args:
            folder: of its results.
            asked: everything that decides them.
        """
        target = folder.absolute()
        self._folder = target.parent / f".{target.name}.tiles"
        text = json.dumps([identity(), asked], sort_keys=True, allow_nan=False)
        self._done: set[Path] = set()
        self._run = hashlib.sha256(text.encode()).hexdigest()
        self._forget_old()

    def find(self, name: str, devices: Sequence[Floats] = ()) -> bytes | None:
        """Return what was kept under a name, and for these devices; None if nothing is whole."""
        path = self._path(name, devices)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        if hashlib.sha256(data[_SUM:]).digest() != data[:_SUM]:
            return None
        self._note(path)
        return data[_SUM:]

    def keep(self, name: str, data: bytes, devices: Sequence[Floats] = ()) -> None:
        """File what is finished; a disk that is full costs only that."""
        path = self._path(name, devices)
        try:
            path.parent.mkdir(exist_ok=True)
            with one_step(path) as work:
                work.write_bytes(hashlib.sha256(data).digest() + data)
        except (OSError, CrossStackError):
            return
        self._note(path)

    def _note(self, path: Path) -> None:
        """Let a run that is stopped say what is left of it."""
        self._done.add(path)
        supervise.keeps(counted(len(self._done), "finished piece"))

    def drop(self) -> None:
        """Remove all that was kept beside the results, which are complete now.

        What runs of other options, or of another version of the program, have left there for the
        same results is nobody's any more.
        """
        supervise.keeps("")
        leftovers.remove(self._folder)

    def _path(self, name: str, devices: Sequence[Floats]) -> Path:
        found = hashlib.sha256(f"{self._run} {name}".encode())
        for one in devices:
            found.update(np.ascontiguousarray(one).tobytes())
        return self._folder / found.hexdigest()

    def _forget_old(self) -> None:
        try:
            if self._folder.stat().st_mtime < time.time() - KEPT_S:
                shutil.rmtree(self._folder, ignore_errors=True)
        except OSError:
            return


def packed(arrays: Sequence[Floats]) -> bytes:
    """Return arrays of one shape as bytes."""
    stream = io.BytesIO()
    np.save(stream, np.stack(arrays), allow_pickle=False)
    return stream.getvalue()


def unpacked(data: bytes) -> list[Floats]:
    """Return what `packed` packed."""
    return list(np.load(io.BytesIO(data), allow_pickle=False))
