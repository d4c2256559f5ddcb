"""The same crossbar at half the resolution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .lines import Lines
from .transfers import coarsen_devices

Floats = NDArray[np.float64]


def coarser(lines: Lines) -> Lines:
    """The crossbar of half the size: 2 x 2 devices in parallel, lines merged pairwise."""
    T, n, m = lines.G.shape
    nc, mc = (n + 1) // 2, (m + 1) // 2
    G = np.empty((T, nc, mc))
    coarsen_devices(lines.G, G)
    with np.errstate(divide="ignore"):
        row = 1.0 / lines.row_seg
        col = 1.0 / lines.col_seg
        left, right, top, bottom = (
            1.0 / g for g in (lines.left, lines.right, lines.top, lines.bottom)
        )
    full_row = np.broadcast_to(row, (T, row.shape[1], m - 1))
    full_col = np.broadcast_to(col, (n - 1, col.shape[1]))
    half_row = _pair(_between(full_row, 2), 1, T, n)
    half_col = _pair(_between(full_col.T, 1), 0, 1, m).T
    return Lines(
        G=G,
        left=_pair(left + full_row[:, :, 0] / 2, 1, T, n),
        right=_pair(right + (full_row[:, :, -1] / 2 if m % 2 == 0 else 0.0), 1, T, n),
        row_seg=np.ascontiguousarray(half_row),
        top=_pair(top + full_col[0] / 2, 0, 1, m),
        bottom=_pair(bottom + (full_col[-1] / 2 if n % 2 == 0 else 0.0), 0, 1, m),
        col_seg=np.ascontiguousarray(half_col),
    )


def _between(ohm: Floats, axis: int) -> Floats:
    """Resistance between the centres of neighbouring pairs of cells along the last axis."""
    count = (ohm.shape[axis] + 2) // 2 - 1
    middle = ohm[..., 1 : 2 * count : 2]
    after = ohm[..., 2 : 2 * count + 1 : 2]
    if after.shape[-1] < count:  # the last pair is a single cell, its centre is its node
        after = np.concatenate([after, np.zeros((*after.shape[:-1], 1))], axis=-1)
    return ohm[..., 0 : 2 * count : 2] / 2 + middle + after / 2


def _pair(ohm: Floats, axis: int, lead: int, lines: int) -> Floats:
    """Conductance of neighbouring lines in parallel along `axis`, from their ohm."""
    with np.errstate(divide="ignore"):
        g = 1.0 / ohm
    if g.shape[axis] == 1 and lines > 1:
        return 2.0 * g  # one profile for all lines: every pair conducts twice as well
    return np.add.reduceat(g, np.arange(0, g.shape[axis], 2), axis=axis)


def halved(values: Floats) -> Floats:
    """Means of neighbouring pairs along the last axis; an odd last value stays as it is."""
    starts = np.arange(0, values.shape[-1], 2)
    counts = np.minimum(2, values.shape[-1] - starts)
    out: Floats = np.add.reduceat(values, starts, axis=-1) / counts
    return out
