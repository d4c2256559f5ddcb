"""The wires in which currents are looked at: all of a network's at once, or nets side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ..solve.network.linear import NetworkSolution
from ..solve.study.em import passing, throughs_of
from .duty import SHARED, shared_duty

if TYPE_CHECKING:
    from ..solve.network.network import Network
    from ..solve.network.through import Throughs
    from ..solve.network.wires import Wires

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Part(Protocol):
    """Some wires."""

    @property
    def network(self) -> Network:
        """The wires, and the memristors that stand on them."""

    def passing(self, found: NetworkSolution) -> Floats:
        """Return the current in every resistor's narrow place, A, of a solve of all devices."""

    def duty(self, own: Ints) -> Floats:
        """Return the part of the time of every resistor (`shared_duty`).

        Args:
            own: column of every net.
        """


@dataclass(frozen=True, eq=False)
class AllOf:
    """All wires of a network that holds every piece of them."""

    network: Network

    def passing(self, found: NetworkSolution) -> Floats:
        """See `Part`."""
        return passing(self.network, throughs_of(self.network), found.resistor_currents)

    def duty(self, own: Ints) -> Floats:
        """See `Part`."""
        return shared_duty(self.network, throughs_of(self.network), own)


@dataclass(frozen=True, eq=False)
class _Kind:
    """Wires that are alike, and what is found of one for all."""

    wires: Wires
    #: currents into them by solve
    known: dict[int, tuple[NetworkSolution, Floats]] = field(default_factory=dict)

    def into(self, found: NetworkSolution) -> Floats:
        """Return the currents into every net; the solve is kept with them, as its key."""
        if id(found) not in self.known:
            self.known[id(found)] = found, self.wires.into(found)
        return self.known[id(found)][1]

    @cached_property
    def throughs(self) -> Throughs:
        """The meshes of one net."""
        return throughs_of(self.wires.one)

    @cached_property
    def duty(self) -> Floats:
        """Part of the time of one net that several columns share."""
        wires, size = self.wires, len(self.wires.one.resistor_ohm)
        if not len(wires.column):
            return np.ones(size)
        line = wires.leads()
        own = np.r_[SHARED, wires.column]
        return shared_duty(line, self.throughs, own)[:size]


@dataclass(frozen=True, eq=False)
class SomeOf:
    """Some nets of a kind, side by side."""

    kind: _Kind
    which: slice

    @cached_property
    def network(self) -> Network:
        """See `Part`."""
        return self.kind.wires.network(self.which)

    def passing(self, found: NetworkSolution) -> Floats:
        """See `Part`."""
        amps = self.kind.wires.currents(self.kind.into(found)[:, self.which])
        return np.ascontiguousarray(self.kind.throughs(amps).T).ravel()

    def duty(self, own: Ints) -> Floats:
        """See `Part`."""
        whole = np.ones(len(self.kind.duty))
        return np.concatenate([self.kind.duty if net == SHARED else whole for net in own])


def parts_of(network: Network, wires: Sequence[Wires]) -> Iterator[Part]:
    """Yield all wires of a network, kept apart from it or in it."""
    if not wires:
        yield AllOf(network)
    for alike in wires:
        kind = _Kind(alike)
        for which in alike.parts():
            yield SomeOf(kind, which)
