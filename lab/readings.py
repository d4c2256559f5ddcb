"""Readings of an instrument as a CSV file, one line a reading."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from ..base.decimals import decimal, whole_decimal
from ..base.errors import FileError
from ..base.inputs import read_text
from ..base.outputs import write_text
from ..pdk.ranges import TEMPERATURE_C

#: most readings that a file may hold
MOST = 100_000
MOST_BYTES = 16_000_000


@dataclass(frozen=True)
class Reading:
    """One voltage at one current.

    Attributes:
        monitor: name of the monitor's cell.
        force_in, force_out: pads that the current enters and leaves by, 1 to 4.
        sense_high, sense_low: pads between which the voltage was measured.
        current_a: current in A.
        voltage_v: voltage in V.
        temperature_c: of the chuck, degree C.
        profile: post-process profile that the monitors were drawn in; empty where nobody says.
    """

    monitor: str
    force_in: int
    force_out: int
    sense_high: int
    sense_low: int
    current_a: float
    voltage_v: float
    temperature_c: float
    profile: str = ""

    def __post_init__(self) -> None:
        """Refuse what no instrument can have read.

        Raises:
            ValueError: with the reason.
        """
        pads = (self.force_in, self.force_out, self.sense_high, self.sense_low)
        if sorted(pads) != [1, 2, 3, 4]:
            raise ValueError(f"pads {pads} are not each of 1 to 4 once")
        if not math.isfinite(self.current_a) or not 1e-12 <= abs(self.current_a) <= 1.0:
            raise ValueError(f"current_a = {self.current_a:g} is not within 1e-12 .. 1 A")
        if not math.isfinite(self.voltage_v) or abs(self.voltage_v) > 100.0:
            raise ValueError(f"voltage_v = {self.voltage_v:g} is not within -100 .. 100 V")
        if self.temperature_c not in TEMPERATURE_C:
            told = f"temperature_c = {self.temperature_c:g} is not within {TEMPERATURE_C}"
            raise ValueError(told)


COLUMNS = tuple(field.name for field in fields(Reading))
#: of files that say no profile, as all did until there was that column
_WITHOUT_PROFILE = COLUMNS[:-1]
#: how the numbers of a row are read: four pads; current, voltage and temperature
_READ: tuple[Callable[[str], float], ...] = (*[whole_decimal] * 4, *[decimal] * 3)


def write_readings(path: Path, readings: list[Reading]) -> None:
    """Write readings as CSV, in one step.

    Raises:
        FileError: if the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(astuple(reading) for reading in readings)
    write_text(path, text.getvalue())


def read_readings(path: Path) -> list[Reading]:
    """Read readings from CSV.

    Raises:
        FileError: names the line of a file that does not hold readings.
    """
    rows = csv.reader(io.StringIO(read_text(path, MOST_BYTES)))
    found = []
    try:
        columns = tuple(next(rows, ()))
        if columns not in (COLUMNS, _WITHOUT_PROFILE):
            raise FileError(f"{path}: line 1 is not {','.join(COLUMNS)}")
        for row in rows:
            if len(row) != len(columns):
                raise ValueError(f"{len(row)} values, not {len(columns)}")
            found.append(_reading(row))
            if len(found) > MOST:
                raise FileError(f"{path} has more than {MOST} readings")
    except (ValueError, csv.Error) as error:  # csv: a value that does not end
        raise FileError(f"{path}: line {rows.line_num}: {error}") from None
    if not found:
        raise FileError(f"{path} holds no reading")
    return found


def _reading(row: list[str]) -> Reading:
    """Return the reading of a row.

    Raises:
        ValueError: naming the column of what is no number, or the value that cannot be.
    """
    values: list[Any] = []
    for column, read, text in zip(COLUMNS[1:8], _READ, row[1:8], strict=True):
        try:
            values.append(read(text))
        except ValueError as error:
            raise ValueError(f"{column}: {error}") from None
    a, b, high, low, current, volts, temperature = values
    return Reading(row[0], a, b, high, low, current, volts, temperature, "".join(row[8:]))
