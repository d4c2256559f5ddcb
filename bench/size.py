"""`size` on a real target: how long it takes, and whether the answer builds to the same figures.

python bench/size.py            32 x 32 x 2: worst device at most 10 %, everything counted, every
                                current within its limit at 85 C, least area; 15 minutes at most
python bench/size.py --large    the same for 128 x 128 x 2, at most 30 %; an hour at most
Exit code 1 if it took longer, no point was found, or a point's YAML builds to something else.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TARGET = """
array:
  rows: {n}
  cols: {n}
  tech: {{temperature_c: 85}}
targets:
  worst_device: {worst}
  limit_used: 1.0
free:
  select_w_um: {{min: 1.0, max: 8.0, step: {step}}}
  strap: [false, true]
  cuts: [1, 2, 4]
search: {{points: 1}}
"""
SMALL, LARGE = (32, 0.10, 0.1, 15), (128, 0.30, 0.5, 60)


def crossstack(*args: object) -> int:
    program = Path(sys.executable).with_name("crossstack")
    return subprocess.run([str(program), *map(str, args)], check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("-o", "--out", type=Path, help="keep the results here")
    given = parser.parse_args()
    n, worst, step, minutes = LARGE if given.large else SMALL
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.out or Path(scratch) / "found"
        target = Path(scratch) / "target.yaml"
        target.write_text(TARGET.format(n=n, worst=worst, step=step))
        begun = time.monotonic()
        code = crossstack("size", target, "-o", folder)
        took = (time.monotonic() - begun) / 60
        print(f"{n} x {n} x 2: exit code {code}, {took:.1f} of {minutes} minutes")
        if code != 0 or took > minutes:
            return 1
        return check(folder, Path(scratch) / "again")


def check(folder: Path, again: Path) -> int:
    """Build the first point from its YAML and hold it against what `size` says of it."""
    point = json.loads((folder / "size.json").read_text())["points"][0]
    crossstack("build", folder / f"{point['name']}.yaml", "-o", again, "--quiet")
    same = all(
        (again / point["name"] / name).read_bytes() == (folder / point["name"] / name).read_bytes()
        for name in ("ir_drop.json", "em.json", "manifest.json")
    )
    print(f"{point['name']}.yaml builds to {'the same' if same else 'OTHER'} figures")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
