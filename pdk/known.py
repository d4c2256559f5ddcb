"""What is known of a process: read once in a run, and, by `kept`, once for many runs."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from . import kept
from .home import HEAD, HOME, MODULES
from .model import Module, Process, Profile


@dataclass(frozen=True)
class Known:
    """A process that was read and checked.

    Attributes:
        base, module: its tables.
        made: profile -> the technology that they make in it, as far as somebody asked.
        sums: of what it was read from; empty where nobody could say.
    """

    base: Process
    module: Module
    made: dict[Profile, object] = field(default_factory=dict)
    sums: str = ""

    def keep(self, profile: Profile, tech: object) -> None:
        """Keep what the tables make in a profile of the module's, for this run and others."""
        if profile not in self.module.profiles:  # a program's own
            return
        self.made[profile] = tech
        # not if somebody changed a table meanwhile
        if self.sums and _sums(self.base.folder) == self.sums:
            kept.keep(self.base.folder, self.sums, self)


@lru_cache(maxsize=16)
def known_of(folder: Path, now: object) -> Known:
    """Return what is known of a process.

    Args:
        folder: of the process.
        now: of `now_of`.

    Raises:
        ParameterError, ProcessError, FileError: if it is incomplete or contradicts itself.
    """
    sums = _sums(folder)
    found = kept.recalled(folder, sums) if sums else None
    if isinstance(found, Known) and found.base.folder == folder:
        return found
    from .whole import read

    base, module = read(folder)
    return Known(base, module, sums=sums)


def now_of(folder: Path) -> object:
    """Return what changes when a file of a process does; files of CrossStack's own do not."""
    if folder.is_relative_to(HOME):
        return ()
    from .tables import stamp

    return stamp(folder)


def _sums(folder: Path) -> str:
    try:
        return kept.tables_and_code(_folders(folder))
    except OSError:  # who reads the tables says what is wrong
        return ""


def _folders(folder: Path) -> tuple[Path, ...]:
    """Return the folders that a process is read from, that of modules included."""
    if folder.is_relative_to(HOME):
        with contextlib.suppress(OSError):
            if b"like" not in (folder / HEAD).read_bytes():
                return folder, MODULES  # without a reader of tables
    from .tables import sources

    return *sources(folder), MODULES
