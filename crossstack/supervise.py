"""The command line in a process of its own, and one beside it that answers for how it ends.

Libraries in C++ end a program as they like: OpenBLAS with exit code 1 when it is refused memory,
LLVM and KLayout by a signal. Exit code 1 is a verdict here, so the worker hands its verdict over
a pipe, and whatever ends without one is "did not complete". The one beside it also takes
signals, and answers within two seconds even while the worker is inside a library; it removes what
a crash left, and keeps what libraries print away from our own output.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import IO, Any, TextIO

from .base import leftovers, memory
from .base.errors import HUNG_UP, INCOMPLETE, INTERRUPTED, NO_MEMORY, TERMINATED

#: signal -> exit code of a run that it ended
STOPS = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}
if hasattr(signal, "SIGHUP"):
    STOPS[signal.SIGHUP] = HUNG_UP
_PDEATHSIG = 1
_VERDICT, _PATH, _NOTICED, _KEPT = b"V", b"P", b"N", b"K"
_MEMORY = rb"(?i)alloc|memory|map segment|pthread_create|resource temporarily"
#: bytes of what libraries printed that are looked at for a reason
_TAIL = 4000


#: exit code of a run that was asked to stop: a library whose callback that reaches may swallow
#: `Stopped` and raise an error of its own
asked: list[int] = []
#: told when a request to stop has been noticed
_noticed: list[Callable[[], None]] = []
#: told what is kept of a run that is stopped
_keepers: list[Callable[[str], None]] = []
#: what is kept, in words; empty for nothing
_kept = ""
#: seconds after which a request to stop that nobody noticed is passed on again, and how often
#: before the run is ended from outside
_AGAIN_S, _TIMES = 0.5, 3


def keeps(what: str) -> None:
    """Note what the same command could go on from, if it were stopped now.

    Args:
        what: such as "3 finished points"; empty for nothing.
    """
    global _kept
    _kept = what
    for tell in _keepers:
        tell(what)


def stopped() -> str:
    """Return what a run that was stopped says."""
    rest = f"; {_kept} kept: the same command goes on from there" if _kept else ""
    return f"interrupted; nothing was replaced{rest}"


class Stopped(BaseException):
    """A request to stop; folders being written are cleaned up on its way out.

    Attributes:
        code: what the command line exits with.
    """

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


def supervised(work: Callable[[], int]) -> int:
    """Run the command line in a child process and return its exit code.

    Args:
        work: the command line; returns its exit code.
    """
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as noise:
        child = os.fork()
        if child == 0:
            os.close(reading)
            _work(work, writing, noise)
        os.close(writing)
        return _Watch(child, reading, noise).end()


def _work(work: Callable[[], int], writing: int, noise: IO[bytes]) -> None:
    """Run in the child; hand the verdict over and leave."""
    parent = os.getppid()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(INCOMPLETE)
    own_streams(noise)
    leftovers.listeners.append(lambda path: _tell(writing, _PATH, os.fsencode(path)))
    _noticed.append(lambda: _tell(writing, _NOTICED, b""))
    _keepers.append(lambda what: _tell(writing, _KEPT, what.encode()))
    # a terminal tells the whole group of Ctrl-C; the one beside us passes it on, once. Not
    # ignored: programs that we start would inherit that
    signal.signal(signal.SIGINT, lambda *_: None)
    code = work()
    _tell(writing, _VERDICT, b"%d" % code)
    # without the libraries' own ways out, some of which crash
    os._exit(code)


def _tell(writing: int, kind: bytes, what: bytes) -> None:
    with contextlib.suppress(OSError):
        os.write(writing, kind + what + b"\0")


class _Watch:
    """Waits for the child; passes signals on.

    A signal may reach another thread of the child than the main one, which then goes on waiting
    for its helpers, or the main one may be inside a library: the signal is passed on again, and a
    run that has not noticed it by then is ended as by a second Ctrl-C.
    """

    def __init__(self, child: int, reading: int, noise: IO[bytes]) -> None:
        self.child, self.reading, self.noise = child, reading, noise
        self.stop: int | None = None
        self.passed: int = signal.SIGTERM
        self.times = 0
        self.heard = b""

    def end(self) -> int:
        """Return the exit code of the run, after saying why if the child could not."""
        for number in STOPS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup asks for
                signal.signal(number, self._pass_on)
        while more := os.read(self.reading, 65536):
            self.heard += more
        _, status = os.waitpid(self.child, 0)
        messages = [message for message in self.heard.split(b"\0") if message]
        verdict = next((int(m[1:]) for m in messages if m[:1] == _VERDICT), None)
        if verdict is not None:
            return verdict
        # what lies in a folder before the folder
        for path in [m[1:] for m in reversed(messages) if m[:1] == _PATH]:
            leftovers.tidy(Path(os.fsdecode(path)))
        if self.stop is not None:
            keeps(next((m[1:].decode() for m in reversed(messages) if m[:1] == _KEPT), ""))
            _say(stopped())
            return self.stop
        _say(self._reason(os.waitstatus_to_exitcode(status)))
        return INCOMPLETE

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        if self.stop is not None:
            self._kill()
            return
        self.stop = STOPS[signal.Signals(number)]
        self.passed = number if number != signal.SIGINT else signal.SIGUSR1
        signal.signal(signal.SIGALRM, self._press)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_S, _AGAIN_S)
        self._send()

    def _press(self, number: int, frame: FrameType | None) -> None:
        """Pass a signal on again until it is noticed, and lose patience."""
        self.times += 1
        if (b"\0" + self.heard).find(b"\0" + _NOTICED + b"\0") >= 0:
            signal.setitimer(signal.ITIMER_REAL, 0)  # it cleans up, for as long as that takes
        elif self.times < _TIMES:
            self._send()
        else:
            self._kill()

    def _send(self) -> None:
        with contextlib.suppress(OSError):
            os.kill(self.child, self.passed)

    def _kill(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for process in [*_descendants(self.child), self.child]:
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)

    def _reason(self, code: int) -> str:
        self.noise.seek(max(0, self.noise.seek(0, os.SEEK_END) - _TAIL))
        said = self.noise.read()
        if re.search(_MEMORY, said) or memory.limit() is not None:
            return NO_MEMORY
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        if code == -signal.SIGKILL:
            how += " (out of memory?)"
        words = " ".join(said.decode("utf-8", "replace").split()[-20:])
        return f"a library ended the run: {how}{': ' + words if words else ''}"


def _descendants(root: int) -> list[int]:
    """Return the processes below one, the deepest first."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = stat.read_bytes().rpartition(b")")[2].split()
            parents[int(stat.parent.name)] = int(fields[1])
    found: list[int] = []
    level = {root}
    while level := {pid for pid, parent in parents.items() if parent in level}:
        found += level
    return found[::-1]


def catch_stops() -> None:
    """Let a request to stop raise `Stopped`; while that is on its way, others change nothing."""
    caught = {**STOPS, signal.SIGUSR1: INTERRUPTED} if _is_supervised() else STOPS

    asked.clear()
    keeps("")

    def stop(number: int, frame: FrameType | None) -> None:
        for other in caught:
            signal.signal(other, lambda *_: None)
        asked.append(caught[signal.Signals(number)])
        for tell in _noticed:
            tell()
        raise Stopped(asked[0])

    for number in caught:
        if _is_supervised() and number == signal.SIGINT:
            continue
        try:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, stop)
        except ValueError:  # not in the main thread, as in a test
            return


def go_on() -> None:
    """Raise `Stopped` again if a library swallowed it: asked between pieces of work."""
    if asked:
        raise Stopped(asked[0])


def _is_supervised() -> bool:
    return bool(leftovers.listeners)


#: number of standard output, and of those that a shell had closed
STDOUT = 1
CLOSED: set[int] = set()


def fill_descriptors() -> None:
    """Open what a shell closed (`>&-`), so that no file of ours becomes standard output."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            CLOSED.add(number)
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def own_streams(noise: IO[bytes]) -> None:
    """Keep standard output and error for ourselves; libraries print into a file.

    A reader that goes away (`| head`) ends nothing: what is left to print is dropped.
    """
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream: TextIO = getattr(sys, name)
        stream.flush()
        raw = _Patient(os.dup(number), name)
        text = io.TextIOWrapper(
            io.BufferedWriter(raw),
            encoding=stream.encoding,
            errors=stream.errors,
            line_buffering=name == "stderr" or raw.isatty(),
        )
        setattr(sys, name, text)
        os.dup2(noise.fileno(), number)


class _Patient(io.FileIO):
    """A stream whose reader may go away."""

    def __init__(self, descriptor: int, name: str) -> None:
        super().__init__(descriptor, "wb")
        self._called = {"stdout": "standard output", "stderr": "standard error"}[name]
        self._over = False

    def write(self, data: Any, /) -> int:
        """Write, or drop what nobody reads."""
        size = memoryview(data).nbytes
        if self._over:
            return size
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            self._over = True
            return size
        except BlockingIOError:
            return 0
        except OSError as error:
            self._over = True  # else the rest, at the end, would raise again
            raise OSError(error.errno, error.strerror, self._called) from None


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, f"crossstack: {text}\n".encode())
