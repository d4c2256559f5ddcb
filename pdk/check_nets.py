"""Whether derived layers, devices and the nets of a process and its module agree; see `check`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from ..base.errors import CrossStackError
from ..base.names import GROUND, SUPPLY
from .model import Cut, Module, Process
from .module import TIERS
from .nets import Device, Names, Nets
from .programs import nets
from .regions import EDGES, POLYGONS, kind_of, names_in

#: terminals of a transistor in netlist order, and of a memristor
MOS, MEMRISTOR = ("D", "G", "S", "B"), ("ROW", "ME")
#: kinds of rules -> which of their layers are edges
_EDGES = {
    "butt_extension": (1,),
    "butt_gate": (0,),
    "edge_length": (0,),
    "straddle": (1,),
}


def problems_of_nets(base: Process, module: Module, cuts: tuple[Cut, ...]) -> Iterator[str]:
    """Yield what is missing or contradictory in what conducts, joins and is a device."""
    found = nets(base.folder, module.folder)
    drawn = {layer.name for layer in (*base.layers, *module.layers)}
    films = {film.name for film in (*base.films, *base.diffusions, *module.films)}
    known = drawn | {name for name, _ in found.derived}
    wires = films | set(found.silicon)
    yield from (
        f"silicon {name!r} is no layer (devices.toml)"
        for name in found.silicon
        if name not in known
    )
    yield from (
        f"salicided {name!r} is none of silicon (devices.toml)"
        for name in found.salicided
        if name not in found.silicon
    )
    conducts = [f for f in (*base.films, *base.diffusions, *module.films) if f.sheet_ohm_sq]
    yield from (
        f"film {film.name} conducts, but is no layer (films.csv; layers.csv, derived.toml)"
        for film in conducts
        if film.name not in known
    )
    yield from (
        f"film {film.name} has no thickness and is none of silicon (films.csv; devices.toml)"
        for film in base.diffusions
        if film.name not in found.silicon
    )
    yield from _links(base, found, known, wires)
    for device in found.devices:
        yield from _device(device, known, wires)
    of_tiers = [f"memristor_{tier}" for tier in TIERS]
    for device in found.memristors:
        if device.name not in of_tiers:
            yield f"device {device.name!r} is none of {', '.join(of_tiers)} (module.toml)"
    for name, count in _counted(device.name for device in found.devices):
        if count > 1:
            yield f"device {name} is there twice (devices.toml, module.toml)"
    owner = {device.name: device.name for device in found.devices}
    for device in found.devices:
        for name in device.models:
            if owner.setdefault(name, device.name) != device.name:
                yield f"model {name!r} is {owner[name]} and {device.name} (devices.toml)"
    yield from _antenna(base, found, drawn)
    yield from _cut_layers(cuts, found)


def _counted(names: Iterator[str]) -> Iterator[tuple[str, int]]:
    listed = list(names)
    yield from ((name, listed.count(name)) for name in dict.fromkeys(listed))


def _links(base: Process, found: Nets, known: set[str], wires: set[str]) -> Iterator[str]:
    """A link joins what is there, and every conductor in the silicon is reached by something."""
    cuts = {cut.name for cut in base.cuts}
    for cut, end in found.links:
        if cut not in known | cuts or end not in wires:
            yield f"link of {cut!r} and {end!r}: one is no layer (devices.toml, module.toml)"
    reached = {end for _, end in found.links} | {cut.lower for cut in base.cuts}
    reached |= {device.conductor("B") for device in found.devices if "B" in dict(device.terminals)}
    for name in found.silicon:
        if name not in reached:
            yield (
                f"silicon {name!r}: no cut (cuts.csv) and no link (devices.toml, links) ends on "
                "it, so that nothing would be connected to it"
            )


def _device(device: Device, known: set[str], wires: set[str]) -> Iterator[str]:
    where = "module.toml" if device.is_memristor else "devices.toml"
    asked, given = MEMRISTOR if device.is_memristor else MOS, [t for t, _ in device.terminals]
    if tuple(given) != asked:
        yield (
            f"device {device.name}: terminals {' '.join(given) or 'none'}, "
            f"allowed: {' '.join(asked)}, in this order ({where})"
        )
    if device.body not in known:
        yield f"device {device.name}: body {device.body!r} is no layer (derived.toml)"
    named = (*device.films, device.crossing, device.bare) if device.is_memristor else ()
    yield from (
        f"device {device.name}: {name!r} is no layer (derived.toml)"
        for name in named
        if name and name not in known
    )
    if not device.is_memristor and device.supply not in (SUPPLY, GROUND):
        allowed = f"allowed: {SUPPLY} or {GROUND}"
        yield f"device {device.name}: supply = {device.supply!r:.40}, {allowed} ({where})"
    for terminal, wire in device.terminals:
        if wire and wire not in wires:
            yield f"device {device.name}: {terminal} = {wire!r} is no conductor ({where})"
        if not wire and terminal != "B":
            yield f"device {device.name}: {terminal} is empty; only B may be ({where})"
    ends = dict(device.terminals)
    if not device.is_memristor and ends.get("G", "") in (ends.get("D"), ends.get("S")):
        yield f"device {device.name}: its gate is its source or drain ({where})"
    if device.is_memristor and len(set(ends.values())) != len(ends):
        yield f"device {device.name}: both terminals are {next(iter(ends.values()))} ({where})"


def _antenna(base: Process, found: Nets, drawn: set[str]) -> Iterator[str]:
    levels = [name for level in found.antenna for name in level if name]
    yield from (
        f"antenna: {name!r} is no layer (devices.toml)" for name in levels if name not in drawn
    )
    missing = [metal for metal in base.roles.wires if metal not in levels]
    yield from (f"{metal} is not in the antenna order (devices.toml)" for metal in missing)
    for name, count in _counted(iter(levels)):
        if count > 1:
            yield f"antenna: {name} is there twice (devices.toml)"


def _cut_layers(cuts: tuple[Cut, ...], found: Nets) -> Iterator[str]:
    """Where one layer holds several cuts, each is a part of it of its own."""
    texts = dict(found.derived)
    seen: dict[str, str] = {}
    for cut in cuts:
        if cut.name == cut.layer:
            continue
        text = texts.get(cut.name)
        if text is None:
            yield f"cut {cut.name} is no part of {cut.layer} that is derived (derived.toml, nets)"
            continue
        read = names_in(text)
        if cut.layer not in read or len(read) < 2:
            yield (
                f"derived layer {cut.name} = {text!r} is no part of {cut.layer} of its own; "
                f"allowed: {cut.layer} where it lies on {cut.lower} (derived.toml, nets)"
            )
        if seen.setdefault(text, cut.name) != cut.name:
            yield f"derived layers {seen[text]} and {cut.name} are the same (derived.toml, nets)"


def problems_of_kinds(base: Process, module: Module, rules: Names) -> Iterator[str]:
    """Yield derived layers that are edges where polygons are asked for, or the reverse.

    Of `rules`, each is a name, and its kind and layers, by spaces.
    """
    drawn = {layer.name: POLYGONS for layer in (*base.layers, *module.layers)}
    found = nets(base.folder, module.folder)
    ruled = _kinds(found.ruled, drawn, edges=True)
    yield from ruled.wrong
    yield from _kinds(found.derived, drawn, edges=False).wrong
    for name, text in rules:
        kind, *layers = text.split()
        for k, layer in enumerate(layers):
            meant = EDGES if k in _EDGES.get(kind, ()) else POLYGONS
            is_ = ruled.known.get(layer, POLYGONS)
            either = kind == "straddle"  # shapes that touch shapes are meant, too
            if is_ != meant and not either:
                yield f"rule {name}: {layer!r} is {is_}, {kind} asks for {meant} (rules.csv)"


class _Kinds:
    def __init__(self, known: Mapping[str, str], wrong: tuple[str, ...]) -> None:
        self.known, self.wrong = known, wrong


def _kinds(texts: Names, drawn: Mapping[str, str], *, edges: bool) -> _Kinds:
    known, wrong = dict(drawn), []
    for name, text in texts:
        try:
            known[name] = kind_of(text, known)
        except CrossStackError as error:
            wrong.append(f"derived layer {name}: {error} (derived.toml)")
            known[name] = POLYGONS
        if known[name] == EDGES and not edges:
            wrong.append(
                f"derived layer {name} = {text!r} is edges; what conducts and what is a device "
                "is polygons (derived.toml, nets)"
            )
    return _Kinds(known, tuple(chain(wrong)))
