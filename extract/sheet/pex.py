"""KLayout's own resistance extractor, to set ours against: square counting or tesselation."""

from __future__ import annotations

from typing import Any, Literal

import klayout.db as db
import klayout.pex
import numpy as np
from numpy.typing import NDArray

from ...pdk import CrossStackError
from .field import SheetPort

#: the package's type stubs leave these classes out
kpex: Any = klayout.pex

Method = Literal["square", "tesselation"]
Floats = NDArray[np.float64]

#: triangles per area of the narrowest port side squared; coarser ones are off by up to 28 %
_TRIANGLE = 0.01


def pex_squares(
    polygon: db.Polygon,
    ports: list[SheetPort],
    method: Method = "tesselation",
    max_area_um2: float | None = None,
    dbu_um: float = 0.001,
) -> Floats:
    """Return the impedance matrix in squares of KLayout's extractor, port 0 as the reference.

    Args:
        polygon: conductor in dbu.
        ports: patches and slices; KLayout takes them as equipotential.
        method: KLayout's algorithm.
        max_area_um2: largest triangle; None derives it from the shape, 0 leaves
            KLayout's default (tesselation only).
        dbu_um: database unit.

    Raises:
        CrossStackError: if KLayout leaves a port unconnected.
    """
    layer = 1
    conductor = kpex.RExtractorTechConductor()
    conductor.layer, conductor.resistance = layer, 1.0
    if method == "tesselation":
        conductor.algorithm = kpex.RExtractorTechConductor.Tesselation
        conductor.triangulation_max_area = (
            _triangle_area(polygon, dbu_um) if max_area_um2 is None else max_area_um2
        )
    tech = kpex.RExtractorTech()
    tech.add_conductor(conductor)
    boxes = [db.Polygon(_thickened(p, polygon)) for p in ports]
    extractor = kpex.RNetExtractor(dbu_um)
    network = extractor.extract(tech, {layer: db.Region(polygon)}, {}, {layer: boxes})
    return _impedance(network, len(ports))


def _triangle_area(polygon: db.Polygon, dbu_um: float) -> float:
    """Return a triangle size that leaves about a percent of error in a bend."""
    narrow = 2 * polygon.area() / polygon.perimeter()
    return max(float(_TRIANGLE * (narrow * dbu_um) ** 2), 1e-6)


def _thickened(port: SheetPort, polygon: db.Polygon) -> db.Box:
    """Return a port's box; a slice gets one dbu of depth, into the shape."""
    box = db.Box(*port.box)
    if not port.is_slice:
        return box
    ways = ((0, 0, 1, 0), (-1, 0, 0, 0)) if box.width() == 0 else ((0, 0, 0, 1), (0, -1, 0, 0))
    for d in ways:
        grown = db.Box(box.left + d[0], box.bottom + d[1], box.right + d[2], box.top + d[3])
        if not (db.Region(polygon) & db.Region(grown)).is_empty():
            return grown
    raise CrossStackError(f"port {port.box} does not touch its shape")


def _impedance(network: Any, n_ports: int) -> Floats:
    """Return the impedance matrix of a KLayout network, port 0 as the reference."""
    index: dict[int, int] = {}
    for node in network.each_node():
        is_port = node.type() == kpex.RNode.PolygonPort
        number = node.port_index() if is_port else n_ports + len(index)
        index[node.object_id()] = number
    order = {number: i for i, number in enumerate(sorted(set(index.values())))}
    if any(i not in order for i in range(n_ports)):
        raise CrossStackError("KLayout's extractor left a port unconnected")
    matrix = np.zeros((len(order), len(order)))
    for element in network.each_element():
        a = order[index[element.a().object_id()]]
        b = order[index[element.b().object_id()]]
        ohm = element.resistance()
        g = 1.0 / ohm if abs(ohm) > 1e-12 else 1e12
        matrix[[a, b], [a, b]] += g
        matrix[[a, b], [b, a]] -= g
    inverse = np.linalg.inv(matrix[1:, 1:])
    z: Floats = np.asarray(inverse[: n_ports - 1, : n_ports - 1], dtype=np.float64)
    return (z + z.T) / 2
