"""Runs under a limit on memory: refused at once where libraries would spin or end the program.

OpenBLAS (one copy in NumPy, one in SciPy) takes its buffers at the first product. Refused, it ends
the program with exit code 1, which would read as a verdict, or asks again without end. So under a
limit on address space the buffers are taken first, while there surely is room for them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: command -> address space in MB that it takes for the smallest array, with one thread: measured on
#: Linux x86-64. The other commands use no BLAS; they may try.
NEEDED_MB = {
    "solve": 750,
    "inspect": 750,
    "foundry": 750,
    "extract": 900,
    "build": 1200,
    "compare": 1200,
    "sweep": 1200,
    "size": 1400,
}


def limit() -> int | None:
    """Return the limit on this process's address space in bytes; None if there is none."""
    try:
        import resource
    except ImportError:  # not on this system
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft


@contextmanager
def bounded(most: int) -> Iterator[None]:
    """Let this process grow by `most` bytes of address space and no more, while it lasts.

    For libraries that believe what a file says of its size: asked for more, they raise. Does
    nothing where the system does not tell how large a process is, or a lower limit holds already.
    """
    size = _size()
    before = limit()
    if size is None or (before is not None and before < size + most):
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY and hard < size + most:
        yield
        return
    resource.setrlimit(resource.RLIMIT_AS, (size + most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _size() -> int | None:
    """Return the address space of this process in bytes; None if the system does not say."""
    try:
        found = re.search(r"VmSize:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    except (OSError, UnicodeDecodeError):
        return None
    return int(found[1]) * 1024 if found else None


def prepare(command: str) -> None:
    """Take what libraries need for a command, if memory is limited; does nothing otherwise.

    Raises:
        MemoryError: if the limit is too small for any work.
    """
    most, needed = limit(), NEEDED_MB.get(command)
    if most is None:
        return
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    if needed is None:
        return
    if most < needed * 1e6:
        raise MemoryError(
            f"the limit on address space is {most / 1e6:.0f} MB, {command} needs {needed} MB "
            "at least (ulimit -v)"
        )
    _take_buffers()


def _take_buffers() -> None:
    """Let both copies of OpenBLAS take their buffers while there is room."""
    import numpy as np
    from scipy.linalg.blas import dtrsv

    square = np.eye(128)
    _ = square @ square
    dtrsv(square, square[0])
