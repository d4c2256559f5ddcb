"""`solve_crossbar`: planar and stacked crossbars with line resistance, exactly and fast."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import ConvergenceError, InputError, shortened
from .compiled import has_numba
from .engine import Engine, Raw
from .judge import missed, reached, spread
from .kcl import residual
from .lines import (
    Islands,
    Lines,
    canonical,
    check_conductances,
    check_voltages,
    find_islands,
    float_rows,
)

Floats = NDArray[np.float64]

log = logging.getLogger(__name__)

METHODS = ("auto", "line-pcg", "multigrid", "direct")
ENGINES = ("auto", "numba", "numpy")
MAX_ITERATIONS = 2000
# Double precision gives no more digits than this after thousands of sums.
LEAST_TOL = 1e-13
# A failed iteration on up to this many unknowns is repeated by the direct method.
DIRECT_RESCUE = 300_000


@dataclass(frozen=True, eq=False)
class Solution:
    """Voltages and currents of a crossbar; arrays are read-only, in V and A.

    With a batch of B drive vectors every array has a leading axis of length B. Column, row and
    device currents are within `tol` of the largest of their kind, node voltages within `tol` of the
    largest source voltage of their drive vector.

    Attributes:
        column_currents: current out of every column (all its sensed ends), shape (cols,).
        row_currents: current from its source into every row, shape (T, rows).
        row_voltages: shape (T, rows, cols); empty if not kept.
        column_voltages: shape (rows, cols); empty if not kept.
        power: drawn from the sources, W.
        iterations: of the slowest drive vector; 0 for a direct solve.
        balance: largest current that a column loses, relative to the largest current;
            the solver's own check, below its tolerance.
        floating: pieces of lines that nothing drives, pinned at 0 V.
        method: how it was solved.
    """

    column_currents: Floats
    row_currents: Floats
    row_voltages: Floats
    column_voltages: Floats
    power: Floats
    iterations: int
    balance: float
    floating: tuple[str, ...]
    method: str
    _lines: Lines = field(repr=False)
    _sources: Floats = field(repr=False)
    _device_amps: Floats | None = field(repr=False, default=None)

    @cached_property
    def device_voltages(self) -> Floats:
        """Row side minus column side of every device, shape (T, rows, cols), V."""
        volts = self.row_voltages - self.column_voltages[..., None, :, :]
        volts.setflags(write=False)
        return volts

    @cached_property
    def device_currents(self) -> Floats:
        """Current from row to column through every device, same shape, A; nan if shorted."""
        if self._device_amps is not None:
            amps = self._device_amps
        else:
            G = np.where(np.isinf(self._lines.G), np.nan, self._lines.G)
            amps = G * self.device_voltages
        amps.setflags(write=False)
        return amps

    @cached_property
    def kcl_residual(self) -> float:
        """Largest current left over in any node, relative to the largest line current.

        Computed afresh from the voltages alone; nodes joined by 0 ohm count as one.
        """
        scale = max(
            float(np.abs(self.row_currents).max()), float(np.abs(self.column_currents).max())
        )
        return residual(
            self._lines, self.row_voltages, self.column_voltages, self._sources,
            self.device_currents, scale,
        )  # fmt: skip


def solve_crossbar(
    conductances: ArrayLike,
    voltages: ArrayLike,
    *,
    row_segments: ArrayLike,
    column_segments: ArrayLike,
    drive_resistance: ArrayLike = 0.0,
    sense_resistance: ArrayLike = 0.0,
    row_drive: str = "left",
    column_sense: str = "bottom",
    tol: float = 1e-9,
    method: str = "auto",
    engine: str = "auto",
    max_iterations: int = MAX_ITERATIONS,
    keep_voltages: bool = True,
) -> Solution:
    """Solve a crossbar of one or two tiers that share their column lines.

    Args:
        conductances: devices in S, shape (T, rows, cols), T = 1 planar or 2 stacked with
            tier 0 at the bottom; 0 is a missing device, inf a shorted one.
        voltages: row sources in V, shape (T, rows) or a batch (B, T, rows); nan leaves
            the row floating.
        row_segments: ohm, a number or anything that broadcasts to (T, rows, cols): segment
            j lies on the driver's side of column j, whichever side that is. Driven from both
            ends there are cols + 1, counted from the left. 0 is an ideal wire, inf an open.
        column_segments: ohm, a number or (rows, cols): segment i lies on the side of row i
            toward the sense end. Sensed at both ends there are rows + 1, counted from the top.
        drive_resistance: ohm between source and row, a number or (T, rows).
        sense_resistance: ohm between column and virtual ground, a number or (cols,).
        row_drive: 'left', 'right' or 'both' ends.
        column_sense: 'bottom', 'top' or 'both' ends.
        tol: error allowed in column, row and device currents relative to the largest of each, and
            in node voltages relative to the largest source voltage.
        method: 'auto', 'line-pcg', 'multigrid' or 'direct'.
        engine: 'auto' (numba if installed), 'numba' or 'numpy'.
        max_iterations: of conjugate gradients, before the solve gives up.
        keep_voltages: False returns currents only, which saves memory for large batches.

    Returns:
        The solution; `method` names what was chosen.

    Raises:
        InputError: naming an argument of the wrong shape or an impossible value.
        ConvergenceError: if `tol` was not reached.
    """
    G = check_conductances(conductances)
    v, batched = check_voltages(voltages, G.shape)
    check_choices(tol, method, engine, max_iterations)
    lines = canonical(
        G,
        row_segments=row_segments,
        column_segments=column_segments,
        drive_resistance=drive_resistance,
        sense_resistance=sense_resistance,
        row_drive=row_drive,
        column_sense=column_sense,
    )
    floating = np.isnan(v)
    patterns = np.unique(floating, axis=0)
    if len(patterns) > 1:
        raise InputError(
            f"the batch floats different rows in different vectors ({len(patterns)} patterns); "
            "solve each pattern on its own"
        )
    lines = float_rows(lines, floating[0])
    v = np.where(floating, 0.0, v)
    lines, islands = find_islands(lines)
    levels = np.zeros((len(v), G.shape[2]))
    solver, raw = vouched(lines, v, levels, method, engine, tol, max_iterations, keep_voltages)
    return as_solution(raw, lines, islands, v, batched, solver.name)


def vouched(
    lines: Lines,
    v: Floats,
    vs: Floats,
    method: str,
    engine: str,
    tol: float,
    limit: int,
    keep: bool,
    start: Raw | None = None,
    known: Engine | None = None,
) -> tuple[Engine, Raw]:
    """An answer within `tol`, and the engine that found it, for sources v and vs (see `Engine`).

    `known` is an engine of these lines that `choose` gave for the same method, or one renewed.

    Raises:
        ConvergenceError: if there is none; iterations of up to `DIRECT_RESCUE` devices that
            cannot vouch for theirs are repeated directly if `method` is 'auto'.
    """
    found = spread(lines)
    rescue = method == "auto" and lines.G.size <= DIRECT_RESCUE
    direct = rescue and found.wide
    solver = (
        known if known and not direct else choose(lines, "direct" if direct else method, engine)
    )
    try:
        raw = solver.solve(v, vs, tol=tol, limit=limit, keep=keep or found.wide, start=start)
        if solver.name == "direct":
            return solver, raw
        got = reached(raw, lines, found, v, vs, tol=tol, volts=keep)
        if got <= tol:
            return solver, raw if keep else _without_voltages(raw)
        failed = missed(solver.name, got, tol, found)
    except ConvergenceError as error:
        failed = error
    if not rescue or solver.name == "direct":
        raise failed
    log.info("%s; solving directly", failed)
    solver = choose(lines, "direct", engine)
    return solver, solver.solve(v, vs, tol=tol, limit=limit, keep=keep)


def _without_voltages(raw: Raw) -> Raw:
    return replace(raw, rows=raw.rows[:, :, :0], cols=raw.cols[:, :0])


def effective_matrix(
    conductances: ArrayLike,
    *,
    row_segments: ArrayLike,
    column_segments: ArrayLike,
    drive_resistance: ArrayLike = 0.0,
    sense_resistance: ArrayLike = 0.0,
    row_drive: str = "left",
    column_sense: str = "bottom",
    tol: float = 1e-9,
    method: str = "auto",
    engine: str = "auto",
) -> Floats:
    """The transfer matrix of a linear crossbar, wires included.

    Args:
        conductances: see `solve_crossbar`.
        row_segments: see `solve_crossbar`.
        column_segments: see `solve_crossbar`.
        drive_resistance: see `solve_crossbar`; a row with inf floats.
        sense_resistance: see `solve_crossbar`.
        row_drive: see `solve_crossbar`.
        column_sense: see `solve_crossbar`.
        tol: see `solve_crossbar`.
        method: see `solve_crossbar`.
        engine: see `solve_crossbar`.

    Returns:
        M in S, shape (cols, T * rows), each entry to `tol` of the largest: column currents are
        `M @ voltages.reshape(-1)`.
    """
    G = check_conductances(conductances)
    check_choices(tol, method, engine, MAX_ITERATIONS)
    lines = canonical(
        G,
        row_segments=row_segments,
        column_segments=column_segments,
        drive_resistance=drive_resistance,
        sense_resistance=sense_resistance,
        row_drive=row_drive,
        column_sense=column_sense,
    )
    lines, _ = find_islands(lines)
    T, n, m = G.shape
    if m <= T * n:
        # Reciprocity: one volt on a column's sense end sends the same currents into the
        # rows as one volt on each row sends into the column.
        v, vs = np.zeros((m, T, n)), np.eye(m)
    else:
        v, vs = np.eye(T * n).reshape(-1, T, n), np.zeros((T * n, m))
    _, raw = vouched(lines, v, vs, method, engine, tol, MAX_ITERATIONS, keep=False)
    if m <= T * n:
        return -raw.row_amps.reshape(m, T * n)
    return np.ascontiguousarray(raw.col_amps.T)


def choose(lines: Lines, method: str, engine: str) -> Engine:
    """The engine for a crossbar; 'auto' decides by what the lines carry."""
    if method == "direct" or (method == "auto" and np.isinf(lines.G).any()):
        from .engine_direct import DirectEngine

        return DirectEngine(lines)
    if np.isinf(lines.G).any():
        raise InputError(f"method {method!r} cannot merge shorted devices; use 'direct' or 'auto'")
    if engine == "numpy" or not has_numba():
        if engine == "numba":
            raise InputError("engine 'numba' was asked for, but numba cannot be used here")
        if method == "multigrid":
            raise InputError("method 'multigrid' needs numba, which is not in use")
        from .engine_numpy import NumpyEngine

        return NumpyEngine(lines)
    from .multigrid import MultigridEngine, fits, pays

    if method == "multigrid" and not fits(lines):
        raise InputError(
            "method 'multigrid' takes no column segments or terminals of 0 ohm; use 'auto'"
        )
    if method == "multigrid" or (method == "auto" and pays(lines)):
        return MultigridEngine(lines)
    from .engine_numba import NumbaEngine

    return NumbaEngine(lines)


def check_choices(tol: float, method: str, engine: str, max_iterations: int) -> None:
    """Refuse choices and limits that there are not, naming them."""
    if not isinstance(method, str) or method not in METHODS:
        raise InputError(f"method is {shortened(method)}, allowed: {', '.join(METHODS)}")
    if not isinstance(engine, str) or engine not in ENGINES:
        raise InputError(f"engine is {shortened(engine)}, allowed: {', '.join(ENGINES)}")
    if not (isinstance(tol, (int, float)) and LEAST_TOL <= tol < 1):
        raise InputError(f"tol is {tol}, allowed: from {LEAST_TOL:g} to below 1")
    if max_iterations < 1:
        raise InputError(f"max_iterations is {max_iterations}, allowed: >= 1")


def as_solution(
    raw: Raw,
    lines: Lines,
    islands: Islands | None,
    v: Floats,
    batched: bool,
    method: str,
    device_amps: Floats | None = None,
) -> Solution:
    """Freeze an engine's answer; `device_amps` are given if the devices are nonlinear."""
    rows, cols = raw.rows, raw.cols
    if islands is not None and rows.size:
        rows, cols = rows.copy(), cols.copy()
        rows[:, islands.rows] = 0.0
        cols[:, islands.cols] = 0.0
    power = (v * raw.row_amps).sum(axis=(1, 2))
    amps, row_amps = raw.col_amps, raw.row_amps
    if device_amps is None and raw.device_amps is not None:
        device_amps = raw.device_amps if batched else raw.device_amps[0]
    if not batched:
        amps, row_amps, rows, cols, power, v = (
            a[0] for a in (amps, row_amps, rows, cols, power, v)
        )
    for a in (amps, row_amps, rows, cols):
        a.setflags(write=False)
    return Solution(
        column_currents=amps,
        row_currents=row_amps,
        row_voltages=rows,
        column_voltages=cols,
        power=power,
        iterations=raw.iterations,
        balance=raw.balance,
        floating=islands.names if islands else (),
        method=method,
        _lines=lines,
        _sources=v,
        _device_amps=device_amps,
    )
