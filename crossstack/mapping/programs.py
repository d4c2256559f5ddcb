"""Many tiles of one array programmed, each a task for a pool of processes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Array
from .kept import Kept
from .tiles import TileWork, in_pieces
from .writing import Programming, Writer, Written

if TYPE_CHECKING:
    from ..console import Console
    from ..pool import Pool

Floats = NDArray[np.float64]

#: writers that a process keeps
_KEPT = 8
_writers: OrderedDict[tuple[str, Programming], Writer] = OrderedDict()


@dataclass(frozen=True, eq=False)
class Target:
    """One tile that is to be written.

    Attributes:
        siemens: of its devices in the array's order, S.
        scale: of every device's conductances, as it deviates.
        span: that the tolerance is a share of, S.
        seed: of thresholds, pulses and reads.
    """

    siemens: Floats
    scale: Floats
    span: float
    seed: tuple[int, ...]

    @property
    def key(self) -> list[Floats]:
        """What decides the result."""
        return [self.siemens, self.scale, np.array([self.span, *self.seed], dtype=np.float64)]


@dataclass(frozen=True)
class WriteWork:
    """What every process does: find an array's columns, once, and write tiles.

    Attributes:
        tiles: the pickled array.
        how: how it is written.
    """

    tiles: TileWork
    how: Programming

    def __call__(self, targets: Sequence[Target]) -> list[Floats]:
        """Return what becomes of some tiles, packed."""
        key = self.tiles.digest, self.how
        if key not in _writers:
            array = self.tiles.here()
            _writers[key] = Writer(array.written(), array.memristor, self.how)
            if len(_writers) > _KEPT:
                _writers.popitem(last=False)
        writer = _writers[key]
        return [writer.write(t.siemens, t.scale, t.span, [*t.seed]).packed() for t in targets]


def write_tiles(
    array: Array,
    targets: Sequence[Target],
    how: Programming,
    where: Pool,
    console: Console,
    name: str,
    kept: Kept | None = None,
) -> list[Written]:
    """Return what becomes of many tiles, in their order; arguments as of `solve_tiles`."""
    tasks = [[target] for target in targets]  # each takes seconds
    keys = [target.key for target in targets]
    work = WriteWork(TileWork.of(array), how)
    rows = in_pieces(work, tasks, keys, where, console, name, kept)
    return [Written.unpacked(row) for row in rows]


def summary(tiles: Sequence[Written]) -> dict[str, Any]:
    """Return what writing some tiles takes, all of them at once."""
    pulses = np.concatenate([tile.pulses for tile in tiles])
    missed = sum(int((~tile.reached).sum()) for tile in tiles)
    return {
        "devices": len(pulses),
        "not_reached": missed,
        "pulses": int(pulses.sum()),
        "most_pulses": int(pulses.max(initial=0.0)),
        "write_j": sum(tile.write_j for tile in tiles),
        "verify_j": sum(tile.verify_j for tile in tiles),
        "seconds": max((tile.seconds for tile in tiles), default=0.0),
    }
