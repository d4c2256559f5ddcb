"""Time and memory of the design rule check over array size.

python bench/drc.py                 hybrid arrays of 64, 256 and 1024
python bench/drc.py --cell passive --threads 2
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

#: rows = columns -> limits in s and MB
LIMITS = {64: (30.0, 2000.0), 256: (60.0, 2000.0), 1024: (300.0, 6000.0)}


def check(gds: Path, profile: str, threads: int) -> str:
    """Check a file and return the verdict with the three slowest rules."""
    from crossstack.drc import run_drc
    from crossstack.pdk import get_tech

    report = run_drc(gds, get_tech(profile), threads=threads)
    slowest = sorted(report.runs, key=lambda run: -run.seconds)[:3]
    rules = ", ".join(f"{run.name} {run.seconds:.2f} s" for run in slowest)
    return f"{report.count} violations, {report.rules_run} rules; slowest {rules}"


def draw(n: int, cell: str, profile: str, gds: Path) -> None:
    from crossstack.cells.drawing import to_layout
    from crossstack.generators import ArraySpec, build_array

    spec = ArraySpec(rows=n, cols=n, cell=cell, profile=profile)
    to_layout(build_array(spec).cell, spec.tech()).write(str(gds))


def measured(function: object, *args: object) -> tuple[float, float]:
    """Run a function in a process of its own; return seconds and peak memory in MB."""
    begin = time.perf_counter()
    child = os.fork()
    if child == 0:
        result = function(*args)  # type: ignore[operator]
        if result:
            print(f"    {result}", flush=True)
        os._exit(0)
    _, status, usage = os.wait4(child, 0)
    if os.waitstatus_to_exitcode(status):
        sys.exit("the run failed")
    return time.perf_counter() - begin, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cell", default="hybrid")
    parser.add_argument("--profile", default="stepper")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for n, (seconds, memory) in LIMITS.items():
            gds = Path(folder) / f"{n}.gds"
            measured(draw, n, options.cell, options.profile, gds)
            t, mb = measured(check, gds, options.profile, options.threads)
            verdict = "ok" if t < seconds and mb < memory else "OVER"
            limit = f"limit {seconds:g} s, {memory:g} MB"
            print(f"DRC {n} x {n} x 2 {options.cell}: {t:.1f} s, {mb:.0f} MB ({limit}) {verdict}")


if __name__ == "__main__":
    main()
