"""Pieces of wire that are alike: what is found of one holds for all of them.

The lines of an array, and the electrodes of its cells, are extracted with their nodes and
resistors in the same order. Pieces of the same resistors between the same nodes of their own, read
in the same places, are copies of one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..circuit.circuit import join
from .network import Network

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Copies:
    """Pieces that are alike.

    Attributes:
        nodes: of each, shape (pieces, nodes of one).
        resistors: of each, shape (pieces, resistors of one).
        ends: first and second node of one's resistors, counted within it, shape (2, resistors).
    """

    nodes: Ints
    resistors: Ints
    ends: Ints


def copies(network: Network, read: Bools) -> list[Copies]:
    """Return all pieces of a network's wires, those that are alike together.

    Args:
        network: whose wires; a node without a resistor is a piece, too.
        read: nodes that something else than wires is on, shape (n_nodes,).
    """
    a, b = (end.astype(np.int64) for end in (network.resistor_a, network.resistor_b))
    count, label = join(network.n_nodes, a, b)
    nodes = np.argsort(label, kind="stable")
    first = np.searchsorted(label[nodes], np.arange(count + 1))
    own = np.empty(network.n_nodes, dtype=np.int64)
    own[nodes] = np.arange(network.n_nodes) - first[label[nodes]]
    piece = label[a]
    edges = np.argsort(piece, kind="stable")
    start = np.searchsorted(piece[edges], np.arange(count + 1))
    ends = np.stack([own[a], own[b]])[:, edges]
    ohm, seen = network.resistor_ohm[edges], read[nodes]
    alike: dict[tuple[bytes, ...], list[int]] = {}
    for k in range(count):
        e, n = slice(start[k], start[k + 1]), slice(first[k], first[k + 1])
        key = (ends[0, e].tobytes(), ends[1, e].tobytes(), ohm[e].tobytes(), seen[n].tobytes())
        alike.setdefault(key, []).append(k)
    return [
        Copies(
            np.stack([nodes[first[k] : first[k + 1]] for k in members]),
            np.stack([edges[start[k] : start[k + 1]] for k in members]),
            ends[:, start[members[0]] : start[members[0] + 1]],
        )
        for members in alike.values()
    ]
