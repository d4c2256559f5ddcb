"""From an extracted layout: the shapes, terminals and pins of each net."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import combinations

import klayout.db as db

from ...base import names as grammar
from ...lvs import ExtractedLayout, FlatDevice, FlatNet
from ...lvs.places import TAPS
from ..sheet.rates import Rates
from ..sheet.shapes import NetShapes, Pin, Terminal, place
from .labels import labels_of
from .reached import reached

_DIFFUSIONS = ("nsd", "psd")
_BARE = ("bare_B", "bare_T")


def net_place(layout: ExtractedLayout, net: FlatNet) -> str:
    """Return where a net lies, in words."""
    box = db.Box()
    for region in layout.net_shapes(net).values():
        box += region.bbox()
    return place(box, layout.dbu)


def _cut_boxes(cut: db.Polygon) -> list[db.Box]:
    """Return boxes of a cut's area: its resistance goes by that, whatever its shape.

    A turned square, as in a layout placed at an angle, becomes an upright one of the same area.
    """
    if cut.is_box():
        return [cut.bbox()]
    if cut.is_rectilinear():
        return [piece.bbox() for piece in cut.decompose_trapezoids()]
    box = cut.bbox()
    share = float((cut.area() / box.area()) ** 0.5)
    half_w, half_h = round(box.width() * share / 2), round(box.height() * share / 2)
    x, y = box.center().x, box.center().y
    return [db.Box(x - half_w, y - half_h, x + half_w, y + half_h)]


class NetGeometry:
    """Reads nets out of an extracted layout, in the top cell's coordinates."""

    def __init__(self, layout: ExtractedLayout, rates: Rates) -> None:
        """Prepare for the nets of `layout`; `rates` names conductors and cuts."""
        self.layout, self.rates = layout, rates
        self._pins: dict[str, list[Pin]] = {}
        contact = layout.tech.roles.layer("contact")
        self._contacts = {cut.name for cut in layout.tech.cuts if cut.layer == contact}
        for label in layout.labels:
            if label.net is not None:
                x, y = (round(c / layout.dbu) for c in label.at)
                pin = Pin(label.name, label.conductor, x, y)
                self._pins.setdefault(label.name, []).append(pin)

    @cached_property
    def _openings(self) -> db.Region:
        """Openings of the foundry's passivation, in the top cell's coordinates."""
        found = self.layout.regions.get(self.layout.tech.roles.names.get("pad", ""))
        return db.Region() if found is None else found.dup().flatten().merged()

    def pads(self) -> set[str]:
        """Return the labels whose pins lie in an opening: a wire is bonded there, or a needle."""
        land = self.layout.tech.roles.land
        first = {label: places[0] for label, places in self._pins.items()}
        on_land = {label: pin for label, pin in first.items() if pin.layer == land}
        spots = {
            label: db.Region(db.Box(pin.x, pin.y, pin.x, pin.y).enlarged(1))
            for label, pin in on_land.items()
        }
        return {label for label, spot in spots.items() if not (spot & self._openings).is_empty()}

    def shapes(self, net: FlatNet, name: str) -> tuple[NetShapes, list[str]]:
        """Return a net's shapes and warnings about what cannot be represented."""
        regions = self.layout.net_shapes(net)
        result = NetShapes(name)
        warnings = []
        self._join_butted(regions)
        taps = db.Region()
        for layer in TAPS:
            if layer in regions:
                taps += regions.pop(layer)
        regions.pop(self.layout.tech.roles.layer("nwell"), None)
        for layer in _BARE:
            if layer in regions:
                at = regions.pop(layer).bbox().to_dtype(self.layout.dbu)
                warnings.append(f"net {name}: electrodes touch without oxide near {at}")
        result.terminals = self.terminals(net)
        for label in labels_of(net.name):
            result.pins += self.pins(label, result.terminals)
        land = regions.get(self.layout.tech.roles.land)
        result.on_pad = land is not None and not land.interacting(self._openings).is_empty()
        for layer, region in self._wired(regions, taps, result).items():
            if layer in self.rates.cut_ends:
                result.cuts[layer] = [box for p in region.each() for box in _cut_boxes(p)]
            else:
                result.conductors[layer] = list(region.each())
        return result, warnings

    def _wired(
        self, regions: dict[str, db.Region], taps: db.Region, net: NetShapes
    ) -> dict[str, db.Region]:
        """Return conductors and cuts of a net, merged: without taps and what hangs on these only.

        Args:
            regions: layer -> shapes of the net.
            taps: silicon that is none of its wires.
            net: holds its terminals and pins.
        """
        wired = {}
        for layer, region in regions.items():
            if layer in self.rates.cut_ends:
                wired[layer] = region.merged()
                if not taps.is_empty() and layer in self._contacts:
                    wired[layer] = wired[layer].not_interacting(taps)
            elif layer in self.rates.sheet_ohm_sq or layer in _DIFFUSIONS:
                wired[layer] = region.merged()
        seeds = [(t.layer, t.box) for t in net.terminals]
        seeds += [(pin.layer, (pin.x, pin.y, pin.x, pin.y)) for pin in net.pins]
        return reached(wired, self.rates.cut_ends, seeds)

    def _join_butted(self, regions: dict[str, db.Region]) -> None:
        """Give what touches a source or drain under the same silicide to that, contacts and all."""
        layers = [name for name in self.layout.tech.nets.salicided if name in regions]
        own = [name for name in layers if name in _DIFFUSIONS]
        if not own or all(
            regions[a].interacting(regions[b]).is_empty() for a, b in combinations(layers, 2)
        ):
            return
        diffusion, joined = db.Region(), db.Region()
        for name in layers:
            joined += regions[name]
            diffusion += regions[name] if name in own else db.Region()
        whole = joined.merged().interacting(diffusion)
        for name in layers:
            regions[name] = regions[name] - whole
        regions[own[0]] = whole

    def pins(self, label: str, terminals: list[Terminal]) -> list[Pin]:
        """Return where a label makes its net a pin.

        That is its first place. A row line that is labelled on both sides of all of its devices is
        driven from both, and the two are joined outside.
        """
        found = self._pins.get(label, [])
        if len(found) != 2 or not terminals or not grammar.is_row(label):
            return found[:1]
        boxes = [t.box for t in terminals]
        for axis in (0, 1):
            at = sorted((pin.x, pin.y)[axis] for pin in found)
            low, high = min(b[axis] for b in boxes), max(b[axis + 2] for b in boxes)
            if at[0] <= low and high <= at[1]:
                first, second = sorted(found, key=lambda pin: (pin.x, pin.y))
                return [first, replace(second, joined=True)]
        return found[:1]

    def terminals(self, net: FlatNet) -> list[Terminal]:
        """Return device terminals; the key is the position in `FlatNetlist.terminals`."""
        flat = self.layout.flat
        found = []
        for key, (number, position) in enumerate(flat.terminals[net.number]):
            device = flat.devices[number]
            terminal = device.kind.terminals[position]
            conductor = self.layout.touches(device, terminal)
            if conductor in self.rates.sheet_ohm_sq or conductor in _DIFFUSIONS:
                found.append(Terminal(key, conductor, self._box(device, terminal)))
        return found

    def _box(self, device: FlatDevice, terminal: str) -> tuple[int, int, int, int]:
        layer = self.layout.l2n.layer_index(device.kind.terminal_layer(terminal))
        local = self._local_box(device.cell, layer)
        box = local.transformed(device.trans).to_itype(self.layout.dbu)
        return (box.left, box.bottom, box.right, box.top)

    @lru_cache(maxsize=256)  # noqa: B019 - lives and dies with one extraction
    def _local_box(self, cell: int, layer: int) -> db.DBox:
        layout = self.layout.l2n.internal_layout()
        return layout.cell(cell).bbox_per_layer(layer).to_dtype(layout.dbu)
