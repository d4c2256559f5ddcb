"""Compiled kernels of the field solver: conductances of a grid, sweeps, products.

Potentials are at the corners of the cells. A link between two corners carries the flux of the
quarter of each cell beside it, so that permittivity jumps where it does and the charge on a
conductor is the flux out of its corners. Potentials of several problems lie side by side in the
last axis: one pass over the matrix serves them all.
"""
# mypy: ignore-errors

from __future__ import annotations

import numpy as np
from numba import njit

FLAGS = {
    "cache": True,
    "nogil": True,
    "fastmath": {"contract", "nsz", "arcp", "reassoc"},
    "error_model": "numpy",
}


@njit(**FLAGS)
def links(k, x, y, z):
    """Conductance of the links along x, y and z by the permittivity of cells (um of vacuum)."""
    nx, ny, nz = len(x), len(y), len(z)
    gx = np.zeros((nx - 1, ny, nz))
    gy = np.zeros((nx, ny - 1, nz))
    gz = np.zeros((nx, ny, nz - 1))
    for i in range(nx - 1):
        dx = x[i + 1] - x[i]
        for j in range(ny - 1):
            dy = y[j + 1] - y[j]
            for m in range(nz - 1):
                dz = z[m + 1] - z[m]
                e = k[i, j, m] / 4
                if e == 0.0:
                    continue
                a = e * dy * dz / dx
                gx[i, j, m] += a
                gx[i, j + 1, m] += a
                gx[i, j, m + 1] += a
                gx[i, j + 1, m + 1] += a
                a = e * dx * dz / dy
                gy[i, j, m] += a
                gy[i + 1, j, m] += a
                gy[i, j, m + 1] += a
                gy[i + 1, j, m + 1] += a
                a = e * dx * dy / dz
                gz[i, j, m] += a
                gz[i + 1, j, m] += a
                gz[i, j + 1, m] += a
                gz[i + 1, j + 1, m] += a
    return gx, gy, gz


@njit(**FLAGS)
def assemble(gx, gy, gz, number, count):
    """CSR matrix of the free corners, diagonal first in each row."""
    nx, ny, nz = number.shape
    starts = np.zeros(count + 1, dtype=np.int64)
    columns = np.empty(7 * count, dtype=np.int32)
    values = np.empty(7 * count)
    at = 0
    row = 0
    for i in range(nx):
        for j in range(ny):
            for m in range(nz):
                if number[i, j, m] < 0:
                    continue
                place = at
                at += 1
                total = 0.0
                for side in range(6):
                    a, b, c = i, j, m
                    g = 0.0
                    if side == 0 and i > 0:
                        a, g = i - 1, gx[i - 1, j, m]
                    elif side == 1 and i < nx - 1:
                        a, g = i + 1, gx[i, j, m]
                    elif side == 2 and j > 0:
                        b, g = j - 1, gy[i, j - 1, m]
                    elif side == 3 and j < ny - 1:
                        b, g = j + 1, gy[i, j, m]
                    elif side == 4 and m > 0:
                        c, g = m - 1, gz[i, j, m - 1]
                    elif side == 5 and m < nz - 1:
                        c, g = m + 1, gz[i, j, m]
                    if g == 0.0:
                        continue
                    total += g
                    if number[a, b, c] >= 0:
                        columns[at] = number[a, b, c]
                        values[at] = -g
                        at += 1
                columns[place] = row
                values[place] = total
                row += 1
                starts[row] = at
    return starts, columns[:at].copy(), values[:at].copy()


@njit(**FLAGS)
def apply_links(gx, gy, gz, phi, out):
    """Flux out of every corner of a grid, out = L phi."""
    nx, ny, nz = phi.shape
    out[:] = 0.0
    for i in range(nx):
        for j in range(ny):
            for m in range(nz):
                v = phi[i, j, m]
                if i < nx - 1:
                    f = gx[i, j, m] * (v - phi[i + 1, j, m])
                    out[i, j, m] += f
                    out[i + 1, j, m] -= f
                if j < ny - 1:
                    f = gy[i, j, m] * (v - phi[i, j + 1, m])
                    out[i, j, m] += f
                    out[i, j + 1, m] -= f
                if m < nz - 1:
                    f = gz[i, j, m] * (v - phi[i, j, m + 1])
                    out[i, j, m] += f
                    out[i, j, m + 1] -= f


@njit(**FLAGS)
def sweep_from_zero(starts, columns, values, b, u):
    """Gauss-Seidel from the first row to the last, from u = 0: what lies before a row counts.

    The diagonal stands first in each row.
    """
    n, k = u.shape
    s = np.empty(k, dtype=u.dtype)
    for i in range(n):
        s[:] = b[i]
        first = starts[i]
        for p in range(first + 1, starts[i + 1]):
            c = columns[p]
            if c < i:
                v = values[p]
                for r in range(k):
                    s[r] -= v * u[c, r]
        d = 1 / values[first]
        for r in range(k):
            u[i, r] = s[r] * d


@njit(**FLAGS)
def left_after(starts, columns, values, u, out):
    """Write what that sweep leaves to `out`: b - A u is what lies behind each row."""
    n, k = out.shape
    for i in range(n):
        for r in range(k):
            out[i, r] = 0.0
        for p in range(starts[i] + 1, starts[i + 1]):
            c = columns[p]
            if c > i:
                v = values[p]
                for r in range(k):
                    out[i, r] -= v * u[c, r]


@njit(**FLAGS)
def sweep_down(starts, columns, values, b, u):
    """Gauss-Seidel from the last row to the first."""
    n, k = u.shape
    s = np.empty(k, dtype=u.dtype)
    for i in range(n - 1, -1, -1):
        s[:] = b[i]
        first = starts[i]
        for p in range(first + 1, starts[i + 1]):
            v = values[p]
            c = columns[p]
            for r in range(k):
                s[r] -= v * u[c, r]
        d = 1 / values[first]
        for r in range(k):
            u[i, r] = s[r] * d


@njit(**FLAGS)
def product(starts, columns, values, u, out):
    """Write A u to `out`."""
    n, k = out.shape
    for i in range(n):
        for r in range(k):
            out[i, r] = 0.0
        for p in range(starts[i], starts[i + 1]):
            v = values[p]
            c = columns[p]
            for r in range(k):
                out[i, r] += v * u[c, r]


@njit(**FLAGS)
def add_product(starts, columns, values, u, out):
    """Add P u to `out`."""
    n, k = out.shape
    for i in range(n):
        for p in range(starts[i], starts[i + 1]):
            v = values[p]
            c = columns[p]
            for r in range(k):
                out[i, r] += v * u[c, r]


@njit(**FLAGS)
def diagonal_first(starts, columns, values):
    """Move the diagonal of each row to its front."""
    for i in range(len(starts) - 1):
        first = starts[i]
        for p in range(first, starts[i + 1]):
            if columns[p] == i:
                columns[first], columns[p] = columns[p], columns[first]
                v = values[first]
                values[first] = values[p]
                values[p] = v
                break


@njit(**FLAGS)
def dots(a, b):
    """Products of columns, summed up in double precision."""
    n, k = a.shape
    out = np.zeros(k)
    for i in range(n):
        for r in range(k):
            out[r] += np.float64(a[i, r]) * np.float64(b[i, r])
    return out
