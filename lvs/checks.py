"""Faults that a layout shows by itself, without any netlist to compare with."""

from __future__ import annotations

from collections import defaultdict
from functools import reduce
from itertools import permutations
from operator import add
from typing import TYPE_CHECKING

from ..base.units import place
from .extraction import ExtractedLayout, Finding
from .marks import MOST, centers
from .missed import missed_devices
from .silicon import silicon_joins
from .touches import touches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..pdk import Tech
    from ..pdk.nets import Device
    from .flat import FlatDevice

#: bulk terminal's device -> device whose sources have the contacts of its tap, tap, well, in words
_BULKS = {
    "nfet": ("pfet", "p-tap", "the substrate"),
    "pfet": ("nfet", "n-tap", "its n-well"),
}


def check_layout(extracted: ExtractedLayout) -> list[Finding]:
    """Return what is wrong with any layout: lost devices, open terminals, wires hardly joined."""
    return [
        *_films(extracted),
        *_openings(extracted),
        *_gates_of_no_kind(extracted),
        *missed_devices(extracted),
        *touches(extracted),
        *_open_terminals(extracted),
        *_bulks(extracted),
        *(finding for _, finding in silicon_joins(extracted)),
    ]


def _films(extracted: ExtractedLayout) -> Iterator[Finding]:
    """Yield crossings that have one of the films only: neither a device nor a contact."""
    for device in extracted.tech.nets.memristors:
        crossing = extracted.regions[device.crossing]
        for film, other in permutations(device.films, 2):
            half = (crossing & extracted.regions[film]) - extracted.regions[other]
            for at in centers(half, extracted.dbu):
                text = f"{_over(device)} at {place(at)} has {film} but no {other}"
                yield Finding("film", f"{text}, so that it is no device", (at,))


def _over(device: Device) -> str:
    """Return what crosses what in a memristor, in words."""
    return f"{device.conductor('ROW')} over {device.conductor('ME')}"


def _openings(extracted: ExtractedLayout) -> Iterator[Finding]:
    """Yield electrodes in a pad's opening: they lie on its bare metal, and no net says so."""
    regions, roles = extracted.regions, extracted.tech.roles
    if extracted.tech.module.stands_within:
        return  # its electrodes are wires of the foundry like others
    bare = regions[roles.layer("pad")] & regions[roles.land]
    # openings are few: joining all electrodes first takes a quarter of a large array's comparison
    over = reduce(add, (regions[name] & bare for name in extracted.tech.module.electrodes))
    for at in centers(over, extracted.dbu):
        text = f"an electrode lies in a pad's opening at {place(at)}, on bare metal"
        yield Finding("opening", text, (at,))


def device_faults(extracted: ExtractedLayout) -> list[Finding]:
    """Return gates and crossings that are no device, or not all of one; electrodes on bare metal.

    A comparison with a netlist finds bare crossings by itself, and they may be meant; without
    one they have to be named.
    """
    found = [*_films(extracted), *_openings(extracted), *_gates_of_no_kind(extracted)]
    found += [*missed_devices(extracted), *touches(extracted)]
    for device in (d for d in extracted.tech.nets.memristors if d.bare):
        for at in centers(extracted.regions[device.bare], extracted.dbu):
            text = f"{_over(device)} at {place(at)} has no film between: metal on metal"
            found.append(Finding("film", text, (at,)))
    return found


def _gates_of_no_kind(extracted: ExtractedLayout) -> Iterator[Finding]:
    """Yield gates whose implant and well fit neither an NMOS nor a PMOS."""
    regions = extracted.regions
    for at in centers(regions["gate"] - regions["ngate"] - regions["pgate"], extracted.dbu):
        name = extracted.tech.roles.layer
        where = f"{name('poly')} over {name('diffusion')} at {place(at)}"
        mark = (
            f" under {name('device_mark')}" if "device_mark" in extracted.tech.roles.names else ""
        )
        n, p = (f"{name('nplus')} outside {name('nwell')}", f"{name('pplus')} in {name('nwell')}")
        yield Finding("device", f"{where} is neither NMOS ({n}) nor PMOS ({p}){mark}", (at,))


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
    """Yield substrate and wells without tap."""
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


def _contacts_of(tech: Tech, kind: str) -> set[str]:
    """Return the contacts of a device's source; a tap of that type has the same."""
    (source,) = (wire for terminal, wire in tech.nets.device(kind).terminals if terminal == "S")
    return {cut.name for cut in tech.cuts if cut.lower == source}
