"""Renew the tables of extraction.md: `python docs/make_extraction.py [largest N]`."""

from __future__ import annotations

import re
import resource
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from crossstack.extract import extract
from crossstack.extract.study import accuracy_table
from crossstack.pdk import get_tech
from crossstack.pdk.electromigration import TEMPERATURES_C, current_limits

HERE = Path(__file__).parent
PAGE = HERE / "extraction.md"
BENCH = HERE.parent / "bench" / "extract.py"
METHODS = ("square", "tesselation", "fine", "ours")
ARRAYS = (("hybrid", 8), ("hybrid", 32), ("planar", 16), ("passive", 32))


def accuracy() -> Iterator[str]:
    """Yield the accuracy table: squares between two ports, and the error of each method."""
    yield "| pattern | hand | field | square counting | tesselation | the same, fine | ours |"
    yield "|---|---|---|---|---|---|---|"
    for row in accuracy_table():
        hand = "-" if row.hand is None else f"{row.hand:.4f}"
        cells = (f"{getattr(row, m):.4f} ({100 * row.error(m):+.2f} %)" for m in METHODS)
        yield f"| {row.name} | {hand} | {row.field:.4f} | {' | '.join(cells)} |"


def engines(bench: dict[str, Any]) -> Iterator[str]:
    """Yield tile against flat engine."""
    drawn, wire_loss = bench["drawn"], bench["wire_loss"]
    yield "| cell | size | flat | tile | largest difference in a column's wire loss |"
    yield "|---|---|---|---|---|"
    for cell, size in ARRAYS:
        layout = drawn(size, size, cell)
        flat = extract(layout, get_tech(), engine="flat")
        tile = extract(layout, get_tech(), engine="tile")
        off = np.abs(wire_loss(tile.network) / wire_loss(flat.network) - 1).max()
        yield (
            f"| {cell} | {size} x {size} | {flat.report.seconds:.2f} s "
            f"| {tile.report.seconds:.2f} s | {100 * off:.1g} % |"
        )


def scaling(bench: dict[str, Any], largest: int) -> Iterator[str]:
    """Yield the run time of the tile engine over the size of the array."""
    yield "| N | seconds | arrays | peak memory |"
    yield "|---|---|---|---|"
    sizes = [n for n in bench["SIZES"] if n <= largest]
    seconds = []
    for size in sizes:
        array, took = bench["tiled"](size)
        seconds.append(took)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        yield f"| {size} | {took:.2f} | {array.nbytes / 1e6:.1f} MB | {peak:.0f} MB |"
    if len(sizes) > 1:
        exponent = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
        yield f"\nOver these sizes the time grows as N^{exponent:.2f}."


def limits() -> Iterator[str]:
    """Yield current limits of one direction and both, at the manual's temperatures."""
    heads = " | ".join(f"{t:g} C" for t in TEMPERATURES_C)
    yield f"| wire (mA/um) or cut (mA) | {heads} | source |"
    yield "|---|" + "---|" * (len(TEMPERATURES_C) + 1)
    tech = get_tech()
    pairs = [[current_limits(tech, t, bidirectional=b) for b in (False, True)]
             for t in TEMPERATURES_C]  # fmt: skip
    first = pairs[0][0]
    for field in ("wire_a_per_um", "cut_a"):
        for name in getattr(first, field):
            values = (
                " / ".join(f"{1e3 * getattr(one, field)[name]:.3g}" for one in pair)
                for pair in pairs
            )
            yield f"| {name} | {' | '.join(values)} | {first.sources[name]} |"


def renewed(page: str, name: str, lines: Iterator[str]) -> str:
    """Return the page with the lines between its two marks of that name."""
    start, end = f"<!-- {name}: by docs/make_extraction.py -->", f"<!-- end of {name} -->"
    text = "\n".join(lines)
    pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(page):
        raise SystemExit(f"extraction.md has no marks for {name}")
    return pattern.sub(lambda _: f"{start}\n{text}\n{end}", page)


def main() -> None:
    """Renew every table of the page."""
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    bench = runpy.run_path(str(BENCH))
    tables: dict[str, Callable[[], Iterator[str]]] = {
        "accuracy": accuracy,
        "engines": lambda: engines(bench),
        "scaling": lambda: scaling(bench, largest),
        "limits": limits,
    }
    page = PAGE.read_text(encoding="utf-8")
    for name, lines in tables.items():
        page = renewed(page, name, lines())
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
