"""Macros with a scan chain on board: clean, matched, reached over six pins, whatever the size."""

from __future__ import annotations

import sys
from pathlib import Path

import klayout.db as db
import pytest

from crossstack.cells import to_layout
from crossstack.cells.drawing import Placement
from crossstack.drc import run_drc
from crossstack.generators import build_top
from crossstack.generators.array import Array
from crossstack.generators.spec import ArraySpec
from crossstack.lvs import compare_layout, extract_layout
from crossstack.pdk import ParameterError

from .matching import matched

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
from onboard.deck import loads

SCAN = {"SIN", "CLK", "LE", "EN", "RSTN", "SOUT"}


def macro(rows: int, cols: int, **values: object) -> Array:
    return build_top(ArraySpec(rows, cols, top="macro", periphery="scan", **values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "cols", "values"),
    [
        (1, 1, {"profile": "stepper"}),
        (3, 2, {"profile": "aligner"}),
        (2, 2, {"cell": "passive", "kelvin": True}),
    ],
    ids=str,
)
def test_clean_and_matched(rows: int, cols: int, values: dict[str, object], tmp_path: Path) -> None:
    array = macro(rows, cols, **values)
    lvs = matched(array, tmp_path)
    assert lvs["match"], lvs["errors"]
    report = run_drc(tmp_path / "a.gds", array.tech)
    assert report.clean, report.violations[:5]


@pytest.mark.parametrize("size", [(1, 28), (1, 64), (7, 20)])
def test_matched_with_several_groups(size: tuple[int, int], tmp_path: Path) -> None:
    """Both blocks' groups differ in width: 28 columns had no room, of 64 two lines were open."""
    lvs = matched(macro(*size), tmp_path)
    assert lvs["match"], lvs["errors"]


def test_controls_are_reached_over_six_pins() -> None:
    names = {pin.name for pin in macro(64, 64).pins}
    assert names >= SCAN
    left = {name.partition("[")[0] for name in names - SCAN}
    assert left == {"IN_T", "IN_B", "WR", "OUT", "WC", "VDD", "VSS"}


def test_an_exchange_of_two_lines_is_no_match(tmp_path: Path) -> None:
    array = macro(2, 3)
    net = "\n".join(array.netlist_lines())
    gds = tmp_path / "a.gds"
    to_layout(array.cell, array.tech).write(str(gds))
    assert " TS[0] " in net
    swapped = [
        line.replace("TS[0]", "@").replace("TS[1]", "TS[0]").replace("@", "TS[1]")
        if line.startswith("XSS") else line
        for line in net.splitlines()
    ]  # fmt: skip
    (tmp_path / "b.spice").write_text("\n".join(swapped) + "\n")
    report = compare_layout(extract_layout(gds, array.tech), tmp_path / "b.spice", array.tech)
    assert not report.to_json()["match"]


def test_without_it_nothing_changes() -> None:
    plain = build_top(ArraySpec(2, 2, top="macro"))
    none = build_top(ArraySpec(2, 2, top="macro", periphery="none"))
    assert plain.cell == none.cell


def test_pins_lie_on_the_edge_and_lines_stay_inside() -> None:
    array = macro(3, 2)
    layout = to_layout(array.cell, array.tech)
    box = layout.top_cell().bbox()
    assert box == db.Box(0, 0, array.cell.width, array.cell.height)
    for pin in array.pins:
        inside = {0: array.cell.width, 180: 0, 90: array.cell.height, 270: 0}[pin.orientation]
        assert (pin.x if pin.orientation in (0, 180) else pin.y) == inside, pin
    assert all(isinstance(p, Placement) for p in array.cell.placements)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"periphery": "scan"}, "it needs top: macro"),
        ({"top": "macro", "periphery": "chain"}, "one of none, scan"),
        ({"top": "macro", "periphery": None}, "a word"),
    ],
)
def test_what_is_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        ArraySpec(2, 2, **values)  # type: ignore[arg-type]


def test_the_bench_loads_every_line_of_a_chain() -> None:
    """Known by other pins than its enable, the chain was left out, and no line had a driver."""
    array = macro(1, 1, cell="passive")
    found = loads(array)
    assert set(found) == set(array.chain)
    for farad, delay_s in found.values():
        # a line of tens of um, and the gates of a switch
        assert 10e-15 < farad < 200e-15
        assert 0 < delay_s < 10e-12
