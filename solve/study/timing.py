"""Time of a convolution with reading and writing one after the other or at once.

In deep-net mode one tier is read while the other is written. The model (docs/design.md
section 4, pdk/modules/al_tio2/SOURCES.md section 6):

    read  = bits x (settle + sense)
    write = cols x turns x pulses x (pulse + verify)
    one after the other = read + write,  at once = max(read, write)

A network of L layers cannot overlap its first write nor its last read, which is why a
finite depth saves less.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from ...base.errors import InputError


@dataclass(frozen=True)
class Timing:
    """The times of one array, in seconds.

    Attributes:
        settle: until lines have settled, per input bit.
        sense: of the read-out, per input bit.
        pulse: of one write pulse.
        cols: columns written one after the other.
        bits: input bits, applied one after the other.
        pulses: write pulses per column.
        verify: read after each pulse.
        depth: layers of the network; None for the limit of many.
        turns: in which the rows of a column are written, each with pulses of its own.
    """

    settle: float
    sense: float
    pulse: float
    cols: int
    bits: int = 10
    pulses: int = 1
    verify: float = 0.0
    depth: int | None = None
    turns: int = 1

    def __post_init__(self) -> None:
        for name in ("settle", "sense", "pulse", "verify"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"{name} is {value} s, allowed: finite, >= 0")
        for name in ("cols", "bits", "pulses", "turns"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}, allowed: >= 1")
        if self.depth is not None and self.depth < 1:
            raise InputError(f"depth is {self.depth}, allowed: >= 1, or None for many layers")
        if self.read + self.write <= 0:
            raise InputError("read and write both take 0 s; there is nothing to compare")

    @property
    def read(self) -> float:
        """Time of one read of all bits, s."""
        return self.bits * (self.settle + self.sense)

    @property
    def write(self) -> float:
        """Time to write one whole tier, s."""
        return self.slots * (self.pulse + self.verify)

    @property
    def slots(self) -> int:
        """Pulses that one whole tier takes."""
        return self.cols * self.turns * self.pulses

    @property
    def sequential(self) -> float:
        """Time per layer with reading and writing one after the other, s."""
        return self.read + self.write

    @property
    def overlapped(self) -> float:
        """Time per layer with reading and writing at once, s."""
        share = 1.0 if self.depth is None else (self.depth - 1) / self.depth
        return self.sequential - share * min(self.read, self.write)

    @property
    def time_reduction(self) -> float:
        """Share of the time that is saved; at most 0.5."""
        return 1.0 - self.overlapped / self.sequential

    @property
    def speed_up(self) -> float:
        """Convolutions gained in the same time, as a share; at most 1."""
        return self.sequential / self.overlapped - 1.0

    def to_json(self) -> dict[str, Any]:
        """Parameters and results, plain Python types only."""
        results = (
            "read",
            "write",
            "sequential",
            "overlapped",
            "time_reduction",
            "speed_up",
        )
        return {**vars(self), **{name: getattr(self, name) for name in results}}


def pulse_curve(timing: Timing, pulses_s: Iterable[float]) -> list[Timing]:
    """The same array with other pulse times: a table or curve of both gains."""
    return [replace(timing, pulse=float(pulse)) for pulse in pulses_s]


def ratio_for(gain: float, *, definition: str, depth: int | None = None) -> float:
    """Ratio min / max of read and write time at which overlapping gains `gain`.

    Args:
        gain: e.g. 0.29.
        definition: 'time_reduction' or 'speed_up'.
        depth: layers; None for the limit of many.

    Returns:
        The ratio, 0..1; nan if no ratio reaches the gain.

    Raises:
        InputError: naming an unknown definition or an impossible gain.
    """
    if definition not in {"time_reduction", "speed_up"}:
        raise InputError(f"definition is {definition!r}, allowed: time_reduction, speed_up")
    if not 0 < gain < 1:
        raise InputError(f"gain is {gain}, allowed: between 0 and 1")
    saved = gain if definition == "time_reduction" else gain / (1.0 + gain)
    share = 1.0 if depth is None else (depth - 1) / depth
    if saved > share / 2:
        return math.nan
    # saved = share rho / (1 + rho)
    return saved / (share - saved)


def line_delay(
    ohm_per_cell: float,
    farad_per_cell: float,
    cells: int,
    *,
    drive_ohm: float = 0.0,
    load_farad: float = 0.0,
) -> float:
    """Elmore delay to the far end of a line that is driven at the other end.

    Args:
        ohm_per_cell: wire resistance per cell.
        farad_per_cell: capacitance per cell.
        cells: number of cells.
        drive_ohm: resistance of the driver.
        load_farad: capacitance at the far end.

    Returns:
        The first moment of the step response, s.
    """
    wire = ohm_per_cell * farad_per_cell * cells * (cells + 1) / 2
    ends = drive_ohm * (cells * farad_per_cell + load_farad)
    return wire + ends + ohm_per_cell * cells * load_farad


def settle_time(delay: float, bits: int) -> float:
    """Time for an exponential of time constant `delay` to settle within half an LSB, s."""
    if bits < 1:
        raise InputError(f"bits is {bits}, allowed: >= 1")
    return delay * math.log(2.0 ** (bits + 1))
