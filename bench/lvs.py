"""Times of layout versus schematic: extraction, flat view, comparison and netlist database.

python bench/lvs.py                64 x 64 x 2 and 256 x 256 x 2 arrays, a 64 x 64 x 2 macro
python bench/lvs.py --size 128     one array of another size
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

from crossstack.cells import to_layout
from crossstack.generators import ArraySpec, build_top
from crossstack.lvs import compare_layout, extract_layout

#: size -> seconds allowed from the files to the verdict
LIMITS = {64: 30.0, 256: 60.0}


def run(size: int, top: str | None, folder: Path) -> bool:
    """Time one layout; returns whether it matched within its limit."""
    spec = ArraySpec(rows=size, cols=size) if top is None else ArraySpec(size, size, top=top)
    built = build_top(spec)
    gds, netlist = folder / "a.gds", folder / "a.spice"
    to_layout(built.cell, built.tech).write(str(gds))
    netlist.write_text("\n".join(built.netlist_lines()) + "\n")
    start = time.perf_counter()
    extracted = extract_layout(gds, built.tech)
    first = time.perf_counter()
    devices = len(extracted.flat.devices)
    second = time.perf_counter()
    report = compare_layout(extracted, netlist)
    third = time.perf_counter()
    report.write(folder / "a.lvsdb")
    fourth = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    total, limit = third - start, LIMITS.get(size, 60.0)
    good = report.match and total < limit
    print(
        f"{built.cell.name:<28} {devices:>8} devices  extract {first - start:6.2f}  "
        f"flat {second - first:6.2f}  compare {third - second:6.2f}  = {total:6.2f} s "
        f"(limit {limit:g})  lvsdb {fourth - third:6.2f} s  {peak:6.0f} MB  "
        f"{'ok' if good else 'NO MATCH' if not report.match else 'SLOW'}",
        flush=True,
    )
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, help="rows and columns of one array")
    size = parser.parse_args().size
    cases = [(size, None)] if size else [(64, None), (64, "macro"), (256, None)]
    with tempfile.TemporaryDirectory() as folder:
        good = [run(n, top, Path(folder)) for n, top in cases]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
