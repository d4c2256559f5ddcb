"""Tiled arrays on disk: one .npz with a schema version, written in one step."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from ...base.errors import NetworkFileError
from ...pdk import Conditions, ParameterError
from ...solve.network.archive import (
    Entry,
    archive_format,
    pack_json,
    read_archive,
    unpack_json,
    write_archive,
)
from ...solve.network.netfile import REMEDY, load_network
from ...solve.network.network import Network
from .chain import EXACT
from .farads import ArrayFarads
from .tiled import LARGEST, TiledArray

FORMAT = "crossstack-tiled-array"
#: 2: with the conditions of the extraction
VERSION = 2
_FLAGS = ("row_pin_first", "column_pin_first")


def _entry(name: str) -> Entry:
    if name == "conditions":
        return Entry(np.dtype(np.uint8))
    if name in _FLAGS:
        return Entry(np.dtype(np.bool_), 0)
    return Entry(np.dtype(np.float64), 2 if name == "column_segment" else 3)


#: an array with nets in pieces is always small enough for a network, and saved as one
ENTRIES = {
    f.name: _entry(f.name) for f in fields(TiledArray) if f.name not in ("nets", "every", "farads")
}
_DIMENSIONS = {"row": 3, "column": 2, "select": 3, "electrode": 3, "device": 3}
#: of an array with capacitances only: `ArrayFarads`, in F
OPTIONAL = {f"farad_{name}": Entry(np.dtype(np.float64), n) for name, n in _DIMENSIONS.items()}


def save_array(array: TiledArray, path: str | Path) -> Path:
    """Write the arrays; the file is moved over an earlier one in one step.

    Schema 2: `format`, `version`, and one entry per field of `TiledArray` (ohm, um, um2).

    Raises:
        NetworkFileError: if the folder is missing or not writable, or nets are kept in pieces.
    """
    path = Path(path)
    array.validate()
    if array.nets is not None:
        nets = array.nets
        counts = {"row lines": len(nets.rows), "columns": len(nets.columns)}
        counts["stacks of select transistors"] = len(nets.stacks)
        which = " and ".join(f"{count} {what}" for what, count in counts.items() if count)
        raise NetworkFileError(
            f"{path}: of this array {which} are kept piece by piece, which a file of arrays has no "
            f"place for (up to {LARGEST} every net is that is no chain of segments and taps to "
            f"{EXACT:g} of its resistance, if by rounding only): save its network with save_network"
        )
    content: dict[str, Any] = {name: getattr(array, name) for name in ENTRIES}
    content["conditions"] = pack_json(array.conditions)
    if (farads := array.farads) is not None:
        content |= {f"farad_{name}": getattr(farads, name) for name in _DIMENSIONS}
    head = {"format": np.array(FORMAT), "version": np.array(VERSION, dtype=np.int64)}
    write_archive(path, head | content)
    return path


def is_array(path: str | Path) -> bool:
    """Return True if a file was written by `save_array`; False for anything else."""
    return archive_format(path) == FORMAT


def load_array(path: str | Path) -> TiledArray:
    """Read arrays written by `save_array`, and check them.

    Raises:
        NetworkFileError: if the file is missing, no such file, of another schema version, or
            holds a value that no array has; the message names file, entry and value.
    """
    path = Path(path)
    content: dict[str, Any] = read_archive(path, FORMAT, VERSION, ENTRIES, REMEDY, OPTIONAL)
    farads = {name: content.pop(f"farad_{name}", None) for name in _DIMENSIONS}
    if (lacks := [name for name, each in farads.items() if each is None]) not in ([], [*farads]):
        raise NetworkFileError(f"{path} is incomplete: it has no entry 'farad_{lacks[0]}'")
    if not lacks:
        content["farads"] = ArrayFarads(**farads)
    content["conditions"] = unpack_json(f"{path}: entry 'conditions'", content["conditions"])
    content |= {name: bool(content[name]) for name in _FLAGS}
    try:
        return TiledArray(**content).validate()
    except ParameterError as error:
        raise NetworkFileError(f"{path}: {error}") from None


def load_wires(path: str | Path) -> Network | TiledArray:
    """Read what `crossstack extract` left: a network, or the arrays of a large one.

    Raises:
        NetworkFileError: naming file, entry and value of what is wrong.
    """
    found = load_array(path) if is_array(path) else load_network(path)
    try:
        if found.conditions:
            Conditions.from_json(found.conditions)
    except ParameterError as error:
        raise NetworkFileError(f"{path}: {error}") from None
    return found
