"""`crossstack pdk`: starting a process of one's own, and what is missing in it."""

from __future__ import annotations

import json
from pathlib import Path

import klayout.db as kdb
import pytest

from crossstack.cli import run
from crossstack.drc import run_drc
from crossstack.pdk import get_tech
from crossstack.pdk.load import load_process
from crossstack.pdk.whole import module_folder


def test_a_new_process_is_complete_and_builds(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["pdk", "new", "lab", "-o", str(tmp_path), "--module", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert "al_tio2/rules.csv" in made["files"]
    assert run(["pdk", "check", str(tmp_path / "lab")]) == 0
    said = capsys.readouterr().out
    tech = get_tech(process=tmp_path / "lab")
    layout = kdb.Layout()
    layout.create_cell("TOP").shapes(layout.layer(*tech.gds("Metal1"))).insert(kdb.Box(9, 9))
    # the count that `drc` prints of any layout is among them
    assert said.startswith("lab: complete (")
    assert f"module al_tio2 {len(tech.rules)}, of which" in said
    assert f"`drc` runs {run_drc(layout, tech).rules_run} and" in said
    assert tech.name == "lab_crossstack"
    assert tech.rules == get_tech().rules


def test_what_is_missing_is_listed_and_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    run(["pdk", "new", "lab", "-o", str(tmp_path), "-q"])
    films = tmp_path / "lab" / "films.csv"
    films.write_text("".join(x for x in films.open() if not x.startswith("Metal3")))
    (tmp_path / "lab" / "deck.toml").unlink()
    assert run(["pdk", "check", str(tmp_path / "lab"), "--json"]) == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert any("Metal3 has no film" in line for line in problems)
    assert any("deck.toml" in line for line in problems)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["check", "nothing"], 2, "gf180mcuD, sky130, sky130_reram, or a folder"),
        (["check"], 2, "PROCESS|FOLDER"),
        (["new", "a/b"], 2, "a letter, then letters"),
        (["new", "lab", "--from", "nothing"], 2, "gf180mcuD, sky130, sky130_reram, or a folder"),
    ],
)
def test_wrong_usage(arguments, code, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["pdk", *arguments]) == code
    told = capsys.readouterr().err
    assert words in told
    assert len(told.strip().splitlines()) <= 2
    assert not list(tmp_path.iterdir())


def test_a_folder_of_another_name_than_its_process_is_told(tmp_path: Path, capsys):
    run(["pdk", "new", "lab", "-o", str(tmp_path), "-q"])
    assert run(["pdk", "check", str(tmp_path / "lab")]) == 0
    assert "is called" not in capsys.readouterr().err
    (tmp_path / "lab").rename(tmp_path / "second")
    films = tmp_path / "second" / "films.csv"
    films.write_text("".join(x for x in films.open() if not x.startswith("Metal3")))
    for code, place in ((1, "second"), (1, "second/")):
        assert run(["pdk", "check", f"{tmp_path}/{place}"]) == code
        out, told = capsys.readouterr()
        assert f"{tmp_path / 'second'} is called second, the process in it lab (name = in" in told
        assert "lab: " in out.splitlines()[-1]


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "lab").mkdir()
    assert run(["pdk", "new", "lab", "-o", str(tmp_path)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert not list((tmp_path / "lab").iterdir())


def test_a_copy_stands_on_the_module_of_its_origin(tmp_path: Path) -> None:
    run(["pdk", "new", "lab", "-o", str(tmp_path), "--module", "-q"])
    (tmp_path / "lab" / "al_tio2").rename(tmp_path / "mine")
    head = tmp_path / "lab" / "process.toml"
    head.write_text(head.read_text().replace('module = "al_tio2"', 'module = "../mine"'))
    for name, options in (("same", []), ("copied", ["--module"])):
        target = tmp_path / "below"
        target.mkdir(exist_ok=True)
        command = ["pdk", "new", name, "--from", str(tmp_path / "lab"), "-o", str(target), "-q"]
        assert run([*command, *options]) == 0
        assert run(["pdk", "check", str(target / name), "-q"]) == 0
        own = module_folder(load_process(target / name))
        assert own == (target / name / "mine" if options else tmp_path / "mine")


def test_a_corner_without_a_sheet_resistance_is_remarked_on(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["pdk", "new", "lab", "-q", "--module"]) == 0
    films = tmp_path / "lab" / "films.csv"
    text = films.read_text(encoding="utf-8").replace("3.53,0.09,0.076,0.104", "3.53,0.09,0.076,")
    films.write_text(text, encoding="utf-8")
    films = tmp_path / "lab" / "al_tio2" / "films.csv"
    text = films.read_text(encoding="utf-8").replace(
        "ME,Al,0.1,yes,,0.4,0.33,0.42", "ME,Al,0.1,yes,,0.4,,"
    )
    films.write_text(text, encoding="utf-8")
    low = "corner min: no ohm_sq_min in films.csv, so typ is taken, of ME"
    high = "corner max: no ohm_sq_max in films.csv, so typ is taken, of Metal3, ME"
    assert run(["pdk", "check", "lab", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["remarks"] == [low, high]
    assert run(["pdk", "check", "lab"]) == 0
    assert capsys.readouterr().err.splitlines() == [f"crossstack: {low}", f"crossstack: {high}"]

    (tmp_path / "a.yaml").write_text(
        "{rows: 2, cols: 2, name: a, process: lab, tech: {corner: max}}"
    )
    assert run(["build", "a.yaml"]) == 0
    told = capsys.readouterr()
    assert (told.out + told.err).count(high) == 1
    assert run(["extract", "gds_out/a", "--corner", "min", "-o", "."]) == 0
    assert capsys.readouterr().err.count(low) == 1
    for options in (["--corner", "typ"], ["--corner", "min", "--sheet", "ME=0.5"]):
        assert run(["extract", "gds_out/a", *options, "-o", "."]) == 0
        assert "corner" not in capsys.readouterr().err
    assert run(["extract", "gds_out/a", "--engine", "tile", "--corner", "max", "-o", "."]) == 0
    assert capsys.readouterr().err.count(high) == 1
