"""The fast way of prepared arrays: their lines as chains, on the compiled crossbar solver."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConvergenceError
from ..circuit.wires import IrregularError
from ..crossbar.crossbar import MAX_ITERATIONS, vouched
from ..crossbar.lines import Lines, canonical
from ..network.linear import NetworkSolver
from ..network.network import Network
from ..network.prepared import Guess, Prepared
from ..network.regular import Devices, RegularSolver

Floats = NDArray[np.float64]

log = logging.getLogger(__name__)

#: of the crossbar's solves
TOLERANCE = 1e-11
#: off a full solution at random by no more than this share, lines are chains
_EXACT = 1e-10
#: Devices from which compiled kernels pay; below, the blocks alone are faster.
FROM_DEVICES = 1000


@dataclass(frozen=True, eq=False)
class Chains:
    """Lines as chains with a tap to every device; see `prepared.Guess`.

    Attributes:
        array: what it is a guess for, for the order of its devices.
        lines: the chains, without devices.
        tap: ohm in series with every device.
        driven: input of every row line, (T, rows); -1 for none.
        sensed: output of every column, -1 for none.
    """

    array: Prepared
    lines: Lines
    tap: Floats
    driven: NDArray[np.int64]
    sensed: NDArray[np.int64]

    def __call__(self, g: Floats, inputs: Floats | None, outputs: Floats | None) -> Floats | None:
        """See `Guess`."""
        if g.ndim != 1:
            return None
        lanes = inputs if inputs is not None else outputs
        assert lanes is not None
        padded = np.concatenate([lanes, np.zeros((len(lanes), 1))], axis=1)
        rows = np.zeros((len(lanes), *self.driven.shape))
        cols = np.zeros((len(lanes), len(self.sensed)))
        if inputs is not None:
            rows = padded[:, self.driven]
        else:
            cols = -padded[:, self.sensed]  # a sink one volt up is a drop of minus one
        series = 1.0 + self.tap * g
        lines = replace(self.lines, G=self.array.spread(g / series))
        try:
            _, raw = vouched(
                lines, rows, cols, "auto", "auto", TOLERANCE, MAX_ITERATIONS, keep=True
            )
        except ConvergenceError as error:
            log.info("not solved by chains: %s", error)
            return None
        t, i, j = self.array.place
        seen = raw.rows[:, t, i, j] - raw.cols[:, i, j]
        out: Floats = seen.T / series[:, None]
        return out if np.isfinite(out).all() else None


def chain_guess(array: Prepared, **options: Any) -> Guess | None:
    """Return a start for a crossbar of stated resistances; None for a small one.

    Args:
        array: the crossbar.
        **options: of `solve_crossbar`.
    """
    if array.size < FROM_DEVICES:
        return None
    T, n, m = array.shape
    lines = canonical(np.zeros(array.shape), **options)
    if not (lines.plain_rows and lines.plain_cols):
        return None  # wires of 0 ohm: the blocks need few steps
    return Chains(array, lines, np.zeros(array.size), np.arange(T * n).reshape(T, n), np.arange(m))


def network_guess(
    array: Prepared, network: Network, arguments: Mapping[str, Any]
) -> tuple[Guess | None, bool]:
    """Return a start for an extracted array, and whether it is all that is needed.

    Args:
        array: the array.
        network: its network.
        arguments: of `NetworkSolver`.

    Returns:
        (None for a small array, or one whose lines are far from chains; True if a solution at
        random, inputs and devices, is the same by the wires themselves).
    """
    if array.size < FROM_DEVICES:
        return None, False
    solver = NetworkSolver(network, method="direct", **arguments)
    try:
        found = RegularSolver(
            solver.circuit, Devices.of(network, solver.circuit, solver.edges.devices)
        )
    except IrregularError as error:
        log.info("not solved by chains: %s", error)
        return None, False
    lines, tap = found.chains
    T, n, m = array.shape
    t, i, j = array.place
    driven, sensed = np.full((T, n), -1), np.full(m, -1)
    driven[t, i], sensed[j] = array.source, array.sink
    guess = Chains(array, lines, tap[t, i, j], driven, sensed)
    return guess, _is_exact(guess, solver, found)


def _is_exact(guess: Chains, solver: NetworkSolver, full: RegularSolver) -> bool:
    """Whether chains give what the wires give, for one vector and set of devices at random."""
    array, network = guess.array, solver.network
    rng = np.random.default_rng(0)
    siemens = array.spread(np.exp(rng.uniform(np.log(1e-6), np.log(1e-3), array.size)))
    g = solver.edges.g.copy()
    place = (network.memristor_tier, network.memristor_row, network.memristor_col)
    g[solver.edges.devices] = np.where(siemens[place] > 0, siemens[place], 1e-6)
    volts = rng.uniform(0.5, 1.0, len(array.inputs))
    seen = guess(array.devices(siemens), volts[None], None)
    if seen is None:
        return False
    held = np.zeros(solver.circuit.n_groups)
    for pin, volt in zip(array.inputs, volts, strict=True):
        held[solver.circuit.group[solver.edges.held[pin]]] = volt
    full.set_devices(g[solver.circuit.edge])
    try:
        nodes = full.solve(held)[solver.circuit.group]
    except ConvergenceError as error:
        log.info("not solved by chains: %s", error)
        return False
    drops = np.zeros(siemens.shape)
    drops[place] = nodes[network.memristor_a] - nodes[network.memristor_b]
    off = np.abs(drops[tuple(array.place)] - seen[:, 0]).max()
    return bool(off <= _EXACT * np.abs(drops).max())
