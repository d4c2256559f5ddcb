"""Where a net's resistance sits: segment by segment, layer by layer, and the table of nets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from ..pdk import ParameterError, Tech
from ..solve.network.network import Network
from ..solve.network.through import Throughs

if TYPE_CHECKING:
    from .field.netcap import NetCapacitance

Floats = NDArray[np.float64]
#: what stands for a joint of zero ohm in a solve
_SHORT_OHM = 1e-9
#: shares of the current below this are not on the way
_NO_CURRENT = 1e-6


@dataclass(frozen=True)
class Segment:
    """One resistor on the way from a net's pin to a device.

    Attributes:
        a, b: names of its nodes.
        layer: conductor, contact or via.
        ohm: its resistance.
        current: share of the current that flows through it.
        share_ohm: what it contributes; the contributions sum to the net's resistance.
        width_um: narrowest width that its current passes, nan for cuts.
        cuts: parallel cuts, nan for wires.
        through: share of the current that passes that width, with what runs beside it.
    """

    a: str
    b: str
    layer: str
    ohm: float
    current: float
    share_ohm: float
    width_um: float
    cuts: float
    through: float


@dataclass(frozen=True)
class NetSummary:
    """One line of the table of nets.

    Attributes:
        net: name.
        start, end: nodes between which the resistance is taken: the pin and the terminal
            that is farthest from it.
        ohm: resistance between them.
        by_layer_ohm: what each layer contributes to it.
        squares: wire contributions over sheet resistance, by conductor.
        cuts: contacts and vias on the net.
        narrowest_um: narrowest wire on the way, by its width over its share of the current.
        em_limit_a: least current that a piece on the way may carry over its share of the
            current; nan without limits.
        em_layer: layer of that piece.
        capacitance_f: total capacitance; nan if not extracted.
    """

    net: str
    start: str
    end: str
    ohm: float
    by_layer_ohm: dict[str, float] = field(default_factory=dict)
    squares: dict[str, float] = field(default_factory=dict)
    cuts: int = 0
    narrowest_um: float = float("nan")
    em_limit_a: float = float("nan")
    em_layer: str = ""
    capacitance_f: float = float("nan")

    def to_json(self) -> dict[str, Any]:
        """Return plain data, None where there is no number."""
        return {k: None if v != v else v for k, v in asdict(self).items()}


def inspect_net(network: Network, net: str, *, to: str | None = None) -> list[Segment]:
    """Return the segments between a net's pin and a device, in order of their distance.

    Args:
        network: extracted network.
        net: name of the net.
        to: node at the other end; None for the terminal with the highest resistance.

    Raises:
        ParameterError: if there is no such net, or the node is not on it.
    """
    return _Path(network, net, to).segments()


def net_summary(
    network: Network,
    tech: Tech,
    *,
    nets: Collection[str] | None = None,
    sheets: Mapping[str, float] | None = None,
    capacitance: Mapping[str, NetCapacitance] | None = None,
    wire_limits: Mapping[str, float] | None = None,
    cut_limits: Mapping[str, float] | None = None,
) -> list[NetSummary]:
    """Return the table of nets that have a pin and wires.

    Args:
        network: extracted network.
        tech: typical sheet resistances, for the squares.
        nets: names of the nets to list; None for all.
        sheets: conductor -> ohm/sq at which the network was extracted, if not the typical.
        capacitance: by net, from `net_capacitance`.
        wire_limits: conductor -> A per um of width, as for `solve.electromigration`.
        cut_limits: contact or via -> A per cut.
    """
    used = set(np.unique(network.resistor_net).tolist())
    if sheets is None:
        sheets = {f.name: f.sheet_ohm_sq.typ for f in tech.films if f.sheet_ohm_sq is not None}
    rows = []
    for k, net in enumerate(network.nets):
        if k not in used or net not in network.ports or (nets is not None and net not in nets):
            continue
        path = _Path(network, net, None)
        segments = path.segments()
        by_layer: dict[str, float] = {}
        for s in segments:
            by_layer[s.layer] = by_layer.get(s.layer, 0.0) + s.share_ohm
        limit, layer = _weakest(segments, wire_limits or {}, cut_limits or {})
        widths = [s.width_um / s.through for s in segments if s.width_um == s.width_um]
        cuts = network.resistor_cuts[path.mine]
        known = (capacitance or {}).get(net)
        rows.append(
            NetSummary(
                net=net,
                start=str(network.node_names[path.start]),
                end=str(network.node_names[path.end]),
                ohm=path.ohm,
                by_layer_ohm=by_layer,
                squares={n: v / sheets[n] for n, v in by_layer.items() if n in sheets},
                cuts=int(np.nansum(cuts)),
                narrowest_um=min(widths, default=float("nan")),
                em_limit_a=limit,
                em_layer=layer,
                capacitance_f=known.total_f if known else float("nan"),
            )
        )
    return rows


def _weakest(
    segments: list[Segment], wires: Mapping[str, float], cuts: Mapping[str, float]
) -> tuple[float, str]:
    """Return the least current into the net that overloads a piece, and its layer."""
    found = [
        (s.cuts * cuts[s.layer] / s.current, s.layer)
        for s in segments
        if s.layer in cuts and s.cuts == s.cuts
    ]
    found += [
        (s.width_um * wires[s.layer] / s.through, s.layer)
        for s in segments
        if s.layer in wires and s.width_um == s.width_um
    ]
    return min(found, default=(float("nan"), ""))


def _reached(network: Network, pieces: NDArray[np.intp], pin: int) -> NDArray[np.bool_]:
    """Return which of a net's resistors hang on its pin; other islands carry nothing from it."""
    a, b = network.resistor_a[pieces], network.resistor_b[pieces]
    nodes, local = np.unique(np.concatenate([a, b]), return_inverse=True)
    first, second = np.split(local, 2)
    graph = coo_matrix((np.ones(len(pieces)), (first, second)), (len(nodes), len(nodes)))
    island = connected_components(graph, directed=False)[1]
    mine: NDArray[np.bool_] = island[first] == island[np.searchsorted(nodes, pin)]
    return mine


class _Path:
    """A unit current from a net's pin to its farthest terminal."""

    def __init__(self, network: Network, net: str, to: str | None) -> None:
        if net not in network.nets:
            some = ", ".join(sorted(network.nets)[:8])
            raise ParameterError("net", net, f"a net of the network such as {some}")
        self.network = network
        self.mine = np.flatnonzero(network.resistor_net == network.nets.index(net))
        if not len(self.mine):
            raise ParameterError("net", net, "a net with wires; this one is a single node")
        pin = network.ports.get(net, int(network.resistor_a[self.mine[0]]))
        if pin not in network.resistor_a[self.mine] and pin not in network.resistor_b[self.mine]:
            pin = int(network.resistor_a[self.mine[0]])  # the pin touches no wire
        self.mine = self.mine[_reached(network, self.mine, pin)]
        ends = np.concatenate([network.resistor_a[self.mine], network.resistor_b[self.mine]])
        self.nodes, local = np.unique(ends, return_inverse=True)
        self.a, self.b = np.split(local, 2)
        self.g = 1.0 / np.maximum(network.resistor_ohm[self.mine], _SHORT_OHM)
        start = int(np.searchsorted(self.nodes, pin))
        self._solve(start)
        end = self._end(to, start)
        self.start, self.end = int(self.nodes[start]), int(self.nodes[end])
        self.volts = self._response(end)
        self.ohm = float(self.volts[end])

    def _solve(self, start: int) -> None:
        n, (a, b, g) = len(self.nodes), (self.a, self.b, self.g)
        rows, cols = np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a])
        matrix = coo_matrix((np.concatenate([g, g, -g, -g]), (rows, cols)), (n, n)).tocsc()
        self.free = np.flatnonzero(np.arange(n) != start)
        self.factor = splu(matrix[self.free][:, self.free])

    def _response(self, node: int) -> Floats:
        current = (self.free == node).astype(np.float64)
        volts = np.zeros(len(self.nodes))
        volts[self.free] = self.factor.solve(current)
        return volts

    def _end(self, to: str | None, start: int) -> int:
        names = self.network.node_names[self.nodes]
        if to is not None:
            at = np.flatnonzero(names == to)
            if not len(at):
                raise ParameterError("to", to, f"a node of the net such as {names[-1]}")
            return int(at[0])
        net = self.network
        outside = np.zeros(net.n_nodes, dtype=bool)
        for terminals in (net.memristor_a, net.memristor_b, net.switch_a, net.switch_b):
            outside[terminals] = True
        ends = np.flatnonzero(outside[self.nodes])
        ends = ends[ends != start]
        if not len(ends):  # a select line: its gates are no nodes of the network
            ends = np.flatnonzero(np.arange(len(names)) != start)
        # the node farthest from a drain of current spread over all ends is the far one
        spread = np.zeros(len(self.nodes))
        spread[ends] = 1.0
        volts = np.zeros(len(self.nodes))
        volts[self.free] = self.factor.solve(spread[self.free])
        return int(ends[np.argmax(volts[ends])])

    def segments(self) -> list[Segment]:
        """Return the resistors that carry a share of the current, nearest to the pin first."""
        net = self.network
        signed = (self.volts[self.a] - self.volts[self.b]) * self.g
        current = np.abs(signed)
        layer = net.resistor_layer[self.mine].astype(np.int64)
        through = Throughs(self.a, self.b, layer, net.resistor_width_um[self.mine])(signed)
        keep = np.flatnonzero(current > _NO_CURRENT)
        middle = (self.volts[self.a] + self.volts[self.b])[keep]
        found = []
        for k in keep[np.argsort(middle, kind="stable")]:
            i = int(self.mine[k])
            found.append(
                Segment(
                    str(net.node_names[net.resistor_a[i]]),
                    str(net.node_names[net.resistor_b[i]]),
                    net.layers[net.resistor_layer[i]],
                    float(net.resistor_ohm[i]),
                    float(current[k]),
                    float(current[k] ** 2 / self.g[k]),
                    float(net.resistor_width_um[i]),
                    float(net.resistor_cuts[i]),
                    float(through[k]),
                )
            )
        return found
