"""What helpers and a cluster have in common: what they do, and how their errors travel."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable
from typing import Any

from .base.errors import CrossStackError, is_about_memory

Work = Callable[[Any], Any]


class PoolError(CrossStackError):
    """Helpers or a cluster that did not finish their tasks."""


def sendable(error: Exception) -> Exception:
    """Return an error that another process can read: our own as they are, others by name."""
    if is_about_memory(error):
        return MemoryError(str(error))
    with contextlib.suppress(Exception):
        copy = pickle.loads(pickle.dumps(error))
        if isinstance(copy, CrossStackError):
            return copy
    return RuntimeError(f"{type(error).__name__}: {error}")
