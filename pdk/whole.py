"""A process and its module, read whole and checked: the long way to a `Tech`.

`kept` knows the short one, which leads here wherever it cannot be taken.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .check import refuse_incomplete, refuse_module
from .film_fill import FILE as FILL_FILE
from .home import HEAD, HOME, MODULE_HEAD, MODULES
from .load import load_process
from .model import Module, Process, Profile
from .module import Stand, load_module, stand
from .tables import ProcessError, folders, is_file

#: tables of a process and of a module alike, and all of a module's
ALIKE = frozenset(
    ("layers.csv", "films.csv", "cuts.csv", "rules.csv", "limits.csv", "derived.toml")
)
MODULE_TABLES = ALIKE | {MODULE_HEAD, "profiles.csv", FILL_FILE}


def read(folder: Path, *, measured: bool = True) -> tuple[Process, Module]:
    """Return the process of a folder, and the module that stands on it.

    Args:
        folder: of the process.
        measured: False for one whose table of on resistance is to be made only now.

    Raises:
        ParameterError, ProcessError, FileError: if it is incomplete or contradicts itself.
    """
    base = load_process(folder)
    refuse_incomplete(base, measured=measured)
    return base, load_module(module_folder(base), base)


def standing(base: Process, module: Module, profile: Profile) -> Stand:
    """Return a module as it stands on a base in one profile; raises as `read`."""
    found = stand(module, base, profile)
    refuse_module(base, module, found)
    return found


def module_folder(base: Process) -> Path:
    """Return the folder of the module that a process names: in its own, or of CrossStack.

    A folder of that name without its head, or a module under another name, is not passed over for
    one of CrossStack: its figures would be others than those that lie there.

    Raises:
        ProcessError: if there is none, or it is not the one that lies in the process's folder.
    """
    head, named = str(base.folder / HEAD), f"module = {base.module[:40]!r}"
    for folder in (place / base.module for place in folders(base.folder)):
        if base.module and is_file(folder / MODULE_HEAD):
            return folder
        if base.module and os.path.lexists(folder):
            raise ProcessError(head, (f"{named}: {folder / MODULE_HEAD} is missing",))
    own = (place for place in folders(base.folder) if not place.is_relative_to(HOME))
    if unread := next((found for place in own for found in like_a_module(place)), None):
        what = f"{named}, but a module lies in {unread}: name that one, or move it out of there"
        raise ProcessError(head, (what,))
    if base.module and is_file(MODULES / base.module / MODULE_HEAD):
        return MODULES / base.module
    known = ", ".join(sorted(path.parent.name for path in MODULES.glob(f"*/{MODULE_HEAD}")))
    what = f"{named} is none of {known}, and no folder with {MODULE_HEAD}"
    raise ProcessError(head, (what,))


def like_a_module(process: Path) -> Iterator[Path]:
    """Yield the folders in one of a process that hold tables of a module."""
    for place in listed(process):
        if not is_file(place / HEAD) and any(is_file(place / name) for name in MODULE_TABLES):
            yield place


def listed(folder: Path) -> list[Path]:
    """Return what lies in a folder, in order; hidden files are other programs'."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:  # who reads the tables says what is wrong
        return []
