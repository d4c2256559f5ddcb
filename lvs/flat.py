"""Flat view of a hierarchical netlist: every net and device once, with its place.

Each circuit is read once into a template; instances only add index tables, so that an
array of 256 x 256 cells is resolved in a few seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import klayout.db as db

from .devices import KIND_BY_NAME, DeviceKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Place of a device in a netlist that has no layout.
_NOWHERE = (float("nan"), float("nan"))

#: Kind, name, parameters, local nets, centre, shape cell, transformation.
_Row = tuple[DeviceKind, str, tuple[float, ...], tuple[int, ...], db.DPoint, int, db.DCplxTrans]


class FlatNet(NamedTuple):
    """One net.

    Attributes:
        number: position in `FlatNetlist.nets`.
        name: its labels, joined by commas where a short gives it several; "" without label.
        path: instance path of the circuit it lives in, "" for the top.
        net: KLayout's net in that circuit.
        trans: from that circuit to the top cell, in um.
    """

    number: int
    name: str
    path: str
    net: db.Net
    trans: db.DCplxTrans


class FlatDevice(NamedTuple):
    """One device.

    Attributes:
        kind: its kind.
        name: instance path and device name.
        parameters: values in the order of `kind.parameters`, in um or um2.
        nets: indices of the nets at its terminals, in the order of `kind.terminals`; -1 for none.
        at: centre (x, y) in um; (nan, nan) in a netlist without layout.
        cell: cell index of its shapes in the internal layout, -1 without layout.
        trans: from that cell to the top cell, in um.
    """

    kind: DeviceKind
    name: str
    parameters: tuple[float, ...]
    nets: tuple[int, ...]
    at: tuple[float, float]
    cell: int
    trans: db.DCplxTrans


class _Template:
    """One circuit: local nets, its devices, and where its subcircuits' pins go."""

    def __init__(self, circuit: db.Circuit, l2n: db.LayoutToNetlist | None) -> None:
        self.nets = list(circuit.each_net())
        self.pins: dict[int, int] = {}
        terminals: dict[tuple[int, int], int] = {}
        joins: dict[int, list[tuple[int, int]]] = {}
        for local, net in enumerate(self.nets):
            for pin in net.each_pin():
                self.pins[pin.pin_id()] = local
            for terminal in net.each_terminal():
                terminals[terminal.device().id(), terminal.terminal_id()] = local
            for join in net.each_subcircuit_pin():
                joins.setdefault(join.subcircuit().id(), []).append((join.pin_id(), local))
        rows = (_device_row(device, terminals, l2n) for device in circuit.each_device())
        self.devices: list[_Row] = [row for row in rows if row is not None]
        self.subcircuits = [
            (sub.circuit_ref(), sub.expanded_name(), sub.trans, joins.get(sub.id(), []))
            for sub in circuit.each_subcircuit()
        ]


def _device_row(
    device: db.Device, terminals: Mapping[tuple[int, int], int], l2n: db.LayoutToNetlist | None
) -> _Row | None:
    """Return kind, name, parameters, local nets, centre, shape cell and transformation."""
    made = device.device_class()
    kind = KIND_BY_NAME.get(made.name.lower())
    if kind is None:
        return None
    nets = tuple(
        terminals.get((device.id(), made.terminal_id(name)), -1) for name in kind.terminals
    )
    values = tuple(device.parameter(name) for name in kind.parameters)
    if l2n is None:
        return kind, device.expanded_name(), values, nets, db.DPoint(), -1, db.DCplxTrans()
    layout, cell = l2n.internal_layout(), device.device_abstract.cell_index()
    body = l2n.layer_index(kind.terminal_layer("ROW" if kind.is_memristor else "G"))
    center = device.trans * layout.cell(cell).bbox_per_layer(body).to_dtype(layout.dbu).center()
    return kind, device.expanded_name(), values, nets, center, cell, device.trans


@dataclass(frozen=True, eq=False)
class FlatNetlist:
    """Nets and devices with the hierarchy resolved.

    Attributes:
        nets: every net, the top circuit's first.
        devices: every device.
        l2n: database with the shapes, None for a netlist without layout.
    """

    nets: list[FlatNet]
    devices: list[FlatDevice]
    l2n: db.LayoutToNetlist | None

    @cached_property
    def terminals(self) -> list[list[tuple[int, int]]]:
        """For each net the (device index, terminal index) pairs on it."""
        table: list[list[tuple[int, int]]] = [[] for _ in self.nets]
        for number, device in enumerate(self.devices):
            for position, net in enumerate(device.nets):
                if net >= 0:
                    table[net].append((number, position))
        return table

    def terminal_shapes(self, device: FlatDevice) -> dict[str, db.Region]:
        """Return terminal name -> its polygons in the top cell, in dbu (empty without layout)."""
        if self.l2n is None:
            return {}
        layout = self.l2n.internal_layout()
        trans = db.ICplxTrans(device.trans, layout.dbu)
        shapes = {}
        for terminal in device.kind.terminals:
            layer = self.l2n.layer_index(device.kind.terminal_layer(terminal))
            iterator = layout.cell(device.cell).begin_shapes_rec(layer)
            shapes[terminal] = db.Region(iterator).transformed(trans)
        return shapes


def flatten(
    top: db.Circuit, name_of: Callable[[db.Net], str], l2n: db.LayoutToNetlist | None = None
) -> FlatNetlist:
    """Return the flat view of a circuit; `name_of` gives the label of a net of `top`."""
    templates: dict[str, _Template] = {}
    nets: list[FlatNet] = []
    devices: list[FlatDevice] = []

    def place(circuit: db.Circuit, path: str, trans: db.DCplxTrans, outer: dict[int, int]) -> None:
        template = templates.get(circuit.name)
        if template is None:
            template = templates[circuit.name] = _Template(circuit, l2n)
        table = [-1] * len(template.nets)
        for pin, local in template.pins.items():
            table[local] = outer.get(pin, table[local])
        for local, net in enumerate(template.nets):
            if table[local] < 0:
                table[local] = len(nets)
                nets.append(FlatNet(len(nets), "" if path else name_of(net), path, net, trans))
        for kind, name, values, local_nets, at, cell, inner in template.devices:
            joined = tuple([table[n] if n >= 0 else -1 for n in local_nets])
            center, full = _NOWHERE, inner
            if l2n is not None:
                point, full = trans * at, trans * inner
                center = (point.x, point.y)
            devices.append(FlatDevice(kind, path + name, values, joined, center, cell, full))
        for ref, name, inner, pins in template.subcircuits:
            below = trans if l2n is None else trans * inner
            place(ref, f"{path}{name}/", below, {pin: table[local] for pin, local in pins})

    place(top, "", db.DCplxTrans(), {})
    return FlatNetlist(nets, devices, l2n)
