"""Random sets of layout options: each must be clean and matched, or refused in one line.

python bench/options.py                      2,000 sets from seed 1, half an hour on 2 cores
python bench/options.py --sets 300 --seed 7 --foundry 0
python bench/options.py --sets 60 --top macro --process sky130
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from crossstack.cells import to_layout
from crossstack.cells.registry import array_cells_on
from crossstack.cells.within import device_range
from crossstack.drc import run_drc
from crossstack.generators import Array, ArraySpec, build_top
from crossstack.lvs import compare_layout, extract_layout
from crossstack.pdk import CrossStackError, ParameterError, get_tech
from crossstack.pdk.tech import profile_names

CELLS = ("hybrid", "passive", "planar", "passive_planar")
#: cells with select transistors, which take a strap and several cuts
SELECTED = ("hybrid", "planar")
TOPS = (("array", 14), ("macro", 25), ("testchip", 1))
#: every cell is drawn as a test chip first: alone, chance would bring a handful of 2,000 sets
CHIPS = tuple(
    {"top": "testchip", "cell": cell, "rows": rows, "cols": cols, "profile": profile,
     "kelvin": kelvin}
    for cell in CELLS
    for profile in ("stepper", "aligner")
    for rows, cols, kelvin in ((1, 1, False), (2, 2, False), (2, 3, True), (5, 4, False))
)  # fmt: skip
SHAPES = ((1, 1), (1, 2), (2, 1), (2, 2), (3, 2), (1, 8), (6, 1), (2, 5), (3, 4), (7, 5))
#: ends of the lengths that may be asked for, in um; the least switch and pitch are found below
DEVICE, SELECT, SWITCH, PITCH = (0.5, 50.0), (0.36, 100.0), (1.12, 1000.0), (0.5, 100.0)
#: most of a pitch that mode switches follow, in um
LINE_PITCH = 20.0
#: widths near which rules change: wide metal, slots, distances to taps, doubled where two meet
TURNS = (4.0, 9.5, 10.0, 11.0, 12.0, 13.0, 14.0, 20.0, 30.0, 33.0, 38.0, 40.0, 45.0)


def option_sets(count: int, seed: int, top: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield option sets; the k-th of a seed is the same however many are asked for."""
    for k in range(count):
        yield option_set(random.Random(f"{seed}/{k}"), top)


def chip_sets() -> Iterator[dict[str, Any]]:
    """Yield test chips of every cell and profile, whatever the seed."""
    yield from (dict(values) for values in CHIPS)


def option_set(rng: random.Random, top: str | None = None) -> dict[str, Any]:
    """Return one option set; most options keep their default, so that each is seen alone."""
    tops, weights = zip(*TOPS, strict=True)
    top = top or rng.choices(tops, weights)[0]
    values: dict[str, Any] = {"top": top, "cell": rng.choice(CELLS)}
    values["rows"], values["cols"] = rng.choice(SHAPES)
    values["profile"] = rng.choices(("stepper", "aligner"), (2, 1))[0]
    busy = rng.choice((0.3, 0.6, 0.9))  # how many of the lengths are set
    if rng.random() < busy:
        values["device_um"] = length(rng, DEVICE)
    if rng.random() < 0.3:
        values["me_width_um"] = length(rng, DEVICE)
    if rng.random() < busy and values["cell"] in SELECTED:
        values["select_w_um"] = length(rng, SELECT)
    if values["cell"] in SELECTED or rng.random() < 0.1:  # the others refuse both
        if rng.random() < 0.4:
            values["strap"] = True
        if rng.random() < 0.4:
            values["cuts"] = rng.choice((1, 2, 4))
        if rng.random() < 0.3:
            values["select_fingers"] = rng.choice((1, 2, 3, 4))
            # every gate is equally wide
            total = values.get("select_w_um", 2.0)
            step = 0.01 * values["select_fingers"]
            values["select_w_um"] = round(max(1, round(total / step)) * step, 2)
    if top != "testchip" and rng.random() < 0.3:
        values["row_ends"] = "both"
    if top != "array":
        values["kelvin"] = rng.random() < 0.4
        values["read_switch"] = rng.choice(("nmos", "nmos", "both"))
        for key in ("switch_wn_um", "switch_wp_um"):
            if rng.random() < busy:
                values[key] = length(rng, SWITCH)
    most = PITCH[1]
    if top != "array" and rng.random() < 0.8:  # lines that mode switches can follow
        most = LINE_PITCH
        for key, low in (("device_um", 1.0), ("me_width_um", 1.0), ("select_w_um", SELECT[0])):
            if key in values:
                values[key] = length(rng, (low, most - 1.0))
    for key, low in least_pitches(values).items():
        if rng.random() < busy:
            values[key] = length(rng, (low, max(low, most)) if low else PITCH)
    if top == "macro" and "row_ends" not in values and rng.random() < 0.2:
        values["periphery"] = rng.choice(("scan", "decoder"))
    return values


def fitted(values: dict[str, Any], process: str) -> dict[str, Any]:
    """Return an option set for a process: its cells, its profiles, what its module draws."""
    tech = get_tech(process=process)
    cells, module = array_cells_on(tech.module), tech.module
    fit = {**values, "process": process}
    if fit["cell"] not in cells:
        fit["cell"] = cells[fit["rows"] % len(cells)]
    if fit.get("profile") not in profile_names(process):
        fit.pop("profile", None)
    if module.stands_within:
        fit.pop("strap", None)
        if fit.get("device_um", 0) > device_range(tech)[1]:
            fit["device_um"] = device_range(tech)[1]
    return fit


def length(rng: random.Random, ends: tuple[float, float]) -> float:
    """Return a length on the grid of 0.01 um: an end, near a turn, or anywhere between."""
    low, high = ends
    how = rng.random()
    if how < 0.08:
        return low
    if how < 0.12:
        return high
    if how < 0.2:
        value = low + 0.01 * rng.randrange(1, 30)
    elif how < 0.4:
        value = rng.choice(TURNS) + 0.01 * rng.randrange(-60, 61)
    else:
        value = low * math.exp(rng.random() * math.log(high / low))
    return round(min(max(value, low), high), 2)


def least_pitches(values: dict[str, Any]) -> dict[str, float | None]:
    """Return the least pitches of a set, in um, or None where it cannot be drawn at all."""
    names = (
        "cell",
        "profile",
        "device_um",
        "me_width_um",
        "select_w_um",
        "strap",
        "cuts",
        "select_fingers",
    )
    return _least(tuple((name, values[name]) for name in names if name in values))


@lru_cache(maxsize=256)
def _least(own: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    try:
        unit = build_top(ArraySpec(1, 1, **dict(own))).unit
    except CrossStackError:
        return {"pitch_x_um": None, "pitch_y_um": None}
    return {"pitch_x_um": unit.width * 1e-3, "pitch_y_um": unit.height * 1e-3}


@dataclass(frozen=True)
class Outcome:
    """What became of an option set.

    Attributes:
        kind: ``accepted``, ``refused`` or ``bad``.
        why: message of a refusal, or what is bad.
    """

    values: dict[str, Any]
    kind: str
    why: str = ""


def judge(values: dict[str, Any]) -> Outcome:
    """Draw a set and check it with our own DRC and LVS."""
    try:
        array = build_top(ArraySpec(**values))
    except ParameterError as error:
        told = str(error)
        good = "\n" not in told and any(key in told for key in ArraySpec.__dataclass_fields__)
        return Outcome(values, "refused" if good else "bad", told)
    except Exception as error:  # whatever else a drawing raises is a fault of ours
        return Outcome(values, "bad", f"{type(error).__name__}: {error}")
    found = faults(array)
    return Outcome(values, "bad" if found else "accepted", found)


def faults(array: Array) -> str:
    """Return what our DRC and LVS say against a layout; empty if nothing."""
    with tempfile.TemporaryDirectory() as folder:
        gds, netlist = Path(folder) / "a.gds", Path(folder) / "a.spice"
        layout = to_layout(array.cell, array.tech)
        layout.write(str(gds))
        netlist.write_text("\n".join(array.netlist_lines()) + "\n", encoding="utf-8")
        drc = run_drc(layout, array.tech)
        lvs = compare_layout(extract_layout(gds, array.tech), netlist, array.tech)
    rules = [f"{run.name} x{run.count}" for run in drc.runs if run.count]
    return "; ".join([*rules[:8], *lvs.errors[:2]])


def foundry_faults(outcomes: list[Outcome]) -> int:
    """Run the foundry's deck on accepted sets; returns how many it finds fault with."""
    from crossstack.drc.foundry import run_foundry_drc

    bad = 0
    for outcome in outcomes:
        array = build_top(ArraySpec(**outcome.values))
        with tempfile.TemporaryDirectory() as folder:
            gds = Path(folder) / "a.gds"
            to_layout(array.cell, array.tech).write(str(gds))
            report = run_foundry_drc(gds, array.tech)
        rules = Counter(item.rule for item in report.items)
        bad += not report.clean
        print(f"foundry {'clean' if report.clean else dict(rules)}  {outcome.values}", flush=True)
    return bad


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--foundry", type=int, default=15, help="sets that the foundry's own deck checks, too"
    )
    parser.add_argument("--chips", type=int, default=len(CHIPS), help="test chips drawn first")
    parser.add_argument("--top", choices=[top for top, _ in TOPS], help="this kind alone")
    parser.add_argument("--process", help="foundry base, by name or folder")
    parser.add_argument("--refused", action="store_true", help="print every refusal, too")
    options = parser.parse_args()
    count: Counter[str] = Counter()
    accepted: list[Outcome] = []
    begin = time.perf_counter()
    chips = [] if options.top else list(chip_sets())[: options.chips]
    sets = chain(chips, option_sets(options.sets, options.seed, options.top))
    if options.process:
        sets = (fitted(values, options.process) for values in sets)
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for outcome in pool.imap(judge, sets):
            count[outcome.kind] += 1
            if outcome.kind == "accepted":
                accepted.append(outcome)
            if outcome.kind == "bad" or (options.refused and outcome.kind == "refused"):
                print(f"{outcome.kind} {outcome.values}\n    {outcome.why}", flush=True)
            if sum(count.values()) % 100 == 0:
                seconds = time.perf_counter() - begin
                most = len(chips) + options.sets
                print(f"{sum(count.values())} of {most}, {seconds:.0f} s: {dict(count)}",
                      flush=True)  # fmt: skip
    bad = count["bad"] + foundry_faults(accepted[:: max(1, len(accepted) // options.foundry)]
                                        if options.foundry else [])  # fmt: skip
    told = ", ".join(f"{count[kind]} {kind}" for kind in ("accepted", "refused", "bad"))
    print(f"{len(chips)} chips, {options.sets} option sets, seed {options.seed}: {told}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
