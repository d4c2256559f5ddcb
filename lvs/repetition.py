"""Large arrays: what repeats is compared once, and that it repeats is proven.

Whole periods are cut out of the layout (`base.compact`) and the lines' calls out of the netlist
(`plain`). What is left is compared as any layout is. It stands for all if the slab beside each cut
leaves the nets elsewhere alone (`through`), if the labels of all slabs lie at the same places, if
the netlist calls the same for each of them, and if the devices of that slab are those that hang on
its own lines. Where anything of this is not so, nothing is said.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import klayout.db as db
import numpy as np

from ..base.compact import Compacted, compact
from ..base.names import fold, label_name
from ..base.units import place
from .connectivity import drawn_layers, layer_regions
from .devices import KINDS
from .extraction import ExtractedLayout, Finding, extract_layout, joins
from .flat import FlatNetlist, flatten
from .graph import build_graph
from .plain import PlainNetlist, Slabs, read_plain
from .report import LvsReport
from .spice import Reference, read_netlist
from .through import Stretch, goes_through, lines_between

#: How far around a place in um a check or a device looks, at most.
REACH_UM = 8.0
#: Times that periods which are unlike the others are left in, and most of them along an axis.
_ROUNDS, _MOST_KEPT = 4, 64
_PLACE = re.compile(r"\((-?\d+\.\d{3}), (-?\d+\.\d{3})\)")

Text = tuple[int, str, int, int]
Compare = Callable[[ExtractedLayout, Reference], LvsReport]
Spans = tuple[list[tuple[int, int]], list[tuple[int, int]]]


@dataclass(frozen=True)
class _Reduced:
    """What stands for a layout and its netlist.

    Attributes:
        layout: the layout without the periods that were cut out; its top has the original's name.
        stretches: what was cut out, and for each the names of its slabs.
        texts: the top's labels: layer, text, x, y.
        netlist: the netlist without the calls of these periods.
    """

    layout: db.Layout
    stretches: tuple[tuple[Stretch, Slabs], ...]
    texts: tuple[Text, ...]
    netlist: PlainNetlist

    def copies(self, at: tuple[float, float], dbu: float) -> int:
        """Return for how many places of the whole a place in um stands."""
        found = 1
        for stretch, _ in self.stretches:
            if stretch.holds(at, dbu):
                found *= stretch.count + 1
        return found

    def restored(self, finding: Finding, dbu: float) -> Finding:
        """Return a finding with its places in the whole layout."""

        def back(at: tuple[float, float]) -> tuple[float, float]:
            moved = list(at)
            for stretch, _ in self.stretches:
                if at[stretch.axis] / dbu > stretch.line:
                    moved[stretch.axis] += stretch.count * stretch.period * dbu
            return moved[0], moved[1]

        text = _PLACE.sub(lambda m: place(back((float(m[1]), float(m[2])))), finding.message)
        return replace(finding, message=text, places=tuple(map(back, finding.places)))


def compare_repetition(
    extracted: ExtractedLayout, netlist: Path, top: str | None, compare: Compare
) -> LvsReport | None:
    """Compare what stands for a large array; None if nothing can be proven.

    Args:
        extracted: the layout.
        netlist: the reference.
        top: its subcircuit; by default that of the layout's top cell.
        compare: compares a layout and a reference in full.

    Returns:
        A match of the whole, or differences of what stands for it, with their places in the whole:
        how often they occur is that of what stands for it.
    """
    plain = read_plain(netlist, top or extracted.top_name)
    found = None if plain is None else _reduce(extracted, plain)
    if found is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / netlist.name
        found.netlist.write(path)
        models = extracted.tech.nets.models
        reference = read_netlist(path, top, prefer=extracted.top_name, models=models)
    if fold(reference.top.name) != fold(found.netlist.name):
        return None
    small = extract_layout(found.layout, extracted.tech, extracted.top_name)
    report = compare(_named_as(small, extracted), replace(reference, path=netlist))
    note = _words(extracted, found)
    if report.match:
        if not _own_devices(found, report):
            return None
        return replace(report, devices=_count(found, report), note=note)
    back = tuple(found.restored(finding, extracted.dbu) for finding in report.findings)
    note += "; how many terminals or devices differ is said of that part"
    return replace(report, devices=_count(found, report), findings=back, note=note)


def _named_as(small: ExtractedLayout, extracted: ExtractedLayout) -> ExtractedLayout:
    """Give what stands for a layout its name and remarks."""
    small.name, small.warnings = extracted.name, extracted.warnings
    return small


def _words(extracted: ExtractedLayout, found: _Reduced) -> str:
    box = found.layout.cell(extracted.top_name).dbbox()
    left_out = [0, 0]
    for stretch, _ in found.stretches:
        left_out[stretch.axis] += stretch.count
    return (
        f"repetition: {box.width():.1f} um x {box.height():.1f} um stand for the whole, "
        f"{left_out[0]} periods along x and {left_out[1]} along y are proven to be equal"
    )


def _reduce(extracted: ExtractedLayout, plain: PlainNetlist) -> _Reduced | None:
    """Cut out what repeats in layout and netlist alike; periods that do not are left in."""
    kept: Spans = ([], [])
    for _ in range(_ROUNDS):
        cut = _Cut.of(extracted, kept)
        if cut is None:
            return None
        texts, rest = _texts(extracted), plain
        slabs: dict[Stretch, Slabs] = {}
        odd: list[tuple[Stretch, set[int]]] = []
        for axis in (1, 0):
            own = [stretch for stretch in cut.stretches if stretch.axis == axis]
            texts, read, unlike = _names(texts, own, rest)
            odd += unlike
            if any(one for _, one in odd):
                break
            rest, different = rest.without(read)
            odd += zip(own, different, strict=True)
            slabs |= dict(zip(own, read, strict=True))
        spans = [(s, k) for s, numbers in odd for k in numbers]
        if not spans:
            pairs = tuple((s, slabs[s]) for s in cut.stretches)
            return _Reduced(cut.drawn(texts), pairs, tuple(texts), rest)
        for stretch, k in spans:
            low = stretch.start + (k - 1) * stretch.period
            kept[stretch.axis].append((low, low + stretch.period))
        if max(map(len, kept)) > _MOST_KEPT:
            return None
    return None


def _texts(extracted: ExtractedLayout) -> list[Text]:
    """Return the labels of the top cell."""
    found = []
    for conductor, index in extracted.texts.items():
        label = dict(extracted.wiring.labels)[conductor]
        layer = extracted.layout.layer(*extracted.tech.gds(label))
        for shape in extracted.cell.shapes(index).each():
            text = shape.text
            found.append((layer, text.string, text.x, text.y))
    return found


@dataclass(frozen=True)
class _Cut:
    """A layout without what repeats, its labels still missing."""

    extracted: ExtractedLayout
    layout: db.Layout
    compacted: Compacted
    stretches: tuple[Stretch, ...]

    @classmethod
    def of(cls, extracted: ExtractedLayout, kept: Spans) -> _Cut | None:
        """Cut; None if nothing repeats, or not so that the nets elsewhere stay as they are."""
        tech, layout = extracted.tech, extracted.layout.dup()
        if any("." in text for _, text in tech.nets.derived):
            return None  # a method may look along a whole polygon, however long
        cell = layout.cell(extracted.cell.cell_index())
        grid, reach = (round(um / layout.dbu) for um in (tech.grid_um, REACH_UM))
        compacted = compact(cell, reach, grid, kept=kept, once=True)
        if not compacted.passes:
            return None
        regions = _flat_regions(extracted, compacted.cell)
        bodies = {d.body for d in tech.nets.devices}
        bodies |= {d.conductor("S") for d in tech.nets.devices if not d.films}
        pairs, window = list(joins(tech, extracted.wiring)), compacted.cell.bbox()

        def passes(stretch: Stretch, inside: db.Box) -> bool:
            return goes_through(regions, stretch, inside, extracted.wiring, pairs, bodies)

        texts = [(x, y) for _, _, x, y in _texts(extracted)]
        found: list[Stretch] = []
        for step in compacted.passes:
            for one in step.cuts:
                first = Stretch(step.axis, step.after(one.at), one.period, one.count, one.at)
                off = first.start - first.line
                near = [(x - off, y - off) for x, y in texts]
                least = first.line - min(reach, one.period)
                tried = lines_between(regions, near, first, least)
                stretch = next((s for s in tried if passes(s, window)), None)
                if stretch is None:
                    return None
                found.append(stretch)
        rows, cols = ([s for s in found if s.axis == axis] for axis in (1, 0))
        if not all(passes(col, row.box(window)) for col in cols for row in rows):
            return None
        return cls(extracted, layout, compacted, tuple(found))

    def drawn(self, texts: Iterable[Text]) -> db.Layout:
        """Return the layout with labels, its top named as the original's."""
        name = self.extracted.top_name
        self.layout.cell(self.extracted.cell.cell_index()).name = self.layout.unique_cell_name(name)
        self.compacted.cell.name = name
        for layer, text, x, y in texts:
            self.compacted.cell.shapes(layer).insert(db.Text(text, db.Trans(x, y)))
        return self.layout


def _flat_regions(extracted: ExtractedLayout, cell: db.Cell) -> dict[str, db.Region]:
    """Return conductors, cuts and bodies of devices of a cell, flat and merged."""
    tech, layout = extracted.tech, cell.layout()
    drawn = {
        name: db.Region(cell.begin_shapes_rec(layout.layer(*tech.gds(name)))).merged()
        for name in drawn_layers(tech)
    }
    regions = layer_regions(tech, drawn)
    names = (
        *extracted.wiring.conductors, *extracted.wiring.cuts, *(d.body for d in tech.nets.devices)
    )  # fmt: skip
    return {name: regions[name].merged() for name in names}


def _names(
    texts: list[Text], stretches: Sequence[Stretch], netlist: PlainNetlist
) -> tuple[list[Text], list[Slabs], list[tuple[Stretch, set[int]]]]:
    """Read the labels of the slabs of stretches along one axis.

    Returns:
        The labels that stay, moved; the names of each stretch; and its slabs whose labels lie
        otherwise, or name no pins or pins of other slabs.
    """
    kept: list[Text] = []
    inside: list[dict[int, dict[tuple[int, int, int], str]]] = [
        defaultdict(dict) for _ in stretches
    ]
    for layer, string, *at in texts:
        moved, where = list(at), None
        for number, s in enumerate(stretches):
            k = (at[s.axis] - s.start) // s.period + 1
            if 0 <= k <= s.count:
                where = (number, k)
                moved[s.axis] -= k * s.period
            elif k > s.count:
                moved[s.axis] -= s.count * s.period
        # those of one stretch lie above the others' that are below it
        if where is not None:
            inside[where[0]][where[1]][layer, moved[0], moved[1]] = string
        if where is None or where[1] == 0:
            kept.append((layer, string, moved[0], moved[1]))
    uses = Counter(fold(label_name(text[1])) for text in texts)
    read = [_slabs(s, inside[n], netlist, uses) for n, s in enumerate(stretches)]
    return kept, [slabs for slabs, _ in read], [
        (s, odd) for s, (_, odd) in zip(stretches, read, strict=True)
    ]  # fmt: skip


def _slabs(
    stretch: Stretch,
    inside: dict[int, dict[tuple[int, int, int], str]],
    netlist: PlainNetlist,
    uses: Counter[str],
) -> tuple[Slabs, set[int]]:
    """Return the names of one stretch's slabs, and those of other labels than most of them."""
    slabs = [
        {spot: fold(label_name(text)) for spot, text in inside.get(k, {}).items()}
        for k in range(stretch.count + 1)
    ]
    places = Counter(frozenset(slab) for slab in slabs).most_common(1)[0][0]
    usual = {spot: Counter(s.get(spot, "") for s in slabs).most_common(1)[0] for spot in places}
    # a name at the same place of most slabs is that of one net through them
    through = {spot: name for spot, (name, times) in usual.items() if 2 * times > len(slabs)}
    odd = {k for k, slab in enumerate(slabs) if slab.keys() != places}
    for k, slab in enumerate(slabs):
        own = Counter(name for spot, name in slab.items() if spot not in through)
        strange = any(name not in netlist.numbers or uses[name] > n for name, n in own.items())
        if strange or any(slab.get(spot) != name for spot, name in through.items()):
            odd.add(k)
    if odd:
        return Slabs(frozenset(), []), odd
    own_places = [spot for spot in places if spot not in through]
    first = slabs[0]
    return Slabs(
        frozenset(first[spot] for spot in own_places),
        [{slab[spot]: first[spot] for spot in own_places} for slab in slabs[1:]],
    ), odd


def _own_devices(found: _Reduced, report: LvsReport) -> bool:
    """Return True if the devices of each slab are those that hang on its own lines, on both sides.

    Only then are the calls that the netlist has for a slab the devices that are drawn in it.
    """
    drawn, plain = report.extracted.flat, found.netlist
    wanted = flatten(report.reference.top, lambda net: net.name)
    dbu = report.extracted.dbu
    for stretch, slabs in found.stretches:
        here = {n for n, device in enumerate(drawn.devices) if stretch.holds(device.at, dbu)}
        numbers = [plain.numbers[name] for name in slabs.first]
        rows = np.flatnonzero(np.isin(plain.nets, numbers).any(axis=1)).tolist()
        calls = {fold(plain.calls[row].split(" ", 1)[0])[1:] for row in rows}
        called = {
            n for n, device in enumerate(wanted.devices) if device.name.split("/")[0] in calls
        }
        if _hanging(drawn, slabs.first) != here or _hanging(wanted, slabs.first) != called:
            return False
    return True


def _hanging(flat: FlatNetlist, names: frozenset[str]) -> set[int]:
    """Return the devices on nets of given names, and those joined to them by nameless nets."""
    named = {net.number for net in flat.nets if net.name}
    chosen = {net.number for net in flat.nets if names & set(fold(net.name).split(","))}
    on_net: dict[int, list[int]] = defaultdict(list)
    for number, device in enumerate(flat.devices):
        for net in set(device.nets):
            on_net[net].append(number)
    reached = {number for net in chosen for number in on_net[net]}
    left = list(reached)
    while left:
        for net in set(flat.devices[left.pop()].nets):
            if net >= 0 and net not in named:
                new = [number for number in on_net.pop(net, ()) if number not in reached]
                reached.update(new)
                left += new
    return reached


def _count(found: _Reduced, report: LvsReport) -> dict[str, int]:
    """Return the number of devices of the whole by kind; parallel transistors count once."""
    extracted = report.extracted
    graph = build_graph(extracted.flat, extracted.tech.grid_um)
    counts = dict.fromkeys(sorted(kind.name for kind in KINDS), 0)
    for kind, members in zip(graph.kinds.tolist(), graph.members, strict=True):
        at = extracted.flat.devices[members[0]].at
        counts[KINDS[kind].name] += found.copies(at, extracted.dbu)
    return counts
