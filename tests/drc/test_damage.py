"""Arrays are clean; one damaged shape is found, by rule and place, and by both engines."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import klayout.db as kdb
import pytest
from test_decks import DECKS, places, run_deck

from crossstack.cells.drawing import to_layout
from crossstack.drc import run_drc
from crossstack.generators import ArraySpec, build_array
from crossstack.pdk import DEFAULT, Tech, get_tech
from crossstack.pdk.home import HOME


def array(profile: str, cell: str = "hybrid", rows: int = 3, cols: int = 3) -> kdb.Layout:
    spec = ArraySpec(rows=rows, cols=cols, cell=cell, profile=profile)
    layout = to_layout(build_array(spec).cell, spec.tech())
    layout.top_cell().flatten(True)
    return layout


class Damage:
    """Changes single shapes of a flat layout; every change returns where it was made."""

    def __init__(self, layout: kdb.Layout, tech: Tech) -> None:
        self.layout, self.tech, self.top = layout, tech, layout.top_cell()

    def shapes(self, layer: str) -> list[kdb.Shape]:
        found = self.top.shapes(self.layout.layer(*self.tech.gds(layer))).each()
        return sorted(found, key=lambda s: (s.bbox().left, s.bbox().bottom))

    def remove(self, layer: str) -> kdb.Box:
        shape = self.shapes(layer)[0]
        box = shape.bbox()
        shape.delete()
        return box

    def grow(self, layer: str, dbu: int) -> kdb.Box:
        shape = self.shapes(layer)[0]
        shape.box = shape.bbox().enlarged(dbu, 0)
        return shape.bbox()

    def neighbour(self, layer: str, rule: str) -> kdb.Box:
        """A shape 5 nm too near to the rightmost one of its layer."""
        box = max((s.bbox() for s in self.shapes(layer)), key=lambda b: b.right)
        x = box.right + round(self.tech.rule(rule) * 1000) - 5
        new = kdb.Box(x, box.bottom, x + 2000, box.bottom + 2000)
        self.top.shapes(self.layout.layer(*self.tech.gds(layer))).insert(new)
        return kdb.Box(box.right, box.bottom, x, box.top)

    def shift(self, layer: str, dx: int) -> kdb.Box:
        shape = self.shapes(layer)[0]
        shape.box = shape.bbox().moved(dx, 0)
        return shape.bbox()


DAMAGES: dict[str, Callable[[Damage], kdb.Box]] = {
    "V1.1": lambda d: d.grow("Via1", 5),
    "VBE.1": lambda d: d.grow("VBE", 5),
    "OXB.1": lambda d: d.remove("TIO2_B"),
    "OXT.2": lambda d: d.remove("TIO2X_T"),
    "DF.12": lambda d: d.remove("Nplus"),
    "M3.2a": lambda d: d.neighbour("Metal3", "M3.2a"),
    "MT.2a": lambda d: d.neighbour("Metal5", "MT.2a"),
    "OFFGRID.Contact": lambda d: d.shift("Contact", 1),
}


@pytest.mark.parametrize("profile", DECKS)
@pytest.mark.parametrize("cell", ["hybrid", "planar", "passive"])
def test_arrays_are_clean(profile: str, cell: str) -> None:
    report = run_drc(array(profile, cell, 4, 5), get_tech(profile))
    assert [str(v) for v in report.violations] == []


@pytest.mark.parametrize("rule", DAMAGES)
@pytest.mark.parametrize("profile", DECKS)
def test_damage_is_found_where_it_is(profile: str, rule: str) -> None:
    tech, layout = get_tech(profile), array(profile)
    place = DAMAGES[rule](Damage(layout, tech)).enlarged(50, 50)
    found = [v for v in run_drc(layout, tech).violations if v.rule == rule]
    assert found, rule
    at = place.to_dtype(0.001)
    assert any(at.touches(kdb.DBox(*v.box)) for v in found)


def test_missing_taps_are_found() -> None:
    tech, layout = get_tech(), array("stepper")
    layout.clear_layer(layout.layer(*tech.gds("Pplus")))
    found = run_drc(layout, tech).by_rule
    assert found["DF.14"] > 0
    assert found["DF.12"] > 0


@pytest.mark.skipif(not shutil.which("klayout"), reason="no klayout program")
@pytest.mark.parametrize("profile", DECKS)
def test_both_engines_agree_on_damaged_arrays(profile: str, tmp_path: Path) -> None:
    tech, layout = get_tech(profile), array(profile)
    for change in DAMAGES.values():
        change(Damage(layout, tech))
    gds = tmp_path / "damaged.gds"
    layout.write(str(gds))
    deck = HOME / DEFAULT / "decks" / DECKS[profile]
    counts, marks = run_deck(deck, gds, tmp_path)
    ours = run_drc(gds, tech)
    ours.write_lyrdb(tmp_path / "ours.lyrdb")
    assert {n for n, c in counts.items() if c} == {n for n, c in ours.by_rule.items() if c}
    assert {rule for rule in DAMAGES if counts[rule] == 0} == set()
    here, there = places(tmp_path / "ours.lyrdb", gds), places(marks, gds)
    assert [name for name in counts if not (here[name] ^ there[name]).is_empty()] == []
