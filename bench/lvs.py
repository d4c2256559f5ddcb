"""Times of layout versus schematic, how they grow with the array, and damages of a large one.

python bench/lvs.py                64 x 64 x 2 .. 1024 x 1024 x 2 arrays, a 64 x 64 x 2 macro
python bench/lvs.py --size 128     one array of another size
python bench/lvs.py --damages 50   random damages of a 256 x 256 x 2 array: found, and in the words
                                   of a comparison of all of it (--of 64: of a smaller array)
python bench/lvs.py --damages 50 --results found.jsonl
                                   keeps one line a damage; what is in the file is not done again
"""

from __future__ import annotations

import argparse
import collections
import itertools
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import klayout.db as db
import numpy as np

from crossstack.base.errors import CrossStackError
from crossstack.cells import to_layout
from crossstack.generators import Array, ArraySpec, build_top
from crossstack.lvs import compare_layout, extract_layout

sys.path.insert(0, str(Path(__file__).parent))
import damage
import drawn

#: size -> seconds allowed from the files to the verdict
LIMITS = {64: 30.0, 128: 30.0, 256: 60.0, 512: 60.0, 1024: 60.0}
SIZES = (64, 128, 256, 512, 1024)
#: how time may grow with the number of cells
MOST_EXPONENT = 1.2
#: a comparison of all devices, whatever repeats
ALL = 1 << 40
#: um by which a channel is drawn too narrow, and of a gap in a wire or a bridge between two
NARROWER_UM, GAP_UM = 0.05, 0.3
#: words of a comparison that a results file keeps
MOST_WORDS = 6


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


def wires(damaged: damage.Damaged) -> tuple[str, db.Shapes, list[db.Polygon]]:
    """Return a wiring layer of one cell, what it draws, and its pieces."""
    cell = damaged.cell()
    cell.flatten(-1, True)
    names = [name for name in drawn.WIRES if name in {x.name for x in damaged.tech.layers}]
    for name in damaged.rng.sample(names, len(names)):
        shapes = cell.shapes(damaged.layout.layer(*damaged.tech.gds(name)))
        pieces = sorted(db.Region(shapes).merged().each(), key=str)
        if len(pieces) > 1:
            return name, shapes, pieces
    raise LookupError("no wires")


def opened(damaged: damage.Damaged) -> str:
    """Cut one wire of a cell through."""
    name, shapes, pieces = wires(damaged)
    box = damaged.rng.choice(pieces).bbox()
    gap = round(GAP_UM / damaged.layout.dbu)
    middle, half = box.center(), gap // 2
    if box.width() > box.height():
        strip = db.Box(middle.x - half, box.bottom, middle.x + half, box.top)
    else:
        strip = db.Box(box.left, middle.y - half, box.right, middle.y + half)
    rest = db.Region(shapes) - db.Region(strip)
    shapes.clear()
    shapes.insert(rest)
    return f"{name}, {GAP_UM:g} um"


def shorted(damaged: damage.Damaged) -> str:
    """Join two wires of a cell."""
    name, shapes, pieces = wires(damaged)
    one, two = damaged.rng.sample(pieces, 2)
    a, b = one.bbox().center(), two.bbox().center()
    half = round(GAP_UM / damaged.layout.dbu) // 2
    path = db.Path([a, db.Point(b.x, a.y), b], 2 * half)
    shapes.insert(path.polygon())
    return name


def missing_memristor(damaged: damage.Damaged) -> str:
    """Delete the films of one memristor."""
    cell, tier = damaged.cell(), damaged.rng.choice("BT")
    cell.flatten(-1, True)
    gone = 0
    for name in (f"TIO2_{tier}", f"TIO2X_{tier}"):
        shapes = cell.shapes(damaged.layout.layer(*damaged.tech.gds(name)))
        gone += shapes.size()
        shapes.clear()
    if not gone:
        raise LookupError("no memristor")
    return f"tier {tier}"


def wrong_width(damaged: damage.Damaged) -> str:
    """Draw the channel of one transistor narrower."""
    cell = damaged.cell()
    cell.flatten(-1, True)
    diffusion, poly = (
        cell.shapes(damaged.layout.layer(*damaged.tech.gds(name))) for name in ("COMP", "Poly2")
    )
    crossed = db.Region(diffusion).merged().interacting(db.Region(poly))
    boxes = sorted((one.bbox() for one in crossed.each()), key=str)
    if not boxes:
        raise LookupError("no transistor")
    box = damaged.rng.choice(boxes)
    gate = (db.Region(poly) & db.Region(box)).bbox()
    step = round(NARROWER_UM / damaged.layout.dbu)
    # the gate crosses the diffusion, which is as wide along the gate as the channel
    if gate.height() == box.height():
        strip = db.Box(box.left, box.top - step, box.right, box.top)
    else:
        strip = db.Box(box.right - step, box.bottom, box.right, box.top)
    rest = db.Region(diffusion) - db.Region(strip)
    diffusion.clear()
    diffusion.insert(rest)
    return f"{NARROWER_UM:g} um narrower"


#: slips that a large array must be seen to survive; `damage.KINDS` has them and many more
NAMED: dict[str, Callable[[damage.Damaged], str]] = {
    "open": opened,
    "short": shorted,
    "moved device": damage.move_instance,
    "missing memristor": missing_memristor,
    "exchanged labels": damage.swap_labels,
    "missing cut": damage.delete_cut,
    "wrong width": wrong_width,
    "missing part": damage.delete_instance,
}


def one_damage(
    array: Array, lines: list[str], netlist: Path, rng: random.Random
) -> tuple[str, db.Layout] | None:
    """Damage one cell, any cell, or the netlist."""
    lines = list(lines)
    try:
        if rng.random() < 0.2:
            damaged, what = damage.Damaged(array, rng), rewired(lines, rng)
        elif rng.random() < 0.7:
            damaged, name = OneCell(array, rng), rng.choice([*NAMED])
            at = "" if name == "exchanged labels" else f" at {damaged.at}"
            what = f"{name}: {NAMED[name](damaged)}{at}"
        else:
            damaged = rng.choice((OneCell, damage.Damaged))(array, rng)
            kind = rng.choice(damage.KINDS)
            what = f"{kind.__name__}: {kind(damaged)} at {getattr(damaged, 'at', 'all')}"
    except LookupError:
        return None
    netlist.write_text("\n".join(lines) + "\n")
    return what, damaged.layout


def judged(what: str, layout: db.Layout, array: Array, netlist: Path) -> dict[str, Any]:
    """Compare one damaged layout by what is unique in it, and in full."""
    times = [time.perf_counter()]
    found: list[dict[str, Any]] = []
    for large in (1, ALL):
        # what was extracted for the first is not taken for the second, nor the reverse
        try:
            report = compare_layout(extract_layout(layout, array.tech), netlist, large=large)
            words = [str(error) for error in report.errors]
            found.append({"match": report.match, "words": words, "devices": report.devices})
        except CrossStackError as error:
            found.append({"match": False, "words": [f"refused: {error}"], "devices": {}})
        times.append(time.perf_counter())
    return {
        "what": what,
        "same": found[0] == found[1],
        "match": found[1]["match"],
        "findings": [len(each["words"]) for each in found],
        "words": found[1]["words"][:MOST_WORDS],
        "seconds": [round(b - a, 1) for a, b in itertools.pairwise(times)],
        "peak_MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def told(result: dict[str, Any]) -> str:
    """Say what came of one damage."""
    ours, full = result["seconds"]
    first = result["words"][0] if result["words"] else "no difference"
    return (
        f"{'same' if result['same'] else 'OTHER'} {'match' if result['match'] else 'found'} "
        f"{ours:6.1f} s, in full {full:6.1f} s, {result['peak_MB']:5d} MB: {result['what']} -> "
        f"{result['findings'][1]}, {first[:100]}"
    )


def kept(results: Path | None, asked: dict[str, int]) -> dict[int, dict[str, Any]]:
    """Return what a results file holds, by try.

    Raises:
        SystemExit: if it is of other damages.
    """
    if results is None or not results.exists():
        return {}
    # a line that a killed run left unfinished is done again
    text = results.read_text()
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        results.write_text(whole)
    lines = [json.loads(line) for line in whole.splitlines()]
    if any(line["of"] != asked for line in lines):
        raise SystemExit(f"{results} holds damages of {lines[0]['of']}, asked: {asked}")
    return {line["try"]: line for line in lines}


def damages(count: int, size: int, seed: int, folder: Path, results: Path | None) -> bool:
    """Compare damaged arrays by what is unique in them, and in full; say where both differ."""
    array = build_top(ArraySpec(rows=size, cols=size))
    lines, netlist = list(array.netlist_lines()), folder / "a.spice"
    asked = {"size": size, "seed": seed}
    known = kept(results, asked)
    done: list[dict[str, Any]] = []
    tried = 0
    while len(done) < count:
        tried += 1
        result = known.get(tried)
        if result is None:
            drawn = one_damage(array, lines, netlist, random.Random(f"{seed}/{tried}"))
            if drawn is None:
                continue
            result = {"of": asked, "try": tried, **judged(*drawn, array, netlist)}
            if results is not None:
                with results.open("a") as stream:
                    stream.write(json.dumps(result) + "\n")
        done.append(result)
        print(f"{len(done):>3} {told(result)}", flush=True)
    bad = [one["what"] for one in done if not one["same"]]
    harmless = sum(one["match"] for one in done)
    ours, full = (sum(one["seconds"][k] for one in done) / count for k in (0, 1))
    kinds = collections.Counter(one["what"].split(":")[0] for one in done)
    print(", ".join(f"{n} {kind}" for kind, n in kinds.most_common()))
    print(
        f"{count} damages of {size} x {size} x 2: {count - len(bad)} in the same words "
        f"({harmless} of them change nothing), {len(bad)} not: {bad}; {ours:.1f} s a damage, in "
        f"full {full:.1f} s, at most {max(one['peak_MB'] for one in done)} MB"
    )
    return not bad


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, help="rows and columns of one array")
    parser.add_argument("--damages", type=int, default=0, help="number of random damages")
    parser.add_argument("--of", type=int, default=256, help="rows and columns of the damaged array")
    parser.add_argument("--seed", type=int, default=1, help="of the damages")
    parser.add_argument("--results", type=Path, help="file of the damages that are done")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.damages:
            given = options.damages, options.of, options.seed, folder, options.results
            return 0 if damages(*given) else 1
        if options.size:
            return 0 if run(options.size, None, folder)[0] else 1
        good = [run(64, "macro", folder)[0]]
        timed = [run(size, None, folder) for size in SIZES]
    slow = not growth(SIZES, [seconds for _, seconds in timed])
    return 1 if slow or not all([*good, *(ok for ok, _ in timed)]) else 0


if __name__ == "__main__":
    sys.exit(main())
