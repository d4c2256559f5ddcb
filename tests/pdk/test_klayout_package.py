"""The KLayout package, headless in the installed KLayout and by reading its files."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import klayout.db as db
import klayout.rdb as rdb
import pytest

from crossstack import cli
from crossstack.cells import CELLS, Cell, draw_cell, to_layout
from crossstack.generators import ArraySpec, build_top
from crossstack.klayout import PROCESS_FILE
from crossstack.klayout.package import (
    package_files,
    package_name,
    refuse_other,
    write_package,
)
from crossstack.klayout.pcells import CrossStackLibrary
from crossstack.klayout.vendored import vendored_files
from crossstack.pdk import DEFAULT, LABEL_OF, LAYERS, PROFILES, ParameterError, get_tech
from crossstack.pdk.home import HOME
from crossstack.pdk.klayout_tech import lyp_text
from crossstack.pdk.solids import solids_um

HERE = Path(__file__).parent
TECH = get_tech()
#: PCell parameters beyond the defaults
VARIANTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("hybrid_cell", {"select_w_um": 4.0, "pitch_x_um": 6.0}),
    ("via_stack", {"low": "Metal2", "high": "Metal4"}),
    ("module_via", {"electrode": "TE"}),
    ("memristor_stack", {"device_um": 2.0}),
    ("crossbar_array", {"rows": 3, "cols": 4}),
    ("crossbar_array", {"rows": 2, "cols": 2, "cell": "passive"}),
    ("crossbar_array", {"rows": 2, "cols": 2, "cell": "planar", "profile": "aligner"}),
    ("crossbar_array", {"rows": 2, "cols": 2, "top": "macro"}),
    ("crossbar_array", {"rows": 2, "cols": 2, "top": "testchip"}),
)


def drawing(name: str, parameters: dict[str, Any]) -> Cell:
    values = dict(parameters)
    tech = get_tech(values.pop("profile", "stepper"))
    if name == "crossbar_array":
        return build_top(ArraySpec(profile=tech.profile.name, **values)).cell
    return draw_cell(name, tech, **values)


def pcell_jobs() -> list[tuple[str, dict[str, Any]]]:
    """Every cell in either profile for which its defaults can be drawn, and the variants."""
    jobs: list[tuple[str, dict[str, Any]]] = []
    for name in sorted(CELLS):
        for profile in sorted(PROFILES):
            try:
                drawing(name, {"profile": profile})
            except ParameterError:
                continue
            jobs.append((name, {"profile": profile}))
    return [*jobs, *VARIANTS]


def klayout(program: str, home: Path, *arguments: str, **variables: str) -> str:
    """Run KLayout with a folder for its own files and return what it printed.

    A package below ``path`` in that folder is found without being installed.
    """
    command = [program, *arguments]
    for key, value in variables.items():
        command += ["-rd", f"{key}={value}"]
    environment = {**os.environ, "KLAYOUT_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
    environment["KLAYOUT_PATH"] = str(home / "path")
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def program(requires_program: Callable[..., str]) -> str:
    return requires_program("klayout")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("klayout")
    assert cli.run(["tech", "install", "--klayout-home", str(folder), "-q"]) == cli.OK
    return folder


@pytest.fixture(scope="module")
def array(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("array")
    arguments = ["generate", "--rows", "2", "--cols", "3", "--name", "small", "-o", str(folder)]
    assert cli.run([*arguments, "-q"]) == cli.OK
    return folder / "small.gds"


@pytest.fixture(scope="module")
def window(program: str, home: Path, array: Path) -> dict[str, Any]:
    out, picture = home / "window.json", home / "window.png"
    klayout(
        program, home, "-e", "-z", "-nc", "-n", TECH.name, str(array),
        "-r", str(HERE / "klayout_window.py"),
        out=str(out), folder=str(home), picture=str(picture), cut=json.dumps(TECH.gds("Metal4")),
        select_labels=json.dumps(TECH.gds(LABEL_OF["Metal2"])),
    )  # fmt: skip
    found: dict[str, Any] = json.loads(out.read_text())
    assert picture.stat().st_size > 10_000
    return found


@pytest.fixture(scope="module")
def batch(program: str, array: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("exported")
    assert cli.run(["tech", "export", str(home / "path"), "-q"]) == cli.OK
    out, jobs = home / "batch.json", home / "jobs.json"
    value = {
        "pcells": pcell_jobs(),
        "target": str(home / "pcells.gds"),
        "array": str(array),
        "technology": TECH.name,
        "labels": [("TR[1]", TECH.gds("Metal4")), ("C[0]", TECH.gds("Metal5"))],
    }
    jobs.write_text(json.dumps(value))
    printed = klayout(
        program, home, "-zz", "-r", str(HERE / "klayout_batch.py"),
        out=str(out), jobs_file=str(jobs),
    )  # fmt: skip
    found: dict[str, Any] = json.loads(out.read_text())
    return found | {"printed": printed, "target": value["target"]}


def test_a_user_finds_technology_library_and_menus(window: dict[str, Any]) -> None:
    assert TECH.name in window["technologies"]
    assert window["layout_technology"] == TECH.name
    assert "CrossStack" in window["libraries"]
    assert {"CrossStack DRC (stepper)", "CrossStack DRC (aligner)"} <= set(window["menus"]["drc"])
    assert "CrossStack LVS" in window["menus"]["lvs"]
    assert "CrossStack stack" in window["menus"]["d25"]
    names = [name.split(" - ")[0] for name in window["layers"]]
    assert {layer.name for layer in LAYERS} <= set(names)
    assert names.index("Metal5") < names.index("BE") < names.index("TE")  # painted in this order


def test_the_2_5d_view_stacks_every_solid(window: dict[str, Any]) -> None:
    assert window["d25_code"] == 0
    assert [text.split(":")[0] for text in window["d25"]] == list(solids_um(TECH))


def test_drc_from_the_menu(window: dict[str, Any]) -> None:
    assert window["drc_code"] == 0
    name, items, rules = window["drc"]
    assert name.endswith("DRC")
    assert items == 0
    assert rules > 100


def test_lvs_from_the_menu(window: dict[str, Any]) -> None:
    match, missing = window["messages"]
    assert match[0] == "info"
    assert match[2].startswith("Match with small.spice")
    assert "6 memristor_bottom, 6 memristor_top, 12 nfet" in match[2]
    assert window["databases"] == 1  # that of DRC: a match opens no browser
    assert not window["damaged"]["match"]
    name, items = window["markers"]
    assert name.startswith("CrossStack LVS")
    assert items == len(window["damaged"]["findings"]) > 0
    assert "MISMATCH" in window["words"]
    assert "TR[" in window["words"]
    assert missing[0] == "warning"
    assert "'crossstack' is not on PATH" in missing[2]


def test_lvs_looks_through_a_top_that_only_holds_a_pcell(window: dict[str, Any]) -> None:
    assert window["placed"]["match"], window["placed"]["errors"]
    lines = window["placed_words"].splitlines()
    assert lines[0] == (
        "TOP has no pin labels: LVS of a single instance looks through to crossbar_array"
    )
    assert lines[2] == "Match with small.spice"
    assert not window["placed_damaged"]["match"]
    marked = window["marked_on_top"]  # where the instance lies, not where its cell was drawn
    assert marked
    assert all(marked)
    assert window["two"].startswith("TWO has no pin labels: LVS cannot tell which nets are")
    assert "Show As New Top" in window["two"]
    assert window["labelled"] == ""


def test_lvs_can_be_cancelled_and_the_window_lives(window: dict[str, Any]) -> None:
    assert window["cancelled_after_s"] < 10
    assert window["silent"]
    count, visible = window["clicks"]
    assert count > 3
    assert visible


def test_lvs_runs_the_program_that_installed_it(window: dict[str, Any]) -> None:
    used, noted = window["program"]
    assert used == noted


def test_the_library_belongs_to_the_technology(batch: dict[str, Any]) -> None:
    assert batch["offered"] == {"": False, TECH.name: True}


def test_every_word_of_a_pcell_is_chosen_from_a_list() -> None:
    library = CrossStackLibrary()  # its layout lives as long as it does
    layout = library.layout()
    for name in layout.pcell_names():
        for parameter in layout.pcell_declaration(name).get_parameters():
            if parameter.type == parameter.TypeString:
                assert parameter.default in parameter.choice_values(), (name, parameter.name)


def test_pcells_equal_our_cells(batch: dict[str, Any]) -> None:
    made = db.Layout()
    made.read(batch["target"])
    for k, (name, parameters) in enumerate(pcell_jobs()):
        ours = to_layout(drawing(name, parameters), TECH)
        top = made.cell(f"job_{k}")
        infos = {(i.layer, i.datatype) for i in (*ours.layer_infos(), *made.layer_infos())}
        for pair in infos:
            a = ours.top_cell().begin_shapes_rec(ours.layer(*pair))
            b = top.begin_shapes_rec(made.layer(*pair))
            assert (db.Region(a) ^ db.Region(b)).is_empty(), (name, parameters, pair)
            texts = [sorted(str(t) for t in db.Texts(shapes).each()) for shapes in (a, b)]
            assert texts[0] == texts[1], (name, parameters, pair)
        assert not top.bbox().empty()
    assert "CrossStack.hybrid_cell(select_w_um=4, pitch_x_um=6)" in batch["titles"]


def test_a_pcell_refuses_what_the_rules_forbid(batch: dict[str, Any]) -> None:
    assert batch["printed"].count("ERROR") == 1
    assert "pitch_x_um = 1.0 is not allowed: 4.36 (minimum by the design rules)" in batch["printed"]


def test_nets_are_traced_through_the_stack(batch: dict[str, Any]) -> None:
    row, column = batch["traced"]["TR[1]"], batch["traced"]["C[0]"]
    key = {layer.name: "/".join(map(str, layer.gds)) for layer in LAYERS}
    assert {key["Metal4"], key["Via1"], key["Metal1"], key["Contact"], "derived"} <= set(row)
    assert not {key["TE"], key["ME"]} & set(row)  # the channel ends the net
    assert {key["Metal5"], key["VME"], key["ME"]} == set(column)  # and so does the memristor


def test_deck_of_the_menu_runs(program: str, home: Path, array: Path) -> None:
    deck = home / "salt/crossstack/drc/crossstack_stepper.lydrc"
    report, count = home / "drc.lyrdb", home / "count.txt"
    klayout(
        program, home, "-b", "-r", str(deck),
        input=str(array), report=str(report), count=str(count),
    )  # fmt: skip
    database = rdb.ReportDatabase("drc")
    database.load(str(report))
    assert database.num_items() == 0
    assert len(count.read_text().splitlines()) > 100


def test_install_replaces_what_it_wrote_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "salt" / "crossstack"
    for _ in range(2):
        assert cli.run(["tech", "install", "--klayout-home", str(tmp_path), "-q"]) == cli.OK
    assert (target / "grain.xml").is_file()
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("mine")
    assert cli.run(["tech", "export", str(foreign)]) == cli.USAGE
    assert [p.name for p in foreign.iterdir()] == ["thesis.txt"]


def test_install_does_not_take_the_place_of_another_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = tmp_path / "a" / "lab"
    shutil.copytree(HOME / "gf180mcuD", ours)
    head = ours / "process.toml"
    head.write_text(head.read_text().replace('name = "gf180mcuD"', 'name = "lab"'))
    shutil.copytree(ours, theirs := tmp_path / "b" / "lab")
    target = tmp_path / "salt" / package_name(str(ours))
    said = target / "python" / "crossstack_klayout_lab" / "klayout" / PROCESS_FILE
    said.parent.mkdir(parents=True)
    said.write_text(f"lab\n{theirs.resolve()}\n")
    install = ["tech", "install", "--klayout-home", str(tmp_path), "-q", "--process"]
    assert cli.run([*install, str(ours)]) == cli.INCOMPLETE
    assert f"is the package of process {theirs.resolve()}" in capsys.readouterr().err
    refuse_other(target, str(theirs))
    shutil.rmtree(theirs)
    refuse_other(target, str(ours))


def test_exports_are_equal_and_name_no_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        assert cli.run(["tech", "export", str(tmp_path / name), "--json"]) == cli.OK
    files = json.loads(capsys.readouterr().out.split("\n}\n")[0] + "\n}")["files"]
    for name in files:
        text = (tmp_path / "a" / name).read_bytes()
        assert text == (tmp_path / "b" / name).read_bytes()
        assert str(Path(sys.prefix)).encode() not in text
    assert not list((tmp_path / "a").rglob("program.txt"))


def test_grain_and_macros_are_xml() -> None:
    files = package_files()
    grain = ET.fromstring(files["grain.xml"].encode())
    assert re.fullmatch(r"\d+(\.\d+)*", grain.findtext("version") or "")
    for name, text in files.items():
        if Path(name).suffix in (".xml", ".lyt", ".lyp", ".lym", ".lydrc", ".lyd25"):
            ET.fromstring(text.encode())


def test_copied_pcells_draw_in_this_newer_klayout(home: Path) -> None:
    """The copy, alone, in the KLayout of this Python."""
    code = (
        f"import sys; sys.path.insert(0, {str(home / 'salt/crossstack/python')!r})\n"
        "import pya; from crossstack_klayout.klayout import pcells; pcells.register()\n"
        "layout = pya.Layout()\n"
        f"layout.technology_name = {TECH.name!r}\n"
        "cell = layout.create_cell('crossbar_array', 'CrossStack', {'rows': 2, 'cols': 2})\n"
        "assert 'crossstack' not in sys.modules\n"
        "print(cell.dbbox().width(), cell.display_title())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=home
    )
    width, title = done.stdout.split(maxsplit=1)
    assert float(width) == pytest.approx(
        drawing("crossbar_array", {"rows": 2, "cols": 2}).width * 1e-3
    )
    assert title.strip() == "CrossStack.crossbar_array(rows=2, cols=2)"


def test_copied_modules_need_only_klayout() -> None:
    files = vendored_files()
    assert "crossstack_klayout/cells/hybrid.py" in files
    assert not [name for name in files if name.endswith("/gf.py")]
    for name, text in files.items():
        if not name.endswith(".py"):
            continue
        compile(text, name, "exec")
        assert not re.search(r"^\s*(import|from) klayout", text, re.MULTILINE), name


def test_technology_and_layers_are_read_by_this_klayout(tmp_path: Path) -> None:
    import klayout.lay as lay

    technology = db.Technology.technology_from_xml(
        package_files()[f"tech/{TECH.name}/{TECH.name}.lyt"]
    )
    assert technology.name == TECH.name
    assert technology.dbu == TECH.dbu_um
    path = tmp_path / "a.lyp"
    path.write_text(lyp_text(TECH))
    view = lay.LayoutView()
    view.create_layout(True)
    view.load_layer_props(str(path))
    leaves = [p for p in view.each_layer() if not p.has_children()]
    assert len(leaves) == len(LAYERS)


def test_packages_of_other_processes_stand_beside_ours(tmp_path: Path) -> None:
    """One that comes along, and a folder that the copy must bring: three libraries at once."""
    lab = tmp_path / "lab"
    shutil.copytree(HOME / DEFAULT, lab)
    top = lab / "process.toml"
    top.write_text(top.read_text().replace(f'name = "{DEFAULT}"', 'name = "lab"'))
    layers = lab / "layers.csv"
    layers.write_text(layers.read_text().replace("Metal3,42,0,", "Metal3,142,0,"))
    ways = {DEFAULT: "crossstack", "sky130": "crossstack_sky130", str(lab): "crossstack_lab"}
    for process, name in ways.items():
        write_package(tmp_path / name, "/bin/true", process)
        assert (tmp_path / name / "drc" / f"{name}_stepper.lydrc").is_file()
    shutil.rmtree(lab)
    code = "import sys, pya\n"
    for process, name in ways.items():
        tech = get_tech(process=process) if process != str(lab) else None
        word = "" if process == DEFAULT else f" {Path(process).name}"
        copy = "crossstack_klayout" + name.removeprefix("crossstack")
        code += (
            f"sys.path.insert(0, {str(tmp_path / name / 'python')!r})\n"
            f"import {copy}.klayout.pcells as p; p.register()\n"
            "layout = pya.Layout()\n"
            f"layout.technology_name = {tech.name if tech else 'lab_crossstack'!r}\n"
            f"cell = layout.create_cell('crossbar_array', 'CrossStack{word}', {{'rows': 2}})\n"
            f"import {copy}.klayout as k; print(*k.noted_process())\n"
            "print(*sorted(i.layer for i in layout.layer_infos()))\n"
        )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    said = done.stdout.splitlines()
    assert said[::2] == [f"{DEFAULT} {DEFAULT}", "sky130 sky130", f"lab {lab}"]
    drawn = [set(map(int, line.split())) for line in said[1::2]]
    assert {42, 81} <= drawn[0]
    assert {72, 65} <= drawn[1]
    assert 142 in drawn[2]
