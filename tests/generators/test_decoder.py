"""Macros with a decoder on board: clean, matched, and what is drawn sets every address and mode."""

from __future__ import annotations

import random
from pathlib import Path

import klayout.db as db
import pytest

from crossstack.base import names
from crossstack.cells import decoder, to_layout
from crossstack.drc import run_drc
from crossstack.generators import build_top
from crossstack.generators.array import Array
from crossstack.generators.spec import ArraySpec
from crossstack.lvs import extract_layout
from crossstack.pdk import ParameterError, get_tech
from crossstack.pdk.ask import Ask
from crossstack.solve.modes.address import is_gated
from crossstack.solve.modes.decoder import Decoder

from .matching import matched
from .switches import Switches


def macro(rows: int, cols: int, **values: object) -> Array:
    return build_top(ArraySpec(rows, cols, top="macro", periphery="decoder", **values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "cols", "values"),
    [
        (1, 1, {"profile": "stepper"}),
        (2, 3, {"profile": "aligner"}),
    ],
    ids=str,
)
def test_clean_and_matched(rows: int, cols: int, values: dict[str, object], tmp_path: Path) -> None:
    array = macro(rows, cols, **values)
    lvs = matched(array, tmp_path)
    assert lvs["match"], lvs["errors"]
    report = run_drc(tmp_path / "a.gds", array.tech)
    assert report.clean, report.violations[:5]


@pytest.mark.parametrize(
    ("rows", "cols", "values"),
    [(7, 5, {}), (1, 33, {}), (2, 2, {"cell": "passive", "kelvin": True, "pitch_x_um": 18.0})],
    ids=str,
)
def test_matched_with_several_groups(
    rows: int, cols: int, values: dict[str, object], tmp_path: Path
) -> None:
    lvs = matched(macro(rows, cols, **values), tmp_path)
    assert lvs["match"], lvs["errors"]


@pytest.mark.parametrize(
    ("rows", "cols", "values"),
    [(8, 6, {}), (1, 3, {"cell": "planar"}), (1, 2, {"cell": "passive"})],
    ids=str,
)
def test_what_is_drawn_sets_every_mode_and_address(
    rows: int, cols: int, values: dict[str, object], tmp_path: Path
) -> None:
    array = macro(rows, cols, **values)
    gds = tmp_path / "a.gds"
    to_layout(array.cell, array.tech).write(str(gds))
    drawn, logic = Switches(extract_layout(gds, array.tech)), Decoder(cols, array.decoded)
    columns = range(1 << len(logic.address))
    codes = [(b, t) for b in (False, True) for t in (False, True)]
    states = [logic.pins(code, column) for code in codes for column in columns]
    random.Random(1).shuffle(states)
    other = {pin: True for pin in logic.inputs if pin != names.ENABLE}
    off = {"EN": False}
    drawn.settle(logic.pins((True, True), enabled=False))  # at power-up
    for pins in states:
        drawn.settle(off)
        drawn.settle({**pins, **off})
        low = drawn.levels(array.decoded)
        assert low == logic.levels({**pins, **off})
        assert not any(on for net, on in low.items() if is_gated(net))
        drawn.settle(pins)
        assert drawn.levels(array.decoded) == logic.levels(pins), pins
        drawn.settle({pin: not pins[pin] for pin in other})  # held while EN is high
        assert drawn.levels(array.decoded) == logic.levels(pins), pins


def test_an_address_cut_that_lies_elsewhere_is_no_match(tmp_path: Path) -> None:
    """Which column a row or a group is decides the place of a cut alone."""
    array = macro(1, 2)
    drivers = [p for p in array.cell.placements if p.cell.name == "decoder_select_driver"]
    at = drivers[0].y + drivers[0].cell.port("L0").y
    layout = to_layout(array.cell, array.tech)
    via = layout.layer(*array.tech.gds(array.tech.roles.layer("select_via")))
    west = drivers[0].x
    shapes = layout.top_cell().shapes(via)
    (cut,) = [s for s in shapes.each() if s.bbox().center().y == at and s.bbox().left > west]
    (moved,) = _other_line(array, cut.bbox(), layout)
    shapes.replace(cut, moved)
    assert not matched(array, tmp_path, layout)["match"]


def _other_line(array: Array, cut: db.Box, layout: db.Layout) -> list[db.Box]:
    """Return the cut on the nearest other line along y."""
    index = layout.layer(*array.tech.gds(array.tech.roles.layer("bottom_row")))
    shapes = layout.top_cell().shapes(index)
    y = cut.center().y
    lines = [s.bbox() for s in shapes.each() if s.bbox().bottom < y < s.bbox().top]
    xs = sorted((abs(b.center().x - cut.center().x), b.center().x) for b in lines)
    x = next(x for far, x in xs if far > cut.width())
    return [cut.moved(x - cut.center().x, 0)]


def test_pins_are_few() -> None:
    array = macro(64, 64)
    pins = {q.name for q in array.pins}
    inputs = set(Decoder(64, array.decoded).inputs)
    assert inputs <= pins
    assert len(inputs) == 9
    left = {name.partition("[")[0] for name in pins - inputs}
    assert left == {"IN_T", "IN_B", "WR", "OUT", "WC", "VDD", "VSS"}
    at_edge = [q for q in array.pins if q.name in inputs]
    assert all((q.orientation, q.y) == (270, 0) for q in at_edge)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"periphery": "decoder"}, "it needs top: macro"),
        ({"top": "macro", "periphery": "decode"}, "one of none, scan, decoder"),
    ],
)
def test_what_is_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        ArraySpec(2, 2, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("diodes", [0, 1])
def test_a_diode_drains_what_a_long_line_collects(diodes: int) -> None:
    """A line of 1 mm on the one small gate of a latch."""
    tech = get_tech("stepper")
    cell = decoder.address_latch(tech, diodes=diodes)
    layout = to_layout(cell, tech)
    pin = cell.port("D")
    x, y, half = pin.x + 200, pin.y, 140
    for role, box in (
        ("select_via", db.Box(x - 130, y - 130, x + 130, y + 130)),
        ("bottom_row", db.Box(x - half, y - half, x + half, y + 1_000_000)),
    ):
        index = layout.layer(*tech.gds(tech.roles.layer(role)))
        layout.top_cell().shapes(index).insert(box)
    found = run_drc(layout, tech, rules=["ANT.Metal3"])
    assert found.count == 1 - diodes


def test_inputs_have_the_diodes_that_their_lines_ask_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Lines of 0.1 mm, under a rule of a tenth."""
    plain = macro(1, 1)
    assert _diffusions(plain) == 0
    monkeypatch.setattr(Ask, "antenna", lambda self, conductor, default=None: 30.0)
    array = macro(1, 1)
    assert _diffusions(array) == 3  # M[0], M[1], EN
    assert matched(array, tmp_path)["match"]
    report = run_drc(tmp_path / "a.gds", array.tech)
    assert report.clean, report.violations[:5]


def _diffusions(array: Array) -> int:
    """Return how many active areas of latches and delays have no gate, taps aside."""
    tech, found = array.tech, 0
    layout = to_layout(array.cell, tech)
    active, gate = (layout.layer(*tech.gds(tech.roles.layer(r))) for r in ("diffusion", "poly"))
    for name in ("decoder_latch", "decoder_delay"):
        cell = layout.cell(name)
        areas = db.Region(cell.begin_shapes_rec(active)).merged()
        lone = areas.not_interacting(db.Region(cell.begin_shapes_rec(gate)))
        diodes = sum(p.bbox().left > 0 for p in lone.each()) // 2
        found += diodes * (2 if name == "decoder_latch" else 1)  # two mode bits, one enable
    return found


def array_inputs(array: Array) -> tuple[str, ...]:
    return Decoder(array.spec.cols, array.decoded).inputs


def test_macros_of_every_size_are_drawn() -> None:
    array = macro(512, 512)
    inputs = set(array_inputs(array))
    assert len(inputs) == 12
    assert inputs <= {q.name for q in array.pins}


def test_more_charge_than_diodes_drain_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "ALLOWED_DIODES", range(1))
    monkeypatch.setattr(Ask, "antenna", lambda self, conductor, default=None: 30.0)
    with pytest.raises(ParameterError, match=r"periphery = 'decoder' .* the line of M\[0\] would"):
        macro(1, 1)
