"""IR drop of a macro in three views, and the series parts that explain it.

* ``wires``: switches and transistors at 0 ohm, so only drawn wires, contacts and vias count;
* ``all``: everything in series counts, mode switches and select transistors too;
* ``kelvin``: every line is driven and sensed at its Kelvin tap beside the array, so what the
  mode switches take is cancelled and the wires, vias and select transistors remain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analysis import switch_ohm
from ..pdk import Tech
from ..solve.linear import solve_network
from ..solve.metrics import Errors, IrDrop, ir_drop
from ..solve.modes import gates_for, network_drives
from ..solve.network import Network
from ..solve.theory import Parts

Floats = NDArray[np.float64]
VIEWS = ("wires", "all", "kelvin")
METRICS = ("worst_device", "mean_device", "worst_column")

#: conductance of the one device that is on when parts are measured, S: so small that it loads
#: nothing, so large that what it drops in milliohms stays far above rounding
_PROBE_S = 1e-6


def behind_kelvin_taps(network: Network) -> Network:
    """Return a macro's network as seen from the lines' Kelvin taps: mode switches left out."""
    select = np.array([net.startswith(("TS[", "BS[")) for net in network.nets], dtype=bool)
    keep = select[network.switch_gate] if len(network.switch_gate) else np.zeros(0, dtype=bool)
    outside = ("IN_T[", "IN_B[", "WR[", "OUT[", "WSEL[", "WC", "WT", "WB", "VDD")
    return replace(
        network,
        switch_a=network.switch_a[keep],
        switch_b=network.switch_b[keep],
        switch_gate=network.switch_gate[keep],
        switch_w_um=network.switch_w_um[keep],
        switch_l_um=network.switch_l_um[keep],
        switch_p=network.switch_p[keep],
        ports={pin: n for pin, n in network.ports.items() if not pin.startswith(outside)},
    )


@dataclass(frozen=True, eq=False)
class Views:
    """IR drop in every view.

    Attributes:
        errors: view -> errors.
        maps: device error with everything in series, shape (T, rows, cols).
        kcl_residual: the largest of all solves.
        columns: column currents with everything in series, A.
    """

    errors: Mapping[str, Errors]
    maps: Floats
    kcl_residual: float
    columns: Floats

    def to_json(self) -> dict[str, Any]:
        """Return errors as plain numbers, the largest residual with them."""
        rows: dict[str, Any] = {
            view: {metric: getattr(e, metric) for metric in METRICS}
            for view, e in self.errors.items()
        }
        return {**rows, "kcl_residual": self.kcl_residual, "column_currents_A": self.columns.tolist()}


def views(network: Network, tech: Tech, conductances: Floats, inputs: Floats) -> Views:
    """Solve a macro in expansion mode in all three views."""
    ohm = switch_ohm(tech)
    whole: IrDrop = ir_drop(network, conductances, inputs, switch_ohm=ohm)
    tapped = ir_drop(behind_kelvin_taps(network), conductances, inputs, switch_ohm=ohm)
    return Views(
        errors={
            "wires": whole.wires_only,
            "all": whole.all_series,
            "kelvin": tapped.all_series,
        },
        maps=whole.device_error,
        kcl_residual=max(whole.kcl_residual, tapped.kcl_residual),
        columns=whole.column_currents,
    )


def series_parts(network: Network, tech: Tech, view: str, tier: int = 0) -> Parts:
    """Measure the series parts that the first-order theory knows, on the extracted network.

    One device, far from driver and sense end, is on. Its current flows along its whole row
    and column; what the taps of the other devices see of it tells wire, ends and cell apart.

    Args:
        network: an extracted macro.
        tech: for the transistors.
        view: one of `VIEWS`.
        tier: whose rows are measured.
    """
    net = behind_kelvin_taps(network) if view == "kelvin" else network
    rows, cols = net.rows, net.cols
    shape = (max(net.tiers) + 1, rows, cols)
    conductances, inputs = np.zeros(shape), np.zeros(shape[:2])
    conductances[tier, rows - 1, cols - 1] = _PROBE_S
    inputs[tier, rows - 1] = 1.0
    drives = network_drives(net, "expansion", inputs)
    solution = solve_network(
        net,
        conductances=conductances,
        port_voltages=drives.port_voltages,
        gates=gates_for(net, drives),
        switch_ohm=0.0 if view == "wires" else switch_ohm(tech),
    )
    amps = float(solution.device_currents[tier, rows - 1, cols - 1])
    volts = solution.node_voltages
    of_tier = net.memristor_tier == tier
    in_row, in_col = (
        np.flatnonzero(of_tier & mask)
        for mask in (net.memristor_row == rows - 1, net.memristor_col == cols - 1)
    )
    along_row = in_row[np.argsort(net.memristor_col[in_row])]
    along_col = in_col[np.argsort(net.memristor_row[in_col])]
    row = (1.0 - volts[net.memristor_a[along_row]]) / amps
    col = volts[net.memristor_b[along_col]] / amps
    return _fit(row, col)


def _fit(row: Floats, col: Floats) -> Parts:
    """Turn resistances seen along one row and one column into parts per cell and ends."""
    r_row, drive, row_rest = _line(row)
    r_col, sense, col_rest = _line(col)
    return Parts(r_row, r_col, drive, sense, max(0.0, row_rest + col_rest))


def _line(seen: Floats) -> tuple[float, float, float]:
    """Return wire per cell, end, and what only the last (the conducting) device has in series."""
    if len(seen) < 3:  # too short to tell wire from end: all of it counts as end
        return 0.0, float(seen[0]), float(seen[-1] - seen[0])
    taps = seen[:-1]
    per_cell = float((taps[-1] - taps[0]) / (len(taps) - 1))
    end = float(taps[0]) - per_cell
    return per_cell, max(0.0, end), float(seen[-1] - (end + len(seen) * per_cell))
