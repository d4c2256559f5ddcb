"""Every array of the processes beside GF180MCU, held against every judge, as a table.

python bench/processes.py                    all of them, about half an hour on one core
python bench/processes.py --only sky130_reram --only conditions
python bench/processes.py --only sky130 --layout macro,10,10
python bench/processes.py --quick            the smallest of each process

For each layout: own rules, the foundry's deck (with its canaries found), netlist, ngspice against
the solver on the extracted netlist, and the BSIM transistors in expansion mode. Then: impossible
conditions refused by every command, in time; and no name of a foundry outside its folder.

For BSIM transistors, ngspice gets the wires joined to what lies between pins and devices, which for
direct current is the same circuit: the currents of both are compared, too, and must be equal.
Exit code 1 if anything is not as it must be; what a missing program or wheel keeps from being
judged counts as that, too.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np

from crossstack.analyse.analysis import stimulus
from crossstack.analyse.bsim import BsimComparison, compare_bsim
from crossstack.base.errors import CrossStackError
from crossstack.base.ngspice import run_ngspice
from crossstack.cells import to_layout
from crossstack.drc import run_drc
from crossstack.drc.foundry import FoundryReport, run_foundry_drc
from crossstack.extract import extract, write_spice
from crossstack.generators import ArraySpec, build_top
from crossstack.lvs import compare_layout, extract_layout
from crossstack.pdk import DEFAULT, Tech
from crossstack.pdk.foundry import deck
from crossstack.signoff.models import foundry_models
from crossstack.solve import solve_network
from crossstack.solve.modes.drives import gates_for, network_drives
from crossstack.solve.modes.modes import EXPANSION
from crossstack.solve.network.network import Network
from crossstack.solve.network.reduced import reduced

ROOT = Path(__file__).parents[1]
#: process -> arrays (rows, columns), macros, and the cell that they are made of
LAYOUTS = {
    "sky130": ("hybrid", ((1, 1), (7, 5), (10, 10)), ((4, 3), (10, 10))),
    "sky130_reram": ("planar", ((7, 5), (16, 16)), ((8, 8),)),
}
#: ngspice and the solver on the same netlist; our transistors beside BSIM in expansion mode
SAME, CLOSE = 1e-6, 0.01
#: currents of joined wires and of all of them, over the largest
EQUAL = 1e-9
#: what ngspice may take for the transistors of a macro, s, on a busy machine
BSIM_WITHIN_S = 600.0
#: so long a refusal may compute, start of the program included, s; the least of some tries, for a
#: core that others share takes longer for the same
REFUSED_WITHIN, TRIES = 0.5, 3
#: how each command is told of conditions that no table reaches, in a folder with hot.yaml,
#: target.yaml and a.gds, beside which stands that it was drawn at them
HOT = (
    ("build", "hot.yaml"),
    ("build", "hot.yaml", "--process", "sky130"),
    ("build", "hot.yaml", "--process", "sky130_reram"),
    ("generate", "hot.yaml"),
    ("compare", "hot.yaml"),
    ("sweep", "hot.yaml", "--vary", "rows=2,3"),
    ("extract", "a.gds", "--temperature", "150"),
    ("size", "target.yaml"),
    *((verb, "a.gds") for verb in ("extract", "drc", "view", "views", "tapeout")),
    ("foundry", "drc", "a.gds"),
    ("lvs", "a.gds", "--netlist", "hot.yaml"),
)
#: names that no file outside pdk/<process>/, tests and docs may hold
FOUNDRY_NAMES = (DEFAULT[:5], "sky130", "fd_pr", "nfet_03v3", "nfet_g5v0")
Found = TypeVar("Found")
_PIN = re.compile(r"^pin (\S+)\n.*?= (\S+)$", re.MULTILINE)


def layouts(only: list[str], quick: bool, chosen: str = "") -> Iterator[ArraySpec]:
    """Yield what is drawn."""
    for process, (cell, arrays, macros) in LAYOUTS.items():
        if only and process not in only:
            continue
        sizes = [("array", size) for size in arrays] + [("macro", size) for size in macros]
        if chosen:
            top, rows, cols = chosen.split(",")
            sizes = [(top, (int(rows), int(cols)))]
        for top, (rows, cols) in sizes[:1] if quick else sizes:
            yield ArraySpec(rows, cols, cell, process=process, top=top)


def judge(spec: ArraySpec, folder: Path) -> bool:
    """Print a line for one layout; return whether every judge is content."""
    begin = time.perf_counter()
    array = build_top(spec)
    tech, gds, netlist = array.tech, folder / "a.gds", folder / "a.spice"
    layout = to_layout(array.cell, tech)
    layout.write(str(gds))
    netlist.write_text("\n".join(array.netlist_lines()) + "\n", encoding="utf-8")
    box = layout.top_cell().bbox()
    at_origin = (box.left, box.bottom) == (0, 0)
    ours = run_drc(layout, tech)
    own = len(ours.violations)
    extracted = extract_layout(gds, tech)
    match = compare_layout(extracted, netlist, tech).match
    network = extract(extracted, tech).network
    foundry = told(lambda: _foundry(gds, tech))
    spice = told(lambda: _spice(network, tech, folder))
    bsim = told(lambda: _bsim(network, tech))
    good = at_origin and own == 0 and match and not isinstance(foundry, str) and foundry.clean
    good = good and not isinstance(spice, str) and spice <= SAME
    good = good and not isinstance(bsim, str) and bsim.worst <= CLOSE
    print(
        f"{spec.process:<13}{spec.top:<6}{spec.rows:>3} x{spec.cols:>3}  own DRC {own} of "
        f"{len(ours.runs)}  deck {shown(foundry)}  LVS {'match' if match else 'MISMATCH'}  "
        f"ngspice {shown(spice)}  BSIM {shown(bsim)}  {'' if at_origin else 'NOT AT (0, 0)  '}"
        f"{time.perf_counter() - begin:.0f} s  {'ok' if good else 'BAD'}",
        flush=True,
    )
    return good


def told(find: Callable[[], Found]) -> Found | str:
    """Return what was found, or why nothing was."""
    try:
        return find()
    except CrossStackError as error:
        return f"not judged: {error}"


def shown(value: float | str | FoundryReport | BsimComparison) -> str:
    """Return a judge's answer for people."""
    if isinstance(value, FoundryReport):
        return f"{len(value.items)} of {len(value.by_rule)}"
    if isinstance(value, BsimComparison):
        lost, wires = (
            errors.worst_device for errors in (value.ours.all_series, value.ours.wires_only)
        )
        return f"{value.worst:.1e} (worst device {lost:.3%} lost, {wires:.3%} in wires)"
    return value if isinstance(value, str) else f"{value:.1e}"


def _foundry(gds: Path, tech: Tech) -> FoundryReport:
    """Return what the foundry's deck finds; that it looked, its canaries prove."""
    report = run_foundry_drc(gds, tech)
    canaries = {canary.rule for canary in deck(tech.process.folder).canaries}
    if not canaries <= set(report.by_rule):
        raise CrossStackError("the deck's canaries were not found")
    return report


def _spice(network: Network, tech: Tech, folder: Path) -> float:
    """Return the largest difference of a pin's current, over the largest current."""
    ours, gates, sources = _currents(network, tech)
    bench = write_spice(
        network,
        tech,
        folder / "bench.spice",
        switch_ohm=np.full(len(network.switch_a), 2e3),
        gates=gates,
        sources=sources,
    )
    theirs = {pin: float(amps) for pin, amps in _PIN.findall(run_ngspice(bench, BSIM_WITHIN_S))}
    columns = network_drives(network, EXPANSION, stimulus(network, tech).inputs).outputs
    if not {*columns} <= set(theirs):
        raise CrossStackError("ngspice printed no current of a column")
    return _difference(theirs, ours)


def _currents(
    network: Network, tech: Tech
) -> tuple[dict[str, float], Mapping[str, bool], Mapping[str, float]]:
    """Return what flows into each pin in expansion mode, and what gates and pins are driven to."""
    what = stimulus(network, tech)
    drives = network_drives(network, EXPANSION, what.inputs)
    solved = solve_network(
        network,
        conductances=what.conductances,
        port_voltages=drives.port_voltages,
        gates=gates_for(network, drives),
        switch_ohm=np.full(len(network.switch_a), 2e3),
    )
    return dict(solved.port_currents), drives.gates, drives.port_voltages


def _difference(theirs: Mapping[str, float], ours: Mapping[str, float]) -> float:
    largest = max(abs(amps) for amps in ours.values())
    return max(abs(amps - ours[pin]) for pin, amps in theirs.items()) / largest


def _bsim(network: Network, tech: Tech) -> BsimComparison:
    """Return column currents beside those with BSIM transistors."""
    joined = reduced(network).network
    error = _difference(_currents(joined, tech)[0], _currents(network, tech)[0])
    if not error <= EQUAL:
        raise CrossStackError(f"joined wires differ from all of them by {error:.1e}")
    with foundry_models(tech) as models:
        what = stimulus(network, tech)
        return compare_bsim(network, tech, what, EXPANSION, models, timeout_s=BSIM_WITHIN_S)


def conditions(folder: Path) -> bool:
    """Print how fast every command, in a process of its own, refuses what no table reaches."""
    folder = folder / "hot"
    folder.mkdir()
    hot = "{rows: 2, cols: 2, tech: {corner: max, temperature_c: 150}}\n"
    target = f"targets: {{worst_device: 0.05}}\nfree: {{device_um: [1, 2]}}\narray: {hot}"
    (folder / "hot.yaml").write_text(hot, encoding="utf-8")
    (folder / "target.yaml").write_text(target, encoding="utf-8")
    (folder / "a.gds").touch()  # conditions are judged before it is opened
    good = True
    for command in HOT:
        cold = {} if "--temperature" in command else {"temperature_c": 150}
        told_of = {"files": {"a.gds": ""}, "parameters": {"profile": "stepper", "tech": cold}}
        (folder / "a.json").write_text(json.dumps(told_of), encoding="utf-8")
        before, seconds = {*folder.iterdir()}, float("inf")
        for _ in range(TRIES):
            begin = _busy()
            ran = subprocess.run(
                [str(Path(sys.executable).with_name("crossstack")), *command],
                cwd=folder, capture_output=True, text=True, check=False,
            )  # fmt: skip
            seconds = min(seconds, _busy() - begin)
            if seconds < REFUSED_WITHIN:
                break
        fine = ran.returncode in (2, 3) and seconds < REFUSED_WITHIN
        fine = fine and "temperature_c = 150" in ran.stderr and {*folder.iterdir()} == before
        good = good and fine
        name = " ".join(command)
        print(
            f"150 C: {name:<38} exit {ran.returncode}, {seconds:.2f} s  {'ok' if fine else 'BAD'}"
        )
        if not fine:
            print(f"    {ran.stderr.strip()[-200:]}")
    return good


def _busy() -> float:
    """Return the time that processes of this one have computed, s: others share the machine."""
    used = os.times()
    return used.children_user + used.children_system


def names() -> bool:
    """Print in how many lines a foundry is named outside its folder, tests and docs."""
    good = True
    rooms = ("analyse", "base", "cells", "crossstack", "drc", "extract", "generators", "lvs",
             "signoff", "solve", "views")  # fmt: skip
    for name in FOUNDRY_NAMES:
        command = ["git", "grep", "-ciI", name, "--", *rooms]
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if found.returncode > 1:
            raise SystemExit(found.stderr)
        count = sum(int(line.rpartition(":")[2]) for line in found.stdout.splitlines())
        good = good and count == 0
        print(f"lines that name {name!r} in the rooms beside pdk/: {count}")
    return good


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=[*LAYOUTS, "conditions", "names"])
    parser.add_argument("--layout", default="", metavar="TOP,ROWS,COLS", help="this one alone")
    parser.add_argument("--quick", action="store_true", help="the smallest of each process")
    asked = parser.parse_args()
    only, good = asked.only or [], True
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if not only or "names" in only:
            good = names() and good
        if not only or "conditions" in only:
            good = conditions(folder) and good
        processes = [each for each in only if each in LAYOUTS]
        if processes or not only:
            for spec in layouts(processes, asked.quick, asked.layout):
                good = judge(spec, folder) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
