"""Line-preconditioned conjugate gradients on compiled kernels."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import kernels, lanes
from .coarsen import coarser, halved
from .engine import (
    MAX_ATTEMPTS,
    TIGHTEN,
    Engine,
    Raw,
    check_balance,
    first_aim,
    largest,
    not_converged,
    output_currents,
    rounding,
    settled,
)
from .lines import Lines
from .threads import CORES, THREADED, threads, usable_cores
from .transfers import prolong

Floats = NDArray[np.float64]

log = logging.getLogger(__name__)


def _is_cold() -> bool:
    """Whether numba holds no compiled form of the kernels yet."""
    stats = getattr(kernels.pcg, "stats", None)  # a plain function where compiling is turned off
    if stats is None or not stats.cache_path:
        return False
    return not any(Path(stats.cache_path).glob("kernels.pcg-*.nbi"))


if _is_cold():
    log.warning("compiling the solver's kernels, once: about half a minute")

# Few vectors are faster one by one than as mostly empty lanes.
MIN_LANES = 4
# Rows that start a multiple of this many bytes apart fall into the same cache sets.
ALIAS_BYTES = 2048
PAD = 8
MAX_BLOCK = 1024
# From this many lines on, a solve of the array at about 100 x 100 gives a first guess that
# saves a quarter to a third of the iterations.
GUESS_LINES = 400
GUESS_COARSE = 100
GUESS_TOL = 1e-4
# Crosspoints times iterations in one call of a kernel, which does not hear Ctrl-C.
CHUNK = 50_000_000


def padded(m: int) -> int:
    """Row stride, in elements, that avoids cache aliasing."""
    return m + PAD if (8 * m) % ALIAS_BYTES == 0 else m


class NumbaEngine:
    """See `engine.Engine`; factors are shared by single drives and lanes."""

    name = "line-pcg (numba)"
    guesses = True

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        T, n, m = lines.G.shape
        self.parallel = n * m >= THREADED
        blocks = -(-n // kernels.ROWS)
        own_rows = lines.row_seg.shape[1] > 1 or not np.isfinite(lines.row_seg).all()
        own_cols = lines.col_seg.shape[1] > 1 or not np.isfinite(lines.col_seg).all()
        self.B = np.empty((T, blocks, m, kernels.ROWS))
        self.DR = np.empty_like(self.B)
        self.ER = np.empty_like(self.B) if own_rows else np.empty((T, 0, 0, 0))
        self.DC = np.empty((n, padded(m)))
        self.EC = np.empty_like(self.DC) if own_cols else np.empty((0, 0))
        # Inside the product S P a merged or held node needs no current of its own: P is
        # equal on merged nodes and 0 on held ones.
        self.flow = np.where(np.isinf(lines.col_seg), 0.0, lines.col_seg)
        self.top = np.where(np.isinf(lines.top), 0.0, lines.top)
        self.bottom = np.where(np.isinf(lines.bottom), 0.0, lines.bottom)
        # By the machine's cores, not by the threads in use: sums keep their order, so equal
        # input gives equal bits whatever else runs.
        self.block = min(MAX_BLOCK, max(8, -(-m // CORES)))
        self._factor()

    def _factor(self) -> None:
        lines = self.lines
        with self._threads():
            kernels.factor_rows(
                lines.G, lines.left, lines.right, lines.row_seg, lines.plain_rows,
                self.B, self.DR, self.ER,
            )  # fmt: skip
            kernels.factor_cols(
                lines.G, lines.top, lines.bottom, lines.col_seg, lines.plain_cols,
                self.block, self.DC, self.EC,
            )  # fmt: skip

    def renewed(self, lines: Lines) -> Engine:
        """See `engine.Engine`; memory and all that wires alone say are used again."""
        self.lines = lines
        self.__dict__.pop("_sources", None)
        self._factor()
        return self

    def _threads(self, drives: int = 1) -> AbstractContextManager[None]:
        many = self.parallel or drives >= MIN_LANES
        return threads(usable_cores() if many else 1)

    def solve(
        self,
        v: Floats,
        vs: Floats,
        *,
        tol: float,
        limit: int,
        keep: bool,
        shift: Floats | None = None,
        start: Raw | None = None,
    ) -> Raw:
        """See `engine.Engine`."""
        with self._threads(len(v)):
            if len(v) >= MIN_LANES and shift is None:
                return self._solve_lanes(v, vs, tol, limit, keep)
            first = start if len(v) == 1 else None
            parts = [
                self._solve_one(v[b], vs[b], shift, first, tol, limit, keep) for b in range(len(v))
            ]
        if len(parts) == 1:
            return parts[0]
        return Raw(
            rows=np.concatenate([p.rows for p in parts]),
            cols=np.concatenate([p.cols for p in parts]),
            row_amps=np.concatenate([p.row_amps for p in parts]),
            col_amps=np.concatenate([p.col_amps for p in parts]),
            iterations=max(p.iterations for p in parts),
            balance=max(p.balance for p in parts),
        )

    def _guess(self, v: Floats, vs: Floats) -> tuple[Floats, float]:
        """First column voltages above their sense level, and the energy they hold.

        Only whole arrays are guessed: held and merged nodes must keep their values.
        """
        lines = self.lines
        X = np.zeros_like(self.DC)
        depth = int(np.log2(min(lines.G.shape[1:]) / GUESS_COARSE))
        whole = lines.plain_rows and lines.plain_cols
        if not (self.guesses and whole and min(lines.G.shape[1:]) >= GUESS_LINES):
            return X, 0.0
        chain = [lines]
        for _ in range(depth):
            chain.append(coarser(chain[-1]))
            v, vs = halved(v), halved(vs)
        engine = NumbaEngine(chain[-1])
        with engine._threads():
            coarse, energy = engine._column_voltages(v, vs)
        for level in reversed(chain[:-1]):
            shape = level.G.shape[1:]
            fine = X if level is lines else np.zeros(shape)
            prolong(coarse, coarse.shape[1], shape[1], fine)
            coarse = fine
        return X, energy

    def _column_voltages(self, v: Floats, vs: Floats) -> tuple[Floats, float]:
        """Rough column voltages above their sense level, and the energy they hold."""
        T, n, m = self.lines.G.shape
        X, R = np.zeros_like(self.DC), np.empty_like(self.DC)
        none = np.empty((T, 0, 0))
        kernels.finish(
            self.B, n, self.DR, self.ER, self.lines.row_seg, self.flow, self.top, self.bottom,
            v, vs, none, X, none, R, np.empty((T, n)), np.empty((self.B.shape[1], m)),
        )  # fmt: skip
        _, energy, _ = self.iterate(R, X, GUESS_TOL, 100, 0.0)
        return np.ascontiguousarray(X[:, :m]), energy

    def iterate(
        self, R: Floats, X: Floats, tol: float, limit: int, total: float
    ) -> tuple[int, float, float]:
        """Run conjugate gradients on S X = R (see `kernels.pcg`)."""
        P, Q = np.empty_like(X), np.empty_like(X)
        lines = self.lines
        state = np.array([0.0, np.inf, total, 1.0, np.inf])
        used, error, done = 0, np.inf, False
        while used < limit and not done:
            did, error, done = kernels.pcg(
                self.B, lines.G.shape[1], self.DR, self.ER, lines.row_seg, lines.col_seg,
                self.flow, self.top, self.bottom, self.DC, self.EC, self.block, R, X, P, Q, tol,
                min(limit - used, self._chunk(1)), state,
            )  # fmt: skip
            used += int(did)
        return used, float(state[2]), float(error)

    def _chunk(self, drives: int) -> int:
        """Iterations between which Ctrl-C is heard: a few tenths of a second."""
        return max(1, CHUNK // (self.lines.G.size * drives))

    def _first(
        self, v: Floats, vs: Floats, shift: Floats | None, start: Raw | None
    ) -> tuple[Floats, float]:
        """Column voltages above their sense level to start from, and the energy they hold."""
        if start is None and shift is None:
            return self._guess(v, vs)
        X = np.zeros_like(self.DC)
        if start is None:
            return X, 0.0
        np.subtract(start.cols[0], vs, out=X[:, : len(vs)])
        return X, start.energy

    def _solve_one(
        self,
        v: Floats,
        vs: Floats,
        shift: Floats | None,
        start: Raw | None,
        tol: float,
        limit: int,
        keep: bool,
    ) -> Raw:
        T, n, m = self.lines.G.shape
        noise = rounding(self.lines, v.reshape(-1, 1), vs[:, None])
        X, total = self._first(v, vs, shift, start)
        R = np.empty_like(X)
        row_amps, col_amps = np.empty((T, n)), np.empty((self.B.shape[1], m))

        def finish(W: Floats) -> Floats:
            kernels.finish(
                self.B, n, self.DR, self.ER, self.lines.row_seg, self.flow, self.top,
                self.bottom, v, vs, series, X, W, R, row_amps, col_amps,
            )  # fmt: skip
            return W

        none = np.empty((T, 0, 0))
        series = none if shift is None else shift
        finish(none)
        used, aim, balance = 0, first_aim(self.lines, tol), np.inf
        for _ in range(MAX_ATTEMPTS):
            did, total, error = self.iterate(R, X, aim, limit - used, total)
            used += did
            W = finish(np.empty((T, n, m)) if keep else none)
            taken, missing = output_currents(self.lines, X[0, :m], X[-1, :m], col_amps.sum(axis=0))
            good, balance = check_balance(
                taken[None], missing[None], row_amps.reshape(-1, 1), tol=tol, noise=noise
            )
            good = good and error <= tol
            if good and shift is None:
                lost = np.array([error * np.sqrt(total)])
                most = largest(v.reshape(-1, 1), vs[:, None])
                good = settled(self.lines, lost, taken[None], row_amps[None], tol=tol, most=most)
            if good:
                cols = X[:, :m]
                if vs.any():
                    cols += vs
                return Raw(
                    W[None], (cols if keep else X[:0, :m])[None], row_amps[None], taken[None],
                    used, balance, energy=total,
                )  # fmt: skip
            if used >= limit:
                break
            aim *= TIGHTEN
        raise not_converged(self.name, used, tol, balance)

    def _solve_lanes(self, v: Floats, vs: Floats, tol: float, limit: int, keep: bool) -> Raw:
        T, n, m = self.lines.G.shape
        B, K = len(v), lanes.LANES
        rows = np.empty((B, T, n if keep else 0, m))
        cols = np.empty((B, n if keep else 0, m))
        row_amps, col_amps = np.empty((B, T, n)), np.empty((B, m))
        work = np.empty((4, n, m, K))
        used, worst = 0, 0.0
        for b in range(0, B, K):
            part = slice(b, min(b + K, B))
            size = part.stop - part.start
            drive, level = np.zeros((T, n, K)), np.zeros((m, K))
            drive[..., :size] = np.moveaxis(v[part], 0, -1)
            level[..., :size] = vs[part].T
            its, balance = self._solve_group(
                drive, level, size, work, tol, limit,
                rows[part if keep else slice(0)], cols[part if keep else slice(0)],
                row_amps[part], col_amps[part],
            )  # fmt: skip
            used, worst = max(used, its), max(worst, balance)
        return Raw(rows, cols, row_amps, col_amps, used, worst)

    @cached_property
    def _sources(self) -> Floats:
        """Current into every column node for 1 V on its row of a tier, shape (T, n, m)."""
        T, n, m = self.lines.G.shape
        S, X, none = np.empty((T, n, m)), np.zeros_like(self.DC), np.empty((T, 0, 0))
        R = np.empty_like(X)
        for t in range(T):
            v = np.zeros((T, n))
            v[t] = 1.0
            kernels.finish(
                self.B, n, self.DR, self.ER, self.lines.row_seg, self.flow, self.top, self.bottom,
                v, np.zeros(m), none, X, none, R, np.empty((T, n)), np.empty((self.B.shape[1], m)),
            )  # fmt: skip
            S[t] = R[:, :m]
        return S

    def _solve_group(
        self,
        v: Floats,
        vs: Floats,
        size: int,
        work: Floats,
        tol: float,
        limit: int,
        rows: Floats,
        cols: Floats,
        row_amps: Floats,
        col_amps: Floats,
    ) -> tuple[int, float]:
        """Solve up to LANES drives; fills the four result arrays."""
        lines = self.lines
        T, n, _ = lines.G.shape
        X, P, Q, R = work
        noise = rounding(lines, v.reshape(T * n, -1), vs)
        sums = np.empty((T, n, lanes.LANES))
        amps = np.empty((self.B.shape[1], *X.shape[1:]))

        def finish(W: Floats, V: Floats) -> None:
            lanes.finish_lanes(
                self.B, n, self.DR, self.ER, lines.row_seg, self.flow, self.top, self.bottom,
                v, vs, X, W, V, R, sums, amps,
            )  # fmt: skip

        if vs.any():
            X[...] = 0.0
            finish(rows[:0], cols[:0])
        else:
            lanes.start_lanes(self._sources, v, X, R)
        used, aim, balance = 0, first_aim(self.lines, tol), np.inf
        energy = np.zeros(lanes.LANES)
        for _ in range(MAX_ATTEMPTS):
            one = np.ones_like(energy)
            state = np.stack([0.0 * one, np.inf * one, energy, one, np.inf * one])
            error, done = np.inf, False
            while used < limit and not done:
                did, error, done = lanes.pcg_lanes(
                    self.B, n, self.DR, self.ER, lines.row_seg, lines.col_seg, self.flow, self.top,
                    self.bottom, self.DC, self.EC, R, X, P, Q, aim,
                    min(limit - used, self._chunk(lanes.LANES)), state,
                )  # fmt: skip
                used += int(did)
            energy = state[2]
            finish(rows, cols)
            taken, missing = output_currents(lines, X[0].T, X[-1].T, amps.sum(axis=0).T)
            row_amps[...] = np.moveaxis(sums, -1, 0)[:size]
            col_amps[...] = taken[:size]
            good, balance = check_balance(
                taken, missing, sums.reshape(T * n, -1), tol=tol, noise=noise
            )
            if good and error <= tol:
                lost = error * np.sqrt(energy)
                most = largest(v.reshape(T * n, -1), vs)
                good = settled(lines, lost, taken, np.moveaxis(sums, -1, 0), tol=tol, most=most)
            if good and error <= tol:
                return used, balance
            if used >= limit:
                break
            aim *= TIGHTEN
        raise not_converged(self.name, used, tol, balance)
