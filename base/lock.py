"""One run at a time at a place: whoever comes second is told so, and a killed run holds nothing.

The system holds the lock for the process and lets it go when that ends, however it does. The file
says who has it, for people; that it is there says nothing.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import FileError
from .files import make_folder

#: how long a run that was just killed may take to be gone, s
PATIENCE_S = 1.0


class TakenError(FileError):
    """Another run is at a place."""


@contextmanager
def alone(path: Path, what: str) -> Iterator[None]:
    """Hold a lock until the block ends.

    Args:
        path: its file, which is there as long as the lock is held; its folder is made.
        what: what the other run is doing and where, for people.

    Raises:
        TakenError: if another process holds it.
        FileError: if the file cannot be made.
    """
    held = _take(path, what)
    try:
        yield
    finally:
        if held is not None:
            # while it is ours: whoever opened it meanwhile looks whether it is still there
            path.unlink(missing_ok=True)
            os.close(held)


def _take(path: Path, what: str) -> int | None:
    """Return an open file that is locked; None where files cannot be."""
    ends = time.monotonic() + PATIENCE_S
    while True:
        # a run that ends takes its folder away, perhaps just before the file is made here
        make_folder(path.parent)
        try:
            held = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            if time.monotonic() < ends:
                continue
            raise FileError(f"cannot write {path}: its folder is removed again and again") from None
        except OSError as error:
            raise FileError(f"cannot write {path}: {error.strerror}") from None
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(held, 20).decode("ascii", "replace").strip()
            os.close(held)
            if time.monotonic() < ends:
                time.sleep(PATIENCE_S / 20)
                continue
            by = f" (process {owner})" if owner.isdigit() else ""
            raise TakenError(f"another run{by} {what}") from None
        except OSError:  # a disk that knows no locks
            os.close(held)
            path.unlink(missing_ok=True)
            return None
        with suppress(OSError):
            if os.path.samestat(os.stat(path), os.fstat(held)):
                os.truncate(held, 0)
                os.write(held, f"{os.getpid()}\n".encode())
                return held
        os.close(held)  # the file of a run that has just ended
