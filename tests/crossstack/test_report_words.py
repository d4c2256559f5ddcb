"""Words of the pages: units, titles, what is said where nothing was computed."""

from __future__ import annotations

import hashlib
import json

import pytest

from crossstack.report.page import scaled


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.08e-8, "10.8 nV"),
        (1.46e-13, "146 fV"),
        (9.999e-7, "1.00 uV"),
        (6.94e-18, "0 V"),
        (0.0, "0 V"),
        (2.0, "2.00 V"),
        (-0.0471, "-47.1 mV"),
        (1234.0, "1.23 kV"),
    ],
)
def test_quantities_have_the_prefix_that_suits_them(value, text):
    assert scaled(value, "V") == text


def test_a_solve_says_how_it_was_done(crossstack, built, tmp_path):
    asked = ("--mode", "deep-net", "--read-tier", "top", "--write-column", 1, "-o", tmp_path)
    chance = ("--monte-carlo", 4, "--seed", 9, "--sigma", 0.25, "--stuck", 0.05)
    assert crossstack("solve", built, *asked, *chance, "--open-wire", 0.01).code == 0
    value = json.loads((tmp_path / "ir_drop.json").read_text())
    digest = hashlib.sha256((built / "network.npz").read_bytes()).hexdigest()
    assert value["source"] == {"network.npz": digest}
    many = value["monte_carlo"]
    keys = ("seed", "sigma", "stuck_on", "stuck_off", "open_wire")
    assert [many[key] for key in keys] == [9, 0.25, 0.05, 0.05, 0.01]
    found = value["parameters"]
    assert (found["mode"], found["read_tier"], found["write_column"]) == ("deep-net", "top", 1)
    assert (found["write_voltage_V"], found["profile"]) == (2.0, "stepper")
    text = (tmp_path / "report.html").read_text()
    assert f"<title>{built.name}, solve: deep-net - CrossStack</title>" in text
    for word in (digest, "deviation of 0.25", "5.00 % of the devices are stuck on", "klayout"):
        assert word in text


def test_what_an_open_transistor_hides_is_not_called_zero(built):
    text = (built / "report.html").read_text()
    assert "not modelled: transistors that are off are open here" in text
    assert "changes by 0 %" not in text
