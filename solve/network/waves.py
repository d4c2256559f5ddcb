"""What is watched of a network over time, what it did, and when that has settled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConvergenceError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Watch:
    """What of a run is wanted, and how exactly.

    Attributes:
        ports: whose currents must come to rest.
        probes: pairs of nodes whose voltage is kept, shape (n, 2).
        part: of its final value within which each current and voltage must have come.
        progress: takes (what, bits reached, bits).
    """

    ports: Sequence[str]
    probes: Ints
    part: float
    progress: Callable[[str, int, int], object] | None = None


@dataclass(frozen=True, eq=False)
class Waves:
    """What the sources and the probes of a network did.

    Attributes:
        seconds: times after the sources began to move, the first 0, shape (n,).
        ports: names of the driven ports.
        amps: current of every port into the network at these times, shape (n, ports), A.
        coulombs: what each port has sent since the start, shape (n, ports), C.
        joules: the same times its voltage, shape (n, ports), J.
        probes: voltages of the probes, shape (n, probes), V.
        before, after: currents of the ports at rest, shape (ports,), A.
        watts: power of every port at rest afterwards, shape (ports,), W.
        probes_after: voltages of the probes at rest afterwards, V.
    """

    seconds: Floats
    ports: tuple[str, ...]
    amps: Floats
    coulombs: Floats
    joules: Floats
    probes: Floats
    before: Floats
    after: Floats
    watts: Floats
    probes_after: Floats

    def of(self, port: str) -> int:
        """Return the number of a port."""
        return self.ports.index(port)

    def joules_until(self, seconds: float) -> Floats:
        """Return what each port has spent after a time, at rest beyond the last step, J."""
        late = max(0.0, seconds - float(self.seconds[-1]))
        spent = [np.interp(seconds, self.seconds, column) for column in self.joules.T]
        return np.array(spent) + late * self.watts


def settled_s(seconds: Floats, off: Floats, part: float) -> float:
    """Return when every curve stays within a part, s; between two points on a straight log.

    Args:
        seconds: shape (n,).
        off: distance of each curve from its end as a share of it, shape (n, curves).
        part: e.g. 1 / 2048 for half of the last of ten bits.

    Raises:
        ConvergenceError: if a curve was not followed that far.
    """
    worst = np.abs(off).max(axis=1)
    late = np.flatnonzero(worst > part)
    if not len(late):
        return float(seconds[0])
    k = int(late[-1])
    if k + 1 == len(worst):
        raise ConvergenceError("the response has not settled in the time it was followed")
    high, low = np.log(worst[k]), np.log(max(worst[k + 1], 1e-300))
    share = (high - np.log(part)) / (high - low) if high > low else 1.0
    a, b = seconds[k], seconds[k + 1]
    return float(a + min(max(share, 0.0), 1.0) * (b - a))
