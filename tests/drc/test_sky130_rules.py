"""Every rule of SKY130 passes at its limit and fails one grid step below it.

Patterns are made from kind, layers and value, so that no row of the table is without one. A
derived layer is drawn as what it is made of.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from drawing import GRID, Draw

from crossstack.drc import run_drc
from crossstack.pdk import Rule, Tech, get_tech

TECH = get_tech(process="sky130")
RULES = {rule.name: rule for rule in TECH.process.rules if rule.kind != "density"}
Box = tuple[float, float, float, float]
#: derived layer -> drawn layers that make it, and how far each reaches beyond it
MADE_OF: dict[str, dict[str, float]] = {
    "active": {"diff": 0},
    "gate": {"poly": 0, "diff": 0},
    "ngate": {"poly": 0, "diff": 0, "nsdm": 0.125},
    "pgate": {"poly": 0, "diff": 0, "psdm": 0.125},
    "pdiff": {"diff": 0, "psdm": 0.125},
    "ndiff_outside": {"diff": 0, "nsdm": 0.125},
    "pdiff_in_nwell": {"diff": 0, "psdm": 0.125, "nwell": 1},
    "ntap": {"tap": 0, "nsdm": 0.125, "nwell": 1},
    "ptap": {"tap": 0, "psdm": 0.125},
    "licon_diff": {"licon1": 0, "diff": 0.04},
    "licon_tap": {"licon1": 0, "tap": 0.04},
    "licon_poly": {"licon1": 0, "poly": 0.05},
    "implant": {"nsdm": 0},
    "active_or_poly": {"diff": 0},
}
ONE: Box = (0, 0, 1, 1)


def place(p: Draw, layer: str, box: Box, without: tuple[str, ...] = ()) -> None:
    """Draw a layer, or what it is made of, but for some of its layers."""
    for name, beyond in MADE_OF.get(layer, {layer: 0}).items():
        if name not in without:
            p.around(name, box, beyond)


def width(p: Draw, rule: Rule) -> None:
    place(p, rule.layers[0], (0, 0, rule.value - p.d, 4))


def space(p: Draw, rule: Rule) -> None:
    first, *others = rule.layers
    at = 1 + rule.value - p.d
    place(p, first, ONE)
    place(p, others[0] if others else first, (at, 0, at + 1, 1))


def across(p: Draw, rule: Rule) -> None:
    space(p, replace(rule, layers=rule.layers[:1]))
    place(p, rule.layers[1], (1 + rule.value / 2 - 0.1, 0, 1 + rule.value / 2 + 0.1, 1))


def space_of_nets(p: Draw, rule: Rule) -> None:
    at = 1 + rule.value - p.d
    p.rect(rule.layers[0], 0, 0, 1, 4)
    p.rect(rule.layers[0], at, 0, at + 2, 4)


def enclosure(p: Draw, rule: Rule) -> None:
    inner, outer = rule.layers[:2]
    place(p, inner, ONE, without=(outer,))
    v = rule.value
    p.rect(outer, -v - 1, -v - 1, 1 + v - p.d, 2 + v)


def adjacent(p: Draw, rule: Rule) -> None:
    cut, metal = rule.layers
    side, v = 0.2, rule.value
    place(p, cut, (0, 0, side, side), without=(metal,))
    p.rect(metal, -v, -v, side + round(v / 2 / GRID) * GRID, side + v - p.d)


def extension(p: Draw, rule: Rule) -> None:
    outer, crossed = rule.layers
    p.rect(crossed, *ONE)
    p.rect(outer, -rule.value - 1, 0.2, 1 + rule.value - p.d, 0.8)


def wide_space(p: Draw, rule: Rule) -> None:
    wide = rule.extra[0] + GRID
    p.rect(rule.layers[0], 0, 0, wide, 5)
    p.rect(rule.layers[0], wide + rule.value - p.d, 0, wide + rule.value + 1, 5)


def wide_joint(p: Draw, rule: Rule) -> None:
    wide = rule.value + p.d
    p.rect(rule.layers[0], 0, 0, wide, wide)
    p.rect(rule.layers[0], wide, 1, wide + 4, 2)


def max_size(p: Draw, rule: Rule) -> None:
    p.rect(rule.layers[0], 0, 0, rule.value + p.d, 2 * rule.value)


def area(p: Draw, rule: Rule) -> None:
    height = math.ceil(rule.value / GRID - 1e-9) * GRID
    p.rect(rule.layers[0], 0, 0, 1, height - p.d)


def hole_area(p: Draw, rule: Rule) -> None:
    height = math.ceil(rule.value / 0.5 / GRID - 1e-9) * GRID - p.d
    for box in ((0, 0, 3, 1), (0, 1 + height, 3, 3), (0, 0, 1, 3), (1.5, 0, 3, 3)):
        p.rect(rule.layers[0], *box)


def exact_size(p: Draw, rule: Rule) -> None:
    p.square(rule.layers[0], 0, 0, rule.value - p.d)


def channel_width(p: Draw, rule: Rule) -> None:
    p.rect("diff", -1, 0, 2, rule.value - p.d)
    p.rect("poly", 0, -1, 0.5, 2)


def gate_length(p: Draw, rule: Rule) -> None:
    p.rect("diff", -1, 0, 2, 1)
    p.rect("poly", 0, -1, rule.value - p.d, 2)


def no_bend(p: Draw, rule: Rule) -> None:
    p.rect("diff", -1, 0, 2, 1)
    p.rect("poly", 0, -1, 0.5, 2)
    if p.d:
        p.rect("poly", 0, 0.4, 1, 0.8)


def forbidden(p: Draw, rule: Rule) -> None:
    first, second = rule.layers
    place(p, first, ONE)
    place(p, second, (1 - p.d, 0, 2, 1), without=(first,))


def missing(p: Draw, rule: Rule) -> None:
    """A diff or tap without a contact, or a well without a tap."""
    p.rect("nwell", -1, -1, 2, 2)
    p.rect({"bare_diff": "diff"}.get(rule.layers[0], "tap"), *ONE)
    if rule.layers[0] == "well_without_tap":
        p.rect("nsdm", 0, 0, *((1, 1) if not p.d else (-0.5, -0.5)))
    elif not p.d:
        p.square("licon1", 0.4, 0.4, 0.17)


def inside(p: Draw, rule: Rule) -> None:
    place(p, rule.layers[0], ONE)
    place(p, rule.layers[1], (-1, -1, 1 - p.d, 2))


def reach(p: Draw, rule: Rule) -> None:
    first, tap = rule.layers
    place(p, first, ONE)
    at = 1 + rule.value + p.d
    place(p, tap, (at, 0, at + 1, 1))


def on_grid(p: Draw, rule: Rule) -> None:
    p.rect(rule.layers[0], 0, 0, 5, 5 - p.d / 5)


def angle(p: Draw, rule: Rule) -> None:
    p.poly(rule.layers[0], [(0, 0), (0, 5), (5 - p.d, 0)])


def antenna(p: Draw, rule: Rule) -> None:
    """A gate of 0.5 x 0.42 um, a stack up to the level, and as much of the level as it bears."""
    layer, (is_area, wall) = rule.layers[1], rule.extra
    levels = [name for level in TECH.nets.antenna for name in level if name]
    p.rect("diff", -1, 0, 1.5, 0.42)
    p.rect("nsdm", -1.2, -0.2, 1.7, 0.62)
    p.rect("poly", 0, -0.2, 0.5, 2)
    charge = rule.value * 0.5 * 0.42
    below = levels[: levels.index(layer)]
    for name in below:
        if name in TECH.roles.vias or name in ("licon1", "mcon"):
            p.square(name, 0.2, 1.4, size(name))
        elif name != "poly":
            p.rect(name, 0, 1, 1, 2)
    if is_area:
        count = int(charge / size(layer) ** 2 + 1e-9) + (1 if p.d else 0)
        step = 2 * size(layer) + 0.1
        for name in (levels[levels.index(layer) - 1], levels[levels.index(layer) + 1]):
            p.rect(name, 0, 1, 8 * step + 1, 2 + 8 * step)
        for k in range(count):
            p.square(layer, 0.6 + k % 7 * step, 1.2 + k // 7 * step, size(layer))
        return
    if layer == "poly":
        height = math.floor((charge / wall / 2 - 0.5) / GRID + 1e-6) * GRID
        p.rect("poly", 0, -0.2, 0.5, -0.2 + height + p.d)
    else:
        length = math.floor((charge / wall / 2 - 1) / GRID + 1e-6) * GRID
        p.rect(layer, 0, 1, length + p.d, 2)


def size(cut: str) -> float:
    return next(r.value for r in TECH.rules if r.kind == "exact_size" and r.layers == (cut,))


KINDS: dict[str, Callable[[Draw, Rule], None]] = {
    "width": width, "space": space, "separation": space, "clear": space,
    "butt_separation": space, "across": across, "space_different_net": space_of_nets,
    "enclosure": enclosure, "implant_enclosure": enclosure, "adjacent": adjacent,
    "extension": extension,
    "wide_space": wide_space, "wide_joint": wide_joint, "max_size": max_size,
    "area": area, "hole_area": hole_area,
    "exact_size": exact_size,
    "channel_width": channel_width, "gate_length": gate_length, "no_bend_over": no_bend,
    "forbidden": forbidden, "forbidden_layer": missing, "inside": inside, "reach": reach,
    "on_grid": on_grid, "angle": angle, "antenna": antenna,
}  # fmt: skip


def broken(rule: Rule, d: float, tech: Tech = TECH) -> int:
    p = Draw(tech, d)
    KINDS[rule.kind](p, rule)
    return run_drc(p.layout, tech, rules=[rule.name]).by_rule[rule.name]


@pytest.mark.parametrize("name", RULES)
def test_at_the_limit_it_passes_and_one_step_below_it_fails(name: str) -> None:
    assert broken(RULES[name], 0.0) == 0
    assert broken(RULES[name], GRID) > 0
