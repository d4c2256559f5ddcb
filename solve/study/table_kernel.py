"""Compiled steps of transistors whose table has even axes; see `in_series`, which they serve.

The same arithmetic in NumPy passes over memory some forty times; here a transistor is one pass.
"""
# mypy: ignore-errors

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..crossbar.kernels import FLAGS
from .limits import LEAST_DIVISOR, LEAST_LEFT


@njit(inline="always", **FLAGS)
def interval(value, grid, intervals, end, first, last, scale):
    """Interval of a value by arithmetic; the table's ends hold."""
    even = min(int((min(max(value, first), last) - first) * scale), len(intervals) - 1)
    k = intervals[even]
    return k + 1 if value >= end[k] else k


@njit(**FLAGS)
def steps(mine, table, factor, is_p, devices, lines, ohm, less, through, slopes):
    """Take Newton's step of some transistors between lines that hold still, in place.

    Args:
        mine: their numbers.
        table: axis of the source's voltage, axis of the drop, and of every cell ln R at its
            first corner and its rise along source, drop and both.
        factor: what the table's ohm are scaled by.
        is_p: whether the source is the higher end.
        devices: S, ohm in series anyway, and the part of that on the row's side.
        lines: voltages of row and column line.
        ohm: of the transistors; renewed.
        less: one less what a resistance does to itself; found anew for new slopes.
        through: conductance between the lines; renewed.
        slopes: whether they are new.
    """
    source_axis, drop_axis, (corner, along, across, both) = table
    s_grid, s_per_v, s_intervals, s_end, s_first, s_last, s_scale = source_axis
    t_grid, t_per_v, t_intervals, t_end, t_first, t_last, t_scale = drop_axis
    g, tap, row_tap = devices
    rows, cols = lines
    width = len(t_per_v)
    for n in mine:
        amps = through[n] * (rows[n] - cols[n])
        near, drop = rows[n] - row_tap[n] * amps, ohm[n] * amps
        far = near - drop
        if math.isnan(drop):
            ohm[n] = through[n] = np.nan
            continue
        source = max(near, far) if is_p else min(near, far)
        size = abs(near - far)
        i = interval(source, s_grid, s_intervals, s_end, s_first, s_last, s_scale)
        j = interval(size, t_grid, t_intervals, t_end, t_first, t_last, t_scale)
        s = (min(max(source, s_first), s_last) - s_grid[i]) * s_per_v[i]
        t = (min(max(size, t_first), t_last) - t_grid[j]) * t_per_v[j]
        cell = i * width + j
        by_source = along[cell] + both[cell] * t
        wanted = factor * math.exp(corner[cell] + across[cell] * t + by_source * s)
        if slopes:
            by_source *= s_per_v[i] if s_first < source < s_last else 0.0
            by_drop = across[cell] + both[cell] * s
            by_drop *= t_per_v[j] if t_first < size < t_last else 0.0
            by_near = -by_drop if near < far else by_drop
            if (near < far) != is_p:
                by_near += by_source
            part = through[n] * ohm[n]
            gain = by_source * row_tap[n] * amps * part - (by_source - by_near) * drop * (
                1.0 - part
            )
            less[n] = max(1.0 - gain, LEAST_DIVISOR)
        ohm[n] *= max(1.0 + (wanted / ohm[n] - 1.0) / less[n], LEAST_LEFT)
        through[n] = g[n] / (1.0 + (tap[n] + ohm[n]) * g[n])
