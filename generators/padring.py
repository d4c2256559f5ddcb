"""The pads of a die: places in one row or two, their cells, and the rings of their supplies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..cells.clamp import supply_clamp
from ..cells.cuts import via_array
from ..cells.drawing import Cell, Label, Placement, Port, grid_down
from ..cells.pad_plan import LEAD, ring_metals
from ..cells.pads import RAILS, SIDES, bond_pad
from .chip import JOINT, SIDE_OF, Chip
from .id_room import CORNERS
from .netlist import Instance


@dataclass(frozen=True)
class Pad:
    """One pad: the side, the place along it in dbu, and the row, 0 at the die's edge."""

    side: str
    s: int
    row: int = 0


def pad_places(chip: Chip) -> list[Pad]:
    """Return the places of the pads, counterclockwise from the south-west.

    Pads of the second row stand before the gaps of the first, whose leads pass between them.

    Args:
        chip: the die.
    """
    found: list[Pad] = []
    for side in SIDES:
        pads = [p for row in range(chip.rows) for p in _row(chip, side, row)]
        pads.sort(key=lambda p: p.s, reverse=side in ("north", "west"))
        found += pads
    return found


def _row(chip: Chip, side: str, row: int) -> Iterator[Pad]:
    pitch, (low, high) = chip.plan.pitch, chip.ends(side)
    room = high - low
    # the second row has one pad less, so that each stands between two of the first
    count = max(0, room // pitch) - row
    first = low + grid_down((room - count * pitch) / 2, 10) + pitch // 2
    for k in range(count):
        yield Pad(side, first + k * pitch, row)


class PadCells:
    """Places pads, each with a supply clamp; one drawing serves all pads of a side.

    Args:
        chip: the die.
    """

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self._drawn: dict[tuple[str, str], Cell] = {}
        self._clamps: dict[str, Cell] = {}

    def place(self, pad: Pad, net: str | None) -> None:
        """Place a pad with its label; without a net it is one more pad of the VSS ring."""
        chip, rail = self.chip, "VSS" if net is None else net if net in RAILS else ""
        key = (pad.side, rail)
        if key not in self._drawn:
            self._drawn[key] = bond_pad(chip.rules.tech, rail=rail, side=pad.side)
        if pad.side not in self._clamps:
            self._clamps[pad.side] = supply_clamp(chip.rules.tech, side=pad.side)
        clamp = self._clamps[pad.side]
        side, at = chip.plan.side, chip.row_at(pad.row)
        span = (pad.s - side // 2, pad.s + side // 2)
        x, y, _, _ = chip.box(pad.side, span, (at, at + chip.plan.depth))
        chip.placements += [Placement(cell, x, y) for cell in (self._drawn[key], clamp)]
        name = f"_{clamp.name}{len(chip.instances)}"
        chip.instances.append(Instance(name, clamp.name, RAILS[::-1]))
        if net is not None:
            x, y = chip.point(pad.side, pad.s, at)
            outward = {v: k for k, v in SIDE_OF.items()}[pad.side]
            chip.pins.append(Port(net, chip.rules.layer("land"), x, y, side, outward))
            x, y = chip.point(pad.side, pad.s, at + side // 2)
            chip.labels.append(Label(chip.rules.layer("land"), net, x, y))


def lead_out(chip: Chip, net: str, pad: Pad, half: int, track: tuple[int, int]) -> None:
    """Lead a pad to the far edge of its track: through the rows behind it, then in all metals."""
    end, at = chip.pads_end, chip.row_at(pad.row) + chip.plan.depth
    lead = (pad.s - LEAD // 2, pad.s + LEAD // 2)
    own = chip.rules.layer("bottom_row")
    over = ring_metals(chip.rules.tech)
    through = tuple(m for m in chip.metals if m not in over) if at < end else (own,)
    chip.draw(net, through, pad.side, lead, (at - LEAD, end + LEAD))
    if at < end:
        chip.join(through, pad.side, lead, (at - JOINT, at))
    spoke = (pad.s - half, pad.s + half)
    chip.draw(net, chip.metals, pad.side, spoke, (end, track[1]))
    chip.join(chip.metals, pad.side, spoke, (end, end + JOINT))


def draw_rings(chip: Chip) -> None:
    """Close the VSS and VDD rings, which the pads draw in pieces, and join those of the rows."""
    metals = ring_metals(chip.rules.tech)
    for ring in (chip.plan.ring, chip.plan.supply):
        for row in range(chip.rows):
            low, high = (chip.row_at(row) + d for d in ring)
            for side in SIDES:
                span = _straight(chip, side, low)
                for metal in metals:
                    chip.canvas.rect(metal, *chip.box(side, span, (low, high)))
                    _turn(chip, metal, side, (low, high))
        for row in range(chip.rows - 1):
            _join_rings(chip, ring, row)


def _straight(chip: Chip, side: str, low: int) -> tuple[int, int]:
    """Return where a ring at a depth runs straight along a side."""
    first, last = (low + chip.shift(corner) for corner in CORNERS[side])
    return first, chip.length(side) - last


def _turn(chip: Chip, metal: str, side: str, ring: tuple[int, int]) -> None:
    """Lead a ring inwards at either end of a side whose corner is taken; the next side meets it."""
    low, high = ring
    first, last = _straight(chip, side, low)
    for corner, (begin, end) in zip(
        CORNERS[side], ((first, first + high - low), (last - (high - low), last)), strict=True
    ):
        if shift := chip.shift(corner):
            box = chip.box(side, (begin, end), (low, high + shift))
            chip.canvas.rect(metal, *box)


def _join_rings(chip: Chip, ring: tuple[int, int], row: int) -> None:
    """Join a ring of a row to that of the row behind, at every corner of the latter.

    What joins them crosses the other supply's ring in the metals under both. Where the ring of the
    row behind turns, the joints of two sides are one, or would overlap: one has the vias.
    """
    filled: list[tuple[int, int, int, int]] = []
    low, high = chip.row_at(row) + ring[0], chip.row_at(row + 1) + ring[1]
    width, roles = ring[1] - ring[0], chip.rules.tech.roles
    under = [m for m in chip.metals if m not in ring_metals(chip.rules.tech)]
    for side in SIDES:
        first, last = _straight(chip, side, high - width)
        for s in (first, last - width):
            span = (s, s + width)
            for metal in under:
                chip.canvas.rect(metal, *chip.box(side, span, (low, high)))
            for d in (low, high - width):
                box = chip.box(side, span, (d, d + width))
                if not any(_overlap(box, other) for other in filled):
                    via_array(chip.canvas, chip.rules, box, roles.cuts(under[0], "land"))
                    filled.append(box)


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    """Return whether two boxes share area."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


__all__ = ["Pad", "PadCells", "draw_rings", "lead_out", "pad_places"]
