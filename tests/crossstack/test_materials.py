"""What films are made of stands in films.csv alone: what a lab changes there is what is printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crossstack.cli import run
from crossstack.drc.deck import deck_macro
from crossstack.generators.tapeout import mask_table
from crossstack.pdk import Tech, get_tech
from crossstack.pdk.home import process_names
from crossstack.pdk.klayout_tech import d25_text, lyp_text
from crossstack.report.layout_svg import layout_svg
from crossstack.report.section_svg import section_svg

CHANGED = {"BE": "Pt", "ME": "Au", "TE": "TiN", "TIO2_B": "HfO2", "TIO2X_T": "TaOx"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Tech:
    """Return a process with the default module, its materials changed."""
    folder = tmp_path_factory.mktemp("lab")
    assert run(["pdk", "new", "own", "-o", str(folder), "--module", "-q"]) == 0
    films = folder / "own" / "al_tio2" / "films.csv"
    rows = films.read_text()
    for name, material in CHANGED.items():
        rows, count = re.subn(rf"(?m)^{name},[^,]*,", f"{name},{material},", rows)
        assert count == 1
    films.write_text(rows)
    return get_tech(process=folder / "own")


@pytest.mark.parametrize("process", process_names())
def test_no_text_of_a_module_repeats_a_material(process: str) -> None:
    """Mask list, decks and layer names said Al and TiO2 of films that a lab had changed."""
    tech = get_tech(process=process)
    made_of = {film.material.partition(",")[0] for film in tech.module.films}
    made_of |= {tech.film(name).material for name in tech.module.electrodes}
    texts = [tech.module.title, *(layer.text for layer in tech.module.layers)]
    texts += [rule.text for rule in tech.rules]
    for material in made_of:
        word = re.compile(rf"(?<![\w-]){re.escape(material)}(?![\w-])")
        assert not [text for text in texts if word.search(text)], material


def test_what_a_lab_changes_is_printed(lab: Tech) -> None:
    told = [lyp_text(lab), d25_text(lab), deck_macro(lab), *map(str, mask_table(lab))]
    for name, material in CHANGED.items():
        film = lab.layer(name)
        assert lab.text_of(film).endswith(f", {material}")
        assert f"{name} - {lab.text_of(film)}" in told[0]
        assert f"{name}: {lab.text_of(film)}" in told[1]
    for old in ("electrode, Al", "TiO2 of", "TiO2-x beyond"):
        assert not any(old in text for text in told), old
    assert {m.name: m.film.partition(",")[0] for m in mask_table(lab)}["BE"] == "Pt"


def test_pictures_of_a_changed_lab(lab: Tech, tmp_path: Path) -> None:
    drawn = ["generate", "--rows", "2", "--cols", "2", "--name", "a", "-o", str(tmp_path), "-q"]
    assert run([*drawn, "--process", str(lab.process.folder)]) == 0
    path = tmp_path / "a.gds"
    section = section_svg(path, lab)
    assert "ME: shared middle electrode, Au" in section
    assert "electrode, Al" not in section
    shown = {name: text for name, text, *_ in layout_svg(path, lab).layers}
    assert shown["TE"] == "top electrode, TiN"
