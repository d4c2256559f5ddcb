"""Large circuits, in which the rounding of all sums together is more than a current may miss."""

import numpy as np
import pytest

from crossstack.base.errors import ConvergenceError
from crossstack.solve.circuit import graph
from crossstack.solve.circuit.circuit import prepare
from crossstack.solve.circuit.graph import Factorised

NODES = 6000


@pytest.fixture
def line():
    """A fat line that carries 0.1 A and more, and a device beside it that carries 50 uA."""
    rng = np.random.default_rng(3)
    ohm = 1e-4 * (1 + rng.random(NODES - 1))
    a = np.r_[np.arange(NODES - 1), NODES // 2]
    b = np.r_[np.arange(1, NODES), NODES]
    g = np.r_[1 / ohm, 1e-3]
    circuit = prepare(NODES + 1, a, b, g, np.array([0, NODES - 1, NODES]))
    volts = np.zeros(NODES + 1)
    volts[0] = 0.1
    return circuit, volts, ohm


def test_such_a_circuit_is_solved(line) -> None:
    circuit, volts, ohm = line
    found = Factorised(circuit).flow(volts, edges=(np.array([NODES - 1]),))
    # hand: the middle of a divider with a small load
    left, right = ohm[: NODES // 2].sum(), ohm[NODES // 2 :].sum()
    middle = 0.1 / left / (1 / left + 1 / right + 1e-3)
    assert found.amps[NODES - 1] == pytest.approx(1e-3 * middle, rel=1e-10)
    assert found.out[0] == pytest.approx((0.1 - middle) / left, rel=1e-12)


def test_without_longer_numbers_it_is_refused_not_guessed(line, monkeypatch) -> None:
    monkeypatch.setattr(graph, "LONG_ROUNDING", graph.ROUNDING)
    with pytest.raises(ConvergenceError, match="asked: 1e-10"):
        Factorised(line[0]).flow(line[1], edges=(np.array([NODES - 1]),))


def test_both_sums_are_the_same_but_for_rounding(line) -> None:
    circuit, volts, _ = line
    volts = np.linspace(0.1, 0.0, len(volts))
    fine = 1e-18 * np.sin(np.arange(len(volts)))
    usual, long = circuit.flow(volts, fine), circuit.long_flow(volts, fine)
    np.testing.assert_allclose(long.amps, usual.amps, rtol=1e-9)
    scale = np.abs(usual.amps).max()
    np.testing.assert_allclose(long.out, usual.out, atol=1e-12 * scale)
