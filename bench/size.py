"""`size` on a real target: how long it takes, and whether the answer builds to the same figures.

python bench/size.py            examples/size_32.yaml: 32 x 32 x 2, worst device at most 10 %,
                                everything counted, every written device at its voltage, every
                                current within its limit at 85 C, least area; 15 minutes at most
python bench/size.py --large    examples/size_128.yaml, the same of 128 x 128 x 2; an hour at most
Exit code 1 if it took longer, no point was found, or a point's YAML builds to something else.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[1] / "examples"
SMALL, LARGE = ("size_32.yaml", 15), ("size_128.yaml", 60)


def crossstack(*args: object) -> int:
    program = Path(sys.executable).with_name("crossstack")
    return subprocess.run([str(program), *map(str, args)], check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("-o", "--out", type=Path, help="keep the results here")
    given = parser.parse_args()
    name, minutes = LARGE if given.large else SMALL
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.out or Path(scratch) / "found"
        begun = time.monotonic()
        code = crossstack("size", EXAMPLES / name, "-o", folder)
        took = (time.monotonic() - begun) / 60
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(
            f"{name}: exit code {code}, {took:.1f} of {minutes} minutes, CPU "
            f"{(used.ru_utime + used.ru_stime) / 60:.1f} minutes, load {os.getloadavg()[1]:.1f}"
        )
        if code != 0:
            return 1
        return max(check(folder, Path(scratch) / "again"), int(took > minutes))


def check(folder: Path, again: Path) -> int:
    """Build the first point from its YAML and hold it against what `size` says of it."""
    point = json.loads((folder / "size.json").read_text())["points"][0]
    crossstack("build", folder / f"{point['name']}.yaml", "-o", again, "--quiet")
    pairs = [
        [json.loads((where / point["name"] / name).read_text()) for where in (again, folder)]
        for name in ("ir_drop.json", "em.json")
    ]
    # of wires with equal loads any one may be named: the verdict is held against the verdict
    same = alike(*pairs[0]) and alike(*(em["verdict"] for em in pairs[1]))
    print(f"{point['name']}.yaml builds to {'the same' if same else 'OTHER'} figures")
    return 0 if same else 1


def alike(a: Any, b: Any) -> bool:
    """Return whether two results are the same but for rounding: sums of other threads differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
    return bool(a == b)


if __name__ == "__main__":
    sys.exit(main())
