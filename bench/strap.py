"""Column straps against an independent model: own nodal analysis, sheets and BSIM's R_on.

python bench/strap.py [N ...]    default 10 32 128, of which the last takes some minutes
Exit code 1 if IR drop, loads or write voltage are off by more than `TOLERANCE`.

Arrays without a strap are held against the table itself. Of a strapped one the table's own model is
computed first (`strap_model.LUMPED`): it gives the table's losses, and its loads with the part that
ME would take. What is drawn has ME beside the strap, a via in every row, and a first row most of
whose current does not pass the strap: it is held against the ladder with these (`DRAWN`).
"""

from __future__ import annotations

import argparse
import runpy
import sys
from pathlib import Path
from typing import Any

from strap_model import DRAWN, LUMPED, MODEL, SHARE, found

SCRIPT = Path(__file__).parents[1] / "docs" / "make_strap.py"
#: relative
TOLERANCE = 0.05
#: of the table's loads, as parts
LAST_DIGIT = 0.01
NAMES = ("wires", "every", "read", "write", "volts")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[10, 32, 128], metavar="N")
    row: Any = runpy.run_path(str(SCRIPT))["row"]
    bad = 0
    for (size, strap, wide), table in MODEL.items():
        if size not in parser.parse_args().sizes:
            continue
        wanted: tuple[float | None, ...] = table
        if strap:
            model, ladder = (found(size, column, table[4]) for column in (LUMPED, DRAWN))
            own = (model.wires, model.every, SHARE * model.read, SHARE * model.write)
            for name, value, shown in zip(NAMES[:4], own, table[:4], strict=True):
                bad += _line(f"{size:>4} table {name}", value, shown, LAST_DIGIT)
            wanted = (ladder.wires, ladder.every, ladder.read, ladder.write, table[4])
        drawn = row(size, strap, me_width_um=wide)
        for name, model in zip(NAMES, wanted, strict=True):
            if model is not None:
                what = f"{size:>4} {'strap' if strap else 'ME':<6}{wide or '':<5}{name:<6}"
                bad += _line(what, getattr(drawn, name), model)
    return 1 if bad else 0


def _line(what: str, value: float, model: float, digit: float = 0.0) -> bool:
    """Print a value beside the model's; return whether it is off by more than half a digit."""
    off = value / model - 1
    fails = not (abs(off) <= TOLERANCE or abs(value - model) <= digit / 2)
    print(f"{what:<24}{value:>9.4f}{model:>9.4f}{100 * off:>+8.1f} %{'  OFF' if fails else ''}",
          flush=True)  # fmt: skip
    return fails


if __name__ == "__main__":
    sys.exit(main())
