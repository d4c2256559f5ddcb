"""Where on the chip a net is interrupted, or two nets are joined."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import klayout.db as db

from ..base.units import place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .extraction import ExtractedLayout
    from .flat import FlatDevice, FlatNet

#: Widest gap in um that is looked for between two pieces of one wire.
_REACH_UM = 5.0

#: Largest net, in polygons, in which the place of a short is looked for.
_MOST_POLYGONS = 50_000

#: Silicon that joins wires everywhere, and so says nothing about the place of a short.
TAPS = ("ptap", "ntap")

#: conductor or cut -> polygons
_Shapes = dict[str, db.Region]


class Spot(NamedTuple):
    """A place in words, and its points in um; both empty where it is not known."""

    words: str = ""
    points: tuple[tuple[float, float], ...] = ()


def where_open(layout: ExtractedLayout, piece: FlatNet, rest: FlatNet) -> Spot:
    """Return the place where `piece` was separated from `rest`.

    That is a gap on one layer, or an overlap of two layers whose cut is missing.
    """
    a, b = layout.net_shapes(piece), layout.net_shapes(rest)
    gaps = []
    for name in layout.wiring.conductors:
        if name in a and name in b:
            reach = round(_REACH_UM / layout.dbu)
            pairs = a[name].merged().separation_check(b[name].merged(), reach).each()
            found = [(pair.distance(), str(pair.bbox()), pair.bbox()) for pair in pairs]
            if found:
                distance, _, box = min(found)
                gaps.append((distance, name, _center(box, layout.dbu)))
    if gaps:
        near = [gap for gap in sorted(gaps) if gap[0] <= 3 * min(gaps)[0]][:3]
        words = (f"{d * layout.dbu:.3f} um on {name} at {place(at)}" for d, name, at in near)
        return Spot(", gap of " + " or ".join(words), tuple(at for _, _, at in near))
    for cut in layout.tech.cuts:
        for low, high in ((a, b), (b, a)):
            if cut.lower in low and cut.upper in high:
                both = low[cut.lower] & high[cut.upper]
                if not both.is_empty():
                    at = _center(next(both.each()).bbox(), layout.dbu)
                    return Spot(f", {cut.layer} missing at {place(at)}", (at,))
    return Spot()


def where_joined(
    layout: ExtractedLayout,
    net: FlatNet,
    first: Iterable[tuple[FlatDevice, int]],
    second: Iterable[tuple[FlatDevice, int]],
) -> Spot:
    """Return the place where two wires became one net.

    Both wires are followed in step from the terminals that belong to either, until they meet.

    Args:
        layout: the extracted layout.
        net: the net.
        first: (device, terminal index) of the terminals of one wire.
        second: those of the other.
    """
    everywhere = (*TAPS, layout.tech.roles.layer("nwell"))
    shapes = {n: r for n, r in layout.net_shapes(net).items() if n not in everywhere}
    if sum(region.count() for region in shapes.values()) > _MOST_POLYGONS:
        return Spot()
    for device in layout.tech.nets.memristors:
        if device.bare in shapes:
            at = _center(next(shapes[device.bare].each()).bbox(), layout.dbu)
            both = " and ".join(wire for _, wire in device.terminals)
            return Spot(f", {both} touch without film at {place(at)}", (at,))
    pieces = {name: _pieces(region) for name, region in shapes.items()}
    fronts = [_touched(pieces, _seeds(layout, terminals)) for terminals in (first, second)]
    links: dict[str, list[str]] = {name: [name] for name in pieces}
    for a, b in layout.wiring.links:
        if a in links and b in links:
            links[a].append(b)
            links[b].append(a)
    known = fronts
    while all(any(not r.is_empty() for r in front.values()) for front in fronts):
        for name in pieces:
            met = known[0][name] & known[1][name]
            if not met.is_empty():
                at = _center(_bridge(met, name, fronts, known), layout.dbu)
                return Spot(f", joined on {name} at {place(at)}", (at,))
        grown = [_grown(pieces, front, links) for front in fronts]
        fronts = [_each(_without, g, k) for g, k in zip(grown, known, strict=True)]
        known = [_each(_with, f, k) for f, k in zip(fronts, known, strict=True)]
    return Spot()


def _bridge(met: db.Region, name: str, fronts: list[_Shapes], known: list[_Shapes]) -> db.Box:
    """Return where two wires meet: the piece that both reach, or where one enters the other."""
    late = [not (met & front[name]).is_empty() for front in fronts]
    if late[0] != late[1]:
        number = late.index(True)
        entry = met.sized(1) & (known[number][name] - fronts[number][name])
        if not entry.is_empty():
            return min(entry.each(), key=lambda polygon: polygon.area()).bbox()
    return min(met.each(), key=lambda polygon: polygon.area()).bbox()


def _unmerged(region: db.Region) -> db.Region:
    """Let touching polygons stay apart in what follows."""
    region.merged_semantics = False
    return region


def _pieces(region: db.Region) -> db.Region:
    """Cut polygons into trapezoids, so that a bridge between two lines is one of its own."""
    return _unmerged(region.merged().decompose_trapezoids_to_region())


def _seeds(
    layout: ExtractedLayout, terminals: Iterable[tuple[FlatDevice, int]]
) -> Iterator[tuple[str, db.Region]]:
    for device, position in terminals:
        terminal = device.kind.terminals[position]
        yield layout.touches(device, terminal), layout.flat.terminal_shapes(device)[terminal]


def _touched(pieces: _Shapes, seeds: Iterable[tuple[str, db.Region]]) -> _Shapes:
    on: _Shapes = {name: db.Region() for name in pieces}
    for conductor, region in seeds:
        if conductor in on:
            on[conductor] += region
    return {name: _unmerged(pieces[name].overlapping(on[name])) for name in pieces}


def _grown(pieces: _Shapes, front: _Shapes, links: dict[str, list[str]]) -> _Shapes:
    """Return the pieces that touch the front, on its layer or through a cut."""
    grown = {}
    for name, region in pieces.items():
        near = db.Region()
        for other in links[name]:
            near += front[other]
        grown[name] = _unmerged(region.interacting(near))
    return grown


def _each(join: Callable[[db.Region, db.Region], db.Region], a: _Shapes, b: _Shapes) -> _Shapes:
    return {name: join(region, b[name]) for name, region in a.items()}


def _without(region: db.Region, known: db.Region) -> db.Region:
    return _unmerged(region.not_inside(known))


def _with(region: db.Region, known: db.Region) -> db.Region:
    return _unmerged(region + known)


def _center(box: db.Box, dbu: float) -> tuple[float, float]:
    center = box.to_dtype(dbu).center()
    return center.x, center.y
