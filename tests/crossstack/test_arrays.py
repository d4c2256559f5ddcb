"""Arrays without named nodes: the same answers as the network that they stand for."""

import json
from dataclasses import replace

import numpy as np
import pytest

from crossstack.analyse.analysis import Stimulus, solve_modes, stimulus
from crossstack.cli import run
from crossstack.console import Console
from crossstack.extract import TiledArray, save_array
from crossstack.pdk import Conditions, get_tech

TECH = get_tech("stepper")


def tiled(tiers, rows, cols, *, select=True, row_first=True, column_first=True):
    rng = np.random.default_rng(9)

    def ohm(low, high, *shape):
        return rng.uniform(low, high, shape)

    cells = (tiers, rows, cols)
    size = np.full(cells, 2.0 if select else np.nan)
    return TiledArray(
        row_segment=ohm(0.1, 2, *cells), row_tap=ohm(5, 20, *cells),
        drain=ohm(10, 30, *cells) * select, column_segment=ohm(0.5, 2, rows, cols),
        column_tap=ohm(0, 0.2, *cells), switch_w_um=size, switch_l_um=0.14 * size,
        area_um2=np.full(cells, 0.25), row_pin_first=row_first, column_pin_first=column_first,
    )  # fmt: skip


@pytest.mark.parametrize("row_first", [True, False])
@pytest.mark.parametrize("column_first", [True, False])
@pytest.mark.parametrize("select", [True, False])
@pytest.mark.parametrize("tiers", [1, 2])
def test_same_as_its_network(tiers, select, row_first, column_first):
    array = tiled(tiers, 6, 5, select=select, row_first=row_first, column_first=column_first)
    rng = np.random.default_rng(2)
    shape = (tiers, 6, 5)
    what = Stimulus(10 ** rng.uniform(-6, -4, shape), rng.uniform(0.05, 0.2, shape[:2]), {})
    console = Console(as_json=True, quiet=True)
    options = {"read_tier": "top", "write_column": 3}
    ours, not_run = solve_modes(array, TECH, what, console, **options)
    theirs, also = solve_modes(array.network(), TECH, what, console, **options)
    assert not_run == also
    assert list(ours) == list(theirs)
    assert ("deep-net" in ours) == (select and tiers == 2)
    for mode, one in ours.items():
        other = theirs[mode]
        # transistors and voltages are brought together to a thousandth of R_on
        np.testing.assert_allclose(one.column_currents, other.column_currents, rtol=1e-4)
        for part in ("wires_only", "all_series"):
            for metric in ("worst_device", "mean_device", "worst_column"):
                assert getattr(getattr(one, part), metric) == pytest.approx(
                    getattr(getattr(other, part), metric), rel=2e-3
                ), (mode, part, metric)
        np.testing.assert_allclose(one.device_error_wires, other.device_error_wires, atol=1e-8)
        assert one.kcl_residual < 1e-8
        if other.write is not None:
            np.testing.assert_allclose(
                one.write.device_voltages, other.write.device_voltages, rtol=1e-3
            )


@pytest.mark.parametrize(
    "device",
    [
        {"law": "cubic", "area_um2": 1.0, "area_exponent": 0.5},
        {"compliance_a": 2e-5},
        {"write_rows": 4, "v_set_v": 1.5},
    ],
)
def test_other_devices_are_the_same_as_its_network(device):
    tech = TECH.at(Conditions(device=device))
    array = tiled(2, 6, 5)
    what, console = stimulus(array, tech), Console(as_json=True, quiet=True)
    ours, _ = solve_modes(array, tech, what, console, ["deep-net"], write_column=3)
    theirs, _ = solve_modes(array.network(), tech, what, console, ["deep-net"], write_column=3)
    for polarity, one in ours["deep-net"].writes.items():
        other = theirs["deep-net"].writes[polarity]
        np.testing.assert_array_equal(one.applied, other.applied)
        np.testing.assert_allclose(one.device_voltages, other.device_voltages, rtol=1e-4, atol=1e-6)
        assert one.column_current == pytest.approx(other.column_current, rel=1e-4)
        assert one.lowest_voltage == pytest.approx(other.lowest_voltage, rel=1e-4)
    if "area_um2" in device:
        assert what.conductances == pytest.approx(1e-4 * 0.25**0.5)


def test_solve_takes_the_file(tmp_path, capsys):
    array = replace(tiled(2, 4, 3), conditions=TECH.conditions.to_json())
    path = save_array(array, tmp_path / "big_array.npz")
    arguments = ["solve", str(path), "--json", "--quiet", "--mode", "deep-net"]
    assert run([*arguments, "--write-column", "2", "-o", str(tmp_path)]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["modes"]["deep-net"]["write"]["column"] == 2
    assert (tmp_path / "ir_drop.csv").read_text().count("\n") == 1 + 2 * 4 * 3
    for option in (["--nonlinear"], ["--monte-carlo", "3"]):
        assert run(["solve", str(path), *option]) == 2
        error = capsys.readouterr().err
        assert f"{option[0]} needs a network with named nodes" in error
        assert error.count("\n") == 1
