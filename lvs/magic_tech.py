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

from ..pdk import LABEL_OF, METALS, Tech

#: lambda of the file in nm; `scalegrid 1 10` then makes the process's grid of 5 nm
LAMBDA_NM = 50
STEPS = 10
ELECTRODES = ("BE", "ME", "TE")
#: device -> (type, electrode whose plane it is on, electrode below, its two films)
MEMRISTORS = {
    "memristor_bottom": ("memb", "ME", "BE", ("TIO2_B", "TIO2X_B")),
    "memristor_top": ("memt", "TE", "ME", ("TIO2_T", "TIO2X_T")),
}
#: type on the active plane -> how it is drawn
SILICON = {
    "ndiff": "COMP;and-not Poly2;and Nplus;and-not Nwell",
    "pdiff": "COMP;and-not Poly2;and Pplus;and Nwell",
    "ptap": "COMP;and-not Poly2;and Pplus;and-not Nwell",
    "ntap": "COMP;and-not Poly2;and Nplus;and Nwell",
    "nfet": "COMP;and Poly2;and Nplus;and-not Nwell",
    "pfet": "COMP;and Poly2;and Pplus;and Nwell",
}
#: contacts of Metal1: type, what it lands on
_LANDS = {"ndc": "ndiff", "pdc": "pdiff", "ptc": "ptap", "ntc": "ntap", "pc": "poly"}
#: nothing is ever written, but reading crashes Magic 8.3.105 where there is no output style
_CIFOUTPUT = ("style unused", f"scalefactor {LAMBDA_NM / 10:g}", "layer W nwell", "calma 1 0")
#: crossings without a film, where the electrodes touch
_BARE = {
    "bareb": ("BE", "ME", ("TIO2_B", "TIO2X_B")),
    "baret": ("TE", "ME", ("TIO2_T", "TIO2X_T")),
}


def magic_tech(tech: Tech) -> str:
    """Return the text of the technology file."""
    sections: list[tuple[str, Iterator[str]]] = [
        ("tech", iter(("format 28", "crossstack"))),
        ("version", iter(("version 1", f'description "{tech.name}, connectivity only"'))),
        ("planes", _planes()),
        ("types", _types(tech)),
        ("contact", _contacts(tech)),
        ("styles", iter(("styletype mos",))),
        ("compose", iter(())),
        ("connect", _connect(tech)),
        ("cifoutput", iter(_CIFOUTPUT)),
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
    found = {"nwell": "Nwell", "ndiff": "nsd", "pdiff": "psd", "ptap": "ptap", "ntap": "ntap"}
    found |= dict.fromkeys(("poly", "nfet", "pfet"), "Poly2")
    found |= {name.lower(): name for name in (*METALS, *ELECTRODES)}
    found |= {contact: found[land] for contact, land in _LANDS.items()}
    found |= {name.lower(): lower for name, (lower, _) in _vias(tech).items()}
    found |= {kind: upper for kind, upper, _, _ in MEMRISTORS.values()}
    return found | {name: one for name, (one, *_) in _BARE.items()}


def _planes() -> Iterator[str]:
    yield from ("well", "active", *(m.lower() for m in METALS), *(e.lower() for e in ELECTRODES))


def _vias(tech: Tech) -> dict[str, tuple[str, str]]:
    """Return the cuts between metals and electrodes: layer -> (lower, upper)."""
    planes = {*METALS, *ELECTRODES}
    return {c.layer: (c.lower, c.upper) for c in tech.cuts if {c.lower, c.upper} <= planes}


def _types(tech: Tech) -> Iterator[str]:
    yield "well nwell"
    yield from (f"active {name}" for name in (*SILICON, "poly", *_LANDS))
    for name in (*METALS, *ELECTRODES):
        yield f"{name.lower()} {name.lower()}"
    for name, (lower, _) in _vias(tech).items():
        yield f"{lower.lower()} {name.lower()}"
    yield from (f"{upper.lower()} {kind}" for kind, upper, _, _ in MEMRISTORS.values())
    for name, (one, *_) in _BARE.items():
        yield f"{one.lower()} {name}"


def _contacts(tech: Tech) -> Iterator[str]:
    for name, land in _LANDS.items():
        yield f"{name} {land} metal1"
    for name, (lower, upper) in _vias(tech).items():
        yield f"{name.lower()} {lower.lower()} {upper.lower()}"
    for name, (one, other, _) in _BARE.items():
        yield f"{name} {one.lower()} {other.lower()}"
    yield "stackable"


def _connect(tech: Tech) -> Iterator[str]:
    groups = [f"{land},{contact}" for contact, land in _LANDS.items() if land != "poly"]
    groups += ["poly,pc,nfet,pfet", "nwell,ntap,ntc"]
    for plane in (*METALS, *ELECTRODES):
        names = [plane.lower()]
        names += [v.lower() for v, ends in _vias(tech).items() if plane in ends]
        names += list(_LANDS) if plane == "Metal1" else []
        names += [m[0] for m in MEMRISTORS.values() if m[1] == plane]
        names += [b for b, ends in _BARE.items() if plane in ends[:2]]
        groups.append(",".join(names))
    yield from (f"{group} {group}" for group in groups)


def _cifinput(tech: Tech) -> Iterator[str]:
    yield "style gds"
    yield f"scalefactor {LAMBDA_NM} nanometers"
    used = dict.fromkeys(name for name in ("Nwell", "COMP", "Poly2", "Nplus", "Pplus", "Contact"))

    def layer(name: str, drawn: str, label: str = "") -> Iterator[str]:
        first, *rest = drawn.split(";")
        yield f"layer {name} {first}"
        yield from rest
        if label:
            yield f"labels {label}"
        used.update(dict.fromkeys(word.split()[-1] for word in (first, *rest)))
        used.update({label: None} if label else {})

    yield from layer("nwell", "Nwell")
    yield from layer("poly", "Poly2", LABEL_OF["Poly2"])
    for name, drawn in SILICON.items():
        yield from layer(name, drawn)
    for name in (*METALS, *ELECTRODES):
        yield from layer(name.lower(), name, LABEL_OF[name])
    for kind, upper, lower, films in MEMRISTORS.values():
        yield from layer(kind, ";and ".join((upper, lower, *films)))
    for name, (one, other, films) in _BARE.items():
        yield from layer(name, ";".join((one, f"and {other}", *(f"and-not {f}" for f in films))))
    for name, land in _LANDS.items():
        where = "Poly2" if land == "poly" else SILICON[land]
        yield from layer(name, "Contact;and " + where + ";and Metal1")
    for name, ends in _vias(tech).items():
        yield from layer(name.lower(), ";and ".join((name, *ends)))
    for name in used:
        number, datatype = tech.gds(name)
        yield f"calma {name} {number} {datatype}"


def _extract(tech: Tech) -> Iterator[str]:
    yield "style crossstack"
    yield f"lambda {LAMBDA_NM / 10:g}"
    yield from (f"planeorder {plane} {k}" for k, plane in enumerate(_planes()))
    yield "step 100"
    yield "sidehalo 0"
    yield "substrate ptap,ptc well"
    yield "device mosfet nfet nfet ndiff,ndc ptap,ptc,space/w SUBSTRATE 0 0"
    yield "device mosfet pfet pfet pdiff,pdc nwell NONE 0 0"
    for device, (kind, _, lower, _) in MEMRISTORS.items():
        below = [lower.lower(), *(m[0] for m in MEMRISTORS.values() if m[1] == lower)]
        yield f"device capacitor {device} {kind} {','.join(below)} 0 1"
