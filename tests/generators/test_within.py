"""A module between two metals stands on any base: here one like GF180MCU, film over Via1."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossstack.cells import to_layout
from crossstack.drc import run_drc
from crossstack.generators import ArraySpec, build_top
from crossstack.lvs import check_layout, compare_layout, extract_layout
from crossstack.pdk import TechError, get_tech
from crossstack.pdk.home import HOME

#: names of the module's own process -> those of the other base
WORDS = (
    ("NILD3R", "ours"), ("NILD3", "IMD1"), ("met1", "Metal1"), ("met2", "Metal2"),
    ('"via"', '"Via1"'), ("via.", "Via1."), ('"via -', '"Via1 -'), ("overlapping(via)",
    "overlapping(Via1)"), (",via,", ",Via1,"), ("2.0061", ""), ("device_um = 0.32",
    "device_um = 0.6"), ("foundry,0.32,0.23,0.15,0.055", "lab,0.46,0.3,0.26,0.1"),
)  # fmt: skip
SPECS = [
    {"rows": 2, "cols": 3},
    {"rows": 2, "cols": 2, "device_um": 1.2, "cuts": 2, "pitch_x_um": 6.0, "pitch_y_um": 13.19},
    {"rows": 2, "cols": 3, "top": "macro"},
    {"rows": 1, "cols": 2, "top": "macro", "kelvin": True, "pitch_y_um": 13.2},
]


def lab(folder: Path, *more: tuple[str, str]) -> str:
    (folder / "own").mkdir(parents=True)
    head = 'like = "gf180mcuD"\nname = "lab"\ntitle = "lab"\nmodule = "own"\n'
    (folder / "process.toml").write_text(head)
    for path in (HOME / "sky130_reram" / "reram").iterdir():
        text = path.read_text()
        for old, new in (*WORDS, *more):
            text = text.replace(old, new)
        (folder / "own" / path.name).write_text(text)
    return str(folder)


@pytest.mark.parametrize("values", SPECS)
def test_it_is_clean_and_matches(values: dict[str, object], tmp_path: Path) -> None:
    process = lab(tmp_path / "lab")
    array = build_top(ArraySpec(cell="planar", process=process, **values))  # type: ignore[arg-type]
    layout = to_layout(array.cell, array.tech)
    assert [(v.rule, v.text) for v in run_drc(layout, array.tech).violations] == []
    netlist = tmp_path / "reference.spice"
    netlist.write_text("\n".join(array.netlist_lines()))
    extracted = extract_layout(layout, array.tech)
    assert compare_layout(extracted, netlist).match
    assert check_layout(extracted) == []


def test_what_lies_above_is_lifted_by_its_films(tmp_path: Path) -> None:
    tech = get_tech(process=lab(tmp_path / "lab"))
    for name in ("Metal2", "Metal5"):
        assert tech.heights_um[name][0] - get_tech().heights_um[name][0] == pytest.approx(0.295)
    assert tech.heights_um["Metal1"] == get_tech().heights_um["Metal1"]


def test_a_cell_that_could_not_reach_it_is_refused_by_name(tmp_path: Path) -> None:
    upper = (("Metal2", "Metal3"), ("Metal1", "Metal2"), ("Via1", "Via2"), ("IMD1", "IMD2"))
    process = lab(tmp_path / "lab", *upper)
    with pytest.raises(TechError, match="module reram stands between Metal2 and Metal3; planar"):
        build_top(ArraySpec(2, 2, "planar", process=process))
