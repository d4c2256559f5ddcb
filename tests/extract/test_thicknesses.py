"""Whatever the films' thicknesses are: they are refused, or the capacitance follows them."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from crossstack.extract import net_capacitance
from crossstack.extract.field.dielectric import EPSILON_0_F_UM, FILL_K, Dielectrics
from crossstack.extract.field.sections import by_field, by_us, sections
from crossstack.lvs import extract_layout
from crossstack.pdk import TechError, get_tech
from crossstack.pdk.check_bodies import problems_of_stack

TECH = get_tech()
#: rows, tiers and area of a device, um2
ROWS, AREA_UM2 = 2, 1.0
#: what a column of two rows has besides its devices, fF
BESIDE_F = (3.5e-15, 8e-15)


def _scaled(**factors: float):
    films = (
        replace(film, thickness_um=film.thickness_um * factors.get(film.name, 1.0))
        for film in TECH.films
    )
    return replace(TECH, films=tuple(films))


def _refused(tech) -> bool:
    return any(problems_of_stack(tech.films, tech.module, tech.nets))


def _devices_f(tech) -> float:
    """Return the plates of the devices of a column, from the table alone."""
    film = {f.name: f for f in tech.films}
    total = 0.0
    for tier in "BT":
        oxides = [film[f"TIO2_{tier}"], film[f"TIO2X_{tier}"]]
        total += EPSILON_0_F_UM / sum(f.thickness_um / f.permittivity for f in oxides)
    return total * ROWS * AREA_UM2


@pytest.fixture(scope="module")
def extracted(draw):
    return extract_layout(draw(ROWS, 2), TECH)


def _variants() -> list[dict[str, float]]:
    """Return each film thinner and thicker, and thicknesses of a few films at once."""
    names, source = [film.name for film in TECH.films], random.Random(7)
    found = [{name: factor} for name in names for factor in (0.3, 1.5, 6.0)]
    for _ in range(30):
        chosen = {name: 4 ** source.uniform(-1, 1) for name in source.sample(names, 3)}
        if source.random() < 0.5:
            chosen |= dict.fromkeys(("ME", "planar"), 4 ** source.uniform(-1, 1))
        found.append(chosen)
    return found


def test_any_thicknesses_are_refused_or_keep_every_device(extracted):
    usual = net_capacitance(extracted, TECH)
    kept = 0
    for factors in _variants():
        tech = _scaled(**factors)
        if _refused(tech):
            with pytest.raises(TechError, match=r"film|insulator"):
                net_capacitance(extracted, tech)
            continue
        kept += 1
        found, devices = net_capacitance(extracted, tech), _devices_f(tech)
        beside = found["C[0]"].total_f - devices
        assert BESIDE_F[0] < beside < BESIDE_F[1], factors
        for name, net in found.items():
            if not name.startswith(("C[", "BE[", "TE[")):  # no end of a device, which may be thick
                assert net.total_f > 0.6 * usual[name].total_f, factors
    assert kept > 60


def test_the_electrode_that_a_newcomer_thickened_alone_is_refused(extracted):
    alone = _scaled(ME=1.5)
    with pytest.raises(TechError, match=r"film ME: thickness_um = 0\.15, allowed: 0\.1, equal to"):
        net_capacitance(extracted, alone)
    both = net_capacitance(extracted, _scaled(ME=1.5, planar=1.5))
    assert both["C[0]"].total_f == pytest.approx(40.3e-15, rel=0.02)


@pytest.mark.parametrize(
    "factors",
    [{"BE": 10}, {"TIO2X_B": 0.2}, {"TIO2_T": 10}, {"ME": 0.2, "planar": 0.2},
     {"ME": 30, "planar": 30}, {"Metal5": 2}, {"pass_oxide": 0.6}],
    ids=str,
)  # fmt: skip
def test_the_formula_follows_the_field(factors):
    tech = _scaled(**factors)
    assert not _refused(tech)
    for section in sections(TECH):
        if section.name.startswith(("crossing", "column line")):
            assert 0.6 < by_us(section, tech) / by_field(section, tech) < 1.6, section.name


def test_of_insulators_at_one_height_one_counts():
    # a liner as high as the oxide beside it is no second film on top of it
    shared = replace(TECH, films=tuple(
        replace(film, shares_bottom=True) if film.name == "liner" else film for film in TECH.films
    ))  # fmt: skip
    low, high = shared.heights_um["ILD"]
    assert shared.heights_um["liner"][0] == low
    stack = Dielectrics.of(shared)
    assert stack.plate_f_um2(low, high) == pytest.approx(EPSILON_0_F_UM * 4 / (high - low))
    # but one that a mask draws counts before what lies beside it
    films = [replace(f, shares_bottom=f.name == "TIO2_B" or f.shares_bottom) for f in TECH.films]
    at = [film.name for film in films].index("TIO2_B")
    films.insert(
        at + 1, replace(films[at], name="beside", permittivity=FILL_K, shares_bottom=False)
    )
    drawn = replace(TECH, films=tuple(films))
    low, high = drawn.heights_um["TIO2_B"]
    assert Dielectrics.of(drawn).plate_f_um2(low, high) == pytest.approx(
        EPSILON_0_F_UM * 40 / (high - low)
    )
    assert not _refused(drawn)
