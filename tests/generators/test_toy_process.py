"""A process of a user's own in a folder of its own: wider metals, another number, a sixth metal."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from crossstack.cells import to_layout
from crossstack.drc import foundry, run_drc
from crossstack.drc.foundry import FoundryError, run_foundry_drc
from crossstack.generators import ArraySpec, build_top
from crossstack.lvs import compare_layout, extract_layout
from crossstack.pdk import ParameterError, ProcessError, get_tech
from crossstack.pdk.audit import audit
from crossstack.pdk.tech import HOME


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
    edit(folder / "rules.csv", ("PAD.4,enclosure,Pad Metal5", "PAD.4,enclosure,Pad Metal6"))
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


@pytest.mark.parametrize("top", ["array", "macro"])
@pytest.mark.parametrize("cell", ["hybrid", "passive"])
def test_arrays_and_macros_are_clean_and_match(toy, cell, top, tmp_path):
    kelvin = top == "macro" and cell == "hybrid"
    array = build_top(ArraySpec(3, 3, cell, top=top, kelvin=kelvin, process=str(toy)))
    assert array.tech.process.name == "toy"
    layout = to_layout(array.cell, array.tech)
    report = run_drc(layout, array.tech)
    assert [(v.rule, v.text) for v in report.violations] == []
    netlist = tmp_path / "reference.spice"
    netlist.write_text("\n".join(array.netlist_lines()))
    assert compare_layout(extract_layout(layout, array.tech), netlist).match


def test_without_the_film_of_its_land_it_is_refused_by_name(toy, tmp_path):
    broken = tmp_path / "toy"
    shutil.copytree(toy, broken)
    rows = (broken / "films.csv").read_text().splitlines()
    kept = [row for row in rows if not row.startswith("Metal6,")]
    (broken / "films.csv").write_text("\n".join([*kept, ""]))
    with pytest.raises(ProcessError, match="Metal6 has no film"):
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
