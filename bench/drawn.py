"""Circuits of drawn layouts by formulas written anew, to judge our LVS by.

Nothing here is taken from `crossstack.lvs`: layers are joined where they touch, and nets and
devices compared by their labels and neighbours.
"""

from __future__ import annotations

import collections
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import klayout.db as db

from crossstack.pdk import Tech

#: conductor -> drawn formula; written here anew, not taken from crossstack.lvs
WIRES = ("Metal1", "Metal2", "Metal3", "Metal4", "Metal5", "BE", "ME", "TE")
_CONDUCTORS = ("Poly2", *WIRES)
_CUTS = (
    ("Via1", "Metal1", "Metal2"), ("Via2", "Metal2", "Metal3"), ("Via3", "Metal3", "Metal4"),
    ("Via4", "Metal4", "Metal5"), ("VBE", "Metal5", "BE"), ("VME", "Metal5", "ME"),
    ("VTE", "Metal5", "TE"), ("Contact", "Metal1", "Poly2"), ("Contact", "Metal1", "diffusion"),
)  # fmt: skip


def flat(layout: db.Layout, tech: Tech) -> dict[str, db.Region]:
    """Return every layer of a layout, flat and merged."""
    top = layout.top_cells()[0]
    found = {}
    for layer in tech.layers:
        index = layout.find_layer(*layer.gds)
        region = db.Region() if index is None else db.Region(top.begin_shapes_rec(index))
        found[layer.name] = region.merged()
    return found


def same_drawing(a: db.Layout, b: db.Layout, tech: Tech) -> bool:
    """Tell whether two layouts draw the same shapes and texts."""
    one, two = flat(a, tech), flat(b, tech)
    if any(not (one[name] ^ two[name]).is_empty() for name in one):
        return False
    return labels(a, tech) == labels(b, tech)


def labels(layout: db.Layout, tech: Tech) -> collections.Counter[tuple[str, str, int, int]]:
    """Return the texts of the top cell: layer, string, place."""
    top = layout.top_cells()[0]
    return collections.Counter(
        (layer.name, s.text.string, s.text.x, s.text.y)
        for layer in tech.layers
        if (index := layout.find_layer(*layer.gds)) is not None
        for s in top.shapes(index).each(db.Shapes.STexts)
    )


@dataclass
class Circuit:
    """Pieces of conductors joined to nets, and the devices between them."""

    parent: list[int] = field(default_factory=list)
    names: dict[int, set[str]] = field(default_factory=lambda: collections.defaultdict(set))
    devices: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = field(default_factory=list)

    def root(self, k: int) -> int:
        while self.parent[k] != k:
            self.parent[k] = self.parent[self.parent[k]]
            k = self.parent[k]
        return k

    def join(self, a: int, b: int) -> None:
        self.parent[self.root(a)] = self.root(b)


class Pieces:
    """The polygons of one conductor, each with its number, found by place."""

    def __init__(self, region: db.Region, first: int) -> None:
        self.layout = db.Layout()
        self.cell, self.layer = self.layout.create_cell("p"), self.layout.layer(1, 0)
        self.numbers = {}
        for number, polygon in enumerate(region.merged().each()):
            self.cell.shapes(self.layer).insert(polygon)
            self.numbers[polygon] = first + number

    def under(self, polygon: db.Polygon) -> Iterator[int]:
        """Yield the pieces that touch a polygon along an edge or overlap it."""
        for shape in self.cell.shapes(self.layer).each_touching(polygon.bbox()):
            both = db.Region(shape.polygon).interacting(db.Region(polygon))
            if not both.is_empty():
                yield self.numbers[shape.polygon]


def circuit(layout: db.Layout, tech: Tech, pins: Collection[str]) -> Circuit:
    """Return nets and devices of a layout, flat, by formulas of this file; pins name nets."""
    r = flat(layout, tech)
    r["diffusion"] = r["COMP"] - r["Poly2"]
    found, pieces = Circuit(), {}
    bare = {"BE": r["BE"] & r["ME"] - r["TIO2_B"] - r["TIO2X_B"],
            "TE": r["TE"] & r["ME"] - r["TIO2_T"] - r["TIO2X_T"]}  # fmt: skip
    for name in (*_CONDUCTORS, "diffusion"):
        pieces[name] = Pieces(r[name], len(found.parent))
        found.parent += range(len(found.parent), len(found.parent) + len(pieces[name].numbers))
    for cut, low, high in _CUTS:
        for polygon in r[cut].each():
            ends = [*pieces[low].under(polygon), *pieces[high].under(polygon)]
            for end in ends[1:]:
                found.join(ends[0], end)
    for outer, region in bare.items():
        for polygon in region.merged().each():
            for a in pieces[outer].under(polygon):
                for b in pieces["ME"].under(polygon):
                    found.join(a, b)
    well, tap = r["Nwell"], r["Pplus"]
    for polygon in (r["COMP"] & r["Poly2"]).merged().each():
        gate = [*pieces["Poly2"].under(polygon)]
        ends = sorted(pieces["diffusion"].under(polygon))
        kind = "p" if not (db.Region(polygon) & well).is_empty() else "n"
        kind += "+" if not (db.Region(polygon) & tap).is_empty() else ""
        box = polygon.bbox()
        found.devices.append((kind, (box.width(), box.height()), (gate[0], *ends)))
    for tier, films in (("BE", ("TIO2_B", "TIO2X_B")), ("TE", ("TIO2_T", "TIO2X_T"))):
        body = (r[tier] & r["ME"] & r[films[0]] & r[films[1]]).merged()
        for polygon in body.each():
            ends = [next(pieces[tier].under(polygon)), next(pieces["ME"].under(polygon))]
            found.devices.append((tier, (polygon.area(),), tuple(ends)))
    for layer, text, x, y in labels(layout, tech):
        name = layer.removesuffix("_Label")
        if name in pieces and text.upper() in pins:
            for end in pieces[name].under(db.Polygon(db.Box(x, y, x + 1, y + 1))):
                found.names[found.root(end)].add(text)
    return found


def signature(found: Circuit) -> collections.Counter[int]:
    """Return the devices by kind, size and nets, nets told apart by labels and neighbours."""
    color = {k: hash(tuple(sorted(found.names.get(k, ())))) for k in map(found.root, found.parent)}
    devices = [(kind, size, [found.root(n) for n in nets]) for kind, size, nets in found.devices]

    def mark(kind: str, size: tuple[int, ...], nets: list[int]) -> int:
        colors = [color[n] for n in nets]
        if kind[0] in "np":  # source and drain may be exchanged
            colors = [colors[0], *sorted(colors[1:])]
        return hash((kind, size, tuple(colors)))

    for _ in range(6):
        seen: dict[int, list[int]] = collections.defaultdict(list)
        for kind, size, nets in devices:
            own = mark(kind, size, nets)
            for position, net in enumerate(nets):
                seen[net].append(hash((own, position if kind[0] not in "np" else position > 0)))
        color = {net: hash((old, tuple(sorted(seen.get(net, ()))))) for net, old in color.items()}
    return collections.Counter(mark(*device) for device in devices)
