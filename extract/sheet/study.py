"""How good is the resistance of a shape: hand, KLayout's two methods, and ours, side by side.

Hand values are exact where a closed form exists: straight lines; a 90 degree corner,
0.5587 squares, and a step in width (both by conformal mapping).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi

import klayout.db as db
import numpy as np
from numpy.typing import NDArray

from .field import SheetPort, sheet_impedance
from .pex import pex_squares
from .wire import Wire, WireSolver

Floats = NDArray[np.float64]
Bounds = tuple[int, int, int, int]

#: squares of a 90 degree corner of equal widths
CORNER = 0.5587


def step_squares(narrow: float, wide: float) -> float:
    """Return the squares that a flush step in width adds to both straight parts.

    A centred step adds half of that.
    """
    a = narrow / wide
    return ((a * a + 1) / a * log((1 + a) / (1 - a)) - 2 * log(4 * a / (1 - a * a))) / pi


@dataclass(frozen=True)
class Pattern:
    """A shape, its two ports (first and last of `ports`) and its hand value.

    Attributes:
        name: what it shows.
        boxes: the shape, in dbu.
        ports: patches and slices; those between the first and the last only stand on it.
        squares: the value that a hand computes, None without a closed form.
    """

    name: str
    boxes: tuple[Bounds, ...]
    ports: tuple[Bounds, ...]
    squares: float | None = None

    @property
    def polygon(self) -> db.Polygon:
        """The shape."""
        region = db.Region()
        for bounds in self.boxes:
            region.insert(db.Box(*bounds))
        return next(region.merged().each())


@dataclass(frozen=True)
class Accuracy:
    """One line of the study, all in squares.

    Attributes:
        name: pattern.
        hand: closed form, None without one.
        field: our field solution of the whole shape at once.
        square: KLayout's square counting.
        tesselation: KLayout's tesselation with its default triangles.
        fine: the same with triangles of 1 % of the line width squared.
        ours: straight stretches counted, the rest solved.
    """

    name: str
    hand: float | None
    field: float
    square: float
    tesselation: float
    fine: float
    ours: float

    @property
    def reference(self) -> float:
        """The closed form, or the field of the whole shape."""
        return self.field if self.hand is None else self.hand

    def error(self, method: str) -> float:
        """Return the relative error of a method against the reference."""
        return float(getattr(self, method)) / self.reference - 1.0


_COMB = tuple((4000 + 5000 * k, -400, 4380 + 5000 * k, 0) for k in range(8))

PATTERNS: tuple[Pattern, ...] = (
    Pattern(
        "straight line",
        ((0, 0, 50_000, 500),),
        ((0, 0, 0, 500), (50_000, 0, 50_000, 500)),
        100.0,
    ),
    Pattern(
        "line with 8 devices on it",
        ((0, 0, 40_000, 1000),),
        ((0, 0, 0, 1000), *((2000 + 5000 * k, 0, 3000 + 5000 * k, 1000) for k in range(7)),
         (40_000, 0, 40_000, 1000)),
        40.0,
    ),
    Pattern(
        "L bend",
        ((0, 0, 1000, 10_000), (0, 9000, 10_000, 10_000)),
        ((0, 0, 1000, 0), (10_000, 9000, 10_000, 10_000)),
        18 + CORNER,
    ),
    Pattern(
        "U turn",
        ((0, 0, 1000, 8000), (0, 7000, 6000, 8000), (5000, 0, 6000, 8000)),
        ((0, 0, 1000, 0), (5000, 0, 6000, 0)),
        18 + 2 * CORNER,
    ),
    Pattern(
        "step 1:3, flush",
        ((0, 0, 5000, 1000), (5000, 0, 14_000, 3000)),
        ((0, 0, 0, 1000), (14_000, 0, 14_000, 3000)),
        8 + step_squares(1, 3),
    ),
    Pattern(
        "step 1:2, centred",
        ((0, 500, 6000, 1500), (6000, 0, 14_000, 2000)),
        ((0, 500, 0, 1500), (14_000, 0, 14_000, 2000)),
        10 + step_squares(1, 2) / 2,
    ),
    Pattern(
        "tee, straight through",
        ((0, 0, 10_000, 1000), (4500, 0, 5500, 5000)),
        ((0, 0, 0, 1000), (10_000, 0, 10_000, 1000)),
    ),
    Pattern(
        "tee, into the stem",
        ((0, 0, 10_000, 1000), (4500, 0, 5500, 5000)),
        ((0, 0, 0, 1000), (4500, 5000, 5500, 5000)),
    ),
    Pattern(
        "row line with 8 tabs",
        ((0, 0, 40_000, 2000), *_COMB),
        ((0, 0, 0, 2000), *((b[0] + 60, -340, b[0] + 320, -80) for b in _COMB),
         (40_000, 0, 40_000, 2000)),
    ),
    Pattern(
        "line with a slot",
        ((0, 0, 10_000, 400), (0, 600, 10_000, 1000), (0, 0, 4000, 1000), (6000, 0, 10_000, 1000)),
        ((0, 0, 0, 1000), (10_000, 0, 10_000, 1000)),
    ),
    Pattern(
        "wide line to a small via",
        ((0, 0, 10_000, 2000),),
        ((0, 0, 0, 2000), (4500, 100, 4760, 360)),
    ),
)  # fmt: skip


def accuracy(pattern: Pattern) -> Accuracy:
    """Return the resistance between the first and the last port by every method."""
    polygon = pattern.polygon
    ports = [SheetPort(b) for b in pattern.ports]
    ends = [ports[0], ports[-1]]
    narrow_um = 2e-3 * polygon.area() / polygon.perimeter()
    solver = WireSolver()
    return Accuracy(
        pattern.name,
        pattern.squares,
        float(sheet_impedance(polygon, ends)[0, 0]),
        float(pex_squares(polygon, ports, "square")[-1, -1]),
        float(pex_squares(polygon, ends, "tesselation", max_area_um2=0.0)[-1, -1]),
        float(pex_squares(polygon, ends, "tesselation", max_area_um2=0.01 * narrow_um**2)[-1, -1]),
        _between(solver.solve(polygon, ports), 0, len(ports) - 1),
    )


def accuracy_table() -> list[Accuracy]:
    """Return the study of all patterns."""
    return [accuracy(pattern) for pattern in PATTERNS]


def _between(wire: Wire, first: int, last: int) -> float:
    """Return the resistance between two ports of a wire in squares."""
    matrix = np.zeros((wire.n_nodes, wire.n_nodes))
    for e in wire.edges:
        g = 1.0 / max(e.squares, 1e-12)
        matrix[[e.a, e.b], [e.a, e.b]] += g
        matrix[[e.a, e.b], [e.b, e.a]] -= g
    a, b = wire.port_node[first], wire.port_node[last]
    current = np.zeros(wire.n_nodes)
    current[a], current[b] = 1.0, -1.0
    volts = np.linalg.lstsq(matrix, current, rcond=None)[0]
    return float(volts[a] - volts[b])
