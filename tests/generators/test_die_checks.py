"""What a die must have is refused by name when it is damaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import klayout.db as db
import pytest
from small_die import PAD, SIDE, TECH, small_die

from crossstack.cells.pad_plan import PadPlan
from crossstack.cells.rules import RuleBook
from crossstack.drc import run_drc
from crossstack.generators.finish import IDS_FOR, finish
from crossstack.lvs import extract_layout
from crossstack.lvs.extraction import ExtractedLayout
from crossstack.signoff import bonding, pads
from crossstack.signoff import die as die_checks
from crossstack.signoff.checks import TapeoutFile, check_file, top_cell
from crossstack.signoff.die import check_die
from crossstack.signoff.verdicts import check_density
from crossstack.signoff.wafer import Wafer

FAR = SIDE - 40_000


def of_pad(part: str) -> tuple[int, int, int, int]:
    """Return the box of a part of the die's pad, with an um around it."""
    plan, (x, y) = PadPlan(RuleBook(TECH)), PAD
    low, high = getattr(plan, part)
    return x, y + low - 1_000, x + plan.side, y + high + 1_000


@pytest.fixture(scope="module")
def finished() -> db.Layout:
    """A finished small die, its pad labelled."""
    layout = small_die()
    x1, y1, x2, y2 = of_pad("high")
    for metal, net, at in (("Metal5", "SIG", (112_000, 92_000)),
                           ("Metal1", "VDD", ((x1 + x2) // 2, (y1 + y2) // 2))):  # fmt: skip
        index = layout.layer(*TECH.gds(f"{metal}_Label"))
        layout.top_cell().shapes(index).insert(db.Text(net, *at))
    finish(layout, TECH)
    return layout


def erase(name: str, *box: int) -> Callable[[db.Layout], None]:
    """Take what a layer holds in a box out of it, whichever cell draws it."""

    def damage(layout: db.Layout) -> None:
        index = layout.layer(*TECH.gds(name))
        top = layout.top_cell()
        rest = db.Region(top.begin_shapes_rec(index)) - db.Region(db.Box(*box))
        layout.clear_layer(index)
        top.shapes(index).insert(rest)

    return damage


def written(layout: db.Layout, damage: Callable[[db.Layout], None], folder: Path) -> TapeoutFile:
    broken = layout.dup()
    damage(broken)
    path = folder / "die.gds"
    broken.write(str(path))
    return TapeoutFile(path, TECH, "foundry")


def drawn(layout: db.Layout, name: str) -> db.Region:
    return db.Region(layout.top_cell().begin_shapes_rec(layout.layer(*TECH.gds(name))))


def both(*damages: Callable[[db.Layout], None]) -> Callable[[db.Layout], None]:
    def damage(layout: db.Layout) -> None:
        for each in damages:
            each(layout)

    return damage


def erase_whole(name: str, *box: int) -> Callable[[db.Layout], None]:
    """Take the cuts that touch a box away, none of them halved."""

    def damage(layout: db.Layout) -> None:
        index = layout.layer(*TECH.gds(name))
        top = layout.top_cell()
        rest = db.Region(top.begin_shapes_rec(index)).merged()
        rest = rest.not_interacting(db.Region(db.Box(*box)))
        layout.clear_layer(index)
        top.shapes(index).insert(rest)

    return damage


def add(name: str, *box: int) -> Callable[[db.Layout], None]:
    def damage(layout: db.Layout) -> None:
        layout.top_cell().shapes(layout.layer(*TECH.gds(name))).insert(db.Box(*box))

    return damage


def contacts_of_taps(layout: db.Layout) -> None:
    """Take the contacts of the pad's n-well taps away: the well floats."""
    taps = drawn(layout, "Nplus") & drawn(layout, "Nwell")
    index = layout.layer(*TECH.gds("Contact"))
    rest = drawn(layout, "Contact") - taps
    layout.clear_layer(index)
    layout.top_cell().shapes(index).insert(rest)


def opening() -> tuple[int, int, int, int]:
    """Return the box of the pad's opening."""
    frame = (PadPlan(RuleBook(TECH)).side - 60_000) // 2
    x, y = PAD[0] + frame, PAD[1] + frame
    return x, y, x + 60_000, y + 60_000


def thin(part: str) -> tuple[int, int, int, int]:
    """Return the half of a row of diodes that lies away from the opening."""
    x1, y1, x2, y2 = of_pad(part)
    return x1, (y1 + y2) // 2, x2, y2


X1, Y1, X2, Y2 = opening()
NARROW = erase("Pad", X2 - 100, Y1, X2, Y2)
#: a gate over a stripe of the diode to VSS
X, Y = PAD[0] + 6_000, of_pad("diode")[1] + 5_000
GATE = add("Poly2", X, Y, X + 6_400, Y + 300)
ALL = (0, 0, SIDE, SIDE)
CHECKS = {
    "seal ring": die_checks._ring,
    "local density": die_checks._windows,
    "fill": die_checks._gaps,
}
#: check -> (what it says, damage) of layers that are judged each for itself
OF_LAYERS = {
    "seal ring": [
        [
            ("Metal2 is open at", erase("Metal2", 300_000, 0, 301_000, 20_000)),
            ("Metal5 is open at", erase("Metal5", 0, 500_000, 20_000, 500_100)),
            ("Via3 is open", erase("Via3", SIDE - 20_000, 300_000, SIDE, 310_000)),
            ("COMP is open", erase("COMP", 300_000, SIDE - 20_000, 302_000, SIDE)),
            ("GUARD_RING_MK is not drawn", erase("GUARD_RING_MK", *ALL)),
            ("Contact is not drawn", erase("Contact", *ALL)),
        ],
        [
            ("Contact is open", erase_whole("Contact", 0, 0, 30_000, 30_000)),
            ("Via2 is open", erase_whole("Via2", SIDE - 30_000, 0, SIDE, 30_000)),
        ],
    ],
    "local density": [
        [
            ("Metal3 covers", erase("Metal3_Dummy", *ALL)),
            ("Metal4 covers", erase("Metal4_Dummy", 250_000, 250_000, SIDE, SIDE)),
        ],
    ],
    "fill": [[("DCF.1a", erase("COMP_Dummy", 300_000, 300_000, 400_000, 400_000))]],
}
DAMAGES = [
    ("has no diode to VDD", erase("Pplus", *of_pad("upper"))),
    ("has no diode to VSS", erase("Contact", *of_pad("diode"))),
    ("whose well is not on VDD", contacts_of_taps),
    ("um2 to VDD, at least 420", erase("COMP", *thin("upper"))),
    ("um2 to VSS, at least 420", erase("COMP", *thin("diode"))),
    ("opening of 59.9 um and leads to transistors", both(NARROW, GATE)),
]


@pytest.fixture(scope="module")
def whole(finished, tmp_path_factory) -> tuple[TapeoutFile, ExtractedLayout]:
    """The finished die as a file, and its nets."""
    file = written(finished, lambda layout: None, tmp_path_factory.mktemp("whole"))
    return file, extract_layout(file.path, TECH)


def test_a_whole_die_passes(whole):
    found = check_die(*whole)
    assert {check.name: (check.status, check.text) for check in found} == {
        "seal ring": ("ok", "The seal ring is closed on every layer."),
        "id cells": ("ok", f"There are no identification cells: {IDS_FOR}."),
        "local density": ("ok", "Every window of the die is covered as it must be."),
        "fill": ("ok", "No area is left without fill that must have it."),
        "pad protection": ("ok", "Every bond pad has a diode of 420 um2 or more to either supply."),
    }


def test_identification_cells_that_are_not_there_are_remarked_on(whole, finished, tmp_path):
    """Having none is allowed, and whoever needs them must know before the run."""
    (remark,) = die_checks.id_remarks(whole[0])
    assert remark.startswith(f"no identification cell {TECH.shuttle.ids[0].name}, ")
    assert remark.endswith(f": {IDS_FOR}")

    def one(layout: db.Layout) -> None:
        top = layout.top_cell()
        for wanted in TECH.shuttle.ids[:-1]:
            cell = layout.create_cell(wanted.name)
            top.insert(db.CellInstArray(cell.cell_index(), db.Trans()))

    some = written(finished, one, tmp_path)
    assert die_checks.id_remarks(some) == [
        f"no identification cell {TECH.shuttle.ids[-1].name}: {IDS_FOR}"
    ]


@pytest.mark.parametrize("many", [3, 9])
def test_top_cells_beyond_the_first_are_counted(many, finished, tmp_path):
    def more(layout: db.Layout) -> None:
        for k in range(many):
            layout.create_cell(f"other{k}")

    text = top_cell(written(finished, more, tmp_path))
    assert text is not None
    assert (" and 5 more; expected" in text) == (many == 9)


@pytest.mark.parametrize(
    ("name", "damages"),
    [(name, damages) for name, files in OF_LAYERS.items() for damages in files],
)
def test_every_damaged_layer_is_refused_by_name_and_no_other(name, damages, finished, tmp_path):
    file = written(finished, both(*(damage for _, damage in damages)), tmp_path)
    found = list(CHECKS[name](file))
    said = {words: [text for text in found if words in text] for words, _ in damages}
    assert all(said.values()), (said, found)
    assert sum(map(len, said.values())) == len(found), found


@pytest.mark.parametrize(("words", "damage"), DAMAGES)
def test_a_damaged_pad_is_refused_by_name(words, damage, finished, tmp_path):
    file = written(finished, damage, tmp_path)
    found = list(die_checks._bare_pads(extract_layout(file.path, TECH)))
    assert any(words in text for text in found), found


def test_a_small_opening_without_transistors_is_a_monitors(finished, tmp_path):
    """As long as nothing but wires hangs on it: with a transistor it is a bond pad, cut short."""
    small = extract_layout(written(finished, NARROW, tmp_path).path, TECH)
    assert not list(die_checks._bare_pads(small))
    assert [row["kind"] for row in pads.pad_rows(small)] == ["probe"]
    driven = extract_layout(written(finished, both(NARROW, GATE), tmp_path).path, TECH)
    assert [row["kind"] for row in pads.pad_rows(driven)] == ["bond"]


def test_fill_too_near_is_refused_by_the_rules(finished, tmp_path):
    def near(layout: db.Layout) -> None:
        wire = db.Box(305_995, 300_000, 307_995, 302_000)  # 1.995 um from the wire on Metal1
        layout.top_cell().shapes(layout.layer(*TECH.gds("Metal1_Dummy"))).insert(wire)

    file = written(finished, near, tmp_path)
    report = run_drc(file.path, TECH, rules=["DM1.*"])
    assert {v.rule for v in report.violations} >= {"DM1.3"}


def test_fill_of_electrodes_too_near_or_missing_is_refused(finished, tmp_path):
    def near(layout: db.Layout) -> None:
        box = max((p.bbox() for p in drawn(layout, "TE").each()), key=lambda b: b.right)
        at = box.right + 4_995  # 5 um are asked for
        square = db.Box(at, box.bottom, at + 5_000, box.bottom + 5_000)
        layout.top_cell().shapes(layout.layer(*TECH.gds("BE_Dummy"))).insert(square)

    report = run_drc(written(finished, near, tmp_path).path, TECH, rules=["MF.2"])
    assert {v.rule for v in report.violations} == {"MF.2"}
    bare = finished.dup()
    bare.clear_layer(bare.layer(*TECH.gds("ME_Dummy")))
    bare.write(str(tmp_path / "masks.gds"))
    masks = TapeoutFile(tmp_path / "masks.gds", TECH, "masks")
    found = check_density((written(finished, lambda _: None, tmp_path), masks), TECH)
    assert found.status == "failed"
    assert "ME.D: " in found.text
    assert "BE.D" not in found.text


def test_nets_that_cannot_be_had_are_unknown(whole, monkeypatch):
    for name in ("_ring", "_ids", "_windows", "_gaps"):  # which ask for no nets
        monkeypatch.setattr(die_checks, name, lambda _: ())
    (pads,) = [c for c in check_die(whole[0], None) if c.name == "pad protection"]
    assert pads.status == "unknown"


def test_a_block_is_unknown(tmp_path):
    layout = db.Layout()
    layout.dbu = 0.001
    top = layout.create_cell("die")
    top.shapes(layout.layer(*TECH.gds("Metal1"))).insert(db.Box(0, 0, 9_000, 9_000))
    layout.write(str(tmp_path / "die.gds"))
    file = TapeoutFile(tmp_path / "die.gds", TECH, "foundry")
    assert {c.status for c in check_die(file, None)} == {"unknown"}


@pytest.mark.parametrize("moved", [(5, 0), (0, -5)])
def test_an_id_cell_elsewhere_is_refused(moved, tmp_path):
    large = db.Layout()
    large.dbu = 0.001
    top = large.create_cell("die")
    top.shapes(large.layer(*TECH.gds("PR_bndry"))).insert(db.Box(0, 0, 900_000, 900_000))
    top.shapes(large.layer(*TECH.gds("Pad"))).insert(db.Box(500_000, 500_000, 560_000, 560_000))
    none = replace(TECH.shuttle, fill=())
    from crossstack.generators import finish as rooms

    placed, left_out = rooms._ids(large, top, TECH, top.bbox())
    assert len(placed) == len(none.ids)
    assert not left_out
    large.write(str(tmp_path / "die.gds"))
    file = TapeoutFile(tmp_path / "die.gds", TECH, "foundry")
    assert not list(die_checks._ids(file))
    assert die_checks._ids_there(file) == "Identification cells lie where the run looks for them."
    inst = next(i for i in top.each_inst() if i.cell.name.endswith("marker"))
    inst.transform(db.Trans(*moved))
    large.write(str(tmp_path / "die.gds"))
    (wrong,) = die_checks._ids(TapeoutFile(tmp_path / "die.gds", TECH, "foundry"))
    assert "marker lies elsewhere" in wrong
    inst.transform(db.Trans(-moved[0], -moved[1]))
    frame = next(i for i in top.each_inst() if i.cell.name.endswith("qrcode_id"))
    for layer in large.layer_indexes():  # at its place, but not from (0, 0)
        frame.cell.shapes(layer).transform(db.Trans(*moved))
    frame.transform(db.Trans(-moved[0], -moved[1]))
    large.write(str(tmp_path / "die.gds"))
    (wrong,) = die_checks._ids(TapeoutFile(tmp_path / "die.gds", TECH, "foundry"))
    assert "qrcode_id is drawn from (" in wrong
    inst.delete()
    large.write(str(tmp_path / "die.gds"))
    said = die_checks._ids_there(TapeoutFile(tmp_path / "die.gds", TECH, "foundry"))
    assert said.startswith("3 of 4 identification cells")
    assert "no gf180mcu_ws_ip__marker" in said


@pytest.mark.parametrize("text", ["A#1", "A/B", 'A"B', "it's"])
def test_a_text_that_other_tools_misread_is_refused(text, finished, tmp_path):
    def label(layout: db.Layout) -> None:
        layout.top_cell().shapes(layout.layer(*TECH.gds("Metal1_Label"))).insert(
            db.Text(text, 302_000, 300_000)
        )

    checks = check_file(written(finished, label, tmp_path))
    (names,) = [c for c in checks if c.name == "names"]
    assert (names.status, repr(text) in names.text) == ("failed", True)


def test_pads_are_listed_with_their_nets(whole):
    (pad,) = pads.pad_rows(whole[1])
    assert pad == {
        "number": 1, "name": "SIG", "net": "SIG", "kind": "bond", "side": "south",
        "x_um": 112.0, "y_um": 92.0, "opening_um": 60.0, "plate_um": 64.0,
        "use": "", "v_min": 0.0, "v_max": 3.3,
    }  # fmt: skip
    assert pads.pad_lines([pad])[1] == "1,SIG,SIG,bond,south,112.0,92.0,60.0,64.0,,0.0,3.3"


def test_what_a_pad_is_for_and_what_it_bears():
    nets = ("VDD", "VSS", "IN_T[3]", "OUT[0]", "TR[1]", "WC", "TS[0]", "SIN", "X,C[2]", "")
    uses = {net: pads._volts(net, TECH, bonded=True) for net in nets}
    assert (uses["VDD"]["v_min"], uses["VDD"]["v_max"]) == (3.3, 3.3)
    assert (uses["VSS"]["v_min"], uses["VSS"]["v_max"]) == (0.0, 0.0)
    read = {"use": "read input of a row, 0 to 0.2 V", "v_min": 0.0, "v_max": 3.3}
    assert uses["IN_T[3]"] == read
    words = {
        "OUT[0]": "output", "TR[1]": "sense line of a row", "WC": "write rail, 2 V", "SIN": "scan",
        "TS[0]": "control", "X,C[2]": "sense line of a column", "": "",
    }  # fmt: skip
    assert all(uses[net]["use"].startswith(word) for net, word in words.items())
    assert pads._volts("KELVIN_BE", TECH, bonded=False)["v_max"] is None


def test_a_bonding_diagram_has_a_wire_for_each_bond_pad():
    def pad(number, net, kind, side, x, y):
        return {"number": number, "name": net, "net": net, "kind": kind, "side": side, "x_um": x,
                "y_um": y, "opening_um": 60.0, "plate_um": 64.0,
                **pads._volts(net, TECH, bonded=kind == "bond")}  # fmt: skip

    rows = [
        pad(1, "VSS", "bond", "south", 200.0, 90.0),
        pad(2, "A&<B", "bond", "south", 300.0, 90.0),
        pad(3, "IN_T[0]", "bond", "west", 90.0, 400.0),
        pad(4, "VIA_CHAIN_BE", "probe", "", 500.0, 500.0),
    ]
    root = ElementTree.fromstring(bonding.bonding_svg("x", [620.0, 620.0], rows))
    space = "{http://www.w3.org/2000/svg}"
    wires = [p.get("d") for p in root.iter(f"{space}path")]
    assert len(wires) == 3
    assert wires[0].startswith("M200 530L")  # y runs downwards in the picture
    said = [text.text for text in root.iter(f"{space}text")]
    assert {"1 VSS", "2 A&<B", "3 IN_T[0]"} <= set(said)
    assert not any("VIA_CHAIN_BE" in text for text in said)
    ends = [float(wire.partition("L")[2].split()[0]) for wire in wires[:2]]
    assert ends == sorted(ends)


def test_every_damage_is_named_in_one_package(finished, tmp_path, monkeypatch):
    """All at once through what `crossstack tapeout` calls: the verdict names each."""
    from crossstack import drc
    from crossstack.base.layout import open_layout
    from crossstack.signoff import tapeout

    def damage(layout: db.Layout) -> None:
        for make in (
            erase("Metal2", 300_000, 0, 301_000, 20_000),
            erase("Metal4_Dummy", 250_000, 250_000, SIDE, SIDE),
            erase("COMP_Dummy", 300_000, 300_000, 400_000, 400_000),
            erase("Pplus", *of_pad("upper")),
        ):
            make(layout)
        wire = db.Box(305_995, 300_000, 307_995, 302_000)
        layout.top_cell().shapes(layout.layer(*TECH.gds("Metal1_Dummy"))).insert(wire)
        layout.rename_cell(layout.cell("bond_pad_south").cell_index(), "bond#pad")

    run = drc.run_drc
    only = {"rules": ["DM1.3"]}  # the whole deck takes ten times as long
    monkeypatch.setattr(
        drc, "run_drc", lambda source, tech, **more: run(source, tech, **{**only, **more})
    )
    path = written(finished, damage, tmp_path).path
    source = tapeout.Source(path, "die", TECH, None)
    opened = open_layout(path, TECH.drawing)
    tapeout.write_parts(opened, "die", TECH, tmp_path)
    report = tapeout.inspect(source, opened, tmp_path, None, Wafer())
    failed = {c["name"]: c["text"] for c in report["checks"] if c["status"] == "failed"}
    words = {
        "seal ring": "Metal2 is open", "local density": "Metal4 covers", "fill": "DCF.1a",
        "pad protection": "pad SIG", "design rules": "DM1.3", "names": "bond#pad",
    }  # fmt: skip
    assert {name for name, text in words.items() if text in failed.get(name, "")} == words.keys()
    assert any("no identification cell" in text for text in report["remarks"])
    assert report["verdict"] == "not ready"
