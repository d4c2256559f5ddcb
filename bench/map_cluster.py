"""Tiles of a large network on two workers of a Dask scheduler, one killed and started again.

A matrix of the size of a ResNet's weights is cut into tiles of one array, and the effective matrix
of every tile is found twice: in this process, and by two worker processes under a scheduler of
their own, of which one is killed with SIGKILL when a third is done and started again. Both must
give the same bits. Needs crossstack[dask,torch] (of PyTorch nothing but the layer is used).

python bench/map_cluster.py                 1,024 tiles of 128 x 128 x 2: minutes
python bench/map_cluster.py --inputs 512 --outputs 1024 --tile 64
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from crossstack.console import Console
from crossstack.mapping.arrays import Array
from crossstack.mapping.tiles import Tile, solve_tiles
from crossstack.pool import Here, pool
from crossstack.torch import CrossbarLinear

QUIET = Console(quiet=True)
START_S = 60.0


class Workers:
    """A scheduler and its workers, each a process."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "scheduler.json"
        self.all = [self._run("scheduler", "--port", "0")]
        deadline = time.monotonic() + START_S
        while not self._file.is_file() and time.monotonic() < deadline:
            time.sleep(0.1)
        if not self._file.is_file():
            self.stop()
            raise SystemExit(f"no scheduler after {START_S:g} s: is crossstack[dask] installed?")
        self.workers = [self.worker() for _ in range(2)]

    def _run(self, kind: str, *rest: str) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "dask", kind, "--scheduler-file"]
        words += [str(self._file), "--host", "127.0.0.1", "--no-dashboard", *rest]
        return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def worker(self) -> subprocess.Popen[bytes]:
        """Start a worker without a nanny, so that nothing but us starts it again."""
        found = self._run("worker", "--no-nanny", "--nthreads", "1", "--memory-limit", "0")
        self.all.append(found)
        return found

    @property
    def address(self) -> str:
        return str(json.loads(self._file.read_text())["address"])

    def stop(self) -> None:
        for process in self.all:
            process.kill()
            process.wait()


class Murderous:
    """A pool that kills one of the workers when a third of the tasks is done."""

    local = False

    def __init__(self, where: Any, workers: Workers) -> None:
        self.where, self.workers, self.killed = where, workers, 0
        self.size = where.size

    def run(self, work: Any, tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        for done, found in enumerate(self.where.run(work, tasks)):
            if not self.killed and done >= len(tasks) // 3:
                victim = self.workers.workers[0]
                os.kill(victim.pid, signal.SIGKILL)
                victim.wait()
                self.killed = victim.pid
                self.workers.worker()
            yield found


def same(one: Sequence[Tile], other: Sequence[Tile]) -> bool:
    """Whether all matrices and constants are the same bits."""
    return len(one) == len(other) and all(
        np.array_equal(a.matrix, b.matrix) and np.array_equal(a.constant, b.constant)
        for a, b in zip(one, other, strict=True)
    )


def main() -> int:
    """Print both times; returns 1 if a bit differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=2048)
    parser.add_argument("--outputs", type=int, default=8192)
    parser.add_argument("--tile", type=int, default=128)
    args = parser.parse_args()
    array = Array.ideal(args.tile, args.tile, row_ohm=0.2, column_ohm=1.2)
    torch.manual_seed(0)
    layer = CrossbarLinear(args.inputs, args.outputs, array=array, dtype=torch.float64)
    grid = layer.crossbar.cells(layer.weight.detach())
    devices = [layer.crossbar.devices(cells).numpy() for row in grid for cells in row]
    print(f"{layer.weight.numel() / 1e6:.1f} million weights on {len(devices)} tiles of "
          f"{args.tile} x {args.tile} x 2", flush=True)  # fmt: skip
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        workers = Workers(Path(folder))
        stack.callback(workers.stop)
        cluster = stack.enter_context(pool(workers.address, None, len(devices)))
        where = Murderous(cluster, workers)
        there = solve_tiles(array, devices, where, QUIET, "cluster")
    middle = time.perf_counter()
    print(f"two workers, one (process {where.killed}) killed and started again: "
          f"{middle - start:.1f} s", flush=True)  # fmt: skip
    here = solve_tiles(array, devices, Here(), QUIET, "here")
    print(f"this process: {time.perf_counter() - middle:.1f} s")
    good = bool(where.killed) and same(here, there)
    print("same bits" if good else "OTHER BITS" if where.killed else "NOBODY WAS KILLED")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
