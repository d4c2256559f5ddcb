"""The narrow places of a piece: straight cuts with a length, and which ports lie on either side.

Whatever current two sides exchange passes the cut between them, so the shortest cut between two
ports is the width that counts for electromigration. In a Manhattan shape a shortest straight cut
runs along an axis, or between two corners that point into the metal. Every cut along an axis lies
in a slab, a rectangle in which the cross-section does not change; there are only so many of them.

What one cut cannot separate because the piece has a hole counts as if it could: too short a
width, never too long a one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import hypot, inf

import klayout.db as db

from .field import SheetPort


@dataclass(frozen=True)
class Narrow:
    """One cut.

    Attributes:
        side: numbers of the ports on one side.
        length: length in dbu.
    """

    side: frozenset[int]
    length: float


@dataclass(frozen=True)
class _Slab:
    """A rectangle of constant cross-section: from x1 to x2, between its edges y1 and y2."""

    x1: int
    x2: int
    y1: int
    y2: int


def narrows(polygon: db.Polygon, ports: list[SheetPort]) -> list[Narrow]:
    """Return the shortest cut for every way in which straight cuts part the ports of a piece.

    Args:
        polygon: Manhattan shape in dbu.
        ports: on it; each port is also parted from the others by its own outline.
    """
    whole = frozenset(range(len(ports)))
    found: dict[frozenset[int], float] = {}
    outlines = [_outline(polygon, port) for port in ports]
    cuts = [(frozenset({k}), length) for k, length in enumerate(outlines) if length > 0]
    for turned in (False, True):
        way = polygon.transformed(db.Trans.M45) if turned else polygon
        boxes = [_turned(p.box) if turned else p.box for p in ports]
        cuts += _axis_cuts(way, boxes)
    diagonals = list(_diagonals(polygon, max((length for _, length in cuts), default=0.0)))
    if polygon.holes():  # which ports they part is not known: they count for all
        cap = min((hypot(q.x - p.x, q.y - p.y) for p, q, _ in diagonals), default=inf)
        cuts = [(side, min(length, cap)) for side, length in cuts]
    else:
        for p, q, part in diagonals:
            cuts += _diagonal_partings(hypot(q.x - p.x, q.y - p.y), part, ports)
    for side, length in cuts:
        one = side if 0 in side else whole - side  # a cut has two sides and one name
        if one != whole:
            found[one] = min(length, found.get(one, length))
    return [Narrow(side, length) for side, length in found.items()]


def _around(port: SheetPort) -> float:
    """Return the length of a slice, or all around a patch."""
    x1, y1, x2, y2 = port.box
    return float(x2 - x1 + y2 - y1) * (1 if port.is_slice else 2)


def _outline(polygon: db.Polygon, port: SheetPort) -> float:
    """Return the length of a port's outline inside the metal."""
    x1, y1, x2, y2 = port.box
    if port.is_slice:
        return _around(port)
    edges = db.Region(db.Box(x1, y1, x2, y2)).edges()
    return float(edges.inside_part(db.Region(polygon)).length())


def _turned(box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return (box[1], box[0], box[3], box[2])


def _axis_cuts(
    polygon: db.Polygon, ports: list[tuple[int, int, int, int]]
) -> Iterator[tuple[frozenset[int], float]]:
    """Yield the cuts along y, through slabs and between them, with the ports on one side."""
    slabs = _slabs(polygon, {x for box in ports for x in (box[0], box[2])})
    ending: dict[int, list[_Slab]] = {}
    for slab in slabs:
        ending.setdefault(slab.x2, []).append(slab)
    graph: dict[_Slab, list[_Slab]] = {slab: [] for slab in slabs}
    joints = []
    for slab in slabs:
        for other in ending.get(slab.x1, ()):
            if other.y1 < slab.y2 and slab.y1 < other.y2:
                graph[slab].append(other)
                graph[other].append(slab)
                joints.append((other, slab))
    touched = [{s for s in slabs if _touches(s, box)} for box in ports]
    for slab in slabs:
        left = _reach([s for s in graph[slab] if s.x1 < slab.x1], slab, graph)
        right = _reach([s for s in graph[slab] if s.x1 > slab.x1], slab, graph)
        if left & right:  # around a hole: as if the cut went all the way
            left = {s for s in slabs if s.x2 <= slab.x1}
            right = {s for s in slabs if s.x1 >= slab.x2}
        yield from _slab_partings(slab, left, right, ports, touched)
    for a, b in joints:
        left, right = _reach([a], b, graph), _reach([b], a, graph)
        if left & right:
            left = {s for s in slabs if s.x2 <= a.x2}
            right = {s for s in slabs if s.x1 >= b.x1}
        low, high = max(a.y1, b.y1), min(a.y2, b.y2)
        if any(_ends_on(box, b.x1, (low, high)) for box in ports):
            continue
        length = float(high - low)
        on_left = {k for k, mine in enumerate(touched) if mine & left}
        across = {k for k in on_left if touched[k] & right}
        yield from _partings(on_left - across, across, length, ports, (b.x1, b.x1))


def _slabs(polygon: db.Polygon, marks: set[int]) -> list[_Slab]:
    """Cut a polygon at every corner's and every port's x; each piece of a band is a slab."""
    region = db.Region(polygon)
    box = polygon.bbox()
    xs = {p.x for p in polygon.each_point_hull()} | marks
    for hole in range(polygon.holes()):
        xs |= {p.x for p in polygon.each_point_hole(hole)}
    found = []
    for x1, x2 in pairwise(sorted(x for x in xs if box.left <= x <= box.right)):
        band = region & db.Region(db.Box(x1, box.bottom, x2, box.top))
        found += [_Slab(x1, x2, p.bbox().bottom, p.bbox().top) for p in band.each()]
    return found


def _touches(slab: _Slab, box: tuple[int, int, int, int]) -> bool:
    """True if a port overlaps a slab; a slice has no area and overlaps what it lies on."""
    x1, y1, x2, y2 = box
    if x1 == x2:
        return slab.x1 <= x1 <= slab.x2 and slab.y1 < y2 and y1 < slab.y2
    if y1 == y2:
        return slab.y1 <= y1 <= slab.y2 and slab.x1 < x2 and x1 < slab.x2
    return slab.x1 < x2 and x1 < slab.x2 and slab.y1 < y2 and y1 < slab.y2


def _reach(start: list[_Slab], without: _Slab, graph: dict[_Slab, list[_Slab]]) -> set[_Slab]:
    """Return the slabs that hang together with some of them once one slab is taken out."""
    seen, todo = set(start), list(start)
    while todo:
        for other in graph[todo.pop()]:
            if other != without and other not in seen:
                seen.add(other)
                todo.append(other)
    return seen


def _ends_on(port: tuple[int, int, int, int], x: int, ends: tuple[int, int]) -> bool:
    """Return whether a cut along y ends on a port that is an edge along x: it has one potential."""
    x1, y1, x2, y2 = port
    return y1 == y2 and y1 in ends and x1 <= x <= x2


def _slab_partings(
    slab: _Slab,
    left: set[_Slab],
    right: set[_Slab],
    ports: list[tuple[int, int, int, int]],
    touched: list[set[_Slab]],
) -> Iterator[tuple[frozenset[int], float]]:
    """Yield the parting that a cut through a slab makes; none if the cut ends on a port."""
    on_left, across = set(), set()
    for number, (x1, y1, x2, y2) in enumerate(ports):
        mine = touched[number]
        here_left, here_right = bool(mine & left), bool(mine & right)
        if slab in mine:
            if y1 == y2:
                return  # an equipotential edge: the cut does not end beside the metal
            here_left |= x1 <= slab.x1
            here_right |= x2 >= slab.x2
        if here_left and here_right:
            across.add(number)
        elif here_left:
            on_left.add(number)
    yield from _partings(on_left, across, float(slab.y2 - slab.y1), ports, (slab.x1, slab.x2))


def _partings(
    on_left: set[int],
    across: set[int],
    length: float,
    ports: list[tuple[int, int, int, int]],
    between: tuple[int, int],
) -> Iterator[tuple[frozenset[int], float]]:
    """Yield what a cut parts whose place lies between two x.

    A port across it passes some of its current: neither side may have more. Where nothing else is
    on one side, only that part of the port's current passes which lies there.
    """
    if not across:
        yield frozenset(on_left), length
        return
    low = high = 1.0
    x1, _, x2, _ = ports[next(iter(across))]
    if len(across) == 1 and x2 > x1:
        if not on_left:
            low = min(1.0, (between[1] - x1) / (x2 - x1))
        if len(on_left) == len(ports) - 1:
            high = min(1.0, (x2 - between[0]) / (x2 - x1))
    yield frozenset(on_left), length / high
    yield frozenset(on_left | across), length / low


def _diagonals(
    polygon: db.Polygon, longest: float
) -> Iterator[tuple[db.Point, db.Point, db.Polygon]]:
    """Yield pairs of corners that point into the metal and see each other, and one side."""
    rings = [list(polygon.each_point_hull())]
    rings += [list(polygon.each_point_hole(k)) for k in range(polygon.holes())]
    corners = [(r, i) for r, ring in enumerate(rings) for i in _reflex(polygon, ring)]
    whole = db.Region(polygon)
    for (r, i), (s, j) in combinations(corners, 2):
        p, q = rings[r][i], rings[s][j]
        if p.x == q.x or p.y == q.y or hypot(q.x - p.x, q.y - p.y) >= longest:
            continue
        edge = db.Edge(p, q)
        if abs((db.Edges([edge]) & whole).length() - edge.length()) <= 2:
            yield p, q, db.Polygon(rings[0][i : j + 1] if r == s == 0 else [])


def _diagonal_partings(
    length: float, part: db.Polygon, ports: list[SheetPort]
) -> Iterator[tuple[frozenset[int], float]]:
    inside, across = set(), set()
    for number, port in enumerate(ports):
        x1, y1, x2, y2 = port.box
        if port.is_slice:
            here = float(part.inside(db.Point((x1 + x2) // 2, (y1 + y2) // 2)))
        else:
            box = db.Region(db.Box(x1, y1, x2, y2))
            here = (box & db.Region(part)).area() / box.area()
        if here >= 1.0:
            inside.add(number)
        elif here > 0.0:
            across.add(number)
    yield frozenset(inside), length
    if across:
        yield frozenset(inside | across), length


def reflex_corners(polygon: db.Polygon) -> list[db.Point]:
    """Return the corners of a Manhattan shape that point into the metal."""
    rings = [list(polygon.each_point_hull())]
    rings += [list(polygon.each_point_hole(k)) for k in range(polygon.holes())]
    return [ring[i] for ring in rings for i in _reflex(polygon, ring)]


def _reflex(polygon: db.Polygon, ring: list[db.Point]) -> list[int]:
    """Return the numbers of the corners at which the metal has three of the four quadrants."""
    found = []
    for k, p in enumerate(ring):
        near = [db.Point(p.x + dx, p.y + dy) for dx in (-1, 1) for dy in (-1, 1)]
        if sum(polygon.inside(n) for n in near) == 3:
            found.append(k)
    return found
