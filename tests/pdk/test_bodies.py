"""Films that lie in each other are refused by name: `pdk check`, and whoever loads the process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crossstack.cli import run
from crossstack.pdk import get_tech
from crossstack.pdk.audit import audit
from crossstack.pdk.check_bodies import problems_of_bodies, problems_of_stack
from crossstack.pdk.tables import ProcessError

PROCESSES = ("gf180mcuD", "sky130", "sky130_reram")


def _varied(tech, **thicknesses):
    films = (replace(f, thickness_um=thicknesses.get(f.name, f.thickness_um)) for f in tech.films)
    return tuple(films)


def _problems(tech, films):
    return list(problems_of_stack(films, tech.module, tech.nets))


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    assert run(["pdk", "new", "lab", "--module", "-o", str(tmp_path), "-q"]) == 0
    return tmp_path / "lab"


@pytest.mark.parametrize("name", PROCESSES)
def test_a_stack_of_ours_is_one(name):
    tech = get_tech(process=name)
    assert _problems(tech, tech.films) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("al_tio2/films.csv", "\nME,Al,0.1,", "\nME,Al,0.15,",
         "film ME: thickness_um = 0.15, allowed: 0.1, equal to planar next to it, because TIO2_T "),
        ("al_tio2/films.csv", "\nME,Al,0.1,", "\nME,Al,0.12,", "thickness_um = 0.12, allowed: 0.1"),
        ("al_tio2/films.csv", "\nME,Al,0.1,", "\nME,Al,0.05,", "thickness_um = 0.05, allowed: 0.1"),
        ("al_tio2/films.csv", "\nME,Al,0.1,", "\nME,Al,5,", "film ME: thickness_um = 5, allowed"),
        ("al_tio2/films.csv", "\nME,Al,0.1,yes", "\nME,Al,0.1,",
         "film TIO2_T begins 0.1 um above the top of ME, allowed: on it"),
        ("al_tio2/films.csv", "TIO2_B,TiO2,0.01,", "TIO2_B,TiO2,0.01,yes",
         "film TIO2X_B begins 0.01 um below the top of TIO2_B, allowed: on it"),
        ("al_tio2/films.csv", "TIO2_B,TiO2,0.01,,,,,,,40,assumed\n", "",
         "TIO2_B of memristor_bottom is no insulating film"),
        ("al_tio2/films.csv", "TIO2_B,TiO2,0.01,", "TIO2_B,TiO2,0.00000001,",
         "thickness_um = 0.00000001, allowed: 0.0001 to 100 um"),
        ("al_tio2/films.csv", "\nTE,Al,0.1,", "\nTE,Al,0.3,yes",
         "film TE: thickness_um = 0.3, allowed: up to 0.2, to end with the last film"),
        ("al_tio2/module.toml", '["BE", "ME", "TE"]', '["ME", "BE", "TE"]',
         "film BE does not lie above ME, as electrodes of module.toml say"),
        ("films.csv", "Metal3,Al,0.55,", "Metal3,Al,1.15,",
         "film Metal3: thickness_um = 1.15, allowed: less than 1.15, where Metal4 begins"),
        ("films.csv", '"Al, 11 kA",1.25,', '"Al, 11 kA",2.75,',
         "film Metal5: thickness_um = 2.75, allowed: less than 2.75, where BE begins"),
        ("films.csv", "STI,SiO2,0.32,,,,", "STI,SiO2,0.32,yes,,,",
         "no insulator lies below film Poly2"),
    ],
)  # fmt: skip
def test_a_body_in_another_is_refused_by_the_film(lab, file, old, new, words, capsys):
    _edit(lab / file, old, new)
    told = audit(lab)[1]
    assert sum(words in line for line in told) == 1, told
    assert len({line for line in told if "bottom_um" not in line}) == 1, told
    with pytest.raises(ProcessError) as refused:
        get_tech(process=lab)
    shown = str(refused.value)
    assert words in shown or "bottom_um" in shown
    capsys.readouterr()
    assert run(["build", "--process", str(lab), "--rows", "2", "--cols", "2"]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_an_electrode_may_be_as_thick_as_what_lies_beside_it(lab):
    _edit(lab / "al_tio2/films.csv", "\nME,Al,0.1,", "\nME,Al,0.15,")
    _edit(lab / "al_tio2/films.csv", 'etched back to ME",0.1,', 'etched back to ME",0.15,')
    assert audit(lab)[1] == ()
    tech, usual = get_tech(process=lab), get_tech()
    lifted = tech.heights_um["TE"][0] - usual.heights_um["TE"][0]
    assert lifted == pytest.approx(0.05)


def test_a_film_on_a_via_lies_between_the_vias_ends():
    tech = get_tech(process="sky130_reram")
    assert _problems(tech, _varied(tech, met1=0.6)) == []
    (told,) = _problems(tech, _varied(tech, met1=0.632))
    assert told.startswith("film rr1_cell of memristor_bottom lies at 2.0061 .. 2.0111 um, allowed")


def test_every_metal_lies_over_the_one_before_and_an_insulator():
    for name in PROCESSES:
        films = get_tech(process=name).process.films
        metals = [film for film in films if film.sheet_ohm_sq is not None]
        for metal in metals:
            thick = (replace(f, thickness_um=9.0) if f is metal else f for f in films)
            told = list(problems_of_bodies(tuple(thick)))
            assert len(told) == 1, told
            assert f"film {metal.name}: thickness_um = 9, allowed: " in told[0]
