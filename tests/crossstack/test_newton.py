"""Transistors and memristors at work: Newton's method against repeated solves."""

import numpy as np
import pytest
from scipy.sparse import diags
from scipy.sparse.linalg import splu, spsolve

from crossstack.analyse import newton, on_resistance, operating, transistors
from crossstack.analyse.analysis import stimulus
from crossstack.analyse.on_resistance import OnResistance
from crossstack.analyse.operating import Laws, mode_ohm, write_options
from crossstack.config import config_of
from crossstack.figures import Study, draw
from crossstack.pdk import get_tech
from crossstack.pdk.ron import surface
from crossstack.solve.modes.modes import DEEP_NET

TECH = get_tech("stepper")


def study(**values) -> Study:
    config = config_of({"rows": 4, "cols": 3, **values})
    return Study(config, draw(config))


def ohms(found: Study) -> list[np.ndarray]:
    laws = Laws.of(found.tech)
    what = stimulus(found.network, found.tech)
    return [
        mode_ohm(found.network, found.tech, what, DEEP_NET, **laws.options, **way)
        for way in write_options(found.tech, DEEP_NET, {"write_column": 1})
    ]


@pytest.mark.parametrize(
    ("values", "device"),
    [
        ({}, {}),
        ({"select_w_um": 8.0, "strap": True}, {"v_set_v": 2.4, "v_reset_v": 2.4}),
        ({"top": "macro"}, {"compliance_a": 2e-4}),
        ({"select_w_um": 5.0}, {"write_rows": 2, "law": "cubic"}),
        ({}, {"v_set_v": 3.1, "v_reset_v": 3.1}),
    ],
)
def test_both_ways_lead_to_the_same_resistances(values, device, monkeypatch):
    found = study(**values, device=device)
    quick = ohms(found)
    monkeypatch.setattr(operating, "node_volts", lambda *_: None)
    for ours, slow in zip(quick, ohms(found), strict=True):
        conducts = slow < 1e8
        np.testing.assert_allclose(ours[conducts], slow[conducts], rtol=2e-4)


def test_a_wide_transistor_at_a_high_voltage_needs_no_repeated_solves(monkeypatch):
    # 200 solves a slot did not settle here
    found = study(
        rows=8, select_w_um=12.0, device={"write_rows": 1, "v_set_v": 2.4, "v_reset_v": 2.4}
    )
    monkeypatch.setattr(transistors, "settled", lambda *_: pytest.fail("repeated solves"))
    assert all(np.isfinite(each).all() for each in ohms(found))


def test_slopes_of_transistors_are_those_of_their_currents():
    rng = np.random.default_rng(3)
    count, step = 400, 1e-6
    is_p = rng.uniform(size=count) < 0.5
    table = OnResistance(TECH, rng.choice([0.8, 4.0], count), np.full(count, 0.28), is_p)
    a, b = rng.uniform(-0.2, 3.2, (2, count))
    amps, by_a, by_b = table.flow(a, b)
    np.testing.assert_allclose(amps, (a - b) / table(a, b), rtol=1e-12)
    for k, slope in enumerate((by_a, -by_b)):
        ends = [(a + sign * step * (1 - k), b + sign * step * k) for sign in (1, -1)]
        high, low = (table.flow(*end)[0] for end in ends)
        wanted = (high - low) / (2 * step)
        # a step across a bend of the table, and slopes below zero, are no slope
        close = np.isclose(slope, wanted, rtol=1e-4, atol=1e-9)
        close |= (slope == 0) & (np.abs(wanted) < 0.05 * np.abs(amps) / np.abs(a - b))
        assert close.mean() > 0.99


@pytest.mark.parametrize("drop_v", [3.0, 0.005])
def test_slopes_of_resistances_are_those_of_the_table(drop_v):
    """Below the table's least drop, where reads are, its end holds: no slope along the drop."""
    rng, count, step = np.random.default_rng(4), 2000, 1e-7
    is_p = rng.random(count) < 0.5
    table = OnResistance(TECH, rng.choice([0.8, 4.0], count), np.full(count, 0.28), is_p)
    a = rng.uniform(-0.2, 5.2, count)
    b = a + rng.uniform(-drop_v, drop_v, count)
    ohm, *slopes = table.by_ends(a, b)
    np.testing.assert_array_equal(ohm, table(a, b))
    for k, slope in enumerate(slopes):
        ends = [(a + sign * step * (1 - k), b + sign * step * k) for sign in (1, -1)]
        high, low = (np.log(table(*end)) for end in ends)
        close = np.isclose(slope, (high - low) / (2 * step), rtol=1e-4, atol=1e-6)
        assert close.mean() > 0.99


def test_pieces_of_transistors_are_parts_of_all(monkeypatch):
    monkeypatch.setattr(on_resistance, "_PIECE", 300)
    rng, count = np.random.default_rng(6), 1000
    is_p = np.arange(count) > 700
    table = OnResistance(TECH, rng.choice([0.8, 4.0], count), np.full(count, 0.28), is_p)
    a, b = rng.uniform(-0.2, 3.2, (2, count))
    assert [some.stop for some, _ in table.pieces] == [300, 600, 900, 1000]
    for some, part in table.pieces:
        np.testing.assert_array_equal(part(a[some], b[some]), table(a, b)[some])
        np.testing.assert_array_equal(part.least(), table.least()[some])
        for mine, whole in zip(part.by_ends(a[some], b[some]), table.by_ends(a, b), strict=True):
            np.testing.assert_array_equal(mine, whole[some])
    volts, which = rng.uniform(0, 3, 7), rng.integers(0, 7, count)
    same = table(volts[which], volts[which])
    np.testing.assert_array_equal(table.without_drop(volts, which), same)


def test_places_in_a_table_are_those_of_a_search():
    """Arithmetic on an even grid finds the interval that a search finds, at its ends too."""
    path = TECH.nfet.ron_table
    found = surface("nfet", 2.0, corner="typ", temperature_c=25.0, path=path)
    axis, rng = found._source, np.random.default_rng(5)
    ends = axis.grid
    values = np.concatenate([ends, np.nextafter(ends, -9), np.nextafter(ends, 9),
                             rng.uniform(ends[0] - 1, ends[-1] + 1, 2000)])  # fmt: skip
    k, share = axis(values)
    inside = np.clip(values, ends[0], ends[-1])
    wanted = np.minimum(np.searchsorted(ends, inside, side="right"), len(ends) - 1) - 1
    np.testing.assert_array_equal(k, wanted)
    np.testing.assert_allclose(ends[k] + share * np.diff(ends)[k], inside, rtol=0, atol=1e-14)
    assert np.isnan(found(np.array([np.nan]), np.array([0.1]))).all()


def test_a_step_by_a_poor_factor_is_not_taken():
    n = 40
    matrix = diags([np.full(n - 1, -1.0), np.arange(2.0, n + 2), np.full(n - 1, -1.0)], [-1, 0, 1])
    matrix, right = matrix.tocsc(), np.linspace(1.0, 2.0, n)
    exact = spsolve(matrix, right)
    near = newton._iterated(matrix, right, splu(matrix + diags(0.1 * np.ones(n))).solve, 12)
    assert near == pytest.approx(exact, rel=1e-4)
    assert newton._iterated(matrix, right, lambda x: 1e-9 * np.roll(x, 7), 2) is None
