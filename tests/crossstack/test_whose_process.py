"""Files are of one process: commands find out which, and refuse another by name."""

from __future__ import annotations

import json
import shutil

import klayout.db as db
import pytest

from crossstack.pdk import DEFAULT
from crossstack.pdk.home import HOME, process_names

OTHER = next(name for name in process_names() if name != DEFAULT)
NAME = "crossstack_1x1x2"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Return folders that hold a layout of each process, and its network elsewhere."""
    from crossstack.cli import run

    made = {}
    for process in (DEFAULT, OTHER):
        folder = tmp_path_factory.mktemp("drawn")
        size = ["--rows", "1", "--cols", "1", "--process", process, "-o", str(folder), "-q"]
        assert run(["generate", *size]) == 0
        layout = folder / f"{NAME}.gds"
        assert run(["extract", str(layout), "-o", str(folder / "wires"), "-q"]) == 0
        made[process] = folder
    return made


@pytest.mark.parametrize("process", [DEFAULT, OTHER])
@pytest.mark.parametrize(
    "words",
    [
        ["drc"],
        ["lvs", "--netlist", "N"],
        ["extract"],
        ["view", "--png"],
        ["tapeout"],
        ["foundry", "drc"],
    ],
)
def test_a_layout_of_another_process_is_refused_by_name(crossstack, drawn, process, words):
    folder, asked = drawn[process], OTHER if process == DEFAULT else DEFAULT
    layout = folder / f"{NAME}.gds"
    words = [str(layout.with_suffix(".spice")) if w == "N" else w for w in words]
    before = sorted(folder.iterdir())
    ran = crossstack(*words, layout, "--process", asked)
    ran.fails(2, f"--process = '{asked}'", f"{process} for {NAME}.gds", f"{NAME}.json")
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("verb", [["solve"], ["inspect"], ["foundry", "solve"]])
def test_a_network_knows_its_process(crossstack, drawn, verb):
    for process, asked in ((DEFAULT, OTHER), (OTHER, DEFAULT)):
        network = drawn[process] / "wires" / f"{NAME}_network.npz"
        ran = crossstack(*verb, network, "--process", asked)
        ran.fails(2, f"--process = '{asked}'", f"{process} for {network.name}")
        if verb != ["foundry", "solve"]:  # which needs ngspice and BSIM models
            assert crossstack(*verb, network).code == 0


def test_a_layout_without_a_manifest_is_of_the_process_that_it_draws(crossstack, drawn, tmp_path):
    for process, asked in ((DEFAULT, OTHER), (OTHER, DEFAULT)):
        alone = shutil.copy(drawn[process] / f"{NAME}.gds", tmp_path / "alone.gds")
        ran = crossstack("drc", alone, "--process", asked)
        ran.fails(3, "draws layers of the module, none of", "name it with --process")
        assert crossstack("drc", alone, "--process", process).code == 0


def test_a_metal_on_an_unknown_layer_is_not_extracted_in_silence(crossstack, drawn, tmp_path):
    layout = db.Layout()
    layout.read(str(drawn[DEFAULT] / f"{NAME}.gds"))
    layout.set_info(layout.find_layer(42, 0), db.LayerInfo(70, 0))
    layout.write(str(path := tmp_path / "alone.gds"))
    ran = crossstack("extract", path, "-o", tmp_path)
    assert ran.code == 1
    remarks = ran.err.splitlines()
    assert remarks[0].endswith("unknown layers, not checked: 70/0")
    assert "no memristor, and unknown layers (70/0): a layout of another process" in remarks[-1]


def test_a_process_of_ones_own_is_found_again(crossstack, tmp_path):
    lab = tmp_path / "lab"
    assert crossstack("pdk", "new", "lab", "-o", tmp_path, "--from", OTHER).code == 0
    size = ("--rows", 1, "--cols", 1, "--process", lab, "-o", tmp_path / "d")
    assert crossstack("generate", *size).code == 0
    layout, wires = tmp_path / "d" / f"{NAME}.gds", tmp_path / "w" / f"{NAME}_network.npz"
    assert crossstack("extract", layout, "-o", wires.parent).code == 0
    before = crossstack("solve", wires, "--json")
    assert before.code == 0
    moved = lab.rename(tmp_path / "moved")
    crossstack("solve", wires).fails(3, str(lab), "is gone", "--process")
    crossstack("solve", wires, "--process", OTHER).fails(2, "lab for", "as it says itself")
    crossstack("drc", layout, "--process", OTHER).fails(2, "the folder of the process")
    assert crossstack("drc", layout, "--process", moved).code == 0
    again = crossstack("solve", wires, "--process", moved, "--json")
    assert again.json["modes"] == before.json["modes"]


def test_a_copy_of_a_folder_is_the_same_process(crossstack, tmp_path):
    for name in ("one", "two"):
        shutil.copytree(HOME / DEFAULT, tmp_path / name)
    size = ("--rows", 1, "--cols", 1, "--process", tmp_path / "one", "-o", tmp_path)
    assert crossstack("generate", *size).code == 0
    layout = tmp_path / f"{NAME}.gds"
    assert crossstack("drc", layout, "--process", tmp_path / "two").code == 0


def test_a_network_is_of_the_tables_that_it_was_extracted_in(crossstack, tmp_path):
    """Wires of one process beside transistors of another gave figures without a word."""
    own, copy = tmp_path / "lab", tmp_path / "copy"
    assert crossstack("pdk", "new", "lab", "--from", DEFAULT, "-o", tmp_path).code == 0
    shutil.copytree(own, copy)
    size = ("--rows", "1", "--cols", "1", "--process", own, "-o", tmp_path)
    assert crossstack("generate", *size).code == 0
    assert crossstack("extract", tmp_path / f"{NAME}.gds").code == 0
    network = tmp_path / f"{NAME}_network.npz"
    assert crossstack("solve", network, "--process", copy).code == 0
    table = copy / "ron_table.json"
    if not table.is_file():  # that of the process that it is like
        table.write_bytes((HOME / DEFAULT / "ron_table.json").read_bytes())
    table.write_text(table.read_text().replace("3010.3", "3011.3", 1))
    crossstack("solve", network, "--process", copy).fails(3, "other tables of process lab", "again")
    assert crossstack("solve", network).code == 0
    table.write_text(table.read_text().replace("3011.3", "true", 1))
    checked = crossstack("pdk", "check", copy)
    assert checked.code == 1
    assert "True, allowed: numbers" in checked.out + checked.err


@pytest.fixture(scope="module")
def edited(tmp_path_factory):
    """Return a process of one's own, a build in it, and an edited copy of the same name."""
    from crossstack.cli import run

    folder = tmp_path_factory.mktemp("edited")
    lab, copy = folder / "lab", folder / "copy" / "lab"
    assert run(["pdk", "new", "lab", "--from", DEFAULT, "-o", str(folder), "-q"]) == 0
    size = ["--rows", "1", "--cols", "1", "--process", str(lab), "-o", str(folder), "-q"]
    assert run(["build", *size]) == 0
    assert run(["generate", *size]) == 0
    shutil.copytree(lab, copy)
    return folder, lab, copy


def edit(process):
    """Change a number of a process: a resistance, of which no layout tells."""
    path = process / "films.csv"
    if not path.is_file():
        path.write_bytes((HOME / DEFAULT / "films.csv").read_bytes())
    path.write_text(path.read_text() + "# measured anew\n")


#: commands whose verdict or figure is all of the tables of today, if these are named on purpose
JUDGES = [["drc"], ["lvs"], ["extract"], ["view", "--png"]]
#: those that would mix results of the build with tables of today
MIXES = [["tapeout"], ["solve"], ["limits"], ["inspect"], ["views"]]


@pytest.mark.parametrize("words", [*JUDGES, *MIXES, ["report"]])
def test_other_tables_than_a_build_was_made_with(crossstack, edited, tmp_path, words):
    """`drc`, `lvs` and `tapeout` judged a layout by tables that it was not drawn from."""
    folder, lab, copy = edited
    build = tmp_path / NAME
    shutil.copytree(folder / NAME, build)
    if words in (["drc"], ["lvs"], ["solve"]):  # as it was made, also where the folder is a copy
        assert crossstack(*words, build, "-o", tmp_path / "a").code == 0
        ran = crossstack(*words, build, "-o", tmp_path / "b", "--process", copy)
        assert ran.code == 0
        assert "other tables" not in ran.err
    kept = {path: path.read_bytes() for path in sorted(lab.iterdir()) if path.is_file()}
    edit(lab)
    try:
        found = sorted(build.iterdir())
        refused = crossstack(*words, build)
        refused.fails(3, "other tables of process lab", "again")
        assert sorted(build.iterdir()) == found
        if words == ["report"]:
            return
        name = "o.png" if "view" in words else "o"
        out = [] if words == ["inspect"] else ["-o", tmp_path / name]
        on_purpose = crossstack(*words, build, *out, "--process", lab)
        if words in MIXES:
            on_purpose.fails(3, "other tables of process lab", "again")
        else:
            assert on_purpose.code == 0
            assert "other tables of process lab" in on_purpose.err
    finally:
        for path in lab.iterdir():
            path.unlink() if path not in kept else path.write_bytes(kept[path])


def test_an_edited_copy_of_a_process_that_comes_with_us(crossstack, drawn, tmp_path):
    copy, layout = tmp_path / DEFAULT, drawn[DEFAULT] / f"{NAME}.gds"
    shutil.copytree(HOME / DEFAULT, copy)
    network = drawn[DEFAULT] / "wires" / f"{NAME}_network.npz"
    assert "other tables" not in crossstack("drc", layout, "--process", copy).err
    assert crossstack("solve", network, "--process", copy).code == 0
    edit(copy)
    ran = crossstack("drc", layout, "--process", copy, "--json")
    assert any("other tables" in note for note in ran.json["notes"])
    crossstack("solve", network, "--process", copy).fails(3, "other tables", "again")
    crossstack("tapeout", layout, "--process", copy).fails(3, "other tables", "again")


def test_a_folder_that_holds_another_process_now(crossstack, edited, tmp_path):
    folder, lab, copy = edited
    shutil.copytree(folder / NAME, tmp_path / NAME)
    moved = lab.rename(tmp_path / "moved")
    shutil.copytree(HOME / OTHER, lab)
    try:
        ran = crossstack("drc", tmp_path / NAME)
        ran.fails(3, "made in process lab", f"holds {OTHER} now", "--process")
        assert crossstack("drc", tmp_path / NAME, "--process", copy, "-o", tmp_path).code == 0
    finally:
        shutil.rmtree(lab)
        moved.rename(lab)


@pytest.mark.parametrize("said", [None, {}, {"name": 1, "tables": ""}, {"name": "x"}])
def test_a_manifest_whose_process_is_damaged(crossstack, edited, tmp_path, said):
    for path in edited[0].glob(f"{NAME}.*"):
        shutil.copy(path, tmp_path)
    sidecar = tmp_path / f"{NAME}.json"
    value = json.loads(sidecar.read_text())
    sidecar.write_text(json.dumps({**value, "process": said}))
    crossstack("drc", tmp_path / f"{NAME}.gds").fails(3, "name and tables", sidecar.name)
    del value["process"]  # of an earlier version
    sidecar.write_text(json.dumps(value))
    ran = crossstack("drc", tmp_path / f"{NAME}.gds", "--json")
    assert any("does not say with which tables" in note for note in ran.json["notes"])


BASES = [(mine, other) for mine in process_names() for other in process_names() if mine != other]


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Return a layout of each process, without a manifest."""
    from crossstack.cli import run

    folder = tmp_path_factory.mktemp("bare")
    for process in process_names():
        size = ["--rows", "1", "--cols", "1", "--process", process, "--name", f"of_{process}"]
        assert run(["generate", *size, "-o", str(folder), "-q"]) == 0
        (folder / f"of_{process}.json").unlink()
    return folder


@pytest.mark.parametrize(("mine", "other"), BASES)
def test_no_layout_is_clean_as_one_of_another_process(crossstack, bare, tmp_path, mine, other):
    """SKY130 with al_tio2 had 0 violations as SKY130 with ReRAM: a remark on unknown layers."""
    layout = bare / f"of_{mine}.gds"
    netlist = ("--netlist", layout.with_suffix(".spice"))
    for words in (["drc"], ["lvs", *netlist], ["extract"], ["tapeout"], ["view", "--png"]):
        ran = crossstack(*words, layout, "--process", other, "-o", tmp_path / "o.png")
        ran.fails(3, f"of_{mine}.gds")
        assert not list(tmp_path.iterdir())


def drawn_on(target, pairs, texts=()):
    """Write a cell with a box on each of some layers, and a text on others."""
    layout = db.Layout()
    layout.dbu = 0.001
    top = layout.create_cell("own")
    for k, pair in enumerate(pairs):
        top.shapes(layout.layer(*pair)).insert(db.Box(9000 * k, 0, 9000 * k + 4000, 4000))
    for pair in texts:
        top.shapes(layout.layer(*pair)).insert(db.Text("a", 0, 0))
    layout.write(str(target))
    return target


def test_marks_of_nobody_are_remarked_and_a_layout_of_them_is_refused(crossstack, tmp_path):
    metals = [(34, 0), (36, 0)]
    nobodys = [(301, 0), (302, 0), (303, 7)]
    path = drawn_on(tmp_path / "a.gds", [*metals, *nobodys[:2]], texts=[(304, 0), (305, 0)])
    ran = crossstack("drc", path)
    assert ran.code in (0, 1), ran.err
    assert "unknown layers, not checked: 301/0, 302/0, 304/0, 305/0" in ran.err
    path = drawn_on(tmp_path / "a.gds", [*metals, *nobodys])
    for words in (["drc"], ["extract"], ["tapeout"]):
        crossstack(*words, path).fails(3, "301/0, 302/0, 303/7", "most would not be judged")
    own = tmp_path / DEFAULT
    shutil.copytree(HOME / DEFAULT, own)
    with (own / "foreign.csv").open("a") as stream:
        stream.write("mark,303,7,,,a mark of ours\n")
    assert crossstack("drc", path, "--process", own).code in (0, 1)
