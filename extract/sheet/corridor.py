"""Straight stretches of a Manhattan polygon: where counting squares is exact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import klayout.db as db
import numpy as np

from .field import SheetPort

#: distance in line widths from a disturbance to an equipotential cut: the disturbance of the
#: potential decays as exp(-pi d / w), its share of the resistance as the square of that
_MARGIN = 1.0
#: where disturbances lie closer, cuts move in to this distance; nearer ones are solved together
_LEAST_MARGIN = 0.3
#: a port that spans this share of the line's width does not need the field around it
_SPAN = 0.5


@dataclass(frozen=True)
class Corridor:
    """A stretch of constant cross-section along x (or along y if `turned`).

    Attributes:
        lo, hi: ends along the line, dbu.
        side1, side2: its edges across the line, dbu.
        open_lo, open_hi: whether the polygon goes on beyond each end.
        turned: True if the line runs along y.
    """

    lo: int
    hi: int
    side1: int
    side2: int
    open_lo: bool
    open_hi: bool
    turned: bool

    @property
    def width(self) -> int:
        """Width across the line."""
        return self.side2 - self.side1

    def box(self, lo: int, hi: int) -> db.Box:
        """Return the part between two places along the line."""
        if self.turned:
            return db.Box(self.side1, lo, self.side2, hi)
        return db.Box(lo, self.side1, hi, self.side2)

    def slice(self, at: int) -> tuple[int, int, int, int]:
        """Return the cross-section at a place along the line."""
        if self.turned:
            return (self.side1, at, self.side2, at)
        return (at, self.side1, at, self.side2)

    def probe(self, at: int, side: int) -> tuple[int, int]:
        """Return a point just beside a cut, on the given side."""
        middle = (self.side1 + self.side2) // 2
        return (middle, at + side) if self.turned else (at + side, middle)


@dataclass(frozen=True)
class Stretch:
    """A straight stretch to be counted.

    Attributes:
        lo, hi: ends along the line.
        cut_lo, cut_hi: whether a piece follows beyond that end (else the end is free).
        ports: (centre along the line, port index), sorted.
    """

    lo: int
    hi: int
    cut_lo: bool
    cut_hi: bool
    ports: tuple[tuple[float, int], ...]


@dataclass(frozen=True)
class _Event:
    """Something on a corridor: its extent, and the port if it needs no field around it."""

    lo: int
    hi: int
    centre: float | None
    index: int | None

    @property
    def disturbs(self) -> bool:
        return self.centre is None


def corridors(polygon: db.Polygon) -> Iterator[Corridor]:
    """Yield the corridors of a polygon that are longer than wide; angled edges end them."""
    square_taken = False
    for turned in (False, True):
        # TD_simple cuts into full horizontal slabs (TD_htrapezoids does not always); for
        # lines along x, M45 swaps the axes first
        way = polygon if turned else polygon.transformed(db.Trans.M45)
        slabs = way.decompose_trapezoids(db.Polygon.TD_simple)
        for c in _chains(slabs, turned):
            length, ends = c.hi - c.lo, c.open_lo + c.open_hi
            if length == c.width and not ends:  # a lone square: one direction is enough
                if square_taken:
                    continue
                square_taken = True
            if length >= c.width and length > 2 * _LEAST_MARGIN * ends * c.width:
                yield c


def _chains(slabs: list[db.SimplePolygon], turned: bool) -> Iterator[Corridor]:
    """Join abutting slabs of equal cross-section; lines run along the slabs' y."""
    bounds = [(p.is_box(), p.bbox()) for p in slabs]
    rows = [(b.left, b.bottom, b.right, b.top) for is_box, b in bounds if is_box]
    by_lo: dict[int, list[tuple[int, int]]] = {}
    by_hi: dict[int, list[tuple[int, int]]] = {}
    merged: list[tuple[int, int, int, int]] = []
    for side1, lo, side2, hi in sorted(rows, key=lambda r: (r[0], r[2], r[1])):
        if merged and merged[-1][0] == side1 and merged[-1][2] == side2 and merged[-1][3] == lo:
            merged[-1] = (side1, merged[-1][1], side2, hi)
        else:
            merged.append((side1, lo, side2, hi))
    slanted = [(b.left, b.bottom, b.right, b.top) for is_box, b in bounds if not is_box]
    for side1, lo, side2, hi in [*merged, *slanted]:
        by_lo.setdefault(lo, []).append((side1, side2))
        by_hi.setdefault(hi, []).append((side1, side2))
    for side1, lo, side2, hi in merged:
        open_lo = any(a < side2 and side1 < b for a, b in by_hi.get(lo, []))
        open_hi = any(a < side2 and side1 < b for a, b in by_lo.get(hi, []))
        yield Corridor(lo, hi, side1, side2, open_lo, open_hi, turned)


class PortTable:
    """Ports with their bounds as one array: a long line has thousands of them."""

    def __init__(self, ports: list[SheetPort]) -> None:
        self.ports = ports
        self._bounds = np.array([p.box for p in ports], dtype=np.int64).reshape(-1, 4)

    def touching(self, box: db.Box) -> list[int]:
        """Return the numbers of the ports whose box overlaps or touches a box."""
        b = self._bounds
        near = (b[:, 0] <= box.right) & (b[:, 2] >= box.left)
        near &= (b[:, 1] <= box.top) & (b[:, 3] >= box.bottom)
        found: list[int] = np.flatnonzero(near).tolist()
        return found


def stretches(corridor: Corridor, ports: PortTable) -> list[Stretch]:
    """Return the straight stretches of a corridor between whatever disturbs it."""
    groups = _grouped(_events(corridor, ports), corridor.width)
    found: list[Stretch] = []
    start, cut_lo = corridor.lo, False
    run: list[tuple[float, int]] = []
    for position, group in enumerate(groups):
        first = group[0]
        if not first.disturbs:
            run.append((first.centre or 0.0, first.index or 0))
            continue
        lo = _cut_before(groups, position, corridor)
        if lo is not None and (cut_lo or run or lo > start):
            carries = bool(cut_lo or run)
            found.append(Stretch(start, lo, cut_lo, carries, tuple(run)))
        run = []
        hi = _cut_after(groups, position, corridor)
        if hi is None:
            return found
        start, cut_lo = hi, True
    if run:
        found.append(Stretch(start, corridor.hi, cut_lo, False, tuple(run)))
    elif cut_lo and start < corridor.hi:
        found.append(Stretch(start, corridor.hi, False, False, ()))
    return found


def _events(corridor: Corridor, ports: PortTable) -> list[_Event]:
    """Return what lies on a corridor, sorted along it."""
    events: list[_Event] = []
    if corridor.open_lo:
        events.append(_Event(corridor.lo, corridor.lo, None, None))
    if corridor.open_hi:
        events.append(_Event(corridor.hi, corridor.hi, None, None))
    area = corridor.box(corridor.lo, corridor.hi)
    for index in ports.touching(area):
        port = ports.ports[index]
        x1, y1, x2, y2 = port.box
        if not (port.is_slice or area.overlaps(db.Box(x1, y1, x2, y2))):
            continue
        lo, hi, side1, side2 = (y1, y2, x1, x2) if corridor.turned else (x1, x2, y1, y2)
        spans = min(side2, corridor.side2) - max(side1, corridor.side1)
        along = port.is_slice and lo == hi
        on_line = spans >= _SPAN * corridor.width and corridor.lo <= lo and hi <= corridor.hi
        if on_line and (along or not port.is_slice):
            events.append(_Event(lo, hi, (lo + hi) / 2, index))
        elif not port.is_slice or spans > 0:
            lo, hi = max(lo, corridor.lo), min(hi, corridor.hi)
            events.append(_Event(lo, hi, None, index))
    return sorted(events, key=lambda e: (e.lo + e.hi, -1 if e.index is None else e.index))


def _grouped(events: list[_Event], width: int) -> list[list[_Event]]:
    """Join events that lie too close to be cut apart; a joined group always disturbs."""
    groups: list[list[_Event]] = []
    for event in events:
        while groups:
            last = groups[-1]
            disturbing = last[0].disturbs + event.disturbs
            gap = event.lo - max(e.hi for e in last)
            if not disturbing or gap >= _LEAST_MARGIN * width * disturbing:
                break
            merged = [*groups.pop(), event]
            merged = [replace(e, centre=None) for e in merged]
            low = min(e.lo for e in merged)
            event = _Event(low, max(e.hi for e in merged), None, None)
        groups.append([event])
    return groups


def _margin(gap: float, width: int, disturbing: int) -> int:
    # two dbu stay between neighbouring cuts: a stretch without length would not cut anything
    return int(min(_MARGIN * width, (gap - 2) / disturbing))


def _cut_before(groups: list[list[_Event]], position: int, corridor: Corridor) -> int | None:
    """Return where the piece around a group begins; None if it begins before the corridor."""
    event = groups[position][0]
    if position == 0:
        if corridor.open_lo:
            return None
        return max(corridor.lo, event.lo - int(_MARGIN * corridor.width))
    before = groups[position - 1][0]
    gap = event.lo - before.hi
    return event.lo - _margin(gap, corridor.width, 1 + before.disturbs)


def _cut_after(groups: list[list[_Event]], position: int, corridor: Corridor) -> int | None:
    """Return where the piece around a group ends; None if it ends behind the corridor."""
    event = groups[position][0]
    if position == len(groups) - 1:
        if corridor.open_hi:
            return None
        return min(corridor.hi, event.hi + int(_MARGIN * corridor.width))
    after = groups[position + 1][0]
    gap = after.lo - event.hi
    return event.hi + _margin(gap, corridor.width, 1 + after.disturbs)
