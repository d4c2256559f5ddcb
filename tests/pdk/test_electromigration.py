"""Current limits: the manual's figures, its law between them, and what is assumed."""

from __future__ import annotations

import math

import pytest
from scipy.special import ellipkm1

from crossstack.pdk import ParameterError, get_tech
from crossstack.pdk.electromigration import current_limits, line_heating_k

BOLTZMANN_EV = 8.617333e-5


@pytest.mark.parametrize(
    ("celsius", "metal", "top", "via", "poly_contact"),
    [
        (85, 2.09e-3, 4.5e-3, 0.58e-3, 0.43e-3),
        (110, 1.0e-3, 2.2e-3, 0.28e-3, 0.21e-3),
        (125, 0.67e-3, 1.5e-3, 0.18e-3, 0.14e-3),
    ],
)
def test_the_manuals_figures(celsius, metal, top, via, poly_contact):
    limits = current_limits(get_tech(), celsius)
    assert limits.wire_a_per_um["Metal3"] == pytest.approx(metal)
    assert limits.wire_a_per_um["Metal5"] == pytest.approx(top)
    assert limits.cut_a["Via2"] == limits.cut_a["Contact_nsd"] == pytest.approx(via)
    assert limits.cut_a["Contact_poly"] == pytest.approx(poly_contact)


def test_between_the_figures_the_manuals_law_holds():
    ratio = (
        current_limits(get_tech(), 100.0).wire_a_per_um["Metal1"]
        / current_limits(get_tech(), 110.0).wire_a_per_um["Metal1"]
    )
    inverse = 1 / 373.15 - 1 / 383.15
    table = get_tech().process.limits
    law = math.exp(table.activation_ev / BOLTZMANN_EV * inverse / table.exponent)
    assert ratio == pytest.approx(law, rel=2e-3)


def test_current_both_ways_may_be_larger_and_cold_wires_gain_nothing():
    tech = get_tech()
    one, both = (current_limits(tech, 110, bidirectional=b) for b in (False, True))
    assert both.wire_a_per_um["Metal2"] == pytest.approx(1.5 * one.wire_a_per_um["Metal2"])
    assert current_limits(tech, 25).cut_a == current_limits(tech, 85).cut_a


def test_too_hot_is_refused():
    with pytest.raises(ParameterError, match=r"125 C"):
        current_limits(get_tech(), 126.0)


@pytest.mark.parametrize("profile", ["stepper", "aligner"])
def test_every_conductor_has_a_limit_and_the_modules_are_marked(profile):
    tech = get_tech(profile)
    limits = current_limits(tech)
    assert set(limits.cut_a) == {cut.name for cut in tech.cuts}
    conductors = {film.name for film in tech.films if film.sheet_ohm_sq is not None}
    assert set(limits.wire_a_per_um) == conductors
    assert set(limits.assumed) == {"BE", "ME", "TE", "VBE", "VME", "VTE"}
    # 0.1 um of Al against 0.55 um of Metal1
    assert limits.wire_a_per_um["ME"] == pytest.approx(2.09e-3 * 0.1 / 0.55)
    assert limits.cut_a["VME"] == pytest.approx(
        limits.wire_a_per_um["ME"] * tech.cut("VME").size_um
    )


@pytest.mark.parametrize("width_um", [0.5, 1.0, 10.0, 40.0, 1000.0])
def test_heating_is_that_of_a_strip_by_conformal_mapping(width_um):
    """A flat strip on a slab: 2 K(k) / K'(k), k = tanh(pi w / 4 h), per length and conductivity."""
    tech = get_tech()
    height = tech.heights_um["ME"][0]
    k = math.tanh(math.pi * width_um / (4 * height))
    rest = math.cosh(math.pi * width_um / (4 * height)) ** -2
    shape = 2 * ellipkm1(rest) / ellipkm1(k**2)
    film = next(f for f in tech.films if f.name == "ME")
    power_w_um = 1e-3**2 * film.sheet_ohm_sq.typ / width_um
    wanted = power_w_um / (1.4e-6 * shape)
    assert line_heating_k(tech, "ME", width_um, 1e-3) == pytest.approx(wanted, rel=1e-9)
