"""Accuracy of the resistance engine, tile against flat engine, and run time over array size.

python bench/extract.py [largest N, default 1024]
"""

from __future__ import annotations

import resource
import sys
import time

import klayout.db as db
import numpy as np

from crossstack.cells.drawing import to_layout
from crossstack.extract import TiledArray, extract
from crossstack.extract.sheet.study import accuracy_table
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import get_tech
from crossstack.solve import Network, gates_for, network_drives, solve_network

METHODS = ("square", "tesselation", "fine", "ours")
SIZES = (64, 128, 256, 512, 1024)


#: what both engines extract: cell, kind of top, size
ARRAYS = (
    ("hybrid", "array", 8),
    ("hybrid", "array", 32),
    ("planar", "array", 16),
    ("passive", "array", 32),
    ("hybrid", "macro", 16),
)


def drawn(rows: int, cols: int, cell: str = "hybrid", top: str = "array") -> db.Layout:
    spec = ArraySpec(rows=rows, cols=cols, cell=cell, top=top)
    return to_layout(build_top(spec).cell, get_tech())


def print_accuracy() -> None:
    print("Squares between two ports; error against the closed form, or against the field.")
    print(f"{'pattern':<28}{'hand':>10}{'field':>10}" + "".join(f"{m:>20}" for m in METHODS))
    for row in accuracy_table():
        hand = "-" if row.hand is None else f"{row.hand:.4f}"
        cells = "".join(f"{getattr(row, m):>11.4f} {100 * row.error(m):+7.2f}%" for m in METHODS)
        print(f"{row.name:<28}{hand:>10}{row.field:>10.4f}{cells}")


def wire_loss(network: Network) -> np.ndarray:
    """What the wires take from each column current, in A."""
    tiers, rows, cols = network.shape
    ohm = np.random.default_rng(0).uniform(1e4, 1e5, (len(tiers), rows, cols))
    drives = network_drives(network, "expansion", np.full((len(tiers), rows), 0.2))
    currents = [
        solve_network(
            network,
            conductances=1 / ohm,
            port_voltages=drives.port_voltages,
            gates=gates_for(network, drives),
            switch_ohm=800.0,
            wires=wires,
        ).port_currents
        for wires in (True, False)
    ]
    return np.array([currents[0][pin] - currents[1][pin] for pin in drives.outputs])


def print_engines() -> None:
    print("\nTile engine against flat engine (largest difference in a column's wire loss)")
    print(f"{'cell':<16}{'size':>8}{'flat s':>10}{'tile s':>10}{'difference':>14}")
    tech = get_tech()
    for cell, top, size in ARRAYS:
        layout = drawn(size, size, cell, top)
        flat = extract(layout, tech, engine="flat")
        tile = extract(layout, tech, engine="tile")
        off = np.abs(wire_loss(tile.network) / wire_loss(flat.network) - 1).max()
        print(
            f"{cell + ' ' + top:<16}{f'{size}x{size}':>8}{flat.report.seconds:>10.2f}"
            f"{tile.report.seconds:>10.2f}{off:>14.1e}"
        )


def tiled(size: int) -> tuple[TiledArray, float]:
    layout = drawn(size, size)
    start = time.perf_counter()
    found = extract(layout, get_tech(), engine="tile")
    assert found.array is not None
    return found.array, time.perf_counter() - start


def print_scaling(largest: int) -> None:
    print("\nTile engine, N x N x 2 hybrid cells")
    print(f"{'N':>6}{'seconds':>10}{'arrays MB':>12}{'peak MB':>10}")
    sizes = [n for n in SIZES if n <= largest]
    seconds = []
    for size in sizes:
        array, took = tiled(size)
        seconds.append(took)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(f"{size:>6}{took:>10.2f}{array.nbytes / 1e6:>12.1f}{peak:>10.0f}")
    if len(sizes) > 1:
        exponent = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
        print(f"time grows as N^{exponent:.2f}")


if __name__ == "__main__":
    print_accuracy()
    print_engines()
    print_scaling(int(sys.argv[1]) if len(sys.argv) > 1 else 1024)
