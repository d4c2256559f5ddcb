"""Damaged inputs of every kind through the command line: no traceback, hang or wrong exit code.

python bench/fuzz.py                      10,000 cases (about half an hour)
python bench/fuzz.py --count 500 --seed 7
python bench/fuzz.py --seed 7 --keep 123  writes the damaged file of case 123, to look at it
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "fuzz"))
from campaign import Outcome, campaign, cases, command_line, make_base


def show(outcome: Outcome) -> None:
    """Print a table of exit codes by target."""
    print(f"{'target':<20} {'0':>6} {'1':>6} {'2':>6} {'3':>6}")
    for target in sorted({name for name, _ in outcome.codes}):
        row = "".join(f" {outcome.codes[target, code]:6d}" for code in range(4))
        print(f"{target:<20}{row}")
    seconds, number = outcome.slowest
    print(
        f"{outcome.ran} cases, {len(outcome.wrong)} wrong; slowest {seconds:.1f} s, case {number}"
    )


def keep(seed: int, number: int, base: Path) -> None:
    """Write the damaged file of one case into the current folder; print its command line."""
    case = next(c for c in cases(seed, number + 1) if c.number == number)
    room = Path(f"case_{number}")
    room.mkdir(exist_ok=True)
    print("crossstack", *command_line(case, base, room.resolve()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=int, default=0, help="first case, to go on")
    parser.add_argument("--keep", type=int, metavar="CASE", help="write the file of a case")
    parser.add_argument("--base", type=Path, help="folder for the valid files (kept)")
    given = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        base = given.base or Path(folder)
        if not (base / "weights.npy").exists():
            make_base(base)
        if given.keep is not None:
            keep(given.seed, given.keep, base)
            return

        shown = 0

        def progress(outcome: Outcome, number: int) -> None:
            nonlocal shown
            for case, target, wrong, said in outcome.wrong[shown:]:
                print(f"case {case} ({target}): {wrong}: {said}", flush=True)
            shown = len(outcome.wrong)
            if (number + 1) % 500 == 0:
                found = len(outcome.wrong)
                print(f"{number + 1} of {given.count}: {found} wrong", file=sys.stderr, flush=True)

        outcome = campaign(base, given.seed, given.count, given.start, progress)
        progress(outcome, -1)
    show(outcome)
    sys.exit(bool(outcome.wrong))


if __name__ == "__main__":
    main()
