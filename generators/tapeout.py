"""Tapeout as pure functions of a layout: which slot, which masks, where the marks are."""

from __future__ import annotations

from dataclasses import dataclass

import klayout.db as db

from ..cells.marks import masks
from ..pdk import Layer, Purpose, Tech

#: pieces on MARK that are closer than this belong to one mark, in dbu
MARK_GAP = 15_000


@dataclass(frozen=True)
class Slot:
    """A die size that the shuttle offers, in dbu."""

    name: str
    width: int
    height: int


def slots(tech: Tech) -> tuple[Slot, ...]:
    """Return the die sizes that the shuttle of a process offers.

    Raises:
        FileError: if the process knows of no shuttle.
    """
    return tuple(
        Slot(s.name, tech.to_dbu(s.width_um), tech.to_dbu(s.height_um)) for s in tech.shuttle.slots
    )


def seal_ring(tech: Tech) -> int:
    """Return the room of the seal ring on each side of a die, in dbu."""
    return tech.to_dbu(tech.shuttle.seal_ring_um)


def exact_slot(tech: Tech, width: int, height: int) -> Slot | None:
    """Return the slot of exactly this size."""
    return next((s for s in slots(tech) if (s.width, s.height) == (width, height)), None)


def smallest_slot(tech: Tech, width: int, height: int) -> Slot | None:
    """Return the smallest slot in which a block leaves room for the seal ring."""
    ring = 2 * seal_ring(tech)
    fitting = (s for s in slots(tech) if width + ring <= s.width and height + ring <= s.height)
    return min(fitting, key=lambda s: s.width * s.height, default=None)


@dataclass(frozen=True)
class Mask:
    """One mask of the memristor module.

    Attributes:
        name: drawn layer.
        gds: (layer, datatype).
        polarity: tone of the mask for positive resist: ``dark field`` where what is drawn is
            opened, ``clear field`` where what is drawn remains.
        film: material that the mask shapes, with its thickness.
        purpose: what is made with it.
        fill: (layer, datatype) of squares that the mask prints, too; None for none.
    """

    name: str
    gds: tuple[int, int]
    polarity: str
    film: str
    purpose: str
    fill: tuple[int, int] | None = None


def mask_table(tech: Tech) -> tuple[Mask, ...]:
    """Return the masks of the module in the order of the process."""
    return tuple(_mask(tech, tech.layer(name)) for name in masks(tech))


def _mask(tech: Tech, layer: Layer) -> Mask:
    if layer.purpose is Purpose.MODULE_CUT:
        film = f"dielectrics between {tech.roles.land} and {layer.name[1:]}"
    elif layer.purpose is Purpose.MODULE_MARKER:
        film = _film(tech, "cap")
    else:
        film = _film(tech, layer.name)
    opened = layer.purpose in (Purpose.MODULE_CUT, Purpose.MODULE_MARKER)
    polarity = "dark field" if opened else "clear field"
    fill = tech.fill_of.get(layer.name)
    return Mask(layer.name, layer.gds, polarity, film, layer.text, fill)


def _film(tech: Tech, name: str) -> str:
    film = tech.film(name)
    return f"{film.material}, {film.thickness_um * 1e3:g} nm"


def foundry_layers(layout: db.Layout, tech: Tech) -> list[tuple[int, int]]:
    """Return the (layer, datatype) pairs of a layout that go to the foundry.

    All that the foundry has a name for: fill or markers that somebody added must not get lost.
    """
    module = module_numbers(tech)
    known = {*tech.drawing.known, *(layer.gds for layer in tech.foreign), *tech.drawing.judged}
    pairs = ((info.layer, info.datatype) for info in layout.layer_infos())
    return sorted(pair for pair in pairs if pair[0] not in module and pair in known)


def mask_layers(tech: Tech) -> list[tuple[int, int]]:
    """Return the (layer, datatype) pairs of the mask file: all of the module but its texts."""
    return [
        layer.gds
        for layer in tech.layers
        if layer.is_module and layer.purpose is not Purpose.MODULE_LABEL
    ]


def module_numbers(tech: Tech) -> frozenset[int]:
    """Return the GDS layer numbers of the memristor module."""
    return frozenset(layer.gds[0] for layer in tech.layers if layer.is_module)


def forbidden_layers(tech: Tech) -> dict[tuple[int, int], str]:
    """Return the (layer, datatype) pairs on which nothing may be drawn, with their names.

    They are those of the shuttle and of the design rules.
    """
    ruled = (rule.layers[0] for rule in tech.rules if rule.kind == "forbidden_layer")
    rules = [name for name in ruled if "/" in name]  # others follow from several layers
    named = {pair: f"{name} {pair}" for name, pair in tech.shuttle.forbidden}
    texts = {**named, **{pair: pair for pair in rules if pair not in named}}
    return {(int(a), int(b)): text for pair, text in texts.items() for a, b in [pair.split("/")]}


@dataclass(frozen=True)
class FoundMark:
    """One alignment mark or vernier of a layout, found by its picture on MARK in the land's metal.

    Attributes:
        mask: mask that it aligns, None if nothing else is drawn there.
        kind: ``mark`` or ``vernier``.
        x, y: centre of its box in dbu; for a mark that is the centre of the cross.
        width, height: size of the box in dbu.
    """

    mask: str | None
    kind: str
    x: float
    y: float
    width: int
    height: int


def find_marks(layout: db.Layout, tech: Tech) -> tuple[FoundMark, ...]:
    """Return the marks of a layout by mask and place, also of one drawn by hand."""
    if not masks(tech):
        return ()

    def drawn(name: str) -> db.Region:
        index = layout.find_layer(*tech.gds(name))
        region = db.Region()
        for top in layout.top_cells() if index is not None else ():
            region += db.Region(top.begin_shapes_rec(index))
        return region

    pieces = drawn("MARK").merged()
    # pieces of one mark lie closer to each other than those of two
    fields = pieces.sized(MARK_GAP // 2).merged().extents().merged().sized(-(MARK_GAP // 2))
    shapes = {name: drawn(name) for name in masks(tech)}
    found = []
    for box in (polygon.bbox() for polygon in fields.each()):
        inside = pieces & db.Region(box)
        here = [n for n, r in shapes.items() if not (r & db.Region(box)).is_empty()]
        # a via mask's mark has an electrode below it
        vias = [n for n in here if tech.layer(n).purpose is Purpose.MODULE_CUT]
        mask = next(iter([*vias, *here]), None)
        kind = "mark" if inside.count() == 1 else "vernier"
        centre = box.to_dtype(1.0).center()
        found.append(FoundMark(mask, kind, centre.x, centre.y, box.width(), box.height()))
    order = {name: k for k, name in enumerate(shapes)}
    return tuple(sorted(found, key=lambda m: (order.get(m.mask or "", -1), m.kind, m.y, m.x)))
