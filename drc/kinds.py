"""Rule kinds: one small function each, from a rule's layers and values to an expression.

Every function returns the region that marks the violations. `rule.value` is the limit,
`rule.extra` holds a kind's further limits; both are in um (areas in um2).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import or_

from ..pdk import Rule, Tech, TechError
from .derived import resolve
from .expr import Node, layer, special

#: Corners are marked by squares of two dbu, so "at the limit" needs this margin.
_CORNER_UM = 0.002


def _width(rule: Rule, a: Node) -> Node:
    """Inner distances of a layer."""
    return a.width(rule.value).marks()


def _space(rule: Rule, a: Node) -> Node:
    """Distances between polygons of a layer, and notches."""
    return a.space(rule.value).marks()


def _separation(rule: Rule, a: Node, b: Node) -> Node:
    """Distance between two layers that may cross each other."""
    return a.separation(b, rule.value).marks()


def _clear(rule: Rule, a: Node, b: Node) -> Node:
    """Distance between two layers that must not overlap either."""
    return a.separation(b, rule.value).marks() | (a & b)


def _butt_separation(rule: Rule, implant: Node, comp: Node) -> Node:
    """Distance of an implant to active area of the other type, butting edges excepted."""
    return implant.edges().separation(comp.edges() - implant, rule.value).marks()


def _across(rule: Rule, a: Node, b: Node) -> Node:
    """Distances between polygons of a layer across another."""
    return a.space(rule.value).marks().interacting(b)


def _enclosure(rule: Rule, inner: Node, outer: Node) -> Node:
    """Overlap of `outer` around `inner`, which must be covered completely."""
    uncovered = inner - outer
    return uncovered if rule.value == 0 else uncovered | outer.enclosing(inner, rule.value).marks()


def _implant_enclosure(rule: Rule, comp: Node, implant: Node, other: Node, diffusion: Node) -> Node:
    """Implant beyond active area, where the area's own edge is meant (not a butting edge)."""
    outer = implant.edges() - other
    return outer.enclosing(comp.edges() & diffusion.edges(), rule.value).marks()


def _extension(rule: Rule, a: Node, b: Node) -> Node:
    """`a` beyond `b` where the edges of `b` lie inside `a`."""
    return a.enclosing(b, rule.value).marks()


def _butt_extension(rule: Rule, comp: Node, butting: Node) -> Node:
    """Active area beyond the butting edge."""
    return comp.edges().enclosing(butting, rule.value, "projection").marks()


def _butt_gate(rule: Rule, butting: Node, gate: Node) -> Node:
    """Butting edge to a gate parallel to it."""
    return butting.separation(gate.edges(), rule.value, "projection").marks()


def _edge_length(rule: Rule, edges: Node) -> Node:
    """Edges that are too short."""
    return edges.length(None, rule.value).marks()


def _channel_width(rule: Rule, comp: Node, poly: Node) -> Node:
    """Edges of the channel that source and drain share with it."""
    return ((comp - poly).edges() & (comp & poly).edges()).length(None, rule.value).marks()


def _gate_length(rule: Rule, poly: Node, comp: Node) -> Node:
    """Distance between the two poly edges of a gate."""
    return (poly.edges() & (comp & poly).edges()).width(rule.value).marks()


def _area(rule: Rule, a: Node) -> Node:
    """Polygons that are too small."""
    return a.area_below(rule.value)


def _hole_area(rule: Rule, a: Node) -> Node:
    """Enclosed clear areas that are too small."""
    return (a.holes() - a).area_below(rule.value)


def _exact_size(rule: Rule, a: Node) -> Node:
    """Cuts that are not a square of the one allowed side."""
    return a.not_square(rule.value)


def _aspect(rule: Rule, a: Node) -> Node:
    """Shapes that are too long for their width."""
    return a.longer_than(rule.value)


def _array_space(rule: Rule, cut: Node, metal: Node) -> Node:
    """Space inside n x n or larger arrays of cuts under one metal shape."""
    join, bbox, count = rule.extra
    group = cut.sized(join).sized(-join).min_bbox(bbox).extents().inside(metal)
    return cut.inside(group.covering(cut, int(count))).space(rule.value).marks()


def _inside(rule: Rule, a: Node, b: Node) -> Node:
    """What lies outside the layer it must be in."""
    return a - b


def _forbidden(rule: Rule, a: Node, b: Node) -> Node:
    """Two layers that must not overlap."""
    return a & b


def _forbidden_layer(rule: Rule, a: Node) -> Node:
    """A layer on which nothing may be drawn."""
    return a


def _straddle(rule: Rule, a: Node, edges: Node) -> Node:
    """Shapes that touch edges they must keep away from."""
    return a.interacting(edges)


def _reach(rule: Rule, a: Node, taps: Node) -> Node:
    """Shapes with no tap within reach, measured edge to edge as the foundry's deck sizes."""
    return a.not_interacting(taps.sized(rule.value))


def _wide_space(rule: Rule, a: Node) -> Node:
    """Space of metal wider than the extra limit to any metal that faces it."""
    half = rule.extra[0] / 2
    wide = a.sized(-half).sized(half)
    return (wide.edges() & a.edges()).separation(a.edges(), rule.value).marks()


def _wide_joint(rule: Rule, a: Node) -> Node:
    """Metal wider than the limit both ways where a narrower line is joined to it."""
    wide = a.sized(-rule.value / 2).sized(rule.value / 2)
    return ((a - wide).edges() - a.edges()).marks()


def _max_width(rule: Rule, metal: Node, slot: Node, pad: Node) -> Node:
    """Metal wider than the limit without a slot; pads and their surroundings are exempt."""
    solid = metal - slot - pad.sized(rule.extra[0])
    return solid.sized(-rule.value / 2).sized(rule.value / 2)


def _max_comp(rule: Rule, comp: Node) -> Node:
    """Shapes wider than the limit both ways."""
    return comp.sized(-rule.value / 2).sized(rule.value / 2)


def _by_direction(a: Node) -> list[tuple[Node, Node]]:
    """Edges of a layer as (along x, along y) and (along y, along x)."""
    flat, upright = a.edges().angle(0), a.edges().angle(90)
    return [(flat, upright), (upright, flat)]


def _line_end(rule: Rule, cut: Node, metal: Node) -> Node:
    """Overlap of the end of a narrow line over a cut.

    A line end is an edge shorter than extra[0] between two convex corners whose other
    edges are at least extra[1] long.
    """
    narrow, side = rule.extra
    found = []
    for edges, others in _by_direction(metal):
        short, sides = edges.length(None, narrow), others.length(side, None)
        loose = short.start().not_interacting(sides) | short.end().not_interacting(sides)
        ends = short.not_interacting(loose)
        concave = ends.outside_strip().overlapping(metal)
        ends = ends.not_interacting(concave)
        found.append(ends.enclosing(cut.edges(), rule.value, "projection").marks())
    return found[0] | found[1]


def _adjacent(rule: Rule, cut: Node, metal: Node) -> Node:
    """Overlap on the side next to one that is overlapped by less than extra[0]."""
    tight = metal.enclosing(cut, rule.extra[0], "projection").second_edges().middle()
    loose = metal.enclosing(cut, rule.value, "projection").second_edges().middle()
    found = []
    for edges, others in _by_direction(cut):
        bad = edges.interacting(loose).interacting(others.interacting(tight))
        found.append(bad.marks())
    return found[0] | found[1]


def _no_bend(rule: Rule, poly: Node, comp: Node) -> Node:
    """Right-angled corners of poly inside active area (an end of poly on it has two)."""
    inner = comp.sized(-_CORNER_UM)
    return poly.corners(90).interacting(inner) | poly.corners(-90).interacting(inner)


def _end_overhang(rule: Rule, line: Node, crossing: Node) -> Node:
    """Ends and jogs of a line at or near a crossing."""
    return line.corners().interacting(crossing.sized(rule.value - _CORNER_UM))


def _overlay(rule: Rule, a: Node, b: Node) -> Node:
    """Stacked shapes that do not lie over each other within the limit."""
    low, high = a.overlapping(b), b.overlapping(a)
    return (low - high.sized(rule.value)) | (high - low.sized(rule.value))


def _on_grid(rule: Rule, a: Node) -> Node:
    """Vertices off the manufacturing grid."""
    return a.on_grid(rule.value).marks()


def _angle(rule: Rule, a: Node) -> Node:
    """Edges that are not at a multiple of 45 degrees."""
    return a.edges().odd_angles().marks()


def _space_different_net(rule: Rule, a: Node) -> Node:
    """Space between polygons that nothing connects."""
    return a.space_nets(rule.value).marks()


def _antenna(rule: Rule, gate: Node, conductor: Node) -> Node:
    """Conductor charged through a gate during its etch; extra: (area, perimeter) factors."""
    area, perimeter = rule.extra
    return special("antenna", rule.layers[1], rule.value, area, perimeter)


def _density(rule: Rule, a: Node) -> Node:
    """Share of the die that a layer covers; extra: (1 for a minimum, -1 for a maximum)."""
    return special("density", rule.layers[0], rule.value, rule.extra[0])


def _max_gap(rule: Rule, cover: Node, free: Node) -> Node:
    """Empty squares of the die; half a square from its edge is excepted."""
    half = rule.value / 2
    empty = special("die").sized(-half) - cover - free
    return empty.sized(-half).sized(half)


KINDS: dict[str, Callable[..., Node]] = {
    "width": _width,
    "space": _space,
    "separation": _separation,
    "clear": _clear,
    "butt_separation": _butt_separation,
    "across": _across,
    "enclosure": _enclosure,
    "implant_enclosure": _implant_enclosure,
    "extension": _extension,
    "butt_extension": _butt_extension,
    "butt_gate": _butt_gate,
    "edge_length": _edge_length,
    "channel_width": _channel_width,
    "gate_length": _gate_length,
    "area": _area,
    "hole_area": _hole_area,
    "exact_size": _exact_size,
    "aspect": _aspect,
    "array_space": _array_space,
    "inside": _inside,
    "forbidden": _forbidden,
    "forbidden_layer": _forbidden_layer,
    "straddle": _straddle,
    "reach": _reach,
    "wide_space": _wide_space,
    "wide_joint": _wide_joint,
    "max_width": _max_width,
    "max_size": _max_comp,
    "line_end": _line_end,
    "adjacent": _adjacent,
    "no_bend_over": _no_bend,
    "end_overhang": _end_overhang,
    "overlay": _overlay,
    "on_grid": _on_grid,
    "angle": _angle,
    "space_different_net": _space_different_net,
    "antenna": _antenna,
    "density": _density,
    "max_gap": _max_gap,
}


def compile_rule(rule: Rule, tech: Tech) -> Node:
    """Return the expression that marks the violations of a rule.

    Raises:
        TechError: if the rule's kind or one of its layers does not exist.
    """
    if rule.kind not in KINDS:
        kinds = ", ".join(sorted(KINDS))
        raise TechError(f"rule {rule.name}: kind {rule.kind!r} is not one of {kinds}")
    operands = [resolve(name, tech) for name in rule.layers]
    if rule.kind == "implant_enclosure":
        active = dict.fromkeys(tech.roles.layer(role) for role in ("diffusion", "tap"))
        operands.append(reduce(or_, map(layer, active)))
    try:
        return KINDS[rule.kind](rule, *operands)
    except (TypeError, ValueError) as error:
        raise TechError(f"rule {rule.name}: {error}") from error
