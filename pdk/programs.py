"""What other programs need to know of a process: Magic, nets; see also `foundry`, `shuttle`.

Each is a file of its own in the process's folder, read when it is asked for. A process may lack
any of them; asking then says which file is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from .nets import Device, Names, Nets
from .ranges import COUNT, FACTOR
from .tables import ProcessError, Section, of_folder, read_toml


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
    silicon: Names
    contacts: Names
    conductors: Names


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
