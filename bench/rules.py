"""Cells on processes that nobody has: rules of a table enlarged at random, drawn, checked, matched.

Each seed enlarges some rules of a process by up to its double, and draws arrays and macros of it.
They must be clean by those very rules and match their netlists; a pitch or width that is refused
is fine. A refusal names the range, anything else is a fault of the drawing.

    python bench/rules.py sky130 --seeds 0-100
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from crossstack.cells import to_layout
from crossstack.drc import run_drc
from crossstack.generators import ArraySpec, build_top
from crossstack.lvs import compare_layout, extract_layout
from crossstack.pdk import ParameterError
from crossstack.pdk.check_ron import measured_at
from crossstack.pdk.home import HOME
from crossstack.pdk.load import load_process
from crossstack.pdk.ron import FILE as RON_FILE

#: kinds whose value may grow, and the step of their values in um
KINDS = {
    "width": 0.01, "gate_length": 0.01, "exact_size": 0.01, "space": 0.005, "separation": 0.005,
    "clear": 0.005, "butt_separation": 0.005, "enclosure": 0.005, "implant_enclosure": 0.005,
    "extension": 0.005, "adjacent": 0.005, "line_end": 0.005, "channel_width": 0.005,
    "wide_space": 0.005, "butt_gate": 0.005, "area": 0.0001,
}  # fmt: skip
#: rules of pads and markers, which no array draws
SPARED = ("pad", "ndmy", "pmndmy", "guard")
SPECS = (
    {"cell": "hybrid"},
    {"cell": "hybrid", "top": "macro"},
    {"cell": "hybrid", "top": "macro", "kelvin": True, "cuts": 2, "strap": True,
     "select_w_um": 4.0},
    {"cell": "passive", "top": "macro"},
)  # fmt: skip


def enlarged(base: str, seed: int, folder: Path) -> Path:
    """Write the folder of a process like `base` with some of its rules larger."""
    rnd, target = random.Random(seed), folder / "process"
    shutil.copytree(HOME / base, target)
    share, most = rnd.choice([0.05, 0.15, 0.4]), rnd.choice([0.2, 0.6, 1.0])
    table = target / "rules.csv"
    rows = [_enlarged(row, rnd, share, most) for row in table.read_text().splitlines()]
    table.write_text("\n".join([*rows, ""]))
    top = target / "process.toml"
    top.write_text(top.read_text().replace(f'name = "{base}"', 'name = "enlarged"'))
    # drawings ask for no resistance: that of other gates would have to be measured
    measured = target / RON_FILE
    values = json.loads(measured.read_text()) | measured_at(load_process(target))
    measured.write_text(json.dumps(values))
    return target


def _enlarged(row: str, rnd: random.Random, share: float, most: float) -> str:
    cells = row.split(",")
    if len(cells) < 4 or cells[1] not in KINDS or cells[2].lower().startswith(SPARED):
        return row
    if rnd.random() < share:
        step = KINDS[cells[1]]
        value = round(float(cells[3]) * (1 + rnd.uniform(0, most)) / step) * step
        # where both figures of a rule are the same they stay so
        same = cells[4] == f"tighter_than={float(cells[3]):g}"
        cells[3] = f"{value:.6g}"
        cells[4] = f"tighter_than={value:.6g}" if same else cells[4]
    return ",".join(cells)


def faults(base: str, seed: int) -> Iterator[str]:
    """Yield what is wrong with the arrays and macros of one seed."""
    with tempfile.TemporaryDirectory(prefix="crossstack_") as name:
        process = enlarged(base, seed, Path(name))
        for values in SPECS[seed % 2 :: 2]:
            try:
                array = build_top(ArraySpec(2, 2, process=str(process), **values))  # type: ignore[arg-type]
            except ParameterError:
                continue
            layout = to_layout(array.cell, array.tech)
            broken = sorted({v.rule for v in run_drc(layout, array.tech).violations})
            netlist = Path(name) / "reference.spice"
            netlist.write_text("\n".join(array.netlist_lines()))
            match = compare_layout(extract_layout(layout, array.tech), netlist).match
            if broken or not match:
                yield f"{base} {seed}: {values}: {', '.join(broken) or 'no match'}"


def main() -> int:
    """Run the seeds that were asked for; 1 if one of them found a fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("process")
    parser.add_argument("--seeds", default="0-20", help="first-last")
    asked = parser.parse_args()
    first, last = map(int, asked.seeds.split("-"))
    count = 0
    for seed in range(first, last + 1):
        for fault in faults(asked.process, seed):
            count += 1
            print(fault, flush=True)
    print(f"{last - first + 1} seeds, {count} faults")
    return min(count, 1)


if __name__ == "__main__":
    sys.exit(main())
