"""Times that a user waits: start-up of the verbs, and large arrays step by step.

python bench/cli.py             everything (about two minutes)
python bench/cli.py --startup   start-up only
python bench/cli.py --rows 64 --cols 64
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

#: room -> what its verb takes from it before it works
STARTS = {
    "drc": "run_drc, render",
    "lvs": "compare_layout, extract_layout",
    "extract": "extract, net_capacitance, write_spice, write_spef",
}
RUN = [sys.executable, "-c", "import sys; from crossstack.cli import main; main()"]


def timed(*args: object) -> tuple[float, float, str]:
    """Run a command line; returns seconds, peak memory in MB and its output."""
    start = time.perf_counter()
    process = subprocess.Popen([*RUN, *map(str, args)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, args))} ended with {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024, out


def line(what: str, seconds: float, limit: float, memory: float | None = None) -> None:
    verdict = "ok" if seconds < limit else "SLOW"
    peak = f"  {memory:7.0f} MB" if memory is not None else ""
    print(f"{what:<44} {seconds:8.2f} s  (limit {limit:g} s) {verdict}{peak}", flush=True)


def startup() -> None:
    """Best of five: the time before any work."""
    for args, limit in (
        (("--help",), 0.3),
        (("drc", "--help"), 1.0),
        (("lvs", "--help"), 1.0),
        (("extract", "--help"), 1.0),
    ):
        line("crossstack " + " ".join(args), min(timed(*args)[0] for _ in range(5)), limit)
    for verb, names in STARTS.items():
        code = f"import crossstack.layouts; from crossstack.{verb} import {names}"
        best = 9e9
        for _ in range(3):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            best = min(best, time.perf_counter() - start)
        line(f"start of {verb} (interpreter and imports)", best, 1.0)
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        timed("generate", "--rows", 1, "--cols", 1, "-o", folder, "--quiet")
        gds = folder / "crossstack_1x1x2.gds"
        for verb in STARTS:
            more = ["--netlist", gds.with_suffix(".spice")] if verb == "lvs" else []
            run = [verb, gds, *more, "-o", folder, "--quiet"]
            line(f"{verb} of one cell, all of it", min(timed(*run)[0] for _ in range(3)), 2.0)


def array(rows: int, cols: int, limits: dict[str, float], folder: Path) -> None:
    """Generate, and check as far as limits are given."""
    seconds, memory, out = timed(
        "generate", "--rows", rows, "--cols", cols, "-o", folder, "--json", "--quiet"
    )
    name = json.loads(out)["name"]
    size = (folder / f"{name}.gds").stat().st_size / 1e6
    line(f"{rows}x{cols}x2 GDS ({size:.2f} MB) and netlist", seconds, limits["generate"], memory)
    gds = folder / f"{name}.gds"
    for verb in ("drc", "lvs", "extract"):
        if verb not in limits:
            continue
        more = ["--netlist", folder / f"{name}.spice"] if verb == "lvs" else []
        seconds, memory, _ = timed(verb, gds, *more, "-o", folder / "results", "--quiet")
        line(f"{rows}x{cols}x2 {verb}", seconds, limits[verb], memory)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--startup", action="store_true")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--cols", type=int)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        checks = {"generate": 15.0, "drc": 30.0, "lvs": 30.0, "extract": 60.0}
        if chosen.rows:
            array(chosen.rows, chosen.cols or chosen.rows, checks, folder)
            return
        startup()
        if not chosen.startup:
            array(64, 64, checks, folder)
            array(256, 256, {"generate": 20.0}, folder)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"largest process: {peak:.0f} MB (limit for the 256x256x2 GDS: 2048 MB)")


if __name__ == "__main__":
    main()
