"""Files that a user names: checked before anything reads them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from . import claims
from .errors import FileError


class NoTextError(FileError):
    """A file whose bytes are no text."""


class TooLargeError(FileError):
    """A file of more bytes than one of its kind is read of."""


def regular_file(path: Path, max_bytes: int | None = None) -> Path:
    """Return the path of a file that can be read to its end.

    Args:
        path: what the user named.
        max_bytes: largest size that is read; None for any.

    Raises:
        FileError: if it does not exist, is a folder, pipe or device (which may have no end), may
            not be read.
        TooLargeError: if it is larger.
    """
    path = Path(path)
    try:
        found = path.stat()
    except FileNotFoundError:
        raise FileError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{path}: {reason}") from None
    if stat.S_ISDIR(found.st_mode):
        raise FileError(f"{path} is a folder, not a file")
    if not stat.S_ISREG(found.st_mode):
        raise FileError(f"{path} is a pipe or device, not a file: copy it to a file first")
    if not os.access(path, os.R_OK):
        raise FileError(f"{path}: permission denied")
    if max_bytes is not None and found.st_size > max_bytes:
        raise TooLargeError(
            f"{path} has {found.st_size / 1e6:.7g} MB, more than the {max_bytes / 1e6:g} MB "
            "that such a file may have"
        )
    claims.note_read(path)
    return path


def read_text(path: Path, max_bytes: int) -> str:
    """Return a text file in UTF-8, with or without the mark that some editors put at its start.

    Args:
        path: what the user named.
        max_bytes: largest size that is read.

    Raises:
        NoTextError: if it is not UTF-8, or holds bytes that no text has.
        TooLargeError: if it is larger.
        FileError: if it cannot be read.
    """
    path = regular_file(path, max_bytes)
    try:
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)  # it may have grown meanwhile
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    if len(data) > max_bytes:
        raise TooLargeError(f"{path} has more than the {max_bytes / 1e6:g} MB that it may have")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise NoTextError(
            f"{path}, line {line}: not a text file in UTF-8 (byte {data[error.start]:#04x})"
        ) from None
    if (at := text.find("\0")) >= 0:
        line = text.count("\n", 0, at) + 1
        raise NoTextError(f"{path}, line {line}: not a text file (it holds a zero byte)")
    return text
