"""Whether a crossbar's answer may be handed out: what engines report is held against the tolerance.

Iterations stop by an estimate of their error in energy. That says enough about every current where
all nodes are held well beside the best conductor; `spread` finds out. Everywhere else the currents
left over in all nodes are summed up: each ampere missing in a node changes any current by one
ampere at the most, so the sum bounds every error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConvergenceError
from .engine import Raw
from .kcl import left_over
from .lines import Lines

Floats = NDArray[np.float64]

# Best conductor over weakest hold up to which the iterations' own estimate is good.
SPAN = 1e8
# Largest column current over largest row current, or the other way, down to which that holds.
LEAST_SHARE = 1e-4
ROUNDING = 4 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Spread:
    """How far a crossbar's conductances lie apart, S.

    Attributes:
        hold: weakest conductance that a node may depend on.
        device: best device, shorts aside.
        most: best conductor of all, shorts aside.
    """

    hold: float
    device: float
    most: float

    @property
    def wide(self) -> bool:
        """Whether an iteration's own estimate of its error says too little."""
        return not (self.most <= SPAN * self.hold)


def spread(lines: Lines) -> Spread:
    """Measure a crossbar."""
    device = _largest(lines.G)
    ends = np.maximum(lines.left, lines.right), np.maximum(lines.top, lines.bottom)
    wires = [lines.row_seg, lines.col_seg, *ends]
    holds = [_least(w) for w in wires]
    if not (lines.plain_rows and lines.plain_cols):  # devices may be all that holds a piece
        holds.append(_least(lines.G))
    return Spread(min(holds), device, max(device, *(_largest(w) for w in wires)))


def _largest(g: Floats) -> float:
    top = float(g.max(initial=0.0))
    return top if top < np.inf else float(g[g < np.inf].max(initial=0.0))


def _least(g: Floats) -> float:
    low = float(g.min(initial=np.inf))
    return low if low > 0 else float(g[g > 0].min(initial=np.inf))


def reached(
    raw: Raw, lines: Lines, found: Spread, v: Floats, vs: Floats, *, tol: float, volts: bool
) -> float:
    """Error that can be vouched for, relative to the largest of its kind; nan if nothing can.

    Args:
        raw: an iteration's answer.
        lines: the crossbar.
        found: its spread.
        v: row sources, V, shape (B, T, n).
        vs: sense levels, V, shape (B, m).
        tol: what is asked; nothing is looked at closer than that needs.
        volts: whether voltages and device currents are to be handed out.
    """
    rows = np.abs(raw.row_amps).max(axis=(1, 2))
    cols = np.abs(raw.col_amps).max(axis=1)
    if not (np.isfinite(rows).all() and np.isfinite(cols).all() and np.isfinite(raw.balance)):
        return float("nan")
    T, n, m = lines.G.shape
    worst, kept = raw.balance, bool(raw.rows.size)
    largest = np.maximum(np.abs(v).max(axis=(1, 2)), np.abs(vs).max(axis=1))
    if volts:
        noise = ROUNDING * largest * found.device
        share = _worst(noise, np.maximum(rows / m, cols / (T * n)))
        if not share <= tol:  # that was the least that the largest device current can be
            amps = np.abs(lines.G * (raw.rows - raw.cols[:, None])).max(axis=(1, 2, 3))
            share = _worst(noise, amps)
        worst = max(worst, share)
    low, high = np.minimum(rows, cols), np.maximum(rows, cols)
    if found.wide or not (low >= LEAST_SHARE * high).all():
        scale = np.where(low > 0, low, high)
        if not kept:
            return float("nan")
        left = left_over(lines, raw, v, vs)
        worst = max(worst, _worst(left, scale))
        if found.wide and volts:  # an ampere moves a node by no more than all pieces on its way
            worst = max(worst, _worst(left * (n + m) / found.hold, largest))
    return worst


def _worst(part: Floats, whole: Floats) -> float:
    """Largest of one over the other; nothing of nothing is 0."""
    share = np.divide(part, whole, out=np.full_like(part, np.inf), where=whole > 0)
    return float(np.where(part == 0, 0.0, share).max())


def missed(name: str, got: float, tol: float, found: Spread) -> ConvergenceError:
    """The error for an answer that cannot be vouched for."""
    return ConvergenceError(
        f"{name} reached {got:.1e} of the largest current, asked: tol = {tol:g} (conductances from "
        f"{found.hold:.0e} to {found.most:.0e} S); use method='auto' or 'direct'"
    )
