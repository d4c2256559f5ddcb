"""Fill: squares in what a die leaves empty, until every layer covers the share that is asked for.

Sizes, lattices and distances are the shuttle's (`pdk.shuttle.Fill`); KLayout's fill tool places
the squares as arrays. Beside the shuttle's distances, metal and gates' fill keep `TO_ARRAY_UM` from
the circuit that has transistors or films of the module, so that its extracted capacitances stay
what they are. Squares lie in cells of their own; nothing else of the layout changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import klayout.db as db

from ..pdk import Ask, Tech
from ..pdk.shuttle import Distances, Fill
from .die import CELL, MARGIN, TO_ARRAY_UM, Die, Filled
from .film_fill import fill_films
from .lattice import fold


def fill_die(layout: db.Layout, top: db.Cell, tech: Tech) -> tuple[Filled, ...]:
    """Fill a die to its densities; fill that it has already counts and is kept clear of.

    Args:
        layout: layout to draw into.
        top: the die.
        tech: the process.
    """
    die = Die(layout, top, tech)
    found: list[Filled] = []
    inside = layout.create_cell(CELL)
    top_fill: dict[str, db.Region] = {}
    for kind in tech.shuttle.fill:
        for number, name in enumerate(tech.roles.all_of(kind.role)):
            under = top_fill.get(kind.over)
            if kind.over and under is None:
                continue
            filled, placed = _Level(die, kind, name, number, under).draw(inside)
            top_fill[kind.role] = placed
            found.append(filled)
    found += fill_films(die, inside)
    top.insert(db.CellInstArray(inside.cell_index(), db.Trans()))
    return tuple(found)


@dataclass
class _Level:
    """Fill of one layer."""

    die: Die
    kind: Fill
    name: str
    number: int
    under: db.Region | None

    def draw(self, inside: db.Cell) -> tuple[Filled, db.Region]:
        """Draw the squares; returns what became of the layer, and the squares."""
        die, layout = self.die, self.die.layout
        least = Ask(die.tech).density(self.name)[0]
        gds = die.tech.fill_of[self.name]
        have = die.drawn(die.tech.gds(self.name)) + die.drawn(gds)
        before = die.percent(have)
        cell = layout.create_cell(f"{CELL}_{self.name.lower()}")
        square = layout.create_cell(f"{cell.name}_square")
        side = die.um(self.kind.side_um)
        index = layout.layer(*gds)
        square.shapes(index).insert(db.Box(0, 0, side, side))
        count, after, given_up = 0, before, ""
        for kind, words in self._ways():
            cell.clear()
            count, given_up = self._place(cell, square, kind), words
            after = before + 100.0 * count * side**2 / die.box.area()  # squares do not touch
            if after >= least + MARGIN:
                break
        inside.insert(db.CellInstArray(cell.cell_index(), db.Trans()))
        squares = db.Region(cell.begin_shapes_rec(index))
        squares.merged_semantics = False
        return Filled(self.name, before, after, least, count, given_up), squares

    def _ways(self) -> Iterator[tuple[Fill, str]]:
        """Yield what to try, the best first."""
        kind = self.kind
        yield kind, ""
        if kind.wish:
            yield replace(kind, wish=()), "over and under wires of the next levels"
        if kind.dense_um:
            pitch = kind.dense_um
            dense = replace(kind, wish=(), row_um=(pitch, 0.0), column_um=(0.0, pitch))
            yield dense, f"over and under wires of the next levels, at a pitch of {pitch:g} um"

    def _place(self, cell: db.Cell, square: db.Cell, kind: Fill) -> int:
        """Place the squares of one way; returns how many."""
        die, side = self.die, self.die.um(kind.side_um)
        row, column = (db.Vector(*map(die.um, step)) for step in (kind.row_um, kind.column_um))
        shift = die.um(kind.shift_um * self.number)
        margin = 0
        if self.under is not None:  # centred on the squares of the fill below
            margin = (side - die.um(self._below().side_um)) // 2
        origin = die.box.p1 + db.Vector(shift - margin, shift - margin)
        cell.fill_region(
            self._allowed(kind), square.cell_index(), db.Box(0, 0, side, side), row, column,
            origin, None, db.Vector(), None, db.Box(),
        )  # fmt: skip
        return fold(cell, row, column)

    def _below(self) -> Fill:
        return next(f for f in self.die.tech.shuttle.fill if f.role == self.kind.over)

    def _allowed(self, kind: Fill) -> db.Region:
        die = self.die
        own = die.drawn(die.tech.gds(self.name)) + die.drawn(die.tech.fill_of[self.name])
        kept = _grown(own.merged(), die.um(kind.to_circuit_um))
        for region, distance in self._distances((*kind.clear, *kind.wish)):
            kept += _grown(region, die.um(distance))
        if kind.role != die.tech.roles.layer("diffusion") and kind.role != "diffusion":
            kept += die.array.sized(die.um(TO_ARRAY_UM))
        allowed = db.Region(die.box) - kept
        if self.under is not None:
            beyond = (kind.side_um - self._below().side_um) / 2
            allowed &= self.under.sized(die.um(beyond)).merged()
        return allowed

    def _distances(self, pairs: Distances) -> Iterator[tuple[db.Region, float]]:
        wires = self.die.tech.roles.wires
        levels = {"below": -1, "above": 1}
        for role, distance in pairs:
            if role in levels:
                k = wires.index(self.name) + levels[role]
                if 0 <= k < len(wires):
                    yield self.die.layer(wires[k]), distance
            else:
                yield self.die.layer(role), distance


def _grown(region: db.Region, by: int) -> db.Region:
    # right-angled corners stay sharp, which keeps farther away at corners than asked
    return region.sized(by)


__all__ = ["fill_die"]
