"""Effective matrices of many tiles, each a task for a pool of processes."""

from __future__ import annotations

import hashlib
import pickle
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Array
from .kept import Kept, packed, unpacked

if TYPE_CHECKING:
    from ..console import Console
    from ..pool import Pool
    from ..work import Work

Floats = NDArray[np.float64]

#: devices of all tiles in one task: a solve of so many takes longer than its way to a process
_DEVICES_EACH = 50_000
#: arrays that a process keeps prepared
_KEPT = 8
_known: OrderedDict[str, Array] = OrderedDict()


@dataclass(frozen=True)
class Tile:
    """Matrix and constant current of a tile's outputs: currents are ``v @ matrix.T + constant``."""

    matrix: Floats
    constant: Floats


@dataclass(frozen=True)
class TileWork:
    """What every process does: prepare an array, once, and find matrices.

    Attributes:
        array: the pickled array.
        digest: of it.
    """

    array: bytes
    digest: str

    @classmethod
    def of(cls, array: Array) -> TileWork:
        """Return the work of an array; this process has it prepared already."""
        data = pickle.dumps(array)
        work = cls(data, hashlib.sha256(data).hexdigest())
        _keep(work.digest, array)
        return work

    def here(self) -> Array:
        """Return the array, prepared in this process."""
        if self.digest not in _known:
            _keep(self.digest, pickle.loads(self.array))
        return _known[self.digest]

    def __call__(self, devices: Sequence[Floats]) -> list[Floats]:
        """Return matrix and constant of some tiles, given as conductances in the array's order.

        Returns:
            Arrays of shape (outputs, inputs + 1).
        """
        prepared = self.here().prepared
        found = []
        for g in devices:
            siemens = prepared.spread(g)
            parts = [prepared.matrix(siemens), prepared.constant(siemens)]
            found.append(np.column_stack(parts))
        return found


def helpers(devices: int) -> int:
    """Return how many processes so many devices are worth.

    Args:
        devices: of all tiles that will be solved.
    """
    return max(1, devices // _DEVICES_EACH)


def _keep(digest: str, array: Array) -> None:
    _known[digest] = array
    if len(_known) > _KEPT:
        _known.popitem(last=False)


def solve_tiles(
    array: Array,
    devices: Sequence[Floats],
    where: Pool,
    console: Console,
    name: str,
    kept: Kept | None = None,
) -> list[Tile]:
    """Return the matrices of many tiles of one array, in their order.

    Args:
        array: the array.
        devices: conductances of each tile's devices, in the array's order.
        where: the processes that work.
        console: where progress goes.
        name: what it is called there.
        kept: those of a run that was interrupted are taken from here, new ones are kept.
    """
    each = max(1, _DEVICES_EACH // array.prepared.size)
    tasks = [devices[k : k + each] for k in range(0, len(devices), each)]
    rows = in_pieces(TileWork.of(array), tasks, tasks, where, console, name, kept)
    return [Tile(np.ascontiguousarray(t[:, :-1]), t[:, -1].copy()) for t in rows]


def in_pieces(
    work: Work,
    tasks: Sequence[Any],
    keys: Sequence[Sequence[Floats]],
    where: Pool,
    console: Console,
    name: str,
    kept: Kept | None,
) -> list[Floats]:
    """Return what work makes of every task, one array after the other.

    Args:
        work: gives arrays of one shape for a task.
        tasks: what it is given.
        keys: what decides the results of each task besides the run's options.
        where: the processes that work.
        console: where progress goes.
        name: what it is called there.
        kept: results of a run that was interrupted, or None.
    """
    from ..pace import paced

    found: dict[int, list[Floats]] = {}
    with paced(console, name, len(tasks)) as pace:
        for number, key in enumerate(keys):
            if kept is not None and (before := kept.find(name, key)) is not None:
                found[number] = unpacked(before)
                pace.piece(free=True)
        todo = [number for number in range(len(tasks)) if number not in found]
        for k, arrays in where.run(work, [tasks[number] for number in todo]):
            found[todo[k]] = arrays
            if kept is not None:
                kept.keep(name, packed(arrays), keys[todo[k]])
            pace.piece()
    return [array for number in range(len(tasks)) for array in found[number]]
