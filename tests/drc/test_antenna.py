"""Antennas in arrays: judged on a stand-in where that is proof, else on the whole layout."""

from __future__ import annotations

from collections.abc import Callable

import klayout.db as kdb
import pytest

import crossstack.drc.engine as engine
from crossstack.drc import run_drc
from crossstack.drc.antenna import AntennaLevel
from crossstack.pdk import get_tech

TECH = get_tech()
PITCH, ROWS = 2000, 300


def box(cell: kdb.Cell, layer: str, *corners: int) -> None:
    cell.shapes(cell.layout().layer(*TECH.gds(layer))).insert(kdb.Box(*corners))


def gate(cell: kdb.Cell, x: int, y: int) -> None:
    """A gate of 0.28 x 1.0 um whose poly reaches a contact at (x + 1.4, y + 0.1)."""
    box(cell, "COMP", x - 300, y, x + 580, y + 1000)
    box(cell, "Poly2", x, y - 300, x + 280, y + 1300)
    box(cell, "Poly2", x, y - 300, x + 1700, y - 100)
    box(cell, "Poly2", x + 1300, y - 300, x + 1700, y + 400)
    box(cell, "Contact", x + 1400, y + 100, x + 1620, y + 320)


def column(*, gates: bool) -> kdb.Layout:
    """A Metal1 line along y through all cells; a gate in every cell, or only below the first."""
    layout = kdb.Layout()
    top, unit = layout.create_cell("TOP"), layout.create_cell("unit")
    box(unit, "Metal1", 1300, 0, 1800, PITCH)
    if gates:
        gate(unit, 0, 600)
    step = kdb.Vector(0, PITCH)
    top.insert(kdb.CellInstArray(unit.cell_index(), kdb.Trans(), kdb.Vector(), step, 1, ROWS))
    box(top, "Metal1", 1300, -4000, 1800, 0)
    if not gates:
        gate(top, 0, -3000)
    return layout


def staircase() -> kdb.Layout:
    """Lines that move on by one place in every row, so none runs straight; gates at the end."""
    layout = kdb.Layout()
    top, unit = layout.create_cell("TOP"), layout.create_cell("unit")
    box(unit, "Metal1", 0, 0, 300, PITCH)
    box(unit, "Metal1", 0, PITCH - 300, 3300, PITCH)
    a, b = kdb.Vector(3000, 0), kdb.Vector(0, PITCH)
    top.insert(kdb.CellInstArray(unit.cell_index(), kdb.Trans(), a, b, 40, 40))
    gate(top, -1400, -1000)
    box(top, "Metal1", 0, -900, 300, 0)
    return layout


def antennas(layout: kdb.Layout, monkeypatch: pytest.MonkeyPatch, above: float) -> dict[str, int]:
    monkeypatch.setattr(engine, "COMPACT_ABOVE", above)
    return run_drc(layout, TECH, rules=["ANT.*"]).by_rule


@pytest.mark.parametrize(
    ("draw", "wrong"),
    [
        (lambda: column(gates=True), 0),  # 4 um of wall a gate
        (lambda: column(gates=False), 1),  # 600 um on one gate, of which the stand-in has few
        (staircase, 1),
    ],
)
def test_stand_in_and_whole_layout_agree(
    draw: Callable[[], kdb.Layout], wrong: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = antennas(draw(), monkeypatch, 1e9)
    assert whole["ANT.Metal1"] == wrong
    assert antennas(draw(), monkeypatch, 0) == whole


def test_a_clean_array_is_proved_on_its_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> AntennaLevel:
        raise AssertionError("the whole layout was extracted")

    monkeypatch.setattr(AntennaLevel, "hierarchical", refuse)
    assert set(antennas(column(gates=True), monkeypatch, 0).values()) == {0}
    with pytest.raises(AssertionError, match="whole layout"):
        antennas(column(gates=False), monkeypatch, 0)


def test_connected_diffusion_is_credited() -> None:
    layout = column(gates=False)
    assert run_drc(layout, TECH, rules=["ANT.Metal1"]).count == 1
    top = layout.top_cell()
    box(top, "COMP", 1400, -4900, 2400, -3700)
    box(top, "Contact", 1450, -3950, 1670, -3730)
    assert run_drc(layout, TECH, rules=["ANT.Metal1"]).count == 0


def test_levels_grow_on_one_net_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each used to find the gates anew; what it says is what a level alone would say."""
    made: list[kdb.LayoutToNetlist] = []

    class Counted(kdb.LayoutToNetlist):
        def __init__(self, *args: object) -> None:
            super().__init__(*args)
            made.append(self)

    layout = column(gates=False)
    top = layout.top_cell()
    box(top, "Via1", 1420, -3600, 1680, -3340)
    box(top, "Metal2", 1400, -3700, 1700, 900_000)
    names = [rule.name for rule in TECH.rules if rule.name.startswith("ANT.")]
    alone = {name: run_drc(layout, TECH, rules=[name]).count for name in names}
    assert (alone["ANT.Metal1"], alone["ANT.Metal2"], alone["ANT.Metal3"]) == (1, 1, 0)
    monkeypatch.setattr(kdb, "LayoutToNetlist", Counted)
    assert run_drc(layout, TECH, rules=["ANT.*"]).by_rule == alone
    assert len(made) == 1
