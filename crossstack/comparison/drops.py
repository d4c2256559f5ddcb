"""IR drop of a macro in four views, and the series parts that explain it.

* ``wires``: switches and transistors at 0 ohm, so only drawn wires, contacts and vias count;
* ``all``: everything in series counts, mode switches and select transistors too;
* ``kelvin``: read-out regulates every line at its tap beside the array, so what the mode
  switches and the way to them take is cancelled; wires, vias and select transistors remain;
* ``array``: the same with select transistors at 0 ohm: the wires and vias of the array alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analyse.transistors import working_ohm
from ..base import names
from ..pdk import Tech
from ..solve.modes.drives import gates_for, network_drives
from ..solve.modes.modes import EXPANSION
from ..solve.network.linear import NetworkSolution, NetworkSolver
from ..solve.network.network import Network
from ..solve.network.reduced import reduced
from ..solve.study.metrics import Errors
from ..solve.study.theory import Parts

Floats = NDArray[np.float64]
VIEWS = ("wires", "all", "kelvin", "array")
_IDEAL_TRANSISTORS = ("wires", "array")
_REGULATED = ("kelvin", "array")
METRICS = ("worst_device", "mean_device", "worst_column")

#: conductance of the one device that is on when parts are measured, S: so small that it loads
#: nothing, so large that what it drops in milliohms stays far above rounding
_PROBE_S = 1e-6


#: regulation: steps at the most, and what is left of the largest nominal voltage when it is done
_STEPS, _STILL = 8, 1e-13


def solve_view(
    network: Network, tech: Tech, conductances: Floats, inputs: Floats, view: str
) -> tuple[NetworkSolution, Floats]:
    """Solve a macro in expansion mode in one view.

    In the regulated views the drivers do what a regulating amplifier does: they are set so that
    every line's tap, which carries no current, stands at its nominal voltage.

    Args:
        network: an extracted macro.
        tech: for the transistors.
        conductances: S, shape (T, rows, cols).
        inputs: V, shape (T, rows).
        view: one of `VIEWS`.

    Returns:
        The solution and the current out of every column, shape (cols,), A.
    """
    drives = network_drives(network, EXPANSION, inputs)
    volts = drives.port_voltages
    gates = gates_for(network, drives)

    # taps, pins and devices stay in the small network, and these are all that is read on the way
    small = reduced(network)

    def solver(of: Network, ohm: Floats | float) -> NetworkSolver:
        return NetworkSolver(
            of, conductances=conductances, driven=volts, gates=gates, switch_ohm=ohm
        )

    def driven(ohm: Floats | float) -> tuple[NetworkSolver, dict[str, float]]:
        made = solver(small.network, ohm)
        return made, _regulated(made, volts, inputs) if view in _REGULATED else volts

    def at_work(ohm: Floats, _: Floats) -> Floats:
        made, at = driven(ohm)
        return small.spread(made.voltages(at))

    ohm: Floats | float = 0.0
    if view not in _IDEAL_TRANSISTORS:
        ohm = working_ohm(network, tech, at_work)
    solution = solver(network, ohm).solve(driven(ohm)[1])
    return solution, np.array([-solution.port_currents[pin] for pin in drives.outputs])


def _regulated(solver: NetworkSolver, volts: dict[str, float], inputs: Floats) -> dict[str, float]:
    """Return driver voltages at which every tap stands at its nominal voltage."""
    network = solver.network
    taps: dict[str, tuple[str, float]] = {}
    for tier, volts_in in enumerate(inputs):
        for i, nominal in enumerate(volts_in):
            taps[names.row_input(tier, i)] = (names.row(tier, i), float(nominal))
    taps |= {names.output(j): (names.column(j), 0.0) for j in range(network.cols)}
    nodes = np.array([network.ports[tap] for tap, _ in taps.values()])
    wanted = np.array([nominal for _, nominal in taps.values()])
    # a row's other end, where it has one, is driven like the first
    ends = {pin: [p for p in (pin, names.far_end(pin)) if p in volts] for pin in taps}
    at = {**volts, **{end: 0.0 for pins in ends.values() for end in pins}}
    base = solver.about(at)[nodes]
    gain = np.column_stack(
        [solver.about({**at, **dict.fromkeys(ends[pin], 1.0)})[nodes] - base for pin in taps]
    )
    for _ in range(_STEPS):
        off = wanted - solver.voltages(at)[nodes]
        if np.abs(off).max() <= _STILL * np.abs(wanted).max():
            break
        for pin, step in zip(taps, np.linalg.solve(gain, off), strict=True):
            at |= {end: at[end] + step for end in ends[pin]}
    return at


@dataclass(frozen=True, eq=False)
class Views:
    """IR drop in every view.

    Attributes:
        errors: view -> errors.
        maps: view -> device error as a fraction of the input, shape (T, rows, cols).
        kcl_residual: the largest of all solves.
        columns: column currents with everything in series, A.
    """

    errors: Mapping[str, Errors]
    maps: Mapping[str, Floats]
    kcl_residual: float
    columns: Floats

    def to_json(self) -> dict[str, Any]:
        """Return errors as plain numbers, the largest residual with them."""
        rows: dict[str, Any] = {
            view: {metric: getattr(e, metric) for metric in METRICS}
            for view, e in self.errors.items()
        }
        return {
            **rows,
            "kcl_residual": self.kcl_residual,
            "column_currents_A": self.columns.tolist(),
        }


def views(network: Network, tech: Tech, conductances: Floats, inputs: Floats) -> Views:
    """Solve a macro in expansion mode in all views."""
    found = {v: solve_view(network, tech, conductances, inputs, v) for v in VIEWS}
    ideal = np.broadcast_to(inputs[:, :, None], conductances.shape)
    wanted = (conductances * ideal).sum(axis=(0, 1))
    maps = {
        view: np.where(
            ideal != 0, np.abs(ideal - s.device_voltages) / np.where(ideal == 0, 1, ideal), np.nan
        )
        for view, (s, _) in found.items()
    }
    errors = {
        view: Errors(
            float(np.nanmax(maps[view])),
            float(np.nanmean(maps[view])),
            float(np.max(np.abs(wanted - amps)[wanted != 0] / wanted[wanted != 0])),
        )
        for view, (_, amps) in found.items()
    }
    residual = max(s.kcl_residual for s, _ in found.values())
    return Views(errors, maps, residual, found["all"][1])


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
    rows, cols = network.rows, network.cols
    shape = (max(network.tiers) + 1, rows, cols)
    conductances, inputs = np.zeros(shape), np.zeros(shape[:2])
    conductances[tier, rows - 1, cols - 1] = _PROBE_S
    network = reduced(network).network  # of which only the devices' ends are read
    # at the read voltage, since the select transistors' resistance depends on it
    volt = tech.memristor.v_read_v
    inputs[tier, rows - 1] = volt
    solution, _ = solve_view(network, tech, conductances, inputs, view)
    amps = float(solution.device_currents[tier, rows - 1, cols - 1])
    volts = solution.node_voltages
    of_tier = network.memristor_tier == tier
    in_row, in_col = (
        np.flatnonzero(of_tier & mask)
        for mask in (network.memristor_row == rows - 1, network.memristor_col == cols - 1)
    )
    along_row = in_row[np.argsort(network.memristor_col[in_row])]
    along_col = in_col[np.argsort(network.memristor_row[in_col])]
    row = (volt - volts[network.memristor_a[along_row]]) / amps
    col = volts[network.memristor_b[along_col]] / amps
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
