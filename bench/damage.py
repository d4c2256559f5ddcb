"""Random damages of an array and a macro: none that changes the circuit or breaks a rule passes.

Each damage is one slip in an editor: a shape deleted, moved, shrunk, grown, copied or bridged to
its neighbour, a via, label or placement changed, a layer of nobody drawn over it. DRC and LVS
judge the damaged layout; where both pass, a judge of its own looks: does the drawing differ at
all, is the circuit another one (nets and devices by formulas written anew here, compared by their
labels), and, on some, does the foundry's deck object. A damage that passes and is not harmless is
a fault of ours.

python bench/damage.py                    300 damages, seed 1
python bench/damage.py --count 40 --seed 7 --foundry 5
"""

from __future__ import annotations

import argparse
import collections
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import klayout.db as db

from crossstack.base.errors import CrossStackError
from crossstack.cells import to_layout
from crossstack.drc import run_drc
from crossstack.generators import Array, ArraySpec, build_top
from crossstack.lvs import Reference, compare_layout, extract_layout, read_netlist
from crossstack.pdk import Tech

sys.path.insert(0, str(Path(__file__).parent))
from drawn import circuit, same_drawing, signature

SPECS = (ArraySpec(rows=4, cols=4, name="array"), ArraySpec(rows=4, cols=3, top="macro", name="m"))
#: steps of a move or of a grown edge in nm: on the grid, and off it
STEPS = (5, 10, 50, 100, 250, 500, 1000, 3000, 1)
#: layers of which one is drawn over something; the last are nobody's
ALIEN = ((55, 0), (5, 0), (49, 0), (12, 0), (110, 5), (112, 1), (24, 0), (99, 7), (143, 0))


class Damaged:
    """A layout that one damage is done to; hierarchy as generated, so that cells repeat."""

    def __init__(self, array: Array, rng: random.Random) -> None:
        self.tech, self.rng = array.tech, rng
        self.layout = to_layout(array.cell, array.tech)
        self.top = self.layout.top_cell()

    def cell(self) -> db.Cell:
        """Return the top, or one of the cells below it."""
        cells = [self.layout.cell(i) for i in sorted(self.top.called_cells())]
        return self.rng.choice([self.top, *cells])

    def shape(self, layer: str | None = None) -> tuple[str, db.Cell, db.Shape]:
        """Return a shape with area: layer, cell and shape."""
        names = [layer] if layer else [x.name for x in self.tech.layers]
        for _ in range(400):
            name, cell = self.rng.choice(names), self.cell()
            index = self.layout.find_layer(*self.tech.gds(name))
            found = [] if index is None else [*cell.shapes(index).each(db.Shapes.SRegions)]
            if found:
                return name, cell, self.rng.choice(found)
        raise LookupError("no such shape")

    def step(self) -> int:
        """Return a signed step in nm."""
        return self.rng.choice(STEPS) * self.rng.choice((-1, 1))


def delete(d: Damaged) -> str:
    """Delete a shape."""
    name, cell, shape = d.shape()
    shape.delete()
    return f"{name} of {cell.name}"


def delete_cut(d: Damaged) -> str:
    """Delete a contact or via."""
    name, cell, shape = d.shape(d.rng.choice(sorted({cut.layer for cut in d.tech.cuts})))
    shape.delete()
    return f"{name} of {cell.name}"


def move(d: Damaged) -> str:
    """Move a shape along x or y."""
    name, cell, shape = d.shape()
    step = d.step()
    shape.transform(db.Trans(step, 0) if d.rng.random() < 0.5 else db.Trans(0, step))
    return f"{name} of {cell.name} by {step}"


def resize(d: Damaged) -> str:
    """Grow or shrink a shape at one edge."""
    name, cell, shape = d.shape()
    box, step = shape.bbox(), d.step()
    sides = {side: getattr(box, side) for side in ("left", "bottom", "right", "top")}
    side = d.rng.choice([*sides])
    sides[side] += step
    if sides["left"] >= sides["right"] or sides["bottom"] >= sides["top"]:
        raise LookupError("nothing would be left")
    shape.box = db.Box(*sides.values())
    return f"{side} of {name} of {cell.name} by {step}"


def copy(d: Damaged) -> str:
    """Copy a shape beside itself."""
    name, cell, shape = d.shape()
    step = d.step()
    cell.shapes(d.layout.layer(*d.tech.gds(name))).insert(shape.bbox().moved(step, d.step()))
    return f"{name} of {cell.name} by {step}"


def notch(d: Damaged) -> str:
    """Cut a strip out of a shape, right across it."""
    name, cell, shape = d.shape()
    box, width = shape.bbox(), abs(d.step()) or 5
    at = d.rng.randrange(box.left, max(box.right, box.left + 1), 5)
    rest = db.Region(box) - db.Region(db.Box(at, box.bottom, at + width, box.top))
    shapes = cell.shapes(d.layout.layer(*d.tech.gds(name)))
    shape.delete()
    shapes.insert(rest)
    return f"{name} of {cell.name}, {width} wide"


def bridge(d: Damaged) -> str:
    """Join two shapes of one cell and layer."""
    name, cell, shape = d.shape()
    shapes = cell.shapes(d.layout.layer(*d.tech.gds(name)))
    other = d.rng.choice([*shapes.each(db.Shapes.SRegions)])
    a, b = shape.bbox().center(), other.bbox().center()
    half = d.rng.choice((140, 250, 500))
    shapes.insert(db.Box(min(a.x, b.x) - half, a.y - half, max(a.x, b.x) + half, a.y + half))
    shapes.insert(db.Box(b.x - half, min(a.y, b.y) - half, b.x + half, max(a.y, b.y) + half))
    return f"{name} of {cell.name}"


def add(d: Damaged) -> str:
    """Draw a rectangle anywhere on a layer of the process."""
    cell, layer = d.cell(), d.rng.choice(d.tech.layers)
    box = cell.bbox()
    x = d.rng.randrange(box.left, max(box.right, box.left + 5), 5)
    y = d.rng.randrange(box.bottom, max(box.top, box.bottom + 5), 5)
    width, height = (d.rng.choice((100, 260, 500, 1000, 3000)) for _ in range(2))
    cell.shapes(d.layout.layer(*layer.gds)).insert(db.Box(x, y, x + width, y + height))
    return f"{layer.name} in {cell.name} at ({x}, {y})"


def _instance(d: Damaged) -> tuple[db.Cell, db.Instance]:
    for _ in range(200):
        cell = d.cell()
        found = [*cell.each_inst()]
        if found:
            return cell, d.rng.choice(found)
    raise LookupError("no placement")


def delete_instance(d: Damaged) -> str:
    """Delete a placement."""
    cell, inst = _instance(d)
    name = inst.cell.name
    inst.delete()
    return f"{name} in {cell.name}"


def move_instance(d: Damaged) -> str:
    """Move a placement."""
    cell, inst = _instance(d)
    step = d.step()
    inst.transform(db.Trans(step, 0) if d.rng.random() < 0.5 else db.Trans(0, step))
    return f"{inst.cell.name} in {cell.name} by {step}"


def turn_instance(d: Damaged) -> str:
    """Mirror or turn a placement about its middle."""
    cell, inst = _instance(d)
    centre = inst.bbox().center()
    turn = d.rng.choice((db.Trans.M0, db.Trans.M90, db.Trans.R180, db.Trans.R90))
    inst.transform(db.Trans(-centre.x, -centre.y))
    inst.transform(db.Trans(turn))
    inst.transform(db.Trans(centre.x, centre.y))
    return f"{inst.cell.name} in {cell.name}"


def pitch(d: Damaged) -> str:
    """Change the pitch or the counts of an array of placements."""
    arrays = [
        (cell, inst)
        for cell in (d.top, *(d.layout.cell(i) for i in d.top.called_cells()))
        for inst in cell.each_inst()
        if inst.is_regular_array()
    ]
    if not arrays:
        raise LookupError("no array")
    cell, inst = d.rng.choice(arrays)
    step = d.step()
    what = d.rng.choice(("a", "b", "na", "nb"))
    if what == "a":
        inst.a = db.Vector(inst.a.x + step, inst.a.y)
    elif what == "b":
        inst.b = db.Vector(inst.b.x, inst.b.y + step)
    elif what == "na":
        inst.na = max(1, inst.na + d.rng.choice((-1, 1)))
    else:
        inst.nb = max(1, inst.nb + d.rng.choice((-1, 1)))
    return f"{what} of {inst.cell.name} in {cell.name} by {step}"


def _texts(d: Damaged) -> list[db.Shape]:
    found = [
        shape
        for index in d.layout.layer_indexes()
        for shape in d.top.shapes(index).each(db.Shapes.STexts)
    ]
    return sorted(found, key=lambda s: (s.text.string, s.text.x, s.text.y))


def swap_labels(d: Damaged) -> str:
    """Exchange two labels."""
    one, two = d.rng.sample(_texts(d), 2)
    a, b = one.text, two.text
    one.text, two.text = db.Text(b.string, a.trans), db.Text(a.string, b.trans)
    return f"{a.string} and {b.string}"


def change_label(d: Damaged) -> str:
    """Delete, rename or move a label."""
    shape = d.rng.choice(_texts(d))
    name = shape.text.string
    what = d.rng.choice(("deleted", "renamed", "moved"))
    if what == "deleted":
        shape.delete()
    elif what == "renamed":
        shape.text = db.Text(name + "x", shape.text.trans)
    else:
        shape.transform(db.Trans(d.step() * 20, d.step() * 20))
    return f"{name} {what}"


def change_layer(d: Damaged) -> str:
    """Put a shape on another layer."""
    name, cell, shape = d.shape()
    other = d.rng.choice([x for x in d.tech.layers if x.name != name])
    cell.shapes(d.layout.layer(*other.gds)).insert(shape.bbox())
    shape.delete()
    return f"{name} of {cell.name} to {other.name}"


def alien(d: Damaged) -> str:
    """Draw a layer that is not described over a shape."""
    name, cell, shape = d.shape()
    pair = d.rng.choice(ALIEN)
    cell.shapes(d.layout.layer(*pair)).insert(shape.bbox().enlarged(200, 200))
    return f"{pair[0]}/{pair[1]} over {name} of {cell.name}"


KINDS: tuple[Callable[[Damaged], str], ...] = (
    delete, delete_cut, move, move, resize, resize, copy, notch, bridge, add, delete_instance,
    move_instance, turn_instance, pitch, swap_labels, change_label, change_layer, alien,
)  # fmt: skip


def reference_of(array: Array) -> Reference:
    """Return the reference netlist of an array."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reference.spice"
        path.write_text("\n".join(array.netlist_lines()) + "\n", encoding="utf-8")
        return read_netlist(path, array.cell.name, models=array.tech.nets.models)


def caught(layout: db.Layout, tech: Tech, reference: Reference) -> str:
    """Return what our checks say against a layout, "" if it passes."""
    try:
        lvs = compare_layout(extract_layout(layout, tech), reference, tech)
        if lvs.errors:
            return f"lvs {lvs.errors[0]}"
        drc = run_drc(layout, tech)
        broken = {rule: n for rule, n in drc.by_rule.items() if n}
        return f"drc {broken}" if broken else f"noted {drc.notes[0]}" if drc.notes else ""
    except CrossStackError as error:
        return f"refused {error}"


def foundry_objects(layout: db.Layout, tech: Tech) -> str:
    """Return what the foundry's deck says against a layout."""
    from crossstack.drc import run_foundry_drc

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.gds"
        layout.write(str(path))
        report = run_foundry_drc(path, tech)
    return ", ".join(sorted({item.rule for item in report.items}))


@dataclass
class Tally:
    """Outcomes of a run."""

    caught: int = 0
    harmless: int = 0
    bad: list[str] = field(default_factory=list)
    kinds: collections.Counter[str] = field(default_factory=collections.Counter)


def run(count: int, seed: int, foundry: int = 0, say: Callable[[str], None] = print) -> Tally:
    """Do `count` damages, half to an array and half to a macro.

    Args:
        count: number of damages.
        seed: of the random numbers.
        foundry: of how many that pass the foundry's deck is asked.
        say: prints a line.
    """
    tally = Tally()
    arrays = [build_top(spec) for spec in SPECS]
    references = [reference_of(array) for array in arrays]
    originals = [to_layout(array.cell, array.tech) for array in arrays]
    before = [
        signature(circuit(layout, array.tech, reference.pins))
        for layout, array, reference in zip(originals, arrays, references, strict=True)
    ]
    number, tried = 0, 0
    while number < count:
        tried += 1
        rng = random.Random(f"{seed}/{tried}")
        which = number % len(arrays)
        array = arrays[which]
        damaged, kind = Damaged(array, rng), rng.choice(KINDS)
        try:
            what = f"{array.cell.name}: {kind.__name__}: {kind(damaged)}"
        except LookupError:
            continue
        number += 1
        if found := caught(damaged.layout, array.tech, references[which]):
            tally.caught += 1
            tally.kinds[found.split()[0]] += 1
            continue
        if same_drawing(originals[which], damaged.layout, array.tech):
            tally.harmless += 1
            continue
        pins = references[which].pins
        if signature(circuit(damaged.layout, array.tech, pins)) != before[which]:
            tally.bad.append(f"{what}: another circuit")
            say(f"PASSED, though another circuit: {what} (try {tried})")
            continue
        if foundry > 0 and (objections := foundry_objects(damaged.layout, array.tech)):
            tally.bad.append(f"{what}: {objections}")
            say(f"PASSED, though the foundry's deck says {objections}: {what} (try {tried})")
            continue
        foundry -= 1
        tally.harmless += 1
        say(f"harmless: {what}")
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="damages (default 300)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--foundry", type=int, default=0, help="passes shown to the foundry's deck")
    options = parser.parse_args()
    start = time.perf_counter()
    tally = run(options.count, options.seed, options.foundry, lambda t: print(t, flush=True))
    by = ", ".join(f"{n} by {kind}" for kind, n in tally.kinds.most_common())
    print(
        f"{options.count} damages: {tally.caught} caught ({by}), {tally.harmless} harmless, "
        f"{len(tally.bad)} bad; {time.perf_counter() - start:.0f} s"
    )
    return 1 if tally.bad else 0


if __name__ == "__main__":
    sys.exit(main())
