"""What was found over time, as lines for people and as tables of curves."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from ..base.outputs import write_text
from ..base.units import percent
from .transients import COUNTED, LEFT_OUT, Curves, OverTime, Read, Write

#: columns that are printed; --json holds all
_SHOWN = 64


def time_lines(found: OverTime) -> Iterator[str]:
    """Yield the figures of a run over time."""
    asked = found.asked
    yield (
        f"over time: sources rise in {_time(asked.rise_s)}, {asked.bits} bits, "
        f"sense {_time(asked.sense_s)}, pulse {_time(asked.pulse_s)}"
    )
    yield from _read_lines(found.read)
    for write in found.writes:
        yield from _write_lines(write)
    yield f"counted: {COUNTED}"
    yield f"left out: {LEFT_OUT}"


def _read_lines(read: Read) -> Iterator[str]:
    bits = len(read.settle_by_bits_s)
    yield (
        f"read settles to {bits} bits in {_time(read.settle_s)} "
        f"(Elmore, cell included: {_time(read.elmore_s)})"
    )
    steps = sorted({1, *range(2, bits + 1, 2), bits})
    yield "  by bits: " + ", ".join(f"{b}: {_time(read.settle_by_bits_s[b - 1])}" for b in steps)
    yield f"  {'column':<8}{'settles':>12}{'final':>14}{'charge':>12}"
    for pin, column in list(read.columns.items())[:_SHOWN]:
        yield (
            f"  {pin:<8}{_time(column['settle_s']):>12}{column['final_A'] * 1e6:>11.4f} uA"
            f"{column['charge_C'] * 1e15:>9.4g} fC"
        )
    if len(read.columns) > _SHOWN:
        yield f"  and {len(read.columns) - _SHOWN} more columns: see --json"
    yield (
        f"  energy: {read.settle_j * 1e15:.4g} fJ until settled, then {read.watts * 1e6:.4g} uW; "
        f"{read.energy_j * 1e12:.4g} pJ a read, {read.energy_per_mac_j * 1e15:.4g} fJ a MAC "
        f"({read.devices} devices)"
    )


def _write_lines(write: Write) -> Iterator[str]:
    yield (
        f"write of column {write.column} ({write.way}): 90 % in {_time(write.rise_90_s)}, 99 % in "
        f"{_time(write.rise_99_s)}, {write.volts:.4g} V at the least of {write.devices} devices"
    )
    yield (
        f"  energy: {write.energy_j * 1e12:.4g} pJ a pulse, "
        f"{write.energy_per_device_j * 1e15:.4g} fJ a device"
    )
    if (worst := write.worst) is not None:
        one = write.disturb[worst]
        # less than this is the solver's rounding
        shift = one["shift_A"] if abs(one["shift_A"]) > 1e-12 * abs(one["rest_A"]) else 0.0
        yield (
            f"  disturb of what is read: {worst} by {one['glitch_A'] * 1e6:.4g} uA "
            f"({percent(one['glitch_share'])} of {one['rest_A'] * 1e6:.4g} uA), "
            f"{one['charge_C'] * 1e15:.4g} fC whatever the rise; afterwards it is "
            f"{shift * 1e6:.3g} uA off"
        )


def _time(seconds: float) -> str:
    """Return a time in ps below 1 ns, else in ns."""
    return f"{seconds * 1e12:.4g} ps" if seconds < 1e-9 else f"{seconds * 1e9:.4g} ns"


def curve_files(found: OverTime) -> dict[str, Curves]:
    """Return file name -> curves of each part."""
    return {f"transient_{part.replace(' ', '_')}.csv": each for part, each in found.waves.items()}


def write_curves(path: Path, curves: Curves) -> None:
    """Write curves as CSV: seconds, currents out of columns and into sources in A, volts."""
    waves, text = curves.waves, io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(
        ["time_s", *(f"{pin}_A" for pin in curves.pins), *(f"{name}_V" for name in curves.probes)]
    )
    which = [waves.of(pin) for pin in curves.pins]
    for seconds, amps, volts in zip(waves.seconds, waves.amps, waves.probes, strict=True):
        # out of the network, as column currents are everywhere
        row = [seconds, *(-amps[which]), *(volts if curves.probes else ())]
        table.writerow([f"{value:.9g}" for value in row])
    write_text(path, text.getvalue())
