"""DRC with 1, 2, 4 and 16 helpers, many times on a loaded machine: equal reports, no slow run.

python bench/threads.py                 50 runs of each count beside one busy process
python bench/threads.py --runs 5 --busy 0
Exit code 1 if a run took over twice the median of its count, or a report differs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COUNTS = (1, 2, 4, 16)
#: helpers are started whatever the machine has; the command line takes no more than its cores
MAIN = (
    "from crossstack.drc import workers; workers.cores = lambda: 64; "
    "from crossstack.cli import main; main()"
)
SPIN = "while True: pass"
LIMIT_S = 300.0


def run(*args: object) -> subprocess.CompletedProcess[str]:
    """Run a command line; no run may hang."""
    command = [sys.executable, "-c", MAIN, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)


def checked(gds: Path, threads: int, out: Path) -> tuple[float, str]:
    """Return seconds and the report, but for what is measured of the machine."""
    begin = time.perf_counter()
    done = run("drc", gds, "--threads", threads, "-o", out, "--json", "--quiet")
    seconds = time.perf_counter() - begin
    if done.returncode or done.stderr:
        sys.exit(f"--threads {threads} ended with {done.returncode}: {done.stderr}")
    value = json.loads(done.stdout)
    return seconds, json.dumps({k: v for k, v in value.items() if k not in ("seconds", "peak_mb")})


def main() -> None:
    """Run and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--busy", type=int, default=1, help="processes that load the machine")
    parser.add_argument("--size", type=int, default=10, help="rows and columns")
    chosen = parser.parse_args()
    busy = [
        subprocess.Popen([sys.executable, "-c", SPIN], preexec_fn=lambda: os.nice(5) and None)
        for _ in range(chosen.busy)
    ]
    bad = False
    try:
        with tempfile.TemporaryDirectory() as text:
            folder, reports = Path(text), set()
            size = ("--rows", chosen.size, "--cols", chosen.size, "--name", "a")
            if run("generate", *size, "-o", folder, "--quiet").returncode:
                sys.exit("the layout could not be drawn")
            for threads in COUNTS:
                runs = [checked(folder / "a.gds", threads, folder) for _ in range(chosen.runs)]
                seconds = [s for s, _ in runs]
                reports |= {report for _, report in runs}
                middle, worst = statistics.median(seconds), max(seconds)
                verdict = "ok" if worst < 2 * middle else "OVER"
                bad |= worst >= 2 * middle
                print(
                    f"--threads {threads:<3} {chosen.runs} runs: median {middle:.2f} s, "
                    f"worst {worst:.2f} s (limit {2 * middle:.2f} s) {verdict}",
                    flush=True,
                )
            same = len(reports) == 1
            print(f"reports: {'all equal' if same else f'{len(reports)} DIFFERENT ones'}")
            bad |= not same
    finally:
        for process in busy:
            process.kill()
    sys.exit(bad)


if __name__ == "__main__":
    main()
