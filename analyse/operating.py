"""The operating point of an array: which law its memristors follow, which way a write goes.

Every analysis takes its voltages and currents from here, so that a build, a comparison, a sweep
and the current limits speak of the same write:

* reads are linear, since at the read voltage the law bends a current by 6 % only;
* the tier that is written follows the device law, at the write voltage several times a line,
  and no device carries more than the write driver's limit, if it has one;
* transistors have the resistance of the voltages at which they work (`transistors`);
* a write goes both ways, and the one that loses more is the headline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.errors import ConfigError, ConvergenceError
from ..solve.circuit.iv import DeviceLaw, Limited, Linear, Odd, Partly, Sinh, SpiceLaw, Table
from ..solve.modes.drives import gates_for, network_drives
from ..solve.modes.modes import LEAST_WRITE_V, POLARITIES, mode_named, polarity_options
from .branches import near_work
from .newton import node_volts
from .on_resistance import OnResistance
from .transistors import Bent, Near, working_ohm
from .volts import check_volts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..pdk import Tech
    from ..pdk.memristor import MemristorParameters
    from ..solve.network.network import Network

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Laws:
    """What the memristors follow.

    Attributes:
        every: law of all of them; None leaves those that are read linear.
        write: law of the tier that is written, where `every` gives none.
    """

    every: SpiceLaw | None = None
    write: SpiceLaw | None = None

    @classmethod
    def of(cls, tech: Tech, *, linear: bool = False, nonlinear: bool = False) -> Laws:
        """Return the technology's law for writes; for nothing, or for everything, if asked.

        A write driver limits its current whatever the memristors follow.

        Raises:
            ConfigError: if everything is asked to follow a law that is linear.
        """
        if linear:
            return cls(write=write_law(replace(tech.memristor, law="linear", table=())))
        law, write = _law(tech.memristor), write_law(tech.memristor)
        if not nonlinear:
            return cls(write=write)
        if law is None:
            raise ConfigError("--nonlinear: the device's law is linear (device.law)")
        return cls(every=law, write=write)

    @property
    def options(self) -> dict[str, Any]:
        """Keyword arguments of `solve.metrics.ir_drop` and `mode_ohm`."""
        return {"device": self.every, "write_law": self.write}

    def in_tier(self, written: bool) -> SpiceLaw | None:
        """Return the law of a tier that is read, or written; None is linear."""
        return (self.write or self.every) if written else self.every

    def text(self, mode: str) -> str:
        """Say what was taken, for people."""
        writes = mode_named(mode).writes and self.write is not None
        if self.every is not None:
            found = f"memristors: {_words(self.every)}"
            if writes and self.write != self.every:
                found += f"; in the written tier {_words(self.write)}"
            return found
        if writes:
            return f"memristors: {_words(self.write)} in the written tier, linear elsewhere"
        return "memristors: linear"

    def to_json(self) -> dict[str, Any]:
        """Plain Python types only."""
        return {"read": _law_json(self.every), "write": _law_json(self.in_tier(written=True))}


def write_law(memristor: MemristorParameters) -> SpiceLaw | None:
    """Return the law of a device that is written, its driver's limit included; None is linear."""
    law = _law(memristor)
    if memristor.compliance_a is None:
        return law
    return Limited(law or Linear(), memristor.compliance_a)


def _law(memristor: MemristorParameters) -> SpiceLaw | None:
    laws: dict[str, Callable[[], SpiceLaw | None]] = {
        "linear": lambda: None,
        "sinh": lambda: Sinh(memristor.sinh_b_per_v),
        "cubic": lambda: Odd(memristor.cubic_c_per_v2),
        "table": lambda: Table(memristor.table, memristor.r_on_ohm),
    }
    return laws[memristor.law]()


def _words(law: SpiceLaw | None) -> str:
    match law:
        case Sinh():
            return f"I = G sinh(b V) / b with b = {law.b:g} /V"
        case Odd():
            return f"I = G (V + c V^3) with c = {law.c:g} /V^2"
        case Table():
            return f"I = G f(V) by a table up to {law.volts[-1]:g} V"
        case Limited():
            return f"{_words(law.law)}, at most {law.amps:g} A by the write driver"
    return "linear"


def _law_json(law: SpiceLaw | None) -> dict[str, Any]:
    match law:
        case Sinh():
            return {"law": "G sinh(b V) / b", "b_per_V": law.b}
        case Odd():
            return {"law": "G (V + c V^3)", "c_per_V2": law.c}
        case Table():
            return {"law": "table", "V": law.volts.tolist(), "I_over_G_V": law.ratio.tolist()}
        case Limited():
            return {**_law_json(law.law), "compliance_A": law.amps}
    return {"law": "linear"}


def write_options(
    tech: Tech, mode: str, options: dict[str, Any], rows: int = 0
) -> Iterator[dict[str, Any]]:
    """Yield the options of every way of a mode: as given, or both polarities if it writes.

    If rows are written in turns, those of `write_turns` stand for all of them.

    Args:
        tech: its write voltages, unless `options` has one for both polarities.
        mode: one of `MODES`.
        options: of `mode_drives`; `polarity` leaves one way, a `write_rail` is taken as it is.
        rows: of the array, for `write_turns`; whoever asks for one way needs none.

    Raises:
        ModeError: for a write voltage that is not above 0.
        ConfigError: for one that the device's table does not reach.
    """
    if not mode_named(mode).writes or "write_rail" in options:
        yield options
        return
    rest = dict(options)
    volts, only = rest.pop("write_voltage", None), rest.pop("polarity", None)
    turns = [{}] if {"write_rows", "write_data"} & rest.keys() else write_turns(tech, rows)
    if "write_turn" in rest:
        turns = [{**turn, "write_turn": rest["write_turn"]} for turn in turns[:1]]
    for polarity in POLARITIES if only is None else (only,):
        for turn in turns:
            yield {**rest, **write_way(tech, polarity, volts), **turn}


def write_turns(tech: Tech, rows: int) -> list[dict[str, int]]:
    """Return the options of the turns that stand for all in which rows are written, in order.

    The first and the last; where the last has fewer rows than the others, whose devices then see
    more voltage than those of a whole turn, the last whole one, too.
    """
    at_a_time = tech.memristor.write_rows
    if at_a_time is None:
        return [{}]
    whole = [-2] if last_is_short(tech, rows) and rows > 2 * at_a_time else []
    return [{"write_rows": at_a_time, "write_turn": turn} for turn in (0, *whole, -1)]


def last_is_short(tech: Tech, rows: int) -> bool:
    """Whether the last of several turns writes fewer rows than the others."""
    at_a_time = tech.memristor.write_rows
    return at_a_time is not None and rows > at_a_time and rows % at_a_time > 0


def write_way(tech: Tech, polarity: str, volts: float | None = None) -> dict[str, float]:
    """Return the options of `mode_drives` that write with a polarity.

    Args:
        tech: its write voltages.
        polarity: 'set' or 'reset'.
        volts: write voltage, V; None for the technology's.

    Raises:
        ModeError: for an unknown polarity, or a voltage that is not above 0.
        ConfigError: for a voltage that the device's table does not reach.
    """
    taken = volts
    if taken is None:
        taken = tech.memristor.write_v(polarity) if polarity in POLARITIES else LEAST_WRITE_V
    way = polarity_options(polarity, taken)
    law = _law(tech.memristor)
    if isinstance(law, Table):
        end = law.volts[-1] if polarity == "set" else -law.volts[0]
        if taken > end:
            raise ConfigError(
                f"the write voltage is {taken:g} V, allowed: up to {end:g} V, where the device's "
                f"table ends in a {polarity}"
            )
    return way


@dataclass(frozen=True, eq=False)
class AtWork:
    """What a mode makes of transistors and memristors.

    Attributes:
        ohm: R_on of every transistor.
        device_v: voltage over every memristor, its limiter included, V; None where they were not
            found together.
    """

    ohm: Floats
    device_v: Floats | None


def mode_ohm(*arguments: Any, **options: Any) -> Floats:
    """Return R_on of every transistor as it works in a mode, in ohm; arguments of `at_work`."""
    return at_work(*arguments, **options).ohm


def at_work(
    network: Network,
    tech: Tech,
    what: Any,
    mode: str,
    start: Floats | None = None,
    off_ohm: float = float("inf"),
    device: DeviceLaw | None = None,
    write_law: DeviceLaw | None = None,
    **options: Any,
) -> AtWork:
    """Return transistors and memristors as they work in a mode; see `working_ohm`.

    Args:
        network: extracted network.
        tech: the transistors' models.
        what: devices and inputs (`analysis.Stimulus`).
        mode: one of `MODES`.
        start: first guess, from a similar solve.
        off_ohm: of a transistor that does not conduct.
        device: law of the memristors.
        write_law: law of those of the written tier, where `device` gives none.
        **options: of `mode_drives`.
    """
    from ..solve.network.linear import NetworkSolver, is_small
    from ..solve.network.nonlinear import newton
    from ..solve.network.reduced import reduced
    from ..solve.study.metrics import law_in

    drives = network_drives(network, mode, what.inputs, **options)
    law = law_in(network, drives.request, device, write_law)
    if len(network.switch_a):
        check_volts(tech, drives.port_voltages.values())
    bent = None if law is None else bent_of(network, law, what.conductances)
    gates = gates_for(network, drives)
    small = reduced(network)

    def solver(ohm: Floats, chords: Floats) -> NetworkSolver:
        siemens = np.array(what.conductances, dtype=np.float64)
        if bent is not None:
            siemens[_places(network, bent.which)] = 1.0 / chords
        return NetworkSolver(
            small.network,
            conductances=siemens,
            driven=drives.port_voltages,
            gates=gates,
            switch_ohm=ohm,
            switch_off_ohm=off_ohm,
        )

    def solve(ohm: Floats, chords: Floats) -> Floats:
        found = solver(ohm, chords)
        return kept(found.network, found.voltages(drives.port_voltages))

    def kept(of: Network, volts: Floats) -> Floats:
        over[:] = [volts[of.memristor_a] - volts[of.memristor_b]]
        return small.spread(volts[: of.n_nodes])

    def near(first: Floats) -> Near | None:
        return near_work(
            small.network, tech, first, bent, np.asarray(what.conductances, dtype=np.float64),
            drives.port_voltages, gates, off_ohm,
        )  # fmt: skip

    def at_once(table: OnResistance, ohm: Floats) -> Floats | None:
        first = solver(ohm, np.zeros(0) if bent is None else 1.0 / bent.siemens)
        found = node_volts(first, table, bent, drives.port_voltages)
        if found is None and law is not None:
            # the memristors of a steep law come first, behind transistors as they are guessed
            with suppress(ConvergenceError):
                start = newton(first, law, drives.port_voltages).node_voltages
                found = node_volts(first, table, bent, drives.port_voltages, start)
        if found is None:
            return None
        return kept(first.network, found)

    over: list[Floats] = []
    ohm = working_ohm(
        network, tech, solve, start, bent,
        at_once=at_once, near=None if is_small(network) else near,
    )  # fmt: skip
    return AtWork(ohm, over[-1] if over else None)


def bent_of(network: Network, law: DeviceLaw, siemens: Floats) -> Bent:
    """Return the memristors that follow a law, as far as they conduct."""
    small = siemens[_places(network, slice(None))]
    mask = small > 0
    if isinstance(law, Partly):
        mask, law = mask & law.mask, law.law
    which = np.flatnonzero(mask)
    return Bent(which, law, small[which])


def _places(network: Network, which: Any) -> tuple[Any, ...]:
    """Return tier, row and column of some memristors."""
    return (
        network.memristor_tier[which],
        network.memristor_row[which],
        network.memristor_col[which],
    )
