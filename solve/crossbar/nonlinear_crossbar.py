"""Crossbars of nonlinear devices by Newton's method on top of the linear engines.

Every step replaces a device by its tangent and solves that linear crossbar.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import ConvergenceError, InputError
from ..circuit.iv import DeviceLaw
from ..circuit.newton import chord, settled
from .crossbar import (
    DIRECT_RESCUE,
    MAX_ITERATIONS,
    Solution,
    as_solution,
    check_choices,
    choose,
    vouched,
)
from .engine import Raw
from .lines import Lines, canonical, check_conductances, check_voltages, find_islands, float_rows

Floats = NDArray[np.float64]


def solve_crossbar_nonlinear(
    conductances: ArrayLike,
    voltages: ArrayLike,
    *,
    device: DeviceLaw,
    row_segments: ArrayLike,
    column_segments: ArrayLike,
    drive_resistance: ArrayLike = 0.0,
    sense_resistance: ArrayLike = 0.0,
    row_drive: str = "left",
    column_sense: str = "bottom",
    tol: float = 1e-9,
    engine: str = "auto",
) -> Solution:
    """Solve a crossbar whose devices follow a nonlinear law.

    Args:
        conductances: conductance of every device at small voltage in S, (T, rows, cols).
        voltages: row sources in V, shape (T, rows); nan leaves a row floating.
        device: the devices' law, `Sinh` or `Cubic`.
        row_segments: see `solve_crossbar`; so are the arguments below.
        column_segments: see `solve_crossbar`.
        drive_resistance: see `solve_crossbar`.
        sense_resistance: see `solve_crossbar`.
        row_drive: see `solve_crossbar`.
        column_sense: see `solve_crossbar`.
        tol: change of the last step, relative to the largest device voltage, and
            tolerance of every linear solve.
        engine: see `solve_crossbar`.

    Returns:
        The solution; its `iterations` counts those of all linear solves together, and its
        `kcl_residual` is that of the last tangent circuit, which `tol` ties to the law.

    Raises:
        InputError: naming an argument that is wrong.
        ConvergenceError: if Newton's method does not settle.
    """
    G = check_conductances(conductances)
    v, batched = check_voltages(voltages, G.shape)
    check_choices(tol, "auto", engine, MAX_ITERATIONS)
    if batched:
        raise InputError(f"voltages have shape {np.shape(voltages)}, allowed: {G.shape[:2]}")
    if not np.isfinite(G).all():
        raise InputError("conductances hold inf; a shorted device has no nonlinear law")
    lines = canonical(
        G,
        row_segments=row_segments,
        column_segments=column_segments,
        drive_resistance=drive_resistance,
        sense_resistance=sense_resistance,
        row_drive=row_drive,
        column_sense=column_sense,
    )
    lines = float_rows(lines, np.isnan(v[0]))
    v = np.nan_to_num(v, nan=0.0)
    lines, islands = find_islands(lines)
    G = lines.G
    at, steps, used, name = _settled(lines, device, v, tol, engine)
    # the same operating point once more, as conductances: a solution that is judged like any other
    at_chords = replace(lines, G=chord(device, G, at))
    _, raw = vouched(
        at_chords, v, np.zeros((1, G.shape[2])), "auto", engine, tol, MAX_ITERATIONS, keep=True
    )
    seen = _drops(raw, at_chords.G)
    amps, wanted = at_chords.G * seen, device.current(G, seen)
    off, most = float(np.abs(amps - wanted).max()), float(np.abs(amps).max())
    if not (off <= tol * most):
        raise ConvergenceError(
            f"Newton's method settled, but device currents are {off:.1e} A off their law "
            f"(the largest is {most:.1e} A), asked: tol = {tol:g}"
        )
    raw = replace(raw, iterations=used, device_amps=None)
    name = f"newton ({steps} steps) on {name}"
    return as_solution(raw, lines, islands, v, batched, name, amps)


def _settled(
    lines: Lines, device: DeviceLaw, v: Floats, tol: float, engine: str
) -> tuple[Floats, int, int, str]:
    """Newton's method: device voltages, steps, iterations, and what solved the last step."""
    levels = np.zeros((1, lines.G.shape[2]))
    used, name = 0, ""

    def solve(slope: Floats, shift: Floats) -> Floats:
        nonlocal used, name
        name, raw = tangent_solved(replace(lines, G=slope), v, levels, tol, engine, shift)
        used += raw.iterations
        out: Floats = raw.rows[0] - raw.cols[0]
        return out

    at, steps = settled(device, lines.G, solve, tol)
    return at, steps, used, name


def tangent_solved(
    lines: Lines, v: Floats, levels: Floats, tol: float, engine: str, shift: Floats
) -> tuple[str, Raw]:
    """One step: by iterations, or directly where those fail."""
    solver = choose(lines, "auto", engine)
    drive: dict[str, Any] = {"tol": tol, "keep": True, "limit": MAX_ITERATIONS, "shift": shift}
    try:
        raw = solver.solve(v, levels, **drive)
        if np.isfinite(raw.rows).all() and np.isfinite(raw.cols).all():
            return solver.name, raw
    except ConvergenceError:
        pass
    if lines.G.size > DIRECT_RESCUE:
        raise ConvergenceError(f"{solver.name} found no tangent solution within tol = {tol:g}")
    solver = choose(lines, "direct", engine)
    return solver.name, solver.solve(v, levels, **drive)


def _drops(raw: Raw, G: Floats) -> Floats:
    """Voltage of every device, from its current where that is known better."""
    seen: Floats = raw.rows[0] - raw.cols[0]
    if raw.device_amps is None:
        return seen
    np.divide(raw.device_amps[0], G, out=seen, where=G > 0)
    return seen
