"""The IR-drop solver against nodal analysis in 90-digit arithmetic, on random small circuits.

    python bench/exact.py                 300 cases, a minute or two
    python bench/exact.py 1000 --seed 7   other cases

Every case is a small crossbar or network with conductances over a realistic or an absurd span,
with opens, shorts, floating rows, missing devices and drives of several orders. Each way of
solving it must give results within its tolerance of the exact ones, or refuse with an error;
anything else is WRONG, is printed with the seed that repeats it, and makes the exit code 1.
Errors are those of each vector of currents (columns, rows, devices) relative to its largest entry,
and those of node voltages relative to the largest source. The reference shares nothing with the
solver: it eliminates the nodes one by one with mpmath.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from crossstack.base.errors import CrossStackError
from crossstack.solve import (
    NetworkSolver,
    effective_matrix,
    solve_crossbar,
    solve_network,
    solve_network_nonlinear,
)
from crossstack.solve.study.transfer_matrix import port_matrix

sys.path.insert(0, str(Path(__file__).parent))
from exact_cases import Crossbar, Net, mp

TOL = 1e-9
# TOL of this is what `NetworkSolution` promises of device currents beside far larger ones.
DEAD = 1e-15
ROUNDING = mp.mpf(10) ** -60


@dataclass
class Verdict:
    """What became of one way of solving."""

    counts: Counter[str] = field(default_factory=Counter)
    worst: float = 0.0
    where: str = "-"


def error_of(got: Any, want: list[Any], floor: float = 0.0) -> float:
    """Largest difference relative to the largest exact value; nan where anything is not finite."""
    found = np.asarray(got, dtype=float).reshape(-1)
    want = [w if abs(w) > ROUNDING else mp.mpf(0) for w in want]  # of the reference itself
    if not np.isfinite(found).all():
        return float("nan")
    scale = max((abs(w) for w in want), default=mp.mpf(0))
    scale = max(scale, mp.mpf(floor))
    worst = max((abs(mp.mpf(float(g)) - w) for g, w in zip(found, want, strict=True)), default=0)
    if scale == 0:
        return float(worst != 0)
    return float(worst / scale)


def judged(got: Any, want: dict[str, list[Any]], pick: Any = slice(None)) -> float:
    """Worst error of a crossbar solution's vectors."""
    shorted = np.isnan(got.device_currents[pick]) & np.isinf(got._lines.G)
    volts = np.concatenate(
        [got.row_voltages[pick].reshape(-1), got.column_voltages[pick].reshape(-1)]
    )
    errors = [
        error_of(got.column_currents[pick], want["columns"]),
        error_of(got.row_currents[pick], want["rows"]),
        error_of(np.where(shorted, 0.0, got.device_currents[pick]), want["devices"]),
        error_of(volts, want["volts"], floor=float(np.abs(got._sources[pick]).max())),
    ]
    return float("nan") if np.isnan(errors).any() else max(errors)


def crossbar_ways(
    case: Crossbar, rng: np.random.Generator
) -> Iterator[tuple[str, Callable[[], float]]]:
    """Name and judgement of every way to solve a crossbar."""
    want = case.exact()

    def one(**options: Any) -> Callable[[], float]:
        return lambda: judged(
            solve_crossbar(voltages=case.v, tol=TOL, **case.arguments, **options), want
        )

    yield "crossbar auto", one()
    yield "crossbar direct", one(method="direct")
    yield "crossbar line-pcg numba", one(method="line-pcg", engine="numba")
    yield "crossbar line-pcg numpy", one(method="line-pcg", engine="numpy")
    yield "crossbar multigrid", one(method="multigrid")
    yield "crossbar auto numpy", one(engine="numpy")
    scales = 10.0 ** rng.uniform(-6, 6, 5)
    batch = case.v[None] * scales[:, None, None]

    def many(**options: Any) -> Callable[[], float]:
        def run() -> float:
            got = solve_crossbar(voltages=batch, tol=TOL, **case.arguments, **options)
            scaled = (
                {k: [w * mp.mpf(float(s)) for w in x] for k, x in want.items()} for s in scales
            )
            errors = [judged(got, w, b) for b, w in enumerate(scaled)]
            return float("nan") if np.isnan(errors).any() else max(errors)

        return run

    yield "batch auto", many()
    yield "batch line-pcg numba", many(method="line-pcg", engine="numba")

    def currents_only() -> float:
        got = solve_crossbar(voltages=case.v, keep_voltages=False, **case.arguments)
        return max(
            error_of(got.column_currents, want["columns"]), error_of(got.row_currents, want["rows"])
        )

    yield "crossbar, no voltages", currents_only
    if np.isfinite(case.v).all():

        def matrix() -> float:
            M = effective_matrix(**case.arguments)
            unit = Crossbar(case.arguments, np.zeros_like(case.v))
            place = int(rng.integers(case.v.size))
            unit.v.flat[place] = 1.0
            exact = unit.exact()["columns"]
            largest = float(np.abs(M).max())
            return error_of(M[:, place], exact, floor=largest)

        yield "effective_matrix", matrix


def network_ways(case: Net, rng: np.random.Generator) -> Iterator[tuple[str, Callable[[], float]]]:
    """Name and judgement of every way to solve a network."""
    want = case.exact()
    largest = float(max((abs(x) for x in [*want["all"], *want["ports"]]), default=0))
    quiet = DEAD * largest
    source = max(abs(v) for v in case.volts.values())
    common = {"conductances": case.G, "port_ohm": case.port_ohm}

    def judge(got: Any) -> float:
        ideal = case.network.resistor_ohm == 0
        wires = np.where(ideal & np.isnan(got.resistor_currents), 0.0, got.resistor_currents)
        errors = [
            error_of(list(got.port_currents.values()), want["ports"], floor=0.0),
            error_of(got.device_currents, want["devices"], floor=quiet),
            error_of(wires, want["wires"], floor=largest),
            error_of(got.node_voltages, want["volts"], floor=source),
        ]
        return float("nan") if np.isnan(errors).any() else max(errors)

    for method in ("auto", "direct", "crossbar"):
        yield (
            f"network {method}",
            lambda method=method: judge(
                solve_network(case.network, port_voltages=case.volts, method=method, **common)
            ),
        )
    yield (
        "network nonlinear, linear law",
        lambda: judge(solve_network_nonlinear(case.network, port_voltages=case.volts, **common)),
    )

    def again() -> float:
        solver = NetworkSolver(case.network, driven=case.volts, **common)
        solver.solve({name: -v for name, v in case.volts.items()})
        return judge(solver.solve(case.volts))

    yield "NetworkSolver twice", again
    if len(case.volts) > 1:

        def matrix() -> float:
            names = list(case.volts)
            solver = NetworkSolver(case.network, driven=names, **common)
            found = port_matrix(solver, names[:1], names[1:])
            unit = Net(**{**vars(case), "volts": dict.fromkeys(names, 0.0) | {names[0]: 1.0}})
            return error_of(found.matrix[:, 0], [-x for x in unit.exact()["ports"][1:]])

        yield "port_matrix", matrix


# ---------------------------------------------------------------------------------- running


def run_case(number: int, seed: int, verdicts: dict[str, Verdict]) -> None:
    """Solve one case in every way."""
    rng = np.random.default_rng([seed, number])
    if number % 3 < 2:
        ways = crossbar_ways(Crossbar.random(rng), rng)
    else:
        ways = network_ways(Net.random(rng), rng)
    for name, way in ways:
        verdict = verdicts[name]
        try:
            error = way()
        except CrossStackError as refused:
            verdict.counts["refused"] += 1
            verdict.counts[type(refused).__name__] += 1
            continue
        except (ArithmeticError, RuntimeError, ValueError, IndexError) as crash:
            verdict.counts["WRONG"] += 1
            verdict.where += f" {number}:{type(crash).__name__}"
            continue
        if error <= TOL:
            verdict.counts["within"] += 1
            if not error <= verdict.worst:
                verdict.worst = error
        else:
            verdict.counts["WRONG"] += 1
            verdict.where += f" {number}:{error:.0e}"


def run(count: int, seed: int, first: int = 0) -> dict[str, Verdict]:
    """Solve `count` cases; the verdict of every way."""
    verdicts: dict[str, Verdict] = defaultdict(Verdict)
    for number in range(first, first + count):
        run_case(number, seed, verdicts)
    return dict(verdicts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="?", type=int, default=300, help="how many cases")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    start = time.perf_counter()
    verdicts = run(arguments.cases, arguments.seed, arguments.first)
    print(f"{'way':<32}{'within':>8}{'refused':>9}{'WRONG':>7}  worst within")
    wrong = 0
    for name, verdict in verdicts.items():
        counts = verdict.counts
        wrong += counts["WRONG"]
        print(
            f"{name:<32}{counts['within']:>8}{counts['refused']:>9}{counts['WRONG']:>7}"
            f"  {verdict.worst:.1e} {verdict.where[1:][:120]}"
        )
    print(f"{arguments.cases} cases, {wrong} wrong, {time.perf_counter() - start:.0f} s")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
