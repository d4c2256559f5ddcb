"""How far the terminals on a net are from its pin, in ohm, and what the pin may feed them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from ..base.names import is_line
from ..pdk import ParameterError
from ..solve.modes.mode import is_macro
from ..solve.network.network import JOINT_OHM, Network
from ..solve.network.through import Throughs

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: shares of the current below this are not on the way
NO_CURRENT = 1e-6
#: where a line of a macro is measured from: its switches feed it, not what its label marks
ARRAY_EDGE = "the label at the edge of the array, because switches feed the line"
#: right-hand sides at a time; ends of a net without terminals that are looked at
_AT_A_TIME, _MOST_ENDS = 64, 4000


class Wires:
    """The wires that hang on one node, by the numbers of their own nodes.

    Attributes:
        a, b: nodes of each resistor.
        g: its conductance, S.
        layer, width_um, cuts: see `Network`.
        start: the node that everything is measured from.
        terminals: nodes of devices.
        ends: nodes that a current from the start may go to: the terminals, or every node of a
            net without any.
    """

    def __init__(
        self, network: Network, mine: Ints, a: Ints, b: Ints, start: int, terminals: Ints
    ) -> None:
        """Factor them once."""
        self.a, self.b, self.start, self.terminals = a, b, start, terminals
        self.g = 1.0 / np.maximum(network.resistor_ohm[mine], JOINT_OHM)
        self.layer = network.resistor_layer[mine].astype(np.int64)
        self.width_um, self.cuts = network.resistor_width_um[mine], network.resistor_cuts[mine]
        parting = network.resistor_parting[mine].astype(np.int64)
        self.partings = parting, network.resistor_crosses[mine]
        self.n = n = int(max(a.max(), b.max())) + 1
        rows, cols = np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a])
        values = np.concatenate([self.g, self.g, -self.g, -self.g])
        matrix = coo_matrix((values, (rows, cols)), (n, n)).tocsc()
        self._free = np.flatnonzero(np.arange(n) != start)
        self._factor = splu(matrix[self._free][:, self._free]) if n > 1 else None
        others = terminals[terminals != start]
        self.ends = others if len(others) else self._far_nodes()

    def _far_nodes(self) -> Ints:
        """Return every other node; of very many those farthest from a current to all of them."""
        if len(self._free) <= _MOST_ENDS:
            return self._free
        assert self._factor is not None
        volts = self._factor.solve(np.ones(len(self._free)))
        return self._free[np.sort(np.argsort(volts)[-_MOST_ENDS:])]

    def volts(self, nodes: Ints) -> Floats:
        """Return V of every node for 1 A from each node to the start, shape (n, nodes)."""
        out = np.zeros((self.n, len(nodes)))
        if self._factor is not None:
            current = (self._free[:, None] == nodes).astype(np.float64)
            out[self._free] = self._factor.solve(current)
        return out

    def _some(self) -> Iterator[tuple[Ints, Floats]]:
        for first in range(0, len(self.ends), _AT_A_TIME):
            nodes = self.ends[first : first + _AT_A_TIME]
            yield nodes, self.volts(nodes)

    @cached_property
    def ohm(self) -> Floats:
        """Ohm between the start and each of the ends, everything else open."""
        found = [volts[nodes, np.arange(len(nodes))] for nodes, volts in self._some()]
        return np.concatenate(found) if found else np.zeros(0)

    @property
    def farthest(self) -> int:
        """The end of most ohm; the start where there is no other node."""
        return int(self.ends[np.argmax(self.ohm)]) if len(self.ends) else self.start

    @property
    def nearest_ohm(self) -> float | None:
        """Ohm to the nearest terminal; None without one."""
        if not len(self.terminals):
            return None
        return 0.0 if self.start in self.terminals else float(self.ohm.min())

    @property
    def farthest_ohm(self) -> float:
        """Ohm to the farthest end."""
        return float(self.ohm.max(initial=0.0))

    @cached_property
    def throughs(self) -> Throughs:
        """What passes the narrow place of each resistor."""
        return Throughs(self.a, self.b, self.layer, self.width_um, *self.partings)

    def weakest(self, wire_a_per_um: Floats, cut_a: Floats) -> tuple[float, int, int]:
        """Return the least current to one end that overloads a piece, its layer and the end.

        Args:
            wire_a_per_um: of every layer; inf without a limit.
            cut_a: the same of its cuts.

        Returns:
            (A, layer, end); (nan, -1, start) without limits.
        """
        known = np.isfinite(self.cuts) & np.isfinite(cut_a[self.layer])
        wide = np.isfinite(self.width_um) & np.isfinite(wire_a_per_um[self.layer])
        carry = np.full(len(self.g), np.inf)
        carry[wide] = (self.width_um * wire_a_per_um[self.layer])[wide]
        most = np.full(len(self.g), np.inf)
        most[known] = (self.cuts * cut_a[self.layer])[known]
        best = (np.inf, -1, self.start)
        for nodes, volts in self._some():
            signed = (volts[self.a] - volts[self.b]) * self.g[:, None]
            # what is rounding carries nothing
            through = np.where(np.abs(signed) > NO_CURRENT, self.throughs(signed), 0.0)
            through, amps = np.maximum(through, NO_CURRENT**2), np.abs(signed) + NO_CURRENT**2
            limit = np.minimum(carry[:, None] / through, most[:, None] / amps)
            k, at = np.unravel_index(int(limit.argmin()), limit.shape)
            if limit[k, at] < best[0]:
                best = (float(limit[k, at]), int(self.layer[k]), int(nodes[at]))
        return best if best[1] >= 0 else (np.nan, -1, self.start)


class Known:
    """What the nets of a network share: its devices' nodes, and wires that are alike."""

    def __init__(self, network: Network) -> None:
        """Take a network without any net measured yet."""
        self.terminal = np.zeros(network.n_nodes, dtype=bool)
        for name in ("memristor_a", "memristor_b", "switch_a", "switch_b"):
            self.terminal[getattr(network, name)] = True
        self.wires: dict[bytes, Wires] = {}


class Reach:
    """The wires of a net that hang on its pin, among those of other nets.

    Attributes:
        mine: the resistors.
        nodes: their nodes.
        wires: the same by their own numbers.
        origin: what they are measured from, in words; empty for the pin that feeds them.
    """

    def __init__(self, network: Network, net: str, known: Known | None = None) -> None:
        """Find them.

        Args:
            network: extracted network.
            net: name of the net.
            known: what is known of other nets of the network; the lines of an array are alike.

        Raises:
            ParameterError: if there is no such net, or it has no wires.
        """
        if net not in network.nets:
            some = ", ".join(sorted(network.nets)[:8])
            raise ParameterError("net", net, f"a net of the network such as {some}")
        self.mine = np.flatnonzero(network.resistor_net == network.nets.index(net))
        if not len(self.mine):
            raise ParameterError("net", net, "a net with wires; this one is a single node")
        pin, self.origin = _origin(network, net, self.mine)
        self.mine = self.mine[_reached(network, self.mine, pin)]
        ends = np.concatenate([network.resistor_a[self.mine], network.resistor_b[self.mine]])
        self.nodes, local = np.unique(ends, return_inverse=True)
        a, b = np.split(local.astype(np.int64), 2)
        start = int(np.searchsorted(self.nodes, pin))
        known = Known(network) if known is None else known
        terminals = np.flatnonzero(known.terminal[self.nodes])
        parts = (
            a, b, np.array([start]), terminals, network.resistor_ohm[self.mine],
            network.resistor_layer[self.mine], network.resistor_width_um[self.mine],
            network.resistor_cuts[self.mine], network.resistor_parting[self.mine],
            network.resistor_crosses[self.mine],
        )  # fmt: skip
        key = b"".join(len(part).to_bytes(8, "little") + part.tobytes() for part in parts)
        if key not in known.wires:
            known.wires[key] = Wires(network, self.mine, a, b, start, terminals)
        self.wires = known.wires[key]


def _origin(network: Network, net: str, mine: Ints) -> tuple[int, str]:
    """Return the node that a net is measured from, and which that is if not a pin that feeds it."""
    pin = network.ports.get(net)
    touched = pin is not None and bool(
        (network.resistor_a[mine] == pin).any() or (network.resistor_b[mine] == pin).any()
    )
    if pin is not None and touched:
        switched = is_line(net) and is_macro(network.ports)
        return pin, ARRAY_EDGE if switched else ""
    node = int(network.resistor_a[mine[0]])
    why = "it has no pin" if pin is None else "its pin touches no wire"
    return node, f"node {network.node_names[node]}, as {why}"


def _reached(network: Network, pieces: Ints, pin: int) -> NDArray[np.bool_]:
    """Return which of a net's resistors hang on a node; other islands carry nothing from it."""
    a, b = network.resistor_a[pieces], network.resistor_b[pieces]
    nodes, local = np.unique(np.concatenate([a, b]), return_inverse=True)
    first, second = np.split(local, 2)
    graph = coo_matrix((np.ones(len(pieces)), (first, second)), (len(nodes), len(nodes)))
    island = connected_components(graph, directed=False)[1]
    mine: NDArray[np.bool_] = island[first] == island[np.searchsorted(nodes, pin)]
    return mine


def limits_by_layer(network: Network, limits: Mapping[str, float]) -> Floats:
    """Return the limit of every layer of a network; inf without one."""
    return np.array([limits.get(layer, np.inf) for layer in network.layers], dtype=np.float64)
