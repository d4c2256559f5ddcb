"""Off currents of transistors over corner and temperature, where a process has them measured."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from .conditions import CORNERS
from .ranges import LEAKAGE_A_PER_UM, TEMPERATURE_C
from .tables import ProcessError, read_csv, table_of

if TYPE_CHECKING:
    from .devices import TransistorParameters
    from .tech import Tech

FILE, _COLUMNS = "leakage.csv", ("name", "corner", "temperature_c", "a_per_um", "source")
#: what stands for 0 where logarithms are taken, A/um: far below what anybody can measure
_LEAST_A_PER_UM = 1e-18
#: corner -> temperature, C -> A/um
Curves = dict[str, dict[float, float]]


def measured_off(tech: Tech, model: TransistorParameters) -> float | None:
    """Return the off current of a transistor at the conditions of a technology, A/um.

    Its logarithm is taken as straight between the temperatures of the table, and its ends hold.
    None for a process without a table, whose one figure is the typical `ioff_a_per_um`.

    Raises:
        ProcessError: for a table that lacks a corner of the transistor, or holds what is no value.
    """
    path = tech.process.folder / FILE
    if not table_of(path).is_file():
        return None
    at = tech.conditions
    curve = read_leakage(path, (model.name,))[model.name][at.corner]
    points = sorted(curve.items())
    for (cold, low), (hot, high) in pairwise(points):
        if cold <= at.temperature_c <= hot:
            share = (at.temperature_c - cold) / (hot - cold)
            logs = [math.log(max(amps, _LEAST_A_PER_UM)) for amps in (low, high)]
            return math.exp(logs[0] + share * (logs[1] - logs[0]))
    return points[0][1] if at.temperature_c < points[0][0] else points[-1][1]


def read_leakage(path: Path, names: tuple[str, ...]) -> dict[str, Curves]:
    """Return transistor -> its curves, as a table states them; raises as `measured_off`."""
    found: dict[str, Curves] = {}
    for row in read_csv(path, _COLUMNS):
        name, corner = row.text("name"), row.text("corner")
        degrees = row.number("temperature_c", TEMPERATURE_C)
        row.text("source")
        if corner not in CORNERS:
            raise row.wrong(f"corner = {corner!r}, allowed: {', '.join(CORNERS)}")
        curve = found.setdefault(name, {}).setdefault(corner, {})
        if degrees in curve:
            raise row.wrong(f"{name} at {corner} and {degrees:g} C stands twice")
        curve[degrees] = row.number("a_per_um", LEAKAGE_A_PER_UM)
    if missing := [(n, c) for n in names for c in CORNERS if c not in found.get(n, {})]:
        raise ProcessError(str(path), (f"no row for {' at '.join(missing[0])}",))
    return found
