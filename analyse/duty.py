"""For how much of the time a piece of a shared line carries the write of some column.

Columns are written one after the other, each for one slot. What belongs to one column carries its
write in that slot alone. On a line that columns share, the trunk carries every column's write and
the branch to one column only that column's. A unit current from the line's source to each column's
transistors tells which piece is on the way of which: the mean over the columns, as part of the
largest, is the part of the time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu

from ..solve.network.network import JOINT_OHM

if TYPE_CHECKING:
    from ..solve.network.network import Network
    from ..solve.network.through import Throughs

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: a net of no column, or of several
SHARED = -1
#: what of a resistor tells what it is judged with
_KIND = ("layer", "width_um", "parting", "crosses")


def column_of_nets(network: Network) -> Ints:
    """Return the column that each net's memristors are in; `SHARED` for several or none."""
    return _owner(network, network.memristor_col)


def row_of_nets(network: Network) -> Ints:
    """Return the row that each net's memristors are in; `SHARED` for several or none."""
    return _owner(network, network.memristor_row)


def _owner(network: Network, line: NDArray[np.integer]) -> Ints:
    """Return the one of some lines that all memristors of each net are on, or `SHARED`.

    Args:
        network: whose nets.
        line: number of the row or column of each memristor.
    """
    ends = np.concatenate([network.resistor_a, network.resistor_b])
    nets = np.concatenate([network.resistor_net, network.resistor_net])
    pairs = []
    for nodes in (network.memristor_a, network.memristor_b):
        lines = np.full(network.n_nodes, SHARED, dtype=np.int64)
        # of devices on one node any two lines show that it is shared
        few, many = lines.copy(), lines
        np.maximum.at(many, nodes, line)
        few[nodes] = np.iinfo(np.int64).max
        np.minimum.at(few, nodes, line)
        for each in (few, many):
            mine = each[ends] != SHARED
            pairs.append(np.stack([nets[mine], each[ends[mine]]]))
    net, owners = np.unique(np.concatenate(pairs, axis=1), axis=1)
    net, first, count = np.unique(net, return_index=True, return_counts=True)
    found = np.full(len(network.nets), SHARED, dtype=np.int64)
    found[net[count == 1]] = owners[first[count == 1]]
    return found


def shared_duty(network: Network, throughs: Throughs, own: Ints) -> Floats:
    """Return the part of the time that each resistor of a shared net carries its largest write.

    1 where that cannot be told, and for nets of one column, whose time the slots tell.

    Args:
        network: extracted network.
        throughs: its meshes.
        own: column of every net, from `column_of_nets`.
    """
    duty = np.ones(len(network.resistor_ohm))
    ends = np.concatenate([network.resistor_a, network.resistor_b])
    net_of = np.full(network.n_nodes, SHARED, dtype=np.int64)
    net_of[ends] = np.concatenate([network.resistor_net, network.resistor_net])
    near = np.concatenate([network.switch_a, network.switch_b]).astype(np.int64)
    far = np.concatenate([network.switch_b, network.switch_a]).astype(np.int64)
    behind = np.where(net_of[far] == SHARED, SHARED, own[net_of[far]])
    ports = np.array([*network.ports.values()], dtype=np.int64)
    order = np.argsort(network.resistor_net, kind="stable")
    limits = np.searchsorted(network.resistor_net[order], np.arange(len(network.nets) + 1))
    known: dict[bytes, Floats] = {}
    for net in np.flatnonzero(own == SHARED).tolist():
        pieces = order[limits[net] : limits[net + 1]]
        mine = net_of[near] == net
        leads = mine & (behind != SHARED)
        sources = np.concatenate([near[mine & ~leads], ports[net_of[ports] == net]])
        unknown = net_of[far[mine]] == SHARED
        if len(pieces) and leads.any() and len(sources) and not unknown.any():
            line = _Line.of(network, pieces, sources, near[leads], behind[leads])
            if line.key not in known:  # the lines of an array are alike
                known[line.key] = line.duty(throughs.part(pieces))
            duty[pieces] = known[line.key]
    return duty


@dataclass(frozen=True, eq=False)
class _Line:
    """One net's resistors between nodes of its own numbers.

    Attributes:
        ends: first and second node of each, shape (2, resistors).
        siemens: conductance of each.
        sources: nodes that current comes from.
        leads: nodes that lead to columns, and to which, shape (2, leads).
        kind: what tells meshes: layer, width, parting and crossed cuts, shape (4, resistors).
    """

    ends: Ints
    siemens: Floats
    sources: Ints
    leads: Ints
    kind: Floats

    @classmethod
    def of(cls, network: Network, pieces: Ints, sources: Ints, leads: Ints, columns: Ints) -> _Line:
        """Number the nodes of a net."""
        both = np.concatenate([network.resistor_a[pieces], network.resistor_b[pieces]])
        nodes, local = np.unique(both, return_inverse=True)
        return cls(
            local.reshape(2, -1),
            1.0 / np.maximum(network.resistor_ohm[pieces], JOINT_OHM),
            np.searchsorted(nodes, sources),
            np.stack([np.searchsorted(nodes, leads), columns]),
            np.stack([getattr(network, f"resistor_{name}")[pieces] for name in _KIND]),
        )

    @property
    def key(self) -> bytes:
        """Equal for lines that are alike."""
        parts = (self.ends, self.siemens, self.sources, self.leads, self.kind)
        return b"".join(hashlib.sha256(part.tobytes()).digest() for part in parts)

    def duty(self, throughs: Throughs) -> Floats:
        """Return the duty of the resistors; `throughs` has their meshes."""
        (a, b), g = self.ends, self.siemens
        rows, cols = np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a])
        n = int(self.ends.max()) + 1
        matrix = coo_matrix((np.concatenate([g, g, -g, -g]), (rows, cols)), (n, n)).tocsc()
        free = np.setdiff1d(np.arange(n), self.sources)
        if not len(free):
            return np.ones(len(g))
        factor = splu(matrix[free][:, free])
        every, number = np.unique(self.leads[1], return_inverse=True)
        drawn = np.zeros((n, len(every)))
        share = 1.0 / np.bincount(number)
        np.add.at(drawn, (self.leads[0], number), share[number])
        volts = np.zeros(drawn.shape)
        volts[free] = factor.solve(drawn[free])
        amps = throughs((volts[a] - volts[b]) * g[:, None])
        total, most = amps.sum(axis=1), amps.max(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(most > 0, total / (len(every) * most), 1.0)
