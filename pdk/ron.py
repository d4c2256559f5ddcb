"""On resistance of the transistors over width, voltages, temperature and corner.

The table is measured on the foundry's BSIM models; ``crossstack foundry models`` makes it anew
(see `crossstack.signoff.models` for the conditions). It holds drop over current, so that a
transistor that saturates is right, too. In between it is interpolated: resistance times width over
the logarithm of the width, and the logarithm of the resistance over temperature (straight) and
over both voltages (a monotone cubic), where it runs over decades.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.errors import ParameterError, TechError
from ..base.inputs import read_text
from .conditions import REFERENCE_C
from .ranges import number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: name of the table in a process folder
FILE = "ron_table.json"
_MOST_BYTES = 64_000_000
#: drop at which an R_on is given that names none, V
NOMINAL_DROP_V = 0.05
#: steps into which an interval of the table's voltages is cut
_FINER = 8


def read_table(path: Path) -> dict[str, Any]:
    """Return a table of on resistance as `write_table` of the sign-off wrote it.

    Raises:
        FileError: if the file cannot be read.
        TechError: for an entry that is no number, or a resistance of 0 or less.
    """
    stat = path.stat()
    return _read(path, (stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=8)
def _read(path: Path, stamp: object) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(read_text(path, _MOST_BYTES))
    for key in ("w_um", "source_v", "drop_v", "temperature_c", "ohm"):
        _check(path, key, table[key])
    return table


def _check(path: Path, where: str, value: Any) -> None:
    """Refuse what is no number in a table: Python would take true for 1.

    Raises:
        TechError: naming file, place and value.
    """
    if isinstance(value, list) and value and {*map(type, value)} <= {int, float}:
        least = 0.0 if where.startswith("ohm") else -math.inf
        if math.isfinite(sum(value)) and min(value) > least:
            return  # 20,000 numbers: one by one only to name a wrong one
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            _check(path, f"{where}[{key}]", inner)
    elif type(value) not in (int, float) or not math.isfinite(value):
        raise TechError(f"{path}: {where} is {value!r}, allowed: numbers")
    elif where.startswith("ohm") and value <= 0:
        raise TechError(f"{path}: {where} is {value!r}, allowed: above 0 ohm")


def widest_um(path: Path) -> float:
    """Return the greatest width that a table holds; beyond, resistance scales as 1 / W."""
    return float(read_table(path)["w_um"][-1])


def voltage_range_v(path: Path) -> tuple[float, float]:
    """Return the lowest and highest terminal voltage that a table holds, V against VSS."""
    volts = read_table(path)["source_v"]
    return volts[0], volts[-1]


def _place(grid: Sequence[float], value: float) -> tuple[int, float]:
    """Return the interval of `value` in `grid` and the share of its upper end; ends hold."""
    clipped = min(max(value, grid[0]), grid[-1])
    k = min(bisect_right(grid, clipped), len(grid) - 1) - 1
    return k, (clipped - grid[k]) / (grid[k + 1] - grid[k])


class _Axis:
    """One voltage of a table: the interval of any value, by arithmetic on a finer, even grid."""

    def __init__(self, grid: Floats) -> None:
        import numpy as np

        gaps = np.diff(grid)
        self.grid, self.first, self.last = grid, float(grid[0]), float(grid[-1])
        self.per_v = 1.0 / gaps
        # an even step shorter than any interval holds at most one end of an interval
        steps = math.ceil((self.last - self.first) / float(gaps.min())) + 1
        self._scale = steps / (self.last - self.first)
        starts = self.first + np.arange(steps + 1) / self._scale
        most = len(gaps) - 1
        self._interval = np.clip(np.searchsorted(grid, starts, side="right") - 1, 0, most)
        self._end = np.append(grid[1:-1], np.inf)

    def __call__(self, values: Floats) -> tuple[NDArray[np.intp], Floats]:
        """Return intervals and the shares of their upper ends; the table's ends hold."""
        import numpy as np

        clipped = np.clip(values, self.first, self.last)
        with np.errstate(invalid="ignore"):  # what is no number has an interval, and no share
            even = ((clipped - self.first) * self._scale).astype(np.intp)
        k = self._interval.take(even, mode="clip")
        k += clipped >= self._end.take(k)
        clipped -= self.grid.take(k)
        clipped *= self.per_v.take(k)
        return k, clipped

    @property
    def packed(self) -> tuple[NDArray[Any], ...]:
        """Return the axis for a kernel.

        Returns:
            (its ends in V, and even steps per V; interval of every even step; of every interval
            its start, 1 / V of its length, and its end).
        """
        import numpy as np

        intervals = np.ascontiguousarray(np.stack([self.grid[:-1], self.per_v, self._end], axis=1))
        ends = np.array([self.first, self.last, self._scale])
        return ends, self._interval.astype(np.int64), intervals

    def holds(self, values: Floats) -> NDArray[np.bool_]:
        """Which values lie between the ends."""
        found: NDArray[np.bool_] = (values > self.first) & (values < self.last)
        return found


class Surface:
    """R_on of one transistor over the voltage of its source and the drop along its channel.

    The source is the lower end of an NMOS and the upper end of a PMOS. Beyond the table its
    ends hold: whoever solves a circuit checks its voltages against `voltage_range_v`.
    """

    def __init__(self, table: dict[str, Any], log_ohm: Floats) -> None:
        """Cut the intervals of a table of ln R (source, drop) finer."""
        import numpy as np

        from .pchip import pchip

        source, drop = (np.asarray(table[key], float) for key in ("source_v", "drop_v"))
        fine = _finer(source), _finer(drop)
        by_source = pchip(source, log_ohm, fine[0])
        log = pchip(drop, by_source.T, fine[1]).T
        self._source, self._drop = _Axis(fine[0]), _Axis(fine[1])
        # of every cell: ln R at its first corner, and what it rises by along either side and both
        along, across = np.diff(log, axis=0), np.diff(log, axis=1)
        parts = log[:-1, :-1], along[:, :-1], across[:-1], np.diff(along, axis=1)
        self._parts = [np.ascontiguousarray(part).reshape(-1) for part in parts]
        self._row = len(fine[1]) - 1

    @cached_property
    def packed(self) -> tuple[NDArray[Any], ...]:
        """Return all for a kernel.

        Returns:
            (three of the source's axis; three of the drop's, see `_Axis.packed`; of every cell
            ohm at its first corner, and what ln R rises by along source, drop and both).
        """
        import numpy as np

        corner, along, across, both = self._parts
        cells = np.stack([np.exp(corner), along, across, both], axis=1)
        return *self._source.packed, *self._drop.packed, np.ascontiguousarray(cells)

    def _at(
        self, source_v: Floats, size: Floats
    ) -> tuple[Floats, Floats, Floats, NDArray[np.intp], NDArray[np.intp]]:
        """Return ln R, its rise over the cell along source and drop, and both intervals."""
        i, s = self._source(source_v)
        j, t = self._drop(size)
        cell = i * self._row + j
        corner, along, across, both = (part.take(cell) for part in self._parts)
        by_source = along + both * t
        return corner + across * t + by_source * s, by_source, across + both * s, i, j

    def __call__(self, source_v: Floats, drop_v: Floats) -> Floats:
        """Return ohm at source voltages against VSS and drops (of either sign), V."""
        import numpy as np

        ohm: Floats = np.exp(self._at(source_v, np.abs(drop_v))[0])
        return ohm

    def with_slopes(self, source_v: Floats, drop_v: Floats) -> tuple[Floats, Floats, Floats]:
        """Return ohm, and what ln R rises by per V of source and per V of the drop's size."""
        import numpy as np

        size = np.abs(drop_v)
        log, by_source, by_drop, i, j = self._at(source_v, size)
        # beyond the table its ends hold
        by_source *= self._source.per_v.take(i) * self._source.holds(source_v)
        by_drop *= self._drop.per_v.take(j) * self._drop.holds(size)
        return np.exp(log), by_source, by_drop


def _finer(grid: Floats) -> Floats:
    import numpy as np

    fine = np.arange((len(grid) - 1) * _FINER + 1) / _FINER
    return np.interp(fine, np.arange(len(grid)), grid)


@lru_cache(maxsize=512)
def surface(kind: str, w_um: float, *, corner: str, temperature_c: float, path: Path) -> Surface:
    """Return R_on of a transistor whose gate is fully on over its voltages; see `ron_ohm`.

    Raises:
        ParameterError: for a width, corner or temperature that the table does not hold.
    """
    import numpy as np

    table = read_table(path)
    by_corner = table["ohm"][kind]
    if corner not in by_corner:
        raise ParameterError("corner", corner, "one of " + ", ".join(by_corner))
    temperatures = table["temperature_c"]
    number(temperature_c, "temperature_c", temperatures[0], temperatures[-1], "C")
    if not (math.isfinite(w_um) and w_um > 0):
        raise ParameterError("w_um", w_um, "finite and above 0")
    widths = table["w_um"]
    t, share_t = _place(temperatures, temperature_c)
    w, share_w = _place([math.log(x) for x in widths], math.log(w_um))
    log_ohm = np.log(np.array(by_corner[corner][t : t + 2])[:, w : w + 2])
    per_um = log_ohm + np.log(widths[w : w + 2])[:, None, None]
    at_t = per_um[0] + share_t * (per_um[1] - per_um[0])
    return Surface(table, at_t[0] + share_w * (at_t[1] - at_t[0]) - math.log(w_um))


def ron_ohm(
    kind: str,
    w_um: float,
    source_v: float,
    drop_v: float = NOMINAL_DROP_V,
    *,
    corner: str = "typ",
    temperature_c: float = REFERENCE_C,
    path: Path,
) -> float:
    """Return the resistance of a transistor whose gate is fully on, in ohm.

    Args:
        kind: ``nfet`` or ``pfet``.
        w_um: channel width in um; beyond the table it scales as 1 / W.
        source_v: voltage of the source against VSS, V: the lower end of an NMOS, the upper
            end of a PMOS. Beyond the table its ends hold.
        drop_v: voltage between source and drain, V; the ends of the table hold.
        corner: ``typ``, ``min`` (fast) or ``max`` (slow).
        temperature_c: degrees C.
        path: table of the process.

    Raises:
        ParameterError: for a corner or temperature that the table does not hold.
    """
    import numpy as np

    found = surface(kind, float(w_um), corner=corner, temperature_c=float(temperature_c), path=path)
    return float(found(np.array([source_v]), np.array([drop_v]))[0])
