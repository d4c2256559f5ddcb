"""Capacitances of scenes that were solved before, by what the scenes hold.

They stay in memory for the process and in the user's cache folder for the next one. A folder
that cannot be read or written costs time and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...base.cache import cache_folder
from ...base.errors import FileError
from ...base.inputs import regular_file
from .lines import Box, Spacing
from .scene import Scene

Floats = NDArray[np.float64]
#: modules whose text the numbers depend on: another one gives other numbers
_ENGINE = ("cells", "lines", "maxwell", "multigrid", "stencil")
_solved: dict[str, Floats] = {}


@cache
def _engine() -> str:
    """Return what tells this engine from others."""
    texts = [Path(__file__).with_name(f"{name}.py").read_bytes() for name in _ENGINE]
    return hashlib.sha256(b"".join(texts)).hexdigest()


def scene_key(scene: Scene, spacing: Spacing, focus: Box, nets: tuple[str, ...]) -> str:
    """Return what a scene and the way it is solved are known by."""
    text = repr((_engine(), scene, spacing, focus, nets))
    return hashlib.sha256(text.encode()).hexdigest()


def known(key: str, count: int) -> Floats | None:
    """Return the matrix of a key for that many nets, None if it is not known."""
    if key in _solved:
        return _solved[key]
    # a file that something else wrote, or wrote half of, is no answer
    with suppress(OSError, ValueError, EOFError, RuntimeError, FileError):
        # a pipe would wait for whoever writes into it
        found = np.load(regular_file(_path(key)), allow_pickle=False)
        if found.shape == (count, count) and found.dtype == np.float64 and np.isfinite(found).all():
            _solved[key] = found
            return _solved[key]
    return None


def remember(key: str, matrix: Floats) -> None:
    """Keep the matrix of a key."""
    _solved[key] = matrix
    with suppress(OSError, RuntimeError):
        path = _path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, work = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                np.save(file, matrix, allow_pickle=False)
            os.replace(work, path)
        except OSError:
            os.unlink(work)
            raise


def _path(key: str) -> Path:
    return cache_folder() / "field" / key[:2] / f"{key}.npy"
