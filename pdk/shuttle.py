"""The multi-project run that takes the dies: slots, pads, seal ring, fill, identification cells.

`shuttle.toml` of a process folder, read when it is asked for; a process may lack it. Layers are
named by role, so that nothing here is of one foundry. All lengths are in um.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path

from ..base.spans import LAYER, Span
from .ranges import (
    AREA_UM2,
    COUNT,
    DIE_UM,
    DISTANCE_UM,
    LENGTH_UM,
    PERCENT,
    PLACE_UM,
    STEP_UM,
    WINDOW_UM,
)
from .tables import ProcessError, Section, of_folder

#: what a distance of fill may name beside roles: the levels next to the one that is filled
FILL_WORDS = ("below", "above")
Pairs = tuple[tuple[str, str], ...]
#: (role, distance)
Distances = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Slot:
    """A die size that the shuttle offers, in um."""

    name: str
    width_um: float
    height_um: float


@dataclass(frozen=True)
class Pads:
    """What pads must be for those who bond and probe them, in um, and against discharges.

    Attributes:
        bond_opening_um, probe_opening_um: sides of the openings in the passivation.
        probe_pitch_um: from probe pad to probe pad.
        diode_um2: least active area of a bond pad's diode to either supply, um2; 0 for none.
    """

    bond_opening_um: float
    probe_opening_um: float
    probe_pitch_um: float
    diode_um2: float = 0.0


@dataclass(frozen=True)
class RingLayer:
    """A closed band of the seal ring; 0 is its edge towards the circuit, um."""

    role: str
    start_um: float
    end_um: float


@dataclass(frozen=True)
class RingCut:
    """Rows of cuts along the seal ring.

    Attributes:
        role: the cut.
        first_um: start of the first row from the ring's edge towards the circuit.
        pitch_um: from row to row.
        rows: how many.
        space_um: from cut to cut within a row.
        stagger_um: how far each row is shifted along the ring against the row before.
    """

    role: str
    first_um: float
    pitch_um: float
    rows: int
    space_um: float
    stagger_um: float


@dataclass(frozen=True)
class Ring:
    """The seal ring that runs along the die's edge.

    Attributes:
        width_um: its width.
        layers, cuts: what it is made of.
    """

    width_um: float
    layers: tuple[RingLayer, ...]
    cuts: tuple[RingCut, ...]


@dataclass(frozen=True)
class Fill:
    """Squares that fill the empty areas of the layers of one role.

    Attributes:
        role: layers that are filled.
        datatype: GDS datatype of the fill.
        side_um: side of a square.
        row_um, column_um: from a square to the next along a row and along a column.
        to_circuit_um: distance to circuit of the same layer.
        clear: distance to what must not be crossed.
        wish: the same, given up on a layer that misses its density otherwise.
        over: role of the fill that each square lies over; empty for none.
        dense_um: pitch of a plain lattice, taken where the density is missed otherwise; 0: none.
        shift_um: how far the lattice moves from one layer of the role to the next.
    """

    role: str
    datatype: int
    side_um: float
    row_um: tuple[float, float]
    column_um: tuple[float, float]
    to_circuit_um: float
    clear: Distances
    wish: Distances
    over: str
    dense_um: float
    shift_um: float


@dataclass(frozen=True)
class IdCell:
    """A cell that the shuttle finds by name and writes an identification into.

    Attributes:
        name: of the cell.
        corner: ``south-west`` or ``north-east``: the corner of the die that `box_um` counts from.
        box_um: (x1, y1, x2, y2); in the north-east inwards.
        keeps_out: roles of the markers that keep fill out of it.
        turned: the cell itself lies along x and is placed turned by a quarter.
    """

    name: str
    corner: str
    box_um: tuple[float, float, float, float]
    keeps_out: tuple[str, ...]
    turned: bool


@dataclass(frozen=True)
class Window:
    """Local density, which nobody's deck checks: a square of the die, and the least cover in it."""

    side_um: float
    least_percent: float


@dataclass(frozen=True)
class Shuttle:
    """The multi-project run that takes the dies.

    Attributes:
        name: in words.
        seal_ring_um: room of the seal ring on each side.
        ring_to_opening_um: from the ring to a pad's opening, at least and at most.
        forbidden: layers that must be empty: name, ``layer/datatype``.
        slots: die sizes.
        pads: openings and pitches.
        fill: what fills empty areas, in the order that it is drawn.
        ring: the seal ring; None where the run brings its own.
        ids: identification cells.
        window: local density of metals; None for none.
        items: what the run's own checks are called: name of a check here, name there.
        unchecked: steps of the run's own check that nothing here repeats.
        notes: what must be agreed with whoever runs it.
        chip_notes: what must be, of a chip, beside that.
    """

    name: str
    seal_ring_um: float
    ring_to_opening_um: tuple[float, float]
    forbidden: Pairs
    slots: tuple[Slot, ...]
    pads: Pads
    fill: tuple[Fill, ...]
    ring: Ring | None
    ids: tuple[IdCell, ...]
    window: Window | None
    items: Pairs
    unchecked: tuple[str, ...]
    notes: tuple[str, ...]
    chip_notes: tuple[str, ...]


@of_folder("shuttle.toml")
def shuttle(folder: Path) -> Shuttle:
    """Return the shuttle of a process folder.

    Raises:
        ProcessError: for a key that is missing, unknown or of the wrong type.
        FileError: if there is none.
    """
    keys = ("name", "seal_ring_um", "ring_to_opening_um", "forbidden", "slot", "pads")
    more = ("fill", "ring", "id", "window", "items", "unchecked", "notes", "chip_notes")
    top = Section.of(folder / "shuttle.toml", keys, more)
    reach = _numbers(top, "ring_to_opening_um", 2, PLACE_UM)
    if not reach[0] <= reach[1]:
        raise ProcessError(top.where, ("ring_to_opening_um is not [least, most]",))
    slots = tuple(
        Slot(row.text("name"), row.number("width_um", DIE_UM), row.number("height_um", DIE_UM))
        for row in (s.checked(("name", "width_um", "height_um")) for s in top.sections("slot"))
    )
    forbidden = top.pairs("forbidden")
    if wrong := [pair for _, pair in forbidden if not re.fullmatch(r"[0-9]{1,5}/[0-9]{1,5}", pair)]:
        raise ProcessError(top.where, (f"forbidden: {wrong[0][:20]!r} is not layer/datatype",))
    ring_um = top.number("seal_ring_um", DISTANCE_UM)
    _check_slots(top.where, slots, ring_um)
    *sizes, diode = (field.name for field in fields(Pads))
    pads = top.section("pads").checked(tuple(sizes), (diode,))
    bond, probe, pitch = (pads.number(name, LENGTH_UM) for name in sizes)
    if not pitch > probe:
        told = f"probe_pitch_um = {pitch:g}, allowed: above probe_opening_um, {probe:g} um"
        raise ProcessError(pads.where, (told,))
    return Shuttle(
        name=top.text("name"),
        seal_ring_um=ring_um,
        ring_to_opening_um=(reach[0], reach[1]),
        forbidden=forbidden,
        slots=slots,
        pads=Pads(bond, probe, pitch, pads.number(diode, AREA_UM2, 0.0)),
        fill=tuple(map(_fill, top.sections("fill", optional=True))),
        ring=_ring(top.section("ring")) if "ring" in top.values else None,
        ids=tuple(map(_id_cell, top.sections("id", optional=True))),
        window=_window(top),
        items=top.pairs("items") if "items" in top.values else (),
        unchecked=top.texts("unchecked") if "unchecked" in top.values else (),
        notes=top.texts("notes") if "notes" in top.values else (),
        chip_notes=top.texts("chip_notes") if "chip_notes" in top.values else (),
    )


def _check_slots(where: str, slots: tuple[Slot, ...], ring_um: float) -> None:
    """Refuse dies of one name, and one that its seal ring fills."""
    if not slots:
        raise ProcessError(where, ("no slot",))
    names = [slot.name for slot in slots]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ProcessError(where, (f"slot {twice!r} is there twice",))
    for slot in slots:
        for name, side in (("width_um", slot.width_um), ("height_um", slot.height_um)):
            if side <= 2 * ring_um:
                told = f"slot {slot.name!r}: {name} = {side:g}, allowed: above {2 * ring_um:g} um"
                raise ProcessError(where, (f"{told}, the seal ring on both sides",))


def _window(top: Section) -> Window | None:
    if "window" not in top.values:
        return None
    row = top.section("window").checked(("side_um", "least_percent"))
    return Window(row.number("side_um", WINDOW_UM), row.number("least_percent", PERCENT))


def _numbers(row: Section, key: str, count: int, span: Span = STEP_UM) -> tuple[float, ...]:
    values = row.numbers(key, span)
    if len(values) != count:
        raise ProcessError(row.where, (f"{key} is not a list of {count} numbers",))
    return values


def _distances(row: Section, key: str) -> Distances:
    if key not in row.values:
        return ()
    table = row.section(key)
    return tuple((role, table.number(role, DISTANCE_UM)) for role in table.values)


def _fill(section: Section) -> Fill:
    keys = ("role", "datatype", "side_um", "row_um", "column_um", "to_circuit_um")
    row = section.checked(keys, ("clear", "wish", "over", "dense_um", "shift_um"))
    step, column = _numbers(row, "row_um", 2), _numbers(row, "column_um", 2)
    if not abs(step[0] * column[1] - step[1] * column[0]) > 0:
        raise ProcessError(row.where, ("row_um and column_um are parallel",))
    return Fill(
        role=row.text("role"),
        datatype=row.whole("datatype", LAYER),
        side_um=row.number("side_um", LENGTH_UM),
        row_um=(step[0], step[1]),
        column_um=(column[0], column[1]),
        to_circuit_um=row.number("to_circuit_um", DISTANCE_UM),
        clear=_distances(row, "clear"),
        wish=_distances(row, "wish"),
        over=row.text("over", ""),
        dense_um=row.number("dense_um", DISTANCE_UM, 0.0),
        shift_um=row.number("shift_um", STEP_UM, 0.0),
    )


def _ring(section: Section) -> Ring:
    top, ends = section.checked(("width_um", "layer", "cut")), ("start_um", "end_um")
    layers = tuple(
        RingLayer(row.text("role"), *(row.number(key, DISTANCE_UM) for key in ends))
        for row in (s.checked(("role", *ends)) for s in top.sections("layer"))
    )
    cuts = tuple(map(_ring_cut, top.sections("cut")))
    width = top.number("width_um", LENGTH_UM)
    for layer in layers:
        if not 0 <= layer.start_um < layer.end_um <= width:
            raise ProcessError(top.where, (f"{layer.role}: not between 0 and {width:g}",))
    return Ring(width, layers, cuts)


def _ring_cut(section: Section) -> RingCut:
    row = section.checked(tuple(field.name for field in fields(RingCut)))
    return RingCut(
        role=row.text("role"),
        first_um=row.number("first_um", DISTANCE_UM),
        pitch_um=row.number("pitch_um", LENGTH_UM),
        rows=row.whole("rows", COUNT),
        space_um=row.number("space_um", LENGTH_UM),
        stagger_um=row.number("stagger_um", STEP_UM),
    )


def _id_cell(section: Section) -> IdCell:
    row = section.checked(("name", "corner", "box_um"), ("keeps_out", "turned"))
    corner = row.text("corner")
    if corner not in ("south-west", "north-east"):
        raise ProcessError(row.where, (f"corner = {corner!r} is no known corner",))
    x1, y1, x2, y2 = _numbers(row, "box_um", 4, PLACE_UM)
    if not (x1 < x2 and y1 < y2):
        raise ProcessError(row.where, ("box_um is not [x1, y1, x2, y2], ascending",))
    keeps_out = row.texts("keeps_out") if "keeps_out" in row.values else ()
    turned = row.values.get("turned", False)
    if not isinstance(turned, bool):
        raise ProcessError(row.where, (f"turned = {turned!r} is neither true nor false",))
    return IdCell(row.text("name"), corner, (x1, y1, x2, y2), keeps_out, turned)
