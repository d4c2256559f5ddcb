"""How long lines take to settle: the Elmore delay from a pin to the far end of its net."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu

from ...pdk import ParameterError
from ...solve.network.network import JOINT_OHM, Network
from .lumps import lumps, nodes_of_nets

if TYPE_CHECKING:
    from .netcap import NetCapacitance


def elmore_delays(
    network: Network,
    capacitance: Mapping[str, NetCapacitance],
    *,
    drive_ohm: float = 0.0,
) -> dict[str, float]:
    """Return net -> Elmore delay in s from its pin to its slowest node.

    The first moment of the step response of the extracted wires with the extracted
    capacitances; other nets stand still, so coupling counts as ground. What hangs behind
    transistors and memristors is not part of the net.

    Args:
        network: extracted network.
        capacitance: by net, from `net_capacitance`; nets without one are left out.
        drive_ohm: resistance of the driver at the pin.

    Raises:
        ParameterError: if `drive_ohm` is negative.
    """
    if not drive_ohm >= 0:
        raise ParameterError("drive_ohm", drive_ohm, "0 or positive")
    load = np.zeros(network.n_nodes)
    for a, b, farad in lumps(network, capacitance):
        load[a] += farad
        if b is not None:
            load[b] += farad
    members = nodes_of_nets(network)
    order = np.argsort(network.resistor_net, kind="stable")
    limits = np.searchsorted(network.resistor_net[order], np.arange(len(network.nets) + 1))
    delays = {}
    for k, net in enumerate(network.nets):
        if net not in capacitance or net not in network.ports or net not in members:
            continue
        mine = order[limits[k] : limits[k + 1]]
        nodes = members[net]
        slowest = _slowest(network, mine, nodes, network.ports[net], load) if len(mine) else 0.0
        delays[net] = slowest + drive_ohm * float(load[nodes].sum())
    return delays


def _slowest(
    network: Network,
    resistors: np.ndarray[tuple[int], np.dtype[np.intp]],
    nodes: np.ndarray[tuple[int], np.dtype[np.int64]],
    pin: int,
    load: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> float:
    """Return the largest voltage if every capacitor drew its charge as a current."""
    n = len(nodes)
    a = np.searchsorted(nodes, network.resistor_a[resistors])
    b = np.searchsorted(nodes, network.resistor_b[resistors])
    g = 1.0 / np.maximum(network.resistor_ohm[resistors], JOINT_OHM)
    rows, cols = np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a])
    matrix = coo_matrix((np.concatenate([g, g, -g, -g]), (rows, cols)), (n, n)).tocsc()
    free = np.flatnonzero(nodes != pin)
    if not len(free):
        return 0.0
    volts = splu(matrix[free][:, free]).solve(load[nodes[free]])
    return float(volts.max())
