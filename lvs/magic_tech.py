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

from ..pdk import Tech
from ..pdk.programs import Magic, magic

ELECTRODES = ("BE", "ME", "TE")
#: device -> (type, electrode whose plane it is on, electrode below, its two films)
MEMRISTORS = {
    "memristor_bottom": ("memb", "ME", "BE", ("TIO2_B", "TIO2X_B")),
    "memristor_top": ("memt", "TE", "ME", ("TIO2_T", "TIO2X_T")),
}
#: crossings without a film, where the electrodes touch
_BARE = {
    "bareb": ("BE", "ME", ("TIO2_B", "TIO2X_B")),
    "baret": ("TE", "ME", ("TIO2_T", "TIO2X_T")),
}


def map_of(tech: Tech) -> Magic:
    """Return how Magic sees the silicon of a process."""
    return magic(tech.process.folder)


def _planes_of(tech: Tech) -> tuple[str, ...]:
    """Return the metals and electrodes, each of which has a plane."""
    return (*tech.roles.wires, *ELECTRODES)


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
    found |= {kind: upper for kind, upper, _, _ in MEMRISTORS.values()}
    return found | {name: one for name, (one, *_) in _BARE.items()}


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
    yield from (f"{upper.lower()} {kind}" for kind, upper, _, _ in MEMRISTORS.values())
    for name, (one, *_) in _BARE.items():
        yield f"{one.lower()} {name}"


def _contacts(tech: Tech) -> Iterator[str]:
    lowest = tech.roles.wires[0].lower()
    for name, land in map_of(tech).contacts:
        yield f"{name} {land} {lowest}"
    for name, (lower, upper) in _vias(tech).items():
        yield f"{name.lower()} {lower.lower()} {upper.lower()}"
    for name, (one, other, _) in _BARE.items():
        yield f"{name} {one.lower()} {other.lower()}"
    yield "stackable"


def _connect(tech: Tech) -> Iterator[str]:
    lands = dict(map_of(tech).contacts)
    groups = [f"{land},{contact}" for contact, land in lands.items() if land != "poly"]
    groups += ["poly,pc,nfet,pfet", "nwell,ntap,ntc"]
    for plane in _planes_of(tech):
        names = [plane.lower()]
        names += [v.lower() for v, ends in _vias(tech).items() if plane in ends]
        names += list(lands) if plane == tech.roles.wires[0] else []
        names += [m[0] for m in MEMRISTORS.values() if m[1] == plane]
        names += [b for b, ends in _BARE.items() if plane in ends[:2]]
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
    for kind, upper, lower, films in MEMRISTORS.values():
        yield from layer(kind, ";and ".join((upper, lower, *films)))
    for name, (one, other, films) in _BARE.items():
        yield from layer(name, ";".join((one, f"and {other}", *(f"and-not {f}" for f in films))))
    for name, land in found.contacts:
        where = layer_of("poly") if land == "poly" else silicon[land]
        yield from layer(name, f"{layer_of('contact')};and {where};and {metal}")
    for name, ends in _vias(tech).items():
        yield from layer(name.lower(), ";and ".join((name, *ends)))
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
    for device, (kind, _, lower, _) in MEMRISTORS.items():
        below = [lower.lower(), *(m[0] for m in MEMRISTORS.values() if m[1] == lower)]
        yield f"device capacitor {device} {kind} {','.join(below)} 0 1"
