"""Renew the table of howto/ir_drop.md: `python docs/make_drop.py` (minutes, 6 GB)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from make_strap import renewed

from crossstack.cells import to_layout
from crossstack.extract import extract
from crossstack.generators import ArraySpec, build_top
from crossstack.solve import solve_crossbar

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
    # one width everywhere; at the small voltages of a read
    on = tech.nfet.ron_ohm(float(wires.switch_w_um.flat[0]))
    found = []
    for ohm in DEVICES:
        siemens = np.full(wires.shape, 1.0 / ohm)
        worst = []
        for counted in (None, lambda width, _: np.full(width.shape, on)):
            series = wires.series_ohm(counted)
            solved = solve_crossbar(
                voltages=np.ones(wires.shape[:2]), tol=1e-10,
                **wires.crossbar_arguments(siemens, series),
            )  # fmt: skip
            over = solved.device_voltages / (1.0 + series * siemens)
            worst.append(100 * (1.0 - over.min()))
        column = 100 * (1.0 - solved.column_currents.min() / (2 * size / ohm))
        found.append(f"{worst[0]:.3g} / {worst[1]:.3g} / {column:.3g} %")
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
