"""A technology file for Magic, made from `Tech`: what conducts, what joins it, what is a device.

Layers, labels, contacts and vias come from the tables of `pdk`. How silicon becomes diffusions,
taps and transistors, and crossings become memristors, is said here once more and not taken from
`connectivity`: Magic is to be a second opinion.

In Magic a type lives on one plane, and only contacts join planes. Everything in the silicon and
poly shares a plane, as there a gate parts a diffusion; each metal and electrode has its own. A
memristor is a type of its upper electrode's plane and the device a capacitor to what lies below.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from ..pdk import Tech
from ..pdk.programs import Magic, magic


class _Stack(NamedTuple):
    """Two electrodes that cross.

    Attributes:
        type: Magic's type of it.
        upper, lower: the electrodes; the type is on the plane of the upper one.
        films: drawn films that make it a device; without each of them it is a contact.
    """

    type: str
    upper: str
    lower: str
    films: tuple[str, ...]


def memristors(tech: Tech) -> dict[str, _Stack]:
    """Return how Magic knows each kind of memristor."""
    found = {}
    for device in tech.nets.memristors:
        ends = sorted((wire for _, wire in device.terminals), key=lambda w: tech.heights_um[w])
        films = tuple(film for film in device.films if film in tech.drawn_insulators)
        tier = device.name.rpartition("_")[2]
        found[device.name] = _Stack(f"mem{tier[0]}", ends[1], ends[0], films)
    return found


def _bare(tech: Tech) -> dict[str, _Stack]:
    """Return crossings without a film, where the electrodes touch."""
    found = memristors(tech)
    bare = {device.name: device for device in tech.nets.memristors if device.bare}
    return {
        f"bare{found[name].type[3:]}": found[name]._replace(
            upper=device.conductor("ROW"), lower=device.conductor("ME")
        )
        for name, device in bare.items()
    }


def map_of(tech: Tech) -> Magic:
    """Return how Magic sees the silicon of a process."""
    return magic(tech.process.folder)


def _planes_of(tech: Tech) -> tuple[str, ...]:
    """Return the metals and electrodes, each of which has a plane."""
    return tuple(dict.fromkeys((*tech.roles.wires, *tech.module.electrodes)))


def magic_tech(tech: Tech) -> str:
    """Return the text of the technology file."""
    #: nothing is ever written, but reading crashes Magic 8.3.105 where there is no output style
    unused = ("style unused", _scale(tech, "scalefactor"), "layer W nwell", "calma 1 0")
    sections: list[tuple[str, Iterator[str]]] = [
        ("tech", iter(("format 28", "crossstack"))),
        ("version", iter(("version 1", f'description "{tech.name}, connectivity only"'))),
        ("planes", _planes(tech)),
        ("types", _types(tech)),
        ("contact", _contacts(tech)),
        ("styles", iter(("styletype mos",))),
        ("compose", iter(())),
        ("connect", _connect(tech)),
        ("cifoutput", iter(unused)),
        ("cifinput", _cifinput(tech)),
        ("drc", iter(())),
        ("extract", _extract(tech)),
    ]
    lines: list[str] = []
    for name, content in sections:
        lines += [name, *(f"  {line}" for line in content), "end", ""]
    return "\n".join(lines)


def layers_read(tech: Tech) -> list[str]:
    """Return the names of the drawn layers that the technology file reads."""
    return [line.split()[1] for line in _cifinput(tech) if line.startswith("calma ")]


def conductors(tech: Tech) -> dict[str, str]:
    """Return type of Magic -> our name of the conductor on which its nodes lie."""
    found = dict(map_of(tech).conductors)
    found |= {name.lower(): name for name in _planes_of(tech)}
    found |= {contact: found[land] for contact, land in map_of(tech).contacts}
    found |= {name.lower(): lower for name, (lower, _) in _vias(tech).items()}
    found |= {stack.type: stack.upper for stack in memristors(tech).values()}
    return found | {name: stack.upper for name, stack in _bare(tech).items()}


def _scale(tech: Tech, word: str) -> str:
    return f"{word} {map_of(tech).lambda_nm / 10:g}"


def _planes(tech: Tech) -> Iterator[str]:
    yield from ("well", "active", *(name.lower() for name in _planes_of(tech)))


def _vias(tech: Tech) -> dict[str, tuple[str, str]]:
    """Return the cuts between metals and electrodes: layer -> (lower, upper)."""
    planes = {*_planes_of(tech)}
    return {c.layer: (c.lower, c.upper) for c in tech.cuts if {c.lower, c.upper} <= planes}


def _types(tech: Tech) -> Iterator[str]:
    yield "well nwell"
    yield from (
        f"active {name}"
        for name in (*dict(map_of(tech).silicon), "poly", *dict(map_of(tech).contacts))
    )
    for name in _planes_of(tech):
        yield f"{name.lower()} {name.lower()}"
    for name, (lower, _) in _vias(tech).items():
        yield f"{lower.lower()} {name.lower()}"
    yield from (f"{stack.upper.lower()} {stack.type}" for stack in memristors(tech).values())
    yield from (f"{stack.upper.lower()} {name}" for name, stack in _bare(tech).items())


def _contacts(tech: Tech) -> Iterator[str]:
    lowest = tech.roles.wires[0].lower()
    for name, land in map_of(tech).contacts:
        yield f"{name} {land} {lowest}"
    for name, (lower, upper) in _vias(tech).items():
        yield f"{name.lower()} {lower.lower()} {upper.lower()}"
    for name, stack in _bare(tech).items():
        yield f"{name} {stack.upper.lower()} {stack.lower.lower()}"
    yield "stackable"


def _connect(tech: Tech) -> Iterator[str]:
    lands = dict(map_of(tech).contacts)
    groups = [f"{land},{contact}" for contact, land in lands.items() if land != "poly"]
    groups += ["poly,pc,nfet,pfet", "nwell,ntap,ntc"]
    if salicided := [kind for kind, name in map_of(tech).conductors if name in
                     tech.nets.salicided]:  # fmt: skip
        salicided += [contact for contact, land in lands.items() if land in salicided]
        groups.append(",".join(salicided))
    for plane in _planes_of(tech):
        names = [plane.lower()]
        names += [v.lower() for v, ends in _vias(tech).items() if plane in ends]
        names += list(lands) if plane == tech.roles.wires[0] else []
        names += [stack.type for stack in memristors(tech).values() if stack.upper == plane]
        names += [b for b, stack in _bare(tech).items() if plane in (stack.upper, stack.lower)]
        groups.append(",".join(names))
    yield from (f"{group} {group}" for group in groups)


def _cifinput(tech: Tech) -> Iterator[str]:
    found, layer_of = map_of(tech), tech.roles.layer
    silicon, metal = dict(found.silicon), tech.roles.wires[0]
    yield "style gds"
    yield f"scalefactor {found.lambda_nm} nanometers"
    roles = ("nwell", "diffusion", "tap", "poly", "nplus", "pplus", "contact")
    used = dict.fromkeys(layer_of(role) for role in roles)

    def layer(name: str, drawn: str, label: str = "") -> Iterator[str]:
        first, *rest = drawn.split(";")
        yield f"layer {name} {first}"
        yield from rest
        if label:
            yield f"labels {label}"
        used.update(dict.fromkeys(word.split()[-1] for word in (first, *rest)))
        used.update({label: None} if label else {})

    yield from layer("nwell", layer_of("nwell"))
    yield from layer("poly", layer_of("poly"), tech.label_of[layer_of("poly")])
    for name, drawn in silicon.items():
        yield from layer(name, drawn)
    for name in _planes_of(tech):
        yield from layer(name.lower(), name, tech.label_of[name])
    for stack in memristors(tech).values():
        yield from layer(stack.type, ";and ".join((stack.upper, stack.lower, *stack.films)))
    for name, stack in _bare(tech).items():
        less = (f"and-not {film}" for film in stack.films)
        yield from layer(name, ";".join((stack.upper, f"and {stack.lower}", *less)))
    for name, land in found.contacts:
        where = layer_of("poly") if land == "poly" else silicon[land]
        yield from layer(name, f"{layer_of('contact')};and {where};and {metal}")
    for name, ends in _vias(tech).items():
        # a film on a via between its electrodes makes a memristor of it
        films = (s.films for s in memristors(tech).values() if {s.upper, s.lower} == {*ends})
        less = (f"and-not {film}" for film in chain.from_iterable(films))
        yield from layer(name.lower(), ";".join((name, *(f"and {end}" for end in ends), *less)))
    for name in used:
        number, datatype = tech.gds(name)
        yield f"calma {name} {number} {datatype}"


def _extract(tech: Tech) -> Iterator[str]:
    yield "style crossstack"
    yield _scale(tech, "lambda")
    yield from (f"planeorder {plane} {k}" for k, plane in enumerate(_planes(tech)))
    yield "step 100"
    yield "sidehalo 0"
    yield "substrate ptap,ptc well"
    yield "device mosfet nfet nfet ndiff,ndc ptap,ptc,space/w SUBSTRATE 0 0"
    yield "device mosfet pfet pfet pdiff,pdc nwell NONE 0 0"
    stacks = memristors(tech)
    for device, one in stacks.items():
        below = [one.lower.lower(), *(s.type for s in stacks.values() if s.upper == one.lower)]
        yield f"device capacitor {device} {one.type} {','.join(below)} 0 1"
