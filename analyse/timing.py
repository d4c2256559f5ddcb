"""How long a read takes, and what writing meanwhile saves.

The read settles as the extracted network with its capacitances does; the rest of the model is
`solve.timing`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base import names
from ..base.errors import InputError
from ..extract.field.lumps import lines_of, lumps, nodes_of_nets, transistor_ends
from ..solve.modes.drives import Drives, gates_for, network_drives
from ..solve.modes.modes import DEEP_NET, EXPANSION, MODES
from ..solve.network.linear import NetworkSolver
from ..solve.network.network import Network
from ..solve.network.transient import RcNetwork
from ..solve.network.waves import Watch, settled_s
from ..solve.study.timing import Timing, pulse_curve, ratio_for
from .analysis import Stimulus, refusal
from .operating import mode_ohm
from .paper import SPEED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..extract import NetCapacitance
    from ..pdk import Tech

    Floats = NDArray[np.float64]

#: pulse times of the table, s: device papers use 10 ns to 1 us
#: (pdk/modules/al_tio2/SOURCES.md section 6)
PULSES_S = (10e-9, 20e-9, 40e-9, 50e-9, 100e-9, 200e-9, 500e-9, 1e-6)
#: pulse time of the table over depth and of the diagram, s
PULSE_S = 40e-9
#: depth of the networks whose gain is printed; None is the limit of many layers
DEPTHS = (2, 3, 5, 10, 20, None)
#: time the read-out needs per bit after the lines have settled, s: ISAAC's 100 ns cycle
#: (doi 10.1109/isca.2016.12, pdk/modules/al_tio2/SOURCES.md section 6); ours settles well within it
SENSE_S = 100e-9
INPUT_BITS = 10
#: kinds of a macro's lines whose capacitance the settling needs
_SETTLING = (*reversed(names.ROWS), names.COLUMN, *reversed(names.ALL_INPUTS), names.OUTPUT)
COUNTED = (
    "all inputs step at once; wires, memristors, transistors at work with their sources "
    "and drains, capacitances of lines and across memristors"
)
LEFT_OUT = "the driver, the read-out's input"
#: how long a source moves that steps, s: far less than any wire needs
STEP_S = 1e-15


def settling_nets(network: Network) -> tuple[str, ...]:
    """Return patterns of the nets of a macro whose capacitance the settling needs."""
    there = {names.kind_of(net) for net in network.nets}
    return tuple(f"{kind}[*" for kind in _SETTLING if kind in there)


@dataclass(frozen=True)
class Settling:
    """How a read settles.

    Attributes:
        row_farad, column_farad: largest capacitance of a row line and of a column, F.
        delay_s: until every column stands within 1 / e of its step, s.
        settle_s: until every column stands within half an LSB of the input, s.
        elmore_s: Elmore's delay from the inputs' step to the voltage over the slowest memristor,
            its line, transistor and electrodes included, s.
        counted, left_out: what these figures hold and what they do not, in words.
    """

    row_farad: float
    column_farad: float
    delay_s: float
    settle_s: float
    elmore_s: float = math.nan
    counted: str = COUNTED
    left_out: str = LEFT_OUT

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@dataclass(frozen=True)
class ReadWrite:
    """How long a read takes, and what writing meanwhile saves.

    Attributes:
        settle: of expansion mode; None without capacitances.
        modes: mode -> the same of the others that settle.
        overlap: what `overlap` returns; None where deep-net mode cannot run.
        not_run: why something is missing; empty if nothing is.
    """

    settle: Settling | None = None
    modes: Mapping[str, Settling] = field(default_factory=dict)
    overlap: Mapping[str, Any] | None = None
    not_run: str = ""

    @property
    def settle_s(self) -> float | None:
        """Settling time of a read in expansion mode, s; None if it is not known."""
        return None if self.settle is None else self.settle.settle_s

    def to_json(self) -> dict[str, Any]:
        """Return the content of timing.json."""
        out: dict[str, Any] = {"paper": SPEED}
        if self.settle is not None:
            out["settle"] = self.settle.to_json()
        if self.modes:
            out["modes"] = {mode: found.to_json() for mode, found in self.modes.items()}
        if self.not_run:
            out["not_run"] = self.not_run
        if self.overlap is not None:
            out["overlap"] = dict(self.overlap)
        return out


def read_and_write(
    network: Network, tech: Tech, what: Stimulus, found: Mapping[str, NetCapacitance]
) -> ReadWrite:
    """Return how a read settles, and what writing meanwhile saves.

    Args:
        network: the extracted network.
        tech: its transistors.
        what: devices and inputs.
        found: capacitance of its nets; empty if not extracted.
    """
    if not found:
        why = "the array is too large to follow its read over time in a build"
        return ReadWrite(not_run=why)
    settle = read_settle(network, tech, what, found)
    others = [m for m in MODES.values() if m.settles and m.name != EXPANSION]
    offered = [m.name for m in others if refusal(network, m.name) is None]
    modes = {m: read_settle(network, tech, what, found, m) for m in offered}
    if (reason := refusal(network, DEEP_NET)) is not None:
        return ReadWrite(settle, modes, not_run=reason)
    turns = tech.memristor.turns(network.rows)
    return ReadWrite(settle, modes, overlap(settle.settle_s, network.cols, turns))


def read_settle(
    network: Network,
    tech: Tech,
    what: Stimulus,
    found: Mapping[str, NetCapacitance],
    mode: str = EXPANSION,
) -> Settling:
    """Return how long a read takes from all inputs' step until every column stands.

    The step response of the extracted wires, memristors and transistors at work with the
    extracted capacitances, to half an LSB of the input's bits.

    Args:
        network: the extracted network.
        tech: its transistors.
        what: devices and inputs.
        found: capacitance of its nets. Of a large array those in the middle stand for all.
        mode: in which it is read.
    """
    drives = network_drives(network, mode, what.inputs)
    gates = gates_for(network, drives)
    solver = NetworkSolver(
        network,
        conductances=what.conductances,
        driven=drives.port_voltages,
        method="direct",
        gates=gates,
        switch_ohm=mode_ohm(network, tech, what, mode),
    )
    placed = chain(_capacitors(network, found), transistor_ends(network, tech, gates))
    seconds, off, elmore = steps_of(RcNetwork(solver, placed), drives)
    farad = {name: net.total_f for name, net in found.items()}
    return Settling(
        row_farad=max((c for n, c in farad.items() if names.is_row(n)), default=0.0),
        column_farad=max((c for n, c in farad.items() if names.is_column(n)), default=0.0),
        delay_s=settled_s(seconds, off, 1.0 / math.e),
        settle_s=settled_s(seconds, off, 0.5 ** (INPUT_BITS + 1)),
        elmore_s=elmore,
    )


def steps_of(net: RcNetwork, drives: Drives) -> tuple[Floats, Floats, float]:
    """Return what a step of all inputs does: times, how far the columns are off, Elmore's delay.

    Args:
        net: the network at work.
        drives: of the mode.

    Raises:
        InputError: if no column carries a current in the end.
    """
    idle = {
        pin: volts if pin in drives.optional else 0.0 for pin, volts in drives.port_voltages.items()
    }
    none = np.zeros((0, 2), dtype=np.int64)
    watch = Watch(drives.outputs, none, 0.5 ** (INPUT_BITS + 1))
    waves = net.run(idle, drives.port_voltages, STEP_S, watch)
    which = [k for k in map(waves.of, drives.outputs) if waves.after[k] != 0]
    if not which:
        raise InputError("no current flows in the end: nothing settles")
    off = waves.amps[:, which] / waves.after[which] - 1.0
    of = net.solver.network
    cells = np.stack([of.memristor_a, of.memristor_b], axis=1).astype(np.int64)
    elmore = net.elmore_s(idle, drives.port_voltages, cells)
    return waves.seconds, off, float(np.nanmax(elmore, initial=0.0))


def _capacitors(
    network: Network, found: Mapping[str, NetCapacitance]
) -> Iterable[tuple[int, int | None, float]]:
    """Yield the capacitors of a network; lines that were not extracted are as the one that was."""
    lines = lines_of(network)
    if lines <= found.keys():
        yield from lumps(network, found)
        return
    nodes = nodes_of_nets(network)
    device = _device_farad(found)
    for kind in (*reversed(names.ROWS), names.COLUMN):
        known = [net for name, net in found.items() if names.kind_of(name) == kind]
        for name in lines if known else ():
            if names.kind_of(name) == kind:
                mine = nodes[name]
                across = sum(known[0].coupling_f.get(each, 0.0) for each in device)
                rest = (known[0].total_f - across) / len(mine)
                yield from ((int(node), None, rest) for node in mine)
    one = max(device.values(), default=0.0)
    for a, b in zip(network.memristor_a.tolist(), network.memristor_b.tolist(), strict=True):
        yield a, b, one


def _device_farad(found: Mapping[str, NetCapacitance]) -> dict[str, float]:
    """Return electrode -> capacitance across its memristor, seen from the columns."""
    return {
        other: farad
        for name, net in found.items()
        if names.is_column(name)
        for other, farad in net.coupling_f.items()
        if names.kind_of(other) in names.ELECTRODES
    }


def overlap(settle_s: float, cols: int, turns: int = 1) -> dict[str, Any]:
    """Return both definitions of the gain over pulse time and depth, beside the paper's 29 %.

    Args:
        settle_s: settling time of a read per input bit, s.
        cols: columns written one after the other.
        turns: in which the rows of a column are written.
    """
    base = Timing(
        settle=settle_s, sense=SENSE_S, pulse=PULSE_S, cols=cols, bits=INPUT_BITS, turns=turns
    )
    slots = "columns" if turns == 1 else f"columns x {turns} turns of rows"
    return {
        "paper": SPEED,
        "counted": (
            f"read = {INPUT_BITS} bits x (settle + sense), write = {slots} x pulse, many layers"
        ),
        "settle_s": settle_s,
        "sense_s": SENSE_S,
        "over_pulse": [t.to_json() for t in pulse_curve(base, PULSES_S)],
        "over_depth": [replace(base, depth=depth).to_json() for depth in DEPTHS],
        "pulse_for_paper_s": pulses_for_paper(base),
    }


def pulses_for_paper(timing: Timing) -> dict[str, list[float]]:
    """Return the pulse times at which overlapping gains the paper's 29 %, s: definition -> both.

    The gain peaks where writing takes as long as reading, so a shorter and a longer pulse give it.
    """
    found = {}
    for definition in ("time_reduction", "speed_up"):
        ratio = ratio_for(SPEED, definition=definition)
        peak = timing.read / timing.slots
        found[definition] = [ratio * peak, peak / ratio]
    return found


def base_of(overlap: Mapping[str, Any]) -> Timing:
    """Return the times behind the first line of the table over pulse time."""
    row = overlap["over_pulse"][0]
    # what an older result does not say was as it is by default
    return Timing(**{each.name: row[each.name] for each in fields(Timing) if each.name in row})


def slot_words(overlap: Mapping[str, Any]) -> str:
    """Return what one write pulse writes: a column, or those rows of it that one turn takes."""
    return "column" if base_of(overlap).turns == 1 else "turn of rows"


def dense_curve(overlap: Mapping[str, Any], steps: int = 80) -> list[Timing]:
    """Return the gain over the table's range of pulse times as a curve, with its peak.

    Straight lines between the few pulse times of the table would cut the peak off.
    """
    base, drawn = base_of(overlap), {row["pulse"] for row in overlap["over_pulse"]}
    low, high = min(drawn), max(drawn)
    peak = base.read / base.slots - base.verify
    many = {low * (high / low) ** (k / steps) for k in range(1, steps)}
    return pulse_curve(base, sorted(drawn | many | ({peak} if low < peak < high else set())))
