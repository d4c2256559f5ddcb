"""Renew the tables of extraction.md: `python docs/make_extraction.py [largest N] [table ...]`."""

from __future__ import annotations

import re
import resource
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from crossstack.analyse.analysis import stimulus
from crossstack.analyse.bsim import compare_bsim
from crossstack.analyse.operating import write_options
from crossstack.cells.drawing import to_layout
from crossstack.extract import extract, extract_network
from crossstack.extract.field.sections import section_table
from crossstack.extract.sheet.study import accuracy_table
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import Conditions, get_tech
from crossstack.pdk.electromigration import current_limits
from crossstack.signoff.models import foundry_models

HERE = Path(__file__).parent
PAGE = HERE / "extraction.md"
BENCH = HERE.parent / "bench" / "extract.py"
METHODS = ("square", "tesselation", "fine", "ours")
#: layouts whose transistors run as BSIM models, their conditions, and the modes
_HOT = Conditions(corner="max", temperature_c=85.0)
BSIM_LAYOUTS = (
    ("3 x 2 array", ArraySpec(rows=3, cols=2), Conditions()),
    ("3 x 2 array, max, 85 C", ArraySpec(rows=3, cols=2), _HOT),
    ("7 x 5 array", ArraySpec(rows=7, cols=5), Conditions()),
    ("7 x 5 array, max, 85 C", ArraySpec(rows=7, cols=5), _HOT),
    ("3 x 4 macro", ArraySpec(rows=3, cols=4, top="macro"), Conditions()),
)
_FAR = {"read_tier": "top", "write_column": 1}
BSIM_MODES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("read of both tiers", "expansion", {}),
    ("set, top, column 0", "deep-net", {"polarity": "set"}),
    ("reset, bottom, column 1", "deep-net", {"polarity": "reset", **_FAR}),
)


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
    for cell, top, size in bench["ARRAYS"]:
        layout = drawn(size, size, cell, top)
        flat = extract(layout, get_tech(), engine="flat")
        tile = extract(layout, get_tech(), engine="tile")
        off = np.abs(wire_loss(tile.network) / wire_loss(flat.network) - 1).max()
        yield (
            f"| {cell} {top} | {size} x {size} | {flat.report.seconds:.2f} s "
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


def capacitance() -> Iterator[str]:
    """Yield our capacitance of cross-sections against finite elements."""
    yield "| section, per um of length | finite elements | ours | difference |"
    yield "|---|---|---|---|"
    for row in section_table(get_tech()):
        field, ours = (f"{1e15 * value:.4f} fF" for value in (row.field, row.ours))
        yield f"| {row.name} | {field} | {ours} | {100 * row.error:+.1f} % |"


def transistors() -> Iterator[str]:
    """Yield the error of our resistor for a transistor against BSIM models, per mode."""
    yield "| layout | mode | columns that are read | written column | written devices |"
    yield "|---|---|---|---|---|"
    with foundry_models(get_tech()) as models:
        for name, spec, conditions in BSIM_LAYOUTS:
            tech = get_tech().at(conditions)
            network = extract_network(to_layout(build_top(spec).cell, tech), tech)
            what = stimulus(network, tech)
            for words, mode, options in BSIM_MODES:
                (way,) = write_options(tech, mode, options)
                found = compare_bsim(network, tech, what, mode, models, **way)
                errors = (found.column_error, [found.written_error], found.write_error)
                cells = (
                    f"{100 * max(e, key=abs):+.2f} %" if len(e) and not np.isnan(e[0]) else "-"
                    for e in errors
                )
                yield f"| {name} | {words} | {' | '.join(cells)} |"


def limits() -> Iterator[str]:
    """Yield current limits of one direction and both, at the manual's temperatures."""
    tech = get_tech()
    temperatures = tech.process.limits.temperatures_c
    heads = " | ".join(f"{t:g} C" for t in temperatures)
    yield f"| wire (mA/um) or cut (mA) | {heads} | source |"
    yield "|---|" + "---|" * (len(temperatures) + 1)
    pairs = [[current_limits(tech, t, bidirectional=b) for b in (False, True)]
             for t in temperatures]  # fmt: skip
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
    """Renew the tables of the page: all of them, or those that are named."""
    sizes = [int(word) for word in sys.argv[1:] if word.isdigit()]
    largest = sizes[0] if sizes else 1024
    bench = runpy.run_path(str(BENCH))
    tables: dict[str, Callable[[], Iterator[str]]] = {
        "accuracy": accuracy,
        "engines": lambda: engines(bench),
        "scaling": lambda: scaling(bench, largest),
        "transistors": transistors,
        "capacitance": capacitance,
        "limits": limits,
    }
    chosen = [word for word in sys.argv[1:] if not word.isdigit()] or list(tables)
    if unknown := set(chosen) - set(tables):
        raise SystemExit(f"no table {unknown.pop()}; there are {', '.join(tables)}")
    page = PAGE.read_text(encoding="utf-8")
    for name in chosen:
        lines = tables[name]
        page = renewed(page, name, lines())
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
