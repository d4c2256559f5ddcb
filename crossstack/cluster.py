"""Tasks on a Dask cluster that is there already: `--scheduler ADDRESS`.

The cluster is the user's: nothing is started, sent to its workers or left there but tasks. Each
worker says first what it computes with; one that has other versions or other code than we do is
refused, since its figures could differ.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from .base.errors import ConfigError, CrossStackError
from .identity import difference, identity
from .work import PoolError, Work, sendable

#: seconds that a scheduler may take to answer
_ANSWER_S = 15
#: workers that may die at one task before the run ends
_TRIES = 3


@contextmanager
def cluster(address: str, jobs: int | None) -> Iterator[Cluster]:
    """Lend a cluster by the address of its scheduler.

    Raises:
        ConfigError: without the library, or with a number of processes, which is the cluster's.
        PoolError: if the scheduler does not answer.
    """
    if jobs is not None:
        raise ConfigError("--jobs belongs to this machine; a cluster has the workers that it has")
    try:
        dask: Any = import_module("distributed")
    except ImportError:
        raise ConfigError(
            "--scheduler needs the Dask library: pip install 'crossstack[dask]'"
        ) from None
    if not os.environ.get("CROSSSTACK_DEBUG"):
        # what matters is said by us, in one line
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = dask.Client(address, timeout=_ANSWER_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PoolError(
            f"--scheduler {address}: no Dask scheduler answers there ({reason})"
        ) from None
    try:
        yield Cluster(client, address)
    finally:
        client.close(timeout=2)


class Cluster:
    """A Dask cluster as a `pool.Pool`."""

    local = False

    def __init__(self, client: Any, address: str) -> None:
        self._client, self._address = client, address

    @property
    def size(self) -> int:
        """Return how many workers the cluster has now, one at least."""
        return max(1, len(self._client.scheduler_info(n_workers=-1)["workers"]))

    def run(self, work: Work, tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """See `pool.Pool`.

        Raises:
            PoolError: if the scheduler is gone, workers die at one task again and again, or one
                computes with something else than we do.
        """
        as_completed = import_module("distributed").as_completed
        mine = identity()
        futures = {
            self._client.submit(_there, work, mine, task, pure=False, retries=_TRIES): number
            for number, task in enumerate(tasks)
        }
        try:
            for future in as_completed(futures, loop=self._client.loop):
                yield futures[future], self._result(future, futures[future])
        finally:
            self._client.cancel([future for future in futures if not future.done()])

    def _result(self, future: Any, number: int) -> Any:
        try:
            good, found = future.result()
        except CrossStackError:
            raise
        except ImportError as error:
            raise PoolError(
                f"--scheduler {self._address}: a worker cannot load crossstack ({error}); install "
                "the same version there"
            ) from None
        except Exception as error:
            kind = type(error).__name__
            if kind == "KilledWorker":
                raise PoolError(
                    f"case {number + 1}: its workers on {self._address} ended again and again (not "
                    "enough memory?); what was finished is kept for the next run"
                ) from None
            raise PoolError(
                f"the cluster at {self._address} did not finish case {number + 1}: "
                f"{kind}: {' '.join(str(error).split())}; what was finished is kept"
            ) from None
        if not good:
            raise found
        return found


def _there(work: Work, wanted: dict[str, str], task: Any) -> tuple[bool, Any]:
    """Do one task on a worker; its errors travel as values, since another worker finds the same."""
    try:
        if what := difference(wanted, identity()):
            import socket

            raise PoolError(
                f"the worker on {socket.gethostname()} computes with something else: {what}"
            )
        return True, work(task)
    except Exception as error:
        return False, sendable(error)
