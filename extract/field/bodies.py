"""A layout as bodies: each net's metals, poly, cuts and diffusions with their heights.

* The silicon, its wells and their taps are ground. Diffusions of transistors are conductors of
  their nets, as thin as `_DIFFUSION_UM`; right below them and under gates there is no field, for
  that is the transistor's: junctions and the gate over its channel. Field from the sides of a gate
  and of its channel to its own source and drain within `_SPACER_UM` counts with the transistor,
  too, as in its BSIM model.
* Films without a mask lie everywhere, those of memristors where they are drawn, at the heights of
  the table of films; where no film is named there is oxide, and air over the last film.
"""

from __future__ import annotations

from collections.abc import Iterator

import klayout.db as db

from ...lvs import ExtractedLayout, FlatNet
from ...pdk import Tech
from ...pdk.nets import Device
from .dielectric import FILL_K
from .netcap import GROUND
from .scene import Conductor, Insulator, Points, Scene

#: air above the last film, um, at least
_AIR_UM = 3.0
#: depth of source and drain, and of the gap between a gate and the silicon (its oxide, which is
#: the transistor's, is thinner), um; the field outside hardly knows either
_DIFFUSION_UM, _GATE_GAP_UM = 0.1, 0.02
#: what gates lie on
_CHANNEL = "channel"
#: reach of a transistor's own field beside its channel, um
_SPACER_UM = 0.1

Span = tuple[float, float]


class Bodies:
    """The conductors of a layout by place.

    Args:
        layout: nets and devices.
        tech: technology.
    """

    def __init__(self, layout: ExtractedLayout, tech: Tech) -> None:
        self.layout, self.tech, self.dbu = layout, tech, layout.dbu
        self.spans = _spans(tech)
        self._flat = db.Layout()
        self._cell = self._flat.create_cell("NETS")
        self._layers = {name: self._flat.layer(k + 1, 0) for k, name in enumerate(self.spans)}
        self._net_of: dict[int, int] = {}
        for net in layout.flat.nets:
            self._insert(net)
        poly, active = (_drawn(layout, (tech.roles.layer(r),)) for r in ("poly", "diffusion"))
        beside = {GROUND: _drawn(layout, ground_layers(tech)), _CHANNEL: poly & active}
        beside |= {name: _drawn(layout, (name,)) for name in tech.drawn_insulators}
        # what is on no net, by name
        self._beside: dict[str, int] = {}
        for name, region in beside.items():
            self._beside[name] = self._flat.layer(len(self.spans) + len(self._beside) + 1, 0)
            self._cell.shapes(self._beside[name]).insert(region)

    def _insert(self, net: FlatNet) -> None:
        mine = self._flat.properties_id({0: net.number})
        self._net_of[mine] = net.number
        for name, region in self.layout.net_shapes(net).items():
            if name in self._layers:
                target = self._cell.shapes(self._layers[name])
                for polygon in region.merged().each():
                    target.insert(polygon, mine)

    @property
    def bbox(self) -> db.Box:
        """What the conductors cover, in dbu."""
        found = db.Box()
        for layer in self._layers.values():
            found += self._cell.bbox_per_layer(layer)
        return found

    def count(self, box: db.Box) -> int:
        """Return how many shapes of conductors and cuts touch a box."""
        found = (self._cell.shapes(layer).each_touching(box) for layer in self._layers.values())
        return sum(1 for shapes in found for _ in shapes)

    def near(self, box: db.Box) -> list[tuple[str, int, db.Region]]:
        """Return (layer, net, shapes) within a box, clipped to it, in a set order."""
        found: dict[tuple[str, int], db.Region] = {}
        for name, layer in self._layers.items():
            for shape in self._cell.shapes(layer).each_touching(box):
                key = name, self._net_of[shape.prop_id]
                found.setdefault(key, db.Region()).insert(shape.polygon)
        clip = db.Region(box)
        clipped = ((name, net, region & clip) for (name, net), region in found.items())
        return [each for each in clipped if not each[2].is_empty()]

    def fingerprint(self, box: db.Box) -> tuple[tuple[object, ...], tuple[int, ...]]:
        """Return what a box holds wherever it lies, far faster than its scene, and its nets.

        Two boxes of one fingerprint hold the same, and their nets are alike in the order given.
        """
        home = db.Vector(-box.left, -box.bottom)

        def text(region: db.Region) -> str:
            return ";".join(sorted(str(p) for p in region.moved(home).merged().each()))

        found = [(name, text(region), net) for name, net, region in self.near(box)]
        order: dict[int, int] = {}
        shapes = [(name, t, order.setdefault(net, len(order))) for name, t, net in sorted(found)]
        rest = [text(self._inside(name, box)) for name in self._beside]
        return (box.width(), box.height(), *shapes, *rest), tuple(order)

    def _inside(self, name: str, box: db.Box) -> db.Region:
        """Return what is on no net within a box, clipped to it."""
        shapes = self._cell.shapes(self._beside[name]).each_touching(box)
        return db.Region([shape.polygon for shape in shapes]) & db.Region(box)

    def scene(self, box: db.Box, air_um: float = _AIR_UM) -> Scene:
        """Return what lies in a box, relative to its lower left corner; nets: see `net_label`.

        Args:
            box: in dbu.
            air_um: air above the last film, where it is more than is always there.
        """
        home = db.ICplxTrans(1.0, 0.0, False, -box.left, -box.bottom)
        tech = self.tech
        surface = _surface(tech) - _GATE_GAP_UM

        def points(region: db.Region) -> tuple[Points, ...]:
            return tuple(_points(region.transformed(home), self.dbu))

        silicon = points(self._inside(GROUND, box) + self._inside(_CHANNEL, box))
        conductors = [Conductor(GROUND, 0.0, surface, silicon)] if silicon else []
        junctions, feet = db.Region(), db.Region()
        for name, net, region in self.near(box):
            polygons = tuple(_points(region.transformed(home), self.dbu))
            conductors.append(Conductor(net_label(net), *self.spans[name], polygons))
            if name in diffusion_layers(tech):
                junctions += region
            elif self.spans[name][0] == surface:
                feet += region & self._inside(GROUND, box)
        insulators = list(_blanket(tech))
        for name in tech.drawn_insulators:
            if drawn := points(self._inside(name, box)):
                film = next(f for f in tech.films if f.name == name)
                insulators.append(
                    Insulator(*tech.heights_um[name], film.permittivity or 1.0, drawn)
                )
        spacer = round(_SPACER_UM / self.dbu)
        channels = self._inside(_CHANNEL, box.enlarged(spacer, spacer)).sized(spacer)
        if around := points(feet.sized(spacer) & db.Region(box)):
            insulators.append(Insulator(surface, surface + _GATE_GAP_UM, 0.0, around))
        if gates := points(channels & db.Region(box)):
            # beside a channel down to the junctions, too: source and drain touch it, and where two
            # potentials meet a field is without bounds
            low = surface - _DIFFUSION_UM
            insulators.append(Insulator(low, surface + _GATE_GAP_UM, 0.0, gates))
        if under := points(junctions):
            insulators.append(Insulator(0.0, surface - _DIFFUSION_UM, 0.0, under))
        window = (0.0, 0.0, box.width() * self.dbu, box.height() * self.dbu)
        top = max(high for _, high in tech.heights_um.values()) + max(air_um, _AIR_UM)
        return Scene(window, top, tuple(conductors), tuple(insulators))


def net_label(number: int) -> str:
    """Return what a net of the layout is called in a scene."""
    return f"net{number}"


def diffusion_layers(tech: Tech) -> tuple[str, ...]:
    """Return the conductors that are sources and drains."""
    kinds = _transistors(tech)
    return tuple(dict.fromkeys(d.conductor(end) for d in kinds for end in ("D", "S")))


def ground_layers(tech: Tech) -> tuple[str, ...]:
    """Return the conductors in the silicon that stand still: taps."""
    wells = {d.conductor("B") for d in _transistors(tech)}
    return tuple(set(tech.nets.silicon) - set(diffusion_layers(tech)) - wells)


def _transistors(tech: Tech) -> list[Device]:
    return [device for device in tech.nets.devices if not device.is_memristor]


def _surface(tech: Tech) -> float:
    """Return the height of the silicon's surface over that under the field oxide, um."""
    return tech.heights_um[tech.films[0].name][1]


def _spans(tech: Tech) -> dict[str, Span]:
    """Return conductor or cut -> (bottom, top) in um."""
    z, surface = tech.heights_um, _surface(tech) - _GATE_GAP_UM
    found = {name: z[name] for name in tech.conductors}
    found |= dict.fromkeys(diffusion_layers(tech), (surface - _DIFFUSION_UM, surface))
    for cut in tech.cuts:
        low = z[cut.lower][1] if cut.lower in z else surface
        found[cut.name] = (low, z[cut.upper][0])
    return {name: span for name, span in found.items() if span[0] < span[1]}


def _blanket(tech: Tech) -> Iterator[Insulator]:
    """Yield the films that lie everywhere."""
    yield Insulator(0.0, max(high for _, high in tech.heights_um.values()), FILL_K)
    for film in tech.films:
        if film.permittivity is not None and film.name not in tech.drawn_insulators:
            yield Insulator(*tech.heights_um[film.name], film.permittivity)


def _drawn(layout: ExtractedLayout, names: tuple[str, ...]) -> db.Region:
    """Return the drawn or derived layers of a layout, flat."""
    found = db.Region()
    for name in names:
        region = layout.regions.get(name)
        if region is None:
            index = layout.layout.find_layer(*layout.tech.gds(name))
            region = (
                db.Region() if index is None else db.Region(layout.cell.begin_shapes_rec(index))
            )
        found += region
    return db.Region(list(found.merged().each()))


def _points(region: db.Region, dbu: float) -> Iterator[Points]:
    """Yield polygons without holes, boxes where they have right angles only, in a set order."""
    merged = region.merged()
    right = merged.is_box() or all(p.is_rectilinear() for p in merged.each())
    parts = (
        merged.decompose_trapezoids_to_region() if right else merged.decompose_convex_to_region()
    )
    yield from sorted(
        tuple((p.x * dbu, p.y * dbu) for p in polygon.each_point_hull()) for polygon in parts.each()
    )
