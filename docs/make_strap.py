"""Renew the tables of howto/size.md on straps: `python docs/make_strap.py` (2 minutes)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossstack.analyse.analysis import operating_point, solve_modes, stimulus
from crossstack.analyse.electromigration import current_limits_of
from crossstack.analyse.operating import Laws, write_options
from crossstack.analyse.parts import parts_of
from crossstack.config import config_of
from crossstack.console import Console
from crossstack.extract import extract
from crossstack.figures import draw
from crossstack.solve.modes.modes import DEEP_NET, EXPANSION
from crossstack.solve.study.em import electromigration

PAGE = Path(__file__).parent / "howto" / "size.md"
#: rows and columns, and whether columns have a strap
ARRAYS = ((10, False), (10, True), (32, False), (32, True), (128, True))
#: rows above which the tile engine finds lines sooner
LARGEST_FLAT = 64
#: the metal of a strap, and the film that it relieves
STRAP, ELECTRODE = "Metal5", "ME"


@dataclass(frozen=True)
class Row:
    """One array: losses as parts, loads as parts of their limit, V.

    Attributes:
        rows: rows and columns.
        strap: whether its columns have one.
        wires, every: lost voltage of the worst device, in wires and with everything counted.
        read, write: highest load of the line that carries the column, reading and at the peak of
            a set.
        electrode: highest load of the middle electrode at that peak.
        volts: lowest voltage over a device that is set.
    """

    rows: int
    strap: bool
    wires: float
    every: float
    read: float
    write: float
    electrode: float
    volts: float


def row(size: int, strap: bool, **more: Any) -> Row:
    """Draw, extract and solve one array; its writes are linear, as a first-order theory's."""
    config = config_of({"rows": size, "cols": size, "strap": strap, **more})
    tech = config.resolved_tech()
    engine = "tile" if size > LARGEST_FLAT else "flat"
    extracted = extract(draw(config).layout, tech, engine=engine, pieces=True)
    network = extracted.network
    what, laws = stimulus(network, tech), Laws.of(tech, linear=True)
    limits = current_limits_of(tech, tech.conditions.temperature_c)
    if limits is None:
        raise SystemExit("no current limits at these conditions")

    def load(solution: Any) -> dict[str, float]:
        most: dict[str, float] = {}
        for part in parts_of(network, extracted.wires):
            found = electromigration(
                part.network, [part.passing(solution)],
                wire_limits=limits.wire_a_per_um, cut_limits=limits.cut_a,
            ).by_layer  # fmt: skip
            most |= {layer: max(ratio, most.get(layer, 0.0)) for layer, ratio in found.items()}
        return most

    read = solve_modes(network, tech, what, Console(quiet=True), [EXPANSION], laws)[0][EXPANSION]
    peak, volts = {STRAP: 0.0, ELECTRODE: 0.0}, []
    for column in (0, size - 1):
        asked = {"polarity": "set", "write_column": column}
        (way,) = write_options(tech, DEEP_NET, asked)
        written = operating_point(network, tech, what, DEEP_NET, laws, **way)
        found = load(written.solution)
        peak = {layer: max(peak[layer], found[layer]) for layer in peak}
        volts.append(written.write.lowest_voltage)
    line = STRAP if strap else ELECTRODE
    return Row(
        size, strap, read.wires_only.worst_device, read.all_series.worst_device,
        load(read.solution)[line], peak[line], peak[ELECTRODE], min(volts),
    )  # fmt: skip


def table(rows: Iterator[Row]) -> Iterator[str]:
    """Yield the table."""
    yield "| N | column | worst device, wires / everything | read | write, peak | its ME | write |"
    yield "|---|---|---|---|---|---|---|"
    for r in rows:
        print(r, file=sys.stderr, flush=True)
        name = f"{STRAP} strap" if r.strap else f"{ELECTRODE}, 1 um"
        yield (
            f"| {r.rows} | {name} | {100 * r.wires:.2f} / {100 * r.every:.1f} % "
            f"| {100 * r.read:.0f} % | {100 * r.write:.0f} % | {100 * r.electrode:.0f} % "
            f"| {r.volts:.2f} V |"
        )


def models(rows: list[Row]) -> Iterator[str]:
    """Yield what hand models say of strapped arrays, beside what was extracted."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))
    from strap_model import DRAWN, LUMPED, MODEL, PARALLEL, SHARE, found

    yield "| N | column | worst device, wires / everything | read | write, peak |"
    yield "|---|---|---|---|---|"
    for r in rows:
        table = MODEL[r.rows, True, None]

        def line(what: str, wires: float, every: float, read: float, write: float,
                 n: int = r.rows) -> str:  # fmt: skip
            loads = f"{100 * read:.1f} % | {100 * write:.1f} %"
            return f"| {n} | {what} | {100 * wires:.2f} / {100 * every:.1f} % | {loads} |"

        yield line("the independent table", *table[:4])
        one, both, ladder = (found(r.rows, c, table[4]) for c in (LUMPED, PARALLEL, DRAWN))
        yield line("its losses: strap alone", one.wires, one.every, one.read, one.write)
        beside = SHARE * both.read, SHARE * both.write
        yield line("its loads: ME takes its part", both.wires, both.every, *beside)
        yield line("ladder as drawn", ladder.wires, ladder.every, ladder.read, ladder.write)
        yield line("extracted", r.wires, r.every, r.read, r.write)


def renewed(page: str, lines: Iterator[str], script: str) -> str:
    """Return the page with a script's table made anew."""
    begin, end = f"<!-- by docs/{script} -->\n", "\n<!-- end -->"
    text = "\n".join(lines)
    found, count = re.subn(
        re.escape(begin) + ".*?" + re.escape(end), lambda _: begin + text + end, page, flags=re.S
    )
    if count != 1:
        raise SystemExit(f"the page holds {count} places for the table of {script}, allowed: 1")
    return found


def main() -> None:
    """Renew the page."""
    rows = [row(size, strap) for size, strap in ARRAYS]
    page = renewed(PAGE.read_text(encoding="utf-8"), table(iter(rows)), Path(__file__).name)
    page = renewed(page, models([r for r in rows if r.strap]), f"{Path(__file__).name}, models")
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
