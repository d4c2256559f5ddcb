"""The supply clamp: clean, its netlist as drawn, and refused on a side that a die has not."""

from __future__ import annotations

from dataclasses import replace

import klayout.db as db
import pytest

from crossstack.cells import to_layout
from crossstack.cells.clamp import supply_clamp
from crossstack.cells.drawing import Cell, Label
from crossstack.cells.pad_plan import PadPlan
from crossstack.cells.pads import SIDES
from crossstack.cells.rules import RuleBook
from crossstack.drc import run_drc
from crossstack.generators.netlist import spice_lines
from crossstack.lvs import compare_layout, extract_layout
from crossstack.pdk import ParameterError, get_tech

TECH = get_tech()


def labelled(side: str) -> Cell:
    """Return a clamp with its lines named."""
    cell = supply_clamp(TECH, side=side)
    plan = PadPlan(RuleBook(TECH))
    labels = []
    for net, line in (("VSS", plan.low), ("VDD", plan.high)):
        d, middle = sum(line) // 2, plan.side // 2
        x, y = {
            "south": (middle, d),
            "north": (middle, cell.height - d),
            "east": (cell.width - d, middle),
            "west": (d, middle),
        }[side]
        labels.append(Label("Metal1", net, x, y))
    return replace(cell, labels=tuple(labels))


@pytest.mark.parametrize("side", SIDES)
def test_a_clamp_is_clean_and_what_it_says(side, tmp_path):
    cell = labelled(side)
    gds = tmp_path / "clamp.gds"
    layout = to_layout(cell, TECH)
    layout.write(str(gds))
    if side == "south":
        # the pads in the next places, whose wires to bond must not reach the diffusion
        rules = RuleBook(TECH)
        plan = PadPlan(rules)
        frame = (plan.side - rules.bond_opening) // 2
        opening = db.Box(frame, frame, plan.side - frame, plan.side - frame)
        pads = layout.layer(*TECH.gds(rules.layer("pad")))
        for step in (-plan.pitch, plan.pitch):
            layout.top_cell().shapes(pads).insert(opening.moved(step, 0))
        found = run_drc(layout, TECH, rules=["PAD.17", "PAD.18"])
        assert found.clean
        layout.top_cell().shapes(pads).clear()
        assert run_drc(layout, TECH).clean
    netlist = gds.with_suffix(".spice")
    lines = spice_lines("clamp", TECH, (), cell.netlist, ())
    netlist.write_text("\n".join(lines) + "\n")
    extracted = extract_layout(gds, TECH)
    assert not extracted.findings()
    report = compare_layout(extracted, netlist, TECH).to_json()
    assert report["match"], report["errors"]
    assert report["devices"]["nfet"] == 7
    # one whose gate is not discharged is another circuit
    netlist.write_text("\n".join(line for line in netlist.read_text().splitlines()
                                 if not line.startswith("MR0")) + "\n")  # fmt: skip
    assert not compare_layout(extract_layout(gds, TECH), netlist, TECH).match


def test_a_lost_clamp_is_not_said_to_be_a_certain_one(tmp_path):
    """Of a die's equal clamps one was named, at a place where the layout has it."""
    cell, netlist = labelled("north"), tmp_path / "clamp.spice"
    one = spice_lines("clamp", TECH, (), cell.netlist, ())
    calls = (f"X{k} VDD VSS {cell.netlist.name}" for k in range(3))
    top = [".subckt clamp VDD VSS", *calls, ".ends"]
    netlist.write_text("\n".join([*one, *top, ""]))
    report = compare_layout(extract_layout(to_layout(cell, TECH), TECH), netlist, TECH).to_json()
    (error,) = report["errors"]
    assert error.startswith("missing: 2 of 3 equal parts on VDD, VSS are not in the layout, and")


def test_a_side_that_a_die_has_not_is_refused():
    with pytest.raises(ParameterError, match="side"):
        supply_clamp(TECH, side="up")
