"""The exact sparse solve shared by every irregular network.

A circuit's free nodes make one symmetric positive definite system (see `circuit`). Its factor is
refined with voltages of two parts, a double and what that leaves over, so that differences of
neighbouring voltages, and with them currents, keep their digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import SuperLU

from ...base.errors import ConvergenceError
from .circuit import Circuit, Flow, currentless
from .exact import Exact, fits
from .factors import LineFactor, PartsFactor, factor

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

TINY = float(np.finfo(np.float64).tiny)
# More sweeps never help a good factor; a poor one gains a little with each.
MAX_SWEEPS = 5
MAX_FLOW_SWEEPS = 20
# Sweeps end at this share of the largest current, and of the largest voltage.
SETTLED = 1e-14
# What a current, and a voltage, may be off by relative to the largest of its kind.
TOLERANCE = 1e-10
# Up to here pivots are good to a few per cent, and the last change of a voltage is its error.
SPAN = 1e14
# Rounding of a current and of a sum of a few, and of a voltage of two parts.
ROUNDING = 4 * float(np.finfo(np.float64).eps)
# The same where sums are longer, if the machine has such numbers. In a million nodes the rounding
# of usual ones alone, added up, is more than a current may be off by.
LONG_ROUNDING = 4 * float(np.finfo(np.longdouble).eps)
FINE_ROUNDING = 1e-30
# Two-part voltages carry no more digits: drops below this share of the largest are zero.
NOTHING = 1e-28


class Factorised:
    """The sparse factor of a circuit; one factor serves any number of drives.

    Attributes:
        name: how it solves.
    """

    name = "direct"

    def __init__(self, circuit: Circuit, *, along_lines: bool = False) -> None:
        """Factor a circuit.

        Args:
            circuit: what to factor.
            along_lines: True for lines without devices between them: nodes are taken in
                their order along the lines, which is found five times faster than the
                least degree and fills in as little.
        """
        self.circuit = circuit
        self._free = circuit.free
        self._lu: LineFactor | PartsFactor | SuperLU | None = None
        self._exact: dict[type[np.floating[Any]], Exact] = {}
        self._hanging: NDArray[np.bool_] | None = None
        if len(self._free):
            self._lu = factor(circuit, along_lines=along_lines)

    @property
    def about(self) -> Callable[[Floats], Floats] | None:
        """Solves about what a similar circuit's matrix does, of the free nodes."""
        if self._lu is None:
            return None
        return self._lu.about if isinstance(self._lu, PartsFactor) else self._lu.solve

    def response(self, inject: Floats, *, tol: float = TOLERANCE) -> Floats:
        """Voltages under currents into nodes, sources at 0 V, within `tol` of the largest.

        Args:
            inject: current fed into every merged node in A.
            tol: relative to the largest voltage.

        Raises:
            ConvergenceError: if that cannot be shown.
        """
        volts = self.solve(np.zeros(self.circuit.n_groups), inject)
        found = self.circuit.flow(volts, np.zeros_like(volts))
        left = replace(found, out=found.out - inject)
        reached = self._proven(left)[1]
        if not (reached <= tol):
            raise ConvergenceError(
                f"voltages reached {reached:.1e} of the largest, asked: {tol:.0e}"
            )
        return volts

    def solve(
        self, held_volts: Floats, inject: Floats | None = None, *, sweeps: int = MAX_SWEEPS
    ) -> Floats:
        """Voltage of every merged node, refined but not judged.

        Args:
            held_volts: shape (n_groups,); only the held entries are read.
            inject: current fed into every merged node in A, or None for none.
            sweeps: solves at the most, each of what the one before left over.

        Returns:
            Voltages in V, shape (n_groups,); floating pieces are pinned at 0 V.
        """
        volts = np.where(self.circuit.held, held_volts, 0.0)
        if not len(self._free) or self._lu is None:
            return volts
        source = np.zeros(self.circuit.n_groups) if inject is None else inject
        best, best_norm = volts, np.inf
        for _ in range(sweeps):
            # Differences of node voltages, not matrix rows: no cancellation of large sums.
            residual = (source - self.circuit.outflow(volts))[self._free]
            norm = float(np.abs(residual).max())
            if norm >= 0.5 * best_norm:
                return best if best_norm <= norm else volts
            best, best_norm = volts.copy(), norm
            volts[self._free] += self._lu.solve(residual)
        return volts

    def flow(
        self,
        held_volts: Floats,
        *,
        nodes: Sequence[Ints] = (),
        edges: Sequence[Ints] = (),
        tol: float = TOLERANCE,
    ) -> Flow:
        """Voltages and currents, each within `tol` of the largest of its kind.

        One ampere that is missing in a node changes all currents at held nodes together, and that
        of any edge, by one ampere at the most: the sum of what is left over bounds every error.

        Args:
            held_volts: shape (n_groups,); only the held entries are read.
            nodes: sets of held nodes whose largest current is a measure of its own.
            edges: the same for sets of edges.
            tol: what errors are held against.

        Raises:
            ConvergenceError: if that is not reached, or a result is not finite.
        """
        with np.errstate(all="ignore"):
            # of so many nodes as have weak edges, rounding of usual numbers is too much
            long = self.circuit.weak is not None and LONG_ROUNDING < ROUNDING
            found, share, moved = self._judged(held_volts, nodes, edges, long=long)
            good = share <= tol and moved <= tol
            if not (good or long or fits(self.circuit)) and LONG_ROUNDING < ROUNDING:
                found, share, moved = self._judged(held_volts, nodes, edges, long=True)
                good = share <= tol and moved <= tol
        if good:
            return found
        if not fits(self.circuit):
            raise ConvergenceError(
                f"conductances from {self.circuit.g.min():.0e} to {self.circuit.g.max():.0e} S: "
                f"the direct solution reached {share:.1e} in currents and {moved:.1e} in voltages, "
                f"asked: {tol:.0e}"
            )
        return self._eliminated(held_volts, nodes, edges, tol)

    def _eliminated(
        self, held_volts: Floats, nodes: Sequence[Ints], edges: Sequence[Ints], tol: float
    ) -> Flow:
        """Solve by elimination, with longer numbers where usual ones cancel.

        Raises:
            ConvergenceError: if rounding is too much even then.
        """
        worst = 0.0
        for real in (np.float64, np.longdouble):
            if real not in self._exact:
                self._exact[real] = Exact(self.circuit, real)
            found, edge_noise, node_noise = self._exact[real].solve(held_volts)
            kinds = [(found.amps[k], edge_noise[k]) for k in edges]
            kinds += [(found.out[k], node_noise[k]) for k in (self.circuit.held, *nodes)]
            worst = max((_noise_share(*kind) for kind in kinds), default=0.0)
            if worst <= tol:
                return found
        raise ConvergenceError(
            f"conductances from {self.circuit.g.min():.0e} to {self.circuit.g.max():.0e} S: "
            f"elimination reached {worst:.1e} in currents, asked: {tol:.0e}"
        )

    def _judged(
        self, held_volts: Floats, nodes: Sequence[Ints], edges: Sequence[Ints], *, long: bool
    ) -> tuple[Flow, float, float]:
        """Solve, and say what of the currents and of the voltages may be wrong at the most."""
        volts = np.where(self.circuit.held, held_volts, 0.0)
        flow, rounding = self.circuit.flow, ROUNDING
        if long:
            flow, rounding = self.circuit.long_flow, LONG_ROUNDING
        found, left, moved = self._refined(volts, flow)
        found = self._cleared(found, edges)
        if self._span() > SPAN:
            left, moved = self._proven(found, rounding)
        return found, self._share(found, left, nodes, edges), moved

    def _refined(
        self, volts: Floats, flow: Callable[[Floats, Floats], Flow]
    ) -> tuple[Flow, float, float]:
        """Solve for what is left over until that is rounding of the currents.

        Args:
            volts: held nodes have theirs.
            flow: of the circuit, for voltages of two parts.

        Returns:
            (voltages and currents, sum of what is left over in A, largest change of a voltage by
            the last sweep relative to the largest voltage).
        """
        free = self._free
        fine = np.zeros_like(volts)
        best = flow(volts, fine)
        if self._lu is None:
            return best, 0.0, 0.0
        left, moved = np.inf, np.inf
        missing = -best.out[free]
        for _ in range(MAX_FLOW_SWEEPS):
            move = self._lu.solve(missing)
            volts, fine = self._moved(volts, fine, move)
            now = flow(volts, fine)
            missing = -now.out[free]
            rest = float(np.abs(missing).sum())
            change = float(np.abs(move).max()) / max(float(np.abs(volts).max()), TINY)
            # steps over weak edges take longer than a factor's, and are at rounding in three
            enough = self.circuit.weak is not None and moved <= SETTLED and rest > 0.5 * left
            if enough or not (rest < left or change < 0.5 * moved):
                break
            best, left, moved = now, rest, change
            if left <= SETTLED * float(np.abs(now.amps).max(initial=0.0)) and moved <= SETTLED:
                break
        return best, left, moved

    def _moved(self, volts: Floats, fine: Floats, move: Floats) -> tuple[Floats, Floats]:
        """Voltages of two parts, moved in the free nodes."""
        free, volts, fine = self._free, volts.copy(), fine.copy()
        before = volts[free]
        coarse = before + move
        # what the sum loses (two-sum), so that the pair carries twice the digits
        lost = (before - (coarse - (coarse - before))) + (move - (coarse - before))
        volts[free], fine[free] = coarse, fine[free] + lost
        return volts, fine

    def _proven(self, found: Flow, rounding: float = ROUNDING) -> tuple[float, float]:
        """What a solution misses at the most, whatever the factor is worth.

        Returns:
            (sum of what may be left over, rounding included, in A; largest error of a voltage
            relative to the largest voltage, inf without a proof).
        """
        circuit, free = self.circuit, self._free
        amps = np.abs(circuit.g * found.drops)
        most = max(float(np.abs(found.volts).max(initial=0.0)), TINY)
        noise = rounding * amps + FINE_ROUNDING * most * circuit.g
        at = np.bincount(circuit.a, noise, circuit.n_groups).astype(np.float64)
        at += np.bincount(circuit.b, noise, circuit.n_groups)
        missing = np.abs(found.out[free]) + at[free]
        return float(missing.sum()), self.bound(missing) / most

    def bound(self, missing: Floats) -> float:
        """Largest error of a voltage where up to `missing` (A, per free node) is left over, V.

        The matrix is monotone: voltages that draw at least `missing` out of every free node lie
        above every error. Such voltages are looked for with the factor, and judged without it.

        Returns:
            inf if none are found.
        """
        if self._lu is None:
            return 0.0
        circuit, free = self.circuit, self._free
        volts = fine = np.zeros(circuit.n_groups)
        drawn = np.zeros(len(free))
        for _ in range(MAX_FLOW_SWEEPS):
            volts, fine = self._moved(volts, fine, self._lu.solve(2.0 * missing - drawn))
            drawn = circuit.flow(volts, fine).out[free]
            if (drawn >= missing).all():
                return float(volts.max(initial=0.0))
            if not np.isfinite(drawn).all():
                break
        return float("inf")

    def _share(
        self, found: Flow, left: float, nodes: Sequence[Ints], edges: Sequence[Ints]
    ) -> float:
        """What is left over relative to the smallest of the largest currents; nan fails."""
        circuit = self.circuit
        if not (np.isfinite(found.volts).all() and np.isfinite(found.out).all()):
            return float("nan")
        noise = NOTHING * self._reach(found)
        if noise == 0.0:
            return 0.0
        kinds = [found.out[circuit.held], *(found.out[k] for k in nodes)]
        kinds += [found.amps[k] for k in edges]
        sizes = [float(np.abs(kind).max()) for kind in kinds if len(kind)]
        if not fits(circuit):  # what carries nothing is not looked at more closely there
            sizes = [size for size in sizes if size > 0]
        least = min(sizes, default=np.inf)
        return (left + noise) / least if least else float("inf")

    def _span(self) -> float:
        """Best conductor over the weakest; from 1/eps on a factor's pivots may be rounding."""
        g = self.circuit.g
        return float(g.max() / g.min()) if len(g) else 1.0

    def _reach(self, found: Flow) -> float:
        """Largest voltage times best conductor, A."""
        return float(np.abs(found.volts).max(initial=0.0)) * float(self.circuit.g.max(initial=0.0))

    def _cleared(self, found: Flow, edges: Sequence[Ints]) -> Flow:
        """Without drops, and currents of sources, that are rounding of a voltage of two parts.

        Parts that hang on one node are looked for only where a set of edges shows little else.
        """
        circuit, noise = self.circuit, NOTHING * self._reach(found)
        least = NOTHING * float(np.abs(found.volts).max(initial=0.0))
        drops = np.where(np.abs(found.drops) <= least, 0.0, found.drops)
        if any(0 < float(np.abs(circuit.g * drops)[k].max(initial=0.0)) <= noise for k in edges):
            if self._hanging is None:
                self._hanging = currentless(circuit)
            drops[self._hanging] = 0.0
        lost = circuit.held & (np.abs(found.out) <= noise)
        out = np.where(lost, 0.0, found.out)
        return replace(found, drops=drops, amps=circuit.g * drops, out=out)


def _noise_share(amps: Floats, noise: Floats) -> float:
    """Return the most that rounding may be of the largest current; of nothing it is nothing."""
    most = float(np.abs(amps).max(initial=0.0))
    return float(noise.max(initial=0.0)) / most if most else 0.0
