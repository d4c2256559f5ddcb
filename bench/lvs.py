"""Times of layout versus schematic, how they grow with the array, and damages of a large one.

python bench/lvs.py                64 x 64 x 2 .. 1024 x 1024 x 2 arrays, a 64 x 64 x 2 macro
python bench/lvs.py --size 128     one array of another size
python bench/lvs.py --damages 50   random damages of a 256 x 256 x 2 array: found, and in the words
                                   of a comparison of all of it (--of 64: of a smaller array)
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import klayout.db as db
import numpy as np

from crossstack.base.errors import CrossStackError
from crossstack.cells import to_layout
from crossstack.generators import Array, ArraySpec, build_top
from crossstack.lvs import compare_layout, extract_layout

sys.path.insert(0, str(Path(__file__).parent))
import damage

#: size -> seconds allowed from the files to the verdict
LIMITS = {64: 30.0, 128: 30.0, 256: 60.0, 512: 60.0, 1024: 60.0}
SIZES = (64, 128, 256, 512, 1024)
#: how time may grow with the number of cells
MOST_EXPONENT = 1.2
#: a comparison of all devices, whatever repeats
ALL = 1 << 40


def run(size: int, top: str | None, folder: Path) -> tuple[bool, float]:
    """Time one layout; returns whether it matched within its limit, and the seconds of one core.

    How time grows is judged by those: on a busy machine the others say little.
    """
    spec = ArraySpec(rows=size, cols=size) if top is None else ArraySpec(size, size, top=top)
    built = build_top(spec)
    gds, netlist = folder / "a.gds", folder / "a.spice"
    to_layout(built.cell, built.tech).write(str(gds))
    with netlist.open("w") as stream:
        stream.writelines(f"{line}\n" for line in built.netlist_lines())
    start, busy = time.perf_counter(), time.process_time()
    extracted = extract_layout(gds, built.tech)
    report = compare_layout(extracted, netlist)
    total, busy = time.perf_counter() - start, time.process_time() - busy
    report.write(folder / "a.lvsdb")
    database = time.perf_counter() - start - total
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    limit = LIMITS.get(size, 60.0)
    good = report.match and total < limit
    print(
        f"{built.cell.name:<28} {sum(report.devices.values()):>8} devices  {total:6.2f} s "
        f"(limit {limit:g}), {busy:6.2f} s of a core  lvsdb {database:6.2f} s  {peak:6.0f} MB  "
        f"{'repetition' if report.note else 'all'}  "
        f"{'ok' if good else 'NO MATCH' if not report.match else 'SLOW'}",
        flush=True,
    )
    return good, busy


def growth(sizes: tuple[int, ...], seconds: list[float]) -> bool:
    """Print how time grows with the number of cells; returns whether that is bearable."""
    cells = np.log([size * size for size in sizes])
    exponent = float(np.polyfit(cells, np.log(seconds), 1)[0])
    last = float(np.log(seconds[-1] / seconds[-2]) / (cells[-1] - cells[-2]))
    print(f"time grows with cells to the power of {exponent:.2f}; at the end {last:.2f}")
    return max(exponent, last) <= MOST_EXPONENT


def largest_array(top: db.Cell) -> db.Instance:
    """Return the array of cells below a top cell."""
    return max(top.each_inst(), key=lambda one: one.na * one.nb)


def set_apart(layout: db.Layout, row: int, col: int) -> db.Cell:
    """Make one cell of the array another one that is drawn the same, as an editor does."""
    top = layout.top_cell()
    unit = largest_array(top)
    cell, at, dx, dy, nx, ny = unit.cell, unit.trans.disp, unit.a.x, unit.b.y, unit.na, unit.nb
    own = layout.create_cell("by_hand")
    own.copy_shapes(cell)
    own.copy_instances(cell)
    unit.delete()
    blocks = [(cell, 0, 0, nx, row), (cell, 0, row, col, 1), (own, col, row, 1, 1)]
    blocks += [(cell, col + 1, row, nx - col - 1, 1), (cell, 0, row + 1, nx, ny - row - 1)]
    for which, x, y, count_x, count_y in blocks:
        if count_x > 0 and count_y > 0:
            trans = db.Trans(at.x + x * dx, at.y + y * dy)
            step = (db.Vector(dx, 0), db.Vector(0, dy), count_x, count_y)
            top.insert(db.CellInstArray(which.cell_index(), trans, *step))
    return own


class OneCell(damage.Damaged):
    """A large array, one cell of which is damaged, anywhere."""

    def __init__(self, array: Array, rng: random.Random) -> None:
        super().__init__(array, rng)
        unit = largest_array(self.top)
        self.at = (rng.randrange(unit.nb), rng.randrange(unit.na))
        self.own = set_apart(self.layout, *self.at)

    def cell(self) -> db.Cell:
        return self.own


def rewired(lines: list[str], rng: random.Random) -> str:
    """Do one slip to the netlist: a call with other nets, or none, or one more."""
    calls = [k for k, line in enumerate(lines) if line.startswith("X")]
    at = rng.choice(calls)
    name, *nets, cell = lines[at].split(" ")
    what = rng.choice(("exchanged", "other", "missing", "twice"))
    if what == "exchanged":
        one, two = rng.sample(range(len(nets)), 2)
        nets[one], nets[two] = nets[two], nets[one]
    elif what == "other":
        other = lines[rng.choice(calls)].split(" ")[1:-1]
        k = rng.randrange(len(nets) - 1)
        nets[k] = other[k]
    lines[at] = "*" if what == "missing" else " ".join([name, *nets, cell])
    if what == "twice":
        lines.insert(at, " ".join([f"{name}_more", *nets, cell]))
    return f"netlist: {name} {what}"


def one_damage(
    array: Array, lines: list[str], netlist: Path, rng: random.Random
) -> tuple[str, db.Layout] | None:
    """Damage one cell, any cell, or the netlist."""
    way: Callable[[Array, random.Random], damage.Damaged]
    way = rng.choice((OneCell, OneCell, damage.Damaged))
    lines = list(lines)
    try:
        if rng.random() < 0.3:
            damaged, what = damage.Damaged(array, rng), rewired(lines, rng)
        else:
            damaged = way(array, rng)
            kind = rng.choice(damage.KINDS)
            what = f"{kind.__name__}: {kind(damaged)} at {getattr(damaged, 'at', 'all')}"
    except LookupError:
        return None
    netlist.write_text("\n".join(lines) + "\n")
    return what, damaged.layout


def damages(count: int, size: int, seed: int, folder: Path) -> bool:
    """Compare damaged arrays by what is unique in them, and in full; say where both differ."""
    array = build_top(ArraySpec(rows=size, cols=size))
    lines, netlist = list(array.netlist_lines()), folder / "a.spice"
    number = tried = alike = matched = 0
    bad: list[str] = []
    while number < count:
        tried += 1
        done = one_damage(array, lines, netlist, random.Random(f"{seed}/{tried}"))
        if done is None:
            continue
        what, layout = done
        try:
            extracted = extract_layout(layout, array.tech)
            start = time.perf_counter()
            found = compare_layout(extracted, netlist, large=1)
            middle = time.perf_counter()
            # what was extracted for the first is not taken for the second, nor the reverse
            wanted = compare_layout(extract_layout(layout, array.tech), netlist, large=ALL)
        except CrossStackError as error:
            print(f"refused: {what}: {str(error)[:100]}")
            continue
        number += 1
        same = (found.match, found.errors) == (wanted.match, wanted.errors)
        same = same and found.devices == wanted.devices
        alike += same
        matched += wanted.match
        if not same:
            bad.append(what)
        print(
            f"{'same' if same else 'OTHER'} {'match' if found.match else 'found'} "
            f"{middle - start:6.1f} s, in full {time.perf_counter() - middle:6.1f} s: {what}",
            flush=True,
        )
    print(f"{count} damages: {alike} alike ({matched} of them harmless), {len(bad)} not: {bad}")
    return not bad


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, help="rows and columns of one array")
    parser.add_argument("--damages", type=int, default=0, help="number of random damages")
    parser.add_argument("--of", type=int, default=256, help="rows and columns of the damaged array")
    parser.add_argument("--seed", type=int, default=1, help="of the damages")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.damages:
            return 0 if damages(options.damages, options.of, options.seed, folder) else 1
        if options.size:
            return 0 if run(options.size, None, folder)[0] else 1
        good = [run(64, "macro", folder)[0]]
        timed = [run(size, None, folder) for size in SIZES]
    slow = not growth(SIZES, [seconds for _, seconds in timed])
    return 1 if slow or not all([*good, *(ok for ok, _ in timed)]) else 0


if __name__ == "__main__":
    sys.exit(main())
