"""A process of a user's own in a folder of its own: wider metals, another number, a sixth metal."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from crossstack import cli
from crossstack.cells import to_layout
from crossstack.drc import foundry, run_drc
from crossstack.drc.foundry import run_foundry_drc
from crossstack.drc.foundry_items import FoundryError
from crossstack.generators import ArraySpec, build_top
from crossstack.lvs import compare_layout, extract_layout
from crossstack.pdk import ParameterError, ProcessError, get_tech
from crossstack.pdk.audit import audit
from crossstack.pdk.home import HOME
from crossstack.solve import load_network


def edit(path: Path, *pairs: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text)


def append(path: Path, *rows: str) -> None:
    path.write_text("\n".join([path.read_text().rstrip("\n"), *rows, ""]))


def sixth_metal_rules(folder: Path) -> list[str]:
    """The rules of Metal5 as the land once more, one level up."""
    names = {"MT.": "M6.", "V4.": "V5.", "MSLOT5.": "MSLOT6.", "ANT.Metal5": "ANT.Metal6",
             "ANT.Via4": "ANT.Via5"}  # fmt: skip
    found = []
    for row in (folder / "rules.csv").read_text().splitlines():
        start = next((old for old in names if row.startswith(old)), None)
        if start is not None:
            row = names[start] + row.removeprefix(start).replace("81/3", "53/3")
            row = row.replace("Metal5", "Metal6").replace("Metal4", "Metal5")
            found.append(row.replace("Via4", "Via5"))
    return found


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """GF180MCU with Metal3 elsewhere, metals 0.10 um wider, and Metal6 as the land."""
    folder = tmp_path_factory.mktemp("foundry") / "toy"
    shutil.copytree(HOME / "gf180mcuD", folder)
    edit(folder / "layers.csv", ("Metal3,42,0,", "Metal3,142,0,"),
         ("Metal3_Label,42,10,", "Metal3_Label,142,10,"))  # fmt: skip
    # variant D forbids the layers of a sixth metal
    text = (folder / "rules.csv").read_text()
    kept = [row for row in text.splitlines() if not row.startswith("MT.5LM")]
    (folder / "rules.csv").write_text("\n".join([*kept, ""]))
    rules = sixth_metal_rules(folder)
    pads = "PAD.4,enclosure,bond_pad "
    edit(folder / "rules.csv", (f"{pads}Metal5", f"{pads}Metal6"))
    append(folder / "rules.csv", *rules)
    rows = (folder / "rules.csv").read_text().splitlines()
    wider = []
    for row in rows:
        cells = row.split(",")
        if cells[1:2] == ["width"] and cells[2].startswith("Metal"):
            cells[3] = f"{float(cells[3]) + 0.1:g}"
        wider.append(",".join(cells))
    (folder / "rules.csv").write_text("\n".join([*wider, ""]))
    append(folder / "layers.csv", "Via5,82,0,cut,,#666633,0,Metal5 to Metal6",
           "Metal6,53,0,metal,Metal6_Label,#8a8a8a,9,metal 6",
           "Metal6_Label,53,10,label,,#8a8a8a,1,text on Metal6")  # fmt: skip
    append(folder / "tracks.csv", "Metal6,vertical,0.9,0.45,as Metal5")
    append(folder / "cuts.csv", "Via5,Via5,Metal5,Metal6,4.5,,15,0.00107,ES2")
    append(folder / "limits.csv", "Metal6,um,one,4.5,2.2,1.5,EM1", "Metal6,um,both,7,3,2.2,EM1",
           "Via5,cut,one,0.58,0.28,0.18,EM2", "Via5,cut,both,0.87,0.42,0.28,EM2")  # fmt: skip
    over = 'pass_oxide,"SiO2, 1.2 um of it above Metal5",2.45'
    edit(folder / "films.csv", (over, "IMD5,SiO2,1.45,,,,,,,4,IS\n"
         f"Metal6,Al,1.25,yes,,0.04,0.031,0.049,0.0037,,IS ES1\n{over}"))  # fmt: skip
    edit(folder / "process.toml", ('name = "gf180mcuD"', 'name = "toy"'),
         ('"Metal5"]', '"Metal5", "Metal6"]'))  # fmt: skip
    edit(folder / "devices.toml", ('["Metal5", ""]', '["Metal5", "Via5"], ["Metal6", ""]'))
    edit(folder / "derived.toml", ("| Metal5)", "| Metal5 | Metal6)"),
         ("Metal5.", "Metal6."), ("Via4.", "Via5."))  # fmt: skip
    return folder


def test_it_is_complete(toy):
    assert audit(toy)[1] == ()
    tech = get_tech(process=toy)
    assert tech.roles.land == "Metal6"
    assert tech.gds("Metal3") == (142, 0)
    assert tech.rule("M2.1") == 0.38
    assert tech.rule("M6.1") == 0.54


@pytest.mark.parametrize(
    ("cell", "top", "profile"),
    [
        ("hybrid", "array", "stepper"),
        ("hybrid", "macro", "stepper"),
        ("passive", "array", "stepper"),
        ("passive", "macro", "stepper"),
        ("hybrid", "array", "aligner"),
        ("hybrid", "macro", "aligner"),
        ("planar", "macro", "aligner"),
        ("passive_planar", "array", "aligner"),
        ("hybrid", "testchip", "stepper"),
    ],
)
def test_arrays_macros_and_chips_are_clean_and_match(toy, cell, top, profile, tmp_path):
    kelvin = top == "macro" and cell == "hybrid"
    size = (3, 3) if top != "testchip" else (2, 2)
    spec = ArraySpec(*size, cell, top=top, profile=profile, kelvin=kelvin, process=str(toy))
    array = build_top(spec)
    assert array.tech.process.name == "toy"
    layout = to_layout(array.cell, array.tech)
    report = run_drc(layout, array.tech)
    assert [(v.rule, v.text) for v in report.violations] == []
    netlist = tmp_path / "reference.spice"
    netlist.write_text("\n".join(array.netlist_lines()))
    assert compare_layout(extract_layout(layout, array.tech), netlist).match


def test_its_commands_need_no_more_than_the_folder(toy, tmp_path):
    """Every file names the process, so that no later command has to be told."""
    ran = lambda *words: cli.run([*map(str, words)])  # noqa: E731
    made = tmp_path / "toy2"
    config = tmp_path / "a.yaml"
    config.write_text(f"rows: 2\ncols: 2\nname: toy2\nprocess: {toy}\ntech: {{corner: max}}\n")
    assert ran("build", config, "-o", tmp_path, "-q") == 0
    manifest = json.loads((made / "manifest.json").read_text())
    assert manifest["parameters"]["process"] == str(toy)
    for words in (
        ("drc", made, "-o", tmp_path / "d"),
        ("lvs", made / "toy2.gds", "--netlist", made / "toy2.spice", "-o", tmp_path / "d"),
        ("extract", made / "toy2.gds", "-o", tmp_path / "d", "--bsim"),
        ("solve", made, "--mode", "deep-net", "-o", tmp_path / "d"),
        ("inspect", made),
        ("solve", tmp_path / "d" / "toy2_network.npz", "--process", toy, "-o", tmp_path / "d"),
        ("drc", "--list", "--process", toy, "--profile", "aligner"),
        ("tech", "export", tmp_path / "k", "--process", toy),
    ):
        assert ran(*words) in (0, 1), words
    conditions = load_network(tmp_path / "d" / "toy2_network.npz").conditions
    assert conditions["process"] == "toy_crossstack"
    assert conditions["corner"] == "max"
    # a network says itself where its process is
    assert ran("solve", tmp_path / "d" / "toy2_network.npz", "-o", tmp_path / "d") == 0
    assert ran("drc", made, "--process", "gf180mcuD", "-o", tmp_path / "d") != 0


@pytest.mark.parametrize(
    ("table", "row", "words"),
    [
        ("films.csv", "Metal6,", "Metal6 has no film"),
        ("films.csv", "Metal3,", "Metal3 has no film"),
        ("films.csv", "Poly2,", "Poly2"),
        ("cuts.csv", "Via5,", "Metal5 and Metal6 are joined by no cut"),
        ("limits.csv", "Metal6,um", "Metal6 has no current limit"),
        ("limits.csv", "Via5,cut", "Via5 has no current limit"),
        ("rules.csv", "M6.1,", "Metal6 has no rule of kind width"),
        ("layers.csv", "Metal6_Label,", "Metal6_Label"),
    ],
)
def test_without_a_row_it_is_refused_by_name(toy, tmp_path, table, row, words):
    broken = tmp_path / "toy"
    shutil.copytree(toy, broken)
    rows = (broken / table).read_text().splitlines()
    kept = [text for text in rows if not text.startswith(row)]
    assert len(kept) < len(rows)
    (broken / table).write_text("\n".join([*kept, ""]))
    with pytest.raises(ProcessError, match=words):
        ArraySpec(3, 3, process=str(broken)).tech()


def test_its_own_deck_is_run_and_no_other(toy, tmp_path, monkeypatch):
    other = tmp_path / "toy"
    shutil.copytree(toy, other)
    edit(other / "deck.toml", ("gf180mcu.drc", "toy.drc"))
    gds = tmp_path / "a.gds"
    array = build_top(ArraySpec(1, 1, process=str(other)))
    to_layout(array.cell, array.tech).write(str(gds))
    monkeypatch.setattr(foundry.shutil, "which", lambda name: "/bin/true")
    monkeypatch.setattr(foundry, "verified", lambda wheel: made)
    made = tmp_path / "deck.whl"
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("glayout/pdk/gf180_mapped/gf180mcu.drc", "")
    with pytest.raises(FoundryError, match=r"does not hold glayout/.*/toy\.drc"):
        run_foundry_drc(gds, array.tech)
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("glayout/pdk/gf180_mapped/toy.drc", "threads(4)")
    with pytest.raises(FoundryError, match="does not hold '`pmap"):
        run_foundry_drc(gds, array.tech)


@pytest.mark.parametrize("process", ["gf180", "/nowhere", "", 3, "a\0b", "~nobody/x"])
def test_a_process_that_does_not_exist_is_refused(process):
    with pytest.raises(ParameterError, match="process"):
        ArraySpec(process=process)
