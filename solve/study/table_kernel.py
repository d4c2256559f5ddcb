"""Compiled steps of transistors by their table; see `in_series`, which they serve.

A few hundred transistors at a time go through passes whose values stay in the first cache. All but
the one that looks up the table are loops that compilers turn into vector instructions.
"""
# mypy: ignore-errors

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from ..crossbar.kernels import FLAGS, PARALLEL
from .limits import LEAST_DIVISOR, LEAST_LEFT

#: transistors of one pass, and of one thread's turn
CHUNK, TURN = 256, 16384
#: size of an exponent up to which eleven terms of its series give every digit
_SMALL = 0.25
#: values of a transistor that passes hand on, and of its cell in the table
_VALUES, _OF_CELL = 12, 8


@njit(inline="always", **FLAGS)
def within(value, first, last):
    """Value, or the end that it is beyond; what is no number is at the first."""
    value = value if value > first else first
    return value if value < last else last


@njit(inline="always", **FLAGS)
def small_exp(x):
    """e^x for small x, of either sign."""
    high = 1.0 + x / 9.0 * (1.0 + x / 10.0 * (1.0 + x / 11.0))
    middle = 1.0 + x / 5.0 * (1.0 + x / 6.0 * (1.0 + x / 7.0 * (1.0 + x / 8.0 * high)))
    return 1.0 + x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * middle)))


@njit(**FLAGS)
def taken(which, devices, lines, ohm, through, out):
    """What is known of some transistors, whose numbers rise, one row of `out` each.

    All in one loop: processors fetch ahead along many streams at once.
    """
    size, first = len(which), which[0]
    g, tap, row_tap = devices
    rows, cols = lines
    if which[size - 1] - first == size - 1:
        for k in range(size):
            n = first + k
            out[0, k], out[1, k], out[2, k] = g[n], tap[n], row_tap[n]
            out[3, k], out[4, k] = rows[n], rows[n] - cols[n]
            out[5, k], out[6, k], out[7, k] = ohm[n], through[n], through[n]
    else:
        for k in range(size):
            n = which[k]
            out[0, k], out[1, k], out[2, k] = g[n], tap[n], row_tap[n]
            out[3, k], out[4, k] = rows[n], rows[n] - cols[n]
            out[5, k], out[6, k], out[7, k] = ohm[n], through[n], through[n]


@njit(**FLAGS)
def put(which, values, out):
    """Put values of some transistors back."""
    size = len(which)
    first = which[0]
    if which[size - 1] - first == size - 1:
        for k in range(size):
            out[first + k] = values[k]
    else:
        for k in range(size):
            out[which[k]] = values[k]


@njit(**FLAGS)
def ends(size, is_p, table, row_tap, rows, volts, ohm, through, amps, source, drop, even):
    """Current of every transistor, the voltages that its table is over, their even steps."""
    s_ends, s_even, _, t_ends, t_even, _, _ = table
    s_first, s_last, s_scale = s_ends[0], s_ends[1], s_ends[2]
    t_first, t_last, t_scale = t_ends[0], t_ends[1], t_ends[2]
    s_most, t_most = np.int32(len(s_even) - 1), np.int32(len(t_even) - 1)
    for k in range(size):
        amps[k] = through[k] * volts[k]
        near = rows[k] - row_tap[k] * amps[k]
        drop[k] = ohm[k] * amps[k]
        far = near - drop[k]
        low, high = (near, far) if near < far else (far, near)
        source[k] = high if is_p else low
        s = np.int32((within(source[k], s_first, s_last) - s_first) * s_scale)
        t = np.int32((within(abs(drop[k]), t_first, t_last) - t_first) * t_scale)
        even[0, k] = s if s < s_most else s_most
        even[1, k] = t if t < t_most else t_most


@njit(**FLAGS)
def looked_up(size, table, source, drop, even, cell):
    """Start of the interval of source and of drop, 1 / V of both; what cells hold."""
    s_ends, s_even, s_axis, t_ends, t_even, t_axis, cells = table
    s_first, s_last, t_first, t_last = s_ends[0], s_ends[1], t_ends[0], t_ends[1]
    width = len(t_axis)
    # unsigned: none of them counts from the end
    for k in range(size):
        i, j = s_even[np.uint64(even[0, k])], t_even[np.uint64(even[1, k])]
        i += within(source[k], s_first, s_last) >= s_axis[np.uint64(i), 2]
        j += within(abs(drop[k]), t_first, t_last) >= t_axis[np.uint64(j), 2]
        n, i, j = np.uint64(i * width + j), np.uint64(i), np.uint64(j)
        cell[0, k], cell[1, k] = s_axis[i, 0], s_axis[i, 1]
        cell[2, k], cell[3, k] = t_axis[j, 0], t_axis[j, 1]
        for part in range(4):
            cell[4 + part, k] = cells[n, part]


@njit(**FLAGS)
def read_off(size, table, source, drop, cell, by_source, by_drop):
    """What ln R rises by along source and drop; in `cell[4]` R in place of its corner's."""
    s_first, s_last, t_first, t_last = table[0][0], table[0][1], table[3][0], table[3][1]
    rise = cell[0]
    large = 0
    for k in range(size):
        s, t = source[k], abs(drop[k])
        share_s = (within(s, s_first, s_last) - cell[0, k]) * cell[1, k]
        share_t = (within(t, t_first, t_last) - cell[2, k]) * cell[3, k]
        along, across = cell[5, k] + cell[7, k] * share_t, cell[6, k] + cell[7, k] * share_s
        rise[k] = cell[6, k] * share_t + along * share_s
        large += abs(rise[k]) > _SMALL
        # beyond the table its ends hold
        by_source[k] = along * cell[1, k] if (s_first < s) & (s < s_last) else 0.0
        by_drop[k] = across * cell[3, k] if (t_first < t) & (t < t_last) else 0.0
    if large:
        for k in range(size):
            cell[4, k] *= math.exp(rise[k])
    else:
        for k in range(size):
            cell[4, k] *= small_exp(rise[k])


@njit(**FLAGS)
def moved(size, factor, is_p, devices, wanted, amps, drop, by_source, by_drop, ohm, through):
    """Newton's step of every transistor."""
    g, tap, row_tap = devices
    for k in range(size):
        backward = drop[k] < 0.0
        by_near = -by_drop[k] if backward else by_drop[k]
        by_near += by_source[k] if backward != is_p else 0.0
        part = through[k] * ohm[k]
        gain = by_source[k] * row_tap[k] * amps[k] * part
        gain -= (by_source[k] - by_near) * drop[k] * (1.0 - part)
        less = 1.0 - gain if 1.0 - gain > LEAST_DIVISOR else LEAST_DIVISOR
        found = ohm[k] + (factor * wanted[k] - ohm[k]) / less
        least = LEAST_LEFT * ohm[k]
        # what is no number stays none
        ohm[k] = (found if found > least else least) + 0.0 * drop[k]
        through[k] = g[k] / (1.0 + (tap[k] + ohm[k]) * g[k])


@njit(**FLAGS)
def gathered(which, part, sink, volts, before, through, sums):
    """Add every device's current to its output, and how much it has changed."""
    for k in range(len(which)):
        n = which[k]
        amps = part[n] * volts[k]
        sums[0, sink[n]] += amps * through[k]
        sums[1, sink[n]] += abs(amps * (through[k] - before[k]))


@njit(parallel=PARALLEL, **FLAGS)
def steps(mine, table, factor, is_p, devices, lines, ohm, through, outputs, sums):
    """Take Newton's step of some transistors between lines that hold still, in place.

    Args:
        mine: their numbers, rising.
        table: see `Surface.packed`.
        factor: what the table's ohm are scaled by.
        is_p: whether the source is the higher end.
        devices: S, ohm in series anyway, and the part of that on the row's side.
        lines: voltages of row and column line.
        ohm: of the transistors; renewed.
        through: conductance between the lines; renewed.
        outputs: share of a device's current that leaves by its output, and that, -1 for none.
        sums: currents of the outputs, and how much of it is new, are added to those of every turn,
            (turns, 2, outputs + 1); of shape (0, ...) not wanted.
    """
    turns = (len(mine) + TURN - 1) // TURN
    part, sink = outputs
    for turn in prange(turns):
        work, cell = np.empty((_VALUES, CHUNK)), np.empty((_OF_CELL, CHUNK))
        even = np.empty((2, CHUNK), np.int32)
        g, tap, row_tap, rows, volts = work[0], work[1], work[2], work[3], work[4]
        r, y, before, amps = work[5], work[6], work[7], work[8]
        source, drop, by_drop = work[9], work[10], work[11]
        for at in range(turn * TURN, min((turn + 1) * TURN, len(mine)), CHUNK):
            which = mine[at : min(at + CHUNK, len(mine))]
            size = len(which)
            taken(which, devices, lines, ohm, through, work)
            ends(size, is_p, table, row_tap, rows, volts, r, y, amps, source, drop, even)
            looked_up(size, table, source, drop, even, cell)
            # slopes along the source take the place of its voltage
            read_off(size, table, source, drop, cell, source, by_drop)
            moved(size, factor, is_p, (g, tap, row_tap), cell[4], amps, drop, source, by_drop, r, y)
            put(which, r, ohm)
            put(which, y, through)
            if sums.shape[0] > 0:
                gathered(which, part, sink, volts, before, y, sums[turn])
