"""The tile engine against the flat one, also on layouts edited by hand."""

from __future__ import annotations

import klayout.db as db
import numpy as np
import pytest

from crossstack.base.errors import NetworkFileError
from crossstack.extract import TiledArray, extract, load_array, save_array
from crossstack.extract.array.grid import Grid, NotRegularError
from crossstack.extract.array.periphery import end_at_edge
from crossstack.extract.sheet.shapes import NetShapes, Pin
from crossstack.pdk import ParameterError, get_tech
from crossstack.solve import gates_for, network_drives, solve_network
from crossstack.solve.crossbar.crossbar import solve_crossbar

TECH = get_tech()


def wire_losses(network, seed: int = 0) -> np.ndarray:
    """What the wires take from each column current, in A."""
    tiers, rows, cols = network.shape
    ohm = np.random.default_rng(seed).uniform(1e4, 1e5, (len(tiers), rows, cols))
    drives = network_drives(network, "expansion", np.full((len(tiers), rows), 0.2))
    currents = [
        solve_network(
            network,
            conductances=1 / ohm,
            port_voltages=drives.port_voltages,
            gates=drives.gates,
            switch_ohm=800.0,
            wires=wires,
        ).port_currents
        for wires in (True, False)
    ]
    return np.array([currents[0][pin] - currents[1][pin] for pin in drives.outputs])


@pytest.mark.parametrize(
    ("cell", "rows", "cols"),
    [("hybrid", 2, 2), ("hybrid", 12, 9), ("hybrid", 32, 32), ("passive", 7, 11), ("planar", 9, 6)],
)
def test_tile_equals_flat(draw, cell, rows, cols) -> None:
    layout = draw(rows, cols, cell)
    tile = extract(layout, TECH, engine="tile")
    flat = extract(layout, TECH, engine="flat")
    assert tile.report.warnings == flat.report.warnings == []
    assert tile.array.shape[1:] == (rows, cols)
    np.testing.assert_allclose(wire_losses(tile.network), wire_losses(flat.network), rtol=1e-3)


def port_currents(network, mode: str) -> np.ndarray:
    tiers = len(network.tiers)
    ohm = np.random.default_rng(3).uniform(1e4, 1e5, (tiers, network.rows, network.cols))
    drives = network_drives(network, mode, np.full((tiers, network.rows), 0.2))
    solution = solve_network(
        network, conductances=1 / ohm, port_voltages=drives.port_voltages,
        gates=gates_for(network, drives), switch_ohm=700.0,
    )  # fmt: skip
    return np.array([solution.port_currents[pin] for pin in drives.port_voltages])


@pytest.mark.parametrize(
    ("cell", "rows", "cols", "kelvin"),
    [
        ("hybrid", 5, 4, False),
        ("hybrid", 3, 6, True),
        ("planar", 4, 5, False),
        ("passive", 4, 3, False),
    ],
)
def test_macros_keep_their_mode_switches(draw, cell, rows, cols, kelvin) -> None:
    layout = draw(rows, cols, cell, top="macro", kelvin=kelvin)
    tile = extract(layout, TECH, engine="tile")
    flat = extract(layout, TECH, engine="flat")
    assert tile.report.warnings == flat.report.warnings == []
    assert len(tile.network.switch_a) == len(flat.network.switch_a)
    select_lines = {pin for pin in flat.network.ports if pin.startswith(("TS[", "BS["))}
    assert set(tile.network.ports) == set(flat.network.ports) - select_lines
    for mode in ("expansion", "deep-net") if cell == "hybrid" else ("expansion",):
        one, other = port_currents(tile.network, mode), port_currents(flat.network, mode)
        np.testing.assert_allclose(one, other, atol=1e-6 * np.abs(other).max())
    np.testing.assert_allclose(wire_losses(tile.network), wire_losses(flat.network), rtol=1e-5)


def test_where_a_line_enters_the_array() -> None:
    grid = Grid(x0=1000, y0=1000, dx=2000, dy=2000, rows=3, cols=4)

    def row() -> NetShapes:
        return NetShapes("TR[0]", {"Metal3": [db.Polygon(db.Box(-3000, 900, 0, 1100))]})

    shapes = row()
    pin = end_at_edge(shapes, grid, "TR[0]", low=True)
    assert pin == Pin("TR[0]/edge", "Metal3", 200, 1000)  # as far inside as it is wide
    assert shapes.conductors["Metal3"] == [db.Polygon(db.Box(-3000, 900, 400, 1100))]
    with pytest.raises(NotRegularError, match="by 0 conductors"):
        end_at_edge(row(), grid, "TR[0]", low=False)
    two = row()
    two.conductors["Metal3"].append(db.Polygon(db.Box(-500, 3000, 0, 3100)))
    with pytest.raises(NotRegularError, match=r"TR\[0\] enters the array by 2 conductors"):
        end_at_edge(two, grid, "TR[0]", low=True)
    column = NetShapes("C[2]", {"ME": [db.Polygon(db.Box(4800, -900, 5200, 0))]})
    pin = end_at_edge(column, grid, "C[2]", low=True)
    assert pin == Pin("C[2]/edge", "ME", 5000, 250)  # devices may stand farther inside
    assert column.conductors["ME"] == [db.Polygon(db.Box(4800, -900, 5200, 800))]
    column = NetShapes("C[2]", {"ME": [db.Polygon(db.Box(4800, 6000, 5200, 6900))]})
    pin = end_at_edge(column, grid, "C[2]", low=False)
    assert pin == Pin("C[2]/edge", "ME", 5000, 5750)


def test_a_pin_inside_the_array_leaves_a_macro_to_the_flat_engine(draw) -> None:
    layout = draw(2, 3, top="macro")
    inside = db.Vector(3000, 0)
    for layer in layout.layer_indexes():
        for shape in list(layout.top_cell().shapes(layer).each()):
            if shape.is_text() and shape.text_string.startswith("TR["):
                shape.transform(db.Trans(inside))
    with pytest.raises(ParameterError, match=r"the pin of TR\[\d\] does not lie outside the array"):
        extract(layout, TECH, engine="tile")


def unit_of(layout: db.Layout) -> tuple[db.Cell, db.Instance]:
    top = layout.top_cell()
    return top, max(top.each_inst(), key=lambda i: i.na * i.nb)


def edit(layout: db.Layout, places: list[tuple[int, int]], change) -> db.Layout:
    """Replace single cells of the array by an edited copy, as a person would in KLayout."""
    top, array = unit_of(layout)
    unit = layout.cell(array.cell_index)
    variant = layout.create_cell(unit.name + "$1")
    variant.copy_tree(unit)
    change(layout, variant)
    start, dx, dy = array.trans.disp, array.a.x, array.b.y
    nx, ny = array.na, array.nb
    array.delete()
    for i in range(ny):
        for j in range(nx):
            cell = variant if (i, j) in places else unit
            at = db.Vector(start.x + j * dx, start.y + i * dy)
            if (i, j) in places:
                top.insert(db.CellInstArray(cell.cell_index(), db.Trans(at)))
    # what stays regular stays arrays: the rows below and above, and the rest of each row
    for i in range(ny):
        runs, j = [], 0
        while j < nx:
            if (i, j) in places:
                j += 1
                continue
            k = j
            while k < nx and (i, k) not in places:
                k += 1
            runs.append((j, k - j))
            j = k
        for first, count in runs:
            at = db.Trans(db.Vector(start.x + first * dx, start.y + i * dy))
            step = db.Vector(dx, 0), db.Vector(0, dy)
            if runs == [(0, nx)] and not any(p[0] == i for p in places):
                continue
            top.insert(db.CellInstArray(unit.cell_index(), at, *step, count, 1))
    edited = sorted({p[0] for p in places})
    for low, high in zip([-1, *edited], [*edited, ny], strict=True):
        if high - low > 1:
            at = db.Trans(db.Vector(start.x, start.y + (low + 1) * dy))
            step = db.Vector(dx, 0), db.Vector(0, dy)
            top.insert(db.CellInstArray(unit.cell_index(), at, *step, nx, high - low - 1))
    return layout


def narrow_row_line(layout: db.Layout, cell: db.Cell) -> None:
    """Halve the row line in Metal3 but for short ends."""
    layer = layout.layer(*TECH.gds("Metal3"))
    lines = [s for s in cell.shapes(layer).each() if s.bbox().width() > 3000]
    (line,) = lines
    box = line.bbox()
    line.delete()
    middle = (box.bottom + box.top) // 2 // 5 * 5
    cell.shapes(layer).insert(db.Box(box.left, box.bottom, box.right, middle))


def test_a_row_line_narrowed_over_ten_cells_shows_in_its_segments(draw) -> None:
    places = [(7, j) for j in range(3, 13)]
    layout = edit(draw(16, 16), places, narrow_row_line)
    plain = extract(draw(16, 16), TECH, engine="tile").array.row_segment
    tile = extract(layout, TECH, engine="tile")
    ratio = tile.array.row_segment / plain
    assert ratio[0, 7, 5:12] == pytest.approx(2.0, rel=0.01)
    untouched = np.ones((16, 16), dtype=bool)
    untouched[7, 2:14] = False
    assert ratio[0][untouched] == pytest.approx(1.0, rel=1e-3)
    assert ratio[1] == pytest.approx(1.0, rel=1e-9)
    flat = extract(layout, TECH, engine="flat")
    np.testing.assert_allclose(wire_losses(tile.network), wire_losses(flat.network), rtol=1e-3)


def double_drain_via(layout: db.Layout, cell: db.Cell) -> None:
    """Put a second Via4 beside the one under the bottom electrode's land."""
    layer = layout.layer(*TECH.gds("Via4"))
    first = min((s.bbox() for s in cell.shapes(layer).each()), key=lambda b: b.left)
    second = first.moved(380, 0)
    cell.shapes(layer).insert(second)
    cell.shapes(layout.layer(*TECH.gds("Metal4"))).insert((first + second).enlarged(60, 60))


def test_a_doubled_via_shows_in_one_stack(draw) -> None:
    layout = edit(draw(6, 6), [(2, 3)], double_drain_via)
    plain = extract(draw(6, 6), TECH, engine="tile").array.drain
    tile = extract(layout, TECH, engine="tile")
    change = tile.array.drain - plain
    assert change[0, 2, 3] == pytest.approx(-4.5 / 2, rel=0.05)
    change[0, 2, 3] = 0.0
    assert np.abs(change).max() < 1e-9
    flat = extract(layout, TECH, engine="flat")
    np.testing.assert_allclose(wire_losses(tile.network), wire_losses(flat.network), rtol=1e-3)


def test_a_strap_in_the_top_cell_is_noticed(draw) -> None:
    """Metal5 over two rows' columns changes nothing; ME beside a column widens it there."""
    layout = draw(5, 5)
    top, array = unit_of(layout)
    unit = layout.cell(array.cell_index)
    me = layout.layer(*TECH.gds("ME"))
    line = next(unit.shapes(me).each()).bbox().moved(array.trans.disp)
    y = line.bottom + 2 * array.b.y + 1500
    top.shapes(me).insert(db.Box(line.left - 150, y, line.right + 150, y + 800))
    tile = extract(layout, TECH, engine="tile")
    flat = extract(layout, TECH, engine="flat")
    plain = extract(draw(5, 5), TECH, engine="tile").array.column_segment
    assert (tile.array.column_segment[3, 0] / plain[3, 0]) < 0.98
    np.testing.assert_allclose(wire_losses(tile.network), wire_losses(flat.network), rtol=1e-3)


def test_a_foreign_layer_is_a_named_warning_in_both_engines(draw) -> None:
    layout = draw(4, 4)
    layout.top_cell().shapes(layout.layer(99, 7)).insert(db.Box(0, 0, 1000, 1000))
    for engine in ("tile", "flat"):
        found = extract(layout, TECH, engine=engine).report.warnings
        assert found == ["unknown layers, not checked: 99/7"], engine


def test_auto_takes_the_flat_engine_for_small_and_irregular_layouts(draw) -> None:
    assert extract(draw(3, 3), TECH).report.engine == "flat"
    layout = draw(1, 4)
    assert extract(layout, TECH).report.engine == "flat"
    with pytest.raises(ParameterError, match="no instance array"):
        extract(layout, TECH, engine="tile")


def test_large_arrays_are_tiled_and_stay_arrays(draw) -> None:
    result = extract(draw(65, 66), TECH)
    assert result.report.engine == "tile"
    assert result.array.shape == (2, 65, 66)
    assert result.network.n_nodes == 65 * 66 * 9 + 2 * 65 + 66
    wide = np.broadcast_to(1.0, (2, 700, 700))
    huge = TiledArray(wide, wide, wide, wide[0], wide, wide, wide, wide)
    with pytest.raises(ParameterError, match="rows x cols"):
        huge.network()


def test_arrays_survive_the_disk(draw, tmp_path) -> None:
    array = extract(draw(4, 3), TECH, engine="tile").array
    path = save_array(array, tmp_path / "array.npz")
    again = load_array(path)
    assert again.shape == array.shape
    np.testing.assert_array_equal(again.row_segment, array.row_segment)
    assert again.row_pin_first is array.row_pin_first
    path.write_bytes(b"no")
    for bad in (path, tmp_path / "none.npz"):
        with pytest.raises(NetworkFileError, match=bad.name):
            load_array(bad)


def test_arrays_feed_the_fast_solver(draw) -> None:
    """Segments and series parts of the array in the structured solver: the network's currents."""
    array = extract(draw(9, 7), TECH, engine="tile").array
    siemens = 1 / np.random.default_rng(1).uniform(1e4, 1e5, array.shape)
    series = array.series_ohm(lambda w, l: np.vectorize(TECH.nfet.ron_ohm)(w))
    fast = solve_crossbar(
        voltages=np.full((2, 9), 0.2), **array.crossbar_arguments(siemens, series)
    )
    network = array.network()
    drives = network_drives(network, "expansion", np.full((2, 9), 0.2))
    exact = solve_network(
        network,
        conductances=siemens,
        port_voltages=drives.port_voltages,
        gates=drives.gates,
        switch_ohm=lambda w, l, p: np.vectorize(TECH.nfet.ron_ohm)(w),
    )
    currents = [-exact.port_currents[pin] for pin in drives.outputs]
    np.testing.assert_allclose(np.ravel(fast.column_currents), currents, rtol=1e-7)
