"""Kirchhoff's current law, checked on a finished solution from its voltages alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .lines import Lines

if TYPE_CHECKING:
    from .crossbar import Solution

Floats = NDArray[np.float64]


def residual(lines: Lines, solution: Solution) -> float:
    """Largest current left over in a node, relative to the largest line current.

    Args:
        lines: the crossbar that was solved.
        solution: its solution, with node voltages kept.

    Returns:
        The largest residual over all nodes and drives; nan if voltages were not kept.
    """
    if not solution.row_voltages.size:
        return float("nan")
    shape = lines.G.shape
    rows = solution.row_voltages.reshape(-1, *shape)
    cols = solution.column_voltages.reshape(-1, *shape[1:])
    sources = solution._sources.reshape(-1, *shape[:2])
    plain = lines.plain_rows and lines.plain_cols and bool(np.isfinite(lines.G).all())
    device = solution.device_currents.reshape(-1, *shape)
    left = max(
        _plain_residual(lines, *drive) if plain else _merged_residual(lines, *drive)
        for drive in zip(rows, cols, sources, device, strict=True)
    )
    scale = max(
        float(np.abs(solution.row_currents).max()), float(np.abs(solution.column_currents).max())
    )
    return left / scale if scale else 0.0


def _plain_residual(
    lines: Lines, rows: Floats, cols: Floats, sources: Floats, device: Floats
) -> float:
    into_cols = device.sum(axis=0)
    step = lines.col_seg * (cols[1:] - cols[:-1])
    into_cols[:-1] += step
    into_cols[1:] -= step
    into_cols[0] -= lines.top * cols[0]
    into_cols[-1] -= lines.bottom * cols[-1]
    into_rows = -device
    step = lines.row_seg * (rows[:, :, 1:] - rows[:, :, :-1])
    into_rows[:, :, :-1] += step
    into_rows[:, :, 1:] -= step
    into_rows[:, :, 0] += lines.left * (sources - rows[:, :, 0])
    into_rows[:, :, -1] += lines.right * (sources - rows[:, :, -1])
    return float(max(np.abs(into_cols).max(), np.abs(into_rows).max()))


def _merged_residual(
    lines: Lines, rows: Floats, cols: Floats, sources: Floats, device: Floats
) -> float:
    from .engine_direct import crossbar_circuit

    circuit = crossbar_circuit(lines)
    volts = np.zeros(circuit.n_groups)
    levels = np.zeros(cols.shape[1])
    volts[circuit.group] = np.concatenate([x.reshape(-1) for x in (rows, cols, sources, levels)])
    flow = circuit.g * (volts[circuit.a] - volts[circuit.b])
    # The devices are the first edges; their currents come from their own law.
    devices = circuit.edge < device.size
    flow[devices] = device.reshape(-1)[circuit.edge[devices]]
    left = np.bincount(circuit.a, flow, circuit.n_groups).astype(np.float64)
    left -= np.bincount(circuit.b, flow, circuit.n_groups)
    return float(np.abs(left[circuit.free]).max(initial=0.0))
