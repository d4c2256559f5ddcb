"""Faults that a layout shows by itself, without any netlist to compare with."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import klayout.db as db

from ..base.units import place
from .extraction import ExtractedLayout, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..pdk import Tech
    from .flat import FlatDevice, FlatNet

#: Findings of one kind that are spelled out.
MOST = 20

#: bulk terminal's device -> device whose sources have the contacts of its tap, tap, well, in words
_BULKS = {
    "nfet": ("pfet", "p-tap", "the substrate"),
    "pfet": ("nfet", "n-tap", "its n-well"),
}

#: tier -> row-side electrode and the two films
_TIERS = {"B": ("BE", "TIO2_B", "TIO2X_B"), "T": ("TE", "TIO2_T", "TIO2X_T")}


def check_layout(extracted: ExtractedLayout) -> list[Finding]:
    """Return floating gates, open electrodes, bulks without tap and half-made devices."""
    return [
        *_films(extracted),
        *_openings(extracted),
        *_gates_of_no_kind(extracted),
        *_open_terminals(extracted),
        *_bulks(extracted),
    ]


def _films(extracted: ExtractedLayout) -> Iterator[Finding]:
    """Yield crossings that have one of the two films only: neither a device nor a contact."""
    for tier, (electrode, *films) in _TIERS.items():
        crossing = extracted.regions[f"crossing_{tier}"]
        for film, other in (films, films[::-1]):
            half = (crossing & extracted.regions[film]) - extracted.regions[other]
            for at in _places(half, extracted.dbu):
                text = f"{electrode} over ME at {place(at)} has {film} but no {other}"
                yield Finding("film", f"{text}, so that it is no device", (at,))


def _openings(extracted: ExtractedLayout) -> Iterator[Finding]:
    """Yield electrodes in a pad's opening: they lie on its bare metal, and no net says so."""
    regions, roles = extracted.regions, extracted.tech.roles
    electrodes = regions["BE"] | regions["ME"] | regions["TE"]
    bare = regions[roles.layer("pad")] & regions[roles.land]
    for at in _places(electrodes & bare, extracted.dbu):
        text = f"an electrode lies in a pad's opening at {place(at)}, on bare metal"
        yield Finding("opening", text, (at,))


def crossing_faults(extracted: ExtractedLayout) -> list[Finding]:
    """Return crossings that are no device, or not all of one, and electrodes on bare metal.

    A comparison with a netlist finds bare crossings by itself, and they may be meant; without
    one they have to be named.
    """
    found = [*_films(extracted), *_openings(extracted)]
    for tier, (electrode, *_) in _TIERS.items():
        for at in _places(extracted.regions[f"bare_{tier}"], extracted.dbu):
            text = f"{electrode} over ME at {place(at)} has no film between: metal on metal"
            found.append(Finding("film", text, (at,)))
    return found


def _gates_of_no_kind(extracted: ExtractedLayout) -> Iterator[Finding]:
    """Yield gates whose implant and well fit neither an NMOS nor a PMOS."""
    regions = extracted.regions
    for at in _places(regions["gate"] - regions["ngate"] - regions["pgate"], extracted.dbu):
        name = extracted.tech.roles.layer
        where = f"{name('poly')} over {name('diffusion')} at {place(at)}"
        mark = (
            f" under {name('device_mark')}" if "device_mark" in extracted.tech.roles.names else ""
        )
        n, p = (f"{name('nplus')} outside {name('nwell')}", f"{name('pplus')} in {name('nwell')}")
        yield Finding("device", f"{where} is neither NMOS ({n}) nor PMOS ({p}){mark}", (at,))


def _places(region: db.Region, dbu: float) -> list[tuple[float, float]]:
    """Return the centres of the first polygons of a region, from the south-west on."""
    boxes = sorted((p.bbox() for p in region.merged().each()), key=lambda b: (b.bottom, b.left))
    centers = [box.to_dtype(dbu).center() for box in boxes[:MOST]]
    return [(center.x, center.y) for center in centers]


def _open_terminals(extracted: ExtractedLayout) -> Iterator[Finding]:
    """Yield gates that nothing drives, and terminals that lead nowhere."""
    flat = extracted.flat
    count = 0
    for net in flat.nets:
        on = [(flat.devices[d], position) for d, position in flat.terminals[net.number]]
        names = {device.kind.terminals[position] for device, position in on}
        if net.name or not on or "B" in names or count == MOST:
            continue
        if names == {"G"}:
            count += 1
            yield _floating_gate(on[0][0], len(on))
        elif len(on) == 1:
            count += 1
            device, terminal = on[0][0], device_terminal(extracted, *on[0])
            text = f"{terminal} of {device.kind.name} at {place(device.at)} is connected to nothing"
            yield Finding("unconnected", text, (device.at,))


def device_terminal(extracted: ExtractedLayout, device: FlatDevice, position: int) -> str:
    """Return a terminal's name, with the electrode that it is on where that says more."""
    name = device.kind.terminals[position]
    return f"{name} ({extracted.touches(device, name)})" if device.kind.is_memristor else name


def _floating_gate(device: FlatDevice, count: int) -> Finding:
    text = f"gate of {device.kind.name} at {place(device.at)}"
    more = f" and of {count - 1} more" if count > 1 else ""
    return Finding("floating gate", f"{text}{more} is driven by nothing", (device.at,))


def _bulks(extracted: ExtractedLayout) -> Iterator[Finding]:
    """Yield substrate and wells without tap, and supplies joined through silicon alone."""
    flat = extracted.flat
    bulks: dict[int, list[FlatDevice]] = defaultdict(list)
    for device in flat.devices:
        if device.kind.name in _BULKS and device.nets[3] >= 0:
            bulks[device.nets[3]].append(device)
    for number, devices in sorted(bulks.items()):
        other, tap, words = _BULKS[devices[0].kind.name]
        shapes = extracted.net_shapes(flat.nets[number])
        if not _contacts_of(extracted.tech, other) & set(shapes):
            at = devices[0].at
            more = f" and {len(devices) - 1} more" if len(devices) > 1 else ""
            text = (
                f"{devices[0].kind.name} at {place(at)}{more}: {words} has no {tap} with a contact"
            )
            yield Finding("tap", text, (at,))
        else:
            yield from _pieces(extracted, flat.nets[number], shapes)


def _contacts_of(tech: Tech, kind: str) -> set[str]:
    """Return the contacts of a device's source; a tap of that type has the same."""
    (source,) = (wire for terminal, wire in tech.nets.device(kind).terminals if terminal == "S")
    return {cut.name for cut in tech.cuts if cut.lower == source}


def _pieces(
    extracted: ExtractedLayout, net: FlatNet, shapes: dict[str, db.Region]
) -> Iterator[Finding]:
    """Yield a net whose wires fall apart without the silicon, which conducts badly."""
    wires = {n: r for n, r in shapes.items() if n not in extracted.wiring.silicon}
    layout = db.Layout()
    layout.dbu = extracted.dbu
    cell = layout.create_cell("net")
    l2n = db.LayoutToNetlist(db.RecursiveShapeIterator(layout, cell, []))
    layers = {}
    for name, region in wires.items():
        index = layout.insert_layer(db.LayerInfo(name))
        cell.shapes(index).insert(region.merged())
        layers[name] = l2n.make_polygon_layer(index, name)
        l2n.connect(layers[name])
    for a, b in extracted.wiring.links:
        if a in layers and b in layers:
            l2n.connect(layers[a], layers[b])
    l2n.extract_netlist()
    circuit = l2n.netlist().circuit_by_name("net")
    pieces = [] if circuit is None else list(circuit.each_net())
    if len(pieces) > 1:
        points = []
        for piece in pieces:
            boxes = (l2n.shapes_of_net(piece, region, True).bbox() for region in layers.values())
            box = min((b for b in boxes if not b.empty()), key=lambda b: (b.bottom, b.left))
            center = box.to_dtype(extracted.dbu).center()
            points.append((center.x, center.y))
        listed = ", ".join(place(at) for at in points[:4]) + (", ..." if len(points) > 4 else "")
        text = f"{len(pieces)} wires of {net.name or 'one net'} are joined through silicon only"
        yield Finding("tap", f"{text}: {listed}", tuple(points[:MOST]))
