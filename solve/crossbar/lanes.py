"""Compiled kernels for many drive vectors of one crossbar: LANES right-hand sides at once.

Same notation and factors as `kernels`; every node array has the lanes as its innermost
axis, so one factor entry serves LANES vectors and all loops vectorise without gathers.
"""
# mypy: ignore-errors

from __future__ import annotations

import numpy as np
from numba import njit, prange

from .kernels import FLAGS, PARALLEL, ROWS, extrapolated

LANES = 16
COLS = 8  # column lines per block: one cache line of factors


@njit(forceinline=True, **FLAGS)
def row_lanes(B, D, E, g, stored, r, p, z):
    """z[j, k] = (row matrix)^-1 B p for row lane `r` of a block (see `kernels.row_sweep`)."""
    m = p.shape[0]
    y = np.zeros(LANES)
    for j in range(m):
        b = B[j, r]
        d = D[j, r]
        back = 0.0
        if j > 0:
            back = E[j - 1, r] if stored else g[j - 1] * D[j - 1, r]
        # y is the undivided forward value here: z = y d
        for k in range(LANES):
            y[k] = b * p[j, k] + back * y[k]
            z[j, k] = y[k] * d
    for k in range(LANES):
        y[k] = z[m - 1, k]
    for j in range(m - 2, -1, -1):
        e = E[j, r] if stored else g[j] * D[j, r]
        for k in range(LANES):
            y[k] = z[j, k] + e * y[k]
            z[j, k] = y[k]


@njit(forceinline=True, **FLAGS)
def laplace_lanes(i, j, n, seg, top, bottom, P, q):
    """q[k] = current that leaves column node (i, j) along its column line."""
    js = j if seg.shape[1] > 1 else 0
    a = seg[i - 1, js] if i > 0 else 0.0
    b = seg[i, js] if i < n - 1 else 0.0
    up = i - 1 if i > 0 else i
    down = i + 1 if i < n - 1 else i
    ground = (top[j] if i == 0 else 0.0) + (bottom[j] if i == n - 1 else 0.0)
    for k in range(LANES):
        v = P[i, j, k]
        q[k] = a * (v - P[up, j, k]) + b * (v - P[down, j, k]) + ground * v


@njit(parallel=PARALLEL, **FLAGS)
def apply_lanes(B, n, D, E, seg, cseg, top, bottom, P, Q, part):
    """Q = S P; part[i] = P.Q of row i, one value per lane."""
    T, _, m, _ = B.shape
    stored = E.shape[1] > 0
    for ii in prange(n):
        i = np.int64(ii)
        c = i // ROWS
        r = i - c * ROWS
        z = np.empty((m, LANES))
        q = np.empty(LANES)
        acc = np.zeros(LANES)
        for t in range(T):
            e = E[t, c] if stored else D[t, c]
            row_lanes(B[t, c], D[t, c], e, seg[t, 0], stored, r, P[i], z)
            for j in range(m):
                b = B[t, c, j, r]
                if t == 0:
                    laplace_lanes(i, j, n, cseg, top, bottom, P, q)
                    for k in range(LANES):
                        Q[i, j, k] = q[k] + b * (P[i, j, k] - z[j, k])
                else:
                    for k in range(LANES):
                        Q[i, j, k] += b * (P[i, j, k] - z[j, k])
                if t == T - 1:
                    for k in range(LANES):
                        acc[k] += P[i, j, k] * Q[i, j, k]
        for k in range(LANES):
            part[i, k] = acc[k]


@njit(parallel=PARALLEL, **FLAGS)
def forward_lanes(D, E, seg, first, alpha, P, X, R, Q, part):
    """`kernels.forward` with one alpha per lane; `first` reads neither P nor Q."""
    n, m, _ = X.shape
    stored = E.shape[0] > 0
    for kk in prange((m + COLS - 1) // COLS):
        j0 = kk * COLS
        j1 = min(m, j0 + COLS)
        c = np.zeros((COLS, LANES))
        acc = np.zeros(LANES)
        for i in range(n):
            for j in range(j0, j1):
                d = D[i, j]
                back = 0.0
                if i > 0:
                    back = E[i - 1, j] if stored else seg[i - 1, 0] * D[i - 1, j]
                if not first:
                    for k in range(LANES):
                        X[i, j, k] += alpha[k] * P[i, j, k]
                        R[i, j, k] -= alpha[k] * Q[i, j, k]
                for k in range(LANES):
                    y = R[i, j, k] + back * c[j - j0, k]
                    c[j - j0, k] = y
                    Q[i, j, k] = y * d
                    acc[k] += y * y * d
        for k in range(LANES):
            part[kk, k] = acc[k]


@njit(parallel=PARALLEL, **FLAGS)
def backward_lanes(D, E, seg, first, beta, Q, P):
    """`kernels.backward` with one beta per lane; `first` does not read P."""
    n, m, _ = P.shape
    stored = E.shape[0] > 0
    for kk in prange((m + COLS - 1) // COLS):
        j0 = kk * COLS
        j1 = min(m, j0 + COLS)
        c = np.zeros((COLS, LANES))
        for i in range(n - 1, -1, -1):
            for j in range(j0, j1):
                e = 0.0
                if i < n - 1:
                    e = E[i, j] if stored else seg[i, 0] * D[i, j]
                for k in range(LANES):
                    c[j - j0, k] = Q[i, j, k] + e * c[j - j0, k]
                if first:
                    for k in range(LANES):
                        P[i, j, k] = c[j - j0, k]
                else:
                    for k in range(LANES):
                        P[i, j, k] = c[j - j0, k] + beta[k] * P[i, j, k]


@njit(parallel=PARALLEL, **FLAGS)
def start_lanes(S, v, X, R):
    """X = 0 and its residual, where every sense level is 0.

    S[t, i, j] is the current into column node (i, j) for 1 V on row i of tier t and 0 V on
    all columns: linear in the drive, so that one row sweep serves all lanes.
    """
    T, n, m = S.shape
    for i in prange(n):
        for j in range(m):
            for k in range(LANES):
                X[i, j, k] = 0.0
                R[i, j, k] = S[0, i, j] * v[0, i, k]
            for t in range(1, T):
                for k in range(LANES):
                    R[i, j, k] += S[t, i, j] * v[t, i, k]


@njit(parallel=PARALLEL, **FLAGS)
def advance_lanes(alpha, P, X):
    """`kernels.advance` with one alpha per lane."""
    n, m, _ = X.shape
    for i in prange(n):
        for j in range(m):
            for k in range(LANES):
                X[i, j, k] += alpha[k] * P[i, j, k]


@njit(parallel=PARALLEL, **FLAGS)
def finish_lanes(B, n, D, E, seg, cseg, top, bottom, v, vs, X, W, V, R, row_amps, col_amps):
    """`kernels.finish` per lane; W (lanes, T, n, m) and V (lanes, n, m) may be empty."""
    T, blocks, m, _ = B.shape
    stored = E.shape[1] > 0
    for cc in prange(blocks):
        c = np.int64(cc)
        p = np.empty((m, LANES))
        z = np.empty((m, LANES))
        q = np.empty(LANES)
        col_amps[c] = 0.0
        for i in range(c * ROWS, min(n, (c + 1) * ROWS)):
            r = i - c * ROWS
            for j in range(m):
                laplace_lanes(i, j, n, cseg, top, bottom, X, q)
                for k in range(LANES):
                    R[i, j, k] = -q[k]
            for t in range(T):
                total = np.zeros(LANES)
                for j in range(m):
                    for k in range(LANES):
                        p[j, k] = X[i, j, k] + (vs[j, k] - v[t, i, k])
                e = E[t, c] if stored else D[t, c]
                row_lanes(B[t, c], D[t, c], e, seg[t, 0], stored, r, p, z)
                for j in range(m):
                    b = B[t, c, j, r]
                    for k in range(LANES):
                        a = b * (z[j, k] - p[j, k])
                        total[k] += a
                        col_amps[c, j, k] += a
                        R[i, j, k] += a
                for k in range(LANES):
                    row_amps[t, i, k] = total[k]
                for k in range(W.shape[0]):
                    for j in range(m):
                        W[k, t, i, j] = v[t, i, k] + z[j, k]
            for k in range(V.shape[0]):
                for j in range(m):
                    V[k, i, j] = vs[j, k] + X[i, j, k]


@njit(**FLAGS)
def add_up(part, sums):
    """sums[k] = part[:, k] added up; numpy's sum along an axis takes much longer to compile."""
    for k in range(LANES):
        sums[k] = 0.0
    for i in range(part.shape[0]):
        for k in range(LANES):
            sums[k] += part[i, k]


@njit(**FLAGS)
def largest(values):
    """Return the largest of some values."""
    most = values[0]
    for value in values:
        most = max(most, value)
    return most


@njit(cache=True, error_model="numpy")
def pcg_lanes(B, n, DR, ER, seg, cseg, flow, top, bottom, DC, EC, R, X, P, Q, tol, limit, state):
    """`kernels.pcg` for all lanes together, each with a column of `state`.

    Runs until the slowest lane is done.
    """
    m = B.shape[2]
    part = np.zeros((n, LANES))
    part2 = np.zeros(((m + COLS - 1) // COLS, LANES))
    pq = np.zeros(LANES)
    alpha = np.zeros(LANES)
    beta = np.zeros(LANES)
    new = np.zeros(LANES)
    rz, before, total, slowest, past = state
    # no constants: for each one, the compiler would make a kernel of its own
    first = largest(rz) == 0.0
    if first:
        forward_lanes(DC, EC, cseg, first, alpha, P, X, R, Q, part2)
        add_up(part2, rz)
        if largest(rz) == 0.0:
            return 0, 0.0, True
        backward_lanes(DC, EC, cseg, first, beta, Q, P)
        first = not first
    worst = np.inf
    for it in range(1, limit + 1):
        apply_lanes(B, n, DR, ER, seg, flow, top, bottom, P, Q, part)
        add_up(part, pq)
        worst = 0.0
        for k in range(LANES):
            alpha[k] = rz[k] / pq[k] if pq[k] > 0.0 else 0.0
            gain = alpha[k] * rz[k]
            if gain > 0.0:
                total[k] += gain
                slowest[k] = max(slowest[k], alpha[k])
                error = np.inf
                if before[k] < np.inf:
                    ratio = gain / before[k]
                    error = np.sqrt(extrapolated(gain, ratio, past[k], slowest[k]) / total[k])
                    past[k] = ratio
                before[k] = gain
                worst = max(worst, error)
        if worst <= tol:
            advance_lanes(alpha, P, X)
            return it, worst, True
        forward_lanes(DC, EC, cseg, first, alpha, P, X, R, Q, part2)
        add_up(part2, new)
        for k in range(LANES):
            beta[k] = new[k] / rz[k] if rz[k] > 0.0 else 0.0
            rz[k] = new[k]
        backward_lanes(DC, EC, cseg, first, beta, Q, P)
    return limit, worst, False
