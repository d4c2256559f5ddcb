"""Capacitance against three-dimensional finite elements, and against what others publish.

python bench/field.py [--only PATTERN] [--no-tiles] [--fresh] [--oracle]

Prints shape x {oracle, ours, formula, Magic, klayout-pex} and the rows that fail: a self
capacitance must be within 5 %, a coupling above 5 % of a self within 10 %, and both closer than
the others. Ours is the engine on the scene that the oracle solved, and, with tiles, the layout of
it extracted. Exit code 1 if any fails, 3 if the oracle has not solved a shape or cannot.

The oracle is NGSolve (`pip install 'crossstack[field]'`). Its answers are stored in
bench/field_oracle/answers.json by what was solved; those of shapes that are new or have changed
are solved anew where NGSolve is installed, with --fresh all of them.
"""

from __future__ import annotations

import argparse
import fnmatch
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec

import numpy as np
from field_oracle import store
from field_oracle.cells import cells
from field_oracle.drawn import Shape
from field_oracle.shapes import shapes
from field_oracle.table import Row, markdown, published, rows, summary

from crossstack.extract.field.capacitance import net_capacitance
from crossstack.extract.field.maxwell import maxwell
from crossstack.pdk import Tech, get_tech

DONE, FAILED, NOT_COMPLETE = 0, 1, 3


def chosen(tech: Tech, pattern: str = "*") -> list[Shape]:
    return [s for s in everything(tech) if fnmatch.fnmatch(s.name, pattern)]


def everything(tech: Tech) -> list[Shape]:
    return [*shapes(tech), *cells(tech)]


def missing(some: Iterable[Shape], tech: Tech) -> list[Shape]:
    """Return shapes without an answer to what they are now."""
    stored = store.read()
    return [
        s
        for s in some
        if s.name not in stored or stored[s.name].scene != store.fingerprint(s.scene(tech))
    ]


def solve_missing(some: list[Shape], tech: Tech, log: Callable[[str], object]) -> None:
    """Solve shapes by the oracle, one by one, each stored at once."""
    from field_oracle import oracle

    for k, shape in enumerate(some):
        scene = shape.scene(tech)
        log(f"{k + 1} of {len(some)}: {shape.name}, {len(scene.nets)} nets")
        try:
            answer = oracle.solve(scene, log=log)
        except Exception as error:  # the others can still be solved; this one stays missing
            log(f"{shape.name}: {type(error).__name__}: {error}")
            continue
        stored = store.read()
        stored[shape.name] = store.Stored(
            shape.name, store.fingerprint(scene), answer.nets, answer.matrix, oracle.ORDER,
            answer.unknowns, answer.difference, answer.asymmetry, answer.seconds, answer.version,
        )  # fmt: skip
        store.write(stored)


def compared(shape: Shape, tech: Tech, *, tiles: bool) -> Iterator[Row]:
    """Yield the rows of a shape that the oracle has solved."""
    stored, public = store.read()[shape.name], published()
    nets, matrix = maxwell(shape.scene(tech))
    ours = shape.copies * np.abs(matrix)
    extracted = {}
    if shape.parts:
        layout = shape.layout(tech)
        extracted["formula"] = net_capacitance(layout, tech, engine="formula")
        if tiles:
            extracted["tiles"] = net_capacitance(layout, tech, engine="field")
    for row in rows(shape.name, stored.nets, shape.copies * stored.matrix):
        row.found["ours"] = float(ours[nets.index(row.net), nets.index(row.other or row.net)])
        for way, found in extracted.items():
            one = found[row.net]
            own = one.total_f - one.gate_f
            row.found[way] = one.coupling_f.get(row.other, 0.0) if row.other else own
        row.found.update(public.get((row.shape, row.net, row.other), {}))
        yield row


def whole_table(
    some: list[Shape], tech: Tech, log: Callable[[str], object], *, tiles: bool = True
) -> list[Row]:
    """Return the rows of the shapes that the oracle has solved."""
    found: list[Row] = []
    unsolved = {s.name for s in missing(some, tech)}
    for shape in some:
        if shape.name in unsolved:
            continue
        start = time.perf_counter()
        found += compared(shape, tech, tiles=tiles)
        log(f"{shape.name}: {time.perf_counter() - start:.1f} s")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="*", metavar="PATTERN", help="shapes by name")
    parser.add_argument("--fresh", action="store_true", help="solve all of them anew")
    parser.add_argument(
        "--tiles", action=argparse.BooleanOptionalAction, default=True, help="extract layouts, too"
    )
    parser.add_argument("--oracle", action="store_true", help="solve what is missing, no table")
    arguments = parser.parse_args()
    tech = get_tech()
    some = chosen(tech, arguments.only)
    if not some:
        names = ", ".join(s.name for s in everything(tech))
        parser.error(f"--only {arguments.only}: no such shape; there are {names}")

    def log(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    wanted = some if arguments.fresh else missing(some, tech)
    if wanted and find_spec("ngsolve"):
        solve_missing(wanted, tech, log)
    if arguments.oracle:
        return NOT_COMPLETE if missing(some, tech) else DONE
    table = whole_table(some, tech, log, tiles=arguments.tiles)
    print("\n".join([*markdown(table), "", *summary(table)]))
    if unsolved := missing(some, tech):
        print(f"not solved: {', '.join(s.name for s in unsolved)}")
        if not find_spec("ngsolve"):
            print("NGSolve is not installed (pip install 'crossstack[field]')")
        return NOT_COMPLETE
    ways = ("ours", "tiles") if arguments.tiles else ("ours",)
    failed = any(row.faults(way) for row in table for way in ways if way in row.found)
    return FAILED if failed else DONE


if __name__ == "__main__":
    sys.exit(main())
