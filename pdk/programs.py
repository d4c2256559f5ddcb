"""What other programs need to know of a process: Magic, nets; see also `foundry`, `shuttle`.

Each is a file of its own in the process's folder, read when it is asked for. A process may lack
any of them; asking then says which file is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

from ..base.errors import TechError
from .ranges import COUNT, FACTOR
from .tables import ProcessError, Section, of_folder, read_toml

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Magic:
    """How Magic sees the silicon of a process.

    Attributes:
        lambda_nm, scalegrid: units of its technology file.
        silicon: type on the active plane -> how it is drawn.
        contacts: contact type -> what it lands on.
        conductors: type -> our conductor.
    """

    lambda_nm: int
    scalegrid: int
    silicon: Pairs
    contacts: Pairs
    conductors: Pairs


@of_folder("magic.toml")
def magic(folder: Path) -> Magic:
    """Return Magic's map of a process folder; raises as `shuttle.shuttle`."""
    top = Section.of(folder / "magic.toml", tuple(field.name for field in fields(Magic)))
    return Magic(
        lambda_nm=top.whole("lambda_nm", COUNT),
        scalegrid=top.whole("scalegrid", COUNT),
        silicon=top.pairs("silicon"),
        contacts=top.pairs("contacts"),
        conductors=top.pairs("conductors"),
    )


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


def pairs_of(section: Section, key: str) -> Names:
    """Return a list of pairs of texts."""
    rows = section.values.get(key)
    if not isinstance(rows, list) or not all(
        isinstance(row, list) and len(row) == 2 and all(isinstance(x, str) for x in row)
        for row in rows
    ):
        raise ProcessError(section.where, (f"{key} is not a list of pairs of texts",))
    return tuple((a, b) for a, b in rows)


def nets(base: Path, module: Path | None) -> Nets:
    """Return what `devices.toml` and `derived.toml` of a base and its module say of nets."""
    top = Section.of(base / "devices.toml", ("transistor", "nets", "antenna"))
    own = top.section("nets").checked(("silicon", "links", "salicided"))
    antenna = top.section("antenna").checked(("levels", "diode_factor"))
    devices = [
        Device(
            row.text("name"),
            row.text("body"),
            pairs_of(row, "terminals"),
            row.text("supply"),
            _models(row),
            row.text("netlist") if "netlist" in row.values else row.text("name"),
        )
        for row in top.sections("transistor")
    ]
    derived, ruled = [*_derived(base, "nets")], [*_derived(base, "rules")]
    links = [*pairs_of(own, "links")]
    if module is not None:
        path = module / "module.toml"
        more = Section(str(path), read_toml(path))
        links += pairs_of(more.section("nets"), "links")
        devices += [
            Device(
                row.text("name"),
                row.text("body"),
                pairs_of(row, "terminals"),
                models=_models(row),
                films=row.texts("films"),
                crossing=row.text("crossing"),
                bare=row.text("bare", ""),
            )
            for row in more.sections("device")
        ]
        derived += _derived(module, "nets")
        ruled += _derived(module, "rules")
    return Nets(
        tuple(derived), tuple(ruled), own.texts("silicon"), tuple(links),
        own.texts("salicided"), tuple(devices),
        pairs_of(antenna, "levels"), antenna.number("diode_factor", FACTOR),
    )  # fmt: skip


def _models(row: Section) -> tuple[str, ...]:
    return tuple(name.lower() for name in row.texts("models")) if "models" in row.values else ()


def _derived(folder: Path, key: str) -> Names:
    return Section.of(folder / "derived.toml", ("rules", "nets")).pairs(key)
