"""The same method without numba: whole lines at a time, every drive as a lane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .engine import (
    MAX_ATTEMPTS,
    MOST_RATIO,
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

Floats = NDArray[np.float64]


def factor_chain(load: Floats, first: Floats, inner: Floats, last: Floats) -> tuple[Floats, Floats]:
    """Factor chains that run along the leading axis (see `kernels`).

    Args:
        load: conductance to elsewhere at every node, shape (L, ...).
        first: conductance from the source to the first node, shape (...).
        inner: between node k and k+1, shape (L - 1, ...) or broadcastable.
        last: from the last node to its source, shape (...).

    Returns:
        (D, E), both shape (L, ...).
    """
    D, E = np.empty_like(load), np.zeros_like(load)
    h = np.broadcast_to(first, load.shape[1:])
    for k in range(len(load)):
        s = h + load[k]
        g = np.broadcast_to(inner[k] if k < len(load) - 1 else last, s.shape)
        held, merged, empty = np.isinf(s), np.isinf(g), (s + g == 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            D[k] = np.where(held | empty, 0.0, 1.0 / (s + g))
            e = np.where(held | empty, 0.0, np.where(merged, 1.0, g * D[k]))
            h = np.where(held, g, np.where(merged, s, e * s))
        if k < len(load) - 1:
            E[k] = e
    return D, E


def down(D: Floats, E: Floats, b: Floats) -> Floats:
    """Z = D L^-1 b along the leading axis; trailing axes of b are lanes."""
    z = np.empty_like(b)
    y = b[0]
    z[0] = y * D[0]
    for k in range(1, len(b)):
        y = b[k] + E[k - 1] * y
        z[k] = y * D[k]
    return z


def up(E: Floats, z: Floats) -> Floats:
    """Back substitution in place along the leading axis."""
    for k in range(len(z) - 2, -1, -1):
        z[k] += E[k] * z[k + 1]
    return z


class NumpyEngine:
    """See `engine.Engine`; about twelve times slower than the compiled one."""

    name = "line-pcg (numpy)"

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        rows = np.moveaxis(lines.G, 2, 0)
        inner = np.moveaxis(lines.row_seg, 2, 0)
        DR, ER = factor_chain(np.ascontiguousarray(rows), lines.left, inner, lines.right)
        DC, EC = factor_chain(lines.G.sum(axis=0), lines.top, lines.col_seg, lines.bottom)
        self.DR, self.ER = DR[..., None], ER[..., None]
        self.DC, self.EC = DC[..., None], EC[..., None]
        self.G = lines.G[..., None]
        self.flow = np.where(np.isinf(lines.col_seg), 0.0, lines.col_seg)[..., None]
        self.top = np.where(np.isinf(lines.top), 0.0, lines.top)[:, None]
        self.bottom = np.where(np.isinf(lines.bottom), 0.0, lines.bottom)[:, None]

    def _rows(self, p: Floats) -> Floats:
        """Row voltages that drives p (T, n, m, K) of the devices cause."""
        b = np.ascontiguousarray(np.moveaxis(self.G * p, 2, 0))
        return np.moveaxis(up(self.ER, down(self.DR, self.ER, b)), 0, 2)

    def _laplace(self, X: Floats) -> Floats:
        out = np.zeros_like(X)
        step = self.flow * (X[:-1] - X[1:])
        out[:-1] += step
        out[1:] -= step
        out[0] += self.top * X[0]
        out[-1] += self.bottom * X[-1]
        return out

    def _apply(self, P: Floats) -> Floats:
        p = np.broadcast_to(P, (len(self.G), *P.shape))
        out: Floats = self._laplace(P) + (self.G * (p - self._rows(p))).sum(axis=0)
        return out

    def renewed(self, lines: Lines) -> Engine:
        """See `engine.Engine`."""
        return NumpyEngine(lines)

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
        lines = self.lines
        _, n, m = lines.G.shape
        drive = np.moveaxis(v, 0, -1)[:, :, None, :]
        level = vs.T[None]
        noise = rounding(lines, v.reshape(len(v), -1).T, vs.T)
        X = np.zeros((n, m, len(v)))
        total = np.zeros(len(v))
        if start is not None and len(v) == 1:
            X[..., 0], total[0] = start.cols[0] - vs[0], start.energy
        used, aim, balance, error = 0, first_aim(lines, tol), np.inf, np.inf
        for _ in range(MAX_ATTEMPTS + 1):
            p = X + level - drive
            if shift is not None:
                p += shift[..., None]
            z = self._rows(p)
            amps = self.G * (z - p)
            taken, missing = output_currents(lines, X[0].T, X[-1].T, amps.sum(axis=(0, 1)).T)
            row_amps = amps.sum(axis=2)
            good, balance = check_balance(
                taken, missing, row_amps.reshape(-1, len(v)), tol=tol, noise=noise
            )
            good = good and error <= tol
            if good and shift is None:
                lost = error * np.sqrt(total)
                most = largest(v.reshape(len(v), -1).T, vs.T)
                good = settled(lines, lost, taken, np.moveaxis(row_amps, -1, 0), tol=tol, most=most)
            if good:
                return Raw(
                    np.moveaxis(drive + z, -1, 0)[:, :, : n if keep else 0],
                    np.moveaxis(X + level, -1, 0)[:, : n if keep else 0],
                    np.moveaxis(row_amps, -1, 0),
                    taken,
                    used,
                    balance,
                    energy=float(total[0]),
                )
            if used >= limit:
                break
            R = amps.sum(axis=0) - self._laplace(X)
            did, error = self._iterate(R, X, aim, limit - used, total)
            used += did
            aim *= TIGHTEN
        raise not_converged(self.name, used, tol, balance)

    def _iterate(
        self, R: Floats, X: Floats, tol: float, limit: int, total: Floats
    ) -> tuple[int, float]:
        """Conjugate gradients on S X = R for all lanes (see `kernels.pcg`)."""
        Q = down(self.DC, self.EC, R)
        rz = _energy(self.DC, Q)
        if not rz.any():
            return 0, 0.0
        P = up(self.EC, Q)
        before = np.full(len(rz), np.inf)
        worst, slowest, past = np.inf, np.ones(len(rz)), before.copy()
        for it in range(1, limit + 1):
            Q = self._apply(P)
            pq = (P * Q).sum(axis=(0, 1))
            alpha = np.divide(rz, pq, out=np.zeros_like(rz), where=pq > 0)
            gain = alpha * rz
            total += gain
            live = gain > 0
            slowest = np.maximum(slowest, alpha)
            root = np.sqrt(slowest[live])
            rate = (root - 1) / (root + 1)
            ratio = gain[live] / before[live]
            floor = np.minimum(past[live], rate * rate)
            if it > 1:
                past[live] = ratio
            ratio = np.clip(ratio, floor, MOST_RATIO)
            missing = np.sqrt(gain[live] * ratio / (1 - ratio) / total[live])
            worst = float(missing.max(initial=0.0)) if it > 1 else np.inf
            before[live] = gain[live]
            X += alpha * P
            R -= alpha * Q
            if worst <= tol:
                return it, worst
            z = down(self.DC, self.EC, R)
            new = _energy(self.DC, z)
            P *= np.divide(new, rz, out=np.zeros_like(rz), where=rz > 0)
            P += up(self.EC, z)
            rz = new
        return limit, worst


def _energy(D: Floats, z: Floats) -> Floats:
    """y.D y of every lane, with z = D y; a node with D = 0 holds no energy."""
    energy: Floats = np.divide(z * z, D, out=np.zeros_like(z), where=D > 0).sum(axis=(0, 1))
    return energy
