"""Logic on board of a macro: transistors that carry no current of the array, only levels.

A network holds what current flows through. Of a scan chain or a decoder only its lines matter to
the array, and a mode says their levels; its transistors are left out, as its wires are.
"""

from __future__ import annotations

from ...base.groups import Groups
from ...base.names import CONTROL, DECODER_PINS, LINE, SCAN_NEEDED, complement, fold
from ...lvs.flat import FlatNetlist
from .labels import labels_of


def logic_devices(flat: FlatNetlist, names: list[str], supplies: frozenset[str]) -> set[int]:
    """Return the devices of logic on board, and of supply clamps.

    Logic is only looked for where its pins are among the labels. Channels that share a net belong
    together, supplies aside. Such a group is logic if it touches no memristor and no row or column
    line, and something else than a control turns it on.

    Args:
        flat: the devices and nets.
        names: one name per net.
        supplies: names of the supply nets.
    """
    labels = {fold(label) for net in flat.nets for label in labels_of(net.name)}
    has_logic = any(labels.issuperset(pins) for pins in (SCAN_NEEDED, DECODER_PINS))
    groups = Groups()
    root = groups.of
    ends: dict[int, list[int]] = {}
    analog = [bool(LINE.fullmatch(name)) for name in names]
    for number, device in enumerate(flat.devices):
        positions = (0, 1) if device.kind.is_memristor else (0, 2)
        nets = [device.nets[k] for k in positions]
        nets = [n for n in nets if n >= 0 and names[n] not in supplies]
        if device.kind.is_memristor:
            for net in nets:
                analog[net] = True
            continue
        ends[number] = nets
        for net in nets[1:]:
            groups.join(net, nets[0])
    kept = {root(net) for net, is_analog in enumerate(analog) if is_analog}
    clamps = _clamps(flat, [root(net) for net in range(len(names))], ends, analog)
    if not has_logic:
        return clamps
    controls = {n for name in names if CONTROL.fullmatch(name) for n in (name, complement(name))}
    driven: dict[int, bool] = {}
    for number, nets in ends.items():
        gate = flat.devices[number].nets[1]
        own = gate >= 0 and names[gate] in controls
        for net in nets:
            driven[root(net)] = driven.get(root(net), True) and own
    return clamps | {
        number
        for number, nets in ends.items()
        if nets and all(root(n) not in kept and not driven[root(n)] for n in nets)
    }


def _clamps(
    flat: FlatNetlist, root: list[int], ends: dict[int, list[int]], analog: list[bool]
) -> set[int]:
    """Return the transistors between supplies that only supplies turn on or off.

    They carry no current of the array: their gates are on supplies, or on nets without a label
    that nothing but such transistors is on.

    Args:
        flat: the devices and nets.
        root: group of each net.
        ends: transistor -> nets of its channel that are no supply.
        analog: whether a net is a line, or on a memristor.
    """
    inner = {net for nets in ends.values() for net in nets}
    seen = {root[n] for n in inner if analog[n] or list(labels_of(flat.nets[n].name))}
    closed = {root[n] for n in inner} - seen
    between = [number for number, nets in ends.items() if not nets]
    supplied = {n for number in between for n in (flat.devices[number].nets[k] for k in (0, 2))}
    if not between:
        return set()
    for number, nets in ends.items():
        gate = flat.devices[number].nets[1]
        if nets and gate not in supplied and root[gate] != root[nets[0]]:
            closed -= {root[n] for n in nets}
    own = {n for n in inner if root[n] in closed}
    gated = [number for number in between if flat.devices[number].nets[1] in own | supplied]
    return {
        *gated,
        *(number for number, nets in ends.items() if nets and root[nets[0]] in closed),
    }
