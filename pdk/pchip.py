"""Monotone cubic interpolation without scipy.interpolate, whose import takes longer than a solve.

Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5, 300 (1984), with one-sided slopes at the ends, as
`scipy.interpolate.pchip_interpolate` has them; a test holds the two together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def pchip(x: Floats, y: Floats, at: Floats) -> Floats:
    """Interpolate columns of a table; neither a peak nor a dip comes in between two points.

    Args:
        x: rising places, at least 2.
        y: values at them, shape (len(x), ...).
        at: places between the first and the last of `x`.
    """
    step = np.diff(x).reshape(-1, *[1] * (y.ndim - 1))
    rise = np.diff(y, axis=0) / step
    slope = _slopes(step, rise)
    k = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    h = step[k]
    t = (at - x[k]).reshape(-1, *[1] * (y.ndim - 1)) / h
    bend = (3 * rise[k] - 2 * slope[k] - slope[k + 1]) / h
    twist = (slope[k] + slope[k + 1] - 2 * rise[k]) / h**2
    found: Floats = y[k] + t * h * (slope[k] + t * h * (bend + t * h * twist))
    return found


def _slopes(step: Floats, rise: Floats) -> Floats:
    """Return slopes at the points: harmonic means of both sides, zero where these turn."""
    if len(rise) == 1:
        return np.concatenate([rise, rise])
    first, second = 2 * step[1:] + step[:-1], step[1:] + 2 * step[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (first + second) / (first / rise[:-1] + second / rise[1:])
    inner = np.where(rise[:-1] * rise[1:] > 0, mean, 0.0)
    low = _end(step[0], step[1], rise[0], rise[1])
    high = _end(step[-1], step[-2], rise[-1], rise[-2])
    return np.concatenate([low[None], inner, high[None]])


def _end(h0: Floats, h1: Floats, rise0: Floats, rise1: Floats) -> Floats:
    """Return the slope at an end, from its two intervals, that keeps the shape."""
    slope = ((2 * h0 + h1) * rise0 - h0 * rise1) / (h0 + h1)
    turned = np.sign(slope) != np.sign(rise0)
    steep = (np.sign(rise0) != np.sign(rise1)) & (np.abs(slope) > 3 * np.abs(rise0))
    found: Floats = np.where(turned, 0.0, np.where(steep, 3 * rise0, slope))
    return found
