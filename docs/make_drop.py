"""Renew the tables of howto/ir_drop.md: `python docs/make_drop.py` (4 minutes, 3.7 GB)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from make_strap import renewed

from crossstack.analyse import array_drop
from crossstack.analyse.analysis import solve_modes, stimulus
from crossstack.cells import to_layout
from crossstack.config import config_of
from crossstack.console import Console
from crossstack.extract import extract
from crossstack.figures import draw
from crossstack.generators import ArraySpec, build_top
from crossstack.solve.modes.modes import EXPANSION
from crossstack.solve.study.metrics import IrDrop

PAGE = Path(__file__).parent / "howto" / "ir_drop.md"
SIZES = (16, 32, 64, 128, 256, 512, 1024)
#: R_on of every device, ohm
DEVICES = (1e4, 1e5, 1e6)
#: rows and columns of the table of means, its options, and R_on of its devices, ohm
SIZE = 128
MEANS: tuple[Mapping[str, Any], ...] = (
    {},
    {"cuts": 2},
    {"row_ends": "both"},
    {"strap": True},
    {"strap": True, "row_ends": "both"},
    {"pitch_x_um": 14},
    {"select_w_um": 8},
    {"select_w_um": 8, "select_fingers": 4},
    {"select_w_um": 8, "select_fingers": 4, "strap": True, "row_ends": "both"},
)
MEANS_DEVICES = (1e4, 1e5)


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
        found.append(entry(drop))
    print(size, found, file=sys.stderr, flush=True)
    return f"| {size} | {' | '.join(found)} |"


def entry(drop: IrDrop) -> str:
    """Return what the worst device loses in wires and altogether, and the worst column's error."""
    worst = drop.wires_only.worst_device, drop.all_series.worst_device, drop.all_series.worst_column
    return " / ".join(f"{100 * part:.3g}" for part in worst) + " %"


def mean(options: Mapping[str, Any]) -> str:
    """Draw, extract and solve an array of some options, as the command line does."""
    config = config_of({"rows": SIZE, "cols": SIZE, **options})
    tech, drawn = config.resolved_tech(), draw(config)
    network = extract(drawn.layout, tech).network
    found = []
    for ohm in MEANS_DEVICES:
        what = replace(stimulus(network, tech), conductances=network.present / ohm)
        done, _ = solve_modes(network, tech, what, Console(quiet=True), [EXPANSION])
        found.append(entry(done[EXPANSION]))
    cell = drawn.area["array_um2"] / SIZE**2
    name = ", ".join(f"`{key}: {written(value)}`" for key, value in options.items()) or "defaults"
    print(name, cell, found, file=sys.stderr, flush=True)
    return f"| {name} | {cell:.1f} | {' | '.join(found)} |"


def written(value: Any) -> str:
    """Return a value as YAML has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def means() -> Iterator[str]:
    """Yield the table of means."""
    devices = " | ".join(f"R_on = {ohm / 1e3:g} kohm" for ohm in MEANS_DEVICES)
    yield f"| options | cell, um2 | {devices} |"
    yield "|---" * (2 + len(MEANS_DEVICES)) + "|"
    yield from map(mean, MEANS)


def table() -> Iterator[str]:
    """Yield the table."""
    yield "| N | " + " | ".join(f"R_on = {ohm / 1e3:g} kohm" for ohm in DEVICES) + " |"
    yield "|---" * (1 + len(DEVICES)) + "|"
    yield from map(row, SIZES)


def main() -> None:
    """Renew the page."""
    rows, others = [*table()], [*means()]
    page = renewed(PAGE.read_text(encoding="utf-8"), iter(rows), "make_drop.py")
    PAGE.write_text(renewed(page, iter(others), "make_drop.py, means"), encoding="utf-8")


if __name__ == "__main__":
    main()
