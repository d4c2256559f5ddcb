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

from ..sheet.tidy import NetResistors

Floats = NDArray[np.float64]
#: how far a net may be from a chain, as a share of its end-to-end resistance: where it must be
#: one, and where its pieces can be kept instead
ROUNDING, EXACT = 1e-6, 1e-11
#: resistances below this share of the line's are none
_NOTHING = 1e-9


class NotAChainError(Exception):
    """A net has no pin, or does not reach its devices; the message says which."""


@dataclass(frozen=True)
class Chain:
    """A line with taps, from the pin outwards.

    Attributes:
        segment: ohm from the tap before (or the pin) to tap j.
        tap: ohm from the line to device terminal j.
        off: how far the net is from such a line, as a share; up to `ROUNDING` it is one.
    """

    segment: Floats
    tap: Floats
    off: float = 0.0


def resistance(net: NetResistors, a: int, b: int) -> float:
    """Return the resistance between two nodes of a net in ohm."""
    return float(respond(net, a, [b], np.ones((1, 1)))[0, 0])


def respond(net: NetResistors, reference: int, nodes: Sequence[int], drive: Floats) -> Floats:
    """Return the voltages of nodes under currents into them and out of the reference.

    Args:
        net: solved net.
        reference: node at 0 V.
        nodes: k nodes, which may coincide.
        drive: currents in A, shape (k, patterns).

    Returns:
        Voltages in V, shape (k, patterns).
    """
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
    known = at >= 0
    volts = np.zeros(drive.shape)
    if not known.any():
        return volts
    current = np.zeros((len(free), drive.shape[1]))
    np.add.at(current, at[known], drive[known])
    factor = splu(
        matrix[free][:, free],
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    volts[known] = factor.solve(current)[at[known]]
    return volts


def chain(net: NetResistors, pin: str, keys: Sequence[Hashable]) -> Chain:
    """Return segments and taps of a net.

    Args:
        net: solved net.
        pin: where the line is driven.
        keys: device terminals in their order along the line, from the pin outwards.

    Raises:
        NotAChainError: if the net has no such pin or does not reach its devices.
    """
    if pin not in net.pin_node:
        raise NotAChainError(f"net {net.name} has no pin {pin}")
    missing = [k for k in keys if k not in net.terminal_node]
    if missing:
        raise NotAChainError(f"net {net.name} does not reach {len(missing)} of its devices")
    nodes = [net.terminal_node[k] for k in keys]
    n = len(keys)
    # columns: a current into the last device, into all of them, and at random as a check
    drive = np.zeros((n, 3))
    drive[-1, 0] = 1.0
    drive[:, 1] = 1.0
    drive[:, 2] = np.random.default_rng(0).normal(size=n)
    volts = respond(net, net.pin_node[pin], nodes, drive)
    along = volts[:, 0].copy()
    if n > 1:
        along[-1] = along[-2]
    tap = volts[:, 1] - _line_volts(along, drive[:, 1])
    if n > 1:
        # behind the last tap nothing tells line from tap: it gets the tap of the one before
        tap_before = max(0.0, tap[-2])
        along[-1] += max(0.0, tap[-1] - tap_before)
        tap[-1] = min(tap[-1], tap_before)
    expected = _line_volts(along, drive[:, 2]) + tap * drive[:, 2]
    size = float(np.abs(volts[:, 2]).max()) + 1e-30
    off = float(np.abs(volts[:, 2] - expected).max()) / size
    end_to_end = float(along[-1] + tap[-1])
    least = min(np.diff(along, prepend=0.0).min(), tap.min())
    off = max(off, -float(least) / (end_to_end + 1e-30))
    # rounding leaves some 1e-12 of the line where a device stands on it: that is a node
    segment, least = np.diff(along, prepend=0.0), _NOTHING * end_to_end
    return Chain(np.where(segment > least, segment, 0.0), np.where(tap > least, tap, 0.0), off)


def _line_volts(along: Floats, current: Floats) -> Floats:
    """Return the voltages of the taps of an ideal line under currents into them."""
    carried = np.cumsum(current[::-1])[::-1]
    volts: Floats = np.cumsum(np.diff(along, prepend=0.0) * carried)
    return volts
