"""Prepare a crossbar of stated resistances for many devices and inputs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base import names
from ...base.errors import InputError
from ..crossbar.lines import COLUMN_ENDS, ROW_ENDS, numbers
from ..network.blocks import Blocks, Side
from ..network.prepared import Prepared
from .guess import chain_guess
from .prepare import refuse_large, timed

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def prepare_crossbar(
    shape: tuple[int, int, int],
    *,
    row_segments: ArrayLike,
    column_segments: ArrayLike,
    drive_resistance: ArrayLike = 0.0,
    sense_resistance: ArrayLike = 0.0,
    row_drive: str = "left",
    column_sense: str = "bottom",
    device_resistance: ArrayLike = 0.0,
    computing: ArrayLike | None = None,
    chains: bool = False,
) -> Prepared:
    """Prepare a crossbar with stated line resistances.

    Args:
        shape: (tiers, rows, cols).
        row_segments: see `solve_crossbar`; so are the others. All must be finite.
        column_segments: see `solve_crossbar`.
        drive_resistance: see `solve_crossbar`.
        sense_resistance: see `solve_crossbar`.
        row_drive: see `solve_crossbar`.
        column_sense: see `solve_crossbar`.
        device_resistance: in series with every device, ohm: a number or `shape`.
        computing: which devices carry current, True or False, `shape`; None for all. Rows and
            columns without one are no inputs and outputs.
        chains: solve a small array by its lines, too, though blocks are faster there.

    Raises:
        InputError: naming an argument that is wrong.
        NetworkError: if the array is too large.
    """
    start = time.perf_counter()
    T, n, m = _shape(shape)
    if row_drive not in ROW_ENDS or column_sense not in COLUMN_ENDS:
        allowed = f"{', '.join(ROW_ENDS)}; {', '.join(COLUMN_ENDS)}"
        raise InputError(f"ends are {row_drive!r} and {column_sense!r}, allowed: {allowed}")
    lengths = m + (row_drive == "both"), n + (column_sense == "both")
    wires = {
        "row_segments": _ohms("row_segments", row_segments, (T, n, lengths[0])),
        "column_segments": _ohms("column_segments", column_segments, (lengths[1], m)),
        "drive_resistance": _ohms("drive_resistance", drive_resistance, (T, n)),
        "sense_resistance": _ohms("sense_resistance", sense_resistance, (m,)),
    }
    tap = _ohms("device_resistance", device_resistance, (T, n, m))
    live = _computing(computing, (T, n, m))
    place = np.stack(np.nonzero(live)).astype(np.int64)
    rows, cols = live.any(axis=2), live.any(axis=(0, 1))
    size = place.shape[1]

    def blocks() -> Blocks:
        return _blocks(wires, row_drive, column_sense, live, tap)

    found = Prepared(
        shape=(T, n, m),
        place=place,
        inputs=tuple(names.row(int(t), int(i)) for t, i in np.argwhere(rows)),
        outputs=tuple(names.column(int(j)) for j in np.flatnonzero(cols)),
        wires=blocks,
        source=(np.cumsum(rows.reshape(-1)) - 1)[place[0] * n + place[1]],
        sink=(np.cumsum(cols) - 1)[place[2]],
        gain=np.ones(size),
        part=np.ones(size),
        offset=np.zeros(size),
        rest=np.zeros(int(cols.sum())),
    )
    ends = {"row_drive": row_drive, "column_sense": column_sense}
    guess = chain_guess(found, tap[live], chains, **wires, **ends)
    return timed(replace(found, guess=guess, exact=guess is not None), start)


def _blocks(
    wires: Mapping[str, Floats], row_drive: str, column_sense: str, live: Bools, tap: Floats
) -> Blocks:
    """What the devices see of each other: blocks of rows and of columns."""
    T, n, m = live.shape
    refuse_large(T * n * m * m + m * (T * n) ** 2)
    size = int(live.sum())
    number = np.full(live.shape, size, dtype=np.int64)
    number[live] = np.arange(size)
    ends = {"bottom": "right", "top": "left", "both": "both"}
    segments, drive = wires["row_segments"].reshape(T * n, -1), wires["drive_resistance"]
    along = _chain(segments, drive.reshape(-1), row_drive)
    # what is in series with a device is seen by that one alone
    along = along + tap.reshape(T * n, m)[:, :, None] * np.eye(m)
    column = np.ascontiguousarray(wires["column_segments"].T)
    one = _chain(column, wires["sense_resistance"], ends[column_sense])
    # both tiers' devices of a crossing hang on one place of the column
    cols = Side(np.tile(one, (1, T, T)), number.transpose(2, 0, 1).reshape(m, T * n))
    return Blocks((Side(along, number.reshape(T * n, m)), cols), size)


def _computing(value: ArrayLike | None, shape: tuple[int, int, int]) -> Bools:
    live = np.ones(shape, dtype=bool) if value is None else np.asarray(value)
    if live.dtype != bool or live.shape != shape or not live.any():
        raise InputError(
            f"computing is {live.dtype} of shape {live.shape}, allowed: True or False for each of "
            f"{shape}, not all False"
        )
    return live


def _shape(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    sizes = tuple(shape)
    whole = all(isinstance(k, (int, np.integer)) and k >= 1 for k in sizes)
    if len(sizes) != 3 or not whole or sizes[0] > 2:
        raise InputError(f"shape is {shape}, allowed: (1 or 2 tiers, rows, cols), each 1 or more")
    return int(sizes[0]), int(sizes[1]), int(sizes[2])


def _ohms(name: str, value: ArrayLike, shape: tuple[int, ...]) -> Floats:
    ohm = numbers(name, value)
    bad = ohm[~(np.isfinite(ohm) & (ohm >= 0))]
    if bad.size:
        raise InputError(f"{name} holds {bad.reshape(-1)[0]} ohm, allowed: finite, >= 0")
    try:
        return np.ascontiguousarray(np.broadcast_to(ohm, shape))
    except ValueError:
        raise InputError(f"{name} has shape {ohm.shape}, allowed: a number or {shape}") from None


def _chain(segments: Floats, end: Floats, ends: str) -> Floats:
    """Resistance between places of chains that are held at one end or at both.

    Args:
        segments: ohm, shape (lines, K) counted from the held end, or K + 1 between both ends.
        end: ohm in series with every held end.
        ends: 'left', 'right' or 'both'.
    """
    if ends == "right":
        return _chain(segments[:, ::-1], end, "left")[:, ::-1, ::-1]
    along = np.cumsum(segments, axis=1) + end[:, None]
    if ends == "left":
        return np.minimum(along[:, :, None], along[:, None, :])
    whole = (along[:, -1] + end)[:, None, None]
    along = along[:, :-1]
    out = np.minimum(along[:, :, None], along[:, None, :])
    both = along[:, :, None] * along[:, None, :]
    return out - np.divide(both, whole, out=np.zeros_like(both), where=whole > 0)
