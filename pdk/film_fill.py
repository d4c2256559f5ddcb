"""Fill of a module's electrodes: floating squares that bring each to its density.

`fill.csv` of a module folder; a module may lack it. Squares of an electrode lie on a lattice like
the black fields of a chessboard, those with a shift like the white ones, so that squares of
electrodes that touch each other in the stack never cross.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .model import Profile
from .ranges import DISTANCE_UM, LENGTH_UM
from .tables import read_csv, table_of
from .words import name_of

FILE = "fill.csv"
_COLUMNS = (
    "name", "layer", "side", "step", "shift", "to_films", "to_openings", "to_marks", "to_edge",
    "source",
)  # fmt: skip


@dataclass(frozen=True)
class FilmFill:
    """Squares that fill an electrode, all lengths in um.

    Attributes:
        name: the electrode.
        layer: drawn layer of the squares; the electrode's mask prints both.
        side_um: side of a square.
        step_um: from a field of the chessboard to the next.
        shift_um: 0 for the black fields, `step_um` for the white ones.
        to_films_um: least distance to the module's own films and vias.
        to_openings_um: to openings of either passivation.
        to_marks_um: to alignment marks and verniers.
        to_edge_um: to the die's edge, or to the seal ring's room.
        source: where the figures come from.
    """

    name: str
    layer: str
    side_um: float
    step_um: float
    shift_um: float
    to_films_um: float
    to_openings_um: float
    to_marks_um: float
    to_edge_um: float
    source: str


def film_fills(folder: Path, profile: Profile) -> tuple[FilmFill, ...]:
    """Return the fill of a module's electrodes in one profile; none if the module has no table.

    Raises:
        ProcessError: for a table that cannot be understood, or squares that touch each other.
    """
    path = folder / FILE
    return tuple(_rows(path, profile)) if table_of(path).is_file() else ()


def _rows(path: Path, profile: Profile) -> Iterator[FilmFill]:
    letters = profile.letters
    for row in read_csv(path, _COLUMNS):
        side = row.number("side", LENGTH_UM, names=letters)
        step = row.number("step", LENGTH_UM, names=letters)
        shift = row.number("shift", DISTANCE_UM, names=letters)
        if step <= side or shift not in (0.0, step):
            raise row.wrong("allowed: a step above the side, a shift of 0 or of the step")
        films, openings, marks, edge = (
            row.number(key, DISTANCE_UM, names=letters) for key in _COLUMNS[5:9]
        )
        yield FilmFill(
            name_of(row), row.text("layer"), side, step, shift, films, openings, marks, edge,
            row.text("source"),
        )  # fmt: skip
