"""The test chip: proven as a whole, every pin on its pad, monitors and marks as promised."""

from __future__ import annotations

import shutil
from itertools import product
from pathlib import Path

import klayout.db as db
import pytest

from crossstack.cells import to_layout
from crossstack.cells.drawing import Cell
from crossstack.cells.marks import BARS, mark_cells, masks, vernier, vernier_step
from crossstack.cells.monitors import kelvin, monitors, via_chain
from crossstack.cells.pad_plan import PadPlan
from crossstack.cells.rules import RuleBook
from crossstack.drc import FoundryError, fetch, run_drc, run_foundry_drc
from crossstack.generators import ArraySpec, build_macro, build_top, testchip
from crossstack.generators import chip as chip_module
from crossstack.generators.finish import _ids as place_ids
from crossstack.generators.finish import id_box
from crossstack.generators.id_room import IdRoom
from crossstack.generators.padring import draw_rings
from crossstack.generators.tapeout import exact_slot, find_marks, seal_ring, slots
from crossstack.lvs import compare_layout, extract_layout
from crossstack.pdk import ParameterError, get_tech

SPEC = ArraySpec(rows=2, cols=2, top="testchip")
TECH = SPEC.tech()


@pytest.fixture(scope="module")
def chip(tmp_path_factory: pytest.TempPathFactory):
    """(array, layout file, netlist file) of the smallest interesting chip."""
    array = build_top(SPEC)
    gds = tmp_path_factory.mktemp("chip") / f"{array.cell.name}.gds"
    to_layout(array.cell, TECH).write(str(gds))
    net = gds.with_suffix(".spice")
    net.write_text("\n".join(array.netlist_lines()) + "\n")
    return array, gds, net


def read(gds: Path) -> db.Layout:
    layout = db.Layout()
    layout.read(str(gds))
    return layout


def region(layout: db.Layout, name: str, tech=TECH) -> db.Region:
    return db.Region(layout.top_cell().begin_shapes_rec(layout.layer(*tech.gds(name)))).merged()


def finish_cells(layout: db.Layout) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which identification cells are placed on a die, and which have no room."""
    top = layout.top_cell()
    return place_ids(layout, top, TECH, top.bbox())


def matched(layout: db.Layout, net: Path, folder: Path) -> dict:
    gds = folder / "chip.gds"
    layout.write(str(gds))
    return compare_layout(extract_layout(gds, TECH), net, TECH).to_json()


@pytest.mark.parametrize("pair", [("KELVIN_BE", "KELVIN_ME"), ("VIA_CHAIN_ME", "VAN_DER_PAUW_TE")])
def test_monitors_on_each_others_pads_are_found(chip, tmp_path, pair):
    """They hold no device: only their cells tell their wires apart."""
    layout = read(chip[1])
    other = dict(zip(pair, reversed(pair), strict=True))
    for index in layout.layer_indexes():
        for shape in layout.top_cell().shapes(index).each(db.Shapes.STexts):
            if shape.text_string in other:
                shape.text_string = other[shape.text_string]
    errors = matched(layout, chip[2], tmp_path)["errors"]
    assert f"pin: {pair[0]} is on {pair[1]}, in the reference on {pair[0]}" in errors
    assert len(errors) == 2


def test_clean_by_our_rules(chip):
    report = run_drc(chip[1], TECH)
    assert report.clean, report.violations[:5]


def test_clean_by_the_foundrys_deck(chip):
    if not shutil.which("klayout"):
        pytest.skip("no klayout program installed")
    try:
        fetch(TECH, timeout_s=120)
    except FoundryError as error:
        pytest.skip(str(error))
    report = run_foundry_drc(chip[1], TECH)
    assert report.clean, report.items[:5]
    assert report.shapes > 10_000


def test_netlist_matches_with_pads_and_monitors(chip):
    array, gds, net = chip
    lvs = compare_layout(extract_layout(gds, TECH), net, TECH).to_json()
    assert lvs["match"], lvs["errors"]
    assert lvs["devices"]["memristor_top"] == 2 * 2 + 3
    pins = {p.name for p in array.pins}
    assert {p.name for p in build_macro(ArraySpec(rows=2, cols=2, top="macro")).pins} <= pins


@pytest.mark.parametrize("name", ["TS[1]", "OUT[0]", "WR[1]", "VDD"])
def test_a_cut_spoke_does_not_match(name, chip, tmp_path):
    """Cut 0.2 um out of all metals between the pad of a pin and its track."""
    array, gds, net = chip
    layout = read(gds)
    pad = array.cell.port(name)
    dx, dy = {0: (-1, 0), 90: (0, -1), 180: (1, 0), 270: (0, 1)}[pad.orientation]
    depth = PadPlan(RuleBook(TECH)).depth + 9_000  # behind the vias of its lead
    x, y = pad.x + dx * depth, pad.y + dy * depth
    cut = db.Box(x, y, x, y).enlarged(*((100, 8_000) if dx else (8_000, 100)))
    for metal in TECH.roles.metals:
        shapes = layout.top_cell().shapes(layout.layer(*TECH.gds(metal)))
        rest = db.Region(shapes) - db.Region(cut)
        shapes.clear()
        shapes.insert(rest)
    lvs = matched(layout, net, tmp_path)
    assert not lvs["match"]
    assert any(name in error for error in lvs["errors"]), lvs["errors"]


def test_two_exchanged_pads_do_not_match(chip, tmp_path):
    _, gds, net = chip
    layout = read(gds)
    texts = layout.top_cell().shapes(layout.layer(*TECH.gds("Metal5_Label")))
    swap = {"IN_T[0]": "IN_T[1]", "IN_T[1]": "IN_T[0]"}
    for shape in texts.each():
        if shape.text_string in swap:
            shape.text_string = swap[shape.text_string]
    lvs = matched(layout, net, tmp_path)
    assert not lvs["match"]


def test_every_pin_has_an_opened_pad(chip):
    array, gds, _ = chip
    layout = read(gds)
    opened = region(layout, "Pad") & region(layout, "REOPEN") & region(layout, "Metal5")
    pins = {p.name for p in array.pins}
    labels = [q for q in array.cell.labels if q.text in pins]
    assert len(labels) == len(pins) == len({q.text for q in labels})
    assert {q.layer for q in labels} == {"Metal5"}
    for label in labels:
        spot = db.Box(label.x, label.y, label.x, label.y).enlarged(10_000, 10_000)
        assert (db.Region(spot) - opened).is_empty(), label
    a = round(TECH.profile.overlay_um * 1e3)
    pads = region(layout, "Pad")
    assert ((region(layout, "REOPEN") & pads).sized(a) ^ pads).is_empty()


def test_identification_cells_have_their_room(chip):
    """Where the run looks for them nothing is drawn, nor within 9 um, and the rings go round."""
    layout = read(chip[1])
    die = layout.top_cell().bbox()
    boxes = db.Region([id_box(TECH, cell, die) for cell in TECH.shuttle.ids])
    assert len(TECH.shuttle.ids) == 4
    for layer in TECH.layers:
        if layer.name not in ("PR_bndry", "POSTPROC"):
            near = region(layout, layer.name) & boxes.sized(9_000)
            assert near.is_empty(), (layer.name, near.bbox())
    placed, left_out = finish_cells(layout)
    assert (len(placed), left_out) == (4, ())
    middle = die.center()
    plan = PadPlan(RuleBook(TECH))
    edge = region(layout, "Pad").bbox().left - (plan.side - 60_000) // 2
    for metal, ring in product(("Metal4", "Metal5"), (plan.ring, plan.supply)):
        at = db.Point(middle.x, edge + sum(ring) // 2)
        (wire,) = (polygon for polygon in region(layout, metal).each() if polygon.inside(at))
        assert any(hole.inside(middle) for hole in db.Region(wire).holes().each())


ADDED = ("seal_ring", "Seal_Ring_via2", "fill_metal1_square", "no_fill")
IDS = tuple(cell.name for cell in TECH.shuttle.ids)


@pytest.mark.parametrize("name", [*ADDED, IDS[0], IDS[-1].upper()])
def test_no_die_is_called_like_what_is_added_to_it(name):
    """The die would be taken for the ring, or an identification cell would be missing."""
    with pytest.raises(ParameterError, match="name = "):
        build_top(ArraySpec(rows=2, cols=2, top="testchip", name=name))


def test_a_ten_by_ten_chip_has_room_for_identification_cells():
    array = build_top(ArraySpec(rows=10, cols=10, top="testchip"))
    layout = to_layout(array.cell, TECH)
    assert (array.cell.width, array.cell.height) == (1_936_000, 2_531_000)
    placed, left_out = finish_cells(layout)
    assert (len(placed), left_out) == (4, ())


@pytest.mark.parametrize("early", [0, 100, "-600", "+50", "+40000"])
def test_rings_of_two_rows_meet_by_the_rules_however_early_they_turn(early):
    """At a corner the joints of two sides lie in one another, nearly, or apart.

    A die of 64 x 64 had 3,200 vias drawn twice, 100 nm apart. Signed lengths add to a ring's width.
    """
    macro = build_macro(ArraySpec(rows=2, cols=2, top="macro"))
    plan, rules = PadPlan(RuleBook(TECH)), RuleBook(TECH)
    if isinstance(early, str):
        early = plan.ring[1] - plan.ring[0] + int(early)
    slot = min(slots(TECH), key=lambda s: s.width * s.height)
    chip = chip_module.Chip(slot, testchip.WIDTHS[0], macro, rules, plan, rows=2, ids=True)
    taken = dict.fromkeys(chip.id_room.corner, chip.row_at(0) + plan.ring[0] + early)
    chip.id_room = IdRoom(chip.id_room.edge, taken)
    draw_rings(chip)
    near = tuple(r for r in chip.canvas.rects if r.x1 < 470_000 and r.y1 < 470_000)
    layout = to_layout(Cell("rings", near), TECH)
    corner = layout.clip(layout.top_cell().cell_index(), db.Box(0, 0, 470_000, 470_000))
    report = run_drc(layout, TECH, top=layout.cell(corner).name, rules=["M[23].*", "V2.*"])
    assert not report.violations


def test_a_chip_without_that_room_is_taken_before_a_larger_one(monkeypatch):
    """No way round either of two corners, or no room for a pad."""
    macro = build_macro(ArraySpec(rows=2, cols=2, top="macro"))
    for corners in (("north-east", "south-west"), ("north-east",)):
        taken = dict.fromkeys(("south-west", "south-east", "north-west", "north-east"), 0)
        taken |= dict.fromkeys(corners, 400_000 if len(corners) > 1 else 1_900_000)

        def room(tech, *, asked, taken=taken):
            return IdRoom(0, taken if asked else dict.fromkeys(taken, 0))

        monkeypatch.setattr(chip_module, "id_room", room)
        chip = testchip.placed(macro)
        assert (chip.slot.name, chip.ids) == ("0p5x0p5", False)
    monkeypatch.undo()
    assert testchip.placed(macro).ids


def test_the_ring_keeps_its_place_in_the_die(chip):
    array, gds, _ = chip
    layout = read(gds)
    box = layout.top_cell().bbox()
    assert (box.left, box.bottom) == (0, 0)
    slot = exact_slot(TECH, box.width(), box.height())
    assert slot is not None
    pads = region(layout, "Pad").bbox()
    gap = pads.left - seal_ring(TECH)
    assert 30_000 <= gap <= 200_000  # PAD.15
    free = db.Region(box) - db.Region(box.enlarged(-seal_ring(TECH), -seal_ring(TECH)))
    for layer in TECH.layers:
        if layer.name not in ("PR_bndry", "POSTPROC"):
            assert (region(layout, layer.name) & free).is_empty(), layer.name
    assert array.cell.info["die_width_um"] == slot.width * 1e-3


@pytest.mark.parametrize(
    "values",
    [
        {"rows": 16, "cols": 16},
        {"rows": 16, "cols": 16, "kelvin": True, "profile": "aligner"},
        {"rows": 1, "cols": 1, "cell": "passive_planar"},
        {"rows": 16, "cols": 1, "cell": "planar", "profile": "aligner"},
        {"rows": 3, "cols": 16, "cell": "passive"},
        {"rows": 3, "cols": 5, "periphery": "decoder"},
        {"rows": 3, "cols": 5, "periphery": "scan"},
    ],
    ids=lambda v: "-".join(str(x) for x in v.values()),
)
def test_other_sizes_match(values, tmp_path):
    array = build_top(ArraySpec(top="testchip", **values))
    assert exact_slot(TECH, array.cell.width, array.cell.height)
    gds, net = tmp_path / "chip.gds", tmp_path / "chip.spice"
    to_layout(array.cell, array.tech).write(str(gds))
    net.write_text("\n".join(array.netlist_lines()) + "\n")
    lvs = compare_layout(extract_layout(gds, array.tech), net, array.tech).to_json()
    assert lvs["match"], lvs["errors"]


@pytest.mark.parametrize(
    ("rows", "cols", "wn", "wp"), [(10, 10, 60.0, 60.0), (10, 10, 150.0, 120.0), (7, 5, 80.0, 50.0)]
)
def test_wires_from_wide_pins_keep_apart(rows, cols, wn, wp):
    """Pins of large switches are wider than the wires that they lead to and nearly touch.

    Two of 10 x 10 with switches of 60 um were one net, and others 100 nm apart.
    """
    spec = ArraySpec(
        rows=rows, cols=cols, top="testchip", switch_wn_um=wn, switch_wp_um=wp, select_w_um=8.0
    )
    array = build_top(spec)
    report = run_drc(to_layout(array.cell, array.tech), array.tech, rules=["M[2345T]*.2*"])
    assert report.rules_run
    assert not report.violations


def test_too_large_a_chip_is_refused(monkeypatch):
    with pytest.raises(ParameterError, match=r"453 pins .* slot 1x1"):
        build_top(ArraySpec(rows=64, cols=64, top="testchip"))
    small = tuple(s for s in slots(TECH) if s.name == "0p5x0p5")
    monkeypatch.setattr(testchip, "slots", lambda tech: small)
    with pytest.raises(ParameterError, match=r"165 pins .* slot 0p5x0p5"):
        build_top(ArraySpec(rows=16, cols=16, top="testchip", kelvin=True))


@pytest.mark.parametrize("profile", ["stepper", "aligner"])
def test_marks_lie_where_they_say(profile):
    tech = get_tech(profile)
    array = build_top(ArraySpec(rows=1, cols=1, top="testchip", profile=profile))
    layout = to_layout(array.cell, tech)
    found = find_marks(layout, tech)
    for mask in masks(tech):
        crosses = [m for m in found if m.mask == mask and m.kind == "mark"]
        assert len(crosses) == 2
        assert len([m for m in found if m.mask == mask and m.kind == "vernier"]) == 2
        for m in crosses:
            field = db.Box(m.x - 30_000, m.y - 30_000, m.x + 30_000, m.y + 30_000)
            centre = (region(layout, mask, tech) & db.Region(field)).bbox().center()
            assert (centre.x, centre.y) == (m.x, m.y)
        a, b = crosses
        assert abs(a.x - b.x) + abs(a.y - b.y) > 500_000
    assert len(found) == 4 * len(masks(tech))
    # the mask file's picture of the references is what the foundry prints there
    pictures = region(layout, "MARK", tech)
    assert (pictures - region(layout, "Metal5", tech)).is_empty()


@pytest.mark.parametrize("profile", ["stepper", "aligner"])
@pytest.mark.parametrize("mask", ["BE", "VTE", "TIO2X_B", "REOPEN"])
def test_a_vernier_reads_the_misalignment(mask, profile):
    """Move the mask: the bar that many steps from the middle is then centred on its tooth."""
    tech = get_tech(profile)
    layout = to_layout(vernier(tech, mask=mask), tech)
    step = vernier_step(tech)
    low = db.Region(db.Box(15_000, -1_000, 1_000_000, 15_000))  # the teeth along x
    teeth = sorted(p.bbox().center().x for p in (region(layout, "Metal5", tech) & low).each())
    bars = sorted({p.bbox().center().x for p in (region(layout, mask, tech) & low).each()})
    assert len(teeth) == len(bars) == 2 * BARS + 1
    for k in (-BARS, -3, 0, 1, BARS):
        centred = [i - BARS for i in range(len(bars)) if bars[i] + k * step == teeth[i]]
        assert centred == [k]
    assert BARS * step == pytest.approx(2e3 * tech.profile.overlay_um)


def test_monitors_measure_what_they_say(tmp_path):
    cell = kelvin(TECH, electrode="ME")
    line = region(to_layout(cell, TECH), "ME")
    assert cell.info["squares"] == 80.0 / TECH.profile.line_um
    assert line.width_check(round(TECH.profile.line_um * 1e3)).is_empty()
    assert not line.width_check(round(TECH.profile.line_um * 1e3) + 5).is_empty()
    chain = via_chain(TECH, electrode="TE")
    layout = to_layout(chain, TECH)
    assert region(layout, "VTE").count() == chain.info["vias"] > 100
    # half of the links are electrode, and each is needed: without one the chain is open
    links = region(layout, "TE")
    assert links.count() == chain.info["vias"] / 2
    texts = layout.top_cell().shapes(layout.layer(*TECH.gds("Metal5_Label")))
    for port in chain.ports:
        texts.insert(db.Text("A", port.x, 1_000))
    gds = tmp_path / "chain.gds"
    layout.write(str(gds))
    assert not extract_layout(gds, TECH).findings()
    shapes = layout.top_cell().shapes(layout.layer(*TECH.gds("TE")))
    boxes = sorted((s.box for s in shapes.each()), key=lambda b: b.left)
    for missing in (boxes[0], boxes[len(boxes) // 2], boxes[-1]):
        shapes.clear()
        for kept in boxes:
            if kept != missing:
                shapes.insert(kept)
        layout.write(str(gds))
        assert [f.kind for f in extract_layout(gds, TECH).findings()] == ["open"]


@pytest.mark.parametrize("profile", ["stepper", "aligner"])
def test_every_monitor_and_mark_is_clean(profile):
    """All in one layout, for all films: the registered cells show one film each."""
    tech = get_tech(profile)
    layout = db.Layout()
    layout.dbu = tech.dbu_um
    top, x = layout.create_cell("all"), 0
    for cell in (*monitors(tech), *mark_cells(tech)):
        drawn = layout.create_cell(cell.name)
        source = to_layout(cell, tech)
        drawn.copy_tree(source.top_cell())
        top.insert(db.CellInstArray(drawn.cell_index(), db.Trans(x, 0)))
        x += cell.width + 50_000
    top.shapes(layout.layer(*tech.gds("POSTPROC"))).insert(top.bbox())
    report = run_drc(layout, tech)
    assert report.clean, report.violations[:5]


@pytest.mark.parametrize(
    ("draw", "values"),
    [
        ("kelvin", {"electrode": "Metal1"}),
        ("device_on_pads", {"device_f": 0}),
        ("device_on_pads", {"device_f": 21}),
        ("device_on_pads", {"device_f": 1.5}),
        ("alignment_mark", {"mask": "MARK"}),
        ("vernier", {"mask": "Metal5"}),
        ("bond_pad", {"side": "up"}),
    ],
)
def test_wrong_parameters_are_refused_by_name(draw, values):
    from crossstack.cells import draw_cell

    with pytest.raises(ParameterError, match=next(iter(values))):
        draw_cell(draw, TECH, **values)
