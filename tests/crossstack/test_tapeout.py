"""The tapeout package: what is written, and a damaged file for every check that must fail."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import klayout.db as db
import pytest

from crossstack.base.gds_stream import read_stream
from crossstack.cells import to_layout
from crossstack.cells.marks import alignment_mark
from crossstack.generators import ArraySpec, build_array, build_top
from crossstack.generators.tapeout import exact_slot, slots, smallest_slot
from crossstack.pdk import FileError, get_tech
from crossstack.signoff.checks import CHECKS, TapeoutFile

TECH = get_tech()
NAME = "small"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small array and its package, written by the command."""
    from crossstack.cli import run

    folder = tmp_path_factory.mktemp("good")
    array = build_array(ArraySpec(rows=2, cols=2, name=NAME))
    to_layout(array.cell, TECH).write(str(folder / f"{NAME}.gds"))
    (folder / f"{NAME}.spice").write_text("\n".join(array.netlist_lines()) + "\n")
    # density and marks are judged on the chip that a block is placed on: nothing failed, not ready
    assert run(["tapeout", str(folder / f"{NAME}.gds"), "-q"]) == 1
    return folder


def layer(layout: db.Layout, name: str) -> int:
    return layout.layer(*TECH.gds(name))


Damage = Callable[[db.Layout], None]
#: unknown for a block
OF_A_CHIP = {"density", "seal ring", "id cells", "local density", "fill", "pad protection"}


def box(name: str, *corners: int) -> Damage:
    return lambda ly: ly.top_cell().shapes(layer(ly, name)).insert(db.Box(*corners))


def pair(a: int, b: int) -> Damage:
    return lambda ly: ly.top_cell().shapes(ly.layer(a, b)).insert(db.Box(0, 0, 500, 500))


def points(name: str, *xy: tuple[int, int]) -> Damage:
    polygon = db.SimplePolygon([db.Point(x, y) for x, y in xy], True)
    return lambda ly: ly.top_cell().shapes(layer(ly, name)).insert(polygon)


def path(width: int, *xy: tuple[int, int]) -> Damage:
    shape = db.Path([db.Point(x, y) for x, y in xy], width)
    return lambda ly: ly.top_cell().shapes(layer(ly, "Metal3")).insert(shape)


def second_top(ly: db.Layout) -> None:
    ly.create_cell("left_over").shapes(layer(ly, "Metal1")).insert(db.Box(0, 0, 500, 500))


def renamed(ly: db.Layout) -> None:
    ly.rename_cell(ly.top_cell().cell_index(), "chip")


def other_unit(ly: db.Layout) -> None:
    ly.dbu = 0.0005


def text_outside(ly: db.Layout) -> None:
    ly.top_cell().shapes(layer(ly, "Metal1_Label")).insert(db.Text("A", -50, 100))


def placed(make: Callable[[int], db.CellInstArray | db.DCellInstArray]) -> Damage:
    def damage(ly: db.Layout) -> None:
        top, child = ly.top_cell(), ly.create_cell("child")
        child.shapes(layer(ly, "Metal3")).insert(db.Box(0, 0, 500, 500))
        top.insert(make(child.cell_index()))

    return damage


moved_cell = placed(lambda cell: db.CellInstArray(cell, db.Trans(db.Vector(1001, 1000))))
scaled_cell = placed(lambda cell: db.DCellInstArray(cell, db.DCplxTrans(1.1, 0, False, 1, 1)))
odd_array = placed(
    lambda cell: db.CellInstArray(cell, db.Trans(), db.Vector(1003, 0), db.Vector(0, 1000), 3, 2)
)


def placed_badly(ly: db.Layout) -> None:
    moved = placed(lambda cell: db.CellInstArray(cell, db.Trans(db.Vector(1000, 1000))))
    moved(ly)
    ly.rename_cell(ly.cell("child").cell_index(), "x#1/y")


def meta(ly: db.Layout) -> None:
    ly.add_meta_info(db.LayoutMetaInfo("who", "someone", "", True))


def shape_property(ly: db.Layout) -> None:
    ly.top_cell().shapes(layer(ly, "Metal3")).insert(
        db.Box(0, 0, 500, 500), ly.properties_id({1: "x"})
    )


def only_frame(ly: db.Layout) -> None:
    keep = {ly.find_layer(*TECH.gds(n)) for n in ("PR_bndry", "POSTPROC")}
    ly.flatten(ly.top_cell().cell_index(), -1, True)
    for index in ly.layer_indexes():
        if index not in keep:
            ly.clear_layer(index)


#: (check, which file, damage)
DAMAGES: list[tuple[str, str, Damage]] = [
    ("top cell", "foundry", second_top),
    ("top cell", "masks", renamed),
    ("database unit", "foundry", other_unit),
    ("origin", "foundry", box("Metal3", -5, 0, 500, 500)),
    ("origin", "foundry", text_outside),
    ("origin", "masks", box("TE", 0, -1000, 1000, 0)),
    ("grid", "foundry", box("Metal3", 1, 0, 500, 500)),
    ("grid", "masks", box("ME", 0, 0, 1000, 1002)),
    ("grid", "foundry", path(505, (1000, 1000), (3000, 1000))),
    ("grid", "foundry", moved_cell),
    ("grid", "foundry", odd_array),
    ("grid", "foundry", scaled_cell),
    ("forbidden layer", "foundry", pair(82, 0)),
    ("forbidden layer", "foundry", pair(53, 0)),
    ("zero area", "foundry", points("Metal3", (0, 0), (1000, 0), (2000, 0))),
    ("zero area", "masks", box("BE", 0, 0, 0, 1000)),
    ("zero area", "foundry", path(0, (0, 0), (5000, 0))),
    ("angles", "foundry", points("Metal3", (0, 0), (1000, 500), (0, 500))),
    ("angles", "masks", points("TIO2_B", (0, 0), (1000, 995), (0, 995))),
    ("angles", "foundry", path(500, (1000, 1000), (3000, 1500))),
    ("size", "foundry", box("Metal3", 0, 0, 3_900_000, 1000)),
    ("size", "foundry", box("Pad", 0, 0, 5000, 5000)),
    ("names", "foundry", placed_badly),
    ("metadata", "foundry", meta),
    ("metadata", "foundry", shape_property),
    ("layers", "foundry", box("BE", 0, 0, 1000, 1000)),
    ("layers", "foundry", pair(231, 7)),
    ("layers", "masks", box("Metal5", 0, 0, 1000, 1000)),
    ("layers", "masks", box("BE_Label", 0, 0, 1000, 1000)),
    ("content", "foundry", only_frame),
    ("content", "masks", only_frame),
    ("masks on die", "masks", box("BE", 0, 0, 1_000_000, 1000)),
]
#: what a damage must break besides, because it cannot be done otherwise
ALSO = {meta: {"top cell", "zero area"}, other_unit: {"size", "origin", "masks on die", "grid"}}


@pytest.mark.parametrize(("check", "kind", "damage"), DAMAGES)
def test_a_damaged_file_fails_that_check(check, kind, damage, good, tmp_path, crossstack):
    folder = tmp_path / "tapeout"
    shutil.copytree(good / "tapeout", folder)
    target = folder / f"{NAME}_{kind}.gds"
    layout = db.Layout()
    layout.read(str(target))
    damage(layout)
    options = db.SaveLayoutOptions()
    options.write_context_info = damage is meta
    options.keep_instances = True
    layout.write(str(target), options)
    ran = crossstack("tapeout", good / f"{NAME}.gds", "--check-only", "-o", folder, "--json")
    assert ran.code == 1, ran.err
    failed = {(c["name"], c["file"]) for c in ran.json["checks"] if c["status"] == "failed"}
    file = f"{NAME}_{kind}.gds"
    assert (check, file) in failed
    assert not ran.json["passed"]
    others = {name for name, _ in failed} - {check} - ALSO.get(damage, set())
    others -= {"marks"} if ("marks", f"{NAME}_foundry.gds") in failed and check == "size" else set()
    others -= {"source"}  # the layout does not have what was drawn into the package
    others -= {*OF_A_CHIP, "pad openings"} if check == "size" else set()
    assert others <= {"masks on die", "size"} if check in ("origin", "size") else not others


def test_every_check_has_a_damaged_file():
    assert {check for check, _, _ in DAMAGES} == {*CHECKS, "masks on die"}


def test_the_package_is_whole(good, crossstack):
    ran = crossstack("tapeout", good / f"{NAME}.gds", "--check-only", "--json")
    report = ran.json
    statuses = {c["name"]: c["status"] for c in report["checks"]}
    others = {"masks on die", "source", "marks", "design rules", "netlist", "pad openings",
                  "reopenings"}  # fmt: skip
    assert set(statuses) == {*CHECKS, *others, *OF_A_CHIP, "unknown layers"}
    assert {name for name, status in statuses.items() if status != "ok"} == {*OF_A_CHIP, "marks"}
    items = {c["name"]: c["item"] for c in report["checks"]}
    assert items["top cell"] == "KLayout.CheckTopLevel"
    assert "KLayout.GenerateID" in items.values()
    (left_out,) = report["not_judged"]
    assert "current limits" in left_out
    text = (good / "tapeout" / "tapeout.txt").read_text()
    assert left_out in text
    assert left_out in crossstack("tapeout", good / f"{NAME}.gds", "--check-only").out
    assert any("Magic.DRC" in text for text in report["not_repeated"])
    assert any("passivation" in text for text in report["to_agree"])
    assert (ran.code, report["verdict"], report["passed"]) == (1, "unknown", False)
    for kind in ("foundry", "masks"):
        assert read_stream(good / "tapeout" / f"{NAME}_{kind}.gds").tops == [f"{NAME}_{kind}"]
    readme = (good / "tapeout" / "README.txt").read_text()
    for name, digest in report["files"].items():
        assert name in readme
        assert digest in readme
    for word in ("verdict of crossstack tapeout: unknown", "VBE", "mask shop", "dicing"):
        assert word in readme
    # of a chip alone: a block has no pads, no fill and no marks
    there = {path.name for path in (good / "tapeout").iterdir()}
    assert not there & {"pads.csv", "bonding.svg", "probe_plan.csv", "wafer_map.csv"}
    for word in ("pads.csv", "Fill is drawn", "MARK", "Identification", "places of the marks"):
        assert word not in readme, word
    text = (good / "tapeout" / "tapeout.txt").read_text()
    for word in (
        "UNKNOWN: not everything was judged",
        "VBE",
        "dark field",
        "TiO2-x, 30 nm",
        "SHA-256",
    ):
        assert word in text
    assert json.loads((good / "tapeout" / "tapeout.json").read_text())["verdict"] == "unknown"


def test_the_two_files_together_are_the_layout(good):
    whole, texts = db.Layout(), {layer.gds for layer in TECH.layers if "Label" in layer.name}
    whole.read(str(good / f"{NAME}.gds"))
    parts = []
    for kind in ("foundry", "masks"):
        part = db.Layout()
        part.read(str(good / "tapeout" / f"{NAME}_{kind}.gds"))
        parts.append(part)
    for info in (i for i in whole.layer_infos() if (i.layer, i.datatype) not in texts):
        want = db.Region(whole.top_cell().begin_shapes_rec(whole.layer(info)))
        have = [db.Region(p.top_cell().begin_shapes_rec(p.layer(info))) for p in parts]
        assert (want ^ (have[0] + have[1])).is_empty(), info
        assert have[0].is_empty() or have[1].is_empty(), info


def test_same_layout_same_bytes(good, tmp_path, crossstack):
    assert crossstack("tapeout", good / f"{NAME}.gds", "-o", tmp_path, "-q").code == 1
    for path_ in sorted((good / "tapeout").iterdir()):
        assert (tmp_path / path_.name).read_bytes() == path_.read_bytes(), path_.name


def test_fill_that_somebody_added_goes_to_the_foundry(good, tmp_path, crossstack):
    layout = db.Layout()
    layout.read(str(good / f"{NAME}.gds"))
    layout.top_cell().shapes(layout.layer(34, 4)).insert(db.Box(-2000, 0, -1000, 1000))
    layout.write(str(tmp_path / "filled.gds"))
    ran = crossstack("tapeout", tmp_path / "filled.gds", "--json")
    (found,) = [c for c in ran.json["checks"] if c["name"] == "unknown layers"]
    assert found["status"] == "ok"  # the rules on fill judge it
    drawn = read_stream(tmp_path / "tapeout" / "filled_foundry.gds").elements
    assert any((e.layer, e.datatype) == (34, 4) for e in drawn)


def test_what_a_build_said_counts_for_nothing(good, tmp_path, crossstack):
    from crossstack.base import files

    layout = db.Layout()
    layout.read(str(good / f"{NAME}.gds"))
    box("Metal1", -9000, 0, -8980, 20)(layout)
    layout.write(str(tmp_path / f"{NAME}.gds"))
    files.write_json(tmp_path / "drc.json", {"violations": 0, "rules_run": 266})
    files.write_json(tmp_path / "lvs.json", {"match": True, "devices": {}})
    files.write_manifest(tmp_path, {"name": NAME, "parameters": {"profile": "stepper"}})

    def statuses(*more: str) -> dict[str, str]:
        out = tmp_path.with_suffix(".out")
        ran = crossstack("tapeout", tmp_path, "--json", "-o", out, *more)
        return {c["name"]: c["status"] for c in ran.json["checks"]}

    found = statuses()
    assert (found["design rules"], found["netlist"]) == ("failed", "unknown")
    shutil.copy(good / f"{NAME}.gds", tmp_path)
    shutil.copy(good / f"{NAME}.spice", tmp_path)
    assert statuses()["design rules"] == statuses()["netlist"] == "ok"
    # drawn for one profile, held against the rules of another
    assert statuses("--profile", "aligner")["design rules"] == "failed"
    lines = (tmp_path / f"{NAME}.spice").read_text().splitlines()
    (tmp_path / f"{NAME}.spice").write_text("\n".join(lines[: len(lines) // 2]))
    assert statuses()["netlist"] != "ok"


def packaged(good: Path, folder: Path) -> Path:
    """Return a copy of a layout, its netlist and its package."""
    shutil.copytree(good, folder, dirs_exist_ok=True)
    return folder / f"{NAME}.gds"


def edit(path: Path, change: Damage) -> None:
    layout = db.Layout()
    layout.read(str(path))
    change(layout)
    layout.write(str(path))


@pytest.mark.parametrize("shorts", [False, True])
def test_fill_of_a_package_is_judged_with_the_layout(shorts, good, tmp_path, crossstack):
    source = packaged(good, tmp_path)
    place = db.Box(0, 0, 5000, 5000) if shorts else db.Box(0, -9000, 5000, -8000)
    edit(
        tmp_path / "tapeout" / f"{NAME}_foundry.gds",
        lambda ly: ly.top_cell().shapes(ly.layer(34, 4)).insert(place) and None,
    )
    ran = crossstack("tapeout", source, "--check-only", "--json")
    found = {c["name"]: (c["status"], c["text"]) for c in ran.json["checks"]}
    assert found["source"][0] == "ok"
    for name in ("design rules", "netlist"):
        status, text = found[name]
        assert status == ("unknown" if shorts else "ok"), text
        assert ("lies over or touches" in text) == shorts


def test_texts_of_a_package_are_those_of_the_layout(good, tmp_path, crossstack):
    source = packaged(good, tmp_path)
    foundry = tmp_path / "tapeout" / f"{NAME}_foundry.gds"
    edit(
        foundry,
        lambda ly: (
            ly.top_cell().shapes(layer(ly, "Metal1_Label")).insert(db.Text("A", 50, 90)) and None
        ),
    )
    ran = crossstack("tapeout", source, "--check-only", "--json")
    (found,) = [c for c in ran.json["checks"] if c["name"] == "source"]
    assert found["status"] == "failed"
    assert "text 'A' on Metal1_Label at (0.050, 0.090)" in found["text"]


def test_bytes_after_the_end_are_refused(good, tmp_path, crossstack):
    source = packaged(good, tmp_path)
    foundry = tmp_path / "tapeout" / f"{NAME}_foundry.gds"
    whole = foundry.read_bytes()
    foundry.write_bytes(whole + bytes(700))  # a tape's last block is filled with zeros
    assert crossstack("tapeout", source, "--check-only").code == 1
    foundry.write_bytes(whole + bytes(9) + b"more")
    crossstack("tapeout", source, "--check-only").fails(3, "4 bytes", "after the end")


def test_a_pad_that_stays_closed_fails(good, tmp_path, crossstack):
    source = packaged(good, tmp_path)

    def status(*damage: Damage) -> str:
        for change in damage:
            edit(source, change)
        ran = crossstack("tapeout", source, "--json")
        (found,) = [c for c in ran.json["checks"] if c["name"] == "pad openings"]
        return f"{found['status']}: {found['text']}"

    assert status() == "ok: No bond pads."
    assert status(box("Pad", 0, 0, 60_000, 60_000)).startswith(
        "failed: no REOPEN inside: pad at (3"
    )
    half = box("REOPEN", 2000, 2000, 70_000, 50_000)
    assert status(half).startswith("failed")
    assert status(box("Pad", 0, 0, 80_000, 60_000)).startswith("ok: Every bond pad")


@pytest.mark.parametrize(
    ("damage", "verdict"),
    [
        ((box("REOPEN", 2000, 2000, 9000, 9000),), "failed"),
        ((box("REOPEN", 900_000, 0, 910_000, 9000),), "ok"),  # over nothing
        ((box("Pad", 0, 0, 60_000, 60_000), box("REOPEN", 150, 150, 59_850, 59_850)), "ok"),
        ((box("Pad", 0, 0, 60_000, 60_000), box("REOPEN", 145, 150, 59_850, 59_850)), "failed"),
    ],
)
def test_the_passivation_is_opened_inside_pads_only(good, tmp_path, crossstack, damage, verdict):
    source = packaged(good, tmp_path)
    for change in damage:
        edit(source, change)
    checks = crossstack("tapeout", source, "--json").json["checks"]
    (found,) = [c for c in checks if c["name"] == "reopenings"]
    assert found["status"] == verdict, found
    assert verdict == "ok" or "REOPEN at (" in found["text"]


@pytest.mark.parametrize("seed", range(2))
def test_every_rule_that_is_broken_is_named_in_the_package(seed, good, tmp_path, crossstack):
    """However many: `drc` says which they are."""
    rng, source = random.Random(seed), packaged(good, tmp_path)
    metals = [each.name for each in TECH.layers if each.purpose.value in ("metal", "cut")]
    names = rng.sample(metals, 8)

    def spoilt(ly: db.Layout) -> None:
        for name in (*names, "ME", "Metal4"):
            x, y = (5 * rng.randrange(0, 800) for _ in "xy")
            ly.top_cell().shapes(layer(ly, name)).insert(db.Box(x, y, x + 85, y + 85))

    edit(source, spoilt)
    broken = {r: n for r, n in crossstack("drc", source, "--json").json["by_rule"].items() if n}
    assert len(broken) > 6
    ran = crossstack("tapeout", source, "--json")
    (check,) = [c for c in ran.json["checks"] if c["name"] == "design rules"]
    assert sorted(check["findings"]) == sorted(f"{rule} x{n}" for rule, n in broken.items())
    text = (source.parent / "tapeout" / "tapeout.txt").read_text()
    listed = text.partition("Every finding of design rules\n")[2].partition("\n\n")[0]
    assert sorted(map(str.strip, listed.splitlines())) == sorted(check["findings"])
    (netlist,) = [c for c in ran.json["checks"] if c["name"] == "netlist"]
    reference = source.with_suffix(".spice")
    said = crossstack("lvs", source, "--netlist", reference, "--json").json["errors"]
    assert netlist["findings"] == said
    assert all(error in text for error in said)


def test_wrong_usage_and_unreadable_files(good, tmp_path, crossstack):
    source = good / f"{NAME}.gds"
    crossstack("tapeout", source, "--keep-layer", "99").fails(2, "keep-layer", "99/7")
    shutil.copy(source, tmp_path / "x#1.gds")
    crossstack("tapeout", tmp_path / "x#1.gds").fails(2, "x#1", "letters")
    crossstack("tapeout", source, "--slot", "2x2", "-o", tmp_path).fails(2, "2x2", "0p5x1")
    crossstack("tapeout", tmp_path / "none.gds").fails(2, "none.gds")
    crossstack("tapeout", tmp_path).fails(3, "manifest.json")
    crossstack("tapeout", source, "--check-only", "-o", tmp_path).fails(3, f"{NAME}_foundry.gds")
    cut = tmp_path / "cut.gds"
    cut.write_bytes(source.read_bytes()[:-40])
    crossstack("tapeout", cut).fails(3, "cut.gds")
    with pytest.raises(FileError, match="ends early"):
        read_stream(cut)
    assert not (tmp_path / "tapeout").exists() or not list((tmp_path / "tapeout").glob("*.gds"))


def test_a_package_of_an_older_layout_is_not_ready(good, tmp_path, crossstack):
    layout = tmp_path / f"{NAME}.gds"
    shutil.copy(good / f"{NAME}.gds", layout)
    crossstack("tapeout", layout, "-q")
    changed = db.Layout()
    changed.read(str(layout))
    text = db.Text("here", 1000, 1000)
    changed.top_cell().shapes(layer(changed, "PR_bndry")).insert(text)
    changed.write(str(layout))
    for _ in range(2):  # the first check must not make the second one pass
        ran = crossstack("tapeout", layout, "--check-only", "--json")
        assert ran.code == 1
        failed = [c["name"] for c in ran.json["checks"] if c["status"] == "failed"]
        assert failed == ["source"]
    ran = crossstack("tapeout", layout, "--json")
    assert not [c for c in ran.json["checks"] if c["status"] == "failed"]


def test_the_build_itself_is_not_overwritten(good, tmp_path, crossstack):
    from crossstack.base import files

    shutil.copy(good / f"{NAME}.gds", tmp_path)
    files.write_manifest(tmp_path, {"name": NAME, "parameters": {"profile": "stepper"}})
    crossstack("tapeout", tmp_path, "-o", tmp_path).fails(2, "build itself")


def test_places_on_the_wafer(tmp_path, crossstack):
    tech = get_tech("aligner")
    cell = alignment_mark(tech, mask="TE")
    layout = to_layout(replace(cell, name="mark"), tech)
    frame = layout.layer(*tech.gds("PR_bndry"))
    layout.top_cell().shapes(frame).insert(db.Box(0, 0, 100_000, 200_000))
    layout.write(str(tmp_path / "mark.gds"))
    wafer = ("--die-pitch-um", 500, 600, "--first-die-um", -1000, 10, "--die", 0, 0, "--die", 2, -1)
    ran = crossstack("tapeout", tmp_path / "mark.gds", "--profile", "aligner", "--json", *wafer)
    (mark,) = ran.json["marks"]
    assert (mark["mask"], mark["kind"], mark["x_um"], mark["y_um"]) == ("TE", "mark", 30.0, 30.0)
    assert mark["wafer"] == [
        {"die": [0, 0], "x_um": -970.0, "y_um": 40.0},
        {"die": [2, -1], "x_um": 30.0, "y_um": -560.0},
    ]
    used = {m["mask"] for m in ran.json["masks"] if m["used"]}
    assert used == {"TE"}
    bad = ("--die-pitch-um", 0, 10)
    crossstack("tapeout", tmp_path / "mark.gds", *bad).fails(2, "die-pitch-um")


def test_a_chip_needs_a_mark_for_every_mask(tmp_path, crossstack, monkeypatch):
    """The command says so of one mask, and the check that it calls of each."""
    from crossstack.signoff import listing, tapeout
    from crossstack.signoff.wafer import Wafer

    monkeypatch.setattr(tapeout, "judge", lambda *_: [])  # takes 10 s and is not asked here
    spec = ArraySpec(rows=1, cols=1, top="testchip", name="chip")
    layout = to_layout(build_top(spec).cell, TECH)
    whole = layout.dup()
    layout.delete_cell(layout.cell("mark_vme").cell_index())
    layout.write(str(tmp_path / "chip.gds"))
    ran = crossstack("tapeout", tmp_path / "chip.gds", "--slot", "0p5x0p5", "--json")
    failed = [(c["name"], c["text"]) for c in ran.json["checks"] if c["status"] == "failed"]
    # densities of an unfilled die are far below the foundry's
    assert [text for name, text in failed if name == "density" and "M1.4" in text]
    failed = [(name, text) for name, text in failed if name not in OF_A_CHIP]
    assert ran.code == 1
    assert failed == [("marks", "no alignment mark for VME")]
    foundry = TapeoutFile(tmp_path / "tapeout" / "chip_foundry.gds", TECH, "foundry")

    masks = listing.masks_of(whole, TECH)

    def marked(drawn: db.Layout) -> tuple[str, str]:
        marks = tapeout.marks_of(drawn, TECH, Wafer(), (0, 0))
        check = listing.every_mask_marked(foundry, masks, marks)
        return check.status, check.text

    assert marked(whole)[0] == "ok"
    used = [mask["mask"] for mask in masks if mask["used"]]
    assert len(used) > 8
    # marks alone, among which each is found as on the chip
    for inst in [i for i in whole.top_cell().each_inst() if not i.cell.name.startswith("mark_")]:
        inst.delete()
    for mask in used:
        drawn = whole.dup()
        drawn.delete_cell(drawn.cell(f"mark_{mask.lower()}").cell_index())
        others = [cell.cell_index() for cell in drawn.top_cells() if cell.name != "chip"]
        drawn.delete_cells(others)
        assert marked(drawn) == ("failed", f"no alignment mark for {mask}")


def test_a_slot_asked_for_must_be_filled(good, tmp_path, crossstack):
    ran = crossstack("tapeout", good / f"{NAME}.gds", "--slot", "1x1", "-o", tmp_path, "--json")
    assert ran.code == 1
    failed = [c for c in ran.json["checks"] if c["status"] == "failed"]
    assert {c["name"] for c in failed} == {"size"}
    assert "3932 x 5122" in failed[0]["text"]


def test_slots():
    for slot in slots(TECH):
        assert exact_slot(TECH, slot.width, slot.height) == slot
        assert exact_slot(TECH, slot.width, slot.height - 5) is None
        assert smallest_slot(TECH, slot.width - 52_000, slot.height - 52_000) == slot
    assert smallest_slot(TECH, 3_932_000, 1000) is None
