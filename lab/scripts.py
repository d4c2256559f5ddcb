"""The measurement script of every monitor of wires, and where its pads are on a chip."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import klayout.db as db

from ..base.layout import ONE_TOP, open_layout
from ..cells.pads import probe_pad_side
from ..cells.parameters import ELECTRODES
from ..cells.rules import RuleBook
from ..pdk import Tech
from ..pdk.conditions import REFERENCE_C
from .instrument import Instrument, Pads, draw
from .readings import Reading

#: kind of monitor -> current in A, and (force, sense) pads of every step. The current heats no
#: line: the narrowest, a line of width F, carries 0.1 mA.
STEPS: dict[str, tuple[float, tuple[tuple[Pads, Pads], ...]]] = {
    # neighbours around the cross: west, south, east, north are pads 1, 2, 4, 3
    "van_der_pauw": (1e-3, (((1, 2), (3, 4)), ((2, 4), (1, 3)))),
    "kelvin": (1e-4, (((1, 4), (2, 3)),)),
    "via_chain": (1e-4, (((1, 4), (2, 3)),)),
}
#: readings of each direction of the current: offsets cancel, noise falls by their square root
REPEATS = 16


def names() -> Iterator[str]:
    """Yield the names of all monitors that there is a script for."""
    for kind in STEPS:
        for electrode in ELECTRODES:
            yield f"{kind}_{electrode.lower()}"


def measure(
    instrument: Instrument,
    repeats: int = REPEATS,
    temperature_c: float = REFERENCE_C,
    progress: Callable[[str, int, int], None] | None = None,
    profile: str = "",
) -> list[Reading]:
    """Run every script; returns the readings in the order taken.

    Args:
        instrument: what is connected to the probe card.
        repeats: readings of each step and direction of the current.
        temperature_c: of the chuck.
        progress: called with (monitor, done, total).
        profile: that the monitors were drawn in, for the readings to say.
    """
    readings = []
    all_names = list(names())
    for done, monitor in enumerate(all_names):
        if progress:
            progress(monitor, done, len(all_names))
        current, steps = STEPS[monitor.rpartition("_")[0]]
        for force, sense in steps:
            for k in range(2 * repeats):
                i = current if k % 2 == 0 else -current
                volts = instrument.voltage(monitor, force, sense, i)
                pads = *force, *sense
                taken = Reading(monitor, *pads, i, float(volts), temperature_c, profile)
                readings.append(taken)
    return readings


def probe_plan(layout: Path, tech: Tech) -> list[dict[str, Any]]:
    """Return where the probe card goes: a row for each step of each monitor in a layout.

    Args:
        layout: GDS or OASIS file with monitors, as a test chip has them.
        tech: its process.

    Raises:
        FileError: if the layout cannot be read.
        NoRuleError: for a monitor in a process without rules of pads.
    """
    opened = open_layout(layout, tech.drawing, several=ONE_TOP)
    found = []
    for name in names():
        cell = opened.layout.cell(name)
        if cell is None:
            continue
        # only now: a process without pads has layouts, too, and no monitor in them
        middle = probe_pad_side(RuleBook(tech)) // 2
        pads = [port.x for port in draw(name, tech).ports]
        kind = name.rpartition("_")[0]
        for trans in _places(opened.top, cell):
            at = [trans * db.Point(x, middle) for x in pads]
            for number, (force, sense) in enumerate(STEPS[kind][1], 1):
                row: dict[str, Any] = {"monitor": name, "step": number}
                row |= {"force_in": force[0], "force_out": force[1]}
                row |= {"sense_high": sense[0], "sense_low": sense[1]}
                row |= {"current_a": STEPS[kind][0]}
                for k, p in enumerate(at, 1):
                    row |= {f"pad{k}_x_um": round(p.x * tech.dbu_um, 3)}
                    row |= {f"pad{k}_y_um": round(p.y * tech.dbu_um, 3)}
                found.append(row)
    return found


def plan_csv(rows: list[dict[str, Any]]) -> str:
    """Return a probe plan as CSV; nothing for one without a step."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()


def _places(top: db.Cell, cell: db.Cell) -> Iterator[db.ICplxTrans]:
    """Yield how a cell lies in the top cell, wherever it is placed."""
    if top.cell_index() == cell.cell_index():
        yield db.ICplxTrans()
    instances = top.begin_instances_rec()
    instances.targets = [cell.cell_index()]
    while not instances.at_end():
        yield instances.trans() * instances.inst_trans()
        instances.next()
