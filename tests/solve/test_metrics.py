import json

import numpy as np
import pytest

from crossstack.solve import ModeError, Sinh, SquareLaw, ir_drop


def test_one_device_by_hand(make_array):
    network = make_array(1, 1, tiers=(0,), r_row=3.0, r_col=2.0)
    r = ir_drop(network, [[[1e-4]]], [[0.2]], switch_ohm=800.0, port_ohm=10.0)
    wires, everything = 3.0 + 2.0 + 4.5, 3.0 + 2.0 + 4.5 + 800.0 + 20.0
    for errors, ohm in ((r.wires_only, wires), (r.all_series, everything)):
        drop = ohm / (1e4 + ohm)
        assert errors.worst_device == pytest.approx(drop, rel=1e-10)
        assert errors.mean_device == pytest.approx(drop, rel=1e-10)
        assert errors.worst_column == pytest.approx(drop, rel=1e-10)
    assert r.column_currents[0] == pytest.approx(0.2 / (1e4 + everything), rel=1e-12)
    assert r.ideal_currents[0] == pytest.approx(2e-5)
    assert r.kcl_residual < 1e-10


def test_stacked_loses_less_than_planar_with_twice_the_rows(make_array):
    n, g = 6, 1e-4
    stacked = ir_drop(make_array(n, n), np.full((2, n, n), g), np.full((2, n), 0.2))
    planar = ir_drop(
        make_array(2 * n, n, tiers=(0,)), np.full((1, 2 * n, n), g), np.full((1, 2 * n), 0.2)
    )
    for metric in ("worst_device", "mean_device", "worst_column"):
        assert getattr(stacked.wires_only, metric) < getattr(planar.wires_only, metric)


def test_json_is_plain_and_has_the_agreed_keys(make_array):
    network = make_array(2, 3)
    g, x = np.full((2, 2, 3), 1e-4), np.full((2, 2), 0.2)
    for mode in ("expansion", "deep-net"):
        out = json.loads(json.dumps(ir_drop(network, g, x, mode=mode, switch_ohm=800.0).to_json()))
        for metric in ("worst_device_error", "mean_device_error", "worst_column_error"):
            assert 0 < out[metric]["wires_only"] < out[metric]["all_series"] < 1
        assert len(out["column_currents_A"]) == 3
        assert out["kcl_residual"] < 1e-9
        assert ("write" in out) == (mode == "deep-net")


def test_half_the_inputs_off_is_no_division_by_zero(make_array):
    x = np.array([[0.2, 0.0], [0.0, 0.2]])
    r = ir_drop(make_array(2, 2), np.full((2, 2, 2), 1e-4), x)
    assert np.isnan(r.device_error[0, 1]).all()
    assert 0 < r.wires_only.worst_device < 0.1


def test_without_inputs_there_is_no_percentage(make_array):
    r = ir_drop(make_array(2, 2), np.full((2, 2, 2), 1e-4), np.zeros((2, 2)))
    assert np.isnan(r.all_series.worst_device)
    assert r.to_json()["worst_column_error"]["all_series"] is None
    assert (r.column_currents == 0).all()


@pytest.mark.parametrize("tiny", [5e-324, 1e-320, 1e-300, 6e-17, -6e-17])
@pytest.mark.parametrize("mode", ["expansion", "deep-net"])
def test_an_input_that_is_only_rounding_is_none(make_array, tiny, mode):
    x = np.array([[tiny, 0.2], [0.2, 0.2]])
    none = np.where(x == tiny, 0.0, x)
    g = np.full((2, 2, 2), 1e-4)
    found, wanted = (ir_drop(make_array(2, 2), g, v, mode=mode).to_json() for v in (x, none))
    for metric in ("worst_device_error", "mean_device_error", "worst_column_error"):
        assert found[metric] == pytest.approx(wanted[metric])


@pytest.mark.parametrize("inputs", [5e-324, 1e-310, 1e-200, 0.2])
@pytest.mark.parametrize("siemens", [5e-324, 1e-310, 1e-200, 1e-4])
@pytest.mark.parametrize("mode", ["expansion", "deep-net"])
def test_no_figure_is_infinite(make_array, inputs, siemens, mode):
    g = np.full((2, 2, 2), 1e-4)
    g[0] = siemens
    x = np.full((2, 2), inputs)
    json.dumps(ir_drop(make_array(2, 2), g, x, mode=mode).to_json(), allow_nan=False)
    g[:] = siemens
    json.dumps(ir_drop(make_array(2, 2), g, x, mode=mode).to_json(), allow_nan=False)


def test_a_sum_that_only_rounding_leaves_is_zero(make_array):
    x = np.array([[0.1, 0.2], [-0.3, 0.0]])
    r = ir_drop(make_array(2, 2), np.full((2, 2, 2), 1e-4), x)
    assert (r.ideal_currents == 0).all()
    assert np.isnan(r.all_series.worst_column)
    assert 0 < r.all_series.worst_device < 0.1


def test_no_column_that_computes_is_refused(make_array):
    with pytest.raises(ModeError, match="nothing to compare"):
        # one column, and that one is being written
        ir_drop(make_array(2, 1), np.full((2, 2, 1), 1e-4), np.ones((2, 2)), mode="deep-net")


def test_write_data_pattern(make_array):
    r = ir_drop(
        make_array(3, 2), np.full((2, 3, 2), 1e-4), np.full((2, 3), 0.2), mode="deep-net",
        write_column=1, write_data=np.array([1.0, 0.0, -1.0]), switch_ohm=800.0,
    )  # fmt: skip
    v = r.write.device_voltages
    assert v[0] > 1.7
    assert abs(v[1]) < 0.01
    assert v[2] < -1.7
    assert 0 < r.write.worst_loss < 0.2


def test_nonlinear_devices_are_compared_with_their_own_ideal(make_array):
    network, g, x = make_array(4, 3), np.full((2, 4, 3), 1e-4), np.full((2, 4), 0.2)
    law = Sinh(3.0)
    bent = ir_drop(network, g, x, device=law, switch_ohm=800.0)
    np.testing.assert_allclose(bent.ideal_currents, 8 * law.current(1e-4, 0.2))
    straight = ir_drop(network, g, x, switch_ohm=800.0)
    # a steeper device draws more, so its wires lose more
    assert bent.wires_only.worst_device > straight.wires_only.worst_device
    assert bent.solution.method.startswith("newton")
    law_t = SquareLaw(k_n=3e-4, k_p=8e-5, vth_n=0.7, vth_p=0.8, gate_high=3.3)
    both = ir_drop(network, g, x, mode="deep-net", device=law, switch=law_t)
    assert both.write.read_disturb < 1e-6
    assert both.kcl_residual < 1e-8
