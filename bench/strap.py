"""Column straps against an independent model: own nodal analysis, sheets and BSIM's R_on.

python bench/strap.py [N ...]    default 10 32 128, of which the last takes some minutes
Exit code 1 if IR drop, loads or write voltage are off by more than `TOLERANCE`.

The model's strap is Metal5 alone, 0.085 ohm a cell, with all of a column's current and one third
of an ohm on the way to the pin: `ladder` gives its losses in wires at every N. What is drawn has ME
beside the strap (0.079 ohm a cell together, as their sheets give), ties in every row on the way to
the pin, and a first row whose own current does not pass the strap. A strapped array is held against
the model with these three put in.
"""

from __future__ import annotations

import argparse
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np

from crossstack.solve import solve_crossbar

SCRIPT = Path(__file__).parents[1] / "docs" / "make_strap.py"
#: relative
TOLERANCE = 0.05
#: (N, strap, width of ME in um) -> lost in wires, lost in all, load in a read, at the peak of a
#: set, V at the device.
#: The model: one resistor a cell, linear write, R_on of 330 mV, limits 0.38 (ME) and 4.5 mA/um.
MODEL = {
    (10, False, None): (0.0165, 0.091, 0.96, 4.24, 1.61),
    (10, True, None): (0.0061, 0.082, 0.06, 0.25, 1.617),
    (32, False, None): (0.1205, 0.181, 2.89, 13.17, 1.54),
    # its loads (0.76, 3.38) are not compared: where the vias at a wide column's end take current
    # off it, the limit check counts all of that between the first of them: 1.52 and 6.70
    (32, False, 4.0): (0.0502, 0.120, None, None, 1.60),
    (32, True, None): (0.0238, 0.098, 0.18, 0.78, 1.61),
    (128, False, None): (0.728, 0.731, 6.29, 36.30, 0.85),
    (128, True, None): (0.242, 0.287, 0.65, 3.02, 1.52),
}
NAMES = ("wires", "every", "read", "write", "volts")
#: ohm: of a row a cell, of the top tier's device in stacks and electrodes, and with its transistor;
#: of an ME a cell; of a strap a cell, alone and with its ME, each with what leads to the pin
ROW, STACK, CELL, ME = 0.198, 37.0, 870.0, 1.168
ALONE, DRAWN = (0.085, 0.33), (0.079, 0.16)
#: conductance of a device in S; read voltage in V; what 1.38 um of Metal5 may carry, A
SIEMENS, READ_V, STRAP_A = 1e-4, 0.2, 1.38 * 4.5e-3


def ladder(n: int, strap: tuple[float, float], series: float) -> tuple[float, float]:
    """Return the loss of the worst device and the largest column current of a strapped array.

    Args:
        n: rows and columns of either tier.
        strap: ohm a cell, and between the last cell and the pin.
        series: ohm in series with every device.
    """
    rows, cols = np.full((2, n, n), ROW), np.full((n, n), strap[0])
    rows[:, :, 0], cols[-1] = ROW / 2, strap[1]
    solved = solve_crossbar(
        np.full((2, n, n), 1 / (1 / SIEMENS + series)), np.full((2, n), READ_V),
        row_segments=rows, column_segments=cols,
    )  # fmt: skip
    volts = solved.device_currents / SIEMENS
    return 1 - float(volts.min()) / READ_V, float(solved.column_currents.max())


def as_drawn(n: int, table: tuple[float, ...]) -> tuple[float, ...]:
    """Return the model's figures of a strapped array with the column that is drawn."""
    wires, _ = ladder(n, DRAWN, STACK)
    every, amps = ladder(n, DRAWN, CELL)
    # what stays in ME, and the first row, do not pass the strap
    share = ME / (ME + ALONE[0]) * (n - 1) / n
    read = amps / STRAP_A * share
    return wires, every, read, n * table[4] * SIEMENS / STRAP_A * share, table[4]


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
            wanted = as_drawn(size, table)
            bad += _line(f"{size:>4} model wires", ladder(size, ALONE, STACK)[0], table[0])
        found = row(size, strap, me_width_um=wide)
        for name, model in zip(NAMES, wanted, strict=True):
            if model is not None:
                what = f"{size:>4} {'strap' if strap else 'ME':<6}{wide or '':<5}{name:<6}"
                bad += _line(what, getattr(found, name), model)
    return 1 if bad else 0


def _line(what: str, value: float, model: float) -> bool:
    """Print a value beside the model's; return whether it is off."""
    off = value / model - 1
    fails = not abs(off) <= TOLERANCE
    print(f"{what:<24}{value:>9.4f}{model:>9.4f}{100 * off:>+8.1f} %{'  OFF' if fails else ''}",
          flush=True)  # fmt: skip
    return fails


if __name__ == "__main__":
    sys.exit(main())
