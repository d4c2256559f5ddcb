"""Faults that show without a netlist."""

from __future__ import annotations

import pytest

from crossstack.lvs import check_layout


def errors(drawing):
    return [str(f) for f in check_layout(drawing.extract())]


def test_nothing_is_wrong_with_a_good_layout(array, inverter):
    assert errors(array(3, 3)) == []
    assert errors(inverter()) == []


def test_floating_gate(inverter):
    d = inverter()
    d.cut("Contact", 0.4, 2.1, 0.8, 2.5)
    assert errors(d) == ["floating gate: gate of nfet at (0.580, 1.000) is driven by nothing"]


def test_gates_driven_by_nothing_together(inverter):
    d = inverter()
    d.relabel({"A": None})
    assert errors(d) == [
        "floating gate: gate of nfet at (0.580, 1.000) and of 1 more is driven by nothing"
    ]


def test_unconnected_electrode(array):
    d = array(1, 1)
    d.cut("VBE", 1.7, 1.5, 2.4, 2.1)
    transistor, memristor = sorted(errors(d), key=len)
    assert memristor == (
        "unconnected: ROW (BE) of memristor_bottom at (4.000, 1.800) is connected to nothing"
    )
    assert "of nfet at (1.580, 1.500)" in transistor


def test_well_and_substrate_without_tap(inverter):
    assert errors(inverter(n_tap=False)) == [
        "tap: pfet at (0.580, 6.000): its n-well has no n-tap with a contact"
    ]
    assert errors(inverter(p_tap=False)) == [
        "tap: nfet at (0.580, 1.000): the substrate has no p-tap with a contact"
    ]


def test_tap_without_contact(inverter):
    d = inverter()
    d.cut("Contact", -1.5, 0.5, -1.0, 1.5)
    assert errors(d)[0].endswith("the substrate has no p-tap with a contact")


def test_supply_joined_through_the_substrate_only(array):
    d = array(2, 3)
    d.cut("Metal1", 5, -0.5, 30, 0.0)
    d.relabel({"VSS": None})
    (error,) = errors(d)
    assert error.startswith("tap: 3 wires of one net are joined through silicon only: (5.600, ")


@pytest.mark.parametrize(("have", "lack"), [("TIO2_B", "TIO2X_B"), ("TIO2X_T", "TIO2_T")])
def test_half_made_device(array, have, lack):
    d = array(1, 2)
    d.cut(lack, 9, 1, 11, 3)
    found = errors(d)
    assert any(f"at (10.000, 1.800) has {have} but no {lack}" in e for e in found)


def test_gate_without_implant(array):
    d = array(1, 1)
    d.cut("Nplus", 0, 0, 3, 3)
    assert any("(1.580, 1.500) is neither NMOS" in e for e in errors(d))


def test_gate_in_the_wrong_well(inverter):
    d = inverter()
    d.rect("Nwell", -0.5, -0.5, 1.8, 2.4)
    assert any(e.startswith("device: Poly2 over COMP at (0.580, 1.000)") for e in errors(d))


def test_many_findings_are_cut_short(array):
    d = array(8, 8)
    d.layout.cell("hybrid_cell").shapes(d.layer("TIO2_T")).clear()
    assert 20 <= len(errors(d)) <= 60
