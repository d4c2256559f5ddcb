"""A process and its module, read whole and checked: the long way to a `Tech`.

`kept` knows the short one, which leads here wherever it cannot be taken.
"""

from __future__ import annotations

from pathlib import Path

from ..base.errors import ParameterError
from .check import refuse_incomplete, refuse_module
from .home import MODULE_HEAD, MODULES
from .load import load_process
from .model import Module, Process, Profile
from .module import Stand, load_module, stand
from .tables import folders


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
        ParameterError: if there is none.
    """
    own = (folder / base.module for folder in folders(base.folder))
    for folder in (*own, MODULES / base.module):
        if base.module and (folder / MODULE_HEAD).is_file():
            return folder
    known = ", ".join(sorted(path.parent.name for path in MODULES.glob(f"*/{MODULE_HEAD}")))
    raise ParameterError(f"module of process {base.name}", base.module, f"{known}, or a folder")
