"""Digits on extracted networks: accurate, and worse where wires are."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def measured(example, tmp_path_factory):
    out = tmp_path_factory.mktemp("digits")
    arguments = ["--hidden", "12", "--images", "300", "--factors", "1", "30", "--out", str(out)]
    assert example("digits").main(arguments) == 0
    assert (out / "digits.png").stat().st_size > 10_000
    value = json.loads((out / "digits.json").read_text())
    value["of"] = {(r["name"], r["factor"]): r for r in value["extracted"]}
    return value


def test_ideal_devices_classify(measured):
    assert min(measured["software"].values()) >= 0.93
    assert min(measured["ideal"].values()) >= 0.92


@pytest.mark.parametrize("name", ["planar", "stacked", "deep-net"])
def test_extracted_arrays_come_near_ideal_and_wires_cost(measured, name):
    drawn, worse = measured["of"][name, 1], measured["of"][name, 30]
    assert abs(drawn["accuracy"] - measured["ideal"][name]) <= 0.02
    assert 0.02 < drawn["loss"] < 0.08
    assert worse["loss"] > 4 * drawn["loss"]
    assert worse["accuracy"] < drawn["accuracy"] - (0.01 if name == "stacked" else 0.03)
    for result in (drawn, worse):
        assert result["loss"] < result["worst"]
        assert 0 < result["matrix"] < 0.002
        assert result["kcl"] < 1e-9


def test_stacking_loses_less_than_the_planar_array(measured):
    for factor in (1, 30):
        stacked, planar = (measured["of"][name, factor] for name in ("stacked", "planar"))
        assert stacked["loss"] < 0.9 * planar["loss"]
        assert stacked["worst"] < planar["worst"]


def test_conductances_are_the_weights(example):
    module = example("digits")
    rng = np.random.default_rng(3)
    weights, x = rng.normal(size=(7, 4)), rng.random((5, 7))
    exact = module.Devices(module.get_tech(), 0, 0.0, 1).conductances(weights)
    assert (exact.min(), exact.max()) == pytest.approx((1e-6, 1e-4))
    scale = np.abs(weights).max() / (1e-4 - 1e-6)
    np.testing.assert_allclose(scale * module.pairs(x @ exact), x @ weights, rtol=1e-9, atol=1e-12)
    coarse = module.Devices(module.get_tech(), 4, 0.0, 1).conductances(weights)
    assert len(np.unique(coarse.round(9))) == 4
    spread = module.Devices(module.get_tech(), 0, 0.1, 1).conductances(weights)
    assert 0.05 < np.log(spread / exact).std() < 0.15


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--hidden", "65"], "--hidden is 65"),
        (["--levels", "1"], "--levels is 1"),
        (["--images", "1"], "--images is 1"),
        (["--seed", "-1"], "--seed is -1"),
    ],
)
def test_wrong_arguments_are_refused(example, capsys, arguments, words):
    with pytest.raises(SystemExit) as stop:
        example("digits").main(arguments)
    assert stop.value.code == 2
    assert words in capsys.readouterr().err
