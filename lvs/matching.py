"""Device-by-device matching of two netlists that differ, as far as it can be known.

Starting from the nets known by name, devices whose surroundings are unique in both netlists
are paired, which makes more nets known, and so on. What a fault leaves over is paired by
the most terminals in common; `explain` reads the faults off the pairs.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

import numpy as np

from .devices import KINDS
from .graph import DRAIN, SOURCE, TERMINALS, Colors, Graph, Ints

#: Surroundings are first compared this far; a fault nearer than that spoils the colour.
_HOPS = 3

#: Devices that colours leave over and that are then paired by their terminals, and how many are
#: looked at in all rounds of it: a fault in every cell of a large array is not spelled out for
#: each cell.
_MOST_LEFT = 500
_MOST_LOOKED_AT = 100_000


@dataclass
class Matching:
    """Pairs of devices, and what found no partner.

    Attributes:
        a, b: layout and reference.
        pairs: (layout device, reference device, drain and source exchanged).
        sure: for each pair whether it says something about its nets.
        left_a, left_b: devices without a partner.
        unread: True if they were too many to be paired one by one.
    """

    a: Graph
    b: Graph
    pairs: list[tuple[int, int, bool]] = field(default_factory=list)
    sure: list[bool] = field(default_factory=list)
    left_a: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    left_b: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    unread: bool = False

    def terminal_pairs(self, number: int) -> list[tuple[int, int, int, int]]:
        """Return (layout column, reference column, layout net, reference net) of a pair."""
        i, j, crossed = self.pairs[number]
        rows = []
        for column in range(len(KINDS[int(self.a.kinds[i])].terminals)):
            other = column
            if crossed and column in (DRAIN, SOURCE):
                other = SOURCE if column == DRAIN else DRAIN
            rows.append((column, other, int(self.a.nets[i, column]), int(self.b.nets[j, other])))
        return rows


def match(a: Graph, b: Graph) -> Matching:
    """Match the devices of two anchored netlists; their anchors grow on the way."""
    found = Matching(a, b, left_a=np.arange(len(a.kinds)), left_b=np.arange(len(b.kinds)))
    sized = replace(a, by_size=True), replace(b, by_size=True)
    while _grow(found, a, b):
        pass
    # among parts that are connected alike, one of another size is no partner
    while _grow(found, *sized) or _grow(found, a, b):
        pass
    _match_equal(found, _HOPS)
    looked_at = 0
    while looked_at < _MOST_LOOKED_AT and (_grow(found, a, b) or _pair_best(found)):
        looked_at += max(len(found.left_a), _MOST_LEFT)
    for hops in range(_HOPS, -1, -1):
        _match_equal(found, hops)
    found.unread = min(len(found.left_a), len(found.left_b)) > _MOST_LEFT
    return found


def _grow(found: Matching, a: Graph, b: Graph) -> bool:
    """Pair all devices whose colour is unique in both netlists; False if there was none.

    Args:
        found: what is paired so far.
        a: layout, as `found.a` or one that tells sizes apart, too.
        b: reference, likewise.
    """
    colors = [(a.net_colors(0), b.net_colors(0))]
    for _ in range(_HOPS):
        ca, cb = colors[-1]
        colors.append((a.farther(ca), b.farther(cb)))
    for ca, cb in reversed(colors):
        da = a.device_colors(ca)[found.left_a]
        db_ = b.device_colors(cb)[found.left_b]
        ua, ia, na = np.unique(da, return_index=True, return_counts=True)
        ub, ib, nb = np.unique(db_, return_index=True, return_counts=True)
        _, pa, pb = np.intersect1d(ua[na == 1], ub[nb == 1], return_indices=True)
        rows_a, rows_b = ia[na == 1][pa], ib[nb == 1][pb]
        if len(rows_a):
            chosen_a, chosen_b = found.left_a[rows_a].tolist(), found.left_b[rows_b].tolist()
            _accept(found, list(zip(chosen_a, chosen_b, strict=True)), ca, cb)
            found.left_a = np.delete(found.left_a, rows_a)
            found.left_b = np.delete(found.left_b, rows_b)
            return True
    return False


def _accept(found: Matching, pairs: list[tuple[int, int]], ca: Colors, cb: Colors) -> None:
    """Record pairs and anchor the nets that they identify."""
    for i, j in pairs:
        crossed, certain = _exchanged(found, i, j, ca, cb)
        found.pairs.append((i, j, crossed))
        found.sure.append(certain)
        if certain:
            for _, _, net_a, net_b in found.terminal_pairs(len(found.pairs) - 1):
                if net_a >= 0 <= net_b and found.a.anchors[net_a] < 0 > found.b.anchors[net_b]:
                    number = len(found.a.anchors) + len(found.b.anchors) + net_a
                    found.a.anchors[net_a] = found.b.anchors[net_b] = number


def _exchanged(found: Matching, i: int, j: int, ca: Colors, cb: Colors) -> tuple[bool, bool]:
    """Return whether drain and source are exchanged between two devices, and if that is sure."""
    if KINDS[int(found.a.kinds[i])].is_memristor:
        return False, True
    a, b = found.a, found.b
    scores = []
    for ends in ((DRAIN, SOURCE), (SOURCE, DRAIN)):
        score = 0
        for column, other in zip((DRAIN, SOURCE), ends, strict=True):
            net_a, net_b = int(a.nets[i, column]), int(b.nets[j, other])
            if net_a < 0 or net_b < 0:
                continue
            if a.anchors[net_a] >= 0 and a.anchors[net_a] == b.anchors[net_b]:
                score += 4
            elif a.anchors[net_a] < 0 > b.anchors[net_b]:
                score += 2 if ca[net_a] == cb[net_b] else 1
        scores.append(score)
    tied = scores[0] == scores[1]
    same_ends = a.nets[i, DRAIN] == a.nets[i, SOURCE] or b.nets[j, DRAIN] == b.nets[j, SOURCE]
    return scores[1] > scores[0], not tied or bool(same_ends)


def _match_equal(found: Matching, hops: int) -> None:
    """Pair devices of equal colour where both netlists have equally many of it."""
    da = found.a.device_colors(found.a.net_colors(hops))[found.left_a]
    db_ = found.b.device_colors(found.b.net_colors(hops))[found.left_b]
    ua, na = np.unique(da, return_counts=True)
    ub, nb = np.unique(db_, return_counts=True)
    common, pa, pb = np.intersect1d(ua, ub, return_indices=True)
    common = common[na[pa] == nb[pb]]
    take_a, take_b = np.isin(da, common), np.isin(db_, common)
    order_a = _sorted(found.a, found.left_a[take_a], da[take_a])
    order_b = _sorted(found.b, found.left_b[take_b], db_[take_b])
    found.pairs += [(i, j, False) for i, j in zip(order_a, order_b, strict=True)]
    found.sure += [False] * len(order_a)
    found.left_a, found.left_b = found.left_a[~take_a], found.left_b[~take_b]


def _sorted(graph: Graph, rows: Ints, colors: Colors) -> list[int]:
    """Sort devices by colour and then by size, so that equal sizes meet."""
    size = graph.parameters[rows]
    return [int(i) for i in rows[np.lexsort((size[:, 1], size[:, 0], colors))]]


def _pair_best(found: Matching) -> bool:
    """Pair left-over devices with the most anchored terminals in common, best ones only.

    Rare nets count more than common ones: a bulk on VSS says little.
    """
    at: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for j in found.left_b[:_MOST_LEFT].tolist():
        for role, anchor in _known(found.b, j):
            at[int(found.b.kinds[j]), role, anchor].append(j)
    scores: dict[tuple[int, int], float] = defaultdict(float)
    for i in found.left_a.tolist():
        for role, anchor in _known(found.a, i):
            candidates = at.get((int(found.a.kinds[i]), role, anchor), [])
            for j in candidates:
                scores[i, j] += 1.0 + 1.0 / len(candidates)
    if not scores:
        return False
    best = max(scores.values())
    pairs: dict[int, int] = {}
    for (i, j), score in sorted(scores.items()):
        if score > best - 1e-9 and i not in pairs and j not in pairs.values():
            pairs[i] = j
    _accept(found, list(pairs.items()), found.a.net_colors(1), found.b.net_colors(1))
    found.left_a = found.left_a[~np.isin(found.left_a, list(pairs))]
    found.left_b = found.left_b[~np.isin(found.left_b, list(pairs.values()))]
    return True


def _known(graph: Graph, row: int) -> list[tuple[int, int]]:
    """Return (role, anchor) of the anchored terminals; drain and source are one role."""
    rows = []
    for column in range(TERMINALS):
        net = int(graph.nets[row, column])
        if net >= 0 and graph.anchors[net] >= 0:
            mos = not KINDS[int(graph.kinds[row])].is_memristor
            role = DRAIN if mos and column == SOURCE else column
            rows.append((role, int(graph.anchors[net])))
    return rows
