"""The flat engine on whole layouts: names, warnings, choice of nets, scaling, invariants."""

from __future__ import annotations

import re

import klayout.db as db
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossstack.cells.drawing import to_layout
from crossstack.extract import extract, extract_network, inspect_net, write_spice
from crossstack.extract.array.chain import respond
from crossstack.extract.nets.geometry import NetGeometry
from crossstack.extract.sheet.netres import NetSolver
from crossstack.extract.sheet.rates import rates
from crossstack.generators import ArraySpec
from crossstack.lvs import check_layout, extract_layout
from crossstack.pdk import Conditions, FileError, ParameterError, get_tech
from crossstack.solve import network_drives, save_network, solve_network

TECH = get_tech()


def layer(layout: db.Layout, name: str) -> int:
    return layout.layer(*TECH.gds(name))


def row_ohm(network, col: int) -> float:
    """Resistance from the pin of TR[0] to its transistor of a column."""
    at = (network.memristor_tier == 1) & (network.memristor_row == 0)
    inner = network.memristor_a[at & (network.memristor_col == col)][0]
    # the transistor whose drain net holds the memristor
    name = str(network.node_names[inner]).split("/")[0] + "/"
    switch = next(
        k for k, node in enumerate(network.switch_a)
        if str(network.node_names[node]).startswith(name)
        or str(network.node_names[network.switch_b[k]]).startswith(name)
    )  # fmt: skip
    ends = [str(network.node_names[e[switch]]) for e in (network.switch_a, network.switch_b)]
    outer = next(e for e in ends if e.startswith("TR[0]"))
    return sum(s.share_ohm for s in inspect_net(network, "TR[0]", to=outer))


def test_devices_are_indexed_by_labels_not_by_places(draw) -> None:
    """Swapping two column labels swaps the columns of the network."""
    layout = draw(2, 3)
    top = layout.top_cell()
    for shape in top.shapes(layer(layout, "Metal5_Label")).each():
        name = {"C[0]": "C[2]", "C[2]": "C[0]"}.get(shape.text_string)
        if name:
            shape.text_string = name
    swapped = extract_network(layout, TECH)
    assert swapped.shape == ((0, 1), 2, 3)
    # from row pin to the first crossing in the west: that is column 2 now
    for network, first in ((swapped, 2), (extract_network(draw(2, 3), TECH), 0)):
        nearest = min(range(3), key=lambda j: row_ohm(network, j))
        assert nearest == first


def test_every_device_is_found_and_every_pin_is_a_port(draw) -> None:
    network = extract_network(draw(4, 3), TECH)
    assert len(network.memristor_row) == len(network.switch_a) == 24
    lines = [f"{p}[{i}]" for p in ("TR", "BR") for i in range(4)]
    lines += [f"{p}[{j}]" for p in ("C", "TS", "BS") for j in range(3)]
    assert set(network.ports) == {*lines, "VSS"} - {"VSS"}
    assert np.allclose(network.memristor_area_um2, 1.0)
    assert np.allclose(network.switch_w_um, 2.0)


def test_doubled_sheet_resistance_doubles_the_wire_part(draw) -> None:
    layout = draw(2, 2)
    plain = extract_network(layout, TECH)
    doubled = extract_network(layout, TECH.with_sheet_resistance("ME", 0.8))
    on_me = plain.resistor_layer == plain.layers.index("ME")
    assert doubled.resistor_ohm[on_me] == pytest.approx(2 * plain.resistor_ohm[on_me])
    assert doubled.resistor_ohm[~on_me] == pytest.approx(plain.resistor_ohm[~on_me])


def test_corner_and_temperature_reach_every_layer(draw) -> None:
    layout = draw(1, 1)
    plain = extract_network(layout, TECH)
    hot = extract_network(layout, TECH.at(Conditions(corner="max", temperature_c=85.0)))
    ratio = hot.resistor_ohm / plain.resistor_ohm
    for name, expected in (
        ("Metal3", 0.104 / 0.09 * (1 + 0.0033 * 60)),
        ("ME", 0.42 / 0.40 * (1 + 0.0039 * 60)),
        ("Via2", 15.0 / 4.5 * (1 + 0.00107 * 60)),
    ):
        mine = plain.resistor_layer == plain.layers.index(name)
        assert ratio[mine] == pytest.approx(expected, rel=1e-6)


def test_unchosen_nets_are_ideal_wires(draw) -> None:
    found = extract(draw(2, 2), TECH, nets=["TR*", "C[1]"])
    assert {found.network.nets[k] for k in found.network.resistor_net} == {"TR[0]", "TR[1]", "C[1]"}
    assert found.report.ideal_nets > 0
    assert len(found.network.memristor_row) == 8
    with pytest.raises(ParameterError, match=r"no net matches 'X\*'"):
        extract(draw(2, 2), TECH, nets=["X*"])


def test_an_unlabelled_column_is_a_named_warning(draw) -> None:
    layout = draw(2, 2)
    texts = layout.top_cell().shapes(layer(layout, "Metal5_Label"))
    next(s for s in texts.each() if s.text_string == "C[1]").delete()
    found = extract(layout, TECH)
    (warning,) = found.report.warnings
    assert warning.startswith("a net from (5.610, 0.000) to (9.470, ")
    assert "has no label C[j]; left out: 4 memristors (memristor_" in warning
    assert len(found.network.memristor_row) == 4


def test_an_open_net_is_a_named_warning(draw) -> None:
    """A row line cut in its cell: what lies behind the cut has no label."""
    layout = draw(2, 2)
    unit = max(layout.each_cell(), key=lambda c: c.shapes(layer(layout, "TIO2_B")).size())
    metal = unit.shapes(layer(layout, "Metal4"))
    line = max((s for s in metal.each()), key=lambda s: s.bbox().width())
    box = line.bbox()
    line.delete()
    metal.insert(db.Box(box.left, box.bottom, box.right - 1000, box.top))
    warnings = extract(layout, TECH).report.warnings
    assert any("has no label TR[i]; left out: " in w for w in warnings)


def test_a_short_and_a_foreign_layer_are_named_warnings(draw) -> None:
    layout = draw(2, 2)
    top = layout.top_cell()
    line = layer(layout, "ME")
    area = top.bbox_per_layer(line)
    middle = area.center().y
    top.shapes(line).insert(db.Box(area.left, middle, area.right, middle + 500))
    top.shapes(layout.layer(99, 7)).insert(db.Box(0, 0, 1000, 1000))
    warnings = extract(layout, TECH).report.warnings
    assert any("C[0]" in w and "C[1]" in w and w.startswith("short") for w in warnings)
    assert "unknown layers, not checked: 99/7" in warnings


def test_missing_via_leaves_its_cut_out_by_name(draw) -> None:
    layout = draw(1, 1)
    unit = max(layout.each_cell(), key=lambda c: c.shapes(layer(layout, "VBE")).size())
    unit.shapes(layer(layout, "VBE")).clear()
    report = extract(layout, TECH).report
    assert any("memristor_bottom" in w for w in report.warnings)


def test_equal_layouts_give_equal_files(draw, tmp_path) -> None:
    for name in ("a.npz", "b.npz"):
        save_network(extract_network(draw(2, 3), TECH), tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_macro_with_mode_switches_agrees_with_ngspice(ngspice, tmp_path) -> None:
    from crossstack.generators.macro import build_macro

    macro = build_macro(ArraySpec(rows=2, cols=2, top="macro"))
    network = extract_network(to_layout(macro.cell, TECH), TECH)
    drives = network_drives(network, "deep-net", np.full((2, 2), 0.2))
    ours = solve_network(
        network,
        conductances=np.full((2, 2, 2), 1e-4),
        port_voltages=drives.port_voltages,
        gates=drives.gates,
        switch_ohm=lambda w, l, p: np.where(
            p, np.vectorize(TECH.pfet.ron_ohm)(w), np.vectorize(TECH.nfet.ron_ohm)(w)
        ),
    )
    bench = write_spice(
        network, TECH, tmp_path / "m.spice", memristor_ohm=1e4, gates=drives.gates,
        sources=drives.port_voltages,
    )  # fmt: skip
    currents = ngspice(bench)
    for pin in drives.outputs:
        assert currents[pin] == pytest.approx(ours.port_currents[pin], rel=1e-6, abs=1e-12)


@pytest.fixture(scope="module")
def solved(draw):
    layout = extract_layout(draw(2, 3), TECH)
    process = rates(TECH)
    solver, geometry = NetSolver(process, layout.dbu), NetGeometry(layout, process)
    nets = [n for n in layout.flat.nets if n.name and n.name != "VSS"]
    return [solver.solve(geometry.shapes(n, n.name)[0]) for n in nets]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_every_net_is_reciprocal_and_passive(solved, data) -> None:
    net = data.draw(st.sampled_from(solved))
    ends = sorted({*net.terminal_node.values()})
    pin = net.pin_node[net.name]
    assert all(r.ohm > 0 for r in net.resistors)
    if len(ends) < 2:
        return
    z = respond(net, pin, ends, np.eye(len(ends)))
    assert np.allclose(z, z.T, rtol=1e-9, atol=1e-12)
    current = np.array(data.draw(st.lists(
        st.floats(-1e-3, 1e-3), min_size=len(ends), max_size=len(ends))))  # fmt: skip
    assert current @ z @ current >= -1e-18


def test_only_a_layout_without_any_tr_shares_its_row_lines(draw) -> None:
    """One TR label gone leaves its devices out; all of them gone, the top tier hangs on nothing."""
    for gone, left in (("TR[1]", 15), ("TR", 9)):
        layout = draw(3, 3)
        label = layout.layer(*TECH.gds("Metal4_Label"))
        for shape in list(layout.top_cell().shapes(label).each()):
            if shape.text_string.startswith(gone):
                shape.delete()
        result = extract(layout, TECH)
        assert len(result.network.memristor_row) == left
        lines = {"TR[1]": 1, "TR": 3}[gone]
        assert sum("has no label " in text for text in result.report.warnings) == lines


def labels(layout: db.Layout, name: str) -> list[tuple[int, db.Shape]]:
    """Texts of the top cell, with their layers."""
    return [
        (index, shape)
        for index in layout.layer_indexes()
        for shape in layout.top_cell().shapes(index).each(db.Shapes.STexts)
        if shape.text_string == name
    ]


def test_a_mistyped_label_is_named(draw) -> None:
    layout = draw(2, 3)
    labels(layout, "TR[1]")[0][1].text_string = "TR1"
    (warning,) = extract(layout, TECH).report.warnings
    assert warning.startswith("net TR1 from (0.000, ")
    assert "has no label TR[i]; left out: 3 memristors (memristor_top at (" in warning


def test_a_gate_net_without_label_is_named(draw) -> None:
    """Without its label no mode could switch a select line on, and nobody would know why."""
    layout = draw(4, 3)
    labels(layout, "TS[1]")[0][1].delete()
    (warning,) = extract(layout, TECH).report.warnings
    assert warning.startswith("gate net net$")
    assert warning.endswith("has no label: no mode drives the 4 transistors on it")
    assert "from (8.5" in warning


def test_controls_and_their_complements_are_no_findings(draw) -> None:
    assert extract(draw(2, 2, top="macro"), TECH).report.warnings == []


def test_one_label_on_two_nets_is_an_error_with_both_places(draw) -> None:
    layout = draw(3, 2)
    index, shape = labels(layout, "TR[1]")[0]
    place = shape.text.trans.disp
    layout.top_cell().shapes(index).insert(db.Text("TR[1]", place.x, place.y + 2920))
    places = r"label TR\[1\] at \(0.005, 8.465\) and \(0.005, 11.385\) names separate nets; join"
    with pytest.raises(FileError, match=places):
        extract(layout, TECH)
    with pytest.raises(FileError, match=places):
        extract(layout, TECH, nets=["C*"])


@pytest.mark.parametrize("name", ["VSS", "C[0]", "TS[1]", "vss", "spare"])
def test_any_label_on_two_nets_is_an_error(name, draw) -> None:
    """On plates of their own: no device hangs on them, yet the pin could be theirs."""
    layout = draw(2, 2)
    for x in (100_000, 110_000):
        box = db.Box(x, 0, x + 1000, 1000)
        layout.top_cell().shapes(layer(layout, "Metal1")).insert(box)
        layout.top_cell().shapes(layer(layout, "Metal1_Label")).insert(db.Text(name, x, 500))
    with pytest.raises(FileError, match=r"label .* and \(110.000, 0.500\).* separate nets; join"):
        extract(layout, TECH)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (("TIO2_B",), "has TIO2X_B but no TIO2_B, so that it is no device"),
        (("TIO2X_T",), "has TIO2_T but no TIO2X_T"),
        (("TIO2_B", "TIO2X_B"), "BE over ME at .* has no film between: metal on metal"),
    ],
)
@pytest.mark.parametrize("half", [False, True])
def test_a_crossing_without_all_of_its_films_is_named(damage, words, half, draw) -> None:
    layout = draw(2, 2)
    for name in damage:
        index = layer(layout, name)
        for cell in layout.each_cell():
            boxes = [s.bbox() for s in cell.shapes(index).each()]
            cell.shapes(index).clear()
            for box in boxes if half else ():
                cell.shapes(index).insert(db.Box(box.left, box.bottom, box.center().x, box.top))
    assert any(re.search(words, w) for w in extract(layout, TECH).report.warnings)


def test_an_electrode_in_a_pad_opening_is_named(draw) -> None:
    layout = draw(2, 2)
    for name, box in (("Metal5", (0, 0, 9, 9)), ("Pad", (2, 2, 7, 7)), ("TE", (4, 4, 99, 5))):
        shape = db.DBox(*box).moved(100.0, 0.0)
        layout.top_cell().shapes(layer(layout, name)).insert(shape)
    wanted = "an electrode lies in a pad's opening at (105.500, 4.500), on bare metal"
    assert f"opening: {wanted}" in extract(layout, TECH).report.warnings
    assert wanted in [f.message for f in check_layout(extract_layout(layout, TECH))]


def test_a_label_seen_twice_on_its_net_is_named(draw) -> None:
    layout = draw(3, 4)
    index, shape = labels(layout, "TR[1]")[0]
    place = shape.text.trans.disp
    layout.top_cell().shapes(index).insert(db.Text("TR[1]", place.x + 15_000, place.y))
    assert extract(layout, TECH).report.warnings == [
        "label TR[1] lies on its net at (0.005, 8.465) and (15.005, 8.465); the first is the pin"
    ]


def test_progress_counts_what_is_left_to_solve_not_nets(draw) -> None:
    """Nets of cells are alike, and solved once: of 695 nets 160 took all the time."""
    told: list[tuple[int, int]] = []
    layout = draw(6, 6, top="macro")
    extract_network(layout, TECH, progress=lambda _, *part: told.append(part))
    nets = len(extract_layout(layout, TECH).flat.nets)
    calls = [done / total for done, total in told]
    assert len(calls) == -(-nets // 8)
    assert calls == sorted(calls)
    assert calls[len(calls) // 2] > 0.9, "the later half of the nets costs next to nothing"
    assert calls[len(calls) // 4] < 0.9
    assert calls[-1] <= 1
