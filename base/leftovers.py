"""Temporary names that say whose they are, so that what a killed run leaves can be swept at once.

A name holds the host, its boot, the namespace of process numbers, the process and when it
started. Only what belongs to a process of this very host and namespace that is surely gone is
ever removed: a process number alone may have been given to another, and a folder may be shared
with another machine, whose processes cannot be seen from here.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

SUFFIX = ".part"
#: characters of the target's name that a temporary name repeats (255 is the most of a file)
_STEM = 120
_MARK = (
    r"(?P<host>[0-9a-f]{8})-(?P<boot>[0-9a-f]{8})-(?P<space>\d+)"
    r"-(?P<pid>\d+)-(?P<start>\d+)-[0-9a-f]{8}\.part"
)
_NAME = rf"(?s)\..*\.{_MARK}"
_IN_TEXT = rf"\.[^/]*\.{_MARK}/?"

#: told of every path that a run makes, before it exists; a supervisor tidies them after a crash
listeners: list[Callable[[Path], None]] = []
#: folders for results that this run made, outer ones first
_made: list[Path] = []


def temporary(folder: Path, name: str) -> Path:
    """Return a new temporary path in a folder, hidden, for what will be called `name`.

    Args:
        folder: where the target stands.
        name: the target's name.
    """
    stem = os.fsencode(name)[:_STEM].decode("utf-8", "ignore")
    host, boot, space = _here()
    pid = os.getpid()
    mine = f"{host}-{boot}-{space}-{pid}-{_started(pid)}-{os.urandom(4).hex()}"
    path = folder / f".{stem}.{mine}{SUFFIX}"
    for tell in listeners:
        tell(path.absolute())
    return path


def make(folder: Path) -> None:
    """Make a folder for results, with those above it, which go again if the run leaves nothing.

    Raises:
        OSError: if that is impossible.
    """
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    for path in reversed(missing):
        _made.append(path.absolute())
        for tell in listeners:
            tell(_made[-1])
    folder.mkdir(parents=True, exist_ok=True)


def forget_made() -> None:
    """Take the folders made so far for earlier ones: another run begins."""
    _made.clear()


def remove_empty() -> None:
    """Remove what this run made for its results and left empty: it was stopped, or refused."""
    for path in reversed(_made):
        tidy(path)
    _made.clear()


def tidy(path: Path) -> None:
    """Remove what a run announced: a temporary path with all in it, a folder if it is empty."""
    if path.name.endswith(SUFFIX):
        remove(path)
        return
    with contextlib.suppress(OSError):
        path.rmdir()


def without(text: str) -> str:
    """Return a message without the temporary names in its paths."""
    return re.sub(_IN_TEXT, "", text)


def remove(path: Path) -> None:
    """Remove a temporary file or folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError:  # a later run sweeps it
        return


def sweep(folder: Path) -> None:
    """Remove what dead processes of this host left in a folder."""
    try:
        paths = [Path(entry) for entry in os.scandir(folder) if entry.name.endswith(SUFFIX)]
    except OSError:
        return
    for path in paths:
        if is_dead(path):
            remove(path)


def is_dead(path: Path) -> bool:
    """Return whether a temporary path is of a process that is surely gone."""
    found = re.fullmatch(_NAME, path.name)
    host, boot, space = _here()
    if found is None or not space or found["host"] != host:
        return False
    if found["boot"] != boot:
        return _from_before(path)
    return int(found["space"]) == space and _is_gone(int(found["pid"]), int(found["start"]))


@cache
def _here() -> tuple[str, str, int]:
    """Return host and boot as short hashes, and the namespace of process numbers (0: unknown)."""
    import socket  # here and below: a help text writes no file and does without

    try:
        space = os.stat("/proc/self/ns/pid").st_ino
        boot = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:
        boot, space = b"", 0
    host = _machine() + socket.gethostname().encode()
    return _short(host), _short(boot), space


def _machine() -> bytes:
    try:
        return Path("/etc/machine-id").read_bytes().strip()
    except OSError:
        return b""


def _short(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()[:8]


def _from_before(path: Path) -> bool:
    """Return whether this machine, and no namesake of it, wrote a path before it was started."""
    try:
        up = float(Path("/proc/uptime").read_text().split()[0])
        return bool(_machine()) and path.lstat().st_mtime < time.time() - up
    except (OSError, ValueError):
        return False


def _is_gone(pid: int, start: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:  # somebody else's, which we may not see more of
        return False
    now = _started(pid)
    return now is None or now != start


def _started(pid: int) -> int | None:
    """Return when a process started, in clock ticks since the boot; 0 where nobody can say.

    None of one that has ended but for its exit code.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    # the program's name, in brackets, may hold anything
    fields = stat.rpartition(b")")[2].split()
    return None if fields[0] in (b"Z", b"X") else int(fields[19])
