"""Multigrid preconditioning for strongly loaded lines.

When the devices draw so much that lines lose most of their voltage, single lines no
longer carry the long-range part of the error and line preconditioning slows down. Here
2 x 2 crosspoints become one, again and again; each coarse crossbar has the same form as
the fine one, so the same kernels smooth it: one symmetric V-cycle per iteration.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConvergenceError
from . import kernels
from .coarsen import coarser
from .engine import Engine
from .engine_numba import NumbaEngine
from .lines import Lines
from .transfers import combine, prolong, restrict, step

Floats = NDArray[np.float64]

# A level of at most this many crosspoints is solved densely.
COARSEST = 100
# Calibrated on planar arrays of 512..2048: a V-cycle iteration costs three plain ones, and
# above this load it saves more than two thirds of them.
LOAD_LIMIT = 40.0
MIN_CELLS = 256 * 256
SAMPLE = 5000
OUTLIER = 20.0


def load(lines: Lines) -> float:
    """Estimated ratio of extreme eigenvalues of the line-preconditioned column system."""
    T, n, m = lines.G.shape
    g = _typical(_sample(lines.G))
    row, col = _typical(1.0 / _sample(lines.row_seg)), _typical(1.0 / _sample(lines.col_seg))
    return float(1.0 + g * (row * m * m + T * col * n * n) / 10.0)


def _sample(values: Floats) -> Floats:
    """Some of the values that are neither open nor ideal."""
    some = values.reshape(-1)[:: max(1, values.size // SAMPLE)]
    return some[(some > 0) & np.isfinite(some)]


def _typical(some: Floats) -> float:
    """Their mean, in which a few shorts or opens do not count for more than they do."""
    if not some.size:
        return 0.0
    return float(np.minimum(some, OUTLIER * float(np.median(some))).mean())


def fits(lines: Lines) -> bool:
    """Whether multigrid may be used: no column node is held or merged by 0 ohm.

    A coarse correction would move such nodes away from what holds them.
    """
    ideal = (np.isinf(g).any() for g in (lines.col_seg, lines.top, lines.bottom))
    return not any(ideal)


def pays(lines: Lines) -> bool:
    """Whether multigrid is expected to be faster than plain line preconditioning."""
    _, n, m = lines.G.shape
    large = n * m >= MIN_CELLS and min(n, m) >= 32
    return large and fits(lines) and load(lines) > LOAD_LIMIT


class Level:
    """One level of the hierarchy: factors and work arrays."""

    def __init__(self, engine: NumbaEngine) -> None:
        self.engine = engine
        shape = engine.DC.shape
        self.r, self.z, self.q, self.s = (np.zeros(shape) for _ in range(4))
        self.tmp = np.empty((shape[0], (shape[1] + 1) // 2))
        self.part = np.empty(engine.B.shape[1])
        self.part2 = np.empty(shape[1] // engine.block + 1)

    def lines_solve(self, r: Floats, z: Floats) -> None:
        """Solve the column lines alone: z = M^-1 r."""
        e = self.engine
        m = e.lines.G.shape[2]
        seg = e.lines.col_seg
        kernels.forward(m, e.DC, e.EC, seg, e.block, 0.0, z, z, r, self.s, self.part2)
        kernels.backward(m, e.DC, e.EC, seg, e.block, 0.0, self.s, z)

    def product(self, p: Floats, q: Floats) -> float:
        """Q = S p; returns p.q."""
        e = self.engine
        kernels.apply(
            e.B, e.lines.G.shape[1], e.DR, e.ER, e.lines.row_seg, e.flow, e.top, e.bottom, p, q,
            self.part,
        )  # fmt: skip
        return float(self.part.sum())

    def residual(self, z: Floats, r: Floats) -> None:
        """Leave r - S z in `q`."""
        self.product(z, self.q)
        np.subtract(r, self.q, out=self.q)


class MultigridEngine(NumbaEngine):
    """`NumbaEngine` with a multilevel preconditioner; batches run one by one."""

    name = "multigrid-pcg (numba)"

    def __init__(self, lines: Lines) -> None:
        super().__init__(lines)
        self.levels: list[Level] | None = None

    def renewed(self, lines: Lines) -> Engine:
        """See `engine.Engine`."""
        self.levels = None
        return super().renewed(lines)

    def _hierarchy(self) -> list[Level]:
        levels = [Level(self)]
        lines = self.lines
        while lines.G[0].size > COARSEST and min(lines.G.shape[1:]) > 2:
            lines = coarser(lines)
            levels.append(Level(NumbaEngine(lines)))
        last = levels[-1]
        _, n, m = lines.G.shape
        S = np.empty((n * m, n * m))
        unit = np.zeros_like(last.r)
        for k in range(n * m):
            unit[k // m, k % m] = 1.0
            last.product(unit, last.q)
            S[:, k] = last.q[:, :m].reshape(-1)
            unit[k // m, k % m] = 0.0
        try:
            self._dense = np.linalg.inv(0.5 * (S + S.T))
        except np.linalg.LinAlgError:
            raise ConvergenceError(f"{self.name}: the coarsest crossbar is singular") from None
        return levels

    def _cycle(self, depth: int, r: Floats, z: Floats) -> None:
        """Z = approximate S^-1 r on level `depth`."""
        levels = self.levels
        assert levels is not None
        level = levels[depth]
        m = level.engine.lines.G.shape[2]
        if depth == len(levels) - 1:
            z[:, :m] = (self._dense @ r[:, :m].reshape(-1)).reshape(-1, m)
            return
        below = levels[depth + 1]
        mc = below.engine.lines.G.shape[2]
        level.lines_solve(r, z)
        level.residual(z, r)
        restrict(level.q, m, below.r, mc, level.tmp)
        with below.engine._threads():
            self._cycle(depth + 1, below.r, below.z)
        prolong(below.z, mc, m, z)
        level.residual(z, r)
        level.lines_solve(level.q, level.s)
        z += level.s

    def iterate(
        self, R: Floats, X: Floats, tol: float, limit: int, total: float
    ) -> tuple[int, float, float]:
        """Conjugate gradients with the V-cycle (see `kernels.pcg` for the stopping rule)."""
        if self.levels is None:
            self.levels = self._hierarchy()
        top = self.levels[0]
        n, m = self.lines.G.shape[1:]
        part = np.empty(n)
        P, Q = np.zeros_like(X), np.empty_like(X)
        Z = top.z
        self._cycle(0, R, Z)
        combine(m, 1.0, Z, 0.0, R, P, part)
        rz = float(part.sum())
        if rz == 0.0:
            return 0, total, 0.0
        before = error = past = np.inf
        slowest = 1.0
        for it in range(1, limit + 1):
            curvature = top.product(P, Q)
            alpha = rz / curvature if 0 < curvature < np.inf else 0.0
            gain = alpha * rz
            if not (rz > 0 and gain > 0):  # rounding has made a matrix indefinite, or it is nan
                return it, total, np.inf
            total += gain
            step(m, alpha, P, Q, X, R)
            slowest = max(slowest, alpha, 1.0 / alpha)
            error = np.inf
            if it > 1:
                ratio = gain / before
                error = float(np.sqrt(kernels.extrapolated(gain, ratio, past, slowest) / total))
                past = ratio
            before = gain
            if error <= tol:
                return it, total, error
            self._cycle(0, R, Z)
            combine(m, 0.0, Z, 1.0, R, Q, part)
            new = float(part.sum())
            if new == 0.0:
                return it, total, 0.0
            combine(m, 1.0, Z, new / rz, P, P, part)
            rz = new
        return limit, total, error
