"""Bond wires keep clear of each other and of other pads, whatever the die."""

from __future__ import annotations

import itertools
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from crossstack.generators.macro import build_macro
from crossstack.generators.spec import ArraySpec
from crossstack.generators.testchip import placed
from crossstack.signoff.bonding import bonding_svg
from crossstack.signoff.handover import bonding_words
from crossstack.signoff.leads import SIDES, away_um, meetings, wires_of

SVG = "{http://www.w3.org/2000/svg}"
#: dies of every slot, with one row of pads and two, and with pads on a part of a side
DIES: tuple[dict[str, Any], ...] = (
    {"rows": 2, "cols": 2},
    {"rows": 10, "cols": 10},
    {"rows": 16, "cols": 16},
    {"rows": 32, "cols": 32},
    {"rows": 64, "cols": 64, "periphery": "scan"},
)


def pad(number: int, side: str, x: float, y: float, kind: str = "bond") -> dict[str, Any]:
    return {"number": number, "name": f"P{number}", "net": f"P{number}", "kind": kind,
            "side": side, "x_um": x, "y_um": y, "opening_um": 60.0, "plate_um": 64.0,
            "use": "", "v_min": None, "v_max": None}  # fmt: skip


def pads_of(spec: dict[str, Any]) -> tuple[list[float], list[dict[str, Any]]]:
    """Return the size of a die and its bond pads, in um."""
    chip = placed(build_macro(ArraySpec(top="macro", **spec)))
    sides = ("south", "east", "north", "west")
    found = []
    for each in chip.placements:
        if not each.cell.name.startswith("bond_pad_"):
            continue
        side = next(side for side in sides if side in each.cell.name)
        half, at = chip.plan.side // 2, {"south": "y", "north": "y", "west": "x", "east": "x"}
        x, y = each.x + half, each.y + half
        if at[side] == "y":
            y = each.y + (half if side == "south" else each.cell.height - half)
        else:
            x = each.x + (half if side == "west" else each.cell.width - half)
        found.append(pad(len(found) + 1, side, x / 1000, y / 1000))
    return [chip.slot.width / 1000, chip.slot.height / 1000], found


@pytest.mark.parametrize("spec", DIES, ids=lambda spec: f"{spec['rows']}")
def test_no_wire_of_a_die_crosses_another_or_a_pad_that_is_not_its_own(spec):
    die, pads = pads_of(spec)
    wires = wires_of(die, pads)
    assert len(wires) == len(pads) > 30
    assert list(meetings(wires, pads)) == []
    # 45 degrees from the innermost pad
    assert max(wire.length_um for wire in wires) < 2**0.5 * (away_um(die) + 450)
    assert "no wire crosses another, or another pad; the longest is" in bonding_words(die, pads)


def test_pads_bunched_at_an_end_of_a_side_have_leads_near_them():
    """With leads spread over the whole side, wires would run along the row of pads."""
    die = [1936.0, 5122.0]
    pads = [pad(k, "east", 1804.0, 300.0 + 70 * k) for k in range(12)]
    wires = wires_of(die, pads)
    assert list(meetings(wires, pads)) == []
    assert max(wire.end[1] for wire in wires) < 1600
    assert [w.end[1] for w in wires] == sorted(w.end[1] for w in wires)
    gaps = [b.end[1] - a.end[1] for a, b in itertools.pairwise(wires)]
    assert gaps == pytest.approx([105.0] * 11)


def test_a_lead_stands_no_farther_from_its_pad_than_the_room_of_others_asks_for():
    """A few pads far apart have theirs straight outwards, many beside them or not."""
    many = [pad(k, "east", 1804.0, 300.0 + 70 * k) for k in range(12)]
    few = [pad(12 + k, "east", 1804.0, 3000.0 + 600 * k) for k in range(3)]
    for wire in wires_of([1936.0, 5122.0], many + few)[12:]:
        assert wire.end[1] == pytest.approx(wire.start[1])


def test_a_wire_that_cannot_help_crossing_is_said_to():
    """A pad straight behind another, as somebody else's die may have it."""
    pads = [pad(k + 1, "south", 500, 100 + 200 * k) for k in range(3)]
    assert ("P2", "pad P1") in set(meetings(wires_of([1000.0, 1000.0], pads), pads))
    assert "wires cross others or other pads, first that of P" in bonding_words([1e3, 1e3], pads)


def test_a_wire_keeps_off_a_probe_pad_between_its_pad_and_the_edge():
    pads = [pad(1, "south", 300, 300), pad(2, "", 350, 100, kind="probe")]
    (wire,) = wires_of([1000.0, 1000.0], pads)
    assert wire.end[0] < 320
    assert not list(meetings([wire], pads))


def test_the_words_of_the_legend_stand_beside_each_other():
    """Of every kind at once, on a narrow die as on a wide one."""
    for die in ([1936.0, 5122.0], [3932.0, 2531.0], [600.0, 600.0]):
        rows = [pad(k, "south", 100 + 70 * k, 100) for k in range(6)]
        uses = ("supply", "ground", "sense line", "control", "", "")
        rows = [{**row, "use": use} for row, use in zip(rows, uses, strict=True)]
        rows[-1]["net"] = ""
        root = ElementTree.fromstring(bonding_svg("die", die, rows))
        letter = float(root.get("font-size"))
        (legend,) = (g for g in root.iter(f"{SVG}g"))
        x0, _ = map(float, re.findall(r"-?[\d.]+", legend.get("transform")))
        left, _, wide, _ = map(float, root.get("viewBox").split())
        lines: dict[str, list[tuple[float, float]]] = {}
        for text in legend.iter(f"{SVG}text"):
            x = x0 + float(text.get("x"))
            span = (x - 1.5 * letter, x + 0.6 * letter * len(text.text))
            lines.setdefault(text.get("y"), []).append(span)
        assert sum(map(len, lines.values())) == 6
        for spans in lines.values():
            assert all(a[1] < b[0] for a, b in itertools.pairwise(spans))
            assert left <= spans[0][0]
            assert spans[-1][1] <= left + wide


@pytest.mark.parametrize("seed", range(40))
def test_pads_anywhere_have_leads_somewhere(seed):
    """Of a layout edited by hand: pads on each other, on the wrong side, beyond the edge, of no
    size."""
    rng = np.random.default_rng(seed)
    die = [float(v) for v in rng.choice([1.0, 50.0, 1000.0, 5000.0], 2)]
    spots = rng.uniform(-0.2, 1.2, (int(rng.integers(0, 12)), 2)) * die
    pads = [
        {"number": k, "name": f"P{k}", "net": "n", "kind": "bond", "x_um": x, "y_um": y,
         "side": str(rng.choice(SIDES)), "plate_um": float(rng.choice([0, 0.005, 60, 500])),
         "opening_um": 0.005, "use": None, "v_min": None, "v_max": None}
        for k, (x, y) in enumerate([*spots.tolist(), *spots[:1].tolist()])
    ]  # fmt: skip
    wires = wires_of(die, pads)
    assert len(wires) == len(pads)
    assert np.isfinite([(*wire.start, *wire.end) for wire in wires]).all()
    assert "um from the edge" in bonding_words(die, pads)
    assert "nan" not in bonding_svg("die", die, pads)
