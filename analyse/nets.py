"""Nets as a table: how far, in ohm, devices are from their pin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.sparse.linalg import spsolve

from ..pdk import Tech
from ..solve.network.network import Network

if TYPE_CHECKING:
    from ..pdk.electromigration import CurrentLimits

#: a joint without resistance, so that the matrix stays regular; far below any wire
_JOINT_OHM = 1e-9


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
    far end of the wire), farad (total capacitance, None if not extracted), em_limit_a (current
    into the pin that brings the weakest piece on the way to the farthest device to its
    electromigration limit, None without limits) and em_layer (layer of that piece).

    Args:
        network: extracted network.
        tech: its technology.
        farad: net -> total capacitance in F.
        limits: what wires and cuts may carry.
    """
    weakest = _weakest(network, tech, limits)
    order = np.argsort(network.resistor_net, kind="stable")
    nets = network.resistor_net[order]
    ends = np.searchsorted(nets, np.arange(len(network.nets) + 1))
    terminal = np.zeros(network.n_nodes, dtype=bool)
    for name in ("memristor_a", "memristor_b", "switch_a", "switch_b"):
        terminal[getattr(network, name)] = True
    gates = np.bincount(network.switch_gate, minlength=len(network.nets))
    table = []
    for k, name in enumerate(network.nets):
        if name not in network.ports or ends[k] == ends[k + 1]:
            continue
        entry = _entry(network, name, order[ends[k] : ends[k + 1]], terminal)
        entry["devices"] += int(gates[k])
        entry["farad"] = (farad or {}).get(name)
        entry["em_limit_a"], entry["em_layer"] = weakest.get(name, (None, None))
        table.append(entry)
    return sorted(table, key=lambda row: _natural(row["net"]))


def _weakest(
    network: Network, tech: Tech, limits: CurrentLimits | None
) -> dict[str, tuple[float, str]]:
    """Return net -> current into its pin that overloads a piece, and that piece's layer."""
    if limits is None:
        return {}
    from ..extract import net_summary

    rows = net_summary(network, tech, wire_limits=limits.wire_a_per_um, cut_limits=limits.cut_a)
    return {row.net: (row.em_limit_a, row.em_layer) for row in rows if row.em_layer}


def _entry(
    network: Network, name: str, pieces: NDArray[np.intp], terminal: NDArray[np.bool_]
) -> dict[str, Any]:
    a, b = network.resistor_a[pieces], network.resistor_b[pieces]
    ohm = np.maximum(network.resistor_ohm[pieces], _JOINT_OHM)
    nodes, index = np.unique(np.concatenate([a, b]), return_inverse=True)
    first, second = np.split(index, 2)
    row: dict[str, Any] = {
        "net": name,
        "layers": sorted({network.layers[int(i)] for i in network.resistor_layer[pieces]}),
        "pieces": len(pieces),
        "devices": int(terminal[nodes].sum()),
        "nearest_ohm": None,
        "farthest_ohm": None,
    }
    port = np.flatnonzero(nodes == network.ports[name])
    ends = np.flatnonzero(terminal[nodes])
    keys = [("nearest_ohm", np.argmin), ("farthest_ohm", np.argmax)]
    if not len(ends):
        ends, keys = np.arange(len(nodes)), keys[1:]
    if len(port):
        graph = coo_matrix((ohm, (first, second)), (len(nodes), len(nodes))).tocsr()
        reach = dijkstra(graph, directed=False, indices=int(port[0]))[ends]
        # paths only rank the terminals; meshes make the true resistance smaller
        for key, choose in keys:
            at = choose(reach)
            if np.isfinite(reach[at]):
                row[key] = _between(
                    first, second, 1.0 / ohm, len(nodes), int(port[0]), int(ends[at])
                )
    return row


def _between(
    a: NDArray[np.intp], b: NDArray[np.intp], g: NDArray[np.float64], n: int, pin: int, end: int
) -> float:
    """Return the resistance between two nodes that are connected."""
    if pin == end:
        return 0.0
    rows, cols = np.concatenate([a, b, a, b]), np.concatenate([b, a, a, b])
    matrix = coo_matrix((np.concatenate([-g, -g, g, g]), (rows, cols)), (n, n)).tocsc()
    # pieces that hang on nothing would make the matrix singular
    part = connected_components(matrix, directed=False)[1]
    free = np.flatnonzero((np.arange(n) != pin) & (part == part[pin]))
    current = (free == end).astype(np.float64)
    volts = spsolve(matrix[free][:, free], current)
    return float(np.atleast_1d(volts)[np.flatnonzero(free == end)[0]])


def _natural(name: str) -> tuple[str, int]:
    stem, _, rest = name.partition("[")
    return stem, int(rest[:-1]) if rest.isascii() and rest[:-1].isdecimal() else -1
