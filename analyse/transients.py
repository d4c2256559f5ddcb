"""Reads and writes over time: settling, rise, disturb and energy of an extracted RC network.

The wires, capacitors and devices are those of the network file; memristors follow their law and
transistors the table of their on resistance as a current over both ends' voltages. Gates stand
still: select lines are up before the inputs or the write voltage come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError
from ..extract.field.lumps import transistor_ends
from ..solve.modes.drives import Drives, gates_for, network_drives
from ..solve.modes.modes import mode_named
from ..solve.network.linear import NetworkSolver
from ..solve.network.network import Network
from ..solve.network.transient import RcNetwork
from ..solve.network.waves import Watch, Waves, settled_s
from ..solve.study.metrics import law_in
from .newton import Elements
from .on_resistance import OnResistance
from .operating import Laws, at_work, bent_of, write_options
from .timing import PULSE_S, SENSE_S

if TYPE_CHECKING:
    from ..pdk import Tech
    from .analysis import Stimulus
    from .progress import Console

Floats = NDArray[np.float64]
#: bits to which a read is followed where nobody asks
BITS = 10
#: rise of all sources where nobody asks, s: far below what a cell takes (assumed)
RISE_S = 1e-12
COUNTED = (
    "wires, memristors by their law, transistors by their table with sources and drains, extracted "
    "capacitances; energy of a read from all sources until settled and for the sense time after "
    "that, of a write from the sources that move, over the pulse"
)
LEFT_OUT = (
    "drivers, the read-out and its input, gates and select lines that switch, the end of a pulse"
)
#: turns of `operating.write_turns` in words
_TURNS = {0: "first", -2: "last but one", -1: "last"}


@dataclass(frozen=True)
class Asked:
    """What is asked of a run over time.

    Attributes:
        bits: to half of whose last a read must settle.
        rise_s: how long sources take to move, s.
        pulse_s: how long a write lasts, s.
        sense_s: how long a read goes on after it has settled, s.
        fixed: transistors as resistors, as they are at work, not by their table.
    """

    bits: int = BITS
    rise_s: float = RISE_S
    pulse_s: float = PULSE_S
    sense_s: float = SENSE_S
    fixed: bool = False

    @property
    def part(self) -> float:
        """Half of the last bit."""
        return float(0.5 ** (self.bits + 1))


@dataclass(frozen=True)
class Read:
    """A read over time.

    Attributes:
        settle_s: until every column stands within half of the last bit of its final current, s.
        settle_by_bits_s: the same for 1 .. bits, s.
        columns: pin -> settling, final current, charge until all have settled.
        elmore_s: Elmore's delay of the voltage over the slowest memristor, s.
        settle_j: energy of all sources until settled, J.
        watts: their power afterwards, W.
        energy_j: energy with the sense time, J.
        devices: memristors that are read.
        energy_per_mac_j: the same per memristor, J.
    """

    settle_s: float
    settle_by_bits_s: list[float]
    columns: dict[str, dict[str, float]]
    elmore_s: float
    settle_j: float
    watts: float
    energy_j: float
    devices: int
    energy_per_mac_j: float


@dataclass(frozen=True)
class Write:
    """A write over time, and what it does to the columns that are read meanwhile.

    Attributes:
        way: polarity and rows, in words.
        column: that is written.
        devices: how many.
        rise_90_s, rise_99_s: until the slowest written device stands at this share of its final
            voltage for good, s.
        volts: final voltage of the device that gets least, V.
        energy_j: of the sources that move, over the pulse, J.
        energy_per_device_j: per written device, J.
        disturb: read column -> largest deviation, its share, charge beside the rest, shift.
    """

    way: str
    column: int
    devices: int
    rise_90_s: float
    rise_99_s: float
    volts: float
    energy_j: float
    energy_per_device_j: float
    disturb: dict[str, dict[str, float]]

    @property
    def worst(self) -> str | None:
        """Return the read column with the largest deviation; None if none is read."""
        every = self.disturb
        return max(every, key=lambda pin: every[pin]["glitch_A"]) if every else None


@dataclass(frozen=True, eq=False)
class OverTime:
    """All of it.

    Attributes:
        mode: one of `MODES`.
        asked: how.
        read: the read of the mode.
        writes: its writes, one for each way.
        waves: part -> curves, with the pins and probes that are shown.
    """

    mode: str
    asked: Asked
    read: Read
    writes: list[Write]
    waves: dict[str, Curves] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "mode": self.mode,
            **asdict(self.asked),
            "read": asdict(self.read),
            "writes": [asdict(each) for each in self.writes],
            "counted": COUNTED,
            "left_out": LEFT_OUT,
        }


@dataclass(frozen=True, eq=False)
class Curves:
    """The waves of a part, and which of them are shown.

    Attributes:
        waves: of all ports.
        pins: ports whose current is shown.
        probes: names of the probes.
    """

    waves: Waves
    pins: tuple[str, ...]
    probes: tuple[str, ...] = ()


def over_time(
    network: Network,
    tech: Tech,
    what: Stimulus,
    console: Console,
    mode: str,
    laws: Laws,
    asked: Asked,
    **options: Any,
) -> OverTime:
    """Follow the read of a mode, and the writes that it has, over time.

    Args:
        network: extracted with its capacitances.
        tech: the transistors' models.
        what: devices and inputs.
        console: where progress goes.
        mode: one of `MODES`.
        laws: what memristors follow.
        asked: bits, rise and pulse.
        **options: of the mode, see `operating.write_options`.

    Raises:
        ConfigError: for a network without capacitances.
        ConvergenceError: if the network does not come to rest.
    """
    need_capacitors(network)
    ways = [dict(way) for way in write_options(tech, mode, dict(options), network.rows)]
    writes = mode_named(mode).writes
    first = _Way(network, tech, what, mode, laws, asked, ways[0])
    curves: dict[str, Curves] = {}
    with console.step("read over time") as step:
        read, curves["read"] = first.read(step)
    found = []
    for way in ways if writes else ():
        mine = _Way(network, tech, what, mode, laws, asked, way)
        with console.step("write over time") as step:
            write, shown = mine.write(step)
        found.append(write)
        curves[f"write {write.way}"] = shown
    return OverTime(mode, asked, read, found, curves)


def need_capacitors(network: Network) -> None:
    """Refuse a network of resistors alone.

    Raises:
        ConfigError: saying how to get its capacitances.
    """
    if not len(network.capacitor_f):
        raise ConfigError(
            "the network holds no capacitances: extract it with crossstack extract --rc"
        )


class _Way:
    """A mode in one way: which polarity, which rows."""

    def __init__(
        self, network: Network, tech: Tech, what: Stimulus, mode: str, laws: Laws, asked: Asked,
        way: Mapping[str, Any],
    ) -> None:  # fmt: skip
        self.network, self.tech, self.what, self.asked = network, tech, what, asked
        self.way, self.laws = way, laws
        writes = mode_named(mode).writes
        none = {"write_voltage": 0.0, "write_rail": 0.0} if writes else {}
        self.full: Drives = network_drives(network, mode, what.inputs, **way)
        self.idle: Drives = network_drives(network, mode, what.inputs, **{**way, **none})
        self.net = self._network(mode)

    def _network(self, mode: str) -> RcNetwork:
        """Return the network at work in a mode."""
        network, gates = self.network, gates_for(self.network, self.full)
        work = at_work(network, self.tech, self.what, mode, **self.laws.options, **self.way)
        solver = NetworkSolver(
            network,
            conductances=self.what.conductances,
            driven=self.full.port_voltages,
            gates=gates,
            switch_ohm=work.ohm,
            method="direct",
        )
        placed = chain(network.capacitors, transistor_ends(network, self.tech, gates))
        law = law_in(network, self.full.request, self.laws.every, self.laws.write)
        if law is None and self.asked.fixed:
            return RcNetwork(solver, placed)
        bent = None if law is None else bent_of(network, law, self.what.conductances)
        sizes = network.switch_w_um, network.switch_l_um, network.switch_p
        table = None if self.asked.fixed else OnResistance(self.tech, *sizes)
        elements = Elements(solver, table, bent)
        return RcNetwork(solver, placed, elements.flow)

    def read(self, step: Callable[..., object]) -> tuple[Read, Curves]:
        """Follow a step of all inputs, with nothing written."""
        volts, part = self.idle.port_voltages, self.asked.part
        before = {pin: v if pin in self.idle.optional else 0.0 for pin, v in volts.items()}
        outputs = self._read_outputs()
        none = np.zeros((0, 2), dtype=np.int64)
        waves = self.net.run(before, volts, self.asked.rise_s, Watch(outputs, none, part, step))
        which = [k for k in map(waves.of, outputs) if waves.after[k] != 0]
        if not which:
            raise ConfigError("no current flows in the end: nothing settles")
        off = waves.amps[:, which] / waves.after[which] - 1.0
        by_bits = [
            settled_s(waves.seconds, off, 0.5 ** (bits + 1))
            for bits in range(1, self.asked.bits + 1)
        ]
        settle = by_bits[-1]
        columns = {
            waves.ports[k]: {
                "settle_s": settled_s(waves.seconds, off[:, [n]], part),
                "final_A": -float(waves.after[k]),
                "charge_C": -float(np.interp(settle, waves.seconds, waves.coulombs[:, k])),
            }
            for n, k in enumerate(which)
        }
        devices = self._devices_read()
        until = float(waves.joules_until(settle).sum())
        watts = float(waves.watts.sum())
        energy = until + watts * self.asked.sense_s
        ends = [self.network.memristor_a, self.network.memristor_b]
        pairs = np.stack(ends, axis=1).astype(np.int64)
        elmore = float(np.nanmax(self.net.elmore_s(before, volts, pairs), initial=0.0))
        read = Read(
            settle, by_bits, columns, elmore, until, watts, energy, devices,
            energy / max(devices, 1),
        )  # fmt: skip
        return read, Curves(waves, outputs)

    def write(self, step: Callable[..., object]) -> tuple[Write, Curves]:
        """Follow the write voltage as it comes, while the inputs stand."""
        request, network = self.full.request, self.network
        before, after = self.idle.port_voltages, self.full.port_voltages
        mine = (network.memristor_tier == request.write_tier) & (
            network.memristor_col == request.write_column
        )
        siemens = self.what.conductances[
            network.memristor_tier, network.memristor_row, network.memristor_col
        ]
        mine &= request.written[network.memristor_row] & (siemens > 0)
        which = np.flatnonzero(mine)
        if not len(which):
            raise ConfigError("no device is written: nothing rises")
        probes = np.stack([network.memristor_a[which], network.memristor_b[which]], axis=1)
        outputs = self._read_outputs()
        watch = Watch(outputs, probes.astype(np.int64), self.asked.part, step)
        waves = self.net.run(before, after, self.asked.rise_s, watch)
        own, end = self._own(siemens[which], waves)
        rise_90, rise_99 = (
            settled_s(waves.seconds, own / end - 1.0, 1.0 - share) for share in (0.9, 0.99)
        )
        moved = [k for k, pin in enumerate(waves.ports) if before[pin] != after[pin]]
        energy = float(waves.joules_until(self.asked.pulse_s)[moved].sum())
        write = Write(
            way=_words(self.way),
            column=request.write_column,
            devices=len(which),
            rise_90_s=rise_90,
            rise_99_s=rise_99,
            volts=float(np.abs(end).min()),
            energy_j=energy,
            energy_per_device_j=energy / len(which),
            disturb={pin: _disturbed(waves, pin) for pin in outputs},
        )
        names = tuple(f"row {row}" for row in network.memristor_row[which].tolist())
        return write, Curves(waves, (*outputs, *(waves.ports[k] for k in moved)), names)

    def _own(self, siemens: Floats, waves: Waves) -> tuple[Floats, Floats]:
        """Return voltages of the written devices without their limiters, over time and at last."""
        law = self.laws.in_tier(written=True)
        if law is None:
            return waves.probes, waves.probes_after
        own = [law.own_volts(siemens, row) for row in (*waves.probes, waves.probes_after)]
        return np.array(own[:-1]), np.asarray(own[-1])

    def _read_outputs(self) -> tuple[str, ...]:
        """Return the pins of the columns that are read."""
        request, pins = self.full.request, self.full.outputs
        skipped = request.write_column if request.writes else -1
        return tuple(pin for j, pin in enumerate(pins) if j != skipped)

    def _devices_read(self) -> int:
        """Return how many memristors the columns add up that are read."""
        request, network = self.full.request, self.network
        siemens = self.what.conductances[
            network.memristor_tier, network.memristor_row, network.memristor_col
        ]
        read = siemens > 0
        if request.writes:
            read &= network.memristor_tier == request.read_tier
            read &= network.memristor_col != request.write_column
        return int(read.sum())


def _disturbed(waves: Waves, pin: str) -> dict[str, float]:
    """Return what a write does to a column that is read."""
    k = waves.of(pin)
    rest, after = float(waves.before[k]), float(waves.after[k])
    off = waves.amps[:, k] - rest
    worst = float(off[np.abs(off).argmax()])
    beside = float(waves.coulombs[-1, k]) - after * float(waves.seconds[-1])
    return {
        "rest_A": -rest,
        "glitch_A": abs(worst),
        "glitch_share": abs(worst / rest) if rest else 0.0,
        "charge_C": -beside,
        "shift_A": rest - after,
    }


def _words(way: Mapping[str, Any]) -> str:
    """Return polarity and turn of a way of writing."""
    polarity = "reset" if way.get("write_voltage", 1.0) < 0 else "set"
    if "write_turn" not in way:
        return polarity
    turn = way["write_turn"]
    return f"{polarity} {_TURNS.get(turn, f'turn {turn} of its')} rows"
