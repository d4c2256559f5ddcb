"""The IR-drop solver beside its peers, on the same work, in one run.

    python bench/solver.py            small sizes, under a minute
    python bench/solver.py --full     all sizes, about 15 minutes, 6 GB
    python bench/solver.py --json F   write the figures to F as well

The work: crossbars with 1 ohm per wire segment both ways, devices log-uniform 10 kohm to
1 Mohm, rows driven with 1 V from the left, columns grounded at the bottom. Times are the
best of several runs without import and compilation; errors are those of the column
currents against the refined direct solution. "ratio" is peer time / our time.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import shutil
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np

from crossstack.extract import TiledArray
from crossstack.solve import gates_for, network_drives, solve_crossbar, solve_network

sys.path.insert(0, str(Path(__file__).parent))
from peers import badcrossbar_currents, ngspice_currents, scipy_direct

WIRES = {"row_segments": 1.0, "column_segments": 1.0}
SEED = 7
PEER_TOLERANCE = 1e-6


def devices(tiers: int, n: int, low: float = 1e4, high: float = 1e6) -> np.ndarray:
    rng = np.random.default_rng(SEED)
    return 1 / np.exp(rng.uniform(math.log(low), math.log(high), (tiers, n, n)))


def best(run, budget: float = 2.0, most: int = 15, least: float = 0.3) -> tuple[float, object]:
    """Shortest of several runs, and the last result.

    At most `most` runs or `budget` seconds; short runs go on for `least` seconds, so that a
    moment's other work on the machine does not decide.
    """
    shortest, begin, done = math.inf, time.perf_counter(), 0
    while True:
        start = time.perf_counter()
        result = run()
        end = time.perf_counter()
        shortest, done = min(shortest, end - start), done + 1
        if end - begin > budget or (done >= most and end - begin > least):
            return shortest, result


def error(got: np.ndarray, want: np.ndarray) -> float:
    return float(np.abs(got - want).max() / np.abs(want).max())


# ---------------------------------------------------------------------------- cases


def ours(G: np.ndarray, volts: np.ndarray, **options) -> dict:
    call = lambda: solve_crossbar(G, volts, **WIRES, **options)  # noqa: E731
    call()  # compile or load
    seconds, solution = best(call)
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    unknowns = (G.shape[0] + 1) * G[0].size * max(1, volts.size // (G.shape[0] * G.shape[1]))
    return {
        "ours_ms": 1e3 * seconds,
        "iterations": solution.iterations,
        "method": solution.method,
        "bytes_per_unknown": peak / unknowns,
        "currents": solution.column_currents,
        "kcl_residual": solution.kcl_residual,
    }


def peer(row: dict, name: str, run) -> None:
    """Time a peer; a peer that does not solve the same problem is no yardstick."""
    seconds, currents = best(run, most=3)
    off = error(currents.reshape(row["currents"].shape), row["currents"])
    if not off < PEER_TOLERANCE:
        raise RuntimeError(f"{row['case']}: {name} is off by {off:.0e}")
    row[f"{name}_ms"] = 1e3 * seconds


def planar(n: int, *, spice: bool, reference: bool, rival: bool = True) -> dict:
    G, volts = devices(1, n), np.ones((1, n))
    row = {"case": f"planar {n}", **ours(G, volts)}
    if rival:
        peer(row, "badcrossbar", lambda: badcrossbar_currents(G, volts.T))
        peer(row, "scipy", lambda: scipy_direct(G))
    if spice and shutil.which("ngspice"):
        peer(row, "ngspice", lambda: ngspice_currents(G))
    if reference:
        row["error"] = error(row["currents"], direct(G, volts))
    return row


def stacked(n: int, *, rival: bool, reference: bool) -> dict:
    G, volts = devices(2, n), np.ones((2, n))
    row = {"case": f"stacked {n} x 2", **ours(G, volts)}
    if rival:
        peer(row, "scipy", lambda: scipy_direct(G))
    if reference:
        row["error"] = error(row["currents"], direct(G, volts))
    return row


def batch(n: int, vectors: int) -> dict:
    G = devices(1, n)
    volts = np.random.default_rng(SEED).uniform(0, 1, (vectors, 1, n))
    row = {"case": f"planar {n}, {vectors} vectors", **ours(G, volts)}
    peer(row, "badcrossbar", lambda: badcrossbar_currents(G, volts[:, 0].T))
    row["error"] = error(row["currents"], direct(G, volts))
    return row


def loaded(n: int, *, reference: bool) -> dict:
    G, volts = devices(1, n, 100.0, 1e4), np.ones((1, n))
    row = {"case": f"planar {n}, 100 ohm..10 kohm", **ours(G, volts)}
    if reference:
        row["error"] = error(row["currents"], direct(G, volts))
    return row


def direct(G: np.ndarray, volts: np.ndarray) -> np.ndarray:
    return solve_crossbar(G, volts, method="direct", **WIRES).column_currents


def small_cases():
    yield planar(32, spice=True, reference=True)
    yield planar(128, spice=False, reference=True)
    yield planar(256, spice=False, reference=True)
    yield batch(128, 64)
    yield stacked(64, rival=True, reference=True)
    yield stacked(128, rival=True, reference=True)
    yield stacked(512, rival=False, reference=False)
    yield loaded(300, reference=True)
    yield network(128)


def full_cases():
    for n in (32, 128):
        yield planar(n, spice=True, reference=True)
    for n in (256, 512, 1024):
        yield planar(n, spice=False, reference=True)
    yield batch(128, 64)
    for n in (128, 256):
        yield stacked(n, rival=True, reference=True)
    yield stacked(512, rival=False, reference=True)
    yield stacked(1024, rival=False, reference=False)
    yield loaded(1000, reference=True)
    for n in (128, 384):
        yield network(n)
    yield planar(2048, spice=False, reference=False, rival=False)
    yield planar(4096, spice=False, reference=False, rival=False)


def network(n: int) -> dict:
    """An extracted array with select transistors: its lines' way against one sparse matrix."""
    array = NetworkCase(n)
    seconds, solution = best(lambda: array.solve("crossbar"))
    direct_seconds, reference = best(lambda: array.solve("direct"), most=3)
    return {
        "case": f"network {n} x 2",
        "ours_ms": 1e3 * seconds,
        "direct_ms": 1e3 * direct_seconds,
        "iterations": 0,
        "method": solution.method,
        "nodes": array.network.n_nodes,
        "currents": solution.node_voltages,
        "kcl_residual": solution.kcl_residual,
        "error": error(solution.node_voltages, reference.node_voltages),
    }


class NetworkCase:
    """A tiled array as a network: wires as extraction finds them, transistors of 700 ohm."""

    def __init__(self, n: int) -> None:
        def ohm(mean: float, *shape: int) -> np.ndarray:
            return np.random.default_rng(SEED).uniform(0.9 * mean, 1.1 * mean, shape)

        pair, one = (2, n, n), np.ones((2, n, n))
        array = TiledArray(
            row_segment=ohm(0.2, *pair), row_tap=ohm(13.0, *pair), drain=ohm(23.0, *pair),
            column_segment=ohm(1.2, n, n), column_tap=ohm(0.1, *pair),
            switch_w_um=2.0 * one, switch_l_um=0.28 * one, area_um2=0.25 * one,
        )  # fmt: skip
        self.network = array.network()
        self.drives = network_drives(self.network, "expansion", np.full((2, n), 0.2))
        self.devices = devices(2, n)

    def solve(self, method: str):
        return solve_network(
            self.network,
            conductances=self.devices,
            port_voltages=self.drives.port_voltages,
            gates=gates_for(self.network, self.drives),
            switch_ohm=700.0,
            method=method,
        )


def line(row: dict) -> str:
    def cell(name: str) -> str:
        if f"{name}_ms" not in row:
            return f"{'-':>20}"
        ms = row[f"{name}_ms"]
        return f"{ms:>11.1f} ({ms / row['ours_ms']:>5.0f}x)"

    wrong = f"{row['error']:.0e}" if "error" in row else "-"
    memory = f"{row['bytes_per_unknown']:.0f}" if "bytes_per_unknown" in row else "-"
    return (
        f"{row['case']:<28}{row['ours_ms']:>10.2f}{cell('badcrossbar')}"
        f"{cell('direct' if 'direct_ms' in row else 'scipy')}{cell('ngspice')}"
        f"{wrong:>8}{row['kcl_residual']:>9.0e}{memory:>7}{row['iterations']:>5}  {row['method']}"
    )


def exponent(rows: list[dict]) -> float | None:
    """Slope of log time over log N between the planar cases of 128 and more."""
    points = [
        (int(r["case"].split()[1]), r["ours_ms"])
        for r in rows
        if r["case"].startswith("planar") and "," not in r["case"]
    ]
    points = [(n, ms) for n, ms in points if 128 <= n <= 1024]
    if len(points) < 2:
        return None
    return float(np.polyfit(*np.log(np.array(points)).T, 1)[0])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="all sizes (minutes, 6 GB)")
    parser.add_argument("--json", metavar="FILE", help="also write the figures")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; times in ms, best of several")
    print(
        f"{'case':<28}{'ours':>10}{'badcrossbar':>20}{'scipy splu':>20}{'ngspice':>20}"
        f"{'error':>8}{'KCL':>9}{'B/unk':>7}{'its':>5}  method"
    )
    logging.disable(logging.INFO)  # badcrossbar logs five lines a solve
    rows = []
    for row in full_cases() if arguments.full else small_cases():
        print(line(row), flush=True)
        del row["currents"]
        rows.append(row)
    slope = exponent(rows)
    if slope is not None:
        print(f"scaling: time ~ N^{slope:.2f} (planar, 128 <= N <= 1024)")
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as stream:
            json.dump({"rows": rows, "exponent": slope}, stream, indent=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
