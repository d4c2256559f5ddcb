"""The operating point of an array: which law its memristors follow, which way a write goes.

Every analysis takes its voltages and currents from here, so that a build, a comparison, a sweep
and the current limits speak of the same write:

* reads are linear, since at the read voltage the law bends a current by 6 % only;
* the tier that is written follows the device law, at the write voltage several times a line;
* transistors have the resistance of the voltages at which they work (`transistors`);
* a write goes both ways, and the one that loses more is the headline.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..solve.iv import DeviceLaw, Partly, Sinh
from ..solve.modes import POLARITIES, gates_for, mode_named, network_drives, polarity_options
from .transistors import Bent, working_ohm
from .volts import check_volts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..pdk import Tech
    from ..solve.network import Network

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Laws:
    """What the memristors follow.

    Attributes:
        every: law of all of them; None leaves those that are read linear.
        write: law of the tier that is written, where `every` gives none.
    """

    every: Sinh | None = None
    write: Sinh | None = None

    @classmethod
    def of(cls, tech: Tech, *, linear: bool = False, nonlinear: bool = False) -> Laws:
        """Return the technology's law for writes; for nothing, or for everything, if asked."""
        if linear:
            return cls()
        law = Sinh(tech.memristor.sinh_b_per_v)
        return cls(every=law) if nonlinear else cls(write=law)

    @property
    def options(self) -> dict[str, Any]:
        """Keyword arguments of `solve.metrics.ir_drop` and `mode_ohm`."""
        return {"device": self.every, "write_law": self.write}

    def text(self, mode: str) -> str:
        """Say what was taken, for people."""
        if self.every is not None:
            return f"memristors: {_words(self.every)}"
        if mode_named(mode).writes and self.write is not None:
            return f"memristors: {_words(self.write)} in the tier that is written, else linear"
        return "memristors: linear"

    def to_json(self) -> dict[str, Any]:
        """Plain Python types only."""
        laws = {"read": self.every, "write": self.every or self.write}
        return {
            name: {"law": "linear"} if law is None else {"law": "G sinh(b V) / b", "b_per_V": law.b}
            for name, law in laws.items()
        }


def _words(law: Sinh) -> str:
    return f"I = G sinh(b V) / b with b = {law.b:g} /V"


def write_options(tech: Tech, mode: str, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the options of every way of a mode: as given, or both polarities if it writes.

    Args:
        tech: its write voltage, unless `options` has one.
        mode: one of `MODES`.
        options: of `mode_drives`; `polarity` leaves one way, a `write_rail` is taken as it is.

    Raises:
        ModeError: for a write voltage that is not above 0.
    """
    if not mode_named(mode).writes or "write_rail" in options:
        yield options
        return
    rest = dict(options)
    volts, only = rest.pop("write_voltage", None), rest.pop("polarity", None)
    volts = tech.memristor.v_write_v if volts is None else volts
    for polarity in POLARITIES if only is None else (only,):
        yield {**rest, **polarity_options(polarity, volts)}


def mode_ohm(
    network: Network,
    tech: Tech,
    what: Any,
    mode: str,
    start: Floats | None = None,
    off_ohm: float = float("inf"),
    device: DeviceLaw | None = None,
    write_law: DeviceLaw | None = None,
    **options: Any,
) -> Floats:
    """Return R_on of every transistor as it works in a mode, in ohm; see `working_ohm`.

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
    from ..solve.linear import NetworkSolver, is_small
    from ..solve.metrics import law_in
    from ..solve.reduced import reduced

    drives = network_drives(network, mode, what.inputs, **options)
    law = law_in(network, drives.request, device, write_law)
    if len(network.switch_a):
        check_volts(tech, drives.port_voltages.values())
    bent = None if law is None else _bent(network, law, what.conductances)
    gates = gates_for(network, drives)
    small = reduced(network) if is_small(network) else None

    def solve(ohm: Floats, chords: Floats) -> Floats:
        siemens = np.array(what.conductances, dtype=np.float64)
        if bent is not None:
            siemens[_places(network, bent.which)] = 1.0 / chords
        solver = NetworkSolver(
            network if small is None else small.network,
            conductances=siemens,
            driven=drives.port_voltages,
            gates=gates,
            switch_ohm=ohm,
            switch_off_ohm=off_ohm,
        )
        volts = solver.voltages(drives.port_voltages)[: solver.network.n_nodes]
        return volts if small is None else small.spread(volts)

    return working_ohm(network, tech, solve, start, bent)


def _bent(network: Network, law: DeviceLaw, siemens: Floats) -> Bent:
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
