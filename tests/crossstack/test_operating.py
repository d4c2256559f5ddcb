"""The operating point: writes by the device law in both polarities, judged by ngspice and BSIM."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import eigh

from crossstack.analyse.analysis import solve_modes, stimulus
from crossstack.analyse.bsim import compare_bsim
from crossstack.analyse.electromigration import current_limits_of, em_report
from crossstack.analyse.on_resistance import VoltageRangeError
from crossstack.analyse.operating import Laws, at_work, mode_ohm, write_options
from crossstack.analyse.timing import read_settle
from crossstack.cli import run
from crossstack.console import Console
from crossstack.extract import Bsim, extract, net_capacitance, write_spice
from crossstack.layouts import wires_in
from crossstack.lvs import extract_layout
from crossstack.options import within
from crossstack.pdk import ParameterError, get_tech, ron
from crossstack.pdk.electromigration import line_heating_k
from crossstack.signoff.models import foundry_models
from crossstack.solve import load_network
from crossstack.solve.modes.drives import network_drives
from crossstack.solve.modes.modes import POLARITIES, polarity_options

TECH = get_tech("stepper")
ron_ohm = partial(ron.ron_ohm, path=TECH.nfet.ron_table)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A 3x3 array: its folder, devices, network, and the capacitance of its nets."""

    folder = tmp_path_factory.mktemp("operating")
    assert run(["build", "--rows", "3", "--cols", "3", "-o", str(folder), "--quiet"]) == 0
    (done,) = folder.iterdir()
    return done, load_network(done / "network.npz")


@pytest.mark.parametrize("polarity", POLARITIES)
@pytest.mark.parametrize("linear", [False, True])
def test_a_write_is_that_of_bsim_transistors_and_memristors_of_the_law(
    built, polarity, linear, requires_program
):
    """Column current and device voltages within 1 % of ngspice, both ways (0.2 % seen)."""
    requires_program("ngspice")
    _, network = built
    what = stimulus(network, TECH)
    (way,) = write_options(TECH, "deep-net", {"polarity": polarity, "read_tier": 0})
    laws = Laws.of(TECH, linear=linear)
    with foundry_models(TECH) as models:
        found = compare_bsim(network, TECH, what, "deep-net", models, laws=laws, **way)
    assert found.ours.write.polarity == polarity
    assert np.abs(found.write_error).max() < 0.01
    assert np.abs(found.column_error).max() < 1e-3
    written = found.ours.column_currents[0] / found.column_currents[0]
    assert written == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("law", ["sinh_b_per_v=35", "sinh_b_per_v=42", "sinh_b_per_v=50"])
def test_writes_of_the_steepest_laws_settle(built, capsys, law):
    folder, _ = built
    how = ["--mode", "deep-net", "--device", "law=sinh", "--device", law, "--json", "--quiet"]
    assert run(["solve", str(folder), *how]) == 0
    assert run(["solve", str(folder), *how, "--nonlinear"]) == 0
    capsys.readouterr()
    # both by Newton's method on all nodes, not by repeated solves
    wires = wires_in(folder).with_device({"law": "sinh", "sinh_b_per_v": float(law[13:])})
    what = stimulus(wires.found, wires.tech)
    way = next(write_options(wires.tech, "deep-net", {}))
    at = at_work(wires.found, wires.tech, what, "deep-net", **Laws.of(wires.tech).options, **way)
    assert at.device_v is not None


def test_both_polarities_are_told_and_the_worse_one_heads(built):
    folder, network = built
    mode = json.loads((folder / "ir_drop.json").read_text())["modes"]["deep-net"]
    losses = {name: w["worst_loss"] for name, w in mode["writes"].items()}
    assert set(losses) == set(POLARITIES)
    assert mode["write"]["worst_loss"] == max(losses.values()) == losses["set"]
    # the rows drive through a source follower; the other way the sources are at ground
    assert losses["reset"] < losses["set"] - 0.05
    linear, _ = solve_modes(
        network, TECH, stimulus(network, TECH), Console(), ("deep-net",), Laws()
    )
    assert {name: w.worst_loss for name, w in linear["deep-net"].writes.items()} == pytest.approx(
        {"set": 0.198, "reset": 0.083}, abs=0.003
    )
    # what is read does not feel which law the written tier follows
    currents = np.array(mode["column_currents_A"])[1:]
    np.testing.assert_allclose(currents, linear["deep-net"].column_currents[1:], rtol=1e-6)


def test_voltages_beyond_the_models_are_refused(built, tmp_path, capsys):
    folder, _ = built
    for volts in ("1e6", "5", "-3"):
        inputs = tmp_path / "x.csv"
        inputs.write_text("\n".join(3 * [volts] and [",".join(3 * [volts])] * 2) + "\n")
        assert run(["solve", str(folder), "--inputs", str(inputs)]) == 2
        assert "allowed are -0.5 .. 3.3 V" in capsys.readouterr().err
    assert run(["solve", str(folder), "--mode", "deep-net", "--write-voltage", "4"]) == 2
    assert "transistors" in capsys.readouterr().err
    assert run(["solve", str(folder), "--mode", "deep-net", "--write-voltage", "-2"]) in (2, 3)
    assert run(["solve", str(folder), "--linear", "--nonlinear"]) == 2
    assert TECH.nfet.voltage_range_v == (-0.5, 3.8)


def test_the_table_sees_the_drop_along_the_channel():
    """Foundry models, W = 2 um: 803 ohm at 50 mV, a third more at 330 mV (set, source at 1.6 V)."""
    assert ron_ohm("nfet", 2.0, 0.0) == pytest.approx(803, rel=2e-3)
    assert ron_ohm("nfet", 2.0, 1.6, 0.33) / ron_ohm("nfet", 2.0, 1.6) == pytest.approx(
        1.34, abs=0.02
    )
    # saturated, the current stays and the resistance grows with the drop
    assert ron_ohm("nfet", 2.0, 0.0, 3.0) / ron_ohm("nfet", 2.0, 0.0, 2.2) > 1.25
    with pytest.raises(ParameterError, match="w_um"):
        ron_ohm("nfet", float("nan"), 0.0)


def test_gates_are_counted_once_with_bsim(tmp_path):
    """TS[0] of a 2x2: four gates of 2 um; 1.505 fF/um each are the model's own with BSIM."""
    from crossstack.cells import to_layout
    from crossstack.generators import ArraySpec, build_top

    array = build_top(ArraySpec(rows=2, cols=2))
    layout = extract_layout(to_layout(array.cell, array.tech), array.tech)
    network = extract(layout, TECH).network
    farad = net_capacitance(layout, TECH, nets=["TS*"])
    assert farad["TS[0]"].gate_f == pytest.approx(2 * 2.0 * 1.505e-15)

    def total(bsim):
        path = write_spice(network, TECH, tmp_path / "x.spice", capacitance=farad, bsim=bsim)
        return sum(float(f) for f in re.findall(r"^Cw\d+ \S+ \S+ (\S+)", path.read_text(), re.M))

    gates = sum(net.gate_f for net in farad.values())
    assert total(None) - total(Bsim(TECH)) == pytest.approx(gates, rel=1e-4)
    assert gates == pytest.approx(4 * 2.0 * 1.505e-15)


def test_a_read_settles_as_the_written_netlist_does(built, tmp_path):
    """Against the exponential of the written RC netlist's own matrices (0.3 % seen).

    ngspice's trapezoidal steps are no judge to 1 / 2048: its currents still drift by 0.2 %.
    """
    folder, network = built
    layout = extract_layout(folder / f"{folder.name}.gds", TECH)
    farad, what = net_capacitance(layout, TECH), stimulus(network, TECH)
    ours = read_settle(network, TECH, what, farad)
    drives = network_drives(network, "expansion", what.inputs)
    path = write_spice(
        network, TECH, tmp_path / "rc.spice", capacitance=farad, gates=drives.gates,
        switch_ohm=mode_ohm(network, TECH, what, "expansion"),
    )  # fmt: skip
    seconds = np.arange(0.05e-12, 150e-12, 0.05e-12)
    off = _unsettled(path, drives, seconds)
    for part, found in ((2.0**-11, ours.settle_s), (np.exp(-1), ours.delay_s)):
        late = seconds[np.flatnonzero(off > part)[-1]]
        assert found == pytest.approx(late, rel=0.01, abs=0.05e-12)
    # the cell's own R and C are in it: 0.8 kohm and some 11 fF
    assert ours.delay_s > 0.8e3 * 10e-15


def _unsettled(path: Path, drives, seconds: np.ndarray) -> np.ndarray:
    """Return how far the column currents of a netlist of R and C are from their end, over time."""
    pieces = [line.split() for line in path.read_text().splitlines() if line[:1] in ("R", "C")]
    number: dict[str, int] = {}
    for _, a, b, *_ in pieces:
        number.setdefault(a, len(number)), number.setdefault(b, len(number))
    siemens, farad = np.zeros((2, len(number), len(number)))
    for name, a, b, value in pieces:
        ends = [number[a], number[b]]
        matrix, size = (siemens, 1 / float(value)) if name[0] == "R" else (farad, float(value))
        matrix[np.ix_(ends, ends)] += size * np.array([[1, -1], [-1, 1]])
    volts = {"0": 0.0, **drives.port_voltages}
    volts |= {net: 0.0 for net in drives.gates if net not in volts}
    held = [number[name] for name in volts if name in number]
    known = np.array([volts[name] for name in volts if name in number])
    free = np.setdiff1d(np.arange(len(number)), held)
    # nodes without capacitors follow at once: far less than any real capacitance does that, too
    inner, c = siemens[np.ix_(free, free)], farad[np.ix_(free, free)] + 1e-20 * np.eye(len(free))
    end = np.linalg.solve(inner, -siemens[np.ix_(free, held)] @ known)
    start = np.linalg.solve(c, -farad[np.ix_(free, held)] @ known)
    rates, shapes = eigh(inner, c)
    share = shapes.T @ c @ (start - end)
    outs = [number[pin] for pin in drives.outputs]
    final = siemens[np.ix_(outs, free)] @ end + siemens[np.ix_(outs, held)] @ known
    fade = np.exp(-np.outer(seconds, rates)) * share
    left = siemens[np.ix_(outs, free)] @ shapes - farad[np.ix_(outs, free)] @ (shapes * rates)
    return np.abs(fade @ left.T / final).max(axis=1)


def test_current_limits_by_the_width_of_the_line(built):
    """The end of column 0 by hand: all of its current in 1 um of ME, 0.38 mA."""
    folder, _ = built
    em = json.loads((folder / "em.json").read_text())
    drop = json.loads((folder / "ir_drop.json").read_text())["modes"]
    read, write = em["modes"]["expansion"], em["modes"]["deep-net"]
    amps = max(drop["expansion"]["column_currents_A"])
    assert read["worst_wire"]["layer"] == "ME"
    assert read["worst_wire"]["ratio"] == pytest.approx(amps / 0.38e-3, rel=1e-6)
    # the peak is that of the worse polarity; the average has it for one slot of three
    peak = max(abs(w["column_current_A"]) for w in drop["deep-net"]["writes"].values())
    assert write["peak"]["worst_wire"]["ratio"] == pytest.approx(peak / 0.38e-3, rel=0.01)
    quiet = max(drop["deep-net"]["column_currents_A"][1:])
    assert write["worst_wire"]["ratio"] == pytest.approx((peak + 2 * quiet) / 3 / 0.38e-3, rel=0.01)
    heat = write["peak"]["heating"]
    assert heat["kelvin"] == pytest.approx(
        line_heating_k(TECH, "ME", 1.0, heat["current_A"]), rel=1e-6
    )


def test_shared_lines_carry_the_columns_by_turns(built):
    """A row's branch to one column is on for that column's slot, its trunk for all."""
    _, network = built
    em = em_report(
        network, TECH, current_limits_of(TECH, 25.0),
        solve_modes(network, TECH, stimulus(network, TECH), Console())[0],
        stimulus(network, TECH),
    )  # fmt: skip
    write = em.modes["deep-net"]
    mean, peak = write.loads.by_layer, write.peak.by_layer
    assert mean["Via1"].current < 0.5 * peak["Via1"].current
    assert mean["Metal3"].current > 0.9 * peak["Metal3"].current


def test_a_verdict_names_what_was_judged(built, tmp_path, capsys):
    folder, _ = built
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["passed"] is True
    assert manifest["limits"]["exceeded"] is True
    assert "current limits exceeded: " in manifest["verdict"]
    assert "current limits exceeded: " in (folder / "report.html").read_text()
    args = ["build", "--rows", "2", "--cols", "2", "-o", str(tmp_path), "--limits", "fail"]
    assert run(args) == 1
    out = capsys.readouterr().out
    assert re.search(r"passed: rules, netlist; current limits exceeded: \d+ % in ME of C\[0\]", out)
    assert "(assumed limit)" in out
    assert "\n  --limits fail: fails the build\n" in out


def test_limits_fail_counts_what_written_devices_get(tmp_path, capsys):
    config = tmp_path / "array.yaml"
    text = "rows: 3\ncols: 3\nstrap: true\ndevice:\n  write_rows: 1\n"
    ends = []
    for needed in ("", "  set_needed_v: 0.5\n  reset_needed_v: 0.5\n"):
        config.write_text(text + needed)
        args = ["build", str(config), "-o", str(tmp_path / str(len(ends))), "--limits", "fail"]
        ends.append((run(args), capsys.readouterr().out))
        assert "within the current limits" in ends[-1][1]
    assert ends[0][0] == 1
    assert "too little in a set and a reset" in ends[0][1]
    assert ends[1][0] == 0
    assert "written devices get what they need" in ends[1][1]
    assert "\n  --limits fail: fine\n" in ends[1][1]
    (page,) = (tmp_path / "0").glob("*/report.html")
    head = page.read_text().partition("</header>")[0]
    assert 'title="written devices get too little' in head


def test_a_verdict_that_is_missing_fails():
    fine, bad = {"judged": True, "exceeded": False}, {"judged": False, "met": False}
    assert within("report", {"judged": False, "exceeded": False}, bad)
    assert within("fail", fine, None)
    assert not within("fail", fine, bad)
    assert not within("fail", {"judged": False, "exceeded": False}, {"judged": True, "met": True})


def test_limits_that_end_are_not_judged():
    verdict = em_report(None, TECH, None, {}, None).verdict
    assert not verdict.judged
    assert "not judged" in verdict.text


def test_polarities_by_name():
    assert polarity_options("reset", 2.0) == {"write_voltage": -2.0, "write_rail": 2.0}
    ways = list(write_options(TECH, "deep-net", {"write_voltage": 1.5, "write_column": 1}))
    assert [w["write_voltage"] for w in ways] == [1.5, -1.5]
    assert VoltageRangeError.exit_code == 2
