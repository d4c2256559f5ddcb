"""Macros with logic on board over sizes: rules, netlist, and a read by address beside one by pins.

python bench/onboard_sizes.py [ROWSxCOLS ...] [--logic decoder scan] [--profiles stepper aligner]
                              [--foundry ROWSxCOLS ...] [--keep FOLDER [--seconds S]]

One line a macro: size, pins that are no row or column, rules of our own that it breaks, LVS, the
largest difference between column currents by address and by pins over modes and columns, and what
the foundry's deck finds. --keep keeps each figure in a folder; --seconds begins none after that
time, and the same command goes on (exit code 3). Exit code 1 for a fault.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from crossstack.analyse import analysis
from crossstack.analyse.operating import mode_ohm
from crossstack.base import names
from crossstack.cells import to_layout
from crossstack.drc import run_drc, run_foundry_drc
from crossstack.extract import extract_network
from crossstack.generators import ArraySpec, build_top
from crossstack.generators.array import Array
from crossstack.lvs import compare_layout, extract_layout
from crossstack.solve.modes.address import Chain
from crossstack.solve.modes.decoder import Decoder
from crossstack.solve.modes.drives import network_drives
from crossstack.solve.modes.modes import MODES
from crossstack.solve.study.metrics import ir_drop

SIZES = ("1x1", "7x5", "10x10", "33x17", "64x64")
FOUNDRY = SIZES[1:]
#: pins of rows, columns and supplies
OTHERS = {"IN_T", "IN_B", "WR", "OUT", "WC", "VDD", "VSS"}


class Macro:
    """One macro, drawn when something is asked of it."""

    def __init__(self, size: str, logic: str, profile: str, folder: Path) -> None:
        rows, cols = map(int, size.split("x"))
        self.spec = ArraySpec(rows, cols, top="macro", periphery=logic, profile=profile)
        self.gds, self.netlist = folder / "macro.gds", folder / "macro.spice"
        self._array: Array | None = None

    @property
    def array(self) -> Array:
        if self._array is None:
            self._array = build_top(self.spec)
            to_layout(self._array.cell, self._array.tech).write(str(self.gds))
            self.netlist.write_text("\n".join(self._array.netlist_lines()) + "\n")
        return self._array

    def size(self) -> str:
        cell = self.array.cell
        return f"{cell.width * 1e-3:.0f} x {cell.height * 1e-3:.0f} um"

    def pins(self) -> int:
        """Return how many pins set modes and addresses."""
        found = [q.name for q in self.array.pins]
        return sum(name.partition("[")[0] not in OTHERS for name in found)

    def drc(self) -> int:
        array = self.array
        return run_drc(self.gds, array.tech).count

    def foundry(self) -> int:
        array = self.array
        return len(run_foundry_drc(self.gds, array.tech).items)

    def lvs(self) -> str:
        array = self.array
        found = compare_layout(extract_layout(self.gds, array.tech), self.netlist, array.tech)
        return "match" if found.match else "MISMATCH"

    def solve(self) -> float:
        """Return the largest difference of column currents, as a share of the largest one."""
        array = self.array
        network = extract_network(self.gds, array.tech)
        logic = Chain(array.chain) if array.chain else Decoder(array.spec.cols, array.decoded)
        what = analysis.stimulus(network, array.tech)
        worst = 0.0
        for mode, options in self._ways():
            drives = network_drives(network, mode, what.inputs, **options)
            assert logic.addressed(drives).gates == drives.gates, (mode, options)
            last = array.spec.cols - 1
            if options and (not last or options["write_column"] not in (0, last)):
                continue  # the first and the last column are solved; a lone one is never read
            ohm = mode_ohm(network, array.tech, what, mode)
            amps = [
                ir_drop(network, what.conductances, what.inputs, mode=mode, switch_ohm=ohm,
                        **options, **more).solution.port_currents
                for more in ({}, {"chain": logic})
            ]  # fmt: skip
            pins, address = (np.array([a[pin] for pin in drives.outputs]) for a in amps)
            worst = max(worst, float(np.abs(pins - address).max() / np.abs(pins).max()))
        return worst

    def _ways(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for mode in MODES.values():
            if not mode.writes:
                yield mode.name, {}
                continue
            for tier in names.TIER_NAMES:
                for column in range(self.spec.cols):
                    yield mode.name, {"read_tier": tier, "write_column": column}


GOOD: dict[str, Callable[[Any], bool]] = {
    "drc": lambda count: count == 0,
    "foundry": lambda count: count == 0,
    "lvs": lambda word: word == "match",
    "solve": lambda share: share <= 1e-12,
    "pins": lambda count: count <= 40,
}


def figures(options: argparse.Namespace) -> Iterator[tuple[str, str, str, str]]:
    """Yield (size, logic, profile, what) of every figure, solves last."""
    every = [(s, k, p) for s in options.sizes for k in options.logic for p in options.profiles]
    for macro in every:
        yield from ((*macro, what) for what in ("size", "pins", "lvs", "drc"))
    yield from ((*macro, "foundry") for macro in every if macro[0] in options.foundry)
    yield from ((*macro, "solve") for macro in every)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("sizes", nargs="*", default=SIZES, type=_size)
    parser.add_argument("--logic", nargs="+", default=["decoder", "scan"])
    parser.add_argument("--profiles", nargs="+", default=["stepper", "aligner"])
    parser.add_argument("--foundry", nargs="*", default=[], type=_size)
    parser.add_argument("--keep", type=Path, default=Path("build/onboard"))
    parser.add_argument("--seconds", type=float, default=np.inf)
    options = parser.parse_args()
    begin, left = time.monotonic(), 0
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    macros: dict[tuple[str, str, str], Macro] = {}
    for *key, what in figures(options):
        macro = (key[0], key[1], key[2])
        folder = options.keep / "_".join(macro)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{what}.json"
        if not path.exists():
            if time.monotonic() - begin > options.seconds:
                left += 1
                continue
            drawn = macros.setdefault(macro, Macro(*macro, folder))
            started = time.perf_counter()
            value = getattr(drawn, what)()
            seconds = time.perf_counter() - started
            path.write_text(json.dumps({"value": value, "s": round(seconds, 1)}))
            print(f"  {' '.join(macro)}: {what} {value}, {seconds:.1f} s", flush=True)
        found.setdefault(macro, {})[what] = json.loads(path.read_text())["value"]
    return report(found, left)


def report(found: dict[tuple[str, str, str], dict[str, Any]], left: int) -> int:
    """Print the table and return the exit code."""
    columns = ("size", "pins", "drc", "lvs", "solve", "foundry")
    print(f"{'macro':<24}{'size':>18}{'pins':>6}{'own rules':>11}{'LVS':>10}{'by address':>12}"
          f"{'foundry':>9}")  # fmt: skip
    wrong = 0
    for macro, values in found.items():
        told = [f"{v:.0e}" if isinstance(v := values.get(c, "-"), float) else str(v)
                for c in columns]  # fmt: skip
        wrong += sum(not GOOD[c](values[c]) for c in GOOD if c in values and _counts(c, macro))
        print(f"{' '.join(macro):<24}{told[0]:>18}{told[1]:>6}{told[2]:>11}{told[3]:>10}"
              f"{told[4]:>12}{told[5]:>9}")  # fmt: skip
    if left:
        print(f"{left} figures are left; the same command goes on")
    return 1 if wrong else 3 if left else 0


def _counts(what: str, macro: tuple[str, str, str]) -> bool:
    """Tell whether a figure decides: pins up to 64 x 64."""
    return what != "pins" or max(map(int, macro[0].split("x"))) <= 64


def _size(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d*x[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"{text}: as in 7x5")
    return text


if __name__ == "__main__":
    sys.exit(main())
