"""Pieces with many ports keep the resistors of their grid: via arrays of any size."""

from __future__ import annotations

import klayout.db as db
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

from crossstack.extract.array.chain import resistance
from crossstack.extract.sheet import necks, wire
from crossstack.extract.sheet.field import SheetPort, sheet_impedance
from crossstack.extract.sheet.gridnet import grid_network
from crossstack.extract.sheet.netres import NetSolver
from crossstack.extract.sheet.rates import rates
from crossstack.extract.sheet.shapes import NetShapes, Pin
from crossstack.extract.sheet.tidy import NetResistors
from crossstack.pdk import get_tech

TECH = get_tech()
METALS = ("Metal3", "Metal4")


def array(k: int) -> NetResistors:
    """K x K vias between two plates, each with a stub to its pin."""
    pitch = 520
    w = k * pitch + 1000
    at = [500 + i * pitch for i in range(k)]
    net = NetShapes(
        "X",
        {
            "Metal3": [db.Polygon(db.Box(0, 0, w + 20_000, w))],
            "Metal4": [db.Polygon(db.Box(0, 0, w, w + 20_000))],
        },
        {"Via3": [db.Box(x, y, x + 260, y + 260) for x in at for y in at]},
        [],
        [Pin("A", "Metal3", w + 19_990, w // 2), Pin("B", "Metal4", w // 2, w + 19_990)],
    )
    return NetSolver(rates(TECH), 0.001).solve(net)


def ohm(net: NetResistors) -> float:
    return resistance(net, net.pin_node["A"], net.pin_node["B"])


def test_a_via_array_equals_its_complete_mesh(monkeypatch) -> None:
    """5 x 5 vias both ways; at 8 x 8 and 12 x 12 the difference is 0.01 % as well."""
    ours = ohm(array(5))
    monkeypatch.setattr(wire, "_MANY", 1000)
    wire._solved_piece.cache_clear()
    exact = ohm(array(5))
    wire._solved_piece.cache_clear()
    assert ours == pytest.approx(exact, rel=5e-4)


def test_a_via_array_grows_with_its_vias_only() -> None:
    """The mesh of 16 x 16 had 22,000 resistors and that of 32 x 32 did not fit in memory."""
    small, large = array(12), array(24)
    assert len(large.resistors) < 4 * len(small.resistors)
    assert sum(r.cuts for r in large.resistors if r.layer == "Via3") == 24 * 24
    # strips side by side have the width of the cut that they lie on: no more than the metal
    assert all(0 < r.width_um <= 34 for r in large.resistors if r.layer != "Via3")


def vias_on_plates(vias: list[tuple[int, int]]) -> NetSolver:
    """A solver of two nets alike, a via array between two plates, with the vias in two orders."""
    solver = NetSolver(rates(TECH), 0.001)
    for name, some in (("X", vias), ("Y", vias[::-1])):
        at = 0 if name == "X" else 100_000
        boxes = [db.Box(at + x, y, at + x + 260, y + 260) for x, y in some]
        plate = db.Polygon(db.Box(at, 0, at + 6_000, 6_000))
        pins = [Pin(f"{name}{k}", metal, at + 10, 10) for k, metal in enumerate(METALS)]
        net = NetShapes(name, {metal: [plate] for metal in METALS}, {"Via3": boxes}, [], pins)
        solver.solve(net)
    return solver


@given(st.permutations([(x, y) for x in range(300, 5_000, 800) for y in range(300, 5_000, 800)]))
@settings(max_examples=3, deadline=None)
def test_a_plate_is_solved_once_whatever_order_its_vias_come_in(vias) -> None:
    """On a chip, a pad's plates otherwise are hundreds of pieces, one second each."""
    solver = vias_on_plates(vias)
    assert (solver.distinct, solver.wires.wires, solver.wires.pieces) == (2, 1, 1)


def test_a_cut_of_a_grid_is_taken_away_once(monkeypatch) -> None:
    """However many necks lie beside it: the clamps of a chip took ten minutes."""
    teeth = [(1_000 * k, 1_000 * k + 500) for k in range(8)]
    shape = db.Region([db.Box(0, 2_000, 8_000, 3_000)])
    for left, right in teeth:
        shape.insert(db.Box(left, 0, right, 2_000))
        shape.insert(db.Box(left, 3_000, right, 5_000))
    (polygon,) = shape.merged().each()
    ports = [
        SheetPort((x + 100, y, x + 300, y + 200)) for x, _ in teeth for y in (200, 2_200, 4_600)
    ]
    asked: list[bytes] = []
    whole = necks._Grid.sides

    def sides(grid: necks._Grid, without: np.ndarray) -> np.ndarray | None:
        asked.append(without.tobytes())
        return whole(grid, without)

    monkeypatch.setattr(necks._Grid, "sides", sides)
    grid_network(polygon, ports)
    assert len(asked) > 20
    assert len(asked) < 1.5 * len(set(asked))


def impedance(n: int, edges: list[wire.Edge], k: int) -> np.ndarray:
    a, b = np.array([e.a for e in edges]), np.array([e.b for e in edges])
    g = 1 / np.array([e.squares for e in edges])
    rows, cols = np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a])
    matrix = coo_matrix((np.concatenate([g, g, -g, -g]), (rows, cols)), (n, n)).tocsc()
    drive = np.eye(n - 1)[:, : k - 1]
    return spsolve(matrix[1:, 1:], drive)[: k - 1]


def test_what_passes_an_array_beside_a_corner_is_right() -> None:
    """A bend with 25 vias in it: end to end within 0.3 %, at the vias within 0.3 squares."""
    region = db.Region([db.Box(0, 0, 20_000, 3000), db.Box(17_000, 0, 20_000, 20_000)])
    polygon = next(region.merged().each())
    ports = [SheetPort((0, 0, 0, 3000)), SheetPort((17_000, 20_000, 20_000, 20_000))]
    for x in range(17_200, 17_200 + 5 * 520, 520):
        ports += [SheetPort((x, y, x + 260, y + 260)) for y in range(200, 200 + 5 * 520, 520)]
    exact = sheet_impedance(polygon, ports)
    ours = impedance(*grid_network(polygon, ports), len(ports))
    assert ours[0, 0] == pytest.approx(exact[0, 0], rel=3e-3)
    assert np.abs(ours - exact).max() < 0.3
    off = ~np.eye(len(exact), dtype=bool)
    assert ours[off] == pytest.approx(exact[off], rel=0.01)


def comb(teeth: int, width: int) -> tuple[db.Polygon, list[SheetPort]]:
    """A wide line with teeth closer than it is wide, and a port on each."""
    ends = [(4000 * k + 1000, 4000 * k + 1380) for k in range(teeth)]
    region = db.Region(db.Box(0, 0, 4000 * teeth, width))
    region.insert(db.Box(-2000, 0, 0, width))
    for low, high in ends:
        region.insert(db.Box(low, -700, high, 0))
    ports = [SheetPort((-2000, 0, -2000, width))]
    ports += [SheetPort((low, -700, high, -700)) for low, high in ends]
    return next(region.merged().each()), ports


@pytest.mark.parametrize("width", [4000, 9000])
def test_a_long_comb_is_a_mesh_of_its_teeth(width) -> None:
    """Its grid had 150 to 500 nodes a tooth, which made every solve of a large array slow."""
    polygon, ports = comb(26, width)
    wire._solved_piece.cache_clear()
    count, edges = wire._solved_piece(polygon.to_s(), tuple(ports))
    assert count == len(ports)
    assert len(edges) < 0.1 * len(grid_network(polygon, ports)[1])
    ours = impedance(count, edges, len(ports))
    grid = impedance(*grid_network(polygon, ports), len(ports))
    assert ours == pytest.approx(grid, rel=1e-6)
    # along the line the grid is right; a tooth's foot it makes half a square too long
    exact = sheet_impedance(polygon, ports)
    off = ~np.eye(len(exact), dtype=bool)
    assert ours[off] == pytest.approx(exact[off], rel=2e-3)
    assert np.abs(ours - exact).max() < 0.6
    assert all(np.isfinite(edge.width) and edge.width > 0 for edge in edges)
