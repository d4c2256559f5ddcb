"""Capacitances of nets, placed on the nodes of a network.

Ground and gate capacitance are spread evenly over the nodes of a net. Coupling between a
memristor's electrodes goes across the memristor; other coupling is spread over pairs of
nodes that lie at the same share of the way through both nets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.names import is_line
from ...solve.network.network import TO_GROUND, Network

if TYPE_CHECKING:
    from ...pdk import Tech
    from .netcap import NetCapacitance

Ints = NDArray[np.int64]
#: a capacitor: node, other node or None for ground, F
Lump = tuple[int, int | None, float]
_PAIRS = 16


def lumps(network: Network, capacitance: Mapping[str, NetCapacitance]) -> Iterator[Lump]:
    """Yield capacitors; each coupling once.

    Args:
        network: extracted network.
        capacitance: by net name, as from `net_capacitance`; nets that the network does not
            have, and coupling to them, count as ground.
    """
    nodes = nodes_of_nets(network)
    across = _across_memristors(network)
    done: set[tuple[str, str]] = set()
    for name, net in capacitance.items():
        if name not in nodes:
            continue
        mine = nodes[name]
        rest = net.ground_f + net.gate_f
        for other, value in net.coupling_f.items():
            if other not in nodes:
                rest += value
            elif (other, name) not in done:
                done.add((name, other))
                yield from _coupled(mine, nodes[other], across.get((name, other)), value)
        for node in mine:
            yield int(node), None, rest / len(mine)


def with_capacitors(network: Network, capacitance: Mapping[str, NetCapacitance]) -> Network:
    """Return a network that holds its capacitors, those of one pair of nodes as one."""
    if not capacitance:
        return network
    placed = [
        (a, TO_GROUND if b is None else b, farad) for a, b, farad in lumps(network, capacitance)
    ]
    if not placed:
        return network
    a, b, farad = (np.array(column) for column in zip(*placed, strict=True))
    pairs, which = np.unique(np.stack([a, b]), axis=1, return_inverse=True)
    return replace(
        network,
        capacitor_a=pairs[0].astype(np.int32),
        capacitor_b=pairs[1].astype(np.int32),
        capacitor_f=np.bincount(which.ravel(), farad).astype(np.float64),
    )


def lines_of(network: Network) -> set[str]:
    """Return the names of a network's rows and columns."""
    return {name for name in network.nets if is_line(name)}


def transistor_ends(network: Network, tech: Tech, gates: Mapping[str, bool]) -> Iterator[Lump]:
    """Yield the capacitance of each transistor's source and drain, junction and half its channel.

    Its gate stands still: seen from the ends it is ground, as the bulk is.

    Args:
        network: extracted network.
        tech: capacitance per width.
        gates: level of each gate net, True for high, as one that is not named.
    """
    level = np.array([gates.get(net, True) for net in network.nets], dtype=bool)
    on = level[network.switch_gate] != network.switch_p if len(level) else network.switch_p
    n, p = tech.nfet, tech.pfet
    per_um = np.where(
        network.switch_p,
        np.where(on, p.end_on_f_per_um, p.end_off_f_per_um),
        np.where(on, n.end_on_f_per_um, n.end_off_f_per_um),
    )
    farad = (per_um * network.switch_w_um).tolist()
    ends = (network.switch_a.tolist(), network.switch_b.tolist(), farad)
    for a, b, each in zip(*ends, strict=True):
        if each > 0:
            yield a, None, each
            yield b, None, each


def without_small(
    capacitance: Mapping[str, NetCapacitance], share: float
) -> dict[str, NetCapacitance]:
    """Return capacitances whose small couplings count as ground on both sides.

    Every net keeps its total. Simulators take their time by what is coupled with what.

    Args:
        capacitance: by net name.
        share: of the total of both nets below which a coupling is small.
    """
    total = {name: net.total_f for name, net in capacitance.items()}
    found = {}
    for name, net in capacitance.items():
        kept, ground = {}, net.ground_f
        for other, value in net.coupling_f.items():
            if value < share * min(total[name], total.get(other, total[name])):
                ground += value
            else:
                kept[other] = value
        found[name] = replace(net, ground_f=ground, coupling_f=kept)
    return found


def nodes_of_nets(network: Network) -> dict[str, Ints]:
    """Return the nodes of each net that has any: ends of its resistors, or the one it is."""
    ends = np.concatenate([network.resistor_a, network.resistor_b]).astype(np.int64)
    nets = np.concatenate([network.resistor_net, network.resistor_net])
    order = np.argsort(nets, kind="stable")
    parts = np.split(ends[order], np.searchsorted(nets[order], np.arange(1, len(network.nets))))
    found = {
        name: np.unique(part) for name, part in zip(network.nets, parts, strict=True) if len(part)
    }
    # a net without resistors is a node, which is called like the net or carries its pin
    named = {str(name): node for node, name in enumerate(network.node_names)} | network.ports
    for name in network.nets:
        if name not in found and name in named:
            found[name] = np.array([named[name]], dtype=np.int64)
    return found


def _across_memristors(network: Network) -> dict[tuple[str, str], tuple[int, int]]:
    """Return (net, net) -> nodes of the memristor between them, both ways round."""
    owner = np.full(network.n_nodes, -1)
    owner[network.resistor_a] = network.resistor_net
    owner[network.resistor_b] = network.resistor_net
    found: dict[tuple[str, str], tuple[int, int]] = {}
    several: set[tuple[str, str]] = set()
    for a, b in zip(network.memristor_a.tolist(), network.memristor_b.tolist(), strict=True):
        if owner[a] < 0 or owner[b] < 0 or owner[a] == owner[b]:
            continue  # a net has no capacitance to itself, as where both electrodes are shorted
        pair = network.nets[owner[a]], network.nets[owner[b]]
        if pair in found:
            several.add(pair)
        found[pair], found[pair[::-1]] = (a, b), (b, a)
    for pair in several:  # may name both (a, b) and (b, a)
        found.pop(pair, None)
        found.pop(pair[::-1], None)
    return found


def _coupled(
    mine: Ints, theirs: Ints, device: tuple[int, int] | None, value: float
) -> Iterator[Lump]:
    if device is not None:
        yield device[0], device[1], value
        return
    count = min(len(mine), len(theirs), _PAIRS)
    at = (np.arange(count) + 0.5) / count
    for a, b in zip(
        mine[(at * len(mine)).astype(int)], theirs[(at * len(theirs)).astype(int)], strict=True
    ):
        yield int(a), int(b), value / count
