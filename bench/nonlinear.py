"""Crossbars whose devices follow a law, with wires and spread, beside ngspice.

Every size is square, planar or with two tiers, 1 ohm a wire segment, devices of 1e-6 to 1e-4 S
(log-uniform) times a spread of 10 %, read noise of 2 % on top, the law I = G sinh(3 V) / 3 and
inputs up to 1 V. ngspice gets resistors and a B-source for each device, where it answers within
minutes. Printed are the time of one solve, the iterations of all its linear solves, its error in
Kirchhoff's current law (computed here from its voltages) and, where ngspice ran, the ratio of
times and the largest difference of column currents, of the largest.

For comparison: Chen 2026 states 162.9 times over HSPICE, at 128 to 2048, on another machine.

python bench/nonlinear.py                32 .. 2048
python bench/nonlinear.py 64 128         other sizes
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path

import numpy as np

from crossstack.solve import Sinh, solve_crossbar_nonlinear

sys.path.insert(0, str(Path(__file__).parent))
from peers import ngspice_currents

LAW = Sinh(3.0)
WIRES = {"row_segments": 1.0, "column_segments": 1.0}
#: ngspice takes a minute for the largest of these
MOST_SPICE = 64
#: errors that a row may have: against ngspice, whose own tolerance is 1e-6, and of currents
MOST_DIFFERENCE, MOST_KCL = 1e-5, 1e-8
SPREAD, NOISE = 0.10, 0.02


def law_of(name: str, a: str, b: str, siemens: float) -> str:
    """Return a device between two nodes as a source of SPICE that follows the law."""
    return f"b{name} {a} {b} I={siemens / LAW.b!r}*sinh({LAW.b!r}*v({a},{b}))"


def kirchhoff(G: np.ndarray, volts: np.ndarray, found: object) -> float:
    """Return the largest current that is missing at a node, of the largest column current."""
    rows, columns = found.row_voltages, found.column_voltages  # type: ignore[attr-defined]
    amps = LAW.current(G, rows - columns[None])
    before = np.concatenate([volts[:, :, None], rows[:, :, :-1]], axis=2)
    along = before - rows
    lost = along - amps
    lost[:, :, :-1] -= along[:, :, 1:]
    below = np.concatenate([columns[1:], np.zeros((1, columns.shape[1]))])
    down = columns - below
    left = amps.sum(axis=0) - down
    left[1:] += down[:-1]
    largest = np.abs(found.column_currents).max()  # type: ignore[attr-defined]
    return float(max(np.abs(lost).max(), np.abs(left).max()) / largest)


def main() -> int:
    """Print a table; returns 1 if a row is beyond what it may be."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sizes", nargs="*", type=int, default=[32, 64, 128, 256, 512, 1024, 2048])
    args = parser.parse_args()
    print(f"{'size':>6}{'tiers':>6}{'ours s':>9}{'iterations':>12}{'KCL':>9}"
          f"{'ngspice s':>11}{'ratio':>8}{'differs':>9}")  # fmt: skip
    good = True
    for size in args.sizes:
        for tiers in (1, 2):
            rng = np.random.default_rng(size)
            G = np.exp(rng.uniform(np.log(1e-6), np.log(1e-4), (tiers, size, size)))
            G *= np.exp(SPREAD * rng.standard_normal(G.shape))
            G *= np.exp(NOISE * rng.standard_normal(G.shape))
            volts = rng.uniform(0, 1.0, (tiers, size))
            solve = lambda: solve_crossbar_nonlinear(G, volts, device=LAW, **WIRES)  # noqa: B023, E731
            if size == args.sizes[0]:
                solve()  # compile or load
            begun = time.perf_counter()
            found = solve()
            ours = time.perf_counter() - begun
            lost = kirchhoff(G, volts, found)
            fine, beside = lost <= MOST_KCL, ""
            if size <= MOST_SPICE and shutil.which("ngspice"):
                begun = time.perf_counter()
                theirs = ngspice_currents(G, volts, law_of, "reltol=1e-6")
                spice = time.perf_counter() - begun
                differs = np.abs(found.column_currents - theirs).max() / np.abs(theirs).max()
                fine = fine and differs <= MOST_DIFFERENCE
                beside = f"{spice:>11.2f}{spice / ours:>8.0f}{differs:>9.0e}"
            good = good and fine
            print(f"{size:>6}{tiers:>6}{ours:>9.3f}{found.iterations:>12}{lost:>9.0e}{beside}"
                  f"{'' if fine else '  TOO MUCH'}", flush=True)  # fmt: skip
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
