"""Cells without devices, as monitors of resistance are: compared by the names of their nets.

A netlist without devices has nothing to tell two wires apart by, so that the pads of one monitor
could carry the labels of another. Their cells say which is which, where both sides call them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import klayout.db as db

from ..base.names import fold
from .extraction import ExtractedLayout, Finding

if TYPE_CHECKING:
    from .spice import Reference

#: cell -> what each of its placements is joined to, by name, sorted
_Calls = dict[str, list[tuple[str, ...]]]


def check_bare_cells(extracted: ExtractedLayout, reference: Reference) -> Iterator[Finding]:
    """Yield the cells without devices that are on other pins than in the reference."""
    labels: dict[int, set[str]] = defaultdict(set)
    for label in extracted.labels:
        if label.net is not None:
            labels[label.net.cluster_id].add(fold(label.name))
    drawn = _calls(extracted.top, lambda net: labels.get(net.cluster_id, set()))
    pins = set(map(fold, reference.pins))
    meant = _calls(reference.top, lambda net: {fold(net.name)} & pins)
    for name in sorted(drawn.keys() & meant.keys()):
        a, b = sorted(drawn[name]), sorted(meant[name])
        if len(a) == len(b) and a != b:
            found, asked = ("; ".join(",".join(nets) or "no pin" for nets in x) for x in (a, b))
            yield Finding("pin", f"{name} is on {found}, in the reference on {asked}")


def _calls(top: db.Circuit, names: Callable[[db.Net], set[str]]) -> _Calls:
    """Return what the calls of circuits without devices are joined to."""
    found: _Calls = defaultdict(list)
    bare: dict[str, bool] = {}
    for call in top.each_subcircuit():
        circuit = call.circuit_ref()
        if _is_bare(circuit, bare):
            nets = (call.net_for_pin(pin.id()) for pin in circuit.each_pin())
            joined = {name for net in nets if net is not None for name in names(net)}
            found[fold(circuit.name)].append(tuple(sorted(joined)))
    return found


def _is_bare(circuit: db.Circuit, known: dict[str, bool]) -> bool:
    """Return whether neither a circuit nor what it calls holds a device."""
    key = circuit.name
    if key not in known:
        devices = any(True for _ in circuit.each_device())
        known[key] = not devices and all(
            _is_bare(call.circuit_ref(), known) for call in circuit.each_subcircuit()
        )
    return known[key]
