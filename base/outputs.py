"""Files that a run writes: whole or not at all, with the earlier one kept until then."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from . import claims, leftovers
from .errors import FileError, PlaceError

#: what a program calls its own standard output
_STDOUT = {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}
_STREAMS = ("/dev/", "/proc/")
#: errors of a disk, quota or limit that is full
NO_ROOM = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})
#: ending of a name -> how such a file ends: KLayout does not look whether the disk took all of it
_ENDS = {".lyrdb": b"</report-database>", ".png": b"IEND\xaeB`\x82", ".lvsdb": b")"}
_TEXTS = re.compile(rb"'(?:[^'\\]|\\.)*'")
#: links that lead from a name to its file; more is a circle
_MOST_LINKS = 40


@contextmanager
def one_step(target: Path) -> Iterator[Path]:
    """Lend a temporary path; what the block writes there takes the target's place in one step.

    If the block fails or is interrupted, or the disk is full, an earlier file stays as it was.
    A link stays a link: what it names is replaced. A pipe or device is written to at the end.

    Args:
        target: file to write.

    Raises:
        FileError: if it cannot be written; the message says why.
    """
    target = Path(target)
    final, stream = _resolved(target)
    if stream:
        with tempfile.TemporaryDirectory(prefix="crossstack_") as lent:
            work = Path(lent) / (target.name or "out")
            yield work
            _pour(work, final, target)
        return
    _check(final, target)
    leftovers.sweep(final.parent)
    folder = leftovers.temporary(final.parent, final.name)
    try:
        folder.mkdir()
        # under its own name: writers go by the ending, and some write the name down
        yield folder / final.name
        _refuse_cut(folder / final.name, target)
        _take_place(folder / final.name, final, target)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"cannot write {target}: {error.strerror or error}") from None
    finally:
        leftovers.remove(folder)


def write_text(target: Path, text: str) -> None:
    """Write a text in UTF-8 with Unix line ends, in one step.

    Raises:
        FileError: if it cannot be written.
    """
    with one_step(target) as work:
        work.write_text(text, encoding="utf-8", newline="\n")


def put(work: Path, target: Path) -> None:
    """Move a finished file to its place, as `one_step` does.

    Raises:
        FileError: if that is impossible.
    """
    final, stream = _resolved(target)
    if stream:
        _pour(work, final, target)
        work.unlink()
        return
    _check(final, target)
    _take_place(work, final, target)


def check_target(target: Path) -> None:
    """Refuse a file that cannot be written, before hours of work.

    Raises:
        FileError: naming it.
    """
    final, stream = _resolved(target)
    if not stream:
        _check(final, target)


def check_folder(path: Path) -> None:
    """Refuse a folder that results cannot be put into, before hours of work; make nothing.

    Raises:
        PlaceError: if there is a file of this name, or of that of a folder above.
        FileError: if it, or the folder that it would be made in, is not writable.
    """
    try:
        there = next(p for p in (path, *path.absolute().parents) if p.exists() or p.is_symlink())
    except OSError as error:
        raise FileError(f"cannot create folder {path}: {error.strerror}") from None
    if not there.is_dir():
        raise PlaceError(f"{there} is a file, not a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        what = "" if there == path else f"cannot create folder {path}: "
        raise FileError(f"{what}folder {there} is not writable")


def _resolved(target: Path) -> tuple[Path, bool]:
    """Return what a name leads to over links, and whether it is written to as a stream."""
    path = target.absolute()
    for _ in range(_MOST_LINKS):
        # a name under /dev or /proc says where, not which file: `-o x.csv > y` keeps y open
        if str(path).startswith(_STREAMS):
            return path, True
        if not path.is_symlink():
            break
        path = path.parent / os.readlink(path)
    else:
        raise FileError(f"cannot write {target}: its links lead in a circle")
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return path, False
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"cannot write {target}: {reason}") from None
    return path, not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def remove(target: Path) -> None:
    """Remove an earlier result, if it is there.

    Raises:
        ConfigError: if this run reads it.
    """
    claims.check_outputs(target)
    target.unlink(missing_ok=True)


def _check(final: Path, target: Path) -> None:
    claims.check_outputs(final)
    if final.is_dir():
        raise PlaceError(f"cannot write {target}: it is a folder")
    if not final.parent.is_dir():
        raise PlaceError(f"cannot write {target}: there is no folder {final.parent}")
    if final.exists() and not os.access(final, os.W_OK):
        raise FileError(f"cannot write {target}: permission denied")
    if not os.access(final.parent, os.W_OK | os.X_OK):
        raise FileError(f"cannot write {target}: folder {final.parent} is not writable")


def _refuse_cut(work: Path, target: Path) -> None:
    """Refuse a file whose writer stopped early without a word."""
    end = _ENDS.get(work.suffix)
    if end is None:
        return
    data = work.read_bytes().rstrip()
    whole = data.endswith(end)
    if work.suffix == ".lvsdb":  # lists in lists
        bare = _TEXTS.sub(b"", data)
        whole = whole and bare.count(b"(") == bare.count(b")")
    if not whole:
        raise FileError(f"cannot write {target}: no room for all of it (disk full?)")


def _take_place(work: Path, final: Path, target: Path) -> None:
    try:
        if final.exists():  # rights are the file's, not of how it is written
            os.chmod(work, stat.S_IMODE(final.stat().st_mode))
        claims.check_outputs(final)
        os.replace(work, final)
        claims.note_written(final)
    except OSError as error:
        raise FileError(f"cannot write {target}: {error.strerror}") from None


def _pour(work: Path, stream: Path, target: Path) -> None:
    """Copy a finished file into a pipe, device or our own standard output."""
    try:
        with work.open("rb") as source:
            if str(stream) in _STDOUT:
                sys.stdout.flush()
                _copy(source, sys.stdout.buffer)
                return
            with stream.open("wb") as sink:
                _copy(source, sink)
    except OSError as error:
        raise FileError(f"cannot write {target}: {error.strerror or error}") from None


def _copy(source: BinaryIO, sink: BinaryIO) -> None:
    shutil.copyfileobj(source, sink)
    sink.flush()
