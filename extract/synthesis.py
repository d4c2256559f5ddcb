"""From an impedance matrix to positive resistors.

A mean over a patch is not a point of the sheet, so the exact star of a full-width patch has
a slightly negative leg: -1/6 square per square of patch length. A netlist must stay
passive, so such a leg is set to zero. The error is in series with the via or device only:
0.015 ohm of a 4.5 ohm via, 0.07 ohm of a 10 kohm device. What passes along the line is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: conductances below this share of the largest one are left out
_NEGLIGIBLE = 1e-7


@dataclass(frozen=True)
class Edge:
    """One resistor of a template: local nodes, squares, width in dbu."""

    a: int
    b: int
    squares: float
    width: float


def synthesise(z: Floats, widths: Sequence[float]) -> tuple[int, list[Edge]]:
    """Return resistors that have the impedance matrix `z`.

    Args:
        z: impedance in squares of ports 1..k-1 against port 0.
        widths: width in dbu of the wire at every port; a resistor notes the narrower end's.

    Returns:
        Number of nodes (ports first, then inner nodes) and the resistors.
    """
    k = len(z) + 1
    if k == 2:
        return 2, [Edge(0, 1, float(z[0, 0]), min(widths))]
    if k == 3:
        centre = z[0, 1]
        legs = (centre, z[0, 0] - centre, z[1, 1] - centre)
        return 4, [Edge(i, 3, max(0.0, float(leg)), widths[i]) for i, leg in enumerate(legs)]
    return k, _mesh(z, widths)


def _mesh(z: Floats, widths: Sequence[float]) -> list[Edge]:
    """Return the complete mesh; raises self-impedances until no conductance is negative."""
    step = 0.02 * float(np.trace(z)) / len(z)
    for attempt in range(60):
        y = np.linalg.inv(z + np.eye(len(z)) * step * attempt)
        mutual = -y
        np.fill_diagonal(mutual, 0.0)
        to_reference = y.sum(axis=1)
        floor = -_NEGLIGIBLE * float(y.diagonal().max())
        if mutual.min() >= floor and to_reference.min() >= floor:
            break
    limit = _NEGLIGIBLE * float(y.diagonal().max())
    edges = [
        Edge(0, i + 1, 1 / g, min(widths[0], widths[i + 1]))
        for i, g in enumerate(to_reference)
        if g > limit
    ]
    for i in range(len(z)):
        edges += [
            Edge(i + 1, j + 1, 1 / mutual[i, j], min(widths[i + 1], widths[j + 1]))
            for j in range(i + 1, len(z))
            if mutual[i, j] > limit
        ]
    return edges
