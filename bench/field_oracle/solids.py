"""From a scene to a mesh of tetrahedra: flat slabs, glued and meshed by netgen.

A scene is a pile of prisms, so it is cut at every height where something begins or ends, and each
slab is a plane figure (shapely) that is pulled up. All of it is drawn in the lengths of `axes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from shapely import Polygon, box, set_precision, unary_union
from shapely.geometry.base import BaseGeometry
from shapely.ops import transform

from crossstack.extract.field.scene import Points, Scene

from .axes import DIGITS, GRID_UM, Axis

#: permittivity where a scene names no insulator
AIR = 1.0
#: largest triangle on a conductor in the first mesh, um, and as a share of the window
METAL_UM, METAL_SHARE = 0.6, 0.2
#: what of a conductor is kept out of the mesh, and how a net's faces and insulators are named
METAL, NET, FILM = "metal", "net:", "k:"


@dataclass(frozen=True)
class Slab:
    """One layer of a scene between two heights.

    Attributes:
        low, high: heights in um.
        nets: conductors by net.
        insulators: where each permittivity is.
    """

    low: float
    high: float
    nets: dict[str, BaseGeometry]
    insulators: dict[float, BaseGeometry]

    def same(self, other: Slab) -> bool:
        """Tell whether two slabs hold the same figures."""
        return all(
            mine.keys() == theirs.keys() and all(mine[k].equals(theirs[k]) for k in mine)
            for mine, theirs in ((self.nets, other.nets), (self.insulators, other.insulators))
        )


def slabs(scene: Scene, breaks: tuple[float, ...] = ()) -> list[Slab]:
    """Cut a scene into slabs; those that hold the same are one, but at a break."""
    bodies = [*scene.conductors, *scene.insulators]
    heights = {0.0, scene.top_um, *breaks} | {h for b in bodies for h in (b.low_um, b.high_um)}
    every = sorted({round(h, DIGITS) for h in heights if 0 <= h <= scene.top_um})
    kept = {round(h, DIGITS) for h in breaks}
    found: list[Slab] = []
    for low, high in pairwise(every):
        one = _slab(scene, low, high)
        if found and low not in kept and found[-1].same(one):
            one = Slab(found.pop().low, high, one.nets, one.insulators)
        found.append(one)
    return found


def levels(scene: Scene) -> list[float]:
    """Return the heights at which something begins or ends, bottom and top included."""
    pile = slabs(scene)
    return [pile[0].low, *(slab.high for slab in pile)]


def _slab(scene: Scene, low: float, high: float) -> Slab:
    window, middle = box(*scene.window), (low + high) / 2
    nets: dict[str, BaseGeometry] = {}
    for body in scene.conductors:
        if body.low_um < middle < body.high_um:
            mine = _union(body.polygons).intersection(window)
            nets[body.net] = nets[body.net].union(mine) if body.net in nets else mine
    nets = {net: _clean(shape) for net, shape in nets.items() if shape.area > 0}
    left = _clean(window.difference(unary_union(list(nets.values()))))
    insulators: dict[float, BaseGeometry] = {}
    for film in scene.insulators[::-1]:
        if not film.low_um < middle < film.high_um:
            continue
        mine = left if film.polygons is None else left.intersection(_union(film.polygons))
        left = left.difference(mine)
        _add(insulators, film.permittivity, mine)
    _add(insulators, AIR, left)
    return Slab(low, high, nets, {k: _clean(shape) for k, shape in insulators.items()})


def _add(where: dict[float, BaseGeometry], k: float, shape: BaseGeometry) -> None:
    if shape.area > GRID_UM:
        where[k] = where[k].union(shape) if k in where else shape


def _union(polygons: tuple[Points, ...]) -> BaseGeometry:
    return unary_union([Polygon(points) for points in polygons])


def _clean(shape: BaseGeometry) -> BaseGeometry:
    return set_precision(shape, GRID_UM).simplify(0)


def _parts(shape: BaseGeometry) -> Iterator[Polygon]:
    for part in getattr(shape, "geoms", [shape]):
        if isinstance(part, Polygon) and part.area > GRID_UM:
            yield part


def tetrahedra(
    scene: Scene, axes: tuple[Axis, Axis, Axis], *, largest_um: float, grading: float = 0.4
) -> Any:
    """Return a netgen mesh of the insulators, drawn in x and y, at true heights.

    It is refined there: across a thin film that is cut sideways first, as it must be where the
    field changes along it, and along a line no more often than across.

    Args:
        scene: what to mesh.
        axes: how it is drawn.
        largest_um: largest tetrahedron.
        grading: how fast they grow, 0..1.
    """
    from netgen.meshing import MeshingParameters
    from netgen.occ import Compound, Glue, OCCGeometry

    x, y, z = axes
    x1, y1, x2, y2 = scene.window
    fine = min(METAL_UM, METAL_SHARE * min(x2 - x1, y2 - y1))
    solids = []
    for slab in slabs(scene, tuple(z.true)):
        low, high = float(z(slab.low)), float(z(slab.high))
        for net, shape in slab.nets.items():
            solids += [_solid(p, low, high, METAL, NET + net, fine) for p in _drawn(shape, x, y)]
        for k, shape in slab.insulators.items():
            # without permittivity there is no field, as in a conductor, but at no potential
            name = f"{FILM}{k!r}" if k > 0 else METAL
            solids += [_solid(p, low, high, name, "", fine) for p in _drawn(shape, x, y)]
    kept = Compound([s for s in Glue(solids).solids if s.name != METAL])
    for face in kept.faces:
        if face.center.z < 1e-6:
            face.name = NET + "0"
    parameters = MeshingParameters(maxh=largest_um, grading=grading, parallel_meshing=False)
    return _at_heights(OCCGeometry(kept).GenerateMesh(mp=parameters), z)


def _drawn(shape: BaseGeometry, x: Axis, y: Axis) -> Iterator[Polygon]:
    """Yield a figure's parts as drawn, each within one slope of both axes."""
    for a, c in pairwise(x.true):
        for b, d in pairwise(y.true):
            part = shape.intersection(box(a, b, c, d))
            yield from _parts(transform(lambda p, q: (x(np.array(p)), y(np.array(q))), part))


def _at_heights(mesh: Any, z: Axis) -> Any:
    """Return a mesh at its true heights, without the geometry that would pull its points back."""
    from netgen.meshing import Element2D, Element3D, FaceDescriptor, Mesh, MeshPoint
    from netgen.meshing import Pnt as Point

    result = Mesh(3)
    at = np.array(mesh.Coordinates())
    at[:, 2] = z.back(at[:, 2])
    ids = [result.Add(MeshPoint(Point(*p))) for p in at]
    for k in range(1, mesh.GetNFaceDescriptors() + 1):
        old = mesh.FaceDescriptor(k)
        result.Add(FaceDescriptor(surfnr=k, domin=old.domin, domout=old.domout, bc=k))
        result.SetBCName(k - 1, mesh.GetBCName(k - 1))
    for of, kind in ((mesh.Elements2D(), Element2D), (mesh.Elements3D(), Element3D)):
        for element in of:
            result.Add(kind(element.index, [ids[v.nr - 1] for v in element.vertices]))
    for k in range(1, 1 + max(e.index for e in mesh.Elements3D())):
        result.SetMaterial(k, mesh.GetMaterial(k))
    return result


def _solid(
    polygon: Polygon, low: float, high: float, material: str, faces: str, metal_um: float
) -> Any:
    from netgen.occ import Face, Vec

    figure = Face(_wire(polygon.exterior.coords, low))
    for hole in polygon.interiors:
        figure = figure - Face(_wire(hole.coords, low))
    solid = figure.Extrude(Vec(0, 0, high - low))
    solid.solids.name = material
    if faces:
        solid.faces.name = faces
        solid.faces.maxh = metal_um
    return solid


def _wire(corners: Any, height: float) -> Any:
    from netgen.occ import Pnt, Segment, Wire

    points = [Pnt(x, y, height) for x, y in corners]
    return Wire([Segment(a, b) for a, b in pairwise(points)])
