"""Capacitance against closed forms, and what must hold for any layout."""

from __future__ import annotations

import pytest
from labelled import drawing

from crossstack.cells import to_layout
from crossstack.extract import net_capacitance
from crossstack.extract.field.dielectric import EPSILON_0_F_UM, Dielectrics, fringe_f_um, side_f_um
from crossstack.extract.nets.naming import memristor_places, net_names
from crossstack.generators import ArraySpec, build_top
from crossstack.lvs import extract_layout
from crossstack.pdk import ParameterError, get_tech

TECH = get_tech()


def test_plate_over_silicon_is_as_in_the_foundrys_table() -> None:
    """0.0295 fF/um2 for Metal1 over field, 0.0134 for Metal2."""
    stack = Dielectrics.of(TECH)
    metal1 = stack.plate_f_um2(0.0, stack.spans["Metal1"][0])
    metal2 = stack.plate_f_um2(0.0, stack.spans["Metal2"][0])
    assert metal1 == pytest.approx(0.0295e-15, rel=0.05, abs=0)
    assert metal2 == pytest.approx(0.0134e-15, rel=0.15, abs=0)


def test_a_wide_plate_over_another_is_a_plate_capacitor() -> None:
    box = (0, 0, 200_000, 200_000)
    found = net_capacitance(drawing(("Metal2", box, "A"), ("Metal3", box, "B")), TECH)
    plate = EPSILON_0_F_UM * 4.0 / 0.6 * 200**2
    assert found["A"].coupling_f["B"] == pytest.approx(plate, rel=0.05, abs=0)
    assert found["B"].ground_f < 0.03 * plate  # only its edges see the silicon, past A


def test_a_single_line_is_sakurais() -> None:
    found = net_capacitance(drawing(("Metal3", (0, 0, 500_000, 1000), "A")), TECH)
    height = TECH.heights_um["Metal3"][0]
    stack = Dielectrics.of(TECH)
    plate = stack.plate_f_um2(0.0, height)
    k = plate * height / EPSILON_0_F_UM
    per_um = EPSILON_0_F_UM * 4.0 * (1.15 / height + 2.80 * (0.55 / height) ** 0.222)
    assert k == pytest.approx(4.0, rel=0.05, abs=0)
    assert found["A"].total_f == pytest.approx(per_um * 500, rel=0.02, abs=0)


def test_two_lines_couple_by_their_distance() -> None:
    def coupling(space: int) -> float:
        low, high = (0, 0, 100_000, 500), (0, 500 + space, 100_000, 1000 + space)
        found = net_capacitance(drawing(("Metal3", low, "A"), ("Metal3", high, "B")), TECH)
        assert found["A"].coupling_f == pytest.approx({"B": found["B"].coupling_f["A"]}, abs=0)
        return found["A"].coupling_f["B"]

    # side walls fall as 1/s, faces as its logarithm
    assert 1.4 < coupling(500) / coupling(1000) < 2.0
    assert coupling(500) > side_f_um(4.0, 0.5, 0.55, 3.5, 0.5) * 99


def test_fringe_vanishes_beside_the_plate_of_a_wide_line() -> None:
    assert fringe_f_um(4.0, 100.0, 0.5, 1.0) / (EPSILON_0_F_UM * 4.0 * 100.0) < 0.2


def test_array_capacitances_are_symmetric_and_hold_devices_and_gates(draw) -> None:
    found = net_capacitance(draw(3, 3), TECH)
    for name, net in found.items():
        for other, value in net.coupling_f.items():
            assert value > 0
            if other in found:
                assert value == pytest.approx(found[other].coupling_f[name], rel=0.02, abs=0)
    film = EPSILON_0_F_UM * 40 / 0.040
    assert found["C[1]"].coupling_f["BE[1][1]"] > film
    assert found["TS[0]"].gate_f == pytest.approx(3 * 2.0 * 1.505e-15, abs=0)


def test_patterns_are_checked(draw) -> None:
    assert set(net_capacitance(draw(2, 2), TECH, nets=["C[*"])) == {"C[0]", "C[1]"}
    with pytest.raises(ParameterError, match=r"no net matches 'Q\*'"):
        net_capacitance(draw(2, 2), TECH, nets=["Q*"])


#: a net that no label names is as much a load as any other
GATED = (
    {"rows": 2, "cols": 3, "top": "macro"},
    {"rows": 3, "cols": 2, "top": "macro", "cell": "planar"},
    {"rows": 2, "cols": 2, "top": "macro", "periphery": "scan"},
    {"rows": 2, "cols": 2, "top": "macro", "process": "sky130"},
)


@pytest.mark.parametrize("asked", GATED, ids=lambda a: "-".join(map(str, a.values())))
def test_every_net_has_its_gates_and_sees_the_ground(asked) -> None:
    """Nets without a label had neither: the complement of a switch's line was a tenth of itself."""
    array = build_top(ArraySpec(**asked))
    extracted = extract_layout(to_layout(array.cell, array.tech), array.tech)
    found, tech, flat = net_capacitance(extracted, array.tech), array.tech, extracted.flat
    names = net_names(flat, memristor_places(flat)[0])
    assert set(found) == set(names)
    gates = dict.fromkeys(names, 0.0)
    for device in flat.devices:
        if not device.kind.is_memristor:
            model = tech.pfet if device.kind.name == "pfet" else tech.nfet
            gates[names[device.nets[1]]] += model.cg_on_f_per_um * device.parameters[0]
    unnamed = [net for net in flat.nets if not net.name]
    assert any(gates[names[net.number]] > 0 for net in unnamed)
    for name, net in found.items():
        assert net.gate_f == pytest.approx(gates[name], rel=1e-9, abs=1e-21), name
        assert net.ground_f > 0, name
        for other, value in net.coupling_f.items():
            # side walls are found from either side, which differs at corners
            assert found[other].coupling_f[name] == pytest.approx(value, rel=0.1), (name, other)
