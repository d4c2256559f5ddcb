"""Nets, devices and labels of small layouts drawn by hand."""

from __future__ import annotations

import klayout.db as db
import pytest

from crossstack.base.errors import ConfigError
from crossstack.lvs import connectivity, extract_layout
from crossstack.lvs.connectivity import drawn_layers, layer_regions
from crossstack.pdk import FileError, ParameterError, TechError


def names(extracted, device):
    nets = extracted.flat.nets
    return {t: nets[n].name for t, n in zip(device.kind.terminals, device.nets, strict=True)}


def by_kind(extracted, kind):
    return [d for d in extracted.flat.devices if d.kind.name == kind]


def test_every_cut_of_the_technology_joins_its_two_films(tech):
    wiring = connectivity(tech)
    for cut in tech.cuts:
        assert {(cut.name, cut.lower), (cut.name, cut.upper)} <= set(wiring.links)
        assert cut.name in wiring.cuts


def test_every_conducting_film_is_a_conductor(tech):
    films = {f.name for f in (*tech.films, *tech.diffusions) if f.sheet_ohm_sq is not None}
    assert films <= set(connectivity(tech).conductors)


def test_expression_with_unknown_layer_is_refused(tech):
    drawn = {name: db.Region() for name in drawn_layers(tech)}
    assert set(drawn) < set(layer_regions(tech, drawn))
    del drawn["Nplus"]
    with pytest.raises(TechError, match="Nplus"):
        layer_regions(tech, drawn)


def test_hybrid_cell_has_two_transistors_and_two_memristors(array):
    x = array(1, 1).extract()
    assert x.findings() == []
    bottom, top = sorted(by_kind(x, "nfet"), key=lambda d: d.at[1])
    assert bottom.parameters == top.parameters == pytest.approx((2.0, 0.28))
    assert {names(x, top)["D"], names(x, top)["S"]} == {"", "TR[0]"}
    assert names(x, bottom)["G"] == "BS[0]"
    assert names(x, bottom)["B"] == "VSS"
    for kind in ("memristor_bottom", "memristor_top"):
        (device,) = by_kind(x, kind)
        assert device.parameters == pytest.approx((0.6,))
        assert names(x, device) == {"ROW": "", "ME": "C[0]"}
        assert device.at == pytest.approx((4.0, 1.8))


def test_places_and_shapes_of_a_net_are_those_of_the_top_cell(array):
    x = array(3, 2).extract()
    shapes = x.net_shapes(x.net("TR[1]"))
    assert shapes["Metal4"].merged().bbox().to_dtype(0.001) == db.DBox(0, 10.95, 12, 11.55)
    assert shapes["Contact_nsd"].count() == 8
    device = next(d for d in by_kind(x, "memristor_top") if d.at == pytest.approx((10.0, 15.8)))
    for region in x.flat.terminal_shapes(device).values():
        assert region.bbox().to_dtype(0.001) == db.DBox(9.5, 15.5, 10.5, 16.1)
    inner = x.net_shapes(x.flat.nets[device.nets[0]])
    assert inner["TE"].bbox().to_dtype(0.001).left == pytest.approx(7.6)


def test_terminal_shapes_of_a_transistor_lie_on_their_nets(array):
    x = array(2, 2).extract()
    for device in by_kind(x, "nfet"):
        shapes = x.flat.terminal_shapes(device)
        for terminal, net in zip(device.kind.terminals, device.nets, strict=True):
            if conductor := x.touches(device, terminal):
                drawn = x.net_shapes(x.flat.nets[net])[conductor]
                assert not (shapes[terminal] & drawn).is_empty()


def test_hierarchy_is_kept(array):
    x = array(16, 16).extract()
    assert x.netlist.circuit_by_name("hybrid_cell") is not None
    assert sum(1 for _ in x.top.each_device()) == 0
    assert len(x.flat.devices) == 4 * 256


@pytest.mark.parametrize("trans", ["r90 5,7", "m45 -3,2", "r180 0,0", "m0 1,1"])
def test_devices_do_not_change_when_turned_or_mirrored(array, trans):
    d = array(2, 3)
    expected = sorted((v.kind.name, v.parameters) for v in d.extract().flat.devices)
    d.top.transform(db.DTrans.from_s(trans))
    x = d.extract()
    assert sorted((v.kind.name, v.parameters) for v in x.flat.devices) == expected
    assert x.findings() == []


def test_substrate_is_vss_only_through_a_tap(array):
    d = array(2, 2)
    d.layout.clear_layer(d.layer("Pplus"))
    x = d.extract()
    assert {names(x, v)["B"] for v in by_kind(x, "nfet")} == {""}


def test_inverter_has_its_bulks_on_the_supplies(inverter):
    x = inverter().extract()
    (p,), (n,) = by_kind(x, "pfet"), by_kind(x, "nfet")
    assert p.parameters == n.parameters == pytest.approx((2.0, 0.28))
    assert (names(x, p)["B"], names(x, n)["B"]) == ("VDD", "VSS")
    assert {names(x, p)["D"], names(x, p)["S"]} == {"Y", "VDD"}


def test_well_without_tap_is_not_on_vdd(inverter):
    x = inverter(n_tap=False).extract()
    assert names(x, by_kind(x, "pfet")[0])["B"] == ""


def crossing(drawing, *layers):
    for layer in layers:
        wide = layer.startswith("TIO2")
        drawing.rect(
            layer, *((-1, -1, 2, 2) if wide else (0, -3, 1, 3) if layer == "ME" else (-3, 0, 3, 1))
        )
        if not wide:
            drawing.label(layer, layer, *((0.5, -2) if layer == "ME" else (-2, 0.5)))


def test_electrodes_without_film_touch(drawing):
    crossing(drawing, "BE", "ME")
    (short,) = drawing.extract().findings()
    assert short.kind == "short"
    assert "BE at (-2.000, 0.500)" in short.message
    assert "ME at (0.500, -2.000)" in short.message


@pytest.mark.parametrize("film", ["TIO2_B", "TIO2X_B"])
def test_one_film_is_neither_device_nor_contact(drawing, film):
    crossing(drawing, "BE", "ME", film)
    x = drawing.extract()
    assert x.findings() == []
    assert x.flat.devices == []


def test_films_of_one_tier_do_not_insulate_the_other(drawing):
    crossing(drawing, "BE", "ME", "TE", "TIO2_T", "TIO2X_T")
    x = drawing.extract()
    assert [f.kind for f in x.findings()] == ["short"]
    assert [d.kind.name for d in x.flat.devices] == ["memristor_top"]


def test_bottom_and_top_electrode_are_insulated_outside_me(drawing):
    drawing.rect("BE", 0, 0, 4, 1)
    drawing.rect("TE", 0, 0, 4, 1)
    drawing.label("BE", "BE", 1, 0.5)
    drawing.label("TE", "TE", 1, 0.5)
    assert drawing.extract().findings() == []


def test_area_is_that_of_both_films(drawing):
    crossing(drawing, "BE", "ME", "TIO2_B")
    drawing.rect("TIO2X_B", -1, -1, 2, 0.4)
    (device,) = drawing.extract().flat.devices
    assert device.parameters == pytest.approx((0.4,))


def test_cut_line_with_two_labels_is_open(drawing):
    drawing.rect("Metal4", 0, 0, 4, 1)
    drawing.rect("Metal4", 5, 0, 9, 1)
    drawing.label("Metal4", "TR[3]", 0.5, 0.5)
    drawing.label("Metal4", "TR[3]", 8.5, 0.5)
    (found,) = drawing.extract().findings()
    assert str(found) == (
        "open: TR[3] at (0.500, 0.500) and (8.500, 0.500): same label on separate nets"
    )


def test_equal_labels_never_join_nets(drawing):
    drawing.rect("Metal4", 0, 0, 4, 1)
    drawing.rect("Metal3", 0, 0, 4, 1)
    drawing.label("Metal4", "A", 1, 0.5)
    drawing.label("Metal3", "A", 1, 0.5)
    x = drawing.extract()
    assert len(x.flat.nets) == 2


def test_label_beside_its_line_is_reported(drawing):
    drawing.rect("Metal4", 0, 0, 4, 1)
    drawing.label("Metal4", "A", 9, 9)
    assert str(drawing.extract().findings()[0]) == "label: A at (9.000, 9.000) lies on no Metal4"


def test_labels_inside_cells_do_not_name_nets(drawing):
    child = drawing.layout.create_cell("child")
    drawing.rect("Metal4", 0, 0, 4, 1, child)
    drawing.label("Metal4", "inner", 1, 0.5, child)
    drawing.top.insert(db.CellInstArray(child.cell_index(), db.Trans()))
    drawing.label("Metal4", "outer", 2, 0.5)
    x = drawing.extract()
    assert x.net("outer").name == "outer"
    with pytest.raises(ParameterError, match="inner"):
        x.net("inner")


def test_the_given_layout_is_not_changed(array):
    d = array(1, 1)
    before = [i.to_s() for i in d.layout.layer_infos()]
    d.extract()
    assert [i.to_s() for i in d.layout.layer_infos()] == before


def test_missing_file(tmp_path, tech):
    with pytest.raises(FileError, match="no such file"):
        extract_layout(tmp_path / "none.gds", tech)


@pytest.mark.parametrize("keep", [0, 10, 200])
def test_truncated_file(tmp_path, tech, array, keep):
    path = tmp_path / "cut.gds"
    array(1, 1).layout.write(str(path))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(FileError, match=r"cut\.gds"):
        extract_layout(path, tech)


def test_layout_of_another_process(tmp_path, tech):
    layout = db.Layout()
    layout.create_cell("a").shapes(layout.layer(199, 7)).insert(db.Box(0, 0, 10, 10))
    with pytest.raises(FileError, match="199/7"):
        extract_layout(layout, tech)


def test_several_tops_must_be_chosen(array, tech):
    d = array(1, 1)
    other = d.layout.create_cell("other")
    d.rect("Metal1", 0, 0, 1, 1, other)
    with pytest.raises(ConfigError, match="array_1x1, other"):
        extract_layout(d.layout, tech)
    assert len(extract_layout(d.layout, tech, "array_1x1").flat.devices) == 4
    with pytest.raises(ParameterError, match="third"):
        extract_layout(d.layout, tech, "third")


def test_empty_layout(tech):
    with pytest.raises(FileError, match="no cell"):
        extract_layout(db.Layout(), tech)
