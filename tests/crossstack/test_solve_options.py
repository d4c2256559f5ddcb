"""`crossstack solve` with nonlinear devices and with random versions of the array."""

from __future__ import annotations

import json

import numpy as np
import pytest

from crossstack.analyse import analysis
from crossstack.analyse.operating import mode_ohm
from crossstack.pdk import get_tech
from crossstack.solve import Sinh, load_network, solve_network_nonlinear
from crossstack.solve.modes.drives import gates_for, network_drives

from .conftest import COLS, ROWS

TECH = get_tech()
COUNT = 2 * ROWS * COLS


def amps(ran, mode="expansion"):
    assert ran.code == 0, ran.err
    return np.array(ran.json["modes"][mode]["column_currents_A"])


def test_nonlinear_is_newtons_solution_with_working_transistors(crossstack, built):
    ran = crossstack("solve", built, "--nonlinear", "--json")
    network = load_network(built / "network.npz")
    what, law = analysis.stimulus(network, TECH), Sinh(TECH.memristor.sinh_b_per_v)
    drives = network_drives(network, "expansion", what.inputs)
    direct = solve_network_nonlinear(
        network,
        conductances=what.conductances,
        port_voltages=drives.port_voltages,
        gates=gates_for(network, drives),
        device=law,
        switch_ohm=mode_ohm(network, TECH, what, "expansion", device=law),
    )
    wanted = [-direct.port_currents[pin] for pin in drives.outputs]
    assert amps(ran) == pytest.approx(wanted, rel=1e-9)
    assert ran.json["laws"]["read"]["b_per_V"] == law.b
    mode = ran.json["modes"]["expansion"]
    assert mode["method"].startswith("newton")
    ideal = 2 * ROWS * law.current(np.array(1e-4), np.array(TECH.memristor.v_read_v))
    assert mode["ideal_column_currents_A"] == pytest.approx([float(ideal)] * COLS, rel=1e-12)


def test_nonlinear_devices_carry_more_and_linear_ones_as_before(crossstack, built):
    linear, bent = crossstack("solve", built, "--json"), crossstack(
        "solve", built, "--nonlinear", "--json"
    )  # fmt: skip
    assert linear.json["laws"]["read"]["law"] == "linear"
    assert linear.json["modes"]["expansion"]["method"] == "direct"
    ratio = amps(bent) / amps(linear)
    assert ((ratio > 1.0) & (ratio < np.sinh(0.6) / 0.6)).all()


def test_small_voltages_make_the_law_linear(crossstack, built, tmp_path):
    inputs = tmp_path / "x.csv"
    np.savetxt(inputs, np.full((2, ROWS), 1e-4), delimiter=",")
    linear = amps(crossstack("solve", built, "--inputs", inputs, "--json"))
    bent = amps(crossstack("solve", built, "--inputs", inputs, "--nonlinear", "--json"))
    assert bent == pytest.approx(linear, rel=1e-6)


def test_nonlinear_deep_net(crossstack, built):
    ran = crossstack(
        "solve", built, "--mode", "deep-net", "--write-column", 1, "--nonlinear", "--json"
    )
    write = ran.json["modes"]["deep-net"]["write"]
    assert write["column"] == 1
    assert 0 < write["worst_loss"] < 1


def test_monte_carlo_is_repeatable(crossstack, built):
    def run(*more):
        ran = crossstack("solve", built, "--monte-carlo", 8, "--json", *more)
        assert ran.code == 0, ran.err
        return ran.json["monte_carlo"]

    one, same, other = run("--seed", 5), run("--seed", 5), run("--seed", 6)
    assert one == same
    assert one["mean_A"] != other["mean_A"]
    assert run() == run("--seed", 0)
    assert (one["samples"], one["seed"], one["open_wires"]) == (8, 5, 0)
    assert one["worst_column_error"] > 0
    assert one["worst_column"] in [f"C[{j}]" for j in range(COLS)]
    assert 0 <= one["worst_sample"] < 8


def test_monte_carlo_without_spread_is_the_nominal_array(crossstack, built):
    ran = crossstack("solve", built, "--monte-carlo", 2, "--sigma", 0, "--json")
    found = ran.json["monte_carlo"]
    assert found["mean_A"] == pytest.approx(amps(ran).tolist(), rel=1e-9)
    assert found["std_A"] == pytest.approx([0.0] * COLS, abs=1e-15)
    assert found["worst_column_error"] == pytest.approx(0.0, abs=1e-9)


def test_monte_carlo_breaks_wires_and_devices(crossstack, built):
    options = ("--monte-carlo", 6, "--sigma", 0, "--json")
    stuck = crossstack("solve", built, *options, "--stuck", 0.4).json["monte_carlo"]
    broken = crossstack("solve", built, *options, "--open-wire", 0.1).json["monte_carlo"]
    assert min(stuck["std_A"]) > 0
    assert broken["open_wires"] > 0
    assert max(broken["mean_A"]) < max(broken["nominal_A"])


def test_monte_carlo_counts_the_columns_that_are_read(crossstack, built):
    ran = crossstack(
        "solve", built, "--mode", "deep-net", "--write-column", 1, "--monte-carlo", 3, "--json"
    )
    assert ran.json["monte_carlo"]["worst_column"] == "C[0]"


def test_what_people_read(crossstack, built):
    ran = crossstack("solve", built, "--monte-carlo", 3, "--seed", 1)
    assert "3 samples, seed 1" in ran.out
    assert "worst column error" in ran.out
    assert ran.out.count(" std ") == COLS
    assert "sinh" in crossstack("solve", built, "--nonlinear").out
    assert crossstack("solve", built, "--monte-carlo", 2, "-q").out == ""


def test_out_is_a_table_or_a_folder(crossstack, built, tmp_path):
    table = tmp_path / "t.csv"
    assert crossstack("solve", built, "--nonlinear", "-o", table).code == 0
    ran = crossstack("solve", built, "--nonlinear", "--monte-carlo", 2, "-o", tmp_path)
    ran.fails(2, "--nonlinear")
    ran = crossstack("solve", built, "--monte-carlo", 2, "-o", tmp_path, "--json")
    assert json.loads((tmp_path / "ir_drop.json").read_text()) == {"schema": 1, **ran.json}
    assert sum(ran.json["monte_carlo"]["distribution"]["counts"]) == 2 * COLS
    for path in (table, tmp_path / "ir_drop.csv"):
        assert len(path.read_text().splitlines()) == 1 + COUNT


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--seed", 1), ("--seed", "--monte-carlo")),
        (("--sigma", 0.1), ("--sigma", "--monte-carlo")),
        (("--stuck", 0.1, "--nonlinear"), ("--stuck", "--monte-carlo")),
        (("--open-wire", 0.1), ("--open-wire", "--monte-carlo")),
        (("--monte-carlo", 0), ("--monte-carlo", "1 or more")),
        (("--monte-carlo", "many"), ("--monte-carlo",)),
        (("--monte-carlo", 2, "--seed", -1), ("--seed", "0 or more")),
        (("--monte-carlo", 2, "--nonlinear"), ("--nonlinear",)),
        (("--monte-carlo", 2, "--sigma", -1), ("--sigma", "0 to 10")),
        (("--monte-carlo", 2, "--sigma", "nan"), ("sigma",)),
        (("--monte-carlo", 2, "--stuck", 0.7), ("stuck",)),
        (("--monte-carlo", 2, "--open-wire", 2), ("--open-wire", "0 to 1")),
        (("--monte-carlo", 2, "--write-column", 1), ("--write-column", "deep-net")),
    ],
)
def test_wrong_combinations_are_refused(crossstack, built, options, words):
    crossstack("solve", built, *options).fails(2, *words)
