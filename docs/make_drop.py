"""Renew the table of howto/ir_drop.md: `python docs/make_drop.py` (minutes, 1.2 GB)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from make_strap import renewed

from crossstack.analyse import array_drop
from crossstack.cells import to_layout
from crossstack.extract import extract
from crossstack.generators import ArraySpec, build_top
from crossstack.solve.modes.modes import EXPANSION

PAGE = Path(__file__).parent / "howto" / "ir_drop.md"
SIZES = (16, 32, 64, 128, 256, 512, 1024)
#: R_on of every device, ohm
DEVICES = (1e4, 1e5, 1e6)


def row(size: int) -> str:
    """Draw and extract an array of default options, solve it for each device; returns its row."""
    spec = ArraySpec(size, size)
    tech = spec.tech()
    wires = extract(to_layout(build_top(spec).cell, tech), tech, engine="tile").array
    assert wires is not None, "an array of default options repeats one cell"
    volts = np.full(wires.shape[:2], tech.memristor.v_read_v)
    found = []
    for ohm in DEVICES:
        # as `crossstack solve` does it: every transistor at the voltages at which it works
        drop = array_drop(wires, tech, np.full(wires.shape, 1.0 / ohm), volts, EXPANSION)
        worst = (drop.wires_only.worst_device, drop.all_series.worst_device)
        column = drop.all_series.worst_column
        found.append(" / ".join(f"{100 * part:.3g}" for part in (*worst, column)) + " %")
    print(size, found, file=sys.stderr, flush=True)
    return f"| {size} | {' | '.join(found)} |"


def table() -> Iterator[str]:
    """Yield the table."""
    yield "| N | " + " | ".join(f"R_on = {ohm / 1e3:g} kohm" for ohm in DEVICES) + " |"
    yield "|---" * (1 + len(DEVICES)) + "|"
    yield from map(row, SIZES)


def main() -> None:
    """Renew the page."""
    rows = [*table()]
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(renewed(page, iter(rows), "make_drop.py"), encoding="utf-8")


if __name__ == "__main__":
    main()
