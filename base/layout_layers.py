"""Whose layers a layout draws: another process, and what makes other devices, is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .errors import FileError
from .layout_cells import listed
from .serial import shape_store

if TYPE_CHECKING:
    import klayout.db as db

Pair = tuple[int, int]
#: what lies closer together is looked at in one box; any length would do
_NEAR_UM = 0.6


@dataclass(frozen=True)
class ForeignLayer:
    """A layer that the foundry knows and our description of the process does not.

    Attributes:
        name: the foundry's name.
        gds: (layer, datatype).
        text: what it makes, in words.
        changes: layers of ours whose shapes become something else under it; none for layers
            that leave devices and wires as they are.
        joins: it conducts, so that touching a shape changes it as covering it does.
    """

    name: str
    gds: Pair
    text: str
    changes: tuple[Pair, ...] = ()
    joins: bool = False


@dataclass(frozen=True)
class ProcessLayers:
    """What a layout of a process may draw.

    Attributes:
        name: the process.
        dbu_um: its database unit.
        known: (layer, datatype) -> name of every layer that is described.
        telling: layers whose shapes tell that a layout is of this process.
        foreign: further layers of the foundry.
        fill: pairs of fill, which is part of no net.
        judged: pairs without a description that a design rule speaks of.
        shared: of `telling`, layers of a module, which may stand on any process.
        others: returns what further processes there are, and the layers that each describes.
    """

    name: str
    dbu_um: float
    known: Mapping[Pair, str]
    telling: frozenset[Pair]
    foreign: tuple[ForeignLayer, ...] = ()
    judged: frozenset[Pair] = field(default_factory=frozenset)
    fill: frozenset[Pair] = field(default_factory=frozenset)
    shared: frozenset[Pair] = field(default_factory=frozenset)
    others: Callable[[], Mapping[str, frozenset[Pair]]] = dict


def unknown_layers(cell: db.Cell, process: ProcessLayers) -> dict[Pair, str]:
    """Return (layer, datatype) -> words of what a cell draws on layers without description."""
    named = {layer.gds: layer.name for layer in process.foreign}
    found = {}
    for pair, _ in _drawn(cell):
        if pair not in process.known and pair not in process.judged:
            name = f" ({named[pair]})" if pair in named else ""
            found[pair] = f"{pair[0]}/{pair[1]}{name}"
    return dict(sorted(found.items()))


def _drawn(cell: db.Cell) -> Iterator[tuple[Pair, int]]:
    """Yield (layer, datatype) and index of the numbered layers on which a cell draws."""
    layout = cell.layout()
    for index in layout.layer_indexes():
        info = layout.get_info(index)
        # layers that a room keeps for itself have a name and no number
        if info.layer >= 0 and not cell.bbox(index).empty():
            yield (info.layer, info.datatype), index


def check_layers(cell: db.Cell, process: ProcessLayers, name: str) -> tuple[str, ...]:
    """Refuse what is of another process or makes other devices; return remarks on the rest."""
    drawn = dict(_drawn(cell))
    if process.telling.isdisjoint(drawn):
        shown = listed([f"{a}/{b}" for a, b in sorted(drawn)])
        raise FileError(
            f"{name}: cell {cell.name} draws nothing on a layer of {process.name} (layers drawn: "
            f"{shown}); a layout of another process? name it with --process"
        )
    around: dict[Pair, list[db.Box]] = {}
    for layer in process.foreign:
        if layer.gds in drawn and layer.gds not in process.judged:
            _refuse_other_devices(cell, layer, process, drawn, around, name)
    unknown = unknown_layers(cell, process).values()
    if unknown and (process.telling - process.shared).isdisjoint(drawn):
        raise FileError(
            f"{name}: cell {cell.name} draws layers of the module, none of {process.name} itself, "
            f"and others that it does not have ({listed(list(unknown))}); a layout of another "
            "process? name it with --process"
        )
    if unknown:
        _refuse_of_another(cell, drawn, process, name)
    remarks = [f"unknown layers, not checked: {', '.join(unknown)}"] if unknown else []
    filled = [x for x in process.foreign if x.joins and x.gds in drawn and x.gds in process.known]
    if filled:
        listed_fill = ", ".join(f"{x.gds[0]}/{x.gds[1]}" for x in filled)
        remarks.append(
            f"fill on {listed_fill}: checked by the design rules, touches no wire, and is left out "
            "of nets and capacitances"
        )
    remarks += [
        f"{layer.name} {layer.gds[0]}/{layer.gds[1]}: {layer.text}, which design rules see, and "
        "devices, wires and their resistance do not"
        for layer in process.foreign
        if layer.gds in drawn and layer.gds in process.judged
    ]
    return tuple(remarks)


def _refuse_of_another(
    cell: db.Cell, drawn: Mapping[Pair, int], process: ProcessLayers, name: str
) -> None:
    """Refuse shapes that nothing would judge, where they say that the layout is of another process.

    A few layers of nobody are a user's marks. Texts, and layers that the foundry lists, are no
    sign of anything.
    """
    listed_by = process.known.keys() | process.judged | {layer.gds for layer in process.foreign}
    unknown = [pair for pair in sorted(drawn.keys() - listed_by) if _has_area(cell, drawn[pair])]
    if not unknown:
        return
    known = {pair for pair in drawn if pair in process.known}
    shown = listed([f"{a}/{b}" for a, b in unknown])
    way = f"or list them in foreign.csv of {process.name}, if they mean nothing"
    for other, described in process.others().items():
        if not described.isdisjoint(unknown) and len(described & drawn.keys()) > len(known):
            raise FileError(
                f"{name}: cell {cell.name} draws layers that {process.name} does not know and "
                f"{other} does ({shown}), so they would not be judged; name the process with "
                f"--process, {way}"
            )
    if len(unknown) > len(known & process.telling):
        raise FileError(
            f"{name}: cell {cell.name} draws more layers that {process.name} does not know "
            f"({shown}) than layers of it, so most would not be judged; a layout of another "
            f"process? name it with --process, {way}"
        )


def _has_area(cell: db.Cell, index: int) -> bool:
    """Return whether a layer holds more than texts."""
    import klayout.db as db

    shapes = cell.begin_shapes_rec(index)
    shapes.shape_flags = db.Shapes.SAll & ~db.Shapes.STexts
    return not shapes.at_end()


def _refuse_other_devices(
    cell: db.Cell,
    layer: ForeignLayer,
    process: ProcessLayers,
    drawn: Mapping[Pair, int],
    around: dict[Pair, list[db.Box]],
    name: str,
) -> None:
    import klayout.db as db

    for pair in layer.changes:
        if pair not in drawn:
            continue
        if layer.joins:
            if pair not in around:
                around[pair] = _surroundings(cell, drawn[pair])
            polygon = _touching(cell, drawn[layer.gds], drawn[pair], around[pair])
        else:
            store = shape_store()  # keeps the hierarchy: a large array costs no more
            both = db.Region(cell.begin_shapes_rec(drawn[layer.gds]), store)
            both &= db.Region(cell.begin_shapes_rec(drawn[pair]), store)
            polygon = next(both.each(), None)
        if polygon is not None:
            at = polygon.bbox().center().to_dtype(cell.layout().dbu)
            lies = "lies over or touches" if layer.joins else "lies over"
            raise FileError(
                f"{name}: {layer.name} {layer.gds[0]}/{layer.gds[1]} {lies} "
                f"{process.known.get(pair, pair)} at ({at.x:.3f}, {at.y:.3f}): {layer.text}, "
                f"which {process.name} does not describe"
            )


def check_slots(cell: db.Cell, process: ProcessLayers, name: str) -> None:
    """Refuse what takes metal out of a wire and does not lie inside it: nets would not see it.

    Raises:
        FileError: names layer and place of a slot that parts a wire or reaches over its edge.
    """
    import klayout.db as db

    drawn = dict(_drawn(cell))
    for layer in process.foreign:
        if layer.gds not in drawn or layer.gds not in process.judged:
            continue
        slots = db.Region(cell.begin_shapes_rec(drawn[layer.gds])).merged()
        for pair in layer.changes:
            if pair not in drawn or slots.is_empty():
                continue
            near = db.RecursiveShapeIterator(cell.layout(), cell, drawn[pair], slots, True)
            wires = db.Region(near).merged()
            mine = slots.interacting(wires)
            parting = mine.outside(wires.sized(-1)) + mine.not_inside(wires.sized(-1))
            parting += mine.with_holes(1, None, False)
            if not parting.is_empty():
                at = parting[0].bbox().center().to_dtype(cell.layout().dbu)
                raise FileError(
                    f"{name}: {layer.name} {layer.gds[0]}/{layer.gds[1]} parts "
                    f"{process.known.get(pair, pair)} or reaches over its edge at ({at.x:.3f}, "
                    f"{at.y:.3f}): {layer.text}, which nets do not see; allowed: slots inside it"
                )


def _touching(cell: db.Cell, index: int, other: int, around: Iterable[db.Box]) -> db.Polygon | None:
    """Return a shape of a layer that overlaps or only touches one of another, by edge or corner.

    Fill is a million squares, and cuts are as many: what is near the other layer is looked up in
    the hierarchy first, and only this is looked at, each shape as it is and merged with nothing.
    """
    import klayout.db as db

    near = shapes_touching(cell, (index,), around)
    if near.is_empty():
        return None
    wires = db.Region(cell.begin_shapes_rec(other))
    near.merged_semantics = wires.merged_semantics = False
    return next(near.interacting(wires).each(), None)


def shapes_touching(cell: db.Cell, indexes: Iterable[int], boxes: Iterable[db.Box]) -> db.Region:
    """Return the shapes of layers that overlap or touch boxes, found in the hierarchy.

    A shape that touches several boxes is there as often.

    Args:
        cell: where they are drawn.
        indexes: of the layers in its layout.
        boxes: in dbu.
    """
    import klayout.db as db

    layers, found = tuple(indexes), db.Region()
    for box in boxes:
        for index in layers:
            shapes = cell.begin_shapes_rec_touching(index, box)
            if not shapes.at_end():
                found.insert(shapes)
    return found


def _surroundings(cell: db.Cell, index: int) -> list[db.Box]:
    """Return boxes that cover a layer and what is within `_NEAR_UM` of it."""
    import klayout.db as db

    store = shape_store()
    shapes = db.Region(cell.begin_shapes_rec(index), store)
    shapes.merged_semantics = False
    around = shapes.sized(round(_NEAR_UM / cell.layout().dbu))
    around.merge()  # in each cell once: an array of cuts becomes one box
    flat = db.Region()
    for polygon in around.each():
        flat.insert(polygon)
    return [part.bbox() for part in flat.decompose_trapezoids_to_region().each()]


def clear_layers(layout: db.Layout, top: db.Cell, pairs: Iterable[Pair]) -> None:
    """Take what is drawn on some layers out of a layout, and the cells that hold nothing else.

    Args:
        layout: it is changed.
        top: cell that stays whatever it holds.
        pairs: (layer, datatype) of the layers.
    """
    before = {cell.cell_index() for cell in layout.each_cell() if cell.bbox().empty()}
    for pair in pairs:
        if (index := layout.find_layer(*pair)) is not None:
            layout.clear_layer(index)
    empty = {cell.cell_index() for cell in layout.each_cell() if cell.bbox().empty()}
    if emptied := sorted(empty - before - {top.cell_index()}):
        layout.delete_cells(emptied)
