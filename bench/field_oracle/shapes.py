"""Shapes of the kinds of a public benchmark of extractors, for GF180MCU, drawn by us.

The benchmark is `pex_bench` of github.com/iic-jku/open-pdks-regression-tests. Plates,
wires, plates over plates and pairs of wires have its sizes, so that what it publishes of other
extractors (published.csv) holds for them too; the others are of its kinds, at sizes that this
process's rules allow.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from crossstack.pdk import Ask, Tech

from .drawn import Part, Shape, rect

#: from the outermost conductor to the edge of the field: a mirror there moves no value by 0.1 %
MARGIN_UM = 40.0
#: of short things, likewise
NEAR_UM = 14.0
Window = tuple[float, float, float, float]


def shapes(tech: Tech) -> list[Shape]:
    """Return all shapes in the order of the table."""
    groups = (plates, overlaps, side_walls, fringes, crossings, combs, stacks, bends)
    return [shape for group in groups for shape in group(tech)]


def plates(tech: Tech) -> Iterator[Shape]:
    """Yield plates and wires over the silicon."""
    for metal in (tech.roles.layer("poly"), *tech.roles.metals):
        quarter = (0.0, 0.0, 25 + MARGIN_UM, 25 + MARGIN_UM)
        yield Shape(f"plate {metal}", "plate", (rect("A", metal, -25, -25, 25, 25),), quarter, 4,
                    words="50 x 50 um over silicon")  # fmt: skip
        quarter = (0.0, 0.0, 0.25 + MARGIN_UM, 25 + MARGIN_UM)
        yield Shape(f"wire {metal}", "wire", (rect("A", metal, -0.25, -25, 0.25, 25),), quarter, 4,
                    words="0.5 x 50 um over silicon")  # fmt: skip


def overlaps(tech: Tech) -> Iterator[Shape]:
    """Yield a plate over a larger one."""
    m = tech.roles.metals
    for low, high in ((0, 1), (1, 2), (2, 3), (3, 4), (0, 2), (0, 4)):
        parts = (rect("B", m[low], -15, -15, 15, 15), rect("A", m[high], -5, -5, 5, 5))
        yield Shape(f"{m[high]} over {m[low]}", "overlap", parts,
                    (0.0, 0.0, 15 + MARGIN_UM, 15 + MARGIN_UM), 4,
                    words="10 x 10 um over 30 x 30 um")  # fmt: skip


def side_walls(tech: Tech) -> Iterator[Shape]:
    """Yield two wires beside each other."""
    first = tech.roles.metals[0]
    for space in (0.2, 0.4, 0.8, 1.6, 3.2):
        yield _pair(f"pair {first} {space:g}", first, 0.5, space, 50.0)
    for metal in (tech.roles.layer("poly"), *tech.roles.metals):
        width, space = Ask(tech).width(metal), Ask(tech).space(metal)
        yield _pair(f"least pair {metal}", metal, width, space, 4.0)


def _pair(name: str, metal: str, width: float, space: float, length: float) -> Shape:
    x = space / 2
    parts = (
        rect("A", metal, -x - width, -length / 2, -x, length / 2),
        rect("B", metal, x, -length / 2, x + width, length / 2),
    )
    side = x + width + MARGIN_UM
    return Shape(name, "side wall", parts, (-side, 0.0, side, length / 2 + MARGIN_UM), 2,
                 words=f"two wires of {width:g} x {length:g} um, {space:g} um apart")  # fmt: skip


def fringes(tech: Tech) -> Iterator[Shape]:
    """Yield wires near others and near edges."""
    m1, m2, m3 = tech.roles.metals[:3]
    w, s, half = 0.28, 0.28, 2.0

    def line(net: str, metal: str, at: float, width: float = w) -> Part:
        return rect(net, metal, at - width / 2, -half, at + width / 2, half)

    three = (line("B", m2, -w - s), line("A", m2, 0), line("C", m2, w + s))
    far = (-5 - NEAR_UM, 0.0, 5 + NEAR_UM, half + NEAR_UM)
    plate = rect("P", m1, -2, -half, 2, half)
    edge = rect("P", m1, 0, -half, 4, half)
    roof = rect("R", m3, -2, -half, 2, half)
    yield Shape("bus of three", "fringe", three, far, 2, words=f"{m2} at least space")
    yield Shape("bus over plate", "fringe", (*three, plate), far, 2, words=f"{m2} over {m1}")
    yield Shape("line at an edge", "fringe", (line("A", m2, 0, 1.0), edge), far, 2,
                words=f"{m2} half over a {m1} plate")  # fmt: skip
    yield Shape("line past an edge", "fringe", (line("A", m2, -1.0), edge), far, 2,
                words=f"{m2} 0.86 um beside a {m1} plate")  # fmt: skip
    yield Shape("line between plates", "fringe", (line("A", m2, 0), plate, roof), far, 2,
                words=f"{m2} between {m1} and {m3}")  # fmt: skip
    yield Shape("unlike pair", "fringe", (line("A", m2, -1.39, 2.5), line("B", m2, 0.14)), far, 2,
                words="2.5 um beside 0.28 um")  # fmt: skip


def crossings(tech: Tech) -> Iterator[Shape]:
    """Yield lines over lines."""
    poly, m = tech.roles.layer("poly"), tech.roles.metals
    pairs = [(poly, m[0]), *pairwise(m), (m[0], m[2]), (m[0], m[4])]
    for low, high in pairs:
        w = max(0.5, Ask(tech).width(high))
        parts = (rect("A", low, -2, -w / 2, 2, w / 2), rect("B", high, -w / 2, -2, w / 2, 2))
        yield Shape(f"crossing {low} {high}", "crossing", parts, _quarter(2.0), 4,
                    words=f"lines of {w:g} x 4 um")  # fmt: skip
    shield = rect("S", m[1], -1, -1, 1, 1)
    parts = (rect("A", m[0], -2, -0.25, 2, 0.25), rect("B", m[2], -0.25, -2, 0.25, 2), shield)
    yield Shape("shielded crossing", "crossing", parts, _quarter(2.0), 4,
                words=f"{m[0]} and {m[2]} with 2 x 2 um of {m[1]} between")  # fmt: skip


def _quarter(size: float, margin: float = NEAR_UM) -> Window:
    return 0.0, 0.0, size + margin, size + margin


def combs(tech: Tech) -> Iterator[Shape]:
    """Yield interleaved combs."""
    m = tech.roles.metals
    for metal, under in ((m[0], ""), (m[2], m[1]), (m[4], "")):
        w, s = Ask(tech).width(metal), Ask(tech).space(metal)
        parts = list(_comb(metal, w, s))
        if under:
            parts.append(rect("P", under, -6, -6, 6, 6))
        reach = 6 + NEAR_UM
        yield Shape(f"combs {metal}", "comb", tuple(parts), (-reach, -reach, reach, reach),
                    words="3 and 2 fingers at least space" + (f" over {under}" if under else ""),
                    )  # fmt: skip


def _comb(metal: str, w: float, s: float) -> Iterator[Part]:
    step = w + s
    for k in range(-2, 3):
        net, shift = ("A", 0.0) if k % 2 == 0 else ("B", -s - w)
        yield rect(
            net, metal, k * step - w / 2, -2 + shift + s + w, k * step + w / 2, 2 + shift + s + w
        )
    wide = 2 * step + w / 2
    yield rect("A", metal, -wide, 2 + s + w, wide, 2 + s + 2 * w)
    yield rect("B", metal, -wide, -2 - w, wide, -2)


def stacks(tech: Tech) -> Iterator[Shape]:
    """Yield vias with their lands, alone and beside each other."""
    m = tech.roles.metals
    for low, count in ((0, 1), (0, 4), (1, 1), (3, 1), (3, 4)):
        parts = tuple(_stack(tech, "A", 0.0, low, low + 1, count))
        yield Shape(f"via {m[low]} x{count}", "via", parts, _quarter(2.0), 4,
                    words=f"{count} cuts to {m[low + 1]}")  # fmt: skip
    parts = tuple(_stack(tech, "A", 0.0, 0, 4, 1))
    yield Shape("stack of all metals", "via", parts, _quarter(2.0), 4, words="one cut each")
    pair = (*_stack(tech, "A", -0.5, 0, 4, 1), *_stack(tech, "B", 0.5, 0, 4, 1))
    yield Shape("two stacks", "via", pair, (-15.0, 0.0, 15.0, 15.0), 2, words="1 um apart")
    poly = tech.roles.layer("poly")
    contact = next(cut for cut in tech.cuts if cut.lower == poly)
    half = contact.size_um / 2
    one = (
        rect("A", poly, -0.25, -3, 0.25, 3),
        rect("A", contact.name, -half, -half, half, half),
        rect("A", m[0], -3, -0.25, 3, 0.25),
    )
    yield Shape("contact on poly", "via", one, _quarter(3.0), 4, words=f"{poly} to {m[0]}")


def _stack(tech: Tech, net: str, x: float, low: int, high: int, count: int) -> Iterator[Part]:
    """Yield lands of metals and count x 1 or 2 x 2 cuts between them."""
    metals, side = tech.roles.metals, 2 if count == 4 else 1
    for k in range(low, high + 1):
        half = 0.32 if side == 1 else 0.6
        yield rect(net, metals[k], x - half, -half, x + half, half)
        if k == high:
            return
        cut = next(c for c in tech.cuts if (c.lower, c.upper) == (metals[k], metals[k + 1]))
        for a in range(side):
            for b in range(side):
                u, v = x + 0.52 * (a - (side - 1) / 2), 0.52 * (b - (side - 1) / 2)
                h = cut.size_um / 2
                yield rect(net, cut.name, u - h, v - h, u + h, v + h)


def bends(tech: Tech) -> Iterator[Shape]:
    """Yield nets that turn and branch."""
    m1, m2 = tech.roles.metals[:2]
    whole = (-16.0, -16.0, 16.0, 16.0)
    bend = Part("A", m1, ((-2, -2), (-1.5, -2), (-1.5, 1.5), (2, 1.5), (2, 2), (-2, 2)))
    nested = Part("B", m1, ((-1, -2), (-0.5, -2), (-0.5, 0.5), (2, 0.5), (2, 1), (-1, 1)))
    yield Shape("bend in a bend", "bend", (bend, nested), whole, words=f"{m1}, 0.5 um apart")
    tee = (rect("A", m1, -2, -0.25, 2, 0.25), rect("A", m1, -0.25, 0.25, 0.25, 2))
    other = (rect("B", m1, -2, -1.25, 2, -0.75), rect("B", m1, 1.0, -3, 1.5, -1.25))
    yield Shape("pair of tees", "bend", (*tee, *other), whole, words=f"{m1}, 0.5 um apart")
    cross = (rect("A", m1, -2, -0.25, 2, 0.25), rect("A", m1, -0.25, -2, 0.25, 2))
    yield Shape("cross", "bend", cross, _quarter(2.0), 4, words=m1)
    frame = (rect("R", m2, -2, -2, 2, -1.5), rect("R", m2, -2, 1.5, 2, 2),
             rect("R", m2, -2, -1.5, -1.5, 1.5), rect("R", m2, 1.5, -1.5, 2, 1.5))  # fmt: skip
    yield Shape("guarded pad", "bend", (rect("A", m2, -1, -1, 1, 1), *frame), _quarter(2.0), 4,
                words=f"{m2}, 2 x 2 um in a ring, 0.5 um apart")  # fmt: skip
    slant = (Part("A", m1, ((-1.6, -1.2), (-1.2, -1.6), (1.6, 1.2), (1.2, 1.6))),
             Part("B", m1, ((-0.8, -2), (-0.4, -2.4), (2.4, 0.4), (2, 0.8))))  # fmt: skip
    yield Shape("slanted pair", "bend", slant, (-16.0, -16.0, 16.0, 16.0),
                words=f"{m1} at 45 degrees, 0.57 um apart")  # fmt: skip
