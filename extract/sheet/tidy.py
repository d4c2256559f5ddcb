"""Shortens a net's resistor list without changing what its terminals see.

Dead ends carry no current and go. Two pieces of one wire in series become one (their widths'
minimum is kept: it decides electromigration); two beside each other share their current by their
conductances, and together carry what overloads the first of them. Parallel cuts become one
resistor that knows their number. Pieces of no resistance join their nodes. Different layers are
never mixed, so that a net's resistance can still be told layer by layer.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...solve.circuit.circuit import join

#: Pieces below this are rounding, not metal: the shortest real one, a square of wide metal one
#: dbu long, has micro-ohms. Left in, they would cost the solver all its digits.
ZERO_OHM = 1e-9


@dataclass(frozen=True, slots=True)
class Resistor:
    """One resistor of a net.

    Attributes:
        a, b: nodes.
        ohm: resistance.
        layer: conductor, contact or via.
        width_um: narrowest width that its current passes; nan for cuts.
        cuts: number of parallel contacts or vias; nan for wires.
        parting, crosses: which cut of its piece `width_um` measures, and which ones it crosses
            (`Network`).
    """

    a: int
    b: int
    ohm: float
    layer: str
    width_um: float = float("nan")
    cuts: float = float("nan")
    parting: int = -1
    crosses: int = 0


@dataclass
class NetResistors:
    """Resistors of one net.

    Attributes:
        name: net name.
        n_nodes: number of nodes.
        terminal_node: terminal key -> node.
        pin_node: pin name -> node.
        resistors: wires and cuts.
        warnings: what could not be taken into account.
    """

    name: str
    n_nodes: int = 0
    terminal_node: dict[Hashable, int] = field(default_factory=dict)
    pin_node: dict[str, int] = field(default_factory=dict)
    resistors: list[Resistor] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def tidy(
    n_nodes: int, resistors: list[Resistor], keep: set[int]
) -> tuple[dict[int, int], int, list[Resistor]]:
    """Simplify resistors.

    Args:
        n_nodes: number of nodes.
        resistors: resistors between them.
        keep: nodes that must survive.

    Returns:
        Old kept node -> new node, number of new nodes, resistors between new nodes.
    """
    short = [(r.a, r.b) for r in resistors if r.ohm <= ZERO_OHM]
    root = joined(n_nodes, *np.array(short, dtype=np.int64).reshape(-1, 2).T).tolist()
    kept = {root[n] for n in keep}
    graph = _Graph([_moved(r, root[r.a], root[r.b]) for r in resistors], kept)
    graph.reduce()
    rows = sorted(graph.edges.items())
    order: dict[int, int] = {}
    for node in sorted(kept):
        order.setdefault(node, len(order))
    for _, r in rows:
        order.setdefault(r.a, len(order))
        order.setdefault(r.b, len(order))
    result = [_moved(r, order[r.a], order[r.b]) for _, r in rows]
    return {n: order[root[n]] for n in keep}, len(order), result


def _moved(r: Resistor, a: int, b: int) -> Resistor:
    """Return a resistor between other nodes (`dataclasses.replace` takes ten times as long)."""
    return Resistor(a, b, r.ohm, r.layer, r.width_um, r.cuts, r.parting, r.crosses)


def joined(n_nodes: int, a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the representative of every node, the first one, after joining pairs of them.

    Args:
        n_nodes: number of nodes.
        a: one end of what joins, shape (pairs).
        b: the other.
    """
    _, part = join(n_nodes, a.astype(np.int64), b.astype(np.int64))
    _, first = np.unique(part, return_index=True)
    root: NDArray[np.int64] = first.astype(np.int64)[part]
    return root


class _Graph:
    """Resistors by number with the numbers at every node."""

    def __init__(self, resistors: list[Resistor], kept: set[int]) -> None:
        self.kept = kept
        self.edges: dict[int, Resistor] = {}
        self.at: dict[int, set[int]] = {}
        self.next = 0
        for r in resistors:
            self._add(r)

    def _add(self, r: Resistor) -> None:
        if r.a == r.b:
            return
        for i in self.at.get(r.a, set()) & self.at.get(r.b, set()):
            other = self.edges[i]
            # what crosses cuts of a piece is counted with the piece
            if other.layer == r.layer and other.parting < 0 and r.parting < 0:
                self._drop(i)
                r = _parallel(other, r)
                break
        self.edges[self.next] = r
        for node in (r.a, r.b):
            self.at.setdefault(node, set()).add(self.next)
        self.next += 1

    def _drop(self, i: int) -> Resistor:
        r = self.edges.pop(i)
        self.at[r.a].discard(i)
        self.at[r.b].discard(i)
        return r

    def reduce(self) -> None:
        """Remove dead ends and series nodes until nothing changes."""
        todo = [n for n in self.at if n not in self.kept]
        while todo:
            node = todo.pop()
            numbers = self.at.get(node, set())
            if node in self.kept or not numbers or len(numbers) > 2:
                continue
            pieces = [self.edges[i] for i in sorted(numbers)]
            ends = [r.b if r.a == node else r.a for r in pieces]
            if len(pieces) == 2 and not _one_wire(*pieces):
                continue
            for i in sorted(numbers):
                self._drop(i)
            if len(pieces) == 2:
                self._add(_series(ends[0], ends[1], pieces[0], pieces[1]))
            todo += [n for n in ends if n not in self.kept]


def _one_wire(p: Resistor, q: Resistor) -> bool:
    """True if two in series can be one."""
    return p.layer == q.layer and np.isnan(p.cuts) and p.parting < 0 and q.parting < 0


def _series(a: int, b: int, p: Resistor, q: Resistor) -> Resistor:
    return Resistor(a, b, p.ohm + q.ohm, p.layer, float(np.fmin(p.width_um, q.width_um)))


def _parallel(p: Resistor, q: Resistor) -> Resistor:
    ohm = 1.0 / (1.0 / p.ohm + 1.0 / q.ohm)
    width = float(np.minimum(p.width_um * p.ohm, q.width_um * q.ohm)) / ohm
    return Resistor(q.a, q.b, ohm, q.layer, width, p.cuts + q.cuts)
