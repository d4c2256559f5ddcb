"""What other programs need to know of a process: shuttle, Magic, nets; see also `foundry`.

Each is a file of its own in the process's folder, read when it is asked for. A process may lack
any of them; asking then says which file is missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from pathlib import Path

from ..base.errors import TechError
from .tables import ProcessError, Section, read_toml

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Slot:
    """A die size that the shuttle offers, in um."""

    name: str
    width_um: float
    height_um: float


@dataclass(frozen=True)
class Pads:
    """What pads must be for those who bond and probe them, in um.

    Attributes:
        bond_opening_um, probe_opening_um: sides of the openings in the passivation.
        probe_pitch_um: from probe pad to probe pad.
    """

    bond_opening_um: float
    probe_opening_um: float
    probe_pitch_um: float


@dataclass(frozen=True)
class Fill:
    """Squares that fill empty areas of the layers of one role.

    Attributes:
        role: layers that are filled.
        datatype: GDS datatype of the fill.
        side_um, space_um: of the squares.
        to_circuit_um: distance to circuit of the same layer.
    """

    role: str
    datatype: int
    side_um: float
    space_um: float
    to_circuit_um: float


@dataclass(frozen=True)
class Shuttle:
    """The multi-project run that takes the dies.

    Attributes:
        name: in words.
        seal_ring_um: room of the seal ring on each side.
        ring_to_opening_um: from the ring to a pad's opening, at least and at most.
        forbidden: layers that must be empty: name, ``layer/datatype``.
        slots: die sizes.
        pads: openings and pitches.
        fill: fill squares.
    """

    name: str
    seal_ring_um: float
    ring_to_opening_um: tuple[float, float]
    forbidden: Pairs
    slots: tuple[Slot, ...]
    pads: Pads
    fill: tuple[Fill, ...]


@lru_cache(maxsize=8)
def shuttle(folder: Path) -> Shuttle:
    """Return the shuttle of a process folder.

    Raises:
        ProcessError: for a key that is missing, unknown or of the wrong type.
        FileError: if there is none.
    """
    keys = ("name", "seal_ring_um", "ring_to_opening_um", "forbidden", "slot", "pads", "fill")
    top = Section.of(folder / "shuttle.toml", keys)
    reach = top.values["ring_to_opening_um"]
    if not (
        isinstance(reach, list) and len(reach) == 2 and all(type(x) in (int, float) for x in reach)
    ):
        raise ProcessError(top.where, ("ring_to_opening_um is not [least, most]",))
    slots = tuple(
        Slot(row.text("name"), row.number("width_um"), row.number("height_um"))
        for row in (s.checked(("name", "width_um", "height_um")) for s in top.sections("slot"))
    )
    lengths = ("side_um", "space_um", "to_circuit_um")
    fill = tuple(
        Fill(row.text("role"), int(row.number("datatype")), *(row.number(k) for k in lengths))
        for row in (s.checked(("role", "datatype", *lengths)) for s in top.sections("fill"))
    )
    forbidden = top.pairs("forbidden")
    if wrong := [pair for _, pair in forbidden if not re.fullmatch(r"\d{1,5}/\d{1,5}", pair)]:
        raise ProcessError(top.where, (f"forbidden: {wrong[0][:20]!r} is not layer/datatype",))
    if not slots:
        raise ProcessError(top.where, ("no slot",))
    names = tuple(field.name for field in fields(Pads))
    pads = top.section("pads").checked(names)
    return Shuttle(
        top.text("name"),
        top.number("seal_ring_um"),
        (float(reach[0]), float(reach[1])),
        forbidden,
        slots,
        Pads(*(pads.number(name) for name in names)),
        fill,
    )


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


@lru_cache(maxsize=8)
def magic(folder: Path) -> Magic:
    """Return Magic's map of a process folder; raises as `shuttle`."""
    top = Section.of(folder / "magic.toml", tuple(field.name for field in fields(Magic)))
    return Magic(
        lambda_nm=int(top.number("lambda_nm")),
        scalegrid=int(top.number("scalegrid")),
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
        devices: kinds of devices, of base and module.
        antenna: a conductor, then the cut that lands on it, in the order they are made.
        diode_factor: how often connected diffusion counts towards the gate area.
    """

    derived: Names
    ruled: Names
    silicon: tuple[str, ...]
    links: Names
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
    own = top.section("nets").checked(("silicon", "links"))
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
        tuple(derived), tuple(ruled), own.texts("silicon"), tuple(links), tuple(devices),
        pairs_of(antenna, "levels"), antenna.number("diode_factor"),
    )  # fmt: skip


def _models(row: Section) -> tuple[str, ...]:
    return tuple(name.lower() for name in row.texts("models")) if "models" in row.values else ()


def _derived(folder: Path, key: str) -> Names:
    return Section.of(folder / "derived.toml", ("rules", "nets")).pairs(key)
