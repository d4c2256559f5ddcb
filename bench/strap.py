"""Column straps against an independent model: own nodal analysis, sheets and BSIM's R_on.

python bench/strap.py [N ...]    default 10 32 128, of which the last takes some minutes
Exit code 1 if IR drop, loads or write voltage are off by more than `TOLERANCE`.
"""

from __future__ import annotations

import argparse
import runpy
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "docs" / "make_strap.py"
#: relative
TOLERANCE = 0.05
#: of a strap more: the model has all of a column's current in it and one resistor a cell. Drawn,
#: the first row and what stays in ME do not pass its narrow part, which counts most in few rows,
#: and the ends are wider.
STRAPPED = {"wires": 0.08, "read": 0.2, "write": 0.2}
#: (N, strap, width of ME in um) -> lost in wires, lost in all, load in a read, at the peak of a
#: set, V at the device.
#: The model: one resistor a cell, linear write, R_on of 330 mV, limits 0.38 (ME) and 4.5 mA/um.
MODEL = {
    (10, False, None): (0.0165, 0.091, 0.96, 4.24, 1.61),
    (10, True, None): (0.0061, 0.082, 0.06, 0.25, 1.617),
    (32, False, None): (0.1205, 0.181, 2.89, 13.17, 1.54),
    # its loads (0.76, 3.38) are not compared: where the vias of a wide column's end take current
    # off it, the limit check counts all of that between the first of them, 1.52 and 6.70
    (32, False, 4.0): (0.0502, 0.120, None, None, 1.60),
    (32, True, None): (0.0238, 0.098, 0.18, 0.78, 1.61),
    (128, False, None): (0.728, 0.731, 6.29, 36.30, 0.85),
    (128, True, None): (0.242, 0.287, 0.65, 3.02, 1.52),
}
NAMES = ("wires", "every", "read", "write", "volts")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[10, 32, 128], metavar="N")
    row = runpy.run_path(str(SCRIPT))["row"]
    bad = 0
    for (size, strap, wide), wanted in MODEL.items():
        if size not in parser.parse_args().sizes:
            continue
        found = row(size, strap, me_width_um=wide)
        for name, model in zip(NAMES, wanted, strict=True):
            if model is None:
                continue
            value = getattr(found, name)
            off = value / model - 1
            allowed = STRAPPED.get(name, TOLERANCE) if strap else TOLERANCE
            bad += (fails := not abs(off) <= allowed)
            print(
                f"{size:>4} {'strap' if strap else 'ME':<6}{wide or '':<5}{name:<6}"
                f"{value:>9.4f}{model:>9.4f}"
                f"{100 * off:>+8.1f} %{'  OFF' if fails else ''}",
                flush=True,
            )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
