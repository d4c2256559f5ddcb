"""Transistors at work by chains of lines, as in large arrays, against the whole network."""

import numpy as np
import pytest

from crossstack.analyse import branches, operating, transistors
from crossstack.analyse.analysis import Stimulus, operating_point, stimulus
from crossstack.analyse.branches import Branches
from crossstack.analyse.operating import Laws, at_work, write_options
from crossstack.config import config_of
from crossstack.figures import Study, draw
from crossstack.solve.modes.modes import DEEP_NET, EXPANSION
from crossstack.solve.network import linear, nonlinear
from crossstack.solve.network.reduced import reduced


def study(**values) -> Study:
    config = config_of({"rows": 5, "cols": 4, **values})
    return Study(config, draw(config))


def some_devices(found: Study) -> Stimulus:
    """Devices of any state, some of them open."""
    what, rng = stimulus(found.network, found.tech), np.random.default_rng(7)
    siemens = np.exp(rng.uniform(np.log(1e-6), np.log(1e-4), what.conductances.shape))
    siemens[rng.random(siemens.shape) < 0.1] = 0.0
    return Stimulus(siemens * found.network.present, what.inputs, {})


def ways(found: Study, mode: str) -> list[dict]:
    options = {"write_column": 1} if mode == DEEP_NET else {}
    return [*write_options(found.tech, mode, options)]


@pytest.fixture
def large(monkeypatch):
    """Every network counts as large."""

    def begin():
        monkeypatch.setattr(linear, "REGULAR_FROM", 1)

    return begin


@pytest.mark.parametrize("mode", [EXPANSION, DEEP_NET])
@pytest.mark.parametrize(
    ("values", "device"),
    [
        ({}, {}),
        ({"row_ends": "one", "select_w_um": 5.0}, {"law": "cubic"}),
        ({"top": "macro"}, {}),
        ({}, {"compliance_a": 2e-4}),
        ({}, {"v_set_v": 3.1, "v_reset_v": 3.1}),
        ({"process": "sky130", "profile": None}, {}),
    ],
)
def test_the_same_as_newtons_method_on_all_nodes(values, device, mode, large):
    values = {key: value for key, value in values.items() if value is not None}
    found = study(**values, device=device)
    what, laws, every = some_devices(found), Laws.of(found.tech), ways(found, mode)
    wanted = [operating_point(found.network, found.tech, what, mode, laws, **way) for way in every]
    large()
    for way, want in zip(every, wanted, strict=True):
        ours = operating_point(found.network, found.tech, what, mode, laws, **way)
        most = np.nanmax(np.abs(want.solution.device_currents))
        off = ours.solution.device_currents - want.solution.device_currents
        assert np.nanmax(np.abs(off)) <= 1e-9 * most
        assert ours.column_currents == pytest.approx(want.column_currents, rel=1e-9, abs=1e-18)


@pytest.mark.parametrize("mode", [EXPANSION, DEEP_NET])
def test_one_solve_of_the_whole_network_confirms_it(mode, large, monkeypatch):
    found = study()
    what, laws = some_devices(found), Laws.of(found.tech)
    large()
    monkeypatch.setattr(operating, "node_volts", lambda *_: pytest.fail("a factor of all nodes"))
    rounds = []
    whole = transistors.Series.__call__
    monkeypatch.setattr(
        transistors.Series, "__call__", lambda *given: rounds.append(1) or whole(*given)
    )
    for way in ways(found, mode):
        rounds.clear()
        at_work(found.network, found.tech, what, mode, **laws.options, **way)
        assert len(rounds) == 1


def test_operating_points_of_large_networks_are_judged_by_lines(large, monkeypatch):
    found = study()
    what, laws = some_devices(found), Laws.of(found.tech)
    large()
    monkeypatch.setattr(nonlinear, "Factorised", lambda *_: pytest.fail("a factor of all nodes"))
    for way in ways(found, DEEP_NET):
        drop = operating_point(found.network, found.tech, what, DEEP_NET, laws, **way)
        assert drop.kcl_residual < 1e-9


def test_what_is_no_branch_is_left_alone():
    plain = Branches.of(reduced(study().network).network)
    assert plain is not None
    assert (len(plain.switch), len(plain.rest)) == (40, 0)
    macro = study(top="macro")
    small = reduced(macro.network).network
    found = Branches.of(small)
    assert found is not None
    assert len(found.switch) == 40
    assert len(found.rest) == len(small.switch_a) - 40 > 0
    # two gates on one memristor are no single transistor
    assert Branches.of(reduced(study(select_fingers=2, select_w_um=8.0).network).network) is None
    assert Branches.of(reduced(study(cell="passive").network).network) is None


def test_what_is_not_found_by_chains_is_found_as_before(large, monkeypatch):
    found = study()
    what, laws = some_devices(found), Laws.of(found.tech)
    (way,) = ways(found, EXPANSION)
    want = at_work(found.network, found.tech, what, EXPANSION, **laws.options, **way)
    large()
    monkeypatch.setattr(branches, "_MOST_ROUNDS", 0)
    ours = at_work(found.network, found.tech, what, EXPANSION, **laws.options, **way)
    np.testing.assert_array_equal(ours.ohm, want.ohm)
