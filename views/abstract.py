"""The abstract of a block, measured on its layout: size, pins, obstructions, antenna areas.

Everything comes from polygons and labels: a pin is a label of the top cell whose metal reaches
the edge of the block; the netlist says which labels are pins. So a macro drawn in another way, or
changed by hand, has its abstract without a word here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import klayout.db as db

from ..base import names
from ..base.errors import ConfigError
from ..pdk import Ask, Tech
from .roles import PinRole, role_of

if TYPE_CHECKING:
    from ..lvs import ExtractedLayout, FlatNet, Label

#: sides of a block in the order in which pins are sought on them
SIDES = ("west", "east", "south", "north")
#: what the last metal's obstruction can be
LAST_METAL = ("metal", "block", "none")


@dataclass(frozen=True)
class PinShape:
    """A rectangle of a pin, in dbu from the block's lower left corner.

    Attributes:
        layer: metal.
        box: the rectangle.
        side: edge of the block that it faces; empty for a line inside.
    """

    layer: str
    box: db.Box
    side: str


@dataclass(frozen=True)
class Pin:
    """A pin as the layout has it.

    Attributes:
        name: its label.
        role: what it is for.
        shapes: rectangles, those at an edge first.
        gate_um2: area of the gates on its net.
        diffusion_um2: area of the diffusions on its net.
        metal_um2: metal -> its area on the net.
    """

    name: str
    role: PinRole
    shapes: tuple[PinShape, ...]
    gate_um2: float = 0.0
    diffusion_um2: float = 0.0
    metal_um2: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Abstract:
    """A block as a router sees it.

    Attributes:
        name: of the cell.
        tech: its technology.
        width, height: dbu.
        origin: lower left corner of the block in the coordinates of its layout, dbu.
        pins: in the order of their names.
        obstructions: metal or cut -> rectangles, dbu from the lower left corner.
    """

    name: str
    tech: Tech
    width: int
    height: int
    origin: tuple[int, int]
    pins: tuple[Pin, ...]
    obstructions: Mapping[str, tuple[db.Box, ...]]

    @property
    def box(self) -> db.Box:
        """The block's outline."""
        return db.Box(0, 0, self.width, self.height)

    def pin(self, name: str) -> Pin:
        """Return a pin by name.

        Raises:
            KeyError: if there is none.
        """
        return next(pin for pin in self.pins if pin.name == name)


def abstract_of(
    extracted: ExtractedLayout,
    last_metal: str = "metal",
    pins: Iterable[str] | None = None,
) -> Abstract:
    """Return the abstract of a layout.

    Args:
        extracted: the layout with its nets and devices.
        pins: labels that are pins, such as those of the reference netlist; they may end inside the
            edge, with nothing in their way. None for those whose metal reaches the edge.
        last_metal: obstruction of the last metal: ``metal`` where metal is, ``block`` all of the
            block, ``none`` nothing (for chips that reserve it).

    Raises:
        ConfigError: if no label of the top cell is a pin, one of `pins` is none, or a label is on
            two nets or on another's.
    """
    assert last_metal in LAST_METAL
    if faults := extracted.findings():
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise ConfigError(f"{extracted.name}: {faults[0]}{more}: a block without such has views")
    cell = extracted.layout.cell(extracted.top_name)
    outline = _outline(extracted, cell)
    shapes: dict[str, list[PinShape]] = {}
    nets: dict[str, FlatNet] = {}
    own: dict[str, dict[str, db.Region]] = {}
    known = None if pins is None else {names.fold(pin) for pin in pins}
    for label, net in _labelled(extracted):
        if known is not None and names.fold(label.name) not in known:
            continue
        if label.name not in own:
            own[label.name] = extracted.net_shapes(net)
        inside = known is not None
        found = _pin_shapes(extracted, own[label.name], label, outline, inside)
        if found:
            nets[label.name] = net
            shapes.setdefault(label.name, []).extend(found)
    if not shapes:
        raise ConfigError(
            f"{extracted.name}: no label of {cell.name} lies on metal that reaches the edge of the "
            "block, so it has no pins"
        )
    missing = (known or set()) - {names.fold(name) for name in shapes}
    if missing:
        raise ConfigError(
            f"{extracted.name}: pin {min(missing)} of the netlist has no label on metal at the "
            f"edge of the block ({len(missing)} such pins)"
        )
    dx, dy = -outline.left, -outline.bottom
    found_pins = tuple(
        _pin(extracted, name, nets[name], own[name], shapes[name], (dx, dy))
        for name in sorted(shapes, key=natural)
    )
    return Abstract(
        cell.name,
        extracted.tech,
        outline.width(),
        outline.height(),
        (outline.left, outline.bottom),
        found_pins,
        _obstructions(extracted, cell, outline, found_pins, last_metal),
    )


def region_of(boxes: Iterable[db.Box]) -> db.Region:
    """Return rectangles as a region."""
    region = db.Region()
    for box in boxes:
        region.insert(box)
    return region


def natural(name: str) -> tuple[str, int]:
    """Return what sorts names by their letters, then by their number."""
    kind = names.kind_of(name)
    rest = name.partition("[")[2].rstrip("]")
    return (kind, int(rest)) if kind and rest.isascii() and rest.isdecimal() else (name, -1)


def _outline(extracted: ExtractedLayout, cell: db.Cell) -> db.Box:
    """Return the drawn boundary of the block, or the box of all that is drawn without one."""
    pair = extracted.tech.gds(extracted.tech.roles.layer("boundary"))
    index = extracted.layout.find_layer(*pair)
    box = db.Box() if index is None else db.Region(cell.shapes(index)).bbox()
    return cell.bbox() if box.empty() else box


def _labelled(extracted: ExtractedLayout) -> Iterator[tuple[Label, FlatNet]]:
    """Yield the labels on metal with their nets, those of a short left out: LVS names it."""
    of_name: dict[str, FlatNet] = {}
    for net in extracted.flat.nets:
        if net.name and "," not in net.name:
            of_name[names.fold(net.name)] = net
    metals = set(extracted.tech.roles.wires)
    for label in extracted.labels:
        found = of_name.get(names.fold(label.name))
        if label.net is not None and found is not None and label.conductor in metals:
            yield label, found


def _pin_shapes(
    extracted: ExtractedLayout,
    own: Mapping[str, db.Region],
    label: Label,
    outline: db.Box,
    inside: bool,
) -> list[PinShape]:
    """Return the rectangles of a label's metal at the edges; of a supply, all of that line.

    If asked for, metal that ends inside the edge counts where nothing is in its way: at the
    nearest such side.
    """
    at = db.DPoint(*label.at).to_itype(extracted.dbu)
    metal = own.get(label.conductor, db.Region()).merged()
    here = metal.interacting(db.Region(db.Box(at.x, at.y, at.x, at.y).enlarged(1, 1)))
    if here.is_empty():
        return []
    depth, ends = pin_depth(extracted.tech, label.conductor), here.bbox()
    gaps = {side: abs(_end(ends, side) - _end(outline, side)) for side in SIDES}
    found: list[PinShape] = []
    for side in sorted(SIDES, key=lambda side: gaps[side]):
        if gaps[side] and (found or not inside):
            break
        boxes = _boxes(here & db.Region(_band(ends, side, depth)))
        for box in (b for b in boxes if _end(b, side) == _end(ends, side)):
            shape = PinShape(label.conductor, box, side)
            if not gaps[side] or _way_out(extracted, own, shape, outline):
                found.append(shape)
    if role_of(extracted, label.name).supply:
        rest = here - region_of(shape.box for shape in found)
        found += [PinShape(label.conductor, box, "") for box in _boxes(rest)]
    return found


def corridor(shape: PinShape, outline: db.Box) -> db.Box:
    """Return a pin's rectangle with what lies between it and the edge of its block."""
    box = shape.box
    x1, y1, x2, y2 = box.left, box.bottom, box.right, box.top
    return {
        "west": db.Box(outline.left, y1, x2, y2),
        "east": db.Box(x1, y1, outline.right, y2),
        "south": db.Box(x1, outline.bottom, x2, y2),
        "north": db.Box(x1, y1, x2, outline.top),
        "": box,
    }[shape.side]


def _way_out(
    extracted: ExtractedLayout, own: Mapping[str, db.Region], shape: PinShape, outline: db.Box
) -> bool:
    """True if nothing of another net lies between a pin and the edge."""
    tech = extracted.tech
    cell = extracted.layout.cell(extracted.top_name)
    space = tech.to_dbu(Ask(tech).space(shape.layer)) - 1
    near = corridor(shape, outline).enlarged(space, space)
    others = _drawn(extracted, cell, shape.layer) & db.Region(near)
    return bool((others - own[shape.layer]).is_empty())


def pin_depth(tech: Tech, metal: str) -> int:
    """Return how far a pin reaches inward in dbu, so that a via from either side fits on it."""
    ask = Ask(tech)
    wires, cuts = tech.roles.wires, (*tech.roles.below_vias, *tech.roles.vias)
    at = wires.index(metal)
    reach = [ask.width(metal)]
    for cut in cuts[max(0, at - 1) : at + 1]:
        end = max(ask.enclosure(metal, cut, 0.0), ask.line_end(cut, metal, 0.0))
        reach.append(ask.size(cut) + 2 * end)
    return tech.to_dbu(max(reach))


def _band(outline: db.Box, side: str, depth: int) -> db.Box:
    x1, y1, x2, y2 = outline.left, outline.bottom, outline.right, outline.top
    return {
        "west": db.Box(x1, y1, x1 + depth, y2),
        "east": db.Box(x2 - depth, y1, x2, y2),
        "south": db.Box(x1, y1, x2, y1 + depth),
        "north": db.Box(x1, y2 - depth, x2, y2),
    }[side]


def _end(box: db.Box, side: str) -> int:
    """Return the coordinate of a side of a rectangle."""
    return {"west": box.left, "east": box.right, "south": box.bottom, "north": box.top}[side]


def _boxes(region: db.Region) -> list[db.Box]:
    """Return a region as rectangles; what is not right-angled as the boxes of its trapezoids."""
    mode = db.Polygon.TD_htrapezoids
    pieces = region.merged().decompose_trapezoids_to_region(mode)
    pieces.merged_semantics = False
    return [piece.bbox() for piece in pieces.each()]


def _pin(
    extracted: ExtractedLayout,
    name: str,
    net: FlatNet,
    own: Mapping[str, db.Region],
    shapes: list[PinShape],
    shift: tuple[int, int],
) -> Pin:
    tech, dbu = extracted.tech, extracted.dbu
    moved = dict.fromkeys((shape.layer, shape.box.moved(*shift), shape.side) for shape in shapes)
    flat = extracted.flat
    gate = 0.0
    for number, terminal in flat.terminals[net.number]:
        device = flat.devices[number]
        if device.kind.terminals[terminal] == "G":
            width, length = device.parameters[:2]
            gate += width * length
    silicon = {film.name for film in tech.diffusions}
    area = {layer: own[layer].merged().area() * dbu**2 for layer in own}
    return Pin(
        name,
        role_of(extracted, name),
        tuple(PinShape(*each) for each in sorted(moved, key=lambda s: (s[2] == "", s[0]))),
        gate,
        sum((area[layer] for layer in own if layer in silicon), 0.0),
        {layer: area[layer] for layer in tech.roles.wires if layer in own},
    )


def _obstructions(
    extracted: ExtractedLayout,
    cell: db.Cell,
    outline: db.Box,
    pins: tuple[Pin, ...],
    last_metal: str,
) -> dict[str, tuple[db.Box, ...]]:
    """Return what blocks each level: its metal with gaps closed that no wire fits into."""
    tech, ask = extracted.tech, Ask(extracted.tech)
    dx, dy = -outline.left, -outline.bottom
    found: dict[str, tuple[db.Box, ...]] = {}
    for metal in tech.roles.wires:
        if metal == tech.roles.land and last_metal != "metal":
            if last_metal == "block":
                found[metal] = (db.Box(0, 0, outline.width(), outline.height()),)
            continue
        drawn = _drawn(extracted, cell, metal).moved(dx, dy)
        space, width = tech.to_dbu(ask.space(metal)), tech.to_dbu(ask.width(metal))
        # closed by less than half of what a wire and its spaces need, on both sides
        half = (2 * space + width) // 2 - 1
        closed = drawn.sized(half, 2).sized(-half, 2) + drawn
        box = db.Box(0, 0, *_size(outline))
        shapes = (s for pin in pins for s in pin.shapes if s.layer == metal)
        mine = region_of(corridor(shape, box) for shape in shapes)
        kept = closed.merged() - mine.sized(space, 2)
        found[metal] = tuple(_boxes(kept & db.Region(box)))
    return {**found, **_cuts_at_pins(extracted, cell, (dx, dy), pins)}


def _size(outline: db.Box) -> tuple[int, int]:
    return outline.width(), outline.height()


def _drawn(extracted: ExtractedLayout, cell: db.Cell, name: str) -> db.Region:
    index = extracted.layout.find_layer(*extracted.tech.gds(name))
    region = db.Region() if index is None else db.Region(cell.begin_shapes_rec(index))
    return region.merged()


def _cuts_at_pins(
    extracted: ExtractedLayout, cell: db.Cell, shift: tuple[int, int], pins: tuple[Pin, ...]
) -> dict[str, tuple[db.Box, ...]]:
    """Return the cuts so near to a pin that a via on it could come too close to them."""
    tech, ask = extracted.tech, Ask(extracted.tech)
    wires = tech.roles.wires
    found = {}
    for k, cut in enumerate((*tech.roles.below_vias, *tech.roles.vias)):
        two = wires[k : k + 2]
        near = region_of(s.box for pin in pins for s in pin.shapes if s.layer in two)
        reach = tech.to_dbu(ask.space(cut))
        cuts = _drawn(extracted, cell, cut).moved(*shift) & near.sized(reach, 2)
        if boxes := tuple(_boxes(cuts)):
            found[cut] = boxes
    return found
