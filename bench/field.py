"""Capacitance against three-dimensional finite elements, and against what others publish.

python bench/field.py [--only PATTERN] [--fresh]

Prints shape x {oracle, ours, formula, Magic, klayout-pex} and the rows that fail: a self
capacitance must be within 5 %, a coupling above 5 % of a self within 10 %, and both closer than
the others. Exit code 1 if any fails, 3 if the oracle has not solved a shape.

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
from field_oracle.drawn import Shape
from field_oracle.shapes import shapes
from field_oracle.table import Row, markdown, published, rows, summary

from crossstack.extract.field.capacitance import net_capacitance
from crossstack.extract.field.maxwell import maxwell
from crossstack.pdk import Tech, get_tech

DONE, FAILED, NOT_COMPLETE = 0, 1, 3


def chosen(tech: Tech, pattern: str = "*") -> list[Shape]:
    return [shape for shape in shapes(tech) if fnmatch.fnmatch(shape.name, pattern)]


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


def compared(shape: Shape, tech: Tech, *, engine: bool = True) -> Iterator[Row]:
    """Yield the rows of a shape that the oracle has solved."""
    stored, public = store.read()[shape.name], published()
    by_formula = net_capacitance(shape.layout(tech), tech)
    scene = shape.scene(tech)
    nets, ours = maxwell(scene) if engine else ((), np.zeros((0, 0)))
    for row in rows(shape.name, stored.nets, shape.copies * stored.matrix):
        row.found.update(public.get((row.shape, row.net, row.other), {}))
        one = by_formula.get(row.net)
        if one is not None:
            row.found["formula"] = one.coupling_f.get(row.other, 0.0) if row.other else (
                one.total_f - one.gate_f
            )  # fmt: skip
        if engine:
            k, m = nets.index(row.net), nets.index(row.other or row.net)
            row.found["ours"] = shape.copies * abs(float(ours[k, m]))
        yield row


def whole_table(some: list[Shape], tech: Tech, log: Callable[[str], object]) -> list[Row]:
    """Return the rows of shapes; one that is not solved is an error."""
    if unsolved := missing(some, tech):
        raise LookupError(f"the oracle has not solved {', '.join(s.name for s in unsolved)}")
    found: list[Row] = []
    for shape in some:
        start = time.perf_counter()
        found += compared(shape, tech)
        log(f"{shape.name}: {time.perf_counter() - start:.1f} s")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="*", metavar="PATTERN", help="shapes by name")
    parser.add_argument("--fresh", action="store_true", help="solve all of them anew")
    parser.add_argument("--oracle", action="store_true", help="solve what is missing, no table")
    arguments = parser.parse_args()
    tech = get_tech()
    some = chosen(tech, arguments.only)
    if not some:
        names = ", ".join(s.name for s in shapes(tech))
        parser.error(f"--only {arguments.only}: no such shape; there are {names}")

    def log(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    wanted = some if arguments.fresh else missing(some, tech)
    if wanted and find_spec("ngsolve"):
        solve_missing(wanted, tech, log)
    if arguments.oracle:
        return NOT_COMPLETE if missing(some, tech) else DONE
    try:
        table = whole_table(some, tech, log)
    except LookupError as error:
        log(f"{error}; pip install 'crossstack[field]'")
        return NOT_COMPLETE
    print("\n".join([*markdown(table), "", *summary(table)]))
    return FAILED if any(row.faults() for row in table) else DONE


if __name__ == "__main__":
    sys.exit(main())
