"""Which memristor is which, and what unlabelled nets are called: from labelled nets only.

A memristor's column is the number in the label of its ME net, C[j]. Its row is the number in
the label of the row line that its outer electrode reaches: TR[i] for the top tier, BR[i] for
the bottom one; directly (passive cells), or through one transistor (hybrid cells). A layout
without any TR has cells whose tiers share the row line BR.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...base import names as grammar
from ...base.names import LINE, TIER_NAMES, fold
from ...lvs import FlatDevice, FlatNetlist
from .labels import TIER_OF, labels_of

#: nets that a remark names
_NAMED = 3
_SUPPLY = {"nfet": "VSS", "pfet": "VDD"}


@dataclass(frozen=True)
class Place:
    """Index of a memristor."""

    tier: int
    row: int
    col: int


def _number(name: str, line: str) -> int | None:
    for label in labels_of(name):
        match = LINE.fullmatch(label)
        if match and match[1] == line:
            return int(match[2])
    return None


def memristor_places(
    flat: FlatNetlist, where: Callable[[int], str] | None = None
) -> tuple[dict[int, Place], list[str]]:
    """Return device number -> place, and warnings about the memristors without one.

    Process monitors, which are of no array, have neither; see `monitors`.

    Args:
        flat: nets and devices.
        where: gives the place of a net by its number, in words.
    """
    found: dict[int, Place] = {}
    used: dict[Place, int] = {}
    warnings: list[str] = []
    nameless: dict[tuple[int, str], list[FlatDevice]] = {}
    line_of = _row_lines(flat)
    alone = monitors(flat)
    for number, device in enumerate(flat.devices):
        tier = TIER_OF.get(device.kind.name)
        if tier is None or number in alone:
            continue
        row, row_net = _row(flat, device, line_of[tier])
        col = (
            _number(flat.nets[device.nets[1]].name, grammar.COLUMN) if device.nets[1] >= 0 else None
        )
        if row is None or col is None:
            if row is None:
                nameless.setdefault((row_net, f"{line_of[tier]}[i]"), []).append(device)
            if col is None:
                nameless.setdefault((device.nets[1], grammar.column("j")), []).append(device)
            continue
        place = Place(tier, row, col)
        if place in used:
            other = flat.devices[used[place]].at
            warnings.append(
                f"{_at(device)} and the one at ({other[0]:.3f}, {other[1]:.3f}) are both "
                f"{TIER_NAMES[tier]} tier, row {row}, column {col}; the first is left out"
            )
            continue
        used[place] = number
        found[number] = place
    for (net, line), devices in nameless.items():
        warnings.append(_left_out(flat, net, line, devices, where))
    return found, warnings


def monitors(flat: FlatNetlist) -> set[int]:
    """Return the memristors on labelled nets of which none is a line or holds anything else.

    Where no memristor is on a line there is no array, and these may well be one.
    """
    named = [labels_of(net.name) for net in flat.nets]
    line = [any(LINE.fullmatch(label) for label in labels) for labels in named]
    all_of = {k for k, d in enumerate(flat.devices) if d.kind.name in TIER_OF}
    if not any(line[n] for k in all_of for n in flat.devices[k].nets[:2] if n >= 0):
        return set()
    found = {
        k for k in all_of
        if all(n >= 0 and named[n] and not line[n] for n in flat.devices[k].nets[:2])
    }  # fmt: skip
    while True:
        mixed = {
            n for k in found for n in flat.devices[k].nets[:2]
            if any(other not in found for other, _ in flat.terminals[n])
        }  # fmt: skip
        if not mixed:
            return found
        found = {k for k in found if mixed.isdisjoint(flat.devices[k].nets[:2])}


def monitor_remarks(flat: FlatNetlist) -> list[str]:
    """Return a remark on the memristors of no array, if there are any."""
    alone = monitors(flat)
    if not alone:
        return []
    labels = sorted({flat.nets[n].name for k in alone for n in flat.devices[k].nets[:2]})
    more = f" and {len(labels) - _NAMED} more" if len(labels) > _NAMED else ""
    return [
        f"{len(alone)} memristors on nets of their own ({', '.join(labels[:_NAMED])}{more}) are "
        "process monitors, no part of the array, and left out"
    ]


def _at(device: FlatDevice) -> str:
    return f"{device.kind.name} at ({device.at[0]:.3f}, {device.at[1]:.3f})"


def _left_out(
    flat: FlatNetlist,
    net: int,
    line: str,
    devices: list[FlatDevice],
    where: Callable[[int], str] | None,
) -> str:
    """Return the warning about a net that should be a line, with its devices summed up."""
    first = _at(devices[0])
    which = f"{len(devices)} memristors ({first} the first)" if len(devices) > 1 else first
    if net < 0:
        return f"{which} on no net, {line} expected; left out"
    name = flat.nets[net].name
    spot = f" {where(net)}" if where else ""
    return f"{f'net {name}' if name else 'a net'}{spot} has no label {line}; left out: {which}"


def _row_lines(flat: FlatNetlist) -> dict[int, str]:
    """Return tier -> name of its row lines."""
    labels = (label for net in flat.nets for label in labels_of(net.name))
    drawn = {match[1] for label in labels if (match := LINE.fullmatch(label))}
    bottom, top = grammar.ROWS
    return {0: bottom, 1: top if top in drawn else bottom}


def _row(flat: FlatNetlist, device: FlatDevice, line: str) -> tuple[int | None, int]:
    """Return a memristor's row; where there is none also the net that should be its line."""
    net = device.nets[0]
    if net < 0:
        return None, net
    direct = _number(flat.nets[net].name, line)
    if direct is not None:
        return direct, net
    outer = net
    for number, _ in flat.terminals[net]:
        other = flat.devices[number]
        if other.kind.is_memristor:
            continue
        for position in (0, 2):
            far = other.nets[position]
            if far >= 0 and far != net:
                through = _number(flat.nets[far].name, line)
                if through is not None:
                    return through, far
                outer = far
    return None, outer


def _complements(flat: FlatNetlist) -> dict[int, int]:
    """Return output net -> input net of every inverter: an NMOS and a PMOS that share both."""
    pulls: dict[tuple[int, int], set[str]] = {}
    for device in flat.devices:
        supply = _SUPPLY.get(device.kind.name)
        if supply is None:
            continue
        drain, gate, source = device.nets[:3]
        for out, far in ((drain, source), (source, drain)):
            if far >= 0 and supply in labels_of(flat.nets[far].name):
                pulls.setdefault((out, gate), set()).add(supply)
    both = set(_SUPPLY.values())
    return {out: gate for (out, gate), seen in pulls.items() if seen == both}


def net_names(flat: FlatNetlist, places: dict[int, Place]) -> list[str]:
    """Return one unique name per net.

    Its label; or TE[i][j] or BE[i][j] of its device; or X_N for the output of an inverter
    driven by X, which is how the mode table calls a complement control; or net$n.
    """
    names = [labels_of(net.name)[0] if net.name else "" for net in flat.nets]
    for net, control in _complements(flat).items():
        if not names[net] and names[control]:
            names[net] = grammar.complement(names[control])
    for number, place in places.items():
        net = flat.devices[number].nets[0]
        if not names[net]:
            names[net] = f"{grammar.ELECTRODES[place.tier]}[{place.row}][{place.col}]"
    seen: set[str] = set()
    for index, name in enumerate(names):
        if not name or fold(name) in seen:
            names[index] = f"{name or 'net'}${index}"
        seen.add(fold(names[index]))
    return names
