"""Straps, cuts, folded transistors and rows from both ends: every rule, own and foundry's, and LVS.

python bench/means.py                    arrays 7 x 5, 10 x 10, 13 x 13 and a macro of each, in
                                         both profiles, with the foundry's deck; half an hour
python bench/means.py --no-foundry       our own DRC and LVS alone; a minute
python bench/means.py --only strap --only folded
Exit code 1 if a layout is not clean and matched.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from options import faults

from crossstack.cells import to_layout
from crossstack.drc.foundry import run_foundry_drc
from crossstack.generators import Array, ArraySpec, build_top
from crossstack.pdk.tech import profile_names

FOLDED: dict[str, Any] = {"select_w_um": 4.0, "select_fingers": 2}
MEANS: dict[str, dict[str, Any]] = {
    "strap": {"strap": True},
    "cuts": {"cuts": 2},
    "folded": FOLDED,
    "both-ends": {"row_ends": "both"},
    "together": {"strap": True, **FOLDED, "row_ends": "both"},
}
SHAPES = ((7, 5), (10, 10), (13, 13))
MACRO = (10, 10)


def layouts(only: list[str]) -> Iterator[tuple[str, Array]]:
    """Yield every layout with its name."""
    for means in only or MEANS:
        values = MEANS[means]
        for profile in profile_names():
            for rows, cols in SHAPES:
                spec = ArraySpec(rows, cols, profile=profile, **values)
                yield f"{means:<10}{profile:<8} array {rows} x {cols}", build_top(spec)
            spec = ArraySpec(*MACRO, profile=profile, top="macro", **values)
            yield f"{means:<10}{profile:<8} macro {MACRO[0]} x {MACRO[1]}", build_top(spec)


def foundry_faults(array: Array) -> str:
    """Return what the foundry's deck says against a layout; empty if nothing."""
    with tempfile.TemporaryDirectory() as folder:
        gds = Path(folder) / "a.gds"
        to_layout(array.cell, array.tech).write(str(gds))
        report = run_foundry_drc(gds, array.tech)
    rules = Counter(item.rule for item in report.items)
    return "" if report.clean else "; ".join(f"{rule} x{n}" for rule, n in rules.items()) or "?"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-foundry", action="store_true")
    parser.add_argument("--only", action="append", choices=MEANS, default=[])
    given = parser.parse_args()
    bad = 0
    for name, array in layouts(given.only):
        begun = time.monotonic()
        own = faults(array)
        theirs = "not run" if given.no_foundry else foundry_faults(array)
        wrong = bool(own) or theirs not in ("", "not run")
        bad += wrong
        print(
            f"{name:<36} own rules and netlist: {own or 'clean'}; foundry's deck: "
            f"{theirs or 'clean'}; {time.monotonic() - begun:.0f} s",
            flush=True,
        )
    print(f"{bad} layouts with faults")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
