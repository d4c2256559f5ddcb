"""Switch-level evaluation of a drawn macro: which nets transistors join to a source."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from crossstack.lvs import ExtractedLayout

#: no level yet
UNKNOWN = -1


class Switches:
    """The transistors of a layout; nets that nothing drives keep their level."""

    def __init__(self, extracted: ExtractedLayout) -> None:
        flat = extracted.flat
        self.names = {net.name: net.number for net in flat.nets if net.name}
        fets = [d for d in flat.devices if not d.kind.is_memristor]
        self.source, self.gate, self.drain = (
            np.array([d.nets[k] for d in fets]) for k in (0, 1, 2)
        )
        self.is_p = np.array([d.kind.name == "pfet" for d in fets])
        self.level = np.full(len(flat.nets), UNKNOWN)
        self.pins = {"VDD": True, "VSS": False}

    def settle(self, pins: Mapping[str, bool]) -> None:
        """Set pins and follow until nothing changes."""
        self.pins |= pins
        fixed = np.zeros(len(self.level), dtype=bool)
        for pin, high in self.pins.items():
            self.level[self.names[pin]] = high
            fixed[self.names[pin]] = True
        for _ in range(500):
            before = self.level.copy()
            if not self._step(fixed) and (self.level == before).all():
                return
        raise AssertionError("it does not settle, or VDD meets VSS")

    def _step(self, fixed: np.ndarray) -> bool:
        """Follow once; returns whether a net is led to both levels."""
        on = self.level[self.gate] == np.where(self.is_p, 0, 1)
        a, b = self.source[on], self.drain[on]
        inner = ~fixed[a] & ~fixed[b]
        size = len(self.level)
        graph = coo_matrix((np.ones(inner.sum()), (a[inner], b[inner])), shape=(size, size))
        count, group = connected_components(graph, directed=False)
        led = np.zeros((count, 2), dtype=bool)
        for ends, others in ((a, b), (b, a)):
            from_source = fixed[ends] & ~fixed[others]
            led[group[others[from_source]], self.level[ends[from_source]]] = True
        one = led[group]
        free = ~fixed & (one.sum(axis=1) == 1)
        self.level[free] = one[free, 1]
        return bool((one.all(axis=1) & ~fixed).any())

    def levels(self, nets: tuple[str, ...]) -> dict[str, bool]:
        """Return the levels of nets, which must be known."""
        found = {net: self.level[self.names[net]] for net in nets}
        assert UNKNOWN not in found.values(), found
        return {net: bool(level) for net, level in found.items()}
