"""Wires of a network that are kept apart from it, once for all nets that are alike.

The network of a large array holds what its devices see of the wires. With the currents of devices
and pins known, those of every piece of wire follow net by net: from what one ampere into each place
where something stands does to one of the nets that are alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConvergenceError
from .alike import Copies
from .linear import LOST, NetworkSolution
from .network import ARRAY_TYPES, PARTING_TYPES, Network
from .whole import Kind

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: resistors that are looked at together, and bytes of what one ampere each does to them
TOGETHER, MOST_BYTES = 2_000_000, 1_000_000_000
#: sides of a device or transistor: its first node, its second one
FIRST, SECOND = 0, 1


@dataclass(frozen=True, eq=False)
class Stands:
    """Where devices, or transistors, stand on nets that are alike.

    Attributes:
        number: of each, in the network; shape (nets, places).
        node: of one net, shape (places,).
        side: `FIRST` or `SECOND`, the end that stands there.
    """

    number: Ints
    node: Ints
    side: int


@dataclass(frozen=True, eq=False)
class Wires:
    """Nets that are alike.

    Attributes:
        whole: the network of devices.
        one: one net, as a network of its resistors.
        nets: their names, which are those of their pins if they have one.
        pin: node of one net; -1 without.
        memristors: that stand on them.
        switches: that stand on them.
        column: of what each transistor leads to, shape (transistors,); empty where that is told
            by the memristors that stand on them.
    """

    whole: Network
    one: Network
    nets: tuple[str, ...]
    pin: int
    memristors: Stands
    switches: Stands
    column: Ints

    @cached_property
    def read(self) -> Ints:
        """Nodes of one net at which something stands."""
        pin = np.array([self.pin] if self.pin >= 0 else [], dtype=np.int64)
        return np.unique(np.concatenate([self.memristors.node, self.switches.node, pin]))

    @cached_property
    def kind(self) -> Kind:
        """One net, ready to be solved."""
        read = np.zeros(self.one.n_nodes, dtype=bool)
        read[self.read] = True
        ends = np.stack([self.one.resistor_a, self.one.resistor_b]).astype(np.int64)
        nodes, resistors = np.arange(self.one.n_nodes)[None], np.arange(ends.shape[1])[None]
        return Kind(self.one, Copies(nodes, resistors, ends), read)

    def into(self, found: NetworkSolution) -> Floats:
        """Return the currents into the nodes `read` of every net, A, shape (nodes, nets)."""
        out = np.zeros((len(self.read), len(self.nets)))
        place = (
            self.whole.memristor_tier, self.whole.memristor_row, self.whole.memristor_col,
        )  # fmt: skip
        for stands, amps in (
            (self.memristors, found.device_currents[place]),
            (self.switches, found.switch_currents),
        ):
            at = np.searchsorted(self.read, stands.node)
            sign = 1.0 if stands.side == SECOND else -1.0
            np.add.at(out, at, sign * amps[stands.number.T])
        if self.pin >= 0:
            out[np.searchsorted(self.read, self.pin)] += [
                found.port_currents[name] for name in self.nets
            ]
        if not np.isfinite(out).all():
            raise ConvergenceError(f"the currents into {self.nets[0]} are not known")
        return out

    @cached_property
    def _units(self) -> Floats | None:
        """Current of every resistor for 1 A into each node `read`, A; None if that is too much."""
        size, count = len(self.one.resistor_ohm), len(self.read)
        reference = self.kind.reference
        if reference is None or count > len(self.nets) or 8 * size * count > MOST_BYTES:
            return None
        inject = np.zeros((self.one.n_nodes, count))
        inject[self.read, np.arange(count)] = 1.0
        inject[int(reference[0])] -= 1.0
        return self._carried(inject, 1.0)

    def currents(self, into: Floats) -> Floats:
        """Return the current of every resistor of some nets, A, shape (resistors of one, nets).

        Args:
            into: columns of `into`.

        Raises:
            ConvergenceError: if currents are left over.
        """
        if self._units is not None:
            return self._units @ into
        inject = np.zeros((self.one.n_nodes, into.shape[1]))
        inject[self.read] = into
        return self._carried(inject, float(np.abs(into).max(initial=0.0)))

    def _carried(self, inject: Floats, most: float) -> Floats:
        _, amps, left = self.kind.carried(inject)
        if not left <= LOST * most:
            raise ConvergenceError(
                f"the currents of {self.nets[0]} are {left / most:.1e} off those of its devices, "
                f"asked: {LOST:.0e}"
            )
        return np.nan_to_num(amps)

    def parts(self) -> Iterator[slice]:
        """Yield the nets that are looked at together."""
        step = max(1, TOGETHER // max(1, len(self.one.resistor_ohm)))
        for first in range(0, len(self.nets), step):
            yield slice(first, min(first + step, len(self.nets)))

    def network(self, part: slice) -> Network:
        """Return some of the nets as a network of wires and memristors, net by net.

        Of a memristor, the end that stands on another net is on a node of its own.
        """
        one, nets, number = self.one, self.nets[part], self.memristors.number[part]
        count = len(nets)
        first = one.n_nodes * np.arange(count)[:, None]
        away = one.n_nodes * count + np.arange(number.size)
        ends = [(self.memristors.node + first).ravel(), away]
        if self.memristors.side == SECOND:
            ends.reverse()
        which = number.ravel()
        repeated = {
            f"resistor_{name}": np.tile(getattr(one, f"resistor_{name}"), count)
            for name in ("ohm", "layer", "width_um", "cuts")
        }
        return network_of(
            [*(np.char.add(net, one.node_names) for net in nets), _numbered("device", number.size)],
            one.layers,
            nets,
            {net: self.pin + k * one.n_nodes for k, net in enumerate(nets) if self.pin >= 0},
            resistor_a=(one.resistor_a + first).ravel(),
            resistor_b=(one.resistor_b + first).ravel(),
            resistor_net=np.repeat(np.arange(count), len(one.resistor_ohm)),
            **repeated,
            memristor_a=ends[0],
            memristor_b=ends[1],
            **{
                f"memristor_{name}": getattr(self.whole, f"memristor_{name}")[which]
                for name in ("tier", "row", "col", "area_um2")
            },
        )

    def leads(self) -> Network:
        """Return one of the nets with its transistors, each of which leads to a net of its column.

        The wires of those nets come after its own, and are of no layer of it.
        """
        one, columns = self.one, self.column
        count = len(columns)
        near, far = self.switches.node, one.n_nodes + np.arange(count)
        device = far + count
        ends = (near, far) if self.switches.side == FIRST else (far, near)
        ones, nothing, number = np.ones(count), np.full(count, np.nan), np.arange(count)
        return network_of(
            [np.char.add(self.nets[0], one.node_names), _numbered("behind", 2 * count)],
            (*one.layers, "behind"),
            (self.nets[0], *(f"behind {k}" for k in range(count))),
            {} if self.pin < 0 else {self.nets[0]: self.pin},
            resistor_a=np.r_[one.resistor_a, far],
            resistor_b=np.r_[one.resistor_b, device],
            resistor_ohm=np.r_[one.resistor_ohm, ones],
            resistor_layer=np.r_[one.resistor_layer, number * 0 + len(one.layers)],
            resistor_net=np.r_[one.resistor_net * 0, number + 1],
            resistor_width_um=np.r_[one.resistor_width_um, nothing],
            resistor_cuts=np.r_[one.resistor_cuts, nothing],
            resistor_parting=np.r_[one.resistor_parting, number * 0 - 1],
            resistor_crosses=np.r_[one.resistor_crosses, number * 0],
            memristor_tier=number * 0,
            memristor_row=number,
            memristor_col=columns,
            memristor_a=device,
            memristor_b=far,
            memristor_area_um2=ones,
            switch_a=ends[0],
            switch_b=ends[1],
            switch_gate=number * 0,
            switch_w_um=ones,
            switch_l_um=ones,
            switch_p=ones < 0,
        )


def network_of(
    names: Sequence[NDArray[np.str_]],
    layers: Sequence[str],
    nets: Sequence[str],
    ports: Mapping[str, int] | None = None,
    **arrays: NDArray[Any],
) -> Network:
    """Return a network of some arrays (see `Network`); what is not given it has none of."""
    every: dict[str, Any] = {
        name: arrays.get(name, np.empty(0, kind)) for name, kind in ARRAY_TYPES.items()
    }
    every |= {name: arrays[name] for name in PARTING_TYPES if name in arrays}
    return Network(
        node_names=np.concatenate(names), layers=tuple(layers), nets=tuple(nets),
        ports=dict(ports or {}), **every,
    )  # fmt: skip


def _numbered(what: str, count: int) -> NDArray[np.str_]:
    return np.array([f"{what} {k}" for k in range(count)], dtype=np.str_)
