"""Which devices a process has, what conducts, and what joins it: records that `programs` reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..base.errors import TechError

Names = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Device:
    """A kind of device, as it is recognised in a layout.

    Attributes:
        name: class in netlists.
        body: derived layer whose polygons are the devices.
        terminals: terminal -> conductor that it touches, in netlist order; empty: substrate.
        supply: net of its bulk; empty for a memristor.
        models: what other tools call it in netlists, lower case.
        netlist: what the foundry's own LVS calls it; empty for a memristor.
        films: of a memristor: layers that each must lie where its electrodes cross.
        crossing: layer of that crossing.
        bare: layer of crossings without any film, which conduct; empty where there are none.
    """

    name: str
    body: str
    terminals: Names
    supply: str = ""
    models: tuple[str, ...] = ()
    netlist: str = ""
    films: tuple[str, ...] = ()
    crossing: str = ""
    bare: str = ""

    def conductor(self, terminal: str) -> str:
        """Return the conductor that a terminal touches; empty for the substrate."""
        return dict(self.terminals)[terminal]

    @property
    def is_memristor(self) -> bool:
        """True for the devices of a module."""
        return not self.supply


@dataclass(frozen=True)
class Nets:
    """What conducts and what joins it, beside films and cuts.

    Attributes:
        derived: derived layers in order, of base and module.
        ruled: the same for the design rules, which follow the manual's words.
        silicon: conductors in the silicon.
        links: pairs of layers that are joined where they touch.
        salicided: diffusions and taps under one silicide, which joins those that touch.
        devices: kinds of devices, of base and module.
        antenna: a conductor, then the cut that lands on it, in the order they are made.
        diode_factor: how often connected diffusion counts towards the gate area.
    """

    derived: Names
    ruled: Names
    silicon: tuple[str, ...]
    links: Names
    salicided: tuple[str, ...]
    devices: tuple[Device, ...]
    antenna: Names
    diode_factor: float

    @cached_property
    def models(self) -> dict[str, str]:
        """Lower-case names of devices in netlists, ours and those of other tools -> our name."""
        found = {device.name: device.name for device in self.devices}
        return found | {name: device.name for device in self.devices for name in device.models}

    @cached_property
    def memristors(self) -> tuple[Device, ...]:
        """The kinds of memristors, the bottom tier's first."""
        return tuple(device for device in self.devices if device.is_memristor)

    def device(self, name: str) -> Device:
        """Return a kind of device by name; raises TechError if the process has none of it."""
        for device in self.devices:
            if device.name == name:
                return device
        raise TechError(f"no device {name!r} in the process and its module")
