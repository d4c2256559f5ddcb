"""Monte Carlo over device spread, stuck devices and broken lines; sensitivity to the films."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base import names
from ...base.errors import InputError
from ...base.spans import SHARE, SIGMA_LN_G
from ..modes.drives import gates_for, network_drives
from ..modes.modes import EXPANSION
from ..network.assembly import check_conductances
from ..network.linear import NetworkSolver
from ..network.network import Network

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """How devices and lines vary.

    Attributes:
        sigma: standard deviation of ln G of a working device.
        stuck_on: probability that a device is stuck at `g_on`.
        stuck_off: probability that it is stuck at `g_off`.
        g_on: S of a device stuck on.
        g_off: S of a device stuck off.
        open_wire: probability that a plain wire piece of a row or column line is open.
    """

    sigma: float = 0.0
    stuck_on: float = 0.0
    stuck_off: float = 0.0
    g_on: float = 1e-4
    g_off: float = 1e-6
    open_wire: float = 0.0

    def __post_init__(self) -> None:
        for name in ("stuck_on", "stuck_off", "open_wire"):
            value = getattr(self, name)
            if value not in SHARE:
                raise InputError(f"{name} is {value}, allowed: a probability, {SHARE}")
        if self.stuck_on + self.stuck_off > 1:
            raise InputError(
                f"stuck_on + stuck_off is {self.stuck_on + self.stuck_off}, allowed: <= 1"
            )
        if self.sigma not in SIGMA_LN_G:
            raise InputError(f"sigma is {self.sigma}, allowed: {SIGMA_LN_G}")
        for name in ("g_on", "g_off"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise InputError(f"{name} is {value}, allowed: finite, >= 0")


def sample_devices(
    conductances: ArrayLike, spread: Spread, samples: int, rng: np.random.Generator
) -> Floats:
    """Draw arrays of devices around their nominal conductances, all samples at once.

    Args:
        conductances: nominal, shape (T, rows, cols), S.
        spread: how they vary; the spread is lognormal with the nominal value as median.
        samples: number of arrays.
        rng: source of randomness.

    Returns:
        Shape (samples, T, rows, cols), S.
    """
    nominal = np.asarray(conductances, dtype=np.float64)
    shape = (samples, *nominal.shape)
    G = nominal * np.exp(spread.sigma * rng.standard_normal(shape))
    lot = rng.random(shape)
    G[lot < spread.stuck_on] = spread.g_on
    G[lot > 1 - spread.stuck_off] = spread.g_off
    return G


@dataclass(frozen=True, eq=False)
class MonteCarlo:
    """Column currents of many random arrays.

    Attributes:
        column_currents: A, shape (samples, cols).
        nominal_currents: of the nominal array with its wires, shape (cols,).
        ideal_currents: of each sample's own devices without any drop, shape (samples, cols).
        open_wires: number of open wire pieces of every sample.
        seed: what makes it repeatable.
        spread: how devices and wires varied.
    """

    column_currents: Floats
    nominal_currents: Floats
    ideal_currents: Floats
    open_wires: NDArray[np.int64]
    seed: int
    spread: Spread

    def to_json(self) -> dict[str, Any]:
        """Mean, deviation and 5 %, 50 %, 95 % points of every column; plain types only."""
        low, middle, high = np.percentile(self.column_currents, [5, 50, 95], axis=0)
        return {
            "samples": len(self.column_currents),
            "seed": self.seed,
            "sigma": self.spread.sigma,
            "stuck_on": self.spread.stuck_on,
            "stuck_off": self.spread.stuck_off,
            "open_wire": self.spread.open_wire,
            "nominal_A": self.nominal_currents.tolist(),
            "mean_A": self.column_currents.mean(axis=0).tolist(),
            "std_A": self.column_currents.std(axis=0).tolist(),
            "p5_A": low.tolist(),
            "p50_A": middle.tolist(),
            "p95_A": high.tolist(),
            "open_wires": int(self.open_wires.sum()),
        }


def monte_carlo(
    network: Network,
    conductances: ArrayLike,
    inputs: ArrayLike,
    *,
    spread: Spread,
    samples: int,
    seed: int,
    mode: str = EXPANSION,
    series: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> MonteCarlo:
    """Solve many random versions of an extracted network.

    Args:
        network: what `extract` found in the layout.
        conductances: nominal devices in S, shape (T, rows, cols).
        inputs: read voltages in V, shape (T, rows).
        spread: how devices and lines vary.
        samples: number of versions.
        seed: equal seeds give equal results.
        mode: one of `MODES`.
        series: keyword arguments of `solve_network` (switch_ohm, port_ohm, ...).
        progress: called with (done, samples) after every solve.
        **options: keyword arguments of `mode_drives`.

    Returns:
        Column currents of every version.

    Raises:
        InputError: if `samples` is not positive.
    """
    if samples < 1:
        raise InputError(f"samples is {samples}, allowed: >= 1")
    nominal = check_conductances(network, conductances)
    drives = network_drives(network, mode, inputs, **options)
    gates, series = gates_for(network, drives), dict(series or {})
    rng = np.random.default_rng(seed)
    G = sample_devices(nominal, spread, samples, rng)
    lines = _line_pieces(network)
    broken = rng.random((samples, len(lines))) < spread.open_wire

    def currents(net: Network, devices: Floats) -> Floats:
        solver = NetworkSolver(
            net, conductances=devices, driven=drives.port_voltages, gates=gates, **series
        )
        ports = solver.solve(drives.port_voltages).port_currents
        return np.array([-ports[pin] for pin in drives.outputs])

    out = np.empty((samples, network.cols))
    for k in range(samples):
        version = _without(network, lines[broken[k]]) if broken[k].any() else network
        out[k] = currents(version, G[k])
        if progress is not None:
            progress(k + 1, samples)
    volts = np.asarray(inputs, dtype=np.float64)
    return MonteCarlo(
        column_currents=out,
        nominal_currents=currents(network, nominal),
        ideal_currents=np.einsum("stij,ti->sj", G, volts),
        open_wires=broken.sum(axis=1),
        seed=seed,
        spread=spread,
    )


def _line_pieces(network: Network) -> NDArray[np.int64]:
    """Resistors that are plain wire on row and column lines."""
    on_line = np.array([names.is_line(net) for net in network.nets], dtype=bool)
    if not len(on_line):
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(on_line[network.resistor_net] & ~np.isnan(network.resistor_width_um))


def _without(network: Network, pieces: NDArray[np.int64]) -> Network:
    keep = np.ones(len(network.resistor_ohm), dtype=bool)
    keep[pieces] = False
    names = ("a", "b", "ohm", "layer", "net", "width_um", "cuts")
    return replace(
        network, **{f"resistor_{n}": getattr(network, f"resistor_{n}")[keep] for n in names}
    )


def sheet_sensitivity(
    network: Network,
    conductances: ArrayLike,
    inputs: ArrayLike,
    *,
    mode: str = EXPANSION,
    series: Mapping[str, Any] | None = None,
    **options: Any,
) -> dict[str, Floats]:
    """How every column's current answers to each layer's resistance.

    Exact first derivatives by one adjoint solve per column: raising the sheet (or cut)
    resistance of a layer by 1 % changes column j's current by `result[layer][j]` %.

    Args:
        network: what `extract` found in the layout.
        conductances: devices in S, shape (T, rows, cols).
        inputs: read voltages in V, shape (T, rows).
        mode: one of `MODES`.
        series: keyword arguments of `solve_network` (switch_ohm, port_ohm, ...).
        **options: keyword arguments of `mode_drives`.

    Returns:
        Layer -> relative change per relative change, shape (cols,); nan for a column
        without current.
    """
    drives = network_drives(network, mode, inputs, **options)
    solver = NetworkSolver(
        network,
        conductances=conductances,
        driven=drives.port_voltages,
        gates=gates_for(network, drives),
        **dict(series or {}),
    )
    edges = solver.edges
    wires = edges.wires
    a, b = edges.a[wires], edges.b[wires]
    volts = solver.voltages(drives.port_voltages)
    ports = solver.solve(drives.port_voltages).port_currents
    with np.errstate(invalid="ignore"):
        current = np.where(np.isinf(edges.g[wires]), 0.0, edges.g[wires] * (volts[a] - volts[b]))
    out = np.empty((len(network.layers), network.cols))
    zero = dict.fromkeys(drives.port_voltages, 0.0)
    for j, pin in enumerate(drives.outputs):
        adjoint = solver.voltages(zero | {pin: 1.0})
        effect = np.bincount(
            network.resistor_layer, current * (adjoint[a] - adjoint[b]), len(network.layers)
        )
        amps = -ports[pin]
        out[:, j] = effect / amps if amps else np.nan
    return {layer: out[k] for k, layer in enumerate(network.layers)}
