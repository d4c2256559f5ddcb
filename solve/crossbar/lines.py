"""A crossbar in canonical form: device conductances, line segments and terminals.

Turns the public arguments of `solve_crossbar` into conductances in one fixed orientation
and finds the pieces of lines that nothing drives. No solving happens here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import InputError
from ...base.names import TIER_NAMES

Floats = NDArray[np.float64]

ROW_ENDS = ("left", "right", "both")
COLUMN_ENDS = ("bottom", "top", "both")


@dataclass(frozen=True, eq=False)
class Lines:
    """A crossbar of T tiers, n rows and m columns, all in siemens.

    Attributes:
        G: devices, shape (T, n, m); inf is a shorted device.
        left: from each row's source to its first node, shape (T, n); 0 open, inf ideal.
        right: from each row's source to its last node, same shape.
        row_seg: between row nodes j and j+1, shape (T, n or 1, m-1); 1 if all rows share it.
        top: from each column's first node to its sense level, shape (m,).
        bottom: from each column's last node to its sense level, same shape.
        col_seg: between column nodes i and i+1, shape (n-1, m or 1).
    """

    G: Floats
    left: Floats
    right: Floats
    row_seg: Floats
    top: Floats
    bottom: Floats
    col_seg: Floats

    @cached_property
    def plain_rows(self) -> bool:
        """True if no pivot of a row line can be 0 or inf."""
        held = np.maximum(self.left, self.right)
        return (
            _plain(self.row_seg)
            and _plain(held)
            and bool(np.isfinite(self.left + self.right).all())
        )

    @cached_property
    def plain_cols(self) -> bool:
        """True if no pivot of a column line can be 0 or inf."""
        held = np.maximum(self.top, self.bottom)
        return (
            _plain(self.col_seg)
            and _plain(held)
            and bool(np.isfinite(self.top + self.bottom).all())
        )

    def with_devices(self, G: Floats) -> Lines:
        """The same lines with other devices; what is known of the lines stays known."""
        found = replace(self, G=G)
        for known in ("plain_rows", "plain_cols", "_column_ohm"):
            found.__dict__[known] = getattr(self, known)
        return found

    @cached_property
    def reach(self) -> tuple[float, float, float]:
        """What a watt that is missing may change, to its root.

        Returns:
            (a row current, a column current, both in A; a voltage, V): roots of the largest
            conductance that a row's, and a column's, source can feed, and of the largest
            resistance that holds a column; that of its devices where its ends are open.
        """
        devices, ends = self.column_sums, np.maximum(self.top, self.bottom)
        hold = np.where(ends > 0, ends, devices)
        with np.errstate(divide="ignore"):
            ohm = np.where(hold > 0, 1.0 / hold, 0.0) + self._column_ohm
        return (
            _most(self.left + self.right, self.G.sum(axis=2)),
            _most(self.top + self.bottom, devices),
            float(np.sqrt(ohm.max())),
        )

    @cached_property
    def column_sums(self) -> Floats:
        """Conductance of all devices of every column, shape (m,)."""
        found: Floats = self.G.sum(axis=(0, 1))
        return found

    @cached_property
    def _column_ohm(self) -> Floats:
        """Resistance of every column from end to end, or of all, where none is cut."""
        with np.errstate(divide="ignore"):
            found: Floats = np.where(self.col_seg > 0, 1.0 / self.col_seg, 0.0).sum(axis=0)
        return found


@dataclass(frozen=True, eq=False)
class Islands:
    """Pieces of lines that no source or sense terminal reaches.

    Attributes:
        rows: True for every row node on such a piece, shape (T, n, m).
        cols: True for every column node on such a piece, shape (n, m).
        names: one line per piece.
    """

    rows: NDArray[np.bool_]
    cols: NDArray[np.bool_]
    names: tuple[str, ...]


def _plain(g: Floats) -> bool:
    return bool(((g > 0) & (g < np.inf)).all())


def _most(ends: Floats, devices: Floats) -> float:
    return float(np.sqrt(np.minimum(ends, devices).max()))


def numbers(name: str, value: ArrayLike) -> Floats:
    """An argument as an array of floats, or an InputError that names it."""
    try:
        found = np.asarray(value)
    except ValueError:  # lists of different lengths
        raise InputError(f"{name} is ragged, allowed: an array of numbers") from None
    if found.dtype.kind not in "biuf":
        raise InputError(f"{name} holds {found.dtype} values, allowed: real numbers")
    return found.astype(np.float64, copy=False)


def check_conductances(conductances: ArrayLike) -> Floats:
    """Device conductances as a contiguous float array, shape (T, rows, cols).

    Raises:
        InputError: naming the shape or the first impossible value.
    """
    G = np.ascontiguousarray(numbers("conductances", conductances))
    if G.ndim != 3 or G.shape[0] not in {1, 2} or 0 in G.shape:
        raise InputError(
            f"conductances have shape {G.shape}, allowed: (tiers, rows, cols) with 1 or 2 tiers"
        )
    if not (G.min() >= 0):
        t, i, j = (int(k) for k in np.argwhere(~(G >= 0))[0])
        raise InputError(
            f"conductance of tier {TIER_NAMES[t]}, row {i}, column {j} is {G[t, i, j]} S, "
            "allowed: >= 0 (0 is a missing device, inf a shorted one)"
        )
    return G


def check_voltages(voltages: ArrayLike, shape: tuple[int, ...]) -> tuple[Floats, bool]:
    """Row voltages as (B, T, rows), nan for floating rows, and whether a batch was given."""
    v = numbers("voltages", voltages)
    T, n, _ = shape
    if v.shape[-2:] != (T, n) or v.ndim not in {2, 3} or not v.size:
        raise InputError(f"voltages have shape {v.shape}, allowed: ({T}, {n}) or (B, {T}, {n})")
    if np.isinf(v).any():
        raise InputError("voltages hold inf; allowed: finite, or nan for a floating row")
    return v.reshape(-1, T, n), v.ndim == 3


def _resistances(name: str, value: ArrayLike, shape: tuple[int, ...], shared: int) -> Floats:
    """Broadcast resistances to `shape`, keeping length 1 on axis `shared` if it can be."""
    ohm = numbers(name, value)
    if np.isnan(ohm).any() or (ohm < 0).any():
        bad = ohm.reshape(-1)[~(ohm.reshape(-1) >= 0)][0]
        raise InputError(f"{name} holds {bad} ohm, allowed: >= 0 (inf is an open)")
    lead = (
        ohm.reshape((1,) * (len(shape) - ohm.ndim) + ohm.shape) if ohm.ndim <= len(shape) else ohm
    )
    try:
        full = np.broadcast_to(lead, shape)
    except ValueError:
        raise InputError(f"{name} has shape {ohm.shape}, allowed: a number or {shape}") from None
    if lead.shape[shared] == 1:
        full = full.take([0], axis=shared)
    return full


def canonical(
    G: Floats,
    *,
    row_segments: ArrayLike,
    column_segments: ArrayLike,
    drive_resistance: ArrayLike,
    sense_resistance: ArrayLike,
    row_drive: str,
    column_sense: str,
) -> Lines:
    """Build `Lines` from checked conductances and the arguments of `solve_crossbar`.

    Raises:
        InputError: naming the argument, its value or shape and what is allowed.
    """
    T, n, m = G.shape
    if row_drive not in ROW_ENDS:
        raise InputError(f"row_drive is {row_drive!r}, allowed: {', '.join(ROW_ENDS)}")
    if column_sense not in COLUMN_ENDS:
        raise InputError(f"column_sense is {column_sense!r}, allowed: {', '.join(COLUMN_ENDS)}")
    width = m + (row_drive == "both")
    height = n + (column_sense == "both")
    rows = _resistances("row_segments", row_segments, (T, n, width), 1)
    cols = _resistances("column_segments", column_segments, (height, m), 1)
    drive = np.broadcast_to(_resistances("drive_resistance", drive_resistance, (T, n), 1), (T, n))
    sense = np.broadcast_to(_resistances("sense_resistance", sense_resistance, (m,), 0), (m,))
    none_row, none_col = np.zeros((T, n)), np.zeros(m)
    with np.errstate(divide="ignore"):
        first, last = 1.0 / (drive + rows[:, :, 0]), 1.0 / (drive + rows[:, :, -1])
        upper, lower = 1.0 / (sense + cols[0]), 1.0 / (sense + cols[-1])
        inner_rows = {
            "left": rows[:, :, 1:],
            "right": rows[:, :, :-1],
            "both": rows[:, :, 1:-1],
        }[row_drive]
        inner_cols = {"bottom": cols[:-1], "top": cols[1:], "both": cols[1:-1]}[column_sense]
        return Lines(
            G=G,
            left=first if row_drive != "right" else none_row,
            right=last if row_drive != "left" else none_row,
            row_seg=np.ascontiguousarray(1.0 / inner_rows),
            top=upper if column_sense != "bottom" else none_col,
            bottom=lower if column_sense != "top" else none_col,
            col_seg=np.ascontiguousarray(1.0 / inner_cols),
        )


def float_rows(lines: Lines, floating: NDArray[np.bool_]) -> Lines:
    """The same crossbar with the sources of some rows cut off; `floating` is (T, n)."""
    if not floating.any():
        return lines
    return replace(
        lines,
        left=np.where(floating, 0.0, lines.left),
        right=np.where(floating, 0.0, lines.right),
    )


def find_islands(lines: Lines) -> tuple[Lines, Islands | None]:
    """Cut off what no terminal reaches.

    Nothing drives an island, so no current flows in it: removing its devices changes no
    other voltage and leaves its nodes without any load, which every solver pins.

    Returns:
        The crossbar without the devices of its islands, and the islands; None if all
        lines are whole and attached.
    """
    if lines.plain_rows and lines.plain_cols:
        return lines, None
    # scipy's graph routines are needed for damaged arrays only
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    T, n, m = lines.G.shape
    row_piece = _pieces(np.broadcast_to(lines.row_seg, (T, n, m - 1)) == 0, axis=2)
    col_piece = _pieces(np.broadcast_to(lines.col_seg, (n - 1, m)) == 0, axis=0)
    col_piece += row_piece.max() + 1
    count = int(col_piece.max()) + 1
    live = lines.G > 0
    ends = (row_piece[live], np.broadcast_to(col_piece, lines.G.shape)[live])
    graph = coo_matrix((np.ones(len(ends[0]), dtype=np.int8), ends), (count, count))
    _, label = connected_components(graph, directed=False)
    held = np.zeros(count, dtype=bool)
    for piece, terminal in (
        (row_piece[:, :, 0], lines.left),
        (row_piece[:, :, -1], lines.right),
        (col_piece[0], lines.top),
        (col_piece[-1], lines.bottom),
    ):
        held[label[piece[terminal > 0]]] = True
    loose = ~held[label]
    if not loose.any():
        return lines, None
    rows, cols = loose[row_piece], loose[col_piece]
    names = (*_row_names(row_piece, rows), *_column_names(col_piece, cols))
    return replace(lines, G=np.where(rows, 0.0, lines.G)), Islands(rows, cols, names)


def _pieces(cut: NDArray[np.bool_], axis: int) -> NDArray[np.int64]:
    """Number the pieces of lines that run along `axis` and are cut between some nodes."""
    along = np.cumsum(cut, axis=axis, dtype=np.int64)
    shape = list(along.shape)
    shape[axis] = 1
    along = np.concatenate([np.zeros(shape, dtype=np.int64), along], axis=axis)
    pieces = along.take([-1], axis=axis) + 1
    return along + (np.cumsum(pieces).reshape(pieces.shape) - pieces)


def _row_names(piece: NDArray[np.int64], loose: NDArray[np.bool_]) -> list[str]:
    names = []
    for t, i in np.argwhere(loose.any(axis=2)):
        for k in np.unique(piece[t, i, loose[t, i]]):
            cells = np.flatnonzero(piece[t, i] == k)
            names.append(f"{TIER_NAMES[t]} row {i}, cells {cells[0]}..{cells[-1]}")
    return names


def _column_names(piece: NDArray[np.int64], loose: NDArray[np.bool_]) -> list[str]:
    names = []
    for j in np.flatnonzero(loose.any(axis=0)):
        for k in np.unique(piece[loose[:, j], j]):
            cells = np.flatnonzero(piece[:, j] == k)
            names.append(f"column {j}, cells {cells[0]}..{cells[-1]}")
    return names
