"""Solving an extracted network in the modes that it offers, with the technology's devices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError, ModeError
from ..base.names import TIER_NAMES
from ..extract.array.tiled import LARGEST, TiledArray
from ..pdk import FileError, Tech
from ..solve.modes.drives import Drives
from ..solve.modes.mode import ArrayKind
from ..solve.modes.modes import EXPANSION, MODES, belongs, mode_named, writing_mode
from .arrays import array_drop, kind_of
from .numbers import load_numbers, read_numbers
from .operating import Laws, at_work, mode_ohm, write_options
from .progress import step_of

#: inputs in magnitude, V: beyond, their currents would be 0 or infinite in floating point
_LEAST_V, _MOST_V = 1e-100, 1e100

if TYPE_CHECKING:
    from ..solve.modes.address import Chain
    from ..solve.network.network import Network
    from ..solve.study.metrics import IrDrop
    from ..solve.study.variation import MonteCarlo, Spread
    from .progress import Console

Floats = NDArray[np.float64]

TOO_LARGE = f"which `crossstack extract` leaves for arrays of up to {LARGEST}"


@dataclass(frozen=True, eq=False)
class Stimulus:
    """What devices and inputs a solve uses.

    Attributes:
        conductances: S, shape (tiers, rows, cols).
        inputs: V, shape (tiers, rows).
        text: where both come from, for people.
    """

    conductances: Floats
    inputs: Floats
    text: Mapping[str, str]


def shape_of(network: Network | TiledArray) -> tuple[int, int, int]:
    """Return (tiers, rows, cols) of the arrays that a solve of the network takes."""
    if isinstance(network, TiledArray):
        return network.shape
    return max(network.tiers, default=-1) + 1, network.rows, network.cols


def stimulus(
    network: Network | TiledArray,
    tech: Tech,
    *,
    weights: Path | None = None,
    conductances: Path | None = None,
    inputs: Path | None = None,
) -> Stimulus:
    """Return devices and inputs: from files, or the worst case (all in R_on, all rows read).

    Raises:
        ConfigError: if a file has the wrong shape or values, or two files say the same.
        FileError: if a file cannot be read.
    """
    shape, m = shape_of(network), tech.memristor
    if 0 in shape:
        raise FileError("the network has no memristor: nothing to solve")
    if weights is not None and conductances is not None:
        raise ConfigError("--weights and --conductances say the same thing; give one of them")
    scale = _area_scale(network, tech)
    g_on, g_off = scale / m.r_on_ohm, scale / m.r_off_ohm
    by_area = "" if not m.area_exponent else f" at {m.area_um2:g} um2, by area"
    text = {
        "conductances": f"every device at R_on = {m.r_on_ohm:g} ohm{by_area}",
        "inputs": f"every row at the read voltage, {m.v_read_v:g} V",
    }
    siemens = np.broadcast_to(g_on, shape)
    if weights is not None:
        share = read_numbers(weights, shape)
        if share.min() < 0 or share.max() > 1:
            at = np.argwhere((share < 0) | (share > 1))[0]
            tier, row, col = (int(v) for v in at)
            where = f"{TIER_NAMES[tier]} tier, row {row}, column {col}"
            value = float(share[tier, row, col])
            raise ConfigError(f"{weights}: weight of {where} is {value:.9g}, allowed: 0 .. 1")
        siemens = g_off + share * (g_on - g_off)
        text["conductances"] = f"{weights.name}: 0 .. 1 mapped to 1/R_off .. 1/R_on"
    elif conductances is not None:
        siemens = read_numbers(conductances, shape)
        text["conductances"] = f"{conductances.name}, in siemens"
    if not isinstance(network, TiledArray):
        # a place without a device carries nothing, in an array without any drop neither
        siemens = np.where(network.present, siemens, 0.0)
    volts = np.full(shape[:2], m.v_read_v)
    if inputs is not None:
        volts = read_numbers(inputs, shape[:2], one_line=True)
        _check_volts(inputs, volts)
        text["inputs"] = f"{inputs.name}, in volts"
    return Stimulus(siemens, volts, text)


def on_conductances(network: Network | TiledArray, tech: Tech) -> Floats:
    """Return the conductance of devices in R_on, S; one figure, or shape (tiers, rows, cols)."""
    return np.asarray(_area_scale(network, tech) / tech.memristor.r_on_ohm)


def _area_scale(network: Network | TiledArray, tech: Tech) -> Floats | float:
    """Return what each device's area multiplies its conductance with, shape (T, rows, cols)."""
    if not tech.memristor.area_exponent:
        return 1.0
    if isinstance(network, TiledArray):
        found: Floats = tech.memristor.scale(network.area_um2)
        return found
    scale = np.ones(shape_of(network))
    scale[network.memristor_tier, network.memristor_row, network.memristor_col] = (
        tech.memristor.scale(network.memristor_area_um2)
    )
    return scale


def stimulus_of_many(
    network: Network | TiledArray, tech: Tech, *, inputs: Path | None, **files: Path | None
) -> tuple[Stimulus, Floats | None]:
    """Return devices and inputs, and the vectors if `inputs` holds many of them.

    The inputs then are the mean of the vectors' magnitudes.

    Args:
        network: what is solved.
        tech: for the devices' states.
        inputs: file of read voltages: one vector of shape (tiers, rows), or many.
        **files: the other files of `stimulus`.

    Raises:
        ConfigError: if a file has the wrong shape or values.
        FileError: if a file cannot be read.
    """
    vectors = None if inputs is None else _many(inputs, shape_of(network)[:2])
    if inputs is None or vectors is None:
        return stimulus(network, tech, inputs=inputs, **files), None
    what = stimulus(network, tech, **files)
    text = {
        **what.text,
        "inputs": f"{inputs.name}, mean magnitude of {len(vectors)} vectors, in volts",
    }
    return Stimulus(what.conductances, np.abs(vectors).mean(axis=0), text), vectors


def _many(path: Path, shape: tuple[int, int]) -> Floats | None:
    """Return vectors of a file, shape (vectors, tiers, rows); None if it holds no more than one."""
    found, size = load_numbers(path), shape[0] * shape[1]
    if found.size <= size or found.shape[-1] not in (size, shape[1]):
        return None
    whole = found.shape[-1] == size if found.ndim < len(shape) + 1 else found.shape[1:] == shape
    if not whole or found.size % size:
        return None
    _check_volts(path, found)
    return found.reshape(-1, *shape)


def _check_volts(path: Path, volts: Floats) -> None:
    """Refuse inputs whose currents no number can hold."""
    size = np.abs(volts)
    wrong = (size > 0) & ((size < _LEAST_V) | (size > _MOST_V))
    if wrong.any():
        at = tuple(map(int, np.argwhere(wrong)[0]))
        where = f"[{', '.join(map(str, at))}]"
        raise ConfigError(
            f"{path}: input {volts[at]:.9g} V at {where}, allowed: 0, or {_LEAST_V:g} .. "
            f"{_MOST_V:g} V in magnitude"
        )


def expansion_drives(network: Network, what: Stimulus) -> Drives:
    """Return what pins and gates carry in expansion mode, as a SPICE bench needs it."""
    from ..solve.modes.drives import network_drives

    return network_drives(network, EXPANSION, what.inputs)


def unread_writes(network: Network | TiledArray) -> dict[str, None]:
    """Return the mode in which an array is written and nothing is read, if it offers one.

    As `em_report` takes it, beside the modes that were solved.
    """
    kind = kind_of(network) if isinstance(network, TiledArray) else ArrayKind.of(network)
    mode = writing_mode(kind)
    if mode.reads != "none" or mode.refusal(kind, shape_of(network)[2]) is not None:
        return {}
    return {mode.name: None}


def refusal(network: Network | TiledArray, mode: str) -> str | None:
    """Return why a network does not offer a mode; None if it does."""
    kind = kind_of(network) if isinstance(network, TiledArray) else ArrayKind.of(network)
    return mode_named(mode).refusal(kind, shape_of(network)[2])


def solve_modes(
    network: Network | TiledArray,
    tech: Tech,
    what: Stimulus,
    console: Console,
    modes: Iterable[str] | None = None,
    laws: Laws | None = None,
    chain: Chain | None = None,
    **options: Any,
) -> tuple[dict[str, IrDrop], dict[str, str]]:
    """Solve every mode that the network offers; returns results and reasons for the others.

    A write is solved in both polarities; the result is that of the one that loses more.

    Args:
        network: an extracted network or array.
        tech: the transistors' models.
        what: devices and inputs.
        console: where progress goes.
        modes: which to solve; None for all.
        laws: what memristors follow; None for the technology's (`operating.Laws`).
        chain: what sets every control of a macro; None for a pin each.
        **options: of the modes that take them, see `operating.write_options`.

    Raises:
        ConfigError: for nonlinear reads in an array without named nodes.
        ModeError: for an option that no mode has.
    """
    from ..solve.study.metrics import worse_of

    laws = Laws.of(tech) if laws is None else laws
    if unknown := [key for key in options if not belongs(key)]:
        raise ModeError(f"no mode has an option {unknown[0]!r}")
    if isinstance(network, TiledArray) and laws.every is not None:
        raise ConfigError(f"--nonlinear needs a network with named nodes, {TOO_LARGE}")
    rows = network.shape[1] if isinstance(network, TiledArray) else network.rows
    done: dict[str, IrDrop] = {}
    not_run: dict[str, str] = {}
    for mode in MODES if modes is None else modes:
        reason = refusal(network, mode)
        if reason is not None:
            not_run[mode] = reason
            continue
        with console.step(step_of(mode)):
            mine = {k: v for k, v in options.items() if k in MODES[mode].options}
            ways = write_options(tech, mode, mine, rows)
            by = {} if chain is None else {"chain": chain}
            done[mode] = worse_of(
                operating_point(network, tech, what, mode, laws, **by, **way) for way in ways
            )
    return done, not_run


def operating_point(
    network: Network | TiledArray,
    tech: Tech,
    what: Stimulus,
    mode: str,
    laws: Laws,
    **options: Any,
) -> IrDrop:
    """Solve one mode in one way, everything at the voltages at which it works."""
    from ..solve.study.metrics import ir_drop

    if isinstance(network, TiledArray):
        return array_drop(
            network, tech, what.conductances, what.inputs, mode, laws.write, **options
        )
    found = at_work(network, tech, what, mode, **laws.options, **options)
    return ir_drop(
        network,
        what.conductances,
        what.inputs,
        mode=mode,
        switch_ohm=found.ohm,
        start=found.device_v,
        **laws.options,
        **options,
    )


def vary(
    network: Network,
    tech: Tech,
    what: Stimulus,
    console: Console,
    mode: str,
    *,
    spread: Spread,
    samples: int,
    seed: int,
    **options: Any,
) -> MonteCarlo:
    """Solve random versions of a network, with the transistors' R_on of the nominal one.

    Raises:
        InputError: if `samples` is not positive.
    """
    from ..solve.study.variation import monte_carlo

    with console.step(f"{samples} samples") as step:
        ohm = mode_ohm(network, tech, what, mode, **options)
        return monte_carlo(
            network,
            what.conductances,
            what.inputs,
            spread=spread,
            samples=samples,
            seed=seed,
            mode=mode,
            series={"switch_ohm": ohm},
            progress=step,
            **options,
        )


def distribution(many: MonteCarlo, columns: NDArray[np.bool_]) -> dict[str, list[Any]]:
    """Return the histogram of all samples' column currents, as fractions off the nominal ones.

    Args:
        many: random versions of a network.
        columns: which columns count; their nominal currents are not zero.
    """
    nominal = many.nominal_currents[columns]
    off = (many.column_currents[:, columns] - nominal) / np.abs(nominal)
    counts, edges = np.histogram(off, bins=min(40, max(5, round(off.size**0.5))))
    return {"edges": edges.tolist(), "counts": counts.tolist()}
