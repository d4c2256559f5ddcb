"""Whether the compiled kernels can be used here; finding out imports numba at most once."""

from __future__ import annotations

import logging
import os
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

log = logging.getLogger(__name__)

_forked = False


def has_numba() -> bool:
    """Whether the compiled kernels can be used, in this process."""
    return _engine() is not None and not _is_fork()


@cache
def _engine() -> ModuleType | None:
    """The compiled engine, or None where numba is missing or does not work."""
    try:
        if find_spec("numba") is None:
            return None
        engine = import_module(".engine_numba", __package__)
    except Exception as error:  # a NumPy that numba does not know, no folder for its cache, ...
        log.warning(
            "the compiled kernels cannot be used (%s): solving with numpy, about twelve times "
            "slower",
            " ".join(str(error).split()),
        )
        return None
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_note_fork)
    return engine


def _note_fork() -> None:
    global _forked
    _forked = True
    _is_fork.cache_clear()


@cache
def _is_fork() -> bool:
    """Whether this is a fork of a process that had the kernels: its threads are gone."""
    if _forked:
        log.warning(
            "forked from a process that uses the compiled kernels: solving with numpy, about "
            "twelve times slower; start processes by 'spawn' or 'forkserver' instead"
        )
    return _forked
