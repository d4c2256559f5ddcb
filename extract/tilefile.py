"""Tiled arrays on disk: one .npz with a schema version, written in one step."""

from __future__ import annotations

import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np

from ..pdk import FileError
from ..solve.netfile import write_archive
from .tiled import TiledArray

FORMAT = "crossstack-tiled-array"
VERSION = 1


def save_array(array: TiledArray, path: str | Path) -> Path:
    """Write the arrays; the file is moved over an earlier one in one step.

    Schema 1: `format`, `version`, and one entry per field of `TiledArray` (ohm, um, um2).

    Raises:
        FileError: if the folder is missing or not writable.
    """
    path = Path(path)
    head = {"format": np.array(FORMAT), "version": np.array(VERSION)}
    write_archive(path, head | {f.name: getattr(array, f.name) for f in fields(array)})
    return path


def is_array(path: str | Path) -> bool:
    """Return True if a file was written by `save_array`; False for anything else."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return "format" in archive.files and str(archive["format"]) == FORMAT
    except (OSError, EOFError, ValueError, AttributeError, TypeError, zipfile.BadZipFile):
        return False


def load_array(path: str | Path) -> TiledArray:
    """Read arrays written by `save_array`.

    Raises:
        FileError: if the file is missing, no such file, or of another schema version.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            if "format" not in archive.files or str(archive["format"]) != FORMAT:
                raise FileError(f"{path} holds no tiled array")
            if int(archive["version"]) != VERSION:
                raise FileError(f"{path} has schema {archive['version']}, this reads {VERSION}")
            content = {f.name: archive[f.name] for f in fields(TiledArray)}
    except (zipfile.BadZipFile, EOFError, KeyError, ValueError) as error:
        raise FileError(f"{path} is no readable array file ({error})") from None
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"cannot read {path}: {error.strerror}") from None
    for name in ("row_pin_first", "column_pin_first"):
        content[name] = bool(content[name])
    return TiledArray(**content)
