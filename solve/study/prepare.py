"""Prepare an extracted array, in one mode, for many devices and inputs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ModeError, NetworkError
from ..circuit.circuit import Circuit, join
from ..circuit.graph import Factorised
from ..modes.drives import gates_for, network_drives
from ..modes.mode import ArrayKind
from ..modes.modes import EXPANSION, mode_named
from ..network.blocks import Blocks, Ints, Side
from ..network.linear import NetworkSolver
from ..network.network import Network
from ..network.prepared import Prepared
from ..network.reduced import reduced
from .guess import network_guess

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: bytes that the blocks of an array may take: 256 x 256 x 2 has 0.8 GB, eight times that 512 x 512
MOST_BYTES = 4 * 2**30
_NONE = -1


def prepare_network(
    network: Network,
    *,
    mode: str = EXPANSION,
    series: Mapping[str, Any] | None = None,
    chains: bool = False,
    **options: Any,
) -> Prepared:
    """Prepare an extracted array or macro in one mode.

    Args:
        network: what `extract` found in the layout.
        mode: one of `MODES`.
        series: keyword arguments of `solve_network` (switch_ohm, switch_off_ohm, port_ohm, wires).
        chains: solve a small array by its lines, too, though blocks are faster there.
        **options: keyword arguments of `mode_drives` (read_tier, write_column, ...).

    Returns:
        The array; its inputs are the rows of every tier that computes, bottom tier first, its
        outputs the columns without one that is written, in the order of `network_matrix`.

    Raises:
        ModeError: if the network does not offer the mode.
        DriveError: if a value does not fit the network.
        NetworkError: if lines are joined or cut, or the array is too large.
    """
    start = time.perf_counter()
    kind = ArrayKind.of(network)
    if reason := mode_named(mode).refusal(kind, network.cols):
        raise ModeError(reason)
    shape = (max(kind.tiers, default=0) + 1, network.rows)
    idle = network_drives(network, mode, np.zeros(shape), **options)
    lit = network_drives(network, mode, np.ones(shape), **options)
    fixed = idle.port_voltages
    inputs = tuple(pin for pin, volt in lit.port_voltages.items() if volt != fixed[pin])
    computing = mode_named(mode).columns(network.cols, idle.request.write_column)
    outputs = tuple(idle.outputs[j] for j in computing)
    common: dict[str, Any] = {
        "conductances": network.present.astype(np.float64),
        "driven": fixed,
        "gates": gates_for(network, idle),
        **dict(series or {}),
    }
    small = reduced(network).network
    solver = NetworkSolver(small, **common)
    cut = _Cut(solver, inputs, outputs)
    found = cut.prepared(fixed, inputs, outputs)
    guess, exact = network_guess(found, small, common, chains)
    found = replace(found, guess=guess, exact=exact)
    if not exact:
        found.blocks  # noqa: B018 - what does not fit is refused here
    return timed(found, start)


def timed(found: Prepared, start: float) -> Prepared:
    """Return the same array with the time that it took; what it found already stays."""
    object.__setattr__(found, "seconds", time.perf_counter() - start)
    return found


def refuse_large(numbers: int) -> None:
    """Refuse blocks of so many numbers.

    Raises:
        NetworkError: if they are too many.
    """
    if 8 * numbers > MOST_BYTES:
        raise NetworkError(
            f"an array this large needs {8 * numbers / 2**30:.1f} GiB prepared, allowed: "
            f"{MOST_BYTES / 2**30:g}; cut the layer into smaller tiles"
        )


class _Cut:
    """A network cut at its devices: pieces of wire, and which pins hold them."""

    def __init__(
        self, solver: NetworkSolver, inputs: tuple[str, ...], outputs: tuple[str, ...]
    ) -> None:
        self.network, circuit = solver.network, solver.circuit
        edges = solver.edges
        mine = (circuit.edge >= edges.devices.start) & (circuit.edge < edges.devices.stop)
        number = circuit.edge[mine] - edges.devices.start
        self.ends = np.full((2, len(self.network.memristor_a)), _NONE)
        self.ends[0] = circuit.group[self.network.memristor_a]
        self.ends[1] = circuit.group[self.network.memristor_b]
        present = np.zeros(self.ends.shape[1], dtype=bool)
        present[number] = True
        a, b = circuit.a[~mine], circuit.b[~mine]
        inner = ~(circuit.held[a] | circuit.held[b])
        self.pieces, piece = join(circuit.n_groups, a[inner], b[inner])
        self.piece = np.where(circuit.held, _NONE, piece)
        driven = np.zeros(self.pieces, dtype=bool)
        for one, other in ((a, b), (b, a)):
            driven[self.piece[one[circuit.held[other] & ~circuit.held[one]]]] = True
        self.pins = {pin: int(circuit.group[edges.held[pin]]) for pin in edges.held}
        self._held_by = a, b
        self.wires = Circuit(
            circuit.group, circuit.n_groups, a, b, circuit.g[~mine], circuit.edge[~mine],
            circuit.held, ~circuit.held & ~driven[piece], piece,
        )  # fmt: skip
        self.input_of = self._pin_of(inputs)
        self.output_of = self._pin_of(outputs)
        self.alive = self._heard(self._carrying(present, driven), circuit, outputs)

    def _pin_of(self, pins: tuple[str, ...]) -> Ints:
        """Number of the pin that holds every merged node, or the piece that it is on.

        Raises:
            NetworkError: if two of them hold one piece.
        """
        found = np.full(self.wires.n_groups, _NONE)
        owner = np.full(self.pieces, _NONE)
        a, b = self._held_by
        for k, pin in enumerate(pins):
            node = self.pins[pin]
            if found[node] != _NONE:
                raise NetworkError(f"{pin} and {pins[int(found[node])]} are shorted together")
            found[node] = k
        for one, other in ((a, b), (b, a)):
            at = np.flatnonzero((found[other] != _NONE) & (self.piece[one] != _NONE))
            for line, k in zip(
                self.piece[one[at]].tolist(), found[other[at]].tolist(), strict=True
            ):
                if owner[line] not in (_NONE, k):
                    raise NetworkError(
                        f"wires join {pins[int(owner[line])]} and {pins[k]}: not prepared; solve "
                        "such a network by solve_network"
                    )
                owner[line] = k
        return np.where(self.piece >= 0, owner[self.piece], found)

    def _carrying(self, present: Bools, driven: Bools) -> Bools:
        """Devices that carry current: not those at the loose end of a wire.

        Raises:
            NetworkError: if a piece of wire that nothing drives joins several of them.
        """
        alive = present.copy()
        piece = self.piece[self.ends]
        on_wire = piece >= 0
        while True:
            users = np.bincount(piece[:, alive][on_wire[:, alive]], minlength=self.pieces)
            loose = on_wire & ~driven[piece] & (users[piece] <= 1)
            gone = alive & loose.any(axis=0)
            if not gone.any():
                break
            alive &= ~gone
        cut = alive & (on_wire & ~driven[piece]).any(axis=0)
        if cut.any():
            k = int(np.flatnonzero(cut)[0])
            where = self.network.node_names[int(self.network.memristor_a[k])]
            raise NetworkError(
                f"a piece of wire at {where} is cut off from its source: not prepared; solve such "
                "a network by solve_network"
            )
        return alive

    def _heard(self, alive: Bools, circuit: Circuit, outputs: tuple[str, ...]) -> Bools:
        """Devices whose current reaches an output, directly or through others."""
        free = ~(circuit.held[circuit.a] | circuit.held[circuit.b])
        count, whole = join(circuit.n_groups, circuit.a[free], circuit.b[free])
        sensed = np.zeros(circuit.n_groups, dtype=bool)
        sensed[[self.pins[pin] for pin in outputs]] = True
        reached = np.zeros(count, dtype=bool)
        for one, other in ((circuit.a, circuit.b), (circuit.b, circuit.a)):
            reached[whole[one[sensed[other] & ~circuit.held[one]]]] = True
        ends = self.ends
        held = circuit.held[ends]
        heard = np.where(held, sensed[ends], reached[whole[ends]]).any(axis=0)
        out: Bools = alive & heard
        return out

    def prepared(
        self, fixed: Mapping[str, float], inputs: tuple[str, ...], outputs: tuple[str, ...]
    ) -> Prepared:
        """Find everything that devices see of wires and pins."""
        which = np.flatnonzero(self.alive)
        if not len(which):
            raise NetworkError("no device's current reaches an output: nothing to prepare")
        nodes, net = self.ends[:, which], self.network
        factor = Factorised(self.wires, along_lines=True)
        lit = self._volts(factor, dict.fromkeys(inputs, 1.0))
        sensed = self._volts(factor, dict.fromkeys(outputs, 1.0))
        quiet = self._volts(factor, {p: v for p, v in fixed.items() if p not in inputs})
        source, sink = self.input_of[nodes], self.output_of[nodes]
        piece = self.piece[nodes]
        both = np.intersect1d(piece[0], piece[1])
        if (both >= 0).any() or (source[1] >= 0).any() or (sink[0] >= 0).any():
            raise NetworkError("rows and columns are joined by wires: not prepared")
        drop = lit[nodes[0]] - lit[nodes[1]]
        # a device whose row is at a fixed voltage has no input of its own
        drop = np.where(source[0] >= 0, drop, 0.0)
        out = self.wires.outflow(quiet)
        tiers = max(net.tiers) + 1
        return Prepared(
            shape=(tiers, net.rows, net.cols),
            place=np.array(
                [net.memristor_tier[which], net.memristor_row[which], net.memristor_col[which]],
                dtype=np.int64,
            ),
            inputs=inputs,
            outputs=outputs,
            wires=lambda: Blocks(self._sides(factor, nodes), len(which)),
            source=np.maximum(source[0], 0),
            sink=sink[1],
            gain=drop,
            part=np.where(sink[1] >= 0, sensed[nodes[1]] - sensed[nodes[0]], 0.0),
            offset=quiet[nodes[0]] - quiet[nodes[1]],
            rest=np.array([-out[self.pins[pin]] for pin in outputs]),
        )

    def _volts(self, factor: Factorised, pins: Mapping[str, float]) -> Floats:
        held = np.zeros(self.wires.n_groups)
        for pin, volt in pins.items():
            if pin in self.pins:
                held[self.pins[pin]] = volt
        return factor.solve(held)

    def _sides(self, factor: Factorised, nodes: Ints) -> tuple[Side, Side]:
        """Blocks of both directions, a solve for every place of the longest line."""
        piece = self.piece[nodes]
        lists = [_lines(p, nodes.shape[1]) for p in piece]
        refuse_large(sum(d.shape[0] * d.shape[1] ** 2 for d in lists))
        blocks = [np.zeros((*d.shape, d.shape[1])) for d in lists]
        size = self.wires.n_groups
        padded = [np.append(node, 0) for node in nodes]
        for k in range(max(d.shape[1] for d in lists)):
            inject = np.zeros(size)
            for side, d in enumerate(lists):
                if k < d.shape[1]:
                    at = d[d[:, k] < nodes.shape[1], k]
                    np.add.at(inject, nodes[side][at], 1.0)
            volts = factor.solve(np.zeros(size), inject)
            for side, d in enumerate(lists):
                if k < d.shape[1]:
                    real = (d < nodes.shape[1]) & (d[:, k] < nodes.shape[1])[:, None]
                    blocks[side][:, :, k] = np.where(real, volts[padded[side][d]], 0.0)
        sides = [
            Side(0.5 * (z + z.transpose(0, 2, 1)), d) for z, d in zip(blocks, lists, strict=True)
        ]
        return sides[0], sides[1]


def _lines(piece: Ints, size: int) -> Ints:
    """Devices of every piece, padded with `size`; those on a held node are on none."""
    device = np.flatnonzero(piece >= 0)
    device = device[np.argsort(piece[device], kind="stable")]
    if not len(device):
        return np.zeros((0, 0), dtype=np.int64)
    first = np.flatnonzero(np.r_[True, np.diff(piece[device]) != 0])
    count = np.diff(np.r_[first, len(device)])
    line = np.repeat(np.arange(len(first)), count)
    out = np.full((len(first), int(count.max())), size, dtype=np.int64)
    out[line, np.arange(len(device)) - first[line]] = device
    return out
