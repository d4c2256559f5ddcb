import numpy as np
import pytest

from crossstack.solve import ArrayKind, ModeError, ir_drop, mode_drives, network_drives
from crossstack.solve.modes.drives import gates_for
from crossstack.solve.modes.mode import LEVELS, VOLTAGES
from crossstack.solve.modes.modes import MODES

X = np.array([[0.1, 0.2], [0.3, 0.4]])


def test_expansion_of_the_array():
    d = mode_drives("expansion", 2, 3, X, vdd=3.3)
    assert d.port_voltages == {
        "BR[0]": 0.1, "BR[1]": 0.2, "TR[0]": 0.3, "TR[1]": 0.4,
        "C[0]": 0.0, "C[1]": 0.0, "C[2]": 0.0, "VSS": 0.0, "VDD": 3.3,
    }  # fmt: skip
    assert all(d.gates[f"{t}S[{j}]"] for t in "TB" for j in range(3))
    assert d.outputs == ("C[0]", "C[1]", "C[2]")


@pytest.mark.parametrize(("read", "R", "W"), [(0, "B", "T"), ("top", "T", "B")])
def test_deep_net_of_the_array(read, R, W):
    d = mode_drives(
        "deep-net", 2, 3, X, read_tier=read, write_column=1, write_data=[1, -0.5], write_rail=0.5
    )
    x = X[0 if R == "B" else 1]
    v = d.port_voltages
    assert [v[f"{R}R[0]"], v[f"{R}R[1]"]] == list(x)
    assert [v[f"{W}R[0]"], v[f"{W}R[1]"]] == [2.5, -0.5]
    assert [v[f"C[{j}]"] for j in range(3)] == [0.0, 0.5, 0.0]
    assert [d.gates[f"{W}S[{j}]"] for j in range(3)] == [False, True, False]
    assert [d.gates[f"{R}S[{j}]"] for j in range(3)] == [True, False, True]


def test_macro_controls_and_complements():
    kind = ArrayKind(macro=True)
    d = mode_drives("expansion", 2, 2, X, kind=kind)
    assert (d.gates["WT"], d.gates["WT_N"], d.gates["WSEL[1]"]) == (False, True, False)
    assert d.outputs == ("OUT[0]", "OUT[1]")
    d = mode_drives("deep-net", 2, 2, X, kind=kind, read_tier="bottom", write_column=1)
    assert (d.gates["WT"], d.gates["WB"]) == (True, False)
    assert (d.gates["WSEL[0]"], d.gates["WSEL[1]"], d.gates["WSEL[1]_N"]) == (False, True, False)
    assert d.port_voltages["WR[0]"] == 2.0
    assert d.port_voltages["IN_B[1]"] == 0.2
    assert d.port_voltages["IN_T[1]"] == 0.0


def test_planar_and_passive():
    planar = mode_drives("expansion", 2, 1, X[:1], kind=ArrayKind(tiers=(0,)))
    assert "TR[0]" not in planar.port_voltages
    assert "TS[0]" not in planar.gates
    passive = mode_drives("expansion", 2, 1, X, kind=ArrayKind(select=False))
    assert passive.gates == {}


def test_every_rule_uses_the_vocabulary():
    for mode in MODES.values():
        for rule in (*mode.array, *mode.macro):
            assert (rule.carries in VOLTAGES) != (rule.carries in LEVELS)
            assert rule.over in {"rows", "cols", "one"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": "both"}, "unknown mode 'both', allowed: expansion, deep-net"),
        ({"write_column": 3}, r"write_column is 3, allowed 0..2"),
        ({"write_column": -1}, r"write_column is -1"),
        ({"read_tier": "bottom", "write_tier": "bottom"}, "reads and writes the bottom tier"),
        ({"read_tier": 2}, "tier is 2, allowed"),
        ({"inputs": X[:1]}, r"inputs have shape \(1, 2\)"),
        ({"inputs": X * np.nan}, "not finite"),
        ({"write_data": [1.0]}, r"write_data has shape \(1,\), expected \(2,\)"),
        ({"write_data": [1.0, 1.5]}, "allowed -1..1"),
        ({"write_voltage": np.inf}, "write_voltage is inf"),
        ({"kind": ArrayKind(tiers=(0,)), "inputs": X[:1]}, "needs two tiers"),
    ],
)
def test_refusals(change, message):
    arguments = {"mode": "deep-net", "rows": 2, "cols": 3, "inputs": X} | change
    with pytest.raises(ModeError, match=message):
        mode_drives(**arguments)


def test_missing_pin_is_an_error_and_supplies_are_optional(make_array):
    network = make_array(2, 2)
    assert "VSS" not in network_drives(network, "expansion", X).port_voltages
    del network.ports["C[1]"]
    with pytest.raises(ModeError, match=r"drives port 'C\[1\]'"):
        network_drives(network, "expansion", X)


@pytest.mark.parametrize("macro", [False, True])
@pytest.mark.parametrize("read", [0, 1])
def test_deep_net_isolates_reading_from_writing(make_array, macro, read):
    network = make_array(4, 3, macro=macro)
    assert ArrayKind.of(network) == ArrayKind(macro=macro)
    g = np.full((2, 4, 3), 1e-4)
    x = np.full((2, 4), 0.2)
    r = ir_drop(network, g, x, mode="deep-net", read_tier=read, write_column=1, switch_ohm=800.0)
    assert r.write.read_disturb < 1e-12
    assert r.write.tier == 1 - read
    assert 1.5 < r.write.device_voltages.min() < 2.0
    assert r.write.half_selected_voltage < 1e-12
    assert r.counted_columns.tolist() == [True, False, True]
    leaky = ir_drop(
        network, g, x, mode="deep-net", read_tier=read, write_column=1, switch_ohm=800.0,
        switch_off_ohm=1e9,
    )  # fmt: skip
    # every off switch leaks at most 2 V / 1 Gohm into a sensed column
    worst = 4 * 2 * 2.0 / 1e9 / 8e-5
    assert 0 < leaky.write.read_disturb < worst


def test_swapped_select_wiring_shows(make_array):
    """Negative control: the isolation test above would notice one swapped line."""
    import dataclasses

    network = make_array(4, 3)
    gate = network.switch_gate.copy()
    one, two = network.nets.index("TS[1]"), network.nets.index("TS[2]")
    gate[network.switch_gate == one], gate[network.switch_gate == two] = two, one
    wrong = dataclasses.replace(network, switch_gate=gate)
    r = ir_drop(
        wrong, np.full((2, 4, 3), 1e-4), np.full((2, 4), 0.2), mode="deep-net", write_column=1,
        switch_ohm=800.0,
    )  # fmt: skip
    assert r.write.read_disturb > 1.0


def test_passive_deep_net_disturbs(make_array):
    network = make_array(3, 3, select=False)
    r = ir_drop(network, np.full((2, 3, 3), 1e-4), np.full((2, 3), 0.2), mode="deep-net")
    assert r.write.read_disturb > 1.0
    assert gates_for(network, network_drives(network, "expansion", np.zeros((2, 3)))) == {}
