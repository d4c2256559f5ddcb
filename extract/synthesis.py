"""From an impedance matrix to positive resistors.

A mean over a patch is not a point of the sheet, so the exact star of a full-width patch has
a slightly negative leg: -1/6 square per square of patch length. A netlist must stay
passive, so such a leg is set to zero. The error is in series with the via or device only:
0.015 ohm of a 4.5 ohm via, 0.07 ohm of a 10 kohm device. What passes along the line is exact.

Each resistor also gets the width that its current has: the shortest cut that it must pass. In a
star every cut parts one port from the others, so a leg's width is that of its port. In a mesh the
resistors that pass a cut share its length, so that the cut is kept where each of them keeps its
share. They share it as they would share a current in an even field, by conductance times distance.
The outline of a port needs no shares where another resistor carries all of the port's current: the
stretch that goes on from a slice, the contact or via on a patch.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .narrows import Narrow

Floats = NDArray[np.float64]
#: conductances below this share of the largest one are left out
_NEGLIGIBLE = 1e-7


@dataclass(frozen=True)
class Edge:
    """One resistor of a template: local nodes, squares, width in dbu (nan if not known)."""

    a: int
    b: int
    squares: float
    width: float


def synthesise(
    z: Floats,
    cuts: list[Narrow],
    places: list[tuple[float, float]] | None = None,
    carried: Collection[int] = (),
) -> tuple[int, list[Edge]]:
    """Return resistors that have the impedance matrix `z`.

    Args:
        z: impedance in squares of ports 1..k-1 against port 0.
        cuts: narrow places between the ports; none leaves the widths unknown.
        places: where the ports are, for the widths; only without cuts they may be missing.
        carried: ports whose current another resistor carries, too.

    Returns:
        Number of nodes (ports first, then inner nodes) and the resistors.
    """
    k = len(z) + 1
    if k == 2:
        return 2, [Edge(0, 1, float(z[0, 0]), _width({0}, cuts, k))]
    if k == 3:
        centre = z[0, 1]
        legs = (centre, z[0, 0] - centre, z[1, 1] - centre)
        return 4, [
            Edge(i, 3, max(0.0, float(leg)), _width({i}, cuts, k)) for i, leg in enumerate(legs)
        ]
    g = _mesh(z)
    at = np.array(places or np.zeros((k, 2)))
    distance = np.hypot(*(at[:, None, :] - at[None, :, :]).transpose(2, 0, 1))
    width = _shared_widths(g * np.maximum(distance, 1.0), cuts, carried)
    a, b = np.nonzero(np.triu(g, 1))
    rows = zip(a.tolist(), b.tolist(), 1 / g[a, b], width[a, b], strict=True)
    return k, [Edge(i, j, float(squares), float(w)) for i, j, squares, w in rows]


def _width(port: set[int], cuts: list[Narrow], k: int) -> float:
    """Return the shortest cut that parts one port from the others."""
    others = set(range(k)) - port
    return min((cut.length for cut in cuts if cut.side in (port, others)), default=float("nan"))


def _shared_widths(share: Floats, cuts: list[Narrow], carried: Collection[int]) -> Floats:
    """Return the width of every resistor of a mesh: its share of the tightest cut it passes."""
    width = np.full(share.shape, np.inf)
    for cut in cuts:
        side = np.zeros(len(share), dtype=bool)
        side[list(cut.side)] = True
        passes = (side[:, None] != side[None, :]) & (share > 0)
        part = 1.0 if cut.mouth in carried else share[passes] / (share[passes].sum() / 2)
        width[passes] = np.minimum(width[passes], cut.length * part)
    return np.where(np.isinf(width), np.nan, width)


def _mesh(z: Floats) -> Floats:
    """Return the conductances of the complete mesh, shape (k, k).

    Self-impedances are raised until no conductance is negative.
    """
    step = 0.02 * float(np.trace(z)) / len(z)
    for attempt in range(60):
        y = np.linalg.inv(z + np.eye(len(z)) * step * attempt)
        g = np.zeros((len(z) + 1, len(z) + 1))
        g[1:, 1:] = -y
        g[0, 1:] = g[1:, 0] = y.sum(axis=1)
        np.fill_diagonal(g, 0.0)
        limit = _NEGLIGIBLE * float(y.diagonal().max())
        if g.min() >= -limit:
            break
    return np.where(g > limit, g, 0.0)
