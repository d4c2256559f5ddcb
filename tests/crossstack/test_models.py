"""R_on of the transistors: the stored table against the foundry's models, and its use."""

from functools import partial

import numpy as np
import pytest

from crossstack.analyse.transistors import working_ohm
from crossstack.pdk import ParameterError, get_tech, ron
from crossstack.signoff.models import foundry_models, largest_difference, measure
from crossstack.solve.network.builder import NetworkBuilder

TECH = get_tech()
ron_ohm = partial(ron.ron_ohm, path=TECH.nfet.ron_table)


def test_stored_table_agrees_with_the_models(requires_program):
    """Within 2 % of the foundry's BSIM models at the slow corner; `foundry models` runs all."""
    requires_program("ngspice")
    with foundry_models(TECH) as folder:
        assert largest_difference(TECH, measure(TECH, folder, corners=("max",))) <= 0.02


@pytest.mark.parametrize(
    ("w", "source", "ohm"), [(1.0, 0.0, 1607), (2.0, 0.0, 803), (2.0, 0.5, 911), (5.0, 0.5, 360)]
)
def test_table_holds_the_published_figures(w, source, ohm):
    assert ron_ohm("nfet", w, source) == pytest.approx(ohm, rel=2e-3)


@pytest.mark.parametrize("kind", ["nfet", "pfet"])
def test_resistance_falls_with_width_and_between_corners(kind):
    volts = 0.0 if kind == "nfet" else 3.0
    values = [ron_ohm(kind, w, volts) for w in (0.36, 0.8, 1.7, 4.0, 13.0, 20.0, 50.0)]
    assert values == sorted(values, reverse=True)
    fast, typical, slow = (ron_ohm(kind, 3.0, volts, corner=c) for c in ("min", "typ", "max"))
    assert fast < typical < slow
    hot = ron_ohm(kind, 3.0, volts, temperature_c=100.0)
    assert typical < hot


def test_a_pmos_does_not_pass_the_read_voltage():
    assert ron_ohm("pfet", 20.0, 0.2) > 1e9
    assert ron_ohm("pfet", 20.0, 2.0) < 1e3
    assert ron_ohm("nfet", 20.0, 2.0) > 3 * ron_ohm("nfet", 20.0, 0.0)


def test_wrong_corner_and_temperature_are_named():
    with pytest.raises(ParameterError, match="corner"):
        ron_ohm("nfet", 1.0, 0.0, corner="worst")
    with pytest.raises(ParameterError, match="temperature_c"):
        ron_ohm("nfet", 1.0, 0.0, temperature_c=200.0)


def test_working_resistance_is_a_fixed_point():
    """One NMOS from 2 V into 10 kohm: resistance and voltage must satisfy each other."""
    builder = NetworkBuilder()
    a, b = builder.nodes(["a", "b"])
    builder.switch(a, b, builder.net("G"), w_um=2.0, l_um=0.28)
    network = builder.build()

    def solve(ohm, _chords=None):
        return np.array([2.0, 2.0 * 1e4 / (1e4 + ohm[0])])

    (ohm,) = working_ohm(network, TECH, solve)
    source = solve([ohm])[1]
    assert ohm == pytest.approx(TECH.nfet.ron_ohm(2.0, source, 2.0 - source), rel=1e-4)
    assert ohm > 1.5 * TECH.nfet.ron_ohm(2.0)
