"""The fast way of prepared arrays: their lines as chains, on the compiled crossbar solver."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConvergenceError
from ..circuit.iv import DeviceLaw
from ..circuit.newton import chord, settled
from ..circuit.wires import IrregularError
from ..crossbar.crossbar import MAX_ITERATIONS, choose, vouched
from ..crossbar.engine import Engine, Raw
from ..crossbar.lines import Lines, canonical
from ..crossbar.nonlinear_crossbar import tangent_solved
from ..network.linear import NetworkSolver
from ..network.network import Network
from ..network.nonlinear import MAX_CHORDS
from ..network.prepared import Guess, Prepared
from ..network.regular import TOLERANCE, Devices, RegularSolver

Floats = NDArray[np.float64]

log = logging.getLogger(__name__)

#: change of a device's voltage in the last step of Newton's method, whose next would change it by
#: about the square of that
STEP = 1e-6
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
        rows, cols = self.ends(inputs, outputs)
        try:
            if g.ndim == 1:
                return self._linear(g, rows, cols)
            lanes = [
                self._linear(np.ascontiguousarray(g[:, k]), rows[k : k + 1], cols[k : k + 1])
                for k in range(g.shape[1])
            ]
        except ConvergenceError as error:
            log.info("not solved by chains: %s", error)
            return None
        return np.concatenate(lanes, axis=1)

    def pins(self, g: Floats, inputs: Floats | None, outputs: Floats | None) -> Floats | None:
        """See `Guess`."""
        rows, cols = self.ends(inputs, outputs)
        lines = self.lines.with_devices(self.array.spread(g / (1.0 + self.tap * g)))
        try:
            _, raw = vouched(
                lines, rows, cols, "auto", "auto", TOLERANCE, MAX_ITERATIONS, keep=False
            )
        except ConvergenceError as error:
            log.info("not solved by chains: %s", error)
            return None
        amps, pin, count = raw.col_amps, self.sensed, len(self.array.outputs)
        if outputs is not None:
            amps, pin = raw.row_amps.reshape(len(outputs), -1), self.driven.reshape(-1)
            count = len(self.array.inputs)
        live = pin >= 0
        out = np.zeros((len(amps), count))
        # an input may drive several lines
        np.add.at(out.T, pin[live], amps[:, live].T)
        return out if np.isfinite(out).all() else None

    def bent(self, g: Floats, law: DeviceLaw, inputs: Floats) -> Floats | None:
        """See `Guess`."""
        rows, cols = self.ends(inputs, None)
        try:
            lanes = [
                self._settled(g[:, None], law, rows[k : k + 1], cols[k : k + 1])
                for k in range(len(inputs))
            ]
        except ConvergenceError as error:
            log.info("not solved by chains: %s", error)
            return None
        return np.concatenate(lanes, axis=1)

    def injected(self, g: Floats, which: NDArray[np.int64]) -> Floats | None:
        """See `Guess`."""
        if not (g[which] > 0).all():
            return None
        through = g / (1.0 + self.tap * g)
        lines = self.lines.with_devices(self.array.spread(through))
        rows, cols = np.zeros((1, *self.driven.shape)), np.zeros((1, len(self.sensed)))
        solver, out = choose(lines, "auto", "auto"), np.zeros((len(g), len(which)))
        for lane, k in enumerate(which):
            # an ampere beside a conductance is a voltage in series with it
            shift = np.zeros(len(g))
            shift[k] = -1.0 / g[k]
            try:
                raw = solver.solve(
                    rows, cols, tol=TOLERANCE, limit=MAX_ITERATIONS, keep=True,
                    shift=self.array.spread(shift),
                )  # fmt: skip
            except ConvergenceError as error:
                log.info("not solved by chains: %s", error)
                return None
            seen = self._between(raw)[0]
            out[:, lane] = seen - self.tap * through * (seen - shift)
        return out if np.isfinite(out).all() else None

    def at_rows(self, g: Floats, inputs: Floats) -> tuple[Floats, Floats]:
        """Currents of linear devices, A, and voltages of the row lines where they branch off.

        Raises:
            ConvergenceError: if they are not found.
        """
        through = g / (1.0 + self.tap * g)
        raw = self.raw(through, *self.ends(inputs[None], None))
        outer, inner = self.lines_of(raw.rows, raw.cols)
        return through * (outer - inner), outer

    def engine(self, through: Floats, before: Engine | None = None) -> Engine:
        """Return what solves the lines; see `raw`.

        Args:
            through: of the devices, S.
            before: an engine of other devices, which is of no use any more, or None.
        """
        lines = self.lines.with_devices(self.array.spread(through))
        return choose(lines, "auto", "auto") if before is None else before.renewed(lines)

    def raw(
        self,
        through: Floats,
        rows: Floats,
        cols: Floats,
        start: Raw | None = None,
        engine: Engine | None = None,
        tol: float = TOLERANCE,
    ) -> Raw:
        """Voltages and currents of the lines.

        Args:
            through: conductance between the lines at every device, tap included, S.
            rows: see `ends`.
            cols: the same.
            start: the last answer of nearly the same devices, or None.
            engine: of these devices, or None.
            tol: see `solve_crossbar`.

        Raises:
            ConvergenceError: if they are not found.
        """
        lines = self.lines.with_devices(self.array.spread(through))
        return vouched(
            lines, rows, cols, "auto", "auto", tol, MAX_ITERATIONS, keep=True, start=start,
            known=engine,
        )[1]  # fmt: skip

    def about(
        self, engine: Engine, rows: Floats, cols: Floats, tol: float, start: Raw | None = None
    ) -> Raw | None:
        """Voltages and currents of the lines to begin with, which nobody vouches for; see `raw`.

        None where they are not found.
        """
        try:
            return engine.solve(rows, cols, tol=tol, limit=MAX_ITERATIONS, keep=True, start=start)
        except ConvergenceError:
            return None

    def lines_of(self, rows: Floats, cols: Floats) -> tuple[Floats, Floats]:
        """Voltages of row and column line at every device, of those of all crossings.

        Args:
            rows: of one lane, (1, T, rows, cols), or (1, T, rows) where lines have no drop.
            cols: (1, rows, cols), or (1, cols).
        """
        T, n, m = self.array.shape
        outer = np.broadcast_to(rows[0].reshape(T, n, -1), (T, n, m)).reshape(-1)
        inner = np.broadcast_to(cols[0].reshape(-1, m), (T, n, m)).reshape(-1)
        if self.array.whole:
            return outer, inner
        return outer[self.array.flat], inner[self.array.flat]

    def ends(self, inputs: Floats | None, outputs: Floats | None) -> tuple[Floats, Floats]:
        """Voltages of all rows' sources, (lanes, T, rows), and of all columns' ends."""
        lanes = inputs if inputs is not None else outputs
        assert lanes is not None
        padded = np.concatenate([lanes, np.zeros((len(lanes), 1))], axis=1)
        rows = np.zeros((len(lanes), *self.driven.shape))
        cols = np.zeros((len(lanes), len(self.sensed)))
        if inputs is not None:
            rows = np.ascontiguousarray(padded[:, self.driven])
        else:
            # a sink one volt up is a drop of minus one
            cols = np.ascontiguousarray(-padded[:, self.sensed])
        return rows, cols

    def _linear(self, g: Floats, rows: Floats, cols: Floats) -> Floats:
        """Voltages of linear devices, (devices, lanes).

        Raises:
            ConvergenceError: if they are not found.
        """
        series = 1.0 + self.tap * g
        raw = self.raw(g / series, rows, cols)
        out: Floats = (self._between(raw) / series).T
        if not np.isfinite(out).all():
            raise ConvergenceError("voltages are not finite")
        return out

    def _between(self, raw: Raw) -> Floats:
        """Voltages between the lines of every device, its tap included, (lanes, devices)."""
        seen = (raw.rows - raw.cols[:, None]).reshape(len(raw.rows), -1)
        return seen if self.array.whole else seen[:, self.array.flat]

    def _settled(self, g: Floats, law: DeviceLaw, rows: Floats, cols: Floats) -> Floats:
        """Voltages of devices of a law for one vector, (devices, 1).

        Raises:
            ConvergenceError: if they are not found.
        """

        def solve(slope: Floats, shift: Floats) -> Floats:
            through = slope / (1.0 + self.tap[:, None] * slope)
            lines = self.lines.with_devices(self.array.spread(through[:, 0]))
            offset = self.array.spread(shift[:, 0])
            _, raw = tangent_solved(lines, rows, cols, TOLERANCE, "auto", offset)
            seen = self._between(raw).T
            return seen - self.tap[:, None] * through * (seen - shift)

        at, _ = settled(law, g, solve, STEP)
        for _ in range(MAX_CHORDS):
            # the same voltages once more, as conductances: judged like any other solution
            siemens = chord(law, g, at)
            at = self._linear(siemens[:, 0], rows, cols)
            wanted = law.current(g, at)
            off = float(np.abs(siemens * at - wanted).max(initial=0.0))
            if off <= TOLERANCE * float(np.abs(wanted).max(initial=0.0)):
                return at
        raise ConvergenceError(f"device currents stay {off:.1e} A off their law")


def chain_guess(array: Prepared, tap: Floats, whatever_size: bool, **options: Any) -> Guess | None:
    """Return a start for a crossbar of stated resistances; None for a small one.

    Args:
        array: the crossbar.
        tap: ohm in series with every device.
        whatever_size: small ones have one, too.
        **options: of `solve_crossbar`.
    """
    if array.size < FROM_DEVICES and not whatever_size:
        return None
    lines = canonical(np.zeros(array.shape), **options)
    if not (lines.plain_rows and lines.plain_cols):
        return None  # wires of 0 ohm: the blocks need few steps
    return Chains(array, lines, tap, *_pins(array))


def _pins(array: Prepared) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Input of every row line and output of every column; -1 for none."""
    T, n, m = array.shape
    t, i, j = array.place
    driven, sensed = np.full((T, n), -1), np.full(m, -1)
    driven[t, i], sensed[j] = array.source, array.sink
    return driven, sensed


def network_guess(
    array: Prepared, network: Network, arguments: Mapping[str, Any], whatever_size: bool
) -> tuple[Guess | None, bool]:
    """Return a start for an extracted array, and whether it is all that is needed.

    Args:
        array: the array.
        network: its network.
        arguments: of `NetworkSolver`.
        whatever_size: small ones have one, too.

    Returns:
        (None for a small array, or one whose lines are far from chains; True if a solution at
        random, inputs and devices, is the same by the wires themselves).
    """
    if array.size < FROM_DEVICES and not whatever_size:
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
    guess = Chains(array, lines, tap[tuple(array.place)], *_pins(array))
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
