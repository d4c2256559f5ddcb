"""What a tapeout file must satisfy, one function per item, on the file as it is on disk.

The list is the precheck of an open shuttle (see `docs/tapeout.md`) and what commercial readers
refuse; sizes and layers are those of the process. ``{words}`` of a summary line are filled in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.gds_stream import Element, Stream, read_stream
from ..base.layout import read_layout
from ..pdk import Tech

if TYPE_CHECKING:
    import klayout.db as db

    from ..generators.tapeout import Slot

#: findings spelled out per check
MOST = 5
#: names that the GDS format allows for a structure
NAMES = re.compile(r"[A-Za-z0-9_?$]+")
#: what no name of a net may hold: prechecks and netlists take it for something else
FORBIDDEN = "#/\"'"


@dataclass(frozen=True)
class Check:
    """Outcome of one item.

    Attributes:
        name: item of the list.
        file: file name that it is about.
        status: ``ok``, ``failed`` or ``unknown``.
        text: what was found.
        item: what the shuttle's own check calls it; empty where it has no such item.
        findings: every finding, where the text may name only some.
    """

    name: str
    file: str
    status: str
    text: str
    item: str = ""
    findings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**values, "findings": list(self.findings)}


@dataclass
class TapeoutFile:
    """One GDS file to be checked.

    Attributes:
        path: the file.
        tech: process.
        kind: ``foundry`` or ``masks``.
        slot: slot that the die must fill, None to judge by whether it has pads.
    """

    path: Path
    tech: Tech
    kind: str
    slot: Slot | None = None

    @cached_property
    def stream(self) -> Stream:
        """The file record by record."""
        return read_stream(self.path)

    @cached_property
    def layout(self) -> db.Layout:
        """The file as KLayout reads it."""
        return read_layout(self.path)

    @property
    def drawn(self) -> list[Element]:
        """Everything but texts and instances."""
        return [e for e in self.stream.elements if e.kind in ("boundary", "path", "box")]

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Bounding box of everything, all layers and texts counted, in dbu."""
        import klayout.db as db

        b = sum((cell.bbox() for cell in self.layout.top_cells()), db.Box())
        return (b.left, b.bottom, b.right, b.top)

    def um(self, value: float) -> str:
        """Return a length in words."""
        return f"{value * self.stream.dbu_um:g}"


#: one line that says what is wrong, or None
Verdict = str | None


def _where(found: Iterable[str]) -> Verdict:
    rows = list(found)
    more = f" and {len(rows) - MOST} more" if len(rows) > MOST else ""
    return "; ".join(rows[:MOST]) + more if rows else None


def _at(f: TapeoutFile, e: Element) -> str:
    x, y = e.points[0] if e.points else (0, 0)
    layer = f" on {e.layer}/{e.datatype}" if e.layer is not None else ""
    return f"{e.kind}{layer} in {e.cell} at ({f.um(x)}, {f.um(y)})"


def top_cell(f: TapeoutFile) -> Verdict:
    """Exactly one top cell, named as the file up to the first dot."""
    tops, wanted = f.stream.tops, f.path.name.split(".")[0]
    if tops == [wanted]:
        return None
    more = f" and {len(tops) - MOST} more" if len(tops) > MOST else ""
    return f"top cells {', '.join(tops[:MOST]) or 'none'}{more}; expected {wanted} alone"


def database_unit(f: TapeoutFile) -> Verdict:
    """Database unit {dbu} um."""
    if abs(f.stream.dbu_um - f.tech.dbu_um) < 1e-12:
        return None
    return f"database unit {f.stream.dbu_um:g} um; expected {f.tech.dbu_um:g} um"


def origin(f: TapeoutFile) -> Verdict:
    """Lower-left corner at (0, 0), all layers and texts counted."""
    x, y = f.box[:2]
    return None if (x, y) == (0, 0) else f"lower-left corner at ({f.um(x)}, {f.um(y)})"


def grid(f: TapeoutFile) -> Verdict:
    """Every vertex and placement on the {grid} um grid."""
    step = round(f.tech.grid_um / f.tech.dbu_um)

    def bad(e: Element) -> bool:
        if e.kind in ("instance", "array"):
            return e.magnification != 1.0 or e.angle % 90 != 0 or _steps_off(e, step)
        half = abs(e.width) % (2 * step) if e.kind == "path" else 0
        return bool(half) or any(x % step or y % step for x, y in e.points)

    placed = [e for e in f.stream.elements if e.kind in ("instance", "array")]
    return _where(_at(f, e) for e in (*f.drawn, *placed) if bad(e))


def _steps_off(e: Element, step: int) -> bool:
    (x0, y0), *far = e.points
    counts = (e.columns, e.rows)
    return bool(x0 % step or y0 % step) or any(
        (x - x0) % (n * step) or (y - y0) % (n * step)
        for (x, y), n in zip(far, counts, strict=False)
    )


def forbidden_layer(f: TapeoutFile) -> Verdict:
    """Nothing on {forbidden}."""
    from ..generators.tapeout import forbidden_layers

    banned = forbidden_layers(f.tech)
    return _where(_at(f, e) for e in f.stream.elements if (e.layer, e.datatype) in banned)


def zero_area(f: TapeoutFile) -> Verdict:
    """No polygon or box of zero area, no path of zero width."""
    return _where(_at(f, e) for e in f.drawn if _is_empty(e))


def _is_empty(e: Element) -> bool:
    if e.kind == "path":
        return e.width == 0 or len(set(e.points)) < 2
    ends = zip(e.points, e.points[1:] + e.points[:1], strict=True)
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in ends) == 0


def angles(f: TapeoutFile) -> Verdict:
    """Edges at multiples of 45 degrees."""

    def odd(e: Element) -> bool:
        steps = [
            (x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in zip(e.points, e.points[1:], strict=False)
        ]
        return any(dx and dy and abs(dx) != abs(dy) for dx, dy in steps)

    turned = [e for e in f.stream.elements if e.kind in ("instance", "array") and e.angle % 45]
    return _where(_at(f, e) for e in (*turned, *(e for e in f.drawn if odd(e))))


def size(f: TapeoutFile) -> Verdict:
    """A chip (with pads) is as large as a slot; a block leaves room for the seal ring in one."""
    from ..generators.tapeout import exact_slot, slots, smallest_slot

    x1, y1, x2, y2 = f.box
    width, height = x2 - x1, y2 - y1
    what = f"{f.um(width)} x {f.um(height)} um"
    if f.slot is not None:
        same = (width, height) == (f.slot.width, f.slot.height)
        wanted = f"{f.um(f.slot.width)} x {f.um(f.slot.height)} um"
        return None if same else f"{what}; slot {f.slot.name} is {wanted}"
    if has_pads(f):
        names = ", ".join(f"{s.name} {f.um(s.width)} x {f.um(s.height)}" for s in slots(f.tech))
        return (
            None if exact_slot(f.tech, width, height) else f"a chip of {what} is no slot ({names})"
        )
    return None if smallest_slot(f.tech, width, height) else f"a block of {what} fits no slot"


def has_pads(f: TapeoutFile) -> bool:
    """Return whether a file is that of a chip, not of a block to be placed on one."""
    pair = f.tech.gds(f.tech.roles.layer("pad")) if f.kind == "foundry" else f.tech.gds("REOPEN")
    return any((e.layer, e.datatype) == pair for e in f.drawn)


def names(f: TapeoutFile) -> Verdict:
    """Structures are named with letters, digits, _ $ and ? only; no text holds # / or a quote."""
    bad = [repr(name) for name in f.stream.cells if not NAMES.fullmatch(name)]
    return _where([*bad, *(f"text {text!r}" for text in _texts(f) if set(text) & set(FORBIDDEN))])


def _texts(f: TapeoutFile) -> list[str]:
    import klayout.db as db

    found = {
        shape.text_string
        for cell in f.layout.each_cell()
        for layer in f.layout.layer_indexes()
        for shape in cell.shapes(layer).each(db.Shapes.STexts)
    }
    return sorted(found)


def metadata(f: TapeoutFile) -> Verdict:
    """No annotations of a layout program: context cells or properties."""
    found = [f"structure {name}" for name in f.stream.cells if name.startswith("$$$")]
    return _where([*found, *(_at(f, e) for e in f.stream.elements if e.properties)])


def own_layers(f: TapeoutFile) -> Verdict:
    """No module layer in the foundry file, nothing but masks and markers in the mask file."""
    from ..generators.tapeout import mask_layers, module_numbers

    drawn = {(e.layer, e.datatype): e for e in reversed(f.stream.elements) if e.layer is not None}
    if f.kind == "foundry":
        module = module_numbers(f.tech)
        return _where(_at(f, e) for (number, _), e in sorted(drawn.items()) if number in module)
    allowed = set(mask_layers(f.tech))
    return _where(_at(f, e) for pair, e in sorted(drawn.items()) if pair not in allowed)


def content(f: TapeoutFile) -> Verdict:
    """Something is drawn beside boundaries."""
    roles = f.tech.roles.names
    frames = {f.tech.gds(roles[r]) for r in ("boundary", "module_area") if r in roles}
    if any((e.layer, e.datatype) not in frames for e in f.drawn):
        return None
    return "nothing is drawn beside boundaries"


CHECKS: dict[str, Callable[[TapeoutFile], Verdict]] = {
    "top cell": top_cell,
    "database unit": database_unit,
    "origin": origin,
    "grid": grid,
    "forbidden layer": forbidden_layer,
    "zero area": zero_area,
    "angles": angles,
    "size": size,
    "names": names,
    "metadata": metadata,
    "layers": own_layers,
    "content": content,
}


def check_file(file: TapeoutFile) -> list[Check]:
    """Return the outcome of every item.

    Raises:
        FileError: if the file cannot be read.
    """
    from ..generators.tapeout import forbidden_layers

    words = {
        "dbu": f"{file.tech.dbu_um:g}",
        "grid": f"{file.tech.grid_um:g}",
        "forbidden": " or ".join(forbidden_layers(file.tech).values()) or "a forbidden layer",
    }
    results = []
    for name, function in CHECKS.items():
        wrong = function(file)
        text = wrong or (function.__doc__ or "").splitlines()[0].format_map(words)
        results.append(Check(name, file.path.name, "failed" if wrong else "ok", text))
    return results


def check_pair(foundry: TapeoutFile, module: TapeoutFile) -> Check:
    """Return whether the masks lie on the die of the foundry file."""
    outer, inner = foundry.box, module.box
    low = all(i >= o for i, o in zip(inner[:2], outer[:2], strict=True))
    high = all(i <= o for i, o in zip(inner[2:], outer[2:], strict=True))
    text = "Masks lie on the die of the foundry file."
    if low and high:
        return Check("masks on die", module.path.name, "ok", text)
    dbu = module.stream.dbu_um
    shown = ", ".join(f"{v * dbu:g}" for v in inner)
    return Check("masks on die", module.path.name, "failed", f"masks reach {shown} um")


def _regions(file: TapeoutFile, *layers: str) -> db.Region:
    """Return what a file draws on layers, merged."""
    import klayout.db as db

    found = db.Region()
    for name in layers:
        index = file.layout.find_layer(*file.tech.gds(name))
        for top in file.layout.top_cells() if index is not None else ():
            found += db.Region(top.begin_shapes_rec(index))
    return found.merged()


def _pads(foundry: TapeoutFile) -> db.Region:
    """Return the openings of pads; what the foundry opens over its ring stays closed."""
    tech = foundry.tech
    pads = _regions(foundry, tech.roles.layer("pad"))
    if "seal_ring" in tech.roles.names:
        pads = pads.not_interacting(_regions(foundry, tech.roles.layer("seal_ring")))
    return pads


def check_strays(foundry: TapeoutFile, module: TapeoutFile) -> Check:
    """Return whether the module's passivation is opened over pads and marks only."""
    name, tech = "reopenings", foundry.tech
    dbu = foundry.layout.dbu
    overlay = round(tech.profile.overlay_um / dbu)
    opened = _regions(module, "REOPEN")
    pads = _pads(foundry)
    over_pads = opened.interacting(pads)
    stray = (opened - over_pads) - _regions(module, "MARK")
    bare = stray.interacting(
        _regions(foundry, *tech.roles.wires, *map(tech.roles.layer, ("diffusion", "poly")))
        + _regions(module, *tech.module.electrodes)
    )
    wrong = over_pads.interacting(over_pads - pads.sized(-overlay)) + bare
    if wrong.is_empty():
        text = "The module's passivation is opened inside pads only, and over marks."
        return Check(name, module.path.name, "ok", text)
    places = (p.bbox().center().to_dtype(dbu) for p in wrong.each())
    where = _where(f"REOPEN at ({p.x:.3f}, {p.y:.3f})" for p in places)
    need = f"not {tech.profile.overlay_um:g} um inside an opening of a pad"
    return Check(name, module.path.name, "failed", f"{need}: {where}")


def check_openings(foundry: TapeoutFile, module: TapeoutFile) -> Check:
    """Return whether every bond pad is opened again, through what the module puts over it."""
    name = "pad openings"
    pads = _pads(foundry)
    closed = pads.not_covering(_regions(module, "REOPEN"))
    if closed.is_empty():
        text = "Every bond pad holds an opening of the module." if pads.count() else "No bond pads."
        return Check(name, module.path.name, "ok", text)
    dbu = foundry.layout.dbu
    places = (p.bbox().center().to_dtype(dbu) for p in closed.each())
    where = _where(f"pad at ({p.x:.3f}, {p.y:.3f})" for p in places)
    return Check(name, module.path.name, "failed", f"no REOPEN inside: {where}")
