"""Widths of wire pieces: the narrowest cut that the current of a resistor must pass."""

from __future__ import annotations

from itertools import combinations

import klayout.db as db
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve

from crossstack.extract.sheet import wire as wire_module
from crossstack.extract.sheet.field import SheetPort
from crossstack.extract.sheet.netres import NetSolver
from crossstack.extract.sheet.rates import rates
from crossstack.extract.sheet.shapes import NetShapes, Pin, Terminal
from crossstack.extract.sheet.tidy import Resistor, tidy
from crossstack.extract.sheet.wire import WireSolver
from crossstack.pdk import get_tech
from crossstack.solve.network.through import Throughs

TECH = get_tech()
#: what resistors know of the cuts of their piece
PARTINGS = ("parting", "crosses")


def shape(*boxes):
    # min_coherence: what meets at a corner only is two shapes
    return list(db.Region([db.Box(*b) for b in boxes]).merged(True, 0).each())


def solved(polygons, terminals=(), pins=()):
    net = NetShapes("N", {"Metal4": polygons}, {}, list(terminals), list(pins))
    return NetSolver(rates(TECH), TECH.dbu_um).solve(net)


def currents(result, a, b):
    """Share of a current from one node to another that each resistor carries, and its width."""
    return loaded(result, {a: 1.0, b: -1.0})


def loaded(result, amps_into):
    """What each resistor's width carries for currents into some nodes, and its width."""
    n = result.n_nodes
    matrix = np.zeros((n, n))
    for r in result.resistors:
        matrix[[r.a, r.b], [r.a, r.b]] += 1 / r.ohm
        matrix[[r.a, r.b], [r.b, r.a]] -= 1 / r.ohm
    drive = np.zeros(n)
    drive[[*amps_into]] = [*amps_into.values()]
    volts = np.linalg.lstsq(matrix, drive, rcond=None)[0]
    amps = np.array([(volts[r.a] - volts[r.b]) / r.ohm for r in result.resistors])
    layers = {r.layer: k for k, r in enumerate(result.resistors)}
    width = np.array([r.width_um for r in result.resistors])
    ends = (np.array([getattr(r, end) for r in result.resistors]) for end in "ab")
    kind = np.array([layers[r.layer] for r in result.resistors])
    told = [np.array([getattr(r, name) for r in result.resistors]) for name in PARTINGS]
    return list(zip(Throughs(*ends, kind, width, *told)(amps), width, strict=True))


def narrowest(result, a, b):
    nodes = {**result.terminal_node, **result.pin_node}
    found = [(i, w) for i, w in currents(result, nodes[a], nodes[b]) if i > 1e-6]
    assert not any(np.isnan(w) for _, w in found)
    return min(w / i for i, w in found)


WEST, EAST = Pin("west", "Metal4", 0, 1000), Pin("east", "Metal4", 20_000, 1000)
LINE = (0, 0, 20_000, 2000)


def via(key, x, y, half=130):
    return Terminal(key, "Metal4", (x - half, y - half, x + half, y + half))


@pytest.mark.parametrize("tabs", [1, 2, 6])
def test_a_row_line_is_as_wide_as_drawn_and_its_tab_as_the_tab(tabs):
    """Tabs of 0.38 um, however many of them share a piece."""
    at = [9000 + 700 * k for k in range(tabs)]
    polygons = shape(LINE, *((x - 190, -800, x + 190, 0) for x in at))
    result = solved(polygons, [via(f"v{x}", x, -610) for x in at], [WEST, EAST])
    through = narrowest(result, "west", "east")
    assert through == pytest.approx(2.0)
    for x in at:
        for end in ("west", "east"):
            assert narrowest(result, end, f"v{x}") == pytest.approx(0.38)


@pytest.mark.parametrize("tabs", [2, 3, 6, 9])
@pytest.mark.parametrize("pair", [False, True])
def test_every_tab_carries_its_own_current_and_the_line_that_of_all(tabs, pair):
    """Tabs of one piece, with one via or two beside each other, which part the same place."""
    wide = 640 if pair else 380
    at = [6000 + 900 * k for k in range(tabs)]
    polygons = shape(LINE, *((x - wide // 2, -800, x + wide // 2, 0) for x in at))
    spots = [(x + dx, f"v{x}{dx}") for x in at for dx in ((-170, 170) if pair else (0,))]
    result = solved(polygons, [via(name, x, -610) for x, name in spots], [WEST, EAST])
    nodes = {**result.terminal_node, **result.pin_node}
    into = {
        nodes[name]: 1.0 / len(spots) * (1 + 0.2 * (k % 2)) for k, (_, name) in enumerate(spots)
    }
    into[nodes["west"]] = -sum(into.values())
    most = max(i / w for i, w in loaded(result, into) if w == w)
    each = [sum(into[nodes[n]] for x, n in spots if abs(x - tab) < 300) for tab in at]
    assert most == pytest.approx(
        max(-into[nodes["west"]] / 2.0, max(each) / (wide / 1000)), rel=1e-6
    )


@pytest.mark.parametrize("length", [200, 1000, 6000])
@pytest.mark.parametrize("tab", [False, True])
def test_a_narrowed_stretch_is_found_however_short(length, tab):
    boxes = [(0, 0, 9000, 2000), (9000, 0, 9000 + length, 600), (9000 + length, 0, 20_000, 2000)]
    terminals = []
    if tab:  # so near that it is one piece with the narrow place
        boxes.append((8810, -800, 9190, 0))
        terminals = [via("via", 9000, -610)]
    result = solved(shape(*boxes), terminals, [WEST, EAST])
    assert narrowest(result, "west", "east") == pytest.approx(0.6, rel=1e-6)
    if tab:
        assert narrowest(result, "west", "via") == pytest.approx(0.38, rel=1e-6)


def test_a_neck_between_two_corners():
    """Two lines that meet at their corners: neither is narrow, the place between them is."""
    boxes = [(0, 0, 10_200, 2000), (10_000, 1800, 20_000, 4000)]
    pins = [WEST, Pin("east", "Metal4", 20_000, 3000)]
    assert narrowest(solved(shape(*boxes), [], pins), "west", "east") == pytest.approx(
        0.2 * 2**0.5, rel=1e-6
    )


def test_around_a_slot_the_width_is_never_too_large():
    polygon = db.Region(db.Box(*LINE)) - db.Region(db.Box(9000, 400, 11_000, 1500))
    found = narrowest(solved(list(polygon.each()), [], [WEST, EAST]), "west", "east")
    assert 0.4 <= found <= 0.9 + 1e-9  # 0.4 above and 0.5 below


def test_vias_in_a_field_share_its_width():
    """Eight vias on a plate, a line of 1 um out of it: the line decides, not one via's share."""
    at = [(x, y) for y in (500, 1500) for x in (500, 1500, 2500, 3500)]
    polygons = shape((0, 0, 4000, 2000), (1500, 2000, 2500, 12_000))
    terminals = [via((x, y), x, y) for x, y in at]
    result = solved(polygons, terminals, [Pin("north", "Metal4", 2000, 12_000)])
    nodes = [result.terminal_node[key] for key in at]
    joined = [Resistor(node, result.n_nodes, 4.5, "Via4", cuts=1.0) for node in nodes]
    result.resistors += joined
    result.n_nodes += 1
    found = currents(result, result.pin_node["north"], result.n_nodes - 1)
    least = min(w / i for i, w in found if i > 1e-6 and w == w)
    assert least == pytest.approx(1.0)


def test_unlike_wires_beside_each_other_carry_what_the_first_of_them_can():
    wires = [Resistor(0, 1, 1.0, "M", 1.0), Resistor(0, 1, 4.0, "M", 1.0)]
    _, _, (one,) = tidy(2, wires, {0, 1})
    assert one.ohm == pytest.approx(0.8)
    assert one.width_um == pytest.approx(1.25)  # the short one has 80 % of the current


def straight_cuts(filled):
    """Yield (cells on one side, length in cells) of every cut along a grid line that parts them."""
    number = np.arange(filled.size).reshape(filled.shape)
    for turned in (False, True):
        way, numbers = (filled.T, number.T) if turned else (filled, number)
        for x in range(1, len(way)):
            both = way[x - 1] & way[x]
            ends = np.flatnonzero(np.diff(np.concatenate([[0], both.astype(int), [0]])))
            for low, high in ends.reshape(-1, 2):
                a, b = [], []
                for first, second in ((number[:-1], number[1:]), (number[:, :-1], number[:, 1:])):
                    joined = filled.ravel()[first] & filled.ravel()[second]
                    a += first[joined].tolist()
                    b += second[joined].tolist()
                gone = set(zip(numbers[x - 1, low:high], numbers[x, low:high], strict=True))
                pairs = [pair for pair in zip(a, b, strict=True) if pair not in gone]
                rows, cols = zip(*pairs, strict=True) if pairs else ((), ())
                graph = coo_matrix((np.ones(len(rows)), (rows, cols)), (number.size,) * 2)
                part = connected_components(graph, directed=False)[1].reshape(filled.shape)
                left, right = part.ravel()[numbers[x - 1, low]], part.ravel()[numbers[x, low]]
                if left != right:
                    yield part == left, int(high - low)


def diagonal_cuts(polygon, ports):
    """Yield (ports on one side, length) of every way between two corners that point inward.

    Of shapes without holes, and of ways that no port lies across.
    """
    ring = [] if polygon.holes() else list(polygon.each_point_hull())
    near = [(dx, dy) for dx in (-9, 9) for dy in (-9, 9)]
    corners = [
        k
        for k, p in enumerate(ring)
        if sum(polygon.inside(db.Point(p.x + dx, p.y + dy)) for dx, dy in near) == 3
    ]
    for i, j in combinations(corners, 2):
        p, q = ring[i], ring[j]
        way = db.Edge(p, q)
        inside = (db.Edges([way]) & db.Region(polygon)).length()
        if p.x == q.x or p.y == q.y or abs(inside - way.length()) > 2:
            continue
        part = db.Region(db.Polygon(ring[i : j + 1]))
        shares = [
            (db.Region(db.Box(*port.box)) & part).area() / db.Box(*port.box).area()
            for port in ports
        ]
        if all(share in (0, 1) for share in shares):
            yield (
                [k for k, share in enumerate(shares) if share],
                float(np.hypot(p.x - q.x, p.y - q.y)),
            )


@pytest.mark.parametrize("grid_above", [24, 2])
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_what_all_widths_allow_no_cut_forbids(data, grid_above, monkeypatch):
    """Whatever currents the ports have: if each resistor keeps its width, each cut is kept.

    So it is for pieces with few ends and for the grids of those with many.
    """
    monkeypatch.setattr(wire_module, "_MANY", grid_above)
    wire_module._solved_piece.cache_clear()
    cells = np.zeros((12, 12), dtype=bool)
    for _ in range(data.draw(st.integers(2, 5))):
        x, y = data.draw(st.integers(0, 9)), data.draw(st.integers(0, 9))
        w, h = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
        cells[x : x + w, y : y + h] = True
    boxes = [
        (500 * x, 500 * y, 500 * x + 500, 500 * y + 500) for x, y in np.argwhere(cells).tolist()
    ]
    polygon = max(shape(*boxes), key=lambda p: p.area())
    filled = np.array(
        [polygon.inside(db.Point(500 * x + 250, 500 * y + 250)) for x, y in np.ndindex(12, 12)]
    ).reshape(12, 12)
    places = np.argwhere(filled).tolist()
    k = data.draw(st.integers(2, 6))
    if len(places) < 2 * k:
        return
    at = [tuple(places[c]) for c in data.draw(st.permutations(range(len(places))))[:k]]
    ports = [SheetPort((500 * x, 500 * y, 500 * x + 500, 500 * y + 500)) for x, y in at]
    wire = WireSolver().solve(polygon, ports)
    if len(set(wire.port_node)) < k:  # patches beside each other on one line are one node
        return
    amps = np.random.default_rng(data.draw(st.integers(0, 99))).normal(size=k)
    amps -= amps.mean()
    drive = np.zeros(wire.n_nodes)
    drive[list(wire.port_node)] = amps
    g = np.array([1 / max(e.squares, 1e-8) for e in wire.edges])
    matrix = np.zeros((wire.n_nodes,) * 2)
    for e, siemens in zip(wire.edges, g, strict=True):
        matrix[[e.a, e.b], [e.a, e.b]] += siemens
        matrix[[e.a, e.b], [e.b, e.a]] -= siemens
    volts = np.linalg.lstsq(matrix, drive, rcond=None)[0]
    ends = np.array([[e.a, e.b] for e in wire.edges]).T
    width = np.array([e.width for e in wire.edges])
    told = [np.array([getattr(e, name) for e in wire.edges]) for name in PARTINGS]
    amps_of = (volts[ends[0]] - volts[ends[1]]) * g
    through = Throughs(*ends, np.zeros(len(width)), width, *told)(amps_of)
    load = np.nanmax(through / width)
    for side, length in straight_cuts(filled):
        mine = [i for i, place in zip(amps, at, strict=True) if side[place]]
        if len(mine) in (1, k - 1) and length >= 4:
            continue  # no narrower than all around the contact, which carries that current, too
        assert abs(sum(mine)) / (500 * length) <= load * (1 + 1e-6)
    for mine, dbu in diagonal_cuts(polygon, ports):
        if len(mine) in (1, k - 1) and dbu >= 2000:
            continue
        assert abs(amps[mine].sum()) / dbu <= load * (1 + 1e-6)


@pytest.mark.parametrize("turned", range(8))
def test_a_neck_of_a_grid_carries_what_passes_between_its_corners(turned):
    """Two notches of a strap with many vias; strips lie on cuts along the axes alone.

    A load of 134 % was said to be 13 %.
    """
    trans = db.Trans(turned % 4, turned > 3, 0, 0)
    polygon = db.Polygon(db.Box(0, 0, 9_000, 14_000))
    notches = db.Region([db.Box(0, 6_000, 4_300, 6_600), db.Box(4_500, 7_020, 9_000, 7_620)])
    (polygon,) = (db.Region(polygon) - notches).each()
    at = [(600 + 1_300 * i, y) for y in (600, 3_000, 9_000, 12_000) for i in range(7)]
    ports = []
    for x, y in at:
        box = db.Box(x, y, x + 260, y + 260).transformed(trans)
        ports.append(SheetPort((box.left, box.bottom, box.right, box.top)))
    wire = WireSolver().solve(polygon.transformed(trans), ports)
    amps = np.random.default_rng(turned).normal(size=len(at))
    amps -= amps.mean()
    drive = np.zeros(wire.n_nodes)
    drive[list(wire.port_node)] = amps
    ends = np.array([[e.a, e.b] for e in wire.edges]).T
    g = np.array([1 / max(e.squares, 1e-8) for e in wire.edges])
    every, of = np.concatenate([ends, ends[::-1]], axis=1), np.concatenate([g, g])
    matrix = coo_matrix((np.concatenate([of, -of]), (
        np.concatenate([every[0], every[0]]), np.concatenate([every[0], every[1]])
    )), (wire.n_nodes,) * 2).tocsc()  # fmt: skip
    volts = np.concatenate([[0.0], spsolve(matrix[1:, 1:], drive[1:])])
    width = np.array([e.width for e in wire.edges])
    told = [np.array([getattr(e, name) for e in wire.edges]) for name in PARTINGS]
    through = Throughs(*ends, np.zeros(len(width)), width, *told)(
        (volts[ends[0]] - volts[ends[1]]) * g
    )
    upper = abs(sum(i for i, (_, y) in zip(amps, at, strict=True) if y > 7_000))
    neck = np.hypot(200, 420)
    (across,) = {round(float(i), 9) for i in through[np.isclose(width, neck)]}
    assert across == pytest.approx(upper, rel=1e-6)
    assert np.nanmax(through / width) >= upper / neck * (1 - 1e-6)


def test_widths_know_holes():
    """KLayout reads a polygon with a hole back as one off the axes: nothing of it was judged."""
    (polygon,) = (
        db.Region(db.Box(0, 0, 9_000, 14_000)) - db.Region(db.Box(4_000, 5_900, 5_000, 8_000))
    ).each()
    at = [(600 + 1_300 * i, y) for y in (600, 3_000, 9_000, 12_000) for i in range(7)]
    for some in (at, at[::5]):
        ports = [SheetPort((x, y, x + 260, y + 260)) for x, y in some]
        wire = WireSolver().solve(polygon, ports)
        assert np.isfinite([e.width for e in wire.edges if e.squares > 0]).all()
