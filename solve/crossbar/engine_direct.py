"""A crossbar as a general circuit: the exact sparse solve, with shorts merged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...base.errors import InputError
from ..circuit.circuit import Circuit, Flow, prepare
from ..circuit.graph import Factorised
from .engine import Engine, Raw
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
    """See `engine.Engine`; for shorts, wide spans, small crossbars, and as a reference."""

    name = "direct"

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.circuit = crossbar_circuit(lines)
        self._factor = Factorised(self.circuit)
        devices = self.circuit.edge < lines.G.size
        self._devices = np.flatnonzero(devices)
        held = self.circuit.group[-(lines.G.shape[2] + lines.left.size) :]
        self._ends = np.unique(held[: lines.left.size]), np.unique(held[lines.left.size :])

    def renewed(self, lines: Lines) -> Engine:
        """See `engine.Engine`."""
        return DirectEngine(lines)

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
        """See `engine.Engine`; `limit` and `start` have no meaning here.

        Voltages in series with devices are solved for, but not judged by their currents.
        """
        T, n, m = self.lines.G.shape
        size, nodes = T * n * m, n * m
        B = len(v)
        rows = np.empty((B, T, n if keep else 0, m))
        cols = np.empty((B, n if keep else 0, m))
        devices = np.empty((B, T, n if keep else 0, m))
        row_amps, col_amps = np.empty((B, T, n)), np.empty((B, m))
        held = self.circuit.group[size + nodes :]
        sharing = np.bincount(held, minlength=self.circuit.n_groups)[held]
        worst = 0.0
        for b in range(B):
            found = self._flow(self._given(v[b], vs[b]), tol, shift)
            amps = found.out[held] / sharing
            row_amps[b], col_amps[b] = amps[: T * n].reshape(T, n), -amps[T * n :]
            left = np.abs(found.out[self.circuit.free]).max(initial=0.0)
            scale = np.abs(amps).max(initial=0.0)
            worst = max(worst, float(left / scale) if scale else 0.0)
            if keep:
                full = found.volts[self.circuit.group]
                rows[b] = full[:size].reshape(T, n, m)
                cols[b] = full[size : size + nodes].reshape(n, m)
                devices[b] = self._device_amps(found)
        return Raw(
            rows, cols, row_amps, col_amps, 0, worst, devices if keep and shift is None else None
        )

    def _given(self, v: Floats, vs: Floats) -> Floats:
        """Voltage of every held node.

        Raises:
            InputError: if 0 ohm joins two sources of different voltages.
        """
        held = self.circuit.group[-(v.size + vs.size) :]
        given = np.concatenate([v.reshape(-1), vs])
        volts = np.zeros(self.circuit.n_groups)
        volts[held] = given
        clash = np.flatnonzero(volts[held] != given)
        if len(clash):
            raise InputError(
                f"a path of 0 ohm joins sources at {given[clash[0]]} V and "
                f"{volts[held][clash[0]]} V"
            )
        return volts

    def _flow(self, volts: Floats, tol: float, shift: Floats | None) -> Flow:
        """Voltages and currents; with `shift` those of the tangents, refined only."""
        if shift is None:
            return self._factor.flow(volts, nodes=self._ends, edges=(self._devices,), tol=tol)
        circuit, d = self.circuit, self._devices
        push = np.zeros(len(circuit.g))
        push[d] = circuit.g[d] * shift.reshape(-1)[circuit.edge[d]]
        volts = self._factor.solve(volts, circuit.gathered(push))
        drops = volts[circuit.a] - volts[circuit.b]
        amps = circuit.g * drops - push
        return Flow(volts, drops, amps, circuit.gathered(amps))

    def _device_amps(self, found: Flow) -> Floats:
        """Current of every device; nan if shorted, 0 if missing."""
        out = np.where(np.isinf(self.lines.G), np.nan, 0.0)
        out.reshape(-1)[self.circuit.edge[self._devices]] = found.amps[self._devices]
        return out
