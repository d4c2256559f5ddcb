"""Programming and sensitivity of an extracted macro, transistors where they work."""

import json

import numpy as np
import pytest

from crossstack.analyse.analysis import solve_modes, stimulus
from crossstack.analyse.studies import (
    programming,
    programming_lines,
    sensitivity,
    sensitivity_lines,
)
from crossstack.base.errors import ConfigError
from crossstack.cells.drawing import to_layout
from crossstack.cli import run
from crossstack.console import Console
from crossstack.extract import extract_network
from crossstack.generators import ArraySpec, build_top
from crossstack.pdk import get_tech
from crossstack.solve import save_network

TECH = get_tech()
CONSOLE = Console(as_json=True, quiet=True)


@pytest.fixture(scope="module")
def macro():
    drawn = build_top(ArraySpec(rows=3, cols=4, top="macro"))
    return to_layout(drawn.cell, drawn.tech)


@pytest.fixture(scope="module")
def network(macro):
    return extract_network(macro, TECH)


def test_programming_goes_through_the_slots_that_deep_net_solves(network):
    what = stimulus(network, TECH)
    reports = programming(network, TECH, what, 0.5, CONSOLE)
    ways = [(r.to_json()["tier"], r.polarity) for r in reports]
    assert ways == [(tier, way) for tier in ("top", "bottom") for way in ("set", "reset")]
    lowest = []
    for column in range(network.cols):
        done, _ = solve_modes(
            network, TECH, what, CONSOLE, ("deep-net",), read_tier="bottom", write_column=column,
            polarity="set",
        )  # fmt: skip
        lowest.append(done["deep-net"].write.device_voltages.min())
    assert reports[0].report.voltages.min() == pytest.approx(min(lowest), rel=2e-3)
    assert not reports[0].report.below.any()
    assert "every cell gets it" in programming_lines([r.to_json() for r in reports])[0]


def test_programming_names_the_cells_that_get_too_little(network):
    what = stimulus(network, TECH)
    voltage = programming(network, TECH, what, 1.0, CONSOLE)[2].report.voltages.min()
    reports = programming(network, TECH, what, voltage + 1e-4, CONSOLE)
    below = reports[2].report.below.sum()
    assert 0 < below < 12
    assert f"{below} cells get less" in programming_lines([r.to_json() for r in reports])[2]
    more = programming(network, TECH, what, voltage + 1e-4, CONSOLE, write_voltage=2.2)
    assert more[2].applied_v == 2.2
    # a tenth more hardly arrives; ngspice with BSIM gives 1.0395 and 1.0513 V in column 0
    assert voltage == pytest.approx(1.0395, rel=2e-3)
    assert more[2].report.voltages.min() == pytest.approx(1.0513, rel=2e-3)


def test_programming_needs_the_mode_and_a_voltage(network):
    for cell, words in (
        ("passive", "deep-net needs select"),
        ("passive_planar", "write needs select"),
    ):
        drawn = build_top(ArraySpec(rows=2, cols=2, cell=cell))
        bare = extract_network(to_layout(drawn.cell, drawn.tech), TECH)
        with pytest.raises(ConfigError, match=words):
            programming(bare, TECH, stimulus(bare, TECH), 1.5, CONSOLE)
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(ConfigError, match=r"allowed: 0\.001 V or more"):
            programming(network, TECH, stimulus(network, TECH), wrong, CONSOLE)


def test_sensitivity_is_what_another_sheet_resistance_does(macro, network):
    what = stimulus(network, TECH)
    found = sensitivity(network, TECH, what, "expansion", CONSOLE)
    warm = TECH.with_sheet_resistance("ME", 0.404)  # 1 % more
    other = extract_network(macro, warm)
    currents = [
        solve_modes(n, tech, what, CONSOLE, ("expansion",))[0]["expansion"].column_currents
        for n, tech in ((network, TECH), (other, warm))
    ]
    change = (currents[1] - currents[0]) / currents[0] / 0.01
    # the transistors' part of the answer, kept fixed by the sensitivity, is small
    np.testing.assert_allclose(found["ME"], change, rtol=0.02)
    head, first, *_ = sensitivity_lines(found)
    assert "worst column" in head
    assert first.split()[0] == max(found, key=lambda k: np.nanmax(np.abs(found[k])))


def test_solve_prints_and_keeps_both(network, tmp_path, capsys):
    path, out = save_network(network, tmp_path / "net.npz"), tmp_path / "out"
    out.mkdir()
    arguments = ["solve", str(path), "--programming", "1.9", "--sensitivity", "-o", str(out)]
    assert run(arguments) == 1
    printed = capsys.readouterr().out
    assert "set of the top tier with 2 V" in printed
    assert "12 cells get less" in printed
    assert "\nVia2 " in printed
    value = json.loads((out / "ir_drop.json").read_text())
    assert len(value["programming"][0]["cells_below"]) == 12
    assert len(value["sensitivity"]["ME"]) == 4
    page = (out / "report.html").read_text()
    assert "12 cells get less" in page
    assert "<td>Via2</td>" in page
