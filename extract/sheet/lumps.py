"""Via arrays of a pad's net as what the rest of the net sees of them.

A bond pad hangs on arrays of hundreds of vias, whose metal is a grid of thousands of resistors: the
75 pads of a chip of 10 x 10 would have six million. All of a block of such grids, with the vias
between them and wires that lead nowhere else, is eliminated but the nodes at which wires, pins and
devices join it. The resistance
between these stays what it was; how the current spreads inside is no longer known, so that no limit
is looked for there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ...solve.circuit.factors import symmetric_factor
from .synthesis import synthesise
from .tidy import Resistor, joined

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: layer of the resistors that are left of a block
LAYER = "via array"
#: nodes from which on a block is eliminated; one array of 10 x 10 vias has some thousand
LARGE = 500
#: ends up to which it is: a pad has five; a line with a grid of its own, as a wide column under its
#: devices, has many, and where they stand on it decides how it is loaded
MOST_ENDS = 12


def lumped(
    n_nodes: int, resistors: list[Resistor], grids: list[range], keep: set[int]
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
        return n_nodes, resistors
    root = np.array(joined(n_nodes, resistors), dtype=np.int64)
    a, b = (root[[getattr(r, end) for r in resistors]] for end in "ab")
    kept = np.zeros(n_nodes, dtype=bool)
    kept[root[list(keep)]] = True
    inside = _inside(n_nodes, resistors, grids, a, b)
    inside |= _hanging(n_nodes, a, b, inside, kept)
    kept[a[~inside]] = kept[b[~inside]] = True
    ohm = np.array([r.ohm for r in resistors])
    left, found = np.ones(len(resistors), dtype=bool), list[Resistor]()
    for members in _blocks(n_nodes, a, b, inside):
        apart = members[a[members] != b[members]]
        ends = np.unique(np.concatenate([a[apart], b[apart]]))
        if kept[ends].sum() <= MOST_ENDS:
            left[members] = False
            n_nodes, seen = _seen(n_nodes, a[apart], b[apart], ohm[apart], kept)
            found += seen
    return n_nodes, [*(r for r, stays in zip(resistors, left, strict=True) if stays), *found]


def _inside(n_nodes: int, resistors: list[Resistor], grids: list[range], a: Ints, b: Ints) -> Bools:
    """Return which resistors belong to grids: their own, and vias from one to another."""
    inside, on_grid = np.zeros(len(resistors), dtype=bool), np.zeros(n_nodes, dtype=bool)
    for rows in grids:
        inside[rows.start : rows.stop] = True
    on_grid[a[inside]] = on_grid[b[inside]] = True
    cut = ~np.isnan([r.cuts for r in resistors])
    found: Bools = inside | (cut & on_grid[a] & on_grid[b])
    return found


def _hanging(n_nodes: int, a: Ints, b: Ints, inside: Bools, kept: Bools) -> Bools:
    """Return which resistors are of wires that hang on one block and lead nowhere else.

    As the stripes of a pad's diodes: each has a row of vias, so that it is no grid, and would give
    the block an end for every via.
    """
    on_grid = np.zeros(n_nodes, dtype=bool)
    on_grid[a[inside]] = on_grid[b[inside]] = True
    block = _joined(n_nodes, a[inside], b[inside])
    apart = ~inside & ~on_grid[a] & ~on_grid[b]
    wire = _joined(n_nodes, a[apart], b[apart])
    meets: Bools = ~inside & (on_grid[a] != on_grid[b])
    free, held = np.where(on_grid[a], b, a), np.where(on_grid[a], a, b)
    if not meets.any():
        return meets
    both = np.unique(np.stack([wire[free[meets]], block[held[meets]]]), axis=1)
    hangs = np.bincount(both[0], minlength=n_nodes) == 1
    hangs[wire[kept & ~on_grid]] = False
    found: Bools = (meets | apart) & hangs[wire[free]]
    return found


def _joined(n_nodes: int, a: Ints, b: Ints) -> Ints:
    """Return for every node the number of what it is joined to."""
    links = coo_matrix((np.ones(len(a)), (a, b)), (n_nodes, n_nodes))
    label: Ints = connected_components(links, directed=False)[1].astype(np.int64)
    return label


def _blocks(n_nodes: int, a: Ints, b: Ints, inside: Bools) -> Iterator[Ints]:
    """Yield the numbers of the resistors of each block that is large."""
    numbers = np.flatnonzero(inside)
    label = _joined(n_nodes, a[numbers], b[numbers])
    large = np.bincount(label) >= LARGE
    mine = numbers[large[label[a[numbers]]]]
    block = label[a[mine]]
    order = np.argsort(block, kind="stable")
    if len(order):
        yield from np.split(mine[order], np.flatnonzero(np.diff(block[order])) + 1)


def _seen(n_nodes: int, a: Ints, b: Ints, ohm: Floats, kept: Bools) -> tuple[int, list[Resistor]]:
    """Return what is seen of a block at those of its nodes that are kept.

    Returns:
        Number of nodes of the net with those added, and resistors.
    """
    nodes, ends = np.unique(np.concatenate([a, b]), return_inverse=True)
    first, second = ends.reshape(2, -1)
    seen = np.flatnonzero(kept[nodes])
    if len(seen) < 2:  # a dead end
        return n_nodes, []
    g = 1.0 / ohm
    rows = np.concatenate([first, second, first, second])
    columns = np.concatenate([first, second, second, first])
    matrix = coo_matrix((np.concatenate([g, g, -g, -g]), (rows, columns))).tocsc()
    free = np.flatnonzero(np.arange(len(nodes)) != seen[0])
    place = np.searchsorted(free, seen[1:])
    drive = np.zeros((len(free), len(place)))
    drive[place, np.arange(len(place))] = 1.0
    z = symmetric_factor(matrix[free][:, free]).solve(drive)[place]
    count, edges = synthesise((z + z.T) / 2, [])
    local = [*nodes[seen].tolist(), *range(n_nodes, n_nodes + count - len(seen))]
    found = [Resistor(local[e.a], local[e.b], e.squares, LAYER) for e in edges]
    return n_nodes + count - len(seen), found


__all__ = ["LARGE", "LAYER", "lumped"]
