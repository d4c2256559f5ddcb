"""A shape to measure, drawn once: as a scene for solvers and as a layout for extraction."""

from __future__ import annotations

from dataclasses import dataclass, field

import klayout.db as db
from shapely import Polygon, box
from shapely.geometry.polygon import orient

from crossstack.extract.field.dielectric import FILL_K, Dielectrics
from crossstack.extract.field.scene import Conductor, Insulator, Points, Scene
from crossstack.pdk import Tech

#: what lies in the silicon has its height
SILICON_UM = 0.0


@dataclass(frozen=True)
class Part:
    """A polygon of a net on a film or cut of the process.

    Attributes:
        net: its net; "" for an insulator.
        film: name in the process's tables of films or cuts.
        points: corners in um.
    """

    net: str
    film: str
    points: Points


def rect(net: str, film: str, x1: float, y1: float, x2: float, y2: float) -> Part:
    """Return a rectangle."""
    return Part(net, film, ((x1, y1), (x2, y1), (x2, y2), (x1, y2)))


@dataclass(frozen=True)
class Shape:
    """Something whose capacitances are known from a field.

    Attributes:
        name: what it is called in tables and in published.csv.
        kind: of what kind.
        parts: all of it.
        window: what of it is solved; ends on planes of symmetry or far away.
        copies: windows that make up the whole.
        top_um: height where the field ends.
        words: what it is, for readers.
    """

    name: str
    kind: str
    parts: tuple[Part, ...]
    window: tuple[float, float, float, float]
    copies: int = 1
    top_um: float = 40.0
    words: str = ""
    scene_given: Scene | None = field(default=None, repr=False)

    def scene(self, tech: Tech) -> Scene:
        """Return the scene of its window."""
        if self.scene_given is not None:
            return self.scene_given
        bodies = [
            Conductor(part.net, *heights(part.film, tech), cut)
            for part in self.parts
            if part.net and (cut := _within(part.points, self.window))
        ]
        drawn = [
            Insulator(*heights(part.film, tech), tech.film(part.film).permittivity or 1.0, cut)
            for part in self.parts
            if not part.net and (cut := _within(part.points, self.window))
        ]
        return Scene(self.window, self.top_um, tuple(bodies), (*insulators(tech), *drawn))

    def layout(self, tech: Tech) -> db.Layout:
        """Return a layout of the whole with a label on every net's first part."""
        layout = db.Layout()
        layout.dbu = tech.dbu_um
        top = layout.create_cell("SHAPE")
        labelled: set[str] = set()
        cuts = {cut.name: cut.layer for cut in tech.cuts}
        for part in self.parts:
            polygon = db.DPolygon([db.DPoint(*p) for p in part.points])
            layer = cuts.get(part.film, part.film)
            top.shapes(layout.layer(*tech.gds(layer))).insert(polygon)
            if not part.net or part.net in labelled or part.film in cuts:
                continue
            labelled.add(part.net)
            at = Polygon(part.points).representative_point()
            label = layout.layer(*tech.gds(tech.label_of[part.film]))
            top.shapes(label).insert(db.DText(part.net, db.DTrans(db.DVector(at.x, at.y))))
        return layout


def heights(film: str, tech: Tech) -> tuple[float, float]:
    """Return the lower and the upper face of a film, or of a cut between its films, in um."""
    for cut in tech.cuts:
        if cut.name == film:
            low = tech.heights_um[cut.lower][1] if cut.lower in tech.heights_um else SILICON_UM
            return low, tech.heights_um[cut.upper][0]
    return tech.heights_um[film]


def insulators(tech: Tech) -> tuple[Insulator, ...]:
    """Return the films of the stack that are everywhere; oxide fills what they leave."""
    stack = Dielectrics.of(tech)
    top = max(high for _, high in stack.films.values())
    flat = [
        Insulator(*tech.heights_um[f.name], f.permittivity)
        for f in tech.films
        if f.permittivity is not None and f.name not in tech.drawn_insulators
    ]
    return (Insulator(0.0, top, FILL_K), *flat)


def _within(points: Points, window: tuple[float, float, float, float]) -> tuple[Points, ...]:
    """Return what of a polygon lies in a window."""
    common = Polygon(points).intersection(box(*window))
    parts = getattr(common, "geoms", [common])
    return tuple(
        tuple(orient(p).exterior.coords[:-1]) for p in parts if isinstance(p, Polygon) and p.area
    )
