"""Devices that see each other through lines only: the system that every new set of them solves.

Without its devices a network falls apart into lines, so that what one ampere into a device does
to another is a block for each line: u = s - Z i, with the voltages s that the sources leave over
the devices when none conducts, and i = g u. In y = sqrt(g) u this is symmetric with no eigenvalue
below 1, missing devices included, so that conjugate gradients need few steps; the blocks of one
direction, inverted once for a set of devices, are the preconditioner. All drives are lanes of one
matrix product.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ...base.errors import ConvergenceError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Residual at which steps end, and the one that is accepted, relative to what drives a lane.
TOLERANCE, ACCEPTED = 1e-12, 1e-11
MAX_STEPS = 1000
#: conductance of a device times what it sees of its lines, from which on currents are solved for at
#: once, and in how many devices at most: 0.1 s, 50 MB
SHORTED, MOST_SHORTED = 100.0, 2500
#: steps without a gain after which rounding is reached
_PATIENCE = 5
_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, eq=False)
class Side:
    """What the devices see of the lines of one direction.

    Attributes:
        ohm: voltage at each device of a line for 1 A into another, shape (lines, K, K); rows of
            lines that have fewer devices are filled with 0.
        device: number of each, shape (lines, K); that of no device is one more than the last.
    """

    ohm: Floats
    device: Ints

    def load(self, g: Floats) -> float:
        """Largest sum over a line of ohm times siemens: how much the line matters."""
        whole = np.append(g, 0.0)[self.device]
        if not self.ohm.size:
            return 0.0
        return float(np.matmul(self.ohm, whole[:, :, None]).max())

    def add(self, amps: Floats, out: Floats) -> None:
        """Add the voltages that currents into the devices make.

        Args:
            amps: shape (devices + 1, lanes), the last row 0.
            out: of the same shape.
        """
        if self.ohm.size:
            seen = np.matmul(self.ohm, amps[self.device])
            # a device is on one line of a side; the filler row takes what nobody reads
            out[self.device.reshape(-1)] += seen.reshape(-1, seen.shape[2])

    def inverse(self, root: Floats) -> Floats:
        """Inverse of 1 + S Z S of every line for roots S of conductances, as blocks."""
        s = np.append(root, 0.0)[self.device]
        block = s[:, :, None] * self.ohm * s[:, None, :]
        block += np.eye(self.ohm.shape[1])
        return np.linalg.inv(block)

    def applied(self, blocks: Floats, values: Floats) -> Floats:
        """Blocks times values of the devices; devices on no line keep theirs."""
        out = values.copy()
        if blocks.size:
            out[self.device] = np.matmul(blocks, values[self.device])
            out[-1] = 0.0
        return out


@dataclass(frozen=True, eq=False)
class Blocks:
    """The devices' mutual resistance through the lines of both directions.

    Attributes:
        sides: rows and columns.
        size: number of devices.
    """

    sides: tuple[Side, Side]
    size: int

    @property
    def nbytes(self) -> int:
        """Bytes of all blocks."""
        return sum(side.ohm.nbytes for side in self.sides)

    @cached_property
    def own(self) -> Floats:
        """What each device sees of the lines by itself, ohm, shape (size,)."""
        out = np.zeros(self.size + 1)
        for side in self.sides:
            if side.ohm.size:
                out[side.device] += np.diagonal(side.ohm, axis1=1, axis2=2)
        return out[:-1]

    @cached_property
    def whole(self) -> Floats:
        """What every device sees of every other, ohm, shape (size, size)."""
        return self.drops(np.eye(self.size))

    def drops(self, amps: Floats) -> Floats:
        """Voltage that device currents take from the devices, shape (size, lanes)."""
        padded = np.zeros((self.size + 1, amps.shape[1]))
        padded[:-1] = amps
        out = np.zeros_like(padded)
        for side in self.sides:
            side.add(padded, out)
        return out[:-1]

    def solve(self, g: Floats, source: Floats, start: Floats | None = None) -> Floats:
        """Voltages of linear devices.

        Args:
            g: S, shape (size,) or one set a lane, (size, lanes); finite, not negative.
            source: voltages over the devices when none conducts, V, shape (size, lanes).
            start: a guess of the answer, or None.

        Returns:
            V, same shape.

        Raises:
            ConvergenceError: if a lane misses `ACCEPTED`.
        """
        if self.size <= MOST_SHORTED and (g.T * self.own).max(initial=0.0) > SHORTED:
            return self._shorted(g, source)
        root = np.sqrt(g if g.ndim == 2 else g[:, None])
        inverted: list[tuple[Side, Floats]] = []

        def precondition(r: Floats) -> Floats:
            if not inverted:  # a good start needs none
                mean = root.mean(axis=1)
                heavy = max(self.sides, key=lambda side: side.load(mean * mean))
                inverted.append((heavy, heavy.inverse(mean)))
            side, blocks = inverted[0]
            return side.applied(blocks, r)

        def operator(y: Floats) -> Floats:
            out = y.copy()
            out[:-1] += root * self.drops(root * y[:-1])
            return out

        right = np.zeros((self.size + 1, source.shape[1]))
        right[:-1] = root * source
        first = None
        if start is not None:
            first = np.zeros_like(right)
            first[:-1] = root * start
        y = _gradients(operator, precondition, right, first)
        out: Floats = source - self.drops(root * y[:-1])
        return out

    def _shorted(self, g: Floats, source: Floats) -> Floats:
        """Solve for the currents at once; see `solve`.

        Steps end by what is left of the voltages, of which devices that conduct far better than
        their lines have next to none: their currents would be left off by more than that.
        """
        if g.ndim == 2:
            lanes = [self._shorted(g[:, k], source[:, [k]]) for k in range(g.shape[1])]
            return np.concatenate(lanes, axis=1)
        on = np.flatnonzero(g)
        amps = np.zeros(source.shape)
        ohm = self.whole[np.ix_(on, on)] + np.diag(1.0 / g[on])
        amps[on] = linalg.solve(ohm, source[on], assume_a="sym", overwrite_a=True)
        out: Floats = source - self.drops(amps)
        out[on] = amps[on] / g[on, None]
        return out


def _gradients(
    operator: Callable[[Floats], Floats],
    precondition: Callable[[Floats], Floats],
    right: Floats,
    start: Floats | None,
) -> Floats:
    """Conjugate gradients on all lanes at once.

    Raises:
        ConvergenceError: if a lane misses `ACCEPTED`.
    """
    scale = np.maximum(_norm(right), _TINY)
    x = np.zeros_like(right) if start is None else start
    r = right.copy() if start is None else right - operator(x)
    best, best_x, waited = _worst(r, scale), x, 0
    if best <= TOLERANCE:
        return x
    z = precondition(r)
    p, rz = z, _dot(r, z)
    for _ in range(MAX_STEPS):
        if best <= TOLERANCE or waited >= _PATIENCE:
            break
        q = operator(p)
        step = rz / np.maximum(_dot(p, q), _TINY)
        x = x + step * p
        r = r - step * q
        now = _worst(r, scale)
        waited = 0 if now < 0.9 * best else waited + 1
        if now < best:
            best, best_x = now, x
        z = precondition(r)
        after = _dot(r, z)
        p = z + (after / np.maximum(rz, _TINY)) * p
        rz = after
    # what was carried along is not what is there: judged afresh
    left = _worst(right - operator(best_x), scale)
    if not left <= ACCEPTED:
        raise ConvergenceError(
            f"devices through their lines: {left:.1e} left over, allowed: {ACCEPTED:.0e}"
        )
    return best_x


def _dot(a: Floats, b: Floats) -> Floats:
    out: Floats = np.einsum("ij,ij->j", a, b)
    return out


def _norm(a: Floats) -> Floats:
    return np.sqrt(_dot(a, a))


def _worst(r: Floats, scale: Floats) -> float:
    return float((_norm(r) / scale).max(initial=0.0))
