"""Does every cell get its write voltage, and does any other cell get too much of it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import InputError
from ...base.names import BOTTOM, TIER_NAMES
from ..circuit.iv import DeviceLaw
from ..modes.drives import Drives, gates_for, network_drives, tier_index
from ..modes.mode import ArrayKind
from ..modes.modes import LEAST_WRITE_V, PLANAR_WRITE, writing_mode
from ..network.linear import NetworkSolution, NetworkSolver
from ..network.network import Network
from ..network.nonlinear import solve_network_nonlinear
from .metrics import law_in

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ProgrammingReport:
    """What a whole write of one tier does, column after column.

    Attributes:
        tier: the written tier.
        voltages: over every device while its own column is written, (rows, cols), V.
        below: True where that is less than the voltage needed.
        disturb: largest voltage over every device while other columns are written,
            shape (T, rows, cols), V.
        read_disturb: while each column is written, the largest change of another column's
            read current against the same read without the write, relative to the largest
            read current, shape (cols,); 0 if there is no other column.
        needed: voltage needed, V.
    """

    tier: int
    voltages: Floats
    below: NDArray[np.bool_]
    disturb: Floats
    read_disturb: Floats
    needed: float

    def to_json(self) -> dict[str, Any]:
        """Plain Python types only."""
        return {
            "tier": TIER_NAMES[self.tier],
            "needed_V": self.needed,
            "lowest_V": float(self.voltages.min()),
            "cells_below": [[int(i), int(j)] for i, j in np.argwhere(self.below)],
            "largest_disturb_V": float(np.nanmax(self.disturb)),
            "largest_read_disturb": float(self.read_disturb.max()),
        }


def programming_check(
    network: Network,
    conductances: ArrayLike,
    inputs: ArrayLike,
    *,
    needed: float,
    read_tier: int | str = BOTTOM,
    write_rows: int | None = None,
    series: Mapping[str, Any] | Callable[[int, int], Mapping[str, Any]] | None = None,
    device: DeviceLaw | None = None,
    write_law: DeviceLaw | None = None,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> ProgrammingReport:
    """Write every column of one tier, in deep-net mode while the other tier reads.

    Args:
        network: what `extract` found in the layout.
        conductances: devices in S, shape (T, rows, cols).
        inputs: read voltages in V, shape (T, rows).
        needed: voltage in V that a device needs to switch.
        read_tier: the tier that computes; the other one is written. Of one tier that is, and none
            computes.
        write_rows: rows that are written at a time; None for all.
        series: keyword arguments of `solve_network` (switch_ohm, port_ohm, ...), or a
            function that gives them for each written column and turn of its rows.
        device: law of the memristors; None leaves them linear.
        write_law: law of those of the written tier, where `device` gives none.
        progress: called with (done, cols) after every column.
        **options: keyword arguments of `mode_drives` except `write_column` and `write_turn`.

    Returns:
        The report.

    Raises:
        InputError: if `needed` is below `LEAST_WRITE_V`.
    """
    if not (np.isfinite(needed) and needed >= LEAST_WRITE_V):
        raise InputError(f"needed is {needed:g} V, allowed: {LEAST_WRITE_V:g} V or more")
    mode = writing_mode(ArrayKind.of(network))
    tier = BOTTOM if mode is PLANAR_WRITE else 1 - tier_index(read_tier)
    cols = network.cols
    seen = np.empty((network.rows, cols))
    disturb = np.zeros((max(network.tiers) + 1, network.rows, cols))
    read_disturb = np.zeros(cols)
    turns = 1 if write_rows is None else -(-network.rows // write_rows)
    for j, turn in product(range(cols), range(turns)):
        asked = {**options, "read_tier": read_tier, "write_column": j}
        asked |= {"write_rows": write_rows, "write_turn": turn}
        drives = network_drives(network, mode.name, inputs, **asked)
        silent = {**asked, "write_voltage": 0.0, "write_rail": 0.0}
        quiet = network_drives(network, mode.name, inputs, **silent)
        solved = _solver(
            network, conductances, drives, law_in(network, drives.request, device, write_law),
            dict(series(j, turn) if callable(series) else series or {}),
        )  # fmt: skip
        solution = solved(drives)
        others = np.abs(solution.device_voltages)
        # a write without a voltage is one all the same: every row of it
        mine = drives.request.written if drives.request.written.any() else slice(None)
        seen[mine, j] = others[tier, mine, j]
        others[tier, mine, j] = 0.0
        disturb = np.fmax(disturb, others)
        with_write = np.array([solution.port_currents[pin] for pin in drives.outputs])
        ports = solved(quiet).port_currents
        without = np.array([ports[pin] for pin in drives.outputs])
        largest = np.delete(np.abs(without), j).max(initial=0.0)
        if largest > 0:
            change = np.delete(np.abs(with_write - without), j).max() / largest
            read_disturb[j] = max(read_disturb[j], change)
        if progress is not None and turn == turns - 1:
            progress(j + 1, cols)
    return ProgrammingReport(tier, seen, seen < needed, disturb, read_disturb, float(needed))


def _solver(
    network: Network,
    conductances: ArrayLike,
    drives: Drives,
    device: DeviceLaw | None,
    series: dict[str, Any],
) -> Callable[[Drives], NetworkSolution]:
    """Return what solves the network for drives of the same pins and gates."""
    common = {"conductances": conductances, "gates": gates_for(network, drives), **series}
    if device is None:
        linear = NetworkSolver(network, driven=drives.port_voltages, **common)
        return lambda given: linear.solve(given.port_voltages)
    return lambda given: solve_network_nonlinear(
        network, port_voltages=given.port_voltages, device=device, **common
    )
