"""Nets as a table: how far, in ohm, devices are from their pin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..extract.reach import Known, Reach
from ..pdk import Tech
from ..solve.network.network import Network

if TYPE_CHECKING:
    from ..pdk.electromigration import CurrentLimits


def net_table(
    network: Network,
    tech: Tech,
    farad: Mapping[str, float] | None = None,
    limits: CurrentLimits | None = None,
) -> list[dict[str, Any]]:
    """Return one entry per net that has a pin and wires.

    Each has: net, layers, pieces (resistors), devices (terminals and gates on the net),
    nearest_ohm and farthest_ohm (pin to the nearest and farthest terminal, all other terminals
    open; for nets without terminals, such as select lines, nearest is None and farthest is the
    far end of the wire), origin (what was measured from, where that is no pin that feeds the net),
    farad (total capacitance, None if not extracted), em_limit_a (least current into the pin, all
    of it to one device, that brings a piece to its electromigration limit, None without limits)
    and em_layer (layer of that piece).

    Args:
        network: extracted network.
        tech: its technology.
        farad: net -> total capacitance in F.
        limits: what wires and cuts may carry.
    """
    known = Known(network)
    weakest = _weakest(network, tech, limits, known)
    order = np.argsort(network.resistor_net, kind="stable")
    nets = network.resistor_net[order]
    ends = np.searchsorted(nets, np.arange(len(network.nets) + 1))
    gates = np.bincount(network.switch_gate, minlength=len(network.nets))
    table = []
    for k, name in enumerate(network.nets):
        if name not in network.ports or ends[k] == ends[k + 1]:
            continue
        entry = _entry(network, name, order[ends[k] : ends[k + 1]], known)
        entry["devices"] += int(gates[k])
        entry["farad"] = (farad or {}).get(name)
        entry["em_limit_a"], entry["em_layer"] = weakest.get(name, (None, None))
        table.append(entry)
    return sorted(table, key=lambda row: _natural(row["net"]))


def _weakest(
    network: Network, tech: Tech, limits: CurrentLimits | None, known: Known
) -> dict[str, tuple[float, str]]:
    """Return net -> current into its pin that overloads a piece, and that piece's layer."""
    if limits is None:
        return {}
    from ..extract import net_summary

    rows = net_summary(
        network, tech, wire_limits=limits.wire_a_per_um, cut_limits=limits.cut_a, known=known
    )
    return {row.net: (row.em_limit_a, row.em_layer) for row in rows if row.em_layer}


def _entry(
    network: Network,
    name: str,
    pieces: NDArray[np.intp],
    known: Known,
) -> dict[str, Any]:
    a, b = network.resistor_a[pieces], network.resistor_b[pieces]
    nodes = np.unique(np.concatenate([a, b]))
    row: dict[str, Any] = {
        "net": name,
        "layers": sorted({network.layers[int(i)] for i in network.resistor_layer[pieces]}),
        "pieces": len(pieces),
        "devices": int(known.terminal[nodes].sum()),
        "nearest_ohm": None,
        "farthest_ohm": None,
        "origin": "",
    }
    if np.any(nodes == network.ports[name]):
        reach = Reach(network, name, known)
        row["nearest_ohm"], row["farthest_ohm"] = reach.wires.nearest_ohm, reach.wires.farthest_ohm
        row["origin"] = reach.origin
    return row


def _natural(name: str) -> tuple[str, int]:
    stem, _, rest = name.partition("[")
    return stem, int(rest[:-1]) if rest.isascii() and rest[:-1].isdecimal() else -1
