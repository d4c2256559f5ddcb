"""Via arrays of a pad's net as what the rest of the net sees of them.

A bond pad hangs on arrays of hundreds of vias, whose metal is a grid of thousands of resistors: the
supplies of a chip of 2 x 2, with a clamp in each pad, would have six million. A block of such
grids, with the vias between them and wires that lead nowhere else, is eliminated but for the nodes
at which wires, pins and devices join it. The resistance between these stays what it was; how the
current spreads inside is no longer known, so that no limit is looked for there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix

from ...solve.circuit.circuit import join
from ...solve.circuit.factors import symmetric_factor
from .columns import Columns
from .synthesis import Edge, synthesise
from .tidy import ZERO_OHM, Resistor, joined

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
#: number of nodes, those first that the rest sees, and resistors between them, ohm for squares
_Seen = tuple[int, list[Edge]]

#: layer of the resistors that are left of a block
LAYER = "via array"
#: nodes from which on a block is eliminated; one array of 10 x 10 vias has some thousand
LARGE = 500
#: ends up to which it is: a pad has five; a line with a grid of its own, as a wide column under its
#: devices, has many, and where they stand on it decides how it is loaded
MOST_ENDS = 12
#: or resistors for each end from which on it is: the pads of a supply with their clamps have some
#: thousand, a line of an array some hundred for each device
PER_END = 1000
#: nodes of a block that are driven at once: each takes a number for every node of the block
_AT_ONCE = 8
#: share of the largest resistance that is none: rounding
_SAME = 1e-12


def lumped(
    n_nodes: int, resistors: Columns, grids: list[range], keep: set[int]
) -> tuple[int, list[Resistor]]:
    """Return a net's resistors with its large via arrays eliminated.

    Args:
        n_nodes: number of nodes.
        resistors: between them.
        grids: which of the resistors are the grids of pieces with many ports, or close joints.
        keep: nodes of pins and devices.

    Returns:
        Number of nodes, of which those that are eliminated have no resistor, and resistors.
    """
    if sum(map(len, grids)) < LARGE:
        return n_nodes, resistors.resistors()
    short = resistors.ohm <= ZERO_OHM
    root = joined(n_nodes, resistors.a[short], resistors.b[short])
    a, b, ohm = root[resistors.a], root[resistors.b], resistors.ohm
    kept = np.zeros(n_nodes, dtype=bool)
    kept[root[list(keep)]] = True
    inside = _inside(n_nodes, ~np.isnan(resistors.cuts), grids, a, b)
    inside |= _hanging(n_nodes, a, b, inside, kept)
    kept[a[~inside]] = kept[b[~inside]] = True
    grid = np.full(len(ohm), -1, dtype=np.int32)
    for number, rows in enumerate(grids):
        grid[rows.start : rows.stop] = number
    left, found = np.ones(len(ohm), dtype=bool), list[Resistor]()
    known: dict[bytes, _Seen] = {}
    for members in _blocks(n_nodes, a, b, inside):
        apart = members[a[members] != b[members]]
        nodes, ends = np.unique(np.concatenate([a[apart], b[apart]]), return_inverse=True)
        seen = np.flatnonzero(kept[nodes])
        if len(seen) > max(MOST_ENDS, len(members) // PER_END):
            continue
        left[members] = False
        block = _without_grids(ends.reshape(2, -1), ohm[apart], grid[apart], kept[nodes], known)
        count, edges = _seen(*block, seen)
        local = [*nodes[seen].tolist(), *range(n_nodes, n_nodes + count - len(seen))]
        found += [Resistor(local[e.a], local[e.b], e.squares, LAYER) for e in edges]
        n_nodes += count - len(seen)
    return n_nodes, [*resistors.resistors(left), *found]


def _without_grids(
    ends: Ints, ohm: Floats, grid: NDArray[np.int32], kept: Bools, known: dict[bytes, _Seen]
) -> tuple[Ints, Floats]:
    """Return a block with what is seen of each grid by the rest of the block in its place.

    Most grids of a chip are alike, and have some thousand resistors between some tens of vias.

    Args:
        ends: both nodes of each resistor, from 0, shape (2, resistors).
        ohm: of each.
        grid: which grid each is of; -1 for none.
        kept: which nodes the rest of the net joins.
        known: what is seen of the grids so far, which is added to.
    """
    last = np.full(len(kept), -2, dtype=np.int32)
    last[ends] = grid
    shared = kept.copy()
    shared[ends[last[ends] != grid]] = True
    order = np.argsort(grid, kind="stable")
    runs = np.split(order, np.flatnonzero(np.diff(grid[order])) + 1)
    parts, ohms, count = [], [], len(kept)
    for rows in runs:
        pairs, values, inner = ends[:, rows], ohm[rows], 0
        nodes, own = np.unique(pairs, return_inverse=True)
        seen = np.flatnonzero(shared[nodes])
        if grid[rows[0]] >= 0 and len(seen) * (len(seen) - 1) < len(rows):
            pairs, values, inner = _mesh_of(own.reshape(2, -1), values, seen, known)
            numbers = np.concatenate([nodes[seen], count + np.arange(inner)])
            pairs = numbers[pairs]
        parts.append(pairs)
        ohms.append(values)
        count += inner
    return np.concatenate(parts, axis=1), np.concatenate(ohms)


def _mesh_of(
    ends: Ints, ohm: Floats, seen: Ints, known: dict[bytes, _Seen]
) -> tuple[Ints, Floats, int]:
    """Return what is seen of a grid: both nodes of each resistor, ohm, and how many are inner ones.

    Args:
        ends: both nodes of each of its resistors, from 0, shape (2, resistors).
        ohm: of each.
        seen: nodes that the rest of the block has, too.
        known: what is seen of the grids so far, which is added to.
    """
    key = b"".join(part.tobytes() for part in (ends, ohm, seen))
    if key not in known:
        known[key] = _seen(ends, ohm, seen)
    count, edges = known[key]
    pairs = np.array([(e.a, e.b) for e in edges], dtype=np.int64).reshape(-1, 2).T
    # ports that are one place are joined by far less than any piece of metal
    values = np.maximum([e.squares for e in edges], ZERO_OHM)
    return pairs, values, count - len(seen)


def _inside(n_nodes: int, cut: Bools, grids: list[range], a: Ints, b: Ints) -> Bools:
    """Return which resistors belong to grids: their own, and vias from one to another."""
    inside, on_grid = np.zeros(len(a), dtype=bool), np.zeros(n_nodes, dtype=bool)
    for rows in grids:
        inside[rows.start : rows.stop] = True
    on_grid[a[inside]] = on_grid[b[inside]] = True
    found: Bools = inside | (cut & on_grid[a] & on_grid[b])
    return found


def _hanging(n_nodes: int, a: Ints, b: Ints, inside: Bools, kept: Bools) -> Bools:
    """Return which resistors are of wires that hang on one block and lead nowhere else.

    As the stripes of a pad's diodes: each has a row of vias, so that it is no grid, and would give
    the block an end for every via.
    """
    on_grid = np.zeros(n_nodes, dtype=bool)
    on_grid[a[inside]] = on_grid[b[inside]] = True
    _, block = join(n_nodes, a[inside], b[inside])
    apart = ~inside & ~on_grid[a] & ~on_grid[b]
    _, wire = join(n_nodes, a[apart], b[apart])
    meets: Bools = ~inside & (on_grid[a] != on_grid[b])
    free, held = np.where(on_grid[a], b, a), np.where(on_grid[a], a, b)
    if not meets.any():
        return meets
    both = np.unique(np.stack([wire[free[meets]], block[held[meets]]]), axis=1)
    hangs = np.bincount(both[0], minlength=n_nodes) == 1
    hangs[wire[kept & ~on_grid]] = False
    found: Bools = (meets | apart) & hangs[wire[free]]
    return found


def _blocks(n_nodes: int, a: Ints, b: Ints, inside: Bools) -> Iterator[Ints]:
    """Yield the numbers of the resistors of each block that is large."""
    numbers = np.flatnonzero(inside)
    _, label = join(n_nodes, a[numbers], b[numbers])
    large = np.bincount(label) >= LARGE
    mine = numbers[large[label[a[numbers]]]]
    block = label[a[mine]]
    order = np.argsort(block, kind="stable")
    if len(order):
        yield from np.split(mine[order], np.flatnonzero(np.diff(block[order])) + 1)


def _seen(ends: Ints, ohm: Floats, seen: Ints) -> _Seen:
    """Return what the rest of a net sees of some resistors.

    Args:
        ends: both nodes of each, shape (2, resistors).
        ohm: of each.
        seen: nodes at which the rest joins them.

    Returns:
        Number of nodes, those that are seen first, and resistors between them, ohm for squares.
    """
    if len(seen) < 2:  # a dead end
        return len(seen), []
    used, numbers = np.unique(np.concatenate([ends.ravel(), seen]), return_inverse=True)
    (first, second), seen = numbers[: ends.size].reshape(2, -1), numbers[ends.size :]
    g = 1.0 / ohm
    rows = np.concatenate([first, second, first, second])
    columns = np.concatenate([first, second, second, first])
    matrix = coo_matrix((np.concatenate([g, g, -g, -g]), (rows, columns))).tocsc()
    free = np.flatnonzero(np.arange(len(used)) != seen[0])
    factor = symmetric_factor(matrix[free][:, free])
    place = np.searchsorted(free, seen[1:])
    z = np.zeros((len(place), len(place)))
    for some in range(0, len(place), _AT_ONCE):
        driven = place[some : some + _AT_ONCE]
        drive = np.zeros((len(free), len(driven)))
        drive[driven, np.arange(len(driven))] = 1.0
        z[:, some : some + _AT_ONCE] = factor.solve(drive)[place]
    return synthesise((z + z.T) / 2, [], _SAME)


__all__ = ["LARGE", "LAYER", "lumped"]
