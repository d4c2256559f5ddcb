"""Logic on board of a macro in ngspice with the foundry's models: every mode, every column.

python bench/periphery.py [ROWS COLS [PROCESS]] [--decoder] [--slow]
                          [--parts N --keep FOLDER [--seconds S]]

Each state is set over the pins of the scan chain, or of the decoder: of a chain every line of the
mode table, of a decoder every mode code with every address. What the lines then carry must be the
mode table, no line may move when it should stand still, and no mode switch while a select line is
on. The decoder's address and mode change together with its enable, both ways. Prints how long lines
rise and fall at their far ends, with the extracted capacitance and resistance of each, and of a
decoder when after its enable; exit code 1 for a fault.

--parts runs so many states of the list after each other, each part from power-up and from the last
state of the part before. What a part found is kept in a folder; --seconds begins no further part
after that time (exit code 3), and the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from onboard.deck import STEP_NS, deck, loads
from onboard.states import lines_of, plan
from onboard.verdict import after_enable, edges, faults

from crossstack.base import names
from crossstack.base.ngspice import run_ngspice
from crossstack.extract import Bsim
from crossstack.generators import ArraySpec, build_top
from crossstack.generators.array import Array
from crossstack.pdk import Conditions, Tech
from crossstack.signoff.models import foundry_models

GRID_NS = 0.1
KINDS = (*names.SELECTS, names.WRITE_SELECT, *names.WRITE_TIERS)


def run_part(
    array: Array, tech: Tech, load: dict[str, tuple[float, float]], part: int, parts: int
) -> dict[str, Any]:
    """Run a part of the states and return what was found, as plain values."""
    steps, found = plan(array, part, parts)
    kind = array.spec.periphery
    with foundry_models(tech) as folder, tempfile.TemporaryDirectory() as work:
        bsim = Bsim(tech, folder)
        path, table = Path(work) / "a.spice", Path(work) / "a.txt"
        # brackets would pick one value out of a vector
        text = "\n".join(deck(array, bsim, steps, load, table)) + "\n"
        path.write_text(text.replace("[", "_").replace("]", ""))
        run_ngspice(path, 3000.0)
        values = np.loadtxt(table)
    # points come where something moves: those of a grid besides, so that no window is empty
    at = values[:, 0] * 1e9
    ns = np.unique(np.concatenate([at, np.arange(0.0, at[-1], GRID_NS)]))
    high = {
        net: np.interp(ns, at, values[:, 1 + k]) / bsim.vdd_v
        for k, net in enumerate(lines_of(array))
    }
    slopes: dict[str, list[float]] = {}
    for name in KINDS:
        both = [edges(ns, v) for net, v in high.items() if net.partition("[")[0] == name]
        slopes[name] = [max((t for pair in both for t in pair[k]), default=0.0) for k in (0, 1)]
    return {
        "states": [s.text for s in found],
        "steps": len(steps),
        "faults": list(faults(array, found, ns, high)),
        "slopes": slopes,
        "after": after_enable(kind, found, ns, high) if array.decoded else {},
    }


def kept(path: Path | None, make: Any) -> Any:
    """Return what a file of the folder holds, or make it and keep it."""
    if path is not None and path.exists():
        return json.loads(path.read_text())
    value = make()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))
    return value


def report(array: Array, tech: Tech, results: list[dict[str, Any]]) -> int:
    """Print what all parts found and return the exit code."""
    kind = array.spec.periphery
    states = {text for result in results for text in result["states"]}
    steps = sum(result["steps"] for result in results)
    print(f"{array.spec.rows} x {array.spec.cols}, {tech.conditions.text}: "
          f"{len(lines_of(array))} lines by a {kind}, {len(states)} states, "
          f"{steps} steps of {STEP_NS[kind]:g} ns")  # fmt: skip
    for name in KINDS:
        rise, fall = (max(result["slopes"][name][k] for result in results) for k in (0, 1))
        if rise or fall:
            print(f"  {name:<5} rises in at most {rise:.2f} ns, falls in at most {fall:.2f} ns")
    words = {"off": "select lines are off", "on": "they are on", "switches": "mode switches stand"}
    for key, text in words.items():
        times = [result["after"][key] for result in results if key in result["after"]]
        if times:
            print(f"  {text} {max(times):.2f} ns after EN")
    wrong = [text for result in results for text in result["faults"]]
    for text in wrong:
        print(f"  fault: {text}")
    print("every state as the mode table says, no line moves else" if not wrong else "FAULTS")
    return 1 if wrong else 0


def main() -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("rows", type=int, nargs="?", default=3)
    parser.add_argument("cols", type=int, nargs="?", default=2)
    parser.add_argument("process", nargs="?")
    parser.add_argument("--decoder", action="store_true")
    parser.add_argument("--slow", action="store_true", help="slow corner, 125 C")
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    parser.add_argument("--seconds", type=float, default=np.inf)
    options = parser.parse_args()
    begin = time.monotonic()
    process = {"process": options.process} if options.process else {}
    kind = "decoder" if options.decoder else "scan"
    array = build_top(ArraySpec(options.rows, options.cols, top="macro", periphery=kind, **process))
    tech = array.tech
    if options.slow:
        tech = tech.at(Conditions(corner="max", temperature_c=125.0))
    keep = options.keep and options.keep / "_".join(
        map(str, (options.rows, options.cols, kind, tech.name, tech.conditions.corner))
    )
    load = kept(keep and keep / "loads.json", lambda: loads(array))
    results = []
    for part in range(options.parts):
        path = keep and keep / f"part_{part}_of_{options.parts}.json"
        if time.monotonic() - begin > options.seconds and not (path and path.exists()):
            print(f"{part} of {options.parts} parts are done; the same command goes on")
            return 3
        results.append(
            kept(path, lambda part=part: run_part(array, tech, load, part, options.parts))
        )
        print(f"part {part + 1} of {options.parts}: {len(results[-1]['states'])} states, "
              f"{len(results[-1]['faults'])} faults", flush=True)  # fmt: skip
    return report(array, tech, results)


if __name__ == "__main__":
    sys.exit(main())
