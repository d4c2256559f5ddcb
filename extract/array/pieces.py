"""Nets of an array that are no lines with taps, kept piece by piece.

A column with a strap is a ladder, and a folded select transistor meets its row line and its
electrode at several places. Such nets have no segments and taps that say all of them. They are
kept as the flat engine finds them, once for all that are alike.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...solve.network.builder import NetworkBuilder
from ...solve.network.reduced import seen_of
from ..sheet.tidy import NetResistors, Resistor, tidy

#: what marks a node of a line at which a device of an array stands, in a network around it
EDGE = "/edge"
#: layers of resistances that are of several films
COLUMN_LINE, ROW_LINE, ROW_STACK, ELECTRODE = "column line", "row line", "row stack", "electrode"
#: kind of a device, position of its terminal, and where it stands in dbu
Spot = tuple[str, int, int, int]


@dataclass(frozen=True, eq=False)
class Pieces:
    """Resistors of one net.

    Attributes:
        n_nodes: number of nodes.
        resistors: between these.
        pin: node of the net's pin; -1 without.
        ends: nodes at which devices of the array meet it: for each cell along a row line, for each
            tier of a column.
        others: nodes of the terminals of devices around the array, by where these stand.
    """

    n_nodes: int
    resistors: tuple[Resistor, ...]
    pin: int
    ends: tuple[tuple[int, ...], ...]
    others: dict[Spot, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        net: NetResistors,
        pin: str | None,
        keys: Sequence[Sequence[Hashable]],
        others: Mapping[Spot, Hashable] | None = None,
    ) -> Pieces:
        """Return a net's pieces, without what leads nowhere.

        Args:
            net: the solved net.
            pin: its pin, if it has one.
            keys: terminals of the array's devices.
            others: terminals of devices around it.
        """
        at = -1 if pin is None else net.pin_node[pin]
        node = net.terminal_node
        ends = [[node[k] for k in own] for own in keys]
        around = {spot: node[k] for spot, k in (others or {}).items() if k in node}
        kept = {n for own in ends for n in own} | {*around.values()} | ({at} - {-1})
        new, count, resistors = tidy(net.n_nodes, net.resistors, kept)
        return cls(
            count,
            tuple(resistors),
            new.get(at, -1),
            tuple(tuple(new[n] for n in own) for own in ends),
            {spot: new[n] for spot, n in around.items()},
        )

    def whole(self, name: str, terminals: Sequence[Spot], shift: tuple[int, int]) -> NetResistors:
        """Return the net as the part of a layout around an array has it.

        Args:
            name: the line, which is its pin.
            terminals: the devices around the array on it, in the order of their keys.
            shift: how far the net lies from the one that was solved, in dbu.

        Raises:
            KeyError: for a terminal that the solved net does not have.
        """
        dx, dy = shift
        pins = {f"{name}{EDGE}/{node}": node for own in self.ends for node in own}
        return NetResistors(
            name,
            self.n_nodes,
            {k: self.others[(kind, position, x - dx, y - dy)]
             for k, (kind, position, x, y) in enumerate(terminals)},
            {name: self.pin, **pins},
            list(self.resistors),
        )  # fmt: skip

    def around(self, shift: tuple[int, int]) -> Iterator[Spot]:
        """Yield the terminals of devices around the array on a net that lies so far away."""
        dx, dy = shift
        return ((kind, position, x + dx, y + dy) for kind, position, x, y in self.others)

    def ports(self, builder: NetworkBuilder, name: str) -> list[NDArray[np.int32]]:
        """Name the nodes of the devices as ports instead of adding the pieces; returns them."""
        found = []
        for own in self.ends:
            names = [f"{name}{EDGE}/{node}" for node in own]
            found.append(builder.nodes(names))
            for one, at in zip(names, found[-1], strict=True):
                builder.port(one, int(at))
        return found

    def add(self, builder: NetworkBuilder, name: str, pin: int | None = None) -> NDArray[np.int32]:
        """Add the pieces to a network.

        Args:
            builder: the network.
            name: the net.
            pin: the network's node for the pin; None for one of the net's own.

        Returns:
            Node of each node of the pieces.
        """
        at = None if pin is None else np.array([pin])
        (nodes,) = self.add_many(builder, [name], at)
        found: NDArray[np.int32] = nodes
        return found

    def add_many(
        self, builder: NetworkBuilder, names: Sequence[str], pins: NDArray[np.int32] | None
    ) -> NDArray[np.int32]:
        """Add the pieces once for each of several nets.

        Args:
            builder: the network.
            names: the nets.
            pins: the network's node for the pin of each; None for one of the net's own.

        Returns:
            Node of each node of the pieces, shape (nets, nodes).
        """
        own = [k for k in range(self.n_nodes) if pins is None or k != self.pin]
        nodes = np.empty((len(names), self.n_nodes), dtype=np.int32)
        nodes[:, own] = builder.nodes(f"{name}/n{k}" for name in names for k in own).reshape(
            len(names), len(own)
        )
        if pins is not None:
            nodes[:, self.pin] = pins
        if self.resistors:
            columns, (layers, layer) = self.columns, self.layers
            numbers = np.array([builder.layer(one) for one in layers])
            builder.resistors(
                nodes[:, columns["a"]].ravel(),
                nodes[:, columns["b"]].ravel(),
                np.tile(columns["ohm"], len(names)),
                layer=np.tile(numbers[layer], len(names)),
                net=np.repeat([builder.net(name) for name in names], len(self.resistors)),
                width_um=np.tile(columns["width_um"], len(names)),
                cuts=np.tile(columns["cuts"], len(names)),
                parting=np.tile(columns["parting"], len(names)),
                crosses=np.tile(columns["crosses"], len(names)),
            )
        return nodes

    @cached_property
    def columns(self) -> dict[str, NDArray[Any]]:
        """The resistors' ends, ohm, width_um, cuts and partings as arrays."""
        rows = self.resistors
        whole = ("a", "b", "parting", "crosses")
        ends = {end: np.array([getattr(r, end) for r in rows], dtype=np.int64) for end in whole}
        values = ("ohm", "width_um", "cuts")
        return {**ends, **{v: np.array([getattr(r, v) for r in rows], float) for v in values}}

    @cached_property
    def layers(self) -> tuple[list[str], NDArray[np.int64]]:
        """The layers in the order in which they turn up, and the place of each resistor's."""
        names = [*dict.fromkeys(r.layer for r in self.resistors)]
        place = {name: k for k, name in enumerate(names)}
        return names, np.array([place[r.layer] for r in self.resistors], dtype=np.int64)

    @property
    def read(self) -> NDArray[np.int64]:
        """Nodes at which devices or the pin stand."""
        seen = {n for own in self.ends for n in own} | {*self.others.values()} | ({self.pin} - {-1})
        return np.array(sorted(seen), dtype=np.int64)

    def seen(self, layer: str) -> Pieces:
        """Return what devices see of the pieces, if that is less than they are.

        Args:
            layer: name of the resistors that are left, which are of several layers.
        """
        columns = self.columns
        left = seen_of(self.n_nodes, columns["a"], columns["b"], columns["ohm"], self.read)
        if left is None or len(left[2]) >= len(self.resistors):
            return self
        place, (a, b), ohm = left
        resistors = tuple(
            Resistor(int(p), int(q), float(r), layer) for p, q, r in zip(a, b, ohm, strict=True)
        )
        return Pieces(
            int(place.max()) + 1,
            resistors,
            -1 if self.pin < 0 else int(place[self.pin]),
            tuple(tuple(int(place[n]) for n in own) for own in self.ends),
            {spot: int(place[n]) for spot, n in self.others.items()},
        )


@dataclass(frozen=True, eq=False)
class Stack:
    """What stands between a folded transistor and its memristor.

    Attributes:
        pieces: the electrode's net; its ends are the memristor, then every gate's drain.
        w_um, l_um: width and length of every gate.
    """

    pieces: Pieces
    w_um: tuple[float, ...]
    l_um: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class ArrayNets:
    """Nets of an array that are no lines with taps, by the numbers of their lines.

    Attributes:
        columns: column -> its net.
        rows: (tier, row) -> the row line's.
        stacks: (tier, row, column) -> the electrode's.
        apart: whether lines are in the network of what stands around the array.
    """

    columns: dict[int, Pieces] = field(default_factory=dict)
    rows: dict[tuple[int, int], Pieces] = field(default_factory=dict)
    stacks: dict[tuple[int, int, int], Stack] = field(default_factory=dict)
    apart: bool = False

    def __bool__(self) -> bool:
        return bool(self.columns or self.rows or self.stacks)

    def line(self, builder: NetworkBuilder, name: str, pieces: Pieces) -> list[NDArray[np.int32]]:
        """Add a line with its pin, unless it is elsewhere; returns the nodes of its devices."""
        if self.apart:
            return pieces.ports(builder, name)
        pin = builder.node(name)
        builder.port(name, pin)
        nodes = pieces.add(builder, name, pin)
        return [nodes[list(own)] for own in pieces.ends]

    def numbered(self, row: NDArray[np.int64], column: NDArray[np.int64]) -> ArrayNets:
        """Return the same nets by their labels' numbers instead of their places.

        Args:
            row: label of each row from the south.
            column: label of each column from the west.
        """
        known: dict[int, Pieces] = {}

        def in_order(pieces: Pieces, up: bool, inner: bool) -> Pieces:
            """Return pieces whose ends are in the order of the labels, too."""
            if up:
                return pieces
            if id(pieces) not in known:
                ends = pieces.ends
                turned = tuple(own[::-1] for own in ends) if inner else ends[::-1]
                known[id(pieces)] = replace(pieces, ends=turned)
            return known[id(pieces)]

        rows_up, columns_up = (labels[0] <= labels[-1] for labels in (row, column))
        return ArrayNets(
            {int(column[j]): in_order(net, rows_up, True) for j, net in self.columns.items()},
            {(t, int(row[i])): in_order(net, columns_up, False)
             for (t, i), net in self.rows.items()},
            {(t, int(row[i]), int(column[j])): s for (t, i, j), s in self.stacks.items()},
            self.apart,
        )  # fmt: skip


def reduced_nets(nets: ArrayNets) -> ArrayNets:
    """Return nets of no more resistors than devices see."""
    known: dict[int, Pieces] = {}

    def seen(pieces: Pieces, layer: str) -> Pieces:
        if id(pieces) not in known:
            known[id(pieces)] = pieces.seen(layer)
        return known[id(pieces)]

    def alike(stack: Stack) -> Stack:
        return stacks.setdefault(id(stack), replace(stack, pieces=seen(stack.pieces, ELECTRODE)))

    stacks: dict[int, Stack] = {}
    return ArrayNets(
        {j: seen(net, COLUMN_LINE) for j, net in nets.columns.items()},
        {at: seen(net, ROW_LINE) for at, net in nets.rows.items()},
        {at: alike(stack) for at, stack in nets.stacks.items()},
        nets.apart,
    )
