"""A process that is like another holds only what differs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crossstack.pdk import ProcessError, get_tech
from crossstack.pdk.audit import audit
from crossstack.pdk.home import HOME
from crossstack.pdk.klayout_tech import lyt_text
from crossstack.pdk.tables import folders, read_toml, table_of

HEAD = 'like = "{}"\nname = "{}"\ntitle = "{}"\n'


def made(folder: Path, like: str, name: str = "lab") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "process.toml").write_text(HEAD.format(like, name, name))
    (folder / "SOURCES.md").write_text("ours\n")
    return folder


@pytest.mark.parametrize("like", ["gf180mcuD", "sky130", "sky130_reram"])
def test_it_takes_every_table_that_it_does_not_have(like: str, tmp_path: Path) -> None:
    lab = made(tmp_path / "lab", like)
    assert audit(lab)[1] == ()
    ours, theirs = get_tech(process=lab), get_tech(process=like)
    assert ours.name == "lab_crossstack"
    for key in ("layers", "films", "cuts", "rules", "memristor", "foreign"):
        assert getattr(ours, key) == getattr(theirs, key)
    assert ours.shuttle == theirs.shuttle
    assert ours.nfet.ron_ohm(2.0) == theirs.nfet.ron_ohm(2.0)


def test_one_table_of_its_own_and_one_key(tmp_path: Path) -> None:
    lab = made(tmp_path / "lab", "gf180mcuD")
    text = (HOME / "gf180mcuD" / "layers.csv").read_text()
    (lab / "layers.csv").write_text(text.replace("Metal3,42,0,", "Metal3,142,0,"))
    (lab / "shuttle.toml").write_text('name = "ours"\n')
    tech = get_tech(process=lab)
    assert tech.gds("Metal3") == (142, 0)
    assert tech.shuttle.name == "ours"
    assert tech.shuttle.slots == get_tech().shuttle.slots
    # a change of what it is like to is seen, too
    nearer = made(tmp_path / "nearer", "../lab", "nearer")
    assert get_tech(process=nearer).gds("Metal3") == (142, 0)
    (lab / "layers.csv").write_text(text.replace("Metal3,42,0,", "Metal3,143,0,"))
    assert get_tech(process=nearer).gds("Metal3") == (143, 0)
    assert folders(nearer)[1:] == (nearer / "../lab", HOME / "gf180mcuD")


@pytest.mark.parametrize(
    ("like", "said"),
    [
        ("nothing", "like = 'nothing' is no process"),
        ("x" * 5000, "is no process"),
        ("../lab", "leads in a circle"),
        (".", "leads in a circle"),
        ("a\\u0000b", "is no process"),
    ],
)
def test_what_it_cannot_be_like(like: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match=said):
        get_tech(process=made(tmp_path / "lab", like))


@pytest.mark.parametrize("module", ["nothing", "x" * 5000, "sky130_reram", "a\\u0000b"])
def test_the_file_that_names_no_module_is_said(module: str, tmp_path: Path) -> None:
    lab = made(tmp_path / "lab", "sky130_reram")
    with (lab / "process.toml").open("a") as head:
        head.write(f'module = "{module}"\n')
    said = (
        r"lab/process\.toml: module = '.{0,40}' is none of al_tio2, and no folder with module\.toml"
    )
    with pytest.raises(ProcessError, match=said):
        get_tech(process=lab)
    assert audit(lab)[1][0].endswith("and no folder with module.toml")


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("", "process.toml: module is empty, allowed: a text"),
        ("../lab", "module = '../lab': {}/../lab/module.toml is missing"),
    ],
)
def test_no_name_and_a_folder_without_a_module(module: str, said: str, tmp_path: Path) -> None:
    lab = made(tmp_path / "lab", "sky130_reram")
    with (lab / "process.toml").open("a") as head:
        head.write(f'module = "{module}"\n')
    with pytest.raises(ProcessError, match=re.escape(said.format(lab))):
        get_tech(process=lab)
    assert audit(lab)[1][0].endswith(said.format(lab))


def test_two_that_are_like_each_other(tmp_path: Path) -> None:
    made(tmp_path / "b", "../a", "b")
    with pytest.raises(ProcessError, match="circle"):
        get_tech(process=made(tmp_path / "a", "../b", "a"))


def test_a_module_at_no_film_is_refused(tmp_path: Path) -> None:
    lab = made(tmp_path / "lab", "sky130_reram")
    module = HOME / "sky130_reram" / "reram"
    (lab / "reram").mkdir()
    for path in module.iterdir():
        text = path.read_text().replace('above = "NILD3"', 'above = "NILD9"')
        (lab / "reram" / path.name).write_text(text)
    with pytest.raises(ProcessError, match="above = 'NILD9' is no film of process lab"):
        get_tech(process=lab)


def test_tables_of_one_without_like_are_its_own() -> None:
    head = HOME / "gf180mcuD" / "process.toml"
    assert folders(head.parent) == (head.parent,)
    assert table_of(head) == head
    assert "like" not in read_toml(HOME / "sky130_reram" / "process.toml")


def test_the_net_tracer_ends_at_a_memristor() -> None:
    text = lyt_text(get_tech(process="sky130_reram"), "x.lyp")
    assert "via='68/44-201/20'" in text
    assert "via='68/44'" in lyt_text(get_tech(process="sky130"), "x.lyp")
