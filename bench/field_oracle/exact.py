"""Scenes whose capacitance is known exactly: what the oracle itself is held to."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from crossstack.extract.field.dielectric import EPSILON_0_F_UM
from crossstack.extract.field.scene import Conductor, Insulator, Points, Scene

#: what a right angle adds to two plates that end on it, in squares: conformal mapping of a bend
CORNER = 1.0 - 2.0 * math.log(2.0) / math.pi


@dataclass(frozen=True)
class Case:
    """A scene and the self capacitance of its net "A" in F."""

    name: str
    scene: Scene
    exact: float


def _box(x1: float, x2: float, y1: float = 0.0, y2: float = 1.0) -> Points:
    return ((x1, y1), (x2, y1), (x2, y2), (x1, y2))


def cases() -> Iterator[Case]:
    """Yield the cases: plates, films in series and side by side, a corner, a line in a trough."""
    plate = Conductor("A", 1.0, 2.0, (_box(0, 3),))
    yield Case("plate", Scene((0, 0, 3, 1), 2.0, (plate,), (Insulator(0, 1, 4.0),)),
               EPSILON_0_F_UM * 4.0 * 3.0)  # fmt: skip
    films = (Insulator(0, 0.99, 4.0), Insulator(0.99, 1.0, 40.0))
    yield Case("films of 990 and 10 nm in series", Scene((0, 0, 3, 1), 2.0, (plate,), films),
               EPSILON_0_F_UM * 3.0 / (0.99 / 4.0 + 0.01 / 40.0))  # fmt: skip
    half = (Insulator(0, 1, 4.0), Insulator(0, 1, 7.0, (_box(0, 1.5),)))
    yield Case("films side by side", Scene((0, 0, 3, 1), 2.0, (plate,), half),
               EPSILON_0_F_UM * 1.5 * (4.0 + 7.0))  # fmt: skip
    # a block over the plane and beside a grounded wall, both 1 um away: two plates and a corner
    block = Conductor("A", 1.0, 4.0, (_box(0, 2),))
    wall = Conductor("0", 0.0, 4.0, (_box(3, 4),))
    yield Case("corner", Scene((0, 0, 4, 1), 4.0, (block, wall), ()),
               EPSILON_0_F_UM * (2.0 + 3.0 + CORNER))  # fmt: skip
    # half of a line in a trough, 1 um from its floor, walls and lid: plates and two corners
    line = Conductor("A", 1.0, 3.0, (_box(0, 1.5),))
    lid = Conductor("0", 4.0, 4.5, (_box(0, 3.5),))
    side = Conductor("0", 0.0, 4.0, (_box(2.5, 3.5),))
    oxide = (Insulator(0, 4.5, 4.0),)
    yield Case("line in a trough", Scene((0, 0, 3.5, 1), 4.5, (line, side, lid), oxide),
               EPSILON_0_F_UM * 4.0 * (1.5 + 2.0 + 1.5 + 2 * CORNER))  # fmt: skip
    # the same, 20 um long: shortened ways and their breaks change nothing
    long = Conductor("A", 1.0, 4.0, (_box(0, 2, 0, 20),))
    far = Conductor("0", 0.0, 4.0, (_box(3, 4, 0, 20),))
    yield Case("long corner", Scene((0, 0, 4, 20), 4.0, (long, far), ()),
               EPSILON_0_F_UM * 20.0 * (2.0 + 3.0 + CORNER))  # fmt: skip
