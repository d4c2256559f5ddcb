"""What processes that share work have in common: how many may run, and how they end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection, Pipe
from typing import Any

_PDEATHSIG = 1
_START = (
    "import os, sys; sys.path[:] = sys.argv[2].split(os.pathsep); "
    "from {module} import serve; serve(int(sys.argv[1]), int(sys.argv[3]))"
)


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


class Helper:
    """One process started anew, not forked, and our end of the pipe to it.

    A fork would take over locks that other threads hold (numba's, BLAS', KLayout's) and the signal
    handlers of whoever called us.

    Attributes:
        pipe: our end; it ends when the process does.
        process: the helper.
    """

    def __init__(self, module: str, env: Mapping[str, str] | None = None) -> None:
        """Start a process that runs `serve(descriptor, parent)` of a module.

        Args:
            module: its full name.
            env: variables that it gets where ours do not set them.
        """
        self.pipe, theirs = Pipe()
        noise = None if os.environ.get("CROSSSTACK_DEBUG") else subprocess.DEVNULL
        arguments = (str(theirs.fileno()), search_path(), str(os.getpid()))
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _START.format(module=module), *arguments],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=noise,
                stderr=noise,
                env={**(env or {}), **os.environ},
            )

    def tell(self, data: bytes) -> None:
        """Send bytes; to a dead helper nothing, the end of its pipe says so."""
        with contextlib.suppress(OSError):
            self.pipe.send_bytes(data)

    def stop(self) -> None:
        """End the process; it holds nothing that anybody needs."""
        self.pipe.close()
        self.process.kill()
        self.process.wait()


def serving(descriptor: int, parent: int) -> Connection[Any, Any]:
    """Return a helper's end of the pipe, at the start of its life; it ends with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells all; our parent ends us
    die_with(parent)
    return Connection(descriptor)
