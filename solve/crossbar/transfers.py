"""Compiled transfers between multigrid levels, and vector updates."""
# mypy: ignore-errors

from __future__ import annotations

import numpy as np
from numba import njit, prange

from .kernels import FLAGS, PARALLEL


@njit(parallel=PARALLEL, **FLAGS)
def coarsen_devices(G, out):
    """Sum 2 x 2 devices."""
    T, n, m = G.shape
    _, nc, mc = out.shape
    for I in prange(nc):
        for t in range(T):
            for J in range(mc):
                s = 0.0
                for i in range(2 * I, min(n, 2 * I + 2)):
                    for j in range(2 * J, min(m, 2 * J + 2)):
                        s += G[t, i, j]
                out[t, I, J] = s


@njit(parallel=PARALLEL, **FLAGS)
def restrict(R, m, out, mc, tmp):
    """Transpose of `prolong`."""
    n = R.shape[0]
    nc = out.shape[0]
    for i in prange(n):
        for J in range(mc):
            s = 0.0
            for j in range(2 * J, min(m, 2 * J + 2)):
                other = J - 1 if j == 2 * J else J + 1
                s += (0.75 if 0 <= other < mc else 1.0) * R[i, j]
            if J > 0:
                s += 0.25 * R[i, 2 * J - 1]
            if m > 2 * J + 2:
                s += 0.25 * R[i, 2 * J + 2]
            tmp[i, J] = s
    for I in prange(nc):
        for J in range(mc):
            s = 0.0
            for i in range(2 * I, min(n, 2 * I + 2)):
                other = I - 1 if i == 2 * I else I + 1
                s += (0.75 if 0 <= other < nc else 1.0) * tmp[i, J]
            if I > 0:
                s += 0.25 * tmp[2 * I - 1, J]
            if n > 2 * I + 2:
                s += 0.25 * tmp[2 * I + 2, J]
            out[I, J] = s


@njit(parallel=PARALLEL, **FLAGS)
def prolong(coarse, mc, m, Z):
    """Z += bilinear interpolation of the cell-centred coarse values."""
    n = Z.shape[0]
    nc = coarse.shape[0]
    for i in prange(n):
        row = np.empty(mc)
        I = i // 2
        K = I - 1 if i % 2 == 0 else I + 1
        if K < 0 or nc <= K:
            K = I
        for J in range(mc):
            row[J] = 0.75 * coarse[I, J] + 0.25 * coarse[K, J]
        for j in range(m):
            J = j // 2
            L = J - 1 if j % 2 == 0 else J + 1
            if L < 0 or mc <= L:
                L = J
            Z[i, j] += 0.75 * row[J] + 0.25 * row[L]


@njit(parallel=PARALLEL, **FLAGS)
def step(m, alpha, P, Q, X, R):
    """X += alpha P, R -= alpha Q."""
    for i in prange(X.shape[0]):
        for j in range(m):
            X[i, j] += alpha * P[i, j]
            R[i, j] -= alpha * Q[i, j]


@njit(parallel=PARALLEL, **FLAGS)
def combine(m, a, A, b, B, out, part):
    """Out = a A + b B; part sums to A.B before."""
    for i in prange(out.shape[0]):
        acc = np.zeros(m)
        for j in range(m):
            acc[j] = A[i, j] * B[i, j]
            out[i, j] = a * A[i, j] + b * B[i, j]
        part[i] = acc.sum()
