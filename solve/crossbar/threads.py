"""Threads of the compiled kernels: how many pay, and who takes turns."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numba

CORES: int = numba.get_num_threads()
# Below this many crosspoints the fork and join of threads costs more than it saves.
THREADED = 400 * 400
# Waiting tasks per processor from which on other work fills the machine.
BUSY = 1.25

_LOCK = threading.RLock()


def usable_cores() -> int:
    """Threads worth starting: one where other work already fills the machine.

    A fork waits for its slowest thread; on a busy machine that is a time slice of another
    process at every kernel, which costs far more than a second thread saves.
    """
    try:
        load = os.getloadavg()[0]
    except (AttributeError, OSError):  # not offered on every platform
        return CORES
    return CORES if load < BUSY * (os.cpu_count() or 1) else 1


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Run kernels on `count` threads (at most those numba was started with)."""
    before = numba.get_num_threads()
    count = max(1, min(count, CORES))
    numba.set_num_threads(count)
    try:
        with nullcontext() if _layer_takes_turns() else _LOCK:
            yield
    finally:
        numba.set_num_threads(before)


def on_threads(work: int) -> AbstractContextManager[None]:
    """Run kernels over so much work on as many threads as pay; see `THREADED`."""
    return threads(usable_cores() if work >= THREADED else 1)


def _layer_takes_turns() -> bool:
    """Whether Python threads may run kernels at once: numba's own pool dies of it."""
    try:
        return bool(numba.threading_layer() != "workqueue")  # type: ignore[attr-defined]
    except ValueError:  # known only after the first kernel
        return False
