"""Solving an extracted network in the modes that it offers, with the technology's devices."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .errors import ConfigError
from .pdk import CrossStackError, FileError, Tech
from .solve.modes import MODES, ArrayKind, Drives
from .solve.network import TIER_NAMES

if TYPE_CHECKING:
    from .console import Console
    from .solve.iv import DeviceLaw
    from .solve.metrics import IrDrop
    from .solve.network import Network
    from .solve.variation import MonteCarlo, Spread

Floats = NDArray[np.float64]

#: rounds in which transistors and voltages must agree, and to what relative change
_MOST_ROUNDS, _SETTLED = 100, 1e-3
_LEAST_STEP = 0.05
#: a transistor of more than this carries nothing that matters, ohm
_OFF_OHM = 1e8


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


def shape_of(network: Network) -> tuple[int, int, int]:
    """Return (tiers, rows, cols) of the arrays that a solve of the network takes."""
    return max(network.tiers, default=-1) + 1, network.rows, network.cols


def stimulus(
    network: Network,
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
    g_on, g_off = 1.0 / m.r_on_ohm, 1.0 / m.r_off_ohm
    text = {
        "conductances": f"every device at R_on = {m.r_on_ohm:g} ohm",
        "inputs": f"every row at the read voltage, {m.v_read_v:g} V",
    }
    siemens = np.full(shape, g_on)
    if weights is not None:
        share = read_numbers(weights, shape)
        if share.min() < 0 or share.max() > 1:
            raise ConfigError(f"{weights}: a weight lies outside 0 .. 1")
        siemens = g_off + share * (g_on - g_off)
        text["conductances"] = f"{weights.name}: 0 .. 1 mapped to 1/R_off .. 1/R_on"
    elif conductances is not None:
        siemens = read_numbers(conductances, shape)
        text["conductances"] = f"{conductances.name}, in siemens"
    volts = np.full(shape[:2], m.v_read_v)
    if inputs is not None:
        volts = read_numbers(inputs, shape[:2])
        text["inputs"] = f"{inputs.name}, in volts"
    return Stimulus(siemens, volts, text)


def read_numbers(path: Path, shape: tuple[int, ...]) -> Floats:
    """Read an array from .npy, or from CSV with one line per row (tiers one after the other).

    Raises:
        ConfigError: if the shape differs; the message says how the file must look.
        FileError: if the file cannot be read.
    """
    try:
        if path.suffix == ".npy":
            found = np.load(path, allow_pickle=False)
        else:
            found = np.loadtxt(path, delimiter=",", ndmin=2, comments="#")
        found = np.asarray(found, dtype=np.float64)
    except (ValueError, EOFError) as error:
        raise FileError(f"{path} does not hold numbers (.npy, or CSV): {error}") from None
    if found.size != np.prod(shape) or found.shape[-1] != shape[-1]:
        lines = "x".join(map(str, shape[:-1])) or "1"
        raise ConfigError(
            f"{path} has shape {found.shape}; expected {shape} "
            f"(as CSV: {lines} lines of {shape[-1]} numbers)"
        )
    if not np.isfinite(found).all():
        raise ConfigError(f"{path} holds a value that is not a finite number")
    return found.reshape(shape)


def switch_ohm(tech: Tech) -> Callable[[Floats, Floats, NDArray[np.bool_]], Floats]:
    """Return the least on resistance of transistors as a function of W, L (um) and type."""

    def ohm(w_um: Floats, l_um: Floats, is_p: NDArray[np.bool_]) -> Floats:
        return _ron(
            tech, w_um, l_um, is_p, np.where(is_p, tech.pfet.well_on_v, tech.nfet.well_on_v)
        )

    return ohm


def _ron(
    tech: Tech, w_um: Floats, l_um: Floats, is_p: NDArray[np.bool_], source_v: Floats
) -> Floats:
    rows = zip(w_um, l_um, is_p, source_v, strict=True)
    models = {False: tech.nfet, True: tech.pfet}
    return np.array(
        [
            models[bool(p)].ron_ohm(float(w), float(v)) * float(length) / models[bool(p)].l_um
            for w, length, p, v in rows
        ]
    )


def working_ohm(
    network: Network, tech: Tech, solve: Callable[[Floats], Floats], start: Floats | None = None
) -> Floats:
    """Return R_on of every transistor at the voltage at which it works, in ohm.

    A PMOS does not pass the read voltage and an NMOS hardly the write voltage, so that one
    resistance per width would flatter the switches. Resistances and voltages are brought
    together by repeated solving, damped where they swing, until nothing moves by more than
    a thousandth.

    Args:
        network: whose transistors.
        tech: their models.
        solve: R_on of every switch -> voltage of every node, V.
        start: first guess, from a similar solve; None for the least resistances.

    Raises:
        CrossStackError: if it does not settle.
    """
    w, length, is_p = network.switch_w_um, network.switch_l_um, network.switch_p
    if not len(w):
        return np.zeros(0)
    ohm = switch_ohm(tech)(w, length, is_p) if start is None else start
    last, step = np.inf, 1.0
    for _ in range(_MOST_ROUNDS):
        volts = solve(ohm)
        a, b = volts[network.switch_a], volts[network.switch_b]
        wanted = _ron(tech, w, length, is_p, np.where(is_p, np.maximum(a, b), np.minimum(a, b)))
        moved = np.abs(np.log(wanted / ohm))
        # what is off stays off whatever its resistance exactly is
        matters = np.minimum(wanted, ohm) < _OFF_OHM
        most = float(moved[matters].max(initial=0.0))
        if most < _SETTLED:
            return wanted
        if most > 0.5 * last:  # it swings: near cut-off a few millivolts are a decade
            step = max(0.7 * step, _LEAST_STEP)
        ohm = ohm * (wanted / ohm) ** step
        last = most
    raise CrossStackError("the transistors' resistances and voltages did not settle")


def expansion_drives(network: Network, what: Stimulus) -> Drives:
    """Return what pins and gates carry in expansion mode, as a SPICE bench needs it."""
    from .solve.modes import network_drives

    return network_drives(network, "expansion", what.inputs)


def refusal(network: Network, mode: str) -> str | None:
    """Return why a network does not offer a mode; None if it does."""
    if mode != "deep-net":
        return None
    kind = ArrayKind.of(network)
    if len(kind.tiers) < len(TIER_NAMES):
        return "deep-net needs two tiers"
    if not kind.select:
        return "deep-net needs select transistors: without them every column would be written"
    if network.cols < 2:
        return "deep-net needs a second column: one is written, the others are read"
    return None


def solve_modes(
    network: Network,
    tech: Tech,
    what: Stimulus,
    console: Console,
    modes: tuple[str, ...] = MODES,
    device: DeviceLaw | None = None,
    **options: Any,
) -> tuple[dict[str, IrDrop], dict[str, str]]:
    """Solve every mode that the network offers; returns results and reasons for the others.

    Memristors follow the law of `device`; without one they are linear.
    """
    from .solve.metrics import ir_drop

    done: dict[str, IrDrop] = {}
    not_run: dict[str, str] = {}
    for mode in modes:
        reason = refusal(network, mode)
        if reason is not None:
            not_run[mode] = reason
            continue
        with console.step(f"solve {mode}"):
            extra = options if mode == "deep-net" else {}
            done[mode] = ir_drop(
                network,
                what.conductances,
                what.inputs,
                mode=mode,
                switch_ohm=mode_ohm(network, tech, what, mode, device=device, **extra),
                device=device,
                **extra,
            )
    return done, not_run


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
    from .solve.variation import monte_carlo

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


def mode_ohm(
    network: Network,
    tech: Tech,
    what: Stimulus,
    mode: str,
    start: Floats | None = None,
    off_ohm: float = float("inf"),
    device: DeviceLaw | None = None,
    **options: Any,
) -> Floats:
    """Return R_on of every transistor as it works in a mode, in ohm; see `working_ohm`."""
    from .solve.linear import solve_network
    from .solve.modes import gates_for, network_drives
    from .solve.nonlinear import solve_network_nonlinear

    drives = network_drives(network, mode, what.inputs, **options)

    def solve(ohm: Floats) -> Floats:
        arguments: dict[str, Any] = {
            "conductances": what.conductances,
            "port_voltages": drives.port_voltages,
            "gates": gates_for(network, drives),
            "switch_ohm": ohm,
            "switch_off_ohm": off_ohm,
        }
        if device is None:
            return solve_network(network, **arguments).node_voltages
        return solve_network_nonlinear(network, device=device, **arguments).node_voltages

    return working_ohm(network, tech, solve, start)


def summary(
    done: Mapping[str, IrDrop], not_run: Mapping[str, str], what: Stimulus
) -> dict[str, Any]:
    """Return the content of ir_drop.json."""
    return {
        "modes": {mode: result.to_json() for mode, result in done.items()},
        "not_run": dict(not_run),
        "stimulus": dict(what.text),
    }


CSV_HEAD = (
    "mode", "tier", "row", "col", "voltage_V", "current_A", "error_wires_only", "error_all_series",
)  # fmt: skip


def write_csv(path: Path, done: Mapping[str, IrDrop]) -> None:
    """Write one line per device and mode; empty cells where a device does not take part."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(CSV_HEAD)
        for mode, r in done.items():
            s = r.solution
            for t, i, j in np.ndindex(r.device_error.shape):
                numbers = (
                    s.device_voltages[t, i, j],
                    s.device_currents[t, i, j],
                    r.device_error_wires[t, i, j],
                    r.device_error[t, i, j],
                )
                cells = ["" if np.isnan(v) else f"{v:.9g}" for v in numbers]
                writer.writerow([mode, TIER_NAMES[t], i, j, *cells])


def read_maps(path: Path) -> dict[str, dict[str, Floats]]:
    """Return mode -> column name -> array (tiers, rows, cols) of a file by `write_csv`.

    Raises:
        FileError: if the file is not one of ours.
    """
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        maps: dict[str, dict[str, Floats]] = {}
        for mode in dict.fromkeys(row["mode"] for row in rows):
            mine = [row for row in rows if row["mode"] == mode]
            place = [(TIER_NAMES.index(r["tier"]), int(r["row"]), int(r["col"])) for r in mine]
            size = [max(p[k] for p in place) + 1 for k in range(3)]
            index = tuple(np.array(place).T)
            maps[mode] = {}
            for name in CSV_HEAD[4:]:
                maps[mode][name] = np.full(size, np.nan)
                maps[mode][name][index] = [float(r[name] or "nan") for r in mine]
    except (KeyError, ValueError, TypeError, UnicodeDecodeError):
        raise FileError(f"{path} is not a table by crossstack build") from None
    return maps
