"""Kirchhoff's current law, checked on a finished solution from its voltages alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .engine import Raw
from .lines import Lines

Floats = NDArray[np.float64]


def residual(
    lines: Lines, rows: Floats, cols: Floats, sources: Floats, device: Floats, scale: float
) -> float:
    """Largest current left over in a node, relative to `scale`.

    Args:
        lines: the crossbar that was solved.
        rows: row voltages, shape (T, n, m) or with a leading axis of drives; V.
        cols: column voltages, shape (n, m) or the same.
        sources: of the rows, shape (T, n) or the same.
        device: currents of the devices, as `rows`; A.
        scale: largest current of a line, A.

    Returns:
        The largest residual over all nodes and drives; nan if voltages were not kept.
    """
    if not rows.size:
        return float("nan")
    shape = lines.G.shape
    drives = zip(
        rows.reshape(-1, *shape),
        cols.reshape(-1, *shape[1:]),
        sources.reshape(-1, *shape[:2]),
        np.zeros((cols.size // (shape[1] * shape[2]), shape[2])),
        device.reshape(-1, *shape),
        strict=True,
    )
    left = max(
        float(max(np.abs(part).max(initial=0.0) for part in _left(lines, *d))) for d in drives
    )
    return left / scale if scale else 0.0


def left_over(lines: Lines, raw: Raw, v: Floats, vs: Floats) -> Floats:
    """Currents left over in all nodes, summed up for every drive of an answer, A."""
    with np.errstate(invalid="ignore"):
        device = lines.G * (raw.rows - raw.cols[:, None])
    drives = zip(raw.rows, raw.cols, v, vs, device, strict=True)
    return np.array([sum(float(np.abs(part).sum()) for part in _left(lines, *d)) for d in drives])


def _left(
    lines: Lines, rows: Floats, cols: Floats, sources: Floats, levels: Floats, device: Floats
) -> tuple[Floats, ...]:
    """What is left over in every node of one drive; nodes joined by 0 ohm count as one."""
    plain = lines.plain_rows and lines.plain_cols and bool(np.isfinite(lines.G).all())
    return (_plain if plain else _merged)(lines, rows, cols, sources, levels, device)


def _plain(
    lines: Lines, rows: Floats, cols: Floats, sources: Floats, levels: Floats, device: Floats
) -> tuple[Floats, ...]:
    into_cols = device.sum(axis=0)
    step = lines.col_seg * (cols[1:] - cols[:-1])
    into_cols[:-1] += step
    into_cols[1:] -= step
    into_cols[0] -= lines.top * (cols[0] - levels)
    into_cols[-1] -= lines.bottom * (cols[-1] - levels)
    into_rows = -device
    step = lines.row_seg * (rows[:, :, 1:] - rows[:, :, :-1])
    into_rows[:, :, :-1] += step
    into_rows[:, :, 1:] -= step
    into_rows[:, :, 0] += lines.left * (sources - rows[:, :, 0])
    into_rows[:, :, -1] += lines.right * (sources - rows[:, :, -1])
    return into_cols, into_rows


def _merged(
    lines: Lines, rows: Floats, cols: Floats, sources: Floats, levels: Floats, device: Floats
) -> tuple[Floats, ...]:
    from .engine_direct import crossbar_circuit

    circuit = crossbar_circuit(lines)
    volts = np.zeros(circuit.n_groups)
    volts[circuit.group] = np.concatenate([x.reshape(-1) for x in (rows, cols, sources, levels)])
    flow = circuit.g * (volts[circuit.a] - volts[circuit.b])
    # The devices are the first edges; their currents come from their own law.
    devices = circuit.edge < device.size
    flow[devices] = device.reshape(-1)[circuit.edge[devices]]
    return (circuit.gathered(flow)[circuit.free],)
