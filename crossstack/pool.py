"""One function over many tasks: in helper processes on this machine, or on a Dask cluster.

Helpers are started anew, not forked, as those of `drc.workers` are, and end with their parent. A
task whose helper dies is given to another one. Results come as they are found; whoever needs an
order has the task's number.
"""

from __future__ import annotations

import contextlib
import pickle
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any, Protocol

from .base.processes import Helper, cores, serving
from .work import PoolError, Work, sendable

#: helpers that may die at one task before the run ends
_TRIES = 2
#: libraries that would start a thread a core in every helper
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class Pool(Protocol):
    """Where tasks are done.

    Attributes:
        local: whether that is this machine, with the files that we see.
        size: how many tasks are done at the same time.
    """

    local: bool

    @property
    def size(self) -> int:
        """See above."""

    def run(self, work: Work, tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Yield the number of each task and what `work` returns for it, as they are done."""


class Here:
    """Does tasks in this very process, one after the other."""

    local, size = True, 1

    def run(self, work: Work, tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """See `Pool`."""
        for number, task in enumerate(tasks):
            yield number, work(task)


@contextmanager
def pool(scheduler: str | None, jobs: int | None, tasks: int) -> Iterator[Pool]:
    """Lend a place to work in; it is given back at the end, whatever happened.

    Args:
        scheduler: address of a Dask scheduler; None for this machine.
        jobs: processes on this machine; None for one a core.
        tasks: how many there will be; more helpers than that are not started.

    Raises:
        ConfigError: for both at once, or without the Dask library.
        PoolError: for a scheduler that does not answer.
    """
    if scheduler is not None:
        from .cluster import cluster

        with cluster(scheduler, jobs) as found:
            yield found
        return
    count = min(cores() if jobs is None else jobs, tasks)
    if count <= 1:
        yield Here()
        return
    team = Team(count)
    try:
        yield team
    finally:
        team.stop()


class _Helper(Helper):
    """A helper and the task that it has."""

    def __init__(self) -> None:
        super().__init__(__name__, dict.fromkeys(_THREADS, "1"))
        self.task: int | None = None

    def give(self, number: int, data: bytes) -> None:
        """Give a task."""
        self.task = number
        self.tell(data)


class Team:
    """Helper processes on this machine.

    Args:
        size: how many.
    """

    local = True

    def __init__(self, size: int) -> None:
        self.size = size
        self.helpers: list[_Helper] = []

    def run(self, work: Work, tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """See `Pool`."""
        waiting, deaths = deque(range(len(tasks))), dict.fromkeys(range(len(tasks)), 0)
        try:
            while waiting or any(helper.task is not None for helper in self.helpers):
                self._staff(waiting, work, tasks)
                for helper in self._ready():
                    number, helper.task = helper.task, None
                    assert number is not None
                    try:
                        yield number, _outcome(helper.pipe.recv_bytes())
                    except (EOFError, OSError):
                        self._bury(helper, number, waiting, deaths)
        finally:  # nobody waits for what is still being worked at
            self._dismiss([helper for helper in self.helpers if helper.task is not None])

    def stop(self) -> None:
        """End every helper."""
        self._dismiss([*self.helpers])

    def _dismiss(self, helpers: list[_Helper]) -> None:
        for helper in helpers:
            self.helpers.remove(helper)
            helper.stop()

    def _staff(self, waiting: deque[int], work: Work, tasks: Sequence[Any]) -> None:
        """Give tasks to those that have none, and start helpers as long as tasks wait."""
        free = [helper for helper in self.helpers if helper.task is None]
        while waiting and (free or len(self.helpers) < self.size):
            if not free:
                free.append(_Helper())
                self.helpers.append(free[0])
            number = waiting.popleft()
            free.pop().give(number, pickle.dumps((work, tasks[number])))

    def _ready(self) -> list[_Helper]:
        by_pipe: dict[Any, _Helper] = {h.pipe: h for h in self.helpers if h.task is not None}
        return [by_pipe[pipe] for pipe in wait(list(by_pipe))]

    def _bury(
        self, helper: _Helper, number: int, waiting: deque[int], deaths: dict[int, int]
    ) -> None:
        """Take back the task of a helper that died.

        Raises:
            PoolError: if that was not the first one to die at it.
        """
        self._dismiss([helper])
        deaths[number] += 1
        if deaths[number] >= _TRIES:
            code = helper.process.returncode
            how = (
                f"ended with {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"
            )
            raise PoolError(
                f"case {number + 1}: its process {how}, {_TRIES} times (not enough memory? "
                "--jobs 1 takes the least); what was finished is kept for the next run"
            )
        waiting.appendleft(number)


def _outcome(data: bytes) -> Any:
    good, found = pickle.loads(data)
    if not good:
        raise found
    return found


def serve(descriptor: int, parent: int) -> None:
    """Do tasks until the pipe ends: the life of a helper process.

    Args:
        descriptor: our end of the pipe.
        parent: process that started us.
    """
    pipe = serving(descriptor, parent)
    with contextlib.suppress(EOFError, OSError):
        while True:
            data = pipe.recv_bytes()
            try:
                work, task = pickle.loads(data)
                answer = pickle.dumps((True, work(task)))
            except Exception as error:
                answer = pickle.dumps((False, sendable(error)))
            pipe.send_bytes(answer)
