"""From a layout to its nets and devices, hierarchy kept and nothing joined by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import klayout.db as db

from ..base.errors import ConfigError, FileError, ParameterError
from ..base.layout import OpenedLayout, clear_layers, open_copy
from ..base.layout_layers import check_slots
from ..base.names import fold, label_name
from ..base.repeat import flat_shapes
from ..base.units import place
from .connectivity import SUBSTRATE, connectivity, drawn_layers, layer_regions
from .devices import extract_kind, kinds_of
from .flat import FlatDevice, FlatNet, FlatNetlist, flatten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..pdk import Tech
    from .connectivity import Connectivity


#: Memristors from which nets and devices are found only when they are asked for.
LARGE = 15_000
#: Names of a shorted net that are spelled out.
MOST_NAMES = 4


@dataclass(frozen=True)
class Finding:
    """Something wrong, with its places.

    Attributes:
        kind: short name of the kind of fault, e.g. ``open`` or ``short``.
        message: one line that names nets or devices and coordinates.
        places: points (x, y) in um.
    """

    kind: str
    message: str
    places: tuple[tuple[float, float], ...] = ()

    def __str__(self) -> str:
        """Return the line shown to users."""
        return f"{self.kind}: {self.message}"

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        places = [list(at) for at in self.places]
        return {"kind": self.kind, "message": self.message, "places_um": places}


@dataclass(frozen=True)
class Label:
    """One text of the top cell that names a net.

    Attributes:
        name: what the text names; as drawn, but for lines and pins of ours (`label_name`).
        conductor: conductor that it lies on.
        at: its point (x, y) in um.
        net: the net, or None if no shape of the conductor lies there.
        text: as drawn.
    """

    name: str
    conductor: str
    at: tuple[float, float]
    net: db.Net | None
    text: str


@dataclass(frozen=True, eq=False)
class _Found:
    """What an extraction finds, see `ExtractedLayout`."""

    l2n: db.LayoutVsSchematic
    regions: dict[str, db.Region]
    top: db.Circuit
    labels: tuple[Label, ...]


@dataclass(eq=False)
class ExtractedLayout:
    """A layout with its nets and devices, which are found when they are first asked for.

    Attributes:
        tech: technology.
        wiring: conductors, cuts and joins that were used.
        name: file or cell name, for messages.
        layout: the layout that was read, with the top's texts on layers of their own.
        cell: its top cell.
        texts: conductor -> that layer.
        warnings: what the layout holds that is not looked at.
    """

    tech: Tech
    wiring: Connectivity
    name: str
    layout: db.Layout
    cell: db.Cell
    texts: dict[str, int]
    warnings: tuple[str, ...] = ()

    @cached_property
    def _found(self) -> _Found:
        l2n, regions = run_extraction(self.layout, self.cell, self.tech, self.wiring, self.texts)
        circuit = _top_circuit(l2n, self.cell)
        return _Found(l2n, regions, circuit, _read_labels(l2n, circuit, self.cell, self.texts))

    @cached_property
    def l2n(self) -> db.LayoutVsSchematic:
        """KLayout's database of nets and shapes, with the hierarchy."""
        return self._found.l2n

    @cached_property
    def regions(self) -> dict[str, db.Region]:
        """Every drawn, derived and terminal layer by name."""
        return self._found.regions

    @cached_property
    def top(self) -> db.Circuit:
        """Circuit of the top cell."""
        return self._found.top

    @property
    def top_name(self) -> str:
        """Name of the top cell."""
        return str(self.cell.name)

    @cached_property
    def labels(self) -> tuple[Label, ...]:
        """Pin labels of the top cell, sorted by name and place."""
        return self._found.labels

    @cached_property
    def memristors(self) -> int:
        """About how many memristors are drawn: shapes of the first film of each."""
        films = [device.films[0] for device in self.tech.nets.memristors if device.films]
        found = [self.layout.find_layer(*self.tech.gds(name)) for name in dict.fromkeys(films)]
        return flat_shapes(self.cell, [index for index in found if index is not None])

    @property
    def netlist(self) -> db.Netlist:
        """KLayout's netlist, hierarchical and untouched (no device combined or purged)."""
        return self.l2n.netlist()

    @property
    def dbu(self) -> float:
        """Database unit of the layout in um."""
        return float(self.layout.dbu)

    @cached_property
    def flat(self) -> FlatNetlist:
        """All nets and devices with the hierarchy resolved and places in the top cell."""
        names: dict[int, list[str]] = {}
        for label in self.labels:
            if label.net is not None:
                known = names.setdefault(label.net.cluster_id, [])
                if fold(label.name) not in map(fold, known):
                    known.append(label.name)
        return flatten(self.top, lambda net: ",".join(names.get(net.cluster_id, ())), self.l2n)

    def extract_again(self) -> db.LayoutVsSchematic:
        """Return a second database of the same layout, for uses that change the netlist."""
        return run_extraction(self.layout, self.cell, self.tech, self.wiring, self.texts)[0]

    def net(self, name: str) -> FlatNet:
        """Return the net that carries a label.

        Raises:
            ParameterError: if no label of that name lies on a conductor.
        """
        for net in self.flat.nets:
            if net.name and fold(name) in fold(net.name).split(","):
                return net
        known = ", ".join(sorted({label.name for label in self.labels})[:8])
        raise ParameterError("net", name, f"a label of the top cell, such as {known}")

    def touches(self, device: FlatDevice, terminal: str) -> str:
        """Return the conductor that a terminal of a device lies on; empty for the substrate."""
        return self.tech.nets.device(device.kind.name).conductor(terminal)

    def net_shapes(self, net: FlatNet) -> dict[str, db.Region]:
        """Return the polygons of a net by conductor and cut name, flat, in the top cell.

        Polygons are as drawn (not merged); layers on which the net has none are left out.
        """
        shapes = {}
        trans = db.ICplxTrans(net.trans, self.dbu)
        for name in (*self.wiring.conductors, *self.wiring.cuts):
            region = self.l2n.shapes_of_net(net.net, self.regions[name], True, trans)
            if not region.is_empty():
                shapes[name] = region
        return shapes

    def findings(self) -> list[Finding]:
        """Return opens and shorts among the labels, and labels that lie on nothing."""
        found = []
        pieces: dict[str, dict[int, Label]] = {}  # by name without regard to case
        for label in self.labels:
            if label.net is None:
                text = f"{label.name} at {place(label.at)} lies on no {label.conductor}"
                found.append(Finding("label", text, (label.at,)))
            else:
                nets = pieces.setdefault(fold(label.name), {})
                nets.setdefault(label.net.cluster_id, label)
        for labels in pieces.values():
            if len(labels) > 1:
                places = tuple(label.at for label in labels.values())
                name = next(iter(labels.values())).name
                text = f"{name} at " + " and ".join(place(at) for at in places)
                found.append(Finding("open", f"{text}: same label on separate nets", places))
        return found + [finding for _, finding in self.shorts()]

    def shorts(self) -> list[tuple[FlatNet, Finding]]:
        """Return the nets that carry several labels."""
        found = []
        for net in self.flat.nets:
            if "," in net.name:
                labels = {
                    label.name: label
                    for label in self.labels
                    if label.net is not None and label.net.cluster_id == net.net.cluster_id
                }
                places = tuple(label.at for label in labels.values())
                words = [f"{name} at {place(label.at)}" for name, label in labels.items()]
                if len(words) > MOST_NAMES:
                    words[MOST_NAMES:] = [f"{len(words) - MOST_NAMES} more"]
                text = f"{' and '.join(words)} are one net"
                found.append((net, Finding("short", text, places)))
        return found


def extract_layout(
    source: Path | str | db.Layout | OpenedLayout, tech: Tech, top: str | None = None
) -> ExtractedLayout:
    """Extract nets and devices of a layout; those of a large array when they are asked for.

    Only texts in the top cell name nets, and a name never joins two nets: the substrate and
    the wells become part of a supply net through drawn taps alone.

    Args:
        source: GDS or OASIS file, or a layout in memory (which is not changed).
        tech: technology.
        top: cell to extract; by default the only top cell.

    Raises:
        FileError: if the layout cannot be worked on (see `base.layout.open_layout`).
        ParameterError: if there is no cell `top`, or one must be chosen.
    """
    opened = open_copy(source, tech.drawing, top)
    layout, cell, name = opened.layout, opened.top, opened.name
    # fill touches no wire (`open_layout` refuses any that does), so it is on no net
    clear_layers(layout, cell, tech.drawing.fill)
    check_slots(cell, tech.drawing, name)
    wiring = connectivity(tech)
    texts = _top_texts(layout, cell, tech, wiring)
    _refuse_labels_below(layout, cell, tech, wiring, name)
    extracted = ExtractedLayout(tech, wiring, name, layout, cell, texts, opened.warnings)
    if extracted.memristors < LARGE:
        extracted.labels  # noqa: B018 - found here, so that what cannot be extracted is said here
    return extracted


def _top_texts(
    layout: db.Layout, cell: db.Cell, tech: Tech, wiring: Connectivity
) -> dict[str, int]:
    """Copy the top cell's own texts to layers of their own; returns conductor -> layer."""
    layers = {}
    for conductor, label_layer in wiring.labels:
        layers[conductor] = layout.insert_layer(db.LayerInfo(f"top_{label_layer}"))
        own = cell.shapes(layers[conductor])
        for shape in cell.shapes(layout.layer(*tech.gds(label_layer))).each(db.Shapes.STexts):
            own.insert(shape)
    return layers


def _refuse_labels_below(
    layout: db.Layout, cell: db.Cell, tech: Tech, wiring: Connectivity, name: str
) -> None:
    """Refuse a top cell without a label that places cells with some, which name its nets.

    Raises:
        ConfigError: naming the cell that has most labels.
    """
    layers = [layout.layer(*tech.gds(label)) for _, label in wiring.labels]

    def labels(each: db.Cell) -> int:
        return sum(1 for layer in layers for _ in each.shapes(layer).each(db.Shapes.STexts))

    if labels(cell):
        return
    below = {layout.cell(i).name: labels(layout.cell(i)) for i in cell.called_cells()}
    most = sorted((-count, each) for each, count in below.items() if count)
    if most:
        count, each = most[0]
        raise ConfigError(
            f"{name}: cell {cell.name} has no label of its own to name its nets; {each}, which is "
            f"placed in it, has {-count}: choose it with --top {each}"
        )


def run_extraction(
    layout: db.Layout, cell: db.Cell, tech: Tech, wiring: Connectivity, texts: dict[str, int]
) -> tuple[db.LayoutVsSchematic, dict[str, db.Region]]:
    """Run KLayout's hierarchical extraction; returns its database and the layers by name."""
    l2n = db.LayoutVsSchematic(db.RecursiveShapeIterator(layout, cell, []))
    # in this thread: a single worker makes every operation wait for some 13 ms
    l2n.threads = 0
    drawn = {
        name: l2n.make_polygon_layer(layout.layer(*tech.gds(name)), name)
        for name in drawn_layers(tech)
    }
    regions = layer_regions(tech, drawn)
    for name in (*wiring.conductors, *wiring.cuts):
        if name not in l2n.layer_names():
            l2n.register(regions[name], name)
    for kind in kinds_of(tech.nets):
        regions |= extract_kind(l2n, kind, tech.nets.device(kind.name), regions)
    connect(l2n, regions, joins(tech, wiring))
    for conductor, index in texts.items():
        l2n.connect(regions[conductor], l2n.make_text_layer(index, f"label.{conductor}"))
    l2n.extract_netlist()
    return l2n, regions


def joins(tech: Tech, wiring: Connectivity) -> Iterator[tuple[str, str]]:
    """Yield all that conducts or joins: pairs of layers; equal ones for what a layer joins itself.

    The second of a pair is `SUBSTRATE` where all shapes of the first are on that one net.
    """
    for kind in kinds_of(tech.nets):
        for terminal, conductor in tech.nets.device(kind.name).terminals:
            layer = kind.terminal_layer(terminal)
            yield layer, layer
            yield layer, conductor or SUBSTRATE
    yield from ((name, name) for name in (*wiring.conductors, *wiring.cuts))
    yield from wiring.links
    yield "ntap", tech.roles.layer("nwell")
    yield "ptap", SUBSTRATE


def connect(
    l2n: db.LayoutToNetlist, regions: Mapping[str, db.Region], pairs: Iterable[tuple[str, str]]
) -> None:
    """Tell an extraction what joins, see `joins`."""
    for a, b in pairs:
        if b == SUBSTRATE:
            l2n.connect_global(regions[a], SUBSTRATE)
        elif a == b:
            l2n.connect(regions[a])
        else:
            l2n.connect(regions[a], regions[b])


def _top_circuit(l2n: db.LayoutToNetlist, cell: db.Cell) -> db.Circuit:
    circuit = l2n.netlist().circuit_by_name(cell.name)
    if circuit is None:  # nothing electrical in it: KLayout then makes no circuit
        raise FileError(f"{cell.name}: no conductor is drawn")
    return circuit


def _read_labels(
    l2n: db.LayoutToNetlist, circuit: db.Circuit, cell: db.Cell, texts: dict[str, int]
) -> tuple[Label, ...]:
    """Return the top cell's labels with the nets they lie on."""
    nets: dict[tuple[str, str, int, int], db.Net] = {}
    for net in circuit.each_net():
        if not net.name:
            continue
        for conductor in texts:
            for text in l2n.texts_of_net(net, l2n.layer_index(f"label.{conductor}"), False).each():
                nets[conductor, text.string, text.x, text.y] = net
    labels, dbu = [], cell.layout().dbu
    for conductor, index in texts.items():
        for text in (shape.text for shape in cell.shapes(index).each()):
            on = nets.get((conductor, text.string, text.x, text.y))
            at = (text.x * dbu, text.y * dbu)
            labels.append(Label(label_name(text.string), conductor, at, on, text.string))
    return tuple(sorted(labels, key=lambda label: (label.name, label.at)))
