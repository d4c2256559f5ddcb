"""Magic as a second extractor: the same nets and devices, also where the layout is damaged."""

from __future__ import annotations

import klayout.db as db
import pytest

from crossstack.cells.drawing import to_layout
from crossstack.generators import ArraySpec, build_top
from crossstack.lvs import extract_layout, magic, second
from crossstack.lvs.magic_tech import layers_read, magic_tech
from crossstack.pdk import get_tech

TECH = get_tech()
needs_magic = pytest.mark.requires_program("magic")
HYBRID = {"rows": 3, "cols": 3}
MACRO = {"rows": 2, "cols": 2, "top": "macro", "switch_wn_um": 4.0, "switch_wp_um": 4.0}


def drawn(flat=False, **spec):
    built = build_top(ArraySpec(**spec))
    layout = to_layout(built.cell, built.tech)
    if flat:
        layout.top_cell().flatten(True)
    return layout


def asked(layout, tech=TECH):
    return second.ask_magic(extract_layout(layout, tech), layout)


def shapes(layout, layer):
    return layout.top_cell().shapes(layout.layer(*TECH.gds(layer)))


def row(layout, name, metal="Metal4"):
    found = extract_layout(layout, TECH)
    return found.net_shapes(found.net(name))[metal].merged().bbox()


@needs_magic
@pytest.mark.parametrize(
    "spec",
    [HYBRID, MACRO, {**HYBRID, "cell": "passive"}, {**HYBRID, "cell": "planar"},
     {**HYBRID, "profile": "aligner"}, {**MACRO, "cell": "passive_planar", "rows": 3}],
    ids=str,
)  # fmt: skip
def test_magic_sees_the_same(spec):
    layout = drawn(**spec)
    opinion = asked(layout, get_tech(spec.get("profile", "stepper")))
    assert opinion.differences == ()
    assert opinion.nets[0] == opinion.nets[1] > 0
    assert all(ours == theirs for ours, theirs in opinion.devices.values())
    assert opinion.devices["memristor_bottom"][1] == spec["rows"] * spec["cols"]
    assert opinion.labels >= spec["rows"] + spec["cols"]


@needs_magic
def test_a_hand_drawn_array_with_hierarchy(array):
    opinion = asked(array(2, 3).layout)
    assert opinion.differences == ()
    assert opinion.devices["nfet"] == (12, 12)


def cut(layout):
    """Take a piece out of TR[0] and label both halves alike."""
    box = row(layout, "TR[0]")
    metal, x = shapes(layout, "Metal4"), box.center().x
    rest = db.Region(metal) - db.Region(db.Box(x - 200, box.bottom, x + 200, box.top))
    metal.clear()
    metal.insert(rest)
    label = next(s.text for s in shapes(layout, "Metal4_Label").each() if s.text.string == "TR[0]")
    shapes(layout, "Metal4_Label").insert(db.Text("TR[0]", box.right - 50, label.y))


def short(layout):
    low, high = row(layout, "TR[0]"), row(layout, "TR[1]")
    shapes(layout, "Metal4").insert(db.Box(low.left, low.bottom, low.left + 300, high.top))


def without(*layers):
    return lambda layout: [layout.clear_layer(layout.layer(*TECH.gds(n))) for n in layers]


DAMAGE = {
    # damage: (what is done, nets more or less, memristors of the bottom tier)
    "cut line": (cut, 1, 9),
    "shorted lines": (short, -1, 9),
    "no vias": (without("Via2"), 36, 9),
    "no top vias": (without("VTE"), 9, 9),
    "one film": (without("TIO2X_B"), 0, 0),
    "no films": (without("TIO2_B", "TIO2X_B"), -9, 0),
    "no contacts": (without("Contact"), 55, 9),
}


@needs_magic
@pytest.mark.parametrize("damage", DAMAGE)
def test_both_see_damage(damage):
    do, more, memristors = DAMAGE[damage]
    layout = drawn(flat=True, **HYBRID)
    whole = asked(layout)
    do(layout)
    opinion = asked(layout)
    assert opinion.differences == ()
    assert opinion.nets == (whole.nets[0] + more, whole.nets[1] + more)
    assert opinion.devices["memristor_bottom"] == (memristors, memristors)


@needs_magic
@pytest.mark.parametrize(
    ("damage", "words"),
    [("cut line", "TR[0] is 2 nets for magic"), ("shorted lines", "not a net of its own"),
     ("no vias", "nets for magic"), ("one film", "is none for magic")],
)  # fmt: skip
def test_a_difference_is_told(damage, words):
    """Ours of the whole layout against Magic's of the damaged one."""
    layout = drawn(flat=True, **HYBRID)
    ours = extract_layout(layout, TECH)
    labels = magic.labels_of_top(layout.top_cell(), TECH)
    DAMAGE[damage][0](layout)
    opinion = second.compare_with(ours, magic.run_magic(layout, TECH), labels)
    assert not opinion.agrees
    assert any(words in str(finding) for finding in opinion.differences)


@needs_magic
def test_swapped_gates_are_told():
    """The same nets and counts, but a transistor on another select line."""
    layout = drawn(flat=True, **HYBRID)
    ours = extract_layout(layout, TECH)
    found = magic.run_magic(layout, TECH)
    k = next(k for k, d in enumerate(found.devices) if d.kind == "nfet")
    other = next(
        d for d in found.devices if d.kind == "nfet" and d.nets[1] != found.devices[k].nets[1]
    )
    bulk, gate, *ends = found.devices[k].nets
    wrong = magic.MagicDevice("nfet", found.devices[k].at, (bulk, other.nets[1], *ends))
    devices = (*found.devices[:k], wrong, *found.devices[k + 1 :])
    changed = magic.MagicNetlist(found.nets, devices, found.labels, "", 0.0)
    labels = magic.labels_of_top(layout.top_cell(), TECH)
    (difference,) = second.compare_with(ours, changed, labels).differences
    assert "terminals differ" in str(difference)
    assert gate != other.nets[1]


@needs_magic
def test_a_well_without_a_tap_and_a_missing_well(inverter):
    for n_tap in (True, False):
        assert asked(inverter(n_tap=n_tap).layout).differences == ()
    layout = drawn(flat=True, **MACRO)
    without("Nwell")(layout)
    opinion = asked(layout)
    assert opinion.differences == ()
    assert opinion.devices["pfet"] == (0, 0)


@needs_magic
def test_lines_at_an_angle_touch_where_they_do(drawing):
    points = [db.DPoint(0, 0), db.DPoint(5, 5), db.DPoint(9, 5)]
    drawing.top.shapes(drawing.layer("Metal4")).insert(db.DPath(points, 0.6))
    drawing.rect("Metal4", 9, 4.8, 12, 5.2)
    drawing.rect("Metal4", 0, 3, 2, 4)
    drawing.label("Metal4", "A", 10, 5)
    opinion = asked(drawing.layout)
    assert opinion.differences == ()
    assert opinion.nets == (2, 2)


def test_the_technology_file_holds_every_conductor_and_via_of_the_process():
    text = magic_tech(TECH)
    for name in (*(cut.layer for cut in TECH.cuts), "BE", "ME", "TE", "Metal5", "Metal5_Label"):
        number, datatype = TECH.gds(name)
        assert f"calma {name} {number} {datatype}\n" in text
        assert name in layers_read(TECH)
    assert "Pad" not in layers_read(TECH)


def test_missing_and_failing_programs_are_said_clearly(monkeypatch, array):
    layout = array(1, 1).layout
    monkeypatch.setattr(magic.shutil, "which", lambda name: None)
    with pytest.raises(magic.MagicError, match="not installed"):
        magic.run_magic(layout, TECH)
    monkeypatch.setattr(magic.shutil, "which", lambda name: "/bin/true")
    with pytest.raises(magic.MagicError, match="extracted nothing"):
        magic.run_magic(layout, TECH)
    monkeypatch.setattr(magic.shutil, "which", lambda name: "/bin/false")
    with pytest.raises(magic.MagicError, match="ended with 1"):
        magic.run_magic(layout, TECH)


@needs_magic
def test_what_magic_does_not_read_is_an_error(monkeypatch, array):
    layout = array(1, 1).layout
    text = magic_tech(TECH).replace("calma Metal3 42 0", "calma Metal3 99 0")
    monkeypatch.setattr(magic, "magic_tech", lambda tech: text)
    with pytest.raises(magic.MagicError, match="did not read the layout"):
        magic.run_magic(layout, TECH)
    with pytest.raises(magic.MagicError, match="within"):
        magic.run_magic(layout, TECH, timeout_s=0.001)
