"""Extracted arrays and macros, prepared once, beside ideal crossbars of that size, and peers.

Extracted tile by tile, transistors at 1 kohm. Each line is one kind of solve, for new devices every
time: one vector of inputs, 64 of them, one vector by devices of a sinh law, one vector with every
select transistor where that puts it (arrays only), and, up to 256 x 256, the effective matrix. Both
are timed in turns; printed are the least times, the ratio of these, and its median over the turns.
"error" is that of all column currents, of the largest: against the network solved directly up to
128 x 128, above against the same lines solved by `solve_crossbar`, its Newton's method, or
resistances put in again and again, to 1e-12. "changed" is so many devices of a solved array
changed, beside its matrix found anew. Peers get one vector on the ideal crossbar, of one tier where
they know no other; of CrossSim, the checkout has to be in PYTHONPATH. `bench/solver.py` has more of
them, without wires of a layout.

python bench/prepared.py               64, 128, 256, stacked and planar; macros up to 128
python bench/prepared.py 512 1024      large stacked arrays: minutes, 8 GB
python bench/prepared.py 256 --top macro
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from crossstack.analyse.on_resistance import OnResistance
from crossstack.cells import to_layout
from crossstack.extract import extract
from crossstack.generators import ArraySpec, build_top
from crossstack.mapping.arrays import Array
from crossstack.solve import (
    Sinh,
    Solved,
    effective_matrix,
    network_drives,
    prepare_crossbar,
    prepare_network,
    solve_crossbar,
    solve_crossbar_nonlinear,
    solve_network,
    solve_network_nonlinear,
)
from crossstack.solve.modes.drives import gates_for

sys.path.insert(0, str(Path(__file__).parent))
from peers import badcrossbar_currents, crosssim_currents, scipy_direct
from solver import best

#: up to this size a vector is solved directly for comparison, and matrices are found
CHECKED, MATRIX = 128, 256
#: up to this size planar arrays and peers are measured, and macros, unless asked for
PLANAR, MACRO = 256, 128
SWITCH_OHM = 1000.0
LAW = Sinh(3.0)
IDEAL = {"row_segments": 0.2, "column_segments": 1.2}
MOST_RATIO, MOST_ERROR = 3.0, 1e-9


def pairs(ours: Callable[[int], Any], ideal: Callable[[int], Any], budget: float) -> list[float]:
    """Return least times of both in s, and the median of their ratios, timed in turns."""
    ours(0), ideal(0)
    times: list[tuple[float, float]] = []
    begun = time.perf_counter()
    while len(times) < 3 or (time.perf_counter() - begun < budget and len(times) < 25):
        found = []
        for call in (ours, ideal):
            start = time.perf_counter()
            call(len(times) % 2)
            found.append(time.perf_counter() - start)
        times.append((found[0], found[1]))
    both = np.array(times)
    return [*both.min(axis=0), float(np.median(both[:, 0] / both[:, 1]))]


class Case:
    """One extracted array."""

    def __init__(self, size: int, cell: str, top: str, arrays: bool) -> None:
        spec = ArraySpec(size, size, cell, **({} if top == "array" else {"top": top}))
        tech = spec.tech()
        found = extract(to_layout(build_top(spec).cell, tech), tech, engine="tile")
        self.tech, self.wires, self.network = tech, found.array, None
        selects = self.wires is not None and top == "array" and self.wires.selects
        self.working = Array.of(self.wires, tech) if selects else None
        start = time.perf_counter()
        if found.array is None or (found.array.fits_network and not arrays):
            self.network = found.network
            series = {"switch_ohm": SWITCH_OHM}
            start = time.perf_counter()
            self.array = prepare_network(self.network, series=series)
        else:
            ohm = self.wires.series_ohm() + SWITCH_OHM
            wires = self.wires.crossbar_arguments(np.ones(ohm.shape), ohm)
            del wires["conductances"]
            self.array = prepare_crossbar(ohm.shape, device_resistance=ohm, **wires)
        self.seconds = time.perf_counter() - start
        rng = np.random.default_rng(size)
        shape = self.array.shape
        span = np.log(1e-6), np.log(1e-4)
        self.siemens = [np.exp(rng.uniform(*span, shape)) for _ in range(2)]
        self.volts = rng.uniform(0, 0.2, (64, *shape[:2]))

    def wanted(self, law: Sinh | None) -> np.ndarray:
        """Column currents for the first vector, found in another way."""
        volts = self.volts[0]
        if self.network is not None and max(self.array.shape) <= CHECKED:
            drives = network_drives(self.network, "expansion", volts)
            common = {
                "conductances": self.siemens[0],
                "port_voltages": drives.port_voltages,
                "gates": gates_for(self.network, drives),
                "switch_ohm": SWITCH_OHM,
            }
            if law is None:
                solved = solve_network(self.network, method="direct", **common)
            else:
                solved = solve_network_nonlinear(self.network, device=law, tol=1e-12, **common)
            return np.array([-solved.port_currents[pin] for pin in self.array.outputs])
        assert self.wires is not None
        ohm = self.wires.series_ohm() + SWITCH_OHM
        siemens = through = self.siemens[0]
        for _ in range(1 if law is None else 40):
            wires = self.wires.crossbar_arguments(through, ohm)
            found = solve_crossbar(voltages=volts, tol=1e-12, **wires)
            over = found.device_voltages / (1.0 + ohm * through)
            before = through
            if law is not None:
                through = law.current(siemens, over) / over
                if np.abs(through / before - 1).max() < 1e-13:
                    break
        return found.column_currents

    def wanted_at_work(self) -> np.ndarray:
        """The same with transistors at work, by putting their resistances in again and again."""
        w, volts, siemens = self.wires, self.volts[0], self.siemens[0]
        sizes = [v.reshape(-1) for v in (w.switch_w_um, w.switch_l_um)]
        table = OnResistance(self.tech, *sizes, np.zeros(siemens.size, dtype=bool))
        ohm, tap = table.least().reshape(siemens.shape), w.series_ohm()
        for _ in range(60):
            found = solve_crossbar(
                voltages=volts, tol=1e-12, **w.crossbar_arguments(siemens, tap + ohm)
            )
            amps = found.device_voltages * siemens / (1.0 + (tap + ohm) * siemens)
            near = found.row_voltages - w.row_tap * amps
            ends = near.reshape(-1), (near - ohm * amps).reshape(-1)
            before, ohm = ohm, table(*ends).reshape(ohm.shape)
            if np.abs(ohm / before - 1).max() < 1e-12:
                break
        return found.column_currents

    def kinds(self) -> dict[str, tuple[Callable[[int], Any], Callable[[int], Any], Any]]:
        """What is timed: by us, by the ideal crossbar, and the law or what is wanted else."""
        a, G, one = self.array, self.siemens, self.volts[:1]
        found = {
            "one vector": (
                lambda k: a.currents(G[k], one), lambda k: solve_crossbar(G[k], one[0], **IDEAL),
                None,
            ),
            "sinh": (
                lambda k: a.currents(G[k], one, LAW),
                lambda k: solve_crossbar_nonlinear(G[k], one[0], device=LAW, **IDEAL), LAW,
            ),
            "64 vectors": (
                lambda k: a.currents(G[k], self.volts),
                lambda k: solve_crossbar(G[k], self.volts, keep_voltages=False, **IDEAL), None,
            ),
        }  # fmt: skip
        if self.working is not None:
            found["at work"] = (
                lambda k: self.working.at_work(G[k], one.reshape(-1))[0],
                lambda k: solve_crossbar(G[k], one[0], **IDEAL), self.wanted_at_work,
            )  # fmt: skip
        if max(a.shape) <= MATRIX:
            found["matrix"] = (
                lambda k: a.matrix(G[k]) @ one[0].reshape(-1),
                lambda k: effective_matrix(G[k], **IDEAL), None,
            )  # fmt: skip
        return found


def rows(
    size: int, cell: str, top: str, arrays: bool, budget: float, only: list[str] | None
) -> bool:
    """Measure one layout; returns whether all is within its limits."""
    begun = time.perf_counter()
    case, good, known = Case(size, cell, top, arrays), True, {}
    drawn = time.perf_counter() - begun - case.seconds
    print(f"{cell} {top}, {size} x {size}, drawn and extracted in {drawn:.1f} s", flush=True)
    kinds = case.kinds()
    for name, (ours, ideal, law) in kinds.items():
        if only and name not in only:
            continue
        if law not in known:
            known[law] = law() if callable(law) else case.wanted(law)
        want = known[law]
        first = np.asarray(ours(0)).reshape(-1, len(want))[0]
        error = np.abs(first - want).max() / np.abs(want).max()
        mine, other, ratio = pairs(ours, ideal, budget)
        fine = min(ratio, mine / other) <= MOST_RATIO and error <= MOST_ERROR
        good = good and fine
        print(f"{size:>6}{case.array.shape[0]:>6}{case.seconds:>11.2f}"
              f"{'chains' if case.array.exact else 'blocks':>8}  {name:<12}{1e3 * mine:>10.1f}"
              f"{1e3 * other:>10.1f}{mine / other:>8.2f}{ratio:>8.2f}{error:>9.0e}"
              f"{'' if fine else '  TOO MUCH'}", flush=True)  # fmt: skip
    if "matrix" in kinds and not only:
        few(case, budget)
    return good


def few(case: Case, budget: float) -> None:
    """Print what changing few devices of a solved array takes, beside solving it anew."""
    rng = np.random.default_rng(0)
    solved, base = Solved(case.array, case.siemens[0]), case.siemens[0]
    for count in (1, 4, 16):
        at = np.unravel_index(rng.choice(base.size, count, replace=False), base.shape)
        new = base.copy()
        new[at] = case.siemens[1][at]
        found = solved.changed(*at, new[at])
        if found.anew:
            continue
        error = np.abs(found.matrix - case.array.matrix(new)).max() / np.abs(found.matrix).max()
        mine, other, ratio = pairs(
            lambda k, at=at, new=new: solved.changed(*at, new[at]),
            lambda k, new=new: case.array.matrix(new), 0.5 * budget,
        )  # fmt: skip
        print(f"{'':>31}  {count:>2} changed  {1e3 * mine:>10.1f}{1e3 * other:>10.1f}"
              f"{mine / other:>8.2f}{ratio:>8.2f}{error:>9.0e}", flush=True)  # fmt: skip


def peers(size: int, tiers: int, seconds: float) -> None:
    """Print what peers take for one vector on the ideal crossbar."""
    rng = np.random.default_rng(size)
    siemens = np.exp(rng.uniform(np.log(1e-6), np.log(1e-4), (tiers, size, size)))
    volts = rng.uniform(0, 0.2, (tiers, size))
    want = solve_crossbar(siemens, volts, **IDEAL).column_currents
    ohm = IDEAL["row_segments"], IDEAL["column_segments"]
    known: dict[str, Callable[[], np.ndarray]] = {
        "scipy splu": lambda: scipy_direct(siemens, volts, *ohm)
    }
    if tiers == 1:
        known["badcrossbar"] = lambda: badcrossbar_currents(siemens, volts.T, *ohm)
        known["CrossSim"] = lambda: crosssim_currents(siemens, volts, *ohm)
    for name, solve in known.items():
        try:
            found = solve()
        except ImportError as error:
            print(f"{size:>6}{tiers:>6}{'':>21}{name:<12} not installed: {error}")
            continue
        ms, _ = best(solve, budget=seconds, most=5)
        off = np.abs(found.reshape(-1) - want).max() / np.abs(want).max()
        print(f"{size:>6}{tiers:>6}{'':>21}{name:<12}{'':>10}{1e3 * ms:>10.1f}{'':>16}{off:>9.0e}",
              flush=True)  # fmt: skip


def layouts(sizes: list[int], cell: str | None, top: str | None) -> list[tuple[int, str, str]]:
    """Return size, cell and top of everything that is measured."""
    found = []
    for size in sizes:
        kinds = [("hybrid", "array"), ("planar", "array"), ("hybrid", "macro")]
        kinds = kinds[: 1 if size > PLANAR else 2 if size > MACRO else 3]
        if cell or top:
            kinds = [(cell or "hybrid", top or "array")]
        found += [(size, *kind) for kind in kinds]
    return found


def main() -> int:
    """Print a table; returns 1 if a ratio or an error is above its limit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sizes", nargs="*", type=int, default=[64, 128, 256])
    parser.add_argument("--cell", help="of one kind of layout, else several")
    parser.add_argument("--top", choices=["array", "macro"], help="the same")
    parser.add_argument(
        "--arrays", action="store_true", help="no nodes: as of files above 600 x 600 cells"
    )
    parser.add_argument("--only", action="append", help="kind of solve, e.g. 'at work'; repeat")
    parser.add_argument("--seconds", type=float, default=2.0, help="of pairs for each line")
    parser.add_argument("--no-peers", action="store_true", help="leave out other solvers")
    args = parser.parse_args()
    print(f"{'size':>6}{'tiers':>6}{'prepare s':>11}{'by':>8}  {'solve':<12}{'ours ms':>10}"
          f"{'ideal ms':>10}{'ratio':>8}{'median':>8}{'error':>9}")  # fmt: skip
    how = args.arrays, args.seconds, args.only
    done = [rows(*one, *how) for one in layouts(args.sizes, args.cell, args.top)]
    logging.disable(logging.INFO)  # badcrossbar logs five lines a solve
    for size in args.sizes:
        for tiers in (1, 2):
            if size <= PLANAR and not args.no_peers:
                peers(size, tiers, args.seconds)
    return 0 if all(done) else 1


if __name__ == "__main__":
    raise SystemExit(main())
