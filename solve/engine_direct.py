"""A crossbar as a general circuit: the exact sparse solve, with shorts merged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError
from .engine import Raw
from .graph import Circuit, Factorised, prepare
from .lines import Lines

Floats = NDArray[np.float64]


def crossbar_circuit(lines: Lines) -> Circuit:
    """The circuit of a crossbar.

    Nodes, in this order: row nodes (t, i, j), column nodes (i, j), one source per row
    (t, i), one sense level per column (j). Sources and levels are held.
    """
    T, n, m = lines.G.shape
    row = np.arange(T * n * m).reshape(T, n, m)
    col = T * n * m + np.arange(n * m).reshape(n, m)
    source = col.size + row.size + np.arange(T * n).reshape(T, n)
    level = source.size + col.size + row.size + np.arange(m)
    edges = (
        (row, np.broadcast_to(col, row.shape), lines.G),
        (source, row[:, :, 0], lines.left),
        (source, row[:, :, -1], lines.right),
        (row[:, :, :-1], row[:, :, 1:], np.broadcast_to(lines.row_seg, (T, n, m - 1))),
        (level, col[0], lines.top),
        (level, col[-1], lines.bottom),
        (col[:-1], col[1:], np.broadcast_to(lines.col_seg, (n - 1, m))),
    )
    a, b, g = (np.concatenate([e[k].reshape(-1) for e in edges]) for k in range(3))
    held = np.concatenate([source.reshape(-1), level])
    return prepare(int(level[-1]) + 1, a, b, g, held)


class DirectEngine:
    """See `engine.Engine`; for shorts, small crossbars, and as a reference."""

    name = "direct"

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.circuit = crossbar_circuit(lines)
        self._factor = Factorised(self.circuit)

    def solve(
        self,
        v: Floats,
        vs: Floats,
        *,
        tol: float,
        limit: int,
        keep: bool,
        shift: Floats | None = None,
    ) -> Raw:
        """See `engine.Engine`; `tol` and `limit` have no meaning here."""
        if shift is not None:
            raise InputError("the direct engine takes no series voltages; use 'line-pcg'")
        T, n, m = self.lines.G.shape
        size, nodes = T * n * m, n * m
        B = len(v)
        rows = np.empty((B, T, n if keep else 0, m))
        cols = np.empty((B, n if keep else 0, m))
        row_amps, col_amps = np.empty((B, T, n)), np.empty((B, m))
        held = self.circuit.group[size + nodes :]
        sharing = np.bincount(held, minlength=self.circuit.n_groups)[held]
        worst = 0.0
        for b in range(B):
            given = np.concatenate([v[b].reshape(-1), vs[b]])
            volts = np.zeros(self.circuit.n_groups)
            volts[held] = given
            clash = np.flatnonzero(volts[held] != given)
            if len(clash):
                raise InputError(
                    f"a path of 0 ohm joins sources at {given[clash[0]]} V and "
                    f"{volts[held][clash[0]]} V"
                )
            volts = self._factor.solve(volts)
            out, left = self._balance(volts)
            amps = out[held] / sharing
            full = volts[self.circuit.group]
            row, col = full[:size].reshape(T, n, m), full[size : size + nodes].reshape(n, m)
            row_amps[b], col_amps[b] = amps[: T * n].reshape(T, n), -amps[T * n :]
            if self._factor.levels is None:
                self._by_devices(row, col, row_amps[b], col_amps[b])
            scale = np.abs(amps).max(initial=0.0)
            worst = max(worst, left / float(scale) if scale else 0.0)
            if keep:
                rows[b], cols[b] = row, col
        return Raw(rows, cols, row_amps, col_amps, 0, worst)

    def _balance(self, volts: Floats) -> tuple[Floats, float]:
        """Current out of every held node, and the largest one left over in any other."""
        levels = self._factor.levels
        if levels is not None:
            return levels.held_outflow(volts), levels.left_over(volts)
        out = self.circuit.outflow(volts)
        return out, float(np.abs(out[self.circuit.free]).max(initial=0.0))

    def _by_devices(self, rows: Floats, cols: Floats, row_amps: Floats, col_amps: Floats) -> None:
        """Replace line currents by the sums of their devices, where none is a short.

        Read from the drop of the first wire piece, a small current is lost in the last digit.
        """
        G = self.lines.G
        plain = np.isfinite(G)
        amps = np.where(plain, G, 0.0) * (rows - cols)
        whole = plain.all(axis=2)
        row_amps[whole] = amps.sum(axis=2)[whole]
        whole = plain.all(axis=(0, 1))
        col_amps[whole] = amps.sum(axis=(0, 1))[whole]
