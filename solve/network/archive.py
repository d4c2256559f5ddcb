"""Files of arrays (.npz): written in one step, read by one strict reader whatever they hold.

A file may come from anywhere. So nothing is unpacked before its size is known and its kind is
what it should be, nothing is cast, and what is not expected is refused: a file that is read is
one that could have been written here.
"""

from __future__ import annotations

import io
import json
import os
import re
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.documents import parse_json
from ...base.errors import FileError, NetworkFileError
from ...base.inputs import regular_file
from ...base.outputs import one_step

Array = NDArray[Any]
#: what a file may hold unpacked; 2048 x 2048 x 2 cells as arrays need 440 MB
MOST_BYTES = 512 * 2**20
#: a name is what a layout's label and a number give; an array of names is as wide as the longest
LONGEST_NAME = 1000
#: bytes of the list of entries, of an entry's head and of the conditions as text
_MOST_LISTED, MOST_HEAD, _MOST_TEXT = 2**16, 1024, 2**16
#: the end of a zip file: signature, 8 bytes, number of entries, size of the list, 6 bytes more
_END, _END_BYTES, _MOST_COMMENT = b"PK\5\6", 22, 2**16
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
#: what reading a damaged zip file or array may raise
READ_FAULTS = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, TypeError, SyntaxError,
    KeyError, NotImplementedError, RuntimeError, OverflowError, struct.error, tokenize.TokenError,
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """What one entry of a file must be.

    Attributes:
        dtype: exact type of the elements; None for a short text.
        ndim: number of dimensions.
    """

    dtype: np.dtype[Any] | None
    ndim: int = 1


#: what every file begins with
HEAD = {"format": Entry(None, 0), "version": Entry(np.dtype(np.int64), 0)}


def write_archive(path: Path, content: Mapping[str, Any]) -> None:
    """Write an .npz in one step.

    Raises:
        FileError: if it cannot be written.
        NetworkFileError: if it is larger than what is read again.
    """
    size = sum(np.asarray(value).nbytes for value in content.values())
    if size > MOST_BYTES:
        raise NetworkFileError(f"{path} would hold {_mb(size)}; a file holds at most {_LARGEST}")
    with one_step(path) as work, work.open("wb") as stream:
        np.savez_compressed(stream, **content)


def archive_format(path: str | Path) -> str | None:
    """Return what a file calls its format; None if it is not one of ours, whatever it is."""
    try:
        with _open(Path(path)) as archive:
            return str(_read(Path(path), archive, "format", HEAD["format"]))
    except NetworkFileError:
        return None


def archive_entries(path: str | Path) -> frozenset[str]:
    """Return the names of what a file holds.

    Raises:
        NetworkFileError: if it is no archive.
    """
    with _open(Path(path)) as archive:
        return frozenset(info.filename.removesuffix(".npy") for info in archive.infolist())


def read_archive(
    path: str | Path,
    form: str,
    version: int,
    entries: Mapping[str, Entry],
    remedy: str,
    optional: Mapping[str, Entry] | None = None,
) -> dict[str, Array]:
    """Return the entries of a file, each of exactly the kind that it must be.

    Args:
        path: the file.
        form: its format.
        version: its schema version.
        entries: what it must hold besides `HEAD`, and nothing else.
        remedy: what to do with a file of an earlier version.
        optional: what it may hold besides.

    Raises:
        NetworkFileError: naming file, entry and fault.
    """
    path = Path(path)
    with _open(path) as archive:
        found = str(_read(path, archive, "format", HEAD["format"]))
        if found != form:
            raise NetworkFileError(f"{path} holds {found!r}, expected {form!r}")
        at = int(_read(path, archive, "version", HEAD["version"]))
        if at != version:
            way = remedy if at < version else "it needs the later version that wrote it"
            raise NetworkFileError(f"{path} has schema {at}, this version reads {version}: {way}")
        names = {info.filename.removesuffix(".npy") for info in archive.infolist()}
        expected = {*HEAD, *entries}
        for missing in sorted(expected - names):
            raise NetworkFileError(f"{path} is incomplete: it has no entry {missing!r}")
        also = {name: entry for name, entry in (optional or {}).items() if name in names}
        for more in sorted(names - expected - also.keys()):
            raise NetworkFileError(f"{path} holds an entry {more[:80]!r} that no such file has")
        wanted = {**entries, **also}
        return {name: _read(path, archive, name, entry) for name, entry in wanted.items()}


def _mb(size: int) -> str:
    return f"{size / 2**20:.0f} MB"


_LARGEST = _mb(MOST_BYTES)


def _open(path: Path) -> zipfile.ZipFile:
    """Return an archive whose list of entries is sound and whose sizes are bearable."""
    try:
        regular_file(path, MOST_BYTES)
        if (listed := _listed_bytes(path)) > _MOST_LISTED:
            raise NetworkFileError(f"{path} lists entries over {listed} bytes: not one of ours")
        archive = zipfile.ZipFile(path)
    except NetworkFileError:
        raise
    except FileError as error:
        raise NetworkFileError(str(error)) from None
    except READ_FAULTS as error:
        raise _not_readable(path, error) from None
    try:
        _check_list(path, archive.infolist())
    except BaseException:
        archive.close()
        raise
    return archive


def _listed_bytes(path: Path) -> int:
    """Return the size of a zip file's list of entries, which is read whole when it is opened.

    Raises:
        NetworkFileError: if the file does not end as a zip file.
    """
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - _END_BYTES - _MOST_COMMENT))
        tail = stream.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + _END_BYTES:
        raise NetworkFileError(f"{path} is not a readable network file (no .npz, or cut off)")
    return int(struct.unpack_from("<I", tail, at + 12)[0])


def _check_list(path: Path, listed: list[zipfile.ZipInfo]) -> None:
    """Refuse what cannot be read or would be too much, before anything is unpacked."""
    seen: set[str] = set()
    for info in listed:
        name = info.filename[:80]
        if not name.endswith(".npy"):
            raise NetworkFileError(f"{path} holds {name!r}, which is no array")
        if info.filename in seen:
            raise NetworkFileError(f"{path} holds entry {name!r} twice")
        seen.add(info.filename)
        if info.flag_bits & 1:
            raise NetworkFileError(f"{path}: entry {name!r} is encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise NetworkFileError(f"{path}: entry {name!r} is packed in a way that is not read")
    size = sum(info.file_size for info in listed)
    if size > MOST_BYTES:
        raise NetworkFileError(f"{path} unpacks to {_mb(size)}; at most {_LARGEST} are read")


def _read(path: Path, archive: zipfile.ZipFile, name: str, entry: Entry) -> Array:
    """Return one entry.

    Raises:
        NetworkFileError: if it is not there, not readable, or of another kind.
    """
    where = f"{path}: entry {name!r}"
    try:
        info = archive.getinfo(f"{name}.npy")
    except KeyError:
        raise NetworkFileError(f"{path} is not a network file: it has no {name!r} entry") from None
    most = _MOST_TEXT if entry.ndim == 0 or name == "conditions" else MOST_BYTES
    if info.file_size > most:
        raise NetworkFileError(f"{where} has {info.file_size} bytes, at most {most} are read")
    try:
        with archive.open(info) as packed:
            # the head first, so that nothing of another kind is unpacked whole
            dtype, shape, fortran = array_head(packed.read(MOST_HEAD))[0]
        _check_kind(where, dtype, shape, entry)
        data = archive.read(info)  # to its end, where the sum is compared
        _, start = array_head(data[:MOST_HEAD])
    except NetworkFileError:
        raise
    except READ_FAULTS as error:
        raise _not_readable(where, error) from None
    size = dtype.itemsize * int(np.prod(np.array(shape, dtype=object), initial=1))
    if len(data) - start != size:
        raise NetworkFileError(f"{where} says {size} bytes and holds {len(data) - start}")
    if dtype == np.bool_ and np.frombuffer(data, np.uint8, offset=start).max(initial=0) > 1:
        raise NetworkFileError(f"{where} holds bytes that are neither true nor false")
    values = np.frombuffer(data, dtype, offset=start)
    return values.reshape(shape, order="F" if fortran else "C")


def _check_kind(where: str, dtype: np.dtype[Any], shape: tuple[int, ...], entry: Entry) -> None:
    right = dtype.kind == "U" if entry.dtype is None else dtype == entry.dtype
    if not right:
        wanted = "text" if entry.dtype is None else entry.dtype
        raise NetworkFileError(f"{where} is of type {str(dtype)[:40]}, expected {wanted}")
    if len(shape) != entry.ndim:
        raise NetworkFileError(f"{where} has {len(shape)} dimensions, expected {entry.ndim}")


def array_head(data: bytes) -> tuple[tuple[np.dtype[Any], tuple[int, ...], bool], int]:
    """Return (type, shape, by columns) of an array in numpy's format, and where its data begin.

    Args:
        data: at least the first `MOST_HEAD` bytes, or all of it.

    Raises:
        ValueError, or another of `READ_FAULTS`: if it is no such array, or holds objects.
    """
    stream = io.BytesIO(data)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("not in numpy's format 1.0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = np.lib.format.read_array_header_1_0
        try:
            shape, fortran, dtype = read(stream, max_header_size=MOST_HEAD)
        except Warning:  # of numpy: it had to parse further
            raise ValueError("its head is as Python 2 wrote it: save it again") from None
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    return (dtype, shape, fortran), stream.tell()


def _not_readable(where: str | Path, error: BaseException) -> NetworkFileError:
    reason = (str(error) or type(error).__name__).splitlines()[0][:200]
    return NetworkFileError(f"{where} is not readable ({reason})")


def pack_names(names: Iterable[str]) -> NDArray[np.uint8]:
    """Return names as UTF-8 lines: a tenth of the size of a fixed-width array, and no pickle.

    Raises:
        NetworkFileError: for a name that is empty, too long, or holds control characters.
    """
    names = [str(name) for name in names]
    for name in names:
        if not 0 < len(name) <= LONGEST_NAME or "\n" in name or _CONTROL.search(name):
            raise NetworkFileError(f"name {name[:80]!r}: {_NAMES}")
    return np.frombuffer("\n".join([*names, ""]).encode(), dtype=np.uint8)


_NAMES = f"a name has 1 to {LONGEST_NAME} characters, no line break or control character"


def unpack_names(where: str, packed: NDArray[np.uint8]) -> tuple[str, ...]:
    """Return the names that `pack_names` packed.

    Args:
        where: file and entry, for the message.
        packed: the bytes.

    Raises:
        NetworkFileError: for anything that it would not have written, and a name given twice.
    """
    try:
        text = packed.tobytes().decode()
    except UnicodeDecodeError:
        raise NetworkFileError(f"{where} is not UTF-8 text") from None
    if text and not text.endswith("\n"):
        raise NetworkFileError(f"{where} does not end with a line break: it is cut off")
    names = tuple(text.split("\n")[:-1])
    longest = max(map(len, names), default=1)
    if longest > LONGEST_NAME or not all(names) or _CONTROL.search(text):
        raise NetworkFileError(f"{where}: {_NAMES}")
    if 4 * longest * len(names) > MOST_BYTES:
        raise NetworkFileError(f"{where}: {len(names)} names of up to {longest} are too many")
    if len(set(names)) < len(names):
        seen: set[str] = set()
        twice = next(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise NetworkFileError(f"{where} holds the name {twice[:80]!r} twice")
    return names


def pack_json(value: Mapping[str, Any]) -> NDArray[np.uint8]:
    """Return plain values as bytes of JSON, the same ones for equal values."""
    return np.frombuffer(
        json.dumps(dict(value), sort_keys=True, allow_nan=False).encode(), dtype=np.uint8
    )


def unpack_json(where: str, packed: NDArray[np.uint8]) -> dict[str, Any]:
    """Return the values that `pack_json` packed.

    Raises:
        NetworkFileError: if they are no JSON object.
    """
    try:
        value = parse_json(packed.tobytes().decode())
    except (ValueError, RecursionError):
        raise NetworkFileError(f"{where} is not JSON") from None
    if not isinstance(value, dict):
        raise NetworkFileError(f"{where} holds no keys and values")
    return value
