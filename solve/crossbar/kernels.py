"""Compiled kernels of the structure-aware crossbar solver, one drive vector.

Notation: G[t, i, j] device conductances; u = row voltage minus the row's drive; x = column
voltage minus the column's sense level. Row lines are chains along j, column lines chains
along i. Both are factorised as L D L^T: D is the reciprocal pivot, E the multiplier
toward the next node. Pivots come from the conductance seen looking back along the line
(h' = g s / (s + g)), which never subtracts and stays exact over any range of conductances.

A segment profile that all lines share is passed as a short vector, and E stays None; the
compiler then drops the branch that would read it. Inner arrays may be wider than `m`
(padding against cache aliasing); columns from `m` on are never touched.
"""
# mypy: ignore-errors

from __future__ import annotations

import numpy as np
from numba import njit, prange

from .engine import MOST_RATIO

ROWS = 8  # row lines per block: the lanes of one row sweep

# No reassociation: differences of neighbouring voltages must stay differences.
# Only prange runs in parallel; looking for more in array expressions doubles compile time.
PARALLEL = {
    "prange": True,
    "comprehension": False,
    "reduction": False,
    "inplace_binop": False,
    "setitem": False,
    "numpy": False,
    "stencil": False,
    "fusion": False,
}
FLAGS = {"cache": True, "fastmath": {"contract", "nsz", "arcp"}, "error_model": "numpy"}


@njit(**FLAGS)
def pivot(s, g):
    """(D, E, h) of a node that sees `s` behind it and `g` ahead; 0 and inf allowed."""
    if np.isinf(s):  # held: the node is a fixed point, the next one sees g to it
        return 0.0, 0.0, g
    if np.isinf(g):  # merged with the next node
        return 0.0, 1.0, s
    if s + g == 0.0:  # nothing attached: pinned
        return 0.0, 0.0, 0.0
    d = 1.0 / (s + g)
    return d, g * d, g * d * s


@njit(parallel=PARALLEL, **FLAGS)
def factor_rows(G, left, right, seg, plain, B, D, E):
    """Factor every row line; `plain` promises that no conductance is 0 or inf.

    B, D, E have shape (T, blocks, m, ROWS): the rows of a block are the innermost axis,
    so that one row sweep is a loop over vectors. B is G in that order; E may be empty.
    """
    T, n, m = G.shape
    blocks = B.shape[1]
    step = 1 if seg.shape[1] > 1 else 0
    stored = E.shape[1] > 0
    for kk in prange(T * blocks):
        t = kk // blocks
        k = kk - t * blocks
        h = np.zeros(ROWS)
        for r in range(ROWS):
            i = k * ROWS + r
            h[r] = left[t, i] if i < n else 1.0
            for j in range(m):
                B[t, k, j, r] = G[t, i, j] if i < n else 0.0
        for j in range(m):
            for r in range(ROWS):
                i = min(k * ROWS + r, n - 1)
                s = h[r] + B[t, k, j, r]
                g = seg[t, i * step, j] if j < m - 1 else right[t, i]
                if plain:
                    d = 1.0 / (s + g)
                    e = g * d
                    h[r] = e * s
                else:
                    d, e, h[r] = pivot(s, g)
                D[t, k, j, r] = d
                if stored:
                    E[t, k, j, r] = e if j < m - 1 else 0.0


@njit(parallel=PARALLEL, **FLAGS)
def factor_cols(G, top, bottom, seg, plain, block, D, E):
    """Factor every column line with the devices of all its tiers as load."""
    T, n, m = G.shape
    step = 1 if seg.shape[1] > 1 else 0
    stored = E.shape[0] > 0
    for k in prange((m + block - 1) // block):
        j0 = k * block
        j1 = min(m, j0 + block)
        h = np.empty(block)
        for j in range(j0, j1):
            h[j - j0] = top[j]
        for i in range(n):
            for j in range(j0, j1):
                s = h[j - j0]
                for t in range(T):
                    s += G[t, i, j]
                g = seg[i, j * step] if i < n - 1 else bottom[j]
                if plain:
                    d = 1.0 / (s + g)
                    e = g * d
                    h[j - j0] = e * s
                else:
                    d, e, h[j - j0] = pivot(s, g)
                D[i, j] = d
                if stored:
                    E[i, j] = e if i < n - 1 else 0.0


@njit(forceinline=True, **FLAGS)
def row_sweep(B, D, E, g, stored, p, z):
    """Turn the drives p[j, r] of a block's devices into row voltages z[j, r].

    z = (row matrix)^-1 B p; multipliers from `E` if stored, else from the profile `g`.
    """
    m = p.shape[0]
    y = np.zeros(ROWS)
    if stored:
        for j in range(m):
            for r in range(ROWS):
                b = B[j, r] * p[j, r] + y[r]
                z[j, r] = b * D[j, r]
                y[r] = b * E[j, r]
        for r in range(ROWS):
            y[r] = z[m - 1, r]
        for j in range(m - 2, -1, -1):
            for r in range(ROWS):
                y[r] = z[j, r] + E[j, r] * y[r]
                z[j, r] = y[r]
    else:
        for j in range(m):
            back = g[j - 1] if j > 0 else 0.0
            for r in range(ROWS):
                y[r] = (B[j, r] * p[j, r] + back * y[r]) * D[j, r]
                z[j, r] = y[r]
        for j in range(m - 2, -1, -1):
            for r in range(ROWS):
                y[r] = z[j, r] + g[j] * D[j, r] * y[r]
                z[j, r] = y[r]


@njit(**FLAGS)
def laplace(i, m, n, seg, top, bottom, P, q):
    """q[j] = current that leaves column node (i, j) along its column line."""
    step = 1 if seg.shape[1] > 1 else 0
    if step == 0:
        a = seg[i - 1, 0] if i > 0 else 0.0
        b = seg[i, 0] if i < n - 1 else 0.0
        up = i - 1 if i > 0 else i
        down = i + 1 if i < n - 1 else i
        for j in range(m):
            p = P[i, j]
            q[j] = a * (p - P[up, j]) + b * (p - P[down, j])
    else:
        for j in range(m):
            q[j] = 0.0
        if i > 0:
            for j in range(m):
                q[j] += seg[i - 1, j] * (P[i, j] - P[i - 1, j])
        if i < n - 1:
            for j in range(m):
                q[j] += seg[i, j] * (P[i, j] - P[i + 1, j])
    if i == 0:
        for j in range(m):
            q[j] += top[j] * P[i, j]
    if i == n - 1:
        for j in range(m):
            q[j] += bottom[j] * P[i, j]


@njit(parallel=PARALLEL, **FLAGS)
def apply(B, n, D, E, seg, cseg, top, bottom, P, Q, part):
    """Q = S P with S the column system after elimination of the rows; part sums to P.Q."""
    T, blocks, m, _ = B.shape
    stored = E.shape[1] > 0
    for k in prange(blocks):
        i0 = np.int64(k) * ROWS
        p = np.empty((m, ROWS))
        z = np.empty((m, ROWS))
        amps = np.zeros((ROWS, m))
        q = np.empty(m)
        acc = np.zeros(m)
        for r in range(ROWS):
            i = min(i0 + r, n - 1)
            for j in range(m):
                p[j, r] = P[i, j]
        for t in range(T):
            row_sweep(B[t, k], D[t, k], E[t, k] if stored else D[t, k], seg[t, 0], stored, p, z)
            for j in range(m):
                for r in range(ROWS):
                    amps[r, j] += B[t, k, j, r] * (p[j, r] - z[j, r])
        for r in range(min(ROWS, n - i0)):
            i = i0 + r
            laplace(i, m, n, cseg, top, bottom, P, q)
            for j in range(m):
                c = q[j] + amps[r, j]
                Q[i, j] = c
                acc[j] += P[i, j] * c
        part[k] = acc.sum()


@njit(parallel=PARALLEL, **FLAGS)
def forward(m, D, E, seg, block, alpha, P, X, R, Q, part):
    """X += alpha P, R -= alpha Q, Q = D L^-1 R down every column; part sums to R.(LDL^T)^-1 R.

    alpha = 0 leaves X, R untouched and reads neither P nor Q.
    """
    n = X.shape[0]
    stored = E.shape[0] > 0
    for k in prange((m + block - 1) // block):
        j0 = k * block
        w = min(m, j0 + block) - j0
        c = np.zeros(block)
        acc = np.zeros(block)
        r = np.empty(block)
        for i in range(n):
            if alpha != 0.0:
                for j in range(w):
                    X[i, j0 + j] += alpha * P[i, j0 + j]
                    r[j] = R[i, j0 + j] - alpha * Q[i, j0 + j]
                    R[i, j0 + j] = r[j]
            else:
                for j in range(w):
                    r[j] = R[i, j0 + j]
            if stored:
                for j in range(w):
                    y = r[j] + c[j]
                    z = y * D[i, j0 + j]
                    c[j] = y * E[i, j0 + j]
                    Q[i, j0 + j] = z
                    acc[j] += y * z
            else:
                g = seg[i - 1, 0] if i > 0 else 0.0
                for j in range(w):
                    y = r[j] + g * c[j]
                    z = y * D[i, j0 + j]
                    c[j] = z
                    Q[i, j0 + j] = z
                    acc[j] += y * z
        part[k] = acc[:w].sum()


@njit(parallel=PARALLEL, **FLAGS)
def backward(m, D, E, seg, block, beta, Q, P):
    """P = z + beta P with z the back substitution of Q; beta = 0 does not read P."""
    n = P.shape[0]
    stored = E.shape[0] > 0
    for k in prange((m + block - 1) // block):
        j0 = k * block
        w = min(m, j0 + block) - j0
        c = np.zeros(block)
        for i in range(n - 1, -1, -1):
            if stored:
                for j in range(w):
                    c[j] = Q[i, j0 + j] + E[i, j0 + j] * c[j]
            else:
                g = seg[i, 0] if i < n - 1 else 0.0
                for j in range(w):
                    c[j] = Q[i, j0 + j] + g * D[i, j0 + j] * c[j]
            if beta != 0.0:
                for j in range(w):
                    P[i, j0 + j] = c[j] + beta * P[i, j0 + j]
            else:
                for j in range(w):
                    P[i, j0 + j] = c[j]


@njit(parallel=PARALLEL, **FLAGS)
def advance(m, alpha, P, X):
    """X += alpha P, the last step: what `finish` needs, and no new residual."""
    for i in prange(X.shape[0]):
        for j in range(m):
            X[i, j] += alpha * P[i, j]


@njit(parallel=PARALLEL, **FLAGS)
def finish(B, n, D, E, seg, cseg, top, bottom, v, vs, shift, X, W, R, row_amps, col_amps):
    """Row voltages W = v + u, true residual R, device currents summed by row and by block.

    X holds column voltages minus `vs`. R[i, j] is the current that column node (i, j)
    receives minus what it passes on; the row nodes are eliminated exactly. An empty W is
    not written. `shift` (T, n, m), which may be empty, is a voltage in series with every
    device: I = G (row - column - shift), the tangent of a nonlinear device.
    """
    T, blocks, m, _ = B.shape
    stored = E.shape[1] > 0
    shifted = shift.shape[1] > 0
    keep = W.shape[1] > 0
    for k in prange(blocks):
        i0 = np.int64(k) * ROWS
        p = np.empty((m, ROWS))
        z = np.empty((m, ROWS))
        amps = np.zeros((ROWS, m))
        for t in range(T):
            for r in range(ROWS):
                i = min(i0 + r, n - 1)
                for j in range(m):
                    p[j, r] = X[i, j] + (vs[j] - v[t, i])
                if shifted:
                    for j in range(m):
                        p[j, r] += shift[t, i, j]
            row_sweep(B[t, k], D[t, k], E[t, k] if stored else D[t, k], seg[t, 0], stored, p, z)
            for r in range(min(ROWS, n - i0)):
                i = i0 + r
                total = 0.0
                for j in range(m):
                    a = B[t, k, j, r] * (z[j, r] - p[j, r])
                    total += a
                    amps[r, j] += a
                row_amps[t, i] = total
                if keep:
                    for j in range(m):
                        W[t, i, j] = v[t, i] + z[j, r]
        q = np.empty(m)
        for j in range(m):
            col_amps[k, j] = 0.0
        for r in range(min(ROWS, n - i0)):
            i = i0 + r
            laplace(i, m, n, cseg, top, bottom, X, q)
            for j in range(m):
                R[i, j] = amps[r, j] - q[j]
                col_amps[k, j] += amps[r, j]


@njit(**FLAGS)
def extrapolated(gain, ratio, past, slowest):
    """Energy that is still missing after a step that gained `gain`, `ratio` times the one before.

    That ratio says too little alone: a step may gain next to nothing by luck. Steps after it are
    taken to be no faster than the one before was (`past`, inf at the second step), or than
    conjugate gradients are for the spectrum that the step lengths have shown: `slowest`, the
    longest, is one over the lowest Rayleigh quotient so far.
    """
    root = np.sqrt(slowest)
    rate = (root - 1.0) / (root + 1.0)
    ratio = min(max(ratio, min(past, rate * rate)), MOST_RATIO)
    return gain * ratio / (1.0 - ratio)


@njit(cache=True, error_model="numpy")
def pcg(B, n, DR, ER, seg, cseg, flow, top, bottom, DC, EC, block, R, X, P, Q, tol, limit, state):
    """Line-preconditioned conjugate gradients S X = R, started from the X that gave R.

    Stops when the energy of what is still missing (see `extrapolated`) is below tol^2 of the
    energy found. `state` holds the norm of the residual (0 starts anew), the last step's gain
    (inf at first), the energy found, the longest step (1 at first) and the last ratio of gains
    (inf at first), so that a caller can ask for a few iterations at a time.

    Returns:
        (iterations, estimated relative energy-norm error, whether that was all)
    """
    blocks, m = B.shape[1], B.shape[2]
    part = np.zeros(blocks)
    part2 = np.zeros((m + block - 1) // block)
    rz, before, total, slowest, past = state
    if rz == 0.0:
        forward(m, DC, EC, cseg, block, 0.0, P, X, R, Q, part2)
        rz = part2.sum()
        if rz == 0.0:
            return 0, 0.0, True
        backward(m, DC, EC, cseg, block, 0.0, Q, P)
    error = np.inf
    for it in range(1, limit + 1):
        apply(B, n, DR, ER, seg, flow, top, bottom, P, Q, part)
        curvature = part.sum()
        if not (rz > 0.0 and 0.0 < curvature < np.inf):  # lost to rounding, or nan
            return it, np.inf, True
        alpha = rz / curvature
        gain = alpha * rz
        total += gain
        slowest = max(slowest, alpha)
        error = np.inf
        if before < np.inf:
            ratio = gain / before
            error = np.sqrt(extrapolated(gain, ratio, past, slowest) / total)
            past = ratio
        before = gain
        state[2] = total
        if error <= tol:
            advance(m, alpha, P, X)
            return it, error, True
        forward(m, DC, EC, cseg, block, alpha, P, X, R, Q, part2)
        new = part2.sum()
        if new == 0.0:
            return it, 0.0, True
        backward(m, DC, EC, cseg, block, new / rz, Q, P)
        rz = new
    state[0], state[1], state[3], state[4] = rz, before, slowest, past
    return limit, error, False
