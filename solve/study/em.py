"""Current density of every wire piece and via against electromigration limits.

Limits come in as plain numbers per layer, so that this room needs no process data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ...base.errors import InputError
from ..network.linear import NetworkSolution
from ..network.network import Network
from ..network.through import Throughs

Floats = NDArray[np.float64]

_KNOWN: WeakKeyDictionary[Network, Throughs] = WeakKeyDictionary()


@dataclass(frozen=True)
class Stress:
    """One wire piece or group of cuts and its load.

    Attributes:
        layer: layer of the piece.
        net: net it belongs to.
        nodes: names of its two nodes.
        current: largest current over all solutions, A.
        limit: current it may carry for good, A.
        ratio: current / limit.
    """

    layer: str
    net: str
    nodes: tuple[str, str]
    current: float
    limit: float
    ratio: float

    def to_json(self) -> dict[str, Any]:
        """Plain Python types only."""
        return {
            "layer": self.layer,
            "net": self.net,
            "nodes": list(self.nodes),
            "current_A": self.current,
            "limit_A": self.limit,
            "ratio": self.ratio,
        }


@dataclass(frozen=True, eq=False)
class ElectromigrationReport:
    """Load of every resistor of a network.

    Attributes:
        ratio: current / limit of every resistor, shape (n_resistors,); nan where no limit
            applies.
        current: largest current over all solutions through the narrow place that limits each
            resistor (`through`), same shape, A.
        worst: the most stressed pieces, hardest first.
        hardest: the most stressed piece of every checked layer that carries current.
        by_layer: largest ratio of every checked layer.
        unchecked: layers that carry current but have no limit.
        violations: number of pieces above their limit.
    """

    ratio: Floats
    current: Floats
    worst: tuple[Stress, ...]
    hardest: dict[str, Stress]
    by_layer: dict[str, float]
    unchecked: tuple[str, ...]
    violations: int

    def to_json(self) -> dict[str, Any]:
        """Plain Python types only."""
        return {
            "violations": self.violations,
            "by_layer": self.by_layer,
            "unchecked_layers": list(self.unchecked),
            "worst": [s.to_json() for s in self.worst],
            "hardest": {layer: s.to_json() for layer, s in self.hardest.items()},
        }


def electromigration(
    network: Network,
    solutions: NetworkSolution | Sequence[NetworkSolution | Floats],
    *,
    wire_limits: Mapping[str, float],
    cut_limits: Mapping[str, float],
    top: int = 20,
) -> ElectromigrationReport:
    """Compare the current of every wire piece and via with what its layer may carry.

    Args:
        network: the network that was solved; widths and cuts come from the layout.
        solutions: one or more solves of it, e.g. one per mode, or currents of every resistor as
            `passing` returns them, A; the largest current counts.
        wire_limits: layer -> A per um of drawn width.
        cut_limits: layer -> A per cut.
        top: how many of the most stressed pieces to name.

    Returns:
        The report.

    Raises:
        InputError: naming a limit that is not positive, or a solution of another network.
    """
    if isinstance(solutions, NetworkSolution):
        solutions = [solutions]
    for name, limits in (("wire_limits", wire_limits), ("cut_limits", cut_limits)):
        for key, value in limits.items():
            if not value > 0:
                raise InputError(f"{name}[{key!r}] is {value}, allowed: > 0")
    size = len(network.resistor_ohm)
    current = np.zeros(size)
    throughs: Throughs | None = None
    for k, solution in enumerate(solutions):
        given = solution if isinstance(solution, np.ndarray) else solution.resistor_currents
        if given.shape != (size,):
            raise InputError(f"solution {k} has {len(given)} resistors, the network has {size}")
        if given is not solution:
            throughs = throughs or throughs_of(network)
            given = passing(network, throughs, given)
        current = np.fmax(current, given)
    wire = np.array([wire_limits.get(name, np.nan) for name in network.layers])
    cut = np.array([cut_limits.get(name, np.nan) for name in network.layers])
    layer = network.resistor_layer
    by_cut = network.resistor_cuts * cut[layer] if size else np.empty(0)
    by_width = network.resistor_width_um * wire[layer] if size else np.empty(0)
    limit = np.where(np.isnan(by_cut), by_width, by_cut)
    ratio = current / limit
    loose = np.isnan(limit) & (current > 0)
    order = np.argsort(-np.nan_to_num(ratio, nan=-1.0), kind="stable")
    loaded = order[: int((ratio > 0).sum())]
    layers, first = np.unique(layer[loaded], return_index=True)
    return ElectromigrationReport(
        ratio=ratio,
        current=current,
        worst=tuple(_stress(network, int(k), current, limit) for k in loaded[:top]),
        hardest={
            network.layers[int(name)]: _stress(network, int(loaded[at]), current, limit)
            for name, at in zip(layers, first, strict=True)
        },
        by_layer={
            name: float(np.nanmax(ratio[layer == k]))
            for k, name in enumerate(network.layers)
            if not np.isnan(ratio[layer == k]).all()
        },
        unchecked=tuple(network.layers[int(k)] for k in np.unique(layer[loose])),
        violations=int((ratio > 1).sum()),
    )


def throughs_of(network: Network) -> Throughs:
    """Return the meshes of a network's wires; they are kept as long as the network is."""
    if network not in _KNOWN:
        _KNOWN[network] = _throughs_of(network)
    return _KNOWN[network]


def _throughs_of(network: Network) -> Throughs:
    a, b = network.resistor_a.astype(np.int64), network.resistor_b.astype(np.int64)
    kind = network.resistor_net.astype(np.int64) * len(network.layers) + network.resistor_layer
    parting = network.resistor_parting.astype(np.int64)
    return Throughs(a, b, kind, network.resistor_width_um, parting, network.resistor_crosses)


def passing(network: Network, throughs: Throughs, currents: Floats) -> Floats:
    """Return the current through the narrow place that limits each resistor, A, not negative.

    Args:
        network: that was solved.
        throughs: its meshes.
        currents: of every resistor, A; nan for a piece of no resistance, which has no length.

    Raises:
        InputError: for a current that is not a number in a piece that has a resistance.
    """
    unknown = np.isnan(currents)
    if (unknown & (network.resistor_ohm > 0)).any():
        k = int(np.flatnonzero(unknown & (network.resistor_ohm > 0))[0])
        raise InputError(f"the current of resistor {k} is not a number")
    return throughs(np.where(unknown, 0.0, currents))


def _stress(network: Network, k: int, current: Floats, limit: Floats) -> Stress:
    ends = (network.resistor_a[k], network.resistor_b[k])
    return Stress(
        layer=network.layers[int(network.resistor_layer[k])],
        net=network.nets[int(network.resistor_net[k])],
        nodes=(str(network.node_names[ends[0]]), str(network.node_names[ends[1]])),
        current=float(current[k]),
        limit=float(limit[k]),
        ratio=float(current[k] / limit[k]),
    )
