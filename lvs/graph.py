"""Netlists as arrays, and colours that tell nets and devices apart by what they touch.

Two netlists are compared by giving every net and device a colour (a 64-bit hash) from its
surroundings: anchored nets have the colour of their anchor, every other net that of the
devices on it. Equal netlists have equal colours; where all colours differ from each other,
equal colours also prove equal netlists.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .devices import KINDS

if TYPE_CHECKING:
    from .flat import FlatNetlist

Ints = NDArray[np.int64]
Colors = NDArray[np.uint64]

#: Nets of a device, padded to four terminals.
TERMINALS = 4
#: Columns of drain and source, which may be exchanged.
DRAIN, SOURCE = 0, 2

#: devices away from a net that are looked at, at most
_MOST_HOPS = 64
#: how often nets are taken for each other where parts look alike, at most
MOST_ALIKE = 32

_UNKNOWN = np.uint64(0x9E3779B97F4A7C15)


def mix(values: Colors) -> Colors:
    """Return well-spread 64-bit hashes (the finaliser of splitmix64)."""
    v = values.copy()
    v ^= v >> np.uint64(30)
    v *= np.uint64(0xBF58476D1CE4E5B9)
    v ^= v >> np.uint64(27)
    v *= np.uint64(0x94D049BB133111EB)
    v ^= v >> np.uint64(31)
    return v


def _role_salts() -> Colors:
    """Return one salt per kind and terminal; drain and source share theirs."""
    numbers = np.arange(1, len(KINDS) * TERMINALS + 1, dtype=np.uint64).reshape(-1, TERMINALS)
    for row, kind in enumerate(KINDS):
        if not kind.is_memristor:
            numbers[row, SOURCE] = numbers[row, DRAIN]
    return mix(numbers * np.uint64(0xD1342543DE82EF95))


_SALTS = _role_salts()


@dataclass
class Graph:
    """One netlist as arrays.

    Attributes:
        flat: where it comes from.
        kinds: index into `KINDS` for each device.
        nets: net of each terminal, -1 for none, shape (devices, 4).
        parameters: W and L, or AREA and 0, shape (devices, 2).
        members: indices of the flat devices that each device combines.
        anchors: for each net a number shared with the net of the other netlist that it is
            known to be, or -1.
        by_size: True if colours tell sizes apart, too, to a nanometre.
    """

    flat: FlatNetlist
    kinds: Ints
    nets: Ints
    parameters: NDArray[np.float64]
    members: list[list[int]]
    anchors: Ints
    by_size: bool = False
    _used: Ints = field(init=False)

    def __post_init__(self) -> None:
        self._used = np.unique(self.nets[self.nets >= 0])

    @property
    def used_nets(self) -> Ints:
        """Nets with at least one device terminal."""
        return self._used

    def net_colors(self, hops: int) -> Colors:
        """Return the colour of each net from everything up to `hops` devices away."""
        known = self.anchors >= 0
        colors = np.where(known, mix(self.anchors.astype(np.uint64) + np.uint64(2)), _UNKNOWN)
        for _ in range(hops):
            colors = self.farther(colors)
        return colors

    def farther(self, colors: Colors) -> Colors:
        """Return the colour of each net from everything one device farther away."""
        devices = self.device_colors(colors)
        total = np.zeros(len(colors), dtype=np.uint64)
        for column in range(TERMINALS):
            on = self.nets[:, column] >= 0
            share = mix(devices[on] + _SALTS[self.kinds[on], column])
            np.add.at(total, self.nets[on, column], share)
        return np.where(self.anchors >= 0, colors, mix(colors + total))

    def device_colors(self, net_colors: Colors) -> Colors:
        """Return the colour of each device from its kind and the colours of its nets."""
        total = mix(self.kinds.astype(np.uint64) + np.uint64(1))
        if self.by_size:
            # a netlist may say anything: NaN is 0, what is endless is the end
            steps = np.clip(np.nan_to_num(self.parameters * 1e3), 0, 1e15).round()
            for column in steps.astype(np.uint64).T:
                total = mix(total + mix(column))
        for column in range(TERMINALS):
            on = self.nets[:, column] >= 0
            part = net_colors[self.nets[on, column]] ^ _SALTS[self.kinds[on], column]
            total[on] += mix(part)
        return mix(total)


def build_graph(flat: FlatNetlist, grid_um: float) -> Graph:
    """Return the arrays of a netlist; parallel transistors of one length become one device."""
    count = len(flat.devices)
    order = {kind.name: number for number, kind in enumerate(KINDS)}
    kinds = np.fromiter((order[d.kind.name] for d in flat.devices), np.int64, count)
    nets = np.full((count, TERMINALS), -1, dtype=np.int64)
    parameters = np.zeros((count, 2))
    for number, kind in enumerate(KINDS):
        rows = np.flatnonzero(kinds == number)
        if len(rows):
            chosen: list[Any] = [flat.devices[row] for row in rows]
            nets[rows, : len(kind.terminals)] = [d.nets for d in chosen]
            parameters[rows, : len(kind.parameters)] = [d.parameters for d in chosen]
    anchors = np.full(len(flat.nets), -1, dtype=np.int64)
    lengths = np.round(parameters[:, 1] / grid_um).astype(np.int64)
    ends = np.sort(nets[:, [DRAIN, SOURCE]], axis=1)
    keys = np.column_stack([kinds, lengths, ends, nets[:, 1], nets[:, 3]])
    single = np.array([kind.is_memristor for kind in KINDS])[kinds]
    keys[single] = -1 - np.flatnonzero(single)[:, None]
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    members: list[list[int]] = [[] for _ in first]
    for row, group in enumerate(inverse.ravel().tolist()):
        members[group].append(row)
    width = np.bincount(inverse.ravel(), weights=parameters[:, 0], minlength=len(first))
    merged = np.column_stack([width, parameters[first, 1]]) if count else parameters
    return Graph(flat, kinds[first], nets[first], merged, members, anchors)


def merge_nets(graph: Graph, groups: list[list[int]]) -> None:
    """Treat each group of nets as one (used after a short has been reported)."""
    target = np.arange(len(graph.anchors))
    for group in groups:
        target[group] = group[0]
    on = graph.nets >= 0
    graph.nets[on] = target[graph.nets[on]]
    graph.__post_init__()


def equal_colors(a: Graph, b: Graph) -> tuple[bool, bool, int]:
    """Compare two anchored netlists by their colours.

    Returns:
        Whether all colours are equal, whether that proves equality (no two nets share a
        colour), and the number of hops after which colours stopped refining.
    """
    ca, cb = a.net_colors(0), b.net_colors(0)
    hops, distinct = 0, -1
    while True:
        # what differs at one distance differs at any larger one
        if not np.array_equal(np.sort(ca[a.used_nets]), np.sort(cb[b.used_nets])):
            return False, False, hops
        before, distinct = distinct, len(np.unique(ca[a.used_nets]))
        if distinct == before or hops > _MOST_HOPS:
            break
        ca, cb, hops = a.farther(ca), b.farther(cb), hops + 1
    da, db_ = np.sort(a.device_colors(ca)), np.sort(b.device_colors(cb))
    return np.array_equal(da, db_), distinct == len(a.used_nets), hops


def told_apart(a: Graph, b: Graph) -> int | None:
    """Tell parts apart that look alike, and prove two netlists of equal colours equal.

    Nets that share a colour are taken for those of the other netlist: all of one colour in any
    order, which serves parts that have nothing to do with each other, however many; where that
    fails, one at a time. Equal colours of all nets then prove that the netlists are equal. That an
    attempt fails proves nothing.

    Returns:
        The number of hops of the colours that prove it, nets anchored so that they do; None, with
        anchors as they were, where they do not.
    """
    before = a.anchors.copy(), b.anchors.copy()
    for most in (None, 1):
        hops = _taken(a, b, most)
        if hops is not None:
            return hops
        a.anchors[:], b.anchors[:] = before
    return None


def _taken(a: Graph, b: Graph, most: int | None) -> int | None:
    """Take at most so many nets of a colour for each other, colour by colour; as `told_apart`."""
    for _ in range(MOST_ALIKE):
        same, proven, hops = equal_colors(a, b)
        if not same:
            return None
        if proven:
            return hops
        ca, cb = a.net_colors(hops), b.net_colors(hops)
        colors, counts = np.unique(ca[a.used_nets], return_counts=True)
        shared = colors[counts > 1][0]
        number = 1 + max(int(a.anchors.max()), int(b.anchors.max()))
        for graph, own in ((a, ca), (b, cb)):
            nets = graph.used_nets[own[graph.used_nets] == shared][:most]
            graph.anchors[nets] = number + np.arange(len(nets))
    return None
