"""Solving a network by its reduced one, and what its wires carry in full.

Devices and transistors see of the wires no more than `reduced` leaves. With their currents known,
the wires fall into pieces, each of which is a small linear circuit that is factorised once for any
number of solves: voltages of all nodes and currents of all resistors follow.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix

from ...base.errors import ConvergenceError
from ..circuit.circuit import prepare
from ..circuit.factors import factor
from ..circuit.iv import DeviceLaw
from .alike import Copies, copies
from .linear import LOST, NetworkSolution, NetworkSolver, name_islands
from .network import Network
from .nonlinear import newton
from .reduced import Reduced, reduced

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: no node; solves of the wires, each of what the one before left over
_NONE, _SWEEPS = -1, 3


def solve_devices(
    network: Network,
    *,
    device: DeviceLaw | None = None,
    start: Floats | None = None,
    **arguments: Any,
) -> NetworkSolution:
    """Solve a network for what its pins, devices and transistors see.

    Args:
        network: what `extract` found in the layout.
        device: law of the memristors; None leaves them linear.
        start: voltages over memristors that follow a law, to begin with (`newton`).
        **arguments: of `solve_network`.

    Returns:
        The solution of the reduced network, which has other nodes and resistors.
    """
    return _solve(reduced(network).network, device, arguments, start)[1]


def solve_whole(
    network: Network,
    *,
    device: DeviceLaw | None = None,
    start: Floats | None = None,
    **arguments: Any,
) -> NetworkSolution:
    """Solve a network for everything, its wires after its devices.

    Args:
        network: what `extract` found in the layout.
        device: law of the memristors; None leaves them linear.
        start: voltages over memristors that follow a law, to begin with (`newton`).
        **arguments: of `solve_network`.

    Raises:
        ConvergenceError: if wires and devices miss Kirchhoff's law together.
    """
    small = reduced(network)
    solver, found = _solve(small.network, device, arguments, start)
    if small.network is network:
        return found
    if not np.isfinite(found.switch_currents).all():  # of an ideal switch nobody knows its own
        return _solve(network, device, arguments, start)[1]
    if network not in _KNOWN:
        _KNOWN[network] = _Inside(network, small)
    return _KNOWN[network].whole(network, small, solver, found)


def _solve(
    network: Network,
    device: DeviceLaw | None,
    arguments: dict[str, Any],
    start: Floats | None,
) -> tuple[NetworkSolver, NetworkSolution]:
    volts, rest = arguments["port_voltages"], dict(arguments)
    del rest["port_voltages"]
    solver = NetworkSolver(network, driven=volts, **rest)
    if device is None:
        return solver, solver.solve(volts)
    return solver, newton(solver, device, volts, start)


class Kind:
    """The wires of pieces that are alike, each held at one node that is read."""

    def __init__(self, network: Network, kind: Copies, read: Bools) -> None:
        """Factor one of them."""
        self.copies = kind
        ohm = network.resistor_ohm[kind.resistors[0]]
        with np.errstate(divide="ignore"):
            siemens = 1.0 / ohm
        seen = np.flatnonzero(read[kind.nodes[0]])
        circuit = prepare(kind.nodes.shape[1], kind.ends[0], kind.ends[1], siemens, seen[:1])
        self._edge, self._g, self._free, self._group = (
            circuit.edge, circuit.g, circuit.free, circuit.group,
        )  # fmt: skip
        self._unknown = ohm == 0
        ones, every = np.ones(len(circuit.g)), np.arange(len(circuit.g))
        self._leave: csr_matrix = coo_matrix(
            (np.r_[ones, -ones], (np.r_[circuit.a, circuit.b], np.r_[every, every])),
            (circuit.n_groups, len(every)),
        ).tocsr()
        nodes = np.arange(len(circuit.group))
        self._merge: csr_matrix = coo_matrix(
            (np.ones(len(nodes)), (circuit.group, nodes)), (circuit.n_groups, len(nodes))
        ).tocsr()
        self._factor = factor(circuit, along_lines=True) if len(circuit.free) else None
        #: node that each copy is held at; None where nothing is read
        self.reference = kind.nodes[:, seen[0]] if len(seen) else None

    def solve(self, inject: Floats) -> tuple[Floats, Floats, float]:
        """Return voltages over the reference, currents of all resistors, and what is left over.

        Args:
            inject: current into every node of the network, A.

        Returns:
            V, shape (copies, nodes of one); A, shape (copies, resistors of one), nan without
            resistance; A.
        """
        over, amps, left = self.carried(inject[self.copies.nodes].T)
        return over.T, amps.T, left

    def carried(self, inject: Floats) -> tuple[Floats, Floats, float]:
        """Return the same of one of them for several sets of currents side by side.

        Args:
            inject: current into each of its nodes, A, shape (nodes of one, sets); the node that
                is held takes what they are together.
        """
        into = self._merge @ inject
        over = np.zeros(into.shape)
        left, g = into, self._g[:, None]
        for _ in range(_SWEEPS):
            if self._factor is None:
                break
            over[self._free] += self._factor.solve(np.ascontiguousarray(left[self._free]))
            # differences of voltages, not rows of a matrix: no cancellation of large sums
            left = into - self._leave @ (g * (self._leave.T @ over))
        amps = np.zeros((len(self._unknown), into.shape[1]))
        amps[self._edge] = g * (self._leave.T @ over)
        amps[self._unknown] = np.nan
        return over[self._group], amps, float(np.abs(left).max(initial=0.0))


class _Inside:
    """The wires of a network without its devices."""

    def __init__(self, network: Network, small: Reduced) -> None:
        """Cut a network at its devices."""
        read = small.place >= 0
        self._kinds = [Kind(network, kind, read) for kind in copies(network, read)]

    def whole(
        self, network: Network, small: Reduced, solver: NetworkSolver, found: NetworkSolution
    ) -> NetworkSolution:
        """Return the solution of the whole network for one of the reduced network.

        Raises:
            ConvergenceError: if currents are left over.
        """
        inject = _injected(network, found)
        volts, amps = np.zeros(network.n_nodes), np.zeros(len(network.resistor_ohm))
        floats = np.zeros(network.n_nodes, dtype=bool)
        island = np.full(network.n_nodes, _NONE)
        most_left = 0.0
        for kind in self._kinds:
            over, own, left = kind.solve(inject)
            nodes = kind.copies.nodes
            amps[kind.copies.resistors] = own
            most_left = max(most_left, left)
            if kind.reference is None:  # nothing is on it, and nothing drives it
                floats[nodes] = True
                continue
            at = small.place[kind.reference][:, None]
            volts[nodes] = over + found.node_voltages[at]
            floats[nodes] = found.floating_nodes[at]
            island[nodes] = solver.circuit.island[solver.circuit.group[at]]
        most = max((abs(a) for a in found.port_currents.values()), default=0.0)
        residual = max(found.kcl_residual, most_left / most if most else 0.0)
        if not residual <= LOST:
            raise ConvergenceError(
                f"the wires' currents are {residual:.1e} off those of their devices, "
                f"asked: {LOST:.0e}"
            )
        names = self._floating(network, floats, island)
        for values in (amps, volts, floats):
            values.setflags(write=False)
        return replace(
            found,
            node_voltages=volts,
            resistor_currents=amps,
            kcl_residual=residual,
            floating=names,
            floating_nodes=floats,
        )

    def _floating(self, network: Network, floats: Bools, island: Ints) -> tuple[str, ...]:
        """Return the pieces that nothing drives, in words."""
        if not floats.any():
            return ()
        piece, label = island.copy(), int(island.max(initial=_NONE))
        for kind in self._kinds:
            if kind.reference is None:
                nodes = kind.copies.nodes
                piece[nodes] = label + 1 + np.arange(len(nodes))[:, None]
                label += len(nodes)
        # numbered in the order of their first nodes, as the whole network's are
        _, first, number = np.unique(piece, return_index=True, return_inverse=True)
        return name_islands(network, np.argsort(np.argsort(first))[number], floats)


def _injected(network: Network, found: NetworkSolution) -> Floats:
    """Return the current into every node of the wires from what is no wire, A."""
    place = (network.memristor_tier, network.memristor_row, network.memristor_col)
    device = found.device_currents[place]
    pins = np.array([network.ports[pin] for pin in found.port_currents], dtype=np.int64)
    into = (
        (pins, np.array([*found.port_currents.values()])),
        (network.memristor_a, -device),
        (network.memristor_b, device),
        (network.switch_a, -found.switch_currents),
        (network.switch_b, found.switch_currents),
    )
    out = np.zeros(network.n_nodes)
    for nodes, amps in into:
        out += np.bincount(nodes, amps, network.n_nodes)
    return out


_KNOWN: WeakKeyDictionary[Network, _Inside] = WeakKeyDictionary()
