"""A network without those nodes of its wires that nobody reads.

Transistors and memristors are brought together with their voltages in dozens of solves, of which
only the ends of the devices are read. Between these, wires do not change: their inner nodes are
eliminated once. A node of conductances g_k to its neighbours leaves g_j g_k / sum(g) between every
two of them (star-mesh); that adds, multiplies and divides positive numbers only, so that every
conductance keeps its digits. Nodes of few neighbours go first, many at a time. What is left are the
meshes of wide lines, in which every node has many: a piece of these goes as a whole where its ends,
joined all with all, are not many more edges than it has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix, diags, triu
from scipy.sparse.csgraph import connected_components, reverse_cuthill_mckee

from ..circuit.circuit import Circuit, prepare
from .alike import Copies, copies
from .network import Network

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Neighbours of a node that is eliminated among many: of more, too many edges would be left. The
# mesh of a wide line with taps joins some twenty of them; with fewer, all of it stays.
MOST_NEIGHBOURS = 24
# Share of all nodes that goes at a time, below which only pieces that lose nodes are looked at.
FEW = 0.01
# Edges that may be left of a piece that is eliminated as a whole, relative to those that it has.
MOST_GAIN = 2
#: Memristors up to which a factor of the reduced network is there sooner than many solves by lines.
MOST_DEVICES = 100_000
# Multiplier of a scatter of node numbers (Knuth), so that nodes side by side do not wait in line.
_SCATTER = np.uint32(2654435761)


@dataclass(frozen=True, eq=False)
class Reduced:
    """A network of the same devices and pins with fewer wires.

    Attributes:
        network: the small network; devices and pins have the order of the whole one.
        place: its node for every node of the whole network, -1 where it has none.
    """

    network: Network
    place: Ints

    def spread(self, volts: Floats) -> Floats:
        """Return voltages of the whole network's nodes, nan where they were eliminated, V."""
        return np.where(self.place >= 0, volts[self.place], np.nan)


_ENDS = ("switch_a", "switch_b", "memristor_a", "memristor_b")
_KNOWN: WeakKeyDictionary[Network, Reduced] = WeakKeyDictionary()


def reduced(network: Network) -> Reduced:
    """Return a network with the same behaviour at its pins, transistors and memristors.

    The result is kept as long as the network is.
    """
    if network not in _KNOWN:
        found = _reduce(network)
        _KNOWN[network] = found
        leave_whole(found.network)  # nothing more can go from it
    return _KNOWN[network]


def leave_whole(network: Network) -> None:
    """Solve a network with all its wires from now on.

    Where little is solved of a small one, eliminating its wires takes longer than it spares.
    """
    _KNOWN[network] = Reduced(network, np.arange(network.n_nodes))


def at_conditions(network: Network, conditions: dict[str, Any]) -> Network:
    """Return a network with the same wires that carries other conditions.

    Args:
        network: any.
        conditions: that differ in nothing that wires depend on.
    """
    found = replace(network, conditions=conditions)
    if network in _KNOWN:
        _KNOWN[found] = _KNOWN[network]
    return found


def _reduce(network: Network) -> Reduced:
    nodes = [getattr(network, end) for end in _ENDS]
    read = np.zeros(network.n_nodes, dtype=bool)
    read[np.concatenate([*nodes, np.array([*network.ports.values()], dtype=np.int32)])] = True
    place, (first, second, siemens) = _copied(network, copies(network, read), read)
    held = place >= 0
    one_each = np.zeros(int(place.max(initial=-1)) + 1, dtype=np.int64)
    one_each[place[held]] = np.flatnonzero(held)  # any node of each group names it
    net_of = np.zeros(network.n_nodes, dtype=np.int32)
    net_of[network.resistor_a] = network.resistor_net
    net_of[network.resistor_b] = network.resistor_net
    unknown = np.full(len(siemens), np.nan)
    small = replace(
        network,
        node_names=network.node_names[one_each],
        resistor_a=first.astype(np.int32),
        resistor_b=second.astype(np.int32),
        resistor_ohm=1.0 / siemens,
        resistor_layer=np.zeros(len(siemens), dtype=np.int16),
        resistor_net=net_of[one_each][first],
        resistor_width_um=unknown,
        resistor_cuts=unknown,
        resistor_parting=np.zeros(0, np.int32),
        resistor_crosses=np.zeros(0, np.int64),
        **{end: place[getattr(network, end)].astype(np.int32) for end in _ENDS},
        ports={pin: int(place[node]) for pin, node in network.ports.items()},
        capacitor_a=np.zeros(0, np.int32),
        capacitor_b=np.zeros(0, np.int32),
        capacitor_f=np.zeros(0),
    )
    return Reduced(small, place)


def _copied(
    network: Network, pieces: list[Copies], read: Bools
) -> tuple[Ints, tuple[Ints, Ints, Floats]]:
    """Eliminate the nodes of one piece of each kind, and copy what is left.

    Returns:
        (node of the small network for each of the whole one, -1 for none; its edges as first and
        second node and conductance, S).
    """
    offset = np.cumsum([0, *(kind.nodes.shape[1] for kind in pieces)])
    ends = [kind.ends + offset[k] for k, kind in enumerate(pieces)]
    a, b = np.concatenate([np.zeros((2, 0), dtype=np.int64), *ends], axis=1)
    ones = [np.zeros(0, dtype=np.int64), *(kind.resistors[0] for kind in pieces)]
    seen = [np.zeros(0, dtype=bool), *(read[kind.nodes[0]] for kind in pieces)]
    with np.errstate(divide="ignore"):
        siemens = 1.0 / network.resistor_ohm[np.concatenate(ones)]
    circuit = prepare(int(offset[-1]), a, b, siemens, np.flatnonzero(np.concatenate(seen)))
    mesh, kept = _eliminated(circuit)
    number = np.full(circuit.n_groups, -1, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    of_one = number[circuit.group]
    edges = triu(mesh, 1).tocoo()
    place = np.full(network.n_nodes, -1, dtype=np.int64)
    found: list[tuple[Ints, Ints, Floats]] = []
    total = 0
    for k, kind in enumerate(pieces):
        mine = of_one[offset[k] : offset[k + 1]]
        if not (mine >= 0).any():
            continue
        low, high = int(mine[mine >= 0].min()), int(mine.max()) + 1
        base = total + (high - low) * np.arange(len(kind.nodes))[:, None]
        place[kind.nodes] = np.where(mine >= 0, base + mine - low, -1)
        inner = np.flatnonzero((edges.row >= low) & (edges.row < high))
        found.append(
            (
                (base + edges.row[inner] - low).ravel(),
                (base + edges.col[inner] - low).ravel(),
                np.tile(edges.data[inner], len(base)),
            )
        )
        total += (high - low) * len(base)
    if not found:
        return place, (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    order = _by_first_node(place, total)
    first, second, values = (np.concatenate(column) for column in zip(*found, strict=True))
    return np.where(place >= 0, order[place], -1), (order[first], order[second], values)


def seen_of(
    n_nodes: int, a: Ints, b: Ints, ohm: Floats, read: Ints
) -> tuple[Ints, tuple[Ints, Ints], Floats] | None:
    """Return what is seen of a net at those of its nodes that are read.

    Args:
        n_nodes: number of its nodes.
        a: first node of each resistor.
        b: its second node.
        ohm: its resistance.
        read: nodes that something stands on.

    Returns:
        (new number of every node, -1 where it is gone; ends and ohm of the resistors that are
        left); None for a net of which a part floats.
    """
    with np.errstate(divide="ignore"):
        circuit = prepare(n_nodes, a, b, 1.0 / ohm, read)
    if circuit.floating.any():
        return None
    mesh, kept = _eliminated(circuit)
    number = np.full(circuit.n_groups, -1, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    edges = triu(mesh, 1).tocoo()
    ends = edges.row.astype(np.int64), edges.col.astype(np.int64)
    return number[circuit.group], ends, 1.0 / edges.data


def _by_first_node(place: Ints, total: int) -> Ints:
    """Return new numbers of nodes, in the order of the first nodes that they stand for."""
    held = np.flatnonzero(place >= 0)
    first = np.zeros(total, dtype=np.int64)
    first[place[held[::-1]]] = held[::-1]
    return np.argsort(np.argsort(first))


def _eliminated(circuit: Circuit) -> tuple[csr_matrix, Ints]:
    """Eliminate what is neither held nor has many neighbours.

    Returns:
        (conductance between every two nodes that are left, S; which these are).
    """
    ones = (np.concatenate([circuit.a, circuit.b]), np.concatenate([circuit.b, circuit.a]))
    values = np.concatenate([circuit.g, circuit.g])
    mesh = coo_matrix((values, ones), (circuit.n_groups, circuit.n_groups)).tocsr()
    kept = np.flatnonzero(~circuit.floating)
    mesh = mesh[kept][:, kept]
    mesh, left = _many_stars(mesh, circuit.held[kept], FEW)
    kept = kept[left]
    mesh, left = _last_stars(mesh, circuit.held[kept])
    kept = kept[left]
    return _without_pieces(mesh, kept, circuit.held[kept])


def _many_stars(mesh: csr_matrix, held: Bools, share: float) -> tuple[csr_matrix, Ints]:
    """Eliminate nodes of few neighbours as long as a share of all goes at a time.

    Returns:
        (conductance between every two nodes that are left, S; which these are).
    """
    left = np.arange(mesh.shape[0])
    while True:
        out = _independent(mesh, held[left])
        if not out.any() or out.sum() < share * len(left):
            return mesh, left
        star = mesh[out][:, ~out]
        part = diags(1.0 / np.asarray(star.sum(axis=1)).ravel()) @ star
        both = (mesh[~out][:, ~out] + star.T @ part).tocoo()
        apart = both.row != both.col
        ends = both.row[apart], both.col[apart]
        mesh = coo_matrix((both.data[apart], ends), both.shape).tocsr()
        left = left[~out]


def _last_stars(mesh: csr_matrix, held: Bools) -> tuple[csr_matrix, Ints]:
    """Eliminate the last nodes of few neighbours, in the pieces that have any.

    These take hundreds of rounds, one node after the other along a line. Returns as `_many_stars`.
    """
    few = ~held & (np.diff(mesh.indptr) <= MOST_NEIGHBOURS)
    if not few.any():
        return mesh, np.arange(len(held))
    inner = np.flatnonzero(~held)
    count, label = connected_components(mesh[inner][:, inner], directed=False)
    active = np.zeros(count, dtype=bool)
    active[label[few[inner]]] = True
    mine = inner[active[label]]
    around = np.unique(np.concatenate([mine, mesh[mine].indices]))
    pairs = mesh[around][:, around].tocoo()
    # what joins two held nodes stays where it is
    own = ~(held[around[pairs.row]] & held[around[pairs.col]])
    ends = pairs.row[own], pairs.col[own]
    small = coo_matrix((pairs.data[own], ends), pairs.shape).tocsr()
    small, left = _many_stars(small, held[around], 0.0)
    nodes, found = around[left], small.tocoo()
    stays = np.ones(len(held), dtype=bool)
    stays[mine] = False
    whole = mesh.tocoo()
    own = stays[whole.row] & stays[whole.col]
    stays[nodes] = True
    ends = np.r_[whole.row[own], nodes[found.row]], np.r_[whole.col[own], nodes[found.col]]
    mesh = coo_matrix((np.r_[whole.data[own], found.data], ends), mesh.shape).tocsr()
    left = np.flatnonzero(stays)
    return mesh[left][:, left], left


def _independent(mesh: csr_matrix, held: Bools) -> Bools:
    """Return nodes of few neighbours that are to go, no two of them neighbours."""
    count = np.diff(mesh.indptr)
    may: Bools = ~held & (count <= MOST_NEIGHBOURS)
    scatter = np.arange(len(count), dtype=np.uint32) * _SCATTER
    rank = (count.astype(np.int64) << 32) + scatter
    edges = mesh.tocoo()
    rivals = may[edges.row] & may[edges.col] & (rank[edges.col] < rank[edges.row])
    may[edges.row[rivals]] = False
    return may


def _without_pieces(mesh: csr_matrix, kept: Ints, held: Bools) -> tuple[csr_matrix, Ints]:
    """Eliminate whole pieces between held nodes, as far as that leaves few edges.

    Args:
        mesh: conductance between every two nodes, S.
        kept: names of the nodes.
        held: which of them stay.

    Returns:
        As `_eliminated`.
    """
    inner = np.flatnonzero(~held)
    if not len(inner):
        return mesh, kept
    label = connected_components(mesh[inner][:, inner], directed=False)[1]
    order = np.argsort(label, kind="stable")
    gone = np.zeros(len(kept), dtype=bool)
    joined: list[tuple[Ints, Ints, Floats]] = []
    for piece in np.split(inner[order], np.flatnonzero(np.diff(label[order])) + 1):
        star = mesh[piece]
        near = np.unique(star.indices)
        ends = near[held[near]]
        if len(ends) * (len(ends) - 1) > MOST_GAIN * star.nnz:
            continue
        gone[piece] = True
        first, second = np.nonzero(left := _joined(mesh, piece, ends))
        joined.append((ends[first], ends[second], left[first, second]))
    if not gone.any():
        return mesh, kept
    a, b, value = (np.concatenate(column) for column in zip(*joined, strict=True))
    whole = (mesh + coo_matrix((value, (a, b)), mesh.shape)).tocsr()
    return whole[~gone][:, ~gone], kept[~gone]


def _joined(mesh: csr_matrix, piece: Ints, ends: Ints) -> Floats:
    """Return what a piece of nodes leaves between every two of its ends, S.

    Node by node from a thin end of the piece to the other, so that each joins few others. Kept at
    a time are the ends, and as many nodes as may stand between two neighbours.
    """
    between, out = mesh[piece][:, piece], mesh[piece][:, ends]
    along = reverse_cuthill_mckee(between, symmetric_mode=True)
    between, out = between[along][:, along].tocsr(), out[along].tocsr()
    count = len(piece)
    pairs = between.tocoo()
    wide = int(np.abs(pairs.row - pairs.col).max(initial=0)) + 1
    full = np.zeros((wide + len(ends),) * 2)
    ring, last = np.arange(wide), np.arange(wide, len(full))

    def enter(k: int) -> None:
        """Put a node where the one that has just gone was."""
        at = slice(between.indptr[k], between.indptr[k + 1])
        before = between.indices[at] < k
        near = between.indices[at][before] % wide
        full[k % wide, near] = full[near, k % wide] = between.data[at][before]
        at = slice(out.indptr[k], out.indptr[k + 1])
        near = wide + out.indices[at]
        full[k % wide, near] = full[near, k % wide] = out.data[at]

    for k in range(min(wide, count)):
        enter(k)
    for k in range(count):
        own = k % wide
        others = np.concatenate([ring[own + 1 :], ring[:own], last])
        near = others[np.flatnonzero(full[own, others])]
        star = full[own, near]
        full[own], full[:, own] = 0.0, 0.0
        full[np.ix_(near, near)] += np.outer(star / star.sum(), star)
        full[near, near] = 0.0
        if k + wide < count:
            enter(k + wide)
    rest: Floats = full[wide:, wide:]
    return rest
