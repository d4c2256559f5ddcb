"""Numbers that a user gives in a file: .npy, or CSV; checked before they are read whole."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError
from ..base.inputs import regular_file
from ..pdk import FileError
from ..solve.network.archive import MOST_HEAD, READ_FAULTS, array_head

Floats = NDArray[np.float64]
#: bytes of a file that are read; text takes several times as much memory as it is long
_MOST_NPY, _MOST_TEXT = 2**28, 2**26
#: where NumPy could not read a number: it counts rows from 0 and columns from 1
_PLACE = re.compile(r"at row (\d+), column (\d+)")
_NPY, _ZIP = b"\x93NUMPY", b"PK"


def load_numbers(path: Path) -> Floats:
    """Read real numbers from .npy or CSV; whichever it is, its first bytes say.

    Raises:
        FileError: if the file cannot be read, is too large, or holds anything else.
        ConfigError: for a value that is not finite.
    """
    regular_file(path)
    with path.open("rb") as stream:
        start = stream.read(len(_NPY))
    if start.startswith(_ZIP):
        raise FileError(f"{path} is an .npz or another zip file; give the array alone, as .npy")
    try:
        found = _npy(path) if start == _NPY or path.suffix == ".npy" else _text(path)
    except FileError:
        raise
    except UnicodeDecodeError:
        wanted = ".npy, or CSV: text, a line per row with commas between its numbers"
        raise FileError(f"{path} does not hold numbers: expected {wanted}") from None
    except READ_FAULTS as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        reason = reason.partition("; use `usecols`")[0]  # advice for programmers of numpy
        reason = _PLACE.sub(_from_one, reason)
        raise FileError(f"{path} does not hold numbers (.npy, or CSV): {reason}") from None
    if not found.size:
        raise FileError(f"{path} holds no numbers")
    values = np.asarray(found, dtype=np.float64)
    if not np.isfinite(values).all():
        at = tuple(int(k) for k in np.argwhere(~np.isfinite(values))[0])
        where = f"[{', '.join(map(str, at))}]"
        raise ConfigError(f"{path}: value {values[at]} at {where} is not a finite number")
    return values


def _from_one(place: re.Match[str]) -> str:
    return f"at row {int(place[1]) + 1}, column {place[2]}, both counted from 1"


def _npy(path: Path) -> NDArray[np.generic]:
    regular_file(path, _MOST_NPY)
    with path.open("rb") as stream:
        (dtype, shape, _), start = array_head(stream.read(MOST_HEAD))
    if dtype.kind not in "biuf":
        raise FileError(f"{path} holds {str(dtype)[:40]} values, allowed: real numbers")
    size = dtype.itemsize * int(np.prod(np.array(shape, dtype=object), initial=1))
    if size != (held := path.stat().st_size - start):
        raise ValueError(f"its head says {size} bytes of numbers, it holds {held}")
    found: NDArray[np.generic] = np.load(path, allow_pickle=False)
    return found


def _text(path: Path) -> NDArray[np.generic]:
    regular_file(path, _MOST_TEXT)
    with warnings.catch_warnings():  # of an empty file, which we refuse
        warnings.simplefilter("ignore")
        # Excel marks UTF-8 by three bytes at the start
        found: NDArray[np.generic] = np.loadtxt(
            path, delimiter=",", ndmin=2, comments="#", encoding="utf-8-sig"
        )
    return found


def read_numbers(path: Path, shape: tuple[int, ...], *, one_line: bool = False) -> Floats:
    """Read an array from .npy, or from CSV with one line per row (tiers one after the other).

    Args:
        path: the file.
        shape: of the array.
        one_line: take all numbers on one line, too, or as a batch of one.

    Raises:
        ConfigError: if the shape differs; the message says how the file must look.
        FileError: if the file cannot be read.
    """
    found, above = load_numbers(path), int(np.prod(shape[:-1]))
    shapes = {shape, (above, shape[-1])} | ({shape[-1:]} if above == 1 else set())
    if one_line:
        shapes |= {(1, above * shape[-1]), (above * shape[-1],), (1, *shape)}
    if found.shape not in shapes:
        lines = "x".join(map(str, shape[:-1])) or "1"
        raise ConfigError(
            f"{path} has shape {found.shape}; expected {shape} "
            f"(as CSV: {lines} lines of {shape[-1]} numbers)"
        )
    return found.reshape(shape)
