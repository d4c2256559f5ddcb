"""Cut the repeated middle out of regular arrays before checking.

A rule that looks no further than a range R gives the same answer in every period of an
array whose surroundings repeat. `compact` therefore rebuilds a cell from arrays and
shapes, looks for stretches along x and y in which everything repeats with one period, and
removes whole periods while it keeps more than R (and one period) on both sides of each
cut. A 1024 x 1024 array becomes some 10 x 10 cells with the same set of neighbourhoods.
Nothing is assumed about who drew the layout: flat or hierarchical, repeated shapes and
instances are found by their positions, and what does not repeat is left alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import lcm

import klayout.db as kdb

from .repeat import Item, collect, regularise

#: Intervals along x, and intervals along y.
Spans = tuple[Sequence[tuple[int, int]], Sequence[tuple[int, int]]]
#: Arrays of large cells with more elements than this stay as they are.
_MAX_EXPAND = 4096


@dataclass(frozen=True)
class Cut:
    """One removed stretch along an axis, in dbu of the layout before this pass.

    Attributes:
        at: coordinate where the stretch began.
        period: length of one period.
        count: number of periods removed.
    """

    at: int
    period: int
    count: int

    @property
    def length(self) -> int:
        """Removed length."""
        return self.period * self.count


@dataclass(frozen=True)
class Strip:
    """The kept period beside a cut, in dbu of the stand-in.

    Attributes:
        axis: 0 if the strip is cut out of x, 1 if out of y.
        low, high: its ends along the axis; the cut is at `high`.
        copies: for how many periods of the original it stands.
        margin: how far beyond both ends everything is as in the original.
    """

    axis: int
    low: int
    high: int
    copies: int
    margin: int

    def crosses(self, box: kdb.Box) -> bool:
        """Return True if what fills `box` is not whole on this side of the cut."""
        low, high = (box.left, box.right) if self.axis == 0 else (box.bottom, box.top)
        near = low > self.high - self.margin and high < self.high + self.margin
        return high > self.low and low < self.high and not near

    def window(self, box: kdb.Box) -> kdb.Box:
        """Return the strip's part of a box."""
        if self.axis == 0:
            return kdb.Box(self.low, box.bottom, self.high, box.top)
        return kdb.Box(box.left, self.low, box.right, self.high)

    def straight(self, region: kdb.Region) -> kdb.Region:
        """Return the parts of a region that fill the strip from one end to the other."""
        window = kdb.Region(self.window(region.bbox()))
        blocked = kdb.Region()
        for gap in (window - region).decompose_trapezoids_to_region().each():
            blocked.insert(self.window(gap.bbox()))
        return window - blocked

    def surroundings(self, box: kdb.Box) -> kdb.Box:
        """Return the part of a box around the strip in which everything is as it was."""
        more = self.margin
        return replace(self, low=self.low - more, high=self.high + more).window(box)


@dataclass(frozen=True)
class Pass:
    """The cuts of one pass along one axis (0 for x, 1 for y), sorted by coordinate."""

    axis: int
    cuts: tuple[Cut, ...]

    def original(self, value: int) -> int:
        """Return the coordinate before the pass of a coordinate after it."""
        for cut in self.cuts:
            if value >= cut.at:
                value += cut.length
        return value

    def after(self, value: int) -> int:
        """Return the coordinate after the pass of a coordinate before it."""
        shift = 0
        for cut in self.cuts:
            if value > cut.at:
                shift += min(cut.length, value - cut.at)
        return value - shift

    def copies(self, value: int) -> int:
        """Return for how many periods of the original a place after the pass stands."""
        for cut in self.cuts:
            if cut.at - cut.period <= value < cut.at:
                return cut.count + 1
            if value >= cut.at:
                value += cut.length
        return 1


@dataclass(frozen=True)
class Compacted:
    """A checked stand-in for a cell.

    Attributes:
        cell: the cell to check instead.
        passes: what was removed, in the order it was done.
        reach: how far from a cut everything is as in the original, in dbu.
    """

    cell: kdb.Cell
    passes: tuple[Pass, ...]
    reach: int = 0

    def strips(self) -> tuple[Strip, ...] | None:
        """Return the strips that stand for removed periods.

        None if nothing was removed or a later cut split a strip.
        """
        found: list[Strip] = []
        for number, step in enumerate(self.passes):
            later = [p for p in self.passes[number + 1 :] if p.axis == step.axis]
            for cut in step.cuts:
                low, high = step.after(cut.at - cut.period), step.after(cut.at)
                for other in later:
                    low, high = other.after(low), other.after(high)
                if high - low != cut.period:
                    return None
                found.append(Strip(step.axis, low, high, cut.count + 1, self.reach))
        return tuple(found) or None

    def original(self, x: int, y: int) -> tuple[int, int, int]:
        """Return (x, y) in the original cell and how many original places it stands for."""
        place, copies = [x, y], 1
        for step in reversed(self.passes):
            copies *= step.copies(place[step.axis])
            place[step.axis] = step.original(place[step.axis])
        return place[0], place[1], copies


def compact(
    cell: kdb.Cell,
    range_dbu: int,
    grid_dbu: int,
    *,
    kept: Spans = ((), ()),
    once: bool = False,
    contents: Contents | None = None,
) -> Compacted:
    """Return a stand-in for `cell` that is exact for rules looking at most `range_dbu` far.

    The stand-in is a new cell of the same layout; it refers to the layout's other cells.

    Args:
        cell: the cell.
        range_dbu: how far a rule looks.
        grid_dbu: what periods are whole multiples of.
        kept: intervals along x, and along y, that nothing is cut out of.
        once: cut along each axis once at most, as far as the outermost arrays repeat.
        contents: what an earlier call for the same layout worked out; filled further.
    """
    contents = contents or Contents(cell.layout())
    items = collect(cell)
    passes: list[Pass] = []
    while True:
        items = regularise(items)
        found = False
        for axis in (1, 0):
            cuts = _find_cuts(items, axis, range_dbu, grid_dbu, kept[axis])
            if cuts:
                items = [cut_item for item in items for cut_item in _apply(item, axis, cuts)]
                passes.append(Pass(axis, cuts))
                found = True
        if once and found:
            break
        expanded = _expand(contents, items, 2 * range_dbu)
        if expanded is None and not found:
            break
        items = items if expanded is None else expanded
    if not passes:
        return Compacted(cell, ())
    target = cell.layout().create_cell(f"{cell.name}$range{range_dbu}")
    for item in items:
        item.insert(target)
    return Compacted(target, tuple(passes), range_dbu)


class Contents:
    """What cells hold, turned as their instances are: worked out once, however many there are."""

    def __init__(self, layout: kdb.Layout) -> None:
        self.layout = layout
        self._turned: dict[tuple[int, str], list[Item]] = {}

    def at(self, cell: int, place: kdb.ICplxTrans) -> list[Item]:
        """Return the items of a cell below an instance of it."""
        turn = place.dup()
        turn.disp = kdb.Vector(0, 0)
        key = (cell, str(turn))
        if key not in self._turned:
            items = collect(self.layout.cell(cell))
            still = turn.is_unity()
            self._turned[key] = items if still else [item.turned(turn) for item in items]
        return [item.shifted(place.disp) for item in self._turned[key]]


def _expand(contents: Contents, items: list[Item], size: int) -> list[Item] | None:
    """Replace instances of large cells by their contents; None if there is none."""
    out: list[Item] = []
    changed = False
    for item in items:
        big = max(item.box.width(), item.box.height()) > size
        if item.cell is not None and big and item.can_expand and item.nx * item.ny <= _MAX_EXPAND:
            changed = True
            for place in item.elements():
                out += contents.at(item.cell, place)
        else:
            out.append(item)
    return out if changed else None


def _find_cuts(
    items: list[Item], axis: int, reach: int, grid: int, kept: Iterable[tuple[int, int]] = ()
) -> tuple[Cut, ...]:
    """Return cuts in gaps that hold nothing but repetition along `axis`, `kept` ones excepted."""
    fixed: list[tuple[int, int]] = [*kept]
    spans: list[tuple[int, int, int]] = []
    for item in items:
        events = item.events(axis)
        fixed += events
        period = item.period(axis)
        if period:
            spans.append((events[0][1], events[-1][0], period))
    spans.sort()
    starts = [span[0] for span in spans]
    cuts: list[Cut] = []
    for low, high in _gaps(fixed):
        if high - low < 3 * reach:
            continue
        active = {span[2] for span in spans[: bisect_right(starts, low)] if span[1] >= high}
        period = lcm(grid, *active)
        # keep reach + period on both sides: every neighbourhood of the removed stretch,
        # moved by whole periods, is still there
        count = (high - low - 2 * (reach + period)) // period
        if count > 0:
            cuts.append(Cut(low + reach + period, period, count))
    return tuple(cuts)


def _gaps(fixed: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[list[int]] = []
    for low, high in sorted(fixed):
        if merged and low <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], high)
        else:
            merged.append([low, high])
    return [(a[1], b[0]) for a, b in pairwise(merged)]


def _apply(item: Item, axis: int, cuts: tuple[Cut, ...]) -> list[Item]:
    """Return the item after the cuts."""
    if item.polygon is not None and item.period(axis) == 0:
        polygon = item.polygon.transformed(kdb.Trans(item.x, item.y))
        return [replace_polygon(item, _cut_polygon(polygon, axis, cuts))]
    events = item.events(axis)
    first, last, period = events[0], events[-1], item.period(axis)
    shift, removed = 0, 0
    for cut in cuts:
        if first[0] >= cut.at + cut.length:
            shift -= cut.length
        elif last[1] > cut.at:
            removed += cut.length // period
    if axis == 0:
        return [item._replace(x=item.x + shift, nx=item.nx - removed)]
    return [item._replace(y=item.y + shift, ny=item.ny - removed)]


def replace_polygon(item: Item, polygon: kdb.Polygon) -> Item:
    """Return a single-shape item with its polygon replaced (given in place)."""
    box = polygon.bbox()
    at = kdb.Trans(-box.left, -box.bottom)
    moved = polygon.transformed(at)
    return item._replace(polygon=moved, box=moved.bbox(), x=box.left, y=box.bottom)


def _cut_polygon(polygon: kdb.Polygon, axis: int, cuts: tuple[Cut, ...]) -> kdb.Polygon:
    def move(point: kdb.Point) -> kdb.Point:
        value = point.y if axis else point.x
        shift = sum(cut.length for cut in cuts if value >= cut.at + cut.length)
        return kdb.Point(point.x, value - shift) if axis else kdb.Point(value - shift, point.y)

    result = kdb.Polygon([move(p) for p in polygon.each_point_hull()], True)
    for index in range(polygon.holes()):
        result.insert_hole([move(p) for p in polygon.each_point_hole(index)])
    return result
