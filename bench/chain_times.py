"""Times of a scan chain on board: what the library says beside ngspice with the foundry's models.

python bench/chain_times.py [ROWSxCOLS ...] [--slow]

One line a time: from a pin's edge until what it moves has moved to 90 %, the worst of a chain of
ones and zeros in turn and its complement. Both count the lines' extracted capacitances and Elmore
delays, and no wires inside the logic, which the library counts besides.
Exit code 1 if a time of ours is less than 0.95 times ngspice's, or more than 1.5 times.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from onboard.deck import EDGE_NS, STEP_NS, deck, loads
from onboard.models import Drawn
from onboard.verdict import HIGH, LOW

from crossstack.base import names
from crossstack.base.ngspice import run_ngspice
from crossstack.extract import Bsim, NetCapacitance
from crossstack.pdk import Conditions, Tech
from crossstack.signoff.models import foundry_models
from crossstack.solve.modes.address import RESET, Step, is_gated
from crossstack.views.chain_delays import FollowedChain
from crossstack.views.delays import Circuit

#: time of ours -> what moves in it: lines that EN turns off, the other lines, or the output
WATCHED = {"out_s": "out", "follow_s": "switches", "on_s": "selects", "off_s": "selects"}
LEAST, MOST = 0.95, 1.5


def steps(bits: int) -> list[tuple[str, Step]]:
    """Return steps of the pins, each with the time that it shows, '' for none."""
    pins = dict(RESET.levels)
    found = [("", RESET)]

    def add(key: str, **now: bool) -> None:
        pins.update(now)
        found.append((key, Step(key, dict(pins))))

    def shift(k: int) -> None:
        add("", SIN=k % 2 == 0)
        add("out_s", CLK=True)
        add("", CLK=False)

    add("", RSTN=True)
    for k in range(bits):
        shift(k)
    for k in (bits, bits + 1):
        add("follow_s", LE=True)
        add("", LE=False)
        add("on_s", EN=True)
        add("off_s", EN=False)
        shift(k)
    return found


def followed(macro: Drawn, tech: Tech, load: dict[str, tuple[float, float]]) -> dict[str, float]:
    """Return the times by switches, s, with what ngspice counts: no wires inside the logic."""
    circuit = Circuit(macro.extracted, macro.block, None)
    known = dict.fromkeys(circuit.names, NetCapacitance(""))
    for fet in circuit.fets:
        gate = circuit.names[fet.gate]
        model = tech.pfet if fet.kind == "pfet" else tech.nfet
        half = (model.cg_on_f_per_um + model.cg_off_f_per_um) / 2
        known[gate] = replace(known[gate], gate_f=known[gate].gate_f + half * fet.w_um)
    known |= {net: NetCapacitance(net, ground_f=farad) for net, (farad, _) in load.items()}
    circuit = Circuit(macro.extracted, macro.block, known)
    chain = FollowedChain(circuit, tech, macro.array.chain, {n: s for n, (_, s) in load.items()})
    chain.run(RESET.levels)
    kinds = {"out": [circuit.number[names.SCAN_PINS[-1]]]}
    for kind, gated in (("selects", True), ("switches", False)):
        kinds[kind] = [n for n, off in chain.lines.items() if off is gated]
    worst: dict[str, float] = {}
    for key, step in steps(len(macro.array.chain)):
        events = chain.run(step.levels)
        ends = [chain.end(e) for e in events if e.net in kinds.get(WATCHED.get(key, ""), ())]
        worst[key] = max(ends, default=worst.get(key, 0.0))
    return worst


def simulated(macro: Drawn, tech: Tech, load: dict[str, tuple[float, float]]) -> dict[str, float]:
    """Return the same times by ngspice, ns."""
    array = macro.array
    every = steps(len(array.chain))
    with foundry_models(tech) as folder, tempfile.TemporaryDirectory() as work:
        bsim = Bsim(tech, folder)
        path, table = Path(work) / "a.spice", Path(work) / "a.txt"
        text = "\n".join(deck(array, bsim, [step for _, step in every], load, table)) + "\n"
        path.write_text(text.replace("[", "_").replace("]", ""))
        run_ngspice(path, 3000.0)
        values = np.loadtxt(table)
    ns, step_ns = values[:, 0] * 1e9, STEP_NS["scan"]
    shares = dict(
        zip((*array.chain, names.SCAN_PINS[-1]), values[:, 1:].T / bsim.vdd_v, strict=True)
    )
    kind = {net: "selects" if is_gated(net) else "switches" for net in array.chain}
    kind[names.SCAN_PINS[-1]] = "out"
    worst: dict[str, float] = {}
    for number, (key, _) in enumerate(every):
        if key in WATCHED:
            begin = number * step_ns
            at = (ns > begin) & (ns < begin + step_ns)
            for net, share in shares.items():
                moving = ns[at][(share[at] > LOW) & (share[at] < HIGH)]
                if kind[net] == WATCHED[key] and len(moving):
                    # a pin's edge counts from its middle, as ours does
                    worst[key] = max(worst.get(key, 0.0), moving[-1] - begin - EDGE_NS / 2)
    return worst


def compare(rows: int, cols: int, tech: Tech | None) -> int:
    """Print the times of a macro and return how many do not fit."""
    macro = Drawn.of(rows, cols, "scan")
    tech = tech or macro.tech
    load = loads(macro.array)
    ours = followed(macro, tech, load)
    theirs = simulated(macro, tech, load)
    wrong = 0
    print(f"{rows} x {cols}, {tech.conditions.text}", flush=True)
    for key, ns in theirs.items():
        own = ours[key] * 1e9
        wrong += not LEAST <= own / ns <= MOST
        print(f"  {key:<9} {own:6.3f} ns, ngspice {ns:6.3f} ns, ratio {own / ns:.2f}", flush=True)
    return wrong


def main() -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("sizes", nargs="*", default=["1x2", "3x2"])
    parser.add_argument("--slow", action="store_true", help="slow corner, 125 C")
    options = parser.parse_args()
    slow = Conditions(corner="max", temperature_c=125.0)
    wrong = 0
    for size in options.sizes:
        rows, cols = (int(n) for n in size.split("x"))
        tech = Drawn.of(rows, cols, "scan").tech.at(slow) if options.slow else None
        wrong += compare(rows, cols, tech)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
