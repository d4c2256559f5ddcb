"""What a crossbar engine is: factor once, solve any number of drives, check every answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConvergenceError
from .lines import Lines

Floats = NDArray[np.float64]

# A column may lose this share of the tolerance.
BALANCE_SHARE = 0.5
# A few units in the last place of the voltages.
ROUNDING = 16 * float(np.finfo(np.float64).eps)
# Iterations aim below the tolerance, because the energy error is an estimate.
AIM = 0.1
# Pieces of cut lines can hold much energy and deliver little current: aim lower still.
AIM_DAMAGED = 0.005
TINY = float(np.finfo(np.float64).tiny)
MAX_ATTEMPTS = 6
TIGHTEN = 0.03
# Gain of a step over that of the one before, at most: nearer to 1 their sum says nothing.
MOST_RATIO = 0.98


@dataclass(frozen=True, eq=False)
class Raw:
    """An engine's answer for a batch of B drives.

    Attributes:
        rows: row node voltages, shape (B, T, n, m); (B, T, 0, m) if not kept.
        cols: column node voltages, shape (B, n, m); (B, 0, m) if not kept.
        row_amps: current from each row's source into the row, shape (B, T, n).
        col_amps: current out of each column, shape (B, m).
        iterations: of the slowest drive.
        balance: largest current a column loses or gains, relative to the largest current.
        device_amps: current of every device, (B, T, n, m), where the engine knows it better than
            the voltages show it; nan if shorted.
        energy: that the iterations found, W; of one drive, for solves that start from it.
    """

    rows: Floats
    cols: Floats
    row_amps: Floats
    col_amps: Floats
    iterations: int
    balance: float
    device_amps: Floats | None = None
    energy: float = 0.0


class Engine(Protocol):
    """Solves one crossbar for any drives."""

    name: str

    def renewed(self, lines: Lines) -> Engine:
        """Return an engine of the same wires with other devices; this one is of no use any more."""

    def solve(
        self,
        v: Floats,
        vs: Floats,
        *,
        tol: float,
        limit: int,
        keep: bool,
        shift: Floats | None = None,
        start: Raw | None = None,
    ) -> Raw:
        """Solve for row sources v (B, T, n) and sense levels vs (B, m).

        `shift` (T, n, m) is a voltage in series with every device, row side positive. `start` is
        an answer, its voltages kept, of nearly this crossbar and drive, from which iterations of
        one drive start.
        """


def output_currents(
    lines: Lines, first: Floats, last: Floats, device_sums: Floats
) -> tuple[Floats, Floats]:
    """Column currents and how far each column is from balance.

    Args:
        lines: the crossbar.
        first: voltage of every column's first node above its sense level, shape (..., m).
        last: the same of its last node.
        device_sums: current that each column's devices deliver, shape (..., m).

    Returns:
        (currents out of the columns, delivered minus taken out), both shape (..., m).
        A terminal of 0 ohm has no drop to read: there the devices' sum is the current.
    """
    ideal = np.isinf(lines.top) | np.isinf(lines.bottom)
    top, bottom = np.where(ideal, 0.0, lines.top), np.where(ideal, 0.0, lines.bottom)
    taken = np.where(ideal, device_sums, top * first + bottom * last)
    return taken, device_sums - taken


def first_aim(lines: Lines, tol: float) -> float:
    """Energy-norm tolerance of the first attempt."""
    whole = lines.plain_rows and lines.plain_cols
    return tol * (AIM if whole else AIM_DAMAGED)


def largest(v: Floats, vs: Floats) -> Floats:
    """Largest voltage of the sources, V, per drive, which is the last axis of both."""
    out: Floats = np.maximum(np.abs(v).max(axis=0), np.abs(vs).max(axis=0))
    return out


def rounding(lines: Lines, v: Floats, vs: Floats) -> Floats:
    """Current in A below which an imbalance is rounding of the voltages, for each drive.

    Args:
        lines: the crossbar.
        v: row sources, shape (T * n, drives).
        vs: sense levels, shape (m, drives).
    """
    noise: Floats = ROUNDING * largest(v, vs) * float(lines.column_sums.max())
    return noise


def check_balance(
    taken: Floats, missing: Floats, row_amps: Floats, *, tol: float, noise: Floats
) -> tuple[bool, float]:
    """Whether every column's current balances, and the worst loss relative to the largest current.

    That is the largest column current of its drive, or row current where no column carries any.
    Where the currents are rounding of the voltages, nothing better comes out of them: that ends
    the iteration, with a balance that tells how large the rounding is; `judge` decides about it.
    What is not finite is never good, and its balance is nan.

    Args:
        taken: column currents, shape (drives, m).
        missing: what each column lost, same shape.
        row_amps: row currents, shape (T * n, drives).
        tol: relative tolerance of the solve.
        noise: what `rounding` says.
    """
    scale = np.abs(taken).max(axis=1)
    scale = np.where(scale > 0, scale, np.abs(row_amps).max(axis=0))
    lost = np.abs(missing).max(axis=1)
    good = lost <= np.maximum(BALANCE_SHARE * tol * scale, noise)
    known = np.maximum(lost, noise)
    whole = np.isfinite(lost)
    share = np.divide(known, scale, out=np.zeros_like(known), where=whole & (scale > 0))
    share = np.where(whole, share, np.nan)
    return bool(((good | (scale == 0)) & whole).all()), float(share.max())


def settled(
    lines: Lines, lost: Floats, taken: Floats, row_amps: Floats, *, tol: float, most: Floats
) -> bool:
    """Whether the energy that an iteration misses is small enough for currents and voltages.

    An error relative to all energy says little where columns follow their rows: that takes much
    energy and leaves little current. By Cauchy's inequality the current of a source that feeds
    conductance g is off by sqrt(g) times the root of the missing energy at the most. Where N lines
    carry alike, the error is spread over them, and each gets the root of an N-th of it.

    Args:
        lines: the crossbar.
        lost: root of the energy that is estimated to be missing, shape (drives,), or one for all;
            sqrt(W).
        taken: column currents, shape (drives, m).
        row_amps: row currents, shape (drives, T, n).
        tol: relative to the largest row current, column current, and voltage.
        most: largest voltage of a source, shape (drives,).
    """
    rows, cols = np.abs(row_amps.reshape(len(taken), -1)), np.abs(taken)
    most_row, most_col = rows.max(axis=1), cols.max(axis=1)
    reach_row, reach_col, reach_volt = lines.reach
    # nothing at all, in rows or in columns, is no measure
    of_row = np.where(most_row > 0, most_row, most_col)
    of_col = np.where(most_col > 0, most_col, most_row)
    off = np.maximum(lost * reach_row * of_col, lost * reach_col * of_row)
    whole = tol * of_row * of_col
    off = np.maximum(off, lost * reach_volt * of_row * of_col / np.maximum(most, TINY))
    if (off <= whole).all():
        return True
    alike = np.minimum(rows.sum(axis=1) * of_col, cols.sum(axis=1) * of_row)
    shared = np.sqrt(np.maximum(alike / np.maximum(of_row * of_col, TINY), 1.0))
    return bool(((off <= whole * shared) | (whole == 0)).all())


def not_converged(name: str, iterations: int, tol: float, balance: float) -> ConvergenceError:
    """The error of a solve that ran out of iterations."""
    return ConvergenceError(
        f"{name} did not reach tol = {tol:g} in {iterations} iterations "
        f"(columns are off balance by {balance:.1e}); allow more, or ask for method='direct'"
    )
