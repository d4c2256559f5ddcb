"""The behavioural model of a 16 x 12 macro against the solver, for many random weights.

Each set of weights makes its own matrices and vectors; the bench must pass in every state.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from crossstack.analyse import Stimulus
from crossstack.cells.drawing import to_layout
from crossstack.extract import extract_network
from crossstack.generators import ArraySpec, build_top
from crossstack.lvs import extract_layout
from crossstack.views import abstract_of
from crossstack.views.model import write_model
from crossstack.views.ports import port_groups

SETTLE_S = 1e-9


def simulate(folder: Path, name: str) -> str:
    """Return the last line of the bench, empty if it failed."""
    sources = [f"{name}_bench.sv", f"{name}_model.sv"]
    command = ["iverilog", "-g2012", "-o", "bench.vvp", *sources]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    done = subprocess.run(
        ["vvp", "bench.vvp"], cwd=folder, capture_output=True, text=True, check=False
    )
    return next((line for line in done.stdout.splitlines() if line.startswith("PASS")), "")


def main() -> int:
    """Print one line per set of weights; 1 if a bench failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=16)
    parser.add_argument("--cols", type=int, default=12)
    parser.add_argument("--sets", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="number of the first set")
    args = parser.parse_args()
    array = build_top(ArraySpec(rows=args.rows, cols=args.cols, top="macro", name="blk"))
    extracted = extract_layout(to_layout(array.cell, array.tech), array.tech)
    network = extract_network(extracted, array.tech)
    block = abstract_of(extracted, pins=[pin.name for pin in array.pins])
    groups, failed = port_groups(block.pins), 0
    m = array.tech.memristor
    inputs = np.full((2, args.rows), m.v_read_v)
    for seed in range(args.first, args.first + args.sets):
        shape = (2, args.rows, args.cols)
        siemens = np.random.default_rng(seed).uniform(1 / m.r_off_ohm, 1 / m.r_on_ohm, shape)
        what = Stimulus(siemens, inputs, {"conductances": "random", "inputs": "read voltage"})
        with tempfile.TemporaryDirectory() as lent:
            start = time.perf_counter()
            write_model(Path(lent), block, groups, network, array.tech, what, SETTLE_S, seed)
            made = time.perf_counter() - start
            line = simulate(Path(lent), block.name)
        failed += not line
        print(f"weights {seed:2d}: {line or 'FAILED'} ({made:.1f} s to write)", flush=True)
    print(f"{args.sets - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
