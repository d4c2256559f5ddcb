"""Nets known by name: pins of the reference against labels of the layout."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from ..base.names import CONTROL, LINE, fold, shown
from ..base.units import place
from .connectivity import SUBSTRATE
from .devices import KINDS
from .extraction import ExtractedLayout, Finding, Label
from .graph import Graph, Ints, equal_colors, merge_nets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .flat import FlatNet
    from .spice import Reference


NFET = next(number for number, kind in enumerate(KINDS) if kind.name == "nfet")


def label_names(net: FlatNet) -> list[str]:
    """Return the labels of a net as they are compared, without regard to case."""
    return fold(net.name).split(",") if net.name else []


def anchor_by_name(a: Graph, b: Graph, pins: Iterable[str]) -> None:
    """Anchor nets of equal name.

    Nets that a label shows to be shorted or cut count as one from here on: that is reported
    already (`ExtractedLayout.findings`) and should not hide anything else. Where a label stands
    twice and another is missing, it may only be misspelt: its nets are then left to what is
    connected to them.

    Args:
        a: graph of the layout.
        b: graph of the reference.
        pins: pins of the reference.
    """
    group_of: dict[str, set[str]] = {}
    for net in a.flat.nets:
        names = label_names(net)
        joined = set(names).union(*(group_of.get(name, set()) for name in names))
        group_of.update(dict.fromkeys(joined, joined))
    groups = sorted({min(group): group for group in group_of.values()}.items())
    layout_nets: dict[str, list[int]] = defaultdict(list)
    for net in a.flat.nets:
        if net.name:
            layout_nets[min(group_of[label_names(net)[0]])].append(net.number)
    known = {net.name: net.number for net in b.flat.nets if net.name}
    pairs = [
        (layout_nets[first], sorted(known[name] for name in group if name in known))
        for first, group in groups
        if len(layout_nets[first]) == 1 or group_of.keys() >= set(pins)
    ]
    merge_nets(a, [nets for nets, _ in pairs])
    merge_nets(b, [nets for _, nets in pairs if nets])
    for number, (nets_a, nets_b) in enumerate(pairs):
        if nets_b:
            a.anchors[nets_a[0]] = b.anchors[nets_b[0]] = number


def check_pins(extracted: ExtractedLayout, reference: Reference, b: Graph) -> list[Finding]:
    """Return the pins that only one side has: every label of the layout's top names a pin.

    A row or column line that the reference drives from inside, through transistors (behind the
    switches of a macro), may carry a label for the extraction without being a pin; so may a
    control that logic on board drives.
    """
    attached = {fold(label.name) for label in extracted.labels if label.net is not None}
    known = {net.name: net.number for net in b.flat.nets if net.name}
    found = [
        Finding("pin", f"{pin} of {reference.top.name} has no label in the layout")
        for pin in reference.pins
        if pin not in attached
    ]
    strangers: dict[str, Label] = {}
    for label in extracted.labels:
        if fold(label.name) not in reference.pins:
            strangers.setdefault(fold(label.name), label)
    driven = _driven_inside(reference, b) if strangers else set()
    by_logic = _driven_by_logic(b) if strangers else set()
    for name, label in strangers.items():
        if name in known and LINE.fullmatch(name) and known[name] in driven:
            continue
        if name in known and CONTROL.fullmatch(name) and known[name] in by_logic:
            continue
        if name in known:
            text = f"the layout's pin {shown(label.name)} at {place(label.at)} is no pin of"
        else:
            text = f"label {shown(label.name)} at {place(label.at)} is no net of"
        found.append(Finding("pin", f"{text} {reference.top.name}", (label.at,)))
    return found


def _driven_by_logic(b: Graph) -> set[int]:
    """Return the reference's nets that channels of both kinds end on: outputs of gates."""
    ends: dict[str, set[int]] = defaultdict(set)
    for device in b.flat.devices:
        if not device.kind.is_memristor:
            ends[device.kind.name] |= {device.nets[0], device.nets[2]}
    return set.intersection(*ends.values()) if len(ends) > 1 else set()


def _driven_inside(reference: Reference, b: Graph) -> set[int]:
    """Return the reference's nets that transistors join to a signal pin, through channels only."""
    pins = set(reference.pins)
    ends: dict[int, set[int]] = defaultdict(set)
    bulks = set()
    for device in b.flat.devices:
        if not device.kind.is_memristor:
            drain, _, source, bulk = device.nets
            ends[drain].add(source)
            ends[source].add(drain)
            bulks.add(bulk)
    found: set[int] = set()
    # a supply drives nothing; a channel to it ends there
    left = [n.number for n in b.flat.nets if n.name in pins and n.number not in bulks]
    while left:
        net = left.pop()
        if net not in found:
            found.add(net)
            left += [far for far in ends[net] if far not in bulks]
    return found


def join_substrate(a: Graph, b: Graph) -> None:
    """Treat an untapped substrate as the net that the reference's NMOS bulks are on.

    The missing tap is reported already (`check_layout`) and should not hide anything else.
    """
    bulk, mos = 3, a.kinds == NFET
    drawn = np.unique(a.nets[mos, bulk])
    wanted = np.unique(b.nets[b.kinds == NFET, bulk])
    if len(drawn) != 1 or len(wanted) != 1 or a.flat.nets[drawn[0]].net.name != SUBSTRATE:
        return
    same = np.flatnonzero(a.anchors == b.anchors[wanted[0]])
    if b.anchors[wanted[0]] >= 0 and len(same) and same[0] != drawn[0]:
        merge_nets(a, [[int(same[0]), int(drawn[0])]])


def exchanged_names(extracted: ExtractedLayout, a: Graph, b: Graph) -> list[Finding]:
    """Return labels that stand on each other's nets, if that alone explains the difference.

    One family of names at a time (all TS, or all of index 3) is forgotten; if the nets are
    then equal by what is connected to them, their labels are compared with that.
    """
    names = {net.number: net.name for net in b.flat.nets if net.name and b.anchors[net.number] >= 0}
    with _forgotten(a, b, b.anchors[list(names)]):
        same, _, _ = equal_colors(a, b)
    if not same:  # whatever they are called
        return []
    for family in _families(names.values()):
        chosen = b.anchors[[number for number, name in names.items() if name in family]]
        with _forgotten(a, b, chosen):
            same, proven, hops = equal_colors(a, b)
            ca, cb = a.net_colors(hops), b.net_colors(hops)
        if same and proven:
            reference_net = {int(cb[net]): int(net) for net in b.used_nets}
            label_at = {label.name: label.at for label in extracted.labels}
            found = []
            for net in a.used_nets.tolist():
                other = reference_net[int(ca[net])]
                if a.anchors[net] != b.anchors[other]:
                    found.append(_misplaced(a.flat.nets[net], b.flat.nets[other], label_at))
            return found
    return []


@contextmanager
def _forgotten(a: Graph, b: Graph, anchors: Ints) -> Iterator[None]:
    """Lend two netlists in which some nets are not known to be each other's."""
    saved = a.anchors.copy(), b.anchors.copy()
    for graph in (a, b):
        graph.anchors[np.isin(graph.anchors, anchors)] = -1
    try:
        yield
    finally:
        a.anchors[:], b.anchors[:] = saved


def _families(names: Iterable[str]) -> list[set[str]]:
    """Return sets of at least two names that agree before or after the bracket."""
    families: dict[str, set[str]] = defaultdict(set)
    for name in names:
        before, _, after = name.partition("[")
        families[before].add(name)
        families[f"[{after}"].add(name)
    return [family for _, family in sorted(families.items()) if len(family) > 1]


def _misplaced(net: FlatNet, other: FlatNet, label_at: dict[str, tuple[float, float]]) -> Finding:
    wanted = other.name or other.path + other.net.expanded_name()
    if not net.name:
        return Finding("swap", f"the wire connected as the reference's {wanted} has no label")
    at = label_at[net.name.split(",")[0]]
    text = f"{net.name} at {place(at)} is connected as the reference's {wanted}"
    return Finding("swap", text, (at,))
