"""Flat engine: every net of a layout -> one network.

Nets that are the same net of the same cell are extracted once and placed as often as the
cell is, so that the drain stacks of an array cost one solution.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import klayout.db as db
import numpy as np
from numpy.typing import NDArray

from ...base import names
from ...base.errors import FileError
from ...base.layout import OpenedLayout
from ...base.names import fold
from ...lvs import ExtractedLayout, FlatNet, device_faults, extract_layout, silicon_joins
from ...pdk import Tech
from ...solve.network.builder import NetworkBuilder
from ...solve.network.left_out import LeftOut
from ...solve.network.network import Network
from ..sheet.netres import NetSolver
from ..sheet.rates import rates
from ..sheet.shapes import NetShapes, Pin
from ..sheet.tidy import NetResistors
from .bias import grown_together
from .geometry import NetGeometry, net_place
from .labels import labels_of
from .logic import logic_devices
from .naming import Place, memristor_places, monitor_remarks, net_names
from .patterns import matching
from .report import ExtractionReport, Progress

_CHANNEL, _BULK = (0, 2), 3
#: (labels of a net, its shapes) -> pins at which it goes on in another part of the layout
PartPins = Callable[[str, NetShapes], list[Pin]]
#: net -> what it is in the whole of which the layout is a part; None if it is all here
PartNets = Callable[[FlatNet], NetResistors | None]
Nodes = NDArray[np.int32]


def extract_flat(
    source: Path | str | db.Layout | OpenedLayout | ExtractedLayout,
    tech: Tech,
    *,
    nets: Iterable[str] | None = None,
    progress: Progress | None = None,
    part_pins: PartPins | None = None,
    part_nets: PartNets | None = None,
) -> tuple[Network, ExtractionReport]:
    """Extract the wires of a layout net by net.

    Args:
        source: GDS or OASIS file, layout in memory, or what `lvs.extract_layout` returned.
        tech: technology, at its conditions.
        nets: patterns of the nets to extract (``*`` for any text); the others become ideal
            wires. None for all nets.
        progress: called with (what, done, total).
        part_pins: for a layout that is part of another one: finds the pins at which a net,
            given by name and shapes, goes on. What else the cut leaves is then no finding.
        part_nets: of such a part: finds the nets that were solved in the whole.

    Raises:
        ParameterError: for a pattern that no net matches, or a film without resistance.
        FileError: if the file cannot be read, or one label names separate nets.
    """
    start = time.perf_counter()
    process = rates(tech)
    layout = source if isinstance(source, ExtractedLayout) else extract_layout(source, tech)
    report = ExtractionReport(conditions=process.conditions)
    assembly = _Assembly(
        layout, NetSolver(process, layout.dbu), report, nets, whole=part_pins is None
    )
    if part_pins is None:
        assembly.note_findings()
        for text in grown_together(layout, assembly.names, process.conditions):
            report.warn(text)
    network = assembly.run(progress, part_pins or _no_pins, part_nets or _no_nets)
    if part_pins is None:
        if not network.n_nodes:
            raise FileError(
                f"{layout.name}: cell {layout.top_name} draws no device and no labelled net: "
                "nothing to extract"
            )
        assembly.note_gates()
    report.pieces = assembly.solver.wires.pieces
    if assembly.solver.wires.angled:
        report.warn(
            f"{assembly.solver.wires.angled} shapes have edges off the axes: their resistance is "
            "as exact as elsewhere (0.1 %), but beside these edges no current limits are known"
        )
    report.seconds = round(time.perf_counter() - start, 3)
    return network, report


def _no_pins(name: str, shapes: NetShapes) -> list[Pin]:
    return []


def _no_nets(net: FlatNet) -> NetResistors | None:
    return None


class _Assembly:
    """Builds one network."""

    def __init__(
        self,
        layout: ExtractedLayout,
        solver: NetSolver,
        report: ExtractionReport,
        nets: Iterable[str] | None,
        *,
        whole: bool,
    ) -> None:
        self.layout, self.solver, self.report = layout, solver, report
        self.flat = layout.flat
        self.geometry = NetGeometry(layout, solver.rates)
        self.places, warnings = memristor_places(
            self.flat, lambda number: net_place(layout, self.flat.nets[number])
        )
        self.names = net_names(self.flat, self.places)
        supplies = frozenset((names.SUPPLY, names.GROUND))
        self.logic = logic_devices(self.flat, self.names, supplies)
        self.builder = NetworkBuilder(solver.rates.conditions.to_json())
        self.terminal: dict[tuple[int, int], int] = {}
        self.labelled: dict[str, FlatNet] = {}
        self.gates: Counter[int] = Counter()
        self.whole = whole
        #: nets of the whole by name, with their nodes: a cut may leave several parts of one
        self.parts: dict[str, Nodes] = {}
        self.joined = {
            self._key(net): finding
            for net, finding in silicon_joins(layout)
            if whole or not self._is_bulk(net)  # the rest of a bulk's wires may be elsewhere
        }
        self.left_out, self.ideal = [*warnings], list[str]()
        # that layers are unknown comes first: it may be why the rest is as it is
        for text in (*layout.warnings, *warnings, *monitor_remarks(self.flat)):
            report.warn(text)
        self.chosen = self._choose(nets)

    def _choose(self, patterns: Iterable[str] | None) -> list[bool]:
        if patterns is None:
            return [True] * len(self.names)
        chosen = set(matching(self.names, patterns))
        return [name in chosen for name in self.names]

    def run(self, progress: Progress | None, part_pins: PartPins, part_nets: PartNets) -> Network:
        solved: dict[tuple[str, int], tuple[NetResistors, int]] = {}
        self.report.nets = len(self.flat.nets)
        work, done = self._work(part_nets) if progress else {}, 0
        total = sum(work.values())
        for number, net in enumerate(self.flat.nets):
            if progress and number % 8 == 0:
                progress("nets", done, total)
            done += work.pop(net.number, 0)
            if not self._carries_current(net) and not self._is_wire_alone(net):
                self.report.skipped += 1
                continue
            if not self.chosen[net.number]:
                self._place_ideal(net)
                continue
            if (elsewhere := part_nets(net)) is not None:
                self._place_part(net, elsewhere)
                continue
            key = self._key(net)
            if key in self.joined:
                why = f"{self.joined[key].message}; no resistance is known for that"
                raise FileError(f"{self.layout.name}: {why}: join them by metal")
            if key not in solved:
                shapes, warnings = self.geometry.shapes(net, self.names[net.number])
                shapes.pins += part_pins(net.name, shapes)
                resistors = self.solver.solve(shapes)
                for text in [*warnings, *resistors.warnings]:
                    self.report.warn(text)
                solved[key] = (resistors, net.number)
            self._place(net, solved[key][0], self.names[net.number])
        self.report.distinct_nets = self.solver.distinct
        self._place_devices()
        self.builder.pads = self.geometry.pads()
        self.builder.left_out = LeftOut(tuple(self.ideal), tuple(self.left_out))
        return self.builder.finish()

    def _work(self, part_nets: PartNets) -> dict[int, int]:
        """Return what each net that is solved costs, by its number: about one for each terminal.

        Nets that are alike are solved once, and most are those of single cells.
        """
        costs: dict[tuple[str, int], tuple[int, int]] = {}
        for net in self.flat.nets:
            if self.chosen[net.number] and part_nets(net) is None and self._carries_current(net):
                terminals = len(self.flat.terminals[net.number])
                costs.setdefault(self._key(net), (net.number, 1 + terminals))
        return dict(costs.values())

    def note_findings(self) -> None:
        for finding in self.layout.findings():
            if finding.kind == "open":  # a pin on one of the nets would be the wrong one
                where = finding.message.rpartition(": ")[0]
                way = "join these or rename all labels but one"
                raise FileError(f"{self.layout.name}: label {where} names separate nets; {way}")
            self.report.warn(str(finding))
        for finding in [*device_faults(self.layout), *self.joined.values()]:
            if finding.kind == "touch":  # an even sheet of zero width has no resistance
                way = "its resistance is unknown: let them overlap, or part them"
                raise FileError(f"{self.layout.name}: {finding.message}; {way}")
            self.report.warn(str(finding))
        for text in self._labels_seen_twice():
            self.report.warn(text)

    def _labels_seen_twice(self) -> Iterator[str]:
        """Yield a warning for each net that carries one label at several places."""
        places: dict[tuple[str, int], list[str]] = {}
        for label in self.layout.labels:
            if label.net is not None:
                at = places.setdefault((label.name, label.net.cluster_id), [])
                at.append(f"({label.at[0]:.3f}, {label.at[1]:.3f})")
        twice = {key: at for key, at in places.items() if len(set(at)) > 1}
        named = {name for name, _ in twice}
        driven = {
            pin.name
            for net in self.flat.nets
            if named and (mine := named.intersection(labels_of(net.name)))
            for label in mine
            for pin in self.geometry.pins(label, self.geometry.terminals(net))
            if pin.joined
        }
        for (name, _), at in twice.items():
            if name not in driven:
                others = " and ".join(dict.fromkeys(at[1:]))
                yield f"label {name} lies on its net at {at[0]} and {others}; the first is the pin"

    def note_gates(self) -> None:
        """Warn of gate nets that no mode can name: neither labelled nor a control's complement."""
        for number, count in sorted(self.gates.items()):
            net, name = self.flat.nets[number], self.names[number]
            if not net.name and name.startswith("net$"):
                self.report.warn(
                    f"gate net {name} {net_place(self.layout, net)} has no label: no mode drives "
                    f"the {count} transistor{'s' if count > 1 else ''} on it"
                )

    def _port(self, label: str, net: FlatNet, node: int) -> None:
        """Make a node the port of a label.

        Raises:
            FileError: if the label names another net, too.
        """
        first = self.labelled.setdefault(fold(label), net)
        if first.number != net.number:
            at = " and ".join(
                f"({mark.at[0]:.3f}, {mark.at[1]:.3f})"
                for mark in self.layout.labels
                if fold(mark.name) == fold(label) and mark.net is not None
            )
            raise FileError(
                f"{self.layout.name}: label {label} at {at} names separate nets; join these or "
                "rename all labels but one"
            )
        self.builder.port(label, node)

    @staticmethod
    def _key(net: FlatNet) -> tuple[str, int]:
        """Return what is equal for nets that are the same net of the same cell."""
        return net.net.circuit().name, net.net.cluster_id

    def _is_bulk(self, net: FlatNet) -> bool:
        """True for a net with the bulk of a transistor."""
        return any(
            position == _BULK and not self.flat.devices[number].kind.is_memristor
            for number, position in self.flat.terminals[net.number]
        )

    def _carries_current(self, net: FlatNet) -> bool:
        """True for nets with a device terminal other than a bulk, logic aside."""
        return any(
            position != _BULK or self.flat.devices[number].kind.is_memristor
            for number, position in self.flat.terminals[net.number]
            if number not in self.logic
        )

    def _is_wire_alone(self, net: FlatNet) -> bool:
        """True for a labelled net without any device: a plate, a test line, a shield.

        In a part of a layout it may have its devices elsewhere.
        """
        return self.whole and bool(net.name) and not self.flat.terminals[net.number]

    def _place_part(self, net: FlatNet, resistors: NetResistors) -> None:
        """Add a net of the whole that this one is part of, unless another part did."""
        name = resistors.name
        if name not in self.parts:
            self.parts[name] = self._place(net, resistors, name)
        else:
            self._place_terminals(net, resistors, self.parts[name])

    def _place(self, net: FlatNet, resistors: NetResistors, base: str) -> Nodes:
        """Add a solved net's nodes, resistors and pins under a name; returns the nodes."""
        self.report.solved += 1
        builder = self.builder
        pin = resistors.pin_node.get(base)
        names = [f"{base}/n{k}" for k in range(resistors.n_nodes)]
        if pin is not None:
            names[pin] = base
        nodes = builder.nodes(names)
        net_index = builder.net(base)
        rows = resistors.resistors
        if rows:
            builder.resistors(
                nodes[[r.a for r in rows]],
                nodes[[r.b for r in rows]],
                [r.ohm for r in rows],
                layer=[builder.layer(r.layer) for r in rows],
                net=net_index,
                width_um=[r.width_um for r in rows],
                cuts=[r.cuts for r in rows],
                parting=[r.parting for r in rows],
                crosses=[r.crosses for r in rows],
            )
        for label, node in resistors.pin_node.items():
            self._port(label, net, int(nodes[node]))
        self._place_terminals(net, resistors, nodes)
        return nodes

    def _place_terminals(self, net: FlatNet, resistors: NetResistors, nodes: Nodes) -> None:
        """Note at which nodes of a net its devices stand."""
        for key, terminal in enumerate(self.flat.terminals[net.number]):
            local = resistors.terminal_node.get(key)
            if local is not None:
                self.terminal[terminal] = int(nodes[local])

    def _conducts(self, number: int, position: int) -> bool:
        """True for a terminal that carries direct current, as no gate and no bulk does."""
        kind = self.flat.devices[number].kind
        return number not in self.logic and (kind.is_memristor or position in _CHANNEL)

    def _place_ideal(self, net: FlatNet) -> None:
        """Make a net one node."""
        self.report.ideal_nets += 1
        node = self.builder.node(self.names[net.number])
        self.builder.net(self.names[net.number])
        if any(self._conducts(*terminal) for terminal in self.flat.terminals[net.number]):
            self.ideal.append(self.names[net.number])
        for label in labels_of(net.name):
            self._port(label, net, node)
        for terminal in self.flat.terminals[net.number]:
            self.terminal[terminal] = node

    def _place_devices(self) -> None:
        memristors: list[tuple[Place, int, int, float]] = []
        switches: list[tuple[int, int, int, float, float, bool]] = []
        for number, device in enumerate(self.flat.devices):
            if device.kind.is_memristor:
                place = self.places.get(number)
                ends = self._ends(number, (0, 1)) if place else None
                if place and ends:
                    memristors.append((place, *ends, device.parameters[0]))
                continue
            if number in self.logic:
                continue
            ends = self._ends(number, _CHANNEL)
            gate = device.nets[1]
            if ends is None or gate < 0:
                continue
            w, l = device.parameters
            self.gates[gate] += 1
            gate_net = self.builder.net(self.names[gate])
            switches.append((*ends, gate_net, w, l, device.kind.name == "pfet"))
        if memristors:
            at, a, b, area = zip(*memristors, strict=True)
            self.builder.memristors(
                [p.tier for p in at], [p.row for p in at], [p.col for p in at], a, b, area_um2=area
            )
        if switches:
            a, b, gate_nets, widths, lengths, is_p = zip(*switches, strict=True)
            self.builder.switches(a, b, gate_nets, w_um=widths, l_um=lengths, p=is_p)

    def _ends(self, number: int, positions: tuple[int, int]) -> tuple[int, int] | None:
        """Return the nodes of two terminals; a terminal on no wire is reported."""
        nodes = [self.terminal.get((number, position)) for position in positions]
        if nodes[0] is None or nodes[1] is None:
            device = self.flat.devices[number]
            at = f"({device.at[0]:.3f}, {device.at[1]:.3f})"
            text = f"{device.kind.name} at {at} is not on any wire; left out"
            self.report.warn(text)
            self.left_out.append(text)
            return None
        return nodes[0], nodes[1]
