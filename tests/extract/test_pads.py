"""Wires from a pad of a die: via arrays lumped without a difference, the ring left out."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import klayout.db as db
import numpy as np
import pytest
from labelled import TECH

from crossstack.analyse.pads import at_pads
from crossstack.base.errors import NetworkError, NetworkFileError
from crossstack.cells import draw_cell, to_layout
from crossstack.cells.pad_plan import FEED, LEAD, PadPlan
from crossstack.cells.pads import bond_pad
from crossstack.cells.rules import RuleBook
from crossstack.extract.array import chain
from crossstack.extract.nets import reached
from crossstack.extract.nets.flat import extract_flat
from crossstack.extract.nets.geometry import NetGeometry
from crossstack.extract.sheet import lumps
from crossstack.extract.sheet.columns import Collected
from crossstack.extract.sheet.netres import NetSolver
from crossstack.extract.sheet.rates import rates
from crossstack.extract.sheet.tidy import NetResistors, Resistor
from crossstack.lvs import extract_layout
from crossstack.solve import Network, NetworkBuilder, load_network, save_network
from crossstack.solve.network.archive import pack_names, write_archive
from crossstack.solve.study.metrics import ir_drop

#: track from the pad's lead: length along y, then along x, and width, in dbu
UP, ALONG, WIDE = 60_000, 300_000, 4_000


@pytest.fixture(scope="module")
def pad() -> tuple[db.Layout, dict[str, float]]:
    """A bond pad, a track on it with a bend; squares of its lead, and ohm of vias to it."""
    layout = to_layout(bond_pad(TECH), TECH)
    top = layout.top_cell()
    metal = layout.layer(*TECH.gds("Metal3"))
    lead = max((p.bbox() for p in db.Region(top.begin_shapes_rec(metal)).merged().each()),
               key=lambda box: box.height())  # fmt: skip
    x, y = lead.center().x, lead.top
    top.shapes(metal).insert(db.Box(x - WIDE // 2, y, x + WIDE // 2, y + UP + WIDE))
    top.shapes(metal).insert(db.Box(x, y + UP, x + ALONG, y + UP + WIDE))
    for layer, text, at in (
        ("Metal5_Label", "PAD", (lead.center().x, 30_000)),
        ("Metal3_Label", "END", (x + ALONG - 10, y + UP + WIDE // 2)),
    ):
        top.shapes(layout.layer(*TECH.gds(layer))).insert(db.Text(text, *at))
    plan = PadPlan(RuleBook(TECH))
    squares = (plan.upper[1] - sum(plan.tongue) / 2) / FEED + (plan.depth - plan.upper[1]) / LEAD
    tongue = db.Box(0, plan.tongue[0], plan.side, plan.tongue[1])
    vias = [top.begin_shapes_rec_touching(layout.layer(*TECH.gds(name)), tongue)
            for name in ("Via3", "Via4")]  # fmt: skip
    return layout, {"squares": squares, "vias": sum(4.5 / db.Region(v).count() for v in vias)}


def solved(layout: db.Layout):
    found = extract_layout(layout, TECH)
    process = rates(TECH)
    geometry = NetGeometry(found, process)
    (net,) = [n for n in found.flat.nets if "PAD" in n.name.split(",")]
    shapes, _ = geometry.shapes(net, net.name)
    return NetSolver(process, found.dbu).solve(shapes), shapes, geometry


def test_via_arrays_of_a_pad_are_lumped_without_a_difference(pad, monkeypatch) -> None:
    small, shapes, geometry = solved(pad[0])
    assert shapes.on_pad
    assert geometry.pads() == {"PAD"}
    assert len(small.resistors) < 10
    assert lumps.LAYER in {r.layer for r in small.resistors}
    monkeypatch.setattr(lumps, "LARGE", 10**9)
    whole = NetSolver(rates(TECH), 0.001).solve(shapes)
    assert len(whole.resistors) > 5_000
    assert resistance(small) == pytest.approx(resistance(whole), rel=1e-9)


@pytest.mark.parametrize(
    ("side", "ends", "fewer"), [(120, 20, True), (120, 40, False), (30, 9, True)]
)
def test_a_block_is_lumped_that_has_few_ends_for_its_size(side, ends, fewer) -> None:
    """A supply's pads and clamps; a line with a device every few hundred resistors stays."""
    rng = np.random.default_rng(side + ends)
    node = np.arange(side * side).reshape(side, side)
    pairs = [*zip(node[1:].ravel(), node[:-1].ravel(), strict=True)]
    pairs += [*zip(node[:, 1:].ravel(), node[:, :-1].ravel(), strict=True)]
    collected = Collected()
    for a, b in pairs:
        collected.add(Resistor(int(a), int(b), float(rng.uniform(0.1, 9.0)), "Metal1", 1.0))
    at = [int(k) for k in rng.permutation(side * side)[:ends]]
    columns = collected.columns()
    count, found = lumps.lumped(side * side, columns, [range(len(pairs))], set(at))
    assert (len(found) < len(pairs)) == fewer
    before = NetResistors("X", side * side, resistors=columns.resistors())
    after = NetResistors("X", count, resistors=found)
    for a, b in pairwise(at[:4]):
        ohm = chain.resistance(before, a, b)
        assert chain.resistance(after, a, b) == pytest.approx(ohm, rel=1e-9)


def resistance(net) -> float:
    return chain.resistance(net, net.pin_node["PAD"], net.pin_node["END"])


def test_the_way_from_a_pad_is_its_squares(pad) -> None:
    """Lead, vias and track by hand, a corner as 0.5587 of a square; spreading is the rest."""
    net, _, _ = solved(pad[0])
    track = (UP + ALONG - WIDE / 2) / WIDE + 0.5587
    by_hand = (track + pad[1]["squares"]) * 0.09 + pad[1]["vias"]
    assert resistance(net) == pytest.approx(by_hand, rel=0.01)


def test_a_net_without_a_pad_keeps_its_vias(pad) -> None:
    """Their limits are known only as long as they are there."""
    layout = pad[0].dup()
    layout.clear_layer(layout.layer(*TECH.gds("Pad")))
    net, shapes, geometry = solved(layout)
    assert (shapes.on_pad, geometry.pads()) == (False, set())
    assert sum(r.cuts for r in net.resistors if r.layer == "Via4") == 92


def test_metal_that_no_pin_reaches_is_left_out(monkeypatch) -> None:
    """As a seal ring, which is the ground's net by the substrate alone."""
    monkeypatch.setattr(reached, "MANY", 3)
    regions = {
        "Metal1": db.Region([db.Box(0, 0, 9, 9), db.Box(50, 0, 59, 9), db.Box(90, 0, 99, 9)]),
        "Metal2": db.Region([db.Box(0, 0, 59, 9), db.Box(90, 0, 99, 9)]),
        "Via1": db.Region([db.Box(x, 3, x + 3, 6) for x in (3, 53, 93)]),
    }
    found = reached.reached(regions, {"Via1": ("Metal1", "Metal2")}, [("Metal1", (5, 5, 5, 5))])
    assert {name: region.count() for name, region in found.items()} == {
        "Metal1": 2, "Metal2": 1, "Via1": 2,
    }  # fmt: skip
    nothing = reached.reached(regions, {"Via1": ("Metal1", "Metal2")}, [])
    assert all(region.is_empty() for region in nothing.values())


def beside(array: db.Layout, labels: dict[str, str]) -> db.Layout:
    """An array and a monitor, a stacked pair on pads of its own, with these labels."""
    cell = draw_cell("device_on_pads", TECH, device_f=2)
    top, part, source = array.top_cell(), array.create_cell("monitor"), to_layout(cell, TECH)
    part.copy_tree(source.top_cell())
    y = top.bbox().top + 50_000
    top.insert(db.CellInstArray(part.cell_index(), db.Trans(0, y)))
    texts = top.shapes(array.layer(*TECH.gds("Metal5_Label")))
    for pin, text in labels.items():
        port = cell.port(pin)
        texts.insert(db.Text(text, port.x, y + port.y + port.width // 2))
    return array


def test_monitors_are_no_part_of_an_array(draw) -> None:
    apart = beside(draw(1, 1, "passive"), {"BE": "M_BE", "ME": "M_ME", "TE": "M_TE"})
    network, report = extract_flat(apart, TECH)
    assert len(network.memristor_row) == 2
    assert not network.left_out.devices
    (remark,) = [text for text in report.warnings if "monitor" in text]
    assert remark.startswith("2 memristors on nets of their own (M_BE, M_ME, M_TE)")
    # one that hangs on a line, or whose net nobody names, is missed
    for labels in ({"BE": "M_BE", "ME": "C[1]", "TE": "M_TE"}, {"BE": "M_BE", "TE": "M_TE"}):
        network, _ = extract_flat(beside(draw(1, 1, "passive"), labels), TECH)
        assert len(network.left_out.devices) > 0


def macro_on_pads() -> Network:
    """One stacked pair behind 30 ohm at each row's pad and 20 at the column's; lines sensed."""
    builder = NetworkBuilder()

    def way(pin: str, line: str, ohm: float) -> None:
        middle = builder.node(f"{pin}/n0")
        builder.resistor(builder.node(pin), middle, ohm - 1.0, layer="Metal2", net=pin)
        builder.resistor(middle, builder.node(line), 1.0, layer="Metal3", net=line)

    for tier, letter in enumerate("BT"):
        way(f"IN_{letter}[0]", f"{letter}R[0]", 30.0)
        builder.memristor(tier, 0, 0, builder.node(f"{letter}R[0]"), builder.node("ME"))
    builder.resistor(builder.node("ME"), builder.node("C[0]"), 5.0, layer="ME", net="C[0]")
    way("OUT[0]", "C[0]", 20.0)
    for name in ("IN_T[0]", "IN_B[0]", "TR[0]", "BR[0]", "C[0]", "OUT[0]"):
        builder.port(name, builder.node(name))
    builder.node("elsewhere")
    for name in ("WR[0]", "WC"):  # of no wire here
        builder.port(name, builder.node(name))
    builder.pads = {"IN_T[0]", "IN_B[0]", "OUT[0]", "TR[0]", "C[0]"}
    return builder.build()


def test_pads_are_kept_and_sense_pads_read_without_current(tmp_path) -> None:
    chip = macro_on_pads()
    save_network(chip, tmp_path / "n.npz")
    assert load_network(tmp_path / "n.npz").pads == chip.pads
    drop = ir_drop(chip, np.full((2, 1, 1), 1e-3), np.full((2, 1), 0.2))
    shown = at_pads(chip, drop)
    assert shown is not None
    assert set(shown.driven) == {"IN_T[0]", "IN_B[0]", "OUT[0]"}
    assert set(shown.others) == {"WR[0]", "WC"}
    assert set(shown.sense_v) == {"TR[0]", "C[0]"}  # BR[0] has no pad
    # 515 ohm of one branch carry half of what the column's 25 ohm carry
    amps = 0.2 / (1030 / 2 + 25)
    assert shown.sense_v["C[0]"] == pytest.approx(20 * amps)
    assert shown.sense_v["TR[0]"] == pytest.approx(0.2 - 15 * amps)
    between = shown.sense_v["TR[0]"] - shown.sense_v["C[0]"]
    assert shown.worst == pytest.approx(5 * amps / between)
    assert shown.mean == pytest.approx(shown.worst)
    assert "3 of 5 driven pins are pads" in shown.lines()[0]
    assert at_pads(replace(chip, pads=()), drop) is None


def test_a_pad_that_is_no_port_is_refused(draw) -> None:
    network, _ = extract_flat(draw(1, 1), TECH)
    with pytest.raises(NetworkError, match="pad 'X' is none"):
        replace(network, pads=("X",)).validate()


@pytest.mark.parametrize(
    ("pads", "words"),
    [
        (pack_names(("X",)), "pad 'X' is none"),
        (np.array([255, 254], dtype=np.uint8), "'pads'"),
        (np.array([1.0]), "'pads'"),
    ],
)
def test_pads_of_a_file_are_checked(pads, words, tmp_path) -> None:
    save_network(macro_on_pads(), tmp_path / "n.npz")
    with np.load(tmp_path / "n.npz") as archive:
        content = {**archive, "pads": pads}
    write_archive(tmp_path / "n.npz", content)
    with pytest.raises(NetworkFileError, match=words):
        load_network(tmp_path / "n.npz")
