"""Damage an array in every way we know and write damage.md: `python docs/make_damage.py`.

Each damage is one that a slip in a layout editor or in a generator makes. The page says which
check finds it; a damage that no check finds stops the script with exit code 1.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import klayout.db as db

from crossstack.cells.drawing import to_layout
from crossstack.drc import run_drc
from crossstack.generators import Array, ArraySpec, build_array
from crossstack.lvs import Reference, compare_layout, extract_layout, read_netlist
from crossstack.pdk import Tech

HERE = Path(__file__).parent
GRID = 5
FILMS_BOTTOM = ("TIO2_B", "TIO2X_B")


class Drawing:
    """A flat copy of an array, to be damaged; all lengths in nm, the database unit."""

    def __init__(self, array: Array) -> None:
        self.tech: Tech = array.tech
        self.layout = to_layout(array.cell, self.tech)
        self.top = self.layout.top_cell()
        self.top.flatten(True)

    def layer(self, name: str) -> int:
        """Return the index of a named layer."""
        return self.layout.layer(*self.tech.gds(name))

    def region(self, name: str) -> db.Region:
        """Return what a layer draws, merged."""
        return db.Region(self.top.begin_shapes_rec(self.layer(name))).merged()

    def cut(self, name: str, box: db.Box) -> None:
        """Remove a box from a layer."""
        self.put(name, self.region(name) - db.Region(box))

    def add(self, name: str, box: db.Box) -> None:
        """Draw a box on a layer."""
        self.top.shapes(self.layer(name)).insert(box)

    def move(self, name: str, box: db.Box, dx: int) -> None:
        """Move a rectangle of a layer to the right."""
        self.cut(name, box)
        self.add(name, box.moved(dx, 0))

    def first(self, name: str, touching: str | None = None) -> db.Box:
        """Return the south-westmost shape of a layer, or of those touching another layer."""
        found = self.region(name)
        if touching is not None:
            found = found.interacting(self.region(touching))
        return min((p.bbox() for p in found.each()), key=lambda b: (b.bottom, b.left))

    def crossing(self, electrode: str, column: int = 0) -> db.Box:
        """Return a device's crossing of an electrode and ME in the first row."""
        found = [p.bbox() for p in (self.region(electrode) & self.region("ME")).each()]
        row = min(box.bottom for box in found)
        return sorted((b for b in found if b.bottom == row), key=lambda b: b.left)[column]

    def line(self, pin: str, conductor: str) -> db.Box:
        """Return the box of the conductor below a pin's label."""
        for shape in self.top.shapes(self.layer(f"{conductor}_Label")).each(db.Shapes.STexts):
            if shape.text.string == pin:
                at = db.Region(db.Box(-1, -1, 1, 1).moved(shape.text.x, shape.text.y))
                (box,) = (p.bbox() for p in self.region(conductor).interacting(at).each())
                return box
        raise LookupError(pin)

    def exchange(self, conductor: str, one: str, other: str) -> None:
        """Exchange two labels."""
        shapes = self.top.shapes(self.layer(f"{conductor}_Label"))
        names = {one: other, other: one}
        for shape in list(shapes.each(db.Shapes.STexts)):
            if (name := names.get(shape.text.string)) is not None:
                shape.text = db.Text(name, shape.text.trans)

    def put(self, name: str, region: db.Region) -> None:
        """Draw a region as the whole content of a layer; labels stay."""
        shapes = self.top.shapes(self.layer(name))
        for shape in list(shapes.each(db.Shapes.SRegions)):
            shape.delete()
        shapes.insert(region)


def row_cut(d: Drawing) -> None:
    """Open the bottom tier's first row line between its first two cells."""
    line = d.line("BR[0]", "Metal3")
    x = (d.crossing("BE").center().x + d.crossing("BE", 1).center().x) // 2 // GRID * GRID
    d.cut("Metal3", db.Box(x, line.bottom, x + 300, line.top))


def columns_shorted(d: Drawing) -> None:
    """Join the first two columns by a strip as wide as themselves, away from every device."""
    left, right = d.crossing("TE"), d.crossing("TE", 1)
    y = left.top + 500
    d.add("ME", db.Box(left.right, y, right.left, y + left.width()))


def tiers_shorted(d: Drawing) -> None:
    """Join the first row's two tiers by a via between their lines."""
    box = (d.region("Metal3") & d.region("Metal4")).bbox()
    low, high = d.line("BR[0]", "Metal3"), d.line("TR[0]", "Metal4")
    both = low & high
    side, x = d.first("Via3").width(), box.left + 300
    d.add("Via3", db.Box(x, both.bottom + 500, x + side, both.bottom + 500 + side))


def too_near(d: Drawing) -> None:
    """Widen a row line until the space to the next one is 5 nm less than the rule's."""
    low, high = d.line("BR[0]", "Metal3"), d.line("BR[1]", "Metal3")
    y = high.bottom - round(d.tech.rule("M3.2a") * 1000) + GRID
    d.add("Metal3", db.Box(low.left, low.top, low.left + 900, y))


def enclosure(d: Drawing) -> None:
    """Take 5 nm off a Metal5 pad where it encloses a module via by no more than the rule."""
    via = d.first("VTE")
    edge = via.left - round(d.tech.rule("VTE.4") * 1000)
    d.cut("Metal5", db.Box(edge - 500, via.bottom - 500, edge + GRID, via.top + 500))


def no_tap(d: Drawing) -> None:
    """Remove every p-tap strip: active area, implant and contacts."""
    taps = d.region("Pplus")
    for name in ("COMP", "Contact", "Pplus"):
        d.put(name, d.region(name) - taps)


def no_oxide(d: Drawing) -> None:
    """Remove both oxide films of a bottom device."""
    for name in FILMS_BOTTOM:
        d.cut(name, d.first(name))


def via_under_device(d: Drawing) -> None:
    """Put a module via to the Metal5 below a device."""
    via = d.first("VBE")
    d.add("VBE", via.moved(d.crossing("BE").center() - via.center()))


def narrower(d: Drawing) -> None:
    """Take 100 nm off a select transistor's width, which no design rule forbids."""
    comp = d.first("COMP", "Poly2")
    d.cut("COMP", db.Box(comp.left, comp.top - 100, comp.right, comp.top))


def off_grid(d: Drawing) -> None:
    """Widen a select line by 1 nm."""
    line = d.line("TS[0]", "Metal2")
    d.add("Metal2", db.Box(line.right, line.top - 500, line.right + 1, line.top - 100))


def thin_wire(d: Drawing) -> None:
    """Take 5 nm off a select line's width."""
    line = d.line("BS[0]", "Metal2")
    d.cut("Metal2", db.Box(line.right - GRID, line.top - 600, line.right, line.top - 200))


def smaller_device(d: Drawing) -> None:
    """Take 100 nm off the column over a device, which changes its area."""
    box = d.crossing("TE")
    d.cut("ME", db.Box(box.left, box.bottom - 200, box.left + 100, box.top + 200))


@dataclass(frozen=True)
class Damage:
    """One kind of damage and the checks that must find it.

    Attributes:
        name: what is wrong, for people.
        make: makes it.
        rules: design rules that must report it.
        lvs: words that a finding of LVS must have; empty if LVS need not see it.
    """

    name: str
    make: Callable[[Drawing], None]
    rules: tuple[str, ...] = ()
    lvs: str = ""


DAMAGES = (
    Damage("row line cut", row_cut, (), "BR[0]"),
    Damage("via removed", lambda d: d.cut("Via2", d.first("Via2")), (), "unconnected"),
    Damage("two columns shorted", columns_shorted, (), "short"),
    Damage("row lines of two tiers shorted", tiers_shorted, (), "short"),
    Damage("oxide of a device missing", no_oxide, (), "memristor"),
    Damage("one of two oxide films missing",
           lambda d: d.cut("TIO2X_T", d.first("TIO2X_T")), ("OXT.2",), "TIO2X_T"),
    Damage("device 100 nm narrower", smaller_device, (), "AREA"),
    Damage("select transistor 100 nm narrower", narrower, (), "W"),
    Damage("select lines exchanged", lambda d: d.exchange("Metal2", "TS[0]", "BS[0]"), (), "TS[0]"),
    Damage("gate contact removed", lambda d: d.cut("Contact", d.first("Contact", "Poly2")),
           (), "floating gate"),
    Damage("tap strips removed", no_tap, ("DF.14",), "tap"),
    Damage("space 5 nm short", too_near, ("M3.2a",)),
    Damage("width 5 nm short", thin_wire, ("M2.1",)),
    Damage("enclosure 5 nm short", enclosure, ("VTE.4",)),
    Damage("contact shifted off COMP",
           lambda d: d.move("Contact", d.first("Contact", "COMP"), -300), ("CO.11",)),
    Damage("vertex off the grid", off_grid, ("OFFGRID.Metal2",)),
    Damage("module via under a device", via_under_device, ("VBE.5",)),
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What the checks say of a layout.

    Attributes:
        rules: broken design rules and how often.
        errors: findings of LVS.
    """

    rules: dict[str, int]
    errors: list[str]

    def shows(self, damage: Damage) -> bool:
        """Tell whether every check that must find a damage has found it."""
        seen = not damage.lvs or any(damage.lvs in error for error in self.errors)
        return seen and all(rule in self.rules for rule in damage.rules)


def reference_of(array: Array) -> Reference:
    """Return the reference netlist of an array."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "reference.spice"
        path.write_text("\n".join(array.netlist_lines()) + "\n", encoding="utf-8")
        return read_netlist(path, array.cell.name, models=array.tech.nets.models)


def check(array: Array, reference: Reference, damage: Damage | None = None) -> Outcome:
    """Run both checks on a copy of an array, damaged or not."""
    drawing = Drawing(array)
    if damage is not None:
        damage.make(drawing)
    drc = run_drc(drawing.layout, drawing.tech)
    lvs = compare_layout(extract_layout(drawing.layout, drawing.tech), reference, drawing.tech)
    return Outcome({rule: n for rule, n in drc.by_rule.items() if n}, lvs.errors)


HEAD = """\
# Damage and the check that finds it

<!-- generated by docs/make_damage.py; do not edit -->

A clean {rows} x {cols} x 2 array ({profile} profile) is damaged in one way at a time. The
design rules and LVS run on each copy. The undamaged array has no violation and LVS matches.

The table has {count} kinds of damage, {uncaught} of them uncaught. A bold entry is the check that
must find the damage.

| damage | DRC: rules (markers) | LVS: first finding | caught |
|---|---|---|---|
"""


def row(damage: Damage, found: Outcome) -> str:
    """Return a line of the table."""
    rules = ", ".join(
        f"**{name}** ({n})" if name in damage.rules else f"{name} ({n})"
        for name, n in sorted(found.rules.items(), key=lambda item: item[0] not in damage.rules)
    )
    errors = [e for e in found.errors if damage.lvs and damage.lvs in e] or found.errors
    text = errors[0].replace("|", "\\|") if errors else "match"
    if len(errors) > 1:
        text += f" ... {len(found.errors)} in all"
    lvs = f"**{text}**" if damage.lvs else text
    caught = "yes" if found.shows(damage) else "NO"
    return f"| {damage.name} | {rules or 'clean'} | {lvs} | {caught} |"


def main() -> int:
    """Write the page; return 1 if a damage was not found."""
    array = build_array(ArraySpec(rows=4, cols=4))
    reference = reference_of(array)
    clean = check(array, reference)
    if clean.rules or clean.errors:
        print(f"the undamaged array is not clean: {clean}", file=sys.stderr)
        return 1
    found = [(damage, check(array, reference, damage)) for damage in DAMAGES]
    missed = [damage.name for damage, outcome in found if not outcome.shows(damage)]
    head = HEAD.format(
        rows=array.spec.rows,
        cols=array.spec.cols,
        profile=array.spec.profile,
        count=len(DAMAGES),
        uncaught=len(missed) or "none",
    )
    lines = [row(damage, outcome) for damage, outcome in found]
    (HERE / "damage.md").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    if missed:
        print("not caught: " + ", ".join(missed), file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
