"""On resistance of the transistors over width, source voltage, temperature and corner.

The table is measured on the foundry's BSIM models; ``crossstack foundry models`` makes it anew
(see `crossstack.models` for the conditions). In between it is interpolated: resistance times
width over the logarithm of the width, and the logarithm of the resistance over voltage and
temperature, where it runs over decades.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..base.errors import ParameterError
from .conditions import TEMPERATURES_C, number

#: name of the table in a process folder
FILE = "ron_table.json"
#: table of the default process
PATH = Path(__file__).parent / "gf180mcuD" / FILE


@lru_cache(maxsize=8)
def _table(path: Path) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return table


def source_grid_v(path: Path = PATH) -> list[float]:
    """Return the source voltages of a table, V."""
    volts: list[float] = _table(path)["source_v"]
    return volts


def _place(grid: list[float], value: float) -> tuple[int, float]:
    """Return the interval of `value` in `grid` and the share of its upper end; ends hold."""
    clipped = min(max(value, grid[0]), grid[-1])
    k = min(bisect_right(grid, clipped), len(grid) - 1) - 1
    return k, (clipped - grid[k]) / (grid[k + 1] - grid[k])


def ron_ohm(
    kind: str,
    w_um: float,
    source_v: float,
    *,
    corner: str = "typ",
    temperature_c: float = 25.0,
    path: Path = PATH,
) -> float:
    """Return the resistance of a transistor whose gate is fully on, in ohm.

    Args:
        kind: ``nfet`` or ``pfet``.
        w_um: channel width in um; beyond the table it scales as 1 / W.
        source_v: voltage of the source against VSS, V: the lower end of an NMOS, the upper
            end of a PMOS. Beyond the table (0 .. 3 V) its ends hold.
        corner: ``typ``, ``min`` (fast) or ``max`` (slow).
        temperature_c: degrees C, -40 .. 125.
        path: table of the process.

    Raises:
        ParameterError: for a corner or temperature that the table does not hold.
    """
    table = _table(path)
    by_corner = table["ohm"][kind]
    if corner not in by_corner:
        raise ParameterError("corner", corner, "one of " + ", ".join(by_corner))
    temperatures = table["temperature_c"]
    number(temperature_c, "temperature_c", *TEMPERATURES_C, "C")
    widths = table["w_um"]
    t, share_t = _place(temperatures, temperature_c)
    v, share_v = _place(table["source_v"], source_v)
    w, share_w = _place([math.log(x) for x in widths], math.log(w_um))

    def log_per_um(width_index: int) -> float:
        at = [
            [math.log(by_corner[corner][t + i][width_index][v + j]) for j in (0, 1)] for i in (0, 1)
        ]
        low, high = (row[0] + share_v * (row[1] - row[0]) for row in at)
        return low + share_t * (high - low) + math.log(widths[width_index])

    a, b = log_per_um(w), log_per_um(w + 1)
    return math.exp(a + share_w * (b - a)) / w_um
