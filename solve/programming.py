"""Does every cell get its write voltage, and does any other cell get too much of it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import InputError
from .linear import solve_network
from .modes import gates_for, network_drives, tier_index
from .network import BOTTOM, TIER_NAMES, Network

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
        needed: voltage needed, V.
    """

    tier: int
    voltages: Floats
    below: NDArray[np.bool_]
    disturb: Floats
    needed: float

    def to_json(self) -> dict[str, Any]:
        """Plain Python types only."""
        return {
            "tier": TIER_NAMES[self.tier],
            "needed_V": self.needed,
            "lowest_V": float(self.voltages.min()),
            "cells_below": [[int(i), int(j)] for i, j in np.argwhere(self.below)],
            "largest_disturb_V": float(np.nanmax(self.disturb)),
        }


def programming_check(
    network: Network,
    conductances: ArrayLike,
    inputs: ArrayLike,
    *,
    needed: float,
    read_tier: int | str = BOTTOM,
    series: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> ProgrammingReport:
    """Write every column of one tier in deep-net mode while the other tier reads.

    Args:
        network: what `extract` found in the layout.
        conductances: devices in S, shape (T, rows, cols).
        inputs: read voltages in V, shape (T, rows).
        needed: voltage in V that a device needs to switch.
        read_tier: the tier that computes; the other one is written.
        series: keyword arguments of `solve_network` (switch_ohm, port_ohm, ...).
        progress: called with (done, cols) after every column.
        **options: keyword arguments of `mode_drives` except `write_column`.

    Returns:
        The report.

    Raises:
        InputError: if `needed` is not positive.
    """
    if not (np.isfinite(needed) and needed > 0):
        raise InputError(f"needed is {needed} V, allowed: > 0")
    tier = 1 - tier_index(read_tier)
    seen = np.empty((network.rows, network.cols))
    disturb = np.zeros((2, network.rows, network.cols))
    for j in range(network.cols):
        drives = network_drives(
            network, "deep-net", inputs, read_tier=read_tier, write_column=j, **options
        )
        volts = solve_network(
            network,
            conductances=conductances,
            port_voltages=drives.port_voltages,
            gates=gates_for(network, drives),
            **dict(series or {}),
        ).device_voltages
        others = np.abs(volts)
        others[tier, :, j] = 0.0
        disturb = np.fmax(disturb, others)
        seen[:, j] = np.abs(volts[tier, :, j])
        if progress is not None:
            progress(j + 1, network.cols)
    return ProgrammingReport(tier, seen, seen < needed, disturb, float(needed))
