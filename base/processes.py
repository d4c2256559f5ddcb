"""What processes that share work have in common: how many may run, and how they end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

_PDEATHSIG = 1


def cores() -> int:
    """Return how many processes can run at once here."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def search_path() -> str:
    """Return where this process finds modules, as text for one that it starts."""
    return os.pathsep.join(path or os.getcwd() for path in sys.path)


def die_with(parent: int) -> None:
    """Ask Linux to end this process with the one that started it, however that ends."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
