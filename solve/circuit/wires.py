"""The wires of a network apart from its devices: one cheap factor, and lines read as chains.

Without the memristors a network falls apart into its lines with what hangs on them
(contacts, select transistors, mode switches), one piece a line, and factorising that costs
next to nothing. What a device sees of its line is read off the line's response to currents:
of a chain with taps, the voltage at device j under a current into device k is the chain's
resistance from its source up to the nearer of both, and at j itself the tap comes on top.
So no shape of wires needs to be recognised, and a last response at random tells how far a
line is from a chain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .circuit import Circuit, join
from .graph import Factorised

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Lines further from a chain than this are no preconditioner worth having.
CHAIN_TOLERANCE = 0.05
# Parts of a line's resistance that are rounding.
NOTHING = 1e-12
SEED = 0
NO_LINE = -1
# Probes need not be exact: what they miss is corrected like what is no chain.
PROBE_SWEEPS = 2


class IrregularError(Exception):
    """A network holds no crossbar of chains; the message says why."""


@dataclass(frozen=True, eq=False)
class Side:
    """One end of every device, in order of line and place.

    Attributes:
        device: number of the device.
        node: its node.
        line: number of its line.
        place: its place along that line.
        piece: number of the connected piece of wire, in the order of first appearance.
        reference: first entry of every piece that nothing drives, at which it is held.
    """

    device: Ints
    node: Ints
    line: Ints
    place: Ints
    piece: Ints
    reference: Ints

    def starts(self) -> tuple[Ints, Ints]:
        """First and last entry of every piece."""
        change = np.flatnonzero(np.diff(self.piece)) + 1
        return np.r_[0, change], np.r_[change, len(self.piece)] - 1


@dataclass(frozen=True, eq=False)
class Chains:
    """What the devices see of their lines, entries as in `Side`.

    Attributes:
        along: ohm from the piece's source up to the device's place.
        tap: ohm between that place and the device.
        near: entry next to the source, per piece.
        rising: True for pieces driven on the side of low places.
    """

    along: Floats
    tap: Floats
    near: Ints
    rising: Bools


class Wires:
    """The circuit of a network without its devices.

    Attributes:
        alive: devices that carry current, shape (n_devices,).
        factor: of the wires; pieces that nothing drives are held at their first device.
        sides: row side and column side of the devices.
    """

    def __init__(
        self,
        circuit: Circuit,
        edges: Ints,
        nodes: tuple[Ints, Ints],
        lines: tuple[Ints, Ints],
        places: tuple[Ints, Ints],
    ) -> None:
        """Cut the devices out of a circuit.

        Args:
            circuit: merged circuit.
            edges: its edge of every device, -1 for devices that have none.
            nodes: merged nodes of every device on its row's and its column's side.
            lines: number of its row line and of its column line.
            places: its place along either.

        Raises:
            IrregularError: if something joins lines.
        """
        self.circuit, self._nodes = circuit, nodes
        keep = np.ones(len(circuit.g), dtype=bool)
        keep[edges[edges >= 0]] = False
        a, b = circuit.a[keep], circuit.b[keep]
        count, piece = _pieces(circuit, a, b, nodes, lines)
        self.piece = piece
        self._driven = np.zeros(count, dtype=bool)
        for one, other in ((a, b), (b, a)):
            self._driven[piece[one[circuit.held[other]]]] = True
        self._driven[piece[circuit.held]] = True
        self.alive, self._dangling = self._prune(edges >= 0, nodes, count)
        if not self.alive.any():
            raise IrregularError("no device carries current")
        self.sides = (
            self._side(nodes[0], lines[0], places[0]),
            self._side(nodes[1], lines[1], places[1]),
        )
        reference = np.concatenate([s.node[s.reference] for s in self.sides])
        held = circuit.held.copy()
        held[reference] = True
        reached = self._driven.copy()
        reached[piece[reference]] = True
        self.factor = Factorised(
            Circuit(
                circuit.group, circuit.n_groups, a, b, circuit.g[keep], circuit.edge[keep],
                held, ~reached[piece], self.piece,
            ),
            along_lines=True,
        )  # fmt: skip

    def _prune(
        self, present: Bools, nodes: tuple[Ints, Ints], count: int
    ) -> tuple[Bools, list[tuple[Ints, Ints]]]:
        """Leave out devices that are all that a piece of wire hangs on: they carry nothing.

        Returns:
            Which devices stay, and per round (node on such a piece, node across the device).
        """
        alive = present & ~self.circuit.floating[nodes[0]]
        dangling: list[tuple[Ints, Ints]] = []
        while True:
            ends = [self.piece[node] for node in nodes]
            users = sum(np.bincount(end[alive], minlength=count) for end in ends)
            lone = ~self._driven & (users == 1)
            gone = [alive & lone[end] for end in ends]
            if not (gone[0] | gone[1]).any():
                return alive, dangling
            for side in (0, 1):
                mine = gone[side]
                dangling.append((nodes[side][mine], nodes[1 - side][mine]))
                alive = alive & ~mine

    def _side(self, node: Ints, line: Ints, place: Ints) -> Side:
        device = np.flatnonzero(self.alive)
        device = device[np.lexsort((place[device], line[device]))]
        node, line, place = node[device], line[device], place[device]
        piece = self.piece[node]
        change = np.r_[True, (np.diff(piece) != 0) | (np.diff(line) != 0)]
        first = np.flatnonzero(change)
        if np.bincount(piece[first]).max() > 1:
            raise IrregularError("something joins lines, or a line's pieces overlap")
        if ((np.diff(place) == 0) & (np.diff(line) == 0) & change[1:]).any():
            raise IrregularError("the tiers' devices meet pieces of their column")
        loose = first[~self._driven[piece[first]]]
        return Side(device, node, line, place, np.cumsum(change) - 1, loose)

    def response(self, nodes: Ints, amps: Floats) -> Floats:
        """Voltages of all nodes under currents into some, sources at 0 V."""
        size = self.circuit.n_groups
        inject = np.bincount(nodes, amps, size).astype(np.float64)
        return self.factor.solve(np.zeros(size), inject, sweeps=PROBE_SWEEPS)

    def chains(self) -> tuple[Chains, Chains]:
        """Read every line as a chain.

        Raises:
            IrregularError: if a line is far from one.
        """
        # lines of both directions are pieces of their own: they respond at the same time
        ends = [side.starts() for side in self.sides]
        low, high = (
            self.response(nodes, np.ones(len(nodes)))
            for nodes in (
                np.concatenate([s.node[e[k]] for s, e in zip(self.sides, ends, strict=True)])
                for k in (0, 1)
            )
        )
        readers = [_Reader(side, low[side.node], high[side.node]) for side in self.sides]
        node = np.concatenate([s.node for s in self.sides])
        random = np.random.default_rng(SEED).normal(size=len(node))
        for amps in (np.ones(len(node)), random):
            volts = self.response(node, amps)
            at = 0
            for reader in readers:
                own = slice(at, at := at + len(reader.side.node))
                reader.see(volts[reader.side.node], amps[own])
        first, second = (r.chains() for r in readers)
        return first, second

    def restore(self, volts: Floats) -> None:
        """Fill in pieces of wire that hang on one device: they are at its other end's voltage."""
        for inner, outer in reversed(self._dangling):
            level = np.zeros(int(self.piece.max()) + 1)
            level[self.piece[inner]] = volts[outer]
            loose = np.zeros(len(level), dtype=bool)
            loose[self.piece[inner]] = True
            mine = loose[self.piece]
            volts[mine] = level[self.piece[mine]]


def _pieces(
    circuit: Circuit, a: Ints, b: Ints, nodes: tuple[Ints, Ints], lines: tuple[Ints, Ints]
) -> tuple[int, Ints]:
    """Connected pieces of the wires: (number, label of every node).

    A held node ends a piece, so that a supply does not join the lines that it serves; but
    where it is the spine of one line (its wires being ideal), it holds that together.
    """
    held, size = circuit.held, circuit.n_groups
    ends = held[a] | held[b]
    count, piece = join(size, a[~ends], b[~ends])
    line = np.full(count, NO_LINE)
    for node, own in zip(nodes, lines, strict=True):
        line[piece[node]] = own
    spine = np.where(held[a], a, b)[ends]
    served = line[piece[np.where(held[a], b, a)[ends]]]
    spine, served = spine[served != NO_LINE], served[served != NO_LINE]
    least, most = np.full(size, np.iinfo(np.int64).max), np.full(size, NO_LINE)
    np.minimum.at(least, spine, served)
    np.maximum.at(most, spine, served)
    one_line = least == most
    whole = ~ends | np.where(held[a], one_line[a], True) & np.where(held[b], one_line[b], True)
    count, piece = join(size, a[whole], b[whole])
    return count, piece.astype(np.int64)


class _Reader:
    """Turns the responses of one side's lines into chains; entries padded to (piece, position)."""

    def __init__(self, side: Side, low: Floats, high: Floats) -> None:
        """Orient the pieces and read the resistance along them.

        Args:
            side: the devices' ends.
            low: response of every entry to 1 A into its piece's first entry.
            high: the same to the last entry.
        """
        self.side = side
        first, last = side.starts()
        size = last - first + 1
        position = np.arange(len(side.node)) - first[side.piece]
        # between both ends, the response grows away from the source
        inside = (position > 0) & (position < size[side.piece] - 1)
        grows = np.bincount(side.piece, np.where(inside, high - low, 0.0), len(first))
        self.rising = grows >= 0
        up = self.rising[side.piece]
        position = np.where(up, position, size[side.piece] - 1 - position)
        self._at = (side.piece, position)
        self._shape = (len(first), int(size.max()))
        self._mask = np.zeros(self._shape, dtype=bool)
        self._mask[self._at] = True
        self.near, self._far = np.where(self.rising, (first, last), (last, first))
        far_response = np.where(up, high, low)
        along = self._pad(far_response)
        self._along = self._read_along(along, far_response[self._far], size)
        self._tap = np.zeros(self._shape)
        self._seen = 0

    def _pad(self, values: Floats) -> Floats:
        out = np.zeros(self._shape)
        out[self._at] = values
        return out

    def _read_along(self, along: Floats, own: Floats, size: Ints) -> Floats:
        """Replace the far device's own response, in which its tap counts, by its neighbour's."""
        each = np.arange(len(size))
        place = self._pad(self.side.place.astype(np.float64))
        before = np.maximum(size - 2, 0)
        shared = (size > 1) & (place[each, before] == place[each, size - 1])
        self._alone = each[~shared], (size - 1)[~shared]
        along[each, size - 1] = np.where(shared, along[each, before], own)
        along = np.maximum.accumulate(along, axis=1)
        steps = np.diff(along, axis=1)
        steps[steps <= NOTHING * along[:, -1:]] = 0.0
        return np.concatenate([along[:, :1], along[:, :1] + np.cumsum(steps, axis=1)], axis=1)

    def see(self, volts: Floats, amps: Floats) -> None:
        """Take a response to currents into all entries: first for the taps, then as a check."""
        given = self._pad(amps)
        carried = np.cumsum(given[:, ::-1], axis=1)[:, ::-1]
        steps = np.diff(self._along, axis=1, prepend=0.0)
        line = np.cumsum(steps * carried, axis=1)
        rest = np.where(self._mask, self._pad(volts) - line, 0.0)
        if not self._seen:
            tap = rest / np.where(self._mask, given, 1.0)
            self._tap = np.where(tap > NOTHING * self._along[:, -1:], tap, 0.0)
            self._split_far()
        else:
            off = np.abs(rest - self._tap * given).max(axis=1)
            scale = np.abs(self._pad(volts)).max(axis=1)
            if not ((off <= CHAIN_TOLERANCE * scale) & np.isfinite(off)).all():
                nothing = np.where(off == 0, 0.0, np.inf)  # of nothing is 0, anything else is not
                worst = float(np.divide(off, scale, out=nothing, where=scale > 0).max())
                raise IrregularError(f"a line is no chain with taps (off by {worst:.1g})")
        self._seen += 1

    def _split_far(self) -> None:
        """Give far devices that are alone at their place the tap of the one before.

        Nothing tells their tap from the line's last segment.
        """
        piece, far = self._alone
        before = np.maximum(far - 1, 0)
        beyond = self._along[piece, far] - self._along[piece, before]
        tap = np.where(far > 0, np.minimum(self._tap[piece, before], beyond), 0.0)
        self._along[piece, far] -= tap
        self._tap[piece, far] = tap

    def chains(self) -> Chains:
        """Everything read."""
        return Chains(self._along[self._at], self._tap[self._at], self.near, self.rising)
