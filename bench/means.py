"""Straps, cuts, folded transistors and rows from both ends: every rule, own and foundry's, and LVS.

python bench/means.py                    arrays 7 x 5, 10 x 10, 13 x 13 and a macro of each, in
                                         both profiles, with the foundry's deck; half an hour
python bench/means.py --no-foundry       our own DRC and LVS alone; a minute
python bench/means.py --only strap --only folded
python bench/means.py --sets 60          random sets of at least two means at once, arrays and
                                         macros from 3 x 2 to 7 x 5: each clean by our own DRC and
                                         LVS, or refused in one line that names what is wrong
Exit code 1 if a layout is not clean and matched.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from options import LINE_PITCH, Outcome, faults, judge, least_pitches, length

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
    "together": {"strap": True, "cuts": 2, **FOLDED, "row_ends": "both"},
}
SHAPES = ((7, 5), (10, 10), (13, 13))
MACRO = (10, 10)
#: of random sets: rows and columns, and ends of the lengths in um
SMALL = ((3, 2), (2, 3), (4, 4), (5, 3), (7, 5))
WIDTHS, GATES, ME_WIDTHS = (0.4, 24.0), (0.36, 6.0), (0.5, 12.0)


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


def means_set(rng: random.Random) -> dict[str, Any]:
    """Return at least two means at once, on an array or macro."""
    found: dict[str, Any] = {}
    fingers = rng.choice((2, 3, 4))
    means: list[dict[str, Any]] = [
        {"strap": True},
        {"cuts": rng.choice((2, 4))},
        {"row_ends": "both"},
        {"me_width_um": length(rng, ME_WIDTHS)},
        {
            "select_fingers": fingers,
            "select_w_um": round(fingers * length(rng, GATES), 2),
        },
    ]
    for some in rng.sample(means, rng.randint(2, len(means))):
        found |= some
    if "select_w_um" not in found and rng.random() < 0.4:
        found["select_w_um"] = length(rng, WIDTHS)
    found["cell"] = rng.choice(("hybrid", "planar"))
    found["profile"] = rng.choice(profile_names())
    for key, least in least_pitches(found).items():  # where more ties of a strap fit
        if least and rng.random() < 0.3:
            found[key] = length(rng, (least, max(least, min(2 * least, LINE_PITCH))))
    rows, cols = rng.choice(SMALL)
    return {"top": rng.choice(("array", "macro")), "rows": rows, "cols": cols, **found}


def random_sets(count: int, seed: int, first: int) -> int:
    """Judge random sets and print them; returns how many are neither clean nor refused by name."""
    kinds: Counter[str] = Counter()
    for k in range(first, first + count):
        begun = time.monotonic()
        found: Outcome = judge(means_set(random.Random(f"{seed}/{k}")))
        kinds[found.kind] += 1
        told = f": {found.why}" if found.why else ""
        took = time.monotonic() - begun
        print(f"{k} {found.kind} {found.values}{told}; {took:.1f} s", flush=True)
    told = ", ".join(f"{kinds[kind]} {kind}" for kind in ("accepted", "refused", "bad"))
    print(f"{count} sets of means, seed {seed}: {told}")
    return kinds["bad"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-foundry", action="store_true")
    parser.add_argument("--only", action="append", choices=MEANS, default=[])
    parser.add_argument("--sets", type=int, help="so many random sets in place of these layouts")
    parser.add_argument("--first", type=int, default=0, help="number of the first random set")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.sets:
        return 1 if random_sets(given.sets, given.seed, given.first) else 0
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
