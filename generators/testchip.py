"""The test chip: macro, pad ring, process monitors and marks, in a die of a shuttle's slot.

The macro stands in the middle. Its pins spread close to it and reach their pads in all metals above
the lowest (`ways`); pads stand in one row, in two where one has too few. The four corners between
legs and tracks hold monitors and marks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from ..cells.drawing import Cell, Label, Placement
from ..cells.marks import mark_cells
from ..cells.monitors import monitors
from ..cells.pad_plan import PadPlan
from ..cells.rules import RuleBook
from ..pdk import ParameterError
from .array import Array, frame
from .chip import ROOM, Chip, Widths
from .macro import build_macro
from .netlist import Instance
from .padring import PadCells, draw_rings, pad_places
from .spec import ArraySpec
from .tapeout import slots
from .ways import Ways

#: widths of wires to choose from, widest first, in dbu
WIDTHS = tuple(
    Widths(*widths)
    for widths in (
        (3_000, 15_000, 12_000),
        (3_000, 11_000, 8_000),
        (2_000, 11_000, 4_000),
        (2_000, 9_000, 6_000),
        (2_000, 7_000, 4_000),
        (2_000, 5_000, 4_000),
        (2_000, 4_000, 3_000),
        (1_000, 5_000, 3_000),
        (1_000, 4_000, 2_000),
        (1_000, 3_000, 2_000),
        (1_000, 2_000, 1_000),
    )
)
#: one in so many places that no net takes is one more pad of VSS
SPARE = 4


def build_testchip(spec: ArraySpec) -> Array:
    """Draw the test chip of a spec in the smallest slot that holds it, on the widest wires.

    Two rows of pads are taken where no slot holds the chip with one.

    Raises:
        ParameterError: for an array that no slot holds, or what the macro refuses.
    """
    macro = build_macro(replace(spec, top="macro"))
    # a name that the user gave is the chip's
    macro = replace(macro, cell=replace(macro.cell, name=f"{spec.top_name}_macro"))
    return _finish(spec, placed(macro))


def placed(macro: Array) -> Chip:
    """Return the die of a macro, everything placed.

    A die without room for identification cells, which are not needed on every one, is taken before
    a larger one, or one with more rows of pads.

    Raises:
        ParameterError: for a macro that no slot holds.
    """
    rules = RuleBook(macro.tech)
    plan = PadPlan(rules)
    sizes = sorted(slots(rules.tech), key=lambda s: s.width * s.height)
    ids = (True, False) if rules.tech.shuttle.ids else (False,)
    for rows, slot, room, widths in product((1, 2), sizes, ids, WIDTHS):
        chip = Chip(slot, widths, macro, rules, plan, rows, room)
        if _fill(chip):
            return chip
    spec, largest = macro.spec, sizes[-1]
    width, height = macro.cell.width * 1e-3, macro.cell.height * 1e-3
    raise ParameterError(
        "rows, cols", (spec.rows, spec.cols),
        f"fewer, narrower switches, or a decoder: a macro of {width:g} x {height:g} um with "
        f"{len(macro.pins)} pins does not fit slot {largest.name}",
    )  # fmt: skip


def _fill(chip: Chip) -> bool:
    """Place everything; False if the slot is too small."""
    low = min(chip.of_macro(side)[2] for side in ("south", "west"))
    if low < chip.pads_end or len(pad_places(chip)) < len(chip.macro.pins):
        return False
    ways = Ways(chip)
    if not ways.fits or not _corners(chip, ways):
        return False
    x, y = chip.origin
    chip.placements.append(Placement(replace(chip.macro.cell, labels=()), x, y))
    cells = PadCells(chip)
    for net, pad in ways.draw():
        cells.place(pad, net)
    for pad in ways.free[::SPARE]:
        cells.place(pad, None)
    draw_rings(chip)
    return True


def _corners(chip: Chip, ways: Ways) -> bool:
    """Pack monitors and two sets of marks into the corners; False if they do not fit."""
    tech, inner = chip.rules.tech, ways.inner + ROOM
    south = [ways.extent[side] for side in ("south", "north")]
    west = [ways.extent[side] for side in ("west", "east")]
    left, right = (s[0] - ROOM for s in south), (s[1] + ROOM for s in south)
    below, above = (s[0] - ROOM for s in west), (s[1] + ROOM for s in west)
    x1, x2 = tuple(left), tuple(right)
    y1, y2 = tuple(below), tuple(above)
    # in the north-east identification cells may reach further in than tracks do
    beyond = max(inner, chip.clear("north-east"))
    end, top = chip.slot.width - inner, chip.slot.height - inner
    tested, marks = monitors(tech), mark_cells(tech)
    half = len(tested) // 2
    corners = (
        # marks far from each other, so that two of them give the wafer's rotation
        ((inner, inner, x1[0], y1[0]), marks),
        ((x2[1], y2[1], chip.slot.width - beyond, chip.slot.height - beyond), marks),
        ((inner, y2[0], x1[1], top), tested[:half]),
        ((x2[0], inner, end, y1[1]), tested[half:]),
    )
    return all(_pack(chip, box, cells) for box, cells in corners)


def _finish(spec: ArraySpec, chip: Chip) -> Array:
    macro, slot = chip.macro, chip.slot
    x, y = chip.origin
    pins = {p.name for p in macro.pins}
    inside = (replace(q, x=q.x + x, y=q.y + y) for q in macro.cell.labels if q.text not in pins)
    cell = Cell(
        spec.top_name,
        rects=(*frame(chip.rules.tech, slot.width, slot.height), *chip.canvas.rects),
        labels=(*chip.labels, *inside),
        ports=tuple(chip.pins),
        placements=tuple(chip.placements),
        width=slot.width,
        height=slot.height,
        info={**macro.cell.info, "die_width_um": slot.width * 1e-3,
              "die_height_um": slot.height * 1e-3},
    )  # fmt: skip
    own = {p.cell.name: p.cell.netlist for p in chip.placements if p.cell.netlist is not None}
    called = {i.subcircuit for i in chip.instances}
    netlists = (*macro.subcircuits, *(n for name, n in own.items() if name in called))

    def instances() -> Iterator[Instance]:
        yield from macro.instances()
        yield from chip.instances

    return Array(
        spec, cell, macro.unit, tuple(chip.pins), netlists, instances,
        chain=macro.chain, decoded=macro.decoded,
    )  # fmt: skip


def _pack(chip: Chip, box: tuple[int, int, int, int], cells: tuple[Cell, ...]) -> bool:
    """Place cells in rows from the south-west; False if they do not fit the box."""
    x, y, row = box[0], box[1], 0
    for cell in cells:
        if x + cell.width > box[2]:
            x, y, row = box[0], y + row + ROOM, 0
        if x + cell.width > box[2] or y + cell.height > box[3]:
            return False
        chip.placements.append(Placement(cell, x, y))
        _name_pads(chip, cell, x, y)
        x, row = x + cell.width + ROOM, max(row, cell.height)
    return True


def _name_pads(chip: Chip, cell: Cell, x: int, y: int) -> None:
    """Label the nets of a monitor, each at its first pad, and call its netlist."""
    if not cell.ports or cell.netlist is None:
        return
    nets = {pin: _net(cell, pin) for pin in cell.netlist.pins}
    for pin, net in nets.items():
        port = cell.port(pin)
        chip.pins.append(replace(port, name=net, x=port.x + x, y=port.y + y))
        chip.labels.append(
            Label(chip.rules.layer("land"), net, port.x + x, port.y + y + port.width // 2)
        )
    chip.instances.append(Instance(f"_{cell.name}", cell.name, tuple(nets.values())))


def _net(cell: Cell, pin: str) -> str:
    stem = cell.name.upper()
    return stem if pin == "A" else f"{stem}_{pin}"


__all__ = ["build_testchip", "placed"]
