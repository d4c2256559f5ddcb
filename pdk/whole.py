"""A process and its module, read whole and checked: the long way to a `Tech`.

`kept` knows the short one, which leads here wherever it cannot be taken.
"""

from __future__ import annotations

from pathlib import Path

from .check import refuse_incomplete, refuse_module
from .home import HEAD, MODULE_HEAD, MODULES
from .load import load_process
from .model import Module, Process, Profile
from .module import Stand, load_module, stand
from .tables import ProcessError, folders, is_file


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

    Raises:
        ProcessError: if there is none.
    """
    own = (folder / base.module for folder in folders(base.folder))
    for folder in (*own, MODULES / base.module):
        if base.module and is_file(folder / MODULE_HEAD):
            return folder
    known = ", ".join(sorted(path.parent.name for path in MODULES.glob(f"*/{MODULE_HEAD}")))
    what = f"module = {base.module[:40]!r} is none of {known}, and no folder with {MODULE_HEAD}"
    raise ProcessError(str(base.folder / HEAD), (what,))
