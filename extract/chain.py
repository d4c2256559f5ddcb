"""A line with taps, read from its resistors: segments along the line and a series tap each.

For a chain with taps, driven at the pin, the voltage at device j under a current into device
k is the line's resistance up to the nearer of both, and at j itself the tap comes on top. So
the impedance matrix tells segments and taps whatever stands between, and also whether the
net is such a chain at all.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu

from .netres import NetResistors

Floats = NDArray[np.float64]
#: how far a net may be from a chain, as a share of its end-to-end resistance
_TOLERANCE = 1e-6


class NotAChainError(Exception):
    """A net is not a line with taps; the message says which and how far off."""


@dataclass(frozen=True)
class Chain:
    """A line with taps, from the pin outwards.

    Attributes:
        segment: ohm from the tap before (or the pin) to tap j.
        tap: ohm from the line to device terminal j.
    """

    segment: Floats
    tap: Floats


def impedance(net: NetResistors, reference: int, nodes: Sequence[int]) -> Floats:
    """Return the impedance matrix in ohm between nodes, against a reference node."""
    a = np.array([r.a for r in net.resistors], dtype=np.int64)
    b = np.array([r.b for r in net.resistors], dtype=np.int64)
    g = 1.0 / np.array([r.ohm for r in net.resistors])
    n = net.n_nodes
    matrix = coo_matrix(
        (np.concatenate([g, g, -g, -g]),
         (np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a]))),
        (n, n),
    ).tocsc()  # fmt: skip
    alone = np.setdiff1d(np.arange(n), np.concatenate([a, b]))
    free = np.setdiff1d(np.arange(n), [reference, *alone])
    place = np.full(n, -1)
    place[free] = np.arange(len(free))
    at = place[np.asarray(nodes)]
    if not len(free):
        return np.zeros((len(nodes), len(nodes)))
    drive = np.zeros((len(free), len(nodes)))
    known = at >= 0
    drive[at[known], np.flatnonzero(known)] = 1.0
    volts = splu(matrix[free][:, free]).solve(drive)
    z = np.zeros((len(nodes), len(nodes)))
    z[known] = volts[at[known]]
    return z


def chain(net: NetResistors, pin: str, keys: Sequence[Hashable]) -> Chain:
    """Return segments and taps of a net.

    Args:
        net: solved net.
        pin: where the line is driven.
        keys: device terminals in their order along the line, from the pin outwards.

    Raises:
        NotAChainError: if the net has no such pin or is no chain in that order.
    """
    if pin not in net.pin_node:
        raise NotAChainError(f"net {net.name} has no pin {pin}")
    missing = [k for k in keys if k not in net.terminal_node]
    if missing:
        raise NotAChainError(f"net {net.name} does not reach {len(missing)} of its devices")
    z = impedance(net, net.pin_node[pin], [net.terminal_node[k] for k in keys])
    own = z.diagonal()
    if len(keys) == 1:
        return Chain(own.copy(), np.zeros(1))
    along = np.empty(len(keys))
    along[:-1] = np.diagonal(z, 1)
    # behind the last tap nothing tells line from tap: it gets the tap of the one before
    along[-1] = own[-1] - max(0.0, own[-2] - along[-2])
    along[-1] = max(along[-1], along[-2])
    j = np.arange(len(keys))
    expected = along[np.minimum.outer(j, j)]
    np.fill_diagonal(expected, own)
    off = float(np.abs(z - expected).max() / own.max())
    if off > _TOLERANCE or (np.diff(along) < -_TOLERANCE * own.max()).any():
        raise NotAChainError(f"net {net.name} is no line with taps (off by {off:.1e})")
    segment = np.maximum(np.diff(along, prepend=0.0), 0.0)
    return Chain(segment, np.maximum(own - along, 0.0))
