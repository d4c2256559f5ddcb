"""Nodes, wires and capacitors of a netlist: what a network's own become in SPICE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ...base.names import distinct
from ...solve.circuit.circuit import join
from ...solve.network.network import Network
from ..field.lumps import Lump

Ints = NDArray[np.int64]
#: wire pieces up to this join their nodes: written as they are, their conductances would swamp
#: all others. Two pins on one place are tied by as much, and SPEF has as much for none: its readers
#: refuse 0 ohm
SHORT_OHM = 1e-6
#: what resistances stand for transistors where nobody gave those of a mode
AT_BEST = (
    "* transistors: each the resistance where it conducts best; `crossstack solve` takes those at "
    "the voltages of its mode, as the netlist of a build has them"
)


class Nodes:
    """The nodes of a netlist: those of a network, joined where nothing lies between them.

    Attributes:
        group: for each node of the network the one that stands for it.
        names: for each node of the network its name in the netlist; the pin's, if it has one.
        outside: nodes that something other than the wires of one net is on.
        pin_names: pin -> its name in the netlist, pins without wires (`more`) last.
    """

    def __init__(
        self, network: Network, gates: Iterable[int | None] = (), more: Iterable[str] = ()
    ) -> None:
        short = network.resistor_ohm <= SHORT_OHM
        a, b = network.resistor_a.astype(np.int64), network.resistor_b.astype(np.int64)
        _, piece = join(network.n_nodes, a[short], b[short])
        _, first = np.unique(piece, return_index=True)
        self.group: Ints = first[piece]
        self.pins: dict[int, list[str]] = {}
        for pin, node in network.ports.items():
            self.pins.setdefault(int(self.group[node]), []).append(pin)
        taken: set[str] = set()
        every = [*network.ports, *more]
        self.pin_names = dict(zip(every, distinct(every, taken), strict=True))
        inner = [int(k) for k in first if int(k) not in self.pins]
        names = dict(
            zip(inner, distinct((network.node_names[k] for k in inner), taken), strict=True)
        )
        names |= {node: self.pin_names[pins[0]] for node, pins in self.pins.items()}
        self.names = [names[int(k)] for k in self.group]
        self.outside = np.zeros(network.n_nodes, dtype=bool)
        ends = (network.memristor_a, network.memristor_b, network.switch_a, network.switch_b)
        for some in (*ends, [node for node in gates if node is not None], list(self.pins)):
            self.outside[self.group[np.asarray(some, dtype=np.int64)]] = True
        # a node of two nets is in the subcircuits of both
        at = self.group[np.concatenate([a, b])]
        net = np.concatenate([network.resistor_net, network.resistor_net])
        pairs = np.unique(np.stack([at, net]), axis=1)
        used, nets = np.unique(pairs[0], return_counts=True)
        self.outside[used[nets > 1]] = True

    def ties(self) -> Iterator[str]:
        """Yield what ties pins to the one on the same node that the node is called after."""
        named = ([self.pin_names[pin] for pin in pins] for pins in self.pins.values())
        more = ((pins[0], pin) for pins in named for pin in pins[1:])
        for k, (first, pin) in enumerate(more):
            yield f"Rtie{k} {first} {pin} {SHORT_OHM:g}"


class Capacitors:
    """Capacitors of a netlist: to ground by node, which a subcircuit may take, and coupling."""

    def __init__(self, nodes: Nodes, placed: Iterable[Lump]) -> None:
        self.names = nodes.names
        self.ground: dict[int, float] = {}
        self.coupling: list[tuple[int, int, float]] = []
        for a, b, farad in placed:
            node = int(nodes.group[a])
            if b is None:
                self.ground[node] = self.ground.get(node, 0.0) + farad
                continue
            nodes.outside[[node, nodes.group[b]]] = True
            self.coupling.append((a, b, farad))

    def take(self, members: Ints) -> list[str]:
        """Return the capacitance to ground of each node as text, '' without, and forget it."""
        return [f"{self.ground.pop(k):.6g}" if k in self.ground else "" for k in members.tolist()]

    def cards(self) -> Iterator[str]:
        """Yield those that no subcircuit took."""
        ground = [(node, None, farad) for node, farad in self.ground.items()]
        for k, (a, b, farad) in enumerate([*ground, *self.coupling]):
            yield f"Cw{k} {self.names[a]} {'0' if b is None else self.names[b]} {farad:.6g}"


def flat_wires(network: Network, nodes: Nodes) -> list[str]:
    """Return one resistor per wire piece; a comment before them says their layer.

    It has a line of its own: what follows a value is no comment to KLayout's reader.
    """
    rows = zip(network.resistor_a, network.resistor_b, network.resistor_ohm, strict=True)
    lines, last = [], -1
    for k, (a, b, r) in enumerate(rows):
        if nodes.group[a] == nodes.group[b]:
            continue
        if network.resistor_layer[k] != last:
            last = network.resistor_layer[k]
            lines.append(f"* {network.layers[last]}")
        lines.append(f"Rw{k} {nodes.names[a]} {nodes.names[b]} {r:.9g}")
    return lines


def shared_wires(
    network: Network, nodes: Nodes, capacitors: Capacitors, name: str
) -> tuple[list[str], list[str]]:
    """Return a subcircuit per distinct net, called after the whole, and one instance per net."""
    order = np.argsort(network.resistor_net, kind="stable")
    limits = np.searchsorted(network.resistor_net[order], np.arange(len(network.nets) + 1))
    known: dict[tuple[object, ...], str] = {}
    definitions: list[str] = []
    instances: list[str] = []
    for k in range(len(network.nets)):
        mine = order[limits[k] : limits[k + 1]]
        ends = nodes.group[np.stack([network.resistor_a[mine], network.resistor_b[mine]])]
        kept = ends[0] != ends[1]
        if not kept.any():
            continue
        members, local = np.unique(ends[:, kept].ravel(), return_inverse=True)
        ohm = network.resistor_ohm[mine][kept]
        shared = np.flatnonzero(nodes.outside[members])
        ground = capacitors.take(members)
        key = (tuple(local), tuple(np.round(ohm, 9)), tuple(shared), tuple(ground))
        if key not in known:
            known[key] = f"{name}_wires{len(known)}"
            definitions += wrapped([f".subckt {known[key]}", *(f"p{n}" for n in shared)])
            inside = set(range(len(members))) - set(shared.tolist())
            label = [f"{'n' if n in inside else 'p'}{n}" for n in range(len(members))]
            first, second = np.split(local, 2)
            rows = zip(first, second, ohm, strict=True)
            definitions += [
                f"R{m} {label[x]} {label[y]} {r:.9g}" for m, (x, y, r) in enumerate(rows)
            ]
            definitions += [f"C{n} {label[n]} 0 {c}" for n, c in enumerate(ground) if c]
            definitions.append(f".ends {known[key]}")
        ports = [nodes.names[n] for n in members[shared]]
        instances += wrapped([f"Xw{k}", *ports, known[key]])
    return definitions, instances


def wrapped(words: list[str], per_line: int = 12) -> Iterator[str]:
    """Yield a SPICE card over as many lines as it needs."""
    for k in range(0, len(words), per_line):
        yield ("+ " if k else "") + " ".join(words[k : k + per_line])
