"""Effective matrices of extracted arrays, prepared once, beside ideal crossbars of that size.

Every size is stacked hybrid, extracted tile by tile, each with random devices. Printed: time to
prepare, one effective matrix by the prepared network and by `effective_matrix` of an ideal
crossbar (best of three), their ratio, and the worst error against the direct solution of the
network for one vector of inputs, of the largest current.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from crossstack.cells import to_layout
from crossstack.extract import extract
from crossstack.generators import ArraySpec, build_top
from crossstack.solve import effective_matrix, network_drives, solve_network
from crossstack.solve.modes.drives import gates_for
from crossstack.solve.study.prepare import prepare_network

#: up to this size one vector is solved directly for comparison
CHECKED = 128
SWITCH_OHM = 1000.0


def best(call: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    """Return the least time in s, and the last answer."""
    least = np.inf
    for _ in range(times):
        start = time.perf_counter()
        out = call()
        least = min(least, time.perf_counter() - start)
    return least, out


def row(size: int, cell: str) -> str:
    """Measure one size."""
    spec = ArraySpec(size, size, cell)
    tech = spec.tech()
    network = extract(to_layout(build_top(spec).cell, tech), tech, engine="tile").network
    tiers = max(network.tiers) + 1
    rng = np.random.default_rng(size)
    siemens = np.exp(rng.uniform(np.log(1e-6), np.log(1e-4), (tiers, size, size)))
    volts = rng.uniform(0, 0.2, (tiers, size))
    series = {"switch_ohm": SWITCH_OHM}
    array = prepare_network(network, series=series)
    ours, matrix = best(lambda: array.matrix(siemens))
    ideal, _ = best(lambda: effective_matrix(siemens, row_segments=0.2, column_segments=1.2))
    error = ""
    if size <= CHECKED:
        drives = network_drives(network, "expansion", volts)
        solved = solve_network(
            network, conductances=siemens, port_voltages=drives.port_voltages,
            gates=gates_for(network, drives), **series,
        )  # fmt: skip
        want = np.array([-solved.port_currents[pin] for pin in array.outputs])
        error = f"{np.abs(matrix @ volts.reshape(-1) - want).max() / np.abs(want).max():.0e}"
    return (f"{size:>6}{tiers:>6}{array.seconds:>12.2f}{'chains' if array.exact else 'blocks':>10}"
            f"{1e3 * ours:>12.1f}{1e3 * ideal:>12.1f}{ours / ideal:>8.1f}{error:>9}")  # fmt: skip


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", nargs="*", type=int, default=[16, 32, 64, 128])
    parser.add_argument("--cell", default="hybrid")
    args = parser.parse_args()
    print(f"{'size':>6}{'tiers':>6}{'prepare s':>12}{'by':>10}{'matrix ms':>12}{'ideal ms':>12}"
          f"{'ratio':>8}{'error':>9}")  # fmt: skip
    for size in args.sizes:
        print(row(size, args.cell), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
