"""Where a net's resistance sits: segment by segment, layer by layer, and the table of nets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..pdk import ParameterError, Tech
from ..solve.network.network import Network
from .reach import NO_CURRENT, Known, Reach, limits_by_layer

if TYPE_CHECKING:
    from .field.netcap import NetCapacitance

Floats = NDArray[np.float64]
#: A, layer of the piece, name of the terminal's node
Weakest = tuple[float, str, str]


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
        cuts: contacts and vias on the net; None if it is summed.
        narrowest_um: narrowest wire on the way, by its width over its share of the current; nan
            if it is summed.
        em_limit_a: least current into the pin, all of it to one terminal, that brings a piece to
            its limit; nan without limits, or if it is summed.
        em_layer: layer of that piece.
        em_end: node of that terminal, which need not be the farthest.
        origin: what was measured from, where that is no pin that feeds the net; else empty.
        capacitance_f: total capacitance; nan if not extracted.
        summed: True if some of its resistances are sums over pieces of wire, as those of an
            array that was extracted by its repeated cell: nothing is known of single pieces.
    """

    net: str
    start: str
    end: str
    ohm: float
    by_layer_ohm: dict[str, float] = field(default_factory=dict)
    squares: dict[str, float] = field(default_factory=dict)
    cuts: int | None = 0
    narrowest_um: float = float("nan")
    em_limit_a: float = float("nan")
    em_layer: str = ""
    em_end: str = ""
    origin: str = ""
    capacitance_f: float = float("nan")
    summed: bool = False

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
    known: Known | None = None,
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
        known: what was measured of the network before, and is added to.
    """
    used = set(np.unique(network.resistor_net).tolist())
    if sheets is None:
        sheets = {f.name: f.sheet_ohm_sq.typ for f in tech.films if f.sheet_ohm_sq is not None}
    limits = wire_limits or {}, cut_limits or {}
    rows, known = [], Known(network) if known is None else known
    for k, net in enumerate(network.nets):
        if k not in used or net not in network.ports or (nets is not None and net not in nets):
            continue
        farad = (capacitance or {}).get(net)
        rows.append(_summary(_Path(network, net, None, known), net, sheets, limits, farad))
    return rows


def _summary(
    path: _Path,
    net: str,
    sheets: Mapping[str, float],
    limits: tuple[Mapping[str, float], Mapping[str, float]],
    farad: NetCapacitance | None,
) -> NetSummary:
    """Return the row of one net, whose path is that to its farthest terminal."""
    network, mine, segments = path.network, path.reach.mine, path.segments()
    by_layer: dict[str, float] = {}
    for s in segments:
        by_layer[s.layer] = by_layer.get(s.layer, 0.0) + s.share_ohm
    cuts = network.resistor_cuts[mine]
    summed = bool((np.isnan(cuts) & np.isnan(network.resistor_width_um[mine])).any())
    # of a net that is known in part, the weakest or narrowest known piece says nothing
    limit, layer, end = path.weakest(*(({}, {}) if summed else limits))
    widths = [
        s.width_um / s.through
        for s in segments
        if not summed and s.width_um == s.width_um and s.through > 0
    ]
    return NetSummary(
        net=net,
        start=str(network.node_names[path.start]),
        end=str(network.node_names[path.end]),
        ohm=path.ohm,
        by_layer_ohm=by_layer,
        squares={n: v / sheets[n] for n, v in by_layer.items() if n in sheets},
        cuts=None if summed else int(np.nansum(cuts)),
        narrowest_um=min(widths, default=float("nan")),
        em_limit_a=limit,
        em_layer=layer,
        em_end=end,
        origin=path.reach.origin,
        capacitance_f=farad.total_f if farad else float("nan"),
        summed=summed,
    )


class _Path:
    """A unit current from a net's pin to one of its nodes."""

    def __init__(
        self, network: Network, net: str, to: str | None, known: Known | None = None
    ) -> None:
        self.network, self.reach = network, Reach(network, net, known)
        self.nodes, wires = self.reach.nodes, self.reach.wires
        end = wires.farthest if to is None else self._named(to)
        self.start, self.end = int(self.nodes[wires.start]), int(self.nodes[end])
        self.volts = wires.volts(np.array([end]))[:, 0]
        self.ohm = float(self.volts[end])

    def _named(self, to: str) -> int:
        names = self.network.node_names[self.nodes]
        at = np.flatnonzero(names == to)
        if not len(at):
            raise ParameterError("to", to, f"a node of the net such as {names[-1]}")
        return int(at[0])

    def weakest(self, wires: Mapping[str, float], cuts: Mapping[str, float]) -> Weakest:
        """Return the least current to a terminal that overloads a piece, its layer, the node."""
        limits = (limits_by_layer(self.network, known) for known in (wires, cuts))
        amps, layer, end = self.reach.wires.weakest(*limits)
        name = self.network.layers[layer] if layer >= 0 else ""
        return amps, name, str(self.network.node_names[self.nodes[end]]) if name else ""

    def segments(self) -> list[Segment]:
        """Return the resistors that carry a share of the current, nearest to the pin first."""
        net, wires = self.network, self.reach.wires
        signed = (self.volts[wires.a] - self.volts[wires.b]) * wires.g
        current, through = np.abs(signed), wires.throughs(signed)
        keep = np.flatnonzero(current > NO_CURRENT)
        middle = (self.volts[wires.a] + self.volts[wires.b])[keep]
        found = []
        for k in keep[np.argsort(middle, kind="stable")]:
            i = int(self.reach.mine[k])
            found.append(
                Segment(
                    str(net.node_names[net.resistor_a[i]]),
                    str(net.node_names[net.resistor_b[i]]),
                    net.layers[net.resistor_layer[i]],
                    float(net.resistor_ohm[i]),
                    float(current[k]),
                    float(current[k] ** 2 / wires.g[k]),
                    float(net.resistor_width_um[i]),
                    float(net.resistor_cuts[i]),
                    float(through[k]),
                )
            )
        return found
