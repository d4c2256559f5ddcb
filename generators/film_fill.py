"""Fill of the module's electrodes: floating squares on a chessboard, away from all that is live.

Sizes and distances are the module's (`pdk.film_fill`). Squares are joined to nothing: no via, no
film and no other electrode's square that it could touch lies over or under them.
"""

from __future__ import annotations

from collections.abc import Iterator

import klayout.db as db

from ..pdk import Ask
from ..pdk.film_fill import FilmFill
from .die import CELL, TO_ARRAY_UM, Die, Filled
from .lattice import fold

#: markers that keep fill away from marks of the foundry or the shuttle, where a process has them
_FREE = ("no_metal_fill",)


def fill_films(die: Die, inside: db.Cell) -> Iterator[Filled]:
    """Fill every electrode of the module that has a table of fill.

    Args:
        die: the die, whose foundry layers are filled already.
        inside: cell that the fill goes into.
    """
    for kind in die.tech.film_fill:
        least = Ask(die.tech).density(kind.name)[0]
        gds = die.tech.gds(kind.layer)
        before = die.percent((die.drawn(die.tech.gds(kind.name)) + die.drawn(gds)).merged())
        cell = die.layout.create_cell(f"{CELL}_{kind.name.lower()}")
        squares = _place(die, kind, cell, die.layout.layer(*gds))
        inside.insert(db.CellInstArray(cell.cell_index(), db.Trans()))
        after = before + die.percent(squares)
        yield Filled(kind.name, before, after, least, squares.count())


def _place(die: Die, kind: FilmFill, cell: db.Cell, index: int) -> db.Region:
    side, step, shift = map(die.um, (kind.side_um, kind.step_um, kind.shift_um))
    square = die.layout.create_cell(f"{cell.name}_square")
    box = db.Box(0, 0, side, side)
    square.shapes(index).insert(box)
    row, column = db.Vector(2 * step, 0), db.Vector(step, step)
    origin = die.box.p1 + db.Vector(shift, 0)
    cell.fill_region(
        _allowed(die, kind), square.cell_index(), box, row, column, origin,
        None, db.Vector(), None, db.Box(),
    )  # fmt: skip
    fold(cell, row, column)
    squares = db.Region(cell.begin_shapes_rec(index))
    squares.merged_semantics = False  # they do not touch
    return squares


def _allowed(die: Die, kind: FilmFill) -> db.Region:
    """Return where squares may lie: inside the post-process area, away from all that is live."""
    tech, drawn = die.tech, die.tech.roles.names
    own = die.drawn(tech.gds(kind.layer))
    kept = die.films.sized(die.um(kind.to_films_um)) + own.sized(die.um(kind.to_films_um))
    kept += die.array.sized(die.um(max(TO_ARRAY_UM, kind.to_films_um)))
    kept += die.marks.sized(die.um(kind.to_marks_um))
    openings = [(role, kind.to_openings_um) for role in ("pad", "reopen")]
    for role, distance in (*openings, *((role, 0.0) for role in _FREE)):
        if role in drawn:
            kept += die.layer(role).sized(die.um(distance))
    edge = die.um(tech.shuttle.seal_ring_um + kind.to_edge_um)
    return (die.layer("module_area") & db.Region(die.box.enlarged(-edge, -edge))) - kept


__all__ = ["fill_films"]
