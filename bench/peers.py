"""Other solvers of crossbars on our work, for benchmarks that put them beside ours.

A crossbar has G (T, rows, columns) in S, and ohm a wire segment along rows and columns; rows are
driven from the left, columns grounded at the bottom.
"""

from __future__ import annotations

import contextlib
import io
import subprocess
from collections.abc import Callable

import numpy as np
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu


def nodal_matrix(
    G: np.ndarray, volts: np.ndarray, row_ohm: float, column_ohm: float
) -> tuple[csc_matrix, np.ndarray]:
    """Textbook nodal analysis as a user of scipy would write it: rows first, then columns."""
    T, n, m = G.shape
    row = np.arange(T * n * m).reshape(T, n, m)
    col = T * n * m + np.arange(n * m).reshape(n, m)
    size = (T + 1) * n * m
    pairs = [
        (row, np.broadcast_to(col, row.shape), G),
        (row[:, :, 1:], row[:, :, :-1], np.full((T, n, m - 1), 1 / row_ohm)),
        (col[1:], col[:-1], np.full((n - 1, m), 1 / column_ohm)),
    ]
    a, b, g = (np.concatenate([p[k].reshape(-1) for p in pairs]) for k in range(3))
    diagonal = np.bincount(a, g, size) + np.bincount(b, g, size)
    diagonal[row[:, :, 0].reshape(-1)] += 1 / row_ohm
    diagonal[col[-1]] += 1 / column_ohm
    own = np.arange(size)
    entries = np.concatenate([diagonal, -g, -g])
    index = (np.concatenate([own, a, b]), np.concatenate([own, b, a]))
    source = np.zeros(size)
    source[row[:, :, 0].reshape(-1)] = volts.reshape(-1) / row_ohm
    return csc_matrix((entries, index), (size, size)), source


def scipy_direct(
    G: np.ndarray, volts: np.ndarray | None = None, row_ohm: float = 1.0, column_ohm: float = 1.0
) -> np.ndarray:
    """Return the column currents by SuperLU, A; one vector (T, rows) in V, or None for 1 V."""
    volts = np.ones(G.shape[:2]) if volts is None else volts
    matrix, source = nodal_matrix(G, volts, row_ohm, column_ohm)
    return splu(matrix).solve(source)[-G.shape[2] :] / column_ohm


def badcrossbar_currents(
    G: np.ndarray, volts: np.ndarray, row_ohm: float = 1.0, column_ohm: float = 1.0
) -> np.ndarray:
    """Return the column currents of one tier, A; volts are (rows, vectors)."""
    with contextlib.redirect_stderr(io.StringIO()):  # it says that it cannot plot
        import badcrossbar

    result = badcrossbar.compute(volts, 1 / G[0], r_i_word_line=row_ohm, r_i_bit_line=column_ohm)
    return np.asarray(result.currents.output)


def crosssim_currents(
    G: np.ndarray, volts: np.ndarray, row_ohm: float = 1.0, column_ohm: float = 1.0
) -> np.ndarray:
    """Return the column currents of one tier by CrossSim's own relaxation, A.

    Its relaxation is asked for 1e-10 of the inputs; it slows down by itself until it converges.

    Raises:
        ImportError: where CrossSim (github.com/sandialabs/cross-sim) cannot be imported.
    """
    from simulator import CrossSimParameters
    from simulator.backend import ComputeBackend
    from simulator.circuits.array.NonInterleaved_InputSource import NoninterleavedInputSourceArray

    ComputeBackend(use_gpu=False)
    array = NoninterleavedInputSourceArray(CrossSimParameters())
    array.Rp_row_norm, array.Rp_col_norm = row_ohm, column_ohm
    array.Rp_row_terminal_norm = array.Rp_col_terminal_norm = 0.0
    array.Verr_th, array.Niters_max = 1e-10 * float(np.abs(volts).max()), 100_000
    array.hide_convergence_msg, array.fast_matmul = True, False
    return np.asarray(array.iterative_solve(np.ascontiguousarray(G[0].T), volts.reshape(-1)))


def linear_device(name: str, a: str, b: str, siemens: float) -> str:
    """Return a device between two nodes as a resistor of SPICE."""
    return f"r{name} {a} {b} {1 / siemens!r}"


def ngspice_currents(
    G: np.ndarray,
    volts: np.ndarray | None = None,
    device: Callable[[str, str, str, float], str] = linear_device,
    options: str = "",
) -> np.ndarray:
    """Return the column currents that ngspice finds for 1 ohm a wire piece, A.

    Args:
        G: of the devices, S, (T, rows, columns).
        volts: of the rows, V, (T, rows); None for 1 V.
        device: line of SPICE for one device: its name, two nodes, S.
        options: further ones of ngspice.
    """
    T, n, m = G.shape
    volts = np.ones((T, n)) if volts is None else volts
    lines = ["* crossbar"]
    for t in range(T):
        for i in range(n):
            lines.append(f"v{t}_{i} s{t}_{i} 0 {float(volts[t, i])!r}")
            before = f"s{t}_{i}"
            for j in range(m):
                here = f"w{t}_{i}_{j}"
                lines.append(f"rw{t}_{i}_{j} {before} {here} 1")
                lines.append(device(f"d{t}_{i}_{j}", here, f"b{i}_{j}", float(G[t, i, j])))
                before = here
    for j in range(m):
        below = [f"b{i}_{j}" for i in range(1, n)] + ["0"]
        lines += [f"rb{i}_{j} b{i}_{j} {below[i]} 1" for i in range(n)]
    lines += [f".options gmin=1e-18 {options}", ".control", "set numdgt=16", "op"]
    lines += [f"print v(b{n - 1}_{j})" for j in range(m)] + [".endc", ".end"]
    run = subprocess.run(
        ["ngspice", "-b"], input="\n".join(lines), capture_output=True, text=True, check=False
    )
    found = [float(s.split(" = ")[1]) for s in run.stdout.splitlines() if s.startswith("v(b")]
    if len(found) != m:
        raise RuntimeError(f"ngspice did not solve: {run.stderr[-300:]}")
    return np.array(found)
