"""Conjugate gradients over multigrid for many right-hand sides on a graded grid.

Coarser grids leave out every other line where lines lie close (so a grid that is fine in one
direction only is made coarser in that one first), interpolate linearly between those kept and
take the Galerkin product of the finer matrix. Single precision holds far more digits than are
asked for, in half the time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, kron
from scipy.sparse.linalg import splu

from . import stencil
from .lines import Lines

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Arrays = tuple[NDArray[np.int64], NDArray[np.int32], Singles]
#: the coarsest matrix is factorised
_COARSEST = 1500
#: a level has at most this share of the corners of the one below
_SHARE = 0.4
_MOST = 60


@dataclass
class _Level:
    """A matrix (diagonal first in each row), and how to come to it from the coarser one."""

    starts: NDArray[np.int64]
    columns: NDArray[np.int32]
    values: Singles
    down: Arrays | None = None
    up: Arrays | None = None


class Multigrid:
    """A matrix of the corners of a grid with its coarser levels.

    Args:
        matrix: CSR arrays of the free corners, diagonal first.
        lines: the grid.
        free: corners that are free, in the matrix's order.
    """

    def __init__(
        self,
        matrix: tuple[NDArray[np.int64], NDArray[np.int32], Floats],
        lines: Lines,
        free: NDArray[np.bool_],
    ) -> None:
        starts, columns, values = matrix
        self.n = len(starts) - 1
        self.levels: list[_Level] = []
        axes: tuple[Floats, ...] = (lines.x, lines.y, lines.z)
        fine = free
        current = csr_matrix((values, columns, starts), (self.n, self.n))
        while True:
            level = _Level(*_diagonal_first(current))
            self.levels.append(level)
            if current.shape[0] <= _COARSEST:
                break
            kept = _kept(axes)
            if all(k.all() for k in kept):
                break
            coarse = fine[np.ix_(*kept)]
            steps = [_linear(axis, k) for axis, k in zip(axes, kept, strict=True)]
            whole = kron(kron(steps[0], steps[1], "csr"), steps[2], "csr")
            up = whole[fine.ravel()][:, coarse.ravel()].tocsr()
            if not 0 < up.shape[1] < current.shape[0]:
                break
            down = up.T.tocsr()
            current = (down @ (current @ up)).tocsr()
            empty = np.flatnonzero(current.diagonal() <= 0)
            if len(empty):  # corners that no finer one sees
                current = current + csr_matrix((np.ones(len(empty)), (empty, empty)), current.shape)
            level.up, level.down = _arrays(up), _arrays(down)
            axes = tuple(axis[k] for axis, k in zip(axes, kept, strict=True))
            fine = coarse
        self._direct = splu(current.tocsc()) if current.shape[0] <= 20 * _COARSEST else None

    def solve(self, b: Singles, tolerance: float) -> tuple[Singles, int]:
        """Return potentials for each column of `b`, and the iterations.

        Args:
            b: right-hand sides, (corners, problems).
            tolerance: energy of the error as a share of the solution's, about.
        """
        finest = self.levels[0]
        u, r = np.zeros_like(b), b.copy()
        q, z = np.empty_like(b), self._cycle(r)
        p, rho = z.copy(), _dots(r, z)
        start = np.where(rho > 0, rho, 1.0)
        for count in range(1, _MOST + 1):
            stencil.product(finest.starts, finest.columns, finest.values, p, q)
            below = _dots(p, q)
            alpha = np.where(below > 0, rho / np.where(below > 0, below, 1.0), 0.0)
            alpha = alpha.astype(np.float32)
            u += alpha * p
            r -= alpha * q
            z = self._cycle(r)
            new = _dots(r, z)
            if np.all(new <= tolerance * start):
                return u, count
            p *= np.where(rho > 0, new / np.where(rho > 0, rho, 1.0), 0.0).astype(np.float32)
            p += z
            rho = new
        return u, -1

    def _cycle(self, b: Singles, at: int = 0) -> Singles:
        """One V-cycle from zero."""
        level = self.levels[at]
        u = np.zeros_like(b)
        if level.up is None or level.down is None:
            if self._direct is not None:
                return np.asarray(self._direct.solve(b.astype(np.float64)), dtype=np.float32)
            stencil.sweep_from_zero(level.starts, level.columns, level.values, b, u)
            stencil.sweep_down(level.starts, level.columns, level.values, b, u)
            return u
        stencil.sweep_from_zero(level.starts, level.columns, level.values, b, u)
        r = np.empty_like(b)
        stencil.left_after(level.starts, level.columns, level.values, u, r)
        coarse = np.empty((len(level.down[0]) - 1, b.shape[1]), dtype=b.dtype)
        stencil.product(*level.down, r, coarse)
        stencil.add_product(*level.up, self._cycle(coarse, at + 1), u)
        stencil.sweep_down(level.starts, level.columns, level.values, b, u)
        return u


def _dots(a: Singles, b: Singles) -> Floats:
    """Return the products of columns, summed up in double precision."""
    found: Floats = stencil.dots(a, b)
    return found


def _arrays(matrix: csr_matrix) -> Arrays:
    return (
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int32),
        matrix.data.astype(np.float32),
    )


def _diagonal_first(matrix: csr_matrix) -> Arrays:
    """Return a matrix's arrays with the diagonal first in each row."""
    starts, columns, values = _arrays(matrix)
    stencil.diagonal_first(starts, columns, values)
    return starts, columns, values


def _kept(axes: tuple[Floats, ...]) -> list[NDArray[np.bool_]]:
    """Return which lines of each direction the coarser grid keeps."""
    size = np.prod([len(axis) for axis in axes])
    reach = min(float(np.diff(axis).min()) for axis in axes if len(axis) > 2) * 2
    while True:
        kept = [_thin(axis, reach) for axis in axes]
        left = np.prod([k.sum() for k in kept])
        if left <= _SHARE * size or reach > 4 * max(float(axis[-1] - axis[0]) for axis in axes):
            return kept
        reach *= 1.4


def _thin(axis: Floats, reach: float) -> NDArray[np.bool_]:
    """Leave out lines whose neighbours lie within a reach of each other, not two in a row."""
    kept = np.ones(len(axis), dtype=bool)
    last = 0
    for i in range(1, len(axis) - 1):
        if last == i - 1 and axis[i + 1] - axis[i - 1] <= reach:
            kept[i] = False
        else:
            last = i
    return kept


def _linear(axis: Floats, kept: NDArray[np.bool_]) -> csr_matrix:
    """Return the interpolation from the lines kept to all."""
    n = len(axis)
    left = np.maximum.accumulate(np.where(kept, np.arange(n), 0))
    right = np.minimum.accumulate(np.where(kept, np.arange(n), n - 1)[::-1])[::-1]
    number = np.cumsum(kept) - 1
    width = axis[right] - axis[left]
    share = np.where(width > 0, (axis - axis[left]) / np.where(width > 0, width, 1.0), 0.0)
    rows = np.concatenate([np.arange(n), np.arange(n)])
    columns = np.concatenate([number[left], number[right]])
    values = np.concatenate([1 - share, share])
    used = values > 0
    return csr_matrix((values[used], (rows[used], columns[used])), (n, int(kept.sum())))
